//! Man pages and completions, made from the clap definitions. The hidden command
//! `generate-docs` writes them; a test keeps the committed ones fresh.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::Shell;

use crate::cli::command::{Execute, VERBS};
use crate::cli::dispatch;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};

/// Write man pages and completions
#[derive(clap::Parser, Debug)]
#[command(hide = true)]
pub(crate) struct Generate {
    /// Directory for the man pages
    #[arg(long, value_name = "DIR")]
    man: Option<PathBuf>,

    /// Directory for the completions
    #[arg(long, value_name = "DIR")]
    completions: Option<PathBuf>,
}

impl Execute for Generate {
    fn execute(self, _session: &Session) -> anyhow::Result<ExitStatus> {
        if let Some(dir) = &self.man {
            write(dir, &pages()?)?;
        }
        if let Some(dir) = &self.completions {
            write(dir, &completions()?)?;
        }
        Ok(ExitStatus::Code(0))
    }
}

fn write(dir: &Path, files: &BTreeMap<String, String>) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).map_err(|error| Error::io("make directory", dir, error))?;
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
    }
    Ok(())
}

/// Every man page by file name: `ketch.1`, `ketch-run.1`, `ketch-system-df.1`, …
fn pages() -> anyhow::Result<BTreeMap<String, String>> {
    let mut tree = dispatch::tree(VERBS);
    tree.build();
    let mut pages = BTreeMap::new();
    page("ketch", &tree, &mut pages)?;
    Ok(pages)
}

fn page(name: &str, command: &Command, pages: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command.clone().display_name(name))
        .title(name.to_uppercase())
        .source(concat!("ketch ", env!("CARGO_PKG_VERSION")))
        // An empty date keeps the page the same whenever it is made.
        .date("")
        .manual("ketch manual")
        .render(&mut bytes)?;
    pages.insert(format!("{name}.1"), String::from_utf8(bytes)?);
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        page(&format!("{name}-{}", below.get_name()), below, pages)?;
    }
    Ok(())
}

/// Completion scripts by file name.
fn completions() -> anyhow::Result<BTreeMap<String, String>> {
    let shells = [
        ("ketch.bash", Shell::Bash),
        ("_ketch", Shell::Zsh),
        ("ketch.fish", Shell::Fish),
    ];
    shells
        .into_iter()
        .map(|(name, shell)| Ok((name.to_owned(), completion(shell)?)))
        .collect()
}

/// The completion script of one shell.
pub(crate) fn completion(shell: Shell) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut dispatch::tree(VERBS), "ketch", &mut bytes);
    Ok(String::from_utf8(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(folder: &str, wanted: &BTreeMap<String, String>) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        if std::env::var_os("KETCH_BLESS").is_some() {
            let _ = std::fs::remove_dir_all(&dir);
            write(&dir, wanted).unwrap();
        }
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            found.insert(name, std::fs::read_to_string(entry.path()).unwrap());
        }
        let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(wanted), "run with KETCH_BLESS=1");
        for (name, text) in wanted {
            assert!(
                found[name] == *text,
                "{folder}/{name} is stale: run with KETCH_BLESS=1"
            );
        }
    }

    #[test]
    fn committed_pages_and_completions_are_fresh() {
        same("man", &pages().unwrap());
        same("completions", &completions().unwrap());
    }

    #[test]
    fn hidden_commands_have_no_page() {
        let pages = pages().unwrap();
        assert!(pages.contains_key("ketch-run.1") && pages.contains_key("ketch-system-df.1"));
        assert!(!pages.contains_key("ketch-generate-docs.1"));
    }
}
