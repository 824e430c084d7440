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

/// Lines of `--uidmap` and `--gidmap`; podman: who names one of them means both.
///
/// # Errors
/// A line that is none, ids that are mapped twice, and maps without 0.
pub(crate) fn maps(uids: &[String], gids: &[String]) -> Result<Userns> {
    let read = |flag: &str, lines: &[String]| -> Result<Vec<(u32, u32, u32)>> {
        let found = lines.iter().map(|text| line(flag, text));
        let found = found.collect::<Result<Vec<_>>>()?;
        let text = lines.join(" ");
        let ranges = [
            found.iter().map(|one| (one.0, one.2)).collect::<Vec<_>>(),
            found.iter().map(|one| (one.1, one.2)).collect(),
        ];
        if ranges.into_iter().any(overlap) {
            return Err(bad(flag, &text, "an id is mapped twice"));
        }
        match found.iter().any(|one| one.0 == 0) || found.is_empty() {
            true => Ok(found),
            false => Err(bad(
                flag,
                &text,
                "0 is not mapped, and root sets a container up",
            )),
        }
    };
    let (uids, gids) = (read("--uidmap", uids)?, read("--gidmap", gids)?);
    Ok(Userns::Maps {
        uids: if uids.is_empty() {
            gids.clone()
        } else {
            uids.clone()
        },
        gids: if gids.is_empty() { uids } else { gids },
    })
}

fn line(flag: &str, text: &str) -> Result<(u32, u32, u32)> {
    const FORM: &str = "use CONTAINER:HOST[:COUNT], three numbers";
    // podman's extended forms begin with signs and letters.
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = text
        .split(':')
        .map(|part| Some(part).filter(digits)?.parse::<u32>().ok());
    let numbers: Option<Vec<u32>> = numbers.collect();
    let (inside, outside, count) = match numbers.as_deref() {
        Some([inside, outside]) => (*inside, *outside, 1),
        Some([inside, outside, count]) => (*inside, *outside, *count),
        _ => return Err(bad(flag, text, FORM)),
    };
    // 4294967295 means "no id" to the kernel.
    let fits = |first: u32| first.checked_add(count).is_some();
    match count > 0 && fits(inside) && fits(outside) {
        true => Ok((inside, outside, count)),
        false => Err(bad(flag, text, "it has no ids, or goes past the last one")),
    }
}

/// Whether two of the ranges have an id in common.
fn overlap(mut ranges: Vec<(u32, u32)>) -> bool {
    ranges.sort_unstable();
    let pairs = ranges.iter().zip(ranges.iter().skip(1));
    pairs.into_iter().any(|(one, next)| one.0 + one.1 > next.0)
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
    fn maps_have_every_id_once_and_root() {
        let read = |uids: &[&str], gids: &[&str]| {
            let text = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
            maps(&text(uids), &text(gids))
        };
        let both = Userns::Maps {
            uids: vec![(0, 100_000, 1000), (1000, 5, 1)],
            gids: vec![(0, 100_000, 1000), (1000, 5, 1)],
        };
        assert_eq!(read(&["0:100000:1000", "1000:5"], &[]).unwrap(), both);
        assert_eq!(read(&[], &["0:100000:1000", "1000:5"]).unwrap(), both);
        for lines in [
            &["0"][..],
            &["0:x:1"],
            &["0:1:0"],
            &["+0:1:1"],
            &["1:1:5"],
            &["0:1:4294967295"],
            &["0:10:5", "4:100:5"],
            &["0:10:5", "5:14:5"],
        ] {
            assert!(read(lines, &[]).is_err(), "{lines:?}");
        }
    }

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
