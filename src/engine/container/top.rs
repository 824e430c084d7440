//! `top`: the processes of a container, read from the host's proc without a helper program.

mod column;
mod process;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use nix::fcntl::OFlag;

use super::event;
use super::live::Live;
use crate::common::{Error, Kind, passwd_entries};
use crate::engine::Engine;
use crate::sys::file;
use crate::sys::namespace::IdMap;
use crate::sys::path::Root;

use process::{Clock, Process};

pub(crate) use column::Descriptor;

/// `top`.
#[derive(Debug, Clone, Default)]
pub(crate) struct TopRequest {
    /// Name, id or unique id prefix.
    pub(crate) container: String,
    /// Columns in order, and their headings.
    pub(crate) columns: Vec<(Descriptor, String)>,
}

/// The processes of a container that runs: the headings, then one row for each process.
///
/// # Errors
/// As for `exec` when it does not run.
pub(crate) fn top(engine: &Engine<'_>, request: &TopRequest) -> Result<Vec<Vec<String>>> {
    let live = Live::find(engine, &request.container)?;
    let mut members = members(&live)?;
    members.sort_by_key(|process| process.pid);
    let inner: HashMap<i32, i32> = members.iter().map(|one| (one.pid, one.inner)).collect();
    for process in &mut members {
        process.inner_parent = inner.get(&process.parent).copied().unwrap_or(0);
    }
    if members.is_empty() {
        let why = "its processes cannot be seen".to_owned();
        return Err(
            Error::new(Kind::Conflict, "list processes of", &request.container)
                .because(why)
                .into(),
        );
    }
    let clock = Clock::now();
    let names = names(&file::read_bounded("/etc/passwd".as_ref(), 4 << 20).unwrap_or_default());
    let inner_names = inner_names(live.state.pid);
    let maps = file::read_kernel(format!("/proc/{}/uid_map", live.state.pid));
    let view = column::View {
        clock: &clock,
        names: &names,
        inner_names: &inner_names,
        maps: &id_maps(&maps.unwrap_or_default()),
    };
    let mut rows = vec![
        request
            .columns
            .iter()
            .map(|(_, heading)| heading.clone())
            .collect(),
    ];
    rows.extend(members.iter().map(|process| {
        let cells = request.columns.iter();
        cells
            .map(|(column, _)| view.cell(*column, process))
            .collect::<Vec<_>>()
    }));
    event::note(engine, &live.record, "top", &[]);
    Ok(rows)
}

/// The processes that share the container's pid namespace; with the host's, those in its cgroup
/// and those its first process has started.
fn members(live: &Live) -> Result<Vec<Process>> {
    let own = std::fs::metadata("/proc/self/ns/pid")
        .ok()
        .map(|found| identity(&found));
    let space = live.target()?.pid_namespace();
    let mut all: HashMap<i32, Process> = HashMap::new();
    let entries = std::fs::read_dir("/proc").map_err(|error| Error::io("list", "/proc", error))?;
    for entry in entries.flatten() {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(process) = number.and_then(Process::read) {
            all.insert(process.pid, process);
        }
    }
    let in_cgroup = match space {
        Some(_) => Vec::new(),
        None => live
            .cgroup()
            .map(|place| place.members())
            .unwrap_or_default(),
    };
    let first = live.state.pid;
    let below = |process: &Process| {
        let mut at = process.pid;
        // A chain longer than this is a loop in what changed while it was read.
        for _ in 0..256 {
            if at == first {
                return true;
            }
            match all.get(&at) {
                Some(process) if process.parent > 0 => at = process.parent,
                _ => return false,
            }
        }
        false
    };
    let belongs = |process: &&Process| match space {
        Some(space) if Some(space) != own => {
            match std::fs::metadata(format!("/proc/{}/ns/pid", process.pid)) {
                Ok(found) => identity(&found) == space,
                // One that hides itself, as the reaper of `--init` does.
                Err(_) => below(process),
            }
        }
        _ => below(process) || in_cgroup.contains(&process.pid),
    };
    let pids: Vec<i32> = all
        .values()
        .filter(belongs)
        .map(|process| process.pid)
        .collect();
    Ok(pids.iter().filter_map(|pid| all.remove(pid)).collect())
}

fn identity(found: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// Names of the container's users; none when its files cannot be seen.
fn inner_names(pid: i32) -> HashMap<u32, String> {
    let bytes = Root::open(Path::new(&format!("/proc/{pid}/root"))).and_then(|root| {
        let (file, _) = root.open_regular("/etc/passwd", OFlag::O_RDONLY)?;
        file::read_open(&file.into(), Path::new("/etc/passwd"), 1 << 20)
    });
    names(&bytes.unwrap_or_default())
}

/// The lines of a uid_map.
fn id_maps(text: &[u8]) -> Vec<IdMap> {
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(IdMap::new(next()?, next()?, next()?))
    };
    text.lines().filter_map(line).collect()
}

/// Names of users by the text of a passwd file.
fn names(bytes: &[u8]) -> HashMap<u32, String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut names = HashMap::new();
    for entry in passwd_entries(&text) {
        names
            .entry(entry.uid)
            .or_insert_with(|| entry.name.to_owned());
    }
    names
}
