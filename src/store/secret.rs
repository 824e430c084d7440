//! Secrets: small texts that containers are given and that no record or document shows. Each is
//! one file that its owner alone can read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Store, read_json};
use crate::common::{Error, Kind, Result, Timestamp};
use crate::sys::file::{self, TempFile};

/// podman's largest secret, in bytes.
pub(crate) const MAX_SECRET: usize = 512_000;

/// podman's longest name.
const MAX_NAME: usize = 253;

/// A secret as its file holds it. It has no `Debug`, so that its content reaches no message.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SecretRecord {
    /// 25 hex characters.
    pub(crate) id: String,
    /// Name.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// When its content was last replaced.
    pub(crate) updated: Timestamp,
    /// `--label`.
    pub(crate) labels: BTreeMap<String, String>,
    /// Content in base64.
    data: String,
}

impl SecretRecord {
    /// A new secret.
    ///
    /// # Errors
    /// `Usage` for a bad name, an empty content or a content of more than [`MAX_SECRET`] bytes.
    pub(crate) fn new(
        name: &str,
        data: &[u8],
        labels: BTreeMap<String, String>,
    ) -> Result<SecretRecord> {
        check_name(name)?;
        if data.is_empty() || data.len() > MAX_SECRET {
            let why = format!("it must have between 1 and {MAX_SECRET} bytes");
            return Err(Error::usage("make secret", name, why));
        }
        let bytes: [u8; 13] = file::random()?;
        let mut id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        id.truncate(25);
        let now = Timestamp::now();
        Ok(SecretRecord {
            id,
            name: name.to_owned(),
            created: now,
            updated: now,
            labels,
            data: STANDARD.encode(data),
        })
    }

    /// The content.
    ///
    /// # Errors
    /// `Corrupt` when the file was changed by hand.
    pub(crate) fn data(&self) -> Result<Vec<u8>> {
        STANDARD
            .decode(&self.data)
            .map_err(|error| Error::new(Kind::Corrupt, "read secret", &self.name).because(error))
    }
}

/// podman: anything without these characters. A dot in front is ketch's own.
fn check_name(name: &str) -> Result<()> {
    let bad = |c: char| matches!(c, ',' | '/' | '=') || c.is_control();
    if name.is_empty() || name.len() > MAX_NAME || name.starts_with('.') || name.contains(bad) {
        let why = "use 1 to 253 characters without \",\", \"/\", \"=\" and a dot in front";
        return Err(Error::usage("use secret name", name, why));
    }
    Ok(())
}

/// The secrets of a store.
pub(crate) struct Secrets<'a> {
    store: &'a Store,
}

impl Store {
    /// Secrets by name or id.
    pub(crate) fn secrets(&self) -> Secrets<'_> {
        Secrets { store: self }
    }
}

impl Secrets<'_> {
    fn dir(&self) -> PathBuf {
        self.store.path("secrets")
    }

    /// Adds a secret, or replaces the one of its name.
    ///
    /// # Errors
    /// `Conflict` when there is one of this name and it is not to be replaced.
    pub(crate) fn put(&self, secret: &SecretRecord, replace: bool) -> Result<()> {
        file::make_private_dir(&self.dir())?;
        let path = self.dir().join(&secret.name);
        let bytes = serde_json::to_vec(secret).map_err(|error| {
            Error::new(Kind::Bug, "encode", "secret").because(error.to_string())
        })?;
        if replace {
            return file::write_atomic(&path, &bytes);
        }
        let mut fresh = TempFile::new_in(&self.dir())?;
        fresh
            .write_all(&bytes)
            .map_err(|error| Error::io("write", &path, error))?;
        match fresh.publish(&path)? {
            true => Ok(()),
            false => Err(Error::new(Kind::Conflict, "make secret", &secret.name)
                .because("secret name in use".to_owned())
                .hint("choose another name, or use --replace")),
        }
    }

    /// Every secret, by name.
    pub(crate) fn list(&self) -> Result<Vec<SecretRecord>> {
        let names = match file::names(&self.dir()) {
            Ok(names) => names,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for name in names.iter().filter_map(|name| name.to_str()) {
            if !name.starts_with('.') {
                match read_json::<SecretRecord>(&self.dir().join(name)) {
                    Ok(secret) => found.push(secret),
                    // Removed meanwhile.
                    Err(error) if error.kind() == Kind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The secret of a name, an id or a unique beginning of an id.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when several ids begin so.
    pub(crate) fn find(&self, wanted: &str) -> Result<SecretRecord> {
        let missing = || {
            Error::new(Kind::NotFound, "find secret", wanted)
                .because("no secret with this name or id".to_owned())
        };
        if check_name(wanted).is_ok() {
            match read_json(&self.dir().join(wanted)) {
                Err(error) if error.kind() == Kind::NotFound => {}
                other => return other,
            }
        }
        let mut all = self.list()?;
        all.retain(|secret| !wanted.is_empty() && secret.id.starts_with(wanted));
        match (all.pop(), all.is_empty()) {
            (None, _) => Err(missing()),
            (Some(secret), true) => Ok(secret),
            (Some(_), false) => Err(Error::new(Kind::Conflict, "find secret", wanted)
                .because("more than one secret id begins with this".to_owned())),
        }
    }

    /// Removes the secret and returns its id. Containers that have it keep their copies.
    ///
    /// # Errors
    /// As [`find`](Secrets::find).
    pub(crate) fn remove(&self, wanted: &str) -> Result<String> {
        let secret = self.find(wanted)?;
        file::remove_file(&self.dir().join(&secret.name))?;
        Ok(secret.id)
    }
}
