//! Called as docker or as podman: where the two differ, each finds its own.

use crate::events::called;
use crate::harness::{Env, Image, Layer, Registry};

fn world() -> (Env, String, String) {
    let env = Env::any();
    let image = Image::empty()
        .layer(Layer::new().file("text", 0o644, b"text"))
        .build();
    let name = Registry::start().push("who", "v1", &image);
    let id = crate::harness::image::digest(&image.config);
    (env, name, id)
}

#[test]
fn each_prints_what_its_scripts_read() {
    let (env, name, id) = world();
    let hex = &id["sha256:".len()..];
    assert_eq!(called(&env, "docker", &["pull", "-q", &name]).ok(), name);
    assert_eq!(called(&env, "podman", &["pull", "-q", &name]).ok(), hex);
    let docker = called(&env, "docker", &["images", "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(docker.ok()).unwrap();
    assert!(
        row.as_object()
            .unwrap()
            .values()
            .all(|value| value.is_string()),
        "{row}"
    );
    let podman = called(&env, "podman", &["images", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(podman.ok()).unwrap();
    assert_eq!(rows[0]["Id"], hex);
    assert_eq!(rows[0]["Names"], serde_json::json!([name]));
    assert!(
        rows[0]["Size"].is_u64() && rows[0]["Created"].is_i64(),
        "{rows}"
    );
    // Programs refuse a peer that is too old: what counts is whose words these are.
    let own = concat!("ketch-", env!("CARGO_PKG_VERSION"));
    let docker = called(&env, "docker", &["--version"]);
    assert_eq!(docker.ok(), format!("Docker version 27.5.1, build {own}"));
    assert_eq!(
        called(&env, "podman", &["--version"]).ok(),
        "podman version 5.4.0"
    );
    for (program, release) in [("docker", "27.5.1"), ("podman", "5.4.0")] {
        let version = called(&env, program, &["version", "-f", "{{json .}}"]).json();
        for half in ["Client", "Server"] {
            assert_eq!(version[half]["Version"], release);
            assert_eq!(version[half]["GitCommit"], own);
        }
    }
}

#[test]
fn each_fails_with_its_own_codes() {
    let (env, name, _) = world();
    for (program, plain, in_use) in [("docker", 1, 1), ("podman", 125, 2)] {
        let run = |arguments: &[&str]| called(&env, program, arguments);
        run(&["pull", "-q", &name]).ok();
        run(&["run", "--name", "user", "--network", "none", &name, "/none"]).exits(127);
        run(&["rmi", &name]).fails(in_use, &["use"]);
        run(&["rm", "user"]).ok();
        run(&["rmi", "no-such-image"]).fails(1, &["no-such-image"]);
        run(&["rm", "no-such-container"]).fails(1, &["no-such-container"]);
        run(&["tag", "no-such-image", "x"]).fails(plain, &["no-such-image"]);
        run(&["history", "no-such-image"]).fails(plain, &["no-such-image"]);
        run(&["images", "--no-such-flag"]).fails(125, &["--no-such-flag"]);
        let none = run(&["inspect", "no-such-thing"]);
        none.fails(plain, &["no-such-thing"]);
        assert_eq!(none.stdout.trim(), "[]");
        // docker complains and succeeds, podman is silent.
        let forced = run(&["rmi", "-f", "no-such-image"]);
        forced.ok();
        assert_eq!(forced.stderr.is_empty(), program == "podman", "{forced}");
    }
    env.assert_clean();
}

#[test]
fn flags_before_the_command_are_each_one_s_own() {
    let (env, name, id) = world();
    let docker = |arguments: &[&str]| called(&env, "docker", arguments);
    let podman = |arguments: &[&str]| called(&env, "podman", arguments);
    docker(&[
        "--context",
        "default",
        "-D",
        "-l",
        "info",
        "pull",
        "-q",
        &name,
    ])
    .ok();
    docker(&["--host", "tcp://127.0.0.1:1", "images"]).fails(1, &["tcp://127.0.0.1:1", "here"]);
    podman(&["--log-level", "telepathic", "info"]).fails(1, &["telepathic", "choose from: trace"]);
    podman(&["--noout", "images"]).ok();
    assert_eq!(podman(&["--noout", "images", "-q"]).stdout, "");
    let file = env.path("work/ids");
    let to_file = [
        "--out",
        file.to_str().unwrap(),
        "--runtime",
        "crun",
        "images",
        "-q",
        "--no-trunc",
    ];
    assert_eq!(podman(&to_file).stdout, "");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), id);
    env.ketch(&["--noout", "images"]).fails(1, &["--noout"]);
}

#[test]
fn podman_s_templates_name_the_fields_of_go() {
    let env = Env::any();
    let podman = |format: &str| called(&env, "podman", &["info", "--format", format]);
    assert_eq!(
        podman("{{.Host.OCIRuntime.Name}} {{.Host.OS}}").ok(),
        "ketch linux"
    );
    podman("{{.Host.Security.SECCOMPEnabled}} {{.Host.CgroupsVersion}}").says("true v");
    assert_eq!(podman("{{.Store.ContainerStore.Number}}").ok(), "0");
    let document: serde_json::Value = serde_json::from_str(podman("{{json .}}").ok()).unwrap();
    assert_eq!(document["host"]["os"], "linux");
    assert!(document.get("Host").is_none() && document["host"].get("OS").is_none());
    podman("{{.Host.Nothing}}").fails(125, &["can't evaluate field Nothing"]);
}

#[test]
fn an_image_is_asked_for_and_loses_its_names() {
    let (env, name, id) = world();
    env.ketch(&["image", "exists", &name]).exits(1);
    env.ketch(&["pull", "-q", &name]).ok();
    env.ketch(&["tag", &name, "other:1"]).ok();
    for known in [name.as_str(), "other:1", &id, &id["sha256:".len()..][..12]] {
        env.ketch(&["image", "exists", known]).exits(0);
    }
    env.ketch(&["untag", &name, "none:1"])
        .refused(&["does not have this name"]);
    env.ketch(&["untag", &name, "other:1"]).ok();
    env.ketch(&["image", "exists", "other:1"]).exits(1);
    env.ketch(&["image", "exists", &name]).exits(0);
    env.ketch(&["image", "untag", &name]).ok();
    env.ketch(&["image", "exists", &name]).exits(1);
    env.ketch(&["image", "exists", &id]).exits(0);
}

#[test]
fn what_a_peer_says_has_no_line_of_ours_below_it() {
    let env = Env::any();
    let lines = |program: &str| {
        called(
            &env,
            program,
            &["inspect", "--type", "container", "nothing"],
        )
        .stderr
    };
    assert_eq!(
        called(&env, "podman", &["rmi", "nothing"])
            .stderr
            .lines()
            .collect::<Vec<_>>(),
        ["Error: nothing: image not known"]
    );
    assert!(!lines("docker").contains("hint:"), "{}", lines("docker"));
    assert!(env.ketch(&["rmi", "nothing"]).stderr.contains("hint:"));
}

cases! {
    fn podman_s_payloads_are_told_whose_they_are(env) {
        let image = env.base();
        let line = ["run", "--rm", "--network", "none", &image, "payload", "env"];
        assert!(called(env, "podman", &line).ok().lines().any(|one| one == "container=podman"));
        assert!(!called(env, "docker", &line).ok().contains("container="));
    }

    fn paths_in_a_container_start_where_each_says(env) {
        let image = env.base();
        env.file("work/note", "text");
        env.ketch(&["create", "--name", "one", "-w", "/tmp", &image, "payload", "true"]).ok();
        called(env, "podman", &["cp", "note", "one:by-podman"]).ok();
        called(env, "docker", &["cp", "note", "one:by-docker"]).ok();
        let found = |path: &str| env.ketch(&["cp", &format!("one:{path}"), "found"]).code();
        assert_eq!([found("/tmp/by-podman"), found("/by-podman")], [0, 1]);
        assert_eq!([found("/by-docker"), found("/tmp/by-docker")], [0, 1]);
        env.ketch(&["rm", "one"]).ok();
        env.assert_clean();
    }
}

#[test]
fn a_flag_takes_the_next_word_whatever_it_begins_with() {
    let (env, name, _) = world();
    env.ketch(&["pull", "-q", &name]).ok();
    let lines = env.ketch(&["history", "--format", "--{{.ID}}", &name]);
    assert!(lines.ok().starts_with("--"), "{lines}");
    env.ketch(&["create", "--name", "one", "--label", "-x=y", &name, "z"])
        .ok();
    assert_eq!(
        env.ketch(&["inspect", "-f", "{{index .Config.Labels \"-x\"}}", "one"])
            .ok(),
        "y"
    );
    env.ketch(&["create", "--hostname"])
        .fails(125, &["flag needs an argument: --hostname"]);
    let podman = |arguments: &[&str]| called(&env, "podman", arguments);
    let made = [
        "create",
        "--name",
        "two",
        "--health-cmd",
        "true",
        "--health-interval",
        "disable",
        &name,
        "z",
    ];
    podman(&made).ok();
    podman(&["create", "--health-interval", "never", &name]).refused(&["never"]);
    let asked = podman(&[
        "inspect",
        "-f",
        "{{.State.StoppedByUser}} {{.Config.HealthcheckOnFailureAction}}",
        "two",
    ]);
    assert_eq!(asked.ok(), "false none");
    env.ketch(&["rm", "one", "two"]).ok();
}

#[test]
fn the_platform_comes_in_one_piece_or_in_parts() {
    let (env, name, _) = world();
    let own = if cfg!(target_arch = "x86_64") {
        "amd64"
    } else {
        "arm64"
    };
    env.ketch(&["pull", "-q", "--os", "linux", "--arch", own, &name])
        .ok();
    env.ketch(&["pull", "-q", "--arch", "s390x", &name])
        .warns("s390x");
    env.ketch(&[
        "pull",
        "-q",
        "--arch",
        own,
        "--platform",
        "linux/amd64",
        &name,
    ])
    .fails(125, &["--platform"]);
    let file = env.path("work/none.json").display().to_string();
    for verb in ["pull", "run"] {
        env.ketch(&[verb, "--authfile", &file, &name])
            .refused(&["credential file is not accessible", &file]);
    }
}
