//! Copy flags to the group of copies.

use std::path::{Path, PathBuf};

use crate::cli::args::CopyArgs;
use crate::cli::parse::bad;
use crate::common::Result;
use crate::spec::config::{Copies, Copy, CopyOutOn};

/// The copies of `args`; host paths are taken from `cwd`.
pub(crate) fn copies(args: &CopyArgs, cwd: &Path) -> Result<Copies> {
    let into = args.copy_in.iter().map(|text| {
        // The container's path is the last: it begins with a slash.
        let (from, to) = split("--copy-in", text, text.rfind(":/"))?;
        Ok(Copy {
            from: cwd.join(from),
            to: PathBuf::from(to),
        })
    });
    let out = args.copy_out.iter().map(|text| {
        let (from, to) = split("--copy-out", text, text.find(':'))?;
        if !from.starts_with('/') {
            return Err(bad(
                "--copy-out",
                text,
                "the path in the container must be absolute",
            ));
        }
        Ok(Copy {
            from: PathBuf::from(from),
            to: cwd.join(to),
        })
    });
    Ok(Copies {
        into: into.collect::<Result<_>>()?,
        out: out.collect::<Result<_>>()?,
        out_on: match args.copy_out_on.as_deref() {
            None | Some("always") => CopyOutOn::Always,
            Some("success") => CopyOutOn::Success,
            Some(text) => return Err(bad("--copy-out-on", text, "use always or success")),
        },
    })
}

fn split<'a>(flag: &str, text: &'a str, at: Option<usize>) -> Result<(&'a str, &'a str)> {
    let parts = at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    parts
        .filter(|(from, to)| !from.is_empty() && !to.is_empty())
        .ok_or_else(|| {
            bad(
                flag,
                text,
                "use SRC:DST, the path in the container absolute",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(into: &[&str], out: &[&str]) -> Result<Copies> {
        let text = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let args = CopyArgs {
            copy_in: text(into),
            copy_out: text(out),
            copy_out_on: None,
        };
        copies(&args, Path::new("/work"))
    }

    #[test]
    fn host_paths_are_absolute_and_may_hold_colons() {
        let copies = of(&["a:b/.:/in"], &["/out:x:y"]).unwrap();
        assert_eq!(copies.into[0].from.to_str(), Some("/work/a:b/."));
        assert_eq!(copies.into[0].to.to_str(), Some("/in"));
        assert_eq!(copies.out[0].to.to_str(), Some("/work/x:y"));
    }

    #[test]
    fn half_a_copy_is_refused() {
        for bad in ["", ":", "a", "a:", ":/b", "a:b"] {
            assert!(of(&[bad], &[]).is_err(), "{bad}");
        }
        for bad in ["", ":", "/a", "/a:", ":b", "a:b"] {
            assert!(of(&[], &[bad]).is_err(), "{bad}");
        }
    }
}
