//! The emulator against real programs in a real user namespace with one id.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;
use crate::seccomp::{Identity, ProfileChoice, Request, compile};
use crate::sys::seccomp::{can_notify, testing};

/// Runs `argv` under the emulator; its exit code, or `None` when this machine cannot.
fn run(argv: &[&str]) -> Option<i32> {
    let request = Request {
        profile: ProfileChoice::Default,
        caps: &["CAP_SYS_CHROOT"],
        identity: Identity::Notify,
    };
    let program = compile(&request).unwrap();
    let spawned = if can_notify() {
        testing::spawn(program.as_bytes(), argv)
    } else {
        Err("the kernel cannot notify".to_owned())
    };
    let child = match spawned {
        Ok(child) => child,
        Err(why) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "skipped: {why}");
            return None;
        }
    };
    let mut emulator = IdentityEmulator::new(child.listener.try_clone().unwrap(), 0, 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(code) = child.try_wait() {
            return Some(code);
        }
        assert!(Instant::now() < deadline, "{argv:?} hangs");
        let mut fds = [PollFd::new(emulator.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::from(20u16)).unwrap();
        if fds[0].revents().unwrap().contains(PollFlags::POLLIN) {
            emulator.handle_one().unwrap();
        }
    }
}

fn shell(dir: &Path, script: &str) -> Option<i32> {
    let script = format!("cd {} || exit 90\n{script}", dir.display());
    run(&["/bin/sh", "-ec", &script])
}

fn intended(path: &Path) -> Option<String> {
    let file = std::fs::File::open(path).unwrap();
    crate::sys::xattr::opened::get(file.as_fd(), crate::sys::xattr::OVERRIDE_STAT)
        .unwrap()
        .map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn owners_of_any_number_are_accepted_and_recorded() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    std::fs::create_dir(dir.join("d")).unwrap();
    for name in ["f", "d/g", "locked"] {
        std::fs::write(dir.join(name), "").unwrap();
    }
    std::os::unix::fs::symlink("/nowhere", dir.join("l")).unwrap();
    std::os::unix::fs::symlink(dir.join("f"), dir.join("to-f")).unwrap();
    let script = "
        chmod 0444 locked; chown 33:34 f; chown :5 locked; chown 0:0 d
        chown -h 7:7 l; chown -R 8:9 d; cd d; chown 1:1 ../f; chown 2:2 ../to-f
        chown 3:3 /dev/stdout; chown 1 /proc/self/fd/1
        if chown 1:1 absent 2>/dev/null; then exit 91; fi";
    match shell(dir, script) {
        None => return,
        code => assert_eq!(code, Some(0)),
    }
    assert_eq!(intended(&dir.join("f")).unwrap(), "2:2:0644:file");
    assert_eq!(intended(&dir.join("locked")).unwrap(), "0:5:0444:file");
    assert!(
        intended(&dir.join("d"))
            .unwrap()
            .starts_with("8:9:0755:dir")
    );
    assert_eq!(intended(&dir.join("d/g")).unwrap(), "8:9:0644:file");
}

#[test]
fn devices_become_stubs_and_whiteouts_stay_real() {
    let temp = tempfile::tempdir().unwrap();
    let script = "
        umask 027; mknod c c 1 3; mknod b b 300 70000; mknod p p
        if mknod c c 1 3 2>/dev/null; then exit 91; fi
        if mknod absent/c c 1 3 2>/dev/null; then exit 92; fi";
    match shell(temp.path(), script) {
        None => return,
        code => assert_eq!(code, Some(0)),
    }
    assert_eq!(
        intended(&temp.path().join("c")).unwrap(),
        "0:0:0640:char-1-3"
    );
    assert_eq!(
        intended(&temp.path().join("b")).unwrap(),
        "0:0:0640:block-300-70000"
    );
    let pipe = std::fs::metadata(temp.path().join("p")).unwrap();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&pipe.file_type()));
}

/// util-linux's setpriv, the last line of many images' entrypoints, gives up the user first and
/// counts on PR_SET_KEEPCAPS for the groups.
#[test]
fn setpriv_changes_the_user_before_the_groups() {
    let temp = tempfile::tempdir().unwrap();
    let script = r#"
        command -v setpriv >/dev/null || exit 0
        setpriv --reuid 33 --regid 44 --clear-groups sh -ec '
            test "$(id -u):$(id -g)" = 33:44
            ! setpriv --reuid 0 true 2>/dev/null'
    "#;
    if let Some(code) = shell(temp.path(), script) {
        assert_eq!(code, 0);
    }
}

/// Runs the native test below in the emulated container.
fn rerun(name: &str) -> Option<i32> {
    let me = std::env::current_exe().unwrap();
    let me = me.to_str().unwrap();
    run(&[
        me,
        "--exact",
        name,
        "--ignored",
        "--test-threads=1",
        "--quiet",
    ])
}

#[test]
fn dropped_rights_stay_dropped_and_children_inherit() {
    let inside = "seccomp::emulate::tests::inside_identity_changes_as_apt_expects";
    if let Some(code) = rerun(inside) {
        assert_eq!(code, 0);
    }
}

/// Payload of the test above: apt's DropPrivileges and its checks.
#[test]
#[ignore = "runs inside the container of another test"]
fn inside_identity_changes_as_apt_expects() {
    use nix::unistd::*;
    let (uid, gid) = (Uid::from_raw(100), Gid::from_raw(65534));
    assert!(getuid().is_root() && geteuid().is_root());
    setgroups(&[gid, Gid::from_raw(7)]).unwrap();
    assert_eq!(getgroups().unwrap(), [gid, Gid::from_raw(7)]);
    let shown = |script: &str| {
        let out = std::process::Command::new("/bin/sh")
            .args(["-c", script])
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    assert_eq!(shown("id -u"), "0\n");
    // The C library makes every thread of this process call; they share one identity.
    setresgid(gid, gid, gid).unwrap();
    setresuid(uid, uid, uid).unwrap();
    assert_eq!(
        (getuid(), geteuid(), getgid(), getegid()),
        (uid, uid, gid, gid)
    );
    let all = getresuid().unwrap();
    assert_eq!((all.real, all.effective, all.saved), (uid, uid, uid));
    let all = getresgid().unwrap();
    assert_eq!((all.real, all.effective, all.saved), (gid, gid, gid));
    let root = Uid::from_raw(0);
    assert_eq!(setuid(root), Err(Errno::EPERM));
    assert_eq!(seteuid(root), Err(Errno::EPERM));
    assert_eq!(setgid(Gid::from_raw(0)), Err(Errno::EPERM));
    assert_eq!(setgroups(&[]), Err(Errno::EPERM));
    assert_eq!(shown("id -u; id -g; (id -ru)"), "100\n65534\n100\n");
    assert_eq!(chown("/", Some(root), None), Err(Errno::EPERM));
}

#[test]
fn acl_entries_for_unmapped_ids_are_told_apart() {
    let acl = |entries: &[(u16, u32)]| {
        let mut value = 2u32.to_le_bytes().to_vec();
        for (tag, id) in entries {
            value.extend(tag.to_le_bytes());
            value.extend(7u16.to_le_bytes());
            value.extend(id.to_le_bytes());
        }
        value
    };
    assert!(names_unmapped(&acl(&[(1, u32::MAX), (8, 4)]), (0, 0)));
    assert!(names_unmapped(&acl(&[(2, 4)]), (0, 0)));
    assert!(!names_unmapped(
        &acl(&[(2, 0), (8, 0), (0x10, u32::MAX)]),
        (0, 0)
    ));
    for short in [&b""[..], b"\x02", b"\x02\0\0\0\x02"] {
        assert!(!names_unmapped(short, (0, 0)));
    }
}
