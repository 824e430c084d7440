//! `kill` and `stop`: signals, grace, several at once, and what is recorded when they return.

use std::time::Instant;

use crate::harness::Env;
use crate::harness::process::Running;

/// A container that runs `payload` and has said that it is ready.
pub(crate) fn running(env: &Env, flags: &[&str], payload: &[&str]) -> Running {
    let image = env.base();
    let mut arguments = vec!["run", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([&image, "payload"]);
    arguments.extend(payload);
    let running = env.spawn(&arguments);
    running.stdout.wait_for("ready");
    running
}

/// What `inspect` says of the state.
pub(crate) fn state(env: &Env, name: &str) -> serde_json::Value {
    env.ketch(&["container", "inspect", name]).json()[0]["State"].clone()
}

/// The one container's directory.
pub(crate) fn folder(env: &Env, name: &str) -> std::path::PathBuf {
    let id = env.ketch(&["container", "inspect", name]).json()[0]["Id"].clone();
    env.store().join("containers").join(id.as_str().unwrap())
}

cases! {
    fn a_look_right_after_a_signal_that_ends_finds_the_end(env) {
        for _ in 0..5 {
            env.ketch(&["run", "-d", "--init", "--name", "one", &env.base(), "payload", "sleep-forever"]).ok();
            env.ketch(&["kill", "-s", "INT", "one"]).ok();
            let state = env.ketch(&["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.State.ConmonPid}}", "one"]);
            assert_eq!(state.ok(), "exited 130 0");
            env.ketch(&["rm", "one"]).ok();
        }
        env.assert_clean();
    }

    fn kill_sends_any_signal_by_any_spelling(env) {
        for (spelling, word) in [("USR1", "SIGUSR1"), ("sigusr2", "SIGUSR2"), ("1", "SIGHUP")] {
            let ran = running(env, &["--name", "one"], &["wait-signal", word]);
            assert_eq!(env.ketch(&["kill", "-s", spelling, "one"]).ok(), "one");
            assert!(ran.finish().ok().ends_with(word));
            env.ketch(&["rm", "one"]).ok();
        }
        let ran = running(env, &["--name", "one"], &["ready-then-wait"]);
        let marked = folder(env, "one").join("stopped");
        // Its end is not what is wished: a restart policy would still hold.
        env.ketch(&["kill", "--signal=WINCH", "one"]).ok();
        assert!(!marked.exists());
        assert_eq!(env.ketch(&["container", "kill", "one"]).ok(), "one");
        assert!(marked.exists());
        // The end is written down already.
        let state = state(env, "one");
        assert_eq!((state["Status"].as_str(), state["ExitCode"].as_i64()), (Some("exited"), Some(137)));
        ran.finish().exits(137);
        env.ketch(&["rm", "one"]).ok();
        env.assert_clean();
    }

    fn kill_refuses_what_it_cannot(env) {
        env.payload(&["--name", "idle", "--rm=false"], &["true"]).ok();
        env.ketch(&["kill", "idle"]).fails(1, &["cannot kill container: idle", "is not running"]);
        env.ketch(&["kill", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["kill", "-s", "NOPE", "idle"]).fails(1, &["NOPE"]);
        env.ketch(&["kill", "-s", "99", "idle"]).fails(1, &["99"]);
        env.ketch(&["kill"]).fails(1, &["requires at least 1 argument"]);
        env.ketch(&["kill", "--all", "idle"]).fails(1, &["together"]);
        assert_eq!(env.ketch(&["kill", "--all"]).ok(), "");
        // The rest is done, and the code says that not all was.
        let ran = running(env, &["--name", "busy"], &["ready-then-wait"]);
        let output = env.ketch(&["kill", "idle", "busy"]);
        output.fails(1, &["idle"]);
        assert_eq!(output.stdout, "busy\n");
        ran.finish().exits(137);
    }

    fn stop_returns_when_the_end_is_recorded(env) {
        let ran = running(env, &["--name", "one"], &["wait-signal", "SIGTERM"]);
        assert_eq!(env.ketch(&["stop", "one"]).ok(), "one");
        let found = state(env, "one");
        assert_eq!((found["Status"].as_str(), found["ExitCode"].as_i64()), (Some("exited"), Some(0)));
        assert!(ran.finish().ok().ends_with("SIGTERM"));
        // It is stopped, as was wished.
        assert_eq!(env.ketch(&["stop", "one"]).ok(), "one");
        env.ketch(&["rm", "one"]).ok();
        env.assert_clean();
    }

    fn the_stop_signal_is_the_flags_then_the_containers_then_the_images(env) {
        let flags = ["--name", "one", "--stop-signal", "USR1"];
        let ran = running(env, &flags, &["wait-signal", "SIGUSR1", "SIGUSR2"]);
        env.ketch(&["stop", "one"]).ok();
        assert!(ran.finish().ok().ends_with("SIGUSR1"));
        env.ketch(&["rm", "one"]).ok();
        let ran = running(env, &flags, &["wait-signal", "SIGUSR1", "SIGUSR2"]);
        env.ketch(&["stop", "-s", "SIGUSR2", "one"]).ok();
        assert!(ran.finish().ok().ends_with("SIGUSR2"));
        env.ketch(&["rm", "one"]).ok();
        let image = env.image(crate::harness::Image::base().set("StopSignal", "SIGHUP"));
        let ran = env.spawn(&["run", "--name", "one", "--network", "none", &image, "payload", "wait-signal", "SIGHUP"]);
        ran.stdout.wait_for("ready");
        env.ketch(&["stop", "one"]).ok();
        assert!(ran.finish().ok().ends_with("SIGHUP"));
    }

    fn who_ignores_the_signal_is_killed_after_the_grace(env) {
        // Process 1 of a namespace ignores what it has no handler for.
        let ran = running(env, &["--name", "deaf"], &["ready-then-wait"]);
        let begun = Instant::now();
        assert_eq!(env.ketch(&["stop", "--time", "1", "deaf"]).ok(), "deaf");
        assert!(begun.elapsed().as_millis() >= 1000);
        assert_eq!(state(env, "deaf")["ExitCode"], 137);
        ran.finish().exits(137);
        env.ketch(&["rm", "deaf"]).ok();
        for flag in ["-t0", "--timeout=0"] {
            let ran = running(env, &["--name", "deaf"], &["ready-then-wait"]);
            env.ketch(&["stop", flag, "deaf"]).ok();
            ran.finish().exits(137);
            env.ketch(&["rm", "deaf"]).ok();
        }
        for bad in ["-2", "x", "1.5"] {
            env.ketch(&["stop", "-t", bad, "deaf"]).fails(1, &[bad]);
        }
        env.assert_clean();
    }

    fn several_stop_at_the_same_time(env) {
        let names = ["a1", "a2", "a3"];
        let all: Vec<_> = names.iter().map(|name| running(env, &["--name", name, "--label", "tier=x"], &["ready-then-wait"])).collect();
        let begun = Instant::now();
        let output = env.ketch(&["stop", "-t", "1", "a1", "nobody", "a2", "a3"]);
        output.fails(1, &["nobody"]);
        assert_eq!(output.stdout, "a1\na2\na3\n");
        assert!(begun.elapsed().as_millis() < 2500, "one after the other");
        all.into_iter().for_each(|ran| { ran.finish().exits(137); });
        assert_eq!(env.ketch(&["stop", "--ignore", "nobody", "a1"]).ok(), "a1");
        let all: Vec<_> = ["b1", "b2"].iter().map(|name| running(env, &["--name", name, "--label", name], &["wait-signal", "SIGTERM"])).collect();
        assert_eq!(env.ketch(&["stop", "-f", "label=b1"]).ok().len(), 64);
        assert_eq!(env.ketch(&["stop", "--all"]).ok().len(), 64);
        assert_eq!(env.ketch(&["stop", "--all"]).ok(), "");
        all.into_iter().for_each(|ran| { ran.finish().ok(); });
    }

    fn the_id_comes_from_a_file_or_is_the_latest(env) {
        let path = env.text("work/id");
        let ran = running(env, &["--rm", "--cidfile", &path], &["wait-signal", "SIGTERM"]);
        let id = std::fs::read_to_string(&path).unwrap();
        assert_eq!(env.ketch(&["stop", "--cidfile", &path]).ok(), id);
        // It is gone when stop returns, for it was to be removed.
        assert_eq!(env.containers(), [""; 0]);
        ran.finish().ok();
        env.ketch(&["stop", "--cidfile", &env.text("work/none")]).fails(1, &["none"]);
        assert_eq!(env.ketch(&["stop", "--ignore", "--cidfile", &env.text("work/none")]).ok(), "");
        env.ketch(&["stop", "--latest"]).fails(1, &["there is none"]);
        let ran = running(env, &["--rm"], &["wait-signal", "SIGTERM"]);
        assert_eq!(env.ketch(&["stop", "-l"]).ok().len(), 64);
        ran.finish().ok();
        env.assert_clean();
    }

    fn an_ambiguous_id_is_refused(env) {
        let mut ids: Vec<String> = Vec::new();
        // Seventeen ids: two begin with the same digit.
        for _ in 0..17 {
            let path = env.text("work/id");
            env.payload(&["--rm=false", "--cidfile", &path], &["true"]).ok();
            ids.push(std::fs::read_to_string(&path).unwrap());
            std::fs::remove_file(&path).unwrap();
        }
        let first = |id: &str| id[..1].to_owned();
        let twice = ids.iter().map(|id| first(id)).find(|digit| ids.iter().filter(|id| first(id) == *digit).count() > 1).unwrap();
        for verb in ["kill", "stop", "pause", "unpause", "wait", "rm"] {
            env.ketch(&[verb, &twice]).fails(1, &["more than one"]);
        }
    }
}
