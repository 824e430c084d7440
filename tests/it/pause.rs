//! `pause` and `unpause`, and the verbs that meet a paused container.

use nix::sys::signal::Signal;

use super::stop::{folder, running, state};
use crate::harness::{Env, eventually};

/// Letter of the state of the first process (proc_pid_stat(5)).
fn process_state(env: &Env, name: &str) -> char {
    let pid = state(env, name)["Pid"].as_i64().unwrap();
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let rest = text.rsplit(')').next().unwrap();
    rest.trim_start().chars().next().unwrap()
}

/// Folders of cgroups with this container's id.
fn cgroups(id: &str) -> Vec<std::path::PathBuf> {
    fn walk(folder: &std::path::Path, depth: u32, id: &str, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(id) {
                found.push(entry.path());
            } else if depth < 4 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                walk(&entry.path(), depth + 1, id, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(std::path::Path::new("/sys/fs/cgroup"), 0, id, &mut found);
    found
}

/// Asserts that counters do not count on while another container starts and ends, and returns
/// how far they came.
#[track_caller]
fn stands_still(env: &Env, ran: &crate::harness::process::Running) -> String {
    // What was written before is read by then.
    env.payload(&[], &["true"]).ok();
    let before = ran.stdout.text();
    assert!(before.contains("child"), "{before}");
    env.payload(&[], &["true"]).ok();
    assert_eq!(ran.stdout.text(), before);
    before
}

cases! {
    fn a_paused_container_stands_still_until_it_is_unpaused(env) {
        let ran = running(env, &["--name", "one"], &["count"]);
        ran.stdout.wait_for("child0");
        assert_eq!(env.ketch(&["pause", "one"]).ok(), "one");
        env.ketch(&["ps"]).says("(Paused)");
        let found = state(env, "one");
        assert_eq!((&found["Paused"], &found["Status"]), (&true.into(), &"paused".into()));
        assert!(found["Pid"].as_i64().unwrap() > 0);
        let before = stands_still(env, &ran);
        env.ketch(&["pause", "one"]).fails(1, &["is already paused"]);
        env.ketch(&["rm", "one"]).fails(1, &["paused"]);
        assert_eq!(env.ketch(&["unpause", "one"]).ok(), "one");
        assert_eq!(state(env, "one")["Status"], "running");
        eventually("it counts on", || ran.stdout.text() != before);
        env.ketch(&["unpause", "one"]).fails(1, &["is not paused"]);
        // Nothing of the pause is left.
        assert!(!folder(env, "one").join("paused").exists());
        env.ketch(&["rm", "-f", "one"]).ok();
        ran.finish().exits(137);
        env.assert_clean();
    }

    fn a_paused_container_can_be_ended(env) {
        for verb in [&["kill", "one"][..], &["stop", "one"], &["stop", "-t", "0", "one"], &["rm", "-f", "one"]] {
            let ran = running(env, &["--name", "one"], &["wait-signal", "SIGTERM"]);
            let id = env.ketch(&["ps", "-q", "--no-trunc"]).ok().to_owned();
            env.ketch(&["pause", "one"]).ok();
            env.ketch(verb).ok();
            let ended = ran.finish();
            assert!([0, 137].contains(&ended.code()), "{ended}");
            env.ketch(&["rm", "-f", "one"]).exits(0);
            assert_eq!(cgroups(&id), [""; 0].map(std::path::PathBuf::from));
        }
        env.assert_clean();
    }

    fn every_process_of_it_stands_still(env) {
        // Its children, and those that they left to process 1.
        let ran = running(env, &["--name", "one", "--init"], &["count"]);
        ran.stdout.wait_for("child0");
        env.ketch(&["pause", "one"]).ok();
        let before = stands_still(env, &ran);
        env.ketch(&["unpause", "one"]).ok();
        eventually("it counts on", || ran.stdout.text() != before);
        env.ketch(&["kill", "one"]).ok();
        ran.finish().exits(137);
    }

    fn what_does_not_run_cannot_be_paused(env) {
        env.payload(&["--name", "idle", "--rm=false"], &["true"]).ok();
        env.ketch(&["pause", "idle"]).fails(1, &["idle", "is not running"]);
        env.ketch(&["unpause", "idle"]).fails(1, &["idle", "is not paused"]);
        env.ketch(&["pause", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["pause"]).fails(1, &["requires at least 1 argument"]);
        env.ketch(&["unpause"]).fails(1, &["requires at least 1 argument"]);
        let ran = running(env, &["--name", "busy"], &["ready-then-wait"]);
        let output = env.ketch(&["container", "pause", "idle", "busy"]);
        output.fails(1, &["idle"]);
        assert_eq!(output.stdout, "busy\n");
        assert_eq!(env.ketch(&["pause", "--all"]).ok(), "");
        assert_eq!(env.ketch(&["container", "unpause", "-a"]).ok().len(), 64);
        env.ketch(&["kill", "busy"]).ok();
        ran.finish().exits(137);
    }
}

#[test]
fn without_a_freezer_each_process_is_stopped_and_that_is_said() {
    Env::with(crate::harness::Identity::Single, |env| {
        let ran = running(env, &["--name", "one"], &["ready-then-wait"]);
        let paused = env.ketch(&["pause", "one"]);
        paused.ok();
        // A user who was given a cgroup of its own has a better way.
        if process_state(env, "one") == 'T' {
            paused.warns("stopping each of its processes");
        }
        // A signal sent meanwhile waits.
        env.ketch(&["kill", "-s", "HUP", "one"]).ok();
        assert_eq!(state(env, "one")["Status"], "paused");
        env.ketch(&["unpause", "one"]).ok();
        assert_ne!(process_state(env, "one"), 'T');
        ran.signal(Signal::SIGKILL);
        ran.finish().exits(137);
    });
}
