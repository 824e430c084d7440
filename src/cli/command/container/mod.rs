//! Commands on containers.

pub(super) mod exec;
mod filter;
pub(super) mod healthcheck;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod prune;
pub(super) mod remove;
pub(super) mod run;
pub(super) mod top;
