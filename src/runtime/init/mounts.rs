//! The mounts of the specification.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::mount::MsFlags;
use nix::sys::stat::{Mode, SFlag, fstat};

use super::fill::fill;
use super::{Init, is_new, tmpfs};
use crate::common::{Error, Kind, Result};
use crate::runtime::plan::{MountStep, Source};
use crate::sys::mount::{self, attr};
use crate::sys::path::{Links, Root};
use crate::sys::{copy, descriptor};

/// A bind source that has been opened.
pub(super) struct BoundSource {
    /// A detached copy of the mount, or without open_tree(2) the object itself.
    object: OwnedFd,
    detached: bool,
    is_dir: bool,
    is_device: bool,
    /// Held while the source is filled: the directory around it, which no container sees.
    around: Option<OwnedFd>,
}

/// Opens what the caller may reach before this process becomes someone else: a directory that
/// only root or a group of the caller enters is closed to the container's root.
pub(super) fn open_as_caller(init: &mut Init<'_>) -> Result<()> {
    if let Some(trees) = &init.trees {
        init.places = trees.places()?;
    }
    for step in &init.plan.mounts {
        let source = match &step.source {
            // Its own files are to be seen with their owners mapped.
            Source::Bind { path, .. } if init.own(path) != *path => None,
            Source::Bind {
                path, recursive, ..
            } => match open_for(init, step, path, *recursive) {
                Ok(source) => Some(source),
                // What belongs to ids of the container only its root can reach.
                Err(error) if error.kind() == Kind::Denied => None,
                Err(error) => return Err(error),
            },
            Source::New { .. } if step.target == "/dev/shm" => init.memory.take().map(|object| {
                // Another container's in place of one of its own.
                BoundSource {
                    object,
                    detached: true,
                    is_dir: true,
                    is_device: false,
                    around: None,
                }
            }),
            Source::New { .. } => None,
        };
        init.sources.push(source);
    }
    Ok(())
}

/// Opens one source: a volume whose owners the kernel maps by the copy that was made for it.
fn open_for(
    init: &Init<'_>,
    step: &MountStep,
    path: &Path,
    recursive: bool,
) -> Result<BoundSource> {
    let mapped = init.trees.as_ref();
    if step.id_map && mapped.is_none() && init.plan.maps.is_some() {
        let why = "this container's root file system has no owners that the kernel maps";
        return Err(Error::new(
            Kind::Unsupported,
            "map the owners of",
            path.display().to_string(),
        )
        .because(why));
    }
    let mapped = mapped.filter(|_| step.volume || step.id_map);
    let mut source = match mapped.and_then(|trees| trees.volume(path, step.subpath.as_deref())) {
        Some(copy) => BoundSource {
            object: copy?,
            detached: true,
            is_dir: true,
            is_device: false,
            around: None,
        },
        None => match &step.subpath {
            Some(below) => BoundSource {
                object: subtree(path, below)?,
                detached: true,
                is_dir: false,
                is_device: false,
                around: None,
            },
            None => open_any(path, recursive, init.is_own_file(path))?,
        },
    };
    if step.subpath.is_some() || step.id_map {
        let facts = fstat(&source.object).map_err(|errno| Error::errno("stat", path, errno))?;
        source.is_dir = crate::sys::node::is_dir(&facts);
    }
    if step.fill
        && let Some(parent) = path.parent()
    {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        source.around = nix::fcntl::open(parent, flags, Mode::empty()).ok();
    }
    Ok(source)
}

/// A detached copy of what lies at `below` in a volume. Containers write there, so that no link
/// may lead out of it.
pub(in crate::runtime) fn subtree(volume: &Path, below: &Path) -> Result<OwnedFd> {
    let found = Root::open(volume)?.open_path(below).map_err(|error| {
        error.hint("make the directory in the volume first, with a container that has all of it")
    })?;
    mount::clone_tree(found.as_fd(), Path::new(""), false)
        .map_err(|errno| Error::errno("bind subpath", below, errno))
}

/// Opens every other bind source while the host's mounts still have their propagation.
pub(super) fn open_sources(init: &mut Init<'_>) -> Result<()> {
    for (index, step) in init.plan.mounts.iter().enumerate() {
        if let Source::Bind {
            path, recursive, ..
        } = &step.source
            && init.sources.get(index).is_some_and(Option::is_none)
        {
            init.sources[index] = Some(open_for(init, step, &init.own(path), *recursive)?);
        }
    }
    Ok(())
}

pub(super) fn open_source(path: &Path, recursive: bool) -> Result<BoundSource> {
    open_any(path, recursive, false)
}

/// As [`open_source`]; `is_file` says that nothing else can be there.
fn open_any(path: &Path, recursive: bool, is_file: bool) -> Result<BoundSource> {
    let failed = |errno| Error::errno("bind", path, errno);
    let (object, detached) = match mount::clone_tree(AT_FDCWD, path, recursive) {
        Ok(tree) => (tree, true),
        Err(Errno::ENOSYS | Errno::EPERM) => {
            let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
            (
                nix::fcntl::open(path, flags, Mode::empty()).map_err(failed)?,
                false,
            )
        }
        // A bind of one mount whose submounts are locked has to take them along
        // (mount_namespaces(7)).
        Err(Errno::EINVAL) if !recursive => (
            mount::clone_tree(AT_FDCWD, path, true).map_err(failed)?,
            true,
        ),
        Err(errno) => return Err(failed(errno)),
    };
    let kind = match is_file {
        true => SFlag::S_IFREG,
        false => {
            let stat = fstat(&object).map_err(failed)?;
            SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits())
        }
    };
    Ok(BoundSource {
        object,
        detached,
        is_dir: kind == SFlag::S_IFDIR,
        is_device: kind == SFlag::S_IFCHR || kind == SFlag::S_IFBLK,
        around: None,
    })
}

/// Makes all mounts in order.
pub(super) fn mount_all(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    for (index, step) in plan.mounts.iter().enumerate() {
        let source = init.sources.get_mut(index).and_then(Option::take);
        match (&step.source, source) {
            (
                Source::New {
                    fstype,
                    data,
                    copy_up,
                },
                None,
            ) => mount_new(init, step, fstype, data, *copy_up)?,
            (
                Source::Bind {
                    overlay: Some(own), ..
                },
                Some(source),
            ) => {
                init.forget_fresh(&step.target);
                over(init, step, &source, &init.own(own))?;
            }
            (_, Some(mut source)) => {
                init.forget_fresh(&step.target);
                if step.fill && source.is_dir {
                    let around = source.around.take().map(std::fs::File::from);
                    // A container with ids of its own has no right over the volume.
                    let may_give = step.give && init.trees.is_none();
                    let is_bare = may_give && init.root()?.open_path(&step.target).is_err();
                    let target = target_dir(init.root()?, step)?;
                    if fill(&target, &source.object, around.as_ref(), &step.target)? && is_bare {
                        init.unowned.push(&step.target);
                    }
                }
                let target = bind(init.root()?, step, &source, forced(init, step, &source))?;
                init.spend(target);
                init.spend(source.object);
            }
            (Source::Bind { path, .. }, None) => {
                return Err(Error::new(Kind::Bug, "bind", path.display().to_string()));
            }
        }
    }
    Ok(())
}

/// The directory a mount goes onto. proc, sysfs and /dev must not be reached through a link:
/// an image could lead them elsewhere and leave their usual place unguarded (CVE-2023-28642).
fn target_dir(root: &Root, step: &MountStep) -> Result<OwnedFd> {
    let guarded = ["proc", "sysfs"].iter().any(|fs| is_new(&step.source, fs))
        || matches!(step.target.as_str(), "/dev" | "/proc" | "/sys");
    if guarded {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        match root.lookup(Path::new(&step.target), flags, Links::FollowParents) {
            Ok(fd) => return Ok(fd),
            Err(Errno::ENOENT) => {}
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                let error = Error::new(Kind::Corrupt, "mount at", step.target.clone());
                return Err(
                    error.because("the image has something else than a directory there".to_owned())
                );
            }
            Err(errno) => return Err(Error::errno("open", &step.target, errno)),
        }
    }
    if is_new(&step.source, "tmpfs") {
        let parent = Path::new(&step.target).parent();
        root.make_dirs(parent.unwrap_or(Path::new("/")), 0o755)?;
        return root.make_dirs(&step.target, 0o1777);
    }
    root.make_dirs(&step.target, 0o755)
}

fn mount_new(
    init: &mut Init<'_>,
    step: &MountStep,
    fstype: &str,
    data: &str,
    copy_up: bool,
) -> Result<()> {
    let mut flags = ms_flags(step.attributes);
    // Nobody makes nodes in a devpts, and those it has itself must work.
    if init.plan.guard_devices && fstype != "devpts" {
        flags |= MsFlags::MS_NODEV;
    }
    if !copy_up && let Some((dir, name)) = init.made_place(&step.target) {
        let place = format!("{}/{name}", descriptor::path_of(dir));
        let options = Some(data).filter(|data| !data.is_empty());
        // What goes wrong is said by the way below.
        if mount::mount_at(fstype, fstype, place.as_ref(), flags, options).is_ok() {
            return Ok(());
        }
    }
    let target = target_dir(init.root()?, step)?;
    init.forget_fresh(&step.target);
    let data = &match fstype {
        "tmpfs" => tmpfs::options(&target, step, data)?,
        _ => data.to_owned(),
    };
    if copy_up {
        let guard = if init.plan.guard_devices {
            attr::NODEV
        } else {
            0
        };
        return tmpfs::mount_filled(&target, step, data, step.attributes | guard);
    }
    let options = Some(data.as_str()).filter(|data| !data.is_empty());
    match mount::mount_fs(fstype, fstype, target.as_fd(), flags, options) {
        Ok(()) => {}
        // mount(2) puts no file system on top of itself, and a bind of the host's /sys brings its
        // cgroup2 along; a detached instance may go there.
        Err(Errno::EBUSY) if data.is_empty() => {
            let failed = |errno| Error::errno(format!("mount {fstype} at"), &step.target, errno);
            let tree = mount::new_fs(fstype, &[], step.attributes).map_err(failed)?;
            mount::attach(tree.as_fd(), target.as_fd()).map_err(failed)?;
        }
        // Inside another container the host's proc or sysfs is partly covered, and the kernel
        // refuses a fresh one that would show what lies beneath.
        Err(Errno::EPERM) if matches!(fstype, "proc" | "sysfs") && init.plan.maps.is_some() => {
            let path = if fstype == "proc" { "/proc" } else { "/sys" };
            init.warn(format!(
                "{path} is the caller's: the kernel allows no new {fstype} here (nested container)"
            ));
            let source = open_source(Path::new(path), true)?;
            bind(init.root()?, step, &source, attr::NOSUID)?;
        }
        Err(errno) => {
            return Err(Error::errno(
                format!("mount {fstype} at"),
                &step.target,
                errno,
            ));
        }
    }
    init.remember_fresh(step, fstype);
    Ok(())
}

/// Attributes that a bind mount gets whatever was asked.
fn forced(init: &Init<'_>, step: &MountStep, source: &BoundSource) -> u64 {
    // A set-uid file of the host has no business in an unprivileged container, and the kernel
    // would refuse to lift the flag anyway.
    if init.plan.maps.is_some() {
        return attr::NOSUID;
    }
    let asks_for_devices = match &step.source {
        // `-v /dev/null:/etc/motd` and `-v /dev/dri:/dev/dri` mean the devices.
        Source::Bind { path, .. } => path.starts_with("/dev") || source.is_device,
        Source::New { .. } => false,
    };
    if init.plan.guard_devices && !asks_for_devices {
        attr::NODEV
    } else {
        0
    }
}

/// Binds a source and returns what it went onto.
pub(super) fn bind(
    root: &Root,
    step: &MountStep,
    source: &BoundSource,
    forced: u64,
) -> Result<OwnedFd> {
    let failed = |errno| Error::errno("bind onto", &step.target, errno);
    let target = if source.is_dir {
        target_dir(root, step)?
    } else {
        root.make_file(&step.target, 0o644)?
    };
    if !source.detached {
        mount::bind_classic(source.object.as_fd(), target.as_fd(), true).map_err(failed)?;
        let placed = root.open_path(&step.target)?;
        set_classic(placed.as_fd(), step, forced).map_err(failed)?;
        return Ok(target);
    }
    apply_attributes(source.object.as_fd(), step, forced, !source.is_dir).map_err(failed)?;
    mount::attach(source.object.as_fd(), target.as_fd()).map_err(failed)?;
    Ok(target)
}

/// Mounts a directory of the host under an overlay, so that what the container changes stays
/// with the container.
fn over(init: &Init<'_>, step: &MountStep, source: &BoundSource, own: &Path) -> Result<()> {
    let failed = |errno| Error::errno("mount overlay at", &step.target, errno);
    let target = target_dir(init.root()?, step)?;
    // An overlay needs a lower directory that is attached; the target lends its place first.
    mount::attach(source.object.as_fd(), target.as_fd()).map_err(failed)?;
    let lower = init.root()?.open_path(&step.target)?;
    let options = format!(
        "lowerdir={},upperdir={},workdir={}{}",
        descriptor::path_of(lower.as_fd()),
        own.join("upper").display(),
        own.join("work").display(),
        if init.plan.maps.is_none() {
            ""
        } else {
            ",userxattr"
        }
    );
    let guard = if init.plan.guard_devices {
        MsFlags::MS_NODEV
    } else {
        MsFlags::empty()
    };
    mount::mount_fs(
        "overlay",
        "overlay",
        lower.as_fd(),
        ms_flags(step.attributes) | guard,
        Some(&options),
    )
    .map_err(failed)
}

/// Gives what was mounted with `U` to the payload's user, and new volumes that are to be.
pub(super) fn give_to_user(init: &mut Init<'_>) -> Result<()> {
    // With one mapped id everything is the user's already.
    if init.plan.process.user.single_id {
        return Ok(());
    }
    let (uid, gid) = (init.user.uid, init.user.gid);
    let asked = init.plan.mounts.iter().filter(|step| step.chown);
    let asked = asked.map(|step| step.target.as_str());
    for target in init.unowned.iter().copied().chain(asked) {
        let root = init.root()?;
        copy::give_tree(root.open_path(target)?, uid, gid).map_err(|errno| {
            let error = Error::errno("give to the container's user", target, errno);
            if init.trees.is_some() {
                return error.hint("a container with ids of its own has no right over the host's; change the owner on the host");
            }
            error
        })?;
    }
    Ok(())
}

/// Attributes and propagation of a detached tree, before anyone can reach it.
fn apply_attributes(
    tree: BorrowedFd<'_>,
    step: &MountStep,
    forced: u64,
    is_file: bool,
) -> std::result::Result<(), Errno> {
    let attributes = step.attributes | forced;
    let propagation = if step.propagation.is_empty() {
        MsFlags::MS_PRIVATE | MsFlags::MS_REC
    } else {
        step.propagation
    };
    let recursive = propagation.contains(MsFlags::MS_REC);
    let propagation = propagation - MsFlags::MS_REC;
    // Nothing is mounted below a file, so that one call says it all.
    if is_file && mount::set_attributes(tree, attributes, propagation, false).is_ok() {
        return Ok(());
    }
    mount::set_attributes(tree, 0, propagation, recursive)?;
    if attributes != 0 {
        let all = step.recursive_attributes || attributes & (attr::RDONLY | attr::NODEV) != 0;
        match mount::set_attributes(tree, attributes, MsFlags::empty(), all) {
            // A submount that cannot take the flag must not keep the mount itself from it.
            Err(Errno::EPERM | Errno::EINVAL) if all && !step.recursive_attributes => {
                mount::set_attributes(tree, attributes, MsFlags::empty(), false)?;
            }
            other => other?,
        }
    }
    Ok(())
}

fn set_classic(
    target: BorrowedFd<'_>,
    step: &MountStep,
    forced: u64,
) -> std::result::Result<(), Errno> {
    if !step.propagation.is_empty() {
        mount::set_propagation(&descriptor::path_of(target), step.propagation)?;
    }
    let attributes = step.attributes | forced;
    if attributes != 0 {
        mount::remount_classic(target, ms_flags(attributes))?;
    }
    Ok(())
}

/// Attributes as flags of mount(2).
fn ms_flags(attributes: u64) -> MsFlags {
    [
        (attr::RDONLY, MsFlags::MS_RDONLY),
        (attr::NOSUID, MsFlags::MS_NOSUID),
        (attr::NODEV, MsFlags::MS_NODEV),
        (attr::NOEXEC, MsFlags::MS_NOEXEC),
    ]
    .into_iter()
    .filter(|(bit, _)| attributes & bit != 0)
    .fold(MsFlags::empty(), |flags, (_, flag)| flags | flag)
}
