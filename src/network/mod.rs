//! Networks of containers.
#![forbid(unsafe_code)]

#[allow(dead_code)] // Until named networks come to containers.
pub(crate) mod shared;
