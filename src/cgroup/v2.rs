//! Cgroups of version 2: one folder, in a place where the controllers that the limits need can
//! be handed down to it; see the kernel's admin-guide/cgroup-v2, "Delegation" and "No Internal
//! Process Constraint".

use std::path::{Path, PathBuf};

use crate::common::{Error, Kind, Result};
use crate::host::{CgroupLayout, Unified};

use super::folder::{Folder, is_writable};
use super::resources::{Setting, controllers};
use super::{Draft, Missing};

/// Where root's cgroups go when its own cannot hand controllers down: a login session's scope
/// has processes in it.
pub(super) const TOP: &str = "ketch";
/// Where the caller goes when it stands in the way of its children.
pub(super) const CALLER: &str = "ketch-caller";

/// Makes the folder, writes the settings and fills `draft`.
pub(super) fn prepare(
    draft: &mut Draft,
    name: &str,
    parent: Option<&str>,
    layout: &CgroupLayout,
    settings: Vec<Setting>,
) {
    let Some(unified) = &layout.unified else {
        return draft.miss_all(settings, "no cgroup file system is mounted");
    };
    let needed = controllers(&settings);
    // A default that nobody asked for is not worth moving the caller.
    let may_move = settings.iter().any(|setting| setting.flag.is_some());
    let mut why = "this user may not make cgroups here".to_owned();
    let mut best: Option<(PathBuf, Vec<&str>)> = None;
    for (start, below) in candidates(parent, layout, unified) {
        match reach(draft, &start, &below, &needed, may_move) {
            Ok((base, enabled)) => {
                let better = best
                    .as_ref()
                    .is_none_or(|(_, have)| enabled.len() > have.len());
                let complete = enabled.len() == needed.len();
                if better {
                    best = Some((base, enabled));
                }
                if complete {
                    break;
                }
            }
            Err(error) => why = error.to_string(),
        }
    }
    match best {
        // A cgroup that enforces nothing is worth making only where the user named its place.
        Some((base, enabled)) if !enabled.is_empty() || parent.is_some() => {
            match fill(draft, &base.join(name), &enabled, settings.clone()) {
                Ok(()) => {}
                Err(error) => draft.miss_all(settings, &error.to_string()),
            }
        }
        Some(_) => draft.miss_all(settings, "no controller is delegated to this cgroup"),
        None => draft.miss_all(settings, &why),
    }
}

/// Folders to start from, each with the path below it that leads to the container's parent.
fn candidates(
    parent: Option<&str>,
    layout: &CgroupLayout,
    unified: &Unified,
) -> Vec<(PathBuf, PathBuf)> {
    match parent {
        Some(path) if path.starts_with('/') => {
            let below = path.trim_start_matches('/');
            vec![(unified.mount.clone(), below.into())]
        }
        Some(path) => vec![(unified.own.clone(), path.into())],
        None => {
            let mut list = vec![(unified.own.clone(), PathBuf::new())];
            // Where root is at the top already, a folder below it is given no more than it was.
            if layout.root && layout.job.is_none() && unified.own != unified.mount {
                list.push((unified.mount.clone(), TOP.into()));
            }
            list
        }
    }
}

/// Walks from `start` along `below`, making folders and handing `needed` down at each; returns
/// the last folder and the controllers its children can have.
fn reach<'a>(
    draft: &mut Draft,
    start: &Path,
    below: &Path,
    needed: &[&'a str],
    may_move: bool,
) -> Result<(PathBuf, Vec<&'a str>)> {
    if !is_writable(start) {
        let error = Error::new(
            Kind::Denied,
            "make a cgroup in",
            start.display().to_string(),
        );
        return Err(error.because("permission denied"));
    }
    let mut folder = Folder::open(start)?;
    let mut enabled = hand_down(&folder, needed, may_move)?;
    if enabled.is_empty() && below == Path::new(TOP) {
        return Ok((start.to_owned(), enabled));
    }
    for part in below.components() {
        let path = folder.path().join(part);
        let is_new = !path.is_dir();
        folder = Folder::make(&path, true)?;
        if is_new && below != Path::new(TOP) {
            draft.place.parents.insert(0, path);
        }
        enabled = hand_down(&folder, &enabled, may_move)?;
    }
    Ok((folder.path().to_owned(), enabled))
}

/// Enables controllers for the children of `folder`; returns those that are.
pub(super) fn hand_down<'a>(
    folder: &Folder,
    needed: &[&'a str],
    may_move: bool,
) -> Result<Vec<&'a str>> {
    let is_top = is_top(folder)?;
    let available = folder.read("cgroup.controllers")?;
    let handed = folder.read("cgroup.subtree_control")?;
    let has = |list: &str, name: &str| list.split_ascii_whitespace().any(|one| one == name);
    let mut enabled = Vec::new();
    for name in needed {
        let done = has(&handed, name)
            || (has(&available, name)
                && enable(folder, &format!("+{name}"), is_top, may_move).is_ok());
        if done {
            enabled.push(*name);
        }
    }
    Ok(enabled)
}

/// Whether this is the root of the hierarchy, which has no type.
///
/// # Errors
/// `Conflict` for one whose children could have no process: threaded, or below such a one.
fn is_top(folder: &Folder) -> Result<bool> {
    match folder.read("cgroup.type") {
        Ok(kind) if kind.trim() == "domain" => Ok(false),
        Ok(kind) => {
            let object = folder.path().display().to_string();
            let why = format!("it is of the type \"{}\"", kind.trim());
            Err(Error::new(Kind::Conflict, "make a cgroup in", object).because(why))
        }
        Err(error) if error.kind() == Kind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A folder with processes, the root apart, cannot hand a controller down. Some (`pids`, `cpu`)
/// it can, and turns into a threaded one by that, in whose children no process can start.
fn enable(folder: &Folder, word: &str, is_top: bool, may_move: bool) -> Result<()> {
    if !is_top && !folder.read("cgroup.procs")?.trim().is_empty() {
        if !may_move {
            let object = folder.path().display().to_string();
            return Err(
                Error::new(Kind::Conflict, "hand controllers down in", object)
                    .because("processes are in this cgroup"),
            );
        }
        step_aside(folder)?;
    }
    folder.write("cgroup.subtree_control", word)
}

/// Moves this process, when it is the only one in `folder`, into a child of it: a cgroup with
/// processes of its own cannot hand controllers down. With others in it nothing is moved: they
/// are not ours.
fn step_aside(folder: &Folder) -> Result<()> {
    let procs = folder.read("cgroup.procs")?;
    let own = std::process::id().to_string();
    if procs.lines().any(|pid| pid != own) {
        let object = folder.path().display().to_string();
        return Err(
            Error::new(Kind::Conflict, "hand controllers down in", object)
                .because("other processes are in this cgroup"),
        );
    }
    let leaf = Folder::make(&folder.path().join(CALLER), true)?;
    leaf.write("cgroup.procs", "0")
}

fn fill(draft: &mut Draft, path: &Path, enabled: &[&str], settings: Vec<Setting>) -> Result<()> {
    let folder = Folder::make(path, false)?;
    draft.place.unified = Some(path.to_owned());
    for setting in settings {
        if !enabled.contains(&setting.controller) {
            let why = format!("controller {} is not delegated", setting.controller);
            draft.missing.push(Missing::new(setting, &why));
        } else if let Err(error) = folder.write(setting.file, &setting.value) {
            draft
                .missing
                .push(Missing::new(setting, &error.to_string()));
        }
    }
    draft.unified = Some(folder);
    Ok(())
}
