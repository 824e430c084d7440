//! `--userns`, and the modes of the smaller namespaces.

use crate::common::Result;
use crate::spec::config::{Ipc, NamespaceMode, Userns};

use super::bad;
use crate::cli::personality::Personality;

/// Parses `host`, `keep-id[:uid=N,gid=N]`, `auto[:size=N]` and `container:NAME`; empty means the default.
pub(crate) fn parse(text: &str) -> Result<Userns> {
    const FLAG: &str = "--userns";
    if let Some(name) = donor(FLAG, text)? {
        return Ok(Userns::Container(name));
    }
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
            .hint("use host, keep-id[:uid=N,gid=N], auto[:size=N] or container:NAME")),
    }
}

/// Parses the value of `--pid`, `--uts` and `--cgroupns`.
pub(crate) fn namespace(flag: &str, text: &str) -> Result<NamespaceMode> {
    let shared = matches!(flag, "--pid" | "--uts");
    if shared && let Some(name) = donor(flag, text)? {
        return Ok(NamespaceMode::Container(name));
    }
    match text {
        "" | "private" => Ok(NamespaceMode::Private),
        "host" => Ok(NamespaceMode::Host),
        _ if shared => {
            Err(bad(flag, text, "not a known mode").hint("use private, host or container:NAME"))
        }
        _ => Err(bad(flag, text, "not a known mode").hint("use private or host")),
    }
}

/// Parses the value of `--ipc`; without one it is what docker or podman takes.
pub(crate) fn ipc(text: Option<&str>, personality: Personality) -> Result<Ipc> {
    const FLAG: &str = "--ipc";
    let text = text.unwrap_or("");
    if let Some(name) = donor(FLAG, text)? {
        return Ok(Ipc::Container(name));
    }
    match (text, personality) {
        ("", Personality::Podman) | ("shareable", _) => Ok(Ipc::Shareable),
        ("" | "private", _) => Ok(Ipc::Private),
        ("none", _) => Ok(Ipc::None),
        ("host", _) => Ok(Ipc::Host),
        _ => Err(bad(FLAG, text, "not a known mode")
            .hint("use private, shareable, none, host or container:NAME")),
    }
}

/// The name in `container:NAME`.
fn donor(flag: &str, text: &str) -> Result<Option<String>> {
    match text.strip_prefix("container") {
        Some("" | ":") => Err(bad(flag, text, "use container:NAME")),
        Some(rest) => Ok(rest.strip_prefix(':').map(str::to_owned)),
        None => Ok(None),
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
            ("container:x", Userns::Container("x".to_owned())),
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
            "container:",
            "containers",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn small_namespace_modes() {
        assert_eq!(namespace("--pid", "host").unwrap(), NamespaceMode::Host);
        assert_eq!(
            namespace("--pid", "container:x").unwrap(),
            NamespaceMode::Container("x".to_owned())
        );
        let ipc = |text| ipc(text, Personality::Docker).unwrap();
        assert_eq!(ipc(None), Ipc::Private);
        assert_eq!(ipc(Some("none")), Ipc::None);
        assert_eq!(ipc(Some("container:x")), Ipc::Container("x".to_owned()));
        assert_eq!(
            super::ipc(None, Personality::Podman).unwrap(),
            Ipc::Shareable
        );
        assert!(super::ipc(Some("nobody"), Personality::Docker).is_err());
        for (flag, text) in [
            ("--pid", "shareable"),
            ("--uts", "container:"),
            ("--cgroupns", "container:x"),
        ] {
            assert!(namespace(flag, text).is_err(), "{text}");
        }
    }
}
