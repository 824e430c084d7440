//! `run`.

use std::time::Duration;

use crate::cli::args::{
    ContainerArgs, HealthArgs, MountArgs, NetworkArgs, ProcessArgs, RegistryArgs, ResourceArgs,
    SecurityArgs,
};
use crate::cli::command::Execute;
use crate::cli::convert::{self, Surroundings};
use crate::cli::error_report::say;
use crate::cli::hello;
use crate::cli::output::{progress::Progress, terminal};
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind, Result, Ui, check_name, strictly};
use crate::engine::Engine;
use crate::engine::container::{self, PullPolicy, RunRequest};
use crate::spec::config::{Config, Stdio};

/// Create and run a new container from an image
#[derive(clap::Parser, Debug, Default)]
#[command(
    disable_help_flag = true,
    override_usage = "ketch run [OPTIONS] IMAGE [COMMAND] [ARG...]"
)]
pub(crate) struct Run {
    #[command(flatten)]
    container: ContainerArgs,

    #[command(flatten)]
    health: HealthArgs,

    #[command(flatten)]
    process: ProcessArgs,

    #[command(flatten)]
    mounts: MountArgs,

    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    resources: ResourceArgs,

    #[command(flatten)]
    security: SecurityArgs,

    #[command(flatten)]
    registry: RegistryArgs,

    /// Pull image before running: missing, always, never or newer
    #[arg(long, value_name = "POLICY")]
    pull: Option<String>,

    /// Fail when something asked for cannot be given
    #[arg(long)]
    strict: bool,

    /// Say on stderr how long each phase took
    #[arg(long)]
    timing: bool,

    /// Print usage
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    /// Image to run, then the command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "IMAGE")]
    words: Vec<String>,
}

impl Execute for Run {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut request = self.request(session)?;
        if request.image == hello::IMAGE {
            request
                .config
                .process
                .env
                .extend(hello::facts(session.began.elapsed()));
        }
        if let Some(refusal) = terminal_refusal(request.config.process.stdio, session.personality) {
            session.report(&refusal.into());
            return Ok(ExitStatus::Code(1));
        }
        let progress = Progress::new(self.registry.quiet, self.strict);
        if self.process.tty && !terminal::input() && session.personality == Personality::Podman {
            progress.warn("the input device is not a TTY, lines will end in CR LF; leave out -t");
        }
        let engine = Engine::open(&session.environment, &progress)?;
        let outcome = container::run(&engine, &request)?;
        if self.timing {
            say(&timing(&outcome.timing, session.began.elapsed()));
        }
        match progress.refused() {
            Some(line) => Err(strictly(line).into()),
            None => Ok(outcome.status),
        }
    }
}

impl Run {
    /// The engine's request; every flag is checked before anything is done.
    fn request(&self, session: &Session) -> Result<RunRequest> {
        let (image, words) = match self.words.split_first() {
            Some((image, words)) => (image.clone(), words),
            None => return Err(Error::usage("run", "", "the image is missing")),
        };
        if let Some(name) = &self.container.name {
            check_name(name)?;
        }
        Ok(RunRequest {
            image: match self.mounts.rootfs {
                true => parse::path::directory("--rootfs", &image, &session.place())?,
                false => image,
            },
            rootfs: self.mounts.rootfs,
            name: self.container.name.clone(),
            remove: self.container.rm,
            cidfile: self
                .container
                .cidfile
                .as_deref()
                .map(|path| session.absolute(path)),
            pull: policy(self.pull.as_deref().unwrap_or("missing"))?,
            platform: session.platform(self.registry.platform.as_deref())?,
            registry: convert::registry(&self.registry),
            config: self.config(words, session)?,
            sig_proxy: self.container.sig_proxy.unwrap_or(true),
        })
    }

    fn config(&self, words: &[String], session: &Session) -> Result<Config> {
        let around = Surroundings {
            place: session.place(),
            caller: &session.environment,
        };
        let network = convert::network(&self.network)?;
        let named = self
            .process
            .hostname
            .as_ref()
            .is_some_and(|name| !name.is_empty());
        let stop_signal = self.container.stop_signal.as_deref();
        let mut config = Config {
            process: convert::process(&self.process, words, stop_signal, &around)?,
            resources: convert::resources(&self.resources)?,
            security: convert::security(&self.security, &network, named, &around.place)?,
            network,
            ..Config::default()
        };
        convert::mounts(&self.mounts, &around.place, &mut config)?;
        convert::container(&self.container, &mut config)?;
        config.lifecycle.health = convert::health(&self.health, session.personality)?;
        Ok(config)
    }
}

fn policy(text: &str) -> Result<PullPolicy> {
    match text {
        "missing" | "" => Ok(PullPolicy::Missing),
        "always" => Ok(PullPolicy::Always),
        "never" => Ok(PullPolicy::Never),
        "newer" => Ok(PullPolicy::Newer),
        _ => Err(parse::bad(
            "--pull",
            text,
            "use missing, always, never or newer",
        )),
    }
}

/// docker: `-i` and `-t` with a stdin that is no terminal.
pub(super) fn terminal_refusal(stdio: Stdio, personality: Personality) -> Option<Error> {
    let refused =
        stdio.interactive && stdio.tty && personality == Personality::Docker && !terminal::input();
    refused.then(|| {
        Error::new(
            Kind::Usage,
            "cannot attach stdin to a TTY-enabled container",
            "",
        )
        .because("stdin is not a terminal".to_owned())
        .hint("use -i without -t for a pipe")
    })
}

fn timing(phases: &[(&'static str, Duration)], total: Duration) -> String {
    let line = |name: &str, took: Duration| {
        format!(
            "ketch: {name:<12} {:>9.3} ms\n",
            took.as_secs_f64() * 1000.0
        )
    };
    let mut text: String = phases
        .iter()
        .map(|(name, took)| line(name, *took))
        .collect();
    text.push_str(&line("total", total));
    text
}
