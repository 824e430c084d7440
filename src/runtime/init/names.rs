//! Completing the image's passwd and group files: a caller that keeps its number (`--userns
//! keep-id`) has a name and a home inside, as podman gives it, and so have others that are asked
//! for. The image's own files stay as they
//! are: completed copies in the container's directory are bound over them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;
use nix::mount::MsFlags;

use super::{Init, mounts, user};
use crate::common::{Error, Result, group_entries, passwd_entries};
use crate::runtime::plan::{HostUser, MountStep, ProcessPlan, Source, UserEntry};
use crate::sys::mount::attr;

/// Binds completed copies where the image knows a user or a group not.
pub(super) fn complete(init: &mut Init<'_>) -> Result<()> {
    let Some(entry) = &init.plan.process.user.entry else {
        return Ok(());
    };
    let files = ["passwd", "group"].map(|name| (name, read(init, &format!("/etc/{name}"))));
    let texts = files.each_ref().map(|(_, bytes)| {
        String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
    });
    let lines = lines(entry, &init.plan.process, &texts);
    for ((name, bytes), lines) in files.into_iter().zip(lines) {
        if let Some(mut bytes) = bytes
            && !lines.is_empty()
        {
            append(&mut bytes, &lines);
            provide(init, entry, name, &bytes)?;
        }
    }
    Ok(())
}

/// What is to be added to the image's passwd and group files, whose texts are `files`.
fn lines(entry: &UserEntry, process: &ProcessPlan, files: &[String; 2]) -> [String; 2] {
    let [passwd, group] = files;
    let mut added = [String::new(), String::new()];
    for user in &entry.hosts {
        add_user(&mut added[0], passwd, user, entry.passwd.as_deref());
        add_group(&mut added[1], group, (&user.group, user.gid, ""), entry);
    }
    let request = &process.user;
    // One that is not found is reported where it is looked for.
    let Ok(found) = user::find(request, passwd, group) else {
        return added;
    };
    let (text, group_text) = request.text.split_once(':').unwrap_or((&request.text, ""));
    let own = match (&entry.caller, text) {
        (Some(name), "") => HostUser {
            name: name.clone(),
            comment: name.clone(),
            group: name.clone(),
            ..HostUser::default()
        },
        (_, number) if entry.numbers && user::is_digits(number) => HostUser {
            name: number.to_owned(),
            comment: "container user".to_owned(),
            ..HostUser::default()
        },
        _ => return added,
    };
    let own = HostUser {
        uid: found.uid,
        gid: found.gid,
        home: process.cwd.clone(),
        ..own
    };
    add_user(&mut added[0], passwd, &own, entry.passwd.as_deref());
    if user::is_digits(group_text) {
        add_group(&mut added[1], group, (group_text, found.gid, text), entry);
    } else if !own.group.is_empty() {
        add_group(&mut added[1], group, (&own.group, found.gid, ""), entry);
    }
    added
}

/// A line for `user`, unless the image or an earlier line knows the number.
fn add_user(added: &mut String, passwd: &str, user: &HostUser, line: Option<&str>) {
    let known = || passwd_entries(passwd).chain(passwd_entries(added));
    if known().any(|entry| entry.uid == user.uid) {
        return;
    }
    let taken = known().any(|entry| entry.name == user.name);
    let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
    let name = name(&user.name, taken, &uid);
    let line = fill(
        line.unwrap_or("$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh"),
        &[
            ("$USERNAME", name),
            ("$UID", &uid),
            ("$GID", &gid),
            ("$NAME", &user.comment),
            ("$HOME", &user.home),
        ],
    );
    append_line(added, &line);
}

/// The same for a group: its name, number and members.
fn add_group(
    added: &mut String,
    group: &str,
    (own, gid, members): (&str, u32, &str),
    entry: &UserEntry,
) {
    let known = || group_entries(group).chain(group_entries(added));
    if known().any(|known| known.1 == gid) {
        return;
    }
    let taken = known().any(|known| known.0 == own);
    let number = gid.to_string();
    let line = fill(
        entry
            .group
            .as_deref()
            .unwrap_or("$GROUPNAME:x:$GID:$USERLIST"),
        &[
            ("$GROUPNAME", name(own, taken, &number)),
            ("$GID", &number),
            ("$USERLIST", members),
        ],
    );
    append_line(added, &line);
}

/// Replaces variables; a value is no template.
fn fill(line: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = values.iter().find(|(name, _)| rest.starts_with(name));
        let (value, used) = known.map_or(("$", 1), |(name, value)| (*value, name.len()));
        filled.push_str(value);
        rest = &rest[used..];
    }
    filled.push_str(rest);
    filled
}

fn append_line(text: &mut String, line: &str) {
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push('\n');
    }
}

/// The name, or the number where the image has given the name to someone else.
fn name<'a>(name: &'a str, taken: bool, number: &'a str) -> &'a str {
    match taken || name.contains([':', '\n']) {
        true => number,
        false => name,
    }
}

fn append(bytes: &mut Vec<u8>, line: &str) {
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
}

/// The image's file, when it is one and the user has not put another there.
fn read(init: &Init<'_>, path: &str) -> Option<Vec<u8>> {
    if init.plan.mounts.iter().any(|step| step.target == path) {
        return None;
    }
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    user::content(init.root().ok()?.open_regular(path, flags).ok()?)
}

fn provide(init: &Init<'_>, entry: &UserEntry, name: &str, bytes: &[u8]) -> Result<()> {
    let path = init.own(&entry.dir.join(name));
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| Error::io("write", &path, error))?;
    let source = mounts::open_source(&path, false)?;
    let step = MountStep {
        target: format!("/etc/{name}"),
        source: Source::Bind {
            path,
            recursive: false,
            overlay: None,
        },
        attributes: attr::NOSUID | attr::NODEV,
        recursive_attributes: false,
        propagation: MsFlags::MS_PRIVATE,
        chown: false,
        volume: false,
        id_map: false,
        fill: false,
        give: false,
        subpath: None,
    };
    mounts::bind(init.root()?, &step, &source, attr::NOSUID).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_once() {
        let values = [("$USERNAME", "$UID"), ("$UID", "7")];
        assert_eq!(fill("$USERNAME:*:$UID:$WHAT$", &values), "$UID:*:7:$WHAT$");
        assert_eq!(fill("é$UID", &values), "é7");
    }
}
