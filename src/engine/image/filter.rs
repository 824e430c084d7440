//! `--filter` of image lists and prunes: docker's keys, read once, then applied per image.

use std::collections::HashSet;

use anyhow::Result;

use super::find;
use crate::common::{Digest, Error, Timestamp, parse_moment};
use crate::reference::Reference;
use crate::store::{ImageRecord, Store};

/// Checked filters. Several of one key: any may fit, but all labels must.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters {
    reference: Vec<String>,
    dangling: Option<bool>,
    label: Vec<(String, Option<String>)>,
    no_label: Vec<(String, Option<String>)>,
    since: Option<Timestamp>,
    before: Option<Timestamp>,
    until: Option<Timestamp>,
    id: Vec<String>,
    digest: Vec<Digest>,
    /// Images that containers were made from, and whether they are wanted.
    containers: Option<(HashSet<Digest>, bool)>,
    /// A kind of image was asked for that the store never has.
    none: bool,
}

impl Filters {
    /// Reads `(key, value)` pairs; `since` and `before` name images of the store.
    ///
    /// # Errors
    /// `Usage` for an unknown key or a bad value; `NotFound` for an unknown image.
    pub(crate) fn parse(store: &Store, pairs: &[(String, String)]) -> Result<Filters> {
        let mut filters = Filters::default();
        for (key, value) in pairs {
            let bad = |why: &str| Error::usage("use filter", format!("{key}={value}"), why);
            match key.as_str() {
                "reference" => filters.reference.push(value.clone()),
                "dangling" => {
                    let wanted = truth(value).ok_or_else(|| bad("use true or false"))?;
                    filters.dangling = Some(wanted);
                }
                "label" => filters.label.push(label(value)),
                "label!" => filters.no_label.push(label(value)),
                "since" | "after" => {
                    let made = find(store, value)?.record.created;
                    filters.since = Some(made.unwrap_or_default());
                }
                "before" => {
                    let made = find(store, value)?.record.created;
                    filters.before = Some(made.unwrap_or_default());
                }
                "until" => {
                    filters.until = Some(moment(value).ok_or_else(|| {
                        bad("use a time such as 2026-01-31T12:00:00Z or an age such as 24h")
                    })?);
                }
                "id" => filters
                    .id
                    .push(value.trim_start_matches("sha256:").to_owned()),
                "digest" => filters.digest.push(value.parse()?),
                "containers" => {
                    let wanted = truth(value).ok_or_else(|| bad("use true or false"))?;
                    filters.containers = Some((used(store)?, wanted));
                }
                // Every image of ketch is a final, writable one of this store.
                "intermediate" | "readonly" | "manifest" => {
                    filters.none |= truth(value).ok_or_else(|| bad("use true or false"))?;
                }
                _ => {
                    return Err(bad("invalid filter")
                        .hint("use reference, dangling, label, since, before, until, id or digest")
                        .into());
                }
            }
        }
        Ok(filters)
    }

    /// The `dangling` filter, for verbs where it changes what is looked at.
    pub(crate) fn dangling(&self) -> Option<bool> {
        self.dangling
    }

    /// Whether an image record passes all filters.
    pub(crate) fn pass(&self, record: &ImageRecord) -> bool {
        let created = record.created.unwrap_or_default();
        let in_use =
            |(used, wanted): &(HashSet<Digest>, bool)| used.contains(&record.config) == *wanted;
        !self.none
            && self.containers.as_ref().is_none_or(in_use)
            && self
                .dangling
                .is_none_or(|wanted| wanted == record.name.is_none())
            && self.label.iter().all(|wanted| has_label(record, wanted))
            && !self.no_label.iter().any(|wanted| has_label(record, wanted))
            && self.since.is_none_or(|moment| created > moment)
            && self.before.is_none_or(|moment| created < moment)
            && self.until.is_none_or(|moment| created < moment)
            && any(&self.id, |id| record.config.hex().starts_with(id.as_str()))
            && any(&self.digest, |digest| {
                record.manifest == *digest || record.index == Some(*digest)
            })
            && any(&self.reference, |pattern| fits_reference(record, pattern))
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" => Some(true),
        "false" | "0" | "f" => Some(false),
        _ => None,
    }
}

/// Ids of the images that containers were made from.
fn used(store: &Store) -> Result<HashSet<Digest>> {
    let entries = store.containers().list()?.into_iter().flatten();
    Ok(entries.filter_map(|entry| entry.record.config).collect())
}

fn any<T>(wanted: &[T], fits: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

fn label(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn has_label(record: &ImageRecord, (key, value): &(String, Option<String>)) -> bool {
    let found = record.labels.get(key);
    match value {
        Some(value) => found == Some(value),
        None => found.is_some(),
    }
}

/// docker's `until` and `since` grammar.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    parse_moment(text, Timestamp::now())
}

/// moby: the pattern may fit the short name, the short name with its tag, or the full name.
fn fits_reference(record: &ImageRecord, pattern: &str) -> bool {
    let Some(name) = record.name.as_deref() else {
        return false;
    };
    let Ok(reference) = Reference::parse(name) else {
        return name == pattern;
    };
    [
        reference.familiar_repository(),
        reference.familiar(),
        reference.repository(),
        name.to_owned(),
    ]
    .iter()
    .any(|text| glob(pattern.as_bytes(), text.as_bytes()))
}

/// Go's `path.Match` without escapes: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]`.
/// Linear space, no recursion: the pattern may be hostile.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() || p < pattern.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
                continue;
            }
            Some(_) if t < text.len() => one(&pattern[p..], text[t]),
            _ => None,
        };
        if let Some(width) = step {
            p += width;
            t += 1;
            continue;
        }
        match retry {
            Some((star, from)) if from < text.len() && text[from] != b'/' => {
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
            _ => return false,
        }
    }
    true
}

/// Length of the pattern element at the start of `pattern` when it fits `c`.
fn one(pattern: &[u8], c: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => (c != b'/').then_some(1),
        b'[' => {
            let end = pattern.iter().skip(2).position(|c| *c == b']')? + 2;
            let set = pattern.get(1..end)?;
            let (negated, set) = match set.split_first() {
                Some((b'^', rest)) => (true, rest),
                _ => (false, set),
            };
            let mut found = false;
            let mut at = 0;
            while let Some(low) = set.get(at) {
                let range = set.get(at + 1) == Some(&b'-');
                let high = set.get(at + 2).filter(|_| range);
                found |= (*low..=*high.unwrap_or(low)).contains(&c);
                at += if high.is_some() { 3 } else { 1 };
            }
            (found != negated).then_some(end + 1)
        }
        literal => (*literal == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_follow_gos_path_match() {
        for (pattern, text, fits) in [
            ("debian", "debian", true),
            ("deb*", "debian", true),
            ("*", "a/b", false),
            ("*/*", "a/b", true),
            ("*:lat?st", "x:latest", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[", "[", false),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
        ] {
            assert_eq!(
                glob(pattern.as_bytes(), text.as_bytes()),
                fits,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn moments_have_dockers_forms() {
        assert_eq!(moment("10").map(Timestamp::seconds), Some(10));
        assert_eq!(moment("1970-01-02").map(Timestamp::seconds), Some(86_400));
        let day = moment("24h").unwrap().age(Timestamp::now()).as_secs();
        assert!((86_399..86_402).contains(&day));
        assert_eq!(moment("soon"), None);
    }
}
