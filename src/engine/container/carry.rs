//! `--copy-in` and `--copy-out`: a job's data in the container's own layer instead of mounts.
//!
//! Results are first brought next to where they go, and then renamed: who looks sees nothing, or
//! all of it. What is there already is merged as `cp` does it, each file replaced at once.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::copy::{self, CopyRequest, Ownership, Place, Streams};
use super::{Asked, plan};
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::spec::config::{Copies, Copy, CopyOutOn};
use crate::store::{ContainerDir, ContainerRecord};
use crate::sys::{file, tree};

/// Refuses, before anything is made, what could not be brought in or back: where results go is
/// there from the beginning.
///
/// # Errors
/// What is wrong with which path of the host.
pub(super) fn check(copies: &Copies) -> Result<()> {
    for copy in &copies.into {
        fs::metadata(&copy.from).map_err(|error| Error::io("copy in", &copy.from, error))?;
    }
    for copy in &copies.out {
        let (parent, _) = aim(copy)?;
        fs::create_dir_all(&parent).map_err(|error| Error::io("make directory", &parent, error))?;
    }
    Ok(())
}

/// Fills a new container's layer. The caller has its lock.
pub(super) fn into(engine: &Engine<'_>, record: &ContainerRecord, copies: &Copies) -> Result<()> {
    for copy in &copies.into {
        let to = Place::Container {
            name: record.name.clone(),
            path: copy.to.clone(),
        };
        run(engine, Place::Host(copy.from.clone()), to, Ownership::User)
            .with_context(|| format!("--copy-in {}:{}", copy.from.display(), copy.to.display()))?;
    }
    Ok(())
}

/// Brings results back after a run. The caller has the container's lock; nothing of it runs.
///
/// # Errors
/// The first copy that failed; the others are done all the same. A container that would be
/// removed now is kept.
pub(crate) fn out(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    dir: &ContainerDir,
    status: ExitStatus,
) -> Result<()> {
    let asked = Asked::of(record)?;
    let copies = &asked.config.copies;
    let wanted = copies.out_on == CopyOutOn::Always || status == ExitStatus::Code(0);
    if copies.out.is_empty() || !wanted {
        return Ok(());
    }
    if asked.remove {
        plan::set_work_aside(dir)?;
    }
    let mut first = Ok(());
    for copy in &copies.out {
        let done = one_out(engine, record, copy)
            .with_context(|| format!("--copy-out {}:{}", copy.from.display(), copy.to.display()));
        first = first.and(done);
    }
    if first.is_err() && asked.remove {
        dir.mark_kept()?;
        let name = &record.name;
        let kept =
            format!("the container is kept for its results: ketch cp {name}:… and ketch rm {name}");
        return first.context(kept);
    }
    first
}

fn one_out(engine: &Engine<'_>, record: &ContainerRecord, copy: &Copy) -> Result<()> {
    let (parent, name) = aim(copy)?;
    let stage = parent.join(file::random_name(".ketch-")?);
    let made = fs::DirBuilder::new().mode(0o700).create(&stage);
    made.map_err(|error| Error::io("make directory", &stage, error))?;
    let from = Place::Container {
        name: record.id.to_string(),
        path: copy.from.clone(),
    };
    let staged = stage.join(&name);
    let done = run(engine, from, Place::Host(staged.clone()), Ownership::Root)
        .and_then(|()| Ok(settle(&staged, &parent.join(&name))?));
    let cleaned = tree::remove_tree(&stage);
    done?;
    Ok(cleaned?)
}

fn run(engine: &Engine<'_>, from: Place, to: Place, ownership: Ownership) -> Result<()> {
    let request = CopyRequest {
        from,
        to,
        follow: true,
        ownership,
        overwrite: false,
        held: true,
    };
    let streams = Streams {
        input: &mut io::empty(),
        output: &mut io::sink(),
    };
    copy::copy(engine, &request, streams).map(drop)
}

/// The directory on the host that results go to, and the name they get there.
fn aim(copy: &Copy) -> Result<(PathBuf, PathBuf)> {
    let text = copy.to.as_os_str().as_encoded_bytes();
    let contents = copy.from.as_os_str().as_encoded_bytes().ends_with(b"/.");
    let inside = copy.to.is_dir() || text.ends_with(b"/") || text.ends_with(b"/.");
    let named = match inside && !contents {
        true => copy.from.file_name().map(|name| copy.to.join(name)),
        false => Some(copy.to.clone()),
    };
    let target = named
        .as_deref()
        .and_then(|path| Some((path.parent()?, path.file_name()?)));
    match target {
        Some((parent, name)) => Ok((parent.to_owned(), PathBuf::from(name))),
        None => Err(Error::usage(
            "copy out to",
            copy.to.display().to_string(),
            "name a file or directory on both sides",
        )
        .into()),
    }
}

/// Gives `staged` its name. Directories that meet are merged.
fn settle(staged: &Path, target: &Path) -> Result<(), Error> {
    let failed = |error| Error::io("copy out to", target, error);
    let is_dir = |path: &Path| fs::symlink_metadata(path).map(|facts| facts.is_dir());
    let meets = match is_dir(target) {
        Ok(theirs) => Some(theirs),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let ours = is_dir(staged).map_err(failed)?;
    match (ours, meets) {
        (true, Some(true)) => {
            for entry in fs::read_dir(staged).map_err(failed)? {
                let name = entry.map_err(failed)?.file_name();
                settle(&staged.join(&name), &target.join(&name))?;
            }
            Ok(())
        }
        (ours, Some(theirs)) if ours != theirs => {
            let kinds = match theirs {
                true => ("directory", "non-directory"),
                false => ("non-directory", "directory"),
            };
            let why = format!("cannot overwrite {} with {}", kinds.0, kinds.1);
            let object = target.display().to_string();
            Err(Error::new(Kind::Conflict, "copy out to", object).because(why))
        }
        _ => fs::rename(staged, target).map_err(failed),
    }
}
