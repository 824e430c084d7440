//! The choice of a rung on the identity ladder.

use crate::common::{Error, Kind, Mode, Result};

/// What the choice depends on; each is asked only when the rungs above did not decide.
pub(super) trait Rungs {
    /// Effective user id 0.
    fn is_root(&self) -> bool;
    /// `CAP_SYS_ADMIN` is effective.
    fn is_admin(&self) -> bool;
    /// The current user namespace maps enough ids for an image's users.
    fn has_many_ids(&self) -> bool;
    /// `/etc/subuid` and `/etc/subgid` give the user a range.
    fn has_range(&self) -> bool;
    /// `newuidmap` and `newgidmap` are installed with privilege.
    fn has_helpers(&self) -> bool;
    /// The user's name, or number, for texts.
    fn user(&self) -> String;
}

/// Chooses the highest rung, or checks the one asked for (`root`, `subid`, `single`, `auto`).
pub(super) fn mode(rungs: &dyn Rungs, asked: Option<&str>) -> Result<Mode> {
    match asked.unwrap_or("") {
        "" | "auto" => Ok(best(rungs)),
        "root" => checked_root(rungs),
        "subid" => checked_subid(rungs),
        "single" => Ok(Mode::Single),
        other => Err(Error::usage(
            "read identity mode",
            format!("{other:?}"),
            "use root, subid, single or auto",
        )),
    }
}

fn best(rungs: &dyn Rungs) -> Mode {
    // Root inside a container of another engine: without CAP_SYS_ADMIN nothing can be mounted
    // in this namespace, and with a map of one id no second owner exists. Both go down the
    // ladder like an ordinary user.
    if rungs.is_root() && rungs.is_admin() && rungs.has_many_ids() {
        Mode::Root
    } else if rungs.has_range() && rungs.has_helpers() {
        Mode::Subid
    } else {
        Mode::Single
    }
}

fn checked_root(rungs: &dyn Rungs) -> Result<Mode> {
    if rungs.is_root() && rungs.is_admin() {
        return Ok(Mode::Root);
    }
    Err(Error::new(Kind::Denied, "use identity mode", "root")
        .because("this process is not root with CAP_SYS_ADMIN")
        .hint("run as root, or leave the choice to ketch"))
}

fn checked_subid(rungs: &dyn Rungs) -> Result<Mode> {
    let error = Error::new(Kind::Unsupported, "use identity mode", "subid");
    if !rungs.has_range() {
        return Err(error
            .because(format!(
                "no subordinate ids for user {} in /etc/subuid and /etc/subgid",
                rungs.user()
            ))
            .hint("run `ketch doctor` for the command that adds a range"));
    }
    if !rungs.has_helpers() {
        return Err(error
            .because("newuidmap and newgidmap are not installed with privilege")
            .hint("install the package uidmap (Debian) or shadow-utils (Fedora)"));
    }
    Ok(Mode::Subid)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake {
        root: bool,
        admin: bool,
        many: bool,
        range: bool,
        helpers: bool,
    }

    impl Rungs for Fake {
        fn is_root(&self) -> bool {
            self.root
        }
        fn is_admin(&self) -> bool {
            self.admin
        }
        fn has_many_ids(&self) -> bool {
            self.many
        }
        fn has_range(&self) -> bool {
            self.range
        }
        fn has_helpers(&self) -> bool {
            self.helpers
        }
        fn user(&self) -> String {
            "ann".into()
        }
    }

    fn fake(bits: [bool; 5]) -> Fake {
        let [root, admin, many, range, helpers] = bits;
        Fake {
            root,
            admin,
            many,
            range,
            helpers,
        }
    }

    #[test]
    fn the_highest_rung_that_holds_is_chosen() {
        let (y, n) = (true, false);
        for (bits, wanted) in [
            ([y, y, y, n, n], Mode::Root),
            ([y, y, y, y, y], Mode::Root),
            ([y, n, y, n, n], Mode::Single),
            ([y, n, y, y, y], Mode::Subid),
            ([y, y, n, n, n], Mode::Single),
            ([n, y, y, y, y], Mode::Subid),
            ([n, n, y, y, n], Mode::Single),
            ([n, n, y, n, y], Mode::Single),
        ] {
            assert_eq!(mode(&fake(bits), None).unwrap(), wanted, "{bits:?}");
        }
    }

    #[test]
    fn a_rung_asked_for_and_not_reached_is_an_error_with_advice() {
        let none = fake([false; 5]);
        assert_eq!(mode(&none, Some("single")).unwrap(), Mode::Single);
        assert_eq!(mode(&none, Some("root")).unwrap_err().kind(), Kind::Denied);
        let subid = mode(&none, Some("subid")).unwrap_err();
        assert!(subid.to_string().contains("user ann"), "{subid}");
        assert!(subid.advice().is_some());
        assert_eq!(mode(&none, Some("Root")).unwrap_err().kind(), Kind::Usage);
    }
}
