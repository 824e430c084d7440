//! Paths: cleaned container targets and joined host sources.

use std::path::PathBuf;

use crate::common::{Error, Result};

use super::{Place, bad};

/// Checks a path inside the container: absolute, no NUL; returns it cleaned of `.`, `..` and
/// doubled slashes, lexically, as Go's `path.Clean` does.
pub(crate) fn target(flag: &str, text: &str) -> Result<String> {
    if !text.starts_with('/') {
        return Err(bad(
            flag,
            text,
            "the path in the container must be absolute",
        ));
    }
    if text.contains('\0') {
        return Err(bad(flag, text, "a NUL byte in the path"));
    }
    Ok(clean(text))
}

/// Like [`target`], for places something is mounted on: `/` itself is refused.
pub(crate) fn mount_target(flag: &str, text: &str) -> Result<String> {
    let target = target(flag, text)?;
    if target == "/" {
        return Err(bad(flag, text, "nothing can be mounted on / itself"));
    }
    Ok(target)
}

/// Whether a `-v` source names a path and not a volume.
pub(crate) fn is_path(source: &str) -> bool {
    source.starts_with(['/', '.', '~'])
}

/// An absolute, cleaned host path: `~` is the caller's home, other relative paths start at the
/// working directory.
///
/// # Errors
/// `~user`, `~` without a home, a NUL byte, a path or directory that is not UTF-8.
pub(crate) fn source(flag: &str, text: &str, place: &Place<'_>) -> Result<String> {
    if text.is_empty() || text.contains('\0') {
        return Err(bad(flag, text, "not a usable path"));
    }
    let joined: PathBuf = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = place
                .home
                .ok_or_else(|| bad(flag, text, "~ needs HOME to be set"))?;
            home.join(rest.trim_start_matches('/'))
        }
        Some(_) => return Err(bad(flag, text, "~user is not expanded; write the path")),
        None => place.cwd.join(text),
    };
    let joined = joined
        .to_str()
        .ok_or_else(|| not_utf8(flag, text))?
        .to_owned();
    if !joined.starts_with('/') {
        return Err(bad(flag, text, "the working directory is not known"));
    }
    Ok(clean(&joined))
}

/// A host directory given as a word: every relative spelling starts at the working directory,
/// and `~` is only a name (the shell has expanded it already).
pub(crate) fn directory(flag: &str, text: &str, place: &Place<'_>) -> Result<String> {
    match text.starts_with('/') {
        true => source(flag, text, place),
        false => source(flag, &format!("./{text}"), place),
    }
}

fn not_utf8(flag: &str, text: &str) -> Error {
    bad(flag, text, "the working directory is not UTF-8")
}

fn clean(absolute: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in absolute.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn targets_are_absolute_and_cleaned() {
        for (text, want) in [
            ("/a//b/./c/", "/a/b/c"),
            ("/a/../../b", "/b"),
            ("/", "/"),
            ("/..", "/"),
        ] {
            assert_eq!(target("-w", text).unwrap(), want);
        }
        for bad in ["", "a", "./a", "/a\0"] {
            assert!(target("-w", bad).is_err(), "{bad}");
        }
        assert!(mount_target("-v", "/a/..").is_err());
    }

    #[test]
    fn sources_join_the_working_directory_and_home() {
        let place = Place {
            cwd: Path::new("/work/dir"),
            home: Some(Path::new("/home/me")),
            create_sources: true,
            copy_up: false,
        };
        for (text, want) in [
            (".", "/work/dir"),
            ("./x", "/work/dir/x"),
            ("../x", "/work/x"),
            ("/x/", "/x"),
            ("~", "/home/me"),
            ("~/d", "/home/me/d"),
        ] {
            assert_eq!(source("-v", text, &place).unwrap(), want);
        }
        for bad in ["", "~root/x", "a\0"] {
            assert!(source("-v", bad, &place).is_err(), "{bad}");
        }
        let homeless = Place {
            home: None,
            ..place
        };
        assert!(source("-v", "~/d", &homeless).is_err());
    }
}
