//! `container mount` and `unmount`: a container's root at a path of the host, for root.
//!
//! What is mounted is what the mount table says; nothing of it is stored. So a kill at any
//! moment leaves either a mount that `mount` lists and `unmount` and `rm` end, or none.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::mount::MsFlags;
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode as Permissions, stat};

use super::event;
use super::inside::{Process, Source, find_process};
use crate::common::{Error, Kind, Mode};
use crate::engine::Engine;
use crate::engine::worker::{self, Where, Worker};
use crate::store::{ContainerDir, ContainerEntry};
use crate::sys::{file, mount};

/// The mount point in the container's directory.
const PLACE: &str = "merged";

/// How long a container that is just starting or ending is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A container whose root is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Where.
    pub(crate) path: PathBuf,
}

/// Mounts containers' roots; one result for each name, in order.
pub(crate) fn mount(engine: &Engine<'_>, names: &[String]) -> Vec<(String, Result<PathBuf>)> {
    let one = |name: &String| -> Result<PathBuf> {
        allowed(engine, "mount")?;
        let entry = engine.store.containers().find(name)?.entry()?;
        mount_one(engine, &entry)
    };
    names.iter().map(|name| (name.clone(), one(name))).collect()
}

/// Ends such mounts; one result for each name, in order. One that is not mounted is no error.
pub(crate) fn unmount(engine: &Engine<'_>, names: &[String]) -> Vec<(String, Result<String>)> {
    let one = |name: &String| -> Result<String> {
        allowed(engine, "unmount")?;
        let entry = engine.store.containers().find(name)?.entry()?;
        if release(&entry.dir)? {
            event::note(engine, &entry.record, "unmount", &[]);
        }
        Ok(entry.record.id.to_string())
    };
    names.iter().map(|name| (name.clone(), one(name))).collect()
}

/// The containers that are mounted.
pub(crate) fn mounted(engine: &Engine<'_>) -> Result<Vec<Mounted>> {
    allowed(engine, "mount")?;
    let points = mount_points()?;
    let mut found = Vec::new();
    for entry in engine.store.containers().list()?.into_iter().flatten() {
        let path = place(&entry.dir);
        if points.contains(&path) {
            found.push(Mounted {
                id: entry.record.id.to_string(),
                name: entry.record.name.clone(),
                path,
            });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Refuses what would mount the container's root a second time: two overlays on one upper
/// directory show each other's changes halfway.
///
/// # Errors
/// `Conflict` when it is mounted; `name` is the user's word for it.
pub(crate) fn refuse_mounted(dir: &ContainerDir, name: &str) -> Result<()> {
    // There is a mount point only where there is, or was, a mount.
    if !dir.path().join(PLACE).exists() || !mount_points()?.contains(&place(dir)) {
        return Ok(());
    }
    Err(Error::new(Kind::Conflict, "start container", name)
        .because("its root is mounted on the host".to_owned())
        .hint(format!("ketch container unmount {name}"))
        .into())
}

/// Takes the mount of a container away, with what others have mounted in it; whether there was
/// one. Before a container is removed, or started again by its policy.
pub(crate) fn release(dir: &ContainerDir) -> Result<bool> {
    let path = dir.path().join(PLACE);
    let mut any = false;
    loop {
        match mount::detach(&path) {
            Ok(()) => any = true,
            Err(Errno::ENOENT | Errno::EINVAL | Errno::EPERM) => break,
            Err(errno) => return Err(Error::errno("unmount", &path, errno).into()),
        }
    }
    if any {
        let _ = std::fs::remove_dir(&path);
    }
    Ok(any)
}

/// Only root has mounts that others see, be it of a user namespace that they are in (`unshare`).
pub(super) fn is_allowed(engine: &Engine<'_>) -> bool {
    engine.mode == Mode::Root || engine.host.owns_ids()
}

fn allowed(engine: &Engine<'_>, verb: &str) -> Result<()> {
    if is_allowed(engine) {
        return Ok(());
    }
    Err(
        Error::new(Kind::Unsupported, format!("{verb} container"), "")
            .because(
                "without root a mount exists only inside the user namespace that made it"
                    .to_owned(),
            )
            .hint("ketch unshare runs a program inside it; ketch cp and ketch export need no mount")
            .into(),
    )
}

fn place(dir: &ContainerDir) -> PathBuf {
    let path = dir.path();
    path.canonicalize()
        .unwrap_or_else(|_| path.to_owned())
        .join(PLACE)
}

fn mount_one(engine: &Engine<'_>, entry: &ContainerEntry) -> Result<PathBuf> {
    let path = place(&entry.dir);
    if mount_points()?.contains(&path) {
        return Ok(path);
    }
    let deadline = Instant::now() + PATIENCE;
    let lock = loop {
        match entry.dir.lock() {
            Ok(lock) => break Some(lock),
            Err(error) if error.kind() == Kind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(process) = find_process(&entry.dir)? {
            file::make_private_dir(&path)?;
            of_running(engine, &process, &path)?.finish(engine)?;
            break None;
        }
        if Instant::now() > deadline {
            return Err(
                Error::new(Kind::Conflict, "mount container", &entry.record.name)
                    .because("another command is changing it".to_owned())
                    .into(),
            );
        }
        let _ = nix::poll::poll(&mut [], nix::poll::PollTimeout::from(2u16));
    };
    if lock.is_some() {
        file::make_private_dir(&path)?;
        let source = Source::of(engine, entry)?;
        of_stopped(engine, &source, &path)?.finish(engine)?;
    } else if !entry.dir.path().exists() {
        // Removed meanwhile, and moved to the trash with the mount in it.
        return Err(Error::new(Kind::NotFound, "mount container", &entry.record.name).into());
    }
    event::note(engine, &entry.record, "mount", &[]);
    Ok(path)
}

/// A child that mounts the root of a stopped container where nobody sees it, and then a copy of
/// the mount at `path` on the host.
fn of_stopped(engine: &Engine<'_>, source: &Source, path: &Path) -> Result<Worker<()>> {
    let host = own_namespace()?;
    let place = Where {
        namespaces: CloneFlags::CLONE_NEWNS,
        maps: None,
        ours: None,
    };
    worker::spawn(engine, place, |_| {
        mount::set_propagation("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE)
            .map_err(|errno| Error::errno("cut mount propagation of", "/", errno))?;
        let root = source.open()?;
        let tree = copy_of(root.as_fd(), Path::new(""))?;
        drop(root);
        show(&host, tree, path)
    })
}

/// The same with the root of a running one.
fn of_running(engine: &Engine<'_>, process: &Process, path: &Path) -> Result<Worker<()>> {
    let host = own_namespace()?;
    let place = Where {
        namespaces: CloneFlags::empty(),
        maps: None,
        ours: None,
    };
    worker::spawn(engine, place, |_| {
        let identity = |path: &str| {
            let facts = stat(path).map_err(|errno| Error::errno("stat", path, errno))?;
            Ok::<_, Error>((facts.st_dev, facts.st_ino))
        };
        let before = identity("/")?;
        enter(process.mount())?;
        if identity("/")? == before {
            return Err(Error::new(Kind::Conflict, "mount container", "")
                .because("it is still starting".to_owned())
                .hint("try again")
                .into());
        }
        let tree = copy_of(AT_FDCWD, Path::new("/"))?;
        show(&host, tree, path)
    })
}

fn own_namespace() -> Result<File> {
    File::open("/proc/self/ns/mnt").context("open mount namespace")
}

fn enter(namespace: &File) -> Result<()> {
    setns(namespace, CloneFlags::CLONE_NEWNS)
        .map_err(|errno| Error::errno("join namespace", "mnt", errno).into())
}

fn copy_of(base: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    mount::clone_tree(base, path, false)
        .map_err(|errno| Error::errno("copy mount of", "the container's root", errno).into())
}

/// Goes back to the host's mounts and attaches the copy there.
fn show(host: &File, tree: OwnedFd, path: &Path) -> Result<()> {
    enter(host)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let target = nix::fcntl::open(path, flags, Permissions::empty())
        .map_err(|errno| Error::errno("open", path, errno))?;
    Ok(mount::attach(tree.as_fd(), target.as_fd())
        .map_err(|errno| Error::errno("mount at", path, errno))?)
}

/// Mount points of this mount namespace (proc_pid_mountinfo(5), field 5).
fn mount_points() -> Result<Vec<PathBuf>> {
    let text = file::read_kernel("/proc/self/mountinfo").context("read mount table")?;
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|field| PathBuf::from(OsString::from_vec(unescaped(field))))
        .collect())
}

/// Blanks and backslashes are three octal digits there.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let digits = (*first == b'\\').then(|| behind.get(..3)).flatten();
        let number = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match number {
            Some(byte) => {
                text.push(byte);
                rest = &behind[3..];
            }
            None => {
                text.push(*first);
                rest = behind;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_with_blanks_are_read() {
        assert_eq!(unescaped(b"/a\\040b\\134c"), b"/a b\\c");
        assert_eq!(unescaped(b"/a\\9x\\"), b"/a\\9x\\");
        assert!(mount_points().unwrap().contains(&PathBuf::from("/proc")));
    }
}
