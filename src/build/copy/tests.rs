//! Selection and digests, on real trees.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::sys::stat::Mode;

use super::{Options, Tree, select};
use crate::build::context::ignore::Ignore;
use crate::build::context::index::Index;
use crate::common::{Digest, Error, Kind};
use crate::sys::path::Root;

fn tree(path: &Path) -> Tree {
    let root = Root::open(path).unwrap();
    let ignore = Ignore::find(&root, Some("Dockerfile")).unwrap();
    Tree::context(root, ignore)
}

fn fill(top: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = top.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn digest_with(top: &Path, sources: &[&str], options: &Options) -> Result<Digest, Error> {
    let sources: Vec<String> = sources.iter().map(|s| (*s).to_owned()).collect();
    select(&tree(top), &sources, options)?.digest(None)
}

fn digest(top: &Path, sources: &[&str]) -> Result<Digest, Error> {
    digest_with(top, sources, &Options::default())
}

fn paths(top: &Path, source: &str) -> Vec<String> {
    let tree = tree(top);
    let selection = select(&tree, &[source.to_owned()], &Options::default()).unwrap();
    let shown = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    selection
        .items
        .iter()
        .map(|item| shown(&item.path))
        .collect()
}

#[test]
fn globs_go_part_by_part_and_links_stay_inside() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path().join("top");
    fill(
        &top,
        &[
            ("a/x.txt", "1"),
            ("a/y.md", "2"),
            ("b/x.txt", "3"),
            ("c", "4"),
        ],
    );
    fs::write(temp.path().join("secret"), "host").unwrap();
    symlink("../../secret", top.join("out")).unwrap();
    symlink("/c", top.join("in")).unwrap();
    symlink("/", top.join("loop")).unwrap();
    symlink("self", top.join("self")).unwrap();
    assert_eq!(paths(&top, "*/x.txt"), ["a/x.txt", "b/x.txt"]);
    assert_eq!(paths(&top, "a/*"), ["a/x.txt", "a/y.md"]);
    assert_eq!(paths(&top, "../../a/x.t?t"), ["a/x.txt"]);
    assert_eq!(paths(&top, "in"), ["c"]);
    assert_eq!(paths(&top, "loop/loop/a"), ["a"]);
    assert_eq!(paths(&top, "nothing*"), [""; 0]);
    assert_eq!(paths(&top, "."), [""]);
    for gone in ["out", "nothing", "c/below", "in/x"] {
        let error = digest(&top, &[gone]).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{gone}");
        assert_eq!(error.to_string(), format!("\"/{gone}\": not found"));
    }
    assert!(digest(&top, &["self"]).is_err());
    assert!(digest(&top, &["["]).is_err());
}

#[test]
fn a_digest_is_of_content_and_not_of_times_or_places() {
    let temp = tempfile::tempdir().unwrap();
    let files = [("d/a", "1"), ("d/sub/b", "2"), ("f", "3")];
    let (one, two) = (temp.path().join("one"), temp.path().join("two"));
    fill(&one, &files);
    fill(&two, &files);
    symlink("a", one.join("d/link")).unwrap();
    symlink("a", two.join("d/link")).unwrap();
    assert_eq!(
        digest(&one, &["d", "f"]).unwrap(),
        digest(&two, &["d", "f"]).unwrap()
    );
    fs::rename(two.join("d"), two.join("e")).unwrap();
    let old = digest(&one, &["d"]).unwrap();
    assert_eq!(old, digest(&two, &["e"]).unwrap());
    type Change = fn(&Path);
    let changes: [Change; 6] = [
        |top| fs::write(top.join("e/a"), "2").unwrap(),
        |top| fs::set_permissions(top.join("e/a"), PermissionsExt::from_mode(0o600)).unwrap(),
        |top| fs::set_permissions(top.join("e/sub"), PermissionsExt::from_mode(0o700)).unwrap(),
        |top| fs::rename(top.join("e/a"), top.join("e/b")).unwrap(),
        |top| fs::remove_file(top.join("e/link")).unwrap(),
        |top| fs::create_dir(top.join("e/empty")).unwrap(),
    ];
    let mut last = old;
    for change in changes {
        change(&two);
        let next = digest(&two, &["e"]).unwrap();
        assert_ne!(next, last);
        last = next;
    }
}

#[test]
fn what_is_ignored_or_excluded_does_not_count() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    fill(
        top,
        &[
            ("a/x", "1"),
            ("a/keep/y", "2"),
            ("b", "3"),
            (".dockerignore", "a\n!a/keep\n"),
        ],
    );
    let old = digest(top, &["a"]).unwrap();
    fs::write(top.join("a/x"), "changed").unwrap();
    assert_eq!(digest(top, &["a"]).unwrap(), old);
    assert!(digest(top, &["a/x"]).is_err());
    fs::write(top.join("a/keep/y"), "changed").unwrap();
    assert_ne!(digest(top, &["a"]).unwrap(), old);
    fs::write(top.join(".containerignore"), "b\n").unwrap();
    assert!(digest(top, &["b"]).is_err());
    fs::write(top.join("Dockerfile.dockerignore"), "").unwrap();
    assert!(digest(top, &["b", "a/x"]).is_ok());
    let options = Options {
        excludes: vec!["keep".to_owned()],
        ..Options::default()
    };
    let old = digest_with(top, &["a"], &options).unwrap();
    fs::write(top.join("a/keep/y"), "again").unwrap();
    assert_eq!(digest_with(top, &["a"], &options).unwrap(), old);
}

#[test]
fn parents_take_what_matches_and_the_directories_above() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    fill(
        top,
        &[("x/a/f.txt", "1"), ("x/b/g.txt", "2"), ("x/b/h", "3")],
    );
    let options = Options {
        parents: true,
        ..Options::default()
    };
    let of = |source: &str| digest_with(top, &[source], &options);
    let old = of("x/**/*.txt").unwrap();
    fs::write(top.join("x/b/h"), "changed").unwrap();
    assert_eq!(of("x/**/*.txt").unwrap(), old);
    assert_eq!(of("x/./b/h").unwrap(), of("x/./b/h").unwrap());
    assert!(of("x/./nothing").is_err());
    fs::write(top.join("x/a/f.txt"), "changed").unwrap();
    assert_ne!(of("x/**/*.txt").unwrap(), old);
}

#[test]
fn an_index_knows_what_did_not_change() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path().join("top");
    fill(&top, &[("a", "1"), ("b", "2")]);
    let path = temp.path().join("index");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(100);
    let tree = tree(&top);
    let of = |index: &Index| {
        let selection = select(&tree, &[".".to_owned()], &Options::default()).unwrap();
        selection.digest(Some(index)).unwrap()
    };
    for name in ["a", "b"] {
        let file = fs::File::open(top.join(name)).unwrap();
        file.set_modified(old).unwrap();
    }
    let first = of(&Index::open(&path));
    // Their change times are of just now: nothing is kept.
    assert!(!path.exists());
    assert_eq!(of(&Index::open(&path)), first);
    fs::write(&path, b"garbage").unwrap();
    assert_eq!(of(&Index::open(&path)), first);
}

#[test]
fn hostile_trees_end_in_errors_and_not_in_hangs() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    nix::unistd::mkfifo(&top.join("fifo"), Mode::S_IRWXU).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xff\xfe");
    fs::write(top.join(odd), "x").unwrap();
    digest(top, &["."]).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
    digest(top, &["."]).unwrap();
    let mut at = Root::open(top)
        .unwrap()
        .as_fd()
        .try_clone_to_owned()
        .unwrap();
    for _ in 0..2000 {
        nix::sys::stat::mkdirat(&at, "d", Mode::S_IRWXU).unwrap();
        let flags = nix::fcntl::OFlag::O_PATH;
        at = nix::fcntl::openat(&at, "d", flags, Mode::empty()).unwrap();
    }
    let error = digest(top, &["."]).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    crate::sys::tree::remove_tree(&top.join("d")).unwrap();
}
