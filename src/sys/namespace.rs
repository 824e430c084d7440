//! Identity maps of user namespaces.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;

use crate::common::{Error, Kind, Result};

/// One line of a map: `count` ids from `inside` on are `outside` on the host (user_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdMap {
    /// First id inside.
    pub(crate) inside: u32,
    /// First id outside, in the namespace of whoever writes the map.
    pub(crate) outside: u32,
    /// Number of ids.
    pub(crate) count: u32,
}

impl IdMap {
    /// Makes one line.
    pub(crate) const fn new(inside: u32, outside: u32, count: u32) -> IdMap {
        IdMap {
            inside,
            outside,
            count,
        }
    }
}

/// Text of a map in the kernel's form.
fn text(lines: &[IdMap]) -> String {
    lines
        .iter()
        .map(|line| format!("{} {} {}\n", line.inside, line.outside, line.count))
        .collect()
}

/// Writes the maps of `process` ("self" or a number) with the caller's own rights: one id each
/// for an ordinary user, anything for root. `deny_setgroups` is needed for the former.
pub(crate) fn write_maps(
    process: &str,
    uids: &[IdMap],
    gids: &[IdMap],
    deny_setgroups: bool,
) -> Result<()> {
    let write = |file: &str, content: &str| {
        let path = format!("/proc/{process}/{file}");
        std::fs::write(&path, content).map_err(|error| map_error(&path, error))
    };
    if deny_setgroups {
        match write("setgroups", "deny") {
            // Before Linux 3.19 the file did not exist and nothing had to be denied.
            Err(error) if error.kind() == Kind::NotFound => {}
            other => other?,
        }
    }
    write("uid_map", &text(uids))?;
    write("gid_map", &text(gids))
}

fn map_error(path: &str, error: io::Error) -> Error {
    Error::io("write id map", path, error)
        .hint("see `ketch doctor` for what this machine allows in user namespaces")
}

/// Has newuidmap(1) and newgidmap(1) write the maps of process `pid`, both at once: each is a
/// set-uid program that takes most of a millisecond to start.
pub(crate) fn run_map_helpers(
    pid: i32,
    newuidmap: &Path,
    uids: &[IdMap],
    newgidmap: &Path,
    gids: &[IdMap],
) -> Result<()> {
    let spawn = |program: &Path, lines: &[IdMap]| {
        let mut command = Command::new(program);
        command.arg(pid.to_string());
        for line in lines {
            for number in [line.inside, line.outside, line.count] {
                command.arg(number.to_string());
            }
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Error::io("start", program, error))
    };
    let users = spawn(newuidmap, uids)?;
    let groups = spawn(newgidmap, gids);
    let finish = |program: &Path, child: std::process::Child| {
        let output = child
            .wait_with_output()
            .map_err(|error| Error::io("wait for", program, error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::new(Kind::Denied, "map ids with", program.display().to_string())
            .because(said)
            .hint("check your ranges in /etc/subuid and /etc/subgid, or set KETCH_IDENTITY=single"))
    };
    let first = finish(newuidmap, users);
    let second = groups.and_then(|child| finish(newgidmap, child));
    first.and(second)
}

/// Opens the user namespace that owns a namespace, whatever other one a process in it has
/// (ioctl_ns(2)).
pub(crate) fn owner(namespace: &File) -> std::result::Result<OwnedFd, Errno> {
    /// `_IO(0xb7, 1)`.
    const NS_GET_USERNS: libc::Ioctl = 0xb701;
    // SAFETY: the request takes no argument and returns a new descriptor, close-on-exec.
    let fd = Errno::result(unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_USERNS) })?;
    // SAFETY: the kernel made it for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_the_form_of_the_kernel() {
        let map = [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)];
        assert_eq!(text(&map), "0 1000 1\n1 100000 65536\n");
    }
}
