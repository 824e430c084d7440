//! `--userns`, and the modes of the smaller namespaces.

use crate::common::Result;
use crate::spec::config::{NamespaceMode, Userns};

use super::bad;

/// Parses `host`, `keep-id[:uid=N,gid=N]` and `auto[:size=N]`; empty means the default.
pub(crate) fn parse(text: &str) -> Result<Userns> {
    const FLAG: &str = "--userns";
    let (word, options) = text.split_once(':').unwrap_or((text, ""));
    let mut numbers: [(&str, Option<u32>); 3] = [("uid", None), ("gid", None), ("size", None)];
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let known = option.split_once('=').and_then(|(key, value)| {
            let slot = numbers.iter_mut().find(|(name, _)| *name == key)?;
            slot.1 = Some(value.parse().ok()?);
            Some(())
        });
        if known.is_none() {
            return Err(bad(FLAG, text, format!("unknown option {option:?}")));
        }
    }
    let [(_, uid), (_, gid), (_, size)] = numbers;
    match word {
        "" | "host" | "private" if text.contains(':') => Err(bad(FLAG, text, "takes no options")),
        "" | "private" => Ok(Userns::Default),
        "host" => Ok(Userns::Host),
        "keep-id" if size.is_some() => Err(bad(FLAG, text, "size is for auto")),
        "keep-id" => Ok(Userns::KeepId { uid, gid }),
        "auto" if uid.is_some() || gid.is_some() => {
            Err(bad(FLAG, text, "uid and gid are for keep-id"))
        }
        "auto" if size == Some(0) => Err(bad(FLAG, text, "size must be at least 1")),
        "auto" => Ok(Userns::Auto { size }),
        _ => Err(bad(FLAG, text, "not a known mode")
            .hint("use host, keep-id[:uid=N,gid=N] or auto[:size=N]")),
    }
}

/// Parses the value of `--pid`, `--uts`, `--cgroupns` and `--ipc`.
pub(crate) fn namespace(flag: &str, text: &str) -> Result<NamespaceMode> {
    match text {
        "" | "private" => Ok(NamespaceMode::Private),
        // A private one can always be joined here, which is all that `shareable` adds.
        "shareable" if flag == "--ipc" => Ok(NamespaceMode::Private),
        "host" => Ok(NamespaceMode::Host),
        _ => Err(bad(flag, text, "not a known mode").hint("use private or host")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_namespace_modes() {
        for (text, want) in [
            ("", Userns::Default),
            ("host", Userns::Host),
            (
                "keep-id",
                Userns::KeepId {
                    uid: None,
                    gid: None,
                },
            ),
            (
                "keep-id:uid=5,gid=6",
                Userns::KeepId {
                    uid: Some(5),
                    gid: Some(6),
                },
            ),
            ("auto", Userns::Auto { size: None }),
            ("auto:size=1000", Userns::Auto { size: Some(1000) }),
        ] {
            assert_eq!(parse(text).unwrap(), want);
        }
        for text in [
            "nope",
            "host:",
            "keep-id:size=1",
            "auto:uid=1",
            "auto:size=0",
            "auto:size=x",
            "keep-id:uid",
            "container:x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn small_namespace_modes() {
        assert_eq!(namespace("--pid", "host").unwrap(), NamespaceMode::Host);
        assert_eq!(
            namespace("--ipc", "shareable").unwrap(),
            NamespaceMode::Private
        );
        for (flag, text) in [
            ("--pid", "shareable"),
            ("--uts", "container:x"),
            ("--ipc", "none"),
        ] {
            assert!(namespace(flag, text).is_err(), "{text}");
        }
    }
}
