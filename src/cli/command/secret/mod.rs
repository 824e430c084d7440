//! Commands on secrets.

pub(super) mod create;
pub(super) mod exists;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod remove;
