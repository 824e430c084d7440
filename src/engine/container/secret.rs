//! The secrets of a container: copies that are made with it, and what a start gives the payload.
//!
//! The copies lie in the container's directory, readable by its owner alone, and go with it; what
//! is done with the secret afterwards does not reach them (podman's rule). Neither the record nor
//! the specification holds a content.

use std::path::PathBuf;

use anyhow::Result;

use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::runtime::SecretFile;
use crate::spec::config::{Config, SecretKind};
use crate::store::{ContainerDir, MAX_SECRET};
use crate::sys::file;

fn copy(dir: &ContainerDir, index: usize) -> PathBuf {
    dir.path().join(format!("secret-{index}"))
}

/// Fails early for a secret that is not there.
pub(super) fn check(engine: &Engine<'_>, config: &Config) -> Result<()> {
    for secret in &config.secrets {
        engine.store.secrets().find(&secret.name)?;
    }
    Ok(())
}

/// Copies the secrets that a new container is to have.
pub(super) fn take_along(engine: &Engine<'_>, config: &Config, dir: &ContainerDir) -> Result<()> {
    for (index, secret) in config.secrets.iter().enumerate() {
        let data = engine.store.secrets().find(&secret.name)?.data()?;
        file::write_unseen(&copy(dir, index), &data)?;
    }
    Ok(())
}

fn contents<'a>(
    config: &'a Config,
    dir: &ContainerDir,
) -> impl Iterator<Item = Result<(&'a SecretKind, Vec<u8>)>> {
    let dir = dir.clone();
    let secrets = config.secrets.iter().enumerate();
    secrets.map(move |(index, secret)| {
        Ok((
            &secret.kind,
            file::read_bounded(&copy(&dir, index), MAX_SECRET)?,
        ))
    })
}

/// The files that init makes below `/run/secrets`.
pub(super) fn files(config: &Config, dir: &ContainerDir) -> Result<Vec<SecretFile>> {
    let mut files = Vec::new();
    for content in contents(config, dir) {
        if let (
            SecretKind::File {
                target,
                owner,
                mode,
            },
            data,
        ) = content?
        {
            files.push(SecretFile {
                target: target.clone(),
                owner: *owner,
                mode: *mode,
                data,
            });
        }
    }
    Ok(files)
}

/// `KEY=value` of the secrets that are variables.
///
/// # Errors
/// `Usage` for a content that cannot be one: it is no text, or has a NUL byte.
pub(super) fn variables(config: &Config, dir: &ContainerDir) -> Result<Vec<String>> {
    let mut variables = Vec::new();
    for content in contents(config, dir) {
        if let (SecretKind::Variable(name), data) = content? {
            match String::from_utf8(data) {
                Ok(text) if !text.contains('\0') => variables.push(format!("{name}={text}")),
                _ => {
                    let why = "its content cannot be an environment variable";
                    return Err(Error::new(Kind::Usage, "use secret as", name)
                        .because(why.to_owned())
                        .into());
                }
            }
        }
    }
    Ok(variables)
}

/// Puts variables into an environment, over those of the same names.
pub(super) fn set(env: &mut Vec<String>, variables: Vec<String>) {
    for variable in variables {
        let name = variable.split('=').next().map(str::to_owned);
        env.retain(|entry| entry.split('=').next().map(str::to_owned) != name);
        env.push(variable);
    }
}
