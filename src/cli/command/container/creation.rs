//! What `run` and `create` have in common: the flags of a new container.

use crate::cdi;
use crate::cli::args::{
    ContainerArgs, CopyArgs, HealthArgs, LifecycleArgs, MountArgs, NetworkArgs, ProcessArgs,
    RegistryArgs, ResourceArgs, SecurityArgs,
};
use crate::cli::convert::{self, Surroundings};
use crate::cli::hello;
use crate::cli::output::{progress::Progress, terminal};
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, Kind, Result, Ui, bare_name, check_name};
use crate::engine::container::{PullPolicy, RestartPolicy, RunRequest};
use crate::spec::config::{Config, EnvEntry, Stdio};

/// Flags, image and command of a new container.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Creation {
    #[command(flatten)]
    pub(super) container: ContainerArgs,

    #[command(flatten)]
    pub(super) process: ProcessArgs,

    #[command(flatten)]
    mounts: MountArgs,

    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    resources: ResourceArgs,

    #[command(flatten)]
    security: SecurityArgs,

    #[command(flatten)]
    copies: CopyArgs,

    #[command(flatten)]
    lifecycle: LifecycleArgs,

    #[command(flatten)]
    health: HealthArgs,

    #[command(flatten)]
    registry: RegistryArgs,

    /// Pull image before running: missing, always, never or newer
    #[arg(long, value_name = "POLICY")]
    pull: Option<String>,

    /// No kernel has this limit any more
    #[arg(long, value_name = "BYTES", hide = true)]
    kernel_memory: Option<String>,

    /// Fail when something asked for cannot be given
    #[arg(long)]
    pub(super) strict: bool,

    /// Print usage
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,

    /// Image to run, then the command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "IMAGE")]
    words: Vec<String>,
}

impl Creation {
    /// Where warnings and progress go.
    pub(super) fn progress(&self) -> Progress {
        Progress::new(self.registry.quiet, self.strict)
    }

    /// Tells of flags that do nothing any more, in podman's words.
    pub(super) fn tell_of_noops(&self, ui: &dyn Ui) {
        if self.kernel_memory.is_some() {
            ui.warn("The --kernel-memory flag is no longer supported. This flag is a noop.");
        }
    }

    /// The engine's request; every flag is checked before anything is done.
    pub(super) fn request(&self, session: &Session) -> Result<RunRequest> {
        let mut request = self.checked(session)?;
        if request.image == hello::IMAGE {
            let env = &mut request.config.process.env;
            env.extend(hello::facts(session.began.elapsed()));
        }
        Ok(request)
    }

    fn checked(&self, session: &Session) -> Result<RunRequest> {
        let (image, words) = match self.words.split_first() {
            Some((image, words)) => (image.clone(), words),
            None => return Err(Error::usage("run", "", "the image is missing")),
        };
        let name = self.container.name.as_deref().map(bare_name);
        if let Some(name) = name {
            check_name(name)?;
        }
        if let Some(name) = &self.container.runtime {
            runtime(name)?;
        }
        if self.container.rmi && self.mounts.rootfs {
            let why = "--rmi and --rootfs cannot be set together: a directory is no image";
            return Err(Error::usage("run", "", why));
        }
        Ok(RunRequest {
            image: match self.mounts.rootfs {
                true => parse::path::directory("--rootfs", &image, &session.place())?,
                false => image,
            },
            rootfs: self.mounts.rootfs,
            name: name.map(str::to_owned),
            remove: self.container.rm || self.container.rmi,
            remove_image: self.container.rmi,
            replace: self.container.replace,
            cidfile: self
                .container
                .cidfile
                .as_deref()
                .map(|path| session.absolute(path)),
            pull: policy(self.pull.as_deref().unwrap_or("missing"))?,
            platform: session.platform(self.registry.platform().as_deref())?,
            registry: convert::registry(&self.registry)?,
            preserve: Vec::new(),
            config: self.config(words, session)?,
            command_line: session.words.clone(),
            sig_proxy: self.container.sig_proxy.unwrap_or(true),
        })
    }

    fn config(&self, words: &[String], session: &Session) -> Result<Config> {
        let around = Surroundings {
            place: session.place(),
            personality: session.personality,
            caller: &session.environment,
        };
        let named = self
            .process
            .hostname
            .as_ref()
            .is_some_and(|name| !name.is_empty());
        let network = convert::network(&self.network, named, &around.place, session.personality)?;
        let stop_signal = self.container.stop_signal.as_deref();
        let mut config = Config {
            process: convert::process(&self.process, words, stop_signal, &around)?,
            resources: convert::resources(&self.resources)?,
            security: convert::security(
                &self.security,
                &network,
                named,
                &around.place,
                session.personality,
            )?,
            network,
            ..Config::default()
        };
        if !config.security.cdi.is_empty() {
            config.security.cdi_dirs = session.environment.cdi_spec_dirs(&cdi::DIRECTORIES);
        }
        let asked = self.process.http_proxy;
        let proxies = convert::proxies(asked, session.personality, &session.environment)?;
        config.process.env.splice(0..0, proxies);
        if session.personality == Personality::Podman {
            config
                .process
                .env
                .insert(0, EnvEntry::set("container", "podman"));
        }
        for secret in &self.process.secret {
            config.secrets.push(parse::secret::parse(secret)?);
        }
        convert::mounts(&self.mounts, &around, &mut config)?;
        convert::container(&self.container, &mut config)?;
        config.copies = convert::copies(&self.copies, around.place.cwd)?;
        config.lifecycle =
            convert::lifecycle(&self.lifecycle, session.personality, around.place.cwd)?;
        config.lifecycle.health =
            convert::health(&self.health, session.personality, around.place.cwd)?;
        if (self.container.rm || self.container.rmi)
            && config.lifecycle.restart != RestartPolicy::No
        {
            let why = "conflicting options: cannot specify both --restart and --rm";
            return Err(Error::usage("run", "", why));
        }
        Ok(config)
    }
}

/// `--runtime`: what others call the runtime that every engine has means ketch's own.
fn runtime(name: &str) -> Result<()> {
    match name {
        "" | "ketch" | "runc" | "crun" | "io.containerd.runc.v2" => Ok(()),
        _ => Err(Error::new(Kind::Unsupported, "use --runtime", name)
            .because("ketch runs containers itself and starts no other runtime")
            .hint("leave it out, or name ketch, runc or crun, which all mean ketch's own")),
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

/// podman: `-t` with a stdin that is no terminal.
pub(super) fn terminal_warning(process: &ProcessArgs, personality: Personality, ui: &dyn Ui) {
    if process.tty && !terminal::input() && personality == Personality::Podman {
        ui.warn("the input device is not a TTY, lines will end in CR LF; leave out -t");
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
