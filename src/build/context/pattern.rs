//! Lists of patterns of paths, as `.dockerignore` and `--exclude` have them: Go's `filepath.Match`
//! with `**` and `!` (moby/patternmatcher).
//!
//! Paths are bytes, `/` between the parts, none in front. A name that is not UTF-8 is matched byte
//! by byte.

use super::glob::Glob;
use crate::common::{Error, Result};

/// How one line of a list is matched.
#[derive(Debug, Clone)]
enum How {
    /// The path itself.
    Exact(Vec<u8>),
    /// Everything that begins so: `x**`.
    Prefix(Vec<u8>),
    /// Everything that ends so: `**x`.
    Suffix(Vec<u8>),
    /// Anything else.
    Glob(Glob),
}

impl How {
    fn of(pattern: &[u8]) -> Result<How> {
        let glob = Glob::compile(pattern, true)?;
        let plain = |bytes: &[u8]| !bytes.iter().any(|byte| b"*?[]\\".contains(byte));
        if plain(pattern) {
            return Ok(How::Exact(pattern.to_vec()));
        }
        if let Some(rest) = pattern.strip_prefix(b"**")
            && plain(rest)
        {
            return Ok(How::Suffix(rest.to_vec()));
        }
        match pattern.strip_suffix(b"**") {
            Some(rest) if plain(rest) => Ok(How::Prefix(rest.to_vec())),
            _ => Ok(How::Glob(glob)),
        }
    }

    fn matches(&self, path: &[u8]) -> bool {
        match self {
            How::Exact(whole) => path == whole,
            How::Prefix(start) => path.starts_with(start),
            How::Suffix(end) => {
                path.ends_with(end) || end.strip_prefix(b"/").is_some_and(|end| path == end)
            }
            How::Glob(glob) => glob.matches(path),
        }
    }
}

#[derive(Debug, Clone)]
struct Line {
    /// Begins with `!`.
    exception: bool,
    how: How,
}

/// A list of patterns, of which the last one that matches counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    lines: Vec<Line>,
}

/// Which patterns of a list a directory has matched: its content matches them as well.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inherited(Vec<bool>);

impl Patterns {
    /// Reads patterns, each by itself.
    ///
    /// # Errors
    /// `Usage` for one with a syntax error.
    pub(crate) fn new<T: AsRef<[u8]>>(patterns: impl IntoIterator<Item = T>) -> Result<Patterns> {
        let mut lines = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim_ascii();
            if pattern.is_empty() {
                continue;
            }
            let mut pattern = clean(pattern);
            let exception = pattern.first() == Some(&b'!');
            if exception {
                pattern.remove(0);
                if pattern.is_empty() {
                    let why = "illegal exclusion pattern: \"!\"";
                    return Err(Error::usage("read pattern", "!", why));
                }
            }
            lines.push(Line {
                exception,
                how: How::of(&pattern)?,
            });
        }
        Ok(Patterns { lines })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a path matches, with what its directory has matched; `found` gets what counts for
    /// its own content.
    pub(crate) fn matches(
        &self,
        path: &[u8],
        parent: &Inherited,
        found: Option<&mut Inherited>,
    ) -> bool {
        let mut matched = false;
        let mut own = found.is_some().then(|| vec![false; self.lines.len()]);
        for (index, line) in self.lines.iter().enumerate() {
            let mut hit = parent.0.get(index).copied().unwrap_or(false);
            if !hit {
                if line.exception != matched {
                    continue;
                }
                hit = line.how.matches(path);
            }
            if let Some(own) = &mut own {
                own[index] = hit;
            }
            if hit {
                matched = !line.exception;
            }
        }
        if let (Some(found), Some(own)) = (found, own) {
            found.0 = own;
        }
        matched
    }

    /// Whether a path matches, by all the directories on its way; `found` as above.
    pub(crate) fn matches_below(&self, path: &[u8], found: &mut Inherited) -> bool {
        let mut matched = false;
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let ends: Vec<usize> = ends.map(|(at, _)| at).chain([path.len()]).collect();
        for end in ends {
            let parent = std::mem::take(found);
            matched = self.matches(&path[..end], &parent, Some(found));
        }
        matched
    }

    /// Whether something in a directory may match, as far as what is in front of the first
    /// wildcard tells.
    pub(crate) fn may_match_below(&self, dir: &[u8]) -> bool {
        self.lines.iter().any(|line| {
            let start = match &line.how {
                How::Exact(start) | How::Prefix(start) => start.as_slice(),
                How::Suffix(_) => &[],
                How::Glob(glob) => glob.start(),
            };
            let common = start.len().min(dir.len());
            start[..common] == dir[..common]
                && (start.len() <= dir.len() || start[dir.len()] == b'/' || dir.is_empty())
        })
    }

    /// Whether something in a directory that matches may not match after all.
    pub(crate) fn has_exceptions_below(&self, dir: &[u8]) -> bool {
        self.lines.iter().any(|line| match &line.how {
            _ if !line.exception => false,
            How::Exact(whole) => {
                whole.len() > dir.len() && whole.starts_with(dir) && whole[dir.len()] == b'/'
            }
            _ => true,
        })
    }
}

/// Go's `filepath.Clean`: no empty parts, no `.`, no `..` but at the beginning.
pub(crate) fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => drop(parts.pop()),
            b".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(patterns: &[&str], path: &str) -> bool {
        let patterns = Patterns::new(patterns).unwrap();
        patterns.matches_below(path.as_bytes(), &mut Inherited::default())
    }

    #[test]
    fn ignore_patterns_are_docker_s() {
        for (pattern, path, wanted) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir", false),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir/file", true),
            ("**/dir", "dir", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/*", "dir/dir2/dir2/file", true),
            ("**file", "file", true),
            ("**file", "dir/afile", true),
            ("**/file", "dir/file", true),
            ("**/file", "dir/afile", false),
            ("**file", "dir/dir/file", true),
            ("**/file*", "dir/dir/file.txt", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/file*.txt*", "dir/dir/file.txt", true),
            ("**/**/*.txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("**/*.txt", "file.txt", true),
            ("a**/*.txt", "a/file.txt", true),
            ("a**/*.txt", "a/dir/dir/file.txt", true),
            ("a/*.txt", "a/dir/file.txt", false),
            ("a[b-d]e", "ae", false),
            ("a[b-d]e", "ace", true),
            ("a[^b-d]e", "aze", true),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcZdef", false),
            ("abc?def", "abcZdef", true),
            ("a\\*b", "a*b", true),
            ("**/foo/bar", "foo/bar", true),
            ("**/foo/bar", "dir/dir2/foo/bar", true),
            ("abc/**", "abc/def/ghi", true),
            ("**/.foo", ".foo", true),
            ("**/.foo", "bar.foo", false),
            ("a(b)c/def", "a(b)c/def", true),
            ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
            (
                "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
                "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
                true,
            ),
            ("dist/*.whl", "dist/x-g08+a.whl", true),
            ("docs", "docs/README.md", true),
            ("fileutils.go/", "fileutils.go", true),
            ("./x", "x", true),
        ] {
            assert_eq!(ignored(&[pattern], path), wanted, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_match_counts_and_directories_hand_theirs_on() {
        for (patterns, path, wanted) in [
            (&["*.md", "!README.md"][..], "README.md", false),
            (&["*.md", "!README.md"], "OTHER.md", true),
            (&["!fileutils.go", "*.go"], "fileutils.go", true),
            (&["docs", "!docs/README.md"], "docs/README.md", false),
            (&["docs", "!docs/README.md"], "docs/x.md", true),
            (&["docs/", "!docs/README.md"], "docs/README.md", false),
            (&["docs/*", "!docs/README.md"], "docs/README.md", false),
            (&["a/b", "!a", "a/b/c"], "a/b/c/d", true),
            (&["a/b", "!a", "a/b/c"], "a/b/x", true),
            (&["**", "!src/**"], "src/main.rs", false),
            (&["**", "!src/**"], "src", true),
            (&["*", "!src"], "src/a/b", false),
            (&["*", "!src", "src/a"], "src/a/b", true),
            (
                &["util/docker/web", "!util/docker/web/foo"],
                "util/docker/web/foo",
                false,
            ),
            (
                &["**", "!util/docker/web", "util/docker/web/foo"],
                "util/docker/web/foo",
                true,
            ),
        ] {
            assert_eq!(ignored(patterns, path), wanted, "{patterns:?} {path}");
        }
        assert!(Patterns::new(["!"]).is_err());
        let patterns = Patterns::new(["a", "!a/b/c"]).unwrap();
        assert!(patterns.has_exceptions_below(b"a"));
        assert!(patterns.has_exceptions_below(b"a/b"));
        assert!(!patterns.has_exceptions_below(b"a/x"));
    }
}
