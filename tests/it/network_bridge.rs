//! Containers of root on bridges: who reaches whom, from the command line. What the rules let
//! through in detail is tested beside them.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::env::executable;
use crate::harness::process::Running;
use crate::harness::{Env, Identity, eventually};

/// Runs a case as the machine's root, where bridges and rules can be made.
fn as_root(case: fn(&Env)) {
    let has = |name: &str| {
        let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        folders
            .iter()
            .any(|folder| Path::new(folder).join(name).exists())
    };
    require!("nft or iptables", has("nft") || has("iptables"));
    Env::with(Identity::Root, case);
}

/// Starts a container that greets every client on port 80, and gives its address on the network.
fn serve(env: &Env, name: &str, network: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut words = vec!["run", "-d", "--name", name, "--network", network];
    words.extend(flags);
    words.extend([&image, "payload", "serve-tcp", "80"]);
    env.ketch(&words).ok();
    eventually("the server listens", || {
        env.ketch(&["logs", name]).ok().contains("ready")
    });
    field(env, name, network, "IPAddress")
}

/// A field of what a container has on a network.
fn field(env: &Env, container: &str, network: &str, key: &str) -> String {
    let found: Value = serde_json::from_str(env.ketch(&["inspect", container]).ok()).unwrap();
    let value = &found[0]["NetworkSettings"]["Networks"][network][key];
    value.as_str().unwrap_or_default().to_owned()
}

/// What a server says to a new container on the network; `None` when it is not reached.
fn asked(env: &Env, network: &str, place: &str) -> Option<String> {
    let image = env.base();
    let words = [
        "run",
        "--rm",
        "--network",
        network,
        &image,
        "payload",
        "connect",
        place,
    ];
    let output = env.ketch(&words);
    (output.code() == 0).then(|| output.stdout.trim().to_owned())
}

/// What a server says to this process.
fn greeted(place: &str) -> std::io::Result<String> {
    let mut server = TcpStream::connect(place)?;
    let mut said = String::new();
    server.read_to_string(&mut said)?;
    Ok(said.trim().to_owned())
}

/// Makes `net`. Stores do not know of each other, and each gives the addresses of the default
/// network to its own containers.
fn own_network(env: &Env, subnet: &str) {
    env.ketch(&["network", "create", "--subnet", subnet, "net"])
        .ok();
}

/// A port that nobody has.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn containers_of_one_network_reach_each_other_and_no_others() {
    as_root(|env| {
        for network in ["one", "two"] {
            env.ketch(&["network", "create", network]).ok();
        }
        let address = serve(env, "server", "one", &[]);
        let place = format!("{address}:80");
        let said = asked(env, "one", &place).expect("a neighbour is reached");
        assert!(said.starts_with("you are "), "{said}");
        assert_eq!(asked(env, "two", &place), None);
        assert_eq!(asked(env, "bridge", &place), None);
        assert!(greeted(&place).is_ok());
        env.ketch(&["rm", "-f", "server"]).ok();
        env.ketch(&["network", "rm", "one", "two"]).ok();
    });
}

#[test]
fn a_published_port_is_reached_and_is_free_after_the_end() {
    as_root(|env| {
        own_network(env, "198.19.131.0/24");
        // The gateway goes with the last member, and another router may take any connection.
        serve(env, "neighbour", "net", &[]);
        let port = free_port();
        let publish = format!("{port}:80");
        for round in 0..2 {
            let address = serve(env, "server", "net", &["-p", &publish]);
            let gateway = field(env, "server", "net", "Gateway");
            assert!(!gateway.is_empty());
            let outside = format!("{gateway}:{port}");
            greeted(&outside).unwrap_or_else(|error| panic!("round {round}: {error}"));
            // From its own network the answer has to come by the host.
            assert!(asked(env, "net", &outside).is_some());
            assert!(greeted(&format!("{address}:80")).is_ok());
            env.ketch(&["rm", "-f", "server"]).ok();
            assert!(greeted(&outside).is_err());
        }
        env.ketch(&["rm", "-f", "neighbour"]).ok();
    });
}

#[test]
fn what_a_killed_keeper_left_is_no_hindrance() {
    as_root(|env| {
        let port = free_port();
        let publish = format!("{port}:80");
        own_network(env, "198.19.132.0/24");
        serve(env, "first", "net", &["-p", &publish]);
        let found: Value = serde_json::from_str(env.ketch(&["inspect", "first"]).ok()).unwrap();
        let pid = found[0]["State"]["Pid"].as_i64().unwrap().to_string();
        let keeper = keeper_of(&pid);
        let kill = |pid: &str| Command::new("kill").args(["-9", pid]).status().unwrap();
        assert!(kill(&keeper).success());
        // The container ends with its keeper, or is ended here.
        kill(&pid);
        eventually("the container has ended", || {
            let running = env.ketch(&["inspect", "-f", "{{.State.Running}}", "first"]);
            running.ok() == "false"
        });
        serve(env, "second", "net", &["-p", &publish]);
        let gateway = field(env, "second", "net", "Gateway");
        assert!(greeted(&format!("{gateway}:{port}")).is_ok());
        env.ketch(&["rm", "-f", "first", "second"]).ok();
    });
}

#[test]
fn what_was_said_to_other_programs_rules_is_taken_back() {
    as_root(|env| {
        let there = |name: &str| crate::harness::require::program(name);
        require!("nft", there("nft"));
        require!(
            "iptables and unshare",
            there("iptables") && there("unshare")
        );
        env.payload(&[], &["true"]).ok();
        // A network namespace of its own: nobody else's table is touched.
        let script = "iptables -A FORWARD -i k-gone -m comment --comment ketch -j ACCEPT && \
                      iptables -A FORWARD -i k-gone -m comment --comment mine -j ACCEPT && \
                      ip link set lo up && \"$0\" network create --subnet 198.19.133.0/24 net && \
                      \"$0\" run --rm --network net \"$1\" payload true && \"$0\" network rm net && \
                      iptables-save -t filter | grep '^-A'";
        let output = Running::start({
            let mut command = env.program("/usr/bin/unshare");
            command.args(["-n", "/bin/sh", "-c", script]);
            command.arg(executable()).arg(env.base());
            command
        })
        .finish();
        let rules = output.ok().lines().filter(|line| line.starts_with("-A"));
        let kept = "-A FORWARD -i k-gone -m comment --comment mine -j ACCEPT";
        assert_eq!(rules.collect::<Vec<_>>(), [kept], "{output}");
    });
}

#[test]
fn root_s_bridges_have_the_kernel_s_send_buffers_whatever_the_ids() {
    as_root(|env| {
        let image = env.base();
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let host = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap();
        own_network(env, "198.19.134.0/24");
        let maps = ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"];
        let head = ["run", "--rm", "--network", "net"];
        let tail = [image.as_str(), "payload", "sysctl", "net.ipv4.tcp_wmem"];
        let output = env.ketch(&[&head[..], &maps, &tail].concat());
        assert_eq!(words(output.ok()), words(&host));
    });
}

/// The parent of a process.
fn keeper_of(pid: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("PPid:"))
        .unwrap();
    line["PPid:".len()..].trim().to_owned()
}
