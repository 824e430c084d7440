//! The lower rungs of the ladders: a store where the kernel refuses an overlay, and root of a user
//! namespace that somebody else made.

use std::path::Path;
use std::process::Command;

use nix::unistd::geteuid;

use crate::harness::env::executable;
use crate::harness::process::{Output, Running};
use crate::harness::{Env, Identity, Image, Layer, require};

/// An image whose upper layer deletes, replaces and empties.
fn layered() -> Image {
    let lower = Layer::new()
        .dir("kept", 0o750)
        .file("kept/old", 0o640, b"old")
        .dir("emptied", 0o755)
        .file("emptied/old", 0o644, b"old")
        .file("gone", 0o644, b"gone")
        .file("replaced", 0o644, b"old")
        .owner(5, 6)
        .file("kept/five", 0o600, b"five's")
        .symlink("kept/link", "old");
    let upper = Layer::new()
        .file("kept/new", 0o644, b"new")
        .file("emptied/.wh..wh..opq", 0o644, b"")
        .file("emptied/new", 0o644, b"new")
        .file(".wh.gone", 0o644, b"")
        .file("replaced", 0o644, b"new");
    Image::base().layer(lower).layer(upper)
}

/// Makes the store of the world an overlay, which cannot carry another one's writable layer, in
/// a mount namespace of its own, and runs `script` there as the user of the world.
fn on_overlay(env: &Env, script: &str) -> Output {
    const PREPARE: &str = "set -e; home=$1; user=$2; group=$3; shift 3
        mkdir -p $home/under/lower $home/under/upper $home/under/work $home/store
        mount -t overlay overlay \
            -o lowerdir=$home/under/lower,upperdir=$home/under/upper,workdir=$home/under/work \
            $home/store
        chown $user:$group $home/store
        exec setpriv --reuid $user --regid $group --clear-groups \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            PREPARE,
            "sh",
        ])
        .args([
            env.path("").to_str().unwrap().trim_end_matches('/'),
            &env.uid.to_string(),
            &env.gid.to_string(),
            "sh",
            "-c",
            script,
        ])
        .current_dir(env.path("work"))
        .env_clear()
        .envs(env.variables.iter().map(|(key, value)| (key, value)))
        .env("KETCH", executable())
        .env("RUN", "run --network none");
    Running::start(command).finish()
}

cases! {
    fn where_the_kernel_refuses_an_overlay_a_copy_serves(env) {
        // An ordinary user cannot make such a place, and finds none: that is no gap here.
        if geteuid().as_raw() != 0 {
            return;
        }
        let image = env.image(layered());
        let script = format!(
            "set -e
            $KETCH $RUN --rm {image} payload ls /
            $KETCH $RUN --rm {image} payload ls /emptied
            $KETCH $RUN --rm {image} payload stat /kept /kept/old /kept/five /kept/link
            $KETCH $RUN --rm {image} payload cat /replaced
            $KETCH $RUN --name copied {image} payload write /kept/mine text
            $KETCH ps -a --format '{{{{.Names}}}} {{{{.Status}}}}'
            ls store/containers/*/copy/kept
            $KETCH rm copied
            ! $KETCH $RUN --strict --rm {image} payload true
            ls -A store/containers store/trash store/tmp
            $KETCH doctor --format json || true",
        );
        let output = on_overlay(env, &script.replace(" store/", &format!(" {}/", env.text("store"))));
        output.warns("the container runs on a copy of its image").warns("run with --strict");
        let seen = output.ok();
        for word in ["five", "new", " dir 750 ", " file 640 ", "copied Exited (0)", "mine"] {
            assert!(seen.contains(word), "no {word:?} in {output}");
        }
        let listed: Vec<&str> = seen.lines().take_while(|line| !line.starts_with("/kept")).collect();
        assert!(!listed.contains(&"gone") && !listed.contains(&"old"), "{output}");
        assert!(seen.contains("\"rootfs\":\"copy\""), "{output}");
        // Nothing of a container is left, in the directories listed one after the other.
        let after = &seen[seen.find("store/containers:").unwrap()..];
        assert!(after.contains("containers:\nnames\n"), "{output}");
    }

    fn more_layers_than_the_kernel_lays_are_served_by_a_program(env) {
        require!("fuse-overlayfs", require::program("fuse-overlayfs"));
        require!("/dev/fuse", Path::new("/dev/fuse").exists());
        // overlay(5) takes 500 lower directories.
        let mut image = layered();
        for number in 0..500 {
            let name = format!("many/{number}");
            image = image.layer(Layer::new().file(&name, 0o644, name.as_bytes()));
        }
        let image = env.image(image);
        let output = env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "statfs", "/"]);
        // The program keeps attributes that `single` needs to itself.
        let rung = match env.identity {
            Some(Identity::Single) => "a copy of its image",
            _ => "fuse-overlayfs serves",
        };
        output.warns(rung);
        let run = |words: &[&str]| {
            let mut all = vec!["run", "--rm", "--network", "none", &image, "payload"];
            all.extend(words);
            env.ketch(&all)
        };
        let listed = run(&["ls", "/"]);
        let listed: Vec<&str> = listed.ok().lines().collect();
        assert!(listed.contains(&"kept") && !listed.contains(&"gone"), "{listed:?}");
        assert_eq!(run(&["ls", "/emptied"]).ok(), "new");
        assert_eq!(run(&["cat", "/many/499"]).ok(), "many/499");
        run(&["stat", "/kept"]).says(" dir 750 ");
        run(&["write", "/kept/mine", "text"]).ok();
        run(&["chown", "/kept/old", "7", "8"]).ok();
        env.ketch(&["run", "--rm", "--strict", "--network", "none", &image, "payload", "true"])
            .refused(&[rung]);
        env.assert_clean();
        // The program ends with the container.
        let home = env.text("store");
        crate::harness::eventually("no program is left", || serving(&home) == 0);
    }
}

/// How many processes have `path` in their command line or work in it.
fn serving(path: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.starts_with("fuse-overlayfs") && line.contains(path)
        })
        .count()
}

#[test]
fn root_of_anothers_user_namespace_is_an_ordinary_user_with_a_range() {
    Env::with(Identity::Subid, |env| {
        require!("unshare", require::program("unshare"));
        let image = env.image(layered());
        let inside = |arguments: &[&str]| {
            let mut command = env.program("unshare");
            command
                .args(["--user", "--map-root-user", "--map-auto", "--mount"])
                .arg(executable())
                .args(arguments)
                .env_remove("KETCH_IDENTITY");
            Running::start(command).finish()
        };
        let run = |words: &[&str]| {
            let mut all = vec!["run", "--rm", "--network", "none", &image, "payload"];
            all.extend(words);
            inside(&all)
        };
        run(&["stat", "/kept/five"]).says(" 5:6");
        run(&["ls", "/emptied"]).says("new");
        run(&["cat", "/proc/self/uid_map"]).says("1          1");
        // A device is the host's, bound: a node could not be made.
        run(&["write", "/dev/null", "text"]).ok();
        inside(&[
            "run",
            "--name",
            "kept",
            "-u",
            "7",
            "--network",
            "none",
            &image,
            "payload",
            "id",
        ])
        .says("uid=7");
        inside(&["ps", "-a", "--format", "{{.Names}}"]).says("kept");
        inside(&["rm", "kept"]).ok();
        assert_eq!(
            inside(&["info", "--format", "{{.IdentityMode}}"]).ok(),
            "subid"
        );
        let report = inside(&["doctor", "--format", "json"]).json();
        assert_eq!(report["identity"], "subid", "{report}");
        // What belongs to others is removed from inside, where they are known.
        inside(&["system", "prune", "--all", "--force"]).ok();
        env.assert_clean();
    });
}

#[test]
fn a_directory_of_others_under_ids_of_its_own_is_explained() {
    Env::with(Identity::Root, |env| {
        let tree = env.folder("tree");
        let arguments = [
            "run",
            "--rm",
            "--network",
            "none",
            "--userns",
            "auto",
            "--rootfs",
            &tree,
            "/x",
        ];
        env.ketch(&arguments)
            .refused(&["permission denied", "ids that this container does not have"]);
        env.assert_clean();
    });
}
