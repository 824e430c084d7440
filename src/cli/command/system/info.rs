//! `info`.

mod document;

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::output;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Mode, binary_size};
use crate::engine::Engine;
use crate::engine::container::{ContainerState, ContainerSummary, ListRequest, list};
use crate::engine::image;
use crate::host;

/// Display system-wide information
#[derive(clap::Parser, Debug)]
pub(crate) struct Info {
    #[command(flatten)]
    format: ShowArgs,

    /// For podman's scripts: there is no more to say
    #[arg(short = 'D', long, hide = true)]
    debug: bool,
}

impl Execute for Info {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let containers = list(
            &engine,
            ListRequest {
                all: true,
                size: false,
            },
        )?;
        let images = image::list::list(&engine.store, &image::list::Request::default())?;
        let facts = Facts {
            host: engine.host.info(),
            mode: engine.mode,
            distribution: engine.host.distribution(),
            root: engine.store.root().display().to_string(),
            containers,
            images: images.rows.len(),
            release: session.voice().release(),
        };
        let whole = document::document(&facts);
        session.data(&output::document(
            session.personality,
            &format,
            "info",
            &whole,
            || facts.text(),
        )?)?;
        Ok(ExitStatus::Code(0))
    }
}

struct Facts {
    host: host::Info,
    mode: Mode,
    distribution: Vec<String>,
    root: String,
    containers: Vec<ContainerSummary>,
    images: usize,
    /// Of whoever's words are spoken.
    release: &'static str,
}

impl Facts {
    fn count(&self, state: ContainerState) -> usize {
        self.containers
            .iter()
            .filter(|one| one.state == state)
            .count()
    }

    fn stopped(&self) -> usize {
        let paused = self.count(ContainerState::Paused);
        self.containers.len() - self.count(ContainerState::Running) - paused
    }

    fn text(&self) -> String {
        let host = &self.host;
        let cgroup = match host.cgroup_version {
            "" => "none".to_owned(),
            version => version.to_owned(),
        };
        let lines = [
            ("  Running", self.count(ContainerState::Running).to_string()),
            ("  Paused", self.count(ContainerState::Paused).to_string()),
            ("  Stopped", self.stopped().to_string()),
            (" Images", self.images.to_string()),
            (" Server Version", self.release.to_owned()),
            (" Storage Driver", "overlay".to_owned()),
            (" Logging Driver", "json-file".to_owned()),
            (" Identity Mode", self.mode.to_string()),
            (" Cgroup Driver", host.cgroup_driver.to_owned()),
            (" Cgroup Version", cgroup),
            (" Security Options", security(&host.security_options)),
            (" Kernel Version", host.kernel.clone()),
            (" Operating System", host.operating_system.clone()),
            (" OSType", "linux".to_owned()),
            (" Architecture", host.architecture.clone()),
            (" CPUs", host.cpus.to_string()),
            (" Total Memory", binary_size(host.memory)),
            (" Name", host.hostname.clone()),
            (" Docker Root Dir", self.root.clone()),
        ];
        let mut text = format!(
            "Client:\n Version: {}\n Context: default\n Debug Mode: false\n\nServer:\n",
            self.release
        );
        text += &format!(" Containers: {}\n", self.containers.len());
        text.extend(lines.map(|(name, value)| format!("{name}: {value}\n")));
        text
    }
}

/// docker's nested list of `name=…,key=value` options.
fn security(options: &[String]) -> String {
    let mut text = String::new();
    for option in options {
        for (at, part) in option.split(',').enumerate() {
            let (key, value) = part.split_once('=').unwrap_or(("", part));
            text += &match (at, key) {
                (0, _) => format!("\n  {value}"),
                (_, "profile") => format!("\n   Profile: {value}"),
                _ => format!("\n   {key}: {value}"),
            };
        }
    }
    text
}
