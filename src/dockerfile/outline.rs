//! What a file offers: its targets, and what one of them wants to be told.

use std::collections::BTreeSet;

use super::error::similar_exact;
use super::expand::expand_known;
use super::lint::{LintOptions, globals};
use super::mount::MountKind;
use super::tree::{Kind, Stage};
use super::{Dockerfile, Span};

/// A stage that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name; empty for one that is built only when it is the last.
    pub(crate) name: String,
    /// Whether it is what a build without a target makes.
    pub(crate) default: bool,
    /// What the comment above says (`# NAME text`); may be empty.
    pub(crate) description: String,
    /// What it starts from, as written.
    pub(crate) base: String,
    /// Where.
    pub(crate) span: Span,
}

/// What a target wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outline {
    /// Its name; may be empty.
    pub(crate) name: String,
    /// What the comment above says; may be empty.
    pub(crate) description: String,
    /// Build arguments.
    pub(crate) arguments: Vec<Argument>,
    /// Secrets: id, whether it must be there, where.
    pub(crate) secrets: Vec<(String, bool, Span)>,
    /// Agents of ssh, likewise.
    pub(crate) agents: Vec<(String, bool, Span)>,
}

/// A build argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Argument {
    /// Its name.
    pub(crate) name: String,
    /// Its value in this build; empty without one.
    pub(crate) value: String,
    /// What the comment above says; may be empty.
    pub(crate) description: String,
    /// Where it is declared.
    pub(crate) span: Span,
}

/// The stages that can be built: those with a name, and the last.
pub(crate) fn targets(file: &Dockerfile) -> Vec<Target> {
    let last = file.stages.len().saturating_sub(1);
    let stages = file.stages.iter();
    stages
        .filter(|stage| stage.name.is_some() || stage.index == last)
        .map(|stage| Target {
            name: name(stage).to_owned(),
            default: stage.index == last,
            description: describe(&stage.comments, name(stage)),
            base: stage.base.raw.clone(),
            span: stage.span,
        })
        .collect()
}

/// What `target` and all that it needs want to be told; the last stage without a target.
///
/// # Errors
/// The stage does not exist: docker's words.
pub(crate) fn outline(
    file: &Dockerfile,
    target: Option<&str>,
    options: &LintOptions<'_>,
) -> Result<Outline, String> {
    let wanted = find(file, target)?;
    let needed = reachable(file, wanted, options);
    let stage = &file.stages[wanted];
    let mut outline = Outline {
        name: name(stage).to_owned(),
        description: describe(&stage.comments, name(stage)),
        ..Outline::default()
    };
    let values = globals(file, options, options.arguments);
    let used = used(file, &needed, options);
    let lookup = |name: &str| values.values.get(name).cloned();
    let heads = file.args.iter().map(|one| (one, true));
    let stages = needed.iter().map(|index| &file.stages[*index].instructions);
    let mut seen = BTreeSet::new();
    for (one, head) in heads.chain(stages.flatten().map(|one| (one, false))) {
        let Kind::Arg(pairs) = &one.kind else {
            continue;
        };
        for (word, default) in pairs {
            let known = values.values.contains_key(&word.raw);
            // Without a default, a stage only asks for what the head of the file declares.
            let told = match head {
                true => used.contains(&word.raw),
                false => default.is_some() || !known,
            };
            if !told || !seen.insert(word.raw.clone()) {
                continue;
            }
            let mut given = options.arguments.iter().rev();
            let given = given.find(|(key, _)| *key == word.raw);
            let default = default
                .as_ref()
                .and_then(|word| expand_known(&word.raw, file.directives.escape, &lookup).ok());
            outline.arguments.push(Argument {
                name: word.raw.clone(),
                value: given
                    .map(|(_, value)| value.clone())
                    .or(default.map(|default| default.text))
                    .unwrap_or_default(),
                description: describe(&one.comments, &word.raw),
                span: one.span,
            });
        }
    }
    mounts(file, &needed, &mut outline);
    outline.arguments.sort_by_key(|one| one.span.line);
    Ok(outline)
}

/// The names that the needed stages use of those in the head of the file, and what these use.
fn used(file: &Dockerfile, needed: &[usize], options: &LintOptions<'_>) -> BTreeSet<String> {
    let escape = file.directives.escape;
    let values = globals(file, options, options.arguments);
    let lookup = |name: &str| values.values.get(name).cloned();
    let names = |text: &str| {
        let found = expand_known(text, escape, &lookup).unwrap_or_default();
        found.used.into_iter().chain(found.missing)
    };
    let mut used = BTreeSet::new();
    for stage in needed.iter().map(|index| &file.stages[*index]) {
        used.extend(names(&stage.base.raw));
        used.extend(stage.platform.iter().flat_map(|word| names(&word.raw)));
        for one in &stage.instructions {
            if let Kind::Arg(pairs) = &one.kind {
                used.extend(pairs.iter().map(|(word, _)| word.raw.clone()));
            }
        }
    }
    // A default uses only what stands above it.
    for one in file.args.iter().rev() {
        if let Kind::Arg(pairs) = &one.kind {
            for (word, default) in pairs.iter().rev() {
                if used.contains(&word.raw) {
                    used.extend(default.iter().flat_map(|word| names(&word.raw)));
                }
            }
        }
    }
    used
}

/// The stage called so, by name or number.
///
/// # Errors
/// There is none.
pub(crate) fn find(file: &Dockerfile, target: Option<&str>) -> Result<usize, String> {
    let Some(target) = target.filter(|target| !target.is_empty()) else {
        return Ok(file.stages.len().saturating_sub(1));
    };
    let lower = target.to_lowercase();
    let named = file.stages.iter().rev().find(|stage| name(stage) == lower);
    let number = || {
        target
            .parse::<usize>()
            .ok()
            .and_then(|at| file.stages.get(at))
    };
    if let Some(stage) = named.or_else(number) {
        return Ok(stage.index);
    }
    let names: Vec<&str> = file
        .stages
        .iter()
        .map(name)
        .filter(|name| !name.is_empty())
        .collect();
    let mut text = format!("target stage {target:?} could not be found");
    if let Some(meant) = similar_exact(&lower, &names) {
        text.push_str(&format!(" (did you mean {meant}?)"));
    }
    Err(text)
}

/// The stages that one needs, itself included, in the order of the file.
pub(crate) fn reachable(file: &Dockerfile, wanted: usize, options: &LintOptions<'_>) -> Vec<usize> {
    let values = globals(file, options, options.arguments);
    let mut found = BTreeSet::new();
    let mut open = vec![wanted];
    while let Some(index) = open.pop() {
        let Some(stage) = file.stages.get(index).filter(|_| found.insert(index)) else {
            continue;
        };
        let earlier = |text: &str| {
            let lower = text.to_lowercase();
            let before = file.stages[..index].iter().rev();
            let mut named = before.filter(|stage| !lower.is_empty() && name(stage) == lower);
            named.next().map(|stage| stage.index)
        };
        let numbered = |text: &str| {
            let number = text.parse::<usize>().ok().filter(|number| *number < index);
            number.or_else(|| earlier(text))
        };
        let lookup = |name: &str| values.values.get(name).cloned();
        let base = expand_known(&stage.base.raw, file.directives.escape, &lookup);
        open.extend(base.ok().and_then(|base| earlier(&base.text)));
        for one in &stage.instructions {
            match &one.kind {
                Kind::Copy(copy) => {
                    open.extend(copy.from.as_ref().and_then(|from| numbered(&from.raw)));
                }
                Kind::Run(run) => {
                    let froms = run.mounts.iter().filter_map(|mount| mount.from.as_ref());
                    open.extend(froms.filter_map(|from| numbered(&from.raw)));
                }
                _ => {}
            }
        }
    }
    found.into_iter().collect()
}

fn mounts(file: &Dockerfile, needed: &[usize], outline: &mut Outline) {
    let plain = |value: &str| Ok(value.to_owned());
    for one in needed
        .iter()
        .flat_map(|index| &file.stages[*index].instructions)
    {
        let Kind::Run(run) = &one.kind else {
            continue;
        };
        for spec in run
            .mounts
            .iter()
            .filter_map(|mount| mount.resolve(&plain).ok())
        {
            let (list, id) = match spec.kind {
                MountKind::Secret => (&mut outline.secrets, spec.secret_id()),
                MountKind::Ssh => (&mut outline.agents, spec.agent_id()),
                _ => continue,
            };
            match list.iter_mut().find(|(known, _, _)| known == id) {
                Some((_, required, _)) => *required |= spec.required,
                None => list.push((id.to_owned(), spec.required, one.span)),
            }
        }
    }
}

fn name(stage: &Stage) -> &str {
    stage.name.as_ref().map_or("", |name| name.raw.as_str())
}

/// What a comment line `NAME text` says about a name.
fn describe(comments: &[String], name: &str) -> String {
    let about = |comment: &String| {
        let text = comment.strip_prefix(name)?.strip_prefix(' ')?;
        Some(text.trim().to_owned())
    };
    match name {
        "" => String::new(),
        _ => comments.iter().find_map(about).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lint::tests::options;
    use super::super::parse;
    use super::*;

    const TEXT: &str = "\
# V which base
ARG V=1
ARG NEVER
FROM base:$V AS tools
ARG DEPTH=$V
RUN --mount=type=secret,id=key,required x
FROM scratch AS unused
ARG OTHER=1
# Build makes it
# build the program
FROM tools AS build
ARG V
RUN --mount=type=secret,target=/run/token --mount=type=ssh x
FROM scratch
COPY --from=1 /a /b
COPY --from=build /a /b
";

    #[test]
    fn targets_are_those_with_a_name_and_the_last() {
        let file = parse(TEXT.as_bytes(), "Dockerfile").unwrap();
        let all: Vec<_> = targets(&file)
            .into_iter()
            .map(|one| (one.name, one.default, one.description, one.base))
            .collect();
        let line = |name: &str, default, about: &str, base: &str| {
            (name.to_owned(), default, about.to_owned(), base.to_owned())
        };
        assert_eq!(
            all,
            [
                line("tools", false, "", "base:$V"),
                line("unused", false, "", "scratch"),
                line("build", false, "the program", "tools"),
                line("", true, "", "scratch"),
            ]
        );
    }

    #[test]
    fn an_outline_tells_what_the_target_needs() {
        let file = parse(TEXT.as_bytes(), "Dockerfile").unwrap();
        let arguments = [("V".to_owned(), "2".to_owned())];
        let options = LintOptions {
            arguments: &arguments,
            ..options()
        };
        let found = outline(&file, Some("BUILD"), &options).unwrap();
        let arguments: Vec<_> = found
            .arguments
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.value.as_str(),
                    one.description.as_str(),
                )
            })
            .collect();
        assert_eq!(arguments, [("V", "2", "which base"), ("DEPTH", "2", "")]);
        let secrets: Vec<_> = found
            .secrets
            .iter()
            .map(|one| (one.0.as_str(), one.1))
            .collect();
        assert_eq!(secrets, [("key", true), ("token", false)]);
        assert_eq!(found.agents.len(), 1);
        assert_eq!(
            (found.name.as_str(), found.description.as_str()),
            ("build", "the program")
        );
        assert_eq!(reachable(&file, 3, &options), [0, 1, 2, 3]);
        assert_eq!(reachable(&file, 1, &options), [1]);
        let error = outline(&file, Some("biuld"), &options).unwrap_err();
        assert_eq!(
            error,
            "target stage \"biuld\" could not be found (did you mean build?)"
        );
        assert_eq!(find(&file, Some("0")), Ok(0));
        assert_eq!(find(&file, None), Ok(3));
    }
}
