//! `diff`.

use serde_json::{Map, Value};

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Format, json};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::{Change, Difference, diff};

/// Inspect changes to files or directories on a container's filesystem
///
/// A is added, C changed and D deleted. With podman's habits the name may be an image's, whose last
/// layer is then compared with those below it.
#[derive(clap::Parser, Debug)]
pub(crate) struct Diff {
    /// Change the output format (json)
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl Execute for Diff {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        show(
            session,
            &self.container,
            self.format.as_deref(),
            session.personality,
        )
    }
}

/// Prints the changes of what `name` is; images only where the habits are podman's.
pub(in crate::cli::command) fn show(
    session: &Session,
    name: &str,
    format: Option<&str>,
    habits: Personality,
) -> anyhow::Result<ExitStatus> {
    let format = Format::parse(format)?;
    if !matches!(format, Format::Json | Format::Text) {
        return Err(Error::usage("diff", "", "the only format is json").into());
    }
    let progress = Progress::default();
    let engine = Engine::open(&session.environment, &progress)?;
    let found = diff(&engine, name, habits == Personality::Podman)?;
    let text = match format {
        Format::Json => format!("{}\n", json::compact(&document(&found))),
        _ => lines(&found),
    };
    session.data(&text)?;
    Ok(ExitStatus::Code(0))
}

fn lines(found: &[Difference]) -> String {
    let letter = |change| match change {
        Change::Added => 'A',
        Change::Changed => 'C',
        Change::Deleted => 'D',
    };
    found
        .iter()
        .map(|found| format!("{} {}\n", letter(found.change), found.path.display()))
        .collect()
}

/// podman's document: one list for each kind of change that there is.
fn document(found: &[Difference]) -> Value {
    let mut document = Map::new();
    for (key, change) in [
        ("changed", Change::Changed),
        ("added", Change::Added),
        ("deleted", Change::Deleted),
    ] {
        let paths: Vec<Value> = found
            .iter()
            .filter(|found| found.change == change)
            .map(|found| found.path.display().to_string().into())
            .collect();
        if !paths.is_empty() {
            document.insert(key.to_owned(), paths.into());
        }
    }
    document.into()
}
