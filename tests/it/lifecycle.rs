//! `run` and the record of a container: `--rm`, names, `ps`, `inspect`, `rm`, `--cidfile`, `--pull`.

use crate::harness::{Env, Image, Registry};

fn keep(env: &Env, name: &str, payload: &[&str]) -> i32 {
    let image = env.base();
    let mut arguments = vec![
        "run",
        "--name",
        name,
        "--network",
        "none",
        &image,
        "payload",
    ];
    arguments.extend(payload);
    env.ketch(&arguments).code()
}

cases! {
    fn rm_leaves_nothing(env) {
        env.payload(&["--name", "gone"], &["write", "/x", "y"]).ok();
        assert_eq!(env.ketch(&["ps", "-aq"]).ok(), "");
        env.ketch(&["inspect", "gone"]).refused(&["gone"]);
        env.assert_clean();
    }

    fn without_rm_the_container_is_known(env) {
        assert_eq!(keep(env, "kept", &["exit", "3"]), 3);
        assert_eq!(env.ketch(&["ps", "-q"]).ok(), "");
        let short = env.ketch(&["ps", "-aq"]).ok().to_owned();
        let long = env.ketch(&["ps", "-aq", "--no-trunc"]).ok().to_owned();
        assert!(short.len() == 12 && long.len() == 64 && long.starts_with(&short), "{short} {long}");
        let table = env.ketch(&["ps", "-a"]);
        table.says("CONTAINER ID").says("kept").says("Exited (3)");
        let rows = env.ketch(&["ps", "-a", "--format", "json"]).rows();
        assert_eq!(rows.len(), 1);
        assert!(rows[0].to_string().contains("kept"), "{rows:?}");
        let found = env.ketch(&["inspect", "kept"]).json();
        assert_eq!(found[0]["Id"], long.as_str());
        assert_eq!(found[0]["Name"], "/kept");
        assert_eq!(found[0]["State"]["Status"], "exited");
        assert_eq!(found[0]["State"]["ExitCode"], 3);
        assert_eq!(found[0]["State"]["Running"], false);
        assert_eq!(found[0]["Path"], "payload");
        assert_eq!(found[0]["Args"], serde_json::json!(["exit", "3"]));
        // An id is good by any unambiguous beginning.
        assert_eq!(env.ketch(&["rm", &long[..5]]).ok(), &long[..5]);
        assert_eq!(env.ketch(&["ps", "-aq"]).ok(), "");
        env.assert_clean();
    }

    fn a_running_container_is_shown_and_kept_from_rm(env) {
        let image = env.base();
        let running = env.spawn(&["run", "--name", "busy", "--network", "none", &image, "payload", "ready-then-wait"]);
        running.stdout.wait_for("ready");
        env.ketch(&["ps"]).says("busy").says("Up ");
        assert_eq!(env.ketch(&["inspect", "busy"]).json()[0]["State"]["Running"], true);
        env.ketch(&["rm", "busy"]).refused(&["busy"]);
        assert_eq!(env.ketch(&["rm", "-f", "busy"]).ok(), "busy");
        running.finish().exits(137);
        assert_eq!(env.ketch(&["ps", "-aq"]).ok(), "");
        env.assert_clean();
    }

    fn a_name_is_taken_once(env) {
        keep(env, "twice", &["true"]);
        env.payload(&["--name", "twice"], &["true"]).fails(125, &["twice"]);
        for bad in ["", "a", "/x", "a b", "-x", "x/y", "../x"] {
            env.payload(&[&format!("--name={bad}")], &["true"]).refused(&[]);
        }
        env.ketch(&["rm", "twice"]).ok();
        env.assert_clean();
    }

    fn rm_says_what_it_could_not(env) {
        env.ketch(&["rm", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["rm", "-f", "nobody"]).exits(0);
        keep(env, "one", &["true"]);
        keep(env, "two", &["true"]);
        // The rest is done, and the code says that not all was.
        let output = env.ketch(&["rm", "one", "nobody", "two"]);
        output.fails(1, &["nobody"]);
        assert_eq!(output.stdout, "one\ntwo\n");
    }

    fn the_cidfile_holds_the_id_and_is_never_overwritten(env) {
        let path = env.text("work/id");
        let image = env.base();
        env.ketch(&["run", "--cidfile", &path, "--network", "none", &image, "payload", "true"]).ok();
        let id = std::fs::read_to_string(&path).unwrap();
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id:?}");
        env.payload(&["--cidfile", &path], &["true"]).fails(125, &["id"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), id);
        env.ketch(&["rm", &id]).ok();
    }
}

#[test]
fn the_pull_policies() {
    let env = Env::any();
    let registry = Registry::start();
    let name = registry.push("policy", "v1", &Image::base().build());
    let run = |policy: &str| {
        env.ketch(&[
            "run",
            "--rm",
            "--network",
            "none",
            "--pull",
            policy,
            &name,
            "payload",
            "true",
        ])
    };
    run("never").fails(125, &["policy"]);
    assert_eq!(registry.count("/manifests/"), 0);
    run("missing").ok();
    let asked = registry.requests().len();
    run("missing").ok();
    run("never").ok();
    assert_eq!(
        registry.requests().len(),
        asked,
        "an image that is here is not asked for"
    );
    run("always").ok();
    assert!(registry.requests().len() > asked);
    run("sometimes").refused(&["sometimes"]);
}

#[test]
fn another_platform_is_not_taken_for_this_one() {
    let env = Env::any();
    let registry = Registry::start();
    let other = if cfg!(target_arch = "aarch64") {
        "amd64"
    } else {
        "arm64"
    };
    let image = Image::base().top("architecture", other).build();
    let (kind, index) = crate::harness::image::index(&[(&format!("linux/{other}"), &image)]);
    registry.push("other", "image", &image);
    let name = registry.push_manifest("other", "index", &kind, &index);
    env.ketch(&["run", "--rm", &name, "payload", "true"])
        .fails(125, &["linux/"]);
    env.ketch(&["pull", &name]).refused(&["linux/"]);
    env.ketch(&["pull", "--platform", &format!("linux/{other}"), &name])
        .ok();
    // Here now, and still not this machine's.
    env.ketch(&["run", "--rm", &name, "payload", "true"])
        .fails(125, &["linux/"]);
    env.ketch(&["pull", "--platform", "plan9/mips", &name])
        .refused(&["plan9/mips"]);
    env.ketch(&["pull", "--platform", "a/b/c/d", &name])
        .refused(&["a/b/c/d"]);
}
