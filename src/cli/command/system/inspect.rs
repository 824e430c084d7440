//! `inspect` of whatever has the name: a container first, then an image, a volume, a network,
//! as docker looks.

use crate::cli::args::ShowArgs;
use crate::cli::command::image::inspect::show;
use crate::cli::command::{Execute, container, network, volume};
use crate::cli::error_report;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;

/// Return low-level information on containers, images and networks
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Display total file sizes
    #[arg(short, long)]
    size: bool,

    /// Only inspect objects of this type: container, image, volume or network
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Containers, images and networks by name or ID
    #[arg(value_name = "NAME|ID")]
    names: Vec<String>,
}

impl Execute for Inspect {
    fn execute(mut self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let (containers, images) = match self.kind.as_deref() {
            None | Some("" | "all") => (true, true),
            Some("container") => (true, false),
            Some("image") => (false, true),
            // Tools ask for these by name.
            Some("volume" | "network") => (false, false),
            Some(other) => {
                return Err(
                    parse::bad("--type", other, "use container, image, volume or network").into(),
                );
            }
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        container::inspect::add_latest(&engine, self.latest, &mut self.names)?;
        let kind = self.kind.as_deref().unwrap_or("");
        show(session, &format, &self.names, |name| {
            if kind == "network" {
                return network::inspect::document(&engine, session.personality, name);
            }
            if kind == "volume" {
                return volume::inspect::document(&engine, session.personality, name);
            }
            if !containers && !images {
                let error = Error::new(Kind::NotFound, format!("inspect {kind}"), name);
                return Err(error.because(format!("no such {kind}")).into());
            }
            if containers {
                match container::inspect::document(&engine, session.personality, name, self.size) {
                    Err(error) if images && missing(&error) => {}
                    done => return done,
                }
            }
            match super::super::image::inspect::document(&engine, session.personality, name) {
                Err(error) if containers && missing(&error) => {
                    if let Ok(volume) =
                        volume::inspect::document(&engine, session.personality, name)
                    {
                        return Ok(volume);
                    }
                    let network = network::inspect::document(&engine, session.personality, name);
                    network.map_err(|error| match missing(&error) {
                        true => no_such(name),
                        false => error,
                    })
                }
                done => done,
            }
        })
    }
}

fn missing(error: &anyhow::Error) -> bool {
    // An image's name need not be a container's, and the other way round.
    matches!(
        error_report::kind(error),
        Some(Kind::NotFound | Kind::Usage)
    )
}

fn no_such(name: &str) -> anyhow::Error {
    let error = Error::new(Kind::NotFound, "inspect", name.to_owned());
    error
        .because("no such container or image".to_owned())
        .into()
}
