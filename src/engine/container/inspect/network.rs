//! docker's `NetworkSettings`, and the ports in it.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::engine::container::list;
use crate::network::{Attachment, Member, Record};
use crate::spec::config::{Config, NetworkMode, Port};
use crate::store::ContainerEntry;

/// The networks of a container and what is reachable through them; `state` as inspect
/// shows it.
pub(super) fn network(
    engine: &Engine<'_>,
    config: &Config,
    entry: &ContainerEntry,
    state: &Value,
) -> Value {
    let joined = if entry.alive {
        joined(engine, entry)
    } else {
        Vec::new()
    };
    let settled = super::super::network::settled(&entry.dir).filter(|_| entry.alive);
    let settled = settled.unwrap_or_default();
    let mut networks = Map::new();
    for name in list::networks(config) {
        networks.insert(name, Value::Null);
    }
    for (record, _) in &joined {
        networks.insert(record.name.clone(), Value::Null);
    }
    for (name, endpoint) in &mut networks {
        let asked = config.network.attachments.iter();
        let asked = asked.clone().find(|asked| asked.network == *name);
        let joined = joined.iter().find(|(record, _)| record.name == *name);
        let known = match joined {
            Some((record, _)) => Some(record.clone()),
            None => engine.store.networks().named(name).ok().flatten(),
        };
        *endpoint = self::endpoint(known.as_ref(), joined.map(|(_, member)| member), asked);
    }
    // docker: at the top, what the container has on the default network.
    let default = networks.get("bridge").cloned().unwrap_or_default();
    let of = |key: &str, none: Value| match &default[key] {
        Value::Null => none,
        value => value.clone(),
    };
    // A path that nsenter(1) takes; nothing is bound anywhere for it.
    let pid = state["Pid"].as_i64().filter(|pid| *pid > 0);
    let sandbox = pid.filter(|_| config.network.mode != NetworkMode::Host);
    json!({
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": sandbox.map(|pid| format!("/proc/{pid}/ns/net")).unwrap_or_default(),
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "EndpointID": of("EndpointID", json!("")),
        "Ports": ports(&settled),
        "IPAddress": of("IPAddress", json!("")),
        "IPPrefixLen": of("IPPrefixLen", json!(0)),
        "IPv6Gateway": of("IPv6Gateway", json!("")),
        "GlobalIPv6Address": of("GlobalIPv6Address", json!("")),
        "GlobalIPv6PrefixLen": of("GlobalIPv6PrefixLen", json!(0)),
        "Gateway": of("Gateway", json!("")),
        "MacAddress": of("MacAddress", json!("")),
        "Networks": networks,
    })
}

/// The networks that a running container is on.
fn joined(engine: &Engine<'_>, entry: &ContainerEntry) -> Vec<(Record, Member)> {
    let networks = engine.store.networks();
    let member = |record: Record| {
        let member = networks.member(&record.name, &entry.record.id).ok()??;
        Some((record, member))
    };
    let all = networks.list().unwrap_or_default();
    all.into_iter().filter_map(member).collect()
}

/// One entry of docker's `Networks`: the addresses while the container runs, and what it asks for.
fn endpoint(
    network: Option<&Record>,
    member: Option<&Member>,
    asked: Option<&Attachment>,
) -> Value {
    let address = |is_ipv4| member.and_then(|member| member.address(is_ipv4));
    let ip = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    let gateway = |is_ipv4| ip(member.and_then(|member| member.gateway(is_ipv4)));
    let (four, six) = (address(true), address(false));
    let wanted = asked.filter(|asked| asked.wanted().next().is_some());
    let ipam = wanted.map(|asked| {
        let mut ipam = Map::new();
        let four = asked.ip.map(|ip| ("IPv4Address", ip.to_string()));
        let six = asked.ip6.map(|ip| ("IPv6Address", ip.to_string()));
        for (key, ip) in four.into_iter().chain(six) {
            ipam.insert(key.to_owned(), json!(ip));
        }
        ipam
    });
    let aliases = asked
        .map(|asked| &asked.aliases)
        .filter(|aliases| !aliases.is_empty());
    let names: Option<Vec<&str>> = member.map(|member| member.names().collect());
    let mac = member
        .map(|member| &member.mac)
        .or(asked.and_then(|asked| asked.mac.as_ref()));
    json!({
        "IPAMConfig": ipam,
        "Links": Value::Null,
        "NetworkID": network.map(|record| record.id.as_str()).unwrap_or_default(),
        "EndpointID": network.zip(member).map(|(network, member)| network.endpoint_id(&member.container)).unwrap_or_default(),
        "Gateway": gateway(true),
        "IPAddress": ip(four.map(|address| address.ip)),
        "IPPrefixLen": four.map_or(0, |address| address.prefix),
        "IPv6Gateway": gateway(false),
        "GlobalIPv6Address": ip(six.map(|address| address.ip)),
        "GlobalIPv6PrefixLen": six.map_or(0, |address| address.prefix),
        "MacAddress": mac.map(String::as_str).unwrap_or_default(),
        "DriverOpts": Value::Null,
        "Aliases": aliases,
        "DNSNames": names,
    })
}

/// Published ports by the container's side: `{"80/tcp": [{"HostIp": …, "HostPort": …}]}`.
pub(super) fn ports(all: &[Port]) -> Value {
    let mut ports: Map<String, Value> = Map::new();
    for port in all {
        let places = ports
            .entry(format!("{}/{}", port.container, port.protocol))
            .or_insert_with(|| json!([]));
        if let Value::Array(places) = places {
            places.push(json!({"HostIp": port.host_ip, "HostPort": port.host_words()}));
        }
    }
    Value::Object(ports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::config::Port;

    #[test]
    fn ports_are_grouped_by_the_containers_side() {
        let mut config = Config::default();
        for host_ip in ["0.0.0.0", "::"] {
            config.network.ports.push(Port {
                container: 80,
                protocol: "tcp".to_owned(),
                host_ip: host_ip.to_owned(),
                host: 8080,
                last: None,
            });
        }
        let ports = ports(&config.network.ports);
        assert_eq!(
            ports["80/tcp"][1],
            json!({"HostIp": "::", "HostPort": "8080"})
        );
        assert_eq!(ports["80/tcp"].as_array().map(Vec::len), Some(2));
    }
}
