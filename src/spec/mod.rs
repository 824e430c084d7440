//! From what was asked (`config`) and an image's defaults to an OCI runtime specification.
//!
//! Pure but for looking at host devices and at bind sources that have to be made.
#![forbid(unsafe_code)]

pub(crate) mod config;
mod devices;
mod generate;
mod mounts;
mod process;
mod security;

pub(crate) use generate::{EtcFiles, Generated, Inputs, VolumeSource, generate};
pub(crate) use process::command;
