//! Which lines an image's passwd and group files get for users that they lack: the caller that
//! keeps its number, a number that was asked for, and users of the host (podman's `--passwd` and
//! its kin).

use std::path::Path;

use anyhow::Result;

use crate::common::{Error, Kind, group_entries, passwd_entries};
use crate::engine::Engine;
use crate::runtime::{HostUser, UserEntry};
use crate::spec::config::{Config, UserNames};
use crate::store::ContainerDir;
use crate::sys::file;

/// Largest file of users that is read: those of large sites have tens of thousands.
const MAX_FILE: usize = 16 << 20;

/// What init is to complete; `None` for nothing. `keep` are the ids of a caller that keeps its own.
pub(super) fn lines(
    engine: &Engine<'_>,
    config: &Config,
    keep: Option<(u32, u32)>,
    dir: &ContainerDir,
) -> Result<Option<UserEntry>> {
    let names = &config.process.names;
    let numbers = names.complete == Some(true) && config.process.user.is_some();
    if names.complete == Some(false) || (keep.is_none() && !numbers && names.host_users.is_empty())
    {
        return Ok(None);
    }
    let own = |(uid, _): (u32, u32)| {
        let name = engine.host.user_name();
        name.map_or_else(|| uid.to_string(), str::to_owned)
    };
    Ok(Some(UserEntry {
        caller: keep.map(own),
        numbers,
        hosts: host_users(&names.host_users)?,
        passwd: names.passwd_entry.clone(),
        group: names.group_entry.clone(),
        dir: dir.path().to_owned(),
    }))
}

/// Refuses users that the host does not have.
pub(super) fn check(names: &UserNames) -> Result<()> {
    host_users(&names.host_users).map(drop)
}

/// Users of the host by name or number.
fn host_users(asked: &[String]) -> Result<Vec<HostUser>> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let read = |path| -> Result<String> {
        let bytes = file::read_bounded(Path::new(path), MAX_FILE)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (users, groups) = (read("/etc/passwd")?, read("/etc/group")?);
    let one = |asked: &String| {
        let number: Option<u32> = asked.parse().ok();
        let found = passwd_entries(&users)
            .find(|entry| entry.name == asked || Some(entry.uid) == number)
            .ok_or_else(|| {
                Error::new(Kind::NotFound, "use --hostuser", asked)
                    .because("the host's /etc/passwd has no such user")
            })?;
        let group = group_entries(&groups).find(|(_, gid, _)| *gid == found.gid);
        Ok(HostUser {
            name: found.name.to_owned(),
            uid: found.uid,
            gid: found.gid,
            comment: found.comment.to_owned(),
            home: found.home.to_owned(),
            group: group.map_or_else(|| found.name.to_owned(), |(name, ..)| name.to_owned()),
        })
    };
    asked.iter().map(one).collect()
}
