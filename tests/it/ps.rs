//! `ps` and `port`: every field and filter, in docker's words and in podman's.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::events::called;
use crate::harness::process::Running;
use crate::harness::{Env, Image};

/// A container that has ended with 0.
pub(crate) fn ended(env: &Env, name: &str, flags: &[&str]) {
    let image = env.base();
    let mut arguments = vec!["run", "--name", name, "--network", "none"];
    arguments.extend(flags);
    arguments.extend([&image, "payload", "true"]);
    env.ketch(&arguments).ok();
}

/// A container that runs until it gets a signal.
pub(crate) fn running(env: &Env, name: &str, flags: &[&str]) -> Running {
    let image = env.base();
    let mut arguments = vec!["run", "--name", name, "--network", "none"];
    arguments.extend(flags);
    arguments.extend([&image, "payload", "ready-then-wait"]);
    let running = env.spawn(&arguments);
    running.stdout.wait_for("ready");
    running
}

/// Names of the containers that pass the filters.
fn names(env: &Env, filters: &[&str]) -> Vec<String> {
    let mut arguments = vec!["ps", "-a", "--format", "{{.Names}}"];
    for filter in filters {
        arguments.extend(["--filter", filter]);
    }
    let mut names: Vec<String> = env
        .ketch(&arguments)
        .ok()
        .lines()
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

fn id(env: &Env, name: &str) -> String {
    env.ketch(&["inspect", "-f", "{{.Id}}", name])
        .ok()
        .to_owned()
}

cases! {
    fn filters_choose_containers(env) {
        ended(env, "web", &["-l", "tier=front", "-l", "team=a"]);
        ended(env, "webhook", &["-l", "tier=front"]);
        let data = env.folder("work/data");
        ended(env, "db", &["-v", &format!("{data}:/srv")]);
        let busy = running(env, "busy", &[]);
        for (filters, want) in [
            (&["name=web"][..], &["web", "webhook"][..]),
            (&["name=^/web$"], &["web"]),
            (&["name=^web$"], &["web"]),
            (&["name=^(web|db)$"], &["db", "web"]),
            (&["name=web", "label=team"], &["web"]),
            (&["label=tier=front", "label!=team"], &["webhook"]),
            (&["label=tier", "label=team=a"], &["web"]),
            (&["label=nope"], &[]),
            (&["status=running"], &["busy"]),
            (&["status=exited", "status=running"], &["busy", "db", "web", "webhook"]),
            (&["exited=0", "name=b"], &["db", "web", "webhook"]),
            (&["exited=1"], &[]),
            (&["before=webhook"], &["web"]),
            (&["since=webhook"], &["busy", "db"]),
            (&["volume=none"], &[]),
            (&[&format!("volume={data}")], &["db"]),
            (&["volume=/srv"], &["db"]),
            (&["network=none"], &["busy", "db", "web", "webhook"]),
            (&["network=host"], &[]),
            (&["health=none", "name=db"], &["db"]),
            (&["health=healthy"], &[]),
            (&["restart-policy=no", "name=db"], &["db"]),
            (&["restart-policy=always"], &[]),
            (&["command=payload", "name=db"], &["db"]),
            (&["command=true"], &[]),
            (&["until=1h"], &[]),
            (&["until=0s", "name=db"], &["db"]),
            (&["should-start-on-boot=false", "name=db"], &["db"]),
            (&["should-start-on-boot=true"], &[]),
            (&["publish=80"], &[]),
            (&["expose=80"], &[]),
            (&["pod=x"], &[]),
            (&["is-task=false", "name=db"], &["db"]),
        ] {
            assert_eq!(names(env, filters), want, "{filters:?}");
        }
        let ancestor = format!("ancestor={}", env.base());
        assert_eq!(names(env, &[&ancestor]).len(), 4);
        // `before` and `since` may name a container that is not shown.
        assert_eq!(env.ketch(&["ps", "--filter", "since=db", "--format", "{{.Names}}"]).ok(), "busy");
        assert_eq!(env.ketch(&["ps", "-q", "--filter", "before=db"]).ok(), "");
        env.ketch(&["ps", "--filter", "since=nobody"]).fails(1, &["nobody"]);
        for bad in ["nope=x", "status=up", "exited=x", "name=(", "health=ill", "publish=x", "until=soon"] {
            env.ketch(&["ps", "--filter", bad]).fails(1, &[bad]);
        }
        busy.signal(Signal::SIGKILL);
        busy.finish();
    }

    fn exposed_ports_come_from_the_image(env) {
        let image = env.image(Image::base().set("ExposedPorts", json!({"80/tcp": {}, "53/udp": {}})));
        env.ketch(&["run", "--name", "web", "--network", "none", &image, "payload", "true"]).ok();
        for (filter, want) in [("expose=80", 1), ("expose=79-81/tcp", 1), ("expose=53/udp", 1), ("expose=53", 0), ("publish=80", 0)] {
            assert_eq!(names(env, &[filter]).len(), want, "{filter}");
        }
        let rows = called(env, "podman", &["ps", "-a", "--format", "json"]).rows();
        assert_eq!(rows[0]["ExposedPorts"], json!({"53": ["udp"], "80": ["tcp"]}));
        // None of them is published.
        assert_eq!(env.ketch(&["port", "web"]).ok(), "");
        env.ketch(&["port", "web", "80"]).fails(1, &["Error: No public port '80/tcp' published for web"]);
        env.ketch(&["container", "port", "web", "53/udp"]).fails(1, &["'53/udp'"]);
        env.ketch(&["port", "web", "x"]).refused(&["x"]);
        env.ketch(&["port", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["port"]).refused(&["container"]);
        assert_eq!(env.ketch(&["port", "-l"]).ok(), "");
        called(env, "podman", &["port", "web", "80"]).fails(125, &["failed to find published port \"80/tcp\""]);
        assert_eq!(called(env, "podman", &["port", "-a"]).ok(), "");
    }

    fn every_placeholder_of_docker_is_there(env) {
        let busy = running(env, "busy", &["-l", "com.example.my-key=v"]);
        let all = ["ID", "Names", "Image", "Command", "CreatedAt", "RunningFor", "Ports", "State", "Status", "Size", "Labels",
            "Mounts", "LocalVolumes", "Networks", "Platform", "HealthStatus"];
        let template: Vec<String> = all.iter().map(|name| format!("{name}={{{{.{name}}}}}")).collect();
        let shown = env.ketch(&["ps", "--format", &template.join("|")]);
        let line = shown.ok();
        for part in ["Names=busy|", "State=running|", "Status=Up ", "Ports=|", "LocalVolumes=0|", "Networks=none|", "HealthStatus=", "B (virtual "] {
            assert!(line.contains(part), "{part}: {line}");
        }
        let row = &env.ketch(&["ps", "--format", "json"]).rows()[0];
        for name in all {
            assert!(row[name].is_string() || row[name].is_null(), "{name}: {row}");
        }
        assert_eq!(env.ketch(&["ps", "--format", "{{.Label \"com.example.my-key\"}}"]).ok(), "v");
        assert_eq!(env.ketch(&["ps", "--format", "table {{.Label \"com.example.my-key\"}}\\t{{.Names}}"]).ok(), "my key    NAMES\nv         busy");
        env.ketch(&["ps", "-s"]).says("SIZE").says("(virtual ");
        env.ketch(&["ps", "--ns"]).says("CGROUPNS").says("PIDNS").says("40265");
        env.ketch(&["ps", "--pod"]).says("POD ID").says("PODNAME");
        let bare = env.ketch(&["ps", "--noheading"]);
        assert!(!bare.stdout.contains("NAMES") && bare.stdout.contains("busy"), "{bare}");
        env.ketch(&["ps", "--external", "--sync", "-q"]).ok();
        env.ketch(&["ps", "--format", "{{.Nope}}"]).fails(1, &["Nope"]);
        busy.signal(Signal::SIGKILL);
        busy.finish();
    }

    fn podmans_rows_are_typed(env) {
        ended(env, "one", &["-l", "a=b"]);
        let busy = running(env, "two", &[]);
        let rows = called(env, "podman", &["ps", "-a", "-s", "--ns", "--format", "json"]).rows();
        // podman: the oldest first.
        assert_eq!((&rows[0]["Names"], &rows[1]["Names"]), (&json!(["one"]), &json!(["two"])));
        let (one, two) = (&rows[0], &rows[1]);
        assert_eq!((&one["Exited"], &one["ExitCode"], &one["State"], &one["Pid"]), (&json!(true), &json!(0), &json!("exited"), &json!(0)));
        assert_eq!((&one["Labels"], &one["Command"], &one["AutoRemove"]), (&json!({"a": "b", "from": "image"}), &json!(["payload", "true"]), &json!(false)));
        for key in ["Created", "StartedAt", "ExitedAt", "Restarts"] {
            assert!(one[key].is_i64(), "{key}: {one}");
        }
        assert!(one["Size"]["rwSize"].is_u64() && one["Size"]["rootFsSize"].as_u64() > one["Size"]["rwSize"].as_u64(), "{one}");
        assert!(two["Pid"].as_i64().unwrap() > 0 && two["Exited"] == false, "{two}");
        assert!(two["Namespaces"]["pidns"].as_str().unwrap().parse::<u64>().is_ok(), "{two}");
        for key in ["CIDFile", "CreatedHuman", "ExposedPorts", "ImageID", "IsInfra", "Pod", "PodName", "Mounts", "Networks", "Ports"] {
            assert!(one.get(key).is_some_and(|value| *value != Value::Null), "{key}: {one}");
        }
        let template = "{{.ID}} {{.Created}} {{.ExitCode}} {{.Exited}} {{.Pid}} {{.Restarts}} {{.AutoRemove}} {{.CreatedHuman}} {{.Pod}}{{.PodName}}{{.CIDFile}} {{.Names}}";
        called(env, "podman", &["ps", "-a", "--format", template]).says(" ago  one").says(" false Less than a second ago  two");
        // Orders, and how many.
        let sorted = |arguments: &[&str]| {
            let mut all = vec!["ps", "-a", "--format", "{{.Names}}"];
            all.extend(arguments);
            called(env, "podman", &all).ok().replace('\n', " ")
        };
        assert_eq!(sorted(&["--sort", "names"]), "one two");
        assert_eq!(sorted(&["--sort", "status"]), "one two");
        assert_eq!(sorted(&["-n", "1"]), "two");
        assert_eq!(sorted(&["--latest"]), "two");
        assert_eq!(sorted(&["--last=-1"]), "one two");
        called(env, "podman", &["ps", "--sort", "x"]).fails(125, &["--sort"]);
        busy.signal(Signal::SIGKILL);
        busy.finish();
    }

    fn a_kept_list_says_what_is(env) {
        let image = env.base();
        for number in 0..8 {
            let name = format!("made{number}");
            env.ketch(&["create", "--name", &name, "--network", "none", &image, "payload", "true"]).ok();
        }
        env.ketch(&["run", "-d", "--name", "lives", "--network", "none", &image, "payload", "sleep-forever"]).ok();
        ended(env, "ended", &[]);
        let rows = || env.ketch(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]).ok().to_owned();
        let listing = env.store().join("containers/listing");
        let before = std::cell::RefCell::new(String::new());
        crate::harness::eventually("rows are kept", || {
            before.replace(rows());
            listing.exists()
        });
        // The same from what is kept.
        assert_eq!(rows(), *before.borrow());
        assert!(before.borrow().contains("lives running") && before.borrow().contains("ended exited"));
        let state = std::fs::read(env.store().join("containers").join(id(env, "lives")).join("state")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        let keeper = state["started"]["supervisor"].as_i64().unwrap();
        // Its keeper is killed: no file changes, and yet it lives no more.
        env.program("/bin/kill").args(["-9", &keeper.to_string()]).status().unwrap();
        crate::harness::eventually("the dead one is seen", || !rows().contains("lives running"));
        env.ketch(&["rename", "made0", "renamed"]).ok();
        env.ketch(&["start", "-a", "made1"]).ok();
        env.ketch(&["rm", "made2", "ended"]).ok();
        let after = rows();
        for (row, there) in [("renamed created", true), ("made0", false), ("made1 exited", true), ("made2", false), ("ended", false), ("made3 created", true)] {
            assert_eq!(after.contains(row), there, "{row}: {after}");
        }
        // A torn one is no trouble, and neither is one that cannot be read.
        std::fs::write(&listing, "{\"format\": 1, \"rows\": [").unwrap();
        assert_eq!(rows(), after);
        std::fs::remove_file(&listing).unwrap();
        std::fs::create_dir(&listing).unwrap();
        assert_eq!(rows(), after);
        std::fs::remove_dir(&listing).unwrap();
        env.ketch(&["rm", "-fa"]).ok();
        env.assert_clean();
    }

    fn a_watched_list_is_shown_again(env) {
        let watched = env.spawn(&["ps", "-a", "--watch", "1"]);
        watched.stdout.wait_for("\u{1b}[2J\u{1b}[HCONTAINER ID");
        ended(env, "new", &[]);
        watched.stdout.wait_for("new");
        assert!(watched.is_running());
        let mut command = env.program("/bin/sh");
        let ketch = crate::harness::env::executable();
        command.args(["-c", "\"$0\" ps -a --watch 1 | head -n 1"]).arg(ketch);
        Running::start(command).finish().says("CONTAINER ID");
    }
}
