//! `--rootfs /` in a user namespace: the host's root, put together from its directories.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::mount::MsFlags;
use nix::sys::stat::Mode;

use crate::common::{Error, Result};
use crate::runtime::plan::Overlay;
use crate::sys::mount::{self, attr};

/// Directories every container gets anew.
const OWN: [&str; 3] = ["dev", "proc", "sys"];

/// Builds the root on the container's tmpfs: links are copied, a directory becomes an overlay
/// of its own, and one with mounts of the host in it is shown read-only.
pub(super) fn assemble(overlay: &Overlay, target: &Path) -> Result<()> {
    let entries = std::fs::read_dir("/").map_err(|error| Error::io("list", "/", error))?;
    for entry in entries.flatten() {
        let (source, place) = (entry.path(), target.join(entry.file_name()));
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_symlink() {
            let link = std::fs::read_link(&source)
                .map_err(|error| Error::io("read link", &source, error))?;
            std::os::unix::fs::symlink(link, &place)
                .map_err(|error| Error::io("make link", &place, error))?;
        } else if kind.is_dir() {
            std::fs::create_dir(&place)
                .map_err(|error| Error::io("make directory", &place, error))?;
            let name = entry.file_name();
            if !OWN.iter().any(|own| name == *own) {
                show(overlay, &source, &place)?;
            }
        }
    }
    mount::bind_onto_itself(target).map_err(|errno| Error::errno("bind", target, errno))
}

fn show(overlay: &Overlay, source: &Path, place: &Path) -> Result<()> {
    let name = place.file_name().map(PathBuf::from).unwrap_or_default();
    let (upper, work) = (
        overlay.container.join("upper").join(&name),
        overlay.container.join("work").join(&name),
    );
    for dir in [&upper, &work] {
        std::fs::create_dir_all(dir).map_err(|error| Error::io("make directory", dir, error))?;
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={},userxattr",
        source.display(),
        upper.display(),
        work.display()
    );
    match mount::mount_at(
        "overlay",
        "overlay",
        place,
        MsFlags::empty(),
        Some(&options),
    ) {
        Ok(()) => Ok(()),
        Err(Errno::EINVAL | Errno::EPERM | Errno::EACCES) => bind_read_only(source, place),
        Err(errno) => Err(Error::errno("mount overlay at", place, errno)),
    }
}

fn bind_read_only(source: &Path, place: &Path) -> Result<()> {
    let failed = |errno| Error::errno("bind", source, errno);
    let tree = mount::clone_tree(AT_FDCWD, source, true).map_err(failed)?;
    mount::set_attributes(tree.as_fd(), attr::RDONLY, MsFlags::empty(), true).map_err(failed)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let onto = nix::fcntl::open(place, flags, Mode::empty()).map_err(failed)?;
    mount::attach(tree.as_fd(), onto.as_fd()).map_err(failed)
}
