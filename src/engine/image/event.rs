//! Notes in the journal of what happens to images, with docker's actors.

use std::collections::BTreeMap;

use super::parsed;
use crate::common::{Digest, Timestamp};
use crate::store::{Event, Store};

/// Notes a pull. docker: the actor is the image's name, its attribute the repository.
pub(super) fn pulled(store: &Store, name: &str) {
    moved(store, "pull", name);
}

/// Notes a push, in the same way.
pub(super) fn pushed(store: &Store, name: &str) {
    moved(store, "push", name);
}

fn moved(store: &Store, action: &str, name: &str) {
    let (id, repository) = match parsed(name) {
        Some(name) => (name.familiar(), name.familiar_repository()),
        None => (name.to_owned(), name.to_owned()),
    };
    note(store, action, id, repository);
}

/// Notes that an image got (`tag`) or lost (`untag`) a name.
pub(super) fn named(store: &Store, action: &str, id: &Digest, name: &str) {
    note(store, action, id.to_string(), super::familiar(name));
}

/// Notes that an image came out of an archive. docker: its actor is the id, its name too.
pub(super) fn loaded(store: &Store, id: &Digest) {
    note(store, "load", id.to_string(), id.to_string());
}

/// Notes that an image is gone.
pub(super) fn deleted(store: &Store, id: &Digest) {
    note(store, "delete", id.to_string(), id.to_string());
}

fn note(store: &Store, action: &str, id: String, name: String) {
    store.note_event(&Event {
        time: Timestamp::now(),
        object: "image".to_owned(),
        action: action.to_owned(),
        id,
        attributes: BTreeMap::from([("name".to_owned(), name)]),
    });
}
