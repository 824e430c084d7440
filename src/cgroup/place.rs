//! A cgroup after it was made: where it is, what is in it, how it ends. It is recorded with the
//! container, so that another process can find it again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::common::{Error, Kind, Result};

/// How long [`Place::kill`] and [`Place::remove`] wait for processes to be gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Payloads make cgroups of their own; deeper than this is an attack on our stack.
const MAX_DEPTH: usize = 64;

/// Folders of one container's cgroup; all empty when it has none of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// Folder in the version 2 tree that holds the container's processes.
    pub(crate) unified: Option<PathBuf>,
    /// Folder whose files hold limits and counts, when it is not `unified`: the systemd scope
    /// around it.
    pub(crate) scope: Option<PathBuf>,
    /// Controller to folder of its version 1 hierarchy.
    pub(crate) v1: BTreeMap<String, PathBuf>,
    /// Parents made on the way, deepest first; removed when they are empty.
    pub(crate) parents: Vec<PathBuf>,
}

/// Counts of a cgroup; `None` where its controller is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stats {
    /// Memory in use, in bytes.
    pub(crate) memory: Option<u64>,
    /// The most memory ever in use, in bytes.
    pub(crate) memory_peak: Option<u64>,
    /// Memory limit in bytes; `None` also when unlimited.
    pub(crate) memory_limit: Option<u64>,
    /// CPU time used, in nanoseconds.
    pub(crate) cpu: Option<u64>,
    /// Number of processes and threads.
    pub(crate) pids: Option<u64>,
    /// The part of `memory` that is page cache nobody has used for a while, in bytes.
    pub(crate) inactive_file: Option<u64>,
    /// Bytes read from block devices.
    pub(crate) read: Option<u64>,
    /// Bytes written to block devices.
    pub(crate) written: Option<u64>,
}

impl Place {
    /// Says whether the container has no cgroup of its own.
    pub(crate) fn is_none(&self) -> bool {
        self.unified.is_none() && self.v1.is_empty()
    }

    /// Every folder, once.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let all = self.unified.iter().chain(self.v1.values());
        let set: BTreeSet<&Path> = all.map(PathBuf::as_path).collect();
        set.into_iter().collect()
    }

    /// Numbers of the processes in it and below it.
    pub(crate) fn members(&self) -> Vec<i32> {
        let folder = self.paths().first().copied();
        let pids = folder.map(|path| processes(path, 0)).unwrap_or_default();
        pids.into_iter().map(Pid::as_raw).collect()
    }

    /// Kills every process in it and waits, within bounds, until none is left.
    #[cfg_attr(not(test), expect(dead_code, reason = "for stop and rm --force"))]
    pub(crate) fn kill(&self) -> Result<()> {
        if let Some(path) = &self.unified
            && fs::write(path.join("cgroup.kill"), "1").is_ok()
        {
            return self.wait_empty(path);
        }
        // Before 5.14, and on version 1, one by one until no fork outruns the signals. One
        // folder is enough: the processes are the same in all.
        let Some(path) = self.paths().first().copied() else {
            return Ok(());
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pids = processes(path, 0);
            if pids.is_empty() {
                return Ok(());
            }
            for pid in pids {
                // A process that ended meanwhile is what was wanted.
                let _ = kill(pid, Signal::SIGKILL);
            }
            if Instant::now() >= deadline {
                return Err(still_busy(path));
            }
            pause(Duration::from_millis(2));
        }
    }

    fn wait_empty(&self, path: &Path) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while is_populated(path) {
            if Instant::now() >= deadline {
                return Err(still_busy(path));
            }
            pause(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Removes the folders with all cgroups the payload made in them. Goes on after a failure
    /// and returns the first. A folder that is already gone is no failure.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut first = Ok(());
        for path in self.paths() {
            let result = remove_tree(path);
            if first.is_ok() {
                first = result;
            }
        }
        for path in &self.parents {
            // Another container may have moved in.
            let _ = fs::remove_dir(path);
        }
        first
    }

    /// Says whether the kernel killed a process in it for want of memory.
    pub(crate) fn oom_killed(&self) -> bool {
        let events = self.limits_at().map(|path| path.join("memory.events"));
        let control = self
            .v1
            .get("memory")
            .map(|path| path.join("memory.oom_control"));
        let count = |file: PathBuf| number_of(&fs::read_to_string(file).ok()?, "oom_kill");
        [control, events]
            .into_iter()
            .flatten()
            .filter_map(count)
            .any(|killed| killed > 0)
    }

    /// Reads the counts that are there.
    pub(crate) fn stats(&self) -> Stats {
        let v2 = |file: &str| read(self.limits_at(), file);
        let v1 = |controller: &str, file: &str| {
            read(self.v1.get(controller).map(PathBuf::as_path), file)
        };
        let number = |text: Option<String>| text.and_then(|text| text.trim().parse::<u64>().ok());
        let or = |first: Option<String>, second: Option<String>| number(first.or(second));
        let micros = v2("cpu.stat").and_then(|text| number_of(&text, "usage_usec"));
        let limit = or(v1("memory", "memory.limit_in_bytes"), v2("memory.max"));
        // Version 1 counts a cgroup and those below it under names of their own.
        let inactive = match v1("memory", "memory.stat") {
            Some(text) => number_of(&text, "total_inactive_file"),
            None => v2("memory.stat").and_then(|text| number_of(&text, "inactive_file")),
        };
        let block = v1("blkio", "blkio.throttle.io_service_bytes_recursive");
        let blocks = |v1: &str, v2_key: &str| match &block {
            Some(text) => Some(block_v1(text, v1)),
            None => v2("io.stat").map(|text| block_v2(&text, v2_key)),
        };
        Stats {
            inactive_file: inactive,
            read: blocks("Read", "rbytes="),
            written: blocks("Write", "wbytes="),
            memory: or(v1("memory", "memory.usage_in_bytes"), v2("memory.current")),
            memory_peak: or(v1("memory", "memory.max_usage_in_bytes"), v2("memory.peak")),
            // Version 1 says "unlimited" by the highest multiple of the page size.
            memory_limit: limit.filter(|bytes| *bytes < 1 << 62),
            cpu: number(v1("cpuacct", "cpuacct.usage"))
                .or(micros.map(|micros| micros.saturating_mul(1000))),
            pids: or(v1("pids", "pids.current"), v2("pids.current")),
        }
    }

    fn limits_at(&self) -> Option<&Path> {
        self.scope.as_deref().or(self.unified.as_deref())
    }
}

fn read(folder: Option<&Path>, file: &str) -> Option<String> {
    fs::read_to_string(folder?.join(file)).ok()
}

/// The number after `key` in a file of `key number` lines.
pub(super) fn number_of(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == key).then(|| words.next()?.parse().ok())?
    })
}

/// Sum over all devices of lines such as `8:0 Read 4096`.
fn block_v1(text: &str, word: &str) -> u64 {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        (words.next()? == word).then(|| words.next()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(of_line).sum()
}

/// Sum over all devices of lines such as `8:0 rbytes=4096 wbytes=0`.
fn block_v2(text: &str, key: &str) -> u64 {
    let words = text.split_ascii_whitespace();
    let numbers = words.filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok());
    numbers.sum()
}

fn is_populated(path: &Path) -> bool {
    match fs::read_to_string(path.join("cgroup.events")) {
        Ok(text) => number_of(&text, "populated") == Some(1),
        Err(_) => !processes(path, 0).is_empty(),
    }
}

/// Processes in a cgroup and in those below it, but never this one.
fn processes(path: &Path, depth: usize) -> Vec<Pid> {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    // Processes of an outer pid namespace read as 0, which kill(2) takes as "my own group".
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let mut pids: Vec<Pid> = text
        .lines()
        .filter_map(|line| line.parse::<i32>().ok())
        .filter(|pid| *pid > 0 && *pid != own)
        .map(Pid::from_raw)
        .collect();
    if depth < MAX_DEPTH {
        for child in children(path) {
            pids.extend(processes(&child, depth + 1));
        }
    }
    pids
}

fn children(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// Removes a cgroup; while its last processes are still on their way out, tries again.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    remove_tree_by(path, Instant::now() + PATIENCE)
}

/// The same, not trying again after `deadline`.
pub(super) fn remove_tree_by(path: &Path, deadline: Instant) -> Result<()> {
    let mut wait = Duration::from_micros(200);
    loop {
        match rmdir(path, 0) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(Errno::EBUSY) if Instant::now() < deadline => {
                pause(wait);
                wait = (wait * 2).min(Duration::from_millis(20));
            }
            Err(errno) => return Err(Error::errno("remove cgroup", path, errno)),
        }
    }
}

fn rmdir(path: &Path, depth: usize) -> std::result::Result<(), Errno> {
    let remove = || match fs::remove_dir(path) {
        Ok(()) => Ok(()),
        Err(error) => Err(Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))),
    };
    match remove() {
        // Children make it busy as processes do; looking for them first would cost every
        // removal a walk.
        Err(Errno::EBUSY) if depth < MAX_DEPTH => {
            for child in children(path) {
                rmdir(&child, depth + 1)?;
            }
            remove()
        }
        result => result,
    }
}

fn still_busy(path: &Path) -> Error {
    let object = path.display().to_string();
    Error::new(Kind::Conflict, "empty cgroup", object).because("processes in it do not end")
}

/// A removed or emptied cgroup tells nobody on version 1: there is nothing to wait on, so the
/// callers look again after a moment, within bounds.
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
