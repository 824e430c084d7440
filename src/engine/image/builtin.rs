//! Images ketch carries in itself: `builtin:hello`, made from ketch's own static executable,
//! so that a fresh machine without a network can see a container run.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use anyhow::{Context, Result};

use crate::archive::{UnpackOptions, unpack_layer};
use crate::common::{Digest, Error, Kind, Silent, Timestamp};
use crate::engine::{Engine, identity};
use crate::oci::{ContainerConfig, Descriptor, ImageConfig, Manifest, MediaType, Platform, RootFs};
use crate::store::{Blob, ImageRecord, LayerInfo, Stage, Store};

/// Every built-in image is named like this.
const PREFIX: &str = "builtin:";
/// The one there is.
const HELLO: &str = "builtin:hello";
/// First argument that makes the executable print its surroundings; see `cli::hello`.
pub(crate) const HELLO_ARGUMENT: &str = "@hello";
/// Label with the executable's identity, to notice a newer one.
const STAMP: &str = "ketch.executable";

/// Whether a name is one of ketch's own images. No registry image can be called so: its
/// repository would be `docker.io/library/builtin`, which docker does not have.
pub(crate) fn is_builtin(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Finds the image, making it when it is not there or is of another executable.
pub(crate) fn ensure(engine: &Engine<'_>, name: &str) -> Result<ImageRecord> {
    if name != HELLO {
        return Err(Error::new(Kind::NotFound, "find image", name)
            .because("the only built-in image is builtin:hello".to_owned())
            .into());
    }
    let program = std::env::current_exe().context("find ketch's own executable")?;
    let meta = program
        .metadata()
        .map_err(|error| Error::io("look at", &program, error))?;
    let stamp = format!(
        "{}:{}:{}.{}",
        meta.ino(),
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec()
    );
    let canonical = canonical();
    if let Some(record) = engine.store.images().get(&canonical)?
        && record.labels.get(STAMP) == Some(&stamp)
        && record
            .layers
            .iter()
            .all(|layer| engine.store.layers().has(layer))
    {
        return Ok(record);
    }
    let bytes = std::fs::read(&program).map_err(|error| Error::io("read", &program, error))?;
    engine.store.hold()?;
    identity::as_owner(engine, || make(&engine.store, &bytes, &stamp))?;
    engine
        .store
        .images()
        .get(&canonical)?
        .context("the built-in image vanished")
}

fn canonical() -> String {
    format!("docker.io/library/{HELLO}")
}

fn make(store: &Store, program: &[u8], stamp: &str) -> Result<()> {
    let tar = layer(program)?;
    let diff_id = Digest::of(&tar);
    put_blob(store, &diff_id, &tar)?;
    unpack(store, &diff_id, &tar)?;
    let config = config(diff_id, stamp);
    let config_bytes = serde_json::to_vec(&config)?;
    let config_digest = store.blobs().put_bytes(&config_bytes)?;
    let length = config_bytes.len() as u64;
    let layer = Descriptor::new(MediaType::OCI_LAYER, diff_id, tar.len() as u64);
    let manifest = Manifest::of(
        Descriptor::new(MediaType::OCI_CONFIG, config_digest, length),
        vec![layer],
    );
    let manifest_bytes = serde_json::to_vec(&manifest)?;
    let record = ImageRecord {
        name: Some(canonical()),
        manifest: store.blobs().put_bytes(&manifest_bytes)?,
        media_type: MediaType::OCI_MANIFEST.to_owned(),
        manifest_size: manifest_bytes.len() as u64,
        config: config_digest,
        platform: Platform::host().to_string(),
        layers: vec![diff_id],
        blobs: vec![diff_id],
        size: tar.len() as u64,
        created: Some(Timestamp::now()),
        pulled: Timestamp::now(),
        index: None,
        repo_digests: Vec::new(),
        labels: config.config.labels,
        stack: Default::default(),
    };
    Ok(store.images().put(&record)?)
}

fn config(diff_id: Digest, stamp: &str) -> ImageConfig {
    let host = Platform::host();
    ImageConfig {
        created: Some(Timestamp::now().to_string()),
        architecture: host.architecture,
        os: host.os,
        config: ContainerConfig {
            entrypoint: Some(vec!["/ketch".to_owned(), HELLO_ARGUMENT.to_owned()]),
            labels: [(STAMP.to_owned(), stamp.to_owned())].into(),
            ..ContainerConfig::default()
        },
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![diff_id],
        },
        ..ImageConfig::default()
    }
}

fn unpack(store: &Store, diff_id: &Digest, tar: &[u8]) -> Result<()> {
    let Stage::Make(stage) = store.layers().stage(diff_id)? else {
        return Ok(());
    };
    let dir =
        std::fs::File::open(stage.dir()).map_err(|error| Error::io("open", stage.dir(), error))?;
    let unpacked = unpack_layer(tar, dir.as_fd(), &UnpackOptions::new(store.mode()), &Silent)?;
    let info = LayerInfo {
        size: unpacked.bytes,
        files: unpacked.files,
        ..LayerInfo::default()
    };
    Ok(stage.commit(info, &[])?)
}

fn put_blob(store: &Store, digest: &Digest, bytes: &[u8]) -> Result<()> {
    if let Blob::Missing(mut writer) = store.blobs().acquire(digest, bytes.len() as u64)? {
        writer.restart()?;
        writer
            .write_all(bytes)
            .map_err(|error| Error::io("write blob", digest.to_string(), error))?;
        writer.commit()?;
    }
    Ok(())
}

/// A layer with the program and the directories a container's mounts want.
fn layer(program: &[u8]) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::with_capacity(program.len() + (64 << 10)));
    let mut header = tar::Header::new_ustar();
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    for dir in ["dev/", "etc/", "proc/", "sys/", "tmp/"] {
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(if dir == "tmp/" { 0o1777 } else { 0o755 });
        header.set_size(0);
        tar.append_data(&mut header, dir, std::io::empty())?;
    }
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o755);
    header.set_size(program.len() as u64);
    tar.append_data(&mut header, "ketch", program)?;
    Ok(tar.into_inner()?)
}
