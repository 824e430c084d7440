//! From the flags of `build` to the request of a build.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use crate::archive::Coding;
use crate::build::context::remote::Place;
use crate::build::request::{Output, OutputKind, Provenance, Request};
use crate::cdi;
use crate::cli::args::{NetworkArgs, SecurityArgs};
use crate::cli::convert;
use crate::cli::parse::{self, bad};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, Result};
use crate::engine::container::PullPolicy;
use crate::engine::image::assemble::Dialect;
use crate::engine::image::pull::RegistryOptions;
use crate::oci::Platform;
use crate::reference::Reference;
use crate::spec::config::Config;

use super::args::Build;

/// Largest Dockerfile and largest file of build arguments that is read, in bytes.
const LARGEST: u64 = crate::dockerfile::MAX_DOCKERFILE as u64;

/// Everything that was asked; each flag is checked before anything is done.
///
/// # Errors
/// Bad values, and files that flags name and that cannot be read.
pub(super) fn request(args: &Build, session: &Session) -> Result<Request> {
    let place = session.place();
    let mut request = Request::of(context(args, session)?);
    request.remote = args.context.as_deref().and_then(Place::of);
    dockerfile(args, session, &mut request)?;
    for tag in &args.tag {
        Reference::parse(tag)?;
    }
    request.tags.clone_from(&args.tag);
    request.build_args = arguments(args, session)?;
    request.target = args.target.clone().filter(|target| !target.is_empty());
    request.labels = pairs("--label", &args.label)?;
    for text in &args.annotation {
        let notes = parse::annotation::flag(text)?;
        request.annotations.extend(notes);
    }
    request.platforms = platforms(args, session)?;
    request.pull = policy(args.pull.as_deref().unwrap_or("missing"))?;
    request.no_cache = args.no_cache;
    request.no_cache_filter.clone_from(&args.no_cache_filter);
    for text in &args.secret {
        let secret = parse::build::secret(text, &place, &session.environment)?;
        request.secrets.push(secret);
    }
    for text in &args.ssh {
        let agent = parse::build::ssh(text, &place, &session.environment)?;
        request.ssh.push(agent);
    }
    for text in &args.build_context {
        let named = parse::build::context(text, &place)?;
        request.contexts.push(named);
    }
    rights(args, &mut request)?;
    caches(args, session, &mut request)?;
    request.dialect = dialect(args, session)?;
    outputs(args, session, &mut request)?;
    request.iidfile = args.iidfile.as_deref().map(|path| session.absolute(path));
    let metadata = args.metadata_file.as_deref();
    request.metadata_file = metadata.map(|path| session.absolute(path));
    request.config = config(args, session)?;
    request.jobs = match &args.jobs {
        Some(text) => usize::try_from(parse::number::within("--jobs", text, 0..=4096)?).ok(),
        None => None,
    };
    request.squash = args.squash;
    request.shell_on_error = match args.on_error.as_deref() {
        None | Some("stop") => false,
        Some("shell") => is_terminal(),
        Some(other) => return Err(bad("--on-error", other, "use stop or shell")),
    };
    request.why = args.why;
    request.epoch = epoch(args, session)?;
    request.registry = RegistryOptions {
        tls_verify: args.tls_verify,
        authfile: args.authfile.clone(),
        creds: args.creds.clone(),
        ..RegistryOptions::default()
    };
    Ok(request)
}

/// The directory of the context. podman: without one, the Dockerfile's, else the working directory.
fn context(args: &Build, session: &Session) -> Result<PathBuf> {
    match (args.context.as_deref(), &args.file) {
        (Some(text), _) => Ok(session.absolute(Path::new(text))),
        (None, Some(file)) if file != "-" && session.personality == Personality::Podman => {
            let file = session.absolute(Path::new(file));
            Ok(file.parent().map(Path::to_owned).unwrap_or(file))
        }
        (None, _) if session.personality == Personality::Podman => {
            Ok(session.absolute(Path::new("")))
        }
        (None, _) => Err(Error::usage(
            "build",
            "",
            "requires 1 argument: the directory to build from",
        )
        .hint("for the working directory: ketch build .")),
    }
}

/// Where the Dockerfile is. docker: `-f` starts at the working directory; podman: at the context
/// when it is there, and `Containerfile` comes before `Dockerfile`.
fn dockerfile(args: &Build, session: &Session, request: &mut Request) -> Result<()> {
    match args.file.as_deref() {
        Some("-") if request.remote == Some(Place::Input) => {
            let why = "standard input cannot be both the context and the Dockerfile";
            return Err(bad("--file", "-", why));
        }
        Some("-") => {
            let mut text = Vec::new();
            std::io::stdin()
                .take(LARGEST + 1)
                .read_to_end(&mut text)
                .map_err(|error| Error::io("read Dockerfile", Path::new("-"), error))?;
            request.dockerfile_text = Some(text);
        }
        // Inside what is fetched.
        Some(file) if request.remote.is_some() => request.dockerfile = Some(PathBuf::from(file)),
        None if request.remote.is_some() => {}
        Some(file) => {
            let below = request.context.join(file);
            let first = session.personality == Personality::Podman && below.is_file();
            request.dockerfile = Some(match first {
                true => below,
                false => session.absolute(Path::new(file)),
            });
        }
        None => {
            let other = request.context.join("Containerfile");
            let usual = request.context.join("Dockerfile");
            let podman = session.personality == Personality::Podman;
            if other.is_file() && (podman || !usual.is_file()) {
                request.dockerfile = Some(other);
            }
        }
    }
    Ok(())
}

/// Build arguments: docker's proxies, then files, then the command line; the last one counts.
fn arguments(args: &Build, session: &Session) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in convert::proxies(None, session.personality, &session.environment)? {
        found.extend(entry.value.map(|value| (entry.key, value)));
    }
    for path in &args.build_arg_file {
        let path = session.absolute(path);
        let failed = |error| Error::io("read build arguments", &path, error);
        let mut text = String::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
            .map_err(failed)?;
        if text.len() as u64 > LARGEST {
            let why = format!("the file is larger than {LARGEST} bytes");
            return Err(bad("--build-arg-file", &path.display().to_string(), why));
        }
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            found.extend(parse::build::argument(line, &session.environment)?);
        }
    }
    for text in &args.build_arg {
        found.extend(parse::build::argument(text, &session.environment)?);
    }
    let mut last: Vec<(String, String)> = Vec::new();
    for (name, value) in found {
        match last.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => last.push((name, value)),
        }
    }
    Ok(last)
}

fn pairs(flag: &str, texts: &[String]) -> Result<Vec<(String, String)>> {
    let mut found = BTreeMap::new();
    for text in texts {
        parse::label::parse(flag, text, &mut found)?;
    }
    Ok(found.into_iter().collect())
}

fn platforms(args: &Build, session: &Session) -> Result<Vec<Platform>> {
    if args.platform.is_empty() {
        return Ok(session.platform(None)?.into_iter().collect());
    }
    let local = |text: &String| match text.as_str() {
        "local" => Ok(Platform::host()),
        text => text.parse(),
    };
    let mut found: Vec<Platform> = Vec::new();
    for text in &args.platform {
        let platform = local(text)?;
        if !found.contains(&platform) {
            found.push(platform);
        }
    }
    Ok(found)
}

fn policy(text: &str) -> Result<PullPolicy> {
    match text {
        "missing" | "ifmissing" | "false" | "" => Ok(PullPolicy::Missing),
        "always" | "true" => Ok(PullPolicy::Always),
        "never" => Ok(PullPolicy::Never),
        "newer" | "ifnewer" => Ok(PullPolicy::Newer),
        _ => Err(bad("--pull", text, "use always, missing, never or newer")),
    }
}

fn rights(args: &Build, request: &mut Request) -> Result<()> {
    for right in &args.allow {
        match right.as_str() {
            "network.host" | "security.insecure" | "device" => request.allow.push(right.clone()),
            _ => {
                let why = "use network.host, security.insecure or device";
                return Err(bad("--allow", right, why));
            }
        }
    }
    // docker: who gives the whole build the host's network allows it to each step.
    if args.network.as_deref() == Some("host") {
        request.allow.push("network.host".to_owned());
    }
    Ok(())
}

/// Where results of others are, and where this build's go.
fn caches(args: &Build, session: &Session, request: &mut Request) -> Result<()> {
    for text in args.cache_from.iter().filter(|text| !text.is_empty()) {
        let from = parse::build_cache::from(text, &session.place())?;
        request.cache_from.push(from);
    }
    for text in args.cache_to.iter().filter(|text| !text.is_empty()) {
        let (to, _) = parse::build_cache::to(text, &session.place())?;
        request.cache_to.push(to);
    }
    // BuildKit's older way to ask for it.
    let mut arguments = request.build_args.iter().rev();
    let inline = arguments.find(|(name, _)| name == "BUILDKIT_INLINE_CACHE");
    if inline.is_some_and(|(_, value)| matches!(value.as_str(), "1" | "true")) {
        let (to, _) = parse::build_cache::to("type=inline", &session.place())?;
        request.cache_to.push(to);
    }
    Ok(())
}

fn outputs(args: &Build, session: &Session, request: &mut Request) -> Result<()> {
    for text in &args.output {
        let output = parse::output::output(text, &session.place())?;
        for name in &output.names {
            Reference::parse(name)?;
            if output.is_image() && !request.tags.contains(name) {
                request.tags.push(name.clone());
            }
        }
        request.outputs.push(output);
    }
    let mut streams = request.outputs.iter().filter(|output| {
        let stdout = output.destination.as_deref() == Some(Path::new("-"));
        stdout && output.kind != OutputKind::Image
    });
    if streams.next().is_some() && streams.next().is_some() {
        return Err(bad(
            "--output",
            "-",
            "only one output can go to standard output",
        ));
    }
    if args.push {
        let output = parse::output::output("type=registry", &session.place())?;
        request.outputs.push(output);
    }
    let images = request.outputs.iter().filter(|output| output.is_image());
    let images: Vec<bool> = images.map(|output| output.store != Some(false)).collect();
    let named = images.is_empty() && !args.tag.is_empty();
    request.keep = args.load || request.outputs.is_empty() || named || images.contains(&true);
    request.provenance = provenance(args)?;
    request.rewrite = args.rewrite_timestamp || args.timestamp.is_some();
    request.verify = args.verify;
    let zstd = |output: &Output| {
        matches!(output.coding, Some(Coding::Zstd(_))) && output.dialect.is_none()
    };
    if request.dialect == Dialect::Docker && request.outputs.iter().any(zstd) {
        let why = "docker's media types have no zstd; add oci-mediatypes=true";
        return Err(bad("--output", "compression=zstd", why));
    }
    Ok(())
}

/// `--provenance`, else an `--attest` of that type. Off unless asked: the digest of an image is
/// then that of its manifest, as with podman.
fn provenance(args: &Build) -> Result<Option<Provenance>> {
    if let Some(text) = &args.provenance {
        return parse::attest::provenance("--provenance", text);
    }
    let mut found = None;
    for text in &args.attest {
        if parse::attest::is_provenance(text)? {
            found = parse::attest::provenance("--attest", text)?;
        }
    }
    Ok(found)
}

/// Whether somebody can type here.
fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// What was asked and is not there yet: one line each.
pub(super) fn missing(args: &Build, session: &Session, request: &Request) -> Vec<String> {
    let sbom = args.sbom.as_deref();
    let sbom = sbom.is_some_and(|text| !matches!(text, "false" | "0" | "disabled=true"))
        || args.attest.iter().any(|text| text.contains("type=sbom"));
    let flags = sbom.then(|| {
        "--sbom has no effect: ketch has no scanner, and the image gets no list of its packages; \
         syft or trivy make one of the image"
            .to_owned()
    });
    let ignored = request.outputs.iter().flat_map(|output| &output.ignored);
    let ignored = ignored.map(|option| format!("--output option {option} has no effect"));
    let caches = args.cache_to.iter();
    let caches = caches.filter_map(|text| parse::build_cache::to(text, &session.place()).ok());
    let caches = caches.flat_map(|(_, without)| without);
    let mut lines: Vec<String> = flags.into_iter().chain(ignored).chain(caches).collect();
    let rewrite = request.rewrite || request.outputs.iter().any(|output| output.rewrite);
    if rewrite && request.epoch.is_none() {
        lines.push(
            "--rewrite-timestamp has no effect without a time: set SOURCE_DATE_EPOCH".to_owned(),
        );
    }
    let holds = request.outputs.iter().any(Output::holds_attestations);
    if request.provenance.is_some() && !request.outputs.is_empty() && !holds && !request.keep {
        lines.push("--provenance has no effect: no output holds an attestation".to_owned());
    }
    if args.on_error.as_deref() == Some("shell") && !request.shell_on_error {
        lines
            .push("--on-error=shell needs a terminal: a failing command ends the build".to_owned());
    }
    if request.iidfile.is_some() && !request.makes_image() {
        lines.push("--iidfile is not written: no image is made".to_owned());
    }
    lines
}

/// What the commands of a build get.
fn config(args: &Build, session: &Session) -> Result<Config> {
    let place = session.place();
    let network = NetworkArgs {
        network: args.network.iter().cloned().collect(),
        add_host: args.add_host.clone(),
        dns: args.dns.clone(),
        dns_search: args.dns_search.clone(),
        dns_option: args.dns_option.clone(),
        ..NetworkArgs::default()
    };
    let network = convert::network(&network, false, &place, Personality::Docker)?;
    let security = SecurityArgs {
        cap_add: args.cap_add.clone(),
        cap_drop: args.cap_drop.clone(),
        security_opt: args.security_opt.clone(),
        device: args.device.clone(),
        ..SecurityArgs::default()
    };
    let shm_size = args.shm_size.as_deref();
    let mut security = convert::security(&security, &network, false, &place, Personality::Docker)?;
    // A RUN may name devices too.
    security.cdi_dirs = session.environment.cdi_spec_dirs(&cdi::DIRECTORIES);
    Ok(Config {
        resources: convert::resources(&args.resources)?,
        security,
        shm_size: shm_size
            .map(|text| parse::number::size("--shm-size", text))
            .transpose()?,
        network,
        ..Config::default()
    })
}

/// podman's `--format` and its variable; docker's images are docker's, podman's are OCI's.
fn dialect(args: &Build, session: &Session) -> Result<Dialect> {
    let variable = session.environment.get("BUILDAH_FORMAT");
    match args.format.as_deref().or(variable).unwrap_or("oci") {
        "oci" => Ok(Dialect::Oci),
        "docker" => Ok(Dialect::Docker),
        other => Err(bad("--format", other, "use oci or docker")),
    }
}

/// The time of everything: the flag, else `SOURCE_DATE_EPOCH` as an argument or a variable.
fn epoch(args: &Build, session: &Session) -> Result<Option<i64>> {
    let environment = &session.environment;
    let given = args
        .build_arg
        .iter()
        .rev()
        .find_map(|text| text.strip_prefix("SOURCE_DATE_EPOCH="));
    let text = args
        .source_date_epoch
        .as_deref()
        .or(args.timestamp.as_deref())
        .or(given)
        .or(environment.get("SOURCE_DATE_EPOCH"));
    match text.filter(|text| !text.is_empty()) {
        Some(text) => parse::number::within("SOURCE_DATE_EPOCH", text, 0..=i64::MAX).map(Some),
        None => Ok(None),
    }
}
