//! `restart`.

use std::time::{Duration, Instant};

use crate::harness::{Env, eventually};
use crate::stop::{running, state};

fn detached(env: &Env, name: &str, flags: &[&str], payload: &[&str]) {
    let image = env.base();
    let mut arguments = vec!["run", "-d", "--network", "none", "--name", name];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(payload);
    env.ketch(&arguments).ok();
    eventually("it is ready", || {
        env.ketch(&["logs", name]).stdout.contains("ready")
    });
}

cases! {
    fn what_runs_is_stopped_and_started_again(env) {
        detached(env, "one", &[], &["wait-signal", "SIGTERM"]);
        let before = state(env, "one");
        assert_eq!(env.ketch(&["restart", "one"]).ok(), "one");
        let after = state(env, "one");
        assert_eq!((after["Status"].as_str(), after["Running"].as_bool()), (Some("running"), Some(true)));
        assert_ne!((&before["Pid"], &before["StartedAt"]), (&after["Pid"], &after["StartedAt"]));
        eventually("it was asked to end", || env.ketch(&["logs", "one"]).stdout.contains("SIGTERM"));
        let events = env.ketch(&["events", "--since", "1h", "--until", "0s", "--filter", "container=one", "--format", "{{.Action}}"]);
        let actions: Vec<&str> = events.ok().lines().collect();
        let tail = &actions[actions.len() - 5..];
        assert_eq!(tail, ["kill", "die", "stop", "start", "restart"], "{actions:?}");
        env.ketch(&["rm", "-f", "one"]).ok();
        env.assert_clean();
    }

    fn what_does_not_run_is_started(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "new", "--network", "none", &image, "payload", "ready-then-wait"]).ok();
        env.payload(&["--name", "old", "--rm=false"], &["true"]).ok();
        let output = env.ketch(&["restart", "new", "nobody", "old"]);
        output.fails(1, &["nobody"]);
        assert_eq!(output.stdout, "new\nold\n");
        assert_eq!(state(env, "new")["Status"], "running");
        eventually("it has ended again", || state(env, "old")["Status"] == "exited");
        env.ketch(&["restart"]).fails(1, &["requires at least 1 argument"]);
        env.ketch(&["restart", "--all", "new"]).fails(1, &["together"]);
        env.ketch(&["restart", "-t", "soon", "new"]).fails(1, &["soon"]);
        env.ketch(&["rm", "-f", "new", "old"]).ok();
        env.assert_clean();
    }

    fn several_are_stopped_at_once(env) {
        for name in ["aa", "bb", "cc"] {
            detached(env, name, &[], &["ready-then-wait"]);
        }
        let began = Instant::now();
        // The payload ignores the signal as every first process does.
        assert_eq!(env.ketch(&["restart", "-s", "USR1", "-t", "1", "aa", "bb", "cc"]).ok(), "aa\nbb\ncc");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        let image = env.base();
        env.ketch(&["create", "--name", "dd", "--network", "none", &image, "payload", "true"]).ok();
        assert_eq!(env.ketch(&["restart", "--running", "-t", "0"]).ok().lines().count(), 3);
        assert_eq!(state(env, "dd")["Status"], "created");
        assert_eq!(env.ketch(&["container", "restart", "--filter", "name=aa", "--time", "0"]).ok().lines().count(), 1);
        env.ketch(&["rm", "-f", "aa", "bb", "cc", "dd"]).ok();
        env.assert_clean();
    }

    fn with_rm_it_survives_the_restart_and_no_more(env) {
        detached(env, "gone", &["--rm"], &["ready-then-wait"]);
        env.ketch(&["restart", "-t", "0", "gone"]).ok();
        assert_eq!(state(env, "gone")["Status"], "running");
        env.ketch(&["stop", "-t", "0", "gone"]).ok();
        eventually("it is removed", || env.containers().is_empty());
        // Its streams are its caller's.
        let bound = running(env, &["--rm", "--name", "bound"], &["ready-then-wait"]);
        env.ketch(&["restart", "bound"]).fails(1, &["bound", "run it with -d"]);
        assert_eq!(state(env, "bound")["Status"], "running");
        env.ketch(&["kill", "bound"]).ok();
        bound.finish().exits(137);
        env.assert_clean();
    }
}
