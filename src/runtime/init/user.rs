//! Who the payload is: `user[:group]` against the image's own passwd and group files.
//!
//! Runs behind the pivot, so that every link in the image resolves inside it. The files are a
//! stranger's: only regular ones of a sane size are read, whole numbers are parsed as such.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::OFlag;

use super::Init;
use crate::common::{Error, Kind, Result, group_entries, passwd_entries};
use crate::runtime::message::{FromInit, ResolvedUser};
use crate::runtime::plan::UserRequest;
use crate::sys::file;
use crate::sys::path::Root;

/// Largest passwd or group file that is read.
const MAX_FILE: u64 = 1 << 20;

/// docker's largest id (libcontainer's `maxID`): the kernel has more, but -1 and its
/// neighbours have meanings of their own.
const MAX_ID: u32 = i32::MAX as u32;

/// Resolves the user and tells the parent.
pub(super) fn resolve(init: &mut Init<'_>) -> Result<()> {
    let root = init.root()?;
    let passwd = read(root, "/etc/passwd");
    let group = read(root, "/etc/group");
    init.user = find(&init.plan.process.user, &passwd, &group)?;
    init.tell(&FromInit::User(init.user.clone()), None);
    Ok(())
}

/// Content of a file, empty when it is missing or not a plain file (a fifo would hang us:
/// CVE-2024-9676; a link of /proc would lead to a file that ketch has open).
fn read(root: &Root, path: &str) -> String {
    let file = root.open_regular(path, OFlag::O_RDONLY);
    let bytes = file.ok().and_then(content).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Bytes of an open regular file of that length; `None` unless it is of a sane size.
pub(super) fn content((file, length): (OwnedFd, u64)) -> Option<Vec<u8>> {
    if length > MAX_FILE {
        return None;
    }
    let name = Path::new("an image's file");
    file::read_open(&File::from(file), name, MAX_FILE as usize).ok()
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn number(text: &str) -> Option<u32> {
    is_digits(text)
        .then(|| text.parse().ok())
        .flatten()
        .filter(|id| *id <= MAX_ID)
}

/// Resolves a request with the texts of the image's passwd and group files.
///
/// # Errors
/// `NotFound` or `Usage` for a user that they lack, or that is none.
pub(crate) fn find(request: &UserRequest, passwd: &str, group: &str) -> Result<ResolvedUser> {
    let (user, group_text) = match request.text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (request.text.as_str(), None),
    };
    let mut found = ResolvedUser {
        home: "/".to_owned(),
        ..ResolvedUser::default()
    };
    let entry = match (user, request.default_ids) {
        ("", Some((uid, gid))) => {
            (found.uid, found.gid) = (uid, gid);
            passwd_entries(passwd).find(|entry| entry.uid == uid)
        }
        ("", None) => passwd_entries(passwd).find(|entry| entry.uid == 0),
        // docker: digits are a number, whatever names the image made up (CVE-2016-3697).
        _ if is_digits(user) => {
            number(user).and_then(|uid| passwd_entries(passwd).find(|e| e.uid == uid))
        }
        _ => passwd_entries(passwd).find(|entry| entry.name == user),
    };
    match (&entry, number(user)) {
        (Some(entry), _) if !user.is_empty() => (found.uid, found.gid) = (entry.uid, entry.gid),
        (None, Some(uid)) => found.uid = uid,
        (None, None) if !user.is_empty() => {
            return Err(missing("user", user, "no matching entries in passwd file"));
        }
        _ => {}
    }
    let mut name = None;
    if let Some(entry) = &entry {
        name = Some(entry.name);
        if !entry.home.is_empty() {
            found.home = entry.home.to_owned();
        }
    }
    match group_text {
        Some(text) if !text.is_empty() => found.gid = find_group(text, group)?,
        _ => {
            let member = |members: &str| {
                name.is_some_and(|name| members.split(',').any(|m| m.trim() == name))
            };
            found.groups = group_entries(group)
                .filter(|(_, gid, members)| member(members) && *gid != found.gid)
                .map(|g| g.1)
                .collect();
        }
    }
    // setresuid(2) takes the largest number as "leave it": the payload would stay what it is.
    let largest = found.groups.iter().copied().max().unwrap_or_default();
    if found.uid > MAX_ID || found.gid.max(largest) > MAX_ID {
        return Err(missing("user", user, "its number is out of range"));
    }
    for extra in &request.groups {
        let gid = find_group(extra, group)?;
        if !found.groups.contains(&gid) {
            found.groups.push(gid);
        }
    }
    // As docker since CVE-2022-36109: else a payload could lose its own group by setgid, and
    // with it what a file denies to that group.
    if !found.groups.contains(&found.gid) {
        found.groups.insert(0, found.gid);
    }
    Ok(found)
}

fn find_group(text: &str, group: &str) -> Result<u32> {
    let named = || group_entries(group).find(|(name, _, _)| *name == text);
    let found = if is_digits(text) {
        number(text)
    } else {
        named().map(|(_, gid, _)| gid)
    };
    found
        .filter(|gid| *gid <= MAX_ID)
        .ok_or_else(|| missing("group", text, "no matching entries in group file"))
}

fn missing(what: &str, name: &str, why: &str) -> Error {
    Error::new(Kind::NotFound, format!("find {what}"), name).because(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\nbroken\nbig:x:99999999999:1::/:\nstay:x:5:4294967295::/:\nkeep:x:4294967295:5::/:\nloud:x:6:6::/:\n33:x:0:0::/:\n";
    const GROUP: &str =
        "root:x:0:\nwww:x:33:web\nvideo:x:44:root,web\nodd:x:4294967295:loud\n44:x:0:\n";

    fn ask(text: &str) -> Result<ResolvedUser> {
        find(
            &UserRequest {
                text: text.to_owned(),
                ..UserRequest::default()
            },
            PASSWD,
            GROUP,
        )
    }

    #[test]
    fn names_numbers_and_groups_resolve_as_docker_does() {
        let root = ask("").unwrap();
        assert_eq!((root.uid, root.gid, root.home.as_str()), (0, 0, "/root"));
        let web = ask("web").unwrap();
        assert_eq!((web.uid, web.gid, web.groups), (33, 33, vec![33, 44]));
        let mixed = ask("33:video").unwrap();
        assert_eq!((mixed.uid, mixed.gid, mixed.groups), (33, 44, vec![44]));
        let unknown = ask("4242").unwrap();
        assert_eq!(
            (unknown.uid, unknown.gid, unknown.home.as_str()),
            (4242, 0, "/")
        );
    }

    #[test]
    fn odd_users_are_refused() {
        for text in [
            "nobody-here",
            "-1",
            "4294967295",
            "4294967296",
            "0x0",
            " 0",
            "web:nope",
            "web:odd",
            "stay",
            "keep",
            "loud",
            "1e3",
            "99999999999",
        ] {
            assert!(ask(text).is_err(), "{text}");
        }
    }
}
