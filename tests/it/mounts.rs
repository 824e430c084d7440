//! `run`: binds, temporary file systems, the container's own mounts and devices.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::events::called;
use crate::harness::{Identity, Image, Layer};

cases! {
    fn a_tmpfs_begins_as_its_place_is(env) {
        let layer = Layer::new().dir("srv/", 0o750).file("srv/text", 0o644, b"of the image");
        let image = env.image(Image::base().layer(layer));
        let shown = |program: &str, flags: &[&str], words: &[&str]| {
            let line = [&["run", "--rm", "--network", "none"], flags, &[&image, "payload"], words].concat();
            called(env, program, &line).ok().to_owned()
        };
        let mount = ["--mount", "type=tmpfs,dst=/srv"];
        // podman copies what the image has, docker does not.
        for flags in [["--tmpfs", "/srv"], mount] {
            assert_eq!(shown("podman", &flags, &["cat", "/srv/text"]), "of the image");
            assert_eq!(shown("docker", &flags, &["ls", "/srv"]), "");
        }
        assert_eq!(shown("podman", &["--tmpfs", "/srv:notmpcopyup"], &["ls", "/srv"]), "");
        assert_eq!(shown("podman", &["--mount", "type=tmpfs,dst=/srv,notmpcopyup"], &["ls", "/srv"]), "");
        assert_eq!(shown("docker", &["--tmpfs", "/srv:tmpcopyup"], &["cat", "/srv/text"]), "of the image");
        for program in ["podman", "docker"] {
            let mode = |flags: &[&str]| shown(program, flags, &["stat", "/srv"]);
            assert!(mode(&["--tmpfs", "/srv"]).contains(" dir 750 "), "{}", mode(&["--tmpfs", "/srv"]));
            assert!(mode(&["--tmpfs", "/srv:mode=1770"]).contains(" dir 1770 "));
        }
        // A place that is made for it is everybody's, at each start.
        env.ketch(&["run", "--name", "one", "--network", "none", "--tmpfs", "/new/place", &image, "payload", "stat", "/new/place"]).says("/new/place dir 1777 ");
        env.ketch(&["start", "-a", "one"]).says("/new/place dir 1777 ");
        env.ketch(&["rm", "one"]).ok();
        env.assert_clean();
    }

    fn a_bind_is_writable_unless_it_says_ro(env) {
        let folder = env.folder("shared");
        env.file("shared/in", "from outside");
        let bind = format!("{folder}:/mnt/shared");
        assert_eq!(env.payload(&["-v", &bind], &["cat", "/mnt/shared/in"]).ok(), "from outside");
        env.payload(&["-v", &bind], &["write", "/mnt/shared/out", "from inside"]).ok();
        assert_eq!(fs::read_to_string(env.path("shared/out")).unwrap(), "from inside");
        for bind in [format!("{bind}:ro"), format!("{bind}:ro,z")] {
            env.payload(&["-v", &bind], &["write", "/mnt/shared/out", "again"]).exits(1).warns("ead-only");
        }
        let mount = format!("type=bind,src={folder},dst=/mnt,readonly");
        env.payload(&["--mount", &mount], &["write", "/mnt/out", "again"]).exits(1).warns("ead-only");
    }

    fn a_single_file_can_be_bound(env) {
        let file = env.file("one", "single");
        let bind = format!("{file}:/etc/one:ro");
        assert_eq!(env.payload(&["-v", &bind], &["cat", "/etc/one"]).ok(), "single");
    }

    fn a_default_device_can_be_covered(env) {
        let file = env.file("one", "instead of nothing");
        let bind = format!("{file}:/dev/full:ro");
        assert_eq!(env.payload(&["-v", &bind], &["cat", "/dev/full"]).ok(), "instead of nothing");
        env.assert_clean();
    }

    // The places of the usual mounts come from a layer below the image's, so that nothing of
    // them is in the container's own.
    fn a_start_writes_nothing_into_the_container_s_files(env) {
        env.ketch(&["run", "--network", "none", &env.base(), "payload", "true"]).ok();
        let left = env.containers();
        let id = left.iter().find(|name| name.len() == 64).expect("a container");
        let upper = env.store().join("containers").join(id).join("upper");
        assert_eq!(fs::read_dir(&upper).unwrap().count(), 0);
        for name in ["hosts", "hostname", "resolv.conf"] {
            env.payload(&[], &["stat", &format!("/etc/{name}")]).says("file 644");
        }
    }

    fn a_relative_source_is_below_the_working_directory(env) {
        env.folder("work/here");
        env.file("work/here/file", "relative");
        assert_eq!(env.payload(&["-v", "./here:/mnt"], &["cat", "/mnt/file"]).ok(), "relative");
    }

    fn a_missing_source_is_made_by_v_and_refused_by_mount(env) {
        let missing = env.text("missing/deep");
        env.payload(&["--mount", &format!("type=bind,src={missing},dst=/mnt")], &["true"]).fails(125, &[&missing]);
        assert!(!env.path("missing").exists());
        env.payload(&["-v", &format!("{missing}:/mnt")], &["true"]).ok();
        assert!(env.path("missing/deep").is_dir());
        env.assert_clean();
    }

    fn a_bind_target_that_is_a_link_stays_inside(env) {
        let folder = env.folder("shared");
        let image = env.image(crate::harness::Image::base().layer(
            crate::harness::Layer::new().symlink("escape", "/../../../../../../tmp/ketch-escape"),
        ));
        let bind = format!("{folder}:/escape/below");
        let run = ["run", "--rm", "--network", "none", "-v", &bind, &image, "payload", "true"];
        // Resolved inside the container's tree, or refused; never outside it.
        let output = env.ketch(&run);
        assert!(matches!(output.code(), 0 | 125), "{output}");
        assert!(!std::path::Path::new("/tmp/ketch-escape").exists());
    }

    fn bad_mount_grammar_is_refused(env) {
        for (flag, value) in [
            ("-v", "/a:/b:nonsense"),
            ("-v", "/a:relative"),
            ("--mount", "type=nonsense,dst=/x"),
            ("--mount", "type=bind,dst=/x"),
            ("--mount", "type=tmpfs"),
            ("--tmpfs", "relative"),
        ] {
            env.payload(&[flag, value], &["true"]).refused(&[]);
        }
        env.assert_clean();
    }

    fn a_tmpfs_has_its_size_and_mode(env) {
        let output = env.payload(&["--tmpfs", "/scratch:size=1m,mode=700"], &["statfs", "/scratch"]);
        assert_eq!(output.ok(), "bytes=1048576");
        let output = env.payload(&["--mount", "type=tmpfs,dst=/scratch,tmpfs-size=2m,tmpfs-mode=711"], &["stat", "/scratch"]);
        output.says("/scratch dir 711 ");
        env.payload(&["--tmpfs", "/scratch"], &["write", "/scratch/x", "y"]).ok();
    }

    fn shared_memory_is_64_mib_or_what_was_asked(env) {
        assert_eq!(env.payload(&[], &["statfs", "/dev/shm"]).ok(), "bytes=67108864");
        assert_eq!(env.payload(&["--shm-size", "1m"], &["statfs", "/dev/shm"]).ok(), "bytes=1048576");
        env.payload(&["--shm-size", "huge"], &["true"]).refused(&["huge"]);
    }

    fn a_read_only_root_keeps_its_temporary_places(env) {
        env.payload(&["--read-only"], &["write", "/etc/x", "y"]).exits(1).warns("ead-only");
        env.payload(&["--read-only"], &["write", "/dev/shm/x", "y"]).ok();
        env.payload(&["--read-only", "--tmpfs", "/run"], &["write", "/run/x", "y"]).ok();
    }

    fn what_a_container_writes_is_gone_with_it(env) {
        env.payload(&[], &["write", "/etc/passwd", "changed"]).ok();
        env.payload(&[], &["cat", "/etc/passwd"]).says("root:x:0:0");
    }

    fn dev_holds_docker_s_nodes_and_no_more(env) {
        let output = env.payload(&[], &["ls", "/dev"]);
        let found: Vec<&str> = output.ok().lines().collect();
        let wanted = ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"];
        for name in wanted {
            assert!(found.contains(&name), "no {name} in {found:?}");
        }
        for name in &found {
            assert!(wanted.contains(name) || ["core", "console"].contains(name), "{name}");
        }
        env.payload(&[], &["stat", "/dev/null"]).says("char 666").says("rdev=1:3");
        env.payload(&[], &["write", "/dev/null", "x"]).ok();
    }

    fn terminals_are_the_container_s_own(env) {
        assert_eq!(env.payload(&[], &["ls", "/dev/pts"]).ok(), "ptmx");
    }

    fn a_device_can_be_added(env) {
        let output = env.payload(&["--device", "/dev/null:/dev/own-null:rw"], &["stat", "/dev/own-null"]);
        output.says("rdev=1:3");
        env.payload(&["--device", "/dev/no-such-device"], &["true"]).fails(125, &["/dev/no-such-device"]);
    }

    fn dangerous_parts_of_proc_and_sys_are_masked(env) {
        for path in ["/proc/kcore", "/proc/keys", "/proc/timer_list"] {
            // What this kernel does not have needs no mask.
            let output = env.payload(&[], &["read-some", path]);
            assert!(output.stdout == "0\n" || !Path::new(path).exists(), "{path} {output}");
        }
        for path in ["/proc/acpi", "/proc/scsi", "/sys/firmware"] {
            let output = env.payload(&[], &["ls", path]);
            assert!(output.stdout.is_empty(), "{path} {output}");
        }
        for path in ["/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/x", "/proc/irq/x"] {
            env.payload(&[], &["write", path, "x"]).exits(1);
        }
    }

    fn name_files_are_mounts_and_the_image_s_stay(env) {
        let output = env.payload(&[], &["mounts"]);
        for path in [" /etc/hosts ", " /etc/hostname ", " /etc/resolv.conf ", " /proc ", " /sys ", " /dev/mqueue "] {
            output.says(path);
        }
        assert!(!output.stdout.contains("ketch-it-") || env.identity.is_some());
    }

    fn no_mount_of_the_host_is_seen(env) {
        let output = env.payload(&[], &["mounts"]);
        for line in output.ok().lines() {
            assert!(!line.contains(" /work ") && !line.contains(" /mnt "), "{line}");
            // Nothing propagates back to the host.
            assert!(!line.contains("shared:"), "{line}");
        }
    }

    fn privileged_lifts_masks_but_not_the_user_namespace(env) {
        let output = env.payload(&["--privileged"], &["status"]);
        // With a single id the filter stays, for the emulation of chown and the like alone.
        if env.identity != Some(Identity::Single) {
            output.says("Seccomp:\t0");
        }
        output.says("NoNewPrivs:\t0");
        env.payload(&["--privileged"], &["syscall", "unshare-mount"]).says("unshare-mount=ok");
    }

    fn a_file_made_in_a_bind_belongs_to_the_caller(env) {
        let folder = env.folder("shared");
        env.payload(&["-v", &format!("{folder}:/mnt")], &["write", "/mnt/made", "x"]).ok();
        let made = fs::metadata(env.path("shared/made")).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&made), env.uid);
    }

    fn keep_id_is_the_caller_inside(env) {
        if env.identity != Some(Identity::Root) {
            env.payload(&["--userns", "keep-id"], &["id"]).says(&format!("uid={} gid={}", env.uid, env.gid));
        }
    }

    fn a_source_that_cannot_be_entered_is_named(env) {
        if env.identity == Some(Identity::Root) {
            return;
        }
        let folder = env.folder("closed/inner");
        fs::set_permissions(env.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
        env.payload(&["--mount", &format!("type=bind,src={folder},dst=/mnt")], &["true"]).fails(125, &["closed"]);
        fs::set_permissions(env.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}
