//! `--cache-from`: what others' steps came to. Keys are looked up at once, layers are fetched when
//! somebody needs their files.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use anyhow::Result;

use super::document::{DIFF_ID, Document, MEDIA_TYPE, Record};
use crate::build::progress::{Event, Progress, Vertex};
use crate::build::request::{CachePlace, Request};
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::engine::image::artifact;
use crate::engine::image::layout::Layout;
use crate::engine::image::pull::{RegistryOptions, fetch_layers};
use crate::oci::{
    Descriptor, Document as Page, ImageConfig, LayerCompression, MAX_CONFIG, MAX_DOCUMENT,
    Manifest, MediaType, Platform,
};
use crate::settings::Source;
use crate::store::{CacheRecord, CachedLayer};

/// A layer that was counted on cannot be had. What named it is forgotten: the build begins again,
/// and finds what it has done since.
#[derive(Debug)]
pub(in crate::build) struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a layer of an imported cache cannot be had")
    }
}

impl std::error::Error for Gone {}

/// All caches that were named and could be read.
pub(in crate::build) struct Imported<'a> {
    engine: &'a Engine<'a>,
    registry: &'a RegistryOptions,
    caches: RefCell<Vec<Cache>>,
}

/// One of them.
struct Cache {
    name: String,
    records: HashMap<Digest, Record>,
    contents: BTreeMap<Digest, Digest>,
    /// Compressed layers by diff-id.
    blobs: HashMap<Digest, Descriptor>,
    place: Place,
}

/// Where the layers of a cache are.
enum Place {
    Registry(Vec<Source>),
    Directory(Layout),
}

impl<'a> Imported<'a> {
    /// Reads the caches of a request for these platforms; one that cannot be read is said and
    /// left out. The number of the first step that is still free is moved on.
    pub(in crate::build) fn open(
        engine: &'a Engine<'a>,
        request: &'a Request,
        platforms: &[Platform],
        progress: &dyn Progress,
        vertices: &mut Vertex,
    ) -> Imported<'a> {
        let mut caches = Vec::new();
        for place in &request.cache_from {
            let vertex = *vertices;
            *vertices += 1;
            let name = &format!("importing cache manifest from {place}");
            progress.event(&Event::Named { vertex, name });
            progress.event(&Event::Started { vertex });
            // A manifest is for every platform; an index has a cache in the image of each.
            for (at, platform) in platforms.iter().enumerate() {
                match read(engine, place, platform, &request.registry) {
                    Ok(cache) => caches.push(cache),
                    Err(_) if at > 0 => {}
                    Err(error) => {
                        let line = format!("the cache {place} is not used: {error:#}");
                        engine.ui.warn(&line);
                    }
                }
            }
            progress.event(&Event::Done { vertex });
        }
        Imported {
            engine,
            registry: &request.registry,
            caches: RefCell::new(caches),
        }
    }

    /// What a key came to elsewhere, best where its layer can be had. Without a layer, and not
    /// said to be nothing, the result is known to exist and no more.
    pub(in crate::build) fn find(&self, key: &Digest) -> Option<CacheRecord> {
        let caches = self.caches.borrow();
        let found = caches
            .iter()
            .filter_map(|cache| Some((cache, cache.records.get(key)?)));
        let mut known = None;
        for (cache, record) in found {
            let layer = cache.layer(record);
            let useful = record.nothing || layer.is_some();
            if useful || known.is_none() {
                known = Some(CacheRecord {
                    layer,
                    nothing: record.nothing,
                    ..CacheRecord::new(record.key, record.created, self.engine.mode)
                });
            }
            if useful {
                break;
            }
        }
        known
    }

    /// The digest of what was copied elsewhere, by the name of the question.
    pub(in crate::build) fn content(&self, question: &Digest) -> Option<Digest> {
        let caches = self.caches.borrow();
        let mut found = caches
            .iter()
            .filter_map(|cache| cache.contents.get(question));
        found.next().copied()
    }

    /// Brings the layers of keys into the store.
    ///
    /// # Errors
    /// [`Gone`] when one of them cannot be had; another error when it cannot be kept here.
    pub(in crate::build) fn fetch(&self, wanted: &[(Digest, Option<CachedLayer>)]) -> Result<()> {
        let mut caches = self.caches.borrow_mut();
        let mut layers: Vec<Vec<(Descriptor, Digest)>> = vec![Vec::new(); caches.len()];
        let mut lost = Vec::new();
        for (key, layer) in wanted {
            let of = |cache: &Cache| layer.and_then(|layer| cache.blob(&layer).cloned());
            match caches.iter().position(|cache| of(cache).is_some()) {
                Some(at) => {
                    let found = of(&caches[at]).zip(layer.as_ref());
                    layers[at].extend(found.map(|(blob, layer)| (blob, layer.diff_id)));
                }
                None => lost.push(*key),
            }
        }
        if !lost.is_empty() {
            for cache in caches.iter_mut() {
                cache.records.retain(|key, _| !lost.contains(key));
            }
            return Err(Gone.into());
        }
        let mut gone = false;
        for (at, mut layers) in layers.into_iter().enumerate().rev() {
            layers.sort_by_key(|(_, diff_id)| *diff_id);
            layers.dedup_by_key(|(_, diff_id)| *diff_id);
            let Err(error) = caches[at].fetch(self.engine, self.registry, &layers) else {
                continue;
            };
            if !is_others(&error) {
                return Err(error);
            }
            let name = &caches[at].name;
            let line = format!("the cache {name} is not used any further: {error:#}");
            self.engine.ui.warn(&line);
            caches.remove(at);
            gone = true;
        }
        match gone {
            true => Err(Gone.into()),
            false => Ok(()),
        }
    }
}

impl Cache {
    fn layer(&self, record: &Record) -> Option<CachedLayer> {
        let layer = record.layer?;
        let blob = self.blobs.get(&layer.diff_id)?;
        Some(CachedLayer {
            diff_id: layer.diff_id,
            blob: blob.digest,
            blob_size: blob.size,
            size: layer.size,
        })
    }

    fn blob(&self, layer: &CachedLayer) -> Option<&Descriptor> {
        let found = self.blobs.get(&layer.diff_id);
        found.filter(|blob| blob.digest == layer.blob)
    }

    fn fetch(
        &self,
        engine: &Engine<'_>,
        registry: &RegistryOptions,
        layers: &[(Descriptor, Digest)],
    ) -> Result<()> {
        if layers.is_empty() {
            return Ok(());
        }
        match &self.place {
            Place::Registry(sources) => artifact::fetch(engine, sources, registry, layers),
            Place::Directory(layout) => {
                let open = |blob: &Descriptor, offset: u64| -> Result<Box<dyn Read + Send>> {
                    Ok(layout.open(blob, offset)?)
                };
                fetch_layers(engine, layers, &open)
            }
        }
    }
}

/// Whether the other side is at fault: a build does without it.
fn is_others(error: &anyhow::Error) -> bool {
    let known = error.downcast_ref::<Error>();
    known.is_some_and(|error| {
        matches!(
            error.kind(),
            Kind::NotFound | Kind::Denied | Kind::Network | Kind::Corrupt
        )
    })
}

fn read(
    engine: &Engine<'_>,
    place: &CachePlace,
    platform: &Platform,
    registry: &RegistryOptions,
) -> Result<Cache> {
    let (manifest, config, found) = match place {
        CachePlace::Registry(name) => {
            let found = artifact::find(engine, name, platform, registry)?;
            (found.manifest, found.config, Place::Registry(found.sources))
        }
        CachePlace::Local(at) => {
            let layout = Layout::at(&at.path);
            let entry = layout.find(at.tag.as_deref(), at.digest.as_ref())?;
            let bytes = layout.read(&entry.digest, MAX_DOCUMENT)?;
            let Page::Manifest(manifest) = Page::parse(&bytes, &entry.media_type)? else {
                return Err(no_cache(place).into());
            };
            let config = layout.read(&manifest.config.digest, MAX_CONFIG)?;
            (*manifest, config, Place::Directory(layout))
        }
        CachePlace::Other(kind) => {
            return Err(Error::new(Kind::Unsupported, "import cache", kind.as_str())
                .because("registry and local are known")
                .into());
        }
        CachePlace::Inline => return Err(no_cache(place).into()),
    };
    let (document, blobs) = match manifest.config.media_type.as_str() {
        MEDIA_TYPE => (Document::parse(&config)?, annotated(&manifest)),
        _ => inline(&manifest, &config)?.ok_or_else(|| no_cache(place))?,
    };
    let records = document.records.into_iter();
    Ok(Cache {
        name: place.to_string(),
        records: records.map(|record| (record.key, record)).collect(),
        contents: document.contents,
        blobs,
        place: found,
    })
}

fn no_cache(place: &CachePlace) -> Error {
    Error::new(Kind::NotFound, "import cache", place.to_string())
        .because("no ketch has written a build cache there")
        .hint("--cache-to type=registry,ref=… or type=inline writes one")
}

/// The layers of a manifest by their annotated diff-ids.
fn annotated(manifest: &Manifest) -> HashMap<Digest, Descriptor> {
    let diff_id = |blob: &Descriptor| {
        let annotations = blob.annotations.as_ref()?;
        annotations.get(DIFF_ID)?.parse::<Digest>().ok()
    };
    let layers = manifest.layers.iter().filter(|blob| is_usual(blob));
    layers
        .filter_map(|blob| Some((diff_id(blob)?, blob.clone())))
        .collect()
}

/// Whether a layer is compressed as ketch's own are: an image names it so.
fn is_usual(blob: &Descriptor) -> bool {
    MediaType::of(&blob.media_type) == MediaType::Layer(LayerCompression::Gzip)
}

/// The cache in an image's configuration.
fn inline(
    manifest: &Manifest,
    config: &[u8],
) -> Result<Option<(Document, HashMap<Digest, Descriptor>)>> {
    let config = ImageConfig::parse(config)?;
    let Some(value) = &config.build_cache else {
        return Ok(None);
    };
    let document = Document::parse(&serde_json::to_vec(value)?)?;
    let layers = manifest.layers.iter().filter(|blob| is_usual(blob));
    let blobs = config.rootfs.diff_ids.iter().copied().zip(layers.cloned());
    Ok(Some((document, blobs.collect())))
}
