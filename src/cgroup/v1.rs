//! Cgroups of version 1: one folder in each hierarchy whose controller a limit needs, and in no
//! other, since each costs a join.

use std::path::{Path, PathBuf};

use crate::common::Result;
use crate::host::{CgroupLayout, V1Hierarchy};

use super::folder::{Folder, is_writable};
use super::resources::{Setting, controllers};
use super::{Draft, Missing};

/// Makes the folders and writes the settings into `draft`; what could not be set is added to its
/// list of missing limits.
pub(super) fn prepare(
    draft: &mut Draft,
    name: &str,
    parent: Option<&str>,
    layout: &CgroupLayout,
    settings: Vec<Setting>,
) {
    let mut rest = settings;
    for controller in controllers(&rest) {
        let (mine, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|s| s.controller == controller);
        rest = others;
        let Some(hierarchy) = layout.v1_with(controller) else {
            draft.miss_all(mine, "this kernel has no such controller");
            continue;
        };
        match folder(draft, name, parent, hierarchy) {
            Ok(folder) => write(draft, &folder, hierarchy, controller, mine),
            Err(error) => draft.miss_all(mine, &error.to_string()),
        }
    }
}

/// The container's folder in one hierarchy, made at the first call for it.
fn folder(
    draft: &mut Draft,
    name: &str,
    parent: Option<&str>,
    hierarchy: &V1Hierarchy,
) -> Result<Folder> {
    let (mut base, below) = base(parent, hierarchy);
    let target = base.join(below).join(name);
    if draft.place.v1.values().any(|path| *path == target) {
        return Folder::open(&target);
    }
    let cpuset = hierarchy.controllers.iter().any(|c| c == "cpuset");
    for part in below.components() {
        base.push(part);
        if !base.is_dir() {
            let made = Folder::make(&base, true)?;
            draft.place.parents.insert(0, base.clone());
            fill_cpuset(&made, cpuset)?;
        }
    }
    let made = Folder::make(&target, false)?;
    let first = hierarchy.controllers.first().cloned().unwrap_or_default();
    draft.place.v1.insert(first, target);
    fill_cpuset(&made, cpuset)?;
    // A single-threaded child joins by `tasks`: the same effect as `cgroup.procs` without the
    // global lock of all forks, whose grace period makes that write cost 7 ms.
    draft.joins.push(made.writer("tasks")?);
    Ok(made)
}

/// Where the folder goes: below this process's own cgroup, or below the parent asked for (from
/// the root of the hierarchy when it is absolute and this is no batch job's).
fn base<'a>(parent: Option<&'a str>, hierarchy: &V1Hierarchy) -> (PathBuf, &'a Path) {
    match parent {
        Some(path) if path.starts_with('/') => (
            hierarchy.mount.clone(),
            Path::new(path.trim_start_matches('/')),
        ),
        Some(path) => (hierarchy.own.clone(), Path::new(path)),
        None => (hierarchy.own.clone(), Path::new("")),
    }
}

/// A new cpuset has no CPU and no memory node and lets nobody in: gives it its parent's.
pub(super) fn fill_cpuset(folder: &Folder, cpuset: bool) -> Result<()> {
    if !cpuset {
        return Ok(());
    }
    let parent = Folder::open(folder.path().parent().unwrap_or(Path::new("/")))?;
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if folder.read(file)?.trim().is_empty() {
            folder.write(file, parent.read(file)?.trim())?;
        }
    }
    Ok(())
}

fn write(
    draft: &mut Draft,
    folder: &Folder,
    hierarchy: &V1Hierarchy,
    controller: &str,
    settings: Vec<Setting>,
) {
    // Removing the folder needs its own name on record under the controller, too.
    if hierarchy.controllers.first().map(String::as_str) != Some(controller) {
        let path = folder.path().to_owned();
        draft.place.v1.insert(controller.to_owned(), path);
    }
    for setting in settings {
        if let Err(error) = folder.write(setting.file, &setting.value) {
            draft
                .missing
                .push(Missing::new(setting, &error.to_string()));
        }
    }
}

/// Says whether this user may make cgroups in every hierarchy that `names` need.
pub(super) fn is_usable(layout: &CgroupLayout, names: &[&str]) -> bool {
    names
        .iter()
        .all(|name| layout.v1_with(name).is_some_and(|h| is_writable(&h.own)))
}
