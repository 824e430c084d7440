//! Media types of the documents and layers ketch understands.

/// What a blob claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// OCI or Docker single-platform manifest.
    Manifest,
    /// OCI index or Docker manifest list.
    Index,
    /// Docker schema 1 (signed or not): refused, it has no digests of contents.
    Schema1,
    /// Image configuration.
    Config,
    /// A file system layer. The claimed compression is only a hint: content decides.
    Layer(LayerCompression),
    /// Anything else: attestations, signatures, artifacts.
    Other,
}

/// Compression a layer's media type claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerCompression {
    /// Plain tar.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl MediaType {
    /// OCI manifest.
    pub(crate) const OCI_MANIFEST: &'static str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI index.
    pub(crate) const OCI_INDEX: &'static str = "application/vnd.oci.image.index.v1+json";
    /// OCI image configuration.
    pub(crate) const OCI_CONFIG: &'static str = "application/vnd.oci.image.config.v1+json";
    /// OCI plain layer; `+gzip` and `+zstd` are appended for compressed ones.
    pub(crate) const OCI_LAYER: &'static str = "application/vnd.oci.image.layer.v1.tar";
    /// Docker manifest, schema 2.
    pub(crate) const DOCKER_MANIFEST: &'static str =
        "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker image configuration.
    pub(crate) const DOCKER_CONFIG: &'static str = "application/vnd.docker.container.image.v1+json";
    /// Docker manifest list.
    pub(crate) const DOCKER_LIST: &'static str =
        "application/vnd.docker.distribution.manifest.list.v2+json";

    /// Classifies a media type; parameters after `;` are ignored.
    pub(crate) fn of(text: &str) -> MediaType {
        let text = text.split(';').next().unwrap_or_default().trim();
        match text {
            Self::OCI_MANIFEST | Self::DOCKER_MANIFEST => MediaType::Manifest,
            Self::OCI_INDEX | Self::DOCKER_LIST => MediaType::Index,
            "application/vnd.docker.distribution.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v1+prettyjws" => MediaType::Schema1,
            Self::OCI_CONFIG | Self::DOCKER_CONFIG => MediaType::Config,
            Self::OCI_LAYER
            | "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar" => {
                MediaType::Layer(LayerCompression::None)
            }
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => {
                MediaType::Layer(LayerCompression::Gzip)
            }
            "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd" => {
                MediaType::Layer(LayerCompression::Zstd)
            }
            _ => MediaType::Other,
        }
    }
}
