//! `logs`: what containers wrote, across rotation, streams, times and their end.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::harness::Env;
use crate::harness::process::Running;

/// A container that has ended, whose log the case writes itself.
fn ended(env: &Env, name: &str) -> PathBuf {
    let image = env.base();
    let arguments = [
        "run",
        "--name",
        name,
        "--network",
        "none",
        &image,
        "payload",
        "true",
    ];
    env.ketch(&arguments).ok();
    log(env, name)
}

/// The log file of a container.
fn log(env: &Env, name: &str) -> PathBuf {
    let id = env.ketch(&["container", "inspect", name]).json()[0]["Id"].clone();
    let below = format!("containers/{}/container.log", id.as_str().unwrap());
    env.store().join(below)
}

/// A container that runs until it gets a signal.
fn running(env: &Env, name: &str) -> Running {
    let image = env.base();
    let running = env.spawn(&[
        "run",
        "--name",
        name,
        "--network",
        "none",
        &image,
        "payload",
        "ready-then-wait",
    ]);
    running.stdout.wait_for("ready");
    running
}

fn line(stream: &str, text: &str, time: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!("{{\"log\":{text},\"stream\":\"{stream}\",\"time\":\"2026-01-01T{time}Z\"}}\n")
}

cases! {
    fn logs_keep_the_streams_apart(env) {
        let path = ended(env, "done");
        assert_eq!(env.ketch(&["logs", "done"]).ok(), "");
        let text = line("stdout", "one\n", "00:00:01") + &line("stderr", "two\u{1b}[31m\n", "00:00:02.5")
            + &line("stdout", "thr", "00:00:03") + &line("stdout", "ee\n", "00:00:03");
        fs::write(path, text).unwrap();
        let output = env.ketch(&["logs", "done"]);
        assert_eq!((output.ok(), output.stderr.as_str()), ("one\nthree", "two\u{1b}[31m\n"));
        let output = env.ketch(&["container", "logs", "-t", "done"]);
        output.says("2026-01-01T00:00:01.000000000Z one\n").says("03.000000000Z three\n");
        assert_eq!(output.stderr, "2026-01-01T00:00:02.500000000Z two\u{1b}[31m\n");
        assert_eq!(env.ketch(&["logs", "-n", "1", "done"]).ok(), "ee");
        assert_eq!(env.ketch(&["logs", "--tail=0", "done"]).ok(), "");
        assert_eq!(env.ketch(&["logs", "--tail", "-1", "done"]).ok(), "one\nthree");
        let since = env.ketch(&["logs", "--since", "2026-01-01T00:00:02.5Z", "done"]);
        assert_eq!((since.ok(), since.stderr.as_str()), ("three", "two\u{1b}[31m\n"));
        assert_eq!(env.ketch(&["logs", "--until", "2026-01-01T00:00:02", "done"]).ok(), "one");
        assert_eq!(env.ketch(&["logs", "--since", "10m", "done"]).ok(), "");
        assert_eq!(env.ketch(&["logs", "--since", "0", "--until", "1767225601", "done"]).ok(), "one");
        // Nobody writes: following is over at once.
        assert_eq!(env.ketch(&["logs", "-f", "done"]).ok(), "one\nthree");
        assert_eq!(env.ketch(&["logs", "-l"]).ok(), "one\nthree");
    }

    fn bad_requests_for_logs_are_refused(env) {
        env.ketch(&["logs", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["logs"]).refused(&["--latest"]);
        env.ketch(&["logs", "-l"]).refused(&["no container"]);
        ended(env, "done");
        env.ketch(&["logs", "--tail", "x", "done"]).fails(1, &["--tail", "x"]);
        env.ketch(&["logs", "--since", "tomorrow", "done"]).fails(1, &["--since", "tomorrow"]);
        env.ketch(&["logs", "--until", "-", "done"]).fails(1, &["--until"]);
    }

    fn several_logs_are_told_apart(env) {
        for name in ["left", "right"] {
            fs::write(ended(env, name), line("stdout", &format!("of {name}\n"), "00:00:01")).unwrap();
        }
        let names = env.ketch(&["logs", "--names", "left", "right"]);
        assert_eq!(names.ok(), "left of left\nright of right");
        let ids = env.ketch(&["logs", "left", "right"]);
        assert_eq!(ids.ok().lines().next().unwrap().find(" of left"), Some(12), "{ids}");
        env.ketch(&["logs", "--color", "--names", "left", "right"])
            .says("\u{1b}[37mleft\u{1b}[0m of left\n\u{1b}[31mright\u{1b}[0m of right");
        // One that is not there spoils the rest before anything is printed.
        let output = env.ketch(&["logs", "left", "nobody"]);
        assert_eq!(output.fails(1, &["nobody"]).stdout, "");
    }

    fn a_follower_sees_every_line_until_the_end(env) {
        let container = running(env, "busy");
        let path = log(env, "busy");
        let old = PathBuf::from(format!("{}.1", path.display()));
        let follower = env.spawn(&["logs", "-f", "busy"]);
        let append = |text: &str| {
            use std::io::Write;
            let mut file = fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append(&line("stdout", "first\n", "00:00:01"));
        follower.stdout.wait_for("first");
        // Half an entry is none.
        let (head, tail) = (&line("stdout", "second\n", "00:00:02")[..20], &line("stdout", "second\n", "00:00:02")[20..]);
        append(head);
        append(tail);
        fs::rename(&path, &old).unwrap();
        append(&line("stdout", "third\n", "00:00:03"));
        follower.stdout.wait_for("third");
        fs::rename(&path, &old).unwrap();
        append(&line("stderr", "fourth\n", "00:00:04"));
        follower.stderr.wait_for("fourth");
        // Its end, and the log's: what was written before is read all the same.
        env.ketch(&["rm", "-f", "busy"]).ok();
        let output = follower.finish();
        assert_eq!(output.ok(), "ready\nfirst\nsecond\nthird");
        assert_eq!(output.stderr, "fourth\n");
        container.finish().exits(137);
        env.assert_clean();
    }

    fn following_ends_at_until_and_with_its_reader(env) {
        let container = running(env, "busy");
        let path = log(env, "busy");
        env.ketch(&["logs", "-f", "--until", "0s", "busy"]).ok();
        let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        env.ketch(&["logs", "-f", "--until", &(until.as_secs() + 1).to_string(), "busy"]).ok();
        fs::write(&path, line("stdout", "x\n", "00:00:01")).unwrap();
        // `head` takes one line and is gone: nothing is written afterwards, and still it ends.
        let mut command = env.program("/bin/sh");
        let ketch = crate::harness::env::executable();
        command.args(["-c", "\"$0\" logs -f busy | head -n 1"]).arg(ketch);
        let piped = Running::start(command);
        assert_eq!(piped.finish().ok(), "x");
        container.signal(Signal::SIGKILL);
        container.finish();
    }
}
