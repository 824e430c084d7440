//! Git repositories, by the `git` of this machine: `url#ref:directory`.
//!
//! No reference or address can become an option, no local or external transport is taken
//! (protocol.file, protocol.ext), nothing of a repository runs, and submodules are left alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use super::{folder, stage};
use crate::build::secret::Logins;
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::settings::Secret;
use crate::sys::tree::remove_tree;

/// A place in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::build) struct Reference {
    /// Address of the repository.
    pub(super) remote: String,
    /// Branch, tag or commit; the default branch without.
    pub(super) name: Option<String>,
    /// Directory below the top.
    pub(in crate::build) subdir: String,
}

/// Files of a commit.
#[derive(Debug)]
pub(in crate::build) struct Checkout {
    /// Where they are.
    pub(in crate::build) path: PathBuf,
    /// The commit.
    pub(super) commit: String,
}

/// Where a repository is, and what `Authorization` says there.
#[derive(Clone, Copy)]
struct Remote<'a> {
    address: &'a str,
    login: Option<&'a Secret>,
}

impl Reference {
    /// Reads `url#ref:directory` or `url?branch=…&subdir=…`; `None` for what is no repository: an
    /// address on the web is one when its path ends in `.git`.
    pub(in crate::build) fn parse(source: &str) -> Option<Reference> {
        let (address, fragment) = match source.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment)),
            None => (source, None),
        };
        let (remote, query) = match address.split_once('?') {
            Some((remote, query)) => (remote, Some(query)),
            None => (address, None),
        };
        let web = remote.starts_with("http://") || remote.starts_with("https://");
        let other = ["git://", "ssh://", "git@"];
        let known = match web {
            true => remote.trim_end_matches('/').ends_with(".git"),
            false => other.iter().any(|start| remote.starts_with(start)),
        };
        let mut found = Reference {
            remote: remote.to_owned(),
            name: None,
            subdir: String::new(),
        };
        if let Some(fragment) = fragment {
            let (name, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
            found.name = Some(name.to_owned());
            found.subdir = subdir.to_owned();
        }
        for (key, value) in query
            .into_iter()
            .flat_map(|query| query.split('&').filter_map(|pair| pair.split_once('=')))
        {
            match key {
                "ref" | "branch" | "tag" | "commit" | "checksum" => {
                    found.name = Some(value.to_owned());
                }
                "subdir" => found.subdir = value.to_owned(),
                _ => return None,
            }
        }
        found.name = found.name.filter(|name| !name.is_empty());
        found.subdir = found.subdir.trim_matches('/').to_owned();
        known.then_some(found)
    }

    fn check(&self) -> Result<()> {
        let name = self.name.as_deref().unwrap_or_default();
        let odd = |text: &str| text.starts_with('-') || text.contains(|c: char| c.is_control());
        if odd(name) || odd(&self.remote) || name.contains("..") || name.contains(':') {
            return Err(Error::usage("use git reference", name, "not the name of a commit").into());
        }
        if self.subdir.split('/').any(|part| part == "..") {
            return Err(Error::usage("use git directory", &self.subdir, "it leads out").into());
        }
        Ok(())
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Fetches the files of a commit, unless they are here; with `keep`, its `.git` as well.
/// `checksum` is the commit, or the beginning of it.
///
/// # Errors
/// `Unsupported` without git; `Network` with git's own words; `Corrupt` for another commit.
pub(in crate::build) fn checkout(
    engine: &Engine<'_>,
    logins: Logins<'_>,
    reference: &Reference,
    keep: bool,
    checksum: Option<&str>,
) -> Result<Checkout> {
    reference.check()?;
    let all = folder(engine)?;
    let login = logins.git(&reference.remote)?;
    let remote = Remote {
        address: &reference.remote,
        login: login.as_ref(),
    };
    let commit = match &reference.name {
        Some(name) if is_commit(name) => name.to_ascii_lowercase(),
        name => remote_commit(remote, name.as_deref())?,
    };
    if let Some(wanted) = checksum
        && !(wanted.len() >= 7 && commit.starts_with(&wanted.to_ascii_lowercase()))
    {
        return Err(Error::new(Kind::Corrupt, "add", &reference.remote)
            .because(format!("expected checksum to match {wanted}, got {commit}"))
            .into());
    }
    let id = format!("{}\n{commit}\n{keep}", reference.remote);
    let target = all.join(format!("git-{}", Digest::of(id.as_bytes()).hex()));
    if !target.is_dir() {
        let fill = |staged: &Path| fetch(staged, remote, &commit, keep);
        stage(engine, fill, |()| target.clone())?;
    }
    // Its last use.
    let _ = crate::sys::file::touch(&target);
    Ok(Checkout {
        path: target,
        commit,
    })
}

/// The commit that a name stands for now.
fn remote_commit(remote: Remote<'_>, name: Option<&str>) -> Result<String> {
    let name = name.unwrap_or("HEAD");
    let listed = git(None, &["ls-remote", "--", remote.address, name], remote)?;
    let lines: Vec<(&str, &str)> = listed.lines().filter_map(|l| l.split_once('\t')).collect();
    let peeled = format!("refs/tags/{name}^{{}}");
    let names = [
        name.to_owned(),
        format!("refs/heads/{name}"),
        peeled,
        format!("refs/tags/{name}"),
    ];
    let found = names.iter().find_map(|wanted| {
        let line = lines.iter().find(|(_, name)| name == wanted)?;
        is_commit(line.0).then(|| line.0.to_owned())
    });
    found.ok_or_else(|| {
        Error::new(Kind::NotFound, "find in repository", name)
            .because(format!("{} has no such branch or tag", remote.address))
            .into()
    })
}

fn fetch(dir: &Path, remote: Remote<'_>, commit: &str, keep: bool) -> Result<()> {
    git(Some(dir), &["init", "--quiet"], remote)?;
    let shallow = [
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--",
        remote.address,
    ];
    let direct = git(Some(dir), &[&shallow[..], &[commit]].concat(), remote);
    if direct.is_err() {
        // A server may give commits by name only, or nothing shallow.
        let heads = "+refs/heads/*:refs/remotes/origin/*";
        let all = ["fetch", "--quiet", "--tags", "--", remote.address, heads];
        git(Some(dir), &all, remote)?;
    }
    git(
        Some(dir),
        &["checkout", "--quiet", "--detach", commit, "--"],
        remote,
    )?;
    if !keep {
        remove_tree(&dir.join(".git"))?;
    }
    Ok(())
}

/// Runs git and returns what it writes. It asks nobody for anything.
fn git(dir: Option<&Path>, args: &[&str], remote: Remote<'_>) -> Result<String> {
    let mut command = Command::new("git");
    let settings = [
        "protocol.file.allow=never",
        "protocol.ext.allow=never",
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "submodule.recurse=false",
        "init.defaultBranch=main",
        "advice.detachedHead=false",
    ];
    for setting in settings {
        command.args(["-c", setting]);
    }
    if let Some(dir) = dir {
        command.arg("-C").arg(dir);
    }
    command
        .args(args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null());
    if let Some(login) = remote.login {
        // Not among the words of the command, which everybody can read. git would take the header
        // along to where it is redirected.
        let settings = [
            (
                "http.extraHeader",
                format!("Authorization: {}", login.expose()),
            ),
            ("http.followRedirects", "false".to_owned()),
        ];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (at, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
    }
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Kind::Unsupported, "run", "git")
            .because("git is not installed")
            .hint("install git, or use an archive of the repository"),
        _ => Error::io("run", "git", error),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let last: String = last
        .unwrap_or("it failed")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    Err(
        Error::new(Kind::Network, "fetch repository", remote.address)
            .because(last)
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_other_addresses() {
        let parsed = |source: &str| {
            Reference::parse(source).map(|r| (r.remote, r.name.unwrap_or_default(), r.subdir))
        };
        let some = |remote: &str, name: &str, subdir: &str| {
            Some((remote.to_owned(), name.to_owned(), subdir.to_owned()))
        };
        for (source, wanted) in [
            ("https://x/a.git", some("https://x/a.git", "", "")),
            ("https://x/a.git#v1", some("https://x/a.git", "v1", "")),
            (
                "https://x/a.git#v1:d/e",
                some("https://x/a.git", "v1", "d/e"),
            ),
            ("https://x/a.git#:d", some("https://x/a.git", "", "d")),
            (
                "https://x/a.git?branch=b&subdir=d",
                some("https://x/a.git", "b", "d"),
            ),
            ("git@x:a.git#b", some("git@x:a.git", "b", "")),
            ("git://x/a", some("git://x/a", "", "")),
            ("ssh://git@x/a", some("ssh://git@x/a", "", "")),
            ("https://x/a.tar", None),
            ("a.git", None),
            ("./git", None),
        ] {
            assert_eq!(parsed(source), wanted, "{source}");
        }
        for bad in [
            "git://x/a#--upload-pack=x",
            "git://x/a#a..b",
            "git://x/a#m:../../etc",
        ] {
            assert!(Reference::parse(bad).unwrap().check().is_err(), "{bad}");
        }
    }
}
