//! Rules about `FROM`, which knows only the arguments in front of the first stage.

use std::collections::BTreeSet;

use super::super::Dockerfile;
use super::super::error::similar_exact;
use super::super::expand::{Expansion, expand_known};
use super::super::span::Word;
use super::super::tree::{Kind, Stage};
use super::stage::Variables;
use super::{LintOptions, Report, Rule};

/// The arguments in front of the first stage, and those every build has.
pub(in crate::dockerfile) fn globals(
    file: &Dockerfile,
    options: &LintOptions<'_>,
    arguments: &[(String, String)],
) -> Variables {
    let mut variables = Variables::default();
    let given = |name: &str| {
        let found = arguments.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    for (side, platform) in [
        ("TARGET", options.target_platform),
        ("BUILD", options.build_platform),
    ] {
        let parts: Vec<&str> = platform.splitn(3, '/').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let facts = [
            ("PLATFORM", platform),
            ("OS", part(0)),
            ("ARCH", part(1)),
            ("VARIANT", part(2)),
            ("OSVERSION", ""),
        ];
        for (name, value) in facts {
            let name = format!("{side}{name}");
            let value = given(&name).unwrap_or_else(|| value.to_owned());
            variables.values.insert(name, value);
        }
    }
    variables
        .values
        .insert("TARGETSTAGE".to_owned(), "default".to_owned());
    for instruction in &file.args {
        let Kind::Arg(pairs) = &instruction.kind else {
            continue;
        };
        for (name, default) in pairs {
            variables.declared.insert(name.raw.clone());
            let escape = file.directives.escape;
            let default = default.as_ref().and_then(|word| {
                let lookup = |name: &str| variables.values.get(name).cloned();
                expand_known(&word.raw, escape, &lookup).ok()
            });
            if let Some(value) = given(&name.raw).or(default.map(|default| default.text)) {
                variables.values.insert(name.raw.clone(), value);
            }
        }
    }
    variables
}

/// `FROM` and its platform.
pub(super) fn check(
    file: &Dockerfile,
    globals: &Variables,
    options: &LintOptions<'_>,
    report: &mut Report,
) {
    let escape = file.directives.escape;
    let defaults = self::globals(file, options, &[]);
    for stage in &file.stages {
        let mut add = |rule, text| report.add(rule, stage.span, &stage.comments, text);
        let value = |name: &str| defaults.values.get(name).cloned();
        if let Ok(base) = expand_known(&stage.base.raw, escape, &value)
            && !(options.is_reference)(&base.text)
        {
            let text = format!(
                "Default value for ARG {} results in empty or invalid base image name",
                stage.base.raw
            );
            add(Rule::InvalidDefaultArgInFrom, text);
        }
        let value = |name: &str| globals.values.get(name).cloned();
        let mut undeclared = |expansion: &Expansion| {
            let known: BTreeSet<&str> = globals
                .values
                .keys()
                .chain(&globals.declared)
                .map(String::as_str)
                .collect();
            let known: Vec<&str> = known.into_iter().collect();
            for name in expansion
                .missing
                .iter()
                .filter(|name| !known.contains(&name.as_str()))
            {
                let mut text = format!("FROM argument '{name}' is not declared");
                if let Some(meant) = similar_exact(name, &known) {
                    text.push_str(&format!(" (did you mean {meant}?)"));
                }
                add(Rule::UndefinedArgInFrom, text);
            }
        };
        if let Ok(base) = expand_known(&stage.base.raw, escape, &value) {
            undeclared(&base);
        }
        let Some(word) = &stage.platform else {
            continue;
        };
        let Ok(platform) = expand_known(&word.raw, escape, &value) else {
            continue;
        };
        undeclared(&platform);
        check_platform(stage, word, &platform, value("TARGETPLATFORM"), &mut add);
    }
}

/// A platform that is the default anyway, or that is fixed.
fn check_platform(
    stage: &Stage,
    word: &Word,
    platform: &Expansion,
    wanted: Option<String>,
    add: &mut dyn FnMut(Rule, String),
) {
    if platform.used == ["TARGETPLATFORM"]
        && platform.missing.is_empty()
        && wanted.as_ref() == Some(&platform.text)
    {
        let text = format!(
            "Setting platform to predefined {} in FROM is redundant as this is the default \
                 behavior",
            word.raw
        );
        add(Rule::RedundantTargetPlatform, text);
    }
    if platform.used.is_empty() && platform.missing.is_empty() {
        let name = stage.name.as_ref().map_or("", |name| &name.raw);
        if is_constant(&platform.text, name) {
            let text = format!(
                "FROM --platform flag should not use constant value {:?}",
                platform.text
            );
            add(Rule::FromPlatformFlagConstDisallowed, text);
        }
    }
}

/// Whether a text is a platform that the stage's name does not speak of.
fn is_constant(platform: &str, name: &str) -> bool {
    const SYSTEMS: [&str; 5] = ["linux", "windows", "darwin", "freebsd", "wasi"];
    let parts: Vec<&str> = platform.split('/').collect();
    if parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
        return false;
    }
    let machine = |word: &str| match word.to_ascii_lowercase().as_str() {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        other => other.to_owned(),
    };
    let (system, machine) = match parts.as_slice() {
        [one] if SYSTEMS.contains(one) => ((*one).to_owned(), String::new()),
        [one] => ("linux".to_owned(), machine(one)),
        [system, word, ..] => ((*system).to_owned(), machine(word)),
        [] => return false,
    };
    !name.contains(&system) && (machine.is_empty() || !name.contains(&machine))
}
