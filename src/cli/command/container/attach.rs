//! `attach`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::supervisor::{self, DetachKeys, Viewer, Wanted};

/// Attach local standard input, output, and error streams to a running container
#[derive(clap::Parser, Debug)]
pub(crate) struct Attach {
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,

    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,

    /// Proxy received signals to the process
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    sig_proxy: Option<bool>,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Container by name or ID
    #[arg(value_name = "CONTAINER")]
    container: Option<String>,
}

impl Execute for Attach {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let viewer = Viewer {
            wanted: Wanted {
                stdin: !self.no_stdin,
                stdout: true,
                stderr: true,
            },
            sig_proxy: self.sig_proxy.unwrap_or(true),
            keys: DetachKeys::of_flag(self.detach_keys.as_deref())?,
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let name = match (self.container, self.latest) {
            (Some(name), false) => name,
            (None, true) => super::logs::latest(&engine)?,
            _ => {
                return Err(
                    Error::usage("attach", "", "name one container, or use --latest").into(),
                );
            }
        };
        let ended = supervisor::attach(&engine, &name, viewer)?;
        Ok(ended.unwrap_or(ExitStatus::Code(0)))
    }
}
