//! `--security-opt`.

use crate::common::Result;
use crate::spec::config::{SeccompChoice, Security};

use super::{Place, bad, boolean, path};

const FLAG: &str = "--security-opt";

/// Parses one value into the security group. `label=…` is accepted and has no effect: where
/// SELinux is absent docker ignores it too.
pub(crate) fn parse(text: &str, place: &Place<'_>, security: &mut Security) -> Result<()> {
    // docker still reads its old `name:value` spelling.
    let (key, value) = match text.split_once(['=', ':']) {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    };
    let need = || {
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| bad(FLAG, text, format!("{key} needs a value")))
    };
    match key {
        "no-new-privileges" => {
            security.no_new_privileges =
                boolean::parse(value.unwrap_or("true")).map_err(|why| bad(FLAG, text, why))?;
        }
        "seccomp" => {
            security.seccomp = match need()? {
                "unconfined" => SeccompChoice::Unconfined,
                "builtin" | "default" => SeccompChoice::Default,
                file => SeccompChoice::File(path::source(FLAG, file, place)?),
            };
        }
        "apparmor" => security.apparmor = Some(need()?.to_owned()),
        "label" => {
            need()?;
        }
        "mask" => security.mask.extend(paths(text, need()?)?),
        "unmask" if need()?.eq_ignore_ascii_case("all") => security.unmask.push("ALL".to_owned()),
        "unmask" => security.unmask.extend(paths(text, need()?)?),
        "systempaths" if need()? == "unconfined" => security.unmask.push("ALL".to_owned()),
        _ => {
            return Err(bad(FLAG, text, "not a known option").hint(
                "known: no-new-privileges, seccomp=, apparmor=, label=, mask=, unmask=, \
                 systempaths=unconfined",
            ));
        }
    }
    Ok(())
}

fn paths(text: &str, list: &str) -> Result<Vec<String>> {
    list.split(':')
        .map(|one| path::target(FLAG, one).map_err(|_| bad(FLAG, text, "paths must be absolute")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str) -> Result<Security> {
        let place = Place::homeless(true);
        let mut security = Security::default();
        parse(text, &place, &mut security)?;
        Ok(security)
    }

    #[test]
    fn every_option() {
        assert!(apply("no-new-privileges").unwrap().no_new_privileges);
        assert!(apply("no-new-privileges:true").unwrap().no_new_privileges);
        assert!(!apply("no-new-privileges=false").unwrap().no_new_privileges);
        assert_eq!(
            apply("seccomp=unconfined").unwrap().seccomp,
            SeccompChoice::Unconfined
        );
        assert_eq!(
            apply("seccomp=p.json").unwrap().seccomp,
            SeccompChoice::File("/cwd/p.json".to_owned())
        );
        assert_eq!(apply("apparmor=x").unwrap().apparmor.as_deref(), Some("x"));
        assert_eq!(apply("mask=/a:/b").unwrap().mask, ["/a", "/b"]);
        assert_eq!(apply("unmask=all").unwrap().unmask, ["ALL"]);
        assert_eq!(apply("systempaths=unconfined").unwrap().unmask, ["ALL"]);
        assert_eq!(apply("label=disable").unwrap(), Security::default());
    }

    #[test]
    fn bad_options_are_refused() {
        for text in [
            "",
            "nope",
            "seccomp",
            "seccomp=",
            "mask=a",
            "systempaths=x",
            "no-new-privileges=2",
        ] {
            assert!(apply(text).is_err(), "{text}");
        }
    }
}
