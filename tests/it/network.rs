//! `network` commands, and what `run` asks of networks. What passes through them is tested where
//! it is carried.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::harness::env::executable;
use crate::harness::process::{Output, Running};
use crate::harness::{Env, Identity, eventually};

/// Calls ketch by podman's name.
pub(crate) fn podman(env: &Env, words: &[&str]) -> Output {
    let link = env.path("work/podman");
    if !link.exists() {
        std::os::unix::fs::symlink(executable(), &link).unwrap();
    }
    let mut command = env.program(&link);
    command.args(words);
    Running::start(command).finish()
}

fn inspect(env: &Env, words: &[&str]) -> Value {
    let mut all = vec!["inspect"];
    all.extend(words);
    let found: Value = serde_json::from_str(env.ketch(&all).ok()).unwrap();
    found[0].clone()
}

/// The networks of a container by `inspect`.
fn networks(env: &Env, container: &str) -> Value {
    inspect(env, &[container])["NetworkSettings"]["Networks"].clone()
}

fn names(env: &Env, flags: &[&str]) -> Vec<String> {
    let mut words = vec!["network", "ls", "--format", "{{.Name}}"];
    words.extend(flags);
    env.ketch(&words).ok().lines().map(str::to_owned).collect()
}

/// Makes a container that is not started.
fn create(env: &Env, name: &str, flags: &[&str]) -> Output {
    let image = env.base();
    let mut words = vec!["create", "--name", name];
    words.extend(flags);
    words.extend([&image, "payload", "ready-then-wait"]);
    env.ketch(&words)
}

cases! {
    fn a_network_is_made_shown_and_removed(env) {
        let made = env.ketch(&["network", "create", "--subnet", "198.18.1.0/24", "--ip-range", "198.18.1.128/25",
            "--gateway", "198.18.1.9", "--aux-address", "router=198.18.1.130", "--label", "a=b", "-o", "mtu=1400", "--internal", "net"]);
        let id = made.ok().to_owned();
        assert_eq!(id.len(), 64);
        let found: Value = serde_json::from_str(env.ketch(&["network", "inspect", &id[..6]]).ok()).unwrap();
        let found = &found[0];
        for (key, want) in [("Name", "net"), ("Id", &id), ("Driver", "bridge"), ("Scope", "local")] {
            assert_eq!(found[key], want);
        }
        let config = &found["IPAM"]["Config"][0];
        assert_eq!(config["Subnet"], "198.18.1.0/24");
        assert_eq!(config["IPRange"], "198.18.1.128/25");
        assert_eq!(config["Gateway"], "198.18.1.9");
        assert_eq!(config["AuxiliaryAddresses"]["router"], "198.18.1.130");
        assert_eq!((&found["Internal"], &found["EnableIPv6"], &found["Labels"]["a"]), (&true.into(), &false.into(), &"b".into()));
        assert_eq!(inspect(env, &["--type", "network", "net"])["Id"], id);
        assert_eq!(inspect(env, &["net"])["Id"], id);
        assert_eq!(names(env, &[]), ["bridge", "host", "net", "none"]);
        for (filter, want) in [("driver=bridge", &["bridge", "net"][..]), ("name=ne", &["net", "none"]), ("label=a", &["net"]),
            ("label=a=c", &[]), ("type=custom", &["net"]), ("dangling=true", &["net"]), ("scope=swarm", &[])] {
            assert_eq!(names(env, &["--filter", filter]), want, "{filter}");
        }
        assert_eq!(env.ketch(&["network", "ls", "-q", "-f", "name=net"]).ok(), &id[..12]);
        assert_eq!(env.ketch(&["network", "ls", "-q", "--no-trunc", "-f", "name=net"]).ok(), id);
        env.ketch(&["network", "ls"]).says("NETWORK ID");
        env.ketch(&["network", "exists", "net"]).exits(0);
        assert_eq!(env.ketch(&["network", "rm", "net"]).ok(), "net");
        env.ketch(&["network", "exists", "net"]).exits(1);
        env.ketch(&["network", "inspect", "net"]).fails(1, &["network net not found"]);
        let events = env.ketch(&["events", "--since", "1m", "--until", "0s", "--filter", "type=network", "--format", "{{.Action}} {{.Actor.Attributes.name}}"]);
        assert_eq!(events.ok(), "create net\ndestroy net");
    }

    fn what_cannot_be_is_refused_and_nothing_changes(env) {
        env.ketch(&["network", "create", "--subnet", "198.18.1.0/24", "net"]).ok();
        let create = |words: &[&str], want: &[&str]| {
            let mut all = vec!["network", "create"];
            all.extend(words);
            env.ketch(&all).fails(1, want);
        };
        create(&["net"], &["already exists"]);
        create(&["--subnet", "198.18.0.0/16", "other"], &["198.18.0.0/16", "overlaps", "network net"]);
        create(&["--subnet", "198.18.9.3/24", "other"], &["it should be 198.18.9.0/24"]);
        create(&["--subnet", "198.18.9.0/24", "--gateway", "198.18.8.1", "other"], &["no matching subnet"]);
        create(&["--subnet", "198.18.9.0/24", "--ip-range", "198.18.8.0/25", "other"], &["no matching subnet"]);
        create(&["--subnet", "127.0.0.0/24", "other"], &["loopback"]);
        create(&["--subnet", "x", "other"], &["ADDRESS/PREFIX", "x"]);
        create(&["-d", "overlay", "other"], &["overlay"]);
        create(&["-o", "mtu=many", "other"], &["mtu=many"]);
        create(&["a b"], &["a b"]);
        create(&["host"], &["predefined host network"]);
        create(&["bridge"], &["predefined bridge network"]);
        create(&[], &["requires 1 argument"]);
        create(&["-o", "com.docker.network.bridge.name=much-too-long-name", "other"], &["at most 15"]);
        assert_eq!(names(env, &["-f", "type=custom"]), ["net"]);
        env.ketch(&["network", "rm", "nope"]).fails(1, &["nope not found"]);
        env.ketch(&["network", "rm", "-f", "nope"]).exits(0);
        env.ketch(&["network", "rm", "bridge"]).fails(1, &["pre-defined"]);
        let image = env.base();
        let run = |words: &[&str], want: &[&str]| {
            let mut all = vec!["run", "--name", "box"];
            all.extend(words);
            all.extend([&image, "payload", "true"]);
            env.ketch(&all).fails(125, want);
        };
        run(&["--network", "nope"], &["network nope not found"]);
        run(&["--network", "net", "--ip", "198.18.2.1"], &["198.18.2.1", "198.18.1.0/24"]);
        run(&["--network", "net", "--ip", "198.18.1.1"], &["gateway"]);
        run(&["--network", "net:ip6=fd00::1"], &["fd00::1", "does not belong"]);
        run(&["--network", "none", "--network-alias", "x"], &["alias"]);
        run(&["--network", "net", "-p", "80:80:80:80"], &["80:80:80:80"]);
        run(&["--network", "net", "-p", "99999:80"], &["99999"]);
        run(&["--network", "net", "-p", "8000:80", "-p", "8000:81"], &["twice", "8000"]);
        env.assert_clean();
    }

    fn podman_has_its_own_answers(env) {
        assert_eq!(podman(env, &["network", "create", "--subnet", "fd00:198:18::/64", "six"]).ok(), "six");
        let name = podman(env, &["network", "create"]).ok().to_owned();
        assert_eq!(name, "podman1");
        podman(env, &["network", "create", "six"]).fails(125, &["already exists"]);
        assert_eq!(podman(env, &["network", "create", "--ignore", "six"]).ok(), "six");
        let found: Value = serde_json::from_str(podman(env, &["network", "inspect", "six"]).ok()).unwrap();
        assert_eq!(found[0]["subnets"][0]["gateway"], "fd00:198:18::1");
        assert_eq!((&found[0]["dns_enabled"], &found[0]["ipv6_enabled"]), (&true.into(), &true.into()));
        assert_eq!(found[0]["subnets"].as_array().unwrap().len(), 1);
        let list: Value = serde_json::from_str(podman(env, &["network", "ls", "--format", "json"]).ok()).unwrap();
        let list: Vec<&str> = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(list, ["podman", "podman1", "six"]);
        assert_eq!(podman(env, &["network", "ls", "-q"]).ok(), "podman\npodman1\nsix");
        podman(env, &["network", "exists", "podman"]).exits(0);
        create(env, "box", &["--network", "six"]).ok();
        podman(env, &["network", "rm", "six"]).fails(2, &["box"]);
        create(env, "plain", &["--network", "podman"]).ok();
        let plain = |format: &str| podman(env, &["ps", "-a", "--filter", "network=podman", "--format", format]).ok().to_owned();
        assert_eq!(plain("{{.Names}} {{.Networks}}"), "plain podman");
        let found: Value = serde_json::from_str(podman(env, &["inspect", "plain"]).ok()).unwrap();
        assert!(found[0]["NetworkSettings"]["Networks"]["podman"].is_object());
        podman(env, &["rm", "plain"]).ok();
        podman(env, &["network", "rm", "nope"]).fails(1, &["nope"]);
        podman(env, &["network", "rm", "podman"]).fails(125, &["pre-defined"]);
        assert_eq!(podman(env, &["network", "prune", "-f"]).ok(), "podman1");
        assert_eq!(podman(env, &["network", "rm", "-f", "six"]).ok(), "six");
        env.assert_clean();
    }

    fn a_container_that_does_not_run_changes_its_networks(env) {
        env.ketch(&["network", "create", "--subnet", "198.18.1.0/24", "one"]).ok();
        let two = env.ketch(&["network", "create", "--subnet", "198.18.2.0/24", "two"]).ok().to_owned();
        create(env, "box", &["--network", "one:alias=first"]).ok();
        env.ketch(&["network", "connect", "--ip", "198.18.2.7", "--alias", "db", &two[..5], "box"]).ok();
        let found = networks(env, "box");
        assert_eq!(found["two"]["IPAMConfig"]["IPv4Address"], "198.18.2.7");
        assert_eq!(found["two"]["Aliases"][0], "db");
        assert_eq!((found["two"]["NetworkID"].as_str(), found["two"]["IPAddress"].as_str()), (Some(&*two), Some("")));
        assert_eq!(found["one"]["Aliases"][0], "first");
        env.ketch(&["network", "connect", "two", "box"]).fails(1, &["already exists in network two"]);
        env.ketch(&["network", "connect", "nope", "box"]).fails(1, &["nope not found"]);
        env.ketch(&["network", "connect", "two", "nobody"]).fails(1, &["nobody"]);
        for (filter, want) in [("network=one", "box"), ("network=two", "box"), ("network=three", "")] {
            assert_eq!(env.ketch(&["ps", "-a", "--filter", filter, "--format", "{{.Names}}"]).ok(), want);
        }
        assert_eq!(env.ketch(&["ps", "-a", "--filter", &format!("network={two}"), "--format", "{{.Networks}}"]).ok(), "one,two");
        env.ketch(&["network", "disconnect", "one", "box"]).ok();
        env.ketch(&["network", "disconnect", "one", "box"]).fails(1, &["not connected"]);
        env.ketch(&["network", "disconnect", "-f", "one", "box"]).ok();
        let left = networks(env, "box");
        assert_eq!(left.as_object().unwrap().keys().collect::<Vec<_>>(), ["two"]);
        assert_eq!(env.ketch(&["network", "prune", "-f"]).ok(), "Deleted Networks:\none");
        create(env, "alone", &["--network", "none"]).ok();
        create(env, "guest", &["--network", "host"]).ok();
        env.ketch(&["network", "connect", "two", "alone"]).fails(1, &["private (none) mode"]);
        env.ketch(&["network", "connect", "two", "guest"]).fails(1, &["sharing network namespace"]);
        env.ketch(&["network", "connect", "--ip", "198.18.1.7", "two", "box"]).fails(1, &["198.18.1.7"]);
        env.ketch(&["rm", "-f", "box", "alone", "guest"]).ok();
        env.assert_clean();
    }

    fn networks_made_at_once_never_share_a_subnet(env) {
        let names: Vec<String> = (0..20).map(|at| format!("net{at}")).collect();
        let made: Vec<Running> = names.iter().map(|name| env.spawn(&["network", "create", name])).collect();
        made.into_iter().for_each(|made| drop(made.finish().ok().to_owned()));
        let mut subnets: Vec<String> = names.iter().map(|name| {
            let found: Value = serde_json::from_str(env.ketch(&["network", "inspect", name]).ok()).unwrap();
            found[0]["IPAM"]["Config"][0]["Subnet"].as_str().unwrap().to_owned()
        }).collect();
        subnets.sort();
        subnets.dedup();
        assert_eq!(subnets.len(), 20);
        assert!(env.ketch(&["system", "prune", "-f"]).ok().starts_with("Deleted Networks:\nnet0\n"));
        let one: Vec<Running> = (0..10).map(|_| env.spawn(&["network", "create", "same"])).collect();
        let made = one.into_iter().map(Running::finish).filter(|output| output.code() == 0).count();
        assert_eq!(made, 1);
    }
}

/// Containers on a network whose subnet no other case has, in each identity mode.
fn everywhere(case: fn(&Env)) {
    for identity in [Identity::Root, Identity::Subid, Identity::Single] {
        Env::with(identity, case);
    }
}

#[test]
fn a_running_container_joins_and_leaves() {
    everywhere(|env| {
        env.ketch(&["network", "create", "--subnet", "198.19.101.0/24", "one"])
            .ok();
        env.ketch(&["network", "create", "--subnet", "198.19.102.0/24", "two"])
            .ok();
        let image = env.base();
        env.ketch(&[
            "run",
            "-d",
            "--name",
            "box",
            "--network",
            "one:ip=198.19.101.7",
            "--mac-address",
            "02:00:00:00:00:07",
            &image,
            "payload",
            "sleep-forever",
        ])
        .ok();
        let found = networks(env, "box");
        assert_eq!(found["one"]["IPAddress"], "198.19.101.7");
        assert_eq!(
            (
                found["one"]["IPPrefixLen"].as_u64(),
                found["one"]["Gateway"].as_str()
            ),
            (Some(24), Some("198.19.101.1"))
        );
        assert_eq!(found["one"]["MacAddress"], "02:00:00:00:00:07");
        env.ketch(&["network", "rm", "one"])
            .fails(1, &["active endpoints", "box"]);
        let devices = |name: &str| {
            env.ketch(&["exec", name, "payload", "cat", "/proc/net/dev"])
                .ok()
                .to_owned()
        };
        assert!(devices("box").contains("eth0") && !devices("box").contains("eth1"));
        env.ketch(&["network", "connect", "two", "box"]).ok();
        assert!(devices("box").contains("eth1"));
        assert_eq!(networks(env, "box")["two"]["IPAddress"], "198.19.102.2");
        env.ketch(&["rename", "box", "crate"]).ok();
        let found: Value =
            serde_json::from_str(env.ketch(&["network", "inspect", "two"]).ok()).unwrap();
        let member = found[0]["Containers"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .clone();
        assert_eq!(
            (member["Name"].as_str(), member["IPv4Address"].as_str()),
            (Some("crate"), Some("198.19.102.2/24"))
        );
        env.ketch(&["network", "disconnect", "two", "crate"]).ok();
        assert!(!devices("crate").contains("eth1"));
        env.ketch(&["network", "rm", "two"]).ok();
        // The address of another one that runs.
        env.ketch(&[
            "run",
            "--rm",
            "--network",
            "one",
            "--ip",
            "198.19.101.7",
            &image,
            "payload",
            "true",
        ])
        .fails(125, &["already in use", "crate"]);
        env.ketch(&["rm", "-f", "crate"]).ok();
        let events = env.ketch(&[
            "events",
            "--since",
            "1m",
            "--until",
            "0s",
            "--filter",
            "type=network",
            "--format",
            "{{.Action}} {{.Actor.Attributes.name}}",
        ]);
        assert_eq!(
            events.ok(),
            "create one\ncreate two\nconnect one\nconnect two\ndisconnect two\ndestroy two\ndisconnect one"
        );
        env.ketch(&["network", "rm", "one"]).ok();
        env.assert_clean();
    });
}

#[test]
fn containers_that_start_at_once_get_addresses_of_their_own() {
    everywhere(|env| {
        env.ketch(&["network", "create", "--subnet", "198.19.103.0/24", "many"])
            .ok();
        let image = env.base();
        let names: Vec<String> = (0..30).map(|at| format!("box{at}")).collect();
        let started: Vec<Running> = names
            .iter()
            .map(|name| {
                env.spawn(&[
                    "run",
                    "-d",
                    "--name",
                    name,
                    "--network",
                    "many",
                    &image,
                    "payload",
                    "sleep-forever",
                ])
            })
            .collect();
        started
            .into_iter()
            .for_each(|started| drop(started.finish().ok().to_owned()));
        let mut addresses: Vec<String> = names
            .iter()
            .map(|name| {
                networks(env, name)["many"]["IPAddress"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), names.len());
        env.ketch(&["rm", "-fa"]).ok();
        let found: Value =
            serde_json::from_str(env.ketch(&["network", "inspect", "many"]).ok()).unwrap();
        assert_eq!(found[0]["Containers"], serde_json::json!({}));
        env.ketch(&["network", "rm", "many"]).ok();
        env.assert_clean();
    });
}

#[test]
fn a_subnet_is_free_again_after_its_network() {
    everywhere(|env| {
        let image = env.base();
        for subnet in [
            "198.19.104.0/24",
            "198.19.104.0/23",
            "198.19.105.0/24",
            "198.19.104.0/24",
        ] {
            env.ketch(&["network", "create", "--subnet", subnet, "again"])
                .ok();
            let run = [
                "run",
                "--rm",
                "--network",
                "again",
                &image,
                "payload",
                "cat",
                "/proc/net/route",
            ];
            env.ketch(&run).says("eth0");
            env.ketch(&run).says("eth0");
            env.ketch(&["network", "rm", "again"]).ok();
        }
        env.assert_clean();
    });
}

#[test]
fn what_a_killed_keeper_leaves_is_free() {
    everywhere(|env| {
        env.ketch(&["network", "create", "--subnet", "198.19.106.0/29", "net"])
            .ok();
        let image = env.base();
        let run = |name: &str| {
            let words = [
                "run",
                "-d",
                "--name",
                name,
                "--network",
                "net",
                "--ip",
                "198.19.106.2",
                &image,
                "payload",
                "sleep-forever",
            ];
            env.ketch(&words)
        };
        let id = run("first").ok().to_owned();
        run("second").fails(125, &["already in use", "first"]);
        let state = std::fs::read(env.store().join("containers").join(&id).join("state")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        for who in ["supervisor", "pid"] {
            let pid = state["started"][who].as_i64().unwrap();
            kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
        }
        eventually("the container has ended", || {
            env.ketch(&["inspect", "--format", "{{.State.Running}}", "first"])
                .ok()
                == "false"
        });
        let found: Value =
            serde_json::from_str(env.ketch(&["network", "inspect", "net"]).ok()).unwrap();
        assert_eq!(found[0]["Containers"], serde_json::json!({}));
        // A list mends what it sees; an ordinary user's bridges went with their namespace.
        let is_root = env.identity == Some(Identity::Root);
        let bridge = format!(
            "/sys/class/net/{}",
            found[0]["Id"]
                .as_str()
                .map(|id| format!("k-{}", &id[..10]))
                .unwrap()
        );
        assert_eq!(std::path::Path::new(&bridge).exists(), is_root);
        env.ketch(&["ps", "-a"]).ok();
        assert!(!std::path::Path::new(&bridge).exists());
        env.ketch(&["rm", "-f", "second"]).exits(0);
        run("second").ok();
        env.ketch(&["start", "first"])
            .fails(1, &["already in use", "second"]);
        env.ketch(&["rm", "-f", "second"]).ok();
        env.ketch(&["start", "first"]).ok();
        assert_eq!(networks(env, "first")["net"]["IPAddress"], "198.19.106.2");
        env.ketch(&["rm", "-f", "first"]).ok();
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    });
}
