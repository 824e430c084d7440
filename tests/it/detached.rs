//! Containers that outlive the command that made them: `run -d`, `create`, `start`, `attach`,
//! restart policies, and what is left when one of their processes is killed.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::terminal::Terminal;
use crate::harness::{Env, Image, eventually};

/// Starts a detached container and returns its id.
fn detached(env: &Env, flags: &[&str], payload: &[&str]) -> String {
    let image = env.base();
    let mut arguments = vec!["run", "-d", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(payload);
    let output = env.ketch(&arguments);
    output.ok().to_owned()
}

fn inspect(env: &Env, name: &str) -> serde_json::Value {
    env.ketch(&["container", "inspect", name]).json()[0].clone()
}

fn status(env: &Env, name: &str) -> String {
    inspect(env, name)["State"]["Status"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The process that watches a running container.
fn supervisor(env: &Env, id: &str) -> i32 {
    let state = fs::read(env.store().join(format!("containers/{id}/state"))).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    state["started"]["supervisor"].as_i64().unwrap() as i32
}

fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie whose parent has not looked yet runs nothing any more.
    stat.rsplit(')')
        .next()
        .is_none_or(|rest| rest.is_empty() || rest.trim_start().starts_with('Z'))
}

cases! {
    fn start_of_all_leaves_alone_what_runs(env) {
        let image = env.base();
        env.ketch(&["run", "-d", "--name", "runs", &image, "payload", "sleep-forever"]).ok();
        for name in ["one", "two"] {
            env.ketch(&["create", "--name", name, "--label", name, &image, "payload", "sleep-forever"]).ok();
        }
        let id = |name: &str| env.ketch(&["inspect", "-f", "{{.Id}}", name]).ok().to_owned();
        assert_eq!(env.ketch(&["start", "--filter", "label=two", "one", "two"]).ok(), "two");
        assert_eq!(env.ketch(&["start", "--all"]).ok(), id("one"));
        env.ketch(&["start", "--all", "one"]).refused(&["either start all"]);
        env.ketch(&["start"]).refused(&["name containers"]);
        env.ketch(&["rm", "-fa"]).ok();
        env.assert_clean();
    }

    fn the_number_of_the_keeper_is_written_and_shown(env) {
        let path = env.path("work/keeper").display().to_string();
        env.ketch(&["run", "-d", "--name", "kept", "--conmon-pidfile", &path, &env.base(), "payload", "sleep-forever"]).ok();
        let shown = env.ketch(&["inspect", "-f", "{{.State.ConmonPid}} {{.ConmonPidFile}}", "kept"]);
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(shown.ok(), format!("{} {path}", written.trim()));
        let name = fs::read_to_string(format!("/proc/{}/cmdline", written.trim())).unwrap();
        assert!(name.contains("@supervise"), "{name}");
        env.ketch(&["rm", "-f", "kept"]).ok();
        env.assert_clean();
    }

    fn a_detached_container_lives_on_and_ends_with_its_code(env) {
        let output = env.ketch(&["run", "-d", "--network", "none", "--name", "job", &env.base(), "payload", "ready-then-wait"]);
        let id = output.ok();
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let id = id.to_owned();
        env.ketch(&["ps"]).says("job").says("Up ");
        eventually("the log has the line", || env.ketch(&["logs", "job"]).stdout == "ready\n");
        let state = inspect(env, "job")["State"].clone();
        assert_eq!((&state["Status"], &state["Running"]), (&"running".into(), &true.into()));
        assert!(!is_gone(state["Pid"].as_i64().unwrap() as i32));
        env.ketch(&["start", "job"]).ok();
        env.ketch(&["rm", "job"]).refused(&["running"]);
        let watcher = supervisor(env, &id);
        env.ketch(&["rm", "-f", "job"]).ok();
        eventually("the supervisor ends with its container", || is_gone(watcher));
        env.assert_clean();

        detached(env, &["--name", "quick"], &["exit", "7"]);
        eventually("it has ended", || status(env, "quick") == "exited");
        assert_eq!(inspect(env, "quick")["State"]["ExitCode"], 7);
        env.ketch(&["rm", "quick"]).ok();
        env.assert_clean();
    }

    fn with_rm_nothing_is_left(env) {
        let id = detached(env, &["--rm", "--name", "gone"], &["ready-then-wait"]);
        let pid = inspect(env, "gone")["State"]["Pid"].as_i64().unwrap() as i32;
        let watcher = supervisor(env, &id);
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        eventually("the container is gone", || env.containers().is_empty() && is_gone(watcher));
        env.assert_clean();
    }

    fn create_then_start(env) {
        let image = env.base();
        let created = env.ketch(&["create", "--name", "later", "--network", "none", &image, "payload", "write", "/made", "once"]);
        assert_eq!(created.ok().len(), 64);
        assert_eq!(status(env, "later"), "created");
        assert_eq!(env.ketch(&["start", "later"]).ok(), "later");
        eventually("it has ended", || status(env, "later") == "exited");
        // Its files are there for the next run, and its own start is another moment.
        let first = inspect(env, "later")["State"]["StartedAt"].clone();
        assert_eq!(env.ketch(&["start", "-a", "later"]).code(), 0);
        assert_ne!(inspect(env, "later")["State"]["StartedAt"], first);
        env.ketch(&["start", "nobody", "later"]).fails(1, &["nobody"]).says("later");
        env.ketch(&["rm", "-f", "later"]).ok();
        env.assert_clean();
    }

    fn a_start_gives_the_code_and_the_output_of_the_payload(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "three", "--network", "none", &image, "payload", "exit", "3"]).ok();
        assert_eq!(env.ketch(&["start", "-a", "three"]).code(), 3);
        env.ketch(&["create", "--name", "cat", "-i", "--network", "none", &image, "payload", "cat"]).ok();
        let output = env.ketch_with_input(&["start", "-ai", "cat"], b"through\n");
        assert_eq!(output.ok(), "through");
        assert_eq!(env.ketch(&["logs", "cat"]).ok(), "through");
        env.ketch(&["rm", "three", "cat"]).ok();
        env.assert_clean();
    }

    fn a_payload_that_cannot_start_is_said_and_kept(env) {
        let image = env.base();
        for (flags, command, code) in [
            (&["-d"][..], "nope", 127),
            (&[][..], "nope", 127),
            (&["-d"][..], "/etc", 126),
        ] {
            let mut arguments = vec!["run", "--name", "bad", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), command]);
            env.ketch(&arguments).fails(code, &[command]);
            assert_eq!(status(env, "bad"), "created");
            assert_eq!(inspect(env, "bad")["State"]["ExitCode"], code);
            env.ketch(&["start", "bad"]).fails(1, &[command]);
            env.ketch(&["rm", "bad"]).ok();
        }
        env.ketch(&["run", "-d", "--rm", "--network", "none", &image, "nope"]).fails(127, &["nope"]);
        env.assert_clean();
    }

    fn bad_flags_change_nothing(env) {
        let image = env.base();
        for flags in [
            &["-d", "-a", "stdout"][..],
            &["--rm", "--restart", "always"],
            &["--restart", "sometimes"],
            &["--restart", "on-failure:x"],
            &["-a", "stdfoo"],
            &["--detach-keys", "ctrl-"],
            &["--log-driver", "fluentd"],
            &["--log-opt", "max-size=lots"],
            &["--stop-timeout", "soon"],
        ] {
            let mut arguments = vec!["run", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "true"]);
            env.ketch(&arguments).fails(125, &[]);
        }
        env.assert_clean();
    }

    fn a_policy_starts_it_again(env) {
        detached(env, &["--name", "twice", "--restart", "on-failure:2"], &["exit", "4"]);
        eventually("it stays ended", || status(env, "twice") == "exited");
        let found = inspect(env, "twice");
        assert_eq!((&found["RestartCount"], &found["State"]["ExitCode"]), (&2.into(), &4.into()));
        // What ends well is not a failure.
        detached(env, &["--name", "well", "--restart", "on-failure"], &["true"]);
        eventually("it has ended", || status(env, "well") == "exited");
        assert_eq!(inspect(env, "well")["RestartCount"], 0);
        // Somebody kills the payload, not the container: it comes back as another process.
        detached(env, &["--name", "always", "--restart", "always"], &["ready-then-wait"]);
        let pid = inspect(env, "always")["State"]["Pid"].as_i64().unwrap() as i32;
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        eventually("it runs again", || {
            let state = &inspect(env, "always")["State"];
            state["Status"] == "running" && state["Pid"] != pid
        });
        eventually("both runs are logged", || env.ketch(&["logs", "always"]).stdout == "ready\nready\n");
        env.ketch(&["rm", "-f", "twice", "well", "always"]).ok();
        env.assert_clean();
    }

    fn several_clients_watch_and_one_types(env) {
        detached(env, &["-i", "--name", "echo"], &["cat"]);
        let mut typist = env.spawn(&["attach", "echo"]);
        let watcher = env.spawn(&["attach", "--no-stdin", "echo"]);
        // Both are attached once the journal says so twice.
        eventually("both are attached", || {
            let events = fs::read_to_string(env.store().join("events")).unwrap();
            events.matches("\"attach\"").count() == 2
        });
        typist.write(b"hello\n");
        typist.stdout.wait_for("hello");
        watcher.stdout.wait_for("hello");
        env.ketch(&["rm", "-f", "echo"]).ok();
        typist.finish().exits(137);
        watcher.finish().exits(137);
        env.assert_clean();
    }

    fn attach_needs_a_running_container_with_streams(env) {
        let image = env.base();
        env.ketch(&["attach", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["create", "--name", "idle", "--network", "none", &image, "payload", "true"]).ok();
        env.ketch(&["attach", "idle"]).fails(1, &["stopped container"]);
        let plain = env.spawn(&["run", "--rm", "--name", "plain", "--network", "none", &image, "payload", "ready-then-wait"]);
        plain.stdout.wait_for("ready");
        env.ketch(&["attach", "plain"]).fails(1, &["plain"]);
        env.ketch(&["rm", "-f", "plain", "idle"]).ok();
        plain.finish().exits(137);
        env.assert_clean();
    }

    fn the_detach_keys_leave_it_running(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        let arguments = ["run", "-it", "--name", "left", "--network", "none", &image, "payload", "ready-then-wait"];
        let mut terminal = Terminal::start(env, &arguments);
        terminal.screen.wait_for("ready");
        terminal.types("\x10\x11");
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored, "{code} {screen}");
        assert_eq!(status(env, "left"), "running");
        let mut terminal = Terminal::start(env, &["attach", "--detach-keys", "ctrl-a,x", "left"]);
        terminal.screen.wait_for("");
        terminal.types("\x01x");
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored, "{code} {screen}");
        assert_eq!(status(env, "left"), "running");
        env.ketch(&["rm", "-f", "left"]).ok();
        env.assert_clean();
    }

    fn a_killed_supervisor_takes_its_container_along(env) {
        for flags in [&[][..], &["--init"], &["--restart", "always"]] {
            let mut all = vec!["--name", "orphan"];
            all.extend(flags);
            let id = detached(env, &all, &["ready-then-wait"]);
            let pid = inspect(env, "orphan")["State"]["Pid"].as_i64().unwrap() as i32;
            kill(Pid::from_raw(supervisor(env, &id)), Signal::SIGKILL).unwrap();
            eventually("the next command ends what was left", || {
                env.ketch(&["ps", "-a"]).ok();
                is_gone(pid)
            });
            assert_eq!(env.ketch(&["ps", "-q"]).ok(), "");
            // It can go on, and it can be removed.
            env.ketch(&["start", "orphan"]).ok();
            assert_eq!(status(env, "orphan"), "running");
            env.ketch(&["rm", "-f", "orphan"]).ok();
            env.assert_clean();
        }
    }

    fn a_foreground_run_ends_with_its_caller(env) {
        let image = env.base();
        // A download that is killed is another case.
        env.ketch(&["pull", "-q", &image]).ok();
        let running = env.spawn(&["run", "--name", "bound", "--network", "none", &image, "payload", "ready-then-wait"]);
        running.stdout.wait_for("ready");
        let pid = inspect(env, "bound")["State"]["Pid"].as_i64().unwrap() as i32;
        running.signal(Signal::SIGKILL);
        running.finish().exits(137);
        eventually("the payload is gone", || is_gone(pid));
        eventually("its end is known", || status(env, "bound") == "exited");
        assert_eq!(inspect(env, "bound")["State"]["ExitCode"], 137);
        env.ketch(&["rm", "bound"]).ok();
        env.assert_clean();
    }

    fn an_owner_gets_every_byte_and_a_pipe_that_closes_ends_it(env) {
        let image = env.base();
        let input: String = (0..300_000_u32).map(|number| format!("{number} ")).collect();
        let output = env.ketch_with_input(&["run", "-i", "--name", "cat", "--network", "none", &image, "payload", "cat"], input.as_bytes());
        output.exits(0);
        assert!(output.stdout == input, "{} bytes of {}", output.stdout.len(), input.len());
        let mut command = env.program("/bin/sh");
        command.args(["-c", "\"$0\" run --name ends --network none $1 payload flood | head -c 10 >/dev/null"]);
        command.arg(crate::harness::env::executable()).arg(&image);
        crate::harness::process::Running::start(command).finish().exits(0);
        eventually("it has ended", || status(env, "ends") == "exited");
        env.ketch(&["rm", "cat", "ends"]).ok();
        env.assert_clean();
    }

    fn the_log_rotates_and_names_what_was_asked(env) {
        let flags = ["--name", "chatty", "--log-opt", "max-size=4k", "--log-opt", "max-file=3", "--log-opt", "tag={{.Name}}"];
        detached(env, &flags, &["lines", "400"]);
        eventually("it has ended", || status(env, "chatty") == "exited");
        let dir = env.store().join("containers").join(inspect(env, "chatty")["Id"].as_str().unwrap());
        for name in ["container.log", "container.log.1", "container.log.2"] {
            assert!(fs::metadata(dir.join(name)).unwrap().len() <= 4096 + 256, "{name}");
        }
        assert!(!dir.join("container.log.3").exists());
        let output = env.ketch(&["logs", "chatty"]);
        assert!(output.ok().ends_with("line 399"), "{}", output.stdout);
        let entry = fs::read_to_string(dir.join("container.log")).unwrap();
        assert!(entry.contains("\"attrs\":{\"tag\":\"chatty\"}"), "{entry}");
        env.ketch(&["rm", "chatty"]).ok();
        detached(env, &["--name", "silent", "--log-driver", "none"], &["lines", "3"]);
        eventually("it has ended", || status(env, "silent") == "exited");
        env.ketch(&["logs", "silent"]).fails(1, &["none"]);
        env.ketch(&["rm", "silent"]).ok();
        env.assert_clean();
    }

    fn a_streams_owner_is_the_payloads_user(env) {
        // /dev/stdout is opened anew, which only its owner may.
        let id = detached(env, &["--name", "again", "-u", "1"], &["append", "/dev/stdout", "opened"]);
        eventually("it has ended", || status(env, "again") == "exited");
        assert_eq!(env.ketch(&["logs", &id]).ok(), "opened");
        env.ketch(&["rm", "again"]).ok();
    }

    fn a_name_can_be_replaced(env) {
        let first = detached(env, &["--name", "same"], &["ready-then-wait"]);
        let second = detached(env, &["--name", "same", "--replace"], &["ready-then-wait"]);
        assert_ne!(first, second);
        assert_eq!(inspect(env, "same")["Id"], second.as_str());
        env.ketch(&["rm", "-f", "same"]).ok();
        env.assert_clean();
    }

    fn a_start_after_the_image_lost_its_name(env) {
        let image = env.image(Image::base());
        env.ketch(&["create", "--name", "kept", "--network", "none", &image, "payload", "true"]).ok();
        env.ketch(&["rmi", "-f", &image]).exits(0);
        env.ketch(&["start", "-a", "kept"]).ok();
        env.ketch(&["rm", "kept"]).ok();
    }
}

#[test]
fn many_start_at_once() {
    let env = Env::any();
    let image = env.base();
    env.ketch(&["pull", "-q", &image]).ok();
    let runs: Vec<_> = (0..40)
        .map(|_| {
            env.spawn(&[
                "run",
                "-d",
                "--network",
                "none",
                &image,
                "payload",
                "ready-then-wait",
            ])
        })
        .collect();
    for run in runs {
        run.finish().ok();
    }
    assert_eq!(env.ketch(&["ps", "-q"]).ok().lines().count(), 40);
    env.ketch(&["rm", "--all", "--force"]).exits(0);
    env.assert_clean();
}
