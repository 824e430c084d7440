//! `cp`: docker's rules for paths, what is kept of files, and containers that change them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::harness::process::Running;
use crate::harness::{Env, Identity};

/// A container that has ended.
fn ended(env: &Env, name: &str) {
    let image = env.base();
    let flags = ["run", "--name", name, "--network", "none"];
    env.ketch(&[&flags[..], &[&image, "payload", "true"]].concat())
        .ok();
}

/// A container that runs until it gets a signal.
fn running(env: &Env, name: &str, flags: &[&str]) -> Running {
    let image = env.base();
    let first = ["run", "--name", name, "--network", "none"];
    let last = [image.as_str(), "payload", "ready-then-wait"];
    let running = env.spawn(&[&first[..], flags, &last].concat());
    running.stdout.wait_for("ready");
    running
}

/// The tree of a container as `tar` lists it.
fn listed(env: &Env, name: &str) -> String {
    let archive = env.text("work/listed.tar");
    env.ketch(&["export", "-o", &archive, name]).ok();
    let output = Command::new("tar")
        .args(["--numeric-owner", "-tvf", &archive])
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn tree(env: &Env, name: &str) {
    env.folder(&format!("{name}/sub"));
    env.file(&format!("{name}/file"), "text\n");
    env.file(&format!("{name}/sub/deep"), "deep\n");
    symlink("/etc/passwd", env.path(&format!("{name}/link"))).unwrap();
}

cases! {
    fn the_destination_decides_the_name_as_docker_does(env) {
        ended(env, "cc");
        tree(env, "src");
        let src = env.text("src");
        let copy = |from: &str, to: &str| env.ketch(&["cp", from, to]);
        let there = |path: &str| {
            let output = env.ketch(&["cp", &format!("cc:{path}"), "-"]);
            output.code() == 0
        };
        // Into a directory that is there; to a new name; the contents only.
        copy(&src, "cc:/tmp").ok();
        assert!(there("/tmp/src/file") && there("/tmp/src/sub/deep"));
        copy(&src, "cc:/new").ok();
        assert!(there("/new/file") && !there("/new/src"));
        copy(&format!("{src}/."), "cc:/tmp/").ok();
        assert!(there("/tmp/file"));
        copy(&format!("{src}/."), "cc:/other").ok();
        assert!(there("/other/sub/deep"));
        // Files.
        copy(&format!("{src}/file"), "cc:/tmp/renamed").ok();
        copy(&format!("{src}/file"), "cc:root/").ok();
        assert!(there("/tmp/renamed") && there("/root/file"));
        copy(&format!("{src}/file"), "cc:/none/").fails(1, &["no such directory"]);
        copy(&format!("{src}/file"), "cc:/none/x").fails(1, &["Could not find the file /none/x in container cc"]);
        copy(&src, "cc:/etc/passwd").fails(1, &["cannot copy directory"]);
        copy(&format!("{src}/file"), "cc:/etc/passwd/").fails(1, &["not a directory"]);
        copy(&format!("{src}/none"), "cc:/tmp").fails(1, &["no such file or directory"]);
        // A directory of the name of a file that is copied, and the other way round.
        env.folder("dir/renamed");
        copy(&format!("{}/.", env.text("dir")), "cc:/tmp").fails(1, &["cannot overwrite non-directory with directory"]);
        env.folder("file");
        env.file("file/sub", "");
        copy(&format!("{}/.", env.text("file")), "cc:/new").fails(1, &["cannot overwrite directory with non-directory"]);
        env.ketch(&["cp", "--overwrite", &format!("{}/.", env.text("file")), "cc:/new"]).ok();
        // And out again.
        copy("cc:/new", &env.text("work/out")).ok();
        assert!(env.path("work/out/file").is_file() && env.path("work/out/sub").is_file());
        copy("cc:/tmp/src", &env.text("work")).ok();
        assert_eq!(fs::read(env.path("work/src/sub/deep")).unwrap(), b"deep\n");
        copy("cc:/tmp/src/.", &env.text("work")).ok();
        assert!(env.path("work/sub/deep").is_file());
        copy("cc:/none", &env.text("work")).fails(1, &["Could not find the file /none in container cc"]);
        copy("cc:/tmp/src/file", &env.text("none/x")).fails(1, &["does not exist"]);
        copy("cc:/etc/passwd/", ".").fails(1, &["not a directory"]);
        copy("cc:/tmp", &env.text("work/file")).fails(1, &["cannot copy directory"]);
        copy("x", "y").fails(1, &["must specify at least one container source"]);
        copy("none:/x", "y").fails(1, &["none"]);
        copy("cc:", "y").fails(1, &["can not be empty"]);
    }

    fn everything_of_a_file_is_kept(env) {
        ended(env, "cc");
        let src = env.folder("src");
        env.file("src/a", "one");
        env.file("src/name\nof two lines", "x");
        env.file("src/\u{e4}\u{f6}", "y");
        fs::hard_link(env.path("src/a"), env.path("src/b")).unwrap();
        symlink("nowhere/at all", env.path("src/l")).unwrap();
        fs::set_permissions(env.path("src/a"), fs::Permissions::from_mode(0o4751)).unwrap();
        env.folder("src/closed");
        env.file("src/closed/in", "z");
        env.file(&format!("src/{}", "n".repeat(200)), "long");
        nix::unistd::mkfifo(&env.path("src/pipe"), nix::sys::stat::Mode::from_bits_truncate(0o622)).unwrap();
        // A file with a hole that no disk would hold.
        env.file("src/sparse", "");
        let sparse = fs::File::options().write(true).open(env.path("src/sparse")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&sparse, b"middle", 3 << 30).unwrap();
        sparse.set_len(50 << 30).unwrap();
        let attribute = Command::new("setfattr").args(["-n", "user.note", "-v", "kept"]).arg(env.path("src/a")).status();
        let attribute = attribute.is_ok_and(|status| status.success());
        fs::set_permissions(env.path("src/closed"), fs::Permissions::from_mode(0o555)).unwrap();
        let time = nix::sys::time::TimeSpec::new(1_234_567_890, 987_654_321);
        nix::sys::stat::utimensat(AT_FDCWD, &env.path("src/closed"), &time, &time, nix::sys::stat::UtimensatFlags::NoFollowSymlink).unwrap();
        nix::sys::stat::utimensat(AT_FDCWD, &env.path("src/a"), &time, &time, nix::sys::stat::UtimensatFlags::NoFollowSymlink).unwrap();
        env.ketch(&["cp", &src, "cc:/tmp"]).ok();
        env.ketch(&["cp", "cc:/tmp/src", &env.text("work/back")]).ok();
        let facts = |path: &str| env.path(path).symlink_metadata().unwrap();
        for name in ["a", "name\nof two lines", "\u{e4}\u{f6}", "l", "closed", "closed/in", "pipe", "sparse", &"n".repeat(200)] {
            let (one, other) = (facts(&format!("src/{name}")), facts(&format!("work/back/{name}")));
            assert_eq!(one.mode(), other.mode(), "{name}");
            assert_eq!((one.mtime(), one.mtime_nsec()), (other.mtime(), other.mtime_nsec()), "{name}");
            assert_eq!(other.uid(), env.uid, "{name}");
            if one.is_file() {
                assert_eq!(one.len(), other.len(), "{name}");
            }
        }
        assert_eq!(facts("work/back/a").ino(), facts("work/back/b").ino());
        assert_eq!(fs::read_link(env.path("work/back/l")).unwrap(), Path::new("nowhere/at all"));
        assert!(facts("work/back/sparse").blocks() < 1000);
        let mut middle = [0; 6];
        let sparse = fs::File::open(env.path("work/back/sparse")).unwrap();
        std::os::unix::fs::FileExt::read_exact_at(&sparse, &mut middle, 3 << 30).unwrap();
        assert_eq!(&middle, b"middle");
        if attribute {
            let output = Command::new("getfattr").args(["-n", "user.note", "--only-values"]).arg(env.path("work/back/a")).output().unwrap();
            assert_eq!(output.stdout, b"kept");
        }
    }

    fn owners_are_root_or_the_sources(env) {
        ended(env, "cc");
        env.file("mine", "x");
        env.ketch(&["cp", &env.text("mine"), "cc:/tmp/plain"]).ok();
        env.ketch(&["cp", "-a", &env.text("mine"), "cc:/tmp/kept"]).ok();
        // The base image's alice.
        env.ketch(&["cp", "-a", "cc:/home/alice", "cc:/tmp/alice"]).ok();
        env.ketch(&["cp", "cc:/home/alice", "cc:/tmp/notalice"]).ok();
        let list = listed(env, "cc");
        let line = |name: &str| list.lines().find(|line| line.ends_with(name)).unwrap_or_default().to_owned();
        assert!(line(" tmp/plain").contains(" 0/0 "), "{list}");
        assert!(line(" tmp/kept").contains(" 0/0 "), "{list}");
        assert!(line(" tmp/alice/").contains(" 1000/1000 "), "{list}");
        assert!(line(" tmp/notalice/").contains(" 0/0 "), "{list}");
        assert!(line(" home/alice/").contains(" 1000/1000 "), "{list}");
    }

    fn an_archive_goes_in_and_out_by_standard_streams(env) {
        ended(env, "cc");
        tree(env, "src");
        let tar = |flags: &[&str]| {
            let output = Command::new("tar").args(flags).arg("-C").arg(env.path("")).arg("src").output().unwrap();
            output.stdout
        };
        env.ketch_with_input(&["cp", "-", "cc:/tmp"], &tar(&["--owner=7", "--group=8", "-c"])).ok();
        env.ketch_with_input(&["cp", "-", "cc:/root"], &tar(&["-cz"])).ok();
        env.ketch_with_input(&["cp", "-", "cc:/none"], &tar(&["-c"])).fails(1, &["must be a directory"]);
        env.ketch_with_input(&["cp", "-", "cc:/tmp"], b"no archive at all").fails(1, &["archive"]);
        let list = listed(env, "cc");
        assert!(list.lines().any(|line| line.contains(" 7/8 ") && line.ends_with(" tmp/src/sub/deep")), "{list}");
        assert!(list.contains(" root/src/file"), "{list}");
        let output = env.command(&["cp", "cc:/tmp/src/file", "-"]).output().unwrap();
        assert_eq!(output.stdout.len() % 512, 0);
        assert!(output.stdout.windows(5).any(|part| part == b"text\n"));
    }

    fn a_running_container_shows_its_mounts(env) {
        let volume = env.folder("volume");
        env.file("volume/in", "from the host");
        let flags = ["-v", &format!("{volume}:/data"), "--tmpfs", "/scratch", "--read-only"];
        let first = running(env, "rr", &flags);
        env.ketch(&["cp", "rr:/data/in", &env.text("work/in")]).ok();
        assert_eq!(fs::read(env.path("work/in")).unwrap(), b"from the host");
        env.file("new", "to the volume");
        env.ketch(&["cp", &env.text("new"), "rr:/data/new"]).ok();
        assert_eq!(fs::read(env.path("volume/new")).unwrap(), b"to the volume");
        env.ketch(&["cp", &env.text("new"), "rr:/scratch/new"]).ok();
        env.ketch(&["cp", "rr:/scratch", "rr:/data"]).ok();
        assert_eq!(fs::read(env.path("volume/scratch/new")).unwrap(), b"to the volume");
        env.ketch(&["cp", &env.text("new"), "rr:/tmp/new"]).fails(1, &["read-only"]);
        // A file that is mounted cannot be replaced, but written.
        env.ketch(&["cp", "rr:/etc/hosts", &env.text("work/hosts")]).ok();
        assert!(fs::read(env.path("work/hosts")).unwrap().len() > 10);
        drop(first);
        let flags = ["-v", &format!("{volume}:/data")];
        let second = running(env, "ss", &flags);
        env.ketch(&["cp", &env.text("new"), "ss:/etc/hosts"]).ok();
        env.ketch(&["cp", "ss:/etc/hosts", &env.text("work/again")]).ok();
        assert_eq!(fs::read(env.path("work/again")).unwrap(), b"to the volume");
        env.ketch(&["cp", "ss:/data/in", "ss:/tmp/here"]).ok();
        second.signal(nix::sys::signal::Signal::SIGKILL);
        drop(second);
        // Stopped, it has its bind mounts still.
        env.ketch(&["cp", &env.text("new"), "ss:/data/late"]).ok();
        assert_eq!(fs::read(env.path("volume/late")).unwrap(), b"to the volume");
    }

    fn devices_are_copied_as_nodes_or_not_at_all(env) {
        let first = running(env, "rr", &[]);
        let output = env.ketch(&["cp", "rr:/dev/zero", &env.text("work/zero")]);
        if env.identity == Some(Identity::Root) {
            output.ok();
            let facts = env.path("work/zero").symlink_metadata().unwrap();
            assert_eq!((facts.mode() & 0o170_000, facts.rdev()), (0o020_000, 0x105));
        } else {
            output.fails(1, &["make node", "zero"]);
        }
        env.file("new", "new");
        env.ketch(&["cp", &env.text("new"), "rr:/dev/null"]).fails(1, &["got a device"]);
        // Ids that the container does not have.
        let listed = env.ketch(&["cp", "/dev/null", "rr:/tmp/null"]);
        assert_eq!(listed.code(), 0, "{listed}");
        drop(first);
    }

    fn links_stay_inside(env) {
        let image = env.base();
        env.file("secret", "of the host");
        let host = env.text("secret");
        let flags = ["run", "--name", "cc", "--network", "none", &image];
        env.ketch(&[&flags[..], &["payload", "true"]].concat()).ok();
        let links = env.folder("links");
        symlink("/", env.path("links/root")).unwrap();
        symlink("../../../../../../../..", env.path("links/up")).unwrap();
        symlink(&host, env.path("links/file")).unwrap();
        symlink("passwd", env.path("links/near")).unwrap();
        env.ketch(&["cp", &format!("{links}/."), "cc:/etc"]).ok();
        for link in ["root", "up"] {
            env.ketch(&["cp", &format!("cc:/etc/{link}{host}"), "-"]).fails(1, &["Could not find"]);
            // Its own /etc, by way of its own root.
            env.ketch(&["cp", &format!("cc:/etc/{link}/etc/passwd"), &env.text("work/passwd")]).ok();
            assert!(fs::read_to_string(env.path("work/passwd")).unwrap().contains("alice"));
        }
        env.file("new", "new");
        env.ketch(&["cp", &env.text("new"), "cc:/etc/root/tmp/new"]).ok();
        env.ketch(&["cp", &env.text("new"), "cc:/etc/up/tmp/two"]).ok();
        env.ketch(&["cp", &env.text("new"), "cc:/etc/file"]).fails(1, &["Could not find"]);
        assert_eq!(fs::read(&host).unwrap(), b"of the host");
        // A link as it is, and what it leads to.
        env.ketch(&["cp", "cc:/etc/near", &env.text("work/link")]).ok();
        assert!(env.path("work/link").is_symlink());
        env.ketch(&["cp", "-L", "cc:/etc/near", &env.text("work/followed")]).ok();
        assert!(env.path("work/followed").symlink_metadata().unwrap().is_file());
        // What comes out is never written through a link that lies there.
        symlink(&host, env.path("work/trap")).unwrap();
        env.folder("work/dir");
        symlink(&host, env.path("work/dir/passwd")).unwrap();
        env.ketch(&["cp", "cc:/etc/passwd", &env.text("work/dir")]).ok();
        assert!(env.path("work/dir/passwd").symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(&host).unwrap(), b"of the host");
    }

    fn a_racing_container_wins_nothing(env) {
        // The container's /data is a directory of the host in which somebody swaps a directory
        // and a link to the host's own for as long as the copies last.
        let (shared, canary) = (env.folder("shared"), env.folder("canary"));
        env.file("canary/secret", "of the host");
        env.folder("shared/sub");
        env.file("shared/sub/secret", "of the container");
        symlink(format!("/../../../..{canary}"), env.path("shared/link")).unwrap();
        // What is copied in again and again is no part of the place it goes to: it would grow.
        env.folder("tree/sub");
        env.file("tree/sub/secret", "of the container");
        symlink(&canary, env.path("tree/link")).unwrap();
        let first = running(env, "rr", &["-v", &format!("{shared}:/data")]);
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, one, other) = (Arc::clone(&stop), env.path("shared/sub"), env.path("shared/link"));
        let swapper = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let _ = renameat2(AT_FDCWD, &one, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE);
            }
        });
        env.file("new", "new");
        let asked = std::env::var("KETCH_TEST_RACES").ok();
        let rounds: usize = asked.and_then(|text| text.parse().ok()).unwrap_or(60);
        for round in 0..rounds {
            let _ = fs::remove_file(env.path("work/out"));
            env.ketch(&["cp", "rr:/data/sub/secret", &env.text("work/out")]);
            if let Ok(found) = fs::read(env.path("work/out")) {
                assert_eq!(found, b"of the container", "round {round}");
            }
            env.ketch(&["cp", &env.text("new"), "rr:/data/sub/new"]);
            env.ketch(&["cp", "-L", "rr:/data", &env.text("work/all")]);
            env.ketch(&["cp", &env.text("tree"), "rr:/data/sub"]);
        }
        stop.store(true, Ordering::Relaxed);
        swapper.join().unwrap();
        drop(first);
        let names: Vec<_> = fs::read_dir(env.path("canary")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(fs::read(env.path("canary/secret")).unwrap(), b"of the host");
    }

    fn a_container_starts_with_what_was_copied_into_it(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "made", "--network", "none", &image, "payload", "cat", "/opt/new"]).ok();
        env.folder("opt");
        env.file("opt/new", "before the first start");
        env.ketch(&["cp", &env.text("opt"), "made:/opt"]).ok();
        assert_eq!(env.ketch(&["start", "-a", "made"]).ok(), "before the first start");
        env.file("opt/new", "between two starts");
        env.ketch(&["cp", &env.text("opt/new"), "made:/opt/new"]).ok();
        assert_eq!(env.ketch(&["start", "-a", "made"]).ok(), "between two starts");
        env.ketch(&["diff", "made"]).says("A /opt/new");
        env.ketch(&["rm", "made"]).ok();
        env.assert_clean();
    }

    fn a_plain_root_directory_is_a_container_too(env) {
        let root = env.folder("root");
        for folder in ["root/tmp", "root/etc", "root/bin"] {
            env.folder(folder);
        }
        fs::copy(crate::harness::env::payload(), env.path("root/bin/payload")).unwrap();
        std::os::unix::fs::chown(env.path("root/bin/payload"), Some(env.uid), Some(env.gid)).unwrap();
        env.ketch(&["run", "--name", "pp", "--network", "none", "--rootfs", &root, "/bin/payload", "true"]).ok();
        env.file("new", "new");
        env.ketch(&["cp", &env.text("new"), "pp:/tmp/new"]).ok();
        assert_eq!(fs::read(env.path("root/tmp/new")).unwrap(), b"new");
        env.ketch(&["cp", "pp:/tmp/new", "-"]).ok();
        env.ketch(&["diff", "pp"]).fails(1, &["plain directory"]);
        assert!(listed(env, "pp").contains(" tmp/new"));
    }
}

#[test]
fn a_copy_dies_with_its_caller() {
    Env::with(Identity::Root, |env| {
        ended(env, "cc");
        let mut copy = env.spawn(&["cp", "-", "cc:/tmp"]);
        copy.write(&[0; 100]);
        copy.signal(nix::sys::signal::Signal::SIGKILL);
        drop(copy);
        // Nothing holds it any more.
        crate::harness::eventually("the lock is free", || env.ketch(&["rm", "cc"]).code() == 0);
    });
}
