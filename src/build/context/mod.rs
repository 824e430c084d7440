//! Where the files of a build come from.

pub(crate) mod glob;
pub(crate) mod ignore;
pub(crate) mod index;
pub(crate) mod pattern;
pub(crate) mod remote;
