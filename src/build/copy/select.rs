//! From the words of a COPY to the sources that they name.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::FileStat;

use super::tree::{Filter, Level, Tree, join};
use crate::build::context::glob::Glob;
use crate::build::context::pattern::{Inherited, Patterns, clean};
use crate::common::{Error, Kind, Result};
use crate::sys::node;
use crate::sys::path::Links;

/// Links followed on one path, as in the kernel.
const LINKS_MAX: usize = 40;

/// How sources are selected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// `--parents`: each source keeps its path.
    pub(crate) parents: bool,
    /// `--exclude`.
    pub(crate) excludes: Vec<String>,
}

/// One source.
#[derive(Debug)]
pub(super) struct Item {
    /// Where it lies, without links.
    pub(super) path: Vec<u8>,
    /// Name that it gets in a directory.
    pub(super) name: Vec<u8>,
    pub(super) facts: FileStat,
    /// What of it is taken, with `--parents`.
    pub(super) includes: Option<Patterns>,
}

/// What is to be copied.
#[derive(Debug)]
pub(crate) struct Selection<'t> {
    pub(super) tree: &'t Tree,
    pub(super) items: Vec<Item>,
    pub(super) excludes: Patterns,
}

impl Selection<'_> {
    pub(super) fn filter<'a>(&'a self, item: &'a Item) -> Filter<'a> {
        Filter {
            ignore: &self.tree.ignore,
            excludes: &self.excludes,
            includes: item.includes.as_ref(),
        }
    }
}

/// Finds sources; a pattern that nothing matches names none.
///
/// # Errors
/// `NotFound` in docker's words for a path that is not there, or ignored; `Usage` for a bad
/// pattern.
pub(crate) fn select<'t>(
    tree: &'t Tree,
    sources: &[String],
    options: &Options,
) -> Result<Selection<'t>> {
    let mut items = Vec::new();
    for source in sources {
        match options.parents {
            true => items.push(with_parents(tree, source.as_bytes())?),
            false => plain(tree, source.as_bytes(), &mut items)?,
        }
    }
    let excludes = Patterns::new(&options.excludes)?;
    Ok(Selection {
        tree,
        items,
        excludes,
    })
}

fn missing(source: &[u8]) -> Error {
    let shown = format!("\"/{}\"", String::from_utf8_lossy(&inside(source)));
    Error::new(Kind::NotFound, shown, "").because("not found")
}

/// A source's path below the top: `..` leads nowhere.
fn inside(source: &[u8]) -> Vec<u8> {
    clean(&[b"/", source].concat())[1..].to_vec()
}

fn plain(tree: &Tree, source: &[u8], items: &mut Vec<Item>) -> Result<()> {
    let path = inside(source);
    let item = |path: &[u8]| -> Result<Option<Item>> {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let found = resolve(tree, path)?;
        Ok(found.map(|(real, facts)| Item {
            path: real,
            name: name.to_vec(),
            facts,
            includes: None,
        }))
    };
    if !is_wild(&path) {
        let path = unescaped(&path);
        items.push(item(&path)?.ok_or_else(|| missing(&path))?);
        return Ok(());
    }
    let mut found = Vec::new();
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let plain = parts.iter().take_while(|part| !is_wild(part)).count();
    let start = unescaped(&parts[..plain].join(&b'/'));
    if let Some((real, facts)) = resolve(tree, &start)?
        && node::is_dir(&facts)
    {
        let globs: Result<Vec<Glob>> = parts[plain..].iter().map(|part| Glob::new(part)).collect();
        expand(tree, &real, &globs?, &mut found)?;
    }
    for path in found {
        items.extend(item(&path)?);
    }
    Ok(())
}

/// Adds the paths in a directory that patterns match, part by part, sorted.
fn expand(tree: &Tree, dir: &[u8], globs: &[Glob], found: &mut Vec<Vec<u8>>) -> Result<()> {
    let Some((glob, rest)) = globs.split_first() else {
        return Ok(());
    };
    let mut ignored = Inherited::default();
    tree.ignore.hides_below(dir, &mut ignored);
    let opened = tree.open_dir(dir)?;
    let names = node::names(opened.as_fd())
        .map_err(|errno| Error::errno("read directory", OsStr::from_bytes(dir), errno))?;
    for name in names.iter().filter(|name| glob.matches(name.as_bytes())) {
        let path = join(dir, name);
        let Ok(facts) = node::stat_at(opened.as_fd(), name) else {
            continue;
        };
        let directory = node::is_dir(&facts);
        if tree.ignore.hides(&path, &ignored, None)
            && !(directory && tree.ignore.has_exceptions_below(&path))
        {
            continue;
        }
        match rest {
            [] => found.push(path),
            rest if directory => expand(tree, &path, rest, found)?,
            _ => {}
        }
    }
    Ok(())
}

/// A source of `--parents`: what is behind `/./`, else all of it, is kept as a path.
fn with_parents(tree: &Tree, source: &[u8]) -> Result<Item> {
    let pivot = source.windows(3).position(|part| part == b"/./");
    let (base, pattern) = match pivot {
        Some(at) => (&source[..at], &source[at + 3..]),
        None => (&b""[..], source),
    };
    let (base, pattern) = (inside(base), inside(pattern));
    let whole = [base.as_slice(), b"/", &pattern].concat();
    if !is_wild(&base) && !is_wild(&pattern) && resolve(tree, &inside(&whole))?.is_none() {
        return Err(missing(&whole));
    }
    let (real, facts) = resolve(tree, &base)?.ok_or_else(|| missing(&base))?;
    if !node::is_dir(&facts) {
        return Err(missing(&base));
    }
    let includes = match pattern.is_empty() {
        true => None,
        false => Some(Patterns::new([pattern])?),
    };
    Ok(Item {
        path: real,
        name: Vec::new(),
        facts,
        includes,
    })
}

/// Whether Go sees a wildcard.
fn is_wild(path: &[u8]) -> bool {
    let mut bytes = path.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    false
}

/// A path without wildcards, as it stands: docker takes backslashes away in front of them only.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut bytes = path.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(next)) if b"*?[]\\".contains(next) => {}
            _ => plain.push(byte),
        }
        if byte == b'\\'
            && let Some(next) = bytes.next_if(|next| b"*?[]\\".contains(next))
        {
            plain.push(next);
        }
    }
    plain
}

/// Follows all links of a path inside the tree: where it ends, and what is there; `None` when it
/// is not there or ignored.
fn resolve(tree: &Tree, path: &[u8]) -> Result<Option<(Vec<u8>, FileStat)>> {
    let mut real: Vec<Vec<u8>> = Vec::new();
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|byte| *byte == b'/')
            .map(<[u8]>::to_vec)
            .collect()
    };
    let mut todo: VecDeque<Vec<u8>> = parts(path).into();
    let mut links = 0;
    let failed = |errno| Error::errno("find", OsStr::from_bytes(path), errno);
    let open = |real: &[Vec<u8>]| {
        let dir = real.join(&b'/');
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY;
        let dir = Path::new(OsStr::from_bytes(&dir)).to_owned();
        tree.root.lookup(&dir, flags, Links::Refuse)
    };
    while let Some(part) = todo.pop_front() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." => {
                real.pop();
                continue;
            }
            _ => {}
        }
        let name = OsStr::from_bytes(&part);
        let dir = match open(&real) {
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(None),
            other => other.map_err(failed)?,
        };
        let facts = match node::stat_at(dir.as_fd(), name) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
            other => other.map_err(failed)?,
        };
        if !node::is_symlink(&facts) {
            real.push(part);
            continue;
        }
        let own = join(&real.join(&b'/'), name);
        if tree.ignore.hides_below(&own, &mut Inherited::default()) {
            return Ok(None);
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(failed(Errno::ELOOP));
        }
        let target = readlinkat(&dir, name).map_err(failed)?.into_vec();
        if target.first() == Some(&b'/') {
            real.clear();
        }
        for part in parts(&target).into_iter().rev() {
            todo.push_front(part);
        }
    }
    ending(tree, real.join(&b'/'))
}

/// What is at a path without links, if it is part of the tree.
fn ending(tree: &Tree, real: Vec<u8>) -> Result<Option<(Vec<u8>, FileStat)>> {
    let path = Path::new(OsStr::from_bytes(&real));
    let facts = match tree.root.lookup(path, OFlag::O_PATH, Links::Refuse) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(None),
        other => other
            .and_then(nix::sys::stat::fstat)
            .map_err(|errno| Error::errno("stat", path, errno))?,
    };
    let none = Patterns::default();
    let filter = Filter {
        ignore: &tree.ignore,
        excludes: &none,
        includes: None,
    };
    let level: Option<Level> = filter.top(&real, node::is_dir(&facts));
    Ok(level.map(|_| (real, facts)))
}
