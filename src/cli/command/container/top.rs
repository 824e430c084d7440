//! `top`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse::ps;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::{TopRequest, top};

use super::logs::latest;

/// Display the running processes of a container
#[derive(clap::Parser, Debug)]
#[command(override_usage = "ketch top [OPTIONS] CONTAINER [PS OPTIONS | DESCRIPTOR...]")]
pub(crate) struct Top {
    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Container by name or ID, then options of ps, or the names of columns
    #[arg(trailing_var_arg = true, value_name = "CONTAINER")]
    words: Vec<String>,
}

impl Execute for Top {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut words = self.words;
        if !self.latest && words.is_empty() {
            return Err(Error::usage("top", "", "name a container, or use --latest").into());
        }
        let mut container = match self.latest {
            true => String::new(),
            false => words.remove(0),
        };
        let podman = session.personality == Personality::Podman;
        let columns = ps::columns(&words, podman)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if self.latest {
            container = latest(&engine)?;
        }
        let rows = top(&engine, &TopRequest { container, columns })?;
        // The tab writers of docker and podman: least width and room between columns.
        session.data(&match podman {
            true => aligned(&rows, 12, 2),
            false => aligned(&rows, 20, 3),
        })?;
        Ok(ExitStatus::Code(0))
    }
}

fn aligned(rows: &[Vec<String>], least: usize, room: usize) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        least.max(longest + room)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            match at + 1 == row.len() {
                true => text.push_str(cell),
                false => text.push_str(&format!("{cell:<width$}", width = widths[at])),
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_dockers() {
        let rows = [["PID", "COMMAND"], ["1", "a b"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            aligned(&rows, 20, 3),
            "PID                 COMMAND\n1                   a b\n"
        );
        assert_eq!(aligned(&rows, 1, 2), "PID  COMMAND\n1    a b\n");
    }
}
