//! Completing the image's passwd and group files: a caller that keeps its number (`--userns
//! keep-id`) has a name and a home inside, as podman gives it. The image's own files stay as they
//! are: completed copies in the container's directory are bound over them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;
use nix::mount::MsFlags;

use super::{Init, mounts, user};
use crate::common::{Error, Result, passwd_entries};
use crate::runtime::plan::{MountStep, Source, UserEntry};
use crate::sys::mount::attr;

/// Binds completed copies where the image knows neither the user nor the group.
pub(super) fn complete(init: &mut Init<'_>) -> Result<()> {
    let request = &init.plan.process.user;
    let (Some(entry), Some((uid, gid))) = (&request.entry, request.default_ids) else {
        return Ok(());
    };
    if !request.text.is_empty() {
        return Ok(());
    }
    if let Some(mut bytes) = read(init, "/etc/passwd") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if passwd_entries(&text).all(|known| known.uid != uid) {
            let taken = passwd_entries(&text).any(|known| known.name == entry.name);
            let name = name(entry, taken, uid);
            let home = &init.plan.process.cwd;
            let line = format!("{name}:*:{uid}:{gid}:{name}:{home}:/bin/sh\n");
            append(&mut bytes, &line);
            provide(init, entry, "passwd", &bytes)?;
        }
    }
    if let Some(mut bytes) = read(init, "/etc/group") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if user::groups(&text).all(|known| known.1 != gid) {
            let taken = user::groups(&text).any(|known| known.0 == entry.name);
            append(
                &mut bytes,
                &format!("{}:x:{gid}:\n", name(entry, taken, gid)),
            );
            provide(init, entry, "group", &bytes)?;
        }
    }
    Ok(())
}

/// The caller's name, or its number where the image has given the name to someone else.
fn name(entry: &UserEntry, taken: bool, id: u32) -> String {
    if taken || entry.name.contains([':', '\n']) {
        id.to_string()
    } else {
        entry.name.clone()
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
        subpath: None,
    };
    mounts::bind(init.root()?, &step, &source, attr::NOSUID).map(drop)
}
