//! `network …`: networks that containers can be put on.

pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod disconnect;
pub(crate) mod exists;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod prune;
pub(crate) mod reload;
pub(crate) mod remove;
pub(crate) mod update;
