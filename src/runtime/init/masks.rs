//! Hidden paths, read-only paths and kernel parameters.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::mount::MsFlags;
use nix::sys::stat::{FileStat, SFlag, fstat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::fresh::is_absent;
use super::{Init, devices};
use crate::common::{Error, Kind, Result};
use crate::sys::mount::{self, attr};

/// Hides masked paths: a file behind a verified null device, a directory behind an empty
/// tmpfs; then makes the others read-only. Paths that do not exist need no hiding.
pub(super) fn mask(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    let mut covers = Covers::default();
    for path in &plan.masked {
        let failed = |errno| Error::errno("hide", path, errno);
        if let Some((dir, name)) = init.in_kernel_fs(path) {
            match covers.put_at(dir, name) {
                Ok(()) => continue,
                Err(errno) if is_absent(errno) => continue,
                // Whatever is odd about it goes the long way.
                Err(_) => {}
            }
        }
        let Some(target) = existing(init.root()?.open_path(path))? else {
            continue;
        };
        let stat = fstat(&target).map_err(failed)?;
        if !covers.put(&stat, &|tree| mount::attach(tree, target.as_fd())) {
            cover_classic(&stat, target.as_fd()).map_err(failed)?;
        }
    }
    for path in &plan.read_only_paths {
        if let Some((dir, name)) = init.in_kernel_fs(path) {
            match read_only_copy(mount::clone_child(dir, name, true))
                .and_then(|tree| mount::attach_at(tree.as_fd(), dir, name).map(|()| tree))
            {
                Ok(tree) => {
                    covers.spent.push(tree);
                    continue;
                }
                Err(errno) if is_absent(errno) => continue,
                Err(_) => {}
            }
        }
        let Some(target) = existing(init.root()?.open_path(path))? else {
            continue;
        };
        make_read_only(&target).map_err(|errno| Error::errno("make read-only", path, errno))?;
    }
    covers.done().into_iter().for_each(|tree| init.spend(tree));
    Ok(())
}

/// What hides files and directories: the first of each kind is made, further ones are clones of
/// it, at a fifth of the cost.
#[derive(Default)]
struct Covers {
    files: Kept,
    dirs: Kept,
    /// Copies of read-only paths.
    spent: Vec<OwnedFd>,
}

/// The covers of one kind.
#[derive(Default)]
struct Kept {
    placed: Vec<OwnedFd>,
    /// One that went nowhere.
    ready: Option<OwnedFd>,
}

/// Last parts of the directories that docker masks; a wrong guess costs a call.
const DIRECTORIES: [&str; 7] = [
    "acpi", "asound", "scsi", "firmware", "powercap", "selinux", "block",
];

type Attach<'a> = &'a dyn Fn(BorrowedFd<'_>) -> std::result::Result<(), Errno>;

impl Covers {
    /// Hides a name without asking first what it is: the kernel refuses a cover of the wrong kind.
    fn put_at(&mut self, dir: BorrowedFd<'_>, name: &str) -> std::result::Result<(), Errno> {
        let is_dir = DIRECTORIES.iter().any(|known| name.ends_with(known));
        let attach: Attach<'_> = &|tree| mount::attach_at(tree, dir, name);
        match self.of(is_dir, attach) {
            Err(errno) if !is_absent(errno) => self.of(!is_dir, attach),
            other => other,
        }
    }

    /// Has a cover of the right kind attached; false when that did not work, with a kernel older
    /// than detached mounts for one.
    fn put(&mut self, stat: &FileStat, attach: Attach<'_>) -> bool {
        match kind(stat) {
            SFlag::S_IFLNK => false,
            kind => self.of(kind == SFlag::S_IFDIR, attach).is_ok(),
        }
    }

    fn of(&mut self, is_dir: bool, attach: Attach<'_>) -> std::result::Result<(), Errno> {
        let kept = match is_dir {
            true => &mut self.dirs,
            false => &mut self.files,
        };
        let tree = match (kept.ready.take(), kept.placed.first()) {
            (Some(tree), _) => tree,
            (None, Some(first)) => mount::clone_tree(first.as_fd(), Path::new(""), false)?,
            (None, None) if is_dir => devices::empty_tmpfs()?,
            (None, None) => devices::clone_device("/dev/null", 1, 3)?,
        };
        let attached = attach(tree.as_fd());
        match attached {
            Ok(()) => kept.placed.push(tree),
            Err(_) => kept.ready = Some(tree),
        }
        attached
    }

    fn done(self) -> Vec<OwnedFd> {
        let kept = [self.files, self.dirs].into_iter();
        let covers = kept.flat_map(|kept| kept.placed.into_iter().chain(kept.ready));
        covers.chain(self.spent).collect()
    }
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits())
}

/// Hides with mount(2) alone.
fn cover_classic(stat: &FileStat, target: BorrowedFd<'_>) -> std::result::Result<(), Errno> {
    if kind(stat) == SFlag::S_IFDIR {
        return devices::empty_tmpfs_classic(target);
    }
    let null = devices::open_device(Path::new("/dev/null"), 1, 3).map_err(|_| Errno::ENODEV)?;
    devices::bind_device(null.as_fd(), target)
}

/// The read-only flag for a copied tree, before anyone can reach it.
fn read_only_copy(
    tree: std::result::Result<OwnedFd, Errno>,
) -> std::result::Result<OwnedFd, Errno> {
    let tree = tree?;
    mount::set_attributes(tree.as_fd(), attr::RDONLY, MsFlags::empty(), true)?;
    Ok(tree)
}

/// Binds a path onto itself with the read-only flag.
fn make_read_only(target: &OwnedFd) -> std::result::Result<(), Errno> {
    match read_only_copy(mount::clone_tree(target.as_fd(), Path::new(""), true)) {
        Ok(tree) => mount::attach(tree.as_fd(), target.as_fd()),
        Err(_) => {
            mount::bind_classic(target.as_fd(), target.as_fd(), true)?;
            mount::remount_classic(target.as_fd(), MsFlags::MS_RDONLY)
        }
    }
}

fn existing(opened: Result<OwnedFd>) -> Result<Option<OwnedFd>> {
    match opened {
        Ok(fd) => Ok(Some(fd)),
        Err(error)
            if error.kind() == Kind::NotFound
                || error.raw_os_error() == Some(libc::ENOTDIR)
                || error.kind() == Kind::Denied =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Writes kernel parameters through the container's own proc, and only if it is one: an image
/// must not be able to receive or redirect the write (CVE-2025-52881).
pub(super) fn write_sysctls(init: &mut Init<'_>) -> Result<()> {
    let root = init.root()?;
    for (name, value) in &init.plan.sysctls {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let file = root.open_file(&path, OFlag::O_WRONLY)?;
        let kind = fstatfs(&file).map_err(|errno| Error::errno("stat", &path, errno))?;
        if kind.filesystem_type() != PROC_SUPER_MAGIC {
            return Err(
                Error::new(Kind::Corrupt, "set kernel parameter", name.clone())
                    .because("/proc/sys is not the kernel's".to_owned()),
            );
        }
        nix::unistd::write(&file, value.as_bytes()).map_err(|errno| {
            Error::errno("set kernel parameter", format!("{name}={value}"), errno)
        })?;
    }
    Ok(())
}
