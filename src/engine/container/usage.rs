//! What a container uses at one moment: the counts of its cgroup, and from /proc what no cgroup
//! of its own counts.

use std::collections::HashSet;
use std::fs;

use crate::cgroup::Place;
use crate::sys::accounting::{self, Process};

/// Resident bytes from which a process's share of common pages is not asked for: the kernel
/// would walk all its page tables with its memory locked.
const LARGE: u64 = 1 << 30;

/// Counts since the start, but for memory and processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// CPU time in nanoseconds.
    pub(super) cpu: u64,
    /// Memory in bytes, without page cache that can be dropped.
    pub(super) memory: u64,
    /// Bytes received and sent by its own network devices.
    pub(super) network: (u64, u64),
    /// Bytes read from and written to block devices.
    pub(super) block: (u64, u64),
    /// Processes and threads.
    pub(super) pids: u64,
    /// Whether something had to be counted from /proc.
    pub(super) guessed: bool,
}

/// Counts of the container whose first process is `pid`; `all` are the machine's processes, asked
/// for once and only when needed.
pub(super) fn usage(place: &Place, pid: i32, all: &mut Option<Vec<Process>>) -> Usage {
    let counted = place.stats();
    let mut usage = Usage {
        cpu: counted.cpu.unwrap_or(0),
        memory: counted
            .memory
            .unwrap_or(0)
            .saturating_sub(counted.inactive_file.unwrap_or(0)),
        network: network(pid),
        block: (counted.read.unwrap_or(0), counted.written.unwrap_or(0)),
        pids: counted.pids.unwrap_or(0),
        guessed: false,
    };
    let whole = counted.cpu.is_some() && counted.memory.is_some() && counted.pids.is_some();
    if whole && counted.read.is_some() {
        return usage;
    }
    let own = members(all.get_or_insert_with(accounting::all), pid);
    let sum = |of: fn(&Process) -> u64| own.iter().map(of).sum::<u64>();
    if counted.cpu.is_none() {
        usage.cpu = sum(|process| process.cpu);
    }
    if counted.memory.is_none() {
        usage.memory = sum(memory);
    }
    if counted.pids.is_none() {
        usage.pids = sum(|process| process.threads);
    }
    if counted.read.is_none() {
        usage.block = block(&own);
    }
    usage.guessed = !whole;
    usage
}

/// The processes of a container: those of its pid namespace, and where it shares the caller's,
/// the descendants of its first one.
fn members(all: &[Process], pid: i32) -> Vec<Process> {
    let outside = accounting::namespace(std::process::id() as i32, "pid");
    let inside = accounting::namespace(pid, "pid").filter(|inside| Some(*inside) != outside);
    let mut known = HashSet::from([pid]);
    // A child may come before its parent in the list.
    loop {
        let before = known.len();
        let born = all.iter().filter(|process| {
            known.contains(&process.parent) || (inside.is_some() && process.namespace == inside)
        });
        let born: Vec<i32> = born.map(|process| process.pid).collect();
        known.extend(born);
        if known.len() == before {
            break;
        }
    }
    let own = all.iter().filter(|process| known.contains(&process.pid));
    own.copied().collect()
}

/// A process's proportional share of memory (proc_pid_smaps_rollup(5)), else all it has mapped.
fn memory(process: &Process) -> u64 {
    if process.resident == 0 || process.resident > LARGE {
        return process.resident;
    }
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid));
    let share = text.ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib: u64 = line?.split_ascii_whitespace().next()?.parse().ok()?;
        Some(kib.saturating_mul(1024))
    });
    share.unwrap_or(process.resident)
}

/// proc_pid_io(5): the bytes that reached a block device.
fn block(own: &[Process]) -> (u64, u64) {
    let mut total = (0u64, 0u64);
    for process in own {
        let Ok(text) = fs::read_to_string(format!("/proc/{}/io", process.pid)) else {
            continue;
        };
        let count = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|text| text.trim().parse::<u64>().ok())
        };
        total.0 = total.0.saturating_add(count("read_bytes:").unwrap_or(0));
        total.1 = total.1.saturating_add(count("write_bytes:").unwrap_or(0));
    }
    total
}

/// What went through the devices of the container's own network namespace, loopback apart; with
/// the host's network nothing is its own.
fn network(pid: i32) -> (u64, u64) {
    let own = accounting::namespace(std::process::id() as i32, "net");
    if accounting::namespace(pid, "net") == own {
        return (0, 0);
    }
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev"));
    devices(&text.unwrap_or_default())
}

/// Reads proc_pid_net(5) `dev`: received bytes in the first column, sent ones in the ninth.
fn devices(text: &str) -> (u64, u64) {
    let mut total = (0u64, 0u64);
    for line in text.lines() {
        let Some((name, counts)) = line.split_once(':') else {
            continue;
        };
        if name.trim() == "lo" {
            continue;
        }
        let counts: Vec<u64> = counts
            .split_ascii_whitespace()
            .filter_map(|count| count.parse().ok())
            .collect();
        total.0 = total.0.saturating_add(counts.first().copied().unwrap_or(0));
        total.1 = total.1.saturating_add(counts.get(8).copied().unwrap_or(0));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_no_traffic() {
        let text = "Inter-|   Receive |  Transmit\n face |bytes packets|bytes\n    \
                    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  eth0: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
        assert_eq!(devices(text), (5, 7));
        assert_eq!(devices(""), (0, 0));
    }

    #[test]
    fn descendants_are_members() {
        let process = |pid, parent, namespace| Process {
            pid,
            parent,
            cpu: 0,
            threads: 1,
            resident: 0,
            namespace,
        };
        // Numbers no process has: /proc knows nothing of them.
        let (first, child, grandchild) = (i32::MAX - 3, i32::MAX - 2, i32::MAX - 1);
        let all = [
            process(grandchild, child, None),
            process(child, first, None),
            process(first, 1, Some(5)),
            process(4, 1, Some(5)),
        ];
        let found: Vec<i32> = members(&all, first).iter().map(|one| one.pid).collect();
        assert_eq!(found, [grandchild, child, first]);
    }
}
