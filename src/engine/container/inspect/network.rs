//! docker's `NetworkSettings`, and the ports in it.

use serde_json::{Map, Value, json};

use crate::engine::container::list;
use crate::spec::config::Config;

/// The networks of a container and what is reachable through them.
pub(super) fn network(config: &Config) -> Value {
    let name = list::network(config);
    json!({
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": "",
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "EndpointID": "",
        "Ports": ports(config),
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "Gateway": "",
        "MacAddress": "",
        "Networks": {name: {
            "IPAMConfig": Value::Null,
            "Links": Value::Null,
            "NetworkID": "",
            "EndpointID": "",
            "Gateway": "",
            "IPAddress": "",
            "IPPrefixLen": 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "MacAddress": "",
            "DriverOpts": Value::Null,
            "Aliases": Value::Null,
        }},
    })
}

/// Published ports by the container's side: `{"80/tcp": [{"HostIp": …, "HostPort": …}]}`.
pub(super) fn ports(config: &Config) -> Value {
    let mut ports: Map<String, Value> = Map::new();
    for port in &config.network.ports {
        let places = ports
            .entry(format!("{}/{}", port.container, port.protocol))
            .or_insert_with(|| json!([]));
        if let Value::Array(places) = places {
            places.push(json!({"HostIp": port.host_ip, "HostPort": port.host.to_string()}));
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
            });
        }
        let ports = ports(&config);
        assert_eq!(
            ports["80/tcp"][1],
            json!({"HostIp": "::", "HostPort": "8080"})
        );
        assert_eq!(ports["80/tcp"].as_array().map(Vec::len), Some(2));
    }
}
