//! What the processes of this machine use, as proc(5) tells.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::unistd::{SysconfVar, sysconf};

/// One process at the moment it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number, as this process sees it.
    pub(crate) pid: i32,
    /// Its parent's.
    pub(crate) parent: i32,
    /// CPU time of its own and of the children it has waited for, in nanoseconds.
    pub(crate) cpu: u64,
    /// Number of its threads.
    pub(crate) threads: u64,
    /// Resident memory in bytes, shared pages included.
    pub(crate) resident: u64,
    /// Number of its pid namespace; `None` where this user may not look.
    pub(crate) namespace: Option<u64>,
}

/// All processes that can be seen. One that ends meanwhile is left out.
pub(crate) fn all() -> Vec<Process> {
    let units = Units::of_this_machine();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter_map(|pid| one(pid, units)).collect()
}

/// The number of a process's namespace (`pid`, `net`, …); `None` where this user may not look.
pub(crate) fn namespace(pid: i32, kind: &str) -> Option<u64> {
    // Following the link is cheaper than taking the number out of its text.
    let found = fs::metadata(format!("/proc/{pid}/ns/{kind}")).ok()?;
    Some(found.ino())
}

/// Lengths of the units of /proc/pid/stat.
#[derive(Debug, Clone, Copy)]
struct Units {
    /// Nanoseconds in a clock tick.
    tick: u64,
    /// Bytes in a page.
    page: u64,
}

impl Units {
    fn of_this_machine() -> Units {
        let ask = |variable| sysconf(variable).ok().flatten();
        let positive = |value: Option<i64>, or: u64| {
            value
                .and_then(|value| u64::try_from(value).ok())
                .filter(|value| *value > 0)
                .unwrap_or(or)
        };
        Units {
            tick: 1_000_000_000 / positive(ask(SysconfVar::CLK_TCK), 100),
            page: positive(ask(SysconfVar::PAGE_SIZE), 4096),
        }
    }
}

fn one(pid: i32, units: Units) -> Option<Process> {
    let text = super::file::read_kernel_piece(format!("/proc/{pid}/stat")).ok()?;
    parse(pid, &String::from_utf8_lossy(&text), units).map(|process| Process {
        namespace: namespace(pid, "pid"),
        ..process
    })
}

/// Reads proc_pid_stat(5). The name in the second field may hold blanks and brackets.
fn parse(pid: i32, text: &str, units: Units) -> Option<Process> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field numbers of the page, from 3 (state).
    let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
    let count = |number: usize| field(number).and_then(|value| u64::try_from(value).ok());
    let ticks = [14, 15, 16, 17]
        .iter()
        .filter_map(|number| count(*number))
        .sum::<u64>();
    Some(Process {
        pid,
        parent: i32::try_from(field(4)?).ok()?,
        cpu: ticks.saturating_mul(units.tick),
        threads: count(20)?,
        resident: count(24)?.saturating_mul(units.page),
        namespace: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_cannot_forge_its_counts() {
        let units = Units {
            tick: 10_000_000,
            page: 4096,
        };
        let text = "7 (a) R 9 (b) S 3 7 7 0 -1 4194304 80 0 0 0 1 2 3 4 20 0 5 0 100 4096 6 0\n";
        let process = parse(7, text, units).unwrap();
        assert_eq!((process.parent, process.threads), (3, 5));
        assert_eq!((process.cpu, process.resident), (100_000_000, 24_576));
        assert_eq!(parse(7, "7 (x", units), None);
        assert_eq!(parse(7, "7 (x) S 1", units), None);
    }

    #[test]
    fn this_process_is_there() {
        let own = std::process::id() as i32;
        let all = all();
        let found = all.iter().find(|process| process.pid == own).unwrap();
        assert!(found.resident > 0 && found.threads > 0);
        assert_eq!(found.namespace, namespace(own, "pid"));
    }
}
