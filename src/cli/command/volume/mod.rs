//! Commands on volumes.

pub(super) mod create;
pub(super) mod exists;
pub(super) mod export;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod prune;
pub(super) mod remove;
