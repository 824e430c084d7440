//! Devices: what the host has under the paths asked for.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceBuilder, LinuxDeviceType};

use super::config::{Device, Security};
use super::generate::built;
use crate::common::{Error, Result};

/// Deepest directory below a `--device` directory.
const MAX_DEPTH: usize = 8;

/// Entries of /dev that are the container's own or no devices.
const OWN: [&str; 12] = [
    "null", "zero", "full", "random", "urandom", "tty", "console", "ptmx", "pts", "shm", "mqueue", "fd",
];

type Collected = (Vec<LinuxDevice>, BTreeMap<String, PathBuf>);

/// The devices asked for; with `--privileged` all of the host's.
pub(super) fn collect(security: &Security) -> Result<Collected> {
    let mut found = (Vec::new(), BTreeMap::new());
    if security.privileged {
        for entry in std::fs::read_dir("/dev").into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| !OWN.contains(&name)) {
                let path = entry.path();
                add(&mut found, &path, &path, MAX_DEPTH, true)?;
            }
        }
    }
    for Device { source, target, .. } in &security.devices {
        add(&mut found, Path::new(source), Path::new(target), MAX_DEPTH, false)?;
    }
    Ok(found)
}

fn add(found: &mut Collected, source: &Path, target: &Path, depth: usize, lenient: bool) -> Result<()> {
    let meta = match if lenient { source.symlink_metadata() } else { source.metadata() } {
        Ok(meta) => meta,
        Err(_) if lenient => return Ok(()),
        Err(error) => return Err(Error::io("use device", source, error)),
    };
    let kind = meta.file_type();
    if kind.is_dir() && depth > 0 {
        let entries = match std::fs::read_dir(source) {
            Ok(entries) => entries,
            Err(_) if lenient => return Ok(()),
            Err(error) => return Err(Error::io("list devices in", source, error)),
        };
        for entry in entries.flatten() {
            // Links and plain files in a device directory are not devices.
            add(found, &entry.path(), &target.join(entry.file_name()), depth - 1, true)?;
        }
        return Ok(());
    }
    let typ = if kind.is_char_device() {
        LinuxDeviceType::C
    } else if kind.is_block_device() {
        LinuxDeviceType::B
    } else if lenient {
        return Ok(());
    } else {
        return Err(Error::usage("use device", source.display().to_string(), "it is not a device"));
    };
    let number = meta.rdev();
    let device = LinuxDeviceBuilder::default()
        .path(target)
        .typ(typ)
        .major(i64::from(libc::major(number)))
        .minor(i64::from(libc::minor(number)))
        .file_mode(meta.mode() & 0o777)
        .uid(0u32)
        .gid(0u32);
    found.0.push(built(device.build())?);
    found.1.insert(target.display().to_string(), source.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(source: &str) -> Result<Collected> {
        let device = Device { source: source.to_owned(), target: source.to_owned(), access: "rwm".to_owned() };
        collect(&Security { devices: vec![device], ..Security::default() })
    }

    #[test]
    fn a_device_is_taken_with_its_numbers() {
        let (devices, sources) = ask("/dev/null").unwrap();
        assert_eq!((devices[0].major(), devices[0].minor()), (1, 3));
        assert_eq!(sources["/dev/null"], Path::new("/dev/null"));
    }

    #[test]
    fn missing_devices_and_plain_files_are_refused() {
        assert!(ask("/dev/does-not-exist").is_err());
        assert!(ask("/proc/self/stat").is_err());
    }
}
