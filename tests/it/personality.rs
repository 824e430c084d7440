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
    for program in ["docker", "podman"] {
        called(&env, program, &["--version"])
            .says(&program[1..])
            .says(env!("CARGO_PKG_VERSION"));
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
