//! From a reference to one image: manifests, indexes and the platform choice, each document
//! checked against the digest it was asked by.

use super::client::{Client, Tried};
use super::endpoint::Endpoint;
use super::error::{printable, refusal};
use crate::common::{Digest, Error, Kind, Result};
use crate::oci::{
    Descriptor, Document, ImageConfig, Index, MAX_CONFIG, MAX_DOCUMENT, MAX_NESTING, Manifest,
    MediaType, Platform,
};
use crate::reference::Reference;
use crate::settings::Source;

/// Documents ketch reads, in the order it likes them.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
application/vnd.docker.distribution.manifest.list.v2+json, \
application/vnd.oci.image.manifest.v1+json, \
application/vnd.docker.distribution.manifest.v2+json";

/// Most documents read to find one platform.
const MAX_DOCUMENTS: usize = 32;

/// One image, every document checked. The blobs it names are still to be fetched.
pub(crate) struct Resolved {
    /// The manifest as served.
    pub(crate) manifest_bytes: Vec<u8>,
    /// The same, parsed.
    pub(crate) manifest: Manifest,
    /// Digest of `manifest_bytes`.
    pub(crate) manifest_digest: Digest,
    /// Media type of the manifest: its own, else the served one.
    pub(crate) media_type: String,
    /// Digest and bytes of the outermost index, when there is one.
    pub(crate) index: Option<(Digest, Vec<u8>)>,
    /// The image configuration as served; its digest is the image id.
    pub(crate) config_bytes: Vec<u8>,
    /// The same, parsed. Its platform may differ from the wanted one when the registry serves
    /// a single manifest; the caller decides what that means.
    pub(crate) config: ImageConfig,
    /// Where the blobs are: the place that served the manifest, then those after it.
    pub(crate) sources: Vec<Source>,
}

/// A manifest with its configuration, whatever that is: an image, or something else that a
/// registry keeps.
pub(crate) struct Artifact {
    /// The manifest.
    pub(crate) manifest: Manifest,
    /// The configuration's bytes, which have their digest.
    pub(crate) config: Vec<u8>,
    /// Where the blobs are, as in [`Resolved`].
    pub(crate) sources: Vec<Source>,
}

/// A document as served.
struct Fetched {
    bytes: Vec<u8>,
    digest: Digest,
    content_type: String,
}

/// A manifest with its configuration.
struct Image {
    document: Fetched,
    manifest: Manifest,
    config_bytes: Vec<u8>,
    config: ImageConfig,
}

impl Client<'_> {
    /// Finds the image `reference` names for `platform`: mirrors in order, then the registry.
    ///
    /// # Errors
    /// `NotFound` when the registry does not have it or not for this platform; `Denied` when it
    /// refuses; `Corrupt` when a document does not match its digest or its form; `Unsupported`
    /// for schema 1 and for artifacts; `Network` otherwise.
    pub(crate) fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved> {
        let sources = self.settings.sources(reference)?;
        for (index, source) in sources.iter().enumerate() {
            let rest = sources.get(index..).unwrap_or_default();
            match self.resolve_at(source, reference, platform) {
                Ok(mut resolved) => {
                    resolved.sources = rest.to_vec();
                    return Ok(resolved);
                }
                Err(error) if rest.len() > 1 => {
                    let name = &source.domain;
                    self.ui
                        .note(&format!("mirror {name} is passed over: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Kind::Bug, "resolve", reference.to_string()))
    }

    /// The document that `reference` names, index or manifest, as the registry serves it: its
    /// bytes, their digest and their media type.
    ///
    /// # Errors
    /// As [`resolve`](Client::resolve).
    pub(crate) fn served(&self, reference: &Reference) -> Result<(Vec<u8>, Digest, String)> {
        let sources = self.settings.sources(reference)?;
        let name = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let mut last = Error::new(Kind::Bug, "resolve", reference.to_string());
        for source in &sources {
            let fetched = self
                .endpoint(source)
                .and_then(|endpoint| self.document(&endpoint, &name, reference.digest(), None));
            match fetched {
                Ok(found) => return Ok((found.bytes, found.digest, found.content_type)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Finds the manifest that `reference` names, of an index the one for `platform`, without a
    /// look at what its configuration is.
    ///
    /// # Errors
    /// As [`resolve`](Client::resolve).
    pub(crate) fn artifact(&self, reference: &Reference, platform: &Platform) -> Result<Artifact> {
        let (bytes, _, content_type) = self.served(reference)?;
        let sources = self.settings.sources(reference)?;
        let mut last = Error::new(Kind::Bug, "resolve", reference.to_string());
        for (index, source) in sources.iter().enumerate() {
            let rest = sources.get(index..).unwrap_or_default();
            match self.artifact_at(source, &bytes, &content_type, platform) {
                Ok((manifest, config)) => {
                    return Ok(Artifact {
                        manifest,
                        config,
                        sources: rest.to_vec(),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn artifact_at(
        &self,
        source: &Source,
        bytes: &[u8],
        content_type: &str,
        platform: &Platform,
    ) -> Result<(Manifest, Vec<u8>)> {
        let endpoint = self.endpoint(source)?;
        let manifest = match Document::parse(bytes, content_type)? {
            Document::Manifest(manifest) => *manifest,
            Document::Index(index) => {
                let found = index.candidates(platform);
                let entry = found.first().copied();
                let entry = entry.ok_or_else(|| no_platform(&endpoint, "", platform, &index))?;
                let name = entry.digest.to_string();
                let child = self.document(&endpoint, &name, Some(&entry.digest), Some(entry))?;
                match self.parse(&endpoint, &child)? {
                    Document::Manifest(manifest) => *manifest,
                    Document::Index(_) => {
                        let error = Error::new(Kind::Unsupported, "read index of", endpoint.name());
                        return Err(error.because("it lists another index"));
                    }
                }
            }
        };
        let config = self.config_blob(&endpoint, &manifest.config)?;
        Ok((manifest, config))
    }

    fn resolve_at(
        &self,
        source: &Source,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Resolved> {
        let endpoint = self.endpoint(source)?;
        let name = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let document = self.document(&endpoint, &name, reference.digest(), None)?;
        let (image, index) = match self.parse(&endpoint, &document)? {
            Document::Manifest(manifest) => (self.image(&endpoint, document, *manifest)?, None),
            Document::Index(index) => {
                let mut left = MAX_DOCUMENTS;
                let found = self.choose(&endpoint, &index, platform, 1, &mut left)?;
                let image = found.ok_or_else(|| no_platform(&endpoint, &name, platform, &index))?;
                (image, Some((document.digest, document.bytes)))
            }
        };
        let own = image.manifest.media_type.clone();
        let served = image.document.content_type.clone();
        let media_type = own.unwrap_or(served);
        let media_type = match MediaType::of(&media_type) {
            MediaType::Manifest => media_type,
            _ => MediaType::OCI_MANIFEST.to_owned(),
        };
        Ok(Resolved {
            manifest_bytes: image.document.bytes,
            manifest: image.manifest,
            manifest_digest: image.document.digest,
            media_type,
            index,
            config_bytes: image.config_bytes,
            config: image.config,
            sources: Vec::new(),
        })
    }

    /// The first image of an index that fits. Entries that name no platform are looked into.
    fn choose(
        &self,
        endpoint: &Endpoint,
        index: &Index,
        platform: &Platform,
        depth: usize,
        left: &mut usize,
    ) -> Result<Option<Image>> {
        if depth > MAX_NESTING {
            return Err(Error::new(Kind::Corrupt, "read index of", endpoint.name())
                .because(format!("indexes are nested deeper than {MAX_NESTING}")));
        }
        for entry in index.candidates(platform) {
            *left = left.checked_sub(1).ok_or_else(|| {
                Error::new(Kind::Corrupt, "read index of", endpoint.name())
                    .because(format!("more than {MAX_DOCUMENTS} documents to look into"))
            })?;
            let name = entry.digest.to_string();
            let child = self.document(endpoint, &name, Some(&entry.digest), Some(entry))?;
            match self.parse(endpoint, &child)? {
                Document::Index(inner) => {
                    if let Some(image) = self.choose(endpoint, &inner, platform, depth + 1, left)? {
                        return Ok(Some(image));
                    }
                }
                Document::Manifest(manifest) if entry.platform.is_some() => {
                    return self.image(endpoint, child, *manifest).map(Some);
                }
                Document::Manifest(manifest) => {
                    if is_artifact(&manifest) {
                        continue;
                    }
                    let image = self.image(endpoint, child, *manifest)?;
                    if platform_of(&image.config).satisfies(platform) {
                        return Ok(Some(image));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Fetches a manifest's configuration and checks the two against each other.
    fn image(&self, endpoint: &Endpoint, document: Fetched, manifest: Manifest) -> Result<Image> {
        let name = endpoint.name();
        if is_artifact(&manifest) {
            let kind = manifest
                .artifact_type
                .as_ref()
                .unwrap_or(&manifest.config.media_type);
            return Err(Error::new(Kind::Unsupported, "use", name).because(format!(
                "it is not a container image but an artifact of type {:?}",
                printable(kind)
            )));
        }
        let config_bytes = self.config_blob(endpoint, &manifest.config)?;
        let config = ImageConfig::parse(&config_bytes)?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(
                Error::new(Kind::Corrupt, "read image", name).because(format!(
                    "the manifest has {layers} layers and the configuration {diff_ids}"
                )),
            );
        }
        Ok(Image {
            document,
            manifest,
            config_bytes,
            config,
        })
    }

    fn parse(&self, endpoint: &Endpoint, document: &Fetched) -> Result<Document> {
        Document::parse(&document.bytes, &document.content_type).map_err(|error| {
            if document.content_type.starts_with("text/html") {
                return error.hint(format!(
                    "{} sent a web page: a log-in page of the network or a proxy may be in between",
                    endpoint.domain
                ));
            }
            error
        })
    }

    /// Fetches a manifest or index by tag or digest.
    fn document(
        &self,
        endpoint: &Endpoint,
        name: &str,
        digest: Option<&Digest>,
        entry: Option<&Descriptor>,
    ) -> Result<Fetched> {
        let size = entry.map(|entry| entry.size);
        if size.is_some_and(|size| size > MAX_DOCUMENT as u64) {
            return Err(Error::new(Kind::Corrupt, "read manifest", name.to_owned())
                .because(format!("larger than {MAX_DOCUMENT} bytes")));
        }
        if let Some(entry) = entry
            && let Some(bytes) = self.known(entry, MAX_DOCUMENT)
        {
            return Ok(Fetched {
                bytes,
                digest: entry.digest,
                content_type: entry.media_type.clone(),
            });
        }
        let below = format!("manifests/{name}");
        self.checked(endpoint, &below, Some(ACCEPT), MAX_DOCUMENT, digest, size)
    }

    fn config_blob(&self, endpoint: &Endpoint, config: &Descriptor) -> Result<Vec<u8>> {
        let name = config.digest.to_string();
        if config.size > MAX_CONFIG as u64 {
            return Err(Error::new(Kind::Corrupt, "read image configuration", name)
                .because(format!("larger than {MAX_CONFIG} bytes")));
        }
        if let Some(bytes) = self.known(config, MAX_CONFIG) {
            return Ok(bytes);
        }
        let below = format!("blobs/{name}");
        let (digest, size) = (Some(&config.digest), Some(config.size));
        let fetched = self.checked(endpoint, &below, None, MAX_CONFIG, digest, size)?;
        Ok(fetched.bytes)
    }

    /// A document that is here already.
    fn known(&self, wanted: &Descriptor, limit: usize) -> Option<Vec<u8>> {
        let bytes = self.known?(&wanted.digest, limit)?;
        (bytes.len() as u64 == wanted.size).then_some(bytes)
    }

    /// Fetches a small body and checks digest and size; a mismatch is tried once more, because
    /// a broken proxy on the way is likelier than a liar.
    fn checked(
        &self,
        endpoint: &Endpoint,
        below: &str,
        accept: Option<&str>,
        limit: usize,
        digest: Option<&Digest>,
        size: Option<u64>,
    ) -> Result<Fetched> {
        let first = self.fetch(endpoint, below, accept, limit, digest, size);
        match first {
            Err(error) if error.kind() == Kind::Corrupt => {
                self.ui.note(&format!("{error}; trying again"));
                self.fetch(endpoint, below, accept, limit, digest, size)
            }
            other => other,
        }
    }

    fn fetch(
        &self,
        endpoint: &Endpoint,
        below: &str,
        accept: Option<&str>,
        limit: usize,
        digest: Option<&Digest>,
        size: Option<u64>,
    ) -> Result<Fetched> {
        let what = match below.split_once('/') {
            Some((_, name)) if name.contains(':') => format!("{}@{name}", endpoint.name()),
            Some((_, name)) => format!("{}:{name}", endpoint.name()),
            None => endpoint.name(),
        };
        let host = &endpoint.domain;
        let operation = if below.starts_with("blobs/") {
            "pull blob"
        } else {
            "pull"
        };
        let small = self.persist(operation, &what, host, || {
            let answer = self.get(endpoint, below, accept, None)?;
            Tried::small(answer, limit)
        })?;
        if small.status != 200 {
            let logged_in = self.logged_in(endpoint);
            let (domain, status) = (&endpoint.domain, small.status);
            return Err(refusal(
                operation,
                &what,
                domain,
                status,
                &small.body,
                logged_in,
            ));
        }
        let header = |name: &str| {
            small
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let actual = Digest::of(&small.body);
        // A header that is no sha256 digest says nothing; one that is must be true.
        let claimed = header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok());
        for expected in [digest.copied(), claimed].into_iter().flatten() {
            if expected != actual {
                return Err(Error::new(Kind::Corrupt, "verify", what)
                    .because(format!("expected {expected}, received {actual}")));
            }
        }
        if size.is_some_and(|size| size != small.body.len() as u64) {
            return Err(Error::new(Kind::Corrupt, "verify", what)
                .because("its size is not the one in its descriptor".to_owned()));
        }
        Ok(Fetched {
            content_type: header("content-type").unwrap_or_default().to_owned(),
            bytes: small.body,
            digest: actual,
        })
    }
}

/// Whether a manifest holds something else than an image: a chart, a signature, an SBOM.
fn is_artifact(manifest: &Manifest) -> bool {
    MediaType::of(&manifest.config.media_type) != MediaType::Config
}

fn platform_of(config: &ImageConfig) -> Platform {
    Platform {
        architecture: config.architecture.clone(),
        os: config.os.clone(),
        variant: config.variant.clone(),
        os_version: None,
        os_features: None,
    }
}

fn no_platform(endpoint: &Endpoint, name: &str, wanted: &Platform, index: &Index) -> Error {
    let mut offered: Vec<String> = index
        .manifests
        .iter()
        .filter_map(|entry| entry.platform.as_ref())
        .filter(|platform| platform.os != "unknown")
        .map(|platform| printable(&platform.to_string()))
        .collect();
    offered.dedup();
    offered.truncate(20);
    let error = Error::new(
        Kind::NotFound,
        "pull",
        format!("{}:{name}", endpoint.name()),
    )
    .because(format!("no image for platform {wanted}"));
    if offered.is_empty() {
        return error;
    }
    error.hint(format!("it has {}", offered.join(", ")))
}
