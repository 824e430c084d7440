//! `[Install]`: systemctl does not enable what a generator makes, so the generator does.

use std::path::{Path, PathBuf};

use crate::boot::unit_file::{Entry, UnitFile};
use crate::boot::words;
use crate::common::{Error, Kind, Result};

/// Links that enable the service `name`, relative to its folder, and where each points.
///
/// # Errors
/// `Usage`, naming the line, for a name that is no file name.
pub(super) fn links(unit: &UnitFile, name: &str) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut links = Vec::new();
    for entry in unit.all("Install", "Alias") {
        for alias in names(entry)? {
            links.push((PathBuf::from(alias), PathBuf::from(name)));
        }
    }
    let Some(instance) = instance(unit, name)? else {
        return Ok(links);
    };
    for (key, folder) in [
        ("WantedBy", "wants"),
        ("RequiredBy", "requires"),
        ("UpheldBy", "upholds"),
    ] {
        for entry in unit.all("Install", key) {
            for by in names(entry)? {
                let link = Path::new(&format!("{by}.{folder}")).join(&instance);
                links.push((link, Path::new("..").join(name)));
            }
        }
    }
    Ok(links)
}

/// The name that others want: of a template its default instance, when it has one.
fn instance(unit: &UnitFile, name: &str) -> Result<Option<String>> {
    let Some(template) = name.strip_suffix("@.service") else {
        return Ok(Some(name.to_owned()));
    };
    let Some(entry) = unit.last("Install", "DefaultInstance") else {
        return Ok(None);
    };
    let default = names(entry)?;
    match default.as_slice() {
        [instance] => Ok(Some(format!("{template}@{instance}.service"))),
        _ => Err(refused(entry, "it takes one name")),
    }
}

fn names(entry: &Entry) -> Result<Vec<String>> {
    let names = words::split(&entry.value).map_err(|why| refused(entry, &why))?;
    // Below the generator's folder and nowhere else.
    let plain = |name: &String| !name.contains('/') && !name.is_empty() && !name.starts_with('.');
    match names.iter().all(plain) {
        true => Ok(names),
        false => Err(refused(entry, "it takes names of units, no paths")),
    }
}

fn refused(entry: &Entry, why: &str) -> Error {
    let what = format!("use {}={}", entry.key, entry.value);
    Error::new(Kind::Usage, what, entry.place.clone()).because(why.to_owned())
}
