//! From what was asked (`config`) and an image's defaults to an OCI runtime specification.

pub(crate) mod config;
