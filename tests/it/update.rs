//! `update`: limits of containers that run and of those that do not.

use std::fs;

use super::stop::{running, state};
use crate::harness::{Env, Identity, eventually};

/// What `inspect` says was asked of the host.
fn asked(env: &Env, name: &str) -> serde_json::Value {
    env.ketch(&["container", "inspect", name]).json()[0]["HostConfig"].clone()
}

cases! {
    fn what_does_not_run_has_it_from_its_next_start_on(env) {
        env.payload(&["--name", "one", "--memory", "64m", "--rm=false"], &["true"]).exits(0);
        let updated = env.ketch(&["update", "--memory", "96m", "--memory-swap", "-1", "--cpus", "0.5", "--pids-limit", "50", "one"]);
        assert_eq!((updated.ok(), updated.stderr.as_str()), ("one", ""));
        let found = asked(env, "one");
        assert_eq!(found["Memory"], 96 << 20);
        assert_eq!(found["NanoCpus"], 500_000_000);
        assert_eq!(found["PidsLimit"], 50);
        assert_eq!(env.ketch(&["container", "update", "--restart", "on-failure:3", "one"]).ok(), "one");
        assert_eq!(asked(env, "one")["Memory"], 96 << 20);
        env.ketch(&["start", "-a", "one"]).exits(0);
    }

    fn impossible_changes_are_refused_and_change_nothing(env) {
        env.payload(&["--name", "one", "--memory", "64m", "--memory-swap", "64m", "--rm=false"], &["true"]).exits(0);
        for (flags, words) in [
            (&[][..], "one or more flags"),
            (&["--memory", "1m"][..], "Minimum memory limit"),
            (&["--memory", "128m"], "already set memoryswap"),
            (&["--memory", "lots"], "lots"),
            (&["--cpus", "5000"], "CPUs"),
            (&["--cpus", "1", "--cpu-quota", "5000"], "--cpus"),
            (&["--cpuset-cpus", "900"], "CPUs"),
            (&["--pids-limit", "-5"], "-5"),
            (&["--restart", "sometimes"], "sometimes"),
        ] {
            let mut arguments = vec!["update"];
            arguments.extend(flags);
            arguments.push("one");
            env.ketch(&arguments).fails(1, &[words]);
        }
        assert_eq!(asked(env, "one")["Memory"], 64 << 20);
        env.ketch(&["update", "--memory", "96m", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["update", "--memory", "96m"]).fails(1, &["requires at least 1 argument"]);
    }

    fn a_limit_that_cannot_be_had_is_said(env) {
        let ran = running(env, &["--name", "one", "--rm"], &["ready-then-wait"]);
        env.ketch(&["update", "--restart", "always", "one"]).fails(1, &["AutoRemove"]);
        let updated = env.ketch(&["update", "--cpu-shares", "512", "one"]);
        updated.ok();
        assert_eq!(asked(env, "one")["CpuShares"], 512);
        // Either it holds, or its flag is named.
        if env.identity != Some(Identity::Root) && env.uid != 0 && !updated.stderr.is_empty() {
            updated.warns("--cpu-shares is not enforced");
        }
        env.ketch(&["kill", "one"]).ok();
        ran.finish().exits(137);
    }
}

/// Starts a detached container that ends with code 0 on USR1.
fn detached(env: &Env, name: &str, policy: &str) {
    let image = env.base();
    let flags = [
        "run",
        "-d",
        "--name",
        name,
        "--restart",
        policy,
        "--network",
        "none",
    ];
    let mut arguments = flags.to_vec();
    arguments.extend([&image, "payload", "wait-signal", "SIGUSR1"]);
    env.ketch(&arguments).ok();
    eventually("it is ready", || {
        env.ketch(&["logs", name]).ok().contains("ready")
    });
}

cases! {
    fn a_new_restart_policy_holds_for_the_present_run(env) {
        detached(env, "more", "no");
        detached(env, "less", "always");
        env.ketch(&["update", "--restart", "always", "more"]).ok();
        env.ketch(&["update", "--restart", "no", "less"]).ok();
        // Its end by itself, not a stop.
        env.ketch(&["kill", "-s", "USR1", "more", "less"]).ok();
        assert_eq!(env.ketch(&["wait", "less"]).ok(), "0");
        eventually("it runs again", || {
            let found = &env.ketch(&["inspect", "more"]).json()[0];
            found["RestartCount"] == 1 && found["State"]["Status"] == "running"
        });
        assert_eq!(state(env, "less")["Status"], "exited");
        env.ketch(&["rm", "-f", "more", "less"]).ok();
        env.assert_clean();
    }
}

#[test]
fn a_running_container_has_it_at_once() {
    Env::with(Identity::Root, |env| {
        let ran = running(
            env,
            &["--name", "one", "--pids-limit", "100"],
            &["ready-then-wait"],
        );
        let pid = env.ketch(&["inspect", "one"]).json()[0]["State"]["Pid"].clone();
        let updated = env.ketch(&["update", "--pids-limit", "40", "--memory", "64m", "one"]);
        updated.ok();
        if updated.stderr.is_empty() {
            let pids = limit(pid.as_i64().unwrap(), "pids", &["pids.max"]);
            assert_eq!(pids, "40");
            let files = ["memory.limit_in_bytes", "memory.max"];
            assert_eq!(limit(pid.as_i64().unwrap(), "memory", &files), "67108864");
            // Down and up again, in whatever order the kernel wants.
            for bytes in ["32m", "128m"] {
                env.ketch(&["update", "--memory", bytes, "--memory-swap", bytes, "one"])
                    .ok();
            }
            assert_eq!(limit(pid.as_i64().unwrap(), "memory", &files), "134217728");
            env.ketch(&["update", "--pids-limit", "-1", "one"]).ok();
            assert_eq!(limit(pid.as_i64().unwrap(), "pids", &["pids.max"]), "max");
        }
        env.ketch(&["rm", "-f", "one"]).ok();
        ran.finish().exits(137);
        env.assert_clean();
    });
}

/// The limit in the cgroup of a process, on version 1 or 2; on that of its scope, where systemd
/// has it.
fn limit(pid: i64, controller: &str, files: &[&str]) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let folders = text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let path = path.trim_start_matches('/');
        match controllers.is_empty() {
            true => Some(format!("/sys/fs/cgroup/{path}")),
            false if controllers.split(',').any(|one| one == controller) => {
                Some(format!("/sys/fs/cgroup/{controllers}/{path}"))
            }
            false => None,
        }
    });
    let read = |folder: String| {
        let scope = folder.strip_suffix("/container").unwrap_or(&folder);
        let mut found = [&folder, scope].into_iter().flat_map(|folder| {
            let read = move |file| fs::read_to_string(format!("{folder}/{file}")).ok();
            files.iter().filter_map(read)
        });
        found.next()
    };
    folders
        .filter_map(read)
        .next()
        .expect("a limit")
        .trim()
        .to_owned()
}
