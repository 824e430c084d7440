//! Volumes: named, without a name, of an image, and the commands on them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::events::called;
use crate::harness::process::Output;
use crate::harness::{Env, Identity, Image, Layer};

fn run(env: &Env, image: &str, flags: &[&str], payload: &[&str]) -> Output {
    let mut arguments = vec!["run", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image, "payload"]);
    arguments.extend(payload);
    env.ketch(&arguments)
}

fn names(env: &Env) -> Vec<String> {
    let output = env.ketch(&["volume", "ls", "-q"]);
    output.ok().lines().map(str::to_owned).collect()
}

/// An image with content at `/data`, which belongs to 7:8 but for one file.
fn filled(env: &Env) -> String {
    env.image(Image::base().layer(filling()))
}

fn filling() -> Layer {
    Layer::new()
        .dir("data", 0o750)
        .file("data/seed", 0o640, b"from the image")
        .symlink("data/link", "seed")
}

cases! {
    fn a_named_volume_outlives_its_containers(env) {
        env.payload(&["-v", "data:/mnt/data"], &["write", "/mnt/data/x", "kept"]).ok();
        assert_eq!(env.payload(&["-v", "data:/other"], &["cat", "/other/x"]).ok(), "kept");
        env.payload(&["-v", "data:/other:ro"], &["write", "/other/x", "no"]).exits(1).warns("ead-only");
        assert_eq!(env.payload(&["--mount", "src=data,dst=/other"], &["cat", "/other/x"]).ok(), "kept");
        assert_eq!(names(env), ["data"]);
        env.ketch(&["volume", "rm", "data"]).ok();
        assert!(names(env).is_empty());
        env.assert_clean();
    }

    fn an_empty_volume_gets_what_the_image_has_there(env) {
        let image = filled(env);
        assert_eq!(run(env, &image, &["--rm", "-v", "one:/data"], &["cat", "/data/link"]).ok(), "from the image");
        run(env, &image, &["--rm", "-v", "one:/data"], &["stat", "/data"]).says("dir 750");
        run(env, &image, &["--rm", "-v", "one:/data"], &["stat", "/data/seed"]).says("file 640");
        let asked = ["stat", "/data/seed"];
        let plain = run(env, &image, &["--rm"], &asked);
        assert_eq!(run(env, &image, &["--rm", "-v", "one:/data"], &asked).ok(), plain.ok());
        // What is there is never covered or filled up.
        run(env, &image, &["--rm", "-v", "one:/data"], &["write", "/data/seed", "changed"]).ok();
        assert_eq!(run(env, &image, &["--rm", "-v", "one:/data"], &["cat", "/data/seed"]).ok(), "changed");
        for flags in [["-v", "two:/data:nocopy"], ["--mount", "src=three,dst=/data,volume-nocopy"]] {
            run(env, &image, &["--rm", flags[0], flags[1]], &["cat", "/data/seed"]).exits(1);
        }
        // A bind is no volume.
        let folder = env.folder("bound");
        run(env, &image, &["--rm", "-v", &format!("{folder}:/data")], &["cat", "/data/seed"]).exits(1);
        env.ketch(&["volume", "rm", "one", "two", "three"]).ok();
        env.assert_clean();
    }

    fn anonymous_volumes_go_with_their_container(env) {
        let image = filled(env);
        assert_eq!(run(env, &image, &["--rm", "-v", "/data"], &["cat", "/data/seed"]).ok(), "from the image");
        assert!(names(env).is_empty());
        run(env, &image, &["--name", "box", "-v", "/data", "-v", "named:/n"], &["write", "/data/more", "x"]).ok();
        let all = names(env);
        let anonymous = all.iter().find(|name| name.len() == 64).expect("a volume without a name");
        let mounts = &env.ketch(&["inspect", "box"]).json()[0]["Mounts"];
        assert_eq!(mounts[0]["Name"], anonymous.as_str());
        assert_eq!(mounts[0]["Type"], "volume");
        // The data stays through a second start.
        env.ketch(&["start", "-a", "box"]).ok();
        assert_eq!(names(env), all);
        env.ketch(&["volume", "rm", anonymous]).fails(1, &["volume is in use"]);
        env.ketch(&["rm", "box"]).ok();
        assert_eq!(names(env), all);
        run(env, &image, &["--name", "box", "-v", "/data"], &["true"]).ok();
        env.ketch(&["rm", "-v", "box"]).ok();
        assert_eq!(names(env), all);
        env.ketch(&["volume", "prune", "-f"]).says(anonymous);
        assert_eq!(names(env), ["named"]);
        env.ketch(&["volume", "prune", "-f", "-a"]).says("named");
        assert!(names(env).is_empty());
        env.assert_clean();
    }

    fn an_image_can_ask_for_volumes(env) {
        let declared = serde_json::json!({"/data": {}, "/two/": {}});
        let image = env.image(Image::base().layer(filling()).set("Volumes", declared));
        run(env, &image, &["--name", "box", "-v", "named:/two"], &["write", "/data/more", "x"]).ok();
        assert_eq!(names(env).len(), 2);
        assert_eq!(env.ketch(&["volume", "ls", "-q", "-f", "dangling=true"]).ok(), "");
        let borrowed = run(env, &env.base(), &["--rm", "--volumes-from", "box"], &["cat", "/data/more"]);
        assert_eq!(borrowed.ok(), "x");
        assert_eq!(names(env).len(), 2, "a borrower takes nothing with it");
        env.ketch(&["rm", "-v", "box"]).ok();
        assert_eq!(names(env), ["named"]);
    }

    fn the_volumes_of_an_image_can_be_something_else(env) {
        let declared = serde_json::json!({"/data": {}});
        let image = env.image(Image::base().layer(filling()).set("Volumes", declared));
        let kind = |kind: &str| {
            let mounts = run(env, &image, &["--rm", "--image-volume", kind], &["cat", "/proc/self/mountinfo"]);
            let line = mounts.ok().lines().find(|line| line.split(' ').nth(4) == Some("/data"));
            line.map(|line| line.contains(" - tmpfs "))
        };
        assert_eq!([kind("ignore"), kind("tmpfs"), kind("bind")], [None, Some(true), Some(false)]);
        let tmpfs = ["--rm", "--image-volume", "tmpfs"];
        run(env, &image, &tmpfs, &["cat", "/data/seed"]).says("from the image");
        assert!(names(env).is_empty());
        run(env, &image, &["--image-volume", "other"], &["true"]).fails(125, &["other", "ignore"]);
        env.assert_clean();
    }

    fn an_image_is_mounted_and_not_changed(env) {
        let image = filled(env);
        let mount = |more: &str| format!("type=image,src={image},dst=/i{more}");
        env.payload(&["--mount", &mount("")], &["cat", "/i/data/link"]).says("from the image");
        env.payload(&["--mount", &mount("")], &["stat", "/i/data/seed"]).says("file 640");
        env.payload(&["--mount", &mount("")], &["write", "/i/x", "no"]).exits(1).warns("ead-only");
        let part = mount(",subpath=data");
        env.payload(&["--mount", &part], &["cat", "/i/seed"]).says("from the image");
        env.payload(&["--mount", &mount(",subpath=data/seed")], &["cat", "/i"]).says("from the image");
        // What is written is the container's, and stays with it.
        let writes = ["--name", "box", "--mount", &mount(",rw=true")];
        run(env, &env.base(), &writes, &["write", "/i/data/seed", "changed"]).ok();
        assert_eq!(env.ketch(&["inspect", "box"]).json()[0]["Mounts"][0]["Type"], "image");
        env.payload(&["--mount", &part], &["cat", "/i/seed"]).says("from the image");
        env.ketch(&["image", "rm", "-f", &image]).ok();
        env.ketch(&["image", "prune", "-af"]).ok();
        env.ketch(&["start", "-a", "box"]).ok();
        for (more, why) in [(",subpath=none", "nothing at /none"), (",subpath=data/seed,rw", "cannot be written")] {
            env.payload(&["--mount", &mount(more)], &["true"]).fails(125, &[why]);
        }
        env.payload(&["--pull", "never", "--mount", "type=image,src=none,dst=/i"], &["true"]).fails(125, &["none"]);
        env.ketch(&["rm", "box"]).ok();
        env.assert_clean();
    }

    fn volumes_have_records(env) {
        assert_eq!(env.ketch(&["volume", "create", "--label", "a=b", "data"]).ok(), "data");
        assert_eq!(env.ketch(&["volume", "create", "data"]).ok(), "data");
        env.ketch(&["volume", "create", "-d", "nodriver", "x1"]).fails(1, &["nodriver"]);
        env.ketch(&["volume", "create", "-o", "what=x", "x1"]).fails(1, &["what"]);
        env.ketch(&["volume", "create", "a/b"]).fails(1, &["a/b"]);
        let made = env.ketch(&["volume", "create"]).ok().to_owned();
        assert_eq!(made.len(), 64);
        let shown = env.ketch(&["volume", "inspect", "data"]).json();
        assert_eq!(shown[0]["Name"], "data");
        assert_eq!(shown[0]["Labels"]["a"], "b");
        assert_eq!(shown[0]["Driver"], "local");
        let place = shown[0]["Mountpoint"].as_str().unwrap();
        assert!(fs::metadata(place).unwrap().is_dir());
        env.ketch(&["volume", "ls"]).says("VOLUME NAME").says("local     data");
        assert_eq!(env.ketch(&["volume", "ls", "-q", "--filter", "label=a=b"]).ok(), "data");
        env.ketch(&["volume", "ls", "--filter", "nonsense=x"]).fails(1, &["nonsense"]);
        env.ketch(&["volume", "exists", "data"]).exits(0);
        env.ketch(&["volume", "exists", "nodata"]).exits(1);
        env.ketch(&["volume", "rm", "nodata", "data"]).fails(1, &["nodata"]);
        env.ketch(&["volume", "rm", "-f", "nodata", &made]).ok();
        assert!(names(env).is_empty());
    }

    fn options_of_a_volume_say_where_it_comes_from(env) {
        let folder = env.folder("host");
        let device = format!("device={folder}");
        env.ketch(&["volume", "create", "-o", "type=none", "-o", "o=bind", "-o", &device, "bound"]).ok();
        env.payload(&["-v", "bound:/b"], &["write", "/b/x", "y"]).ok();
        assert_eq!(fs::metadata(env.path("host/x")).unwrap().uid(), env.uid);
        env.ketch(&["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m", "temp"]).ok();
        assert_eq!(env.payload(&["-v", "temp:/t"], &["statfs", "/t"]).ok(), "bytes=1048576");
        let mount = "src=third,dst=/t,volume-opt=type=tmpfs,volume-opt=o=size=2m,volume-label=a=b";
        assert_eq!(env.payload(&["--mount", mount], &["statfs", "/t"]).ok(), "bytes=2097152");
        env.ketch(&["volume", "ls", "-q", "-f", "label=a=b"]).says("third");
        let mount = "src=fourth,dst=/t,volume-opt=type=nfs,volume-opt=device=:/x";
        env.payload(&["--mount", mount], &["true"]).fails(125, &["nfs"]);
        env.ketch(&["volume", "exists", "fourth"]).exits(1);
        env.ketch(&["volume", "rm", "bound", "temp", "third"]).ok();
        assert_eq!(fs::read_to_string(env.path("host/x")).unwrap(), "y");
    }

    fn a_tmpfs_belongs_to_an_id_that_the_container_has(env) {
        for (name, o) in [("mine", "o=uid=1000,gid=7,size=1m"), ("far", "o=gid=3000000000"), ("bad", "o=uid=me"), ("odd", "o=color=red")] {
            env.ketch(&["volume", "create", "-o", "type=tmpfs", "-o", o, name]).ok();
        }
        let stat = |name: &str| env.payload(&["-v", &format!("{name}:/t")], &["stat", "/t"]);
        stat("odd").refused(&["mount tmpfs with options", "color=red", "/t"]);
        stat("bad").refused(&["mount volume bad", "uid=me"]);
        match env.identity {
            Some(Identity::Single) => {
                stat("mine").refused(&["mount volume mine", "uid=1000", "the container's user ids are 0", "without uid="]);
            }
            _ => { stat("mine").says(" 1000:7"); }
        }
        if env.identity != Some(Identity::Root) {
            stat("far").refused(&["mount volume far", "gid=3000000000", "group ids are 0"]);
        }
        env.ketch(&["volume", "rm", "mine", "far", "bad", "odd"]).ok();
        env.assert_clean();
    }

    fn what_another_user_inside_owns_can_be_removed(env) {
        if env.identity == Some(Identity::Single) {
            return;
        }
        let image = filled(env);
        run(env, &image, &["--rm", "-v", "data:/data:U", "--user", "7:8"], &["write", "/data/own", "x"]).ok();
        run(env, &image, &["--rm", "-v", "data:/data"], &["stat", "/data/own"]).says(" 7:8");
        env.ketch(&["volume", "rm", "data"]).ok();
        assert!(names(env).is_empty());
        env.assert_clean();
    }

    fn part_of_a_volume_can_be_mounted_and_no_more(env) {
        env.payload(&["-v", "data:/d"], &["write", "/d/x", "top"]).ok();
        let image = env.image(Image::base().layer(filling().dir("data/sub", 0o755).symlink("data/out", "/etc")));
        run(env, &image, &["--rm", "-v", "two:/data"], &["write", "/data/sub/y", "below"]).ok();
        let mount = |path: &str| format!("src=two,dst=/m,volume-subpath={path}");
        assert_eq!(env.payload(&["--mount", &mount("sub")], &["cat", "/m/y"]).ok(), "below");
        assert_eq!(env.payload(&["--mount", &mount("seed")], &["cat", "/m"]).ok(), "from the image");
        for path in ["out", "none"] {
            env.payload(&["--mount", &mount(path)], &["true"]).fails(125, &[]);
        }
        env.payload(&["--mount", &mount("../sub")], &["true"]).refused(&["subpath"]);
        env.ketch(&["volume", "rm", "data", "two"]).ok();
        env.assert_clean();
    }

    fn changes_can_be_thrown_away(env) {
        env.payload(&["-v", "data:/d"], &["write", "/d/x", "kept"]).ok();
        env.payload(&["-v", "data:/d:O"], &["write", "/d/x", "gone"]).ok();
        assert_eq!(env.payload(&["-v", "data:/d"], &["cat", "/d/x"]).ok(), "kept");
        env.payload(&["-v", "none:/d:nocreate"], &["true"]).fails(125, &["none"]);
        env.payload(&["-v", "data:/d:shared"], &["true"]).refused(&["propagation"]);
        assert_eq!(names(env), ["data"]);
        env.ketch(&["volume", "rm", "data"]).ok();
        env.assert_clean();
    }

    fn content_comes_and_goes_as_an_archive(env) {
        let image = filled(env);
        run(env, &image, &["--rm", "-v", "one:/data"], &["write", "/data/own", "mine"]).ok();
        let archive = env.text("work/one.tar");
        env.ketch(&["volume", "export", "-o", &archive, "one"]).ok();
        env.ketch(&["volume", "import", "two", &archive]).fails(1, &["two"]);
        env.ketch(&["volume", "create", "two"]).ok();
        env.ketch(&["volume", "import", "two", &archive]).ok();
        assert_eq!(env.payload(&["-v", "two:/d"], &["cat", "/d/own"]).ok(), "mine");
        env.payload(&["-v", "two:/d"], &["stat", "/d/seed"]).says("file 640");
        let junk = env.file("work/junk", "no archive at all");
        env.ketch(&["volume", "import", "two", &junk]).fails(1, &[]);
        env.ketch(&["volume", "rm", "--all"]).ok();
        env.assert_clean();
    }

    fn other_commands_know_volumes(env) {
        let image = filled(env);
        run(env, &image, &["--name", "box", "-v", "one:/data", "-v", "/anonymous"], &["write", "/data/own", "mine"]).ok();
        env.ketch(&["cp", "box:/data/own", "copied"]).ok();
        assert_eq!(fs::read_to_string(env.path("work/copied")).unwrap(), "mine");
        assert_eq!(env.ketch(&["inspect", "--type", "volume", "one"]).json()[0]["Name"], "one");
        assert_eq!(env.ketch(&["inspect", "one"]).json()[0]["Driver"], "local");
        env.ketch(&["system", "df"]).says("Local Volumes   2         2");
        let events = env.ketch(&["events", "--since", "1h", "--until", "0s", "--filter", "type=volume", "--format", "{{.Action}}"]);
        assert_eq!(events.ok(), "create\ncreate");
        env.ketch(&["rm", "box"]).ok();
        env.ketch(&["system", "prune", "-f", "--volumes"]).says("Deleted Volumes");
        assert_eq!(names(env), ["one"]);
    }

    fn a_new_volume_is_the_users_for_podman_and_with_keep_id(env) {
        let image = filled(env);
        let write = |program: &str, flags: &[&str], path: &str| {
            let words = [&["run", "--rm", "--network", "none"], flags, &[&image, "payload", "write", path, "x"]];
            called(env, program, &words.concat())
        };
        let user = ["--user", "1000:1000"];
        write("podman", &[&user[..], &["-v", "new:/nowhere"]].concat(), "/nowhere/x").ok();
        // It stays with whom it was given to, and what the image has is the image's.
        write("podman", &["--user", "0", "-v", "new:/nowhere"], "/nowhere/y").ok();
        write("podman", &[&user[..], &["-v", "new:/nowhere"]].concat(), "/nowhere/z").ok();
        if env.identity != Some(Identity::Single) {
            write("podman", &[&user[..], &["-v", "data:/data"]].concat(), "/data/x").exits(1);
            write("docker", &[&user[..], &["-v", "other:/nowhere"]].concat(), "/nowhere/x").exits(1);
        }
        write("ketch", &["--userns", "keep-id", "-v", "kept:/nowhere"], "/nowhere/x").ok();
    }

    fn one_of_many_at_once_fills_a_volume(env) {
        let image = filled(env);
        run(env, &image, &["--rm"], &["true"]).ok();
        let arguments = ["run", "--rm", "--network", "none", "-v", "data:/data", &image, "payload", "cat", "/data/seed"];
        let all: Vec<_> = (0..4).map(|_| env.spawn(&arguments)).collect();
        for one in all {
            assert_eq!(one.finish().ok(), "from the image");
        }
        env.ketch(&["volume", "rm", "data"]).ok();
        env.assert_clean();
    }

    fn a_container_with_ids_of_its_own_shares_volumes(env) {
        if env.identity != Some(Identity::Root) {
            return;
        }
        let image = filled(env);
        let own = run(env, &image, &["--rm", "--userns", "auto", "-v", "data:/data"], &["cat", "/data/seed"]);
        if own.code() == 125 && own.stderr.contains("id-mapped") {
            return;
        }
        assert_eq!(own.ok(), "from the image");
        run(env, &image, &["--rm", "--userns", "auto", "-v", "data:/data"], &["write", "/data/x", "y"]).ok();
        run(env, &image, &["--rm", "-v", "data:/data"], &["stat", "/data/x"]).says(" 0:0");
        env.ketch(&["volume", "rm", "data"]).ok();
        env.assert_clean();
    }
}
