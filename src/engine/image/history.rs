//! `history`: how an image came about, newest step first.

use anyhow::{Context, Result};

use super::find;
use crate::common::{Digest, Timestamp, parse_rfc3339};
use crate::store::Store;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The image id on the newest step; `None` is docker's `<missing>`.
    pub(crate) id: Option<Digest>,
    /// When.
    pub(crate) created: Option<Timestamp>,
    /// The instruction.
    pub(crate) created_by: String,
    /// Unpacked bytes of the layer it made; 0 when it made none.
    pub(crate) size: u64,
    /// A note.
    pub(crate) comment: String,
    /// Names of the image, on the newest step.
    pub(crate) tags: Vec<String>,
}

/// Returns the steps of an image.
pub(crate) fn history(store: &Store, image: &str) -> Result<Vec<Step>> {
    let record = find(store, image)?.record;
    let config = store
        .image_config(&record)
        .with_context(|| format!("read the history of {image}"))?;
    let mut layers = config.rootfs.diff_ids.iter();
    let size = |layer: Option<&Digest>| {
        let info = layer.and_then(|layer| store.layers().info(layer).ok());
        info.map_or(0, |info| info.size)
    };
    let mut steps: Vec<Step> = config
        .history
        .iter()
        .map(|entry| Step {
            id: None,
            created: entry.created.as_deref().and_then(parse_rfc3339),
            created_by: entry.created_by.clone().unwrap_or_default(),
            size: if entry.empty_layer {
                0
            } else {
                size(layers.next())
            },
            comment: entry.comment.clone().unwrap_or_default(),
            tags: Vec::new(),
        })
        .collect();
    // An image may have layers without history, or no history at all.
    steps.extend(layers.map(|layer| Step {
        id: None,
        created: record.created,
        created_by: String::new(),
        size: size(Some(layer)),
        comment: String::new(),
        tags: Vec::new(),
    }));
    steps.reverse();
    if let Some(newest) = steps.first_mut() {
        newest.id = Some(record.config);
        let records = store.images().records()?;
        let same = records.iter().filter(|other| other.config == record.config);
        newest.tags = same
            .filter_map(|other| other.name.as_deref().map(super::familiar))
            .collect();
    }
    Ok(steps)
}
