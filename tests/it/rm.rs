//! `rm` and `container prune`: what runs, what is paused, several at once, and who keeps them.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::stop::{running, state};
use crate::harness::Env;

/// Starts a detached container that only a kill ends.
fn detached(env: &Env, name: &str, flags: &[&str]) {
    let image = env.base();
    let mut arguments = vec!["run", "-d", "--name", name, "--network", "none"];
    arguments.extend(flags);
    arguments.extend([&image, "payload", "sleep-forever"]);
    assert_eq!(env.ketch(&arguments).ok().len(), 64);
}

cases! {
    fn a_run_leaves_nothing_but_what_the_next_deletes(env) {
        let image = env.base();
        let run = |words: &[&str]| {
            let flags = ["run", "--rm", "--network", "none", &image, "payload"];
            env.ketch(&[&flags[..], words].concat()).ok();
            assert_eq!(env.containers(), [""; 0]);
            env.stored("trash")
        };
        // Empty directories and records take no room, and deleting them takes time.
        let first = run(&["true"]);
        assert_eq!(first.len(), 1, "{first:?}");
        let second = run(&["true"]);
        assert_eq!(second.len(), 1, "{second:?}");
        // Its owner can delete it like any other file.
        std::fs::remove_dir_all(env.store().join("trash").join(&second[0])).unwrap();
        // What was written is gone with the run.
        assert_eq!(run(&["write", "/big", "text"]), [""; 0]);
        run(&["true"]);
        env.ketch(&["ps"]).ok();
        assert_eq!(env.stored("trash"), [""; 0]);
    }
}

cases! {
    fn what_runs_is_kept_unless_forced(env) {
        detached(env, "one", &[]);
        env.ketch(&["rm", "one"]).fails(1, &["cannot remove container", "is running"]);
        env.ketch(&["pause", "one"]).ok();
        env.ketch(&["rm", "one"]).fails(1, &["paused"]);
        assert_eq!(env.ketch(&["container", "rm", "-f", "-v", "one"]).ok(), "one");
        // The name is free.
        detached(env, "one", &["--rm"]);
        env.ketch(&["rm", "-f", "one"]).ok();
        env.ketch(&["rm", "-f", "one"]).exits(0);
        env.assert_clean();
    }

    fn all_are_ended_at_once(env) {
        let names: Vec<String> = (0..6).map(|at| format!("c{at}")).collect();
        let flags = [&[][..], &["--rm"], &["--restart", "always"]];
        for (name, flags) in names.iter().zip(flags.iter().cycle()) {
            detached(env, name, flags);
        }
        let mut words = vec!["rm", "--force", "--time", "1"];
        words.extend(names.iter().map(String::as_str));
        let begun = Instant::now();
        let output = env.ketch(&words);
        assert_eq!(output.ok(), names.join("\n"));
        assert!(begun.elapsed().as_millis() < 5000, "one after the other");
        env.assert_clean();
    }

    fn selections(env) {
        for (name, label) in [("a1", "tier=a"), ("a2", "tier=a"), ("b1", "tier=b"), ("b2", "tier=b")] {
            env.payload(&["--name", name, "--label", label, "--rm=false"], &["true"]).ok();
        }
        assert_eq!(env.ketch(&["rm", "--filter", "label=tier=a"]).ok().lines().count(), 2);
        let path = env.text("work/id");
        env.payload(&["--name", "c1", "--cidfile", &path, "--rm=false"], &["true"]).ok();
        env.ketch(&["rm", "--cidfile", &path]).ok();
        env.ketch(&["rm", "--cidfile", &path]).fails(1, &["no such container"]);
        env.ketch(&["rm", "-i", "--cidfile", &path, "nobody", "--depend"]).ok();
        env.ketch(&["rm", "--latest"]).ok();
        assert_eq!(env.ketch(&["ps", "-a", "--format", "{{.Names}}"]).ok(), "b1");
        env.ketch(&["rm", "-a", "b1"]).fails(1, &["together"]);
        env.ketch(&["rm"]).fails(1, &["requires at least 1 argument"]);
        env.ketch(&["rm", "-t", "1", "b1"]).fails(1, &["--force"]);
        env.ketch(&["rm", "-f", "-t", "soon", "b1"]).fails(1, &["soon"]);
        env.ketch(&["rm", "--filter", "colour=red"]).fails(1, &["colour"]);
        env.ketch(&["rm", "-fa"]).ok();
        assert_eq!(env.ketch(&["rm", "-fa"]).ok(), "");
        env.assert_clean();
    }

    fn podman_has_its_own_codes(env) {
        let link = env.path("work/podman");
        std::os::unix::fs::symlink(crate::harness::env::executable(), &link).unwrap();
        let podman = |words: &[&str]| {
            let mut command = env.program(&link);
            command.args(words);
            crate::harness::process::Running::start(command).finish()
        };
        detached(env, "busy", &[]);
        podman(&["rm", "busy"]).fails(2, &["is running"]);
        podman(&["rm", "nobody"]).fails(1, &["nobody"]);
        podman(&["rm", "-f", "nobody"]).exits(0);
        podman(&["container", "exists", "busy"]).exits(0);
        podman(&["container", "exists", "--external", "nobody"]).exits(1);
        for verb in ["stop", "kill", "pause", "unpause", "wait"] {
            podman(&[verb, "nobody"]).fails(125, &["nobody"]);
        }
        podman(&["rm", "-f", "busy"]).ok();
    }

    fn a_keeper_that_hangs_is_killed(env) {
        let ran = running(env, &["--name", "one"], &["ready-then-wait"]);
        kill(Pid::from_raw(keeper(env)), Signal::SIGSTOP).unwrap();
        let stopped = env.ketch(&["kill", "one"]);
        stopped.fails(1, &["does not react"]);
        assert_eq!(env.ketch(&["rm", "-f", "one"]).ok(), "one");
        ran.finish();
        env.assert_clean();
    }

    fn an_end_that_is_not_noted_yet_is_waited_for(env) {
        detached(env, "one", &[]);
        let held = Pid::from_raw(keeper(env));
        let pid = state(env, "one")["Pid"].as_i64().unwrap();
        kill(held, Signal::SIGSTOP).unwrap();
        kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
        crate::harness::eventually("its process has ended", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.contains(") ") || stat.contains(") Z")
        });
        let removing = env.spawn(&["rm", "one"]);
        kill(held, Signal::SIGCONT).unwrap();
        assert_eq!(removing.finish().ok(), "one");
        env.assert_clean();
    }

    fn a_restart_is_not_waited_for(env) {
        detached(env, "again", &["--restart", "always"]);
        let image = env.base();
        env.ketch(&["run", "-d", "--name", "fails", "--restart", "always", "--network", "none", &image, "payload", "false"]).ok();
        crate::harness::eventually("it is between two runs", || state(env, "fails")["Status"] == "restarting");
        env.ketch(&["stop", "-t", "1", "again", "fails"]).ok();
        for name in ["again", "fails"] {
            assert_eq!(state(env, name)["Status"], "exited", "{name}");
        }
        env.ketch(&["rm", "again", "fails"]).ok();
        env.assert_clean();
    }

    fn prune_takes_what_fits(env) {
        env.payload(&["--name", "old", "--label", "keep", "--rm=false"], &["true"]).ok();
        env.payload(&["--name", "new", "--rm=false"], &["true"]).ok();
        detached(env, "busy", &[]);
        env.ketch(&["container", "prune", "-f", "--filter", "until=1h"]).says("Total reclaimed space: 0B");
        env.ketch(&["container", "prune", "-f", "--filter", "label!=keep"]).says("Deleted Containers:");
        let names = || env.ketch(&["ps", "-a", "--format", "{{.Names}}"]).ok().to_owned();
        assert_eq!(names(), "busy\nold");
        env.ketch(&["container", "prune", "-f"]).ok();
        assert_eq!(names(), "busy");
        env.ketch(&["rm", "-f", "busy"]).ok();
        env.assert_clean();
    }

    fn a_name_is_changed_and_given_back(env) {
        detached(env, "one", &[]);
        env.payload(&["--name", "two", "--rm=false"], &["true"]).ok();
        env.ketch(&["rename", "one", "two"]).fails(1, &["two", "has it"]);
        env.ketch(&["rename", "one", "one"]).fails(1, &["same name"]);
        env.ketch(&["rename", "one", "a b"]).fails(1, &["a b"]);
        env.ketch(&["rename", "nobody", "x1"]).fails(1, &["nobody"]);
        assert_eq!(env.ketch(&["rename", "one", "/three"]).ok(), "");
        assert_eq!(env.ketch(&["inspect", "three"]).json()[0]["Name"], "/three");
        env.ketch(&["container", "exists", "one"]).exits(1);
        env.ketch(&["container", "exists", "three"]).exits(0);
        // While it runs and after: both names are free again.
        env.ketch(&["container", "rename", "two", "one"]).ok();
        env.ketch(&["rm", "-f", "three", "one"]).ok();
        env.assert_clean();
    }
}

/// The process that keeps the one container of this world.
fn keeper(env: &Env) -> i32 {
    let id = env.ketch(&["ps", "-q", "--no-trunc"]).ok().to_owned();
    let state = std::fs::read(env.store().join("containers").join(id).join("state")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    i32::try_from(state["started"]["supervisor"].as_i64().unwrap()).unwrap()
}
