//! Health checks that the supervisor runs by itself, and what comes of them.

use serde_json::{Value, json};

use crate::harness::{Env, Image, eventually};

/// An image that is well as long as `/tmp/well` can be read.
fn image(env: &Env) -> String {
    let test = json!({"Test": ["CMD", "payload", "cat", "/tmp/well"]});
    env.image(Image::base().set("Healthcheck", test))
}

/// Starts a detached container named `box` whose check runs all the time.
fn begin(env: &Env, flags: &[&str], payload: &[&str]) {
    let image = image(env);
    let mut arguments = vec!["run", "-d", "--name", "box", "--network", "none"];
    arguments.extend(["--health-interval", "100ms", "--health-retries", "2"]);
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(payload);
    env.ketch(&arguments).ok();
}

fn state(env: &Env) -> Value {
    env.ketch(&["container", "inspect", "box"]).json()[0]["State"].clone()
}

fn health(env: &Env) -> String {
    let state = state(env);
    state["Health"]["Status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn well(env: &Env) {
    env.ketch(&["exec", "box", "payload", "write", "/tmp/well", "fine"])
        .ok();
}

cases! {
    fn checks_are_run_while_it_runs(env) {
        begin(env, &[], &["ready-then-wait"]);
        eventually("it is unhealthy", || health(env) == "unhealthy");
        well(env);
        assert_eq!(env.ketch(&["wait", "--condition", "healthy", "box"]).code(), 0);
        env.ketch(&["ps"]).says("(healthy)");
        eventually("five results are kept", || {
            let log = state(env)["Health"]["Log"].clone();
            let log = log.as_array().unwrap();
            log.len() == 5 && log.iter().all(|entry| entry["ExitCode"] == 0 && entry["Output"] == "fine")
        });
        assert_eq!(state(env)["Health"]["FailingStreak"], 0);
        let events = env.ketch(&["events", "--since", "1h", "--until", "0s", "--filter", "event=health_status"]);
        events.says("health_status: unhealthy").says("health_status: healthy");
        // A new run begins anew.
        env.ketch(&["exec", "box", "payload", "rm", "/tmp/well"]).ok();
        env.ketch(&["restart", "-t", "0", "box"]).ok();
        assert_ne!(health(env), "healthy");
        eventually("it is unhealthy", || health(env) == "unhealthy");
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }

    fn the_first_check_comes_after_the_interval_or_the_start_interval(env) {
        begin(env, &["--health-interval", "1h"], &["ready-then-wait"]);
        assert_eq!(state(env)["Health"], json!({"Status": "starting", "FailingStreak": 0, "Log": []}));
        env.ketch(&["rm", "-f", "box"]).ok();
        // In the start period checks are frequent and failures do not count.
        let flags = ["--health-interval", "1h", "--health-start-period", "1h", "--health-start-interval", "50ms"];
        begin(env, &flags, &["ready-then-wait"]);
        eventually("three have failed", || state(env)["Health"]["Log"].as_array().unwrap().len() >= 3);
        assert_eq!((health(env).as_str(), &state(env)["Health"]["FailingStreak"]), ("starting", &json!(0)));
        well(env);
        eventually("it is healthy", || health(env) == "healthy");
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }

    fn an_end_does_not_wait_for_a_check(env) {
        let test = json!({"Test": ["CMD", "payload", "sleep-forever"]});
        let image = env.image(Image::base().set("Healthcheck", test));
        env.ketch(&["run", "-d", "--name", "box", "--network", "none", "--health-interval", "10ms", &image,
            "payload", "ready-then-wait"]).ok();
        eventually("a check runs", || env.ketch(&["top", "box", "-eo", "args"]).stdout.contains("sleep-forever"));
        env.ketch(&["stop", "-t", "0", "box"]).ok();
        assert_eq!(state(env)["Status"], "exited");
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn a_paused_container_is_not_checked(env) {
        begin(env, &[], &["ready-then-wait"]);
        well(env);
        eventually("it is healthy", || health(env) == "healthy");
        if env.ketch(&["pause", "box"]).code() == 0 {
            let before = state(env)["Health"]["Log"].clone();
            assert_eq!(state(env)["Health"]["Log"], before);
            env.ketch(&["unpause", "box"]).ok();
            eventually("it is checked again", || state(env)["Health"]["Log"] != before);
        }
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }

    fn a_foreground_container_with_a_check_is_checked(env) {
        let image = image(env);
        let run = env.spawn(&["run", "--rm", "--name", "box", "--network", "none", "--health-interval", "50ms",
            "--health-retries", "1", &image, "payload", "wait-signal", "SIGTERM"]);
        run.stdout.wait_for("ready");
        eventually("it is unhealthy", || health(env) == "unhealthy");
        env.ketch(&["stop", "box"]).ok();
        run.finish().exits(0);
        env.assert_clean();
    }

    fn what_is_unhealthy_can_be_ended_or_renewed(env) {
        begin(env, &["--health-on-failure", "kill"], &["ready-then-wait"]);
        eventually("it is killed", || state(env)["Status"] == "exited");
        assert_eq!(state(env)["ExitCode"], 137);
        env.ketch(&["rm", "box"]).ok();
        begin(env, &["--health-on-failure", "stop", "--restart", "always"], &["wait-signal", "SIGTERM"]);
        eventually("it is stopped", || state(env)["Status"] == "exited");
        assert_eq!(state(env)["ExitCode"], 0);
        env.ketch(&["rm", "box"]).ok();
        begin(env, &["--health-on-failure", "restart"], &["wait-signal", "SIGTERM"]);
        let first = state(env)["StartedAt"].clone();
        eventually("it runs anew", || state(env)["StartedAt"] != first && state(env)["Running"] == true);
        env.ketch(&["rm", "-f", "box"]).ok();
        env.ketch(&["run", "--health-on-failure", "pray", &image(env), "payload", "true"]).fails(125, &["pray"]);
        env.assert_clean();
    }

    fn a_container_that_took_too_long_says_so(env) {
        let image = env.base();
        env.ketch(&["run", "--name", "box", "--network", "none", "--timeout", "1", &image, "payload", "sleep-forever"]).exits(255);
        let state = state(env);
        assert_eq!(state["ExitCode"], 255);
        assert!(state["Error"].as_str().unwrap().contains("--timeout"), "{state}");
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }
}
