//! The part of a container's record that only the engine understands.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::oci::Healthcheck;
use crate::spec::config::{Config, Network};
use crate::store::{ContainerRecord, Stack};

/// What was asked when a container was made, as its record keeps it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// `--rm`.
    pub(crate) remove: bool,
    /// `--rmi`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) remove_image: bool,
    /// Id maps that were chosen for it, see `userns::to_json`; null without.
    pub(super) maps: Value,
    /// What `exec` and a health check need of the image, whose configuration they then need not
    /// read.
    pub(super) image: ImageFacts,
    /// How the layers of its image lie on each other.
    #[serde(skip_serializing_if = "Stack::is_plain")]
    pub(super) stack: Stack,
    /// The command line it was made by, program first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command_line: Vec<String>,
    /// Everything else.
    pub(crate) config: Config,
}

/// Parts of an image's configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ImageFacts {
    /// Who its payload is.
    pub(super) user: String,
    /// How its health is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health: Option<Healthcheck>,
}

impl ImageFacts {
    /// Reads them alone from a record; nothing where there are none.
    pub(super) fn of(record: &ContainerRecord) -> ImageFacts {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Part {
            image: ImageFacts,
        }
        let part: Part = record.asked.read().unwrap_or_default();
        part.image
    }
}

/// What was asked of its network, read alone from a record; a record of another version asks for
/// nothing.
pub(crate) fn asked_network(record: &ContainerRecord) -> Network {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Part {
        config: Inner,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        network: Network,
    }
    let part: Part = record.asked.read().unwrap_or_default();
    part.config.network
}

impl Asked {
    /// Reads it from a record.
    ///
    /// # Errors
    /// When another version of ketch wrote it in a form that this one does not know.
    pub(crate) fn of(record: &ContainerRecord) -> Result<Asked> {
        let asked = record.asked.read();
        asked.with_context(|| format!("read what was asked of container {}", record.name))
    }
}
