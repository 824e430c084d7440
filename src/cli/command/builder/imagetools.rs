//! `buildx imagetools inspect`.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::cli::args::{FormatArgs, RegistryArgs};
use crate::cli::command::Execute;
use crate::cli::convert;
use crate::cli::output::document;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::image::remote::{self, Remote};

/// Show details of an image in the registry
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    registry: RegistryArgs,

    #[command(flatten)]
    format: FormatArgs,

    /// Show original, unformatted JSON manifest
    #[arg(long)]
    raw: bool,

    /// Name of the image
    #[arg(value_name = "NAME")]
    name: String,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        let progress = Progress::new(true, false);
        let engine = Engine::open(&session.environment, &progress)?;
        let registry = convert::registry(&self.registry)?;
        let found = remote::inspect(&engine, &self.name, &registry)?;
        if self.raw {
            // As served, byte for byte: its digest is what people compare.
            let mut out = std::io::stdout().lock();
            out.write_all(&found.bytes)?;
            out.flush()?;
            return Ok(ExitStatus::Code(0));
        }
        let shape = shape(&found);
        let text = || text(&found);
        session.data(&document(
            session.personality,
            &format,
            "image",
            &shape,
            text,
        )?)?;
        Ok(ExitStatus::Code(0))
    }
}

fn shape(found: &Remote) -> Value {
    let served: Value = serde_json::from_slice(&found.bytes).unwrap_or_default();
    let mut manifest = json!({
        "schemaVersion": served["schemaVersion"],
        "mediaType": found.media_type,
        "digest": found.digest,
        "size": found.bytes.len(),
    });
    if !found.manifests.is_empty() {
        manifest["manifests"] = served["manifests"].clone();
    }
    json!({ "name": found.name, "Name": found.name, "manifest": manifest, "Manifest": manifest })
}

fn text(found: &Remote) -> String {
    let mut text = format!(
        "Name:      {}\nMediaType: {}\nDigest:    {}\n",
        found.name, found.media_type, found.digest
    );
    if found.manifests.is_empty() {
        return text;
    }
    let repository = found.name.split('@').next().unwrap_or(&found.name);
    text.push_str("           \nManifests: \n");
    for (index, entry) in found.manifests.iter().enumerate() {
        if index > 0 {
            text.push_str("             \n");
        }
        text.push_str(&format!(
            "  Name:        {repository}@{}\n  MediaType:   {}\n",
            entry.digest, entry.media_type
        ));
        if let Some(platform) = &entry.platform {
            text.push_str(&format!("  Platform:    {platform}\n"));
        }
        if let Some(notes) = entry.annotations.as_ref().filter(|notes| !notes.is_empty()) {
            text.push_str("  Annotations: \n");
            let width = notes.keys().map(String::len).max().unwrap_or_default() + 2;
            for (key, value) in notes {
                let key = format!("{key}:");
                text.push_str(&format!("    {key:width$}{value}\n"));
            }
        }
    }
    text
}
