//! The way into a cgroup that exists: for another process of a container that runs.

use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::place::Place;
use crate::common::{Error, Result};

/// Open folders and files of a cgroup that a new process enters.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    unified: Option<Folder>,
    joins: Vec<File>,
}

impl Place {
    /// Opens the cgroup for one more process of the container whose first process is `pid`: on
    /// version 2 the very cgroup that process is in, since one with cgroups below it may take none.
    ///
    /// # Errors
    /// `NotFound` when it is gone, and the container with it.
    pub(crate) fn entrance(&self, pid: i32) -> Result<Entrance> {
        let mut entrance = Entrance::default();
        if let Some(path) = &self.unified {
            let holder = holder(path, pid, MAX_DEPTH).unwrap_or_else(|| path.clone());
            entrance.unified = Some(Folder::open(&holder)?);
        }
        let own = self.v1.values();
        let mut folders: Vec<&PathBuf> = own
            .filter(|path| Some(*path) != self.unified.as_ref())
            .collect();
        folders.sort_unstable();
        folders.dedup();
        for folder in folders {
            // Not cgroup.procs: a process of one thread that moves itself by `tasks` does not wait
            // for every processor of the machine, which takes milliseconds (Linux 5.14).
            let path = folder.join("tasks");
            let file = OpenOptions::new().write(true).open(&path);
            let file = file.map_err(|error| Error::io("open cgroup", &path, error))?;
            entrance.joins.push(file);
        }
        Ok(entrance)
    }
}

impl Entrance {
    /// As [`clone_into_fd`](super::Cgroup::clone_into_fd).
    pub(crate) fn clone_into_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified.as_ref().map(Folder::fd)
    }

    /// As [`join_fds`](super::Cgroup::join_fds).
    pub(crate) fn join_fds(&self) -> Vec<BorrowedFd<'_>> {
        self.joins.iter().map(File::as_fd).collect()
    }
}

/// A payload that makes cgroups below its own moves into one of them; no tree is deeper.
const MAX_DEPTH: usize = 8;

/// The cgroup at or below `path` that process `pid` is in.
fn holder(path: &Path, pid: i32, depth: usize) -> Option<PathBuf> {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    if text.lines().any(|line| line.parse() == Ok(pid)) {
        return Some(path.to_owned());
    }
    if depth == 0 {
        return None;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders
        .into_iter()
        .find_map(|entry| holder(&entry.path(), pid, depth - 1))
}
