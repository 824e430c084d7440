//! `generate systemd`.

mod recorded;

use crate::boot::{self, Caller, Described, UnitRequest};
use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Result};
use crate::engine::Engine;

/// Generate a systemd unit file for a container
#[derive(clap::Parser, Debug)]
pub(crate) struct Systemd {
    /// Use the container's name instead of its ID
    #[arg(short, long)]
    name: bool,

    /// Make a new container at each start, instead of starting the one that is there
    #[arg(long)]
    new: bool,

    /// Write the unit file into the current directory and print its path
    #[arg(short, long)]
    files: bool,

    /// systemd's restart policy (default: the container's own, else on-failure)
    #[arg(long, value_name = "POLICY")]
    restart_policy: Option<String>,

    /// Seconds to wait before a restart
    #[arg(long, value_name = "SECONDS")]
    restart_sec: Option<String>,

    /// Seconds until a start has failed
    #[arg(long, value_name = "SECONDS")]
    start_timeout: Option<String>,

    /// Seconds between the stop signal and the kill (default: the container's own, else 10)
    #[arg(short = 't', long, alias = "time", value_name = "SECONDS")]
    stop_timeout: Option<String>,

    /// Prefix of the unit's name
    #[arg(long, value_name = "PREFIX", default_value = "container")]
    container_prefix: String,

    /// What stands between the prefix and the name
    #[arg(long, value_name = "SEPARATOR", default_value = "-")]
    separator: String,

    /// Set environment variables of the service
    #[arg(short, long, value_name = "KEY=VALUE")]
    env: Vec<String>,

    /// Add a weak dependency on other units
    #[arg(long, value_name = "UNIT")]
    wants: Vec<String>,

    /// Start after other units
    #[arg(long, value_name = "UNIT")]
    after: Vec<String>,

    /// Add a strong dependency on other units
    #[arg(long, value_name = "UNIT")]
    requires: Vec<String>,

    /// Leave the comment with name and version out
    #[arg(long)]
    no_header: bool,

    /// Make a template for several instances (with --new)
    #[arg(long)]
    template: bool,

    /// Container by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    container: String,
}

impl Execute for Systemd {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.template && !self.new {
            let why = "it needs --new: one container cannot be several";
            return Err(Error::usage("generate systemd", "--template", why).into());
        }
        let mut request = self.request()?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let container = boot::describe(&engine, &self.container)?;
        if self.new {
            request.fresh = Some(recorded::read(&container.command_line).map_err(|why| {
                let name = &container.name;
                Error::usage("generate systemd --new", name, why)
                    .hint("leave --new out for a unit that starts this container")
            })?);
        }
        let (name, text) = self.unit(&engine, session, &container, &request)?;
        if !self.files {
            session.data(&text)?;
            return Ok(ExitStatus::Code(0));
        }
        let path = session.absolute(std::path::Path::new(&name));
        std::fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
        session.data(&format!("{}\n", path.display()))?;
        Ok(ExitStatus::Code(0))
    }
}

impl Systemd {
    fn unit(
        &self,
        engine: &Engine<'_>,
        session: &Session,
        container: &Described,
        request: &UnitRequest,
    ) -> anyhow::Result<(String, String)> {
        let caller = Caller::of(&session.environment)?;
        boot::unit(engine, &caller, container, request)
    }

    fn request(&self) -> Result<UnitRequest> {
        let seconds = |flag: &str, text: &Option<String>| -> Result<Option<u64>> {
            let Some(text) = text else { return Ok(None) };
            let most = i64::from(i32::MAX);
            let number = parse::number::within(flag, text, 0..=most)?;
            Ok(u64::try_from(number).ok())
        };
        if let Some(pair) = self.env.iter().find(|pair| !pair.contains('=')) {
            return Err(parse::bad("--env", pair, "use KEY=VALUE"));
        }
        // podman takes several in one value.
        let list = |names: &[String]| -> Vec<String> {
            let names = names.iter().flat_map(|names| names.split(','));
            names.map(str::to_owned).collect()
        };
        Ok(UnitRequest {
            by_name: self.name,
            fresh: None,
            template: self.template,
            no_header: self.no_header,
            restart: self.restart_policy.clone(),
            restart_sec: seconds("--restart-sec", &self.restart_sec)?,
            start_timeout: seconds("--start-timeout", &self.start_timeout)?,
            stop_timeout: seconds("--stop-timeout", &self.stop_timeout)?
                .and_then(|time| i64::try_from(time).ok()),
            prefix: self.container_prefix.clone(),
            separator: self.separator.clone(),
            env: self.env.clone(),
            dependencies: vec![
                ("Wants", list(&self.wants)),
                ("After", list(&self.after)),
                ("Requires", list(&self.requires)),
            ],
        })
    }
}
