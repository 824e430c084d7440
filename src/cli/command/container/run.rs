//! `run`.

use std::time::Duration;

use crate::cli::command::Execute;
use crate::cli::error_report::say;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Result, strictly};
use crate::engine::Engine;
use crate::engine::container::{RunRequest, Timing};
use crate::supervisor::{self, DetachKeys, Outcome, RunOptions, Viewer, Wanted};

use super::creation::{Creation, terminal_refusal, terminal_warning};

/// Create and run a new container from an image
#[derive(clap::Parser, Debug, Default)]
#[command(
    disable_help_flag = true,
    override_usage = "ketch run [OPTIONS] IMAGE [COMMAND] [ARG...]"
)]
pub(crate) struct Run {
    /// Run container in background and print container ID
    #[arg(short, long)]
    detach: bool,

    /// Attach to STDIN, STDOUT or STDERR
    #[arg(short, long, value_name = "STREAM")]
    attach: Vec<String>,

    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,

    /// Pass a number of additional file descriptors into the container
    #[arg(long, value_name = "NUMBER")]
    preserve_fds: Option<String>,

    /// Pass these file descriptors into the container
    #[arg(
        long,
        value_name = "FD",
        value_delimiter = ',',
        conflicts_with = "preserve_fds"
    )]
    preserve_fd: Vec<String>,

    /// Say on stderr how long each phase took
    #[arg(long)]
    timing: bool,

    #[command(flatten)]
    creation: Creation,
}

impl Execute for Run {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut request = self.creation.request(session)?;
        request.preserve = self.preserved()?;
        let options = self.options(&request)?;
        if !self.detach
            && let Some(refusal) =
                terminal_refusal(request.config.process.stdio, session.personality)
        {
            session.report(&refusal.into());
            return Ok(ExitStatus::Code(1));
        }
        let progress = self.creation.progress();
        self.creation.tell_of_noops(&progress);
        if !self.detach {
            terminal_warning(&self.creation.process, session.personality, &progress);
        }
        let engine = Engine::open(&session.environment, &progress)?;
        let mut timing = Timing::start();
        // docker: who watches no output is told the id instead.
        let blind = options.viewer.is_blind();
        let outcome = supervisor::run(&engine, &request, options, &mut timing)?;
        if self.timing {
            say(&laps(timing.laps(), session.began.elapsed()));
        }
        let status = match outcome {
            Outcome::Alive(id) => {
                if blind {
                    session.data(&format!("{id}\n"))?;
                }
                ExitStatus::Code(0)
            }
            Outcome::Ended(status) => status,
        };
        match progress.refused() {
            Some(line) => Err(strictly(line).into()),
            None => Ok(status),
        }
    }
}

impl Run {
    /// The caller's descriptors that the payload inherits.
    fn preserved(&self) -> Result<Vec<i32>> {
        let one = |number: &String| descriptor("--preserve-fd", number);
        let mut numbers: Vec<i32> = self.preserve_fd.iter().map(one).collect::<Result<_>>()?;
        if let Some(text) = &self.preserve_fds {
            let count = crate::cli::parse::number::within("--preserve-fds", text, 0..=1024)?;
            for number in 3..3 + count {
                numbers.push(descriptor("--preserve-fds", &number.to_string())?);
            }
        }
        Ok(numbers)
    }

    fn options(&self, request: &RunRequest) -> Result<RunOptions> {
        if self.detach && !self.attach.is_empty() {
            let why = "conflicting options: cannot specify both --attach and --detach";
            return Err(Error::usage("run", "", why));
        }
        let interactive = request.config.process.stdio.interactive;
        Ok(RunOptions {
            detach: self.detach,
            viewer: Viewer {
                wanted: match self.detach {
                    true => Wanted::default(),
                    false => wanted(&self.attach, interactive)?,
                },
                sig_proxy: request.sig_proxy,
                keys: DetachKeys::of_flag(self.detach_keys.as_deref())?,
            },
        })
    }
}

/// A descriptor that the caller has open and that is no standard stream.
fn descriptor(flag: &str, number: &str) -> Result<i32> {
    let found = crate::cli::parse::number::within(flag, number, 3..=i64::from(i32::MAX))? as i32;
    match crate::sys::descriptor::is_inherited(found) {
        true => Ok(found),
        false => {
            let why = format!("descriptor {found} is not open");
            Err(crate::cli::parse::bad(flag, number, why))
        }
    }
}

/// docker: all streams, or those that `-a` names in any case of letters.
fn wanted(attach: &[String], interactive: bool) -> Result<Wanted> {
    let mut wanted = Wanted {
        stdin: interactive && attach.is_empty(),
        stdout: attach.is_empty(),
        stderr: attach.is_empty(),
    };
    for stream in attach {
        match stream.to_ascii_lowercase().as_str() {
            "stdin" => wanted.stdin = interactive,
            "stdout" => wanted.stdout = true,
            "stderr" => wanted.stderr = true,
            _ => {
                let why = "valid streams are STDIN, STDOUT and STDERR";
                return Err(crate::cli::parse::bad("--attach", stream, why));
            }
        }
    }
    Ok(wanted)
}

fn laps(phases: &[(&'static str, Duration)], total: Duration) -> String {
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
