//! `run`: capabilities, seccomp verdicts, descriptors, and what of ketch itself is in reach.

use crate::harness::Identity;

/// Docker's fourteen capabilities as the kernel prints them.
const DEFAULT: &str = "00000000a80425fb";
const NONE: &str = "0000000000000000";

cases! {
    fn the_default_capabilities_are_docker_s(env) {
        let output = env.payload(&[], &["caps"]);
        for line in [
            format!("CapInh={NONE}"),
            format!("CapPrm={DEFAULT}"),
            format!("CapEff={DEFAULT}"),
            format!("CapBnd={DEFAULT}"),
            format!("CapAmb={NONE}"),
        ] {
            output.says(&line);
        }
    }

    fn an_ordinary_user_has_no_capability_in_effect(env) {
        let output = env.payload(&["-u", "1000"], &["caps"]);
        if output.code() == 0 {
            output.says(&format!("CapEff={NONE}")).says(&format!("CapInh={NONE}")).says(&format!("CapAmb={NONE}"));
        }
    }

    fn capabilities_are_added_and_dropped_by_name(env) {
        let output = env.payload(&["--cap-drop", "ALL"], &["caps"]);
        output.says(&format!("CapEff={NONE}")).says(&format!("CapBnd={NONE}"));
        let output = env.payload(&["--cap-drop", "all", "--cap-add", "NET_BIND_SERVICE"], &["caps"]);
        output.says("CapEff=0000000000000400");
        let output = env.payload(&["--cap-drop", "ALL", "--cap-add", "cap_net_raw"], &["caps"]);
        output.says("CapEff=0000000000002000");
        env.payload(&["--cap-add", "NONSENSE"], &["true"]).fails(125, &["NONSENSE"]);
    }

    fn new_privileges_can_be_refused(env) {
        env.payload(&["--security-opt", "no-new-privileges"], &["status"]).says("NoNewPrivs:\t1");
        env.payload(&["--security-opt", "nonsense=1"], &["true"]).fails(125, &["nonsense"]);
    }

    fn the_seccomp_filter_gives_docker_s_verdicts(env) {
        let output = env.payload(&[], &[
            "syscall", "getpid", "socket-alg", "socket-inet", "clone3", "unshare-user", "unshare-mount", "mount",
            "umount", "keyctl", "add_key", "bpf", "reboot", "kexec", "io_uring", "userfaultfd", "unknown",
        ]);
        for line in [
            "getpid=ok", "socket-alg=EPERM", "socket-inet=ok", "clone3=ENOSYS", "unshare-user=EPERM",
            "unshare-mount=EPERM", "mount=EPERM", "umount=EPERM", "keyctl=EPERM", "add_key=EPERM", "bpf=EPERM",
            "reboot=EPERM", "kexec=EPERM", "userfaultfd=EPERM", "unknown=ENOSYS",
        ] {
            output.says(&format!("{line}\n"));
        }
        env.payload(&[], &["status"]).says("Seccomp:\t2");
    }

    fn seccomp_can_be_left_out_or_replaced(env) {
        let unconfined = ["--security-opt", "seccomp=unconfined"];
        // With a single id the filter stays, for the emulation of chown and the like alone.
        if env.identity != Some(Identity::Single) {
            env.payload(&unconfined, &["status"]).says("Seccomp:\t0");
        }
        env.payload(&unconfined, &["syscall", "unshare-user", "unknown"]).says("unshare-user=ok");
        let profile = env.file("profile.json", r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getppid"],"action":"SCMP_ACT_ERRNO","errnoRet":38},{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}"#);
        let option = format!("seccomp={profile}");
        env.payload(&["--security-opt", &option], &["syscall", "bpf", "getpid"]).says("bpf=EACCES\n").says("getpid=ok");
        let bad = env.file("bad.json", "{");
        env.payload(&["--security-opt", &format!("seccomp={bad}")], &["true"]).fails(125, &["bad.json"]);
        env.payload(&["--security-opt", "seccomp=/no/such/profile"], &["true"]).fails(125, &["/no/such/profile"]);
    }

    fn only_the_three_streams_are_open(env) {
        for flags in [&[][..], &["--init"], &["-i"]] {
            let output = env.payload(flags, &["fds"]);
            let numbers: Vec<&str> = output.ok().lines().map(|line| line.split(' ').next().unwrap()).collect();
            assert_eq!(numbers, ["0", "1", "2"], "{output}");
        }
    }

    fn descriptors_of_the_caller_do_not_leak(env) {
        let mut command = env.program("/bin/sh");
        let script = "exec 7</etc/passwd 9>/dev/null; exec \"$0\" \"$@\"";
        command.args(["-c", script]).arg(crate::harness::env::executable());
        command.args(["run", "--rm", "--network", "none", &env.base(), "payload", "fds"]);
        let output = crate::harness::process::Running::start(command).finish();
        assert_eq!(output.ok().lines().count(), 3, "{output}");
    }

    fn ketch_s_own_file_cannot_be_written_from_inside(env) {
        let before = std::fs::read(crate::harness::env::executable()).unwrap();
        env.payload(&["--init"], &["write", "/proc/1/exe", "x"]).exits(1);
        env.payload(&["--init", "--cap-add", "ALL"], &["write", "/proc/1/exe", "x"]).exits(1);
        let image = env.image(crate::harness::Image::base().layer(
            crate::harness::Layer::new().symlink("bin/self", "/proc/self/exe"),
        ));
        // An image whose program is ketch's own file: either nothing runs, or a closed copy does.
        let output = env.ketch(&["run", "--rm", "--network", "none", &image, "self", "write", "/proc/self/exe", "x"]);
        assert_ne!(output.code(), 139, "{output}");
        assert!(before == std::fs::read(crate::harness::env::executable()).unwrap());
    }

    fn a_working_directory_cannot_name_a_descriptor_of_ketch(env) {
        for number in 3..12 {
            let output = env.payload(&["-w", &format!("/proc/self/fd/{number}")], &["ls", "../../../../etc"]);
            let host = std::fs::read_dir("/etc").unwrap().count();
            assert!(output.code() != 0 || output.stdout.lines().count() != host, "{output}");
        }
    }

    fn the_user_database_may_be_a_trap(env) {
        use crate::harness::{Image, Layer};
        let fifo = env.image(Image::base().layer(Layer::new().fifo("etc/passwd", 0o644).fifo("etc/group", 0o644)));
        let loops = env.image(Image::base().layer(Layer::new().symlink("etc/passwd", "/etc/group").symlink("etc/group", "/etc/passwd")));
        let zero = env.image(Image::base().layer(Layer::new().symlink("etc/passwd", "/dev/zero").symlink("etc/group", "/proc/kmsg")));
        for image in [fifo, loops, zero] {
            // No hang, no crash: the user is unknown, or numeric and fine.
            let run = |user: &str| env.ketch(&["run", "--rm", "--network", "none", "-u", user, &image, "payload", "true"]);
            run("alice").refused(&[]);
            assert!(matches!(run("0").code(), 0 | 125));
        }
        env.assert_clean();
    }

    fn mount_points_of_the_image_may_be_links(env) {
        use crate::harness::{Image, Layer};
        for name in ["proc", "sys", "dev", "etc"] {
            let link = Layer::new().file(&format!(".wh.{name}"), 0o644, b"");
            let image = env.image(Image::base().layer(link).layer(Layer::new().symlink(name, "/../../tmp")));
            let output = env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "true"]);
            assert!(matches!(output.code(), 0 | 125), "{name} {output}");
        }
        env.assert_clean();
    }

    fn processes_of_the_host_are_not_seen(env) {
        let output = env.payload(&[], &["ls", "/proc"]);
        let numbers = output.ok().lines().filter(|name| name.parse::<u32>().is_ok());
        assert_eq!(numbers.collect::<Vec<_>>(), ["1"]);
    }

    fn setuid_files_of_the_store_are_out_of_reach_of_others(env) {
        use std::os::unix::fs::PermissionsExt;
        env.payload(&[], &["true"]).ok();
        let mode = std::fs::metadata(env.store()).unwrap().permissions().mode();
        assert_eq!(mode & 0o022, 0, "{mode:o}");
        let layers = std::fs::metadata(env.store().join("layers")).unwrap().permissions().mode();
        assert!(mode & 0o007 == 0 || layers & 0o007 == 0 || mode & 0o077 == 0, "{mode:o} {layers:o}");
    }
}
