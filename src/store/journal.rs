//! What happened to containers and images, one line of JSON each, in the order it happened.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::common::Timestamp;
use crate::sys::file;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// When.
    pub(crate) time: Timestamp,
    /// What it happened to: `container`, `image`, `volume`, `network`.
    #[serde(rename = "type")]
    pub(crate) object: String,
    /// docker's word for it: `create`, `start`, `die`, `destroy`, `pull`, …
    pub(crate) action: String,
    /// Id of the container, name or id of the image.
    pub(crate) id: String,
    /// docker's actor attributes: `name`, `image`, `exitCode`, `signal`, labels.
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Store {
    /// Adds an event to the journal. Nothing depends on the journal, so that a full disk or a
    /// read-only store is no failure.
    pub(crate) fn note_event(&self, event: &Event) {
        let path = self.path("events");
        if let Ok(mut line) = serde_json::to_vec(event)
            && let Ok(mut out) = file::open_append(&path)
        {
            line.push(b'\n');
            // One write of one line: appends of several processes never mix.
            let _ = out.write_all(&line);
        }
    }
}
