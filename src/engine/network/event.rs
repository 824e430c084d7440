//! Notes in the journal of what happens to networks, with docker's actors.

use crate::common::Timestamp;
use crate::network::Record;
use crate::store::{Event, Store};

/// Notes that `action` happened to a network: `create`, `destroy`, or `connect` and `disconnect`
/// of a container.
pub(crate) fn note(store: &Store, network: &Record, action: &str, container: Option<&str>) {
    let mut attributes = network.labels.clone();
    attributes.insert("name".to_owned(), network.name.clone());
    attributes.insert("type".to_owned(), network.driver.word().to_owned());
    if let Some(container) = container {
        attributes.insert("container".to_owned(), container.to_owned());
    }
    store.note_event(&Event {
        time: Timestamp::now(),
        object: "network".to_owned(),
        action: action.to_owned(),
        id: network.id.clone(),
        attributes,
    });
}
