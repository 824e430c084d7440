//! Quadlet's `.container` files (podman-systemd.unit(5)) made into services, called as systemd
//! calls its generators (systemd.generator(7)).

mod container;
mod find;
mod install;
mod keys;

#[cfg(test)]
mod tests;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Caller;
use super::unit_file::UnitFile;
use crate::common::{Error, Kind, Result};
use crate::settings::Environment;
use crate::sys::file;
use find::Found;

/// What the generator is asked for.
pub(crate) struct QuadletRequest<'a> {
    /// The environment, which names the user's folders.
    pub(crate) environment: &'a Environment,
    /// For a user's manager, not for the system's.
    pub(crate) user: bool,
    /// The user's number.
    pub(crate) uid: u32,
}

/// A unit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generated {
    /// Its file name.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
    /// Links that enable it, and where each points; relative to the folder of the unit.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
}

/// Makes the units of every file that is found. What is wrong with one is in the second list,
/// and the others are made all the same.
///
/// # Errors
/// When ketch's own path cannot stand in a unit.
pub(crate) fn generate(request: &QuadletRequest<'_>) -> Result<(Vec<Generated>, Vec<Error>)> {
    let caller = Caller::of(request.environment)?;
    let store = store(request)?;
    let folders = find::folders(request.environment, request.user, request.uid);
    let (found, mut errors) = find::files(&folders);
    let mut units = Vec::new();
    for file in &found {
        match make(file, &caller, &store, request.user) {
            Ok(unit) => units.push(unit),
            Err(mut failed) => errors.append(&mut failed),
        }
    }
    Ok((units, errors))
}

/// The directory of the store that the units will use.
fn store(request: &QuadletRequest<'_>) -> Result<String> {
    // systemd runs generators on the machine itself, not in a namespace of somebody.
    let root = crate::settings::store_root(request.environment, request.uid, true)?;
    super::text(&root.path)
}

fn make(
    found: &Found,
    caller: &Caller,
    store: &str,
    user: bool,
) -> std::result::Result<Generated, Vec<Error>> {
    let extension = found.path.extension().and_then(|ext| ext.to_str());
    if extension != Some("container") {
        let kind = extension.unwrap_or("");
        return Err(vec![
            Error::new(
                Kind::Unsupported,
                "make a unit of",
                found.path.display().to_string(),
            )
            .because(format!("ketch has no .{kind} units yet"))
            .hint("it reads .container files"),
        ]);
    }
    let mut source = UnitFile::default();
    for path in std::iter::once(&found.path).chain(&found.drop_ins) {
        let bytes = find::read(path).map_err(|error| vec![error])?;
        source.read(&bytes, path).map_err(|error| vec![error])?;
    }
    let mut unit = container::Source {
        unit: &source,
        path: &found.path,
        caller,
        store,
        user,
    }
    .service()?;
    let name = unit.0;
    let links = install::links(&source, &name).map_err(|error| vec![error])?;
    unit.1.rename("Container", "X-Container");
    unit.1.rename("Quadlet", "X-Quadlet");
    Ok(Generated {
        name,
        text: unit.1.render(),
        links,
    })
}

/// Writes units and links into the folder that systemd gave.
///
/// # Errors
/// Of the first file that cannot be written.
pub(crate) fn write(units: &[Generated], folder: &Path) -> Result<()> {
    let header = "# Made by ketch system-generator\n\n";
    for unit in units {
        let path = folder.join(&unit.name);
        let text = format!("{header}{}", unit.text);
        std::fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
        for (link, target) in &unit.links {
            let link = folder.join(link);
            if let Some(parent) = link.parent() {
                std::fs::create_dir_all(parent)
                    .map_err(|error| Error::io("create directory", parent, error))?;
            }
            file::remove_file(&link)?;
            symlink(target, &link).map_err(|error| Error::io("create link", &link, error))?;
        }
    }
    Ok(())
}
