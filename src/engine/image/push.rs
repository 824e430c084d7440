//! `push`: from the store to a registry, several blobs at once; no digest changes on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Mutex;

use anyhow::Result;

use super::pull::RegistryOptions;
use super::{event, parsed};
use crate::common::{Digest, Error, Kind, Meter};
use crate::engine::Engine;
use crate::oci::{Descriptor, Document, Index, MAX_DOCUMENT, Manifest, MediaType, Platform};
use crate::reference::Reference;
use crate::registry::{Client, Outgoing, Sent, Target};
use crate::store::{ImageRecord, Store};

/// Blobs in work at the same time, as in docker.
const PARALLEL: usize = 5;

/// What to push.
#[derive(Debug, Clone, Default)]
pub(crate) struct PushRequest {
    /// The image as the user named it.
    pub(crate) image: String,
    /// Where it goes; its own name when `None`.
    pub(crate) destination: Option<String>,
    /// `--platform`: only this one of a multi-platform image.
    pub(crate) platform: Option<Platform>,
    /// No tag: it is known by its digest there.
    pub(crate) by_digest: bool,
    /// Registry options.
    pub(crate) registry: RegistryOptions,
}

/// What was pushed.
#[derive(Debug, Clone)]
pub(crate) struct Pushed {
    /// Canonical name.
    pub(crate) name: String,
    /// The tag.
    pub(crate) tag: String,
    /// Digest of the manifest, or of the index.
    pub(crate) digest: Digest,
    /// Its length in bytes.
    pub(crate) size: u64,
}

/// A document to be pushed, with its bytes.
struct Page {
    digest: Digest,
    media_type: String,
    bytes: Vec<u8>,
}

/// All that one push brings: blobs, then pages, the one that gets the tag last.
struct Cargo {
    blobs: Vec<Piece>,
    pages: Vec<Page>,
    top: Page,
}

/// A blob, and how it is shown; a configuration is not.
struct Piece {
    descriptor: Descriptor,
    label: Option<String>,
}

/// Every name in the repository of `name` that has a tag, for `--all-tags`.
///
/// # Errors
/// `Usage` for a name with a tag or digest; `NotFound` where there is none.
pub(crate) fn all_tags(engine: &Engine<'_>, name: &str) -> Result<Vec<String>> {
    let wanted = Reference::parse(name)?;
    let tagged = name
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains([':', '@']));
    if tagged {
        return Err(Error::usage("push", name, "tag can't be used with --all-tags/-a").into());
    }
    let mut names: Vec<String> = engine
        .store
        .images()
        .records()?
        .into_iter()
        .filter_map(|record| record.name)
        .filter(|name| {
            parsed(name).is_some_and(|name| {
                name.repository() == wanted.repository() && name.digest().is_none()
            })
        })
        .collect();
    names.sort();
    if names.is_empty() {
        let why = "An image does not exist locally with the tag".to_owned();
        return Err(Error::new(Kind::NotFound, "push", wanted.repository())
            .because(format!("{why}: {}", wanted.familiar_repository()))
            .into());
    }
    Ok(names)
}

/// Pushes an image.
///
/// # Errors
/// `NotFound` for an image that is not here, or a blob that was not kept and that the registry
/// does not have; `Denied` and `Network` as the registry answers.
pub(crate) fn push(engine: &Engine<'_>, request: &PushRequest) -> Result<Pushed> {
    send(engine, &local(engine, request)?, request)
}

/// As [`push`], of an image that need not have a name here.
pub(crate) fn send(
    engine: &Engine<'_>,
    record: &ImageRecord,
    request: &PushRequest,
) -> Result<Pushed> {
    let reference = destination(request, record)?;
    engine.ui.note(&format!(
        "The push refers to repository [{}]",
        reference.repository()
    ));
    let cargo = cargo(engine, record, request)?;
    let tag = reference.tag().unwrap_or("latest").to_owned();
    let place = match request.by_digest {
        true => cargo.top.digest.to_string(),
        false => tag.clone(),
    };
    deliver(engine, &reference, &request.registry, &cargo, &place)?;
    let name = reference.to_string();
    note(engine, &name, &reference, cargo.top.digest)?;
    Ok(Pushed {
        name,
        tag,
        digest: cargo.top.digest,
        size: cargo.top.bytes.len() as u64,
    })
}

/// Pushes a manifest of which only the blobs are in the store, and its configuration with it;
/// blobs that are not here have to be there.
///
/// # Errors
/// As [`push`].
pub(crate) fn artifact(
    engine: &Engine<'_>,
    name: &str,
    registry: &RegistryOptions,
    manifest: &Manifest,
) -> Result<Digest> {
    let reference = Reference::parse(name)?;
    let mut pieces = Vec::new();
    add(&mut pieces, manifest, &[]);
    let bytes = serde_json::to_vec(manifest)?;
    let media_type = manifest.media_type.as_deref();
    let cargo = Cargo {
        blobs: pieces,
        pages: Vec::new(),
        top: Page {
            digest: Digest::of(&bytes),
            media_type: media_type.unwrap_or(MediaType::OCI_MANIFEST).to_owned(),
            bytes,
        },
    };
    let tag = reference.tag().unwrap_or("latest");
    deliver(engine, &reference, registry, &cargo, tag)?;
    Ok(cargo.top.digest)
}

/// Brings a cargo to the repository of `reference`; its top page goes to `place` there, last.
fn deliver(
    engine: &Engine<'_>,
    reference: &Reference,
    registry: &RegistryOptions,
    cargo: &Cargo,
    place: &str,
) -> Result<()> {
    let nearby = Nearby::of(engine, reference)?;
    let options = registry.client();
    let wanted = cargo.blobs.iter().map(|piece| &piece.descriptor.digest);
    let client = Client::new(&engine.settings, engine.ui, &options).pushing(nearby.paths(wanted));
    let target = client.target(reference)?;
    all_blobs(engine, &target, &cargo.blobs, &nearby)?;
    for page in &cargo.pages {
        target.document(&page.digest.to_string(), &page.media_type, &page.bytes)?;
    }
    target.document(place, &cargo.top.media_type, &cargo.top.bytes)?;
    Ok(())
}

/// The image here; docker takes only names, podman ids as well where a destination is given.
fn local(engine: &Engine<'_>, request: &PushRequest) -> Result<ImageRecord> {
    let missing = || {
        Error::new(Kind::NotFound, "push", request.image.as_str())
            .because(format!(
                "An image does not exist locally with the tag: {}",
                Reference::parse(&request.image)
                    .map_or_else(|_| request.image.clone(), |name| name.familiar_repository())
            ))
            .hint("ketch images lists what is here; ketch tag gives an image another name")
    };
    match super::lookup(&engine.store, &request.image)? {
        Some(found) if !found.by_id || request.destination.is_some() => Ok(found.record),
        Some(_) => Err(missing().into()),
        None => {
            Reference::parse(&request.image)?;
            Err(missing().into())
        }
    }
}

fn destination(request: &PushRequest, record: &ImageRecord) -> Result<Reference> {
    let text = match (&request.destination, &record.name) {
        (Some(destination), _) => destination.strip_prefix("docker://").unwrap_or(destination),
        (None, _) => &request.image,
    };
    let reference = Reference::parse(text)?;
    if reference.digest().is_some() {
        return Err(Error::usage("push", text, "cannot push a digest reference").into());
    }
    Ok(reference)
}

/// Reads what there is to bring. An index goes with all that it lists; where not all of it is
/// here, the one image that is goes alone.
fn cargo(engine: &Engine<'_>, record: &ImageRecord, request: &PushRequest) -> Result<Cargo> {
    let blobs = engine.store.blobs();
    if let Some(wanted) = &request.platform {
        let own = record.platform.parse::<Platform>();
        if own.is_ok_and(|own| own.satisfies(wanted)) {
            return single(engine, record);
        }
        if let Some(other) = super::variant::of(engine, record, wanted) {
            return single(engine, &other);
        }
        return Err(Error::new(Kind::NotFound, "push", request.image.as_str())
            .because(format!(
                "image was found but its platform ({}) does not match the specified platform ({wanted})",
                record.platform
            ))
            .into());
    }
    let index = record
        .index
        .and_then(|digest| Some((digest, blobs.read(&digest, MAX_DOCUMENT).ok()?)));
    let Some((digest, bytes)) = index else {
        return single(engine, record);
    };
    match Document::parse(&bytes, "")? {
        Document::Index(index) => match whole(engine, digest, bytes, &index)? {
            Some(cargo) => Ok(cargo),
            None => {
                engine.ui.note(
                    "Not all multiplatform-content is present and only the available single-platform image was pushed",
                );
                single(engine, record)
            }
        },
        Document::Manifest(_) => single(engine, record),
    }
}

fn single(engine: &Engine<'_>, record: &ImageRecord) -> Result<Cargo> {
    let documents = engine.store.documents(record)?;
    let bytes = engine.store.blobs().read(&record.manifest, MAX_DOCUMENT)?;
    let mut pieces = Vec::new();
    add(
        &mut pieces,
        &documents.manifest,
        &documents.config.rootfs.diff_ids,
    );
    Ok(Cargo {
        blobs: pieces,
        pages: Vec::new(),
        top: Page {
            digest: record.manifest,
            media_type: record.media_type.clone(),
            bytes,
        },
    })
}

/// An index with all its images; `None` when one of them is not here.
fn whole(
    engine: &Engine<'_>,
    digest: Digest,
    bytes: Vec<u8>,
    index: &Index,
) -> Result<Option<Cargo>> {
    let blobs = engine.store.blobs();
    let (mut pieces, mut pages) = (Vec::new(), Vec::new());
    for entry in &index.manifests {
        let Ok(text) = blobs.read(&entry.digest, MAX_DOCUMENT) else {
            return Ok(None);
        };
        let Ok(Document::Manifest(manifest)) = Document::parse(&text, &entry.media_type) else {
            return Ok(None);
        };
        let all = manifest.layers.iter().chain([&manifest.config]);
        if !all.into_iter().all(|blob| blobs.has(&blob.digest)) {
            return Ok(None);
        }
        add(&mut pieces, &manifest, &[]);
        pages.push(Page {
            digest: entry.digest,
            media_type: entry.media_type.clone(),
            bytes: text,
        });
    }
    let media_type = index.media_type.clone();
    Ok(Some(Cargo {
        blobs: pieces,
        pages,
        top: Page {
            digest,
            media_type: media_type.unwrap_or_else(|| MediaType::OCI_INDEX.to_owned()),
            bytes,
        },
    }))
}

/// The blobs of one image, each once. docker shows a layer by its diff-id.
fn add(pieces: &mut Vec<Piece>, manifest: &Manifest, diff_ids: &[Digest]) {
    let layers = manifest.layers.iter().enumerate().map(|(at, layer)| {
        let shown = diff_ids.get(at).unwrap_or(&layer.digest).short();
        (layer, Some(shown))
    });
    for (descriptor, label) in layers.chain([(&manifest.config, None)]) {
        let known = pieces
            .iter()
            .any(|piece| piece.descriptor.digest == descriptor.digest);
        if !descriptor.is_foreign() && !known {
            pieces.push(Piece {
                descriptor: descriptor.clone(),
                label,
            });
        }
    }
}

/// Which repositories of the same registry have which blobs, as far as is known.
struct Nearby(BTreeMap<Digest, String>);

impl Nearby {
    fn of(engine: &Engine<'_>, reference: &Reference) -> Result<Nearby> {
        let mut known = BTreeMap::new();
        for record in engine.store.images().records()? {
            for entry in &record.repo_digests {
                let repository = entry.split('@').next().and_then(parsed);
                let Some(repository) = repository else {
                    continue;
                };
                if repository.domain() == reference.domain()
                    && repository.path() != reference.path()
                {
                    for blob in record.blobs.iter().chain([&record.config]) {
                        known.insert(*blob, repository.path().to_owned());
                    }
                }
            }
        }
        Ok(Nearby(known))
    }

    fn paths<'a>(&self, wanted: impl Iterator<Item = &'a Digest>) -> Vec<String> {
        let paths: BTreeSet<&String> = wanted.filter_map(|digest| self.0.get(digest)).collect();
        paths.into_iter().cloned().collect()
    }
}

/// Brings all blobs, a few at a time. The first failure keeps the rest from starting.
fn all_blobs(
    engine: &Engine<'_>,
    target: &Target<'_>,
    pieces: &[Piece],
    nearby: &Nearby,
) -> Result<()> {
    let meters: Vec<Box<dyn Meter>> = pieces
        .iter()
        .map(|piece| match &piece.label {
            Some(label) => engine.ui.meter(label, Some(piece.descriptor.size)),
            None => Box::new(crate::common::Silent),
        })
        .collect();
    let store = &engine.store;
    let queue = Mutex::new(pieces.iter().zip(&meters));
    let outcome: Mutex<Result<()>> = Mutex::new(Ok(()));
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL.min(pieces.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let failed = outcome.lock().is_ok_and(|outcome| outcome.is_err());
                    let Some((piece, meter)) = next.filter(|_| !failed) else {
                        return;
                    };
                    let from = nearby.0.get(&piece.descriptor.digest).map(String::as_str);
                    let done = one_blob(store, target, &piece.descriptor, from, meter.as_ref());
                    if let (Err(error), Ok(mut outcome)) = (done, outcome.lock())
                        && outcome.is_ok()
                    {
                        *outcome = Err(error);
                    }
                }
            });
        }
    });
    outcome
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn one_blob(
    store: &Store,
    target: &Target<'_>,
    descriptor: &Descriptor,
    from: Option<&str>,
    meter: &dyn Meter,
) -> Result<()> {
    meter.phase("Pushing");
    let file: Option<File> = match store.blobs().open(&descriptor.digest) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == Kind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let content = file.as_ref().map(|file| Outgoing {
        file,
        length: descriptor.size,
        meter,
    });
    match target.blob(&descriptor.digest, content.as_ref(), from)? {
        Sent::Present => meter.done("Layer already exists"),
        Sent::Mounted(from) => meter.done(&format!("Mounted from {from}")),
        Sent::Uploaded => meter.done("Pushed"),
    }
    Ok(())
}

/// What docker notes of a push: the digest that the repository knows the image by, an event.
fn note(engine: &Engine<'_>, name: &str, reference: &Reference, digest: Digest) -> Result<()> {
    if let Some(mut record) = engine.store.images().get(name)? {
        let entry = format!("{}@{digest}", reference.repository());
        if !record.repo_digests.contains(&entry) {
            record.repo_digests.push(entry);
            engine.store.images().put(&record)?;
        }
    }
    event::pushed(&engine.store, name);
    Ok(())
}
