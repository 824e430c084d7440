//! Caches that leave the machine: `--cache-to` writes what the steps of a build came to, to a
//! registry, a directory or the image itself, and `--cache-from` lets another machine's build go on
//! with it.

mod document;
mod export;
mod import;

pub(super) use export::{Known, export, inline};
pub(super) use import::{Gone, Imported};
