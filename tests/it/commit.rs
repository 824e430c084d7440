//! `commit`, `diff`, `export`, `import` and `mount`: containers' trees as layers and archives.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Env, Identity, Image, Layer, require};

/// Runs a payload in a container that stays.
fn run(env: &Env, name: &str, image: &str, words: &[&str]) {
    let flags = ["run", "--name", name, "--network", "none", image, "payload"];
    env.ketch(&[&flags[..], words].concat()).ok();
}

/// Runs a payload in a container that goes.
fn look(env: &Env, image: &str, words: &[&str]) -> crate::harness::process::Output {
    let flags = ["run", "--rm", "--network", "none", image, "payload"];
    env.ketch(&[&flags[..], words].concat())
}

fn tar(flags: &[&str], file: &Path) -> String {
    let output = Command::new("tar").args(flags).arg(file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An image whose layers have what a commit has to know of.
fn layered(env: &Env) -> String {
    env.image(
        Image::base()
            .layer(
                Layer::new()
                    .dir("opt/", 0o755)
                    .file("opt/gone", 0o644, b"old")
                    .file("opt/kept", 0o644, b"old")
                    .dir("opt/dir/", 0o755)
                    .file("opt/dir/in", 0o644, b"old")
                    .owner(1000, 1000)
                    .file("opt/alices", 0o640, b"hers")
                    .symlink("opt/link", "alices"),
            )
            .layer(Layer::new().file("opt/second", 0o600, b"two")),
    )
}

cases! {
    fn changes_become_a_layer_that_runs_at_once(env) {
        let image = layered(env);
        run(env, "cc", &image, &["rm", "/opt/gone"]);
        env.file("new", "new");
        env.folder("dir");
        env.file("dir/other", "x");
        env.ketch(&["cp", &env.text("new"), "cc:/opt/kept"]).ok();
        env.ketch(&["cp", &env.text("dir"), "cc:/opt/more"]).ok();
        let output = env.ketch(&[
            "commit", "-a", "Ann <a@b>", "-m", "a note", "-c", "ENV ADDED=yes", "-c", "CMD [\"payload\", \"echo\", \"from commit\"]",
            "-c", "LABEL new=one", "-c", "WORKDIR /opt", "--iidfile", &env.text("work/iid"), "cc", "made:1",
        ]);
        let id = output.ok().trim().to_owned();
        assert!(id.starts_with("sha256:") && id.len() == 71, "{output}");
        assert_eq!(output.stderr, "");
        assert_eq!(fs::read_to_string(env.path("work/iid")).unwrap(), id);
        assert_eq!(look(env, "made:1", &["cat", "/opt/kept"]).ok(), "new");
        assert_eq!(look(env, "made:1", &["cat", "/opt/more/other"]).ok(), "x");
        look(env, "made:1", &["cat", "/opt/gone"]).exits(1);
        // With one id the kernel has no other owner to show; the export has.
        if env.identity != Some(Identity::Single) {
            look(env, "made:1", &["stat", "/opt/alices"]).says("1000");
        }
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", "made:1"]).ok(), "from commit");
        let inspected = env.ketch(&["image", "inspect", "made:1"]).json();
        let config = &inspected[0]["Config"];
        assert_eq!(config["WorkingDir"], "/opt");
        assert_eq!(config["Labels"]["new"], "one");
        assert_eq!(config["Labels"]["from"], "image");
        assert!(config["Env"].as_array().unwrap().contains(&"ADDED=yes".into()));
        assert_eq!(inspected[0]["Author"], "Ann <a@b>");
        assert_eq!(inspected[0]["RootFS"]["Layers"].as_array().unwrap().len(), 4);
        env.ketch(&["history", "--no-trunc", "made:1"]).says("a note").says("payload rm");
        env.ketch(&["image", "diff", "made:1"]).says("D /opt/gone").says("C /opt/kept").says("A /opt/more/other");
        env.ketch(&["system", "check"]).ok();
        // The same again is the same layer.
        env.ketch(&["commit", "cc", "made:2"]).ok();
        let layers = |name: &str| env.ketch(&["image", "inspect", name]).json()[0]["RootFS"]["Layers"].clone();
        assert_eq!(layers("made:1"), layers("made:2"));
        env.ketch(&["rm", "cc"]).ok();
        env.assert_clean();
    }

    fn nothing_changed_is_no_layer(env) {
        let image = layered(env);
        run(env, "cc", &image, &["true"]);
        assert_eq!(env.ketch(&["diff", "cc"]).ok(), "");
        env.ketch(&["commit", "cc", "same"]).ok();
        let layers = |name: &str| env.ketch(&["image", "inspect", name]).json()[0]["RootFS"]["Layers"].clone();
        assert_eq!(layers("same"), layers(&image));
        let id = env.ketch(&["commit", "-q", "cc"]).ok().trim().to_owned();
        look(env, &id, &["true"]).ok();
    }

    fn differences_are_dockers_lines(env) {
        let image = layered(env);
        let volume = env.folder("volume");
        env.ketch(&[
            "run", "--name", "cc", "--network", "none", "-v", &format!("{volume}:/mnt/deep/volume"), "--tmpfs", "/opt/scratch",
            &image, "payload", "rm", "/opt/gone",
        ]).ok();
        env.file("new", "new");
        env.ketch(&["cp", &env.text("new"), "cc:/opt/dir/new"]).ok();
        env.ketch(&["cp", &env.text("new"), "cc:/opt/kept"]).ok();
        let wanted = "C /opt\nC /opt/dir\nA /opt/dir/new\nD /opt/gone\nC /opt/kept";
        assert_eq!(env.ketch(&["diff", "cc"]).ok(), wanted);
        let json = env.ketch(&["container", "diff", "--format", "json", "cc"]).json();
        assert_eq!(json["deleted"][0], "/opt/gone");
        assert_eq!(json["added"][0], "/opt/dir/new");
        assert_eq!(json["changed"].as_array().unwrap().len(), 3);
        env.ketch(&["diff", "--format", "{{.}}", "cc"]).refused(&["json"]);
        env.ketch(&["diff", "none"]).fails(1, &["none"]);
        env.ketch(&["image", "diff", &image]).says("A /opt/second");
    }

    fn what_a_user_makes_is_that_users(env) {
        let image = layered(env);
        let user = ["-u", "1000:1000", "--network", "none"];
        env.ketch(&[&["run", "--name", "cc"], &user[..], &[&image, "payload", "write", "/home/alice/own", "x"]].concat()).ok();
        env.ketch(&["commit", "cc", "made:1"]).ok();
        env.ketch(&["create", "--name", "again", "made:1", "payload", "true"]).ok();
        for container in ["cc", "again"] {
            let archive = env.text(&format!("work/{container}.tar"));
            env.ketch(&["export", "--output", &archive, container]).ok();
            let list = tar(&["--numeric-owner", "-tvf"], Path::new(&archive));
            let owner = |name: &str| {
                let line = list.lines().find(|line| line.ends_with(name));
                line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default().to_owned()
            };
            // What is above it comes into the layer as the image has it.
            for (name, wanted) in [(" home/alice/own", "1000/1000"), (" home/alice/", "1000/1000"), (" home/", "0/0")] {
                assert_eq!(owner(name), wanted, "{name}: {list}");
            }
        }
    }

    fn an_export_is_the_merged_tree_with_its_owners(env) {
        let image = layered(env);
        run(env, "cc", &image, &["rm", "/opt/gone"]);
        let archive = env.text("work/c.tar");
        env.ketch(&["export", "--output", &archive, "cc"]).ok();
        let list = tar(&["--numeric-owner", "-tvf"], Path::new(&archive));
        let line = |name: &str| list.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
        assert!(line(" opt/alices").contains("-rw-r----- 1000/1000"), "{list}");
        assert!(line(" opt/link -> alices").contains(" 1000/1000 "), "{list}");
        assert!(line(" home/alice/").contains(" 1000/1000 "), "{list}");
        assert!(line(" bin/payload").contains(" 0/0 "), "{list}");
        assert!(!list.contains("opt/gone") && !list.contains(".wh."), "{list}");
        // As an image again, with the same content.
        let id = env.ketch(&["import", "-c", "ENTRYPOINT [\"/bin/payload\"]", "-m", "imported", &archive, "flat:1"]);
        assert!(id.ok().starts_with("sha256:"), "{id}");
        let output = env.ketch(&["run", "--rm", "--network", "none", "flat:1", "cat", "/opt/second"]);
        assert_eq!(output.ok(), "two");
        // Owners go through a layer and out again, also where the disk has one owner only.
        env.ketch(&["run", "--name", "again", "--network", "none", "flat:1", "true"]).ok();
        env.ketch(&["export", "-o", &archive, "again"]).ok();
        let list = tar(&["--numeric-owner", "-tvf"], Path::new(&archive));
        let line = |name: &str| list.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
        assert!(line(" opt/alices").contains("-rw-r----- 1000/1000"), "{list}");
        assert!(line(" opt/link -> alices").contains(" 1000/1000 "), "{list}");
        let bytes = fs::read(&archive).unwrap();
        env.ketch_with_input(&["import", "--platform", "linux/arm64", "-", "arm:1"], &bytes).ok();
        assert_eq!(env.ketch(&["image", "inspect", "arm:1"]).json()[0]["Architecture"], "arm64");
        env.ketch_with_input(&["import", "-", "bad:1"], b"not an archive").fails(1, &["archive"]);
        env.ketch_with_input(&["import", "-", "bad:1"], b"").refused(&["empty"]);
        env.ketch(&["import", &archive, "Bad:Name:"]).refused(&[]);
        env.ketch(&["import", "-c", "RUN x", &archive]).refused(&["RUN is not a valid change command"]);
        env.ketch(&["import", &env.text("none.tar")]).fails(1, &["none.tar"]);
    }

    fn a_running_container_is_exported_and_committed(env) {
        let image = env.base();
        let volume = env.folder("volume");
        env.file("volume/in", "not part of it");
        let running = env.spawn(&[
            "run", "--name", "rr", "--network", "none", "-v", &format!("{volume}:/data"), "-e", "SET=here", &image, "payload", "ready-then-wait",
        ]);
        running.stdout.wait_for("ready");
        env.file("new", "new");
        env.ketch(&["cp", &env.text("new"), "rr:/tmp/new"]).ok();
        let archive = env.text("work/r.tar");
        env.ketch(&["export", "-o", &archive, "rr"]).ok();
        let list = tar(&["-tf"], Path::new(&archive));
        assert!(list.contains("tmp/new\n") && !list.contains("data/in"), "{list}");
        assert!(!list.lines().any(|name| name.starts_with("proc/") && name.len() > 5), "{list}");
        for (flag, name) in [("--pause=true", "live:1"), ("--pause=false", "live:2"), ("--squash", "live:3")] {
            env.ketch(&["commit", flag, "rr", name]).ok();
            assert_eq!(look(env, name, &["cat", "/tmp/new"]).ok(), "new");
            look(env, name, &["cat", "/data/in"]).exits(1);
            look(env, name, &["env"]).says("SET=here");
        }
        let squashed = env.ketch(&["image", "inspect", "live:3"]).json();
        assert_eq!(squashed[0]["RootFS"]["Layers"].as_array().unwrap().len(), 1);
        assert!(running.is_running());
    }

    fn bad_commits_change_nothing(env) {
        let image = env.base();
        run(env, "cc", &image, &["true"]);
        env.ketch(&["commit", "none"]).fails(1, &["none"]);
        env.ketch(&["commit", "cc", "Bad Name"]).refused(&[]);
        env.ketch(&["commit", "-c", "FROM x", "cc"]).refused(&["FROM is not a valid change command"]);
        env.ketch(&["commit", "--pause", "--no-pause", "cc"]).refused(&["--no-pause"]);
        env.ketch(&["commit", "-f", "tar", "cc"]).refused(&[]);
        env.ketch(&["export", "none"]).fails(1, &["none"]);
        assert_eq!(env.ketch(&["images", "-q"]).ok().lines().count(), 1);
        env.ketch(&["rm", "cc"]).ok();
        env.assert_clean();
    }

    fn a_mount_is_for_root_and_says_so(env) {
        let image = env.base();
        run(env, "cc", &image, &["true"]);
        if env.identity != Some(Identity::Root) {
            env.ketch(&["container", "mount", "cc"]).fails(1, &["user namespace", "ketch cp"]);
            return;
        }
        let path = env.ketch(&["container", "mount", "cc"]).ok().trim().to_owned();
        assert!(fs::read_to_string(format!("{path}/etc/passwd")).unwrap().contains("alice"));
        fs::write(format!("{path}/tmp/new"), "through the mount").unwrap();
        assert_eq!(env.ketch(&["mount", "cc"]).ok().trim(), path);
        env.ketch(&["container", "mount"]).says(&path);
        assert_eq!(env.ketch(&["mount", "--format", "json"]).json()[0]["mountpoint"], path.as_str());
        env.ketch(&["umount", "cc"]).ok();
        assert!(!Path::new(&path).exists());
        assert_eq!(env.ketch(&["mount"]).ok(), "");
        env.ketch(&["unmount", "cc"]).ok();
        env.ketch(&["diff", "cc"]).says("A /tmp/new");
        // Removal ends it, also of one that runs.
        env.ketch(&["mount", "cc"]).ok();
        env.ketch(&["rm", "cc"]).ok();
        let running = env.spawn(&["run", "--name", "rr", "--network", "none", &image, "payload", "ready-then-wait"]);
        running.stdout.wait_for("ready");
        let path = env.ketch(&["mount", "rr"]).ok().trim().to_owned();
        assert!(Path::new(&path).join("etc/passwd").exists());
        env.ketch(&["mount", "none"]).fails(1, &["none"]);
        env.ketch(&["unmount", "--all"]).ok();
        env.ketch(&["mount", "--all"]).says(&path);
        env.ketch(&["rm", "-f", "rr"]).ok();
        drop(running);
        env.assert_clean();
    }
}

#[test]
fn umoci_reads_a_committed_layer() {
    require!("umoci", require::program("umoci"));
    Env::with(Identity::Root, |env| {
        let image = layered(env);
        run(env, "cc", &image, &["rm", "/opt/gone"]);
        env.file("new", "new");
        env.ketch(&["cp", &env.text("new"), "cc:/opt/kept"]).ok();
        let id = env
            .ketch(&["commit", "cc", "made:1"])
            .ok()
            .trim()
            .to_owned();
        assert!(id.starts_with("sha256:"));
        // The store is an OCI layout, and its index names the image.
        let index = fs::read_to_string(env.store().join("index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_str(&index).unwrap();
        let manifest = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["annotations"].to_string().contains("made:1"))
            .unwrap()
            .clone();
        let layout = env.path("layout");
        for folder in ["", "blobs", "blobs/sha256"] {
            fs::create_dir(layout.join(folder)).unwrap();
        }
        for name in env.stored("blobs/sha256") {
            fs::copy(
                env.store().join("blobs/sha256").join(&name),
                layout.join("blobs/sha256").join(&name),
            )
            .unwrap();
        }
        fs::write(
            layout.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )
        .unwrap();
        let mut row = manifest;
        row["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": "t"});
        fs::write(
            layout.join("index.json"),
            serde_json::json!({"schemaVersion": 2, "manifests": [row]}).to_string(),
        )
        .unwrap();
        let output = Command::new("umoci")
            .args(["unpack", "--image", &format!("{}:t", layout.display())])
            .arg(env.path("bundle"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let root = env.path("bundle/rootfs");
        assert_eq!(fs::read(root.join("opt/kept")).unwrap(), b"new");
        assert!(!root.join("opt/gone").exists());
        assert!(root.join("opt/second").exists());
    });
}
