//! Looking at processes of others in /proc: who belongs to a container, who holds a file.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::file;

/// One process as proc_pid_stat(5) shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: i32,
    /// Its parent.
    pub(crate) parent: i32,
    /// Start time in clock ticks after boot.
    pub(crate) start_time: u64,
    /// Stopped by a signal.
    pub(crate) stopped: bool,
}

impl Process {
    /// Looks at one process.
    pub(crate) fn read(pid: i32) -> Option<Process> {
        let stat = file::read_kernel_piece(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold spaces and parentheses; the last ')' ends it.
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let mut fields = std::str::from_utf8(stat.get(end + 1..)?)
            .ok()?
            .split_ascii_whitespace();
        let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
        Some(Process {
            pid,
            parent,
            start_time: fields.nth(17)?.parse().ok()?,
            stopped: state == "T",
        })
    }
}

/// Numbers of all processes that this process can see.
fn numbers() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Identity of the pid namespace of a process; `None` where the kernel does not tell.
fn pid_namespace(pid: i32) -> Option<(u64, u64)> {
    let found = std::fs::metadata(format!("/proc/{pid}/ns/pid")).ok()?;
    Some((found.dev(), found.ino()))
}

/// The processes of the container whose first process is `first`: everything in its pid
/// namespace, and their descendants, which may have namespaces of their own. Of a container in
/// the host's pid namespace only the descendants are known. A snapshot: the caller asks again
/// until nothing new comes.
pub(crate) fn of_container(first: i32) -> Vec<Process> {
    let host = pid_namespace(std::process::id() as i32);
    let namespace = pid_namespace(first).filter(|namespace| Some(*namespace) != host);
    let mut rest: Vec<Process> = numbers().filter_map(Process::read).collect();
    let mut known = HashSet::from([first]);
    let mut found = Vec::new();
    loop {
        let (own, others): (Vec<Process>, Vec<Process>) = rest.into_iter().partition(|process| {
            known.contains(&process.pid)
                || known.contains(&process.parent)
                || (namespace.is_some() && pid_namespace(process.pid) == namespace)
        });
        if own.is_empty() {
            return found;
        }
        known.extend(own.iter().map(|process| process.pid));
        found.extend(own);
        rest = others;
    }
}

/// The processes that hold a write lock on the file at `path`, as far as this user may see. One
/// that has the file open and does not hold the lock is none of them.
pub(crate) fn lock_holders(path: &Path) -> Vec<i32> {
    let own = std::process::id() as i32;
    let has = |pid: &i32| descriptors(*pid, path).any(|name| has_lock(*pid, &name));
    numbers().filter(|pid| *pid != own).filter(has).collect()
}

/// A process with an open descriptor of this name (`socket:[1234]`, a path), among those that
/// may be looked into: its number and the name of its program.
pub(crate) fn opener(link: &Path) -> Option<(i32, String)> {
    let pid = numbers().find(|pid| descriptors(*pid, link).next().is_some())?;
    let program = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some((pid, program.trim().to_owned()))
}

/// The descriptors of a process that have this name.
fn descriptors(pid: i32, link: &Path) -> impl Iterator<Item = OsString> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd"));
    let open = open.into_iter().flatten().flatten();
    // The link's text: following it could wait for another machine.
    let is_it = move |entry: &DirEntry| std::fs::read_link(entry.path()).is_ok_and(|to| to == link);
    open.filter(is_it).map(|entry| entry.file_name())
}

/// Whether a descriptor holds a write lock (proc_pid_fdinfo(5), `lock`).
fn has_lock(pid: i32, descriptor: &std::ffi::OsStr) -> bool {
    let path = format!("/proc/{pid}/fdinfo/{}", descriptor.display());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .any(|line| line.starts_with("lock:") && line.contains(" WRITE "))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_is_found_below_its_parent() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id() as i32;
        let seen = Process::read(pid).unwrap();
        assert_eq!(seen.parent, std::process::id() as i32);
        assert_eq!(
            Some(seen.start_time),
            crate::sys::process::start_time(pid),
            "the same field"
        );
        let all = of_container(std::process::id() as i32);
        assert!(all.iter().any(|process| process.pid == pid));
        assert_eq!(of_container(pid).len(), 1);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(Process::read(i32::MAX), None);
    }

    #[test]
    fn who_holds_a_lock_is_found() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("held");
        let file = std::fs::File::create(&path).unwrap();
        assert!(file::try_own(&file).unwrap());
        assert!(lock_holders(&path).is_empty(), "not this process itself");
        let cat = |file: std::fs::File| {
            Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::from(file))
                .spawn()
                .unwrap()
        };
        let mut holder = cat(file);
        let mut reader = cat(std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap());
        assert_eq!(lock_holders(&path), [holder.id() as i32]);
        for child in [&mut holder, &mut reader] {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        assert!(lock_holders(&dir.path().join("none")).is_empty());
    }
}
