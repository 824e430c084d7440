//! The grammars of single flag values, one a file: text in, checked value out.
//!
//! Nothing here opens a file or asks the machine; what a grammar needs to know (the working
//! directory, the caller's environment) is given to it.

pub(crate) mod annotation;
pub(crate) mod attest;
pub(crate) mod boolean;
pub(crate) mod build;
pub(crate) mod build_cache;
pub(crate) mod capability;
pub(crate) mod csv;
pub(crate) mod device;
pub(crate) mod env;
pub(crate) mod env_file;
pub(crate) mod host;
pub(crate) mod keys;
pub(crate) mod label;
pub(crate) mod mount;
pub(crate) mod network;
pub(crate) mod number;
pub(crate) mod output;
pub(crate) mod path;
pub(crate) mod ps;
pub(crate) mod publish;
pub(crate) mod restart;
pub(crate) mod secret;
pub(crate) mod security_opt;
pub(crate) mod sysctl;
pub(crate) mod tmpfs;
pub(crate) mod ulimit;
pub(crate) mod userns;
pub(crate) mod volume;

use std::path::Path;

use crate::common::Error;

/// What the path grammars know of their caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The working directory relative sources are joined to.
    pub(crate) cwd: &'a Path,
    /// The caller's home, for a leading `~`.
    pub(crate) home: Option<&'a Path>,
    /// docker's `-v` makes a missing source directory, podman's refuses it.
    pub(crate) create_sources: bool,
    /// podman's tmpfs begins with what the image has there, docker's empty.
    pub(crate) copy_up: bool,
}

#[cfg(test)]
impl Place<'static> {
    /// `/cwd`, of somebody without a home.
    pub(super) fn homeless(create_sources: bool) -> Place<'static> {
        Place {
            cwd: Path::new("/cwd"),
            home: None,
            create_sources,
            copy_up: !create_sources,
        }
    }
}

/// The error of a flag's value: names the flag, quotes the value, says what is wrong.
pub(crate) fn bad(flag: &str, value: &str, why: impl Into<String>) -> Error {
    Error::usage(format!("parse {flag}"), format!("{value:?}"), why)
}
