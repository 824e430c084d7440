//! `pull`: from a registry into the store, every layer at once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::archive::{UnpackOptions, Unpacked, unpack_layer};
use crate::common::{Digest, Error, Kind, Meter, Timestamp, parse_rfc3339};
use crate::engine::{Engine, identity};
use crate::oci::{Descriptor, ImageConfig, Manifest, Platform};
use crate::reference::Reference;
use crate::registry::{Client, Login, Options, Resolved};
use crate::settings::Secret;
use crate::store::{Blob, BlobWriter, ImageRecord, LayerInfo, Stack, Stage};

/// Layers in work at the same time. Unpacking is bound by the CPU, so that more of them only
/// cost memory; fewer would leave the network idle while one is finished.
const PARALLEL: usize = 3;

/// Bytes of tar streams that may wait between stages, all layers in work together. With it the
/// whole process peaks below 20 MiB even where the stages are far apart; the bound is 24.
const AHEAD: usize = 8 << 20;

/// How a registry is talked to, from flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistryOptions {
    /// `--tls-verify`; `None` leaves it to the configuration.
    pub(crate) tls_verify: Option<bool>,
    /// `--authfile`.
    pub(crate) authfile: Option<PathBuf>,
    /// `--creds USER[:PASSWORD]`, as given.
    pub(crate) creds: Option<String>,
    /// `--cert-dir`.
    pub(crate) certificates: Option<PathBuf>,
    /// `--retry`: tries after the first one.
    pub(crate) retries: Option<u32>,
    /// `--retry-delay`: the time between two tries, always the same.
    pub(crate) retry_delay: Option<Duration>,
}

impl RegistryOptions {
    pub(crate) fn client(&self) -> Options {
        let login = self.creds.as_ref().map(|creds| {
            let (user, password) = creds.split_once(':').unwrap_or((creds, ""));
            Login {
                username: user.to_owned(),
                password: Secret::new(password),
            }
        });
        let usual = Options::default();
        Options {
            tls_verify: self.tls_verify,
            authfile: self.authfile.clone(),
            certificates: self.certificates.clone(),
            attempts: self.retries.map_or(usual.attempts, |retries| retries + 1),
            backoff: self.retry_delay.unwrap_or(usual.backoff),
            steady: self.retry_delay.is_some(),
            login,
            ..usual
        }
    }
}

/// What to pull.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullRequest {
    /// The name as the user wrote it.
    pub(crate) image: String,
    /// `--platform`; the host's when `None`.
    pub(crate) platform: Option<Platform>,
    /// Registry options.
    pub(crate) registry: RegistryOptions,
}

/// What was pulled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pulled {
    /// Canonical name (`docker.io/library/debian:bookworm`).
    pub(crate) name: String,
    /// Digest of the manifest, or of the index it came from: what `RepoDigests` shows.
    pub(crate) digest: Digest,
    /// Image id: digest of the configuration.
    pub(crate) id: Digest,
    /// False when everything was already here.
    pub(crate) changed: bool,
}

/// Pulls an image and unpacks it for the identity mode in use.
pub(crate) fn pull(engine: &Engine<'_>, request: &PullRequest) -> Result<Pulled> {
    let reference = Reference::parse(&request.image)?;
    engine.store.hold()?;
    let pulled = identity::as_owner(engine, || fetch(engine, &reference, request))?;
    super::event::pulled(&engine.store, &pulled.name);
    Ok(pulled)
}

fn fetch(engine: &Engine<'_>, reference: &Reference, request: &PullRequest) -> Result<Pulled> {
    engine.apply_blob_policy()?;
    let wanted = request.platform.clone().unwrap_or_else(Platform::host);
    let options = request.registry.client();
    let blobs = engine.store.blobs();
    let known = |digest: &Digest, limit: usize| blobs.read(digest, limit).ok();
    let client = Client::new(&engine.settings, engine.ui, &options).knowing(&known);
    let resolved = client.resolve(reference, &wanted)?;
    check_platform(reference, &resolved.config, request, &wanted, engine)?;
    blobs.put_bytes(&resolved.manifest_bytes)?;
    blobs.put_bytes(&resolved.config_bytes)?;
    if let Some((_, bytes)) = &resolved.index {
        blobs.put_bytes(bytes)?;
    }
    let layers = layers(&resolved.manifest, &resolved.config)?;
    let open = |descriptor: &Descriptor, offset: u64| -> Result<Box<dyn Read + Send + '_>> {
        Ok(client.blob(&resolved.sources, descriptor, offset)?)
    };
    let sizes = all_layers(engine, &layers, &open).with_context(|| format!("pull {reference}"))?;
    let stack = super::stack::of(&engine.store, &resolved.config.rootfs.diff_ids);
    let record = record(reference, &resolved, sizes, stack);
    let digest = resolved
        .index
        .as_ref()
        .map_or(resolved.manifest_digest, |(digest, _)| *digest);
    let name = reference.to_string();
    let before = engine.store.images().get(&name).ok().flatten();
    let changed = before.is_none_or(|before| before.manifest != record.manifest);
    engine.store.sync()?;
    engine.store.images().put(&record)?;
    // What killed pulls left. The image is here: a failure is the next command's to repeat.
    let _ = engine.store.sweep();
    Ok(Pulled {
        name,
        digest,
        id: record.config,
        changed,
    })
}

/// A registry that serves one manifest cannot be asked for a platform; what it gave may be wrong.
fn check_platform(
    reference: &Reference,
    config: &ImageConfig,
    request: &PullRequest,
    wanted: &Platform,
    engine: &Engine<'_>,
) -> Result<()> {
    let platform = platform(config);
    if config.architecture.is_empty() || platform.satisfies(wanted) {
        return Ok(());
    }
    if request.platform.is_some() {
        return Err(Error::new(Kind::NotFound, "pull", reference.to_string())
            .because(format!("it is made for {platform}, not for {wanted}"))
            .into());
    }
    engine.ui.warn(&format!(
        "{reference} is made for {platform}, this machine is {wanted}; --platform says that it is wanted"
    ));
    Ok(())
}

pub(super) fn platform(config: &ImageConfig) -> Platform {
    Platform {
        architecture: config.architecture.clone(),
        os: if config.os.is_empty() {
            "linux".to_owned()
        } else {
            config.os.clone()
        },
        variant: config.variant.clone(),
        os_version: None,
        os_features: None,
    }
}

/// Each layer's descriptor with its diff-id, a repeated layer once.
pub(super) fn layers(
    manifest: &Manifest,
    config: &ImageConfig,
) -> Result<Vec<(Descriptor, Digest)>> {
    if manifest.layers.len() != config.rootfs.diff_ids.len() {
        return Err(Error::new(Kind::Corrupt, "read image", "")
            .because(
                "its manifest and its configuration disagree on the number of layers".to_owned(),
            )
            .into());
    }
    let mut seen: BTreeMap<Digest, Digest> = BTreeMap::new();
    let mut layers = Vec::new();
    for (descriptor, diff_id) in manifest.layers.iter().zip(&config.rootfs.diff_ids) {
        match seen.insert(*diff_id, descriptor.digest) {
            Some(other) if other == descriptor.digest => {}
            _ => layers.push((descriptor.clone(), *diff_id)),
        }
    }
    Ok(layers)
}

/// Opens a blob at an offset.
pub(crate) type Open<'a, 'b> =
    dyn Fn(&Descriptor, u64) -> Result<Box<dyn Read + Send + 'b>> + Sync + 'a;

/// Fetches and unpacks all layers, a few at a time; returns the unpacked sizes by diff-id. The
/// first failure keeps the rest from starting.
fn all_layers(
    engine: &Engine<'_>,
    layers: &[(Descriptor, Digest)],
    open: &Open<'_, '_>,
) -> Result<BTreeMap<Digest, u64>> {
    let work = Work {
        store: &engine.store,
        open,
        ahead: AHEAD / PARALLEL.min(layers.len()).max(1),
    };
    let meters: Vec<Box<dyn Meter>> = layers
        .iter()
        .map(|(descriptor, _)| {
            engine
                .ui
                .meter(&descriptor.digest.short(), Some(descriptor.size))
        })
        .collect();
    let queue = Mutex::new(layers.iter().zip(&meters));
    let outcome: Mutex<Result<BTreeMap<Digest, u64>>> = Mutex::new(Ok(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL.min(layers.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let failed = outcome.lock().is_ok_and(|outcome| outcome.is_err());
                    let Some(((descriptor, diff_id), meter)) = next.filter(|_| !failed) else {
                        return;
                    };
                    let done = work.layer(descriptor, *diff_id, meter.as_ref());
                    let Ok(mut outcome) = outcome.lock() else {
                        return;
                    };
                    match (done, outcome.as_mut()) {
                        (Ok(size), Ok(sizes)) => drop(sizes.insert(*diff_id, size)),
                        (Err(error), Ok(_)) => *outcome = Err(error),
                        (_, Err(_)) => {}
                    }
                }
            });
        }
    });
    outcome
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What the threads of one pull share.
struct Work<'a, 'b> {
    store: &'a crate::store::Store,
    open: &'a Open<'a, 'b>,
    /// See [`AHEAD`]; one layer's part.
    ahead: usize,
}

impl Work<'_, '_> {
    /// Brings one layer in; returns its unpacked size.
    fn layer(&self, descriptor: &Descriptor, diff_id: Digest, meter: &dyn Meter) -> Result<u64> {
        let stage = match self.store.layers().stage(&diff_id)? {
            Stage::Make(stage) => stage,
            Stage::Present => {
                self.keep_blob(descriptor, meter)?;
                meter.done("Already exists");
                return Ok(self
                    .store
                    .layers()
                    .info(&diff_id)
                    .map_or(0, |info| info.size));
            }
        };
        let dir = File::open(stage.dir()).map_err(|error| Error::io("open", stage.dir(), error))?;
        let options = UnpackOptions {
            ahead: self.ahead,
            ..UnpackOptions::new(self.store.mode())
        };
        let (unpacked, writer) = match self
            .store
            .blobs()
            .acquire(&descriptor.digest, descriptor.size)?
        {
            Blob::Present => {
                let blob = self.store.blobs().open(&descriptor.digest)?;
                meter.phase("Unpacking");
                (unpack_layer(blob, dir.as_fd(), &options, meter)?, None)
            }
            Blob::Missing(mut writer) => {
                meter.phase("Downloading");
                let unpacked =
                    self.download(descriptor, &mut writer, dir.as_fd(), &options, meter)?;
                (unpacked, Some(writer))
            }
        };
        verify(descriptor, diff_id, &unpacked)?;
        if let Some(writer) = writer {
            if self.store.keeps_blobs() {
                writer.commit()?
            } else {
                writer.commit_unkept()?
            }
        }
        let info = LayerInfo {
            size: unpacked.bytes,
            files: unpacked.files,
            unnamed: unpacked
                .unnamed
                .into_iter()
                // A name that is no text would need a form of its own, for a folder's mode.
                .filter_map(|path| path.into_os_string().into_string().ok())
                .collect(),
            opaque: unpacked.opaque_top,
            ..LayerInfo::default()
        };
        let owners: Vec<(PathBuf, String)> = unpacked
            .overrides
            .into_iter()
            .map(|item| (item.path, item.stat))
            .collect();
        let size = info.size;
        stage.commit(info, &owners)?;
        meter.done("Pull complete");
        Ok(size)
    }

    /// Streams a blob from where an earlier download stopped, through the store and into the
    /// layer in one pass.
    fn download(
        &self,
        descriptor: &Descriptor,
        writer: &mut BlobWriter,
        dir: std::os::fd::BorrowedFd<'_>,
        options: &UnpackOptions,
        meter: &dyn Meter,
    ) -> Result<Unpacked> {
        let offset = writer.offset();
        let before = writer.partial_reader()?;
        let rest = (self.open)(descriptor, offset)?;
        let mut tee = Tee {
            source: rest,
            writer,
        };
        let unpacked = unpack_layer(before.chain(&mut tee), dir, options, meter);
        match unpacked {
            Ok(unpacked) => {
                // The archive may end before the blob does; the digest covers all of it.
                std::io::copy(&mut tee, &mut std::io::sink())
                    .map_err(|error| Error::io("download", descriptor.digest.to_string(), error))?;
                Ok(unpacked)
            }
            Err(error) => {
                // What is wrong with the content shows as a wrong digest only at its end, and
                // that is the better thing to say: the sender, not the image, is at fault.
                if error.kind() == Kind::Corrupt
                    && std::io::copy(&mut tee, &mut std::io::sink()).is_ok()
                    && let Some(mismatch) = tee.writer.mismatch()
                {
                    return Err(mismatch.into());
                }
                match error.kind() {
                    // The reader's own error, which names the blob and the host.
                    Kind::Network => Err(error.into()),
                    _ => Err(error).with_context(|| format!("unpack layer {}", descriptor.digest)),
                }
            }
        }
    }

    /// Fetches the compressed form of a layer that is unpacked but whose blob is not here,
    /// so that a later push or save has it.
    fn keep_blob(&self, descriptor: &Descriptor, meter: &dyn Meter) -> Result<()> {
        if self.store.blobs().has(&descriptor.digest) || !self.store.keeps_blobs() {
            return Ok(());
        }
        let Blob::Missing(mut writer) = self
            .store
            .blobs()
            .acquire(&descriptor.digest, descriptor.size)?
        else {
            return Ok(());
        };
        meter.phase("Downloading");
        let mut rest = (self.open)(descriptor, writer.offset())?;
        std::io::copy(&mut rest, &mut writer)
            .map_err(|error| Error::io("download", descriptor.digest.to_string(), error))?;
        Ok(writer.commit()?)
    }
}

fn verify(descriptor: &Descriptor, diff_id: Digest, unpacked: &Unpacked) -> Result<()> {
    if unpacked.diff_id == diff_id {
        return Ok(());
    }
    Err(
        Error::new(Kind::Corrupt, "verify layer", descriptor.digest.to_string())
            .because(format!(
                "its content has diff-id {}, the image says {diff_id}",
                unpacked.diff_id
            ))
            .hint("the image is broken or was tampered with; tell its publisher")
            .into(),
    )
}

/// Reads from the registry and writes the same bytes to the store.
struct Tee<'a, R> {
    source: R,
    writer: &'a mut BlobWriter,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.writer
            .write_all(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}

fn record(
    reference: &Reference,
    resolved: &Resolved,
    sizes: BTreeMap<Digest, u64>,
    stack: Stack,
) -> ImageRecord {
    let digest = resolved
        .index
        .as_ref()
        .map_or(resolved.manifest_digest, |(digest, _)| *digest);
    let diff_ids = &resolved.config.rootfs.diff_ids;
    ImageRecord {
        name: Some(reference.to_string()),
        manifest: resolved.manifest_digest,
        media_type: resolved.media_type.clone(),
        manifest_size: resolved.manifest_bytes.len() as u64,
        config: resolved.manifest.config.digest,
        platform: platform(&resolved.config).to_string(),
        layers: diff_ids.clone(),
        blobs: resolved
            .manifest
            .layers
            .iter()
            .map(|layer| layer.digest)
            .collect(),
        size: diff_ids.iter().filter_map(|layer| sizes.get(layer)).sum(),
        created: resolved.config.created.as_deref().and_then(parse_rfc3339),
        pulled: Timestamp::now(),
        index: resolved.index.as_ref().map(|(digest, _)| *digest),
        repo_digests: vec![format!("{}@{digest}", reference.repository())],
        labels: resolved.config.config.labels.clone(),
        stack,
    }
}

/// Unpacks an image whose blobs are all here for the identity mode in use.
///
/// # Errors
/// `NotFound` when a compressed layer was not kept.
pub(crate) fn unpack_here(engine: &Engine<'_>, record: &ImageRecord) -> Result<()> {
    let documents = engine.store.documents(record)?;
    let layers = layers(&documents.manifest, &documents.config)?;
    let open = |descriptor: &Descriptor, _: u64| -> Result<Box<dyn Read + Send>> {
        Err(
            Error::new(Kind::NotFound, "find blob", descriptor.digest.to_string())
                .because("it was not kept".to_owned())
                .into(),
        )
    };
    fetch_layers(engine, &layers, &open)
}

/// Brings layers in, blobs and files, from where `open` finds them; each is checked against both
/// of its digests. The caller has opened nothing in another thread.
///
/// # Errors
/// Those of `open`; `Corrupt` for other content.
pub(crate) fn fetch_layers(
    engine: &Engine<'_>,
    layers: &[(Descriptor, Digest)],
    open: &Open<'_, '_>,
) -> Result<()> {
    engine.store.hold()?;
    identity::as_owner(engine, || all_layers(engine, layers, open).map(drop))
}
