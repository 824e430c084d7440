//! `--device SRC[:DST[:rwm]]`.

use crate::common::Result;
use crate::spec::config::Device;

use super::{bad, path};

const FLAG: &str = "--device";

/// Parses one value; `SRC:rwm` is a source with access letters, as docker reads it.
pub(crate) fn parse(text: &str) -> Result<Device> {
    if !text.starts_with('/') {
        return Err(bad(FLAG, text, "a device is named by its absolute path"));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, access) = match parts.as_slice() {
        [source] => (*source, *source, "rwm"),
        [source, access] if is_access(access) => (*source, *source, *access),
        [source, target] => (*source, *target, "rwm"),
        [source, target, access] if is_access(access) => (*source, *target, *access),
        [_, _, _] => return Err(bad(FLAG, text, "access is made of r, w and m")),
        _ => return Err(bad(FLAG, text, "use SOURCE[:TARGET[:rwm]]")),
    };
    Ok(Device {
        source: path::mount_target(FLAG, source)?,
        target: path::mount_target(FLAG, target)?,
        access: access.to_owned(),
    })
}

/// Checks a `--device-cgroup-rule` as docker does: `TYPE MAJOR:MINOR ACCESS`.
pub(crate) fn rule(text: &str) -> Result<String> {
    let number = |text: &str| {
        text == "*" || (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parts: Vec<&str> = text.split(' ').collect();
    let fits = match parts.as_slice() {
        ["a" | "b" | "c", numbers, access] => {
            let pair = numbers.split_once(':');
            pair.is_some_and(|(major, minor)| number(major) && number(minor)) && is_access(access)
        }
        _ => false,
    };
    match fits {
        true => Ok(text.to_owned()),
        false => Err(bad(
            "--device-cgroup-rule",
            text,
            "use TYPE MAJOR:MINOR ACCESS, such as \"c 1:3 rwm\"",
        )),
    }
}

fn is_access(text: &str) -> bool {
    let once = |c| text.matches(c).count() <= 1;
    !text.is_empty() && text.chars().all(|c| "rwm".contains(c) && once(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad_rules() {
        for text in ["c 1:3 rwm", "a *:* r", "b 8:* w"] {
            assert_eq!(rule(text).unwrap(), text);
        }
        for text in [
            "",
            "c",
            "d 1:3 r",
            "c 1 r",
            "c 1:x r",
            "c 1:3 q",
            "c 1:3 r w",
            "c 1:3",
        ] {
            assert!(rule(text).is_err(), "{text}");
        }
    }

    #[test]
    fn good_and_bad_devices() {
        for (text, source, target, access) in [
            ("/dev/fuse", "/dev/fuse", "/dev/fuse", "rwm"),
            ("/dev/fuse:r", "/dev/fuse", "/dev/fuse", "r"),
            ("/dev/a:/dev/b", "/dev/a", "/dev/b", "rwm"),
            ("/dev/a:/dev/b:rw", "/dev/a", "/dev/b", "rw"),
        ] {
            let device = parse(text).unwrap();
            assert_eq!(
                (
                    device.source.as_str(),
                    device.target.as_str(),
                    device.access.as_str()
                ),
                (source, target, access)
            );
        }
        for text in [
            "",
            "fuse",
            "/dev/a:b",
            "/dev/a:/dev/b:x",
            "/dev/a:/dev/b:rr",
            "/dev/a:/b:r:w",
            "/:/",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
