//! `image inspect`: docker's keys, with podman's extra ones.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{familiar, familiar_digest, find};
use crate::oci::ImageConfig;
use crate::store::{ImageDocuments, ImageRecord, Store};

/// Returns the JSON object of one image.
pub(crate) fn inspect(store: &Store, image: &str) -> Result<Value> {
    let found = find(store, image)?;
    let documents = store
        .documents(&found.record)
        .with_context(|| format!("inspect image {image}"))?;
    let records = store.images().records()?;
    let same: Vec<&ImageRecord> = records
        .iter()
        .filter(|record| record.config == found.record.config)
        .collect();
    Ok(document(store, &found.record, &same, &documents))
}

fn document(
    store: &Store,
    record: &ImageRecord,
    same: &[&ImageRecord],
    ImageDocuments { manifest, config }: &ImageDocuments,
) -> Value {
    let mut tags: Vec<String> = same
        .iter()
        .filter_map(|record| record.name.as_deref())
        .filter(|name| !name.contains('@'))
        .map(familiar)
        .collect();
    tags.sort();
    let mut digests: Vec<String> = same
        .iter()
        .flat_map(|record| &record.repo_digests)
        .map(|entry| familiar_digest(entry))
        .collect();
    digests.sort();
    digests.dedup();
    let top = record.layers.last().map(|layer| store.layers().path(layer));
    json!({
        "Id": record.config,
        "Digest": record.index.unwrap_or(record.manifest),
        "RepoTags": tags,
        "RepoDigests": digests,
        "Parent": "",
        "Comment": comment(config),
        "Created": config.created.clone().unwrap_or_default(),
        "Config": container_config(config),
        "Author": config.author.clone().unwrap_or_default(),
        "Architecture": config.architecture,
        "Variant": config.variant.clone().unwrap_or_default(),
        "Os": config.os,
        "Size": record.size,
        "VirtualSize": record.size,
        "GraphDriver": {
            "Name": "overlay",
            "Data": { "UpperDir": top.map(|path| path.display().to_string()) },
        },
        "RootFS": { "Type": "layers", "Layers": config.rootfs.diff_ids },
        "Metadata": { "LastTagTime": record.pulled },
        "Labels": config.config.labels,
        "Annotations": manifest.annotations.clone().unwrap_or_default(),
        "ManifestType": record.media_type,
        "User": config.config.user,
        "History": config.history,
        "Descriptor": descriptor(record),
    })
}

fn descriptor(record: &ImageRecord) -> Value {
    json!({
        "mediaType": record.media_type,
        "digest": record.manifest,
        "size": record.manifest_size,
    })
}

/// The configuration as docker shows it: fields that templates name are there when empty, too.
fn container_config(config: &ImageConfig) -> Value {
    let mut value = serde_json::to_value(&config.config).unwrap_or_default();
    let defaults = json!({
        "User": "",
        "Env": null,
        "Entrypoint": null,
        "Cmd": null,
        "Volumes": null,
        "WorkingDir": "",
        "Labels": null,
        "OnBuild": null,
        "ExposedPorts": null,
        "StopSignal": "",
    });
    if let (Value::Object(known), Value::Object(defaults)) = (&mut value, defaults) {
        for (key, default) in defaults {
            known.entry(key).or_insert(default);
        }
    }
    value
}

/// As docker finds it: the image's own, else that of its last step.
fn comment(config: &ImageConfig) -> String {
    let last = || config.history.last()?.comment.clone();
    let own = config.comment.clone().filter(|text| !text.is_empty());
    own.or_else(last).unwrap_or_default()
}
