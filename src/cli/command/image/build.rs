//! `build`.

use std::path::{Path, PathBuf};

use crate::build::context::remote::Place;
use crate::build::progress::{Event, Progress as BuildProgress, StepFailure};
use crate::build::request::Request;
use crate::cli::command::Execute;
use crate::cli::error_report::say;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::container::PullPolicy;
use crate::spec::config::NetworkMode;

/// Build an image from a Dockerfile
#[derive(clap::Parser, Debug)]
pub(crate) struct Build {
    /// Name and optionally a tag
    #[arg(short, long)]
    tag: Vec<String>,

    /// Name of the Dockerfile
    #[arg(short, long)]
    file: Option<PathBuf>,

    /// Set build-time variables
    #[arg(long, value_name = "NAME[=VALUE]")]
    build_arg: Vec<String>,

    /// Set the target build stage to build
    #[arg(long)]
    target: Option<String>,

    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,

    /// Always fetch the images
    #[arg(long)]
    pull: bool,

    /// Add a named context
    #[arg(long, value_name = "NAME=PLACE")]
    build_context: Vec<String>,

    /// Allow a right
    #[arg(long)]
    allow: Vec<String>,

    /// Set the network of commands
    #[arg(long)]
    network: Option<String>,

    /// Write the image's id to a file
    #[arg(long)]
    iidfile: Option<PathBuf>,

    /// Print the id alone
    #[arg(short, long)]
    quiet: bool,

    /// The context
    path: PathBuf,
}

struct Plain(bool);

impl BuildProgress for Plain {
    fn event(&self, event: &Event<'_>) {
        if self.0 {
            return;
        }
        match event {
            Event::Named { vertex, name } => say(&format!("#{vertex} {name}\n")),
            Event::Cached { vertex } => say(&format!("#{vertex} CACHED\n")),
            Event::Output { vertex, bytes, .. } => {
                for line in String::from_utf8_lossy(bytes).lines() {
                    say(&format!("#{vertex} {line}\n"));
                }
            }
            Event::Failed { vertex, why } => say(&format!("#{vertex} ERROR: {why}\n")),
            _ => {}
        }
    }
}

impl Execute for Build {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut request = Request::of(session.absolute(Path::new(&self.path)));
        request.remote = self.path.to_str().and_then(Place::of);
        let remote = request.remote.is_some();
        request.dockerfile = self.file.map(|file| match remote {
            true => file,
            false => session.absolute(&file),
        });
        for text in &self.build_context {
            if let Some((name, place)) = text.split_once('=') {
                let place = match place.contains("://") || Place::of(place).is_some() {
                    true => place.to_owned(),
                    false => session.absolute(Path::new(place)).display().to_string(),
                };
                request.contexts.push((name.to_owned(), place));
            }
        }
        request.tags = self.tag;
        let pair = |arg: &String| {
            let (name, value) = arg.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        request.build_args = self.build_arg.iter().filter_map(pair).collect();
        request.target = self.target;
        request.no_cache = self.no_cache;
        request.allow = self.allow;
        request.iidfile = self.iidfile.map(|file| session.absolute(&file));
        if self.pull {
            request.pull = PullPolicy::Always;
        }
        request.config.network.mode = match self.network.as_deref() {
            Some("none") => NetworkMode::None,
            Some("host") => NetworkMode::Host,
            _ => NetworkMode::Default,
        };
        match crate::build::build(&engine, &request, &Plain(self.quiet)) {
            Ok(built) => {
                if self.quiet {
                    crate::cli::output::data(&format!("{}\n", built.id))?;
                }
                Ok(ExitStatus::Code(0))
            }
            Err(error) => match error.downcast_ref::<StepFailure>() {
                Some(failure) => {
                    say(&format!(
                        "{}ketch: {}: {failure}\n",
                        failure.excerpt, failure.name
                    ));
                    Ok(failure.status)
                }
                None => Err(error),
            },
        }
    }
}
