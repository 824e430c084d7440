//! `--mount type=image`: files of another image. What is written there is thrown away.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::RunRequest;
use super::image::{self, Source};
use super::step::stacked;
use crate::common::{Digest, Error, Kind, Mode};
use crate::engine::Engine;
use crate::spec::config::{BindOptions, Config, Mount, MountKind};

/// Finds or fetches the images, and says which layers each mount shows: another image of the name
/// does not change a container that is there.
///
/// # Errors
/// As for a container's own image; `NotFound` for a path that the image does not have.
pub(super) fn choose(engine: &Engine<'_>, request: &RunRequest, config: &mut Config) -> Result<()> {
    for mount in &mut config.mounts {
        let MountKind::Image { name, layers, .. } = &mut mount.kind else {
            continue;
        };
        // A borrowed one is what its container has.
        if !layers.is_empty() {
            continue;
        }
        let wanted = RunRequest {
            image: name.clone(),
            rootfs: false,
            platform: None,
            ..request.clone()
        };
        if let Source::Image(record, _) = image::find(engine, &wanted)? {
            let shown = record.layers.iter().skip(record.stack.hidden);
            *layers = shown.copied().collect();
        }
        directories(engine, mount)?;
    }
    Ok(())
}

/// The layers that have to stay as long as the container.
pub(super) fn layers(config: &Config) -> Vec<Digest> {
    let of = |mount: &Mount| match &mount.kind {
        MountKind::Image { layers, .. } => layers.clone(),
        _ => Vec::new(),
    };
    config.mounts.iter().flat_map(of).collect()
}

/// The same with such mounts as what the store has of them.
pub(super) fn settled<'a>(engine: &Engine<'_>, config: &'a Config) -> Result<Cow<'a, Config>> {
    let is_image = |mount: &Mount| matches!(mount.kind, MountKind::Image { .. });
    if !config.mounts.iter().any(is_image) {
        return Ok(Cow::Borrowed(config));
    }
    let mut config = config.clone();
    for mount in config.mounts.iter_mut().filter(|mount| is_image(mount)) {
        mount.kind = directories(engine, mount)?;
    }
    Ok(Cow::Owned(config))
}

fn directories(engine: &Engine<'_>, mount: &Mount) -> Result<MountKind> {
    let MountKind::Image {
        name,
        layers,
        subpath,
    } = &mount.kind
    else {
        return Ok(mount.kind.clone());
    };
    let stored = layers.iter().rev();
    let stored = stored.map(|layer| engine.store.layers().path(layer));
    let path = format!("/{}", subpath.as_deref().unwrap_or_default());
    shown(engine, stored.collect(), Path::new(&path), mount.read_only)?.ok_or_else(|| {
        Error::new(Kind::NotFound, "mount image", name)
            .because(format!("it has nothing at {path}"))
            .into()
    })
}

/// What layers, topmost first, have at an absolute path, as a mount that changes none of them;
/// `None` where there is nothing.
///
/// # Errors
/// `Usage` for a file that is to be written to.
pub(crate) fn shown(
    engine: &Engine<'_>,
    layers: Vec<PathBuf>,
    path: &Path,
    read_only: bool,
) -> Result<Option<MountKind>> {
    let found = stacked(engine, layers, path);
    Ok(match found.as_slice() {
        [] => None,
        [only] if !only.is_dir() && !read_only => {
            let why = "a file of an image is shared and cannot be written to";
            return Err(Error::usage("mount", path.display().to_string(), why).into());
        }
        [only] => Some(MountKind::Bind {
            source: only.display().to_string(),
            options: BindOptions {
                // Whatever rights the container has, it does not get at the layer.
                overlay: only.is_dir(),
                ..BindOptions::default()
            },
        }),
        several => Some(MountKind::Layers {
            lowers: several.to_vec(),
            attributes_of_user: engine.mode != Mode::Root || engine.host.euid() != 0,
        }),
    })
}
