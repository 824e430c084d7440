//! Steps that work on files, each in a child process of its own.

pub(super) mod bind;
pub(super) mod cache;
pub(super) mod copy;
pub(super) mod foreign;
pub(super) mod mount;
pub(super) mod run;
pub(super) mod workdir;
