//! The image a container starts from: found here, pulled, or made on the spot.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{PullPolicy, RunRequest};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::engine::image::{builtin, known, pull, variant};
use crate::oci::{ImageConfig, Platform};
use crate::store::ImageRecord;

/// Where a container's files come from.
#[derive(Debug)]
pub(super) enum Source {
    /// An image of the store.
    Image(Box<ImageRecord>, Box<ImageConfig>),
    /// A plain directory.
    Directory(PathBuf),
}

/// Finds or fetches what the request names.
pub(super) fn find(engine: &Engine<'_>, request: &RunRequest) -> Result<Source> {
    if request.rootfs {
        let path = std::path::absolute(&request.image)
            .map_err(|error| Error::io("use root file system", &request.image, error))?;
        let meta = path
            .metadata()
            .map_err(|error| Error::io("use root file system", &path, error))?;
        if !meta.is_dir() {
            return Err(Error::usage(
                "use root file system",
                request.image.clone(),
                "not a directory",
            )
            .into());
        }
        return Ok(Source::Directory(path));
    }
    let record = if builtin::is_builtin(&request.image) {
        builtin::ensure(engine, &request.image)?
    } else {
        here_or_pulled(engine, request)?
    };
    let config = engine.store.image_config(&record)?;
    engine.store.images().touch(&record);
    Ok(Source::Image(Box::new(record), Box::new(config)))
}

fn here_or_pulled(engine: &Engine<'_>, request: &RunRequest) -> Result<ImageRecord> {
    let always = matches!(request.pull, PullPolicy::Always | PullPolicy::Newer);
    let mut found = known(&engine.store, &request.image)?;
    // The name may stand for the image of another platform, with this one beside it.
    if let Some(record) = found.as_ref().filter(|record| !fits(record, request))
        && let Some(other) = variant::of(engine, record, &wanted(request))
    {
        found = Some(other);
    }
    if let Some(record) = &found
        && !always
        && fits(record, request)
        && unpacked(engine, record)
    {
        return Ok(record.clone());
    }
    if request.pull == PullPolicy::Never {
        return match found {
            Some(record) if !fits(&record, request) => {
                Err(wrong_platform(&request.image, &record, request).into())
            }
            Some(record) => {
                pull::unpack_here(engine, &record)?;
                Ok(record)
            }
            None => Err(
                Error::new(Kind::NotFound, "find image", request.image.clone())
                    .because("it is not here and --pull=never forbids fetching it".to_owned())
                    .into(),
            ),
        };
    }
    // All blobs may be here with the layers unpacked for another identity mode only.
    if let Some(record) = &found
        && !always
        && fits(record, request)
        && pull::unpack_here(engine, record).is_ok()
    {
        return Ok(record.clone());
    }
    if found.is_none() {
        engine
            .ui
            .note(&format!("Unable to find image '{}' locally", request.image));
    }
    let wanted = pull::PullRequest {
        image: request.image.clone(),
        platform: request.platform.clone(),
        registry: request.registry.clone(),
    };
    match pull::pull(engine, &wanted) {
        Ok(pulled) => engine
            .store
            .images()
            .get(&pulled.name)?
            .with_context(|| format!("image {} vanished after its pull", pulled.name)),
        // podman's `newer`: a registry out of reach does not keep a local image from running.
        Err(error) if request.pull == PullPolicy::Newer && found.is_some() => {
            engine.ui.warn(&format!(
                "using the local image {}: {error:#}",
                request.image
            ));
            found.context("no local image")
        }
        Err(error) => Err(error),
    }
}

/// Whether the image is for the platform asked for, or for this machine: an image of another
/// platform that happens to be here is no match for a plain name.
fn fits(record: &ImageRecord, request: &RunRequest) -> bool {
    let platform = record.platform.parse::<Platform>();
    platform.is_err() || platform.is_ok_and(|platform| platform.satisfies(&wanted(request)))
}

fn wanted(request: &RunRequest) -> Platform {
    request.platform.clone().unwrap_or_else(Platform::host)
}

fn unpacked(engine: &Engine<'_>, record: &ImageRecord) -> bool {
    record
        .layers
        .iter()
        .all(|layer| engine.store.layers().has(layer))
}

fn wrong_platform(image: &str, record: &ImageRecord, request: &RunRequest) -> Error {
    let wanted = wanted(request);
    Error::new(Kind::NotFound, "find image", image).because(format!(
        "it is here for {}, not for {wanted}",
        record.platform
    ))
}
