//! Volumes: made, filled, shared, kept and removed.

use crate::harness::process::Output;
use crate::harness::{Env, Image};

/// Runs a payload with a volume.
fn run(env: &Env, flags: &[&str], payload: &[&str]) -> Output {
    let image = env.base();
    let first = ["run", "--network", "none"];
    env.ketch(&[&first[..], flags, &[image.as_str(), "payload"], payload].concat())
}

fn names(env: &Env) -> Vec<String> {
    let listed = env.ketch(&["volume", "ls", "-q"]);
    listed.ok().lines().map(str::to_owned).collect()
}

cases! {
    fn a_named_volume_outlives_its_containers(env) {
        run(env, &["--rm", "-v", "data:/data"], &["write", "/data/file", "kept"]).ok();
        let read = run(env, &["--rm", "-v", "data:/elsewhere:ro"], &["cat", "/elsewhere/file"]);
        assert_eq!(read.ok(), "kept");
        run(env, &["--rm", "-v", "data:/data:ro"], &["write", "/data/file", "x"]).exits(1);
        assert_eq!(names(env), ["data"]);
        let inspected = env.ketch(&["volume", "inspect", "data"]).json();
        assert_eq!(inspected[0]["Name"], "data");
        assert_eq!(inspected[0]["Driver"], "local");
        env.ketch(&["volume", "rm", "data"]).ok();
        assert!(names(env).is_empty());
        env.ketch(&["volume", "rm", "data"]).fails(1, &["no such volume"]);
        env.ketch(&["volume", "rm", "-f", "data"]).ok();
    }

    fn the_first_use_copies_what_the_image_has(env) {
        let etc = |name: &str| run(env, &["--rm", "-v", &format!("{name}:/etc")], &["cat", "/etc/passwd"]);
        let first = etc("copied").ok().to_owned();
        assert!(first.contains("root:"));
        // Only when it is empty: what is in it stays.
        run(env, &["--rm", "-v", "copied:/v"], &["write", "/v/passwd", "mine"]).ok();
        assert_eq!(etc("copied").ok(), "mine");
        let empty = run(env, &["--rm", "-v", "plain:/etc:nocopy"], &["cat", "/etc/passwd"]);
        empty.exits(1);
    }

    fn anonymous_volumes_go_with_their_container(env) {
        run(env, &["--rm", "-v", "/data"], &["write", "/data/file", "x"]).ok();
        assert!(names(env).is_empty());
        for (flags, left) in [(&["rm"][..], 1), (&["rm", "-v"], 0)] {
            run(env, &["--name", "cc", "-v", "/data"], &["write", "/data/file", "x"]).ok();
            assert_eq!(names(env).len(), 1);
            env.ketch(&[flags, &["cc"]].concat()).ok();
            assert_eq!(names(env).len(), left);
            env.ketch(&["volume", "prune", "-f"]).ok();
            assert!(names(env).is_empty());
        }
    }

    fn a_volume_in_use_is_not_removed(env) {
        run(env, &["--name", "user", "-v", "data:/data"], &["true"]).ok();
        env.ketch(&["volume", "rm", "data"]).fails(1, &["in use", "user"]);
        env.ketch(&["volume", "prune", "-f", "-a"]).ok();
        assert_eq!(names(env), ["data"]);
        // Another container has the same ones.
        let read = run(env, &["--rm", "--volumes-from", "user"], &["write", "/data/file", "x"]);
        read.ok();
        env.ketch(&["cp", "user:/data/file", "-"]).exits(0);
        env.ketch(&["rm", "-v", "user"]).ok();
        assert_eq!(names(env), ["data"]);
        env.ketch(&["volume", "prune", "-f", "-a"]).ok();
        assert!(names(env).is_empty());
    }

    fn volumes_are_made_and_filtered_by_hand(env) {
        env.ketch(&["volume", "create", "--label", "a=b", "one"]).ok();
        assert_eq!(env.ketch(&["volume", "create", "one"]).ok(), "one");
        let other = env.ketch(&["volume", "create"]).ok().trim().to_owned();
        assert_eq!(other.len(), 64);
        let listed = |filter: &str| {
            env.ketch(&["volume", "ls", "-q", "--filter", filter]).ok().to_owned()
        };
        assert_eq!(listed("label=a"), "one");
        assert_eq!(listed("name=on"), "one");
        assert_eq!(listed("dangling=true").lines().count(), 2);
        assert_eq!(listed("dangling=false"), "");
        env.ketch(&["volume", "ls", "--filter", "color=red"]).refused(&["color"]);
        env.ketch(&["volume", "create", "--driver", "nfs", "x"]).refused(&["nfs"]);
        env.ketch(&["volume", "create", "../x"]).refused(&["name"]);
    }

    fn an_images_volumes_are_made(env) {
        let image = env.image(Image::base().set("Volumes", serde_json::json!({"/declared": {}})));
        env.ketch(&["run", "--name", "cc", "--network", "none", &image, "payload", "write", "/declared/file", "x"]).ok();
        assert_eq!(names(env).len(), 1);
        env.ketch(&["rm", "-v", "cc"]).ok();
        assert!(names(env).is_empty());
    }
}
