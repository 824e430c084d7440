//! What is tested here forks and needs one thread: each case runs in a forked child of a copy of
//! this program that runs nothing else, as the ordinary users that the machine has.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::CloneFlags;
use nix::unistd::{User, geteuid};

use super::*;
use crate::common::Silent;
use crate::host::HostEnv;
use crate::sys::process::{pidfd_open, signal_pidfd};
use crate::sys::{namespace, process, socket};

/// Directory of a case.
const FOLDER: &str = "KETCH_CASE_FOLDER";
/// Identity mode of a case.
const MODE: &str = "KETCH_CASE_MODE";

/// Runs the case of this name as `user`, or as the user of this process.
fn run_as(case: &str, user: Option<(u32, u32)>, mode: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program(folder.path()));
    if let Some((uid, gid)) = user {
        chown(folder.path(), Some(uid), Some(gid)).unwrap();
        command.uid(uid).gid(gid);
    }
    let name = format!("network::shared::tests::{case}");
    command.args(["--exact", &name, "--ignored", "--nocapture"]);
    command.env(FOLDER, folder.path().join("n")).env(MODE, mode);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{mode}: {text}\n{errors}"
    );
}

/// A copy of this program where every user can run it.
fn program(folder: &Path) -> PathBuf {
    let copy = folder.join("program");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let own = std::env::current_exe().unwrap();
    // By another process: a descriptor open for writing here could be inherited by a fork in
    // another thread, and the file could then not be executed (ETXTBSY).
    let copied = Command::new("cp").arg(own).arg(&copy).status().unwrap();
    assert!(copied.success());
    copy
}

/// Runs a case in both rootless modes.
fn both(case: &str) {
    if geteuid().as_raw() != 0 {
        return run_as(case, None, "single");
    }
    run_as(case, Some((54_321, 54_321)), "single");
    let name = std::env::var("KETCH_TEST_USER").unwrap_or_else(|_| "ketch-ranged".to_owned());
    // Without a user that has subordinate ids there is one mode to test.
    if let Some(user) = User::from_name(&name).ok().flatten() {
        let ids = Some((user.uid.as_raw(), user.gid.as_raw()));
        run_as(case, ids, "subid");
    }
}

/// Runs `work` on a place as the caller has set it up, in a process with one thread.
fn alone(work: fn(&Place<'_>)) {
    let dir = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let mode = match std::env::var(MODE).unwrap().as_str() {
        "subid" => Mode::Subid,
        _ => Mode::Single,
    };
    let host = Host::new(HostEnv {
        path: std::env::var_os("PATH"),
        ..HostEnv::default()
    });
    let place = Place {
        dir: &dir,
        host: &host,
        mode,
    };
    assert!(process::in_a_copy(|| work(&place)), "the case failed");
}

fn identities(member: &Membership) -> [(u64, u64); 2] {
    [member.user(), member.network()].map(|fd| namespace::identity(fd).unwrap())
}

/// The holder's process.
fn holder(place: &Place<'_>) -> OwnedFd {
    pidfd_open(place.state().unwrap().pid).unwrap()
}

fn wait_for_end(pidfd: &OwnedFd) {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut fds, 20_000u16), Ok(1), "the holder lives on");
}

#[test]
fn a_space_lives_as_long_as_its_members() {
    both("life");
}

#[test]
#[ignore = "run by another case"]
fn life() {
    alone(|place| {
        assert!(place.visit(&Silent).unwrap().is_none());
        let first = place.join(&Silent).unwrap();
        let second = place.join(&Silent).unwrap();
        assert_eq!(identities(&first), identities(&second));
        assert!(place.visit(&Silent).unwrap().is_some());
        let holder = holder(place);
        drop(first);
        assert!(!has_ended(holder.as_fd()));
        drop(second);
        wait_for_end(&holder);
        assert!(place.visit(&Silent).unwrap().is_none());
        assert!(place.state().is_none());
        place.join(&Silent).unwrap();
    });
}

#[test]
fn a_killed_holder_is_replaced_for_the_same_space() {
    both("repair");
}

#[test]
#[ignore = "run by another case"]
fn repair() {
    alone(|place| {
        let first = place.join(&Silent).unwrap();
        let killed = holder(place);
        signal_pidfd(&killed, libc::SIGKILL).unwrap();
        wait_for_end(&killed);
        let visitor = place.visit(&Silent).unwrap().unwrap();
        assert_eq!(identities(&first), identities(&visitor));
        let second = place.join(&Silent).unwrap();
        assert_eq!(identities(&first), identities(&second));
        drop(visitor);
        // The first one's share counts with the new holder too.
        let holder = holder(place);
        drop(second);
        assert!(!has_ended(holder.as_fd()));
        first.space().run(|| Ok(())).unwrap();
        drop(first);
        wait_for_end(&holder);
    });
}

#[test]
fn work_inside_is_done_by_root_of_the_space() {
    both("work");
}

#[test]
#[ignore = "run by another case"]
fn work() {
    alone(|place| {
        let member = place.join(&Silent).unwrap();
        let (uid, network, users) = member
            .space()
            .run(|| {
                let network = File::open("/proc/self/ns/net").unwrap();
                let network = namespace::identity(network).unwrap();
                let users: u64 = namespace::own_map("/proc/self/uid_map")?
                    .iter()
                    .map(|line| u64::from(line.count))
                    .sum();
                Ok((geteuid().as_raw(), network, users))
            })
            .unwrap();
        assert_eq!((uid, network), (0, identities(&member)[1]));
        assert_eq!(users > 1, place.mode == Mode::Subid);
        member
            .space()
            .run(|| {
                let forward = std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
                assert_eq!(forward.trim(), "1");
                Ok(())
            })
            .unwrap();
        let error = member
            .space()
            .run::<()>(|| Err(Error::usage("read", "x", "it is bad").hint("do y")))
            .unwrap_err();
        assert_eq!((error.kind(), error.advice()), (Kind::Usage, Some("do y")));
        let error = member
            .space()
            .run::<()>(|| process::exit_now(3))
            .unwrap_err();
        assert!(error.to_string().contains("gave no answer"), "{error}");
    });
}

#[test]
fn many_who_come_at_once_find_one_space() {
    both("crowd");
}

#[test]
#[ignore = "run by another case"]
fn crowd() {
    alone(|place| {
        let (ours, theirs) = socket::message_pair().unwrap();
        let crowd: Vec<process::Child> = (0..8).map(|_| comer(place, &theirs)).collect();
        let texts: std::collections::BTreeSet<String> = crowd
            .iter()
            .map(|_| {
                let (bytes, _) = socket::receive(ours.as_fd()).unwrap().unwrap();
                String::from_utf8(bytes).unwrap()
            })
            .collect();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts.iter().all(|text| text.starts_with("Ok")), "{texts:?}");
        let holder = holder(place);
        for child in &crowd {
            assert!(!has_ended(holder.as_fd()));
            child.signal(libc::SIGKILL).unwrap();
            child.wait().unwrap();
        }
        wait_for_end(&holder);
    });
}

/// A process that joins, says what it found and stays.
fn comer(place: &Place<'_>, report: &OwnedFd) -> process::Child {
    match process::clone(CloneFlags::empty(), None).unwrap() {
        process::Cloned::Parent(child) => child,
        process::Cloned::Child => {
            let member = place.join(&Silent);
            let found = member.as_ref().map(identities);
            let _ = socket::send(report.as_fd(), format!("{found:?}").as_bytes(), None);
            loop {
                std::thread::park();
            }
        }
    }
}
