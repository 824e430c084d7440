//! A tmpfs of the container's: its mode, and what it begins with.

use std::os::fd::{AsFd, OwnedFd};

use nix::mount::MsFlags;
use nix::sys::stat::fstat;

use super::fill::reopen;
use crate::common::{Error, Result};
use crate::runtime::plan::MountStep;
use crate::sys::copy;
use crate::sys::mount::{self, attr};

/// Options of a tmpfs at `target`. runc: who asks for no mode gets that of the place, which the
/// image chose for what lies there; a place that was made for the mount is everybody's.
pub(super) fn options(target: &OwnedFd, step: &MountStep, data: &str) -> Result<String> {
    if data.split(',').any(|option| option.starts_with("mode=")) {
        return Ok(data.to_owned());
    }
    let facts = fstat(target);
    let facts = facts.map_err(|errno| Error::errno("look at", &step.target, errno))?;
    let mode = format!("mode={:o}", facts.st_mode & 0o7777);
    Ok(match data {
        "" => mode,
        _ => format!("{data},{mode}"),
    })
}

/// A tmpfs with what the image has at that place, filled before it can be reached: by a name
/// the filling could be led elsewhere.
pub(super) fn mount_filled(
    target: &OwnedFd,
    step: &MountStep,
    data: &str,
    attributes: u64,
) -> Result<()> {
    let failed = |what: String| move |errno| Error::errno(what, &step.target, errno);

    let mut options: Vec<(&str, Option<&str>)> = data
        .split(',')
        .filter(|option| !option.is_empty())
        .map(|option| match option.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (option, None),
        })
        .collect();
    options.push(("source", Some("tmpfs")));
    let tree = mount::new_fs("tmpfs", &options, attributes & !attr::RDONLY)
        .map_err(failed(format!("mount tmpfs with options {data:?} at")))?;
    let filled = || {
        copy::copy_contents(reopen(target)?.as_fd(), reopen(&tree)?.as_fd())?;
        if step.attributes & attr::RDONLY != 0 {
            mount::set_attributes(tree.as_fd(), attr::RDONLY, MsFlags::empty(), false)?;
        }
        mount::attach(tree.as_fd(), target.as_fd())
    };
    filled().map_err(failed("copy image content to".to_owned()))
}
