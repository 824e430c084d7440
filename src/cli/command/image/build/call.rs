//! `--check` and `--call`: what a Dockerfile says of itself, and what is doubtful in it.

use serde_json::{Value, json};

use crate::build::request::Request;
use crate::cli::output::table::Table;
use crate::cli::parse::build::Call;
use crate::common::Error;
use crate::dockerfile::{self, Base, Check, Dockerfile, LintOptions, Span, Stage, Warning};
use crate::engine::{Engine, image};
use crate::oci::Platform;
use crate::reference::Reference;

/// Answers a call about a file; the second value is whether it found something wrong.
///
/// # Errors
/// `Usage` for a target that does not exist.
pub(super) fn answer(
    engine: &Engine<'_>,
    request: &Request,
    file: &Dockerfile,
    call: Call,
    as_json: bool,
) -> anyhow::Result<(String, bool)> {
    Ok(match call {
        Call::Targets => (targets(file, as_json), false),
        Call::Outline => (outline(engine, request, file, as_json)?, false),
        Call::Check | Call::Build => {
            let found = warnings(engine, request, file)?;
            (report(file, &found, as_json), !found.is_empty())
        }
    })
}

/// What is doubtful in a file; with a target, only what it needs is looked at.
///
/// # Errors
/// `Usage` for a target that does not exist, and for a check argument that cannot be read.
pub(super) fn warnings(
    engine: &Engine<'_>,
    request: &Request,
    file: &Dockerfile,
) -> anyhow::Result<Vec<Warning>> {
    let check = check(request)?;
    with_options(engine, request, check.as_ref(), |options| {
        let stages = match request.target.as_deref() {
            None => Vec::new(),
            Some(target) => {
                let wanted = dockerfile::find(file, Some(target)).map_err(unknown)?;
                dockerfile::reachable(file, wanted, options)
            }
        };
        let options = LintOptions {
            stages: &stages,
            ..*options
        };
        Ok(dockerfile::lint(file, &options))
    })
}

/// Whether a warning fails the build.
///
/// # Errors
/// For a check argument that cannot be read.
pub(super) fn is_strict(request: &Request, file: &Dockerfile) -> anyhow::Result<bool> {
    let own = check(request)?;
    let check = own.as_ref().or(file.directives.check.as_ref());
    Ok(check.is_some_and(|check| check.error))
}

/// `BUILDKIT_DOCKERFILE_CHECK`, which stands in for the file's own directive.
fn check(request: &Request) -> anyhow::Result<Option<Check>> {
    const NAME: &str = "BUILDKIT_DOCKERFILE_CHECK";
    let mut arguments = request.build_args.iter();
    match arguments.find(|(name, _)| name == NAME) {
        Some((_, text)) => {
            let check = Check::parse(text);
            Ok(Some(check.map_err(|why| Error::usage("read", NAME, why))?))
        }
        None => Ok(None),
    }
}

fn unknown(why: String) -> Error {
    Error::usage("build", "", why)
}

fn with_options<T>(
    engine: &Engine<'_>,
    request: &Request,
    check: Option<&Check>,
    run: impl FnOnce(&LintOptions<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let host = Platform::host();
    let target = request.platforms.first().unwrap_or(&host).to_string();
    let build = host.to_string();
    let base = |_: &Stage, name: &str| base(engine, name);
    let is_reference = |text: &str| Reference::parse(text).is_ok();
    run(&LintOptions {
        arguments: &request.build_args,
        stages: &[],
        target_platform: &target,
        build_platform: &build,
        check,
        base: &base,
        is_reference: &is_reference,
        is_ignored: &|_| false,
    })
}

/// What is known of an image that is in the store already.
fn base(engine: &Engine<'_>, name: &str) -> Option<Base> {
    let record = image::known(&engine.store, name).ok()??;
    let config = engine.store.image_config(&record).ok()?.config;
    let pair = |entry: &String| {
        let (name, value) = entry.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    Some(Base {
        environment: config.env.iter().filter_map(pair).collect(),
        shell: config.shell.is_some(),
    })
}

/// The warnings as docker prints them.
fn report(file: &Dockerfile, found: &[Warning], as_json: bool) -> String {
    if as_json {
        return document(json!({
            "warnings": found.iter().map(warning).collect::<Vec<_>>(),
            "sources": [{ "filename": file.name, "data": file.lines.join("\n") }],
        }));
    }
    let mut text = match found.len() {
        0 => return "Check complete, no warnings found.\n".to_owned(),
        1 => "Check complete, 1 warning has been found!\n".to_owned(),
        count => format!("Check complete, {count} warnings have been found!\n"),
    };
    for one in found {
        text.push_str(&format!(
            "\nWARNING: {} - {}\n{}\n",
            one.rule, one.url, one.text
        ));
        text.push_str(&file.excerpt(one.span));
    }
    text
}

/// The warnings of a build, a line each.
pub(super) fn lines(found: &[Warning]) -> String {
    let mut text = match found.len() {
        0 => return String::new(),
        1 => "\n 1 warning found (use --check to expand):\n".to_owned(),
        count => format!("\n {count} warnings found (use --check to expand):\n"),
    };
    for one in found {
        let line = one.span.line;
        text.push_str(&format!(" - {}: {} (line {line})\n", one.rule, one.text));
    }
    text
}

fn warning(one: &Warning) -> Value {
    json!({
        "ruleName": one.rule,
        "description": one.description,
        "url": one.url,
        "detail": one.text,
        "location": place(one.span),
    })
}

fn place(span: Span) -> Value {
    json!({ "ranges": [{ "start": { "line": span.line }, "end": { "line": span.end } }] })
}

fn document(value: Value) -> String {
    format!("{value:#}\n")
}

fn targets(file: &Dockerfile, as_json: bool) -> String {
    let targets = dockerfile::targets(file);
    if as_json {
        let target = |one: &dockerfile::Target| {
            json!({
                "name": one.name,
                "default": one.default,
                "description": one.description,
                "base": one.base,
                "location": place(one.span),
            })
        };
        let targets: Vec<Value> = targets.iter().map(target).collect();
        return document(json!({ "targets": targets }));
    }
    let mut table = Table::new(&["TARGET", "DESCRIPTION"]);
    for one in targets {
        let name = match (one.name.as_str(), one.default) {
            ("", _) => "(default)".to_owned(),
            (name, true) => format!("{name} (default)"),
            (name, false) => name.to_owned(),
        };
        table.row([name, one.description]);
    }
    table.render()
}

fn outline(
    engine: &Engine<'_>,
    request: &Request,
    file: &Dockerfile,
    as_json: bool,
) -> anyhow::Result<String> {
    let target = request.target.as_deref();
    let found = with_options(engine, request, None, |options| {
        Ok(dockerfile::outline(file, target, options).map_err(unknown)?)
    })?;
    if as_json {
        let needed = |list: &[(String, bool, Span)]| -> Vec<Value> {
            let one = |one: &(String, bool, Span)| json!({ "name": one.0, "required": one.1, "location": place(one.2) });
            list.iter().map(one).collect()
        };
        let argument = |one: &dockerfile::Argument| {
            json!({
                "name": one.name,
                "value": one.value,
                "description": one.description,
                "location": place(one.span),
            })
        };
        return Ok(document(json!({
            "name": found.name,
            "description": found.description,
            "args": found.arguments.iter().map(argument).collect::<Vec<_>>(),
            "secrets": needed(&found.secrets),
            "ssh": needed(&found.agents),
        })));
    }
    let mut text = String::new();
    if !found.name.is_empty() {
        text.push_str(&format!("TARGET:      {}\n", found.name));
        if !found.description.is_empty() {
            text.push_str(&format!("DESCRIPTION: {}\n", found.description));
        }
        text.push('\n');
    }
    if !found.arguments.is_empty() {
        let mut table = Table::new(&["BUILD ARG", "VALUE", "DESCRIPTION"]);
        for one in found.arguments {
            table.row([one.name, one.value, one.description]);
        }
        text.push_str(&table.render());
        text.push('\n');
    }
    for (heading, list) in [("SECRET", found.secrets), ("SSH", found.agents)] {
        if list.is_empty() {
            continue;
        }
        let mut table = Table::new(&[heading, "REQUIRED"]);
        for (name, required, _) in list {
            table.row([name, if required { "true" } else { "" }.to_owned()]);
        }
        text.push_str(&table.render());
        text.push('\n');
    }
    Ok(text)
}
