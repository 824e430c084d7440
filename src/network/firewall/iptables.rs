//! Runs iptables(8) and ip6tables(8).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Find;
use crate::common::{Error, Kind, Result};

/// The program of a family of addresses.
#[derive(Debug, Clone)]
pub(super) struct Iptables {
    program: PathBuf,
    restore: PathBuf,
    save: PathBuf,
    /// It is the one of IPv6.
    pub(super) six: bool,
}

impl Iptables {
    /// The program of a family; `None` when it is not there.
    pub(super) fn find(six: bool, find: Find<'_>) -> Option<Iptables> {
        let name = if six { "ip6tables" } else { "iptables" };
        Some(Iptables {
            program: find(name)?,
            restore: find(&format!("{name}-restore"))?,
            save: find(&format!("{name}-save"))?,
            six,
        })
    }

    /// Whether a command succeeds: for questions, and for changes that may be made already.
    pub(super) fn does(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new(&self.program);
        command
            .arg("-w")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Changes tables, each at once, by lines in the form of iptables-save(8).
    ///
    /// # Errors
    /// `Unsupported` with the program's words.
    pub(super) fn restore(&self, lines: &str) -> Result<()> {
        let failed = |error| Error::io("run", &self.restore, error);
        let mut child = Command::new(&self.restore)
            .args(["-w", "--noflush"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        // A program that ends early says why itself.
        if let Some(mut input) = child.stdin.take() {
            let _ = input.write_all(lines.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        Err(refused(&self.restore, &output.stderr))
    }

    /// Removes the rules of a table that are wanted, by whom `owner` says a line of
    /// iptables-save(8) is for: all at once, or none when one has gone meanwhile.
    pub(super) fn remove(
        &self,
        table: &str,
        owner: fn(&str) -> Option<&str>,
        is_wanted: &mut impl FnMut(&str) -> Result<bool>,
    ) -> Result<()> {
        let mut lines = String::new();
        for line in self.save(table)?.lines() {
            if let Some(owner) = owner(line)
                && is_wanted(owner)?
            {
                lines.push_str(&line.replacen("-A ", "-D ", 1));
                lines.push('\n');
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.restore(&format!("*{table}\n{lines}COMMIT\n"))
    }

    /// The rules of one table, as iptables-save(8) has them.
    pub(super) fn save(&self, table: &str) -> Result<String> {
        let output = Command::new(&self.save)
            .args(["-t", table])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Error::io("run", &self.save, error))?;
        if !output.status.success() {
            return Err(refused(&self.save, &output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn refused(program: &Path, said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let first = said.lines().next().unwrap_or_default().to_owned();
    Error::new(Kind::Unsupported, "run", program.display().to_string()).because(first)
}
