//! Commands on ketch itself and on the machine.

pub(super) mod boot;
pub(super) mod check;
pub(super) mod completion;
pub(super) mod df;
pub(super) mod doctor;
pub(super) mod events;
pub(super) mod generate;
pub(crate) mod generator;
pub(super) mod info;
pub(super) mod inspect;
pub(super) mod prune;
pub(super) mod unshare;
pub(crate) mod version;
