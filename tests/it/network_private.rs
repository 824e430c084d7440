//! Private networks by a program beside the container, and the network of another container.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Env, Identity, eventually};
use crate::network_names::address;

/// Starts a server in a detached container of this name and waits until it listens.
fn serve(env: &Env, name: &str, flags: &[&str]) -> String {
    serve_at(env, name, "80", flags)
}

/// As [`serve`], with another port for datagrams.
fn serve_at(env: &Env, name: &str, datagrams: &str, flags: &[&str]) -> String {
    let image = env.base();
    let mut words = vec!["run", "-d", "--name", name];
    words.extend(flags);
    words.extend([&image, "payload", "serve", "80", datagrams]);
    let id = env.ketch(&words).ok().to_owned();
    eventually("the server listens", || {
        env.ketch(&["logs", name]).stdout == "ready\n"
    });
    id
}

/// A payload in a container of its own on this network.
fn on(env: &Env, network: &str, payload: &[&str]) -> crate::harness::process::Output {
    let image = env.base();
    let mut words = vec!["run", "--rm", "--network", network, &image, "payload"];
    words.extend(payload);
    env.ketch(&words)
}

/// Whether this machine can carry a private network; said once where it cannot.
fn can_carry(env: &Env) -> bool {
    let there = crate::harness::require::program("pasta") && fs::metadata("/dev/net/tun").is_ok();
    require!("pasta and /dev/net/tun", there);
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let out = routes
        .lines()
        .any(|line| line.split_ascii_whitespace().nth(1) == Some("00000000"));
    require!("a default route", out);
    env.identity != Some(Identity::Root)
}

/// A port of the loopback device that nobody has.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn ask(port: u16) -> Option<String> {
    use std::io::Read;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

fn ask_by_datagram(port: u16) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let mut buffer = [0; 64];
    socket.send_to(b"hello", ("127.0.0.1", port)).is_ok() && socket.recv(&mut buffer).is_ok()
}

/// Process numbers of the programs that serve a container's network.
pub(crate) fn helpers(env: &Env, id: &str) -> Vec<i32> {
    let found = env.noted_network(id);
    let list = found["helpers"].as_array().cloned().unwrap_or_default();
    // The last is for networks that came after the start.
    let late = found["late"]["helper"]["pid"].as_i64();
    list.iter()
        .map(|helper| helper["pid"].as_i64().unwrap())
        .chain(late)
        .map(|pid| pid as i32)
        .collect()
}

/// Kills each of them and waits until another has its place.
pub(crate) fn kill_helpers(env: &Env, id: &str) {
    for (place, helper) in helpers(env, id).into_iter().enumerate() {
        kill(Pid::from_raw(helper), Signal::SIGKILL).unwrap();
        eventually("there is another", || {
            helpers(env, id)
                .get(place)
                .is_some_and(|other| *other != helper)
        });
    }
}

/// How often the journal says this of a container's network.
pub(crate) fn noted(env: &Env, id: &str, status: &str) -> usize {
    let filter = format!("container={id}");
    let words = [
        "events", "--since", "1h", "--until", "0s", "--filter", &filter,
    ];
    let word = format!("network_status: {status}");
    env.ketch(&words).ok().matches(&word).count()
}

pub(crate) fn supervisor(env: &Env, id: &str) -> i32 {
    let state = fs::read(env.store().join(format!("containers/{id}/state"))).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    state["started"]["supervisor"].as_i64().unwrap() as i32
}

pub(crate) fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie whose parent has not looked yet runs nothing any more.
    stat.rsplit(')')
        .next()
        .is_none_or(|rest| rest.is_empty() || rest.trim_start().starts_with('Z'))
}

fn pid(env: &Env, name: &str) -> i64 {
    env.ketch(&["container", "inspect", name]).json()[0]["State"]["Pid"]
        .as_i64()
        .unwrap()
}

cases! {
    fn connections_through_a_program_have_less_under_way(env) {
        if !can_carry(env) { return; }
        let most = |text: &str| text.split_whitespace().nth(2).and_then(|most| most.parse::<u64>().ok());
        let host = most(&fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap()).unwrap();
        env.ketch(&["network", "create", "far"]).ok();
        for network in ["private", "far"] {
            let output = on(env, network, &["sysctl", "net.ipv4.tcp_wmem"]);
            assert_eq!(most(output.ok()), Some(host.min(3 << 19)), "{network}");
        }
        env.ketch(&["network", "rm", "far"]).ok();
        let image = env.base();
        let asked = ["--network", "private", "--sysctl", "net.ipv4.tcp_wmem=4096 16384 3145728"];
        let head = ["run", "--rm"];
        let tail = [image.as_str(), "payload", "sysctl", "net.ipv4.tcp_wmem"];
        let output = env.ketch(&[&head[..], &asked, &tail].concat());
        assert_eq!(most(output.ok()), Some(3_145_728), "the user's own word");
    }

    fn ports_lead_into_a_private_network_and_are_free_after_it(env) {
        if !can_carry(env) { return; }
        let port = free_port();
        // Debian 12's pasta maps datagrams to the same number or a higher one only.
        let publish = [format!("127.0.0.1:{port}:80"), format!("127.0.0.1:{port}:{port}/udp")];
        let id = serve_at(env, "web", &port.to_string(), &["-p", &publish[0], "-p", &publish[1]]);
        assert!(ask(port).is_some());
        assert!(ask_by_datagram(port));
        // A pasta of 2023 has another process beside it for streams.
        let helpers = helpers(env, &id);
        assert!((1..=2).contains(&helpers.len()), "{helpers:?}");
        env.ketch(&["run", "-p", &publish[0], &env.base(), "payload", "true"]).refused(&[&port.to_string()]);
        env.ketch(&["rm", "-f", "web"]).ok();
        assert!(helpers.into_iter().all(is_gone));
        TcpListener::bind(("127.0.0.1", port)).unwrap();
        env.ketch(&["rm", "-af"]).ok();
        env.assert_clean();
    }

    fn root_can_ask_for_it_too(env) {
        if env.identity != Some(Identity::Root) { return; }
        require!("pasta and /dev/net/tun", crate::harness::require::program("pasta"));
        let port = free_port();
        serve(env, "web", &["--network", "pasta", "-p", &format!("127.0.0.1:{port}:80")]);
        assert!(ask(port).is_some());
        env.ketch(&["rm", "-f", "web"]).ok();
        env.assert_clean();
    }

    fn the_hosts_loopback_device_is_its_own(env) {
        if !can_carry(env) { return; }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        on(env, "private", &["connect", &format!("127.0.0.1:{port}")]).exits(1);
        let text = fs::read_to_string("/proc/net/route").unwrap();
        let gateway = text.lines().find_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            (words[1] == "00000000").then(|| u32::from_str_radix(words[2], 16).unwrap())
        });
        let gateway = std::net::Ipv4Addr::from(gateway.unwrap().to_le_bytes());
        listener.set_nonblocking(true).unwrap();
        // Whatever the gateway itself says there: the host's loopback device is not asked.
        on(env, "private", &["connect", &format!("{gateway}:{port}")]).exits(1);
        assert!(listener.accept().is_err());
        on(env, "pasta:--map-gw", &["connect", &format!("{gateway}:{port}")]);
        assert!(listener.accept().is_ok(), "asked for");
        env.assert_clean();
    }

    fn the_program_ends_with_whoever_keeps_the_container(env) {
        if !can_carry(env) { return; }
        // Who keeps the id of the caller is not root there.
        for (network, user) in [("pasta", "host"), ("slirp4netns", "host"), ("pasta", "keep-id"), ("slirp4netns", "keep-id")] {
            if !crate::harness::require::program(network) { continue; }
            let id = serve(env, "job", &["--network", network, "--userns", user]);
            let (helper, keeper) = (helpers(env, &id)[0], supervisor(env, &id));
            assert!(!is_gone(helper));
            kill(Pid::from_raw(keeper), Signal::SIGKILL).unwrap();
            eventually("the program has ended", || is_gone(helper));
            env.ketch(&["rm", "-f", "job"]).ok();
        }
        env.assert_clean();
    }

    fn a_killed_program_is_started_again(env) {
        if !can_carry(env) { return; }
        for network in ["pasta", "slirp4netns"] {
            if !crate::harness::require::program(network) { continue; }
            let port = free_port();
            let publish = format!("127.0.0.1:{port}:80");
            let id = serve(env, "job", &["--network", network, "-p", &publish]);
            // A pasta of 2023 has another process beside it for streams.
            let count = helpers(env, &id).len();
            for _ in 0..2 {
                assert!(ask(port).is_some());
                kill_helpers(env, &id);
                assert!(ask(port).is_some(), "{network}: its port leads there again");
            }
            eventually("all is noted", || noted(env, &id, "restarted") == 2 * count);
            let last = helpers(env, &id);
            env.ketch(&["rm", "-f", "job"]).ok();
            assert!(last.into_iter().all(is_gone));
        }
        env.assert_clean();
    }

    fn slirp4netns_carries_ports_too(env) {
        if !can_carry(env) || !crate::harness::require::program("slirp4netns") { return; }
        let port = free_port();
        serve(env, "web", &["--network", "slirp4netns", "-p", &format!("127.0.0.1:{port}:80")]);
        assert!(ask(port).is_some());
        env.ketch(&["rm", "-f", "web"]).ok();
        env.assert_clean();
    }

    fn a_container_of_a_private_network_comes_to_one_with_names(env) {
        if !can_carry(env) { return; }
        let port = free_port();
        env.ketch(&["network", "create", "net"]).ok();
        serve(env, "web", &["-p", &format!("127.0.0.1:{port}:80")]);
        serve(env, "db", &["--network", "net"]);
        let conf = || env.ketch(&["exec", "web", "payload", "cat", "/etc/resolv.conf"]).ok().to_owned();
        let before = conf();
        let on_both = || {
            let (web, db) = (address(env, "web", "net"), address(env, "db", "net"));
            for name in ["web", "www"] {
                assert_eq!(on(env, "net", &["look-up", name]).ok(), format!("0 {web}"));
            }
            on(env, "net", &["connect", &format!("{web}:80")]).ok();
            assert_eq!(env.ketch(&["exec", "web", "payload", "look-up", "db"]).ok(), format!("0 {db}"));
            env.ketch(&["exec", "web", "payload", "connect", &format!("{db}:80")]).ok();
            assert!(conf().contains("nameserver 127.0.0.11\n"), "{}", conf());
            assert!(ask(port).is_some(), "its port leads there still");
        };
        env.ketch(&["network", "connect", "--alias", "www", "net", "web"]).ok();
        on_both();
        env.ketch(&["network", "connect", "net", "web"]).fails(1, &["already exists"]);
        env.ketch(&["network", "disconnect", "net", "web"]).ok();
        assert_eq!(on(env, "net", &["look-up", "web"]).ok(), "3");
        assert_eq!(conf(), before);
        assert!(ask(port).is_some());
        env.ketch(&["stop", "-t", "0", "web"]).ok();
        env.ketch(&["network", "connect", "--alias", "www", "net", "web"]).ok();
        env.ketch(&["start", "web"]).ok();
        eventually("the server listens again", || ask(port).is_some());
        on_both();
        env.ketch(&["network", "disconnect", "net", "web"]).ok();
        env.ketch(&["rm", "-f", "db", "web"]).ok();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    }

    fn what_a_late_network_has_brought_ends_with_the_keeper(env) {
        if !can_carry(env) { return; }
        env.ketch(&["network", "create", "net"]).ok();
        let id = serve(env, "web", &[]);
        env.ketch(&["network", "connect", "net", "web"]).ok();
        let late = *helpers(env, &id).last().unwrap();
        assert!(!is_gone(late));
        kill(Pid::from_raw(supervisor(env, &id)), Signal::SIGKILL).unwrap();
        eventually("it has ended", || is_gone(late));
        env.ketch(&["rm", "-f", "web"]).ok();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    }

    fn what_a_late_network_has_brought_is_started_again(env) {
        if !can_carry(env) { return; }
        let port = free_port();
        env.ketch(&["network", "create", "net"]).ok();
        let id = serve(env, "web", &["-p", &format!("127.0.0.1:{port}:80")]);
        let count = helpers(env, &id).len();
        for _ in 0..2 {
            env.ketch(&["network", "connect", "net", "web"]).ok();
            let ip = address(env, "web", "net");
            // Nobody else is on the network: nobody else keeps it.
            let works = || {
                let found = env.ketch(&["exec", "web", "payload", "look-up", "web"]);
                assert_eq!(found.ok(), format!("0 {ip}"));
                assert!(ask(port).is_some());
                on(env, "net", &["connect", &format!("{ip}:80")]).ok();
            };
            works();
            assert_eq!(helpers(env, &id).len(), count + 1);
            kill_helpers(env, &id);
            works();
            let late = *helpers(env, &id).last().unwrap();
            env.ketch(&["network", "disconnect", "net", "web"]).ok();
            eventually("it is gone, and reaped", || !fs::exists(format!("/proc/{late}")).unwrap());
            let shared = env.store().join("network/holder.json");
            eventually("nobody has the shared namespace any more", || !shared.exists());
        }
        assert_eq!(helpers(env, &id).len(), count);
        assert_eq!(noted(env, &id, "failed"), 0);
        env.ketch(&["rm", "-f", "web"]).ok();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    }

    fn a_container_joins_the_network_of_another(env) {
        let id = serve(env, "web", &["--network", "none", "--init"]);
        on(env, "container:web", &["connect", "127.0.0.1:80"]).says("127.0.0.1");
        assert_eq!(on(env, "container:web", &["hostname"]).ok(), &id[..12]);
        let of = |name: &str| {
            let words = env.ketch(&["exec", name, "payload", "ns"]);
            words.ok().lines().find(|line| line.starts_with("net=")).unwrap().to_owned()
        };
        let image = env.base();
        env.ketch(&["run", "-d", "--name", "beside", "--network", "container:web", &image, "payload", "sleep-forever"]).ok();
        assert_eq!(of("beside"), of("web"));
        env.ketch(&["exec", "beside", "payload", "connect", "127.0.0.1:80"]).says("127.0.0.1");
        let asked = env.ketch(&["container", "inspect", "beside"]).json()[0]["HostConfig"]["NetworkMode"].clone();
        assert_eq!(asked, format!("container:{id}"));
        // One beside that one is beside the first.
        on(env, "container:beside", &["connect", "127.0.0.1:80"]).says("127.0.0.1");
        env.ketch(&["rm", "-f", "beside"]).ok();
        env.ketch(&["create", "--name", "later", "--network", "container:web", &image, "payload", "true"]).ok();
        env.ketch(&["rename", "web", "site"]).ok();
        env.ketch(&["start", "-a", "later"]).ok();
        env.ketch(&["rm", "-f", "site"]).ok();
        env.ketch(&["start", "later"]).refused(&["no such container"]);
        env.ketch(&["rm", "later"]).ok();
        env.assert_clean();
    }

    fn a_network_that_cannot_be_joined_is_refused(env) {
        let refused = |network: &str, words: &[&str]| {
            on(env, network, &["true"]).fails(125, words);
            assert!(env.containers().is_empty(), "{network}");
        };
        refused("container:nobody", &["nobody"]);
        let image = env.base();
        env.ketch(&["create", "--name", "idle", "--network", "none", &image, "payload", "true"]).ok();
        on(env, "container:idle", &["true"]).fails(125, &["cannot join network of a non running container"]);
        env.ketch(&["rm", "idle"]).ok();
        refused("ns:/nowhere", &["/nowhere"]);
        refused("ns:/etc/passwd", &["/etc/passwd", "none"]);
        if env.identity != Some(Identity::Root) && nix::unistd::geteuid().is_root() {
            // Behind a descriptor of root's: it is not for others to open.
            let own = fs::File::open("/proc/self/ns/net").unwrap();
            let path = format!("ns:/proc/{}/fd/{}", std::process::id(), own.as_raw_fd());
            refused(&path, &["denied"]);
        }
        env.assert_clean();
    }

    fn a_namespace_of_ones_own_is_joined_by_its_path(env) {
        serve(env, "web", &["--network", "none"]);
        let path = format!("ns:/proc/{}/ns/net", pid(env, "web"));
        on(env, &path, &["connect", "127.0.0.1:80"]).says("127.0.0.1");
        env.ketch(&["rm", "-f", "web"]).ok();
        on(env, &path, &["true"]).fails(125, &["network namespace"]);
        env.assert_clean();
    }
}
