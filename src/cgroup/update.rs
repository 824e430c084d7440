//! New limits for a container that runs.

use std::path::Path;

use crate::common::{Error, Kind, Result, Ui};
use crate::host::CgroupLayout;

use super::folder::Folder;
use super::resources::{self, Setting};
use super::{Limits, Missing, PREFIX, Place, members, report, scope, v1, v2};

/// A container whose limits change.
pub(crate) struct Subject<'a> {
    /// Its name among cgroups.
    pub(crate) name: &'a str,
    /// Its first process.
    pub(crate) pid: i32,
    /// Its processes, as often as they are asked for.
    pub(crate) members: &'a dyn Fn() -> Vec<i32>,
}

/// Gives a running container `new` limits in place of `old`. A limit that cannot be enforced is
/// said through `ui`. `place` learns of version 1 folders that were made for it.
///
/// # Errors
/// Impossible limits; nothing is changed then.
pub(crate) fn update(
    place: &mut Place,
    subject: &Subject<'_>,
    (old, new): (&Limits, &Limits),
    layout: &CgroupLayout,
    ui: &dyn Ui,
) -> Result<()> {
    new.check()?;
    let on_v1 = |setting: &Setting| layout.v1_with(setting.controller).is_some();
    let mut missing = Vec::new();
    let mut first = changed(resources::v1(old), resources::v1(new), new, old);
    first.retain(on_v1);
    let mut second = changed(resources::v2(old), resources::v2(new), new, old);
    second.retain(|setting| !on_v1(setting));
    write_v1(place, subject, layout, first, &mut missing);
    if !second.is_empty() {
        match (&place.unified, &place.scope, &layout.systemd_bus) {
            (_, Some(path), Some(bus)) => {
                missing.extend(scope::update(bus, path, new, second)?);
            }
            (_, Some(path), None) | (Some(path), None, _) => {
                write_v2(path, second, &mut missing);
            }
            (None, None, _) => {
                let why = "the container has no cgroup of its own";
                missing.extend(second.into_iter().map(|one| Missing::new(one, why)));
            }
        }
    }
    report(&missing, layout, ui);
    Ok(())
}

/// The settings of `new` that are not in `old`.
fn changed(before: Vec<Setting>, after: Vec<Setting>, new: &Limits, old: &Limits) -> Vec<Setting> {
    let same = |a: &Setting, b: &Setting| (a.file, &a.value) == (b.file, &b.value);
    let mut out = after;
    out.retain(|setting| !before.iter().any(|known| same(known, setting)));
    if new.effective_pids().is_none() && old.effective_pids().is_some() {
        out.push(Setting {
            controller: "pids",
            file: "pids.max",
            value: "max".to_owned(),
            flag: Some("--pids-limit"),
        });
    }
    out
}

fn write_v1(
    place: &mut Place,
    subject: &Subject<'_>,
    layout: &CgroupLayout,
    settings: Vec<Setting>,
    missing: &mut Vec<Missing>,
) {
    let mut again = Vec::new();
    for setting in settings {
        let done = folder_v1(place, subject, layout, setting.controller)
            .and_then(|folder| folder.write(setting.file, &setting.value));
        if done.is_err() {
            again.push(setting);
        }
    }
    // Memory may never be above memory and swap together: one of the two orders is right.
    for setting in again.into_iter().rev() {
        let done = folder_v1(place, subject, layout, setting.controller)
            .and_then(|folder| folder.write(setting.file, &setting.value));
        if let Err(error) = done {
            missing.push(Missing::new(setting, &error.to_string()));
        }
    }
}

/// The container's folder of a controller, made below its present cgroup when there is none.
fn folder_v1(
    place: &mut Place,
    subject: &Subject<'_>,
    layout: &CgroupLayout,
    controller: &str,
) -> Result<Folder> {
    if let Some(path) = place.v1.get(controller) {
        return Folder::open(path);
    }
    let hierarchy = layout.v1_with(controller);
    // A folder of another controller of the same hierarchy.
    let mates = hierarchy.into_iter().flat_map(|found| &found.controllers);
    let shared = mates.filter_map(|mate| place.v1.get(mate)).next().cloned();
    if let Some(path) = shared {
        place.v1.insert(controller.to_owned(), path.clone());
        return Folder::open(&path);
    }
    let text = std::fs::read_to_string(format!("/proc/{}/cgroup", subject.pid));
    let home = layout.v1_of(controller, &text.unwrap_or_default());
    let home = home.ok_or_else(|| {
        Error::new(Kind::Unsupported, "find cgroup of", controller)
            .because("this kernel has no such controller")
    })?;
    let path = home.join(format!("{PREFIX}{}", subject.name));
    let folder = Folder::make(&path, true)?;
    v1::fill_cpuset(&folder, controller == "cpuset")?;
    if let Err(error) = members::move_all(subject.members, &path) {
        let _ = std::fs::remove_dir(&path);
        return Err(error);
    }
    place.v1.insert(controller.to_owned(), path);
    Ok(folder)
}

fn write_v2(path: &Path, settings: Vec<Setting>, missing: &mut Vec<Missing>) {
    for setting in settings {
        let write = || Folder::open(path)?.write(setting.file, &setting.value);
        let done = write().or_else(|error| {
            // The controller was not handed down when no limit needed it.
            let parent = path.parent().unwrap_or(path);
            match v2::hand_down(&Folder::open(parent)?, &[setting.controller], false) {
                Ok(enabled) if !enabled.is_empty() => write(),
                _ => Err(error),
            }
        });
        if let Err(error) = done {
            missing.push(Missing::new(setting, &error.to_string()));
        }
    }
}
