//! Builders that docker's tools have made. They are names only: ketch itself is each of them.

use serde::{Deserialize, Serialize};

use super::{Store, optional, read_json, write_json};
use crate::common::Result;

/// What `buildx create` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BuilderRecord {
    /// Its name.
    pub(crate) name: String,
    /// The driver by docker's name; told again, never used.
    pub(crate) driver: String,
    /// `--driver-opt` words, told again.
    #[serde(default)]
    pub(crate) options: Vec<String>,
    /// `--platform`, told before those that can be built for.
    #[serde(default)]
    pub(crate) platforms: Vec<String>,
    /// Names of its nodes, the first first.
    pub(crate) nodes: Vec<String>,
}

/// `build/builders.json`: all builders but the one that is always there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Builders {
    /// The one in use, by name; none is the default.
    #[serde(default)]
    pub(crate) current: Option<String>,
    /// In the order in which they were made.
    #[serde(default)]
    pub(crate) all: Vec<BuilderRecord>,
}

impl Store {
    /// The builders that were made.
    ///
    /// # Errors
    /// `Corrupt`, or of reading.
    pub(crate) fn builders(&self) -> Result<Builders> {
        let found = optional(read_json(&self.path("build/builders.json")))?;
        Ok(found.unwrap_or_default())
    }

    /// Changes them, one command at a time.
    ///
    /// # Errors
    /// Of `change`, which then changes nothing; of reading and writing.
    pub(crate) fn change_builders<T>(
        &self,
        change: impl FnOnce(&mut Builders) -> Result<T>,
    ) -> Result<T> {
        let folder = self.build_cache().folder("cache")?;
        let _lock = self.lock_exclusive()?;
        let mut builders = self.builders()?;
        let done = change(&mut builders)?;
        write_json(&folder.with_file_name("builders.json"), &builders)?;
        Ok(done)
    }
}
