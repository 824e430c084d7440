//! `--tmpfs DST[:OPTIONS]`.

use crate::common::{Result, parse_size};
use crate::spec::config::{Mount, MountKind};

use super::{bad, path};

const FLAG: &str = "--tmpfs";

/// Parses one `--tmpfs` value; docker's defaults `noexec,nosuid,nodev`, and `copies` for its
/// content, hold until an option says otherwise.
pub(crate) fn parse(text: &str, mut copies: bool) -> Result<Mount> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let mut mount = Mount {
        target: path::mount_target(FLAG, target)?,
        kind: MountKind::Tmpfs {
            size: None,
            mode: None,
            copy_up: false,
        },
        read_only: false,
        no_exec: true,
        no_suid: true,
        no_dev: true,
    };
    let (mut bytes, mut bits) = (None, None);
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("size", value)) => {
                let size = parse_size(value)
                    .map_err(|_| bad(FLAG, text, format!("size={value} is not a size")))?;
                bytes = Some(size);
            }
            Some(("mode", value)) => bits = Some(mode(FLAG, value)?),
            None if flag(&mut mount, option) => {}
            None if option == "tmpcopyup" || option == "notmpcopyup" => {
                copies = option == "tmpcopyup";
            }
            _ => return Err(bad(FLAG, text, format!("unknown option {option:?}"))),
        }
    }
    mount.kind = MountKind::Tmpfs {
        size: bytes,
        mode: bits,
        copy_up: copies,
    };
    Ok(mount)
}

fn flag(mount: &mut Mount, option: &str) -> bool {
    match option {
        "ro" | "rw" => mount.read_only = option == "ro",
        "exec" | "noexec" => mount.no_exec = option == "noexec",
        "suid" | "nosuid" => mount.no_suid = option == "nosuid",
        "dev" | "nodev" => mount.no_dev = option == "nodev",
        _ => return false,
    }
    true
}

/// An octal file mode of at most `7777`.
pub(super) fn mode(flag: &str, text: &str) -> Result<u32> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 && !text.starts_with('+') => Ok(mode),
        _ => Err(bad(flag, text, "a mode is octal, such as 1777")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_defaults_hold_until_an_option_changes_them() {
        let plain = parse("/t", false).unwrap();
        assert!(plain.no_exec && plain.no_suid && plain.no_dev && !plain.read_only);
        let set = parse("/t/:rw,exec,size=64m,mode=1770", false).unwrap();
        assert_eq!(set.target, "/t");
        assert!(!set.no_exec && set.no_dev);
        assert_eq!(
            set.kind,
            MountKind::Tmpfs {
                size: Some(64 << 20),
                mode: Some(0o1770),
                copy_up: false
            }
        );
    }

    #[test]
    fn bad_values_are_refused() {
        for text in [
            "",
            "t",
            "/",
            "/t:size=",
            "/t:size=x",
            "/t:mode=8",
            "/t:mode=17777",
            "/t:wat",
            "/t:uid=0",
        ] {
            assert!(parse(text, false).is_err(), "{text}");
        }
    }
}
