//! `push`.

use std::path::PathBuf;

use crate::cli::args::RegistryArgs;
use crate::cli::command::Execute;
use crate::cli::convert;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::image::push::{self, PushRequest};
use crate::reference::Reference;

/// Upload an image to a registry
#[derive(clap::Parser, Debug)]
pub(crate) struct Push {
    #[command(flatten)]
    registry: RegistryArgs,

    /// Push all tags of the image that are here
    #[arg(short, long)]
    all_tags: bool,

    /// Write the digest of what was pushed to this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    digestfile: Option<PathBuf>,

    /// Image to push
    #[arg(value_name = "NAME[:TAG]")]
    image: String,

    /// Where it goes, when that is not its name
    #[arg(value_name = "DESTINATION", conflicts_with = "all_tags")]
    destination: Option<String>,
}

impl Execute for Push {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let platform = match self.registry.platform().as_deref() {
            Some(text) => session.platform(Some(text))?,
            None => None,
        };
        if let Some(destination) = &self.destination {
            refuse_transport(destination)?;
        }
        let progress = Progress::new(self.registry.quiet, false);
        let engine = Engine::open(&session.environment, &progress)?;
        let images = match self.all_tags {
            true => push::all_tags(&engine, &self.image)?,
            false => vec![self.image.clone()],
        };
        let quiet = self.registry.quiet;
        for image in images {
            let request = PushRequest {
                image,
                destination: self.destination.clone(),
                platform: platform.clone(),
                by_digest: false,
                registry: convert::registry(&self.registry)?,
            };
            let pushed = push::push(&engine, &request)?;
            if let Some(path) = &self.digestfile {
                std::fs::write(path, pushed.digest.to_string())
                    .map_err(|error| Error::io("write", path, error))?;
            }
            match session.personality {
                Personality::Docker if !quiet => session.data(&format!(
                    "{}: digest: {} size: {}\n",
                    pushed.tag, pushed.digest, pushed.size
                ))?,
                Personality::Docker if !self.all_tags => {
                    session.data(&format!("{}\n", pushed.name))?;
                }
                _ => {}
            }
        }
        if quiet && self.all_tags && session.personality == Personality::Docker {
            let name = Reference::parse(&self.image)?.repository();
            session.data(&format!("{name}\n"))?;
        }
        Ok(ExitStatus::Code(0))
    }
}

/// podman's other destinations are files; `save` makes those.
fn refuse_transport(destination: &str) -> anyhow::Result<()> {
    let transports = [
        "dir:",
        "oci:",
        "oci-archive:",
        "docker-archive:",
        "docker-daemon:",
        "containers-storage:",
    ];
    match transports.iter().any(|name| destination.starts_with(name)) {
        true => {
            let why = "only registries are pushed to";
            let error = Error::usage("push", destination, why);
            Err(error
                .hint("ketch save writes archives and directories")
                .into())
        }
        false => Ok(()),
    }
}
