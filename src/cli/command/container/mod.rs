//! Commands on containers.

pub(super) mod attach;
pub(super) mod create;
mod creation;
mod filter;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod port;
pub(super) mod prune;
pub(super) mod remove;
pub(super) mod run;
pub(super) mod start;
pub(super) mod stats;
