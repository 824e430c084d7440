//! Verbs: a request struct in, a result struct out. Joins the store, the registry, the spec
//! maker, the runtime and the network; prints nothing and knows no flag.
#![forbid(unsafe_code)]

pub(crate) mod container;
pub(crate) mod identity;
pub(crate) mod image;
pub(crate) mod network;
pub(crate) mod system;
pub(crate) mod volume;
pub(crate) mod worker;

use std::ffi::OsString;

use anyhow::Result;

use crate::common::{Mode, Ui};
use crate::host::{Host, HostEnv};
use crate::settings::{self, Environment, Settings};
use crate::store::{KeepBlobs, Store};

/// Everything a verb works with; built once for a command.
pub(crate) struct Engine<'a> {
    /// The store of this user.
    pub(crate) store: Store,
    /// Settings, read when asked for.
    pub(crate) settings: Settings,
    /// Facts of this machine.
    pub(crate) host: Host,
    /// Identity mode.
    pub(crate) mode: Mode,
    /// Where warnings and progress go.
    pub(crate) ui: &'a dyn Ui,
}

impl std::fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.store)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl<'a> Engine<'a> {
    /// Tells the store the user's policy for compressed layers; for verbs that add or collect
    /// blobs, since it reads the settings file.
    pub(crate) fn apply_blob_policy(&self) -> Result<()> {
        let policy = self.settings.file()?.keep_blobs;
        self.store.set_keep_blobs(match policy {
            Some(settings::KeepBlobs::Always) => KeepBlobs::Always,
            Some(settings::KeepBlobs::Never) => KeepBlobs::Never,
            Some(settings::KeepBlobs::Auto) | None => KeepBlobs::Auto,
        });
        Ok(())
    }

    /// Opens the user's store and settles the identity mode. Reads no settings file.
    pub(crate) fn open(environment: &Environment, ui: &'a dyn Ui) -> Result<Engine<'a>> {
        let lookup = |name: &str| -> Option<OsString> { environment.get_os(name).map(Into::into) };
        let host = Host::new(HostEnv::from_lookup(&lookup));
        let mode = host.identity_mode(environment.get("KETCH_IDENTITY"))?;
        let root = settings::store_root(environment, host.euid(), mode == Mode::Root)?;
        if let Some(note) = &root.note {
            ui.warn(note);
        }
        let store = Store::open(&root.path, mode)?;
        Ok(Engine {
            store,
            settings: Settings::load(environment)?,
            host,
            mode,
            ui,
        })
    }
}
