//! Compiled filters kept on disk, so that a start reads one small file and compiles nothing.
//!
//! A file is named after everything its program depends on and is never changed, only replaced
//! by rename; a damaged one is compiled anew. No failure here fails a start.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::program::{INSTRUCTION, MAX_INSTRUCTIONS};
use super::{
    Arch, Identity, ProfileChoice, Program, Request, compile_for, profile, running_kernel,
};
use crate::common::{Digest, Hasher, Result};

/// First bytes of a cache file; the digit is the form's version.
const MAGIC: [u8; 8] = *b"ketchbp1";
const HEADER: usize = 16;

/// Stands in names for what is built in: profile, number table and emulated calls, so that none
/// is hashed at run time.
const BUILT_IN: u64 = fnv(
    include_bytes!("emulate/calls.rs"),
    fnv(
        include_bytes!("syscalls.csv"),
        fnv(profile::DEFAULT.as_bytes(), 0xcbf2_9ce4_8422_2325),
    ),
);

/// FNV-1a.
const fn fnv(bytes: &[u8], mut hash: u64) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The filter for `request`, from `cache_dir` when it is there, else compiled and left there.
pub(crate) fn cached(cache_dir: &Path, request: &Request<'_>) -> Result<Program> {
    let kernel = running_kernel()?;
    let path = cache_dir.join(name(request, kernel));
    if let Some(program) = read(&path) {
        return Ok(program);
    }
    let program = compile_for(request, Arch::native(), kernel)?;
    // Never fatal: a full or read-only disk costs the next start a millisecond.
    let _ = write(cache_dir, &path, &program);
    Ok(program)
}

/// The file name: a digest over each input with its length, so that no two requests collide.
fn name(request: &Request<'_>, kernel: (u32, u32)) -> String {
    let mut hasher = Hasher::default();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(env!("CARGO_PKG_VERSION").as_bytes());
    field(&BUILT_IN.to_le_bytes());
    field(&Arch::native().audit().to_le_bytes());
    field(&kernel.0.to_le_bytes());
    field(&kernel.1.to_le_bytes());
    field(&[match request.identity {
        Identity::Real => 0,
        Identity::Notify => 1,
        Identity::Pretend => 2,
    }]);
    match request.profile {
        ProfileChoice::Default => field(b"default"),
        ProfileChoice::Text(text) => {
            field(b"text");
            field(text.as_bytes());
        }
    }
    let mut caps = request.caps.to_vec();
    caps.sort_unstable();
    for cap in caps {
        field(cap.as_bytes());
    }
    hasher.finish().hex()
}

/// A guard against truncation and bit rot, not against malice: who can write the cache can
/// write the store.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |sum, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (sum.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

fn read(path: &Path) -> Option<Program> {
    let mut file = File::open(path).ok()?;
    let mut bytes = vec![0; HEADER + MAX_INSTRUCTIONS * INSTRUCTION + 1];
    // One read: a local regular file gives all of itself, and a short one fails its checksum.
    let length = file.read(&mut bytes).ok()?;
    bytes.truncate(length);
    let body = bytes.get(HEADER..)?;
    let sum = u64::from_le_bytes(bytes.get(8..HEADER)?.try_into().ok()?);
    if bytes[..8] != MAGIC || sum != checksum(body) {
        return None;
    }
    Program::from_bytes(bytes.split_off(HEADER)).ok()
}

fn write(dir: &Path, path: &Path, program: &Program) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let body = program.as_bytes();
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend(MAGIC);
    bytes.extend(checksum(body).to_le_bytes());
    bytes.extend(body);
    // Unique for this process; what a crash leaves is found again by the next one of that id.
    let unique = Digest::of(format!("{path:?} {}", std::process::id()).as_bytes());
    let staged = dir.join(format!(".{}", unique.short()));
    let written = File::create(&staged)
        .and_then(|mut file| file.write_all(&bytes))
        .and_then(|()| std::fs::rename(&staged, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&staged);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request<'_> = Request {
        profile: ProfileChoice::Default,
        caps: &["CAP_CHOWN", "CAP_KILL"],
        identity: Identity::Real,
    };

    fn only_file(dir: &Path) -> std::path::PathBuf {
        let files: Vec<_> = std::fs::read_dir(dir).unwrap().collect();
        assert_eq!(files.len(), 1);
        files.into_iter().next().unwrap().unwrap().path()
    }

    #[test]
    fn a_hit_returns_what_is_on_disk_and_damage_is_repaired() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("cache");
        let first = cached(&dir, &REQUEST).unwrap();
        let path = only_file(&dir);
        let good = std::fs::read(&path).unwrap();

        // A planted, well-formed program proves that a hit compiles nothing.
        let planted = Program::from_bytes(first.as_bytes()[..8].to_vec()).unwrap();
        write(&dir, &path, &planted).unwrap();
        assert_eq!(cached(&dir, &REQUEST).unwrap(), planted);

        let mut flipped = good.clone();
        flipped[100] ^= 1;
        for bad in [&good[..good.len() - 8], &good[..3], &[], &flipped] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(cached(&dir, &REQUEST).unwrap(), first);
            assert_eq!(std::fs::read(only_file(&dir)).unwrap(), good);
        }
    }

    #[test]
    fn an_unusable_cache_folder_is_not_fatal() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(cached(&file.join("below"), &REQUEST).is_ok());
    }

    #[test]
    fn every_input_is_in_the_name_and_order_of_caps_is_not() {
        let of = |caps, identity, profile| {
            name(
                &Request {
                    profile,
                    caps,
                    identity,
                },
                (6, 1),
            )
        };
        let base = of(&["A", "B"], Identity::Real, ProfileChoice::Default);
        assert_eq!(
            base,
            of(&["B", "A"], Identity::Real, ProfileChoice::Default)
        );
        assert_ne!(base, of(&["AB"], Identity::Real, ProfileChoice::Default));
        assert_ne!(
            base,
            of(&["A", "B"], Identity::Notify, ProfileChoice::Default)
        );
        assert_ne!(
            base,
            of(&["A", "B"], Identity::Real, ProfileChoice::Text(""))
        );
        assert_ne!(base, name(&REQUEST, (6, 2)));
    }
}
