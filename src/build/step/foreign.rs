//! Commands of images for other processors: the kernel runs them where an emulator is registered
//! with binfmt_misc.

use std::path::Path;

use anyhow::Result;

use crate::common::{Error, Kind};
use crate::oci::Platform;
use crate::sys::file;

/// Where the kernel lists what is registered (kernel, admin-guide/binfmt-misc.rst).
const REGISTERED: &str = "/proc/sys/fs/binfmt_misc";

/// Largest entry that is read, in bytes.
const MAX_ENTRY: usize = 16 << 10;

/// `e_machine` of programs by Go's name of the architecture, as their files have it.
const MACHINES: [(&str, [u8; 2]); 9] = [
    ("386", [3, 0]),
    ("amd64", [62, 0]),
    ("arm", [40, 0]),
    ("arm64", [183, 0]),
    ("loong64", [2, 1]),
    ("mips64le", [8, 0]),
    ("ppc64le", [21, 0]),
    ("riscv64", [243, 0]),
    ("s390x", [0, 22]),
];

/// Refuses a command for a processor whose programs this machine cannot run.
///
/// # Errors
/// `Unsupported`, with the way to have an emulator.
pub(in crate::build) fn check(platform: &Platform, command: &str) -> Result<()> {
    let host = Platform::host();
    let own = |own: &str, other: &str| host.architecture == own && platform.architecture == other;
    if host.architecture == platform.architecture || own("amd64", "386") || own("arm64", "arm") {
        return Ok(());
    }
    if is_registered(Path::new(REGISTERED), &platform.architecture) {
        return Ok(());
    }
    Err(Error::new(Kind::Unsupported, "run", command)
        .because(format!(
            "it is a program for {platform}, this machine is {host}, and no emulator that reaches into a container is registered with binfmt_misc"
        ))
        .hint("an administrator registers one for all: on Debian and Ubuntu, apt-get install qemu-user-static binfmt-support")
        .into())
}

fn is_registered(folder: &Path, architecture: &str) -> bool {
    let machine = MACHINES.iter().find(|(name, _)| *name == architecture);
    let Some((_, machine)) = machine else {
        return false;
    };
    let names = file::names(folder).unwrap_or_default();
    let mut entries = names
        .iter()
        .filter_map(|name| file::read_bounded(&folder.join(name), MAX_ENTRY).ok());
    entries.any(|text| runs(&String::from_utf8_lossy(&text), *machine))
}

/// Whether an entry is in force, is for this machine's programs, and opened its interpreter when
/// it was registered (flag `F`): a container has no such file.
fn runs(entry: &str, machine: [u8; 2]) -> bool {
    let mut lines = entry.lines();
    let value = |name: &str| entry.lines().find_map(|line| line.strip_prefix(name));
    let magic = value("magic ").unwrap_or_default();
    // ELF: four bytes that name it, twelve of its kind, two of its type, two of the machine.
    let number = format!("{:02x}{:02x}", machine[0], machine[1]);
    lines.next() == Some("enabled")
        && value("flags: ").is_some_and(|flags| flags.contains('F'))
        && magic.starts_with("7f454c46")
        && magic.get(36..40) == Some(number.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_is_known_by_what_it_runs() {
        let entry = "enabled\ninterpreter /usr/libexec/qemu\nflags: OCF\noffset 0\n\
            magic 7f454c460201010000000000000000000200b700\n\
            mask ffffffffffffff00fffffffffffffffffeffffff\n";
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(dir.path().join("any"), text).unwrap();
        write(entry);
        assert!(is_registered(dir.path(), "arm64"));
        assert!(!is_registered(dir.path(), "riscv64") && !is_registered(dir.path(), "x"));
        write(&entry.replace("enabled", "disabled"));
        assert!(!is_registered(dir.path(), "arm64"));
        write(&entry.replace("OCF", "OC"));
        assert!(!is_registered(dir.path(), "arm64"));
        assert!(!is_registered(&dir.path().join("none"), "arm64"));
    }
}
