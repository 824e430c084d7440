//! `build`.

mod args;
mod call;
mod convert;

use crate::build::{self, Built, progress::StepFailure};
use crate::cli::command::Execute;
use crate::cli::error_report::{self, say};
use crate::cli::output::build::{Shown, Style};
use crate::cli::output::progress::Progress;
use crate::cli::parse::{self, bad, build::Call};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Ui as _};
use crate::dockerfile::ParseError;
use crate::engine::Engine;
use crate::engine::system::builder;

pub(crate) use args::Build;

impl Execute for Build {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let (call, json) = self.call()?;
        let style = self.style(session)?;
        let request = convert::request(&self, session)?;
        let progress = Progress::new(style == Style::Quiet, false);
        for line in convert::missing(&self, session, &request) {
            progress.warn(&line);
        }
        let engine = Engine::open(&session.environment, &progress)?;
        if let Some(name) = &self.builder {
            builder::find(&engine, Some(name))?;
        }
        let ready = match build::prepare(&engine, request) {
            Ok(ready) => ready,
            Err(error) => {
                return match error.downcast_ref::<ParseError>() {
                    Some(error) => Ok(refused(session, error)),
                    None => Err(error),
                };
            }
        };
        let (request, file) = (&ready.request, &ready.file);
        if let Some(syntax) = &file.directives.syntax
            && !is_usual(syntax)
        {
            progress.warn(&format!(
                "the frontend {syntax} is not run, the built-in one reads the file"
            ));
        }
        if call != Call::Build {
            let (text, wrong) = call::answer(&engine, request, file, call, json)?;
            session.data(&text)?;
            return Ok(ExitStatus::Code(u8::from(wrong)));
        }
        let warnings = call::warnings(&engine, request, file)?;
        if !warnings.is_empty() && call::is_strict(request, file)? {
            say(&call::lines(&warnings));
            let mut rules: Vec<&str> = warnings.iter().map(|one| one.rule).collect();
            rules.sort_unstable();
            rules.dedup();
            let why = format!("lint violation found for rules: {}", rules.join(", "));
            return Err(Error::usage("build", "", why).into());
        }
        let shown = Shown::new(style);
        let built = build::build(&engine, &ready, &shown);
        shown.end(built.is_err());
        if style != Style::Quiet
            && style != Style::RawJson
            && let Ok(built) = &built
        {
            say(&call::lines(&warnings));
            if !built.unused.is_empty() {
                let names = built.unused.join(" ");
                let line =
                    format!("[Warning] One or more build-args [{names}] were not consumed\n");
                say(&line);
            }
        }
        match built {
            Ok(built) => self.finish(session, &built),
            Err(error) => failed(session, error),
        }
    }
}

impl Build {
    /// Whether an output goes to standard output.
    fn streams(&self) -> bool {
        let to_stdout = |text: &String| text == "-" || text.split(',').any(|part| part == "dest=-");
        self.output.iter().any(to_stdout)
    }

    /// What is asked instead of a build, and whether as JSON.
    fn call(&self) -> anyhow::Result<(Call, bool)> {
        Ok(match (&self.call, self.check) {
            (Some(_), true) => {
                return Err(bad("--check", "", "it cannot be used with --call").into());
            }
            (Some(text), false) => parse::build::call(text)?,
            (None, true) => (Call::Check, false),
            (None, false) => (Call::Build, false),
        })
    }

    fn style(&self, session: &Session) -> anyhow::Result<Style> {
        if self.quiet {
            return Ok(Style::Quiet);
        }
        let variable = session.environment.get("BUILDKIT_PROGRESS");
        let text = self.progress.as_deref().or(variable).unwrap_or("auto");
        let found = Style::parse(text);
        let why = "use auto, plain, tty, rawjson or quiet";
        Ok(found.ok_or_else(|| bad("--progress", text, why))?)
    }

    /// docker tells the id when it told nothing else, podman always.
    fn finish(&self, session: &Session, built: &Built) -> anyhow::Result<ExitStatus> {
        // The output is what was asked.
        let Some((id, _)) = built.image.filter(|_| !self.streams()) else {
            return Ok(ExitStatus::Code(0));
        };
        match session.personality {
            Personality::Podman => session.data(&format!("{}\n", id.hex()))?,
            Personality::Docker if self.quiet => session.data(&format!("{id}\n"))?,
            Personality::Docker => {}
        }
        Ok(ExitStatus::Code(0))
    }
}

/// Whether a frontend is one of docker's own, whose language the built-in one speaks.
fn is_usual(syntax: &str) -> bool {
    let name = syntax.split(['@', ':']).next().unwrap_or_default();
    matches!(
        name.strip_prefix("docker.io/").unwrap_or(name),
        "docker/dockerfile" | "docker/dockerfile-upstream"
    )
}

/// A Dockerfile that cannot be read: its lines, then the error.
fn refused(session: &Session, error: &ParseError) -> ExitStatus {
    say(&error.excerpt);
    session.report(&Error::usage("build", "", error.to_string()).into());
    session.personality.failure()
}

/// A build that failed. A command's own code is handed on; docker says 1.
fn failed(session: &Session, error: anyhow::Error) -> anyhow::Result<ExitStatus> {
    if let Some(parse) = error.downcast_ref::<ParseError>() {
        return Ok(refused(session, parse));
    }
    let Some(failure) = error.downcast_ref::<StepFailure>() else {
        return Err(error);
    };
    say(&failure.excerpt);
    let status = match session.is_called("docker") {
        true => ExitStatus::Code(1),
        false => failure.status,
    };
    error_report::report(&error, session.json);
    Ok(status)
}
