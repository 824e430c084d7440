//! Tests of the store as a whole; this file has the helpers they share.

mod blobs;
mod collection;
mod containers;
mod images;
mod life;
mod opening;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use super::*;
use crate::common::{ContainerId, Digest, Timestamp};

/// A store in a directory of its own.
pub(super) struct Home {
    _dir: tempfile::TempDir,
    pub(super) root: PathBuf,
}

impl Home {
    pub(super) fn new() -> Home {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store");
        Home { _dir: dir, root }
    }

    /// Opens it as another process would: with locks and pins of its own.
    pub(super) fn open(&self) -> Store {
        Store::open(&self.root, Mode::Single).unwrap()
    }
}

/// Writes a whole blob through a writer.
pub(super) fn put_blob(store: &Store, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    if let Blob::Missing(mut writer) = store.blobs().acquire(&digest, bytes.len() as u64).unwrap() {
        let from = writer.offset() as usize;
        writer.write_all(&bytes[from..]).unwrap();
        writer.commit().unwrap();
    }
    digest
}

/// Unpacks a layer with one file of `content`.
pub(super) fn put_layer(store: &Store, content: &[u8]) -> Digest {
    let diff_id = Digest::of(content);
    if let Stage::Make(stage) = store.layers().stage(&diff_id).unwrap() {
        std::fs::write(stage.dir().join("file"), content).unwrap();
        let info = LayerInfo {
            size: content.len() as u64,
            files: 1,
            ..LayerInfo::default()
        };
        stage.commit(info, &[]).unwrap();
    }
    diff_id
}

/// Adds an image of one layer whose content is `content`.
pub(super) fn put_image(store: &Store, name: &str, content: &str) -> ImageRecord {
    let blob = put_blob(store, format!("compressed {content}").as_bytes());
    let layer = put_layer(store, content.as_bytes());
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","config":{{"Labels":{{"content":"{content}"}}}},"rootfs":{{"type":"layers","diff_ids":["{layer}"]}},"history":[{{"created_by":"ADD {content}"}},{{"created_by":"CMD sh","empty_layer":true}}]}}"#
    );
    let config_digest = store.blobs().put_bytes(config.as_bytes()).unwrap();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{blob}","size":{}}}]}}"#,
        config.len(),
        store.blobs().open(&blob).unwrap().metadata().unwrap().len(),
    );
    let record = ImageRecord {
        name: Some(name.to_owned()),
        manifest: store.blobs().put_bytes(manifest.as_bytes()).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        manifest_size: manifest.len() as u64,
        config: config_digest,
        platform: "linux/amd64".to_owned(),
        layers: vec![layer],
        blobs: vec![blob],
        size: content.len() as u64,
        created: crate::common::parse_rfc3339("2024-01-01T00:00:00Z"),
        pulled: Timestamp::now(),
        index: None,
        repo_digests: Vec::new(),
        labels: BTreeMap::from([("content".to_owned(), content.to_owned())]),
        stack: Default::default(),
    };
    store.images().put(&record).unwrap();
    record
}

/// A record of a container of `image`.
pub(super) fn container(fill: u8, name: &str, image: Option<&ImageRecord>) -> ContainerRecord {
    ContainerRecord {
        id: ContainerId::from_bytes([fill; 32]),
        name: name.to_owned(),
        created: Timestamp::now(),
        image: "x".to_owned(),
        manifest: image.map(|image| image.manifest),
        config: image.map(|image| image.config),
        layers: image.map(|image| image.layers.clone()).unwrap_or_default(),
        mounted: Vec::new(),
        mode: Mode::Single,
        rootfs: None,
        labels: BTreeMap::new(),
        command: vec!["true".to_owned()],
        asked: serde_json::Value::Null.into(),
    }
}
