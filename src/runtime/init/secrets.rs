//! Secret files: a tmpfs at `/run/secrets`, so that no disk ever holds them for the container.

use std::io::Write;
use std::os::fd::AsFd;

use nix::fcntl::{OFlag, openat};
use nix::mount::MsFlags;
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, fchown};

use super::Init;
use crate::common::{Error, Result};
use crate::runtime::plan::SecretFile;
use crate::sys::mount;

/// podman's and docker's place.
const PLACE: &str = "/run/secrets";

/// Makes the files of the plan.
pub(super) fn place(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    if plan.secrets.is_empty() {
        return Ok(());
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let target = init.root()?.make_dirs(PLACE, 0o755)?;
    mount::mount_fs("tmpfs", "tmpfs", target.as_fd(), flags, Some("mode=755"))
        .map_err(|errno| Error::errno("mount tmpfs at", PLACE, errno))?;
    let dir = init.root()?.open_path(PLACE)?;
    for (index, secret) in plan.secrets.iter().enumerate() {
        let failed = |errno| Error::errno("make secret", &secret.target, errno);
        let elsewhere = secret.target.starts_with('/');
        let name = match elsewhere {
            true => format!(".{index}"),
            false => secret.target.clone(),
        };
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let made = openat(&dir, name.as_str(), flags, Mode::empty()).map_err(failed)?;
        let mut file = std::fs::File::from(made);
        file.write_all(&secret.data)
            .map_err(|error| Error::io("write secret", &secret.target, error))?;
        give(init, &file, secret)?;
        fchmod(&file, Mode::from_bits_truncate(secret.mode)).map_err(failed)?;
        if elsewhere {
            let source = openat(
                &dir,
                name.as_str(),
                OFlag::O_PATH | OFlag::O_CLOEXEC,
                Mode::empty(),
            )
            .map_err(failed)?;
            let target = init.root()?.make_file(&secret.target, 0o644)?;
            mount::bind_classic(source.as_fd(), target.as_fd(), false).map_err(failed)?;
        }
    }
    Ok(())
}

/// Gives a file to its owner; with one mapped id there is no other.
fn give(init: &Init<'_>, file: &std::fs::File, secret: &SecretFile) -> Result<()> {
    let (uid, gid) = secret.owner;
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    match fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
        Err(errno) if init.plan.process.user.single_id => {
            init.warn(format!(
                "--secret {}: it cannot belong to {uid}:{gid}, as the container has one id ({})",
                secret.target,
                errno.desc()
            ));
            Ok(())
        }
        other => other.map_err(|errno| Error::errno("give away secret", &secret.target, errno)),
    }
}
