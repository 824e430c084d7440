//! The choice of a rung on the identity ladder.

use crate::common::{Error, Kind, Mode, Result};

/// What the choice depends on; each is asked only when the rungs above did not decide.
pub(super) trait Rungs {
    /// Effective user id 0.
    fn is_root(&self) -> bool;
    /// `CAP_SYS_ADMIN` is effective.
    fn is_admin(&self) -> bool;
    /// This process is in the first user namespace.
    fn is_first(&self) -> bool;
    /// This process rules a user namespace that maps enough ids for an image's users.
    fn owns_ids(&self) -> bool;
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
    // Root inside a container of another engine: the kernel refuses it device nodes and trusted
    // attributes, so that at best it is a user whose range is the namespace. Without
    // CAP_SYS_ADMIN nothing can be mounted in this namespace, and with a map of one id no second
    // owner exists: both go down the ladder like an ordinary user.
    if rungs.is_root() && rungs.is_admin() && rungs.is_first() {
        Mode::Root
    } else if rungs.owns_ids() || rungs.has_range() && rungs.has_helpers() {
        Mode::Subid
    } else {
        Mode::Single
    }
}

fn checked_root(rungs: &dyn Rungs) -> Result<Mode> {
    let why = match (rungs.is_root() && rungs.is_admin(), rungs.is_first()) {
        (true, true) => return Ok(Mode::Root),
        (true, false) => "this process is root of a user namespace, not of the machine",
        (false, _) => "this process is not root with CAP_SYS_ADMIN",
    };
    Err(Error::new(Kind::Denied, "use identity mode", "root")
        .because(why)
        .hint("run as root, or leave the choice to ketch"))
}

fn checked_subid(rungs: &dyn Rungs) -> Result<Mode> {
    if rungs.owns_ids() {
        return Ok(Mode::Subid);
    }
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
        first: bool,
        owns: bool,
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
        fn is_first(&self) -> bool {
            self.first
        }
        fn owns_ids(&self) -> bool {
            self.owns
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

    fn fake(bits: [bool; 6]) -> Fake {
        let [root, admin, first, owns, range, helpers] = bits;
        Fake {
            root,
            admin,
            first,
            owns,
            range,
            helpers,
        }
    }

    #[test]
    fn the_highest_rung_that_holds_is_chosen() {
        let (y, n) = (true, false);
        for (bits, wanted) in [
            ([y, y, y, n, n, n], Mode::Root),
            ([y, y, y, n, y, y], Mode::Root),
            ([y, n, y, n, n, n], Mode::Single),
            ([y, n, y, n, y, y], Mode::Subid),
            ([y, y, n, n, n, n], Mode::Single),
            ([y, y, n, y, n, n], Mode::Subid),
            ([y, y, n, n, y, y], Mode::Subid),
            ([n, y, y, n, y, y], Mode::Subid),
            ([n, n, y, n, y, n], Mode::Single),
            ([n, n, y, n, n, y], Mode::Single),
        ] {
            assert_eq!(mode(&fake(bits), None).unwrap(), wanted, "{bits:?}");
        }
    }

    #[test]
    fn a_rung_asked_for_and_not_reached_is_an_error_with_advice() {
        let inner = fake([true, true, false, true, false, false]);
        let denied = mode(&inner, Some("root")).unwrap_err();
        assert!(denied.to_string().contains("not of the machine"));
        assert_eq!(mode(&inner, Some("subid")).unwrap(), Mode::Subid);
        let none = fake([false; 6]);
        assert_eq!(mode(&none, Some("single")).unwrap(), Mode::Single);
        assert_eq!(mode(&none, Some("root")).unwrap_err().kind(), Kind::Denied);
        let subid = mode(&none, Some("subid")).unwrap_err();
        assert!(subid.to_string().contains("user ann"), "{subid}");
        assert!(subid.advice().is_some());
        assert_eq!(mode(&none, Some("Root")).unwrap_err().kind(), Kind::Usage);
    }
}
