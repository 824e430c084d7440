//! OCI image documents as ketch reads and writes them (image-spec 1.1, docker's schema 2).
//!
//! Pure values: parsing checks grammar, digests and limits; nothing is read from disk here.
//! They are ketch's own because docker's configuration has fields the OCI crate lacks
//! (`Healthcheck`, `Shell`, `OnBuild`) and because a digest must be checked at the edge.

mod descriptor;
mod image_config;
mod index;
mod manifest;
mod media_type;
mod platform;

pub(crate) use descriptor::Descriptor;
pub(crate) use image_config::{
    ContainerConfig, DEFAULT_PATH, Healthcheck, History, ImageConfig, MAX_CONFIG, RootFs,
};
pub(crate) use index::{Index, MAX_DOCUMENT, MAX_NESTING};
pub(crate) use manifest::{Document, Manifest};
pub(crate) use media_type::{LayerCompression, MediaType};
pub(crate) use platform::Platform;
