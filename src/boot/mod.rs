//! Containers and the start of the machine: what restart policies want back, units for systemd,
//! and units made from Quadlet's files.
//!
//! One parser (`unit_file`, `words`) reads every unit, and one generator (`service`) makes every
//! service: that of `generate systemd` from a container, and that of a `.container` file.
#![forbid(unsafe_code)]

mod enable;
mod generate;
mod quadlet;
mod service;
mod start;
mod unit_file;
mod words;

pub(crate) use enable::{Means, Standing, disable, enable, standing};
pub(crate) use generate::{Described, Fresh, UnitRequest, describe, unit};
pub(crate) use quadlet::{QuadletRequest, generate as generate_quadlets, write as write_units};
pub(crate) use start::start;

use std::path::PathBuf;

use crate::common::{Error, Result};
use crate::settings::Environment;

/// How a unit or a crontab calls this ketch, so that it finds the same store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Absolute path of the executable, then the global flags.
    pub(crate) words: Vec<String>,
    /// Variables that choose how it works, with their values.
    pub(crate) variables: Vec<(String, String)>,
}

impl Caller {
    /// This executable with the store and the identity mode that `environment` names.
    ///
    /// # Errors
    /// When the executable's path is not known or not UTF-8, as units must be.
    pub(crate) fn of(environment: &Environment) -> Result<Caller> {
        let program: PathBuf = std::env::current_exe()
            .map_err(|error| Error::io("find", "ketch's own executable", error))?;
        let mut words = vec![text(&program)?];
        if let Some(root) = environment.absolute("KETCH_ROOT") {
            words.extend(["--root".to_owned(), text(&root)?]);
        }
        let identity = environment.get("KETCH_IDENTITY");
        let identity = identity.filter(|mode| !mode.is_empty());
        let variables = identity.map(|mode| ("KETCH_IDENTITY".to_owned(), mode.to_owned()));
        Ok(Caller {
            words,
            variables: variables.into_iter().collect(),
        })
    }
}

fn text(path: &std::path::Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        let why = "a unit cannot hold a path that is not UTF-8";
        Error::usage("use", path.display().to_string(), why)
    })
}
