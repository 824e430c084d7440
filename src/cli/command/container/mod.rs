//! Commands on containers.

pub(super) mod attach;
pub(super) mod create;
mod creation;
pub(super) mod exists;
mod filter;
pub(super) mod inspect;
pub(super) mod kill;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod pause;
pub(super) mod port;
pub(super) mod prune;
pub(super) mod remove;
pub(super) mod rename;
pub(super) mod run;
mod select;
pub(super) mod start;
pub(super) mod stats;
pub(super) mod stop;
pub(super) mod update;
pub(super) mod wait;
