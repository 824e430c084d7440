//! `--filter` of `ps`: docker's keys on the rows of the list. Several values of one key: any may
//! fit, but all labels must.

use crate::common::{Error, ExitStatus, Result, Timestamp};
use crate::engine::container::{ContainerState, ContainerSummary};

/// Checked filters.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters {
    pairs: Vec<(String, String)>,
    before: Option<Timestamp>,
    since: Option<Timestamp>,
}

const KEYS: [&str; 11] = [
    "id", "name", "label", "label!", "status", "exited", "ancestor", "before", "since", "volume",
    "network",
];

impl Filters {
    /// Checks keys, and values where they have a grammar.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Filters> {
        for (key, value) in pairs {
            let bad = |why: &str| Error::usage("use filter", format!("{key}={value}"), why);
            let good = match key.as_str() {
                "status" => {
                    let words = [
                        "created",
                        "running",
                        "exited",
                        "dead",
                        "paused",
                        "restarting",
                        "removing",
                    ];
                    words.contains(&value.as_str())
                }
                "exited" => value.parse::<u8>().is_ok(),
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
        Ok(Filters {
            pairs: pairs.to_vec(),
            ..Filters::default()
        })
    }

    /// Whether containers that do not run are asked for by a filter.
    pub(super) fn names_states(&self) -> bool {
        self.pairs
            .iter()
            .any(|(key, _)| key == "status" || key == "exited")
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

    /// Whether a row passes all filters.
    pub(super) fn pass(&self, row: &ContainerSummary) -> bool {
        self.before.is_none_or(|moment| row.created < moment)
            && self.since.is_none_or(|moment| row.created > moment)
            && self.all("label", |value| has_label(row, value))
            && self.all("label!", |value| !has_label(row, value))
            && self.any("id", |value| row.id.as_str().starts_with(value))
            && self.any("name", |value| fits_name(&row.name, value))
            && self.any("status", |value| row.state.word() == value)
            && self.any("exited", |value| {
                let code = row.exit.map(ExitStatus::code);
                row.state == ContainerState::Exited && code == value.parse().ok()
            })
            && self.any("ancestor", |value| is_ancestor(row, value))
            && self.any("volume", |value| {
                row.mounts.iter().any(|mount| mount == value)
            })
            && self.any("network", |value| {
                row.networks.iter().any(|name| name == value)
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

fn has_label(row: &ContainerSummary, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => row.labels.get(key).is_some_and(|found| found == value),
        None => row.labels.contains_key(wanted),
    }
}

/// docker takes a regular expression; what scripts write is a part of the name, perhaps held by
/// `^` and `$`, perhaps with docker's slash in front.
fn fits_name(name: &str, pattern: &str) -> bool {
    let (start, pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (end, pattern) = match pattern.strip_suffix('$') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (start, pattern) = match pattern.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (start, pattern),
    };
    match (start, end) {
        (true, true) => name == pattern,
        (true, false) => name.starts_with(pattern),
        (false, true) => name.ends_with(pattern),
        (false, false) => name.contains(pattern),
    }
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
        ] {
            assert!(!passes(bad, &web), "{bad:?}");
        }
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for (key, value) in [("nope", "x"), ("status", "up"), ("exited", "x")] {
            assert!(Filters::parse(&[(key.to_owned(), value.to_owned())]).is_err());
        }
    }
}
