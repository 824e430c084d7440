//! Verbs on images.

pub(crate) mod pull;
