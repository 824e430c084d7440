//! One process as proc shows it.

use crate::sys::file;

/// Facts of a process (proc_pid_stat(5), proc_pid_status(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) name: String,
    pub(super) state: char,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    pub(super) tty: i32,
    pub(super) foreground: i32,
    /// User and system time in ticks.
    pub(super) ticks: u64,
    pub(super) priority: i64,
    pub(super) nice: i64,
    pub(super) threads: u64,
    /// Ticks after boot.
    pub(super) started: u64,
    /// Virtual size in bytes.
    pub(super) size: u64,
    /// Resident pages.
    pub(super) resident: u64,
    /// Effective ids on the host.
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Real ids on the host.
    pub(super) real: (u32, u32),
    /// Its number in the container.
    pub(super) inner: i32,
    /// Its parent's number there; 0 when that is outside.
    pub(super) inner_parent: i32,
    /// Locked pages, in KiB.
    pub(super) locked: u64,
    /// Arguments; empty for a zombie.
    pub(super) arguments: Vec<String>,
}

impl Process {
    /// Reads process `pid`; `None` when it is gone.
    pub(super) fn read(pid: i32) -> Option<Process> {
        let stat = file::read_kernel_piece(format!("/proc/{pid}/stat")).ok()?;
        let status = file::read_kernel_piece(format!("/proc/{pid}/status")).ok()?;
        let line = file::read_kernel(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut process = parse(pid, &stat)?;
        process.add_status(&String::from_utf8_lossy(&status));
        process.arguments = line
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        // The list ends with NUL.
        process.arguments.pop();
        Some(process)
    }

    fn add_status(&mut self, text: &str) {
        let numbers = |key: &str| -> Vec<i64> {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            let words = line.into_iter().flat_map(str::split_ascii_whitespace);
            words.filter_map(|word| word.parse().ok()).collect()
        };
        let id = |list: &[i64], at: usize| {
            list.get(at)
                .and_then(|id| u32::try_from(*id).ok())
                .unwrap_or(0)
        };
        let (users, groups) = (numbers("Uid:"), numbers("Gid:"));
        self.real = (id(&users, 0), id(&groups, 0));
        (self.uid, self.gid) = (id(&users, 1), id(&groups, 1));
        let inner = numbers("NSpid:").last().copied();
        self.inner = inner
            .and_then(|pid| i32::try_from(pid).ok())
            .unwrap_or(self.pid);
        self.locked = numbers("VmLck:")
            .first()
            .map_or(0, |kib| kib.unsigned_abs());
    }
}

fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    // A name may hold spaces and parentheses; the last ')' ends it.
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field 3 of the man page is the first here.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or("0");
    let small = |number| field(number).parse::<i32>().unwrap_or(0);
    let signed = |number| field(number).parse::<i64>().unwrap_or(0);
    let large = |number| field(number).parse::<u64>().unwrap_or(0);
    Some(Process {
        pid,
        name,
        state: field(3).chars().next()?,
        parent: small(4),
        group: small(5),
        session: small(6),
        tty: small(7),
        foreground: small(8),
        ticks: large(14).saturating_add(large(15)),
        priority: signed(18),
        nice: signed(19),
        threads: large(20),
        started: large(22),
        size: large(23),
        resident: large(24),
        ..Process::default()
    })
}

/// What turns ticks into times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Ticks in a second, for every user of proc on every machine.
    pub(super) rate: u64,
    /// Seconds since boot.
    pub(super) uptime: u64,
    /// Unix time of now, in seconds.
    pub(super) now: i64,
    /// Bytes of a page.
    pub(super) page: u64,
    /// Bytes of memory.
    pub(super) memory: u64,
}

impl Clock {
    /// Reads the clocks of this machine.
    pub(super) fn now() -> Clock {
        use nix::unistd::{SysconfVar, sysconf};
        let setting = |name, default| {
            let value = sysconf(name).ok().flatten();
            value
                .and_then(|value| u64::try_from(value).ok())
                .filter(|value| *value > 0)
                .unwrap_or(default)
        };
        let uptime = file::read_kernel_piece("/proc/uptime").unwrap_or_default();
        let uptime = String::from_utf8_lossy(&uptime);
        let page = setting(SysconfVar::PAGE_SIZE, 4096);
        Clock {
            rate: setting(SysconfVar::CLK_TCK, 100),
            uptime: uptime
                .split('.')
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            now: crate::common::Timestamp::now().seconds(),
            page,
            memory: page.saturating_mul(setting(SysconfVar::_PHYS_PAGES, 1)),
        }
    }

    /// Seconds that a process has lived.
    pub(super) fn age(&self, process: &Process) -> u64 {
        self.uptime.saturating_sub(process.started / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest_of_the_line() {
        let stat = b"7 (a) R 9 (b) S 1 7 6 34816 7 0 0 0 0 0 250 50 0 0 20 0 1 0 900 4096 3 0\n";
        let process = parse(7, stat).unwrap();
        assert_eq!(
            (process.name.as_str(), process.state, process.parent),
            ("a) R 9 (b", 'S', 1)
        );
        assert_eq!(
            (process.ticks, process.started, process.resident),
            (300, 900, 3)
        );
        assert_eq!(parse(7, b"7 nothing"), None);
    }

    #[test]
    fn this_process_can_be_read() {
        let own = Process::read(std::process::id() as i32).unwrap();
        assert!(!own.arguments.is_empty() && own.inner > 0, "{own:?}");
    }
}
