//! Identity maps of user namespaces, and who owns a namespace.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
#[cfg(test)]
use nix::sched::unshare;
use nix::sched::{CloneFlags, setns};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::{Mode, fstat, stat};

use crate::common::{Error, Kind, Result};
use crate::sys::spawn::{Spawned, spawn};

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

/// As [`write_maps`] with `deny_setgroups`, of the process whose `/proc` folder `proc` is.
pub(crate) fn write_maps_at(proc: BorrowedFd<'_>, uids: &[IdMap], gids: &[IdMap]) -> Result<()> {
    let write = |file: &str, content: &str| {
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let opened = openat(proc, file, flags, Mode::empty()).map_err(io::Error::from);
        opened
            .and_then(|fd| File::from(fd).write_all(content.as_bytes()))
            .map_err(|error| map_error(file, error))
    };
    match write("setgroups", "deny") {
        Err(error) if error.kind() == Kind::NotFound => {}
        other => other?,
    }
    write("uid_map", &text(uids))?;
    write("gid_map", &text(gids))
}

/// Whether the user namespace of a process (its name in `/proc`) has these maps, in the terms of
/// this process's own.
pub(crate) fn has_maps(process: &str, uids: &[IdMap], gids: &[IdMap]) -> bool {
    [("uid_map", uids), ("gid_map", gids)]
        .iter()
        .all(|(name, wanted)| {
            let found = std::fs::read_to_string(Path::new("/proc").join(process).join(name));
            found.is_ok_and(|found| same_numbers(&found, &text(wanted)))
        })
}

fn same_numbers(one: &str, other: &str) -> bool {
    one.split_ascii_whitespace()
        .eq(other.split_ascii_whitespace())
}

/// The user namespace that owns a namespace (NS_GET_USERNS, Linux 4.9).
pub(crate) fn owner(namespace: impl AsFd) -> std::result::Result<OwnedFd, Errno> {
    const NS_GET_USERNS: libc::Ioctl = 0xb701;
    // SAFETY: the request takes no argument.
    let fd = unsafe { libc::ioctl(namespace.as_fd().as_raw_fd(), NS_GET_USERNS) };
    let fd = Errno::result(fd)?;
    // SAFETY: the kernel returned a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The map of this process's own user namespace, seen from the one above: `/proc/self/uid_map` or
/// `/proc/self/gid_map`.
pub(crate) fn own_map(path: &str) -> Result<Vec<IdMap>> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Error::io("read id map", path, error))?;
    Ok(text.lines().filter_map(line).collect())
}

fn line(text: &str) -> Option<IdMap> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    Some(IdMap::new(next()?, next()?, next()?))
}

/// A map whose outer ids are those above the namespace of `outer`, as the map of a child of that
/// namespace; `None` when `outer` lacks an id of it.
pub(crate) fn through(map: &[IdMap], outer: &[IdMap]) -> Option<Vec<IdMap>> {
    let mut found: Vec<IdMap> = Vec::with_capacity(map.len());
    for wanted in map {
        let mut done = 0;
        while done < wanted.count {
            let id = wanted.outside + done;
            let holds = |line: &&IdMap| id >= line.outside && id - line.outside < line.count;
            let line = outer.iter().find(holds)?;
            let offset = id - line.outside;
            let count = (line.count - offset).min(wanted.count - done);
            let part = IdMap::new(wanted.inside + done, line.inside + offset, count);
            // Lines that could be one stay apart: the kernel wants each of them in one of `outer`.
            found.push(part);
            done += count;
        }
    }
    Some(found)
}

/// Sets the NIS domain name of this process's UTS namespace, setdomainname(2).
pub(crate) fn set_domain_name(name: &str) -> Result<()> {
    // SAFETY: the pointer and the length are those of `name`, which the call only reads.
    let done = unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) };
    let done = Errno::result(done).map(drop);
    done.map_err(|errno| Error::errno("set domain name", name, errno))
}

/// What tells a namespace from every other: device and inode of its file.
pub(crate) fn identity(namespace: impl AsFd) -> nix::Result<(u64, u64)> {
    let found = fstat(namespace)?;
    Ok((found.st_dev, found.st_ino))
}

/// Whether a namespace is the one that this process has of its kind (`user`, `net`, …).
pub(crate) fn is_own(kind: &str, namespace: impl AsFd) -> std::result::Result<bool, Errno> {
    let (theirs, own) = (
        fstat(namespace)?,
        stat(&Path::new("/proc/self/ns").join(kind))?,
    );
    Ok((own.st_dev, own.st_ino) == (theirs.st_dev, theirs.st_ino))
}

/// Makes a network namespace without entering it for longer than that takes.
#[cfg(test)]
pub(crate) fn new_network() -> Result<OwnedFd> {
    let failed = |errno| Error::errno("make network namespace", "", errno);
    let home = own_network()?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(failed)?;
    let made = own_network();
    return_to(&home);
    made
}

/// Runs `visit` with this thread in the network namespace `netns`, and nothing else of the
/// process; sockets that it opens stay there, and /proc/sys/net shows that namespace meanwhile.
///
/// # Errors
/// `Denied` without CAP_SYS_ADMIN over the namespace.
pub(crate) fn in_network<T>(netns: BorrowedFd<'_>, visit: impl FnOnce() -> T) -> Result<T> {
    let home = own_network()?;
    setns(netns, CloneFlags::CLONE_NEWNET)
        .map_err(|errno| Error::errno("enter network namespace", "", errno))?;
    let found = visit();
    return_to(&home);
    Ok(found)
}

/// The network namespace this thread is in.
pub(crate) fn own_network() -> Result<OwnedFd> {
    const PATH: &str = "/proc/thread-self/ns/net";
    let opened = File::open(PATH).map_err(|error| Error::io("open", PATH, error))?;
    Ok(opened.into())
}

/// Goes back to a namespace that this thread was in a moment ago.
fn return_to(home: &OwnedFd) {
    // The right to enter a namespace was there to leave this one. To go on with the work of the
    // host inside a container's network would be worse than to end.
    setns(home, CloneFlags::CLONE_NEWNET).expect("a thread may return to its network namespace");
}

fn map_error(path: &str, error: io::Error) -> Error {
    Error::io("write id map", path, error)
        .hint("see `ketch doctor` for what this machine allows in user namespaces")
}

/// Bytes of what they say that are passed on.
const MOST_SAID: usize = 4096;

/// Has newuidmap(1) and newgidmap(1) write the maps of process `pid`, both at once: each is a
/// set-uid program that takes most of a millisecond to start.
///
/// # Errors
/// `Denied` with what the program said; `Io` when one cannot be started.
pub(crate) fn run_map_helpers(
    pid: i32,
    newuidmap: &Path,
    uids: &[IdMap],
    newgidmap: &Path,
    gids: &[IdMap],
) -> Result<()> {
    // They read nothing and write errors alone, to one file for both that is in memory only.
    let said = memfd_create(c"said", MFdFlags::MFD_CLOEXEC)
        .map_err(|errno| Error::io("make file for", newuidmap, errno.into()))?;
    let start = |program: &Path, lines: &[IdMap]| {
        spawn(&words(pid, program, lines), said.as_fd())
            .map_err(|errno| Error::io("start", program, errno.into()))
    };
    let users = start(newuidmap, uids)?;
    let groups = start(newgidmap, gids);
    let said = File::from(said);
    let finish = |program: &Path, spawned: Spawned| {
        let well = spawned
            .wait()
            .map_err(|errno| Error::io("wait for", program, errno.into()))?;
        if well {
            return Ok(());
        }
        let mut text = vec![0; MOST_SAID];
        let length = said.read_at(&mut text, 0).unwrap_or(0);
        let said = String::from_utf8_lossy(&text[..length]).trim().to_owned();
        Err(Error::new(Kind::Denied, "map ids with", program.display().to_string())
            .because(said)
            .hint("check your ranges in /etc/subuid and /etc/subgid, or set KETCH_IDENTITY=single"))
    };
    let first = finish(newuidmap, users);
    let second = groups.and_then(|spawned| finish(newgidmap, spawned));
    first.and(second)
}

/// The command line of a program that writes a map.
fn words(pid: i32, program: &Path, lines: &[IdMap]) -> Vec<CString> {
    let numbers = lines
        .iter()
        .flat_map(|line| [line.inside, line.outside, line.count]);
    let numbers = numbers.map(|number| number.to_string());
    let words = std::iter::once(pid.to_string()).chain(numbers);
    let words = words.map(OsString::from);
    std::iter::once(program.as_os_str().to_owned())
        .chain(words)
        .filter_map(|word| CString::new(word.into_vec()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_the_form_of_the_kernel() {
        let map = [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)];
        assert_eq!(text(&map), "0 1000 1\n1 100000 65536\n");
    }

    #[test]
    fn a_map_is_written_in_the_terms_of_the_namespace_above() {
        let outer = [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)];
        assert_eq!(
            through(&outer, &outer),
            Some(vec![IdMap::new(0, 0, 1), IdMap::new(1, 1, 65_536)])
        );
        let keep = [
            IdMap::new(0, 100_999, 1),
            IdMap::new(1000, 1000, 1),
            IdMap::new(1, 100_000, 999),
        ];
        assert_eq!(
            through(&keep, &outer),
            Some(vec![
                IdMap::new(0, 1000, 1),
                IdMap::new(1000, 0, 1),
                IdMap::new(1, 1, 999),
            ])
        );
        assert_eq!(through(&[IdMap::new(0, 165_535, 2)], &outer), None);
        assert_eq!(through(&[IdMap::new(0, 5, 1)], &outer), None);
        let split = [IdMap::new(7, 10, 2), IdMap::new(0, 12, 2)];
        assert_eq!(
            through(&[IdMap::new(0, 11, 2)], &split),
            Some(vec![IdMap::new(0, 8, 1), IdMap::new(1, 0, 1)])
        );
    }

    #[test]
    fn lines_of_the_kernel_are_read() {
        let text = "         0       1000          1";
        assert_eq!(line(text), Some(IdMap::new(0, 1000, 1)));
        assert_eq!(line("0 1"), None);
        assert!(!own_map("/proc/self/uid_map").unwrap().is_empty());
    }

    #[test]
    fn maps_are_compared_by_their_numbers() {
        let kernels = "         0       1000          1\n";
        assert!(same_numbers(kernels, &text(&[IdMap::new(0, 1000, 1)])));
        assert!(!same_numbers(kernels, &text(&[IdMap::new(0, 1000, 2)])));
        assert!(!same_numbers(kernels, ""));
    }
}
