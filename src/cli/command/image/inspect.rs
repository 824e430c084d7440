//! `image inspect`.

use serde_json::Value;

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::output::{self, Format, json as form};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::image::inspect;
use crate::reference::Reference;

/// Display detailed information on one or more images
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Images by name, ID or digest
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        show(session, &format, &self.images, |image| {
            document(&engine, session.personality, image)
        })
    }
}

/// The document of one image, in the personality's spelling: podman's ids are bare and its names
/// whole.
pub(in crate::cli::command) fn document(
    engine: &Engine<'_>,
    personality: Personality,
    image: &str,
) -> anyhow::Result<Value> {
    let mut document = inspect::inspect(&engine.store, image)?;
    if personality == Personality::Podman {
        if let Some(Value::String(id)) = document.get_mut("Id")
            && let Some(bare) = id.strip_prefix("sha256:")
        {
            *id = bare.to_owned();
        }
        for key in ["RepoTags", "RepoDigests"] {
            for name in document[key].as_array_mut().into_iter().flatten() {
                if let Some(whole) = name.as_str().and_then(|name| Reference::parse(name).ok()) {
                    *name = Value::String(whole.to_string());
                }
            }
        }
    }
    Ok(document)
}

/// Prints the array of what could be inspected, then the errors of what could not, as docker
/// does: `[]` when nothing was found.
pub(in crate::cli::command) fn show(
    session: &Session,
    format: &Format,
    names: &[String],
    inspect: impl Fn(&str) -> anyhow::Result<Value>,
) -> anyhow::Result<ExitStatus> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match inspect(name) {
            Ok(document) => found.push(document),
            Err(error) => failures.push(error),
        }
    }
    let personality = session.personality;
    let text = match format {
        Format::Text => form::pretty(&Value::Array(found)),
        Format::Json => {
            let all = Value::Array(found);
            output::document(personality, format, "object", &all, String::new)?
        }
        Format::Template(_) | Format::Table(_) => {
            let mut text = String::new();
            for one in &found {
                match output::document(personality, format, "object", one, String::new) {
                    Ok(part) => text.push_str(&part),
                    Err(error) => failures.push(error.into()),
                }
            }
            text
        }
    };
    session.data(&text)?;
    for error in &failures {
        session.report(error);
    }
    Ok(match failures.is_empty() {
        true => ExitStatus::Code(0),
        false => session.personality.failure(),
    })
}
