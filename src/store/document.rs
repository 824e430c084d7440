//! The documents behind an image record: manifest and configuration, read and verified.

use super::Store;
use super::image::ImageRecord;
use crate::common::{Digest, Error, Kind, Result};
use crate::oci::{Document, ImageConfig, MAX_CONFIG, MAX_DOCUMENT, Manifest};

/// Manifest and configuration of one image.
#[derive(Debug, Clone)]
pub(crate) struct ImageDocuments {
    /// The manifest.
    pub(crate) manifest: Manifest,
    /// The configuration.
    pub(crate) config: ImageConfig,
}

impl Store {
    /// Reads and parses an image's configuration.
    ///
    /// # Errors
    /// `Corrupt` when the blob is gone, damaged or not a configuration.
    pub(crate) fn image_config(&self, record: &ImageRecord) -> Result<ImageConfig> {
        self.config_of(&record.config)
    }

    /// As [`image_config`](Store::image_config), by the image's id: the image of a container
    /// that lost its last name has no record.
    pub(crate) fn config_of(&self, id: &Digest) -> Result<ImageConfig> {
        ImageConfig::parse(&self.document(id, MAX_CONFIG)?)
    }

    /// Reads and parses both documents of an image.
    ///
    /// # Errors
    /// `Corrupt` when one is gone, damaged or of another form.
    pub(crate) fn documents(&self, record: &ImageRecord) -> Result<ImageDocuments> {
        let bytes = self.document(&record.manifest, MAX_DOCUMENT)?;
        let Document::Manifest(manifest) = Document::parse(&bytes, "")? else {
            return Err(super::corrupt(
                &self.blobs().path(&record.manifest),
                "an index where a manifest belongs",
            ));
        };
        Ok(ImageDocuments {
            manifest: *manifest,
            config: self.image_config(record)?,
        })
    }

    /// A document that a record promises: not being there is damage.
    fn document(&self, digest: &Digest, limit: usize) -> Result<Vec<u8>> {
        self.blobs().read(digest, limit).map_err(|error| {
            if error.kind() == Kind::NotFound {
                let path = self.blobs().path(digest);
                Error::new(Kind::Corrupt, "read", path.display().to_string())
                    .because("the blob is missing".to_owned())
                    .hint("run: ketch system check --repair")
            } else {
                error
            }
        })
    }
}
