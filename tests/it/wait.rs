//! `wait`: codes in order, conditions, and containers that go while they are waited for.

use super::stop::running;
use crate::harness::Env;

/// Starts `wait` and returns when it waits: it has the container's directory under watch then.
fn waiting(env: &Env, arguments: &[&str]) -> crate::harness::process::Running {
    let mut words = vec!["wait"];
    words.extend(arguments);
    let waiting = env.spawn(&words);
    crate::harness::eventually("wait waits in poll", || {
        let call = std::fs::read_to_string(format!("/proc/{}/wchan", waiting.pid));
        !waiting.is_running() || call.is_ok_and(|call| call.contains("poll"))
    });
    waiting
}

cases! {
    fn the_codes_come_in_order(env) {
        env.payload(&["--name", "three", "--rm=false"], &["exit", "3"]).exits(3);
        let one = running(env, &["--name", "one"], &["wait-signal", "SIGUSR1"]);
        let two = running(env, &["--name", "two"], &["ready-then-wait"]);
        let wait = waiting(env, &["one", "three", "two"]);
        env.ketch(&["kill", "two"]).ok();
        two.finish().exits(137);
        assert_eq!(wait.stdout.text(), "");
        env.ketch(&["kill", "-s", "USR1", "one"]).ok();
        assert_eq!(wait.finish().ok(), "0\n3\n137");
        one.finish().ok();
        // Ended already: at once.
        assert_eq!(env.ketch(&["container", "wait", "two", "three"]).ok(), "137\n3");
        assert_eq!(env.ketch(&["wait", "-i", "250ms", "--condition", "exited", "three"]).ok(), "3");
        let output = env.ketch(&["wait", "nobody", "three"]);
        output.fails(1, &["nobody"]);
        assert_eq!(output.stdout, "3\n");
        assert_eq!(env.ketch(&["wait", "--ignore", "nobody"]).ok(), "-1");
    }

    fn a_container_that_goes_still_has_a_code(env) {
        let one = running(env, &["--rm", "--name", "one"], &["ready-then-wait"]);
        let wait = waiting(env, &["one"]);
        env.ketch(&["kill", "one"]).ok();
        one.finish().exits(137);
        let output = wait.finish();
        // Before Linux 6.15 the kernel does not tell, and this run leaves no note.
        if output.code() == 0 {
            assert_eq!(output.ok(), "137");
        } else {
            output.fails(1, &["nobody wrote down"]);
        }
        let two = running(env, &["--name", "two"], &["ready-then-wait"]);
        let wait = waiting(env, &["--condition", "removing", "two"]);
        env.ketch(&["rm", "-f", "two"]).ok();
        two.finish().exits(137);
        assert_eq!(wait.finish().ok(), "-1");
        env.assert_clean();
    }

    fn states_can_be_waited_for(env) {
        let one = running(env, &["--name", "one"], &["ready-then-wait"]);
        assert_eq!(env.ketch(&["wait", "--condition", "running", "one"]).ok(), "-1");
        let wait = waiting(env, &["--condition=paused", "one"]);
        env.ketch(&["pause", "one"]).ok();
        assert_eq!(wait.finish().ok(), "-1");
        let wait = waiting(env, &["--condition", "stopped", "--condition", "running", "-l"]);
        env.ketch(&["unpause", "one"]).ok();
        assert_eq!(wait.finish().ok(), "-1");
        let wait = waiting(env, &["--condition", "stopped", "one"]);
        env.ketch(&["kill", "one"]).ok();
        assert_eq!(wait.finish().ok(), "137");
        one.finish().exits(137);
    }

    fn a_killed_caller_is_an_end_too(env) {
        let one = running(env, &["--name", "one"], &["ready-then-wait"]);
        let wait = waiting(env, &["one"]);
        one.signal(nix::sys::signal::Signal::SIGKILL);
        one.finish().exits(137);
        // Nobody wrote the end down; that much is known where the kernel tells.
        let output = wait.finish();
        assert!([0, 1].contains(&output.code()), "{output}");
        env.ketch(&["ps", "-a"]).says("one");
    }

    fn bad_requests_are_refused(env) {
        env.payload(&["--name", "idle", "--rm=false"], &["true"]).ok();
        env.ketch(&["wait"]).fails(1, &["requires at least 1 argument"]);
        env.ketch(&["wait", "--condition", "happy", "idle"]).fails(1, &["happy"]);
        env.ketch(&["wait", "-i", "soon", "idle"]).fails(1, &["soon"]);
    }
}
