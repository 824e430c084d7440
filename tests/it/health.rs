//! Health checks: the flags, what a check comes to, and where it shows.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::events::called;
use crate::harness::process::Running;
use crate::harness::{Env, Image, eventually};

/// A container named `box` that runs until it is removed.
fn running(env: &Env, flags: &[&str], image: &str) -> Running {
    let mut arguments = vec!["run", "--name", "box", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image, "payload", "ready-then-wait"]);
    let running = env.spawn(&arguments);
    running.stdout.wait_for("ready");
    running
}

/// An image with a shell that is the payload's: it says what it was asked to run and fails.
fn with_check(env: &Env, test: Value) -> String {
    env.image(Image::base().set("Healthcheck", test))
}

fn shown(env: &Env) -> Value {
    env.ketch(&["container", "inspect", "box"]).json()[0].clone()
}

fn end(env: &Env, container: Running) {
    env.ketch(&["rm", "-f", "box"]).ok();
    container.finish();
    env.assert_clean();
}

cases! {
    fn a_check_is_run_and_recorded(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "cat", "/tmp/well"], "Retries": 2}));
        let container = running(env, &[], &image);
        let state = shown(env)["State"]["Health"].clone();
        assert_eq!((state["Status"].as_str(), state["FailingStreak"].as_i64()), (Some("starting"), Some(0)));
        env.ketch(&["ps"]).says("(health: starting)");
        // Not well yet: once is not enough to be unhealthy.
        env.ketch(&["healthcheck", "run", "box"]).exits(1).says("starting");
        env.ketch(&["exec", "box", "payload", "write", "/tmp/well", "fine"]).ok();
        assert_eq!(env.ketch(&["healthcheck", "run", "box"]).ok(), "");
        env.ketch(&["ps"]).says("(healthy)");
        env.ketch(&["ps", "--format", "{{.HealthStatus}}"]).says("healthy");
        env.ketch(&["exec", "box", "payload", "rm", "/tmp/well"]).ok();
        env.ketch(&["healthcheck", "run", "box"]).exits(1).says("unhealthy");
        assert_eq!(shown(env)["State"]["Health"]["Status"], "healthy");
        env.ketch(&["healthcheck", "run", "--ignore-result", "box"]).exits(0);
        let health = shown(env)["State"]["Health"].clone();
        assert_eq!((health["Status"].as_str(), health["FailingStreak"].as_i64()), (Some("unhealthy"), Some(2)));
        env.ketch(&["ps"]).says("(unhealthy)");
        let log = health["Log"].as_array().unwrap();
        let codes: Vec<i64> = log.iter().map(|entry| entry["ExitCode"].as_i64().unwrap()).collect();
        assert_eq!(codes, [1, 0, 1, 1]);
        assert_eq!(log[1]["Output"], "fine");
        assert!(log[0]["Output"].as_str().unwrap().contains("No such file"), "{health}");
        assert!(log[0]["Start"].as_str().unwrap() <= log[0]["End"].as_str().unwrap());
        let events = fs::read_to_string(env.store().join("events")).unwrap();
        let changes: Vec<&str> = ["health_status: healthy", "health_status: unhealthy"]
            .into_iter().filter(|change| events.matches(change).count() == 1).collect();
        assert_eq!(changes.len(), 2, "{events}");
        end(env, container);
    }

    fn flags_win_over_the_image(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "false"], "Interval": 7_000_000_000_i64}));
        let flags = ["--health-cmd", "exit 0", "--health-timeout", "1m30s", "--health-retries", "9",
            "--health-start-period", "2s", "--health-start-interval", "500ms"];
        let container = running(env, &flags, &image);
        assert_eq!(shown(env)["Config"]["Healthcheck"], json!({
            "Test": ["CMD-SHELL", "exit 0"], "Interval": 7_000_000_000_i64, "Timeout": 90_000_000_000_i64,
            "StartPeriod": 2_000_000_000_i64, "StartInterval": 500_000_000, "Retries": 9,
        }));
        // There is no shell in the image: that is a check that fails.
        env.ketch(&["healthcheck", "run", "box"]).exits(1);
        let log = shown(env)["State"]["Health"]["Log"][0].clone();
        assert_eq!(log["ExitCode"], -1);
        assert!(log["Output"].as_str().unwrap().contains("/bin/sh"), "{log}");
        end(env, container);
        let container = running(env, &["--no-healthcheck"], &image);
        assert!(shown(env)["State"]["Health"].is_null() && shown(env)["Config"]["Healthcheck"].is_null());
        assert!(!env.ketch(&["ps"]).stdout.contains("health"));
        env.ketch(&["healthcheck", "run", "box"]).fails(1, &["no defined healthcheck"]);
        end(env, container);
    }

    fn a_check_that_hangs_is_killed(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "ready-then-wait"]}));
        let container = running(env, &["--health-timeout", "200ms"], &image);
        env.ketch(&["healthcheck", "run", "box"]).exits(1);
        let log = shown(env)["State"]["Health"]["Log"][0].clone();
        assert_eq!((log["ExitCode"].as_i64(), log["Output"].as_str()), (Some(-1), Some("Health check exceeded timeout (200ms): ready\n")));
        assert_eq!(env.ketch(&["top", "box", "-eo", "pid"]).ok().lines().count(), 2);
        end(env, container);
    }

    fn a_check_has_the_containers_rights_and_long_output_is_cut(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "caps"]}));
        let container = running(env, &["-u", "1000"], &image);
        env.ketch(&["healthcheck", "run", "box"]).ok();
        let text = shown(env)["State"]["Health"]["Log"][0]["Output"].as_str().unwrap().to_owned();
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert!(text.contains(&format!("{set}=0000000000000000")), "{text}");
        }
        end(env, container);
        let image = with_check(env, json!({"Test": ["CMD", "payload", "echo", "x".repeat(9000)]}));
        let container = running(env, &[], &image);
        env.ketch(&["healthcheck", "run", "box"]).ok();
        let text = shown(env)["State"]["Health"]["Log"][0]["Output"].as_str().unwrap().to_owned();
        assert!(text.len() == 4096 && text.ends_with("x..."), "{}", text.len());
        end(env, container);
    }

    fn bad_checks_are_refused(env) {
        let image = env.base();
        for flags in [
            &["--no-healthcheck", "--health-cmd", "x"][..],
            &["--health-interval", "-1s"],
            &["--health-interval", "soon"],
            &["--health-retries", "-1"],
            &["--health-timeout", "1us"],
        ] {
            let mut arguments = vec!["run", "--rm"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "true"]);
            env.ketch(&arguments).fails(125, &["health"]);
        }
        env.ketch(&["healthcheck", "run", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["healthcheck", "run"]).refused(&["CONTAINER"]);
        env.assert_clean();
    }

    fn a_container_that_ended_is_not_checked(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "true"]}));
        let container = running(env, &[], &image);
        env.ketch(&["healthcheck", "run", "box"]).ok();
        container.signal(Signal::SIGKILL);
        container.finish();
        // The caller is gone; its container is killed by whoever keeps it, in a moment.
        env.ketch(&["wait", "box"]).ok();
        env.ketch(&["healthcheck", "run", "box"]).fails(1, &["is not running"]);
    }
}

/// Runs a detached container named `box` as podman, whose checks are lists of words.
fn detached(env: &Env, flags: &[&str], image: &str) -> String {
    let mut arguments = vec!["run", "-d", "--name", "box", "--network", "none", "--init"];
    arguments.extend(flags);
    arguments.extend([image, "payload", "sleep-forever"]);
    called(env, "podman", &arguments).ok().to_owned()
}

cases! {
    fn a_check_waits_for_the_one_of_the_start(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "true"], "Interval": 3_600_000_000_000_i64}));
        let up = r#"["payload", "cat", "/tmp/up"]"#;
        detached(env, &["--health-startup-cmd", up, "--health-startup-interval", "1h", "--health-startup-success", "2"], &image);
        let probe = || env.ketch(&["healthcheck", "run", "box"]).code();
        let status = || shown(env)["State"]["Health"]["Status"].as_str().unwrap().to_owned();
        assert_eq!((probe(), status().as_str()), (1, "starting"));
        assert_eq!(shown(env)["State"]["Health"]["FailingStreak"], 0);
        env.ketch(&["exec", "box", "payload", "write", "/tmp/up", "yes"]).ok();
        for _ in 0..2 {
            probe();
            assert_eq!(status(), "starting");
        }
        assert_eq!((probe(), status().as_str()), (0, "healthy"));
        env.ketch(&["rm", "-f", "box"]).ok();
        // One that does not come up is started anew.
        let down = r#"["payload", "false"]"#;
        detached(env, &["--health-startup-cmd", down, "--health-startup-interval", "20ms", "--health-startup-retries", "3"], &image);
        let first = shown(env)["State"]["StartedAt"].clone();
        eventually("another start", || shown(env)["State"]["StartedAt"] != first);
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }

    fn results_are_kept_and_passed_on_as_asked(env) {
        let image = with_check(env, json!({"Test": ["CMD", "payload", "echo", "all is well"], "Interval": 3_600_000_000_000_i64}));
        let folder = env.folder("logs");
        let id = detached(env, &["--health-max-log-count", "2", "--health-max-log-size", "6", "--health-log-destination", &folder], &image);
        for _ in 0..3 {
            env.ketch(&["healthcheck", "run", "box"]).exits(0);
        }
        let kept = shown(env)["State"]["Health"]["Log"].clone();
        assert_eq!((kept.as_array().unwrap().len(), kept[1]["Output"].as_str()), (2, Some("all...")));
        let written = fs::read(env.path(&format!("logs/{id}-healthcheck.log"))).unwrap();
        let written: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!((&written["Status"], &written["Log"]), (&json!("healthy"), &kept));
        env.ketch(&["rm", "-f", "box"]).ok();
        detached(env, &["--health-log-destination", "events_logger"], &image);
        env.ketch(&["healthcheck", "run", "box"]).exits(0);
        let events = env.ketch(&["events", "--since", "1h", "--until", "0s", "--filter", "container=box"]);
        assert!(events.ok().contains("health_log=all is well"), "{events}");
        env.ketch(&["rm", "-f", "box"]).ok();
        for flags in [["--health-max-log-count", "-1"], ["--health-max-log-size", "much"], ["--health-log-destination", "/nowhere"], ["--health-startup-retries", "x"]] {
            env.payload(&flags, &["true"]).fails(125, &[flags[0]]);
        }
        env.assert_clean();
    }

    fn a_check_can_be_changed_while_it_runs(env) {
        let image = env.base();
        detached(env, &[], &image);
        let update = |flags: &[&str]| {
            let mut arguments = vec!["update"];
            arguments.extend(flags);
            arguments.push("box");
            called(env, "podman", &arguments)
        };
        let health = || shown(env)["State"]["Health"]["Status"].as_str().map(str::to_owned);
        update(&["--health-cmd", r#"["payload", "true"]"#, "--health-interval", "20ms"]).ok();
        eventually("a healthy container", || health().as_deref() == Some("healthy"));
        update(&["--health-cmd", r#"["payload", "false"]"#, "--health-retries", "1"]).ok();
        eventually("an unhealthy container", || health().as_deref() == Some("unhealthy"));
        update(&["--no-healthcheck"]).ok();
        assert_eq!(health(), None);
        update(&["--health-interval", "soon"]).fails(125, &["--health-interval"]);
        env.ketch(&["rm", "-f", "box"]).ok();
        // Nobody but its caller keeps this one.
        let plain = crate::stop::running(env, &["--name", "box", "--rm"], &["ready-then-wait"]);
        update(&["--health-cmd", "x"]).exits(0).warns("next start");
        env.ketch(&["kill", "box"]).ok();
        plain.finish();
        env.assert_clean();
    }
}
