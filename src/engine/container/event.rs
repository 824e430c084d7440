//! Notes in the journal of what happens to containers.

use std::collections::BTreeMap;

use crate::common::Timestamp;
use crate::engine::Engine;
use crate::store::{ContainerRecord, Event};

/// Notes that `action` happened to the container of `record`; `more` joins docker's attributes
/// `image`, `name` and the labels.
pub(crate) fn note(
    engine: &Engine<'_>,
    record: &ContainerRecord,
    action: &str,
    more: &[(&str, String)],
) {
    let mut attributes: BTreeMap<String, String> = record.labels.clone();
    attributes.insert("image".to_owned(), record.image.clone());
    attributes.insert("name".to_owned(), record.name.clone());
    attributes.extend(
        more.iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    engine.store.note_event(&Event {
        time: Timestamp::now(),
        object: "container".to_owned(),
        action: action.to_owned(),
        id: record.id.to_string(),
        attributes,
    });
}
