//! Names on networks, the files in `/etc` that lead to them, and ports on the host's loopback
//! device.

use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::process::Output;
use crate::harness::{Env, Identity, eventually};
use crate::network_private::{helpers, is_gone, kill_helpers, noted, supervisor};

/// Runs a case in each identity mode.
fn everywhere(case: fn(&Env)) {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
    let has = |name: &str| {
        folders
            .iter()
            .any(|folder| Path::new(folder).join(name).exists())
    };
    require!("nft or iptables", has("nft") || has("iptables"));
    for identity in [Identity::Root, Identity::Subid, Identity::Single] {
        Env::with(identity, case);
    }
}

/// Runs a case as the machine's root, whose containers are on a network where none is asked for.
fn as_root(case: fn(&Env)) {
    Env::with(Identity::Root, case);
}

fn serve(env: &Env, name: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut words = vec!["run", "-d", "--name", name];
    words.extend(flags);
    words.extend([&image, "payload", "serve-tcp", "80"]);
    let id = env.ketch(&words).ok().to_owned();
    eventually("the server listens", || {
        env.ketch(&["logs", name]).ok().contains("ready")
    });
    id
}

/// A payload in a container of its own on a network.
pub(crate) fn on(env: &Env, network: &str, payload: &[&str]) -> Output {
    let image = env.base();
    let first = ["run", "--rm", "--network", network];
    env.ketch(&[&first[..], &[image.as_str(), "payload"], payload].concat())
}

/// The address of a container on a network.
pub(crate) fn address(env: &Env, name: &str, network: &str) -> String {
    let format = format!("{{{{(index .NetworkSettings.Networks {network:?}).IPAddress}}}}");
    env.ketch(&["inspect", "-f", &format, name]).ok().to_owned()
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn members_find_each_other_by_every_name_and_at_once() {
    everywhere(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        env.ketch(&["network", "create", "other"]).ok();
        let id = serve(env, "web", &["--network", "net", "--network-alias", "www"]);
        let ip = address(env, "web", "net");
        for name in ["web", "WWW", &id[..12], "web.net"] {
            let found = on(env, "net", &["look-up", name]);
            assert_eq!(found.ok(), format!("0 {ip}"), "{name}");
        }
        // No other network knows it, and after its end none.
        assert_eq!(on(env, "other", &["look-up", "web"]).ok(), "3");
        env.ketch(&["network", "connect", "other", "web"]).ok();
        let there = address(env, "web", "other");
        assert_eq!(
            on(env, "other", &["look-up", "web"]).ok(),
            format!("0 {there}")
        );
        env.ketch(&["rm", "-f", "web"]).ok();
        assert_eq!(on(env, "net", &["look-up", "web"]).ok(), "3");
    });
}

#[test]
fn a_container_of_the_default_network_finds_names_once_it_comes_to_one_with_them() {
    as_root(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        serve(env, "web", &["--network", "net"]);
        let id = serve(env, "late", &[]);
        let asked = || env.ketch(&["exec", "late", "payload", "look-up", "web"]);
        assert!(!asked().stdout.starts_with("0 "));
        env.ketch(&["network", "connect", "net", "late"]).ok();
        let ip = address(env, "web", "net");
        assert_eq!(asked().ok(), format!("0 {ip}"));
        let there = address(env, "late", "net");
        assert_eq!(
            on(env, "net", &["look-up", "late"]).ok(),
            format!("0 {there}")
        );
        kill_helpers(env, &id);
        assert_eq!(asked().ok(), format!("0 {ip}"));
        env.ketch(&["network", "disconnect", "net", "late"]).ok();
        env.ketch(&["rm", "-f", "web", "late"]).ok();
        env.assert_clean();
    });
}

/// Answers every question for an address with this one, from port 53 of `place`; false where that
/// port is not to be had.
fn answer_with(place: &'static str, address: [u8; 4]) -> bool {
    let Ok(socket) = UdpSocket::bind((place, 53)) else {
        return false;
    };
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let name = buffer[12..length].iter().position(|byte| *byte == 0);
            let Some(end) = name.map(|at| 12 + at + 5) else {
                continue;
            };
            let mut answer = buffer[..end].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4]);
            answer.extend(address);
            let _ = socket.send_to(&answer, client);
        }
    });
    true
}

#[test]
fn a_network_has_resolvers_of_its_own() {
    let there =
        answer_with("127.0.0.53", [192, 0, 2, 53]) && answer_with("127.0.0.54", [192, 0, 2, 54]);
    // Only root has such a port.
    if !there {
        return;
    }
    everywhere(|env| {
        let servers = || {
            let found = crate::network::podman(env, &["network", "inspect", "net"]).json();
            found[0]["network_dns_servers"].clone()
        };
        env.ketch(&["network", "create", "--dns", "127.0.0.53", "net"])
            .ok();
        serve(env, "web", &["--network", "net"]);
        serve(env, "own", &["--network", "net", "--dns", "127.0.0.54"]);
        let asked = |name: &str| {
            let found = env.ketch(&["exec", name, "payload", "look-up", "away.example"]);
            found.ok().to_owned()
        };
        assert_eq!(asked("web"), "0 192.0.2.53");
        assert_eq!(asked("own"), "0 192.0.2.54");
        let change = [
            "network",
            "update",
            "--dns-add",
            "127.0.0.54",
            "--dns-drop",
            "127.0.0.53",
            "net",
        ];
        env.ketch(&change).ok();
        assert_eq!(servers(), serde_json::json!(["127.0.0.54"]));
        assert_eq!(asked("web"), "0 192.0.2.54");
        let ip = address(env, "web", "net");
        assert_eq!(on(env, "net", &["look-up", "web"]).ok(), format!("0 {ip}"));
        env.ketch(&["network", "update", "--dns-drop", "127.0.0.54", "net"])
            .ok();
        assert_eq!(servers(), serde_json::Value::Null);
        env.ketch(&["network", "update", "--dns-add", "nobody", "net"])
            .refused(&["--dns-add", "nobody"]);
        env.ketch(&["network", "update", "net"])
            .refused(&["--dns-add"]);
        env.ketch(&["network", "update", "--dns-add", "::1", "none-such"])
            .refused(&["none-such"]);
        env.ketch(&["network", "create", "--disable-dns", "mute"])
            .ok();
        env.ketch(&["network", "update", "--dns-add", "::1", "mute"])
            .refused(&["mute", "--disable-dns"]);
        env.ketch(&["network", "create", "--disable-dns", "--dns", "::1", "odd"])
            .refused(&["--dns"]);
        env.ketch(&["rm", "-f", "web", "own"]).ok();
        env.ketch(&["network", "rm", "mute", "net"]).ok();
        env.assert_clean();
    });
}

fn greeted(port: u16) -> bool {
    let mut text = String::new();
    let stream = TcpStream::connect(("127.0.0.1", port));
    let read = stream.and_then(|mut stream| stream.read_to_string(&mut text));
    read.is_ok() && text.starts_with("you are")
}

/// Makes a network `net` and a server `web` on it; its published port, and its id.
fn serve_published(env: &Env) -> (u16, String) {
    env.ketch(&["network", "create", "net"]).ok();
    let port = free_port();
    let published = format!("127.0.0.1:{port}:80");
    let id = serve(env, "web", &["--network", "net", "-p", &published]);
    (port, id)
}

#[test]
fn killed_helpers_are_started_again() {
    everywhere(|env| {
        let (port, id) = serve_published(env);
        let pid = || {
            env.ketch(&["inspect", "-f", "{{.State.Pid}}", "web"])
                .stdout
        };
        let (first, ip) = (pid(), address(env, "web", "net"));
        // Nobody else is on the network: nobody else keeps it.
        let works = || {
            let found = env.ketch(&["exec", "web", "payload", "look-up", "web"]);
            assert_eq!(found.ok(), format!("0 {ip}"));
            assert!(greeted(port), "{:?}", env.identity);
            on(env, "net", &["connect", &format!("{ip}:80")]).ok();
        };
        works();
        let count = helpers(env, &id).len();
        let is_root = env.identity == Some(Identity::Root);
        assert_eq!(count, if is_root { 1 } else { 2 });
        for _ in 0..2 {
            kill_helpers(env, &id);
            works();
        }
        eventually("all is noted", || noted(env, &id, "restarted") == 2 * count);
        assert_eq!(pid(), first, "the container itself goes on");
        kill_helpers(env, &id);
        let last = helpers(env, &id);
        env.ketch(&["rm", "-f", "web"]).ok();
        assert!(last.into_iter().all(is_gone));
        TcpListener::bind(("127.0.0.1", port)).unwrap();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    });
}

#[test]
fn a_helper_whose_port_was_taken_meanwhile_waits_for_it() {
    everywhere(|env| {
        let (port, id) = serve_published(env);
        let keeper = Pid::from_raw(supervisor(env, &id));
        let leads = *helpers(env, &id).last().unwrap();
        kill(keeper, Signal::SIGSTOP).unwrap();
        kill(Pid::from_raw(leads), Signal::SIGKILL).unwrap();
        eventually("its port is free", || is_gone(leads));
        let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        kill(keeper, Signal::SIGCONT).unwrap();
        eventually("that is noted", || noted(env, &id, "failed") > 0);
        drop(taken);
        eventually("the port leads there again", || greeted(port));
        env.ketch(&["rm", "-f", "web"]).ok();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    });
}

#[test]
fn an_internal_network_asks_nobody_else() {
    everywhere(|env| {
        env.ketch(&["network", "create", "--internal", "net"]).ok();
        assert_eq!(on(env, "net", &["look-up", "somewhere.invalid"]).ok(), "3");
    });
}

#[test]
fn the_files_in_etc_are_dockers() {
    everywhere(|env| {
        env.ketch(&["network", "create", "--subnet", "10.89.77.0/24", "net"])
            .ok();
        let resolv = on(env, "net", &["cat", "/etc/resolv.conf"]);
        let lines: Vec<&str> = resolv.ok().lines().collect();
        assert_eq!(lines[0], "nameserver 127.0.0.11");
        assert!(
            lines.iter().any(|line| line.contains("ndots:0")),
            "{lines:?}"
        );
        let image = env.base();
        let run = |flags: &[&str], file: &str| {
            let words = [&["run", "--rm"], flags, &[&image, "payload", "cat", file]].concat();
            env.ketch(&words)
        };
        let asked = [
            "--network",
            "net",
            "--hostname",
            "me",
            "--network-alias",
            "www",
            "--add-host",
            "host:host-gateway",
        ];
        let hosts = run(&asked, "/etc/hosts");
        let lines: Vec<&str> = hosts.ok().lines().collect();
        assert!(lines.contains(&"10.89.77.1\thost"), "{lines:?}");
        let own = lines
            .iter()
            .find(|line| line.starts_with("10.89.77.2\tme "));
        let has = |line: &&str| line.split_whitespace().any(|word| word == "www");
        assert!(own.is_some_and(has), "{lines:?}");
        let host = "10.89.77.1\thost.containers.internal";
        let is_root = env.identity == Some(Identity::Root);
        assert_eq!(lines.contains(&host), is_root, "{lines:?}");
        if env.identity != Some(Identity::Root) {
            return;
        }
        let asked = [
            "--dns",
            "192.0.2.53",
            "--dns-search",
            "example.org",
            "--dns-option",
            "timeout:1",
        ];
        let resolv = run(&asked, "/etc/resolv.conf");
        assert_eq!(
            resolv.ok(),
            "nameserver 192.0.2.53\nsearch example.org\noptions timeout:1"
        );
    });
}

#[test]
fn a_running_container_is_in_its_own_hosts_file_while_it_is_on_a_network() {
    everywhere(|env| {
        for name in ["net", "other"] {
            env.ketch(&["network", "create", name]).ok();
        }
        let flags = ["--network", "net", "--hostname", "me.example"];
        serve(env, "web", &flags);
        let hosts = || {
            let text = env.ketch(&["exec", "web", "payload", "cat", "/etc/hosts"]);
            text.ok().to_owned()
        };
        let before = hosts();
        let connect = ["network", "connect", "--alias", "www", "other", "web"];
        env.ketch(&connect).ok();
        let after = hosts();
        let own = format!("{}\tme.example web ", address(env, "web", "other"));
        let added: Vec<&str> = after
            .strip_prefix(&before)
            .unwrap()
            .trim()
            .lines()
            .collect();
        assert!(added[0].starts_with(&own), "{added:?}");
        assert!(added[0].split_whitespace().any(|word| word == "www"));
        // As a start writes it.
        env.ketch(&["restart", "-t", "0", "web"]).ok();
        let again = hosts();
        let own = format!("{}\t", address(env, "web", "other"));
        let line = again.lines().find(|line| line.starts_with(&own)).unwrap();
        assert_eq!(
            line.split_once('\t').unwrap().1,
            added[0].split_once('\t').unwrap().1
        );
        env.ketch(&["network", "disconnect", "other", "web"]).ok();
        let left: Vec<&str> = again.lines().filter(|one| *one != line).collect();
        assert_eq!(hosts().lines().collect::<Vec<_>>(), left);
        env.ketch(&["rm", "-f", "web"]).ok();
        env.ketch(&["network", "rm", "net", "other"]).ok();
        env.assert_clean();
    });
}

#[test]
fn a_published_port_is_reached_on_the_loopback_device_and_held() {
    as_root(|env| {
        let port = free_port();
        let published = format!("{port}:80");
        serve(env, "web", &["-p", &published]);
        for host in ["127.0.0.1", "::1"] {
            let mut greeted = String::new();
            let mut stream = TcpStream::connect((host, port)).unwrap();
            stream.read_to_string(&mut greeted).unwrap();
            assert!(greeted.starts_with("you are"), "{host}: {greeted}");
        }
        let image = env.base();
        let second = env.ketch(&["run", "--rm", "-p", &published, &image, "payload", "true"]);
        second.fails(125, &["already allocated", "container web"]);
        env.ketch(&["rm", "-f", "web"]).ok();
        env.ketch(&["run", "--rm", "-p", &published, &image, "payload", "true"])
            .ok();
    });
}
