//! The kernel behind safe names: the only home of `unsafe`, `libc` calls and raw descriptors.

pub(crate) mod node;
pub(crate) mod path;
pub(crate) mod xattr;
