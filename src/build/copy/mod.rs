//! COPY and ADD: what is taken from a tree, and how it is put into a layer.

mod attributes;
mod digest;
mod select;
mod tree;

pub(crate) use select::{Options, Selection, select};
pub(crate) use tree::Tree;

#[cfg(test)]
mod tests;
