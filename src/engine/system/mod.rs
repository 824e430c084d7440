//! Verbs on the store as a whole. Each takes the store and a request, returns a result, prints
//! nothing.

pub(crate) mod boot;
pub(crate) mod build_cache;
pub(crate) mod builder;
pub(crate) mod check;
pub(crate) mod df;
pub(crate) mod events;
pub(crate) mod prune;
pub(crate) mod unshare;
