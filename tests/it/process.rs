//! `run`: exit codes, arguments, environment, user, working directory, names of the machine.

use std::fs;

use crate::harness::{Identity, Image, Layer};

cases! {
    fn the_builtin_image_runs_without_a_network(env) {
        let output = env.ketch(&["run", "--rm", "builtin:hello"]);
        assert!(!output.ok().is_empty());
        env.assert_clean();
    }

    fn the_exit_code_is_the_program_s(env) {
        for code in ["0", "3", "125", "255"] {
            env.payload(&[], &["exit", code]).exits(code.parse().unwrap());
        }
    }

    fn a_missing_program_is_127(env) {
        env.ketch(&["run", "--rm", "--network", "none", &env.base(), "nope"]).fails(127, &["nope"]);
        env.ketch(&["run", "--rm", "--network", "none", &env.base(), "/no/such"]).fails(127, &["/no/such"]);
        env.assert_clean();
    }

    fn what_cannot_be_executed_is_126(env) {
        for path in ["/etc", "/etc/not-executable"] {
            env.ketch(&["run", "--rm", "--network", "none", &env.base(), path]).fails(126, &[path]);
        }
    }

    fn death_by_a_signal_is_128_and_its_number(env) {
        env.payload(&["--init"], &["signal-self", "9"]).exits(137);
        env.payload(&["--init"], &["signal-self", "15"]).exits(143);
    }

    fn the_image_s_command_runs_when_none_is_given(env) {
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", &env.base()]).ok(), "default");
    }

    // What is opened first must not become the standard error that messages are written to.
    fn closed_streams_are_no_harm(env) {
        let line = format!("exec {} run --rm --network none {} payload true 0<&- 1>&- 2>&-",
            crate::harness::env::executable().display(), env.base());
        let mut command = env.program("sh");
        command.args(["-c", &line]);
        crate::harness::process::Running::start(command).finish().exits(0);
        env.assert_clean();
    }

    fn the_streams_stay_apart(env) {
        let output = env.payload(&[], &["err", "to the error stream"]);
        assert_eq!(output.ok(), "");
        output.warns("to the error stream");
        let output = env.payload(&[], &["echo", "to the output"]);
        assert_eq!(output.ok(), "to the output");
    }

    fn a_later_source_of_the_environment_wins(env) {
        let file = env.file("env", "# a comment\nSHARED=file\nFROM_FILE=a \"b\"\nHOST_ONE\n\n");
        let mut command = env.command(&[
            "run", "--rm", "--network", "none", "--env-file", &file, "-e", "SHARED=flag",
            "-e", "HOST_TWO", "-e", "HOST_NONE", &env.base(), "payload", "env",
        ]);
        command.env("HOST_ONE", "one").env("HOST_TWO", "two");
        let output = crate::harness::process::Running::start(command).finish();
        let lines: Vec<&str> = output.ok().lines().collect();
        for line in ["FROM_IMAGE=image", "SHARED=flag", "FROM_FILE=a \"b\"", "HOST_ONE=one", "HOST_TWO=two", "PATH=/bin", "HOME=/root"] {
            assert!(lines.contains(&line), "no {line} in {output}");
        }
        assert!(!output.stdout.contains("HOST_NONE") && !output.stdout.contains("KETCH_"), "{output}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("SHARED=")).count(), 1);
    }

    fn env_host_comes_before_files_and_flags(env) {
        let mut command = env.command(&[
            "run", "--rm", "--network", "none", "--env-host", "-e", "TWO=flag", &env.base(), "payload", "env",
        ]);
        command.env("ONE", "host").env("TWO", "host");
        let output = crate::harness::process::Running::start(command).finish();
        output.says("ONE=host\n").says("TWO=flag\n");
    }

    fn an_entrypoint_replaces_the_image_s_and_its_command(env) {
        let image = env.image(Image::base().set("Entrypoint", vec!["payload", "args", "entry"]).set("Cmd", vec!["cmd"]));
        let run = ["run", "--rm", "--network", "none"];
        let with = |more: &[&str]| env.ketch(&[&run[..], more].concat());
        assert_eq!(with(&[&image]).ok(), "[entry]\n[cmd]");
        assert_eq!(with(&[&image, "one", "two"]).ok(), "[entry]\n[one]\n[two]");
        assert_eq!(with(&["--entrypoint", "payload", &image, "echo", "own"]).ok(), "own");
        assert_eq!(with(&["--entrypoint", "", &image, "payload", "echo", "cleared"]).ok(), "cleared");
        with(&["--entrypoint", "", &image]).refused(&["command"]);
    }

    fn the_working_directory_is_the_flag_s_the_image_s_or_the_root(env) {
        assert_eq!(env.payload(&[], &["pwd"]).ok(), "/");
        assert_eq!(env.payload(&["-w", "/tmp"], &["pwd"]).ok(), "/tmp");
        assert_eq!(env.payload(&["-w", "/made/for/this"], &["pwd"]).ok(), "/made/for/this");
        let image = env.image(Image::base().set("WorkingDir", "/srv/app"));
        let run = ["run", "--rm", "--network", "none", &image, "payload", "pwd"];
        assert_eq!(env.ketch(&run).ok(), "/srv/app");
        env.payload(&["-w", "relative"], &["pwd"]).fails(125, &["relative"]);
    }

    fn root_is_the_user_unless_the_image_says_otherwise(env) {
        env.payload(&[], &["id"]).says("uid=0 gid=0");
    }

    fn users_are_looked_up_in_the_image(env) {
        let known = [
            ("alice", "uid=1000 gid=1000 groups=1000,2000"),
            ("1000", "uid=1000 gid=1000 groups=1000,2000"),
            ("1000:2000", "uid=1000 gid=2000"),
            ("alice:extra", "uid=1000 gid=2000"),
            ("4242", "uid=4242 gid=0"),
        ];
        for (user, line) in known {
            let output = env.payload(&["-u", user], &["id"]);
            if env.identity == Some(Identity::Single) {
                // One id is all there is: the user asked for, or a refusal that says so.
                let uid = line.split(' ').next().unwrap();
                assert!(output.stdout.contains(uid) || output.code() == 125, "{output}");
            } else {
                output.says(line);
            }
        }
        env.payload(&["-u", "nobody-here"], &["id"]).fails(125, &["nobody-here"]);
        env.payload(&["-u", "alice:no-group"], &["id"]).fails(125, &["no-group"]);
    }

    fn home_comes_from_the_user_database(env) {
        if env.identity != Some(Identity::Single) {
            env.payload(&["-u", "alice"], &["env"]).says("HOME=/home/alice\n");
        }
        env.payload(&["-e", "HOME=/elsewhere"], &["env"]).says("HOME=/elsewhere\n");
    }

    fn the_host_name_is_the_flag_s_or_the_id_s(env) {
        assert_eq!(env.payload(&["--hostname", "box"], &["hostname"]).ok(), "box");
        let id = env.text("id");
        let name = env.payload(&["--cidfile", &id], &["hostname"]);
        let id = std::fs::read_to_string(id).unwrap_or_default();
        assert!(id.is_empty() || id.starts_with(name.ok()), "{id} {name}");
        assert_eq!(name.ok().len(), 12);
        env.payload(&["--hostname", "box"], &["cat", "/etc/hosts", "/etc/hostname"]).says("box");
    }

    fn the_host_s_name_stays_the_host_s(env) {
        let before = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        env.payload(&["--uts", "host"], &["hostname"]).says(before.trim());
        assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), before);
    }

    fn the_chance_in_a_shortage_of_memory_is_what_was_asked(env) {
        let own: i32 = fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse().unwrap();
        let wanted = (own + 300).min(1000).to_string();
        let shown = env.payload(&["--oom-score-adj", &wanted], &["cat", "/proc/self/oom_score_adj"]);
        assert_eq!(shown.ok(), wanted);
        assert!(!shown.stderr.contains("oom"), "{shown}");
    }

    fn the_sign_of_a_container_is_there(env) {
        env.payload(&[], &["stat", "/.dockerenv"]).says("file 644 0:0");
        let image = env.base();
        env.ketch(&["run", "--name", "one", "--network", "none", &image, "payload", "true"]).ok();
        assert_eq!(env.ketch(&["diff", "one"]).ok(), "");
        env.ketch(&["rm", "one"]).ok();
    }

    fn a_slash_may_stand_before_a_new_name(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "/one", &image, "payload", "true"]).ok();
        env.ketch(&["rename", "one", "/two"]).ok();
        assert_eq!(env.ketch(&["ps", "-a", "--format", "{{.Names}}"]).ok(), "two");
        assert_eq!(env.ketch(&["inspect", "-f", "{{.Name}}", "/two"]).ok(), "/two");
        env.ketch(&["create", "--name", "//one", &image]).refused(&["/one"]);
        env.ketch(&["rm", "two"]).ok();
    }

    fn ports_that_lead_nowhere_are_said(env) {
        for mode in ["none", "host"] {
            let image = env.base();
            let flags = ["run", "--rm", "--network", mode, "-p", "8099:80", &image, "payload", "true"];
            env.ketch(&flags).warns(&format!("discarded when using {mode} network mode"));
        }
    }

    fn the_payload_is_process_one_of_its_own_namespaces(env) {
        assert_eq!(env.payload(&[], &["ppid"]).ok(), "pid=1 ppid=0");
        let inside = env.payload(&[], &["ns"]);
        for line in inside.ok().lines() {
            let (name, link) = line.split_once('=').unwrap();
            let own = fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
            let shared = own.to_str() == Some(link);
            let expected = name == "user" && env.identity == Some(Identity::Root);
            // On a host without cgroup v2 the cgroup namespace may be the caller's.
            assert!(shared == expected || name == "cgroup", "{name} {inside}");
        }
    }

    fn standard_input_is_given_with_i_and_empty_without(env) {
        let image = env.base();
        let run = |flag: &str| {
            let arguments = ["run", "--rm", "--network", "none", flag, &image, "payload", "stdin-count"];
            env.ketch_with_input(&arguments, b"hello").ok().to_owned()
        };
        assert_eq!(run("-i"), "5");
        assert_eq!(run("--init"), "0");
    }

    fn the_end_of_input_reaches_the_payload_while_output_stays_open(env) {
        let image = env.base();
        let mut running = env.spawn(&["run", "--rm", "-i", "--network", "none", &image, "payload", "stdin-count"]);
        running.write(&[7; 200_000]);
        running.close_stdin();
        assert_eq!(running.finish().ok(), "200000");
    }

    fn limits_are_clamped_with_a_word_and_never_fatal(env) {
        let output = env.payload(&["--ulimit", "nofile=1073741816:1073741816"], &["rlimits"]);
        output.says("Max open files");
        output.warns("nofile");
        let output = env.payload(&["--ulimit", "core=0:0", "--ulimit", "nofile=100:200"], &["rlimits"]);
        let line = output.ok().lines().find(|line| line.starts_with("Max open files")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[3..5], ["100", "200"]);
        env.payload(&["--ulimit", "nonsense=1"], &["true"]).fails(125, &["nonsense"]);
    }

    fn sysctls_of_the_container_s_namespaces_can_be_set(env) {
        let name = "net.ipv4.ip_unprivileged_port_start";
        let set = format!("{name}=77");
        assert_eq!(env.payload(&["--sysctl", &set], &["sysctl", name]).ok(), "77");
        env.payload(&["--sysctl", "kernel.panic=1"], &["true"]).fails(125, &["kernel.panic"]);
    }

    fn labels_and_annotations_are_kept(env) {
        let image = env.base();
        env.ketch(&[
            "run", "--name", "labelled", "--network", "none", "--label", "own=yes", "--annotation", "note=kept",
            &image, "payload", "true",
        ]).ok();
        let found = env.ketch(&["inspect", "labelled"]).json();
        let labels = &found[0]["Config"]["Labels"];
        assert_eq!((&labels["own"], &labels["from"]), (&"yes".into(), &"image".into()), "{found}");
        env.ketch(&["rm", "labelled"]).ok();
    }

    fn a_plain_directory_runs_with_rootfs(env) {
        let root = env.folder("rootfs");
        for folder in ["bin", "proc", "sys", "dev", "etc", "tmp"] {
            env.folder(&format!("rootfs/{folder}"));
        }
        std::fs::copy(crate::harness::env::payload(), env.path("rootfs/bin/payload")).unwrap();
        let run = |words: &[&str]| {
            let head = ["run", "--rm", "--network", "none", "--rootfs", &root];
            env.ketch(&[&head[..], words].concat())
        };
        assert_eq!(run(&["/bin/payload", "echo", "plain"]).ok(), "plain");
        env.ketch(&["run", "--rm", "--rootfs", "/no/such/dir", "true"]).fails(125, &["/no/such/dir"]);
    }

    fn the_host_itself_runs_under_an_overlay(env) {
        require!("/bin/sh", std::path::Path::new("/bin/sh").exists());
        let run = ["run", "--rm", "--network", "none", "--rootfs", "/", "/bin/sh", "-c", "echo x >/ketch-wrote-this && cat /ketch-wrote-this"];
        assert_eq!(env.ketch(&run).ok(), "x");
        assert!(!std::path::Path::new("/ketch-wrote-this").exists());
    }

    fn a_time_limit_ends_the_container(env) {
        let output = env.payload(&["--timeout", "1"], &["sleep-forever"]);
        output.exits(255);
        let image = env.base();
        let made = ["run", "-d", "--name", "slow", "--network", "none", "--timeout", "1", &image, "payload", "sleep-forever"];
        env.ketch(&made).ok();
        assert_eq!(env.ketch(&["wait", "slow"]).ok(), "255");
        assert_eq!(env.ketch(&["inspect", "-f", "{{.State.ExitCode}}", "slow"]).ok(), "255");
        env.ketch(&["rm", "slow"]).ok();
        env.assert_clean();
    }

    fn unknown_keys_of_an_image_config_are_no_obstacle(env) {
        let image = env.image(Image::base().set("OnBuild", serde_json::Value::Null).set("Volumes", serde_json::json!({"/data": {}})).layer(Layer::new().dir("data/", 0o755)));
        env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "write", "/data/x", "y"]).ok();
    }
}
