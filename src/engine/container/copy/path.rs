//! Paths of `cp`, in docker's reading, and what they name in a tree.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::{FileStat, fstat};

use std::os::fd::AsFd;

use crate::sys::node;
use crate::sys::path::{Links, Root};

/// Links followed at the end of one path, as in path_resolution(7).
const LINKS_MAX: usize = 40;

/// An absolute path without `.` and `..`, and what its end asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cleaned {
    /// `/a/b`; `/` for the root.
    pub(super) path: PathBuf,
    /// It ended in `/` or `/.`: only a directory will do.
    pub(super) directory: bool,
    /// It ended in `/.`, or is the root: the contents, not the directory.
    pub(super) contents: bool,
}

impl Cleaned {
    /// Cleans a path by its text, as docker does; a relative one is below `/`.
    pub(super) fn of(path: &Path) -> Cleaned {
        let bytes = path.as_os_str().as_bytes();
        let dot = bytes == b"." || bytes.ends_with(b"/.");
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in bytes.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let cleaned = [&b"/"[..], &parts.join(&b'/')].concat();
        Cleaned {
            path: PathBuf::from(OsString::from_vec(cleaned)),
            directory: dot || bytes.ends_with(b"/"),
            contents: dot || parts.is_empty(),
        }
    }

    /// The directories that have to be there, relative to the root.
    pub(super) fn leading(&self) -> Option<&Path> {
        let needed = match self.directory {
            true => Some(self.path.as_path()),
            false => self.path.parent(),
        };
        needed?
            .strip_prefix("/")
            .ok()
            .filter(|path| *path != Path::new(""))
    }

    /// The last component; empty for the root.
    pub(super) fn base(&self) -> &[u8] {
        self.path
            .file_name()
            .map(OsStr::as_bytes)
            .unwrap_or_default()
    }
}

/// What a path names.
#[derive(Debug)]
pub(super) enum Named {
    /// A directory.
    Dir(OwnedFd),
    /// Something else, or a name that is free, in a directory of this path.
    Entry {
        parent: OwnedFd,
        upper: PathBuf,
        name: OsString,
        facts: Option<FileStat>,
    },
}

/// Finds what `path` names inside the root, its last link followed or not.
///
/// # Errors
/// ENOENT when its directory is not there, and others of path resolution.
pub(super) fn find(root: &Root, path: &Path, follow: bool) -> nix::Result<Named> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let rule = match follow {
            true => Links::Follow,
            false => Links::FollowParents,
        };
        match root.lookup(&path, OFlag::O_PATH, rule) {
            Ok(found) if node::is_dir(&fstat(&found)?) => return Ok(Named::Dir(found)),
            Ok(_) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
        let (Some(upper), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Errno::ENOENT);
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let parent = root.lookup(upper, flags, Links::Follow)?;
        let facts = match node::stat_at(parent.as_fd(), name) {
            Err(Errno::ENOENT) => None,
            other => Some(other?),
        };
        if follow && facts.as_ref().is_some_and(node::is_symlink) {
            let target = readlinkat(&parent, name)?;
            path = upper.join(target);
            continue;
        }
        let (upper, name) = (upper.to_owned(), name.to_owned());
        return Ok(Named::Entry {
            parent,
            upper,
            name,
            facts,
        });
    }
    Err(Errno::ELOOP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path_says_what_is_wanted() {
        for (text, path, directory, contents) in [
            ("/a/b", "/a/b", false, false),
            ("a/b/", "/a/b", true, false),
            ("/a/b/.", "/a/b", true, true),
            ("/a/../../b", "/b", false, false),
            (".", "/", true, true),
            ("/", "/", true, true),
            ("", "/", false, true),
            ("/a/..", "/", false, true),
            ("/a/.b", "/a/.b", false, false),
        ] {
            let found = Cleaned::of(Path::new(text));
            let wanted = Cleaned {
                path: PathBuf::from(path),
                directory,
                contents,
            };
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn links_at_the_end_lead_to_names_that_may_be_free() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("d")).unwrap();
        std::os::unix::fs::symlink("d/new", top.path().join("dangling")).unwrap();
        std::os::unix::fs::symlink("/d", top.path().join("dir")).unwrap();
        std::os::unix::fs::symlink("loop", top.path().join("loop")).unwrap();
        let root = Root::open(top.path()).unwrap();
        let look = |path: &str, follow| find(&root, Path::new(path), follow);
        assert!(matches!(
            look("/dangling", true).unwrap(),
            Named::Entry { name, facts: None, .. } if name == "new"
        ));
        assert!(matches!(
            look("/dangling", false).unwrap(),
            Named::Entry { facts: Some(facts), .. } if node::is_symlink(&facts)
        ));
        assert!(matches!(look("/dir", true).unwrap(), Named::Dir(_)));
        assert_eq!(look("/loop", true).unwrap_err(), Errno::ELOOP);
        assert_eq!(look("/none/x", true).unwrap_err(), Errno::ENOENT);
    }
}
