//! `--sdnotify`: who tells the manager of a service that a container is ready.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;

use serde_json::json;

use crate::harness::process::{LIMIT, Output};
use crate::harness::{Env, Image};

/// A manager's socket, open to every user of the machine.
fn manager(env: &Env) -> (UnixDatagram, String) {
    let path = env.text("notify");
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    (socket, path)
}

fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn run(env: &Env, socket: &str, flags: &[&str], image: &str, words: &[&str]) -> Output {
    let mut command = env.command(&["run", "--network", "none"]);
    command.args(flags).args([image, "payload"]).args(words);
    command.env("NOTIFY_SOCKET", socket);
    let output = crate::harness::process::Running::start(command);
    output.finish()
}

cases! {
    fn ketch_says_that_a_container_runs(env) {
        let (socket, path) = manager(env);
        let image = env.base();
        run(env, &path, &["--rm", "--sdnotify", "conmon"], &image, &["true"]).ok();
        assert!(heard(&socket).ends_with("\nREADY=1"));
        run(env, &path, &["-d", "--name", "box", "--init", "--sdnotify", "conmon"], &image, &["sleep-forever"]).ok();
        let keeper = env.ketch(&["inspect", "-f", "{{.State.ConmonPid}}", "box"]);
        assert_eq!(heard(&socket), format!("MAINPID={}\nREADY=1", keeper.ok()));
        env.ketch(&["rm", "-f", "box"]).ok();
        // Nobody listens: the container runs all the same.
        run(env, "/nowhere/notify", &["--rm", "--sdnotify", "conmon"], &image, &["true"]).exits(0).warns("/nowhere/notify");
        run(env, &path, &["--rm"], &image, &["true"]).ok();
        run(env, &path, &["--rm", "--sdnotify", "ignore"], &image, &["true"]).ok();
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 8]).is_err());
        env.assert_clean();
    }

    fn a_payload_can_notify_by_itself(env) {
        let (socket, path) = manager(env);
        let image = env.base();
        let variables = run(env, &path, &["--rm", "--sdnotify", "container"], &image, &["env"]);
        assert!(variables.ok().contains("NOTIFY_SOCKET=/run/notify/notify.sock"), "{variables}");
        assert!(heard(&socket).starts_with("MAINPID="));
        let seen = run(env, &path, &["--rm", "--sdnotify", "container"], &image, &["stat", "/run/notify/notify.sock"]);
        assert!(seen.ok().contains("socket"), "{seen}");
        run(env, "@abstract", &["--rm", "--sdnotify", "container"], &image, &["true"]).exits(0).warns("has no path");
        assert!(!run(env, &path, &["--rm"], &image, &["env"]).ok().contains("NOTIFY_SOCKET"));
        env.assert_clean();
    }

    fn a_healthy_container_is_ready(env) {
        let (socket, path) = manager(env);
        let image = env.image(Image::base().set("Healthcheck", json!({"Test": ["CMD", "payload", "cat", "/tmp/up"], "Interval": 20_000_000})));
        run(env, &path, &["-d", "--name", "box", "--init", "--sdnotify", "healthy"], &image, &["sleep-forever"]).ok();
        assert!(heard(&socket).starts_with("MAINPID="));
        env.ketch(&["exec", "box", "payload", "write", "/tmp/up", "x"]).ok();
        assert_eq!(heard(&socket), "READY=1");
        env.ketch(&["rm", "-f", "box"]).ok();
        run(env, &path, &["--rm", "--sdnotify", "healthy"], &env.base(), &["true"]).fails(125, &["no health check"]);
        run(env, &path, &["--rm", "--sdnotify", "loudly"], &env.base(), &["true"]).fails(125, &["--sdnotify"]);
        env.assert_clean();
    }
}
