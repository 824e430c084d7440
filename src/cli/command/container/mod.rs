//! Commands on containers.

pub(super) mod commit;
pub(super) mod copy;
pub(super) mod diff;
pub(super) mod export;
mod filter;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod mount;
pub(super) mod prune;
pub(super) mod remove;
pub(super) mod run;
