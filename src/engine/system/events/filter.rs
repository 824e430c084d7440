//! `--filter` of `events`: docker's keys and podman's. Several values of one key: any may fit,
//! but all labels must.

use crate::common::{Error, Result};
use crate::reference::Reference;
use crate::store::Event;

/// Keys whose value is a kind of object and the name or id of one.
const OBJECTS: [&str; 10] = [
    "config",
    "container",
    "daemon",
    "network",
    "node",
    "plugin",
    "pod",
    "secret",
    "service",
    "volume",
];

/// The other keys.
const OTHERS: [&str; 6] = ["event", "status", "image", "label", "scope", "type"];

/// Checked filters.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventFilters {
    pairs: Vec<(String, String)>,
}

impl EventFilters {
    /// Checks the keys.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Result<EventFilters> {
        let mut checked = Vec::new();
        for (key, value) in pairs {
            let key = key.to_ascii_lowercase();
            if !OBJECTS.contains(&key.as_str()) && !OTHERS.contains(&key.as_str()) {
                let keys = OTHERS.iter().chain(&OBJECTS);
                let keys: Vec<&str> = keys.copied().collect();
                return Err(
                    Error::usage("use filter", format!("{key}={value}"), "invalid filter")
                        .hint(format!("use one of {}", keys.join(", "))),
                );
            }
            let key = match key.as_str() {
                "status" => "event".to_owned(),
                _ => key,
            };
            checked.push((key, value.clone()));
        }
        Ok(EventFilters { pairs: checked })
    }

    /// Whether an event passes all of them.
    pub(crate) fn pass(&self, event: &Event) -> bool {
        let object = |kind: &&str| {
            self.any(kind, |value| {
                // docker: the beginning of an id or of a name is enough.
                event.object == *kind
                    && (event.id.starts_with(value) || has(event, "name", |n| n.starts_with(value)))
            })
        };
        OBJECTS.iter().all(object)
            && self.any("event", |value| is_action(event, value))
            && self.any("type", |value| event.object == value)
            && self.any("scope", |value| value == "local")
            && self.any("image", |value| is_image(event, value))
            && self
                .values("label")
                .all(|value| match value.split_once('=') {
                    Some((key, value)) => has(event, key, |found| found == value),
                    None => event.attributes.contains_key(value),
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
}

fn has(event: &Event, key: &str, fits: impl Fn(&str) -> bool) -> bool {
    event.attributes.get(key).is_some_and(|value| fits(value))
}

/// docker's word or podman's; `health_status` also fits `health_status: healthy`.
fn is_action(event: &Event, wanted: &str) -> bool {
    let words = event.action.split(':').next().unwrap_or_default();
    event.action == wanted || words == wanted || podman_word(event) == wanted
}

/// docker: the image's name or id, with or without its tag, of an image or of a container.
fn is_image(event: &Event, wanted: &str) -> bool {
    let name = match event.object.as_str() {
        "image" => event.attributes.get("name"),
        "container" => event.attributes.get("image"),
        _ => return false,
    };
    let own = |text: &str| {
        let bare = || Some(Reference::parse(text).ok()?.familiar_repository());
        let whole = || Some(Reference::parse(text).ok()?.to_string());
        text == wanted || bare().as_deref() == Some(wanted) || whole().as_deref() == Some(wanted)
    };
    let id = event.object == "image" && {
        let hex = wanted.trim_start_matches("sha256:");
        !hex.is_empty() && event.id.trim_start_matches("sha256:").starts_with(hex)
    };
    id || name.is_some_and(|name| own(name))
}

/// podman's word for what docker calls the event's action.
pub(crate) fn podman_word(event: &Event) -> &str {
    match (event.object.as_str(), event.action.as_str()) {
        ("container", "die") => "died",
        ("container", "destroy") | ("image", "delete") | ("volume" | "network", "destroy") => {
            "remove"
        }
        ("container", "exec_die") => "exec_died",
        (_, action) if action.starts_with("exec_start") => "exec",
        (_, action) => action.split(':').next().unwrap_or(action),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::common::Timestamp;

    fn event(object: &str, action: &str, id: &str, attributes: &[(&str, &str)]) -> Event {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Event {
            time: Timestamp(0),
            object: object.to_owned(),
            action: action.to_owned(),
            id: id.to_owned(),
            attributes: attributes.iter().map(pair).collect::<BTreeMap<_, _>>(),
        }
    }

    fn passes(event: &Event, filters: &[(&str, &str)]) -> bool {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        let pairs: Vec<_> = filters.iter().map(own).collect();
        EventFilters::parse(&pairs).unwrap().pass(event)
    }

    #[test]
    fn keys_are_joined_by_and_values_by_or() {
        let die = event(
            "container",
            "die",
            "abcdef",
            &[("name", "web"), ("image", "debian:12"), ("tier", "front")],
        );
        for good in [
            &[][..],
            &[("container", "abc")],
            &[("container", "web"), ("container", "db")],
            &[("event", "start"), ("event", "die"), ("type", "container")],
            &[("event", "died"), ("scope", "local")],
            &[("image", "debian")],
            &[("image", "docker.io/library/debian:12")],
            &[("label", "tier"), ("label", "tier=front")],
        ] {
            assert!(passes(&die, good), "{good:?}");
        }
        for bad in [
            &[("container", "db")][..],
            &[("container", "web"), ("event", "start")],
            &[("label", "tier"), ("label", "none")],
            &[("image", "debian:11")],
            &[("type", "image")],
            &[("daemon", "x")],
            &[("scope", "swarm")],
        ] {
            assert!(!passes(&die, bad), "{bad:?}");
        }
        let delete = event("image", "delete", "sha256:abcd", &[("name", "sha256:abcd")]);
        assert!(passes(&delete, &[("image", "abcd"), ("event", "remove")]));
        assert!(!passes(&delete, &[("container", "a")]));
        let health = event("container", "health_status: healthy", "a", &[]);
        assert!(passes(&health, &[("event", "health_status")]));
        assert!(EventFilters::parse(&[("nope".to_owned(), "x".to_owned())]).is_err());
    }
}
