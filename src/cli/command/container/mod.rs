//! Commands on containers.

pub(super) mod attach;
pub(super) mod commit;
pub(super) mod copy;
pub(super) mod create;
mod creation;
pub(super) mod diff;
pub(super) mod exec;
pub(super) mod exists;
pub(super) mod export;
mod filter;
pub(super) mod healthcheck;
pub(super) mod inspect;
pub(super) mod kill;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod mount;
pub(super) mod pause;
pub(super) mod prune;
pub(super) mod remove;
pub(super) mod rename;
pub(super) mod run;
mod select;
pub(super) mod start;
pub(super) mod stop;
pub(super) mod top;
pub(super) mod update;
pub(super) mod wait;
