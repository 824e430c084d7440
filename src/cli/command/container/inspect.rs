//! `container inspect`.

use serde_json::{Value, json};

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::inspect::show;
use crate::cli::command::image::whole;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::container::{ListRequest, list};
use crate::engine::{Engine, container};

/// Display detailed information on one or more containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Display total file sizes
    #[arg(short, long)]
    size: bool,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Execute for Inspect {
    fn execute(mut self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        add_latest(&engine, self.latest, &mut self.containers)?;
        show(session, &format, &self.containers, |name| {
            document(&engine, session.personality, name, self.size)
        })
    }
}

/// With `--latest` the names are the one of the newest container.
///
/// # Errors
/// Names with it, none without it, or no container at all.
pub(in crate::cli::command) fn add_latest(
    engine: &Engine<'_>,
    latest: bool,
    names: &mut Vec<String>,
) -> anyhow::Result<()> {
    if latest != names.is_empty() {
        return Err(Error::usage("inspect", "", "give names, or use --latest").into());
    }
    if latest {
        let request = ListRequest {
            all: true,
            size: false,
        };
        match list(engine, request)?.first() {
            Some(row) => names.push(row.id.to_string()),
            None => {
                return Err(Error::usage("inspect --latest", "", "there is no container").into());
            }
        }
    }
    Ok(())
}

/// The document of one container, in the personality's spelling.
pub(in crate::cli::command) fn document(
    engine: &Engine<'_>,
    personality: Personality,
    name: &str,
    size: bool,
) -> anyhow::Result<Value> {
    let mut document = container::inspect(engine, name, size)?;
    if personality == Personality::Podman {
        for (key, prefix) in [("Name", "/"), ("Image", "sha256:")] {
            if let Some(Value::String(text)) = document.get_mut(key)
                && let Some(bare) = text.strip_prefix(prefix)
            {
                *text = bare.to_owned();
            }
        }
        if let Some(Value::String(image)) = document.get_mut("ImageName") {
            *image = whole(personality, image);
        }
        // docker's `NetworkMode: none` is the same there; the network itself is not listed.
        if document["HostConfig"]["NetworkMode"] == "none" {
            document["NetworkSettings"]["Networks"] = json!({});
        }
        let ports = document["NetworkSettings"]["Ports"].as_object_mut();
        for places in ports.into_iter().flat_map(|ports| ports.values_mut()) {
            show_once(places);
        }
        // Its own name for the default network; the mode is docker's word there, too.
        if let Some(networks) = document["NetworkSettings"]["Networks"].as_object_mut()
            && let Some(default) = networks.remove("bridge")
        {
            networks.insert("podman".to_owned(), default);
        }
    }
    Ok(document)
}

/// podman shows a port of every address once, docker once for each family.
fn show_once(places: &mut Value) {
    let Value::Array(places) = places else { return };
    let any = places.iter().filter(|place| place["HostIp"] == "0.0.0.0");
    let any: Vec<Value> = any.map(|place| place["HostPort"].clone()).collect();
    places.retain(|place| place["HostIp"] != "::" || !any.contains(&place["HostPort"]));
}
