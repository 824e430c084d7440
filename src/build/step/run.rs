//! `RUN`: a container that nobody lists, whose writable layer is the result.

use std::fs::File;
use std::io::PipeReader;
use std::os::fd::{AsFd, BorrowedFd};

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cache::{self, Cache};
use super::mount::{self, Snapshot};
use crate::build::config::words;
use crate::build::job::Answer;
use crate::build::key::Key;
use crate::build::request::Request;
use crate::build::solve::Solver;
use crate::build::stage::Step;
use crate::build::state::{PROXIES, Piece, State};
use crate::cdi;
use crate::common::{Error, ExitStatus, Kind};
use crate::dockerfile::{Run, Word};
use crate::engine::container::{Ground, RunFailure, StepRun, run_step, settle_network};
use crate::engine::worker::{self, Where, Worker};
use crate::engine::{Engine, identity};
use crate::oci::ContainerConfig;
use crate::runtime::SecretFile;
use crate::spec::config::{
    BindOptions, Config, Device, EnvEntry, Mount, MountKind, NetworkMode, Stdio,
};
use crate::store::StepWork;
use crate::sys::file;

/// BuildKit's name of the machine that commands run on.
const HOSTNAME: &str = "buildkitsandbox";

/// A command that can be looked up, and started.
pub(in crate::build) struct Prepared {
    /// Its key and its words.
    pub(in crate::build) step: Step,
    /// The command and what it gets.
    pub(in crate::build) config: Config,
    /// Its secret files.
    pub(in crate::build) secrets: Vec<SecretFile>,
    /// Cache directories that it needs.
    pub(in crate::build) caches: Vec<Cache>,
    /// Copies that it sees.
    pub(in crate::build) snapshots: Vec<Snapshot>,
    /// An executable file that it sees: its place and its content.
    pub(in crate::build) script: Option<(String, String)>,
    /// Places that are made for its mounts alone, deepest first.
    pub(in crate::build) fresh: Vec<PathBuf>,
    /// Layers that its mounts show.
    pub(in crate::build) pieces: Vec<Piece>,
}

/// Works out a command of a stage; `None` when it has to wait for another stage.
///
/// # Errors
/// `ExpandError` for a bad option, `Denied` for a right that was not allowed.
pub(in crate::build) fn prepare(
    solver: &mut Solver<'_>,
    index: usize,
    run: &Run,
) -> Result<Option<Prepared>> {
    let mut config = solver.request.config.clone();
    let state = solver.state(index)?;
    let words = words(state, &run.command);
    let env = state.environment();
    let mut key = Key::new("run");
    key.add("parent", [state.key.hex()]);
    key.add("command", &words);
    key.add(
        "environment",
        env.iter().map(|(name, value)| format!("{name}={value}")),
    );
    key.add("user", [&state.image.config.user]);
    key.add("directory", [state.workdir()]);
    key.add("platform", [state.platform.to_string()]);
    let text = state.command_text(&words);
    let mut env: Vec<EnvEntry> = env.into_iter().map(entry).collect();
    env.extend(proxies(solver.request, state).into_iter().map(entry));
    config.process.env = env;
    config.process.entrypoint = Some(Vec::new());
    config.process.args.clone_from(&words);
    config.process.user = Some(state.image.config.user.clone());
    config.process.workdir = Some(state.workdir().to_owned());
    config
        .process
        .hostname
        .get_or_insert_with(|| HOSTNAME.to_owned());
    let expanded = |word: &Option<Word>| word.as_ref().map(|word| state.expand(word)).transpose();
    let (network, security) = (expanded(&run.network)?, expanded(&run.security)?);
    choose_network(solver, &mut config, network.as_deref())?;
    choose_security(solver, &mut config, security.as_deref())?;
    devices(solver, index, run, &mut config, &mut key)?;
    key.add("network", [network.unwrap_or_default()]);
    key.add("security", [security.unwrap_or_default()]);
    let hosts = &solver.request.config.network.extra_hosts;
    key.add(
        "hosts",
        hosts.iter().map(|(name, ip)| format!("{name}={ip}")),
    );
    if let Some(script) = &run.script {
        key.add("script", [&script.path, &script.text]);
    }
    let Some(mounts) = mount::work_in(solver, index, &run.mounts, &mut config, &mut key)? else {
        return Ok(None);
    };
    let fresh = made_for(solver, index, &mounts.targets)?;
    let script = run.script.as_ref();
    let script = script.map(|script| (script.path.clone(), script.text.clone()));
    Ok(Some(Prepared {
        step: Step {
            key: key.finish(),
            command: words.join(" "),
            history: format!("RUN {text} # buildkit"),
        },
        config,
        secrets: mounts.secrets,
        caches: mounts.caches,
        snapshots: mounts.snapshots,
        script,
        fresh,
        pieces: mounts.pieces,
    }))
}

/// `--device=PATH[,required]`: devices of this command alone.
fn devices(
    solver: &Solver<'_>,
    index: usize,
    run: &Run,
    config: &mut Config,
    key: &mut Key,
) -> Result<()> {
    for word in &run.devices {
        let text = solver.state(index)?.expand(word)?;
        allowed(solver, "device")?;
        let (name, rest) = text.split_once(',').unwrap_or((&text, ""));
        let name = name.strip_prefix("name=").unwrap_or(name);
        if !matches!(rest, "" | "required" | "required=true" | "required=false") {
            let why = "only required can follow the device";
            return Err(Error::usage("use RUN --device", &text, why).into());
        }
        let is_name = cdi::is_name(name);
        if !name.starts_with('/') && !is_name {
            let why = "use a path, or a CDI name such as vendor.com/class=name";
            return Err(Error::usage("use RUN --device", &text, why).into());
        }
        let required = rest.starts_with("required") && rest != "required=false";
        let there = match is_name {
            true => cdi::resolve(&[name.to_owned()], &config.security.cdi_dirs).is_ok(),
            false => Path::new(name).exists(),
        };
        key.add("device", [name, &there.to_string()]);
        if there && is_name {
            config.security.cdi.push(name.to_owned());
        } else if there {
            config.security.devices.push(Device {
                source: name.to_owned(),
                target: name.to_owned(),
                access: "rwm".to_owned(),
            });
        } else if required {
            return Err(Error::new(Kind::NotFound, "run with --device", name)
                .because("the device is required and not here")
                .into());
        } else {
            let line = format!("RUN --device: {name} is not here, and not required");
            solver.engine.ui.warn(&line);
        }
    }
    Ok(())
}

/// Places that a start makes for the mounts alone.
fn made_for(solver: &Solver<'_>, index: usize, targets: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let pieces = solver.state(index)?.pieces.clone();
    let layers = solver.layers.paths(solver.engine, &pieces);
    Ok(mount::fresh(solver.engine, &layers, targets))
}

fn entry((key, value): (String, String)) -> EnvEntry {
    EnvEntry {
        key,
        value: Some(value),
    }
}

/// Proxies that were given and that no `ARG` names: commands have them, keys and images do not.
fn proxies(request: &Request, state: &State) -> Vec<(String, String)> {
    let args = request.build_args.iter();
    let hidden = |name: &str| state.args.iter().any(|(key, _)| key == name);
    args.filter(|(name, _)| PROXIES.contains(&name.as_str()) && !hidden(name))
        .cloned()
        .collect()
}

fn choose_network(solver: &mut Solver<'_>, config: &mut Config, word: Option<&str>) -> Result<()> {
    match word {
        None | Some("" | "default") => {
            if solver.network.is_none() {
                let mut network = solver.request.config.network.clone();
                settle_network(solver.engine, &mut network)?;
                solver.network = Some(network);
            }
            if let Some(network) = &solver.network {
                config.network.clone_from(network);
            }
        }
        Some("none") => config.network.mode = NetworkMode::None,
        Some("host") => {
            allowed(solver, "network.host")?;
            config.network.mode = NetworkMode::Host;
        }
        Some(other) => {
            return Err(Error::usage(
                "use RUN --network",
                other,
                "default, none and host are known",
            )
            .into());
        }
    }
    Ok(())
}

fn choose_security(solver: &Solver<'_>, config: &mut Config, word: Option<&str>) -> Result<()> {
    match word {
        None | Some("" | "sandbox") => Ok(()),
        Some("insecure") => {
            allowed(solver, "security.insecure")?;
            config.security.privileged = true;
            Ok(())
        }
        Some(other) => Err(Error::usage(
            "use RUN --security",
            other,
            "sandbox and insecure are known",
        )
        .into()),
    }
}

fn allowed(solver: &Solver<'_>, right: &str) -> Result<()> {
    if solver.request.allow.iter().any(|allowed| allowed == right) {
        return Ok(());
    }
    Err(Error::new(Kind::Denied, "run with", right)
        .because(format!("{right} is not allowed"))
        .hint(format!("--allow {right}"))
        .into())
}

/// What a command runs in.
#[derive(Clone)]
pub(in crate::build) struct Command {
    /// What it stands on.
    pub(in crate::build) ground: Ground,
    /// The stage's configuration.
    pub(in crate::build) image: ContainerConfig,
    /// The command and what it gets.
    pub(in crate::build) config: Config,
    /// Its secret files.
    pub(in crate::build) secrets: Vec<SecretFile>,
    /// Cache directories that it needs.
    pub(in crate::build) caches: Vec<Cache>,
    /// Copies that it sees.
    pub(in crate::build) snapshots: Vec<Snapshot>,
    /// An executable file that it sees: its place and its content.
    pub(in crate::build) script: Option<(String, String)>,
    /// Places to be removed from the result where they are empty, deepest first.
    pub(in crate::build) fresh: Vec<PathBuf>,
}

/// A command at work, and the pipes that it writes to: true for its errors.
pub(in crate::build) type Running = (Worker<Answer>, Vec<(bool, PipeReader)>);

/// Starts a command.
///
/// # Errors
/// What making its process gave.
pub(in crate::build) fn start(
    engine: &Engine<'_>,
    work: &StepWork,
    command: Command,
) -> Result<Running> {
    let (output, to_output) = std::io::pipe().context("make pipe")?;
    let (errors, to_errors) = std::io::pipe().context("make pipe")?;
    let worker = worker::spawn(engine, Where::here(), move |_| {
        let null = File::open("/dev/null").map_err(|e| Error::io("open", "/dev/null", e))?;
        let streams = [null.as_fd(), to_output.as_fd(), to_errors.as_fd()];
        run(engine, work, command, streams.map(Some), false)
    })?;
    Ok((worker, vec![(false, output), (true, errors)]))
}

/// Has `words` run in the step of a command that failed, on the caller's terminal, and waits for
/// its end.
///
/// # Errors
/// `NotStarted` is an error here.
pub(in crate::build) fn look_into(
    engine: &Engine<'_>,
    work: &StepWork,
    command: &Command,
    words: Vec<String>,
) -> Result<()> {
    let mut command = command.clone();
    command.config.process.args = words;
    command.config.process.stdio = Stdio {
        interactive: true,
        tty: true,
    };
    let worker = worker::spawn(engine, Where::here(), move |_| {
        run(engine, work, command, [None; 3], true)
    })?;
    match worker.finish(engine)? {
        Answer::NotStarted(_, why) => Err(anyhow::anyhow!(why)),
        _ => Ok(()),
    }
}

/// In the child: has the command run, and removes what its mounts left.
fn run(
    engine: &Engine<'_>,
    work: &StepWork,
    mut command: Command,
    streams: [Option<BorrowedFd<'_>>; 3],
    again: bool,
) -> Result<Answer> {
    let held = cache::take(engine, &command.caches, &mut command.config)?;
    let copies = mount::copies(engine, &command.snapshots, &mut command.config)?;
    if let Some((place, text)) = &command.script {
        add_script(work, place, text, &mut command.config)?;
    }
    let step = StepRun {
        work,
        ground: &command.ground,
        image: &command.image,
        config: &command.config,
        secrets: command.secrets,
        again,
    };
    let ended = run_step(engine, step, streams);
    drop(held);
    for copy in copies {
        engine.store.build_cache().discard(copy.id.as_str())?;
    }
    if !command.fresh.is_empty() {
        let upper = work.dir.upper();
        identity::as_owner(engine, || mount::clear(&upper, &command.fresh))?;
    }
    match ended {
        Ok(status) => Ok(Answer::Ended(status)),
        Err(error) => match error.downcast_ref::<RunFailure>() {
            Some(failure) if failure.status != ExitStatus::ENGINE => {
                let why = format!("{:#}", failure.error);
                Ok(Answer::NotStarted(failure.status, why))
            }
            _ => Err(error),
        },
    }
}

/// Shows the command a file of its step's directory at `place`.
fn add_script(work: &StepWork, place: &str, text: &str, config: &mut Config) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let path = work.dir.path().join("script");
    let failed = |error| Error::io("write script", &path, error);
    // There already for who looks into a failed step.
    file::remove_file(&path)?;
    let mut file = file::create_new(&path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let mode = std::fs::Permissions::from_mode(0o755);
    file.set_permissions(mode).map_err(failed)?;
    config.mounts.push(Mount {
        target: place.to_owned(),
        kind: MountKind::Bind {
            source: path.display().to_string(),
            options: BindOptions::default(),
        },
        read_only: true,
        no_exec: false,
        no_suid: false,
        no_dev: false,
    });
    Ok(())
}
