//! Where Quadlet's files lie, and which drop-ins belong to them.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::boot::unit_file::MAX_FILE;
use crate::common::{Error, Result};
use crate::settings::Environment;
use crate::sys::file;

/// Kinds of files that podman's own generator reads.
const KINDS: [&str; 8] = [
    "container",
    "volume",
    "network",
    "build",
    "kube",
    "pod",
    "image",
    "artifact",
];

/// Folders below a folder are read, to this depth.
const MAX_DEPTH: usize = 8;

/// A file and its drop-ins, in the order in which they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The file.
    pub(super) path: PathBuf,
    /// `NAME.container.d/*.conf`.
    pub(super) drop_ins: Vec<PathBuf>,
}

/// The folders that are searched, the one that wins first (podman-systemd.unit(5)).
pub(super) fn folders(environment: &Environment, user: bool, uid: u32) -> Vec<PathBuf> {
    if let Some(named) = environment.get_os("QUADLET_UNIT_DIRS") {
        let named = std::env::split_paths(named).filter(|path| path.is_absolute());
        return named.collect();
    }
    if !user {
        let fixed = ["/run", "/etc", "/usr/share"];
        let fixed = fixed.map(|folder| Path::new(folder).join("containers/systemd"));
        return fixed.to_vec();
    }
    let own = [environment.runtime_dir(), environment.config_home()];
    let own = own.into_iter().flatten();
    let mut folders: Vec<PathBuf> = own.map(|one| one.join("containers/systemd")).collect();
    let shared = Path::new("/etc/containers/systemd/users");
    folders.extend([shared.join(uid.to_string()), shared.to_owned()]);
    folders
}

/// Every file below the folders; of two of one name the first counts.
pub(super) fn files(folders: &[PathBuf]) -> (Vec<Found>, Vec<Error>) {
    let mut all: Vec<PathBuf> = Vec::new();
    let mut errors = Vec::new();
    for folder in folders {
        // The system's folder holds those of users, and that of all users those of each.
        let apart = match folder.ends_with("users") {
            true => Apart::Numbers,
            false => Apart::Users,
        };
        walk(folder, 0, apart, &mut all, &mut errors);
    }
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for path in &all {
        let (Some(name), Some(kind)) = (name(path), extension(path)) else {
            continue;
        };
        // A link to /dev/null masks what lies in later folders.
        if !KINDS.contains(&kind) || !seen.insert(name) || is_mask(path) {
            continue;
        }
        found.push(Found {
            path: path.clone(),
            drop_ins: drop_ins(folders, name, kind),
        });
    }
    (found, errors)
}

#[derive(Clone, Copy)]
enum Apart {
    Users,
    Numbers,
}

fn walk(
    folder: &Path,
    depth: usize,
    apart: Apart,
    all: &mut Vec<PathBuf>,
    errors: &mut Vec<Error>,
) {
    let mut names = match file::names(folder) {
        Ok(names) => names,
        Err(error) => return errors.push(error),
    };
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let text = name.to_string_lossy();
        // Links to folders are not followed: they may lead round in a circle.
        if !path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            all.push(path);
            continue;
        }
        let others = depth == 0
            && match apart {
                Apart::Users => text == "users",
                Apart::Numbers => text.bytes().all(|byte| byte.is_ascii_digit()),
            };
        if !others && !text.ends_with(".d") && depth < MAX_DEPTH {
            walk(&path, depth + 1, apart, all, errors);
        }
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn is_mask(path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|target| target == Path::new("/dev/null"))
}

/// Drop-ins of one file: of its kind, of each dashed beginning of its name, of its template and
/// of itself, the special after the general; those of one folder by name, the first folder's
/// winning over others of the same file name.
fn drop_ins(folders: &[PathBuf], name: &str, kind: &str) -> Vec<PathBuf> {
    let stem = name
        .strip_suffix(kind)
        .unwrap_or(name)
        .trim_end_matches('.');
    let mut owners = vec![format!("{kind}.d")];
    let dashes = stem.match_indices('-').map(|(at, _)| &stem[..=at]);
    owners.extend(dashes.map(|beginning| format!("{beginning}.{kind}.d")));
    if let Some((template, instance)) = stem.split_once('@')
        && !instance.is_empty()
    {
        owners.push(format!("{template}@.{kind}.d"));
    }
    owners.push(format!("{name}.d"));
    let mut chosen: BTreeMap<String, PathBuf> = BTreeMap::new();
    // From what counts least to what counts most.
    for owner in &owners {
        for folder in folders.iter().rev() {
            let folder = folder.join(owner);
            for file in file::names(&folder).unwrap_or_default() {
                if let Some(text) = file.to_str().filter(|text| text.ends_with(".conf")) {
                    chosen.insert(text.to_owned(), folder.join(text));
                }
            }
        }
    }
    chosen.into_values().filter(|path| !is_mask(path)).collect()
}

/// Reads a file that may be a link.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let open = File::open(path).map_err(|error| Error::io("open", path, error))?;
    file::read_open(&open, path, MAX_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_podmans() {
        let environment =
            Environment::from_pairs([("HOME", "/home/ann"), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        let texts = |folders: Vec<PathBuf>| -> Vec<String> {
            folders
                .iter()
                .map(|one| one.display().to_string())
                .collect()
        };
        assert_eq!(
            texts(folders(&environment, true, 7)),
            [
                "/run/user/7/containers/systemd",
                "/home/ann/.config/containers/systemd",
                "/etc/containers/systemd/users/7",
                "/etc/containers/systemd/users",
            ]
        );
        assert_eq!(
            texts(folders(&environment, false, 0)),
            [
                "/run/containers/systemd",
                "/etc/containers/systemd",
                "/usr/share/containers/systemd",
            ]
        );
        let named = Environment::from_pairs([("QUADLET_UNIT_DIRS", "/a:rel:/b")]);
        assert_eq!(texts(folders(&named, true, 7)), ["/a", "/b"]);
    }

    #[test]
    fn the_first_folder_wins_and_drop_ins_gather() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for (file, text) in [
            ("a/web-front.container", "1"),
            ("b/web-front.container", "2"),
            ("b/sub/db.volume", ""),
            ("b/users/other.container", ""),
            ("b/notes.txt", ""),
            ("b/web-front.container.d/20.conf", ""),
            ("a/web-.container.d/10.conf", ""),
            ("b/container.d/10.conf", ""),
            ("b/container.d/30.conf", ""),
            ("b/container.d/30.txt", ""),
        ] {
            fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            fs::write(at(file), text).unwrap();
        }
        std::os::unix::fs::symlink("/dev/null", at("a/masked.container")).unwrap();
        fs::write(at("b/masked.container"), "").unwrap();
        let (found, errors) = files(&[at("a"), at("b"), at("missing")]);
        assert!(errors.is_empty(), "{errors:?}");
        let paths: Vec<_> = found.iter().map(|one| one.path.clone()).collect();
        assert_eq!(paths, [at("a/web-front.container"), at("b/sub/db.volume")]);
        assert_eq!(
            found[0].drop_ins,
            [
                at("a/web-.container.d/10.conf"),
                at("b/web-front.container.d/20.conf"),
                at("b/container.d/30.conf"),
            ]
        );
    }
}
