//! What comes back after a start of the machine: `boot`, units for containers, Quadlet's files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Env, Identity, eventually, require};

fn inspect(env: &Env, name: &str) -> serde_json::Value {
    env.ketch(&["container", "inspect", name]).json()[0].clone()
}

fn status(env: &Env, name: &str) -> String {
    inspect(env, name)["State"]["Status"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn detached(env: &Env, name: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut arguments = vec!["run", "-d", "--network", "none", "--name", name];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload", "ready-then-wait"]);
    env.ketch(&arguments).ok().to_owned()
}

/// Kills supervisor and payload of a container at once, as a power cut does.
fn cut(env: &Env, id: &str) {
    let state = fs::read(env.store().join(format!("containers/{id}/state"))).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let payload = inspect(env, id)["State"]["Pid"].as_i64().unwrap();
    for pid in [state["started"]["supervisor"].as_i64().unwrap(), payload] {
        // The second may have ended with the first.
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
    }
    let stat = format!("/proc/{payload}/stat");
    eventually("the payload is gone", || {
        fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z"))
            || !Path::new(&stat).exists()
    });
}

/// A world whose crontab(1) keeps its table in a file, and whose units go to a folder of its own.
fn with_cron(identity: Identity, case: fn(&Env)) {
    fn set(env: &mut Env) {
        let folder = env.folder("bin");
        let table = env.text("crontab.txt");
        let script = format!(
            "#!/bin/sh\ncase $1 in\n-l) [ -e {table} ] && exec cat {table}; echo no crontab >&2; exit 1;;\n-) exec cat >{table};;\nesac\nexit 2\n"
        );
        let path = env.file("bin/crontab", &script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        let folders = format!("{folder}:{}", crate::harness::env::PATH);
        env.set("PATH", &folders);
        let units = env.folder("units");
        env.set("SYSTEMD_UNIT_PATH", &units);
    }
    Env::changed(identity, set, case);
}

cases! {
    fn boot_starts_what_its_policy_wants_back(env) {
        let always = detached(env, "always", &["--restart", "always"]);
        let unless = detached(env, "unless", &["--restart", "unless-stopped"]);
        let failure = detached(env, "failure", &["--restart", "on-failure"]);
        let none = detached(env, "none", &[]);
        detached(env, "stopped", &["--restart", "unless-stopped"]);
        detached(env, "stopped-always", &["--restart", "always"]);
        detached(env, "alive", &["--restart", "always"]);
        env.ketch(&["stop", "-t", "0", "stopped", "stopped-always"]).ok();
        for id in [&always, &unless, &failure, &none] {
            cut(env, id);
        }
        let running = inspect(env, "alive")["State"]["Pid"].clone();
        assert_eq!(env.ketch(&["boot"]).ok(), "always\nunless\nstopped-always");
        for (name, want) in [
            ("always", "running"),
            ("unless", "running"),
            ("stopped", "exited"),
            ("stopped-always", "running"),
            ("alive", "running"),
        ] {
            assert_eq!(status(env, name), want, "{name}");
        }
        for name in ["failure", "none"] {
            assert_ne!(status(env, name), "running", "{name}");
        }
        assert_eq!(inspect(env, "alive")["State"]["Pid"], running);
        // Everything runs: there is nothing to do.
        assert_eq!(env.ketch(&["boot"]).ok(), "");
        env.ketch(&["rm", "--all", "--force"]).exits(0);
        env.assert_clean();
    }

    fn a_container_that_cannot_start_does_not_keep_the_others_down(env) {
        let image = env.base();
        let folder = env.folder("data");
        let mount = format!("type=bind,src={folder}/sub,dst=/mnt");
        env.folder("data/sub");
        let first = detached(env, "first", &["--restart", "always", "--mount", &mount]);
        let second = detached(env, "second", &["--restart", "always"]);
        cut(env, &first);
        cut(env, &second);
        fs::remove_dir(env.path("data/sub")).unwrap();
        env.ketch(&["boot"]).fails(1, &["first"]).says("second");
        assert_eq!(status(env, "second"), "running");
        env.ketch(&["rm", "--all", "--force"]).exits(0);
        env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "true"]).ok();
        env.assert_clean();
    }

    fn the_command_line_is_recorded_and_makes_the_container_anew(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "web", "--restart=always", "--network", "none", "-e", "A=50% x", &image, "payload", "true"]).ok();
        let line = inspect(env, "web")["Config"]["CreateCommand"].clone();
        let line: Vec<&str> = line.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(line[1..4], ["create", "--name", "web"]);
        assert_eq!(line[line.len() - 3..], [image.as_str(), "payload", "true"]);
        let text = env.ketch(&["generate", "systemd", "--name", "--new", "web"]).ok().to_owned();
        let run = format!("--replace --rm --name=web --network=none \"--env=A=50%% x\" {image} payload true\n");
        assert!(text.contains(&run), "{text}");
        assert!(text.contains("Restart=always\n"), "{text}");
        let store = env.store();
        assert!(text.contains(&format!("--root {} run", store.display())), "{text}");
        let id = inspect(env, "web")["Id"].as_str().unwrap().to_owned();
        let by_id = env.ketch(&["generate", "systemd", "web"]).ok().to_owned();
        assert!(by_id.contains(&format!("start --attach {id}\n")), "{by_id}");
        let written = env.ketch(&["generate", "systemd", "-n", "--files", "--restart-policy", "no", "-t", "3", "web"]);
        assert_eq!(written.ok(), env.text("work/container-web.service"));
        let file = fs::read_to_string(env.path("work/container-web.service")).unwrap();
        assert!(file.contains("Restart=no\n") && file.contains("stop --timeout=3 web\n"), "{file}");
        for (flags, why) in [
            (&["nobody"][..], "nobody"),
            (&["--template", "web"], "--new"),
            (&["--restart-policy", "maybe", "web"], "on-failure"),
            (&["--separator", "/", "-n", "web"], "separator"),
            (&["-e", "A", "web"], "KEY=VALUE"),
        ] {
            let mut arguments = vec!["generate", "systemd"];
            arguments.extend(flags);
            env.ketch(&arguments).refused(&[why]);
        }
        env.ketch(&["rm", "web"]).ok();
        env.assert_clean();
    }

    fn the_service_of_a_container_lives_as_long_as_it(env) {
        // The commands of both kinds of units, as systemd would run them.
        let image = env.base();
        let id_file = env.text("work/web.ctr-id");
        env.ketch(&["create", "--name", "web", "--network", "none", &image, "payload", "ready-then-wait"]).ok();
        for new in [false, true] {
            let mut arguments = vec!["generate", "systemd", "-n", "web"];
            if new {
                arguments.push("--new");
            }
            let text = env.ketch(&arguments).ok().replace("%t/%n.ctr-id", &id_file);
            let command = |key: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(key));
                let words: Vec<String> = line.unwrap().split(' ').skip(1).map(str::to_owned).collect();
                words
            };
            let words = command("ExecStart=");
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let service = env.spawn(&words);
            service.stdout.wait_for("ready");
            let stop = command("ExecStop=");
            let stop: Vec<&str> = stop.iter().map(String::as_str).chain(["-t", "0"]).collect();
            env.ketch(&stop).ok();
            service.finish().exits(137);
            if new {
                let rest = command("ExecStopPost=");
                let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
                env.ketch(&rest).ok();
            }
        }
        env.assert_clean();
    }

    fn quadlets_are_made_into_units(env) {
        let units = env.folder("config/containers/systemd");
        env.file("config/containers/systemd/web.container",
            "[Container]\nImage=nginx\nVolume=./www:/www\n[Install]\nWantedBy=default.target\n");
        env.folder("config/containers/systemd/web.container.d");
        env.file("config/containers/systemd/web.container.d/10.conf", "[Container]\nEnvironment=A=1\n");
        env.file("config/containers/systemd/bad.container", "[Container]\nImage=x\nColour=red\n");
        env.file("config/containers/systemd/data.volume", "[Volume]\n");
        let shown = env.ketch(&["system-generator", "--user", "--dry-run"]);
        shown.exits(1).says("---web.service---").says(&format!("--env=A=1 --volume={units}/www:/www nginx"));
        shown.warns("bad.container:3").warns("Colour").warns("no .volume units yet");
        assert!(!shown.stdout.contains("---bad"), "{shown}");
        let out = env.folder("out");
        env.ketch(&["system-generator", "--user", &out, &out, &out]).exits(1);
        let text = fs::read_to_string(env.path("out/web.service")).unwrap();
        assert!(shown.stdout.contains(text.split_once("\n\n").unwrap().1), "{text}");
        let link = fs::read_link(env.path("out/default.target.wants/web.service")).unwrap();
        assert_eq!(link, Path::new("../web.service"));
        assert!(!env.path("out/bad.service").exists());
        // Once more, and by the name that systemd calls it.
        fs::remove_file(env.path("config/containers/systemd/bad.container")).unwrap();
        fs::remove_file(env.path("config/containers/systemd/data.volume")).unwrap();
        std::os::unix::fs::symlink(crate::harness::env::executable(), env.path("ketch-user-generator")).unwrap();
        let mut command = env.program(env.path("ketch-user-generator"));
        command.args([&out, &out, &out]);
        crate::harness::process::Running::start(command).finish().ok();
        env.ketch(&["system-generator"]).refused(&["--dry-run"]);
        env.ketch(&["system-generator", "--user", "/no/such"]).refused(&["/no/such"]);
    }

    fn systemd_finds_nothing_wrong_with_the_units(env) {
        require!("systemd-analyze", require::program("systemd-analyze"));
        let image = env.base();
        env.folder("config/containers/systemd");
        env.file("config/containers/systemd/web.container",
            "[Unit]\nDescription=x\n[Container]\nImage=nginx\nExec=sh -c 'echo \"$$HOME\" ; true' ;\nLabel=\"a=b c\"\n[Service]\nRestart=always\n[Install]\nWantedBy=default.target\n");
        let out = env.folder("out");
        env.ketch(&["system-generator", "--user", &out]).ok();
        env.ketch(&["create", "--name", "one", "--network", "none", "-e", "A=50% $x \"q\"", &image, "payload", "true"]).ok();
        for (name, flags) in [("old", &[][..]), ("new", &["--new"]), ("many@", &["--new", "--template"])] {
            let mut arguments = vec!["generate", "systemd", "-n", "one"];
            arguments.extend(flags);
            let text = env.ketch(&arguments).ok().to_owned();
            env.file(&format!("out/{name}.service"), &text);
        }
        let mut command = env.program("/usr/bin/systemd-analyze");
        command.arg("verify").arg("--man=no").arg("--recursive-errors=no");
        for name in ["web", "old", "new", "many@1"] {
            command.arg(env.path(&format!("out/{name}.service")));
        }
        fs::copy(env.path("out/many@.service"), env.path("out/many@1.service")).unwrap();
        let found = crate::harness::process::Running::start(command).finish();
        for line in found.stderr.lines() {
            assert!(!line.contains(env.path("out").to_str().unwrap()), "{found}");
        }
        env.ketch(&["rm", "one"]).ok();
    }
}

fn enabling(env: &Env) {
    let state = |name: &str| inspect(env, name)["State"]["StartsAtBoot"].clone();
    detached(env, "always", &["--restart", "always"]);
    detached(env, "none", &[]);
    assert_eq!(state("always"), false);
    env.ketch(&["boot", "--status"]).exits(1).says("disabled");
    env.ketch(&["boot", "--disable"]).ok();
    for _ in 0..2 {
        env.ketch(&["boot", "--enable", "--with", "cron"]).ok();
        let table = fs::read_to_string(env.path("crontab.txt")).unwrap();
        assert_eq!(table.lines().count(), 1, "{table}");
        assert!(
            table.starts_with("@reboot ") && table.contains(" boot # ketch-boot-"),
            "{table}"
        );
    }
    assert_eq!(
        (state("always"), state("none")),
        (true.into(), false.into())
    );
    let filter = [
        "ps",
        "--filter",
        "should-start-on-boot=true",
        "--format",
        "{{.Names}}",
    ];
    assert_eq!(env.ketch(&filter).ok(), "always");
    let shown = env.ketch(&["ps", "--format", "{{.Names}}={{.StartsAtBoot}}"]);
    shown.says("always=true\n").says("none=false\n");
    for _ in 0..2 {
        // The other means takes its place.
        let enabled = env.ketch(&["boot", "--enable", "--with", "systemd"]);
        assert!(enabled.ok().starts_with("enabled: "), "{enabled}");
        if env.uid != 0 {
            enabled.warns("loginctl enable-linger");
        }
        assert_eq!(fs::read_to_string(env.path("crontab.txt")).unwrap(), "");
        let names: Vec<_> = fs::read_dir(env.path("units")).unwrap().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
    env.ketch(&["boot", "--status"])
        .exits(0)
        .says("units/ketch-boot-");
    assert_eq!(state("always"), true);
    let target = if env.uid == 0 {
        "multi-user"
    } else {
        "default"
    };
    let wants = env.path(&format!("units/{target}.target.wants"));
    let link = fs::read_dir(&wants)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let unit = fs::read_to_string(&link).unwrap();
    assert!(
        unit.contains(" boot\n") && unit.contains("Type=oneshot\n"),
        "{unit}"
    );
    if require::program("systemd-analyze") {
        let mut command = env.program("/usr/bin/systemd-analyze");
        command
            .env_remove("SYSTEMD_UNIT_PATH")
            .args(["verify", "--man=no"])
            .arg(fs::canonicalize(&link).unwrap());
        let found = crate::harness::process::Running::start(command).finish();
        assert!(!found.stderr.contains("ketch-boot"), "{found}");
    }
    // Taken away by hand it starts nothing.
    fs::remove_file(&link).unwrap();
    env.ketch(&["boot", "--status"]).exits(1);
    assert_eq!(state("always"), false);
    env.ketch(&["boot", "--enable", "--with", "systemd"]).ok();
    env.ketch(&["boot", "--disable"]).ok();
    assert_eq!(fs::read_dir(&wants).unwrap().count(), 0);
    for bad in [
        &["--with", "cron"][..],
        &["--enable", "--with", "runit"],
        &["--enable", "--disable"],
    ] {
        let mut arguments = vec!["boot"];
        arguments.extend(bad);
        env.ketch(&arguments).refused(&[]);
    }
    env.ketch(&["rm", "--all", "--force"]).exits(0);
    env.assert_clean();
}

#[test]
fn enabling_as_root() {
    with_cron(Identity::Root, enabling);
}

#[test]
fn enabling_with_subordinate_ids() {
    with_cron(Identity::Subid, enabling);
}

#[test]
fn enabling_with_a_single_id() {
    with_cron(Identity::Single, enabling);
}
