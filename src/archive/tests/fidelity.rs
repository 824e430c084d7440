//! Ordinary layers: what the archive says is what is on disk.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::super::writer::{self, Head, Tar};
use super::*;
use crate::sys::xattr;

fn facts(place: &Place, name: &str) -> fs::Metadata {
    fs::symlink_metadata(place.path(name)).unwrap()
}

fn xattr_of(place: &Place, name: &str, key: &[u8]) -> Option<String> {
    let value = xattr::lget(&place.path(name), key).unwrap_or(None)?;
    Some(String::from_utf8(value).unwrap())
}

#[test]
fn types_modes_and_times_are_exact() {
    let mut setuid = Head::new(b'0', "bin/su");
    setuid.mode = 0o4755;
    let mut closed = Head::new(b'5', "closed");
    closed.mode = 0o555;
    let mut sticky = Head::new(b'5', "tmp");
    sticky.mode = 0o1777;
    let mut top = Head::new(b'5', "./");
    top.mode = 0o750;
    let layer = Tar::default()
        .head(&top)
        .dir("bin")
        .file_as(setuid, b"#!")
        .head(&closed)
        .pax(&[("mtime", b"1234567890.987654321")])
        .file("closed/inside", b"data")
        .head(&sticky)
        .symlink("bin/link", "/etc/../x")
        .hard_link("hard", "closed/inside")
        .head(&Head::new(b'6', "pipe"))
        .file("made/up/parents", b"")
        .end();
    let place = Place::new();
    let unpacked = place.unpack(&layer).unwrap();
    assert_eq!(unpacked.files, 10);
    assert_eq!(unpacked.diff_id, crate::common::Digest::of(&layer));
    for (name, mode) in [
        ("", 0o40750),
        ("bin", 0o40755),
        ("bin/su", 0o104_755),
        ("closed", 0o40555),
        ("tmp", 0o41777),
        ("closed/inside", 0o100_644),
        ("pipe", 0o10644),
        ("made/up", 0o40755),
    ] {
        assert_eq!(facts(&place, name).mode(), mode, "{name}");
    }
    for name in ["", "bin", "bin/su", "closed", "tmp", "bin/link", "pipe"] {
        assert_eq!(facts(&place, name).mtime(), 1_700_000_000, "{name}");
    }
    let inside = facts(&place, "closed/inside");
    assert_eq!(
        (inside.mtime(), inside.mtime_nsec()),
        (1_234_567_890, 987_654_321)
    );
    assert_eq!(inside.ino(), facts(&place, "hard").ino());
    let link = fs::read_link(place.path("bin/link")).unwrap();
    assert_eq!(link.to_str(), Some("/etc/../x"));
    // So that the temporary directory can be removed by an ordinary user.
    restore(&place, "closed");
}

fn restore(place: &Place, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn long_names_come_in_every_form() {
    let long = "d/".repeat(90) + "file";
    let target = "t/".repeat(80) + "x";
    let mut prefixed = Head::new(b'0', "name").block();
    prefixed[345..351].copy_from_slice(b"prefix");
    writer::seal(&mut prefixed);
    let layer = Tar::default()
        .extended(b'L', format!("gnu/{long}\0").as_bytes())
        .file("gnu", b"1")
        .pax(&[("path", format!("pax/{long}").as_bytes())])
        .file("pax", b"2")
        .extended(b'K', format!("{target}\0").as_bytes())
        .symlink("gnu-link", "short")
        .pax(&[("linkpath", target.as_bytes())])
        .symlink("pax-link", "short")
        .raw(&prefixed)
        .end();
    let place = Place::new();
    place.unpack(&layer).unwrap();
    assert_eq!(fs::read(place.path(&format!("gnu/{long}"))).unwrap(), b"1");
    assert_eq!(fs::read(place.path(&format!("pax/{long}"))).unwrap(), b"2");
    for link in ["gnu-link", "pax-link"] {
        assert_eq!(
            fs::read_link(place.path(link)).unwrap().to_str(),
            Some(&target[..])
        );
    }
    assert!(place.path("prefix/name").is_file());
}

#[test]
fn sparse_files_come_in_every_form() {
    let data = b"startend";
    let mut old = Head::new(b'S', "old");
    old.size = 8;
    let mut old = old.block();
    old[257..265].copy_from_slice(b"ustar  \0");
    old[345..386].fill(0);
    old[386..398].copy_from_slice(b"00000000000\0");
    old[398..410].copy_from_slice(b"00000000005\0");
    old[410..422].copy_from_slice(b"00001000000\0");
    old[422..434].copy_from_slice(b"00000000003\0");
    old[483..495].copy_from_slice(b"00002000000\0");
    writer::seal(&mut old);
    let padded = [&data[..], &[0; 504]].concat();
    let mut map = b"2\n0\n5\n262144\n3\n".to_vec();
    map.resize(512, 0);
    let layer = Tar::default()
        .raw(&old)
        .raw(&padded)
        .pax(&[
            ("GNU.sparse.size", b"524288"),
            ("GNU.sparse.numblocks", b"2"),
            ("GNU.sparse.offset", b"0"),
            ("GNU.sparse.numbytes", b"5"),
            ("GNU.sparse.offset", b"262144"),
            ("GNU.sparse.numbytes", b"3"),
        ])
        .file("v00", data)
        .pax(&[
            ("GNU.sparse.size", b"524288"),
            ("GNU.sparse.map", b"0,5,262144,3"),
            ("GNU.sparse.name", b"v01"),
        ])
        .file("GNUSparseFile.0/v01", data)
        .pax(&[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.realsize", b"524288"),
            ("GNU.sparse.name", b"v10"),
        ])
        .file("GNUSparseFile.0/v10", &[&map[..], data].concat())
        .file("after", b"x")
        .end();
    let place = Place::new();
    place.unpack(&layer).unwrap();
    let mut expected = vec![0; 524_288];
    expected[..5].copy_from_slice(b"start");
    expected[262_144..262_147].copy_from_slice(b"end");
    for name in ["old", "v00", "v01", "v10"] {
        assert!(fs::read(place.path(name)).unwrap() == expected, "{name}");
        assert!(
            facts(&place, name).blocks() * 512 < 524_288,
            "{name} has no holes"
        );
    }
    assert!(place.path("after").exists());
}

#[test]
fn single_mode_keeps_intended_owners_and_types() {
    let mut shadow = Head::new(b'0', "shadow");
    (shadow.owner, shadow.mode) = ((0, 42), 0o440);
    let mut home = Head::new(b'5', "home");
    (home.owner, home.mode) = ((1000, 1000), 0o750);
    let mut null = Head::new(b'3', "null");
    (null.device, null.mode) = ((1, 3), 0o666);
    let mut link = Head::new(b'2', "link");
    (link.owner, link.link) = ((5, 6), b"x");
    let layer = Tar::default()
        .file_as(shadow, b"s")
        .head(&home)
        .head(&null)
        .head(&link)
        .file("plain", b"")
        .end();
    let place = Place::new();
    let options = UnpackOptions::new(Mode::Single);
    let unpacked = place.unpack_as(&layer, &options).unwrap();
    let listed: Vec<_> = unpacked.overrides.iter().map(|o| o.stat.as_str()).collect();
    if listed.len() > 1 {
        // No user attributes here: all of them are kept beside the layer.
        assert_eq!(listed[0], "0:42:0440:file");
        return;
    }
    let key = b"user.containers.override_stat";
    assert_eq!(xattr_of(&place, "shadow", key).unwrap(), "0:42:0440:file");
    assert_eq!(xattr_of(&place, "home", key).unwrap(), "1000:1000:0750:dir");
    assert_eq!(xattr_of(&place, "null", key).unwrap(), "0:0:0666:char-1-3");
    assert_eq!(xattr_of(&place, "plain", key), None);
    assert_eq!(listed, ["5:6:0644:symlink"]);
    assert_eq!(facts(&place, "shadow").mode(), 0o100_440);
    assert_eq!(facts(&place, "home").mode(), 0o40750);
    assert!(facts(&place, "null").is_file());
    let own = facts(&place, "plain").uid();
    assert_eq!(facts(&place, "shadow").uid(), own);
}

#[test]
fn root_mode_gives_true_owners() {
    if !is_root() {
        return;
    }
    let mut file = Head::new(b'0', "su");
    (file.owner, file.mode) = ((12, 34), 0o6755);
    let mut dir = Head::new(b'5', "mail");
    (dir.owner, dir.mode) = ((0, 8), 0o2775);
    let mut link = Head::new(b'2', "link");
    (link.owner, link.link) = ((5, 6), b"x");
    let layer = Tar::default()
        .head(&dir)
        .file("mail/box", b"")
        .pax(&[("uid", b"3000000")])
        .file_as(file, b"x")
        .head(&link)
        .end();
    let place = Place::new();
    place.unpack(&layer).unwrap();
    let owner = |name| (facts(&place, name).uid(), facts(&place, name).gid());
    assert_eq!(owner("su"), (3_000_000, 34));
    assert_eq!(facts(&place, "su").mode(), 0o106_755);
    assert_eq!(owner("mail"), (0, 8));
    assert_eq!(facts(&place, "mail").mode(), 0o42775);
    assert_eq!(owner("mail/box"), (0, 0), "a setgid parent gives no group");
    assert_eq!(owner("link"), (5, 6));
}

#[test]
fn attributes_of_the_image_are_set_and_those_of_the_mount_are_not() {
    let layer = Tar::default()
        .pax(&[
            ("SCHILY.xattr.user.note", b"hi"),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
            (
                "SCHILY.xattr.user.containers.override_stat",
                b"0:0:0777:file",
            ),
        ])
        .dir("d")
        .pax(&[("SCHILY.xattr.user.note", b"ho")])
        .file_as(
            Head {
                mode: 0o400,
                ..Head::new(b'0', "f")
            },
            b"",
        )
        .end();
    let place = Place::new();
    let unpacked = place.unpack(&layer).unwrap();
    if unpacked.xattrs_refused == 0 {
        assert_eq!(xattr_of(&place, "d", b"user.note").unwrap(), "hi");
        assert_eq!(xattr_of(&place, "f", b"user.note").unwrap(), "ho");
    }
    assert_eq!(facts(&place, "f").mode(), 0o100_400);
    for name in [&b"user.overlay.opaque"[..], b"trusted.overlay.opaque"] {
        assert_eq!(xattr_of(&place, "d", name), None);
    }
    assert_eq!(
        xattr_of(&place, "d", b"user.containers.override_stat"),
        None
    );
}

fn is_whiteout(place: &Place, name: &str) -> bool {
    let facts = facts(place, name);
    facts.file_type().is_char_device() && facts.rdev() == 0
        || xattr_of(place, name, b"user.overlay.whiteout").is_some()
}

fn is_opaque(place: &Place, name: &str) -> bool {
    let key: &[u8] = if is_root() {
        b"trusted.overlay.opaque"
    } else {
        b"user.overlay.opaque"
    };
    xattr_of(place, name, key).as_deref() == Some("y")
}

#[test]
fn whiteouts_take_overlay_form_and_spare_their_own_layer() {
    let layer = Tar::default()
        .dir("d")
        .file("d/.wh.gone", b"")
        .file("kept", b"x")
        .file(".wh.kept", b"")
        .dir("kept-dir")
        .file("kept-dir/file", b"")
        .file(".wh.kept-dir", b"")
        .file(".wh.before", b"")
        .dir("before")
        .file(".wh.implied", b"")
        .file("implied/file", b"")
        .file("opaque/.wh..wh..opq", b"")
        .file("opaque/file", b"")
        .file(".wh..wh.plnk/12.3", b"")
        .file(".wh..wh.aufs", b"")
        .end();
    let place = Place::new();
    let unpacked = place.unpack(&layer).unwrap();
    assert!(is_whiteout(&place, "d/gone"));
    assert_eq!(fs::read(place.path("kept")).unwrap(), b"x");
    assert!(place.path("kept-dir/file").exists());
    for name in ["kept-dir", "before", "implied", "opaque"] {
        assert!(is_opaque(&place, name), "{name}");
    }
    assert!(!is_opaque(&place, "d"));
    assert!(place.path("implied/file").exists());
    let names = fs::read_dir(place.path("")).unwrap();
    let odd = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(".wh");
    assert!(
        !names
            .map(|entry| entry.unwrap().file_name())
            .any(|n| odd(&n))
    );
    assert!(!unpacked.opaque_top);
    let top = Tar::default().file(".wh..wh..opq", b"").end();
    assert!(Place::new().unpack(&top).unwrap().opaque_top);
}

#[test]
fn entries_go_through_links_of_their_own_layer() {
    let layer = Tar::default()
        .dir("usr/lib")
        .symlink("lib", "usr/lib")
        .file("lib/x", b"1")
        .dir("lib/sub")
        .symlink("abs", "/usr/made")
        .file("abs/y", b"2")
        .hard_link("usr/h", "lib/x")
        .end();
    let place = Place::new();
    place.unpack(&layer).unwrap();
    assert_eq!(fs::read(place.path("usr/lib/x")).unwrap(), b"1");
    assert_eq!(fs::read(place.path("usr/h")).unwrap(), b"1");
    assert_eq!(facts(&place, "usr/lib/sub").mode(), 0o40755);
}

#[test]
fn later_entries_replace_earlier_ones() {
    let layer = Tar::default()
        .dir("a")
        .file("a/old", b"")
        .file("a", b"now a file")
        .file("b", b"")
        .dir("b")
        .file("b/x", b"")
        .dir("c")
        .file("c/kept", b"")
        .head(&Head {
            mode: 0o700,
            ..Head::new(b'5', "c/")
        })
        .end();
    let place = Place::new();
    place.unpack(&layer).unwrap();
    assert_eq!(fs::read(place.path("a")).unwrap(), b"now a file");
    assert!(place.path("b/x").exists());
    assert!(place.path("c/kept").exists());
    assert_eq!(facts(&place, "c").mode(), 0o40700);
}
