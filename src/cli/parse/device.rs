//! `--device SRC[:DST[:rwm]]`.

use crate::cli::personality::Personality;
use crate::common::{Error, Kind, Result};
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

/// `--gpus` as names of [`crate::cdi::resolve`]: `all`, a number of them, or `device=ID,…`, each
/// with docker's other words.
pub(crate) fn gpus(text: &str) -> Result<Vec<String>> {
    const GPUS: &str = "--gpus";
    const FORMS: &str = "use all, a number, or device=ID,…";
    let (mut found, mut ids) = (Vec::new(), false);
    for part in text.trim_matches('"').split(',') {
        let (key, value) = part.split_once('=').unwrap_or(("", part));
        ids = key == "device" || (key.is_empty() && ids);
        match (key, value) {
            ("" | "count", "all" | "-1") if !ids => found.push("gpu=all".to_owned()),
            ("" | "count", number) if !ids => {
                let count = super::number::within(GPUS, number, 1..=64)?;
                found.extend((0..count).map(|index| format!("gpu={index}")));
            }
            ("" | "device", id) if crate::cdi::is_name(&format!("v/gpu={id}")) => {
                found.push(format!("gpu={id}"));
            }
            // Whatever a driver can do is given; the vendor is the files'.
            ("driver" | "capabilities" | "options", _) => {}
            _ => return Err(bad(GPUS, text, FORMS)),
        }
    }
    match found.is_empty() {
        true => Err(bad(GPUS, text, FORMS)),
        false => Ok(found),
    }
}

/// Checks a `--device-cgroup-rule`: `TYPE MAJOR:MINOR ACCESS`. podman can do without the minor
/// number, and refuses with words of its own.
pub(crate) fn rule(text: &str, personality: Personality) -> Result<String> {
    if personality == Personality::Podman {
        podman_rule(text).map_err(|why| Error::new(Kind::Usage, why, ""))?;
        return Ok(text.to_owned());
    }
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

fn podman_rule(text: &str) -> std::result::Result<(), String> {
    let parts: Vec<&str> = text.split(' ').collect();
    let [kind, numbers, access] = parts.as_slice() else {
        return Err(format!(
            "invalid device cgroup rule requires type, major:Minor, and access rules: {text:?}"
        ));
    };
    if !["a", "b", "c"].contains(kind) {
        return Err(format!("invalid device type in device-access-add: {kind}"));
    }
    let is_number = |part: &&str| *part == "*" || part.parse::<u64>().is_ok();
    if let Some(part) = numbers.splitn(2, ':').find(|part| !is_number(part)) {
        return Err(format!(
            "strconv.ParseUint: parsing {part:?}: invalid syntax"
        ));
    }
    match access.chars().find(|letter| !"rwm".contains(*letter)) {
        Some(letter) => Err(format!(
            "invalid device access in device-access-add: {letter}"
        )),
        None => Ok(()),
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
    fn processors_are_named_counted_or_all() {
        for (text, names) in [
            ("all", &["gpu=all"][..]),
            ("2", &["gpu=0", "gpu=1"]),
            ("\"device=0,GPU-1\"", &["gpu=0", "gpu=GPU-1"]),
            ("device=1,driver=nvidia,capabilities=utility", &["gpu=1"]),
            ("count=1", &["gpu=0"]),
        ] {
            assert_eq!(gpus(text).unwrap(), names, "{text}");
        }
        for text in ["", "0", "some", "device=", "driver=nvidia", "model=x"] {
            assert!(gpus(text).is_err(), "{text}");
        }
    }

    #[test]
    fn good_and_bad_rules() {
        for text in ["c 1:3 rwm", "a *:* r", "b 8:* w"] {
            assert_eq!(rule(text, Personality::Docker).unwrap(), text);
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
            assert!(rule(text, Personality::Docker).is_err(), "{text}");
        }
    }

    #[test]
    fn podman_s_rules_need_no_minor_number() {
        for text in ["b 7:* rmw", "a 7:1 rmw", "a 7 rmw", "c *:* r"] {
            assert_eq!(rule(text, Personality::Podman).unwrap(), text);
        }
        for (text, why) in [
            ("b 7:* rmX", "invalid device access in device-access-add: X"),
            (
                "b 7:2",
                "invalid device cgroup rule requires type, major:Minor, and access rules: \"b 7:2\"",
            ),
            ("x 7:* rmw", "invalid device type in device-access-add: x"),
            (
                "a a:* rmw",
                "strconv.ParseUint: parsing \"a\": invalid syntax",
            ),
        ] {
            let error = rule(text, Personality::Podman).unwrap_err();
            assert_eq!(error.to_string(), why);
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
