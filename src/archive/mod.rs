//! Layers as streams: decompression, the tar parser, and putting entries onto a directory.
//!
//! ```text
//!  thread 1: source ─► decompress ─┐ chunks, recycled       thread 2: sha256 of the tar
//!                                  └──────────────────────────┐ (the diff-id)
//!  caller's thread: tar parser ─► entry onto a directory ◄────┘
//!                                  └► thread 3: bytes into files
//! ```
//!
//! Everything here takes hostile input. There is one parser for every use, so that no two parts
//! of ketch can disagree about what an archive holds; every path goes through
//! [`Root`](crate::sys::path::Root); nothing outside the target directory is ever touched.
#![forbid(unsafe_code)]

mod apply;
mod bundle;
mod code;
mod compare;
mod compress;
mod contents;
mod create;
mod encode;
mod field;
mod layer;
mod limits;
mod metadata;
mod name;
mod pack;
mod pax;
mod pipeline;
mod place;
mod reader;
mod recode;
mod sniff;
mod sparse;
mod whiteout;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod writer;

pub(crate) use apply::{UnpackOptions, Unpacked};
pub(crate) use bundle::{Bundle, Piece};
pub(crate) use code::Coding;
pub(crate) use compare::{Difference, difference};
pub(crate) use compress::decompress;
pub(crate) use layer::{LayerWriter, NewLayer};
pub(crate) use pack::{Form, PackOptions, Packer};
pub(crate) use pipeline::unpack_layer;
pub(crate) use place::{PlaceOptions, PlacedOwner, Spot, place};
pub(crate) use recode::recode;
pub(crate) use sniff::is_archive;
