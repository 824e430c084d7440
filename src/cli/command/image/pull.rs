//! `pull`.

use crate::cli::args::RegistryArgs;
use crate::cli::command::Execute;
use crate::cli::convert;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Ui as _};
use crate::engine::Engine;
use crate::engine::image::pull::{self, PullRequest};

/// Download an image from a registry
#[derive(clap::Parser, Debug)]
pub(crate) struct Pull {
    #[command(flatten)]
    registry: RegistryArgs,

    /// Images to pull, such as debian:bookworm
    #[arg(required = true, value_name = "NAME[:TAG|@DIGEST]")]
    images: Vec<String>,
}

impl Execute for Pull {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let platform = session.platform(self.registry.platform().as_deref())?;
        let progress = Progress::new(self.registry.quiet, false);
        let engine = Engine::open(&session.environment, &progress)?;
        for image in self.images {
            let request = PullRequest {
                image,
                platform: platform.clone(),
                registry: convert::registry(&self.registry)?,
            };
            let pulled = pull::pull(&engine, &request)?;
            progress.note(&format!("Digest: {}", pulled.digest));
            let what = match pulled.changed {
                true => "Downloaded newer image for",
                false => "Image is up to date for",
            };
            progress.note(&format!(
                "Status: {what} {}",
                super::shown(session.personality, &pulled.name)
            ));
            let line = match session.personality {
                Personality::Docker => pulled.name,
                Personality::Podman => pulled.id.hex(),
            };
            session.data(&format!("{line}\n"))?;
        }
        Ok(ExitStatus::Code(0))
    }
}
