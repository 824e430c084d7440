//! `build`: from a Dockerfile to an image, without a daemon.
//!
//! ```text
//!   request -> graph (stages that the target needs) -> solve: the coordinator
//!     stage: metadata instructions change a State; a step is looked up by its key (key, store)
//!       miss -> job: a forked child with a container (step::run) or a mounted tree (step::…)
//!         its upper directory -> build/steps/<id> and a record; the next step begins
//!         meanwhile another child seals it: archive, digests, blob
//!   end: sealed layers move among the store's; output: documents, names last
//! ```
//!
//! One thread, which polls its children: the one fork function refuses threads. Each child dies
//! with the coordinator, and what it leaves is swept; finished steps are found by the next build.
#![forbid(unsafe_code)]

mod advance;
pub(crate) mod annotation;
mod bring;
mod cache;
mod config;
pub(crate) mod context;
mod copy;
mod copying;
mod failure;
mod graph;
mod job;
mod key;
mod layers;
pub(crate) mod named;
mod output;
pub(crate) mod progress;
pub(crate) mod request;
mod secret;
mod solve;
mod source;
mod squash;
mod stage;
mod state;
mod step;

use std::collections::BTreeSet;

use anyhow::Result;

use crate::common::{Digest, Error, Kind};
use crate::dockerfile::{self, Dockerfile};
use crate::engine::Engine;
use crate::oci::Platform;
use crate::store::BuildPresence;
use crate::sys::file;
use cache::{Gone, Imported, Known};
use context::remote::Fetched;
use progress::{EXPORT, Event, Progress, Vertex};
use request::{CacheTo, Request};
use secret::Logins;
use solve::{Solved, Solver};

/// What was built.
#[derive(Debug, Clone, Default)]
pub(crate) struct Built {
    /// The image's id, which is the digest of its configuration, and the digest that a registry
    /// knows it by, its manifest's or index's; `None` where only files were wanted.
    pub(crate) image: Option<(Digest, Digest)>,
    /// Whether the store keeps it.
    pub(crate) is_kept: bool,
    /// Its names, canonical.
    pub(crate) names: Vec<String>,
    /// A second build gave the same.
    pub(crate) verified: bool,
    /// Arguments that were given and that nothing asked for.
    pub(crate) unused: Vec<String>,
}

/// A request whose context is a directory of this machine, and its Dockerfile.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    /// What is asked.
    pub(crate) request: Request,
    /// What its Dockerfile says.
    pub(crate) file: Dockerfile,
    presence: BuildPresence,
    /// Keeps what was fetched.
    _fetched: Option<Fetched<'a>>,
}

/// What one platform's build came to.
struct Target {
    platform: Platform,
    solved: Solved,
    /// A second build of it, with `--verify`.
    twin: Option<Solved>,
}

/// Fetches the context, when it is no directory, and reads the Dockerfile.
///
/// # Errors
/// `ParseError` for the Dockerfile, `NotFound` without one, and what `context::remote::fetch` meets.
pub(crate) fn prepare<'a>(engine: &'a Engine<'a>, request: Request) -> Result<Ready<'a>> {
    engine.apply_blob_policy()?;
    // What a killed build left; a failure is the next command's to repeat.
    let _ = engine.store.sweep();
    engine.store.hold()?;
    let presence = engine.store.build_cache().enter()?;
    let (request, fetched) = match &request.remote {
        None => (request, None),
        Some(place) => {
            let fetched = context::remote::fetch(
                engine,
                Logins(&request.secrets),
                place,
                keeps_git(&request),
            )?;
            let local = context::remote::localize(&request, &fetched)?;
            (local, Some(fetched))
        }
    };
    let (text, name) = read_dockerfile(&request)?;
    let file = dockerfile::parse(&text, &name)?;
    Ok(Ready {
        request,
        file,
        presence,
        _fetched: fetched,
    })
}

/// Builds an image.
///
/// # Errors
/// `StepFailure` for a command; nothing gets a name then, and finished steps are kept for the next
/// build.
pub(crate) fn build(
    engine: &Engine<'_>,
    ready: &Ready<'_>,
    progress: &dyn Progress,
) -> Result<Built> {
    let (request, file) = (&ready.request, &ready.file);
    let platforms = match request.platforms.is_empty() {
        true => vec![Platform::host()],
        false => request.platforms.clone(),
    };
    output::check(engine, request, platforms.len())?;
    let mut vertices = 0;
    let imported = Imported::open(engine, request, &platforms, progress, &mut vertices);
    let mut known = Known::default();
    let mut targets = Vec::new();
    let mut used = BTreeSet::new();
    let again = request.verify.then(|| Request {
        no_cache: true,
        ..request.clone()
    });
    for platform in platforms {
        let mut solve = |request| {
            let (at, vertex) = (&platform, &mut vertices);
            solve(engine, ready, request, at, progress, &imported, vertex)
        };
        let solved = solve(request)?;
        let twin = again.as_ref().map(&mut solve).transpose()?;
        known.add(&solved);
        used.extend(solved.used_args.iter().cloned());
        targets.push(Target {
            platform,
            solved,
            twin,
        });
    }
    let vertex = EXPORT;
    let name = "exporting to image";
    progress.event(&Event::Named { vertex, name });
    progress.event(&Event::Started { vertex });
    let built = match targets.len() {
        1 => {
            let Target { solved, twin, .. } = targets.remove(0);
            output::image::publish(engine, request, file, solved, twin.as_ref())
        }
        _ => output::publish_several(engine, request, file, &mut targets),
    };
    match &built {
        Ok(built) => exported(built, progress),
        Err(error) => {
            let why = &error.to_string();
            progress.event(&Event::Failed { vertex, why });
        }
    }
    let mut built = built?;
    built.unused = unused(request, &ready.file, used);
    cache::export(engine, request, &imported, &known, progress, vertices)?;
    Ok(built)
}

/// Builds the target for one platform, anew where an imported cache turns out to have less than it
/// said.
fn solve<'a>(
    engine: &'a Engine<'a>,
    ready: &'a Ready<'_>,
    request: &'a Request,
    platform: &Platform,
    progress: &'a dyn Progress,
    imported: &'a Imported<'a>,
    vertices: &mut Vertex,
) -> Result<Solved> {
    let (file, presence) = (&ready.file, &ready.presence);
    let mut solved = loop {
        let mut solver = Solver::new(
            engine, request, file, platform, progress, presence, imported,
        )?;
        solver.vertices = *vertices;
        let solved = solver.solve();
        *vertices = solver.vertices;
        match solved {
            Err(error) if error.is::<Gone>() => {}
            other => break other?,
        }
    };
    if request.cache_to.iter().any(CacheTo::is_inline) {
        let mut known = Known::default();
        known.add(&solved);
        solved.state.image.build_cache = Some(cache::inline(&known)?);
    }
    Ok(solved)
}

/// Arguments that were given and that neither the file nor a trigger of a base image declares.
fn unused(request: &Request, file: &Dockerfile, mut declared: BTreeSet<String>) -> Vec<String> {
    let stages = file.stages.iter().flat_map(|stage| &stage.instructions);
    for instruction in file.args.iter().chain(stages) {
        if let dockerfile::Kind::Arg(args) = &instruction.kind {
            declared.extend(args.iter().map(|(name, _)| name.raw.clone()));
        }
    }
    let known = |name: &str| {
        let frontend = name.starts_with("BUILDKIT_") || name == "SOURCE_DATE_EPOCH";
        frontend || state::PROXIES.contains(&name) || declared.contains(name)
    };
    let names = request.build_args.iter().map(|(name, _)| name.clone());
    names.filter(|name| !known(name)).collect()
}

/// What docker says of an image that is written.
fn exported(built: &Built, progress: &dyn Progress) {
    let vertex = EXPORT;
    let mut lines = Vec::new();
    if let Some((id, manifest)) = built.image {
        if built.verified {
            lines.push(format!("verified: a second build gives {manifest}"));
        }
        match built.is_kept {
            true => lines.push(format!("writing image {id}")),
            false => lines.push(format!("exporting manifest {manifest}")),
        }
    }
    if built.is_kept {
        lines.extend(built.names.iter().map(|name| format!("naming to {name}")));
    }
    for text in &lines {
        progress.event(&Event::Part { vertex, text });
    }
    progress.event(&Event::Done { vertex });
}

/// Whether a context from a repository keeps its `.git`.
fn keeps_git(request: &Request) -> bool {
    let mut args = request.build_args.iter().rev();
    let asked = args.find(|(name, _)| name == "BUILDKIT_CONTEXT_KEEP_GIT_DIR");
    asked.is_some_and(|(_, value)| matches!(value.as_str(), "1" | "true"))
}

/// The Dockerfile's text and its name for errors.
///
/// # Errors
/// `NotFound` when there is none.
fn read_dockerfile(request: &Request) -> Result<(Vec<u8>, String)> {
    if let Some(text) = &request.dockerfile_text {
        return Ok((text.clone(), "Dockerfile".to_owned()));
    }
    let path = match &request.dockerfile {
        Some(path) => request.context.join(path),
        None => request.context.join("Dockerfile"),
    };
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    match file::read_bounded(&path, dockerfile::MAX_DOCKERFILE) {
        Ok(text) => Ok((text, name)),
        Err(error) if error.kind() == Kind::NotFound => Err(Error::new(
            Kind::NotFound,
            "read Dockerfile",
            path.display().to_string(),
        )
        .because("no such file")
        .hint("-f names another file")
        .into()),
        Err(error) => Err(error.into()),
    }
}
