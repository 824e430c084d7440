//! `--chown`: numbers, or names that the files of the root know.

use std::fs::File;
use std::io::Read;

use nix::fcntl::OFlag;

use crate::common::{Error, Kind, Result, passwd_entries};
use crate::sys::path::Root;

/// Largest file of users or groups that is read, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Whether an owner needs no file to be understood.
pub(crate) fn is_numeric(text: &str) -> bool {
    text.split(':').all(|part| part.parse::<u32>().is_ok())
}

/// The numbers of `user[:group]`. A number alone is the group as well; a name alone has its own.
///
/// # Errors
/// `NotFound` for a name that the root does not know.
pub(crate) fn resolve(root: &Root, text: &str) -> Result<(u32, u32)> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (text, None),
    };
    let unknown = |what: &str, name: &str, file: &str| {
        Error::new(Kind::NotFound, format!("find {what}"), name)
            .because(format!("no matching entries in {file} file"))
            .hint("numbers need no file")
    };
    let (uid, own) = match user.parse::<u32>() {
        Ok(uid) => (uid, uid),
        Err(_) => {
            let users = read(root, "etc/passwd");
            let found = passwd_entries(&users).find(|line| line.name == user);
            let found = found.ok_or_else(|| unknown("user", user, "passwd"))?;
            (found.uid, found.gid)
        }
    };
    let gid = match group {
        None => own,
        Some(group) => match group.parse::<u32>() {
            Ok(gid) => gid,
            Err(_) => {
                let groups = read(root, "etc/group");
                let mut lines = groups.lines().map(|line| line.split(':'));
                let found = lines.find_map(|mut fields| {
                    let named = fields.next() == Some(group);
                    fields.nth(1).filter(|_| named)?.parse().ok()
                });
                found.ok_or_else(|| unknown("group", group, "group"))?
            }
        },
    };
    Ok((uid, gid))
}

fn read(root: &Root, path: &str) -> String {
    let mut text = Vec::new();
    if let Ok((file, _)) = root.open_regular(path, OFlag::O_RDONLY) {
        let _ = File::from(file).take(MAX_FILE).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_root_s_and_numbers_their_own_group() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("etc")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(temp.path().join(name), text).unwrap();
        write(
            "etc/passwd",
            "root:x:0:0::/:/bin/sh\napp:x:101:102::/:/bin/sh\n",
        );
        write("etc/group", "root:x:0:\nweb:x:33:\n");
        let root = Root::open(temp.path()).unwrap();
        for (text, wanted) in [
            ("app", (101, 102)),
            ("app:web", (101, 33)),
            ("7", (7, 7)),
            ("7:web", (7, 33)),
            ("app:9", (101, 9)),
            ("0:0", (0, 0)),
        ] {
            assert_eq!(resolve(&root, text).unwrap(), wanted, "{text}");
        }
        for text in ["nobody", "app:nobody", ":web", ""] {
            assert_eq!(
                resolve(&root, text).unwrap_err().kind(),
                Kind::NotFound,
                "{text}"
            );
        }
        assert!(is_numeric("1:2") && is_numeric("1") && !is_numeric("a") && !is_numeric("1:a"));
    }
}
