//! `run`: signals to the payload, the reaper, and what is left when the caller dies.

use nix::sys::signal::Signal;

cases! {
    fn signals_reach_the_payload(env) {
        for flags in [&[][..], &["--init"]] {
            for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGINT] {
                let image = env.base();
                let mut arguments = vec!["run", "--rm", "--network", "none"];
                arguments.extend(flags);
                arguments.extend([image.as_str(), "payload", "wait-signal", signal.as_str()]);
                let running = env.spawn(&arguments);
                running.stdout.wait_for("ready");
                running.signal(signal);
                let output = running.finish();
                output.says(signal.as_str());
                output.ok();
            }
        }
    }

    fn the_reaper_takes_orphans(env) {
        env.payload(&["--init"], &["orphan"]).says("zombies=0");
        // The payload is not process 1 then.
        assert_eq!(env.payload(&["--init"], &["ppid"]).ok(), "pid=2 ppid=1");
    }

    fn a_killed_caller_takes_its_container_along(env) {
        for flags in [&["--rm"][..], &["--rm", "--init"]] {
            let image = env.base();
            let mut arguments = vec!["run", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "ready-then-wait"]);
            let running = env.spawn(&arguments);
            running.stdout.wait_for("ready");
            running.signal(Signal::SIGKILL);
            // The payload holds the output: its end is the payload's end.
            running.finish().exits(137);
            env.ketch(&["ps"]).ok();
            assert_eq!(env.ketch(&["ps", "-aq"]).ok(), "");
            env.assert_clean();
        }
    }

    fn a_terminated_start_leaves_nothing(env) {
        let image = env.base();
        env.payload(&[], &["true"]).ok();
        // The signal meets a different moment of the start each time.
        for _ in 0..8 {
            let running = env.spawn(&["run", "--rm", "--network", "none", &image, "payload", "ready-then-wait"]);
            running.signal(Signal::SIGKILL);
            running.finish().exits(137);
        }
        env.ketch(&["ps", "-a"]).ok();
        env.assert_clean();
    }

    fn sixteen_at_once(env) {
        env.payload(&[], &["true"]).ok();
        let image = env.base();
        let all: Vec<_> = (0..16)
            .map(|at| {
                let text = format!("number {at}");
                (text.clone(), env.spawn(&["run", "--rm", "--network", "none", &image, "payload", "echo", &text]))
            })
            .collect();
        for (text, running) in all {
            assert_eq!(running.finish().ok(), text);
        }
        env.assert_clean();
    }

    fn a_list_of_another_store_spares_what_starts_here(env) {
        env.payload(&[], &["true"]).ok();
        let image = env.base();
        let start = || env.spawn(&["run", "--rm", "--network", "none", &image, "payload", "true"]);
        let list = || {
            let mut command = env.command(&["ps", "-a"]);
            command.env("KETCH_ROOT", env.text("store of another"));
            crate::harness::process::Running::start(command)
        };
        for _ in 0..4 {
            let started = [start(), start(), start()];
            let listed = [list(), list(), list()];
            started.into_iter().chain(listed).for_each(|one| { one.finish().ok(); });
        }
        env.assert_clean();
    }

    fn what_ketch_ignores_the_payload_does_not(env) {
        require!("/bin/sh", std::path::Path::new("/bin/sh").exists());
        let mut command = env.program("/bin/sh");
        command.args(["-c", "trap '' TERM INT HUP USR1; exec \"$0\" \"$@\""]).arg(crate::harness::env::executable());
        command.args(["run", "--rm", "--network", "none", "--rootfs", "/", "/bin/sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status"]);
        let output = crate::harness::process::Running::start(command).finish();
        output.says("SigBlk:\t0000000000000000").says("SigIgn:\t0000000000000000");
    }

    fn a_closed_output_is_no_crash(env) {
        let mut command = env.program("/bin/sh");
        command.args(["-c", "\"$0\" \"$@\" | true"]).arg(crate::harness::env::executable());
        command.args(["run", "--rm", "--network", "none", &env.base(), "payload", "cat", "/proc/self/status"]);
        let output = crate::harness::process::Running::start(command).finish();
        assert!(!output.stderr.contains("panicked"), "{output}");
        env.assert_clean();
    }

    fn closed_standard_streams_are_no_crash(env) {
        let mut command = env.program("/bin/sh");
        command.args(["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"]).arg(crate::harness::env::executable());
        command.args(["run", "--rm", "--network", "none", &env.base(), "payload", "true"]);
        crate::harness::process::Running::start(command).finish().exits(0);
        env.assert_clean();
    }
}
