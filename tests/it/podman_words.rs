//! Called as podman: what its clients and its own tests compare word for word. Under docker's name
//! the same requests are answered in docker's words.

use crate::events::called;
use crate::harness::process::Output;
use crate::harness::{Env, Image};

/// A detached container that only a kill ends; its id.
fn detached(env: &Env, name: &str, flags: &[&str]) -> String {
    made(env, "run", name, &[&["-d"], flags].concat())
}

fn made(env: &Env, verb: &str, name: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut words = vec![verb, "--name", name];
    words.extend(flags);
    if !flags.contains(&"--net") {
        words.extend(["--network", "none"]);
    }
    words.extend([&image, "payload", "sleep-forever"]);
    env.ketch(&words).ok().to_owned()
}

fn podman(env: &Env, words: &[&str]) -> Output {
    called(env, "podman", words)
}

/// The whole of what was said, and the status.
fn answered(output: &Output, status: i32, line: &str) {
    assert_eq!(output.stderr.trim_end(), line, "{output}");
    output.exits(status);
}

cases! {
    fn a_kill_after_the_grace_is_told(env) {
        for name in ["one", "two", "three"] {
            detached(env, name, &[]);
        }
        let line = podman(env, &["stop", "-t", "1", "one"]).stderr;
        let (moment, said) = line.split_once(' ').unwrap();
        assert!(moment.starts_with("time=\"2") && moment.ends_with("Z\""), "{line}");
        assert_eq!(
            said.trim_end(),
            "level=warning msg=\"StopSignal SIGTERM failed to stop container one in 1 seconds, \
             resorting to SIGKILL\""
        );
        for (program, words) in [("podman", ["stop", "-t", "0", "two"]), ("docker", ["stop", "-t", "1", "three"])] {
            let output = called(env, program, &words);
            output.ok();
            assert_eq!(output.stderr, "");
        }
        env.ketch(&["rm", "one", "two", "three"]).ok();
        env.assert_clean();
    }

    fn what_runs_is_not_removed(env) {
        let id = detached(env, "one", &[]);
        let rest = "running or paused containers cannot be removed without force: container state improper";
        answered(&podman(env, &["rm", "one"]), 2, &format!("Error: cannot remove container {id} as it is running - {rest}"));
        called(env, "docker", &["rm", "one"]).fails(1, &["cannot remove container one: container is running: stop the container before removing or force remove"]);
        env.ketch(&["pause", "one"]).ok();
        answered(&podman(env, &["rm", "one"]), 2, &format!("Error: cannot remove container {id} as it is paused - {rest}"));
        podman(env, &["rm", "-f", "one"]).ok();
        answered(&podman(env, &["container", "rm", "one"]), 1, "Error: no container with ID or name \"one\" found: no such container");
        answered(&podman(env, &["stop", "one"]), 125, "Error: no container with name or ID \"one\" found: no such container");
        env.assert_clean();
    }

    fn what_others_depend_on_is_not_removed(env) {
        let id = made(env, "create", "one", &[]);
        let needed = |by: &str| format!("Error: container {id} has dependent containers which must be removed before it: {by}: container already exists");
        for flags in [["--net", "container:one"], ["--pid", "container:one"], ["--requires", "one"]] {
            let by = made(env, "create", "two", &flags);
            answered(&podman(env, &["rm", "one"]), 125, &needed(&by));
            answered(&podman(env, &["rm", "-f", "one"]), 125, &needed(&by));
            podman(env, &["rm", "two"]).ok();
        }
        let by = made(env, "create", "two", &["--net", "container:one"]);
        let third = made(env, "create", "three", &["--requires", "two"]);
        assert_eq!(podman(env, &["rm", "--depend", "one"]).ok(), format!("{third}\n{by}\none"));
        // A dependent that runs keeps itself, and with it what it depends on.
        detached(env, "one", &[]);
        detached(env, "two", &["--net", "container:one"]);
        env.ketch(&["kill", "one"]).ok();
        podman(env, &["rm", "--depend", "one"]).fails(125, &["as it is running", "has dependent containers"]);
        assert_eq!(podman(env, &["rm", "-f", "two", "one"]).ok(), "two\none");
        // docker asks nobody.
        made(env, "create", "one", &[]);
        made(env, "create", "two", &["--net", "container:one"]);
        called(env, "docker", &["rm", "one"]).ok();
        podman(env, &["rm", "-a"]).ok();
        env.assert_clean();
    }

    fn what_is_asked_wrongly_is_refused(env) {
        let file = env.text("work/none");
        for verb in ["stop", "rm", "kill"] {
            let line = format!("Error: reading CIDFile: open {file}: no such file or directory");
            answered(&podman(env, &[verb, "--cidfile", &file]), 125, &line);
        }
        let line = "Error: either start all containers or the container(s) provided in the arguments";
        answered(&podman(env, &["start", "--all", "one"]), 125, line);
        env.ketch(&["start", "--all", "one"]).fails(1, &["ketch: start: either start all"]);
        answered(&podman(env, &["start", "--filter", "restart-policy=fakepolicy", "one"]), 125, "Error: fakepolicy invalid restart policy");
        let line = "Error: must provide a non-empty command to start an exec session: invalid argument";
        answered(&podman(env, &["exec", "one"]), 125, line);
        env.ketch(&["exec", "one"]).fails(1, &["the command is missing", "hint:"]);
        env.assert_clean();
    }

    fn a_container_knows_itself_by_podmans_file(env) {
        let image = env.base();
        let shown = |program: &str, flags: &[&str]| {
            let line = [&["run", "--rm", "--name", "one", "--network", "none"], flags, &[&image, "payload", "cat", "/run/.containerenv"]].concat();
            called(env, program, &line)
        };
        assert_eq!(shown("podman", &[]).ok(), "");
        assert_eq!(shown("podman", &["--read-only"]).ok(), "");
        for program in ["docker", "ketch"] {
            shown(program, &[]).exits(1);
        }
        let known = shown("podman", &["--privileged"]);
        for line in ["engine=\"podman-5.4.0\"\n", "\nname=\"one\"\n", "\nid=\"", "\nimage=\"", "\nimageid=\"", "\nrootless="] {
            assert!(known.ok().contains(line), "{known}");
        }
        // It is no change of the container's, and comes back at each start.
        podman(env, &["run", "--name", "one", "--network", "none", &image, "payload", "cat", "/run/.containerenv"]).ok();
        podman(env, &["start", "-a", "one"]).ok();
        assert_eq!(podman(env, &["diff", "one"]).ok(), "");
        podman(env, &["rm", "one"]).ok();
        env.assert_clean();
    }

    fn a_directory_that_is_asked_for_has_to_be_there(env) {
        let image = env.image(Image::base().set("WorkingDir", serde_json::json!("/of/the/image")));
        let place = |program: &str, flags: &[&str]| {
            let line = [&["run", "--rm", "--network", "none"], flags, &[&image, "payload", "pwd"]].concat();
            called(env, program, &line)
        };
        assert_eq!(place("docker", &["-w", "/not/there"]).ok(), "/not/there");
        answered(&place("podman", &["-w", "/not/there"]), 126, "Error: workdir \"/not/there\" does not exist on container");
        place("podman", &["-w", "/payload"]).exits(126);
        answered(&place("podman", &["-d", "-w", "/not/there"]), 126, "Error: workdir \"/not/there\" does not exist on container");
        assert_eq!(place("podman", &[]).ok(), "/of/the/image");
        assert_eq!(place("podman", &["-w", "/proc"]).ok(), "/proc");
        let source = env.folder("work/source");
        let volume = format!("{source}:/data");
        assert_eq!(place("podman", &["-v", &volume, "-w", "/data/new"]).ok(), "/data/new");
        env.assert_clean();
    }

    fn what_is_not_there_is_removed_in_silence(env) {
        let image = env.base();
        for words in [["rm", "-f"], ["rm", "-i"]] {
            let none = podman(env, &[&words[..], &["none"]].concat());
            assert_eq!((none.ok(), none.stderr.as_str()), ("", ""));
        }
        env.ketch(&["create", "--name", "one", &image, "x"]).ok();
        let forced = called(env, "docker", &["rm", "-f", "none", "one"]);
        assert_eq!(forced.ok(), "one");
        assert!(forced.stderr.contains("No such container: none"), "{forced}");
        env.assert_clean();
    }

    fn a_command_in_the_background_that_does_not_start_is_told(env) {
        detached(env, "one", &[]);
        podman(env, &["exec", "one", "/none"]).exits(127);
        podman(env, &["exec", "-d", "one", "/none"]).exits(125);
        called(env, "docker", &["exec", "-d", "one", "/none"]).exits(127);
        let file = env.text("work/none");
        let line = format!("Error: reading CIDFile: open {file}: no such file or directory");
        answered(&podman(env, &["exec", "--cidfile", &file, "payload"]), 125, &line);
        podman(env, &["rm", "-f", "one"]).ok();
        env.assert_clean();
    }

    fn a_volume_is_found_by_a_pattern_and_kept_for_its_users(env) {
        for name in ["vol_1_x", "vol_2_x"] {
            podman(env, &["volume", "create", name]).ok();
        }
        assert_eq!(podman(env, &["volume", "ls", "-q", "--filter", "name=vol_[1].+"]).ok(), "vol_1_x");
        assert_eq!(called(env, "docker", &["volume", "ls", "-q", "--filter", "name=_2_"]).ok(), "vol_2_x");
        // The same mount twice is one, another at its place is not.
        let id = made(env, "create", "one", &["-v", "vol_1_x:/data"]);
        let twice = |other: &str| {
            let image = env.base();
            let words = ["run", "--rm", "--network", "none", "-v", "vol_1_x:/data", "-v", other, &image, "payload", "true"];
            (podman(env, &words), called(env, "docker", &words))
        };
        let (same, refused) = twice("vol_1_x:/data");
        same.ok();
        refused.fails(125, &["Duplicate mount point: /data"]);
        answered(&twice("vol_2_x:/data").0, 125, "Error: /data: duplicate mount destination");
        let line = format!("Error: volume vol_1_x is being used by the following container(s): {id}: volume is being used");
        answered(&podman(env, &["volume", "rm", "vol_1_x"]), 2, &line);
        podman(env, &["rm", "one"]).ok();
        podman(env, &["volume", "rm", "vol_1_x", "vol_2_x"]).ok();
        env.assert_clean();
    }

    fn a_shared_network_takes_no_ports(env) {
        detached(env, "one", &[]);
        let image = env.base();
        let words = ["run", "--rm", "--network", "container:one", "-p", "8080", &image, "payload", "true"];
        podman(env, &words).warns("published ports are discarded").ok();
        called(env, "docker", &words).fails(125, &["port publishing and the container type network mode"]);
        let shown = |format: &str| podman(env, &["inspect", "-f", format, "one"]).ok().to_owned();
        assert_eq!(shown("{{.NetworkSettings.SandboxKey}}"), format!("/proc/{}/ns/net", shown("{{.State.Pid}}")));
        env.ketch(&["kill", "one"]).ok();
        assert_eq!(shown("{{.NetworkSettings.SandboxKey}}"), "");
        env.ketch(&["rm", "one"]).ok();
        env.assert_clean();
    }

    fn the_hosts_namespaces_have_the_hosts_names(env) {
        let image = env.base();
        let shown = |flags: &[&str], file: &str| {
            let line = [&["run", "--rm"], flags, &[&image, "payload", "cat", file]].concat();
            env.ketch(&line).ok().to_owned()
        };
        let name = nix::unistd::gethostname().unwrap().into_string().unwrap();
        assert_eq!(shown(&["--network", "none", "--uts", "host"], "/etc/hostname"), name);
        // What is asked of the names holds on the host's network, too.
        let flags = ["--network", "host", "--dns-search", "of.the.test", "--dns-option", "ndots:3"];
        let resolv = shown(&flags, "/etc/resolv.conf");
        assert!(resolv.contains("search of.the.test\n") && resolv.ends_with("options ndots:3"), "{resolv}");
        env.assert_clean();
    }

    fn networks_and_prunes_are_asked_as_podman_does(env) {
        assert_eq!(podman(env, &["network", "create", "net"]).ok(), "net");
        let none = ["network", "inspect", "-f", "{{json .Containers}} {{index .Containers \"x\"}}", "net"];
        assert_eq!(podman(env, &none).ok(), "{} <no value>");
        podman(env, &["network", "rm", "-t", "1", "net"]).fails(125, &["--force"]);
        assert_eq!(podman(env, &["network", "rm", "-t", "-1", "--force", "bogus", "net"]).ok(), "net");
        // Nobody answers.
        podman(env, &["volume", "create", "vol"]).ok();
        podman(env, &["volume", "prune"]).ok();
        called(env, "docker", &["volume", "prune"]).fails(1, &["cancelled"]);
        assert_eq!(podman(env, &["volume", "rm", "vol"]).ok(), "vol");
        env.assert_clean();
    }

    fn containers_are_found_by_what_their_id_is_like(env) {
        let id = made(env, "create", "one", &[]);
        let found = |value: &str| {
            let filter = format!("id={value}");
            podman(env, &["ps", "-a", "--filter", &filter, "--format", "{{.Names}}"]).ok().to_owned()
        };
        let first = &id[..1];
        for value in [&id[..12], &id.to_ascii_uppercase()[..12], &format!("^{first}"), "[0-9a-f]"] {
            assert_eq!(found(value), "one", "{value}");
        }
        for value in [&format!("^[^{first}]"), "[^0-9a-f]", "", "("] {
            assert_eq!(found(value), if value.is_empty() { "one" } else { "" }, "{value}");
        }
        podman(env, &["rm", "one"]).ok();
        env.assert_clean();
    }

    fn an_age_of_the_end_of_a_log_lies_ahead(env) {
        let image = env.base();
        env.ketch(&["run", "-d", "--name", "one", "--network", "none", &image, "payload", "echo", "now"]).ok();
        env.ketch(&["wait", "one"]).ok();
        assert_eq!(podman(env, &["logs", "--until", "1h", "one"]).ok(), "now");
        assert_eq!(called(env, "docker", &["logs", "--until", "1h", "one"]).ok(), "");
        env.ketch(&["rm", "one"]).ok();
        env.assert_clean();
    }

    fn what_is_asked_of_checks_is_shown(env) {
        let image = env.base();
        let idle = ["create", "--health-on-failure", "kill", &image, "x"];
        podman(env, &idle).fails(125, &["Error: cannot set on-failure action to kill without a health check\nhint: "]);
        let flags = ["--health-cmd", "true", "--health-on-failure", "stop", "--health-startup-cmd", "ready", "--health-max-log-count", "7"];
        made(env, "create", "one", &flags);
        let format = "{{with .Config}}{{.HealthcheckOnFailureAction}} {{.StartupHealthCheck.Test}} {{.HealthLogDestination}} {{.HealthMaxLogCount}}{{end}}";
        assert_eq!(podman(env, &["inspect", "-f", format, "one"]).ok(), "stop [CMD-SHELL ready] local 7");
        podman(env, &["rm", "one"]).ok();
        env.assert_clean();
    }

    fn copies_follow_links_and_say_what_is_missing(env) {
        made(env, "create", "one", &[]);
        let (target, folder) = (env.file("work/target", "text"), env.folder("work/folder"));
        let link = env.text("work/link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        podman(env, &["cp", &link, "one:/copied"]).ok();
        podman(env, &["cp", "one:/copied", &format!("{folder}/back")]).ok();
        assert_eq!(std::fs::read_to_string(env.path("work/folder/back")).unwrap(), "text");
        assert!(!env.path("work/folder/back").is_symlink());
        let none = env.text("work/none");
        let host = format!("Error: {none:?} could not be found on the host: no such file or directory");
        answered(&podman(env, &["cp", &none, "one:/x"]), 125, &host);
        let inside = |path: &str| format!("Error: {path:?} could not be found on container one: no such file or directory");
        answered(&podman(env, &["cp", "one:/none", &folder]), 125, &inside("/none"));
        answered(&podman(env, &["cp", &target, "one:/none/"]), 125, &inside("/none/"));
        let line = "Error: destination must be a directory when copying a directory";
        answered(&podman(env, &["cp", &folder, "one:/copied"]), 125, line);
        called(env, "docker", &["cp", "one:/none", &folder]).fails(1, &["Could not find the file /none in container one"]);
        podman(env, &["rm", "one"]).ok();
        env.assert_clean();
    }

    fn signals_states_and_removals_are_told_in_its_words(env) {
        detached(env, "one", &[]);
        for (signal, line) in [("0", "invalid signal: 0"), ("-SIG", "invalid signal: SIG"), ("-65", "valid signals are 1 through 64")] {
            answered(&podman(env, &["kill", "-s", signal, "one"]), 125, &format!("Error: {line}"));
        }
        env.ketch(&["pause", "one"]).ok();
        assert_eq!(podman(env, &["ps", "--format", "{{.Status}}"]).ok(), "Paused");
        assert!(called(env, "docker", &["ps", "--format", "{{.Status}}"]).ok().ends_with("(Paused)"));
        podman(env, &["unpause", "one"]).ok();
        assert_eq!(podman(env, &["kill", "-s", "-KILL", "one"]).ok(), "one");
        podman(env, &["rm", "-f", "one"]).ok();
        let image = env.base();
        podman(env, &["tag", &image, "other"]).ok();
        podman(env, &["rmi", &image]).ok();
        let removed = podman(env, &["rmi", "other"]);
        let (untagged, deleted) = (removed.ok().lines().next().unwrap(), removed.ok().lines().last().unwrap());
        assert_eq!(untagged, "Untagged: docker.io/library/other:latest");
        let id = deleted.strip_prefix("Deleted: ").unwrap();
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }

    fn a_start_by_filter_tells_the_names_it_was_given(env) {
        let id = made(env, "create", "one", &["--restart", "on-failure"]);
        made(env, "create", "two", &["--restart", "always"]);
        let filtered = ["start", "--filter", "restart-policy=on-failure"];
        assert_eq!(podman(env, &[&filtered[..], &["one", "two"]].concat()).ok(), "one");
        assert_eq!(podman(env, &["start", "--filter", "restart-policy=none", "--all"]).ok(), "");
        env.ketch(&["kill", "one"]).ok();
        assert_eq!(podman(env, &filtered).ok(), id);
        env.ketch(&["rm", "-f", "one", "two"]).ok();
        env.assert_clean();
    }

    fn sizes_and_rules_are_read_as_podman_does(env) {
        let image = env.base();
        let line = ["create", "--name", "one", "--log-opt", "max-size=1.025m", "--device-cgroup-rule", "a 7 rmw", &image, "x"];
        podman(env, &line).ok();
        let size = ["inspect", "-f", "{{.HostConfig.LogConfig.Size}}", "one"];
        assert_eq!(podman(env, &size).ok(), "1.025MB");
        podman(env, &["rm", "one"]).ok();
        called(env, "docker", &line).fails(125, &["use TYPE MAJOR:MINOR ACCESS"]);
        env.ketch(&["create", "--name", "one", "--log-opt", "max-size=1m", &image, "x"]).ok();
        assert_eq!(podman(env, &size).ok(), "1.049MB");
        env.ketch(&["rm", "one"]).ok();
        let refused = podman(env, &["create", "--device-cgroup-rule", "b 7:2", &image, "x"]);
        answered(&refused, 125, "Error: invalid device cgroup rule requires type, major:Minor, and access rules: \"b 7:2\"");
        for program in ["podman", "docker"] {
            let line = ["run", "--rm", "--network", "none", "--kernel-memory", "100", &image, "payload", "true"];
            let ran = called(env, program, &line);
            ran.ok();
            assert!(ran.stderr.contains("The --kernel-memory flag is no longer supported. This flag is a noop."), "{ran}");
        }
        env.assert_clean();
    }
}
