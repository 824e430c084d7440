//! `ADD` of a file on a web server.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{folder, settle, stage};
use crate::build::secret::Logins;
use crate::common::{Digest, Error, Hasher, Kind};
use crate::engine::Engine;
use crate::registry::{Client, Options};
use crate::sys::file;
use crate::sys::tree::remove_tree;

/// Largest file that is fetched, in bytes.
const MAX_FILE: u64 = 64 << 30;

/// Bytes read at once.
const CHUNK: usize = 128 << 10;

/// Name of what an address gives no name.
const UNNAMED: &str = "__unnamed__";

/// A file that was fetched.
#[derive(Debug)]
pub(super) struct Download {
    /// The directory that holds it alone.
    pub(super) folder: PathBuf,
    /// Its name there.
    pub(super) name: String,
    /// Digest of its content.
    pub(super) digest: Digest,
}

/// What is known of an address.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    digest: Digest,
    etag: Option<String>,
    modified: Option<i64>,
}

/// Fetches a file, unless what is here is what it would be.
///
/// # Errors
/// `Network` for what the server does wrong, `Corrupt` for another content than `checksum` says.
pub(super) fn download(
    engine: &Engine<'_>,
    logins: Logins<'_>,
    address: &str,
    checksum: Option<&str>,
) -> Result<Download> {
    let wanted: Option<Digest> = checksum.map(str::parse).transpose()?;
    let all = folder(engine)?;
    let name = name(address);
    let place = |digest: &Digest| all.join(digest.hex());
    let there = |digest: Digest| known(place(&digest), &name, digest);
    if let Some(found) = wanted.and_then(there) {
        return Ok(found);
    }
    let memo = all.join(format!("{}.json", Digest::of(address.as_bytes()).hex()));
    let seen = file::read_bounded(&memo, 4096).ok();
    let seen: Option<Seen> = seen.and_then(|text| serde_json::from_slice(&text).ok());
    let options = Options::default();
    let client = Client::new(&engine.settings, engine.ui, &options);
    let remote = client.remote(address, logins.web(address)?.as_ref())?;
    if let Some(seen) = &seen {
        let same = match (&seen.etag, &remote.etag) {
            (Some(old), Some(new)) => old == new,
            _ => false,
        };
        if same && let Some(found) = there(seen.digest) {
            return matching(found, wanted, address);
        }
    }
    let modified = remote.modified;
    let etag = remote.etag;
    let fill = |staged: &std::path::Path| {
        let path = staged.join(&name);
        let digest = receive(remote.body, &path, address)?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != digest) {
            return Err(mismatch(address, wanted, digest));
        }
        settle(&path, Some(modified.unwrap_or(0)))?;
        Ok(digest)
    };
    let target = |digest: &Digest| {
        let target = place(digest);
        if !target.join(&name).exists() {
            // The same content under another name.
            let _ = remove_tree(&target);
        }
        target
    };
    let digest = stage(engine, fill, target)?;
    let seen = Seen {
        digest,
        etag,
        modified,
    };
    file::write_atomic(&memo, &serde_json::to_vec(&seen)?)?;
    Ok(Download {
        folder: place(&digest),
        name,
        digest,
    })
}

/// A file that was fetched before; it has been used now.
fn known(folder: PathBuf, name: &str, digest: Digest) -> Option<Download> {
    let found = folder.join(name).is_file();
    let _ = file::touch(&folder);
    found.then(|| Download {
        folder,
        name: name.to_owned(),
        digest,
    })
}

fn matching(found: Download, wanted: Option<Digest>, address: &str) -> Result<Download> {
    match wanted {
        Some(wanted) if wanted != found.digest => Err(mismatch(address, wanted, found.digest)),
        _ => Ok(found),
    }
}

fn mismatch(address: &str, wanted: Digest, found: Digest) -> anyhow::Error {
    Error::new(Kind::Corrupt, "add", address)
        .because(format!(
            "digest mismatch {found}: --checksum wants {wanted}"
        ))
        .into()
}

fn receive(mut body: impl Read, path: &std::path::Path, address: &str) -> Result<Digest> {
    let mut out: File = file::create_new(path).map_err(|e| Error::io("create", path, e))?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; CHUNK];
    let mut length: u64 = 0;
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let error = Error::io("fetch", address, error);
                return Err(error.with_kind(Kind::Network).into());
            }
        };
        length += count as u64;
        if length > MAX_FILE {
            return Err(Error::new(Kind::Exhausted, "fetch", address)
                .because(format!("larger than {} GiB", MAX_FILE >> 30))
                .into());
        }
        hasher.update(&buffer[..count]);
        out.write_all(&buffer[..count])
            .map_err(|error| Error::io("write", path, error))?;
    }
}

/// The last part of an address's path.
fn name(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let name = match path.split_once('/') {
        Some((_, path)) => path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default(),
        None => "",
    };
    match name {
        "" | "." | ".." => UNNAMED.to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_file_is_named_by_its_address() {
        for (address, wanted) in [
            ("http://x/a/b.tar?q=/c#d", "b.tar"),
            ("https://x/a/", "a"),
            ("http://x", "__unnamed__"),
            ("http://x/", "__unnamed__"),
            ("http://x/..", "__unnamed__"),
        ] {
            assert_eq!(name(address), wanted, "{address}");
        }
    }
}
