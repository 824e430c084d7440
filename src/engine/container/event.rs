//! Notes in the journal of what happens to containers.

use std::collections::BTreeMap;

use crate::common::{ExitStatus, Timestamp};
use crate::engine::Engine;
use crate::store::{ContainerRecord, Event, Store};

/// Notes that `action` happened to the container of `record`; `more` joins docker's attributes
/// `image`, `name` and the labels.
pub(crate) fn note(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    action: &str,
    more: &[(&str, String)],
) {
    note_in(&engine.store, record, action, more);
}

/// As [`note`], for verbs that have the store alone.
pub(crate) fn note_in(
    store: &Store,
    record: &ContainerRecord,
    action: &str,
    more: &[(&str, String)],
) {
    store.note_event(&of(record, Timestamp::now(), action, more));
}

/// An event to be written with others by one write: a start cannot afford one for each.
pub(crate) fn of(
    record: &ContainerRecord,
    time: Timestamp,
    action: &str,
    more: &[(&str, String)],
) -> Event {
    let mut attributes: BTreeMap<String, String> = record.labels.clone();
    attributes.insert("image".to_owned(), record.image.clone());
    attributes.insert("name".to_owned(), record.name.clone());
    attributes.extend(
        more.iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    Event {
        time,
        object: "container".to_owned(),
        action: action.to_owned(),
        id: record.id.to_string(),
        attributes,
    }
}

/// Notes a prune of objects of one kind and the bytes it gave back.
pub(crate) fn note_prune(store: &Store, object: &str, reclaimed: u64) {
    store.note_event(&Event {
        time: Timestamp::now(),
        object: object.to_owned(),
        action: "prune".to_owned(),
        id: String::new(),
        attributes: BTreeMap::from([("reclaimed".to_owned(), reclaimed.to_string())]),
    });
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// Code or signal.
    pub(crate) status: ExitStatus,
    /// When its first process began; `None` when it never came to that.
    pub(crate) started: Option<Timestamp>,
    /// Whether the kernel killed it for memory.
    pub(crate) oom: bool,
    /// Whether the container was removed with its end.
    pub(crate) removed: bool,
}

/// Notes that a container was made and started by one command that goes on holding its streams.
/// One write, done while the payload runs already.
pub(crate) fn started(engine: &Engine<'_>, record: &ContainerRecord, began: Timestamp) {
    engine.store.note_events(&[
        of(record, record.created, "create", &[]),
        of(record, began, "attach", &[]),
        of(record, began, "start", &[]),
    ]);
}

/// Notes the end of such a run by one write. A run that never began was not noted as made yet.
pub(crate) fn ended(engine: &Engine<'_>, record: &ContainerRecord, end: Ended) {
    let now = Timestamp::now();
    let mut events = Vec::new();
    if end.started.is_none() {
        events.push(of(record, record.created, "create", &[]));
    }
    if end.oom {
        events.push(of(record, now, "oom", &[]));
    }
    events.push(of(record, now, "die", &die(end.status, end.started, now)));
    if end.removed {
        events.push(of(record, now, "destroy", &[]));
    }
    engine.store.note_events(&events);
}

/// docker's attributes of `die`: the exit code, and the whole seconds since the start.
pub(crate) fn die(
    status: ExitStatus,
    started: Option<Timestamp>,
    now: Timestamp,
) -> [(&'static str, String); 2] {
    let ran = started.map_or(0, |started| started.age(now).as_secs());
    [
        ("execDuration", ran.to_string()),
        ("exitCode", status.code().to_string()),
    ]
}
