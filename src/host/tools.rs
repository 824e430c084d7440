//! Helper programs on `PATH`, found by looking, never by running them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use serde::Serialize;

use crate::sys::xattr;

/// Every program ketch can make use of.
const NAMES: [&str; 10] = [
    "newuidmap",
    "newgidmap",
    "pasta",
    "slirp4netns",
    "fuse-overlayfs",
    "fusermount3",
    "nft",
    "squashfuse",
    "nvidia-ctk",
    "nvidia-smi",
];
/// Looked at after `PATH`: ordinary users often lack the folders of system programs.
const ALSO: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// One program found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its absolute path.
    pub(crate) path: PathBuf,
}

/// Looks for every known program; relative entries of `PATH` are passed over, since what they
/// name changes with the working directory.
pub(crate) fn scan(path: Option<&OsStr>) -> Vec<Tool> {
    let folders = folders(path);
    let one = |name: &&'static str| {
        let path = find_in(&folders, name)?;
        Some(Tool { name, path })
    };
    NAMES.iter().filter_map(one).collect()
}

/// Looks for one program, by the same rules: what a start needs, where looking for all takes
/// sixty calls.
pub(crate) fn find(path: Option<&OsStr>, name: &str) -> Option<PathBuf> {
    find_in(&folders(path), name)
}

fn folders(path: Option<&OsStr>) -> Vec<PathBuf> {
    let given = path.map(std::env::split_paths).into_iter().flatten();
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in given.chain(ALSO.iter().map(PathBuf::from)) {
        if folder.is_absolute() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn find_in(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let mut paths = folders.iter().map(|folder| folder.join(name));
    paths.find(|path| program(path).is_some())
}

/// What there is of an executable file.
fn program(path: &Path) -> Option<fs::Metadata> {
    access(path, AccessFlags::X_OK).ok()?;
    fs::metadata(path).ok().filter(fs::Metadata::is_file)
}

/// `newuidmap` and `newgidmap`, when both are there and privileged. The second is looked for
/// beside the first: they come in one package.
pub(crate) fn map_helpers(path: Option<&OsStr>) -> Option<(PathBuf, PathBuf)> {
    let mut folders = folders(path);
    let users = privileged(&folders, "newuidmap")?;
    folders.insert(0, users.parent()?.to_owned());
    Some((users, privileged(&folders, "newgidmap")?))
}

/// The first program of this name, if it has the setuid bit or file capabilities.
fn privileged(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let mut paths = folders.iter().map(|folder| folder.join(name));
    let (path, found) = paths.find_map(|path| program(&path).map(|found| (path, found)))?;
    // The xattr is on the file that a link (Debian's alternatives) leads to.
    let is_capable = || {
        fs::canonicalize(&path)
            .is_ok_and(|real| matches!(xattr::lget(&real, b"security.capability"), Ok(Some(_))))
    };
    (found.permissions().mode() & 0o4000 != 0 || is_capable()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_executable_file_on_an_absolute_path_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("a"), dir.path().join("b"));
        fs::create_dir_all(first.join("pasta")).unwrap();
        fs::create_dir(&second).unwrap();
        fs::write(second.join("pasta"), "").unwrap();
        fs::set_permissions(second.join("pasta"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::join_paths([&first, &PathBuf::from("rel"), &second]).unwrap();
        let found = scan(Some(&path));
        let pasta = found.iter().find(|tool| tool.name == "pasta").unwrap();
        assert_eq!(pasta.path, second.join("pasta"));
    }

    #[test]
    fn programs_that_write_maps_are_privileged_and_beside_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let folders: Vec<PathBuf> = ["a", "b"].map(|name| dir.path().join(name)).into();
        let path = std::env::join_paths(&folders).unwrap();
        make("a/newgidmap", 0o4755);
        let users = make("b/newuidmap", 0o4755);
        let groups = make("b/newgidmap", 0o4755);
        assert_eq!(map_helpers(Some(&path)), Some((users, groups)));
        make("b/newgidmap", 0o755);
        assert_eq!(map_helpers(Some(&path)), None);
        make("a/newuidmap", 0o755);
        assert_eq!(map_helpers(Some(&path)), None);
    }
}
