//! Settings of this user: environment, ketch.toml, registries.conf, certs.d, auth files, proxies.
//!
//! `Settings::load` opens no file: a container start needs none of these, so each is read when
//! first asked for and kept. Nothing here knows what will be done with the answers.

#![forbid(unsafe_code)]

mod auth_file;
mod certificates;
mod container_proxy;
mod credential_helper;
mod environment;
mod file;
mod proxy;
mod registries;
mod root;
mod secret;

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(crate) use auth_file::{Credential, Keychain};
pub(crate) use certificates::{Certificates, ClientPair};
pub(crate) use environment::Environment;
pub(crate) use file::{File, KeepBlobs};
pub(crate) use proxy::Proxies;
pub(crate) use registries::Source;
pub(crate) use root::{is_machines, store_root};
pub(crate) use secret::Secret;

use crate::common::{Error, Kind, Result};
use crate::reference::Reference;
use registries::Registries;

/// Largest settings file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// All settings of this user, read lazily.
pub(crate) struct Settings {
    environment: Environment,
    /// `/etc`, another directory in tests.
    system: PathBuf,
    file: OnceLock<File>,
    registries: OnceLock<Registries>,
}

impl Settings {
    /// Settings for a process with this environment. Opens nothing.
    ///
    /// # Errors
    /// None today; the signature leaves room for a flag that names a settings file.
    pub(crate) fn load(environment: &Environment) -> Result<Settings> {
        Ok(Settings::with_system_dir(environment, Path::new("/etc")))
    }

    /// `$NOTIFY_SOCKET`: where the manager of a service wants to be told that it is ready.
    pub(crate) fn notify_socket(&self) -> Option<OsString> {
        let socket = self.environment.get_os("NOTIFY_SOCKET")?;
        (!socket.is_empty()).then(|| socket.to_owned())
    }

    /// The same with another directory in the place of `/etc`.
    pub(crate) fn with_system_dir(environment: &Environment, system: &Path) -> Settings {
        Settings {
            environment: environment.clone(),
            system: system.to_owned(),
            file: OnceLock::new(),
            registries: OnceLock::new(),
        }
    }

    /// ketch's own settings file: the user's over the system's, key by key.
    ///
    /// # Errors
    /// `Usage` with the file's name when it does not parse.
    pub(crate) fn file(&self) -> Result<&File> {
        remember(&self.file, || File::read(&self.environment, &self.system))
    }

    /// Where to get `reference` from, in order: mirrors, then the registry itself.
    ///
    /// # Errors
    /// `Denied` when registries.conf blocks it; `Usage` when a file does not parse.
    pub(crate) fn sources(&self, reference: &Reference) -> Result<Vec<Source>> {
        let file = self.file()?;
        let registries = remember(&self.registries, || {
            Registries::read(&self.environment, &self.system)
        })?;
        registries.sources(reference, file)
    }

    /// The stored logins; `authfile` is the value of `--authfile`.
    ///
    /// # Errors
    /// `Usage` when a file does not parse, `NotFound` when a named one is missing.
    pub(crate) fn keychain(&self, authfile: Option<&Path>) -> Result<Keychain> {
        Keychain::read(&self.environment, authfile)
    }

    /// The certificates for a registry; `dir` is the value of `--cert-dir`.
    ///
    /// # Errors
    /// When a file that is there cannot be read, or a client certificate has no key.
    pub(crate) fn certificates(&self, host: &str, dir: Option<&Path>) -> Result<Certificates> {
        certificates::for_host(&self.environment, &self.system, host, dir)
    }

    /// PEM texts of the system's certificate authorities; empty when it has none.
    pub(crate) fn system_authorities(&self) -> Vec<Vec<u8>> {
        certificates::system_authorities(&self.environment, &self.system)
    }

    /// The proxies of the environment.
    pub(crate) fn proxies(&self) -> Proxies {
        Proxies::of(&self.environment)
    }
}

/// `OnceLock::get_or_try_init`, which is not stable yet; a lost race only reads a file twice.
fn remember<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

/// Reads a settings file that may be missing. Only regular files up to 4 MiB are read; opening
/// does not block on a fifo.
fn read_optional(operation: &str, path: &Path) -> Result<Option<Vec<u8>>> {
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => return Ok(None),
            _ => return Err(Error::io(operation, path, error)),
        },
    };
    let io = |error| Error::io(operation, path, error);
    let about = file.metadata().map_err(io)?;
    let bad = |why: &str| Error::usage(operation, path.display().to_string(), why);
    if !about.is_file() {
        return Err(bad("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(bad("larger than 4 MiB"));
    }
    Ok(Some(bytes))
}

/// Like `read_optional`, but a file of another user counts as missing: after `su` the variables
/// still name the directories of the user before.
fn read_own(operation: &str, path: &Path) -> Result<Option<Vec<u8>>> {
    match read_optional(operation, path) {
        Err(error) if error.kind() == Kind::Denied => Ok(None),
        other => other,
    }
}

/// Parses a TOML file; the error names it and never shows more than the parser's own words.
fn parse_toml<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    let bad = |why: String| Error::usage("read settings", path.display().to_string(), why);
    let text = std::str::from_utf8(bytes).map_err(|_| bad("not UTF-8".to_owned()))?;
    toml::from_str(text).map_err(|error| bad(error.to_string().trim().replace('\n', " ")))
}

#[cfg(test)]
mod tests;
