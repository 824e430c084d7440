//! `WORKDIR`: a directory that is made when it is not there.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode as Permissions, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, Uid, fchown};

use crate::build::job::Answer;
use crate::build::layers::Layers;
use crate::build::state::Piece;
use crate::common::{Error, Mode};
use crate::engine::Engine;
use crate::engine::container::{Ground, in_step, shown};
use crate::engine::worker::Worker;
use crate::runtime::{self, UserRequest};
use crate::store::StepWork;
use crate::sys::file;
use crate::sys::path::Root;
use crate::sys::xattr::{self, OVERRIDE_STAT};

/// Mode of what is made.
const DIRECTORY: u32 = 0o755;

/// Largest file of users that is read.
const MAX_FILE: usize = 1 << 20;

/// Whether a directory is there for sure; one behind a link may be as well.
pub(in crate::build) fn is_there(
    engine: &Engine<'_>,
    layers: &Layers,
    pieces: &[Piece],
    path: &str,
) -> bool {
    let found = shown(engine, layers.paths(engine, pieces), Path::new(path));
    found.is_some_and(|facts| facts.is_dir())
}

/// Starts making the absolute path `path` for `user`, as an image's configuration names one.
///
/// # Errors
/// What making the process gave.
pub(in crate::build) fn start(
    engine: &Engine<'_>,
    work: &StepWork,
    ground: &Ground,
    path: &str,
    user: &str,
) -> Result<Worker<Answer>> {
    let single = engine.mode == Mode::Single;
    in_step(engine, work, ground, |root| {
        make(root, Path::new(path), user, single)
    })
}

fn make(root: &Root, path: &Path, user: &str, single: bool) -> Result<Answer> {
    if let Ok(found) = root.open_path(path) {
        let facts = fstat(&found).map_err(|errno| Error::errno("stat", path, errno))?;
        return match crate::sys::node::is_dir(&facts) {
            true => Ok(Answer::Nothing),
            false => Err(Error::errno("make directory", path, Errno::ENOTDIR).into()),
        };
    }
    let owner = owner(root, user)?;
    let mut so_far = PathBuf::from("/");
    for part in path.components().skip(1) {
        so_far.push(part);
        if root.open_path(&so_far).is_ok() {
            continue;
        }
        let parent = so_far.parent().unwrap_or(Path::new("/"));
        let dir = root.open_path(parent)?;
        let failed = |errno| Error::errno("make directory", &so_far, errno);
        mkdirat(
            &dir,
            part.as_os_str(),
            Permissions::from_bits_truncate(DIRECTORY),
        )
        .map_err(failed)?;
        let made = root.open_file(&so_far, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        fchmod(&made, Permissions::from_bits_truncate(DIRECTORY)).map_err(failed)?;
        give(&made, owner, single).map_err(failed)?;
    }
    Ok(Answer::Made(Vec::new()))
}

fn give(made: &OwnedFd, (uid, gid): (u32, u32), single: bool) -> Result<(), Errno> {
    if single {
        let text = format!("{uid}:{gid}:0{DIRECTORY:o}:dir");
        let existing = xattr::Existing::Replace;
        return xattr::fset(made, OVERRIDE_STAT, text.as_bytes(), existing);
    }
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    fchown(made, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
}

fn owner(root: &Root, user: &str) -> Result<(u32, u32)> {
    let read = |path: &str| {
        let file = root.open_regular(path, OFlag::O_RDONLY).ok();
        let bytes = file.and_then(|(file, _)| {
            file::read_open(&std::fs::File::from(file), Path::new(path), MAX_FILE).ok()
        });
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    let request = UserRequest {
        text: user.to_owned(),
        ..UserRequest::default()
    };
    let found = runtime::find_user(&request, &read("/etc/passwd"), &read("/etc/group"))?;
    Ok((found.uid, found.gid))
}
