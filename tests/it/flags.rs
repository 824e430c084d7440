//! Flags of `run` and `create` that change what a container is given: time zone, proxies,
//! descriptors, names, other containers' mounts.

use crate::events::called;
use crate::harness::{Env, Image, Layer, eventually};

fn inspect(env: &Env, name: &str) -> serde_json::Value {
    env.ketch(&["container", "inspect", name]).json()[0].clone()
}

cases! {
    fn a_time_zone_is_the_hosts_file(env) {
        let zone = std::fs::read("/usr/share/zoneinfo/Asia/Tokyo");
        require!("the host's zoneinfo", zone.is_ok());
        let output = env.payload(&["--tz", "Asia/Tokyo"], &["stat", "/etc/localtime"]);
        assert!(output.ok().contains(&format!("size={} ", zone.unwrap().len())), "{output}");
        // Links of the host's: its own zone, and one of the old names.
        for zone in ["local", "GMT"] {
            env.payload(&["--tz", zone], &["stat", "/etc/localtime"]).ok();
        }
        // An image whose own is a link.
        let linked = env.image(Image::base().layer(Layer::new().dir("etc/", 0o755).symlink("etc/localtime", "/usr/share/zoneinfo/UTC")));
        env.ketch(&["run", "--rm", "--network", "none", "--tz", "Asia/Tokyo", &linked, "payload", "cat", "/etc/localtime"]);
        env.payload(&["--tz", "Atlantis/Capital"], &["true"]).fails(125, &["Atlantis"]);
        env.payload(&["--tz", "../../etc/passwd"], &["true"]).fails(125, &["--tz"]);
        env.assert_clean();
    }

    fn proxies_are_dockers_or_the_callers(env) {
        let image = env.base();
        env.folder(".docker");
        env.file(".docker/config.json", r#"{"proxies": {"default": {"httpProxy": "http://file", "noProxy": "here"}}}"#);
        let run = |program: &str, flags: &[&str]| {
            let mut command = env.program(program);
            command.env("HTTPS_PROXY", "http://own").args(["run", "--rm", "--network", "none"]);
            command.args(flags).args([image.as_str(), "payload", "env"]);
            String::from_utf8(command.output().unwrap().stdout).unwrap()
        };
        let ketch = env!("CARGO_BIN_EXE_ketch");
        let docker = run(ketch, &[]);
        assert!(docker.contains("HTTP_PROXY=http://file\n") && docker.contains("http_proxy=http://file\n"), "{docker}");
        assert!(docker.contains("NO_PROXY=here") && !docker.contains("http://own"), "{docker}");
        let both = run(ketch, &["--http-proxy", "-e", "HTTP_PROXY=mine"]);
        assert!(both.contains("HTTP_PROXY=mine\n") && both.contains("HTTPS_PROXY=http://own\n"), "{both}");
        assert!(!run(ketch, &["--http-proxy=false"]).contains("PROXY"));
        let podman = env.path("podman");
        std::os::unix::fs::symlink(ketch, &podman).unwrap();
        let podman = run(podman.to_str().unwrap(), &[]);
        assert!(podman.contains("HTTPS_PROXY=http://own\n") && !podman.contains("http://file"), "{podman}");
        env.assert_clean();
    }

    fn descriptors_are_passed_on_when_asked(env) {
        let image = env.base();
        let run = |flags: &[&str]| {
            let mut command = env.program("/bin/sh");
            command.arg("-c").arg("exec 3</dev/zero 4</dev/full 9</dev/random; exec \"$0\" run -q --network none \"$@\"");
            command.arg(env!("CARGO_BIN_EXE_ketch")).args(flags).args([image.as_str(), "payload", "fds"]);
            let output = command.output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8(text).unwrap())
        };
        let extra = |text: &str| text.lines().filter(|line| !["0 ", "1 ", "2 "].iter().any(|own| line.starts_with(own))).count();
        for flags in [&["--rm"][..], &["--rm", "--init"], &["--name", "kept"]] {
            let mut more = flags.to_vec();
            more.extend(["--preserve-fds", "2"]);
            let (code, text) = run(&more);
            assert_eq!((code, extra(&text)), (Some(0), 2), "{text}");
            assert!(text.contains("\n3 /dev/zero") && text.contains("\n4 /dev/full"), "{text}");
        }
        let (_, text) = run(&["--rm", "--preserve-fd", "9"]);
        assert!(extra(&text) == 1 && text.contains("\n9 /dev/random"), "{text}");
        assert_eq!(extra(&run(&["--rm"]).1), 0);
        let (code, text) = run(&["--rm", "--preserve-fds", "3"]);
        assert!(code == Some(125) && text.contains("descriptor 5 is not open"), "{text}");
        assert_eq!(run(&["--rm", "--preserve-fd", "2"]).0, Some(125));
        env.ketch(&["rm", "kept"]).ok();
        env.assert_clean();
    }

    fn the_images_hosts_file_can_stay(env) {
        let image = env.image(Image::base().layer(Layer::new().dir("etc/", 0o755).file("etc/hosts", 0o644, b"192.0.2.1 mine\n")));
        let run = |flags: &[&str]| {
            let mut arguments = vec!["run", "--rm", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "cat", "/etc/hosts"]);
            env.ketch(&arguments)
        };
        assert_eq!(run(&["--no-hosts"]).ok(), "192.0.2.1 mine");
        assert!(!run(&[]).ok().contains("mine"));
        run(&["--no-hosts", "--add-host", "x:192.0.2.2"]).fails(125, &["--no-hosts", "--add-host"]);
    }

    fn other_containers_mounts_are_taken_over(env) {
        let image = env.base();
        let (one, two) = (env.folder("work/one"), env.folder("work/two"));
        env.file("work/one/file", "from one");
        env.file("work/two/file", "from two");
        let create = |name: &str, flags: &[&str]| {
            let mut arguments = vec!["create", "--name", name, "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "true"]);
            env.ketch(&arguments).ok();
        };
        create("first", &["-v", &format!("{one}:/data"), "-v", &format!("{one}:/only"), "--tmpfs", "/scratch"]);
        create("second", &["-v", &format!("{two}:/data")]);
        let run = |flags: &[&str], payload: &[&str]| {
            let mut arguments = vec!["run", "--rm", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload"]);
            arguments.extend(payload);
            env.ketch(&arguments)
        };
        assert_eq!(run(&["--volumes-from", "first"], &["cat", "/data/file"]).ok(), "from one");
        run(&["--volumes-from", "first"], &["write", "/scratch/x", "y"]).ok();
        assert_eq!(run(&["--volumes-from", "first", "--volumes-from", "second"], &["cat", "/data/file", "/only/file"]).ok(), "from twofrom one");
        assert_eq!(run(&["--volumes-from", "second", "-v", &format!("{one}:/data")], &["cat", "/data/file"]).ok(), "from one");
        run(&["--volumes-from", "first:ro"], &["write", "/data/new", "x"]).exits(1).warns("ead-only");
        run(&["--volumes-from", "nobody"], &["true"]).fails(125, &["nobody"]);
        run(&["--volumes-from", "first:rx"], &["true"]).fails(125, &["--volumes-from"]);
        run(&["--volumes-from", ":ro"], &["true"]).fails(125, &["--volumes-from"]);
        create("third", &["--volumes-from", "first:ro"]);
        let found = inspect(env, "third");
        assert_eq!(found["HostConfig"]["VolumesFrom"], serde_json::json!(["first:ro"]));
        assert_eq!(found["Mounts"].as_array().unwrap().len(), 2, "{found}");
        env.ketch(&["rm", "first", "second", "third"]).ok();
        env.assert_clean();
    }

    fn what_is_version_ones_alone_is_said(env) {
        let output = env.payload(&["--oom-kill-disable", "--memory-swappiness", "10"], &["true"]);
        output.ok();
        output.warns("--oom-kill-disable").warns("--memory-swappiness");
        env.payload(&["--strict", "--memory-swappiness", "10"], &["true"]).fails(125, &["--memory-swappiness"]);
        env.payload(&["--memory-swappiness", "101"], &["true"]).fails(125, &["--memory-swappiness"]);
        assert!(!env.payload(&["--memory-swappiness", "-1"], &["true"]).stderr.contains("swappiness"));
        env.assert_clean();
    }

    fn an_image_can_go_with_its_container(env) {
        let run = |image: &str, flags: &[&str]| {
            let mut arguments = vec!["run", "--rmi", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image, "payload", "true"]);
            env.ketch(&arguments)
        };
        let image = env.image(Image::base().layer(Layer::new().file("one", 0o644, b"1")));
        run(&image, &[]).ok();
        assert!(!env.ketch(&["images", "-q"]).ok().contains(&image));
        env.ketch(&["image", "exists", &image]).exits(1);
        // Another container has it.
        let image = env.image(Image::base().layer(Layer::new().file("two", 0o644, b"2")));
        env.ketch(&["create", "--name", "holds", "--network", "none", &image, "payload"]).ok();
        run(&image, &[]).exits(0).warns("--rmi: image");
        env.ketch(&["rm", "holds"]).ok();
        let id = run(&image, &["-d"]);
        env.ketch(&["wait", id.ok()]);
        eventually("the image to be gone", || env.ketch(&["image", "exists", &image]).code() == 1);
        run("/", &["--rootfs"]).fails(125, &["--rmi", "--rootfs"]);
        run(&image, &["--restart", "always"]).fails(125, &["--restart"]);
        env.assert_clean();
    }

    fn what_a_container_requires_is_started_first(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "base", "--network", "none", "--init", &image, "payload", "sleep-forever"]).ok();
        env.ketch(&["create", "--name", "mid", "--network", "none", "--init", "--requires", "base", &image, "payload", "sleep-forever"]).ok();
        let status = |name: &str| env.ketch(&["inspect", "-f", "{{.State.Status}}", name]).ok().to_owned();
        assert_eq!(status("base"), "created");
        env.ketch(&["run", "--rm", "--network", "none", "--requires", "mid,base", &image, "payload", "true"]).ok();
        assert_eq!((status("base").as_str(), status("mid").as_str()), ("running", "running"));
        env.ketch(&["run", "--rm", "--requires", "nobody", &image, "payload", "true"]).fails(125, &["nobody"]);
        env.ketch(&["rm", "-f", "base", "mid"]).ok();
        env.assert_clean();
    }

    fn usual_names_of_a_runtime_are_the_built_in_one(env) {
        for name in ["ketch", "runc", "crun", "io.containerd.runc.v2"] {
            env.payload(&["--runtime", name], &["true"]).ok();
        }
        env.payload(&["--runtime", "kata"], &["true"]).fails(125, &["--runtime", "kata", "no other runtime"]);
        env.assert_clean();
    }

    fn who_only_types_is_told_the_id(env) {
        let image = env.base();
        let run = |flags: &[&str], input: &[u8]| {
            let mut arguments = vec!["run", "--name", "typed", "--network", "none", "-a", "stdin"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "payload", "cat"]);
            env.ketch_with_input(&arguments, input)
        };
        let output = run(&["-i"], b"what is typed\n");
        assert_eq!(output.ok(), env.ketch(&["inspect", "-f", "{{.Id}}", "typed"]).ok());
        env.ketch(&["wait", "typed"]).ok();
        assert_eq!(env.ketch(&["logs", "typed"]).ok(), "what is typed");
        env.ketch(&["rm", "typed"]).ok();
        // Without -i nothing can be typed.
        assert_eq!(run(&[], b"nothing").ok().len(), 64);
        env.ketch(&["wait", "typed"]).ok();
        assert_eq!(env.ketch(&["logs", "typed"]).ok(), "");
        env.ketch(&["rm", "typed"]).ok();
        env.assert_clean();
    }

    fn a_volumes_users_have_time_to_end(env) {
        let podman = |arguments: &[&str]| called(env, "podman", arguments);
        let _ran = env.ketch(&["run", "-d", "--name", "uses", "--network", "none", "-v", "data:/data", &env.base(), "payload", "wait-signal", "SIGTERM"]).ok().to_owned();
        podman(&["volume", "rm", "-t", "5", "data"]).fails(125, &["--force"]);
        podman(&["volume", "rm", "-f", "-t", "soon", "data"]).fails(125, &["--time", "soon"]);
        assert_eq!(podman(&["volume", "rm", "-f", "-t", "20", "data"]).ok(), "data");
        env.assert_clean();
    }
}
