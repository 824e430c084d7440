//! The columns of `top`: ps's names for them, and what stands in them.

use std::collections::HashMap;

use super::process::{Clock, Process};
use crate::common::Timestamp;
use crate::sys::namespace::IdMap;

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptor {
    /// Name of the effective user.
    User,
    /// Number of the effective user.
    Uid,
    /// Name of the real user.
    RealUser,
    /// Number of the effective group.
    Gid,
    /// Number on the host.
    Pid,
    /// Number in the container.
    InnerPid,
    /// Name of the effective user in the container.
    InnerUser,
    /// Number of the parent.
    Parent,
    /// Number of the parent in the container.
    InnerParent,
    /// Process group.
    Group,
    /// Session.
    Session,
    /// Foreground process group of its terminal.
    Foreground,
    /// Share of a processor over its life, whole percent.
    Share,
    /// The same with a digit after the point.
    SharePoint,
    /// Share of the memory.
    Memory,
    /// Virtual size in KiB.
    Size,
    /// Resident size in KiB.
    Resident,
    /// Terminal.
    Terminal,
    /// State.
    State,
    /// State with ps's additional letters.
    States,
    /// Start: a time of day, or a day.
    Start,
    /// Start as a whole date.
    LongStart,
    /// Processor time, `hh:mm:ss`.
    Time,
    /// Processor time, `m:ss` as in `ps u`.
    ShortTime,
    /// Life, `[[dd-]hh:]mm:ss`.
    Elapsed,
    /// Life in seconds.
    ElapsedSeconds,
    /// Niceness.
    Nice,
    /// Priority.
    Priority,
    /// Number of threads.
    Threads,
    /// Name of the program.
    Name,
    /// Arguments.
    Arguments,
}

use Descriptor as D;

/// ps's names, the heading that each gives, and what it shows.
const NAMES: [(&[&str], &str, Descriptor); 35] = [
    (&["user", "euser", "uname"], "USER", D::User),
    (&["euser"], "EUSER", D::User),
    (&["uid", "euid"], "UID", D::Uid),
    (&["ruser"], "RUSER", D::RealUser),
    (&["gid", "egid"], "GID", D::Gid),
    (&["pid", "tgid"], "PID", D::Pid),
    (&["ppid"], "PPID", D::Parent),
    (&["pgid", "pgrp"], "PGID", D::Group),
    (&["sid", "sess", "session"], "SID", D::Session),
    (&["tpgid"], "TPGID", D::Foreground),
    (&["c"], "C", D::Share),
    (&["pcpu", "%cpu"], "%CPU", D::SharePoint),
    (&["pmem", "%mem"], "%MEM", D::Memory),
    (&["vsz", "vsize"], "VSZ", D::Size),
    (&["rss", "rssize", "rsz"], "RSS", D::Resident),
    (&["tty", "tt", "tname"], "TTY", D::Terminal),
    (&["s", "state"], "S", D::State),
    (&["stat"], "STAT", D::States),
    (&["stime", "start_time"], "STIME", D::Start),
    (&["start", "bsdstart"], "START", D::Start),
    (&["lstart"], "STARTED", D::LongStart),
    (&["time", "cputime"], "TIME", D::Time),
    (&["bsdtime"], "TIME", D::ShortTime),
    (&["etime"], "ELAPSED", D::Elapsed),
    (&["etimes"], "ELAPSED", D::ElapsedSeconds),
    (&["ni", "nice"], "NI", D::Nice),
    (&["pri", "priority"], "PRI", D::Priority),
    (&["nlwp", "thcount"], "NLWP", D::Threads),
    (&["comm", "ucmd", "ucomm"], "COMMAND", D::Name),
    (&["args", "command"], "COMMAND", D::Arguments),
    (&["cmd"], "CMD", D::Arguments),
    (&["nspid"], "NSPID", D::InnerPid),
    // podman's own.
    (&["hpid"], "HPID", D::Pid),
    (&["huser"], "HUSER", D::Uid),
    (&["hgroup"], "HGROUP", D::Gid),
];

impl Descriptor {
    /// The column that ps calls `name`, with its heading.
    pub(crate) fn find(name: &str) -> Option<(Descriptor, &'static str)> {
        let found = NAMES.iter().find(|(names, ..)| names.contains(&name));
        found.map(|(_, heading, descriptor)| (*descriptor, *heading))
    }
}

/// What cells are made with.
pub(super) struct View<'a> {
    pub(super) clock: &'a Clock,
    pub(super) names: &'a HashMap<u32, String>,
    /// Names of the container's users.
    pub(super) inner_names: &'a HashMap<u32, String>,
    /// Its map of user ids.
    pub(super) maps: &'a [IdMap],
}

impl View<'_> {
    /// What stands in a cell. Control characters of what the container calls itself are not
    /// for the terminal.
    pub(super) fn cell(&self, column: Descriptor, process: &Process) -> String {
        let text = match column {
            D::User => self.name(process.uid),
            D::RealUser => self.name(process.real.0),
            D::Uid => process.uid.to_string(),
            D::Gid => process.gid.to_string(),
            D::Pid => process.pid.to_string(),
            D::InnerPid => process.inner.to_string(),
            D::InnerUser => self.inner_name(process.uid),
            D::InnerParent => process.inner_parent.to_string(),
            D::Parent => process.parent.to_string(),
            D::Group => process.group.to_string(),
            D::Session => process.session.to_string(),
            D::Foreground => process.foreground.to_string(),
            D::Nice => process.nice.to_string(),
            // ps's PRI is the kernel's number the other way round.
            D::Priority => (39 - process.priority - 20).to_string(),
            D::Threads => process.threads.to_string(),
            D::Size => (process.size / 1024).to_string(),
            D::Resident => (process.resident * self.clock.page / 1024).to_string(),
            D::Terminal => terminal(process.tty),
            D::State => process.state.to_string(),
            D::States => states(process),
            D::Name => process.name.clone(),
            D::Arguments if process.arguments.is_empty() => format!("[{}]", process.name),
            D::Arguments => process.arguments.join(" "),
            _ => self.time(column, process),
        };
        let plain = |c: char| if c.is_control() { '?' } else { c };
        text.chars().map(plain).collect()
    }

    fn name(&self, uid: u32) -> String {
        self.names
            .get(&uid)
            .cloned()
            .unwrap_or_else(|| uid.to_string())
    }

    fn inner_name(&self, uid: u32) -> String {
        let inside = self.maps.iter().find_map(|map| {
            let offset = uid
                .checked_sub(map.outside)
                .filter(|offset| *offset < map.count)?;
            map.inside.checked_add(offset)
        });
        match inside {
            Some(inside) => self
                .inner_names
                .get(&inside)
                .cloned()
                .unwrap_or_else(|| inside.to_string()),
            None => self.name(uid),
        }
    }

    fn time(&self, column: Descriptor, process: &Process) -> String {
        let clock = self.clock;
        let (used, age) = (process.ticks / clock.rate, clock.age(process));
        let share = (process.ticks * 1000 / clock.rate)
            .checked_div(age)
            .unwrap_or(0);
        let resident = process
            .resident
            .saturating_mul(clock.page)
            .saturating_mul(1000);
        let started = Timestamp(i128::from(clock.now - age as i64) * 1_000_000_000);
        match column {
            D::Share => (share / 10).min(99).to_string(),
            D::SharePoint => format!("{}.{}", share / 10, share % 10),
            D::Memory => {
                let part = resident.checked_div(clock.memory).unwrap_or(0);
                format!("{}.{}", part / 10, part % 10)
            }
            D::Start => start(started, age),
            D::LongStart => started.to_string(),
            D::ShortTime => format!("{}:{:02}", used / 60, used % 60),
            D::Elapsed => elapsed(age),
            D::ElapsedSeconds => age.to_string(),
            _ => {
                let (days, hours) = (used / 86_400, used / 3600 % 24);
                let days = if days > 0 {
                    format!("{days}-")
                } else {
                    String::new()
                };
                format!("{days}{hours:02}:{:02}:{:02}", used / 60 % 60, used % 60)
            }
        }
    }
}

/// The time of day on the first day, in UTC; later the day.
fn start(started: Timestamp, age: u64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = started.to_string();
    if age < 86_400 {
        return text.get(11..16).unwrap_or("?").to_owned();
    }
    let month = text.get(5..7).and_then(|month| month.parse::<usize>().ok());
    let month = month.and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!(
        "{}{}",
        month.unwrap_or(&"?"),
        text.get(8..10).unwrap_or("?")
    )
}

fn elapsed(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let rest = format!("{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => rest,
        (0, hours) => format!("{hours:02}:{rest}"),
        (days, hours) => format!("{days}-{hours:02}:{rest}"),
    }
}

/// A terminal's name by its device number (proc_pid_stat(5), field 7).
fn terminal(number: i32) -> String {
    let number = number.cast_unsigned();
    let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00);
    match major {
        0 => "?".to_owned(),
        4 if minor < 64 => format!("tty{minor}"),
        4 => format!("ttyS{}", minor - 64),
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        _ => format!("{major}:{minor}"),
    }
}

/// ps's letters after the state.
fn states(process: &Process) -> String {
    let mut text = process.state.to_string();
    let letters = [
        ('<', process.nice < 0),
        ('N', process.nice > 0),
        ('L', process.locked > 0),
        ('s', process.session == process.pid),
        ('l', process.threads > 1),
        ('+', process.foreground == process.group),
    ];
    text.extend(
        letters
            .iter()
            .filter(|(_, yes)| *yes)
            .map(|(letter, _)| letter),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_columns() {
        assert_eq!(Descriptor::find("pid"), Some((D::Pid, "PID")));
        assert_eq!(Descriptor::find("comm"), Some((D::Name, "COMMAND")));
        assert_eq!(Descriptor::find("nonsense"), None);
    }

    #[test]
    fn cells_are_as_ps_shows_them() {
        let clock = Clock {
            rate: 100,
            uptime: 100_000,
            now: 1_000_000,
            page: 4096,
            memory: 4096 * 1000,
        };
        let names = HashMap::from([(33, "web".to_owned())]);
        let view = View {
            clock: &clock,
            names: &names,
            inner_names: &HashMap::from([(5, "inner".to_owned())]),
            maps: &[IdMap::new(0, 28, 10)],
        };
        let process = Process {
            pid: 9,
            session: 9,
            group: 9,
            name: "bad\u{1b}[31m".to_owned(),
            state: 'S',
            uid: 33,
            tty: 34_817,
            ticks: 372_500,
            started: 2_500 * 100,
            resident: 123,
            threads: 1,
            ..Process::default()
        };
        let cells = [
            (D::User, "web"),
            (D::InnerUser, "inner"),
            (D::Time, "01:02:05"),
            (D::ShortTime, "62:05"),
            (D::Elapsed, "1-03:05:00"),
            (D::SharePoint, "3.8"),
            (D::Memory, "12.3"),
            (D::Terminal, "pts/1"),
            (D::States, "Ss"),
            (D::Name, "bad?[31m"),
            (D::Arguments, "[bad?[31m]"),
        ];
        for (column, wanted) in cells {
            assert_eq!(view.cell(column, &process), wanted, "{column:?}");
        }
        assert_eq!(
            (terminal(0), terminal(1025)),
            ("?".to_owned(), "tty1".to_owned())
        );
    }
}
