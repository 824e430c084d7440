//! File systems that init has just made: what lies in them is the kernel's or init's own until
//! the payload runs, so that a plain name below their descriptor needs no guarded resolution.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, mkdirat};

use super::Init;
use crate::runtime::plan::{MountStep, Source};
use crate::sys::path::Links;

/// One of them.
pub(super) struct Fresh {
    target: String,
    fstype: String,
    /// Its own top directory, not the one it covers.
    dir: OwnedFd,
    /// Directories made in it as places for later mounts.
    places: Vec<String>,
}

impl Init<'_> {
    /// Forgets what a mount at `target` covers.
    pub(super) fn forget_fresh(&mut self, target: &str) {
        let covers = |fresh: &Fresh| {
            let below = fresh.target.strip_prefix(target.trim_end_matches('/'));
            // `/d` does not cover `/dev`.
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.fresh.retain(|fresh| !covers(fresh));
    }

    /// Remembers a file system that was mounted just now, and makes the places of later mounts
    /// right in a tmpfs (`/dev`'s pts, shm and mqueue).
    pub(super) fn remember_fresh(&mut self, step: &MountStep, fstype: &str) {
        let wanted = match fstype {
            "tmpfs" => true,
            "proc" | "sysfs" => step.target == "/proc" || step.target == "/sys",
            _ => false,
        };
        let places = match fstype {
            "tmpfs" => self.places_in(step),
            _ => Vec::new(),
        };
        if !wanted || (fstype == "tmpfs" && places.is_empty() && step.target != "/dev") {
            return;
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let opened = self
            .root
            .as_ref()
            .map(|root| root.lookup(step.target.as_ref(), flags, Links::FollowParents));
        let Some(Ok(dir)) = opened else { return };
        let made = |name: &String| {
            // Whatever goes wrong here is said when the mount itself is made.
            mkdirat(&dir, name.as_str(), Mode::from_bits_truncate(0o755)).is_ok()
        };
        self.fresh.push(Fresh {
            target: step.target.clone(),
            fstype: fstype.to_owned(),
            places: places.into_iter().filter(made).collect(),
            dir,
        });
    }

    /// Names right below the target of `step` at which later mounts are made.
    fn places_in(&self, step: &MountStep) -> Vec<String> {
        let inside = |other: &MountStep| -> Option<String> {
            let name = other.target.strip_prefix(&step.target)?.strip_prefix('/')?;
            let plain = !name.is_empty() && !name.contains('/') && !matches!(name, "." | "..");
            (plain && matches!(other.source, Source::New { .. })).then(|| name.to_owned())
        };
        self.plan.mounts.iter().filter_map(inside).collect()
    }

    /// The place that was made for a mount at `target`: a directory and the name in it.
    pub(super) fn made_place<'t>(&self, target: &'t str) -> Option<(BorrowedFd<'_>, &'t str)> {
        self.fresh.iter().find_map(|fresh| {
            let name = target.strip_prefix(&fresh.target)?.strip_prefix('/')?;
            let made = fresh.places.iter().any(|place| place == name);
            made.then(|| (fresh.dir.as_fd(), name))
        })
    }

    /// The top directory of a fresh tmpfs at `target`.
    pub(super) fn fresh_tmpfs(&self, target: &str) -> Option<BorrowedFd<'_>> {
        let at = |fresh: &&Fresh| fresh.target == target && fresh.fstype == "tmpfs";
        self.fresh.iter().find(at).map(|fresh| fresh.dir.as_fd())
    }

    /// Where a path of a fresh proc or sysfs lies, when no link can be on the way: sysfs leads
    /// nowhere else, and in proc only the entries of processes do.
    pub(super) fn in_kernel_fs<'t>(&self, path: &'t str) -> Option<(BorrowedFd<'_>, &'t str)> {
        self.fresh.iter().find_map(|fresh| {
            let name = path.strip_prefix(&fresh.target)?.strip_prefix('/')?;
            let plain = match fresh.fstype.as_str() {
                "proc" => !name.contains('/') && !name.starts_with(|c: char| c.is_ascii_digit()),
                "sysfs" => !name.split('/').any(|part| matches!(part, "" | "." | "..")),
                _ => false,
            };
            (plain && !name.is_empty()).then(|| (fresh.dir.as_fd(), name))
        })
    }
}

/// Whether an answer means that there is nothing to hide or to guard.
pub(super) fn is_absent(errno: Errno) -> bool {
    matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES)
}
