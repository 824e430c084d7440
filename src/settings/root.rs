//! Where the store lives: `$KETCH_ROOT`, the data home, or a private directory on a local disk.

use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Environment;
use crate::common::{Error, Kind, Result};
use crate::sys::file_system::file_system;

/// The store of the machine's root.
const ROOTS: &str = "/var/lib/ketch";

/// Whether a store is the one of the machine's root, of which there is one on a machine.
pub(crate) fn is_machines(root: &Path) -> bool {
    root == Path::new(ROOTS)
}

/// Directory of the store, and what the user should know about the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreRoot {
    /// Absolute path; it may not exist yet.
    pub(crate) path: PathBuf,
    /// One line for the user when the place is not the usual one.
    pub(crate) note: Option<String>,
}

/// Chooses the store's directory for `uid` (DESIGN section 6); `of_machine` tells the machine's
/// root from that of a user namespace, which may write where its maker could. Creates nothing but, when the
/// data home cannot be used, the private directory that replaces it.
///
/// # Errors
/// `Usage` when `KETCH_ROOT` is not an absolute path; `Denied` when no place is left.
pub(crate) fn store_root(
    environment: &Environment,
    uid: u32,
    of_machine: bool,
) -> Result<StoreRoot> {
    let local = [Path::new("/var/tmp"), Path::new("/tmp")];
    let roots = uid == 0 && (of_machine || usable(Path::new(ROOTS)));
    choose(environment, (!roots).then_some(uid), &local, &network_name)
}

/// `user` is none for who keeps the store where the machine's root does.
fn choose(
    environment: &Environment,
    user: Option<u32>,
    local: &[&Path],
    network: &dyn Fn(&Path) -> Option<&'static str>,
) -> Result<StoreRoot> {
    if let Some(named) = environment.get_os("KETCH_ROOT").filter(|v| !v.is_empty()) {
        let path = PathBuf::from(named);
        if !path.is_absolute() {
            return Err(Error::usage(
                "use KETCH_ROOT",
                path.display().to_string(),
                "it must be an absolute path",
            ));
        }
        let note = network(&path).map(|name| {
            format!(
                "KETCH_ROOT {} is on {name}: starts are slow and overlay is not possible there; name a local directory",
                path.display()
            )
        });
        return Ok(StoreRoot { path, note });
    }
    let Some(uid) = user else {
        return Ok(StoreRoot {
            path: PathBuf::from(ROOTS),
            note: None,
        });
    };
    let why = match environment.data_home().map(|data| data.join("ketch")) {
        None => "no home directory is known".to_owned(),
        Some(path) => match network(&path) {
            Some(name) => format!("{} is on {name}", path.display()),
            None if usable(&path) => return Ok(StoreRoot { path, note: None }),
            None => format!("{} cannot be written", path.display()),
        },
    };
    for parent in local {
        if network(parent).is_some() {
            continue;
        }
        if let Some(path) = private_directory(parent, uid) {
            let note = format!(
                "{why}: images and containers are kept in {}; set KETCH_ROOT to choose a local directory",
                path.display()
            );
            return Ok(StoreRoot {
                path,
                note: Some(note),
            });
        }
    }
    Err(
        Error::new(Kind::Denied, "choose a directory for the store", "")
            .because(format!("{why}, and no private directory could be made"))
            .hint("set KETCH_ROOT to a directory of yours on a local disk"),
    )
}

/// The network file system `path`, or its nearest existing parent, lies on: overlay's upper and
/// work directories, locks and unlinked open files do not work there as the store needs.
fn network_name(path: &Path) -> Option<&'static str> {
    let found = file_system(path).ok()?;
    found.is_network().then(|| found.name())
}

/// Whether the store can be made at `path`: it, or its nearest existing parent, is a writable
/// directory.
fn usable(path: &Path) -> bool {
    path.ancestors()
        .find(|path| path.symlink_metadata().is_ok())
        .is_some_and(|path| {
            nix::unistd::access(
                path,
                nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK,
            )
            .is_ok()
        })
}

/// Makes or checks `parent/ketch-UID`: a real directory, the caller's, closed to others. The
/// parent is open to all, so somebody else may have made that name first.
fn private_directory(parent: &Path, uid: u32) -> Option<PathBuf> {
    let path = parent.join(format!("ketch-{uid}"));
    let _ = std::fs::DirBuilder::new().mode(0o700).create(&path);
    let about = path.symlink_metadata().ok()?;
    let private = about.is_dir() && about.uid() == uid && about.permissions().mode() & 0o077 == 0;
    private.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_uid() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    #[test]
    fn a_named_root_is_taken_as_it_is() {
        let environment = Environment::from_pairs([("KETCH_ROOT", "/x/y"), ("HOME", "/h")]);
        let root = choose(&environment, Some(1000), &[], &|_| None).unwrap();
        assert_eq!(root.path, Path::new("/x/y"));
        let on_nfs = choose(&environment, Some(1000), &[], &|_| Some("NFS")).unwrap();
        assert!(on_nfs.note.unwrap().contains("NFS"));
        let relative = Environment::from_pairs([("KETCH_ROOT", "x")]);
        assert_eq!(
            choose(&relative, None, &[], &|_| None).unwrap_err().kind(),
            Kind::Usage
        );
    }

    #[test]
    fn root_and_users_get_their_usual_places() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::from_pairs([("HOME", home.path())]);
        let root = choose(&environment, None, &[], &|_| None).unwrap();
        assert_eq!(root.path, Path::new("/var/lib/ketch"));
        let user = choose(&environment, Some(1000), &[], &|_| None).unwrap();
        assert_eq!(user.path, home.path().join(".local/share/ketch"));
        assert_eq!(user.note, None);
    }

    #[test]
    fn a_home_on_a_network_file_system_is_left_and_named() {
        let home = tempfile::tempdir().unwrap();
        let local = tempfile::tempdir().unwrap();
        // A real root would get /var/lib/ketch, so another number is asked for and the
        // directory made by this test is only accepted when the numbers agree.
        let uid = own_uid();
        let environment = Environment::from_pairs([("HOME", home.path())]);
        let network = |path: &Path| path.starts_with(home.path()).then_some("NFS");
        if uid != 0 {
            let root = choose(&environment, Some(uid), &[local.path()], &network).unwrap();
            assert_eq!(root.path, local.path().join(format!("ketch-{uid}")));
            assert!(root.note.unwrap().contains("NFS"));
        }
        let other = choose(&environment, Some(uid + 1), &[local.path()], &network);
        assert_eq!(
            other.unwrap_err().kind(),
            Kind::Denied,
            "a directory of somebody else is not taken"
        );
    }

    #[test]
    fn a_prepared_private_directory_is_checked() {
        let local = tempfile::tempdir().unwrap();
        let uid = own_uid();
        let path = private_directory(local.path(), uid).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(private_directory(local.path(), uid), None, "open to others");
        std::fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/", &path).unwrap();
        assert_eq!(private_directory(local.path(), uid), None, "a link");
    }
}
