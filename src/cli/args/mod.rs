//! Groups of flags that commands share. The doc comments are the help texts, the man pages and
//! the completions; `convert` turns the groups into what the engine takes.
//!
//! Values stay text here: clap splits words, `parse` reads them, so that a bad value is reported
//! in ketch's own form.

mod container;
mod copy;
mod global;
mod health;
mod image;
mod lifecycle;
mod list;
mod mount;
mod network;
mod process;
mod resource;
mod security;

pub(crate) use container::ContainerArgs;
pub(crate) use copy::CopyArgs;
pub(crate) use global::{GLOBAL_FLAGS, GlobalArgs};
pub(crate) use health::HealthArgs;
pub(crate) use image::RegistryArgs;
pub(crate) use lifecycle::LifecycleArgs;
pub(crate) use list::{FormatArgs, PruneArgs, ShowArgs, filters};
pub(crate) use mount::MountArgs;
pub(crate) use network::NetworkArgs;
pub(crate) use process::ProcessArgs;
pub(crate) use resource::ResourceArgs;
pub(crate) use security::SecurityArgs;
