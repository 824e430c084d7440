//! Limits on a container's processes by control groups, and the container's cgroup as a handle
//! on all its processes.
//!
//! The ladder, first that works: version 2 through a systemd scope (the limits become the
//! scope's properties) → version 2 in a delegated folder → version 1 hierarchies → no cgroup of
//! its own. In a batch job the systemd rung is left out and everything stays below the job's
//! cgroup. A limit asked for and not enforced is one warning; nothing here is fatal but a
//! limit that no machine could have.
//!
//! ```text
//! version 2, delegated   OWN/ketch-<id>                 OWN: this process's cgroup
//!            as root     OWN/ketch-<id>, else /ketch/ketch-<id>
//!            by systemd  ketch-<id>.scope/container     the caller moves into the scope
//! version 1              OWN/ketch-<id> in each hierarchy that a limit needs
//! ```
//!
//! The child enters version 2 by `clone3(CLONE_INTO_CGROUP)` with [`Cgroup::clone_into_fd`] and
//! version 1 by writing `0` to each of [`Cgroup::join_fds`], before it makes its cgroup
//! namespace and while it has one thread.
#![forbid(unsafe_code)]

mod bus;
mod cpuset;
mod entrance;
mod folder;
mod freezer;
mod limits;
mod members;
mod place;
mod resources;
mod scope;
mod update;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::common::{Result, Ui};
use crate::host::{CgroupLayout, CgroupVersion};

use folder::Folder;
use resources::Setting;

pub(crate) use entrance::Entrance;
pub(crate) use freezer::Freezer;
pub(crate) use limits::{Limits, check_parent};
pub(crate) use place::Place;
pub(crate) use update::{Subject, update};

/// Folders of containers are called this and the container's name.
const PREFIX: &str = "ketch-";
/// How long a sweep waits for processes that were killed with their keeper.
const LEAVING: Duration = Duration::from_millis(250);

/// A container's cgroup before and while its first process starts. Dropping it removes what was
/// made, unless it was [kept](Cgroup::keep).
#[derive(Debug, Default)]
pub(crate) struct Cgroup {
    place: Place,
    unified: Option<Folder>,
    joins: Vec<File>,
    kept: bool,
}

impl Cgroup {
    /// The folder for `clone3(CLONE_INTO_CGROUP)`, when there is a version 2 cgroup.
    pub(crate) fn clone_into_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified.as_ref().map(Folder::fd)
    }

    /// Files into which the child writes `0` to join the version 1 cgroups.
    pub(crate) fn join_fds(&self) -> Vec<BorrowedFd<'_>> {
        self.joins.iter().map(File::as_fd).collect()
    }

    /// Where it is, to look into or to record.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The duty for a cgroup that exists, after the processes that made it.
    pub(crate) fn adopt(place: Place) -> Cgroup {
        Cgroup {
            place,
            unified: None,
            joins: Vec::new(),
            kept: false,
        }
    }

    /// Gives up the duty to remove it, to whoever records the place.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a detached start hands the cgroup over")
    )]
    pub(crate) fn keep(mut self) -> Place {
        self.kept = true;
        std::mem::take(&mut self.place)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to tell; the next command sweeps empty cgroups.
            let _ = self.place.remove();
        }
    }
}

/// A limit that is not enforced, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    setting: Setting,
    why: String,
}

impl Missing {
    fn new(setting: Setting, why: &str) -> Missing {
        Missing {
            setting,
            why: why.to_owned(),
        }
    }
}

/// A cgroup in the making.
#[derive(Debug, Default)]
struct Draft {
    place: Place,
    unified: Option<Folder>,
    joins: Vec<File>,
    missing: Vec<Missing>,
}

impl Draft {
    fn miss_all(&mut self, settings: Vec<Setting>, why: &str) {
        let missing = settings
            .into_iter()
            .map(|setting| Missing::new(setting, why));
        self.missing.extend(missing);
    }
}

/// Makes the cgroup of container `name` with `limits`, by the ladder above. `parent` is
/// `--cgroup-parent`. Fails only when the limits themselves are impossible; what this machine
/// cannot enforce is said through `ui`.
///
/// An ordinary user who asks for no limit gets no cgroup, and no system call is spent on it.
pub(crate) fn prepare(
    name: &str,
    parent: Option<&str>,
    limits: &Limits,
    layout: &CgroupLayout,
    ui: &dyn Ui,
) -> Result<Cgroup> {
    limits.check()?;
    if let Some(parent) = parent {
        check_parent(parent)?;
    }
    let settings = resources::v2(limits);
    let asked = limits.any_asked();
    if parent.is_none() && !asked && (!layout.root || settings.is_empty()) {
        return Ok(Cgroup::default());
    }
    let parent = stay_in_job(parent, layout, ui);
    let leaf = format!("{PREFIX}{name}");
    let mut draft = Draft::default();
    let slice = parent.filter(|parent| parent.ends_with(".slice"));
    let by_systemd = layout.version() == CgroupVersion::V2
        && layout.job.is_none()
        && (slice.is_some() || (asked && parent.is_none()));
    if by_systemd && let Some(bus) = &layout.systemd_bus {
        match scope::start(&mut draft, bus, &leaf, slice, limits, layout) {
            Ok(()) => return Ok(finish(draft, layout, ui)),
            Err(error) => ui.note(&format!("no systemd scope: {error}")),
        }
    }
    let on_v1 = |controller: &str| layout.v1_with(controller).is_some();
    let on_v2 = |setting: &Setting| !on_v1(setting.controller);
    let mut v1 = resources::v1(limits);
    v1.retain(|setting| on_v1(setting.controller));
    let mut v2 = settings;
    v2.retain(on_v2);
    if !v1.is_empty() {
        v1::prepare(&mut draft, &leaf, parent, layout, v1);
    }
    if !v2.is_empty() || (parent.is_some() && layout.version() == CgroupVersion::V2) {
        v2::prepare(&mut draft, &leaf, parent, layout, v2);
    }
    Ok(finish(draft, layout, ui))
}

/// In a batch job a parent elsewhere would leave the job's accounting and its kill.
fn stay_in_job<'a>(parent: Option<&'a str>, layout: &CgroupLayout, ui: &dyn Ui) -> Option<&'a str> {
    let path = parent?;
    let Some(job) = layout
        .job
        .filter(|_| path.starts_with('/') || path.ends_with(".slice"))
    else {
        return Some(path);
    };
    ui.warn(&format!(
        "--cgroup-parent {path} is not used inside a {job} job: leave it out, or give a relative path"
    ));
    None
}

fn finish(draft: Draft, layout: &CgroupLayout, ui: &dyn Ui) -> Cgroup {
    report(&draft.missing, layout, ui);
    Cgroup {
        place: draft.place,
        unified: draft.unified,
        joins: draft.joins,
        kept: false,
    }
}

/// Says of each flag once that it is not enforced.
fn report(all: &[Missing], layout: &CgroupLayout, ui: &dyn Ui) {
    let mut said: Vec<&str> = Vec::new();
    for missing in all {
        let Some(flag) = missing.setting.flag else {
            continue;
        };
        if !said.contains(&flag) {
            said.push(flag);
            let fix = fix(flag, layout);
            ui.warn(&format!("{flag} is not enforced: {}; {fix}", missing.why));
        }
    }
}

/// What would make the limit enforceable.
fn fix(flag: &str, layout: &CgroupLayout) -> String {
    if let Some(job) = layout.job {
        return format!("ask {job} for this limit when submitting the job");
    }
    match layout.version() {
        CgroupVersion::None => "mount cgroup2 on /sys/fs/cgroup".to_owned(),
        _ if flag == "--memory-swap" && layout.root => {
            "boot with the kernel argument swapaccount=1".to_owned()
        }
        CgroupVersion::V2 if layout.root => {
            "run from a cgroup with delegated controllers, such as a systemd unit with \
             Delegate=yes"
                .to_owned()
        }
        CgroupVersion::V2 => {
            "let an administrator delegate controllers to users (`ketch doctor` shows the \
             systemd drop-in)"
                .to_owned()
        }
        CgroupVersion::V1 | CgroupVersion::Hybrid if layout.root => {
            "boot with systemd.unified_cgroup_hierarchy=1 or mount the controller".to_owned()
        }
        CgroupVersion::V1 | CgroupVersion::Hybrid => {
            "run as root, or boot with systemd.unified_cgroup_hierarchy=1".to_owned()
        }
    }
}

/// Removes cgroups that killed callers left empty below this process's own. `is_alive` says of a
/// container's name, and of how long ago its cgroup was made, whether someone still works on it.
/// A cgroup with processes stays by itself: the kernel refuses to remove it. Those that are on
/// their way out are waited for.
pub(crate) fn sweep(layout: &CgroupLayout, is_alive: &dyn Fn(&str, &dyn Fn() -> Duration) -> bool) {
    let v1 = layout.v1.iter().map(|hierarchy| hierarchy.own.clone());
    let v2 = layout.unified.iter().flat_map(|unified| {
        let _ = std::fs::remove_dir(unified.own.join(v2::CALLER));
        [unified.own.clone(), unified.mount.join(v2::TOP)]
    });
    let deadline = Instant::now() + LEAVING;
    for folder in v1.chain(v2) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            // Most of what is there are the kernel's files, and each costs a call to look at.
            let file_name = entry.file_name();
            let name = file_name
                .to_str()
                .and_then(|name| name.strip_prefix(PREFIX));
            let Some(name) = name else { continue };
            // Asked for only when the name alone decides nothing.
            let age = || {
                let made = entry.metadata().and_then(|found| found.modified()).ok();
                made.and_then(|made| made.elapsed().ok())
                    .unwrap_or_default()
            };
            if !is_alive(name, &age) {
                let _ = place::remove_tree_by(&entry.path(), deadline);
            }
        }
    }
}

/// Says whether this process could give a container the limits of `controllers` without
/// systemd; for `doctor`.
pub(crate) fn can_limit(layout: &CgroupLayout, controllers: &[&str]) -> bool {
    if !layout.v1.is_empty() {
        return v1::is_usable(layout, controllers);
    }
    let Some(unified) = &layout.unified else {
        return false;
    };
    let text = std::fs::read_to_string(unified.own.join("cgroup.controllers"));
    let available = text.unwrap_or_default();
    let has = |name: &&str| available.split_ascii_whitespace().any(|one| one == *name);
    (layout.root || folder::is_writable(&unified.own)) && controllers.iter().all(has)
}
