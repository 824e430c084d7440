//! Layers made to escape, confuse or exhaust.

use super::super::writer::{Head, Tar, record, seal};
use super::*;

/// Unpacks layers that may be accepted or refused; only the canary counts.
fn survives(layers: Vec<(&str, Vec<u8>)>) {
    for (name, layer) in layers {
        let place = Place::new();
        if let Err(error) = place.unpack(&layer) {
            assert_ne!(error.kind(), Kind::Bug, "{name}: {error}");
        }
    }
}

/// Unpacks layers that must be refused as corrupt.
fn refused(layers: Vec<(&str, Vec<u8>)>) {
    for (name, layer) in layers {
        let place = Place::new();
        let error = place.unpack(&layer).expect_err(name);
        assert_eq!(error.kind(), Kind::Corrupt, "{name}: {error}");
    }
}

#[test]
fn names_that_climb_are_refused_or_clamped() {
    refused(vec![
        ("up", Tar::default().file("../canary/file", b"x").end()),
        (
            "middle",
            Tar::default().file("a/../../canary/file", b"x").end(),
        ),
        ("dir", Tar::default().dir("../canary/dir").end()),
        ("dots", Tar::default().file("..", b"x").end()),
        ("long component", {
            let name = [b'a'; 300];
            Tar::default().pax(&[("path", &name)]).file("x", b"").end()
        }),
        ("long name", {
            let name = b"a/".repeat(3000);
            Tar::default().extended(b'L', &name).file("x", b"").end()
        }),
    ]);
    let place = Place::new();
    place
        .unpack(&Tar::default().file("/../../etc/x", b"x").end())
        .unwrap();
    assert!(place.path("etc/x").is_file());
}

#[test]
fn the_top_can_only_be_a_directory() {
    for name in [".", "/", "./", "a/.."] {
        refused(vec![
            ("symlink", Tar::default().symlink(name, "../canary").end()),
            ("file", Tar::default().file(name, b"x").end()),
            ("hard link", Tar::default().hard_link(name, "x").end()),
            ("fifo", Tar::default().head(&Head::new(b'6', name)).end()),
        ]);
    }
}

#[test]
fn links_never_lead_out() {
    let canary = Place::new().canary();
    for target in [
        "../canary",
        "../../../../../../../../../../tmp",
        &canary,
        "/",
    ] {
        let through = |tar: Tar| {
            tar.file("l/file", b"x")
                .dir("l/dir")
                .symlink("l/new", "x")
                .hard_link("l/hard", "f")
                .file("l/.wh.file", b"")
                .file("l/.wh..wh..opq", b"")
                .end()
        };
        survives(vec![
            (
                "through",
                through(Tar::default().file("f", b"").symlink("l", target)),
            ),
            (
                "chained",
                through(
                    Tar::default()
                        .file("f", b"")
                        .symlink("m", target)
                        .symlink("l", "m"),
                ),
            ),
            (
                "nested",
                through(
                    Tar::default()
                        .dir("d")
                        .symlink("d/l", target)
                        .symlink("l", "d/l"),
                ),
            ),
            (
                "file over",
                Tar::default()
                    .symlink("l", &format!("{target}/file"))
                    .file("l", b"x")
                    .end(),
            ),
            (
                "dir over",
                Tar::default()
                    .symlink("l", &format!("{target}/dir"))
                    .dir("l")
                    .end(),
            ),
            (
                "swap",
                Tar::default()
                    .dir("l")
                    .file("l/a", b"")
                    .symlink("l", target)
                    .file("l/file", b"x")
                    .end(),
            ),
            (
                "loop",
                Tar::default().symlink("l", "l").file("l/x", b"").end(),
            ),
            (
                "hard link to link",
                Tar::default()
                    .symlink("l", &format!("{target}/file"))
                    .hard_link("h", "l")
                    .file("h", b"x")
                    .end(),
            ),
        ]);
    }
}

#[test]
fn a_write_replaces_a_link_and_a_hard_link_is_never_written_through() {
    let place = Place::new();
    let layer = Tar::default()
        .file("a", b"first")
        .hard_link("b", "a")
        .file("b", b"second")
        .symlink("s", "a")
        .file("s", b"third")
        .end();
    place.unpack(&layer).unwrap();
    assert_eq!(fs::read(place.path("a")).unwrap(), b"first");
    assert_eq!(fs::read(place.path("b")).unwrap(), b"second");
    assert_eq!(fs::read(place.path("s")).unwrap(), b"third");
}

#[test]
fn hard_links_stay_inside_and_need_a_file() {
    let canary = format!("{}/file", Place::new().canary());
    refused(vec![
        ("up", Tar::default().hard_link("h", "../canary/file").end()),
        ("absolute", Tar::default().hard_link("h", &canary).end()),
        ("missing", Tar::default().hard_link("h", "nothing").end()),
        (
            "directory",
            Tar::default().dir("d").hard_link("h", "d").end(),
        ),
        ("top", Tar::default().hard_link("h", ".").end()),
        (
            "through link",
            Tar::default()
                .symlink("l", "../canary")
                .hard_link("h", "l/file")
                .end(),
        ),
        (
            "whiteout",
            Tar::default().file(".wh.x", b"").hard_link("h", "x").end(),
        ),
    ]);
    let place = Place::new();
    place
        .unpack(&Tar::default().file("a", b"x").hard_link("a", "a").end())
        .unwrap();
    assert_eq!(fs::read(place.path("a")).unwrap(), b"x");
}

#[test]
fn whiteouts_name_one_component() {
    refused(vec![
        ("empty", Tar::default().file(".wh.", b"").end()),
        ("dot", Tar::default().file("a/.wh..", b"").end()),
        ("dots", Tar::default().file("a/.wh...", b"").end()),
        ("as directory", Tar::default().file(".wh.a/b", b"").end()),
        (
            "below a file",
            Tar::default().file("a", b"").file("a/.wh.b", b"").end(),
        ),
    ]);
}

#[test]
fn sizes_that_parsers_disagree_about() {
    // The pax size hides a second archive inside the data; reading by the header's size would
    // show "evil" (TARmageddon).
    let inner = Tar::default().file("evil", b"x").bytes();
    let mut head = Head::new(b'0', "carrier");
    head.size = 0;
    let size = inner.len().to_string();
    let layer = Tar::default()
        .pax(&[("size", size.as_bytes())])
        .head(&head)
        .raw(&inner)
        .end();
    let place = Place::new();
    place.unpack(&layer).unwrap();
    assert_eq!(fs::read(place.path("carrier")).unwrap(), inner);
    assert!(!place.path("evil").exists());

    let mut negative = Head::new(b'0', "f").block();
    negative[124..136].fill(0xff);
    seal(&mut negative);
    let mut octal = Head::new(b'0', "f").block();
    octal[124..136].copy_from_slice(b"0000000008\0\0");
    seal(&mut octal);
    refused(vec![
        ("negative", Tar::default().raw(&negative).end()),
        ("not octal", Tar::default().raw(&octal).end()),
        (
            "pax negative",
            Tar::default().pax(&[("size", b"-1")]).file("f", b"").end(),
        ),
        (
            "pax text",
            Tar::default().pax(&[("size", b"1x")]).file("f", b"").end(),
        ),
        (
            "pax huge",
            Tar::default()
                .pax(&[("size", b"9223372036854775807")])
                .file("f", b"")
                .end(),
        ),
        (
            "global size",
            Tar::default()
                .extended(b'g', &record("size", b"1"))
                .file("f", b"")
                .end(),
        ),
        (
            "global path",
            Tar::default()
                .extended(b'g', &record("path", b"p"))
                .file("f", b"")
                .end(),
        ),
    ]);
}

#[test]
fn malformed_headers_are_refused() {
    let mut checksum = Head::new(b'0', "f").block();
    checksum[0] = b'g';
    let mut head = Head::new(b'x', "h");
    head.size = (1 << 20) + 1;
    let file = |tar: Tar| tar.file("f", b"").end();
    refused(vec![
        ("checksum", Tar::default().raw(&checksum).end()),
        (
            "unknown type",
            Tar::default().head(&Head::new(b'Z', "f")).end(),
        ),
        ("garbage", vec![b'x'; 2048]),
        (
            "huge pax",
            Tar::default().head(&head).raw(&vec![b'1'; 2 << 20]).end(),
        ),
        (
            "pax without newline",
            file(Tar::default().extended(b'x', b"9 path=ab")),
        ),
        (
            "pax length beyond",
            file(Tar::default().extended(b'x', b"99 path=a\n")),
        ),
        ("pax nul", file(Tar::default().pax(&[("path", b"a\0b")]))),
        (
            "two pax",
            file(Tar::default().pax(&[("path", b"a")]).pax(&[("path", b"b")])),
        ),
        (
            "two long names",
            file(Tar::default().extended(b'L', b"a").extended(b'L', b"b")),
        ),
        (
            "pax at the end",
            Tar::default().pax(&[("path", b"a")]).end(),
        ),
        (
            "uid out of range",
            file(Tar::default().pax(&[("uid", b"4294967295")])),
        ),
        (
            "sparse dir",
            Tar::default()
                .pax(&[("GNU.sparse.size", b"9"), ("GNU.sparse.map", b"0,0")])
                .dir("d")
                .end(),
        ),
        (
            "sparse beyond",
            Tar::default()
                .pax(&[("GNU.sparse.size", b"1"), ("GNU.sparse.map", b"5,1")])
                .file("f", b"x")
                .end(),
        ),
        ("empty link", Tar::default().symlink("l", "").end()),
        (
            "file as parent",
            Tar::default().file("a", b"").file("a/b", b"").end(),
        ),
    ]);
}

#[test]
fn truncation_is_noticed_at_every_block() {
    let whole = Tar::default()
        .pax(&[("path", b"long")])
        .file("f", &[1; 1500])
        .dir("d")
        .bytes();
    for cut in (0..whole.len()).step_by(256) {
        // After a whole entry the end marks may be missing.
        let entry_ends = cut == 0 || cut == whole.len() - 512;
        let place = Place::new();
        let result = place.unpack(&whole[..cut]);
        assert_eq!(result.is_ok(), entry_ends, "cut at {cut}");
    }
}

#[test]
fn the_end_of_an_archive_is_where_docker_sees_it() {
    let body = Tar::default().file("a", b"1").bytes();
    let digest = crate::common::Digest::of;
    for tail in [vec![], vec![0; 512], vec![0; 1024], vec![0; 10_240], {
        let mut tail = vec![0; 1024];
        tail.extend(Tar::default().file("hidden", b"x").end());
        tail
    }] {
        let layer = [&body[..], &tail].concat();
        let place = Place::new();
        let unpacked = place.unpack(&layer).unwrap();
        assert_eq!(unpacked.diff_id, digest(&layer), "all bytes count");
        assert_eq!((unpacked.files, unpacked.bytes), (1, layer.len() as u64));
        assert!(!place.path("hidden").exists());
    }
    let gap = Tar::default()
        .raw(&body)
        .raw(&[0; 512])
        .file("b", b"")
        .end();
    refused(vec![("one zero block between", gap)]);
}

#[test]
fn bombs_meet_limits() {
    let place = Place::new();
    let zeros = vec![0u8; 8 << 20];
    let layer = zstd::encode_all(&Tar::default().file("z", &zeros).end()[..], 1).unwrap();
    let mut options = UnpackOptions::new(mode());
    options.limits.ratio_from = 1 << 20;
    options.limits.ratio = 100;
    assert_eq!(kind(place.unpack_as(&layer, &options)), Kind::Corrupt);
    let mut options = UnpackOptions::new(mode());
    options.limits.bytes = 1 << 20;
    assert_eq!(kind(place.unpack_as(&layer, &options)), Kind::Corrupt);
    let mut options = UnpackOptions::new(mode());
    options.limits.entries = 3;
    let many = Tar::default().file("a/b/c/d", b"").end();
    assert_eq!(kind(place.unpack_as(&many, &options)), Kind::Corrupt);
    let huge = Tar::default()
        .pax(&[
            ("GNU.sparse.size", b"9000000000000000000"),
            ("GNU.sparse.map", b"0,0"),
        ])
        .file("f", b"")
        .end();
    assert_eq!(kind(place.unpack(&huge)), Kind::Corrupt);
}

#[test]
fn a_broken_stream_is_named_as_the_cause() {
    use std::io::{self, Read};
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                let error = crate::common::Error::new(Kind::Network, "fetch blob", "x");
                return Err(io::Error::other(error));
            }
            self.0 -= 1;
            let layer = Tar::default().file("f", &[7; 4000]).end();
            buffer[..512].copy_from_slice(&layer[..512]);
            Ok(512)
        }
    }
    let place = Place::new();
    let dir = File::open(place.path("")).unwrap();
    let options = UnpackOptions::new(mode());
    let result = unpack_layer(Failing(1), dir.as_fd(), &options, &Silent);
    assert_eq!(kind(result), Kind::Network);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut gzip, &Tar::default().file("f", b"x").end()).unwrap();
    let mut gzip = gzip.finish().unwrap();
    gzip.extend_from_slice(b"trailing garbage");
    let error = place.unpack(&gzip).unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (Kind::Corrupt, "decompress layer")
    );
}

#[test]
fn damaged_archives_never_panic() {
    let good = Tar::default()
        .pax(&[
            ("path", b"long/name"),
            ("mtime", b"1.5"),
            ("SCHILY.xattr.user.a", b"v"),
        ])
        .file("f", &[1; 700])
        .extended(b'L', b"other/name\0")
        .dir("d")
        .symlink("s", "d")
        .hard_link("h", "long/name")
        .end();
    // A fixed linear congruential generator: the same damage in every run.
    let mut seed = 1u64;
    let mut next = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % bound
    };
    let place = Place::new();
    for _ in 0..400 {
        let mut bad = good.clone();
        let at = next(bad.len());
        bad[at] = next(256) as u8;
        let header = at / 512 * 512;
        if next(2) == 0
            && let Ok(block) = <&mut [u8; 512]>::try_from(&mut bad[header..header + 512])
        {
            seal(block);
        }
        if let Err(error) = place.unpack(&bad) {
            assert_ne!(error.kind(), Kind::Bug, "{error}");
        }
    }
}
