//! `container init`: everything of a container is made, and its first process waits for `start`.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Env, eventually};

/// A container that is made and initialized.
fn initialized(env: &Env, flags: &[&str], payload: &[&str]) {
    let image = env.base();
    let start = ["create", "--name", "box"];
    env.ketch(&[&start, flags, &[&image, "payload"], payload].concat())
        .ok();
    assert_eq!(env.ketch(&["container", "init", "box"]).ok(), "box");
}

fn shown(env: &Env, format: &str) -> String {
    env.ketch(&["inspect", "--format", format, "box"])
        .ok()
        .to_owned()
}

fn state(env: &Env) -> String {
    shown(env, "{{.State.Status}}")
}

fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn pid(env: &Env) -> i32 {
    shown(env, "{{.State.Pid}}").parse().unwrap()
}

cases! {
    fn everything_is_made_and_nothing_runs(env) {
        initialized(env, &["--hostname", "inside"], &["write", "/mark", "here"]);
        assert_eq!(shown(env, "{{.State.Status}} {{.State.Running}} {{.State.StartedAt}}"), "initialized false 0001-01-01T00:00:00Z");
        // Its namespaces are there, and no payload is.
        let pid = pid(env);
        assert!(is_alive(pid));
        // Only root may look at a process that hides itself.
        if env.uid == 0 {
            let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/uts")).unwrap();
            assert_ne!(space(&pid.to_string()), space("self"));
        }
        assert_eq!(env.ketch(&["ps", "-q"]).ok(), "");
        env.ketch(&["ps", "-a"]).says("Initialized");
        assert_ne!(env.ketch(&["ps", "-aq", "--filter", "status=initialized"]).ok(), "");
        env.ketch(&["exec", "box", "payload", "true"]).fails(1, &["is not running"]);
        env.ketch(&["kill", "box"]).fails(1, &["is not running"]);
        env.ketch(&["pause", "box"]).fails(1, &["not running"]);
        env.ketch(&["container", "init", "box"]).fails(1, &["waits for its start already"]);
        assert_eq!(env.ketch(&["container", "init", "--all"]).ok(), "");
        assert_eq!(env.ketch(&["diff", "box"]).stdout.matches("/mark").count(), 0);
        let waiting = env.spawn(&["wait", "--condition", "exited", "box"]);
        env.ketch(&["start", "box"]).ok();
        assert_eq!(waiting.finish().ok(), "0");
        assert_eq!(env.ketch(&["diff", "box"]).stdout.matches("/mark").count(), 1);
        assert_eq!(shown(env, "{{.State.Status}} {{.State.ExitCode}}"), "exited 0");
        let told = env.ketch(&["events", "--until", "0s", "--filter", "container=box", "--format", "{{.Action}}"]);
        assert_eq!(told.ok().lines().collect::<Vec<_>>(), ["create", "init", "start", "die"]);
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn the_very_process_becomes_the_payload(env) {
        initialized(env, &["-i", "--init"], &["stdin-count"]);
        let before = pid(env);
        let mut started = env.spawn(&["start", "-ai", "box"]);
        eventually("it runs", || state(env) == "running");
        assert_eq!(pid(env), before);
        env.ketch(&["exec", "box", "payload", "true"]).ok();
        started.write(b"12345");
        started.close_stdin();
        let output = started.finish();
        output.exits(0);
        assert_eq!(output.stdout, "5\n");
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn of_two_starts_each_sees_the_run(env) {
        initialized(env, &[], &["ready-then-wait"]);
        let starts: Vec<_> = (0..4).map(|_| env.spawn(&["start", "-a", "box"])).collect();
        eventually("it runs", || state(env) == "running");
        env.ketch(&["stop", "-t", "0", "box"]).ok();
        for start in starts {
            start.finish().exits(137);
        }
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn what_cannot_begin_says_so_at_the_start(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "box", "--restart", "always", &image, "nothing-of-this-name"]).ok();
        env.ketch(&["container", "init", "box"]).ok();
        env.ketch(&["start", "box"]).fails(1, &["nothing-of-this-name", "not found in $PATH"]);
        eventually("its end is known", || state(env) == "created");
        assert_eq!(shown(env, "{{.State.ExitCode}}"), "127");
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn what_is_missing_is_said_before_the_start(env) {
        let folder = env.folder("work/bound");
        let mount = format!("type=bind,src={folder},dst=/b");
        env.ketch(&["create", "--name", "box", "--mount", &mount, &env.base(), "payload", "true"]).ok();
        fs::remove_dir(&folder).unwrap();
        env.ketch(&["container", "init", "box", "nobody"]).fails(1, &["bound"]).warns("nobody");
        assert_eq!(state(env), "created");
        env.folder("work/bound");
        env.ketch(&["container", "init", "box"]).ok();
        env.ketch(&["start", "-a", "box"]).ok();
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn one_that_waits_is_stopped_and_removed_at_once(env) {
        initialized(env, &["--restart", "always", "--stop-timeout", "1000"], &["sleep-forever"]);
        env.ketch(&["stop", "box"]).ok();
        assert_eq!(state(env), "created");
        env.ketch(&["container", "init", "box"]).ok();
        // It need not be forced: nothing runs in it.
        env.ketch(&["rm", "box"]).ok();
        initialized(env, &["--rm"], &["echo", "over"]);
        assert_eq!(env.ketch(&["start", "-a", "box"]).ok(), "over");
        eventually("it is removed", || env.ketch(&["container", "exists", "box"]).code() == 1);
        initialized(env, &[], &["ready-then-wait"]);
        env.ketch(&["restart", "box"]).ok();
        assert_eq!(state(env), "running");
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }

    fn it_ends_with_its_supervisor(env) {
        initialized(env, &["--restart", "always"], &["true"]);
        let process = pid(env);
        let keeper: i32 = shown(env, "{{.State.ConmonPid}}").parse().unwrap();
        kill(Pid::from_raw(keeper), Signal::SIGKILL).unwrap();
        eventually("its process is gone", || !is_alive(process));
        eventually("it is seen", || state(env) == "created");
        env.ketch(&["container", "init", "box"]).ok();
        // Asked to end, the supervisor does not give a process time that hears nothing.
        let keeper: i32 = shown(env, "{{.State.ConmonPid}}").parse().unwrap();
        kill(Pid::from_raw(keeper), Signal::SIGTERM).unwrap();
        eventually("it is seen", || state(env) == "created");
        assert_eq!(env.ketch(&["start", "-a", "box"]).code(), 0);
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }
}
