//! `commit`: a new image from what a container changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::os::fd::OwnedFd;

use anyhow::Result;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode as Permissions;

use super::inside::{self, View, has_own_ids};
use super::{base, diff, event, export, list, still};
use crate::archive::{Form, LayerWriter, NewLayer, PackOptions, Packer};
use crate::common::{Digest, Error, Kind, Mode, Timestamp};
use crate::engine::image::assemble::{self, Assembly, Dialect};
use crate::engine::image::change;
use crate::engine::{Engine, identity};
use crate::oci::{ContainerConfig, Descriptor, History, ImageConfig, MediaType, Platform, RootFs};
use crate::spec::config::Config;
use crate::store::{ContainerEntry, ContainerLock};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// `commit`.
#[derive(Debug, Clone)]
pub(crate) struct CommitRequest {
    /// Name, id or prefix of the container.
    pub(crate) container: String,
    /// Name of the new image.
    pub(crate) name: Option<String>,
    /// Who made it.
    pub(crate) author: Option<String>,
    /// A note.
    pub(crate) message: Option<String>,
    /// Instructions of a Dockerfile for the configuration.
    pub(crate) changes: Vec<String>,
    /// Whether a running container is held still; `None` if it can be.
    pub(crate) pause: Option<bool>,
    /// All of the container's tree in one layer.
    pub(crate) squash: bool,
    /// How the documents are spelled.
    pub(crate) dialect: Dialect,
}

/// Makes the image and returns its id.
///
/// # Errors
/// `NotFound` for an unknown container, `Usage` for a bad name or change; nothing is made then.
pub(crate) fn commit(engine: &Engine<'_>, request: &CommitRequest) -> Result<Digest> {
    let entry = engine
        .store
        .containers()
        .find(&request.container)?
        .entry()?;
    let name = request
        .name
        .as_deref()
        .map(assemble::new_name)
        .transpose()?;
    let documents = base::documents(engine, &entry.record)?;
    let (image, layers) = match documents {
        Some(documents) => (documents.config, documents.manifest.layers),
        None => (scratch(), Vec::new()),
    };
    let mut config = effective(&image.config, &list::config(&entry), &entry);
    for line in &request.changes {
        change::apply(&mut config, line)?;
    }
    engine.store.hold()?;
    let plain = entry.record.rootfs.is_some() || entry.dir.copy().is_some();
    let whole = request.squash || plain;
    let layer = layer(engine, &entry, request.pause, whole)?;
    if let Some(layer) = &layer {
        assemble::unpack(engine, layer)?;
    }
    let mut layers = if whole { Vec::new() } else { layers };
    let mut image = ImageConfig { config, ..image };
    if whole {
        (image.rootfs.diff_ids, image.history) = (Vec::new(), Vec::new());
    }
    describe(&mut image, request, &entry, layer.is_none());
    if let Some(layer) = layer {
        image.rootfs.diff_ids.push(layer.diff_id);
        let media_type = format!("{}+gzip", MediaType::OCI_LAYER);
        layers.push(Descriptor::new(media_type, layer.digest, layer.size));
    }
    let assembly = Assembly {
        config: image,
        layers,
        name,
        dialect: request.dialect,
        annotations: BTreeMap::new(),
    };
    let made = assemble::publish(engine, assembly)?;
    let mut attributes = vec![("imageID", made.config.to_string())];
    attributes.extend(request.name.clone().map(|name| ("imageRef", name)));
    event::note(engine, &entry.record, "commit", &attributes);
    Ok(made.config)
}

/// The image of a container that has none.
fn scratch() -> ImageConfig {
    let host = Platform::host();
    ImageConfig {
        architecture: host.architecture,
        os: host.os,
        variant: host.variant,
        ..ImageConfig::default()
    }
}

/// The image's defaults with what was asked of the container over them, as docker keeps it.
fn effective(image: &ContainerConfig, asked: &Config, entry: &ContainerEntry) -> ContainerConfig {
    let mut config = image.clone();
    let process = &asked.process;
    for variable in &process.env {
        match &variable.value {
            Some(value) => change::set_env(&mut config.env, &variable.key, value),
            None => config
                .env
                .retain(|old| old.split('=').next() != Some(variable.key.as_str())),
        }
    }
    if let Some(entrypoint) = &process.entrypoint {
        config.entrypoint = (!entrypoint.is_empty()).then(|| entrypoint.clone());
        config.cmd = None;
    }
    if !process.args.is_empty() {
        config.cmd = Some(process.args.clone());
    }
    if let Some(user) = &process.user {
        config.user.clone_from(user);
    }
    if let Some(workdir) = &process.workdir {
        config.working_dir.clone_from(workdir);
    }
    if process.stop_signal.is_some() {
        config.stop_signal.clone_from(&process.stop_signal);
    }
    config.labels.clone_from(&entry.record.labels);
    config
}

/// Who, when and how.
fn describe(image: &mut ImageConfig, request: &CommitRequest, entry: &ContainerEntry, empty: bool) {
    let now = Timestamp::now().to_string();
    image.rootfs = RootFs {
        kind: "layers".to_owned(),
        diff_ids: std::mem::take(&mut image.rootfs.diff_ids),
    };
    image.created = Some(now.clone());
    if request.author.is_some() {
        image.author.clone_from(&request.author);
    }
    image.comment = match request.dialect {
        Dialect::Docker => request.message.clone(),
        Dialect::Oci => None,
    };
    image.history.push(History {
        created: Some(now),
        author: request.author.clone(),
        created_by: Some(entry.record.command.join(" ")),
        comment: request.message.clone(),
        empty_layer: empty,
    });
}

/// Writes the new layer's blob; `None` when nothing was changed.
fn layer(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
    pause: Option<bool>,
    whole: bool,
) -> Result<Option<NewLayer>> {
    let _still = hold_still(engine, entry, pause)?;
    let incoming = engine.store.incoming()?;
    let out = incoming.file()?;
    let layer = match whole {
        true => write_whole(engine, entry, out)?,
        false => {
            // A stopped container stays so, and is not removed, while its files are read.
            let _lock = lock_if_stopped(entry)?;
            identity::as_owner(engine, || write_upper(engine, entry, out))?
        }
    };
    if let Some(layer) = &layer {
        incoming.publish(&engine.store, &layer.digest, layer.size)?;
    }
    Ok(layer)
}

fn lock_if_stopped(entry: &ContainerEntry) -> Result<Option<ContainerLock>> {
    match entry.dir.lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == Kind::Conflict => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn hold_still(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
    pause: Option<bool>,
) -> Result<Option<still::Still>> {
    let state = entry.dir.state()?.filter(|_| entry.alive);
    let Some(state) = state.filter(|_| pause != Some(false)) else {
        return Ok(None);
    };
    let held = still::hold(&entry.dir, &state)?;
    if held.is_none() && pause == Some(true) && !state.paused {
        engine.ui.warn(
            "--pause: the container has no cgroup that can be frozen; it goes on while its files \
             are read",
        );
    }
    Ok(held)
}

/// The differences, from the container's writable layer.
fn write_upper(engine: &Engine<'_>, entry: &ContainerEntry, out: File) -> Result<Option<NewLayer>> {
    let (_, skip) = diff::of_container(engine, entry)?;
    let intended = base::intended(engine, entry)?;
    let maker = base::maker(engine, entry);
    let options = PackOptions {
        owner: &maker,
        form: match engine.mode {
            Mode::Root if !has_own_ids(&entry.record) => Form::Upper,
            _ => Form::UserUpper,
        },
        intended: intended.as_ref(),
        skip,
        ..PackOptions::plain(engine.mode)
    };
    let upper = entry.dir.upper();
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let top: OwnedFd = nix::fcntl::open(&upper, flags, Permissions::empty())
        .map_err(|errno| Error::errno("open", &upper, errno))?;
    let writer = LayerWriter::new(BufWriter::with_capacity(BUFFER, out));
    let mut packer = Packer::new(BufWriter::with_capacity(BUFFER, writer), &options);
    packer.tree(&top, b"", false)?;
    let (writer, entries) = packer.finish()?;
    let layer = end(writer)?;
    Ok((entries > 0).then_some(layer))
}

/// Everything, from the container's merged root.
fn write_whole(engine: &Engine<'_>, entry: &ContainerEntry, out: File) -> Result<Option<NewLayer>> {
    let intended = base::intended(engine, entry)?;
    let maker = base::maker(engine, entry);
    let inside = inside::enter(engine, (entry, false), View::Bare, None, |tree| {
        let options = PackOptions {
            owner: &maker,
            intended: intended.as_ref(),
            ..PackOptions::plain(tree.mode)
        };
        let writer = LayerWriter::new(BufWriter::with_capacity(BUFFER, out));
        let mut buffered = BufWriter::with_capacity(BUFFER, writer);
        export::pack(tree, &options, &mut buffered)?;
        end(buffered)
    })?;
    Ok(Some(inside.worker.finish(engine)?))
}

/// Ends a layer that was written.
///
/// # Errors
/// What writing the rest gave.
pub(super) fn end(writer: BufWriter<LayerWriter<BufWriter<File>>>) -> Result<NewLayer> {
    let failed = |error| Error::io("write layer", "", error);
    let writer = writer
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    Ok(writer.finish().map_err(failed)?)
}
