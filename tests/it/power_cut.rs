//! A power cut: everything is killed at once, and what was written without fsync comes back
//! empty or not at all.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::process::Output;
use crate::harness::{Env, eventually};
use crate::stop::folder;

/// Files of a container that are written without fsync.
const FILES: [&str; 10] = [
    "state",
    "container.json",
    "config.json",
    "cgroup.json",
    "container.log",
    "health",
    "lock",
    "state.lock",
    "hosts",
    "attach",
];

fn run(env: &Env, name: &str, payload: &[&str]) {
    let image = env.base();
    let mut arguments = vec![
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        name,
        "--health-cmd",
        "payload true",
    ];
    arguments.extend([
        "--health-interval",
        "1h",
        "--memory",
        "200m",
        &image,
        "payload",
    ]);
    arguments.extend(payload);
    env.ketch(&arguments).ok();
}

fn state(env: &Env, name: &str) -> String {
    let output = env.ketch(&[
        "ps",
        "-a",
        "--filter",
        &format!("name={name}"),
        "--format",
        "{{.State}}",
    ]);
    output.ok().to_owned()
}

/// Kills the container's supervisor and payload at one stroke.
fn cut(env: &Env, dir: &Path) {
    let state = fs::read(dir.join("state")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let started = &state["started"];
    let pids = [&started["supervisor"], &started["pid"]].map(|pid| pid.as_i64().unwrap() as i32);
    for pid in pids {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    let gone = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z")
    };
    eventually("all are gone", || pids.iter().all(|pid| gone(*pid)));
    assert!(dir.starts_with(env.path("")));
}

/// One clear word, at the most: no panic, no bug, no success without the thing.
fn said(output: &Output, codes: &[i32]) {
    assert!(codes.contains(&output.code()), "{output}");
    for word in ["panicked", "Kind::", "bug"] {
        assert!(!output.stderr.contains(word), "{output}");
    }
}

fn tear(dir: &Path, name: &str, empty: bool) {
    let path = dir.join(name);
    if path.symlink_metadata().is_err() {
        return;
    }
    fs::remove_file(&path).unwrap();
    if empty {
        fs::write(&path, "").unwrap();
        let owner = fs::metadata(dir).unwrap();
        use std::os::unix::fs::MetadataExt;
        std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
}

cases! {
    fn torn_files_of_a_container_are_said_and_removed(env) {
        let image = env.base();
        env.ketch(&["run", "--name", "other", "--network", "none", &image, "payload", "echo", "kept"]).ok();
        let mut whole: Vec<Vec<&str>> = FILES.iter().map(|name| vec![*name]).collect();
        whole.push(FILES.to_vec());
        for (files, empty) in whole.iter().flat_map(|files| [(files, true), (files, false)]) {
            let what = format!("{files:?} empty: {empty}");
            run(env, "victim", &["ready-then-wait"]);
            let dir = folder(env, "victim");
            cut(env, &dir);
            files.iter().for_each(|name| tear(&dir, name, empty));
            said(&env.ketch(&["ps", "-a"]), &[0]);
            assert_ne!(state(env, "victim"), "running", "{what}");
            for command in [&["inspect", "victim"][..], &["logs", "victim"], &["start", "victim"], &["stop", "-t", "0", "victim"]] {
                said(&env.ketch(command), &[0, 1, 125]);
            }
            let removed = env.ketch(&["rm", "-f", "victim"]);
            assert_eq!(removed.code(), 0, "{what}: {removed}");
            assert_eq!(env.containers().len(), 2, "{what}");
            said(&env.ketch(&["system", "check"]), &[0]);
            // The others are as they were.
            assert_eq!(state(env, "other"), "exited");
            assert_eq!(env.ketch(&["logs", "other"]).ok(), "kept");
        }
        env.ketch(&["start", "-a", "other"]).ok();
        env.ketch(&["rm", "other"]).ok();
        env.assert_clean();
    }

    fn a_torn_record_can_be_repaired_away(env) {
        run(env, "victim", &["ready-then-wait"]);
        let dir = folder(env, "victim");
        cut(env, &dir);
        tear(&dir, "container.json", true);
        let listed = env.ketch(&["ps", "-a"]);
        listed.exits(0).warns("container.json").warns("system check --repair");
        env.ketch(&["system", "check"]).exits(1).says("container.json");
        env.ketch(&["system", "check", "--repair"]).exits(0);
        env.ketch(&["system", "check"]).ok();
        // Its name is free.
        run(env, "victim", &["true"]);
        env.ketch(&["rm", "-f", "victim"]).ok();
    }

    fn a_torn_journal_is_no_matter(env) {
        run(env, "victim", &["ready-then-wait"]);
        for text in ["", "{\"time", "\0\0\0\0"] {
            fs::write(env.store().join("events"), text).unwrap();
            env.ketch(&["events", "--since", "1h", "--until", "0s"]).ok();
            env.ketch(&["stop", "-t", "0", "victim"]).ok();
            env.ketch(&["start", "victim"]).ok();
            env.ketch(&["events", "--since", "1h", "--until", "0s"]).says("start");
        }
        env.ketch(&["rm", "-f", "victim"]).ok();
        env.assert_clean();
    }
}
