//! The Container Device Interface: vendors describe in files what a container needs to use their
//! devices, and users name devices as `vendor.com/class=name`.
//!
//! Files are read when a device is asked for, and at no other time. A file that cannot be used
//! keeps no device of another from being found.
#![forbid(unsafe_code)]

mod schema;

use std::path::{Path, PathBuf};

use crate::common::{Error, Kind, Result};
use crate::sys::file;
use schema::Document;

pub(crate) use schema::{Edits, Mount, Node};

/// Where files are, a later directory before an earlier one (SPEC.md, "Overview").
pub(crate) const DIRECTORIES: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];

/// Largest file that is read.
const MAX_FILE: usize = 4 << 20;

/// Vendors of the class `gpu` that `--gpus` prefers.
const GPU_VENDORS: [&str; 2] = ["nvidia.com/gpu", "amd.com/gpu"];

/// Whether a text is a device's full name: `vendor.com/class=name`.
pub(crate) fn is_name(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(kind, name)| is_kind(kind) && is_label(name))
}

/// `vendor/class`: a DNS name and a label.
fn is_kind(text: &str) -> bool {
    let label = |part: &str| {
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        part.bytes().all(plain)
            && part
                .bytes()
                .next()
                .is_some_and(|c| c.is_ascii_alphanumeric())
    };
    text.split_once('/').is_some_and(|(vendor, class)| {
        vendor.len() <= 253 && vendor.split('.').all(label) && class.len() <= 63 && is_label(class)
    })
}

/// Letters, digits and `-_.:` between, no such sign first or last.
fn is_label(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.:".contains(&c);
    let ends = [text.bytes().next(), text.bytes().last()];
    text.bytes().all(plain)
        && ends
            .iter()
            .all(|end| end.is_some_and(|c| c.is_ascii_alphanumeric()))
}

/// One file that can be used.
struct Source {
    path: PathBuf,
    /// How many directories come before its own.
    rank: usize,
    document: Document,
}

/// What a container is given that asks for these devices; `gpu=NAME` is a graphics processor of
/// whatever vendor has files here.
///
/// # Errors
/// `NotFound` for a device that no file describes, with what is wrong with the files that cannot
/// be used; `Conflict` for one that two files of a directory describe.
pub(crate) fn resolve(names: &[String], directories: &[PathBuf]) -> Result<Edits> {
    let (sources, faults) = load(directories);
    let mut edits = Edits::default();
    let mut applied: Vec<&Path> = Vec::new();
    for name in names {
        let (kind, device) = name.split_once('=').unwrap_or((name, ""));
        let kind = if kind == "gpu" {
            gpu_kind(&sources)
        } else {
            kind
        };
        let having = sources.iter().filter_map(|source| {
            let mut devices = source.document.devices.iter();
            let found = devices.find(|known| known.name == device)?;
            (source.document.kind == kind).then_some((source, found))
        });
        let mut having: Vec<_> = having.collect();
        let best = having.iter().map(|(source, _)| source.rank).max();
        having.retain(|(source, _)| Some(source.rank) == best);
        let (source, found) = match having.as_slice() {
            [one] => *one,
            [] => return Err(unknown(name, directories, &faults)),
            [(one, _), (other, _), ..] => {
                return Err(
                    Error::new(Kind::Conflict, "use CDI device", name).because(format!(
                        "both {} and {} describe it",
                        one.path.display(),
                        other.path.display()
                    )),
                );
            }
        };
        if !applied.contains(&source.path.as_path()) {
            applied.push(&source.path);
            edits.extend(&source.document.container_edits);
        }
        edits.extend(&found.container_edits);
    }
    Ok(edits)
}

/// The kind that stands for any graphics processor.
fn gpu_kind(sources: &[Source]) -> &str {
    let kinds = || sources.iter().map(|source| source.document.kind.as_str());
    let preferred = GPU_VENDORS
        .iter()
        .find_map(|wanted| kinds().find(|kind| kind == wanted));
    let any = || kinds().find(|kind| kind.ends_with("/gpu"));
    preferred.or_else(any).unwrap_or(GPU_VENDORS[0])
}

fn unknown(name: &str, directories: &[PathBuf], faults: &[String]) -> Error {
    let places: Vec<String> = directories
        .iter()
        .map(|directory| directory.display().to_string())
        .collect();
    let mut why = format!("no file in {} describes it", places.join(" or "));
    for fault in faults {
        why.push_str("; ");
        why.push_str(fault);
    }
    Error::new(Kind::NotFound, "use CDI device", name)
        .because(why)
        .hint("the vendor's tools write such files: nvidia-ctk cdi generate")
}

/// The files that can be used, and what is wrong with the others.
fn load(directories: &[PathBuf]) -> (Vec<Source>, Vec<String>) {
    let (mut sources, mut faults) = (Vec::new(), Vec::new());
    for (rank, directory) in directories.iter().enumerate() {
        let entries = match std::fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                faults.push(Error::io("read", directory, error).to_string());
                continue;
            }
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let mut paths: Vec<PathBuf> = paths.filter(|path| is_document(path)).collect();
        paths.sort();
        for path in paths {
            match read(&path) {
                Ok(document) => sources.push(Source {
                    path,
                    rank,
                    document,
                }),
                Err(error) => faults.push(error.to_string()),
            }
        }
    }
    (sources, faults)
}

fn is_document(path: &Path) -> bool {
    let kind = path.extension().and_then(|extension| extension.to_str());
    matches!(kind, Some("json" | "yaml" | "yml"))
}

fn read(path: &Path) -> Result<Document> {
    let bytes = file::read_bounded(path, MAX_FILE)?;
    let shown = path.display().to_string();
    let corrupt = |why: String| Error::new(Kind::Corrupt, "use", &shown).because(why);
    let document: Document = match path.extension() {
        Some(extension) if extension == "json" => {
            serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?
        }
        _ => serde_saphyr::from_slice(&bytes).map_err(|error| corrupt(first_line(&error)))?,
    };
    match document.fault() {
        Some(why) => Err(corrupt(why)),
        None => Ok(document),
    }
}

/// The parser shows the text around a fault as well.
fn first_line(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
