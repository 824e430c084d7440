//! Stopping every process of a cgroup at once, and letting them go on: `cgroup.freeze` of
//! version 2 and the freezer controller of version 1 (kernel, admin-guide/cgroup-v2 and
//! cgroup-v1/freezer-subsystem). A container without such a cgroup can be put into one while it
//! runs.

use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use crate::common::{Error, Kind, Result};
use crate::host::CgroupLayout;

use super::folder::is_writable;
use super::members::move_all;
use super::place::{number_of, pause, remove_tree};
use super::{PREFIX, Place};

/// How long processes may take to stop; one in the middle of a disk's read stops after it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at a version 1 freezer, which tells nobody when it is done.
const LOOK: Duration = Duration::from_millis(1);

/// A cgroup that can be frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Freezer {
    /// Its folder.
    path: PathBuf,
    /// Of version 1.
    v1: bool,
    /// It was made below the container's own cgroup, and goes when it is not needed any more.
    made: bool,
}

impl Freezer {
    /// The container's own cgroup, when it can be frozen.
    pub(crate) fn of(place: &Place) -> Option<Freezer> {
        let v1 = place.unified.is_none();
        let path = place.unified.as_ref().or(place.v1.get("freezer"))?;
        Some(Freezer {
            path: path.clone(),
            v1,
            made: false,
        })
    }

    /// Where a cgroup to freeze container `name` in could be made: below the one that its first
    /// process `pid` is in, so that it stays in its job and its slice.
    pub(crate) fn possible(name: &str, pid: i32, layout: &CgroupLayout) -> Vec<Freezer> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let homes = [
            (layout.unified_of(&text), false),
            (layout.v1_of("freezer", &text), true),
        ];
        let usable = |home: &PathBuf| {
            let members = fs::read_to_string(home.join("cgroup.procs")).unwrap_or_default();
            is_writable(home) && members.lines().any(|line| line.parse() == Ok(pid))
        };
        let homes = homes.into_iter();
        let homes = homes.filter_map(|(home, v1)| Some((home.filter(usable)?, v1)));
        homes
            .map(|(home, v1)| Freezer {
                path: home.join(format!("{PREFIX}{name}")),
                v1,
                made: true,
            })
            .collect()
    }

    /// Makes the folder and moves the processes in, again and again until `members` names no new
    /// one: what they fork then is born inside.
    ///
    /// # Errors
    /// When the kernel refuses; nothing is left of it then.
    pub(crate) fn fill(&self, members: &dyn Fn() -> Vec<i32>) -> Result<()> {
        match fs::create_dir(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Error::io("make cgroup", &self.path, error));
            }
            _ => {}
        }
        let moved = move_all(members, &self.path);
        if moved.is_err() {
            self.empty();
        }
        moved
    }

    /// Stops (`true`) or continues every process in it, and waits until that is done.
    ///
    /// # Errors
    /// When a process does not stop in time; all of them go on then.
    pub(crate) fn set(&self, frozen: bool) -> Result<()> {
        let (file, word) = match (self.v1, frozen) {
            (false, true) => ("cgroup.freeze", "1"),
            (false, false) => ("cgroup.freeze", "0"),
            (true, true) => ("freezer.state", "FROZEN"),
            (true, false) => ("freezer.state", "THAWED"),
        };
        let path = self.path.join(file);
        let write = |word: &str| fs::write(&path, word).map_err(|e| Error::io("write", &path, e));
        match write(word) {
            // Gone with its container.
            Err(error) if !frozen && error.kind() == Kind::NotFound => return Ok(()),
            done => done?,
        }
        if !frozen {
            return Ok(());
        }
        let done = match self.v1 {
            true => self.wait_v1(&write),
            false => self.wait_v2(),
        };
        if done.is_err() {
            let _ = self.set(false);
        }
        done
    }

    fn wait_v1(&self, write: &dyn Fn(&str) -> Result<()>) -> Result<()> {
        let path = self.path.join("freezer.state");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
            if text.trim() == "FROZEN" {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.restless());
            }
            // The kernel of version 1 has no event for it, and wants to be asked again.
            pause(LOOK);
            write("FROZEN")?;
        }
    }

    fn wait_v2(&self) -> Result<()> {
        let path = self.path.join("cgroup.events");
        let failed = |error| Error::io("read", &path, error);
        let file = fs::File::open(&path).map_err(failed)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut text = [0; 512];
            let count = std::os::unix::fs::FileExt::read_at(&file, &mut text, 0).map_err(failed)?;
            let text = String::from_utf8_lossy(text.get(..count).unwrap_or_default());
            if number_of(&text, "frozen") == Some(1) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.restless());
            }
            let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLPRI)];
            let _ = poll(
                &mut fds,
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX),
            );
        }
    }

    fn restless(&self) -> Error {
        let object = self.path.display().to_string();
        Error::new(Kind::Conflict, "freeze cgroup", object)
            .because("its processes do not stop; they may be waiting for a disk or a network")
    }

    /// Gives the processes back to the cgroup they came from, when this one was made for a pause.
    pub(crate) fn empty(&self) {
        let Some(home) = self.path.parent().filter(|_| self.made) else {
            return;
        };
        let members = || {
            let text = fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default();
            text.lines().filter_map(|line| line.parse().ok()).collect()
        };
        // What cannot be moved is on its way out, and the folder goes after it.
        let _ = move_all(&members, home);
        let _ = fs::remove_dir(&self.path);
    }

    /// Removes a folder that was made for a pause, once its last process has ended.
    pub(crate) fn remove(&self) {
        if self.made {
            // One that stays busy goes with the next sweep.
            let _ = remove_tree(&self.path);
        }
    }
}
