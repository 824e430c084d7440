//! Trees through the packer and back, and read by GNU tar.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use nix::sys::stat::{Mode as Permissions, SFlag};

use super::*;
use crate::sys::xattr;

fn dir(path: &Path) -> std::os::fd::OwnedFd {
    File::open(path).unwrap().into()
}

fn packed(top: &Path, options: &PackOptions<'_>) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new(), options);
    packer.tree(&dir(top), b"", false).unwrap();
    packer.finish().unwrap().0
}

fn placing(rename: Option<(&str, &str)>) -> PlaceOptions {
    PlaceOptions {
        mode: mode(),
        owner: PlacedOwner::Process,
        overwrite: false,
        rename: rename.map(|(from, to)| (from.into(), to.into())),
    }
}

fn put(bytes: &[u8], top: &Path, options: &PlaceOptions) -> Result<u64> {
    let spot = Spot {
        dir: dir(top),
        within: None,
    };
    place(Cursor::new(bytes), spot, options)
}

/// A tree with everything a header has a field or a record for.
fn fill(top: &Path) {
    fs::create_dir_all(top.join("d/e")).unwrap();
    fs::write(top.join("d/a"), "text").unwrap();
    fs::hard_link(top.join("d/a"), top.join("d/b")).unwrap();
    fs::write(top.join("d/line\nfeed"), "").unwrap();
    fs::write(top.join("d").join(OsStr::from_bytes(b"\xff\xfe")), "bytes").unwrap();
    fs::write(top.join(format!("d/{}", "n".repeat(255))), vec![7; 1000]).unwrap();
    symlink("x".repeat(300), top.join("d/far")).unwrap();
    nix::unistd::mkfifo(&top.join("d/pipe"), Permissions::from_bits_truncate(0o640)).unwrap();
    std::os::unix::net::UnixListener::bind(top.join("s")).unwrap();
    fs::set_permissions(top.join("d/a"), fs::Permissions::from_mode(0o6711)).unwrap();
    let sparse = File::create(top.join("d/sparse")).unwrap();
    sparse.write_all_at(b"begin", 0).unwrap();
    sparse.write_all_at(b"middle", 20 << 30).unwrap();
    sparse.set_len(30 << 30).unwrap();
    File::create(top.join("d/hole"))
        .unwrap()
        .set_len(1 << 20)
        .unwrap();
    for (name, seconds) in [("d/a", -5), ("d/e", 1 << 34), ("d/pipe", 0)] {
        let time = nix::sys::time::TimeSpec::new(seconds, 250_000_000);
        let flags = nix::sys::stat::UtimensatFlags::NoFollowSymlink;
        nix::sys::stat::utimensat(nix::fcntl::AT_FDCWD, &top.join(name), &time, &time, flags)
            .unwrap();
    }
}

fn assert_same(one: &Path, other: &Path) {
    for entry in fs::read_dir(one).unwrap() {
        let (path, copy) = {
            let name = entry.unwrap().file_name();
            (one.join(&name), other.join(name))
        };
        let facts = path.symlink_metadata().unwrap();
        if facts.file_type().is_symlink() {
            assert_eq!(fs::read_link(&path).unwrap(), fs::read_link(&copy).unwrap());
            continue;
        }
        if path.file_name() == Some(OsStr::new("s")) {
            assert!(!copy.exists(), "a socket");
            continue;
        }
        let found = copy.symlink_metadata().unwrap();
        assert_eq!(facts.mode(), found.mode(), "{path:?}");
        let times = |facts: &fs::Metadata| (facts.mtime(), facts.mtime_nsec());
        assert_eq!(times(&facts), times(&found), "{path:?}");
        assert_eq!(facts.nlink(), found.nlink(), "{path:?}");
        if facts.is_dir() {
            assert_same(&path, &copy);
        } else if facts.is_file() {
            assert_eq!(facts.len(), found.len());
            assert!(found.blocks() <= facts.blocks() + 16, "{path:?}");
            if facts.len() < 1 << 24 {
                assert_eq!(fs::read(&path).unwrap(), fs::read(&copy).unwrap());
            }
        }
    }
}

#[test]
fn a_tree_comes_back_as_it_was_and_twice_the_same() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path());
    let bytes = packed(from.path(), &PackOptions::plain(mode()));
    assert_eq!(bytes, packed(from.path(), &PackOptions::plain(mode())));
    put(&bytes, to.path(), &placing(None)).unwrap();
    assert_same(from.path(), to.path());
    // Again over itself, and as a layer.
    put(&bytes, to.path(), &placing(None)).unwrap();
    assert_same(from.path(), to.path());
    let layer = Place::new();
    layer.unpack(&bytes).unwrap();
    assert_same(from.path(), &layer.path(""));
}

#[test]
fn gnu_tar_reads_what_the_packer_writes() {
    let Ok(version) = Command::new("tar").arg("--version").output() else {
        return;
    };
    if !version.stdout.starts_with(b"tar (GNU tar)") {
        return;
    }
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path());
    let archive = to.path().join("archive.tar");
    fs::write(&archive, packed(from.path(), &PackOptions::plain(mode()))).unwrap();
    let out = to.path().join("out");
    fs::create_dir(&out).unwrap();
    let status = Command::new("tar")
        .arg("-xpf")
        .arg(&archive)
        .arg("-C")
        .arg(&out)
        .output();
    let status = status.unwrap();
    assert!(status.status.success(), "{status:?}");
    assert_same(from.path(), &out);
}

#[test]
fn marks_of_an_upper_directory_become_oci_ones() {
    let top = tempfile::tempdir().unwrap();
    let path = |name: &str| top.path().join(name);
    fs::create_dir(path("d")).unwrap();
    fs::write(path("d/new"), "").unwrap();
    if xattr::lset(&path("d"), b"user.overlay.opaque", b"y").is_err() {
        return;
    }
    fs::create_dir(path("x")).unwrap();
    xattr::lset(&path("x"), b"user.overlay.opaque", b"x").unwrap();
    fs::write(path("x/gone"), "").unwrap();
    xattr::lset(&path("x/gone"), b"user.overlay.whiteout", b"y").unwrap();
    fs::create_dir(path("hidden")).unwrap();
    fs::write(path("hidden/in"), "").unwrap();
    let node = nix::sys::stat::mknod(&path("node"), SFlag::S_IFCHR, Permissions::empty(), 0);
    let options = PackOptions {
        form: Form::UserUpper,
        skip: [PathBuf::from("hidden")].into(),
        ..PackOptions::plain(mode())
    };
    let bytes = packed(top.path(), &options);
    let mut names: Vec<String> = Vec::new();
    let mut archive = tar::Archive::new(bytes.as_slice());
    for entry in archive.entries().unwrap() {
        names.push(entry.unwrap().path().unwrap().display().to_string());
    }
    let mut wanted = vec!["d/", "d/.wh..wh..opq", "d/new", "x/", "x/.wh.gone"];
    if node.is_ok() {
        wanted.insert(3, ".wh.node");
    }
    assert_eq!(names, wanted);
    // A directory that is elsewhere in part cannot be packed.
    xattr::lset(&path("d"), b"user.overlay.redirect", b"/other").unwrap();
    let mut packer = Packer::new(Vec::new(), &options);
    let failed = packer.tree(&dir(top.path()), b"", false).unwrap_err();
    assert_eq!(failed.kind(), Kind::Unsupported);
}

#[test]
fn intended_owners_and_types_are_written() {
    let top = tempfile::tempdir().unwrap();
    let path = |name: &str| top.path().join(name);
    fs::write(path("dev"), "").unwrap();
    fs::write(path("file"), "x").unwrap();
    symlink("file", path("link")).unwrap();
    let name = xattr::OVERRIDE_STAT;
    if xattr::lset(&path("dev"), name, b"0:5:0620:char-5-1").is_err() {
        return;
    }
    xattr::lset(&path("file"), name, b"1000:3000000:0644:file").unwrap();
    let known = BTreeMap::from([(PathBuf::from("link"), "7:8:0777:symlink".to_owned())]);
    let options = PackOptions {
        intended: Some(&known),
        owner: &|_, _, _| (0, 0),
        ..PackOptions::plain(Mode::Single)
    };
    let bytes = packed(top.path(), &options);
    let mut reader = reader::Reader::new(bytes.as_slice(), Default::default());
    let mut found = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        found.push((entry.path, entry.uid, entry.gid, entry.mode, entry.device));
    }
    assert_eq!(found[0], (b"dev".to_vec(), 0, 5, 0o620, (5, 1)));
    assert_eq!((found[1].1, found[1].2), (1000, 3_000_000));
    assert_eq!((found[2].1, found[2].2), (7, 8));
}

#[test]
fn entries_get_the_name_of_their_destination() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(from.path().join("base")).unwrap();
    fs::write(from.path().join("base/one"), "1").unwrap();
    fs::hard_link(from.path().join("base/one"), from.path().join("base/two")).unwrap();
    let plain = PackOptions::plain(mode());
    let mut packer = Packer::new(Vec::new(), &plain);
    packer
        .object(dir(from.path()).as_fd(), OsStr::new("base"), b"base")
        .unwrap();
    let bytes = packer.finish().unwrap().0;
    put(&bytes, to.path(), &placing(Some(("base", "other")))).unwrap();
    let facts = |name: &str| to.path().join(name).metadata().unwrap();
    assert_eq!(facts("other/one").ino(), facts("other/two").ino());
    let contents = packed(&from.path().join("base"), &plain);
    put(&contents, to.path(), &placing(Some(("", "new")))).unwrap();
    assert!(to.path().join("new/one").is_file());
}

#[test]
fn hostile_archives_leave_the_rest_of_the_tree_alone() {
    use writer::Tar;
    let top = Place::new();
    let canary = top.canary();
    let before = top.canary_state();
    let options = placing(None);
    let put = |tar: Tar| put(&tar.end(), &top.path(""), &options);
    for tar in [
        Tar::default().file("../canary/file", b"dead"),
        Tar::default().symlink("l", &canary).file("l/file", b"dead"),
        Tar::default().symlink("m", "../canary").dir("m/dir"),
        Tar::default().hard_link("h", "../canary/file"),
        Tar::default()
            .symlink("n", &canary)
            .hard_link("o", "n/file"),
        Tar::default().file("", b"top"),
    ] {
        assert!(put(tar).is_err());
    }
    assert_eq!(top.canary_state(), before);
    // A link in the place of a file is replaced, not written through.
    symlink(format!("{canary}/file"), top.path("f")).unwrap();
    put(Tar::default().file("f", b"mine")).unwrap();
    assert_eq!(fs::read(Path::new(&canary).join("file")).unwrap(), b"alive");
    // No marks in here: names are names.
    put(Tar::default().file("f2", b"").file(".wh.f", b"")).unwrap();
    assert!(top.path("f").is_file() && top.path(".wh.f").is_file());
    let conflict = put(Tar::default().file("canary", b"").dir("canary"));
    assert_eq!(conflict.unwrap_err().kind(), Kind::Conflict);
}

#[test]
fn a_layer_made_anew_has_the_same_entries_and_no_later_times() {
    use super::super::{Coding, difference, recode};
    let top = tempfile::tempdir().unwrap();
    fill(top.path());
    // As young as the rest: its time is one of those that change.
    fs::write(top.path().join("d/a"), "text").unwrap();
    let bytes = packed(top.path(), &PackOptions::plain(mode()));
    let mut same = Vec::new();
    recode(bytes.as_slice(), &mut same, Coding::Plain, Some(i64::MAX)).unwrap();
    assert!(same == bytes, "an archive of ours is written as it was");
    let mut zstd = Vec::new();
    let layer = recode(bytes.as_slice(), &mut zstd, Coding::Zstd(3), None).unwrap();
    assert_eq!(layer.diff_id, crate::common::Digest::of(&bytes));
    assert_eq!(layer.digest, crate::common::Digest::of(&zstd));
    assert_eq!(difference(bytes.as_slice(), zstd.as_slice()).unwrap(), None);
    let mut old = Vec::new();
    recode(zstd.as_slice(), &mut old, Coding::default(), Some(1000)).unwrap();
    let found = difference(old.as_slice(), bytes.as_slice())
        .unwrap()
        .unwrap();
    assert!(
        found.what.starts_with("time 1000.000000000, then "),
        "{found:?}"
    );
    let mut again = Vec::new();
    recode(old.as_slice(), &mut again, Coding::default(), Some(2000)).unwrap();
    assert!(again == old, "nothing is younger any more");
    fs::write(top.path().join("d/a"), "tExt").unwrap();
    let other = packed(top.path(), &PackOptions::plain(mode()));
    let mut first = Vec::new();
    recode(other.as_slice(), &mut first, Coding::Plain, Some(1000)).unwrap();
    let found = difference(old.as_slice(), first.as_slice())
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.path.as_str(), found.what.as_str()),
        ("d/a", "content from byte 1 on")
    );
}
