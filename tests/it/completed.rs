//! What a container's `/etc` and its scratch places are completed with: users that the image does
//! not know, names of the host, writable places of a read-only root.

use crate::events::called;
use crate::harness::process::Output;
use crate::harness::{Env, Image, Layer};

/// Base image with a user and a group, and files of them.
fn image(env: &Env) -> String {
    let layer = Layer::new()
        .dir("etc/", 0o755)
        .file(
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\n",
        )
        .file("etc/group", 0o644, b"root:x:0:\nwww:x:33:web")
        .file("etc/hostname", 0o644, b"of-the-image\n");
    env.image(Image::base().layer(layer))
}

fn run(env: &Env, flags: &[&str], words: &[&str]) -> Output {
    let image = image(env);
    let mut arguments = vec!["run", "--rm", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(words);
    env.ketch(&arguments)
}

cases! {
    fn a_number_without_a_line_gets_one_when_asked(env) {
        let passwd = |flags: &[&str]| run(env, flags, &["cat", "/etc/passwd"]).ok().to_owned();
        let group = |flags: &[&str]| run(env, flags, &["cat", "/etc/group"]).ok().to_owned();
        // docker does not; podman does unless told not to.
        assert!(!passwd(&["-u", "4242"]).contains("4242"));
        assert!(passwd(&["--passwd", "-u", "4242", "-w", "/tmp"]).ends_with("\n4242:*:4242:0:container user:/tmp:/bin/sh"));
        assert!(!passwd(&["--passwd", "-u", "web"]).contains('*'));
        assert!(!passwd(&["--passwd", "-u", "33"]).contains('*'));
        assert!(!passwd(&["--passwd"]).contains('*'));
        assert!(group(&["--passwd", "-u", "4242:4243"]).ends_with("www:x:33:web\n4243:x:4243:4242"));
        let own = passwd(&["-u", "4242:33", "--passwd-entry", "x$UID:*:$UID:$GID:$NAME:/home/$USERNAME:/none"]);
        assert!(own.ends_with("x4242:*:4242:33:container user:/home/4242:/none"), "{own}");
        let own = group(&["-u", "4242:77", "--group-entry", "g$GROUPNAME:x:$GID:$USERLIST"]);
        assert!(own.ends_with("g77:x:77:4242"), "{own}");
        assert!(!passwd(&["--passwd=false", "-u", "4242", "--passwd-entry", "x"]).contains('x'.to_string().repeat(2).as_str()));
        run(env, &["--passwd-entry", "two\nlines"], &["true"]).fails(125, &["--passwd-entry"]);
        env.assert_clean();
    }

    fn users_of_the_host_are_known_inside(env) {
        let passwd = run(env, &["--hostuser", "daemon", "--hostuser", "0"], &["cat", "/etc/passwd"]);
        assert!(passwd.ok().contains("\ndaemon:*:1:1:daemon:"), "{passwd}");
        assert_eq!(passwd.stdout.matches(":0:0:").count(), 1, "{passwd}");
        let group = run(env, &["--hostuser", "daemon"], &["cat", "/etc/group"]);
        assert!(group.ok().contains("\ndaemon:x:1:"), "{group}");
        run(env, &["--hostuser", "nobody-knows"], &["true"]).fails(125, &["nobody-knows", "--hostuser"]);
        env.assert_clean();
    }

    fn names_of_the_machine_can_be_left_and_given(env) {
        assert_eq!(run(env, &["--no-hostname"], &["cat", "/etc/hostname"]).ok(), "of-the-image");
        assert_ne!(run(env, &[], &["cat", "/etc/hostname"]).ok(), "of-the-image");
        run(env, &["--no-hostname", "--hostname", "x"], &["true"]).fails(125, &["--no-hostname"]);
        let flags = ["--hostname", "one", "--domainname", "example.org"];
        assert_eq!(run(env, &flags, &["cat", "/proc/sys/kernel/domainname"]).ok(), "example.org");
        let hosts = run(env, &flags, &["cat", "/etc/hosts"]);
        assert!(hosts.ok().contains("\tone.example.org one\n") || hosts.stdout.ends_with("one.example.org one\n"), "{hosts}");
        run(env, &["--domainname", "a b"], &["true"]).fails(125, &["--domainname"]);
        env.assert_clean();
    }

    fn a_read_only_root_can_have_scratch_places(env) {
        let write = |flags: &[&str], path: &str| {
            let mut all = vec!["--read-only"];
            all.extend(flags);
            run(env, &all, &["write", path, "x"])
        };
        write(&[], "/tmp/x").exits(1);
        for path in ["/tmp/x", "/run/x", "/var/tmp/x"] {
            write(&["--read-only-tmpfs"], path).ok();
            write(&["--read-only-tmpfs=false"], path).exits(1);
        }
        write(&["--read-only-tmpfs"], "/x").exits(1);
        let own = env.folder("work/own");
        write(&["--read-only-tmpfs", "-v", &format!("{own}:/tmp")], "/tmp/kept").ok();
        assert!(env.path("work/own/kept").exists());
        let podman = |arguments: &[&str]| called(env, "podman", arguments);
        podman(&["run", "--rm", "--network", "none", "--read-only", &image(env), "payload", "write", "/run/x", "y"]).ok();
        podman(&["run", "--rm", "--network", "none", "--read-only", "--read-only-tmpfs=false", &image(env), "payload", "write", "/run/x", "y"]).exits(1);
        let completed = podman(&["run", "--rm", "--network", "none", "-u", "4242", &image(env), "payload", "cat", "/etc/passwd"]);
        assert!(completed.ok().contains("container user"), "{completed}");
        env.assert_clean();
    }

    fn what_the_storage_and_the_machine_cannot_give_is_said(env) {
        run(env, &["--storage-opt", "size=1G"], &["true"]).fails(125, &["--storage-opt", "quota"]);
        run(env, &["--device-cgroup-rule", "c 1:3 rwm"], &["true"]).exits(0).warns("not enforced");
        run(env, &["--strict", "--device-cgroup-rule", "c 1:3 rwm"], &["true"]).fails(125, &["--device-cgroup-rule"]);
        run(env, &["--device-cgroup-rule", "c 1:3"], &["true"]).fails(125, &["TYPE MAJOR:MINOR ACCESS"]);
        let image = image(env);
        let created = env.ketch(&["create", "--name", "ruled", "--network", "none", "--device-cgroup-rule", "c 1:3 rwm", &image, "payload"]);
        assert_eq!(created.exits(0).warns("not enforced").code(), 0);
        let shown = env.ketch(&["inspect", "ruled", "--format", "{{json .HostConfig.DeviceCgroupRules}}"]);
        assert_eq!(shown.ok(), r#"["c 1:3 rwm"]"#);
        env.ketch(&["rm", "ruled"]).ok();
        env.assert_clean();
    }
}

cases! {
    fn systemd_finds_what_it_needs(env) {
        let places = |flags: &[&str]| run(env, flags, &["mounts"]).ok().to_owned();
        let mounted = |text: &str, place: &str| text.lines().find(|line| line.split(' ').nth(4) == Some(place)).map(str::to_owned);
        let always = places(&["--systemd=always"]);
        for place in ["/run", "/run/lock", "/tmp", "/var/log/journal"] {
            assert!(mounted(&always, place).is_some_and(|line| line.contains("tmpfs")), "{place}: {always}");
        }
        if let Some(line) = mounted(&always, "/sys/fs/cgroup") {
            assert!(line.contains(" rw,"), "{line}");
        } else {
            run(env, &["--systemd=always"], &["true"]).exits(0).warns("version 1");
        }
        assert!(run(env, &["--systemd=always"], &["env"]).ok().contains("container=oci"));
        // The payload is not systemd.
        for flags in [&[][..], &["--systemd"], &["--systemd=true"], &["--systemd=false"]] {
            assert_eq!(mounted(&places(flags), "/run/lock"), None, "{flags:?}");
        }
        run(env, &["--systemd=perhaps"], &["true"]).fails(125, &["--systemd", "perhaps"]);
        // What is called so is, and podman looks by itself.
        let image = env.image(Image::base().layer(Layer::new().dir("sbin", 0o755).symlink("sbin/init", "/payload")));
        let create = |program: &str, flags: &[&str]| {
            let mut arguments = vec!["create", "--name", "booted", "--network", "none"];
            arguments.extend(flags);
            arguments.extend([image.as_str(), "/sbin/init"]);
            called(env, program, &arguments).exits(0);
            let signal = env.ketch(&["inspect", "-f", "{{.Config.StopSignal}}", "booted"]).ok().to_owned();
            env.ketch(&["rm", "booted"]).ok();
            signal
        };
        assert_eq!(create("podman", &[]), "SIGRTMIN+3");
        assert_eq!(create("podman", &["--systemd=false"]), "SIGTERM");
        assert_eq!(create("podman", &["--stop-signal", "SIGINT"]), "SIGINT");
        assert_eq!(create("docker", &[]), "SIGTERM");
        assert_eq!(create("docker", &["--systemd"]), "SIGRTMIN+3");
        env.assert_clean();
    }
}
