//! Published ports whose number or address is left to the start.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use crate::events::called;
use crate::harness::Env;

/// Three ports in a row, the first taken.
fn row() -> (TcpListener, u16) {
    let bind = |port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port));
    for _ in 0..1000 {
        let first = bind(0).unwrap();
        let port = first.local_addr().unwrap().port();
        let rest: Vec<u16> = (1..3).filter_map(|more| port.checked_add(more)).collect();
        if rest.len() == 2 && rest.iter().all(|port| bind(*port).is_ok()) {
            return (first, port);
        }
    }
    panic!("no three ports in a row are free");
}

/// Starts a container that waits, and gives the words of `port`.
fn published(env: &Env, name: &str, publish: &str) -> String {
    let image = env.base();
    let run = [
        "run",
        "-d",
        "--name",
        name,
        "-p",
        publish,
        &image,
        "payload",
        "ready-then-wait",
    ];
    env.ketch(&run).ok();
    env.ketch(&["port", name]).ok().to_owned()
}

cases! {
    fn podman_shows_a_port_once_and_refuses_it_as_it_starts(env) {
        let (_taken, first) = row();
        let (port, image) = (first + 1, env.base());
        published(env, "one", &format!("{port}:80"));
        let shown = |words: &[&str]| called(env, "podman", words).ok().to_owned();
        assert_eq!(shown(&["port", "one"]), format!("80/tcp -> 0.0.0.0:{port}"));
        assert_eq!(shown(&["port", "one", "80"]), format!("0.0.0.0:{port}"));
        assert_eq!(shown(&["ps", "--format", "{{.Ports}}"]), format!("0.0.0.0:{port}->80/tcp"));
        let found: Value = called(env, "podman", &["inspect", "one"]).json();
        let places = &found[0]["NetworkSettings"]["Ports"]["80/tcp"];
        assert_eq!(places, &serde_json::json!([{"HostIp": "0.0.0.0", "HostPort": port.to_string()}]));
        let bracketed = format!("[127.0.0.1]:{port}:80");
        let again = ["run", "--rm", "-p", &bracketed, &image, "payload", "true"];
        called(env, "podman", &again).fails(126, &["address already in use"]);
        let behind = ["run", "-d", "--name", "two", "-p", &bracketed, &image, "payload", "true"];
        called(env, "podman", &behind).fails(126, &["address already in use"]);
        called(env, "docker", &again).fails(125, &["port is already allocated"]);
        env.ketch(&["rm", "-f", "one", "two"]).ok();
        env.assert_clean();
    }

    fn a_range_of_the_hosts_ports_gives_one_that_is_free(env) {
        let (_taken, first) = row();
        let range = format!("127.0.0.1:{first}-{}:80", first + 2);
        let port = |number| format!("80/tcp -> 127.0.0.1:{number}");
        assert_eq!(published(env, "one", &range), port(first + 1));
        assert_eq!(published(env, "two", &range), port(first + 2));
        let image = env.base();
        let three = ["run", "--name", "three", "-p", &range, &image, "payload", "true"];
        env.ketch(&three).fails(125, &[&range[..range.len() - 3], "every port of the range"]);
        let asked: Value = env.ketch(&["inspect", "one"]).json()[0]["HostConfig"].clone();
        let place = &asked["PortBindings"]["80/tcp"][0];
        assert_eq!(place["HostPort"], format!("{first}-{}", first + 2));
        // Who can have no other number has this one.
        env.ketch(&["rm", "-fa"]).ok();
        let open = format!("127.0.0.1:{}-{}:80", first + 1, first + 2);
        let fixed = format!("127.0.0.1:{}:81", first + 1);
        let run = ["run", "-d", "--name", "four", "-p", &open, "-p", &fixed, &image, "payload", "ready-then-wait"];
        env.ketch(&run).ok();
        env.ketch(&["port", "four", "81"]).says(&format!("127.0.0.1:{}", first + 1));
        env.ketch(&["port", "four", "80"]).says(&format!("127.0.0.1:{}", first + 2));
        env.ketch(&["rm", "-fa"]).ok();
        env.assert_clean();
    }

    fn a_setting_keeps_ports_without_an_address_to_the_loopback_device(env) {
        env.folder("config/ketch");
        let set = |text: &str| env.file("config/ketch/ketch.toml", text);
        set("publish-addresses = ['127.0.0.1']\n");
        let only = published(env, "one", "80");
        assert!(only.starts_with("80/tcp -> 127.0.0.1:") && only.lines().count() == 1, "{only}");
        let asked = published(env, "two", "0.0.0.0::80");
        assert!(asked.starts_with("80/tcp -> 0.0.0.0:"), "{asked}");
        let image = env.base();
        for (text, why) in [("publish-addresses = []\n", "the list is empty"), ("publish-addresses = ['lo']\n", "ketch.toml")] {
            set(text);
            env.ketch(&["run", "-d", "-p", "80", &image, "payload", "true"]).fails(125, &[why]);
        }
        set("");
        env.ketch(&["rm", "-fa"]).ok();
        env.assert_clean();
    }
}
