//! COPY and ADD: what is taken from a tree, and how it is put into a layer.

mod attributes;
mod chmod;
mod crew;
mod digest;
mod dress;
mod object;
pub(crate) mod owner;
mod place;
mod select;
mod tree;
mod write;

pub(crate) use chmod::Chmod;
pub(crate) use select::{Options, select};
pub(crate) use tree::{Owners, Tree};
pub(crate) use write::{Document, Target, WriteOptions, Writer};

#[cfg(test)]
mod tests;
