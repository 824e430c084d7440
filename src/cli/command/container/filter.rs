//! `--filter` of `ps`: docker's and podman's keys on the rows of the list. Several values of one
//! key: any may fit, but all labels must.

use regex_lite::Regex;

use crate::common::{Error, ExitStatus, Result, Timestamp, parse_moment};
use crate::engine::container::{ContainerState, ContainerSummary, restart_policy};
use crate::engine::{Engine, network};
use crate::spec::config::Port;

/// Checked filters.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters {
    pairs: Vec<(String, String)>,
    names: Vec<Regex>,
    before: Option<Timestamp>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// `80`, `80/udp`, `8000-8010/tcp`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PortRange {
    first: u16,
    last: u16,
    protocol: String,
}

const KEYS: [&str; 20] = [
    "id",
    "name",
    "label",
    "label!",
    "status",
    "exited",
    "ancestor",
    "before",
    "since",
    "volume",
    "network",
    "publish",
    "expose",
    "health",
    "is-task",
    "pod",
    "restart-policy",
    "until",
    "command",
    "should-start-on-boot",
];

/// docker's states, and podman's further words.
const STATES: [&str; 12] = [
    "created",
    "running",
    "exited",
    "dead",
    "paused",
    "restarting",
    "removing",
    "configured",
    "initialized",
    "stopped",
    "stopping",
    "unknown",
];

/// docker's policies, and podman's further word for `no`.
const RESTARTS: [&str; 5] = ["no", "none", "always", "on-failure", "unless-stopped"];

impl Filters {
    /// As [`parse`](Filters::parse), where networks can be named by their ids, as in docker.
    pub(super) fn of(engine: &Engine<'_>, pairs: &[(String, String)]) -> Result<Filters> {
        let mut filters = Filters::parse(pairs)?;
        let wanted = filters.pairs.iter_mut().filter(|(key, _)| key == "network");
        for (_, value) in wanted {
            if let Ok(record) = network::look(engine, value) {
                *value = record.name;
            }
        }
        Ok(filters)
    }

    /// Checks keys, and values where they have a grammar.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Filters> {
        let mut filters = Filters {
            pairs: pairs.to_vec(),
            ..Filters::default()
        };
        for (key, value) in pairs {
            let bad = |why: &str| Error::usage("use filter", format!("{key}={value}"), why);
            let good = match key.as_str() {
                "status" => STATES.contains(&value.as_str()),
                "exited" => value.parse::<u8>().is_ok(),
                "health" => ["starting", "healthy", "unhealthy", "none"].contains(&value.as_str()),
                "is-task" | "should-start-on-boot" => truth(value).is_some(),
                "name" => {
                    // Go's expressions and these differ in nothing that a name could need.
                    filters.names.push(
                        Regex::new(value.trim())
                            .map_err(|error| bad(&format!("not an expression: {error}")))?,
                    );
                    true
                }
                "until" => {
                    filters.until = parse_moment(value, Timestamp::now());
                    filters.until.is_some()
                }
                "restart-policy" => RESTARTS.contains(&value.as_str()),
                "publish" | "expose" => port_range(value).is_some(),
                key if KEYS.contains(&key) => true,
                _ => {
                    return Err(
                        bad("invalid filter").hint(format!("use one of {}", KEYS.join(", ")))
                    );
                }
            };
            if !good {
                return Err(bad("not a value of this filter"));
            }
        }
        Ok(filters)
    }

    /// Whether containers that do not run are asked for by a filter.
    pub(super) fn names_states(&self) -> bool {
        self.pairs
            .iter()
            .any(|(key, _)| key == "status" || key == "exited")
    }

    /// Whether a filter names another container, which need not be one of those shown.
    pub(super) fn names_others(&self) -> bool {
        self.pairs
            .iter()
            .any(|(key, _)| key == "before" || key == "since")
    }

    /// Whether a filter looks at the ports of images.
    pub(super) fn needs_exposed(&self) -> bool {
        self.values("expose").next().is_some()
    }

    /// Finds the containers `before` and `since` name among the rows.
    pub(super) fn resolve(mut self, rows: &[ContainerSummary]) -> Result<Filters> {
        for (key, value) in &self.pairs {
            let slot = match key.as_str() {
                "before" => &mut self.before,
                "since" => &mut self.since,
                _ => continue,
            };
            let found = rows
                .iter()
                .find(|row| row.name == *value || row.id.as_str().starts_with(value.as_str()));
            *slot = match found {
                Some(row) => Some(row.created),
                None => {
                    let object = format!("{key}={value}");
                    return Err(Error::usage(
                        "use filter",
                        object,
                        "no such container is listed",
                    ));
                }
            };
        }
        Ok(self)
    }

    /// Whether a row passes all filters, `expose` apart.
    pub(super) fn pass(&self, row: &ContainerSummary) -> bool {
        self.before.is_none_or(|moment| row.created < moment)
            && self.since.is_none_or(|moment| row.created > moment)
            && self.until.is_none_or(|moment| row.created < moment)
            && self.all("label", |value| has_label(row, value))
            && self.all("label!", |value| !has_label(row, value))
            && self.any("id", |value| fits_id(row, value))
            && (self.names.is_empty() || self.names.iter().any(|name| fits_name(row, name)))
            && self.any("status", |value| is_state(row.state, value))
            && self.any("exited", |value| {
                let code = row.exit.map(ExitStatus::code);
                row.state == ContainerState::Exited && code == value.parse().ok()
            })
            && self.any("ancestor", |value| is_ancestor(row, value))
            && self.any("volume", |value| {
                let places = row.mounts.iter().chain(&row.targets);
                places.into_iter().any(|place| place == value)
            })
            && self.any("network", |value| {
                row.networks.iter().any(|name| name == value)
            })
            && self.pass_settings(row)
    }

    fn pass_settings(&self, row: &ContainerSummary) -> bool {
        let published = |value: &str| {
            let fits = |range: PortRange| {
                let mut ports = row.ports.iter();
                ports.any(|port| range.fits(port.container, &port.protocol))
            };
            port_range(value).is_some_and(fits)
        };
        self.any("publish", published)
            && self.any("health", |value| {
                row.health.unwrap_or_default().word() == value
            })
            && self.any("is-task", |value| truth(value) == Some(false))
            // No container is in a pod.
            && self.any("pod", |_| false)
            && self.any("restart-policy", |value| {
                let value = if value == "none" { "no" } else { value };
                restart_policy(row.restart).0 == value
            })
            && self.any("command", |value| {
                row.command.first().is_some_and(|first| first == value)
            })
            && self.any("should-start-on-boot", |value| {
                truth(value) == Some(row.starts_at_boot)
            })
    }

    /// Whether a container with these exposed ports (`80/tcp`) passes `expose`.
    pub(super) fn pass_exposed(&self, row: &ContainerSummary, exposed: &[String]) -> bool {
        let own = |port: &Port| (port.container, port.protocol.clone());
        let image = exposed.iter().filter_map(|port| port_range(port));
        let image = image.map(|port| (port.first, port.protocol));
        let all: Vec<(u16, String)> = row.ports.iter().map(own).chain(image).collect();
        self.any("expose", |value| {
            port_range(value).is_some_and(|range| {
                let mut ports = all.iter();
                ports.any(|(port, protocol)| range.fits(*port, protocol))
            })
        })
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let own = self.pairs.iter().filter(move |(other, _)| other == key);
        own.map(|(_, value)| value.as_str())
    }

    fn any(&self, key: &str, fits: impl Fn(&str) -> bool) -> bool {
        let mut values = self.values(key).peekable();
        values.peek().is_none() || values.any(fits)
    }

    fn all(&self, key: &str, fits: impl Fn(&str) -> bool) -> bool {
        self.values(key).all(fits)
    }
}

impl PortRange {
    fn fits(&self, port: u16, protocol: &str) -> bool {
        (self.first..=self.last).contains(&port) && self.protocol == protocol
    }
}

fn port_range(text: &str) -> Option<PortRange> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let good = first <= last && ["tcp", "udp", "sctp"].contains(&protocol.as_str());
    good.then_some(PortRange {
        first,
        last,
        protocol,
    })
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" => Some(true),
        "false" | "0" | "f" => Some(false),
        _ => None,
    }
}

/// podman's words for states that docker calls otherwise.
fn is_state(state: ContainerState, wanted: &str) -> bool {
    let wanted = match wanted {
        "stopped" => "exited",
        "configured" => "created",
        other => other,
    };
    state.word() == wanted
}

fn has_label(row: &ContainerSummary, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => row.labels.get(key).is_some_and(|found| found == value),
        None => row.labels.contains_key(wanted),
    }
}

/// podman: what is hexadecimal begins an id, in either case; everything else is a pattern.
fn fits_id(row: &ContainerSummary, value: &str) -> bool {
    let id = row.id.as_str();
    match value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => id.starts_with(&value.to_ascii_lowercase()),
        false => Regex::new(value).is_ok_and(|pattern| pattern.is_match(id)),
    }
}

/// docker looks at the name with and without its slash: scripts write `^/web$` and `^web$`.
fn fits_name(row: &ContainerSummary, name: &Regex) -> bool {
    name.is_match(&row.name) || name.is_match(&format!("/{}", row.name))
}

fn is_ancestor(row: &ContainerSummary, value: &str) -> bool {
    let by_id = row.image_id.is_some_and(|id| {
        let hex = value.strip_prefix("sha256:").unwrap_or(value);
        hex.len() >= 4 && id.hex().starts_with(hex)
    });
    let parsed = |text: &str| {
        crate::reference::Reference::parse(text)
            .ok()
            .map(|name| name.to_string())
    };
    by_id || row.image == value || parsed(&row.image).is_some_and(|own| parsed(value) == Some(own))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::common::{ContainerId, Digest};
    use crate::spec::config::RestartPolicy;

    pub(in super::super) fn row(name: &str, state: ContainerState) -> ContainerSummary {
        ContainerSummary {
            id: ContainerId::from_bytes([0xab; 32]),
            name: name.to_owned(),
            image: "debian".to_owned(),
            image_id: Some(Digest::of(b"x")),
            command: vec!["sleep".to_owned(), "infinity-and-more".to_owned()],
            created: Timestamp(0),
            started: Some(Timestamp(0)),
            finished: None,
            state,
            exit: None,
            health: None,
            pid: Some(7),
            labels: BTreeMap::from([("tier".to_owned(), "front".to_owned())]),
            networks: vec!["host".to_owned()],
            mounts: vec!["/srv".to_owned()],
            targets: vec!["/data".to_owned()],
            volumes: 0,
            ports: vec![Port {
                container: 80,
                protocol: "tcp".to_owned(),
                host_ip: "0.0.0.0".to_owned(),
                host: 8080,
                last: None,
            }],
            restart: RestartPolicy::Always,
            restarts: 0,
            starts_at_boot: true,
            will_start_at_boot: false,
            auto_remove: false,
            size: None,
        }
    }

    fn passes(filters: &[(&str, &str)], row: &ContainerSummary) -> bool {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        let pairs: Vec<_> = filters.iter().map(own).collect();
        Filters::parse(&pairs).unwrap().pass(row)
    }

    #[test]
    fn keys_are_joined_by_and_values_by_or() {
        let web = row("web-1", ContainerState::Running);
        for good in [
            &[("name", "web")][..],
            &[("name", "x"), ("name", "eb-")],
            &[("name", "^/web-1$")],
            &[("label", "tier"), ("label", "tier=front")],
            &[("label!", "other")],
            &[("status", "running"), ("id", "abab")],
            &[("ancestor", "docker.io/library/debian:latest")],
            &[("volume", "/srv"), ("network", "host")],
            &[("name", "^/?(web|db)-[0-9]+$")],
            &[("publish", "80"), ("health", "none")],
            &[("publish", "79-81/tcp"), ("restart-policy", "always")],
            &[("command", "sleep"), ("should-start-on-boot", "true")],
            &[("until", "1970-01-02"), ("is-task", "false")],
        ] {
            assert!(passes(good, &web), "{good:?}");
        }
        for bad in [
            &[("name", "x")][..],
            &[("name", "web"), ("status", "exited")],
            &[("label", "tier"), ("label", "other")],
            &[("exited", "0")],
            &[("name", "^web$")],
            &[("ancestor", "alpine")],
            &[("publish", "80/udp")],
            &[("health", "healthy")],
            &[("pod", "x")],
            &[("until", "1969-01-01")],
            &[("should-start-on-boot", "0")],
        ] {
            assert!(!passes(bad, &web), "{bad:?}");
        }
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for (key, value) in [
            ("nope", "x"),
            ("status", "up"),
            ("exited", "x"),
            ("name", "("),
            ("publish", "x/tcp"),
            ("health", "ill"),
            ("restart-policy", "sometimes"),
            ("until", "soon"),
        ] {
            assert!(Filters::parse(&[(key.to_owned(), value.to_owned())]).is_err());
        }
    }
}
