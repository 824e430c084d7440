//! `network inspect`, with docker's keys and podman's.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::list::predefined;
use super::{DEFAULT, PODMAN_DEFAULT, find};
use crate::engine::Engine;
use crate::network::{Address, Member, Pool, Record};

/// A network and who is on it.
#[derive(Debug, Clone)]
pub(crate) struct Inspected {
    record: Record,
    driver: &'static str,
    members: Vec<Member>,
}

/// Looks at a network by name or id.
///
/// # Errors
/// `NotFound`.
pub(crate) fn inspect(engine: &Engine<'_>, wanted: &str) -> Result<Inspected> {
    if let Some(row) = predefined(wanted) {
        return Ok(Inspected {
            record: row.record,
            driver: row.driver,
            members: Vec::new(),
        });
    }
    let record = find(engine, wanted)?;
    Ok(Inspected {
        members: engine.store.networks().members(&record.name)?,
        driver: record.driver.word(),
        record,
    })
}

fn cidr(address: Option<Address>) -> String {
    address.map_or_else(String::new, |address| {
        format!("{}/{}", address.ip, address.prefix)
    })
}

/// docker's document.
pub(crate) fn docker(found: &Inspected) -> Value {
    let Inspected {
        record,
        driver,
        members,
    } = found;
    let container = |member: &Member| {
        let endpoint = json!({
            "Name": member.name,
            "EndpointID": record.endpoint_id(&member.container),
            "MacAddress": member.mac,
            "IPv4Address": cidr(member.address(true)),
            "IPv6Address": cidr(member.address(false)),
        });
        (member.container.clone(), endpoint)
    };
    let containers: Map<String, Value> = members.iter().map(container).collect();
    json!({
        "Name": record.name,
        "Id": record.id,
        "Created": record.created,
        "Scope": "local",
        "Driver": driver,
        "EnableIPv4": record.subnets.iter().any(|pool| pool.subnet.is_ipv4()),
        "EnableIPv6": record.ipv6,
        "IPAM": {
            "Driver": "default",
            "Options": {},
            "Config": record.subnets.iter().map(docker_pool).collect::<Vec<_>>(),
        },
        "Internal": record.internal,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": containers,
        "Options": record.options,
        "Labels": record.labels,
    })
}

fn docker_pool(pool: &Pool) -> Value {
    let mut config = json!({"Subnet": pool.subnet});
    if let Some(range) = &pool.range {
        config["IPRange"] = json!(range);
    }
    if let Some(gateway) = &pool.gateway {
        config["Gateway"] = json!(gateway);
    }
    if !pool.reserved.is_empty() {
        config["AuxiliaryAddresses"] = json!(pool.reserved);
    }
    config
}

/// podman's document, which is also its row of a list; with `containers` only in the first.
pub(crate) fn podman(record: &Record, members: Option<&Inspected>) -> Value {
    let name = match record.name.as_str() {
        DEFAULT => PODMAN_DEFAULT,
        name => name,
    };
    let pool = |pool: &Pool| {
        let mut found = json!({"subnet": pool.subnet});
        if let Some(gateway) = &pool.gateway {
            found["gateway"] = json!(gateway);
        }
        if let Some(range) = &pool.range {
            found["lease_range"] = json!({"start_ip": range.first(), "end_ip": range.last()});
        }
        found
    };
    let mut document = json!({
        "name": name,
        "id": record.id,
        "driver": record.driver.word(),
        "network_interface": record.interface,
        "created": record.created,
        "subnets": record.subnets.iter().map(pool).collect::<Vec<_>>(),
        "ipv6_enabled": record.ipv6,
        "internal": record.internal,
        "dns_enabled": record.dns,
        "ipam_options": {"driver": if record.subnets.is_empty() { "none" } else { "host-local" }},
    });
    if !record.resolvers.is_empty() {
        document["network_dns_servers"] = json!(record.resolvers);
    }
    for (key, map) in [("labels", &record.labels), ("options", &record.options)] {
        if !map.is_empty() {
            document[key] = json!(map);
        }
    }
    if let Some(found) = members {
        let mut containers = Map::new();
        for member in &found.members {
            containers.insert(member.container.clone(), podman_member(member));
        }
        document["containers"] = Value::Object(containers);
    }
    document
}

fn podman_member(member: &Member) -> Value {
    let subnet = |address: &Address| {
        let mut found = json!({"ipnet": cidr(Some(*address))});
        if let Some(gateway) = member.gateway(address.ip.is_ipv4()) {
            found["gateway"] = json!(gateway);
        }
        found
    };
    let subnets: Vec<Value> = member.addresses.iter().map(subnet).collect();
    json!({
        "name": member.name,
        "interfaces": {
            member.interface.clone(): {"subnets": subnets, "mac_address": member.mac},
        },
    })
}

impl Inspected {
    /// The network itself.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }
}
