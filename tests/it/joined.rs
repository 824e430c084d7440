//! `--pid`, `--ipc`, `--uts` and `--userns container:NAME`: containers in namespaces of another one.

use std::fs;

use serde_json::Value;

use crate::events::called;
use crate::harness::process::Output;
use crate::harness::{Env, Identity, require};
use crate::network_names::address;

/// A detached container of this name that does nothing.
fn idle(env: &Env, name: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut words = vec!["run", "-d", "--name", name, "--network", "none"];
    words.extend(flags);
    words.extend([&image, "payload", "sleep-forever"]);
    env.ketch(&words).ok().to_owned()
}

/// A payload in a container with these flags.
fn with(env: &Env, flags: &[&str], payload: &[&str]) -> Output {
    let image = env.base();
    let mut words = vec!["run", "--rm", "--network", "none"];
    words.extend(flags);
    words.extend([&image, "payload"]);
    words.extend(payload);
    env.ketch(&words)
}

/// The number of one namespace of a payload, of what `payload ns` said.
fn space<'o>(said: &'o Output, kind: &str) -> &'o str {
    let mut lines = said.ok().lines();
    let found = lines.find_map(|line| line.strip_prefix(kind)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("{kind} in {}", said.stdout))
}

fn host_config(env: &Env, name: &str) -> Value {
    env.ketch(&["container", "inspect", name]).json()[0]["HostConfig"].clone()
}

cases! {
    fn processes_of_another_container_are_seen_and_signalled(env) {
        let id = idle(env, "donor", &["--init"]);
        let theirs = env.ketch(&["exec", "donor", "payload", "ns"]);
        let joined = with(env, &["--pid", "container:donor"], &["ns"]);
        assert_eq!(space(&joined, "pid"), space(&theirs, "pid"));
        assert_eq!(space(&joined, "user"), space(&theirs, "user"));
        for kind in ["mnt", "net", "uts", "ipc"] {
            assert_ne!(space(&joined, kind), space(&theirs, kind), "{kind}");
        }
        // Its proc shows the other one's first process.
        with(env, &["--pid=container:donor"], &["cat", "/proc/2/cmdline"]).says("sleep-forever");

        // Looked up when it starts, by the id, and entered by others in turn.
        let image = env.base();
        let beside = ["create", "--name", "beside", "--network", "none", "--pid", "container:donor", &image, "payload", "sleep-forever"];
        env.ketch(&beside).ok();
        assert_eq!(host_config(env, "beside")["PidMode"], format!("container:{id}"));
        env.ketch(&["rename", "donor", "first"]).ok();
        env.ketch(&["start", "beside"]).ok();
        let entered = env.ketch(&["exec", "beside", "payload", "ns"]);
        assert_eq!(space(&entered, "pid"), space(&theirs, "pid"));
        let third = with(env, &["--pid", "container:beside"], &["ns"]);
        assert_eq!(space(&third, "pid"), space(&theirs, "pid"));
        // Stopped alone, the other one stays; the other one's end is its own too.
        env.ketch(&["stop", "-t", "1", "beside"]).ok();
        env.ketch(&["exec", "first", "payload", "true"]).ok();
        env.ketch(&["start", "beside"]).ok();
        env.ketch(&["kill", "first"]).ok();
        env.ketch(&["wait", "first", "beside"]).says("137");
        env.ketch(&["start", "beside"]).refused(&["cannot join PID of a non running container", &id]);
        env.ketch(&["rm", "first", "beside"]).ok();
        env.assert_clean();
    }

    fn a_host_name_and_ids_are_shared(env) {
        let id = idle(env, "donor", &["--hostname", "theirs"]);
        let theirs = env.ketch(&["exec", "donor", "payload", "ns"]);
        let joined = with(env, &["--uts", "container:donor"], &["ns"]);
        assert_eq!(space(&joined, "uts"), space(&theirs, "uts"));
        with(env, &["--uts", "container:donor"], &["hostname"]).says("theirs");
        with(env, &["--uts", "container:donor"], &["cat", "/etc/hostname"]).says("theirs");
        let joined = with(env, &["--userns", "container:donor"], &["ns"]);
        assert_eq!(space(&joined, "user"), space(&theirs, "user"));
        assert_ne!(space(&joined, "pid"), space(&theirs, "pid"));
        let all = ["--pid=container:donor", "--uts=container:donor", "--userns=container:donor", "--network=container:donor"];
        let image = env.base();
        let mut words = vec!["create", "--name", "all"];
        words.extend(all);
        words.extend([&image, "payload", "ns"]);
        env.ketch(&words).ok();
        let joined = env.ketch(&["start", "-a", "all"]);
        for kind in ["pid", "uts", "user", "net"] {
            assert_eq!(space(&joined, kind), space(&theirs, kind), "{kind}");
        }
        let shown = host_config(env, "all");
        for key in ["PidMode", "UTSMode", "UsernsMode", "NetworkMode"] {
            assert_eq!(shown[key], format!("container:{id}"), "{key}");
        }
        env.ketch(&["rm", "all"]).ok();
        env.ketch(&["rm", "-f", "donor"]).ok();
        env.assert_clean();
    }

    fn memory_is_shared_where_it_is_offered(env) {
        let id = idle(env, "donor", &["--ipc", "shareable"]);
        let theirs = env.ketch(&["exec", "donor", "payload", "ns"]);
        let joined = with(env, &["--ipc", "container:donor"], &["ns"]);
        assert_eq!(space(&joined, "ipc"), space(&theirs, "ipc"));
        assert_ne!(space(&joined, "pid"), space(&theirs, "pid"));
        with(env, &["--ipc", "container:donor"], &["write", "/dev/shm/note", "hello"]).ok();
        env.ketch(&["exec", "donor", "payload", "cat", "/dev/shm/note"]).says("hello");
        with(env, &["--ipc", "container:donor"], &["cat", "/dev/shm/note"]).says("hello");
        // Its own mount there stays its own.
        with(env, &["--ipc", "container:donor", "--tmpfs", "/dev/shm"], &["cat", "/dev/shm/note"]).refused(&[]);

        let image = env.base();
        env.ketch(&["create", "--name", "beside", "--network", "none", "--ipc", "container:donor", &image, "payload", "cat", "/dev/shm/note"]).ok();
        assert_eq!(host_config(env, "beside")["IpcMode"], format!("container:{id}"));
        assert_eq!(host_config(env, "donor")["IpcMode"], "shareable");
        env.ketch(&["start", "-a", "beside"]).says("hello");
        env.ketch(&["rm", "-f", "donor"]).ok();
        env.ketch(&["start", "beside"]).refused(&["no such container"]);
        env.ketch(&["rm", "beside"]).ok();
        env.assert_clean();
    }

    fn memory_that_is_not_offered_stays_alone(env) {
        for (name, flags) in [("private", &[][..]), ("none", &["--ipc", "none"])] {
            idle(env, name, flags);
            assert_eq!(host_config(env, name)["IpcMode"], name);
            with(env, &["--ipc", &format!("container:{name}")], &["true"])
                .fails(125, &["non-shareable IPC (hint: use IpcMode:shareable for the donor container)"]);
            env.ketch(&["rm", "-f", name]).ok();
        }
        let mounts = with(env, &["--ipc", "none"], &["mounts"]);
        assert!(!mounts.ok().contains("/dev/shm"), "{}", mounts.stdout);
        // podman's default lends.
        let image = env.base();
        called(env, "podman", &["run", "-d", "--name", "lender", "--network", "none", &image, "payload", "sleep-forever"]).ok();
        with(env, &["--ipc", "container:lender"], &["write", "/dev/shm/note", "hello"]).ok();
        called(env, "podman", &["exec", "lender", "payload", "cat", "/dev/shm/note"]).says("hello");
        env.ketch(&["rm", "-f", "lender"]).ok();
        env.assert_clean();
    }

    fn processes_are_shared_beside_a_network_with_names(env) {
        require!("pasta and /dev/net/tun", require::program("pasta") && fs::metadata("/dev/net/tun").is_ok());
        env.ketch(&["network", "create", "net"]).ok();
        let image = env.base();
        env.ketch(&["run", "-d", "--name", "donor", "--network", "net", &image, "payload", "sleep-forever"]).ok();
        let words = ["run", "-d", "--name", "beside", "--network", "net", "--pid", "container:donor", &image, "payload", "sleep-forever"];
        env.ketch(&words).ok();
        let of = |name: &str| env.ketch(&["exec", name, "payload", "ns"]);
        let (theirs, joined) = (of("donor"), of("beside"));
        assert_eq!(space(&joined, "pid"), space(&theirs, "pid"));
        assert_ne!(space(&joined, "net"), space(&theirs, "net"));
        assert_ne!(address(env, "donor", "net"), address(env, "beside", "net"));
        let inside = ["run", "--rm", "--network", "container:donor", &image, "payload", "ns"];
        assert_eq!(space(&env.ketch(&inside), "net"), space(&theirs, "net"));
        env.ketch(&["rm", "-f", "beside", "donor"]).ok();
        idle(env, "alone", &[]);
        let apart = env.ketch(&["run", "--rm", "--network", "net", "--pid", "container:alone", &image, "payload", "true"]);
        match env.identity {
            Some(Identity::Root) => _ = apart.ok(),
            _ => _ = apart.fails(125, &["without root", "a named network"]),
        }
        env.ketch(&["rm", "-f", "alone"]).ok();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    }

    fn what_cannot_be_shared_is_refused(env) {
        let refused = |flags: &[&str], words: &[&str]| {
            with(env, flags, &["true"]).fails(125, words);
        };
        refused(&["--pid", "container:nobody"], &["nobody"]);
        refused(&["--pid", "container:"], &["container:NAME"]);
        refused(&["--cgroupns", "container:x"], &["--cgroupns", "private or host"]);
        refused(&["--ipc", "container:donor", "--sysctl", "kernel.msgmax=9000"], &["shared ipc"]);
        idle(env, "donor", &["--pid", "host", "--uts", "host", "--ipc", "host"]);
        refused(&["--pid", "container:donor"], &["PID is the host's", "--pid=host"]);
        refused(&["--ipc", "container:donor"], &["IPC is the host's", "--ipc=host"]);
        refused(&["--uts", "container:donor"], &["UTS is the host's", "--uts=host"]);
        refused(&["--uts", "container:donor", "--hostname", "x"], &["conflicting options", "hostname"]);
        refused(&["--pid", "container:donor", "--userns", "auto"], &["conflicting options", "ids"]);
        env.ketch(&["rm", "-f", "donor"]).ok();
        let image = env.base();
        env.ketch(&["create", "--name", "idle", &image, "payload", "true"]).ok();
        refused(&["--pid", "container:idle"], &["cannot join PID of a non running container"]);
        env.ketch(&["rm", "idle"]).ok();
        assert!(env.containers().is_empty());
        env.assert_clean();
    }

    fn several_containers_lend_namespaces_where_their_ids_agree(env) {
        idle(env, "one", &[]);
        idle(env, "two", &[]);
        let both = with(env, &["--pid", "container:one", "--uts", "container:two"], &["true"]);
        match env.identity {
            Some(Identity::Root) => _ = both.ok(),
            _ => _ = both.fails(125, &["another user namespace", "share its ids"]),
        }
        env.ketch(&["rm", "-f", "one", "two"]).ok();
        env.assert_clean();
    }
}
