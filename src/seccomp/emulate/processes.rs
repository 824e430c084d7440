//! Who is who: credentials of each emulated process, by thread group and start time.
//!
//! Only processes that changed something are in the table; another has what its nearest known
//! ancestor has, at the moment it first asks. While nobody has changed anything the answer
//! needs no look at /proc at all.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use nix::errno::Errno;
use nix::sys::stat::stat;

use super::credentials::{Credentials, Program};

/// Entries above which those of dead processes are looked for.
const CROWDED: usize = 512;
/// Generations followed upwards; a chain of parents longer than this is not believed.
const ANCESTORS: usize = 256;

/// A thread group and its start time in ticks: a number that is used again differs in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    pid: i32,
    started: u64,
}

/// Credentials of every process under one filter.
#[derive(Debug)]
pub(super) struct Processes {
    initial: Credentials,
    known: HashMap<Key, Credentials>,
    /// Size of `known` at which the dead are looked for.
    crowded: usize,
    /// Thread group of each thread seen, and the inode of the thread's /proc folder: a new
    /// thread of that number has another one, and asking for it costs a tenth of reading its
    /// start time.
    leaders: HashMap<i32, (u64, Key)>,
}

impl Processes {
    /// A table in which everybody starts with `initial`.
    pub(super) fn new(initial: Credentials) -> Processes {
        Processes {
            initial,
            known: HashMap::new(),
            crowded: CROWDED,
            leaders: HashMap::new(),
        }
    }

    /// The credentials of the process of thread `tid`.
    pub(super) fn get(&mut self, tid: i32) -> Result<&Credentials, Errno> {
        if self.known.is_empty() {
            return Ok(&self.initial);
        }
        let key = self.leader(tid)?;
        self.settle(key);
        Ok(self.known.get(&key).unwrap_or(&self.initial))
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, tid: i32) -> Result<&mut Credentials, Errno> {
        let key = self.leader(tid)?;
        self.settle(key);
        let initial = &self.initial;
        Ok(self.known.entry(key).or_insert_with(|| initial.clone()))
    }

    /// Gives a process the credentials it inherits, for good: what its parent becomes later is
    /// not its affair, and the next look needs no walk.
    fn settle(&mut self, key: Key) {
        if self.known.contains_key(&key) {
            return;
        }
        if self.known.len() >= self.crowded {
            self.bury();
        }
        let inherited = self.inherited(key.pid).unwrap_or(&self.initial).clone();
        self.known.insert(key, inherited);
    }

    /// Credentials of the nearest known ancestor. The walk ends at this program, which is
    /// above every container process.
    fn inherited(&self, pid: i32) -> Option<&Credentials> {
        let myself = std::process::id() as i32;
        let mut parent = Stat::read(pid)?.parent;
        for _ in 0..ANCESTORS {
            if parent <= 1 || parent == myself {
                return None;
            }
            let stat = Stat::read(parent)?;
            let key = Key {
                pid: parent,
                started: stat.started,
            };
            if let Some(credentials) = self.known.get(&key) {
                return Some(credentials);
            }
            parent = stat.parent;
        }
        None
    }

    fn leader(&mut self, tid: i32) -> Result<Key, Errno> {
        let folder = stat(format!("/proc/{tid}").as_str()).map_err(|_| Errno::ESRCH)?;
        match self.leaders.get(&tid) {
            Some((inode, key)) if *inode == folder.st_ino => return Ok(*key),
            _ => {}
        }
        let pid = status_field(tid, "Tgid:", 10).ok_or(Errno::ESRCH)? as i32;
        let key = Key {
            pid,
            started: Stat::read(pid).ok_or(Errno::ESRCH)?.started,
        };
        if self.leaders.len() >= CROWDED {
            self.leaders.clear();
        }
        self.leaders.insert(tid, (folder.st_ino, key));
        Ok(key)
    }

    /// Forgets processes that are gone; the next time is when the living have doubled.
    fn bury(&mut self) {
        self.known
            .retain(|key, _| Stat::read(key.pid).is_some_and(|stat| stat.started == key.started));
        self.crowded = CROWDED.max(2 * self.known.len());
    }
}

/// The two fields of /proc/PID/stat needed here.
struct Stat {
    parent: i32,
    started: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Stat> {
        let mut buffer = [0; 1024];
        let length = read_some(&format!("/proc/{pid}/stat"), &mut buffer)?;
        Stat::parse(std::str::from_utf8(&buffer[..length]).ok().or_else(|| {
            // The name, between parentheses, may hold any bytes.
            let end = buffer[..length].iter().rposition(|b| *b == b')')?;
            std::str::from_utf8(&buffer[end..length]).ok()
        })?)
    }

    /// Fields are counted from the last `)`: a process may put anything into its name.
    fn parse(text: &str) -> Option<Stat> {
        let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
        Some(Stat {
            parent: fields.nth(1)?.parse().ok()?,
            started: fields.nth(17)?.parse().ok()?,
        })
    }
}

/// What a process executes.
pub(super) fn program(tid: i32) -> Option<Program> {
    let facts = stat(format!("/proc/{tid}/exe").as_str()).ok()?;
    Some((facts.st_dev, facts.st_ino))
}

/// A number from /proc/TID/status.
pub(super) fn status_field(tid: i32, name: &str, radix: u32) -> Option<u32> {
    let mut buffer = [0; 4096];
    let length = read_some(&format!("/proc/{tid}/status"), &mut buffer)?;
    // Only the first line can hold foreign bytes, and the kernel escapes newlines in it.
    let text = String::from_utf8_lossy(&buffer[..length]);
    let line = text
        .lines()
        .skip(1)
        .find_map(|line| line.strip_prefix(name))?;
    u32::from_str_radix(line.trim(), radix).ok()
}

fn read_some(path: &str, buffer: &mut [u8]) -> Option<usize> {
    File::open(path).ok()?.read(buffer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let tail = "S 41 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9";
        for name in ["sh", "a) S 1 (b", ") 9 9 9"] {
            let stat = Stat::parse(&format!("42 ({name}) {tail}")).unwrap();
            assert_eq!((stat.parent, stat.started), (41, 777));
        }
        assert!(Stat::parse("42 (sh").is_none());
        assert!(Stat::parse("42 (sh) S 1").is_none());
    }

    #[test]
    fn a_process_not_seen_before_has_what_its_ancestor_has() {
        let me = std::process::id() as i32;
        let parent = Stat::read(me).unwrap().parent;
        let mut table = Processes::new(Credentials::new(0, 0));
        assert_eq!(table.get(me).unwrap().user.real, 0);
        if parent > 1 {
            table.get_mut(parent).unwrap().user.real = 9;
            assert_eq!(table.get(me).unwrap().user.real, 9);
            table.get_mut(parent).unwrap().user.real = 10;
            assert_eq!(table.get(me).unwrap().user.real, 9);
        }
        assert_eq!(table.get(i32::MAX).unwrap_err(), Errno::ESRCH);
    }
}
