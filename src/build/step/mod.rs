//! Steps that work on files, each in a child process of its own.

pub(super) mod run;
pub(super) mod workdir;
