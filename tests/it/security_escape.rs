//! `run`: known ways out of a container, one case for each.
//!
//! | way | case |
//! |---|---|
//! | runc CVE-2016-9962, CVE-2024-21626: descriptors, WORKDIR in /proc | `a_working_directory_makes_nothing_outside` |
//! | podman CVE-2026-55686: WORKDIR through a link | `a_working_directory_makes_nothing_outside` |
//! | runc CVE-2019-5736, CVE-2016-8659: the runtime's own process | `the_reaper_holds_nothing_of_ketch` |
//! | runc CVE-2016-3697, containerd CVE-2024-40635: user numbers | `digits_are_a_number_whatever_the_image_says` |
//! | podman CVE-2024-9676: user database | `a_huge_or_linked_user_database_is_no_trap` |
//! | podman CVE-2026-57231: bare names in Env | `an_image_takes_no_variable_of_the_host` |
//! | containerd CVE-2026-53488: labels that steer | `labels_of_an_image_steer_nothing` |
//! | mknod of the host's disks | `device_nodes_made_inside_do_not_work` |
//! | PR_SET_PDEATHSIG lost at a change of user | `a_payload_of_another_user_dies_with_ketch` |
//! | runc CVE-2023-25809, sysrq, core_pattern: knobs | `no_kernel_knob_can_be_written` |
//! | moby's masked paths | `hidden_paths_show_nothing` |
//! | bubblewrap CVE-2017-5226: TIOCSTI | `the_caller_s_terminal_cannot_be_typed_into` |
//! | CVE-2026-31431 and seccomp gaps: other tables of calls | `other_tables_of_calls_are_filtered_too` |
//! | runc CVE-2023-27561, crun CVE-2026-47766: /proc, /sys, /dev as links | `security::mount_points_of_the_image_may_be_links` |

use nix::sys::signal::Signal;

use crate::harness::terminal::Terminal;
use crate::harness::{Identity, Image, Layer};

/// Waits until ketch has, beside the container, the process that outlives it for a moment.
fn wait_for_guard(ketch: i32) {
    let deadline = std::time::Instant::now() + crate::harness::process::LIMIT;
    let children = format!("/proc/{ketch}/task/{ketch}/children");
    while std::fs::read_to_string(&children)
        .unwrap()
        .split_whitespace()
        .count()
        < 2
    {
        assert!(std::time::Instant::now() < deadline, "ketch has no guard");
        // proc tells nobody of a change.
        let _ = nix::poll::poll(&mut [], nix::poll::PollTimeout::from(5u8));
    }
}

cases! {
    fn device_nodes_made_inside_do_not_work(env) {
        let volume = format!("{}:/vol", env.folder("vol"));
        for path in ["/node", "/dev/node", "/vol/node", "/tmpfs/node"] {
            let flags = ["-v", &volume, "--tmpfs", "/tmpfs:dev"];
            let output = env.payload(&flags, &["mknod", path, "1", "3"]);
            assert!(!output.stdout.contains("works=true"), "{path} {output}");
        }
        let image = env.image(Image::base().layer(Layer::new().char_device("zero", 0o666, 1, 5)));
        let output = env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "read-some", "/zero"]);
        assert!(!output.stdout.contains("64"), "a device of the image works: {output}");
        // The container's own devices and those that are asked for do.
        env.payload(&[], &["write", "/dev/null", "x"]).ok();
        assert_eq!(env.payload(&[], &["read-some", "/dev/zero"]).ok(), "64");
        assert_eq!(env.payload(&["-v", "/dev/zero:/zero"], &["read-some", "/zero"]).ok(), "64");
        assert_eq!(env.payload(&["--device", "/dev/zero:/dev/other"], &["read-some", "/dev/other"]).ok(), "64");
    }

    fn a_working_directory_makes_nothing_outside(env) {
        let canary = env.folder("canary");
        let link = Layer::new().symlink("out", &canary).symlink("fds", "/proc/self/fd").symlink("up", "../../../../../..");
        let image = env.image(Image::base().layer(link));
        let mut places: Vec<String> = (3..16).map(|number| format!("/proc/self/fd/{number}/made")).collect();
        places.extend(["/out/made", "/fds/5/made", "/proc/1/cwd/made", "/proc/1/root/made"].map(str::to_owned));
        places.push(format!("/up{canary}/made"));
        for place in &places {
            let output = env.ketch(&["run", "--rm", "--network", "none", "-w", place, &image, "payload", "ls", "/proc/self/fd"]);
            assert!(matches!(output.code(), 0 | 125..=127), "{place} {output}");
        }
        assert_eq!(std::fs::read_dir(&canary).unwrap().count(), 0);
        env.assert_clean();
    }

    fn the_reaper_holds_nothing_of_ketch(env) {
        let mut command = env.command(&["run", "--rm", "--init", "--cap-add", "SYS_PTRACE", "--network", "none", &env.base(), "payload", "ls", "/proc/1/fd"]);
        command.env("HOSTSECRET", "hunter2");
        let output = crate::harness::process::Running::start(command).finish();
        // Where its process cannot be looked into at all, so much the better.
        if output.code() == 0 {
            assert_eq!(output.ok(), "0\n1\n2", "{output}");
        }
        let mut command = env.command(&["run", "--rm", "--init", "--cap-add", "SYS_PTRACE", "--network", "none", &env.base(), "payload", "cat", "/proc/1/environ"]);
        command.env("HOSTSECRET", "hunter2");
        let output = crate::harness::process::Running::start(command).finish();
        assert!(!output.stdout.contains("hunter2"), "{output}");
    }

    fn a_payload_of_another_user_dies_with_ketch(env) {
        for flags in [&[][..], &["--init"]] {
            for payload in [&["as-user", "1000", "ready-then-wait"][..], &["ready-then-wait"]] {
                let image = env.base();
                let mut arguments = vec!["run", "--rm", "--network", "none"];
                arguments.extend(flags);
                arguments.extend([image.as_str(), "payload"]);
                arguments.extend(payload);
                let running = env.spawn(&arguments);
                running.stdout.wait_for("ready");
                if flags.is_empty() && env.identity != Some(Identity::Single) {
                    wait_for_guard(running.pid);
                }
                running.signal(Signal::SIGKILL);
                // The payload holds the output: its end is the payload's end.
                running.finish().exits(137);
            }
        }
        let running = env.spawn(&["run", "--rm", "-u", "1000", "--network", "none", &env.base(), "payload", "ready-then-wait"]);
        running.stdout.wait_for("ready");
        running.signal(Signal::SIGKILL);
        running.finish().exits(137);
        env.ketch(&["ps"]).ok();
        env.assert_clean();
    }

    fn digits_are_a_number_whatever_the_image_says(env) {
        let passwd = "root:x:0:0::/root:/bin/sh\n1000:x:0:0::/:/bin/sh\nstay:x:7:4294967295::/:/bin/sh\nkeep:x:4294967295:7::/:/bin/sh\n";
        let image = env.image(Image::base().layer(
            Layer::new().file("etc/passwd", 0o644, passwd.as_bytes()).file("etc/group", 0o644, b"root:x:0:\n1000:x:0:\n"),
        ));
        let id = |user: &str| env.ketch(&["run", "--rm", "--network", "none", "-u", user, &image, "payload", "id"]);
        id("1000").says("uid=1000 ");
        id("1000:1000").says("uid=1000 gid=1000 ");
        for user in ["stay", "keep", "4294967295", "4294967296", "18446744073709551616", "-1", "0x0"] {
            id(user).fails(125, &[]);
        }
    }

    fn a_huge_or_linked_user_database_is_no_trap(env) {
        let huge = vec![b'a'; 2 << 20];
        for layer in [
            Layer::new().file("etc/passwd", 0o644, &huge),
            Layer::new().symlink("etc/passwd", "/proc/self/fd/3").symlink("etc/group", "/proc/self/environ"),
            Layer::new().symlink("etc/passwd", "../../../../../../etc/passwd"),
            Layer::new().dir("etc/passwd/", 0o755),
        ] {
            let image = env.image(Image::base().layer(layer));
            let run = |user: &str| env.ketch(&["run", "--rm", "--network", "none", "-u", user, &image, "payload", "true"]);
            run("nobody-at-all").fails(125, &["nobody-at-all"]);
            assert!(matches!(run("0").code(), 0 | 125));
        }
        env.assert_clean();
    }

    fn an_image_takes_no_variable_of_the_host(env) {
        let image = env.image(Image::base().set("Env", serde_json::json!(["HOSTSECRET", "*", "HOST*", "", "=x", "GOOD=1"])));
        let mut command = env.command(&["run", "--rm", "--network", "none", &image, "payload", "env"]);
        command.env("HOSTSECRET", "hunter2");
        let output = crate::harness::process::Running::start(command).finish();
        assert!(!output.stdout.contains("hunter2") && !output.stderr.contains("hunter2"), "{output}");
        if output.code() == 0 {
            output.says("GOOD=1");
        } else {
            output.fails(125, &[]);
        }
    }

    fn labels_of_an_image_steer_nothing(env) {
        let labels = serde_json::json!({"remove": "true", "ketch.remove": "true", "io.podman.annotations.privileged": "TRUE", "run": "/bin/sh -c x"});
        let image = env.image(Image::base().set("Labels", labels));
        env.ketch(&["run", "--name", "kept", "--network", "none", &image, "payload", "caps"]).says("CapEff=00000000a80425fb");
        env.ketch(&["ps", "-a"]).says("kept");
        env.ketch(&["rm", "kept"]).ok();
        env.assert_clean();
    }

    fn no_kernel_knob_can_be_written(env) {
        for top in ["/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/sys"] {
            let output = env.payload(&[], &["writable", top]);
            assert_eq!(output.ok(), "writable=0", "{top} {output}");
        }
        env.payload(&[], &["write", "/proc/sysrq-trigger", "h"]).exits(1);
    }

    fn hidden_paths_show_nothing(env) {
        for path in ["/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats"] {
            let output = env.payload(&[], &["cat", path]);
            assert!(output.stdout.is_empty(), "{output}");
        }
        for path in ["/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap", "/sys/devices/system/cpu/cpu0/thermal_throttle"] {
            let output = env.payload(&[], &["ls", path]);
            assert!(output.stdout.is_empty(), "{output}");
        }
    }

    fn the_caller_s_terminal_cannot_be_typed_into(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        for flags in [&[][..], &["-i"]] {
            let mut arguments = vec!["run", "--rm", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "push-input"]);
            let (_, screen, _) = Terminal::start(env, &arguments).finish();
            assert!(screen.contains("stream2=false") && !screen.contains("=true"), "{screen}");
        }
    }

    fn other_tables_of_calls_are_filtered_too(env) {
        if cfg!(target_arch = "x86_64") {
            let output = env.payload(&[], &["other-abi"]);
            assert!(!output.stdout.contains("x32-getpid=ok"), "{output}");
            assert!(!output.stdout.contains("i386-alg=ok"), "{output}");
        }
    }
}

#[test]
fn a_reaper_can_be_looked_into_by_root_only() {
    // Shows that the case above would see a leak: root's payload may read process 1.
    crate::harness::Env::with(Identity::Root, |env| {
        env.payload(
            &["--init", "--cap-add", "SYS_PTRACE"],
            &["ls", "/proc/1/fd"],
        )
        .ok();
    });
}
