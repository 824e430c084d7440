//! `boot`.

use crate::boot::{self, Means, Standing};
use crate::cli::command::Execute;
use crate::cli::error_report::say;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Result};
use crate::engine::Engine;

/// Start the containers whose restart policy asks for it, as after a start of the machine
#[derive(clap::Parser, Debug)]
pub(crate) struct Boot {
    /// Let the machine do so whenever it starts
    #[arg(long, group = "what")]
    enable: bool,

    /// Let it no more
    #[arg(long, group = "what")]
    disable: bool,

    /// Say whether it does
    #[arg(long, group = "what")]
    status: bool,

    /// What does it: systemd or cron (default: systemd where it runs)
    #[arg(long, value_name = "MEANS")]
    with: Option<String>,
}

impl Execute for Boot {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let means = self.means()?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let standing = if self.enable {
            boot::enable(&engine, &session.environment, means)?
        } else if self.disable {
            boot::disable(&engine, &session.environment)?;
            boot::standing(&engine)?
        } else if self.status {
            boot::standing(&engine)?
        } else {
            return start(&engine, session);
        };
        tell(session, &standing)?;
        Ok(match self.status && standing.place.is_none() {
            true => ExitStatus::Code(1),
            false => ExitStatus::Code(0),
        })
    }
}

impl Boot {
    fn means(&self) -> Result<Option<Means>> {
        if self.with.is_some() && !self.enable {
            return Err(Error::usage("boot", "--with", "needs --enable too"));
        }
        match self.with.as_deref() {
            None => Ok(None),
            Some("systemd") => Ok(Some(Means::Systemd)),
            Some("cron") => Ok(Some(Means::Cron)),
            Some(other) => Err(parse::bad("--with", other, "use systemd or cron")),
        }
    }
}

fn start(engine: &Engine<'_>, session: &Session) -> anyhow::Result<ExitStatus> {
    let mut status = ExitStatus::Code(0);
    for begun in boot::start(engine)? {
        match begun.outcome {
            Ok(()) => session.data(&format!("{}\n", begun.name))?,
            Err(error) => {
                session.report(&error.context(format!("start container {}", begun.name)));
                status = session.personality.failure();
            }
        }
    }
    Ok(status)
}

fn tell(session: &Session, standing: &Standing) -> anyhow::Result<()> {
    let line = match &standing.place {
        Some(place) => format!("enabled: {place}\n"),
        None => "disabled\n".to_owned(),
    };
    session.data(&line)?;
    if let Some(advice) = &standing.advice {
        say(&format!("ketch: {advice}\n"));
    }
    Ok(())
}
