//! Many at once, and some that stand still: nothing is lost, nobody waits for a stranger.
//!
//! `KETCH_TEST_MANY` is the number of containers that start together (the long run has 200).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::process::Running;
use crate::harness::terminal::Terminal;
use crate::harness::{Env, Identity, eventually};
use crate::stop::{folder, running, state};

/// Long enough on a busy machine, and shorter than what it must not wait for.
const PROMPT: Duration = Duration::from_secs(30);

fn detached(env: &Env, flags: &[&str], payload: &[&str]) {
    let image = env.base();
    let mut arguments = vec!["run", "-d", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(payload);
    env.ketch(&arguments).ok();
}

fn status(env: &Env, name: &str) -> String {
    state(env, name)["Status"].as_str().unwrap().to_owned()
}

/// The supervisor of a container that runs.
fn supervisor(env: &Env, name: &str) -> Pid {
    let text = fs::read(folder(env, name).join("state")).unwrap();
    let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
    Pid::from_raw(text["started"]["supervisor"].as_i64().unwrap() as i32)
}

/// Waits until somebody new is attached: the journal has so many such lines.
fn attached(env: &Env, count: usize) {
    eventually("it is attached", || {
        let events = fs::read_to_string(env.store().join("events")).unwrap_or_default();
        events.matches("\"attach\"").count() >= count
    });
}

cases! {
    fn many_run_at_once(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        let many = std::env::var("KETCH_TEST_MANY").ok().and_then(|text| text.parse().ok());
        let many = many.unwrap_or(40);
        let runs: Vec<Running> = (0..many)
            .map(|number| {
                let name = format!("many-{number}");
                env.spawn(&["run", "-d", "--network", "none", "--name", &name, &image, "payload", "ready-then-wait"])
            })
            .collect();
        for run in runs {
            run.finish_within(Duration::from_secs(240)).ok();
        }
        assert_eq!(env.ketch(&["ps", "-q"]).ok().lines().count(), many);
        for number in [0, many / 2, many - 1] {
            let name = format!("many-{number}");
            eventually("it runs", || env.ketch(&["logs", &name]).stdout == "ready\n");
        }
        env.ketch(&["rm", "--all", "--force"]).exits(0);
        env.assert_clean();
    }

    fn one_of_many_gets_the_name(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        let runs: Vec<Running> = (0..20)
            .map(|_| env.spawn(&["run", "-d", "--network", "none", "--name", "same", &image, "payload", "ready-then-wait"]))
            .collect();
        let mut won = 0;
        for run in runs {
            let output = run.finish();
            match output.code() {
                0 => won += 1,
                _ => drop(output.fails(125, &["same"])),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(status(env, "same"), "running");
        assert_eq!(env.containers().len(), 2);
        env.ketch(&["rm", "-f", "same"]).ok();
        env.assert_clean();
    }

    fn one_start_of_many_counts(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "same", "--network", "none", &image, "payload", "ready-then-wait"]).ok();
        let starts: Vec<Running> = (0..10).map(|_| env.spawn(&["start", "same"])).collect();
        for start in starts {
            start.finish().ok();
        }
        assert_eq!(status(env, "same"), "running");
        eventually("it ran once", || env.ketch(&["logs", "same"]).stdout == "ready\n");
        env.ketch(&["rm", "-f", "same"]).ok();
        env.assert_clean();
    }

    fn stop_start_and_rm_race_safely(env) {
        let image = env.base();
        let make = ["create", "--name", "same", "--network", "none", &image, "payload", "ready-then-wait"];
        for round in 0..6 {
            env.ketch(&make).ok();
            let verbs: [&[&str]; 7] = [
                &["start", "same"], &["stop", "-t", "0", "same"], &["start", "same"], &["rm", "-f", "same"],
                &["kill", "same"], &["start", "same"], &["stop", "-t", "0", "same"],
            ];
            let all: Vec<Running> = verbs[..5 + round % 3].iter().map(|verb| env.spawn(verb)).collect();
            for one in all {
                let output = one.finish();
                assert!([0, 1].contains(&output.code()), "round {round}: {output}");
                assert!(!output.stderr.contains("panicked"), "{output}");
            }
            env.ketch(&["rm", "-f", "same"]).ok();
            env.assert_clean();
        }
    }

    fn a_client_that_stands_still_holds_nobody_up(env) {
        detached(env, &["-i", "--name", "echo"], &["cat"]);
        let mut typist = env.spawn(&["attach", "echo"]);
        let still = env.spawn(&["attach", "--no-stdin", "echo"]);
        attached(env, 2);
        still.signal(Signal::SIGSTOP);
        let text: String = (0..60_000).map(|number| format!("this is line {number} of many\n")).collect();
        typist.write(text.as_bytes());
        typist.write(b"the last\n");
        typist.stdout.wait_for("the last");
        let logged = env.ketch(&["logs", "echo"]);
        assert!(logged.ok() == format!("{text}the last"), "{} of {}", logged.stdout.len(), text.len());
        env.ketch(&["ps"]).says("echo");
        env.ketch(&["rm", "-f", "echo"]).ok();
        still.signal(Signal::SIGCONT);
        still.finish();
        typist.finish().exits(137);
        env.assert_clean();
    }

    fn a_follower_loses_and_repeats_nothing_across_rotation(env) {
        detached(env, &["-i", "--name", "echo", "--log-opt", "max-size=64k", "--log-opt", "max-file=3"], &["cat"]);
        let mut typist = env.spawn(&["attach", "echo"]);
        attached(env, 1);
        let follower = env.spawn(&["logs", "-f", "echo"]);
        // Each burst fills more than one file and fewer than there are: a follower further
        // behind than that would find its lines deleted, as docker's does.
        let mut sent = String::new();
        for burst in 0..12 {
            let lines: String = (0..1000).map(|line| format!("burst {burst} line {line}\n")).collect();
            typist.write(lines.as_bytes());
            sent.push_str(&lines);
            follower.stdout.wait_for(&format!("burst {burst} line 999\n"));
        }
        env.ketch(&["stop", "-t", "0", "echo"]).ok();
        let output = follower.finish();
        assert!(output.stdout == sent, "{} of {}", output.stdout.len(), sent.len());
        typist.finish();
        env.ketch(&["rm", "echo"]).ok();
    }

    fn a_resize_reaches_a_detached_terminal(env) {
        detached(env, &["-t", "--name", "wide"], &["wait-winsize", "33x99"]);
        let terminal = Terminal::start(env, &["attach", "wide"]);
        attached(env, 1);
        terminal.resize(33, 99);
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored, "{code} {screen}");
        env.ketch(&["rm", "wide"]).ok();
    }

    fn a_started_container_reads_what_is_typed(env) {
        let image = env.base();
        env.ketch(&["create", "-i", "--name", "echo", "--network", "none", &image, "payload", "cat"]).ok();
        for _ in 0..2 {
            let output = env.ketch_with_input(&["start", "-a", "-i", "echo"], b"typed\n");
            assert_eq!(output.ok(), "typed");
        }
        assert_eq!(env.ketch(&["logs", "echo"]).ok(), "typed\ntyped");
        env.ketch(&["rm", "echo"]).ok();
        env.assert_clean();
    }

    fn one_made_to_be_removed_waits_for_its_start(env) {
        let image = env.base();
        env.ketch(&["create", "--rm", "--name", "once", "--network", "none", &image, "payload", "echo", "hello"]).ok();
        env.ketch(&["ps", "-a"]).says("once");
        env.ketch(&["ps", "-a"]).says("Created");
        assert_eq!(env.ketch(&["start", "-a", "once"]).ok(), "hello");
        env.assert_clean();
    }

    fn a_command_that_waits_is_in_nobodys_way(env) {
        let image = env.base();
        // The first process of a namespace ignores a TERM that it has no handler for.
        detached(env, &["--name", "slow"], &["ready-then-wait"]);
        detached(env, &["--name", "other"], &["ready-then-wait"]);
        let stop = env.spawn(&["stop", "-t", "600", "slow"]);
        let wait = env.spawn(&["wait", "slow"]);
        let follower = env.spawn(&["logs", "-f", "slow"]);
        let marker = folder(env, "slow").join("stopped");
        eventually("the stop waits", || marker.exists());
        let prompt = |arguments: &[&str]| {
            let output = env.spawn(arguments).finish_within(PROMPT);
            output.exits(0);
        };
        prompt(&["ps", "-a"]);
        prompt(&["run", "--rm", "--network", "none", &image, "payload", "true"]);
        prompt(&["exec", "slow", "payload", "true"]);
        prompt(&["inspect", "slow"]);
        prompt(&["rename", "slow", "slower"]);
        prompt(&["update", "--restart", "no", "slower"]);
        prompt(&["stop", "-t", "0", "other"]);
        prompt(&["start", "other"]);
        prompt(&["rm", "-f", "other"]);
        prompt(&["pull", "-q", &image]);
        prompt(&["tag", &image, "some:name"]);
        prompt(&["rmi", "some:name"]);
        prompt(&["system", "prune", "--force"]);
        prompt(&["system", "check"]);
        prompt(&["events", "--since", "1h", "--until", "0s"]);
        assert!(stop.is_running() && wait.is_running() && follower.is_running());
        prompt(&["kill", "slower"]);
        stop.finish().ok();
        assert_eq!(wait.finish().ok(), "137");
        follower.finish().ok();
        prompt(&["rm", "slower"]);
        env.assert_clean();
    }

    fn who_waits_for_a_run_that_is_removed_gets_its_code(env) {
        let one = running(env, &["--rm", "--name", "one"], &["wait-signal", "SIGUSR1"]);
        let wait = env.spawn(&["wait", "one"]);
        eventually("wait waits in poll", || {
            let call = fs::read_to_string(format!("/proc/{}/wchan", wait.pid));
            !wait.is_running() || call.is_ok_and(|call| call.contains("poll"))
        });
        env.ketch(&["kill", "one"]).ok();
        one.finish().exits(137);
        assert_eq!(wait.finish().ok(), "137");
        env.assert_clean();
    }

    fn a_supervisor_that_is_told_to_end_stops_its_container(env) {
        detached(env, &["--name", "polite", "--restart", "always"], &["wait-signal", "SIGTERM"]);
        eventually("it is ready", || env.ketch(&["logs", "polite"]).stdout == "ready\n");
        kill(supervisor(env, "polite"), Signal::SIGTERM).unwrap();
        eventually("it has ended", || status(env, "polite") == "exited");
        assert_eq!(state(env, "polite")["ExitCode"], 0);
        assert_eq!(env.ketch(&["logs", "polite"]).ok(), "ready\nSIGTERM");
        env.ketch(&["rm", "polite"]).ok();
        // One that does not listen is killed after its grace.
        detached(env, &["--name", "deaf", "--restart", "always", "--stop-timeout", "1"], &["ready-then-wait"]);
        kill(supervisor(env, "deaf"), Signal::SIGTERM).unwrap();
        eventually("it has ended", || status(env, "deaf") == "exited");
        assert_eq!(state(env, "deaf")["ExitCode"], 137);
        env.ketch(&["rm", "deaf"]).ok();
        env.assert_clean();
    }

    fn a_supervisor_that_is_told_to_end_wakes_a_paused_container(env) {
        detached(env, &["--name", "held", "--stop-timeout", "1"], &["ready-then-wait"]);
        env.ketch(&["pause", "held"]).ok();
        kill(supervisor(env, "held"), Signal::SIGTERM).unwrap();
        eventually("it has ended", || status(env, "held") == "exited");
        env.ketch(&["rm", "held"]).ok();
        env.assert_clean();
    }
}

#[test]
fn a_mounted_container_is_not_started() {
    Env::with(Identity::Root, |env| {
        let image = env.base();
        env.ketch(&[
            "create",
            "--name",
            "seen",
            "--network",
            "none",
            &image,
            "payload",
            "true",
        ])
        .ok();
        let place = env.ketch(&["container", "mount", "seen"]).ok().to_owned();
        env.ketch(&["start", "seen"])
            .fails(1, &["seen", "mounted", "unmount"]);
        assert_eq!(status(env, "seen"), "created");
        env.ketch(&["container", "unmount", "seen"]).ok();
        env.ketch(&["start", "-a", "seen"]).ok();
        env.ketch(&["rm", "seen"]).ok();
        assert!(!std::path::Path::new(&place).exists());
        // One that a policy starts again takes the root along: the mount goes.
        detached(
            env,
            &["--name", "again", "--restart", "always"],
            &["ready-then-wait"],
        );
        let place = env.ketch(&["container", "mount", "again"]).ok().to_owned();
        let device = |path: &str| fs::metadata(path).map(|found| found.dev()).ok();
        assert_ne!(device(&place), device(&env.text("")));
        let first = state(env, "again")["Pid"].as_i64().unwrap() as i32;
        kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
        eventually("it runs again", || {
            let state = state(env, "again");
            state["Status"] == "running" && state["Pid"] != first
        });
        assert_eq!(env.ketch(&["container", "mount"]).ok(), "");
        env.ketch(&["rm", "-f", "again"]).ok();
        env.assert_clean();
    });
}
