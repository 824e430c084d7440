//! registries.conf version 2: prefixes, locations, mirrors, insecure and blocked registries
//! (containers-registries.conf.d(5)). Short-name tables are not used: short names go to
//! docker.io and nothing prompts.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::proxy::in_range;
use super::{Environment, File, parse_toml, read_optional, read_own};
use crate::common::{Error, Kind, Result};
use crate::reference::Reference;

/// One place an image can be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Registry: `docker.io`, `host`, `host:port`.
    pub(crate) domain: String,
    /// Repository inside it.
    pub(crate) path: String,
    /// Plain http and unverified certificates are accepted.
    pub(crate) insecure: bool,
    /// False for the last one, the registry the reference names.
    pub(crate) mirror: bool,
}

/// The merged configuration.
#[derive(Debug, Default)]
pub(super) struct Registries {
    entries: Vec<Registry>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Document {
    registry: Vec<Registry>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Registry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    mirror_by_digest_only: bool,
    mirror: Vec<Mirror>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Mirror {
    location: String,
    insecure: bool,
    pull_from_mirror: Pull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Pull {
    #[default]
    All,
    DigestOnly,
    TagOnly,
}

impl Registries {
    /// Reads the configuration: `CONTAINERS_REGISTRIES_CONF`, else the user's file, else the
    /// system's; then the drop-ins, the system's only when the user has no file of their own.
    pub(super) fn read(environment: &Environment, system: &Path) -> Result<Registries> {
        const OPERATION: &str = "read settings";
        let user = environment
            .config_home()
            .map(|config| config.join("containers"));
        let system = system.join("containers");
        let mut merged = Registries::default();
        let mut users_own = false;
        if let Some(named) = environment
            .get_os("CONTAINERS_REGISTRIES_CONF")
            .filter(|value| !value.is_empty())
        {
            let path = PathBuf::from(named);
            let missing = || Error::new(Kind::NotFound, OPERATION, path.display().to_string());
            let bytes = read_optional(OPERATION, &path)?.ok_or_else(missing)?;
            merged.add(&path, &bytes)?;
        } else {
            let own = user.as_ref().map(|dir| dir.join("registries.conf"));
            let own = match own {
                Some(path) => read_own(OPERATION, &path)?.map(|bytes| (path, bytes)),
                None => None,
            };
            users_own = own.is_some();
            let path = system.join("registries.conf");
            let chosen = match own {
                Some(own) => Some(own),
                None => read_optional(OPERATION, &path)?.map(|bytes| (path, bytes)),
            };
            if let Some((path, bytes)) = chosen {
                merged.add(&path, &bytes)?;
            }
        }
        let drop_ins = (!users_own).then_some(system).into_iter().chain(user);
        for directory in drop_ins {
            merged.add_directory(&directory.join("registries.conf.d"))?;
        }
        Ok(merged)
    }

    fn add_directory(&mut self, directory: &Path) -> Result<()> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "conf"))
            .collect();
        paths.sort();
        for path in paths {
            if let Some(bytes) = read_own("read settings", &path)? {
                self.add(&path, &bytes)?;
            }
        }
        Ok(())
    }

    /// Adds a file; a later entry replaces an earlier one of the same prefix.
    fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let document: Document = parse_toml(path, bytes)?;
        for mut entry in document.registry {
            if entry.prefix.is_empty() {
                entry.prefix.clone_from(&entry.location);
            }
            if entry.prefix.is_empty() {
                return Err(Error::usage(
                    "read settings",
                    path.display().to_string(),
                    "a [[registry]] has neither prefix nor location",
                ));
            }
            self.entries.retain(|known| known.prefix != entry.prefix);
            self.entries.push(entry);
        }
        Ok(())
    }

    /// The places for `reference`: mirrors in order, then the registry itself.
    pub(super) fn sources(&self, reference: &Reference, file: &File) -> Result<Vec<Source>> {
        let repository = reference.repository();
        let entry = self
            .entries
            .iter()
            .filter_map(|entry| Some((matched(&entry.prefix, reference)?, entry)))
            .max_by_key(|(length, _)| *length);
        let mut sources = Vec::new();
        let mut origin = repository.clone();
        let mut insecure = is_insecure(reference.domain(), file);
        if let Some((length, entry)) = entry {
            if entry.blocked {
                return Err(Error::new(Kind::Denied, "use registry", repository)
                    .because(format!("registries.conf blocks {}", entry.prefix)));
            }
            let rest = repository.get(length..).unwrap_or_default();
            insecure |= entry.insecure;
            for mirror in &entry.mirror {
                let by_digest = reference.digest().is_some();
                let skip = (entry.mirror_by_digest_only && !by_digest)
                    || (mirror.pull_from_mirror == Pull::DigestOnly && !by_digest)
                    || (mirror.pull_from_mirror == Pull::TagOnly && by_digest);
                if !skip {
                    let location = format!("{}{rest}", mirror.location);
                    sources.push(place(&location, mirror.insecure, true)?);
                }
            }
            if !entry.location.is_empty() && !entry.prefix.starts_with("*.") {
                origin = format!("{}{rest}", entry.location);
            }
        }
        if reference.domain() == "docker.io" {
            for url in file.registry_mirrors.iter().flatten() {
                let plain = url.starts_with("http://");
                let host = url
                    .trim_start_matches("https://")
                    .trim_start_matches("http://")
                    .trim_end_matches('/');
                let insecure = plain || is_insecure(host, file);
                let location = format!("{host}/{}", reference.path());
                sources.push(place(&location, insecure, true)?);
            }
        }
        sources.push(place(&origin, insecure, false)?);
        for source in &mut sources {
            source.insecure |= is_insecure(&source.domain, file);
        }
        Ok(sources)
    }
}

/// Length of the part of the repository that `prefix` covers, none when it does not match.
fn matched(prefix: &str, reference: &Reference) -> Option<usize> {
    if let Some(suffix) = prefix.strip_prefix('*') {
        let below = suffix.starts_with('.') && reference.domain().ends_with(suffix);
        return below.then_some(reference.domain().len());
    }
    let full = reference.to_string();
    let rest = full.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with(['/', ':', '@'])).then_some(prefix.len())
}

/// Splits `host[:port]/path` and checks both: the text comes from a settings file.
fn place(location: &str, insecure: bool, mirror: bool) -> Result<Source> {
    let bad = || {
        Error::usage(
            "use registry",
            format!("{location:?}"),
            "registries.conf names a location that is not host[:port][/path]",
        )
    };
    let (domain, path) = location.split_once('/').ok_or_else(bad)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let path_ok = Reference::parse(&format!("localhost/{path}"))
        .is_ok_and(|reference| reference.path() == path);
    if domain.is_empty() || !domain.chars().all(plain) || !path_ok {
        return Err(bad());
    }
    Ok(Source {
        domain: domain.to_owned(),
        path: path.to_owned(),
        insecure,
        mirror,
    })
}

/// Whether ketch.toml's `insecure-registries` names `domain`: by name, by name and port, or by
/// a range its address lies in.
fn is_insecure(domain: &str, file: &File) -> bool {
    let host = match domain.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host,
        _ => domain,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = host.parse().ok();
    let range = |entry: &str| {
        let (network, length) = entry.split_once('/')?;
        Some(in_range(
            address?,
            network.parse().ok()?,
            length.parse().ok()?,
        ))
    };
    file.insecure_registries
        .iter()
        .flatten()
        .any(|entry| entry == domain || entry == host || range(entry) == Some(true))
}
