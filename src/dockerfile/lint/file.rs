//! Rules that need nothing but the text.

use std::collections::BTreeSet;

use super::super::tree::{Instruction, Kind};
use super::super::{Dockerfile, Span, Stage, Word};
use super::{LintOptions, Report, Rule};

/// Checks the file as text.
pub(super) fn check(file: &Dockerfile, _options: &LintOptions<'_>, report: &mut Report) {
    for line in &file.gaps {
        let span = Span::lines(*line, *line);
        let text = "Empty continuation line".to_owned();
        report.add(Rule::NoEmptyContinuation, span, &[], text);
    }
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for stage in &file.stages {
        stage_names(stage, &mut names, report);
    }
    let instructions = || {
        let stages = file.stages.iter().flat_map(|stage| &stage.instructions);
        file.args.iter().chain(stages)
    };
    for instruction in instructions() {
        describes(instruction, report);
        if let Kind::Maintainer(_) = instruction.kind {
            let text = "Maintainer instruction is deprecated in favor of using label".to_owned();
            report.add(
                Rule::MaintainerDeprecated,
                instruction.span,
                &instruction.comments,
                text,
            );
        }
    }
    casing(file, report);
}

fn stage_names<'a>(stage: &'a Stage, names: &mut BTreeSet<&'a str>, report: &mut Report) {
    let mut add = |rule, text| report.add(rule, stage.span, &stage.comments, text);
    let (Some(name), Some((word, written))) = (&stage.name, &stage.alias) else {
        return;
    };
    if written.raw != name.raw {
        let text = format!("Stage name '{}' should be lowercase", written.raw);
        add(Rule::StageNameCasing, text);
    }
    let from = &stage.keyword.raw;
    let matches = match case(from) {
        Some(Case::Lower) => case(&word.raw) == Some(Case::Lower),
        Some(Case::Upper) => case(&word.raw) == Some(Case::Upper),
        None => true,
    };
    if !matches {
        let text = format!("'{}' and '{from}' keywords' casing do not match", word.raw);
        add(Rule::FromAsCasing, text);
    }
    if matches!(name.raw.as_str(), "scratch" | "context") {
        let text = format!(
            "Stage name should not use the same name as reserved stage {:?}",
            name.raw
        );
        add(Rule::ReservedStageName, text);
    }
    if !names.insert(&name.raw) {
        let text = format!(
            "Duplicate stage name {:?}, stage names should be unique",
            name.raw
        );
        add(Rule::DuplicateStageName, text);
    }
    let description = description("FROM", &[name], &stage.comments);
    if let Some(text) = description {
        add(Rule::InvalidDefinitionDescription, text);
    }
}

fn describes(instruction: &Instruction, report: &mut Report) {
    let Kind::Arg(pairs) = &instruction.kind else {
        return;
    };
    let names: Vec<&Word> = pairs.iter().map(|(name, _)| name).collect();
    if let Some(text) = description("ARG", &names, &instruction.comments) {
        report.add(
            Rule::InvalidDefinitionDescription,
            instruction.span,
            &instruction.comments,
            text,
        );
    }
}

/// What is wrong with the comment right above, which describes one of the names.
fn description(keyword: &str, names: &[&Word], comments: &[String]) -> Option<String> {
    let first = comments.last()?.split(' ').next()?;
    if names.is_empty() || names.iter().any(|name| name.raw == first) {
        return None;
    }
    let example = match names {
        [name] => name.raw.as_str(),
        _ => "<arg_key>",
    };
    Some(format!(
        "Comment for {keyword} should follow the format: `# {example} <description>`"
    ))
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Case {
    Lower,
    Upper,
}

fn case(word: &str) -> Option<Case> {
    if word == word.to_lowercase() {
        Some(Case::Lower)
    } else if word == word.to_uppercase() {
        Some(Case::Upper)
    } else {
        None
    }
}

/// Compares the case of each keyword with that of most.
fn casing(file: &Dockerfile, report: &mut Report) {
    let words = || {
        file.stages.iter().flat_map(|stage| {
            let own = (&stage.keyword, stage.span, &stage.comments);
            let rest = stage.instructions.iter();
            std::iter::once(own).chain(rest.map(|one| (&one.keyword, one.span, &one.comments)))
        })
    };
    let count = |wanted| {
        words()
            .filter(|word| case(&word.0.raw) == Some(wanted))
            .count()
    };
    let most = if count(Case::Lower) > count(Case::Upper) {
        Case::Lower
    } else {
        Case::Upper
    };
    let should = match most {
        Case::Lower => "lowercase",
        Case::Upper => "uppercase",
    };
    for (word, span, comments) in words() {
        if case(&word.raw) != Some(most) {
            let text = format!(
                "Command '{}' should match the case of the command majority ({should})",
                word.raw
            );
            report.add(Rule::ConsistentInstructionCasing, span, comments, text);
        }
    }
}
