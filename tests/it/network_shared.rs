//! Networks with names of ordinary users: they are in a namespace that all their containers share,
//! which a process holds and a program connects to the world.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;

use crate::harness::{Env, Identity, eventually};
use crate::network_names::{address, on};
use crate::network_private::helpers;

/// Runs a case in both rootless modes.
fn rootless(case: fn(&Env)) {
    let tools =
        crate::harness::require::program("nft") || crate::harness::require::program("iptables");
    require!("nft or iptables", tools);
    for identity in [Identity::Subid, Identity::Single] {
        Env::with(identity, case);
    }
}

/// Starts a server of port 80 and waits until it listens; gives the container's id.
fn serve(env: &Env, name: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut words = vec!["run", "-d", "--name", name];
    words.extend(flags);
    words.extend([&image, "payload", "serve", "80", "81"]);
    let id = env.ketch(&words).ok().to_owned();
    eventually("the server listens", || {
        env.ketch(&["logs", name]).stdout == "ready\n"
    });
    id
}

/// Whether a new container on the network reaches this place.
fn reaches(env: &Env, network: &str, place: &str) -> bool {
    let output = on(env, network, &["connect", place]);
    output.code() == 0 && !output.stdout.is_empty()
}

/// The process that holds the shared namespace; `None` where there is none.
fn holder(env: &Env) -> Option<i32> {
    let text = fs::read(env.store().join("network/holder.json")).ok()?;
    let state: Value = serde_json::from_slice(&text).ok()?;
    let pid = state["pid"].as_i64()? as i32;
    (!is_gone(pid)).then_some(pid)
}

/// The program that connects it to the world.
fn uplink(holder: i32) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{holder}/task/{holder}/children")).ok()?;
    let is_program = |pid: &i32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        ["pasta", "passt", "slirp4netns"]
            .iter()
            .any(|one| name.starts_with(one))
    };
    let mut all = children
        .split_whitespace()
        .filter_map(|word| word.parse().ok());
    all.find(is_program)
}

fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    rest.is_empty() || rest.trim_start().starts_with('Z')
}

fn end(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    eventually("the process has ended", || is_gone(pid));
}

/// What a container's record has of its start.
fn state(env: &Env, id: &str) -> Value {
    let text = fs::read(env.store().join(format!("containers/{id}/state"))).unwrap();
    let state: Value = serde_json::from_slice(&text).unwrap();
    state["started"].clone()
}

/// Removes all, and sees that nothing of it is left.
fn assert_gone(env: &Env, networks: &[&str]) {
    env.ketch(&["rm", "-fa"]).ok();
    env.ketch(&[&["network", "rm"], networks].concat()).ok();
    eventually("the holder has ended", || holder(env).is_none());
    env.assert_clean();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn greeted(port: u16) -> Option<String> {
    greeting(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// What a server says to this process. That something takes the connection is no proof: a router
/// on the way may do that for whatever is asked for.
fn greeting(place: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&place, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

fn greeted_by_datagram(port: u16) -> bool {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let timeout = Some(Duration::from_secs(1));
    socket.set_read_timeout(timeout).unwrap();
    let sent = socket.send_to(b"hello", (Ipv4Addr::LOCALHOST, port));
    sent.is_ok() && socket.recv(&mut [0; 64]).is_ok()
}

/// A server of the outside: at an address of this machine that no container has.
struct Outside {
    address: &'static str,
    listener: TcpListener,
}

impl Outside {
    /// `None` where this machine cannot have one, or has no way out.
    fn new(address: &'static str) -> Option<Outside> {
        let carries = crate::harness::require::program("pasta")
            && fs::metadata("/dev/net/tun").is_ok()
            && fs::read_to_string("/proc/net/route").is_ok_and(|text| {
                text.lines()
                    .any(|line| line.split_whitespace().nth(1) == Some("00000000"))
            });
        if !carries {
            return None;
        }
        let _ = Command::new("ip")
            .args(["address", "add", &format!("{address}/32"), "dev", "lo"])
            .output();
        let listener = TcpListener::bind((address, 0)).ok()?;
        let copy = listener.try_clone().unwrap();
        std::thread::spawn(move || {
            use std::io::Write;
            for stream in copy.incoming() {
                let _ = stream.and_then(|mut stream| stream.write_all(b"outside"));
            }
        });
        Some(Outside { address, listener })
    }

    fn place(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args([
                "address",
                "delete",
                &format!("{}/32", self.address),
                "dev",
                "lo",
            ])
            .output();
    }
}

#[test]
fn members_find_and_reach_each_other() {
    rootless(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        let id = serve(env, "one", &["--network", "net", "--network-alias", "www"]);
        serve(env, "two", &["--network", "net"]);
        let ip = address(env, "one", "net");
        for name in ["one", "www", &id[..12], "one.net"] {
            assert_eq!(
                on(env, "net", &["look-up", name]).ok(),
                format!("0 {ip}"),
                "{name}"
            );
        }
        for (from, to) in [("one", "two"), ("two", "one")] {
            let there = address(env, to, "net");
            let found = env.ketch(&["exec", from, "payload", "look-up", to]);
            assert_eq!(found.ok(), format!("0 {there}"));
            let said = env.ketch(&["exec", from, "payload", "connect", &format!("{there}:80")]);
            assert_eq!(
                said.ok(),
                address(env, from, "net"),
                "its own address is seen"
            );
            let said = env.ketch(&["exec", from, "payload", "datagram", &format!("{there}:81")]);
            assert_eq!(said.ok(), address(env, from, "net"));
        }
        env.ketch(&["rm", "-f", "two"]).ok();
        assert_eq!(on(env, "net", &["look-up", "two"]).ok(), "3");
        assert!(holder(env).is_some());
        assert_gone(env, &["net"]);
    });
}

#[test]
fn networks_are_apart() {
    rootless(|env| {
        for network in ["one", "two"] {
            env.ketch(&["network", "create", network]).ok();
        }
        serve(env, "server", &["--network", "one"]);
        let place = format!("{}:80", address(env, "server", "one"));
        assert!(reaches(env, "one", &place));
        assert!(!reaches(env, "two", &place));
        assert_eq!(on(env, "two", &["look-up", "server"]).ok(), "3");
        // The host is in none of them.
        assert_eq!(greeting(place.parse().unwrap()), None);
        env.ketch(&["network", "connect", "two", "server"]).ok();
        let there = format!("{}:80", address(env, "server", "two"));
        assert!(reaches(env, "two", &there));
        env.ketch(&["network", "disconnect", "two", "server"]).ok();
        assert!(!reaches(env, "two", &there));
        assert!(reaches(env, "one", &place));
        assert_gone(env, &["one", "two"]);
    });
}

#[test]
fn the_way_out_is_open_but_for_internal_networks_and_opens_again() {
    // Nobody else can give the host an address that stands for the outside.
    if !geteuid().is_root() {
        return;
    }
    rootless(|env| {
        let Some(outside) = Outside::new("198.51.100.77") else {
            require!("pasta, /dev/net/tun and a default route", false);
            return;
        };
        env.ketch(&["network", "create", "net"]).ok();
        env.ketch(&["network", "create", "--internal", "inner"])
            .ok();
        serve(env, "server", &["--network", "inner", "--network", "net"]);
        let place = outside.place();
        assert!(reaches(env, "net", &place));
        assert!(!reaches(env, "inner", &place));
        assert!(reaches(
            env,
            "inner",
            &format!("{}:80", address(env, "server", "inner"))
        ));
        let program = uplink(holder(env).unwrap()).unwrap();
        end(program);
        eventually("another program has begun", || {
            uplink(holder(env).unwrap()).is_some_and(|pid| pid != program)
        });
        eventually("the way out is open again", || reaches(env, "net", &place));
        drop(outside);
        assert_gone(env, &["net", "inner"]);
    });
}

#[test]
fn ports_of_the_host_lead_to_members() {
    rootless(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        let port = free_port();
        let publish = [
            format!("127.0.0.1:{port}:80"),
            format!("127.0.0.1:{port}:81/udp"),
        ];
        let flags = ["--network", "net", "-p", &publish[0], "-p", &publish[1]];
        serve(env, "web", &flags);
        assert!(greeted(port).is_some());
        assert!(greeted_by_datagram(port));
        let image = env.base();
        let again = [
            "run",
            "--rm",
            "--network",
            "net",
            "-p",
            &publish[0],
            &image,
            "payload",
            "true",
        ];
        env.ketch(&again)
            .fails(125, &["already allocated", "container web"]);
        env.ketch(&["restart", "-t", "0", "web"]).ok();
        eventually("it listens again", || greeted(port).is_some());
        env.ketch(&["rm", "-f", "web"]).ok();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        env.ketch(&again).ok();
        assert_gone(env, &["net"]);
    });
}

#[test]
fn a_killed_holder_is_replaced_by_the_next_start() {
    rootless(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        serve(env, "one", &["--network", "net"]);
        serve(env, "two", &["--network", "net"]);
        let place = format!("{}:80", address(env, "two", "net"));
        let killed = holder(env).unwrap();
        end(killed);
        // What is there goes on, and who comes finds it.
        env.ketch(&["exec", "one", "payload", "connect", &place])
            .ok();
        assert!(reaches(env, "net", &place));
        assert_eq!(
            on(env, "net", &["look-up", "one"]).ok(),
            format!("0 {}", address(env, "one", "net"))
        );
        assert!(holder(env).is_some_and(|pid| pid != killed));
        // Without another start, too, all goes.
        end(holder(env).unwrap());
        env.ketch(&["network", "connect", "--alias", "x", "net", "one"])
            .refused(&["already exists"]);
        env.ketch(&["rm", "-f", "one"]).ok();
        env.ketch(&["rm", "-f", "two"]).ok();
        serve(env, "three", &["--network", "net"]);
        assert_gone(env, &["net"]);
    });
}

#[test]
fn a_killed_keeper_leaves_nothing() {
    rootless(|env| {
        env.ketch(&["network", "create", "--subnet", "198.19.120.0/29", "net"])
            .ok();
        let port = free_port();
        let publish = format!("127.0.0.1:{port}:80");
        let flags = ["--network", "net", "--ip", "198.19.120.2", "-p", &publish];
        for round in ["first", "second"] {
            let id = serve(env, round, &flags);
            let state = state(env, &id);
            let [keeper, payload] =
                ["supervisor", "pid"].map(|who| state[who].as_i64().unwrap() as i32);
            end(keeper);
            eventually("the container has ended", || is_gone(payload));
            assert!(greeted(port).is_none());
        }
        eventually("the holder has ended", || holder(env).is_none());
        let found: Value =
            serde_json::from_str(env.ketch(&["network", "inspect", "net"]).ok()).unwrap();
        assert_eq!(found[0]["Containers"], serde_json::json!({}));
        assert_gone(env, &["net"]);
    });
}

#[test]
fn killed_helpers_of_one_container_are_no_matter_to_others() {
    rootless(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        let port = free_port();
        let publish = format!("127.0.0.1:{port}:80");
        let id = serve(env, "one", &["--network", "net", "-p", &publish]);
        serve(env, "two", &["--network", "net"]);
        let helpers = helpers(env, &id);
        assert_eq!(helpers.len(), 2, "names and ports");
        helpers.into_iter().for_each(end);
        let place = format!("{}:80", address(env, "two", "net"));
        assert!(reaches(env, "net", &place));
        assert!(on(env, "net", &["look-up", "two"]).ok().starts_with("0 "));
        assert_gone(env, &["net"]);
    });
}

#[test]
fn many_come_at_once() {
    rootless(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        let image = env.base();
        let names: Vec<String> = (0..20).map(|at| format!("box{at}")).collect();
        let started: Vec<_> = names
            .iter()
            .map(|name| {
                env.spawn(&[
                    "run",
                    "-d",
                    "--name",
                    name,
                    "--network",
                    "net",
                    &image,
                    "payload",
                    "sleep-forever",
                ])
            })
            .collect();
        for started in started {
            started.finish().ok();
        }
        let mut addresses: Vec<String> =
            names.iter().map(|name| address(env, name, "net")).collect();
        for (name, ip) in names.iter().zip(&addresses) {
            let found = env.ketch(&["exec", "box0", "payload", "look-up", name]);
            assert_eq!(found.ok(), format!("0 {ip}"));
        }
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), names.len());
        assert_gone(env, &["net"]);
    });
}

#[test]
fn a_container_that_is_not_on_the_shared_namespace_does_not_get_there() {
    rootless(|env| {
        env.ketch(&["network", "create", "net"]).ok();
        serve(env, "alone", &["--network", "none"]);
        env.ketch(&["network", "connect", "net", "alone"])
            .refused(&["private (none) mode"]);
        assert_gone(env, &["net"]);
    });
}

#[test]
fn rules_that_somebody_has_removed_are_loaded_again() {
    rootless(|env| {
        if !crate::harness::require::program("nft") {
            return;
        }
        env.ketch(&["network", "create", "net"]).ok();
        let id = serve(env, "web", &["--network", "net"]);
        let text = fs::read(env.store().join("network/holder.json")).unwrap();
        let state: Value = serde_json::from_slice(&text).unwrap();
        let place =
            |index: usize| format!("/proc/{}/fd/{}", state["pid"], state["descriptors"][index]);
        let nft = |words: &[&str]| {
            let mut command = Command::new("nsenter");
            // An ordinary user's namespaces refuse setgroups; and whoever is not their root after
            // the exec has lost what joining them gave.
            command.args([
                "--preserve-credentials".to_owned(),
                "--setuid=0".to_owned(),
                format!("--user={}", place(0)),
                format!("--net={}", place(1)),
            ]);
            let output = command.arg("nft").args(words).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let rules = nft(&["list", "ruleset"]);
        assert!(
            rules
                .iter()
                .any(|line| line.contains(&address(env, "web", "net")))
        );
        nft(&["flush", "ruleset"]);
        assert!(nft(&["list", "ruleset"]).is_empty());
        assert_eq!(env.ketch(&["network", "reload", "web"]).ok(), id);
        assert_eq!(nft(&["list", "ruleset"]), rules);
        assert_eq!(env.ketch(&["network", "reload", "--all"]).ok(), id);
        env.ketch(&["stop", "-t", "0", "web"]).ok();
        env.ketch(&["network", "reload", "web"])
            .refused(&["web", "not running"]);
        env.ketch(&["network", "reload"]).refused(&["CONTAINER"]);
        assert_gone(env, &["net"]);
    });
}
