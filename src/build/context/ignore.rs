//! `.dockerignore` in its forms: what of a directory is no part of the context.

use std::io::Read;
use std::path::Path;

use nix::fcntl::OFlag;

use super::pattern::{Inherited, Patterns, clean};
use crate::common::{Error, Kind, Result};
use crate::sys::file;
use crate::sys::path::Root;

/// Largest ignore file, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// The names in the order in which the first that is there counts.
const NAMES: [&str; 2] = [".containerignore", ".dockerignore"];

/// What is left out of a context.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ignore {
    patterns: Patterns,
}

impl Ignore {
    /// Reads the ignore file of a context: the one that belongs to its Dockerfile (a path below
    /// the top), else that of the top.
    ///
    /// # Errors
    /// What reading it gave; `Usage` for a bad pattern.
    pub(crate) fn find(root: &Root, dockerfile: Option<&str>) -> Result<Ignore> {
        let own = dockerfile.map(|path| format!("{path}.dockerignore"));
        for name in own.iter().map(String::as_str).chain(NAMES) {
            if let Some(text) = read(root, name)? {
                return Ignore::parse(&text);
            }
        }
        Ok(Ignore::default())
    }

    /// As [`find`](Ignore::find), of a Dockerfile of the user's own that is outside its context.
    ///
    /// # Errors
    /// As [`find`](Ignore::find).
    pub(crate) fn beside(root: &Root, dockerfile: &Path) -> Result<Ignore> {
        let mut own = dockerfile.as_os_str().to_owned();
        own.push(".dockerignore");
        match file::read_bounded(Path::new(&own), MAX_FILE as usize) {
            Ok(text) => Ignore::parse(&text),
            Err(error) if error.kind() == Kind::NotFound => Ignore::find(root, None),
            Err(error) => Err(error),
        }
    }

    /// Reads the text of an ignore file.
    ///
    /// # Errors
    /// `Usage` for a bad pattern.
    pub(crate) fn parse(text: &[u8]) -> Result<Ignore> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let patterns = text.split(|byte| *byte == b'\n').filter_map(pattern);
        Ok(Ignore {
            patterns: Patterns::new(patterns)?,
        })
    }

    /// Whether nothing is ignored.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a path is ignored, with what counts for its directory and for its content.
    pub(crate) fn hides(
        &self,
        path: &[u8],
        parent: &Inherited,
        found: Option<&mut Inherited>,
    ) -> bool {
        !self.is_empty() && self.patterns.matches(path, parent, found)
    }

    /// Whether a path is ignored, by all directories on its way.
    pub(crate) fn hides_below(&self, path: &[u8], found: &mut Inherited) -> bool {
        !self.is_empty() && !path.is_empty() && self.patterns.matches_below(path, found)
    }

    /// Whether something in an ignored directory may be part of the context.
    pub(crate) fn has_exceptions_below(&self, dir: &[u8]) -> bool {
        self.patterns.has_exceptions_below(dir)
    }
}

/// One line as a pattern.
fn pattern(line: &[u8]) -> Option<Vec<u8>> {
    if line.starts_with(b"#") {
        return None;
    }
    let line = line.trim_ascii();
    let (mark, line) = match line.strip_prefix(b"!") {
        Some(rest) => (&b"!"[..], rest.trim_ascii()),
        None => (&b""[..], line),
    };
    if line.is_empty() {
        return (!mark.is_empty()).then(|| mark.to_vec());
    }
    let path = clean(line);
    let path = match path.len() {
        1 => path.as_slice(),
        _ => path.strip_prefix(b"/").unwrap_or(&path),
    };
    Some([mark, path].concat())
}

fn read(root: &Root, name: &str) -> Result<Option<Vec<u8>>> {
    let (file, _) = match root.open_regular(name, OFlag::O_RDONLY) {
        Ok(found) => found,
        Err(error) if error.kind() == Kind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ENOTDIR) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    let mut file = std::fs::File::from(file).take(MAX_FILE + 1);
    file.read_to_end(&mut text)
        .map_err(|error| Error::io("read", name, error))?;
    if text.len() as u64 > MAX_FILE {
        return Err(Error::usage("read", name, "larger than 16 MiB"));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str, path: &str) -> bool {
        let ignore = Ignore::parse(text.as_bytes()).unwrap();
        ignore.hides_below(path.as_bytes(), &mut Inherited::default())
    }

    #[test]
    fn lines_are_trimmed_cleaned_and_comments_only_at_the_start() {
        for (text, path, wanted) in [
            ("\u{feff}a", "a", true),
            ("# a", "# a", false),
            ("#a", "a", false),
            (" # a", "# a", true),
            ("  a  \r\n", "a", true),
            ("/a", "a", true),
            ("/a/", "a/b", true),
            ("./a", "a", true),
            ("a/../b", "b", true),
            ("*\n! /b", "b", false),
            ("*\n!b/", "b/c", false),
            ("", "a", false),
            ("\n\n", "a", false),
            (".", "a", false),
            ("*/temp*", "a/temp1", true),
            ("*/temp*", "a/b/temp1", false),
            ("temp?", "tempa", true),
        ] {
            assert_eq!(hidden(text, path), wanted, "{text:?} {path}");
        }
        assert!(Ignore::parse(b"[").is_err());
        assert!(Ignore::parse(b"!").is_err());
    }
}
