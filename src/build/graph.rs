//! Which stages a target needs, and what each starts from.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::named::{self, ImageAt, Named, NamedPlace};
use super::state::platform_args;
use crate::common::{Error, Kind};
use crate::dockerfile::{self, Dockerfile, Instruction, Stage};
use crate::oci::Platform;

/// What a stage starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing.
    Scratch,
    /// An earlier stage.
    Stage(usize),
    /// An image.
    Image(ImageAt),
    /// The files of a context of that name, over nothing.
    Context(String),
}

/// Where files come from that are named by `--from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// An earlier stage.
    Stage(usize),
    /// A context of that name.
    Context(String),
    /// An image.
    Image(ImageAt),
}

/// One stage of the graph.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What it starts from.
    pub(super) base: Base,
    /// What it is for.
    pub(super) platform: Platform,
    /// Earlier stages whose files it uses.
    pub(super) needs: BTreeSet<usize>,
}

/// The stages of a file for one platform.
#[derive(Debug)]
pub(super) struct Graph {
    /// All of them.
    pub(super) nodes: Vec<Node>,
    /// Those that the target needs, itself included.
    pub(super) needed: BTreeSet<usize>,
    /// Those whose layers the target has: itself and what it starts from.
    pub(super) exported: BTreeSet<usize>,
    /// The target.
    pub(super) target: usize,
    /// The arguments in front of the first stage.
    pub(super) globals: BTreeMap<String, String>,
}

/// Reads the graph of a file. A name of `contexts` goes before stages and images.
///
/// # Errors
/// `NotFound` for an unknown target; `Usage` for a stage without a base.
pub(super) fn of(
    file: &Dockerfile,
    target: Option<&str>,
    platform: &Platform,
    build_args: &[(String, String)],
    contexts: &[Named],
) -> Result<Graph> {
    let globals = globals(file, platform, build_args)?;
    let mut nodes = Vec::new();
    for stage in &file.stages {
        nodes.push(node(file, stage, platform, &globals, contexts)?);
    }
    let target = find_target(file, target)?;
    let mut graph = Graph {
        nodes,
        needed: BTreeSet::new(),
        exported: BTreeSet::new(),
        target,
        globals,
    };
    graph.need(target);
    let mut at = Some(target);
    while let Some(index) = at {
        graph.exported.insert(index);
        at = match graph.nodes[index].base {
            Base::Stage(below) => Some(below),
            _ => None,
        };
    }
    Ok(graph)
}

impl Graph {
    /// Adds a stage, and all that it needs, to those that are built. Stages need earlier ones
    /// only, so that this ends.
    pub(super) fn need(&mut self, stage: usize) {
        let mut open = vec![stage];
        while let Some(index) = open.pop() {
            if !self.needed.insert(index) {
                continue;
            }
            open.extend(self.nodes[index].needs.iter().copied());
            if let Base::Stage(below) = self.nodes[index].base {
                open.push(below);
            }
        }
    }
}

/// Arguments in front of the first stage, and those of the platforms.
fn globals(
    file: &Dockerfile,
    platform: &Platform,
    build_args: &[(String, String)],
) -> Result<BTreeMap<String, String>> {
    let mut globals = platform_args(platform);
    let given = |name: &str| {
        let mut args = build_args.iter().rev();
        args.find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    for instruction in &file.args {
        let dockerfile::Kind::Arg(args) = &instruction.kind else {
            continue;
        };
        for (name, default) in args {
            let expand = |text: &str| {
                let lookup = |name: &str| globals.get(name).cloned();
                dockerfile::expand(text, file.directives.escape, &lookup)
            };
            let name = expand(&name.raw)?;
            let value = match (given(&name), default) {
                (Some(value), _) => Some(value),
                (None, Some(default)) => Some(expand(&default.raw)?),
                (None, None) => None,
            };
            if let Some(value) = value {
                globals.insert(name, value);
            }
        }
    }
    Ok(globals)
}

fn node(
    file: &Dockerfile,
    stage: &Stage,
    platform: &Platform,
    globals: &BTreeMap<String, String>,
    contexts: &[Named],
) -> Result<Node> {
    let expand = |text: &str| {
        let lookup = |name: &str| globals.get(name).cloned();
        dockerfile::expand(text, file.directives.escape, &lookup)
    };
    let base = expand(&stage.base.raw)?;
    if base.is_empty() {
        let why = format!("base name ({}) should not be blank", stage.base.raw);
        return Err(Error::usage("read", &stage.source, why).into());
    }
    let platform = match &stage.platform {
        Some(word) => expand(&word.raw)?.parse()?,
        None => platform.clone(),
    };
    let base = match (
        named::find(contexts, &base),
        by_name(file, &base, stage.index),
    ) {
        (Some(named), _) => match &named.place {
            NamedPlace::Image(image) => Base::Image(image.clone()),
            _ => Base::Context(named.name.clone()),
        },
        (None, Some(index)) => Base::Stage(index),
        (None, None) if base == "scratch" => Base::Scratch,
        (None, None) => Base::Image(ImageAt::Name(base)),
    };
    let mut needs = BTreeSet::new();
    for name in stage.instructions.iter().flat_map(from_names) {
        match from(file, name, stage.index, contexts)? {
            From::Stage(index) => drop(needs.insert(index)),
            From::Context(_) | From::Image(_) => {}
        }
    }
    Ok(Node {
        base,
        platform,
        needs,
    })
}

/// The names that an instruction takes files from.
pub(super) fn from_names(instruction: &Instruction) -> Vec<&str> {
    match &instruction.kind {
        dockerfile::Kind::Copy(copy) => copy.from.iter().map(|word| word.raw.as_str()).collect(),
        dockerfile::Kind::Run(run) => {
            let mounts = run.mounts.iter();
            mounts
                .filter_map(|mount| Some(mount.from.as_ref()?.raw.as_str()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// What a name of `--from` means in the stage `index`.
///
/// # Errors
/// `Usage` for the number of a stage that is not an earlier one.
pub(super) fn from(
    file: &Dockerfile,
    name: &str,
    index: usize,
    contexts: &[Named],
) -> Result<From> {
    if let Some(named) = named::find(contexts, name) {
        return Ok(match &named.place {
            NamedPlace::Image(image) => From::Image(image.clone()),
            _ => From::Context(named.name.clone()),
        });
    }
    if let Some(found) = by_name(file, name, index) {
        return Ok(From::Stage(found));
    }
    if let Ok(number) = name.parse::<usize>() {
        if number < index {
            return Ok(From::Stage(number));
        }
        let why = match number == index {
            true => "it is this stage itself",
            false => "invalid stage index: no earlier stage has it",
        };
        return Err(Error::usage("copy from stage", name, why).into());
    }
    let own = file.stages.get(index).and_then(|stage| stage.name.as_ref());
    if own.is_some_and(|own| own.raw.eq_ignore_ascii_case(name)) {
        let why = "circular dependency detected in stage: it is this stage itself";
        return Err(Error::usage("copy from stage", name, why).into());
    }
    Ok(From::Image(ImageAt::Name(name.to_owned())))
}

/// An earlier stage by its name; the last of that name counts.
fn by_name(file: &Dockerfile, name: &str, before: usize) -> Option<usize> {
    let named = |stage: &&Stage| {
        let own = stage.name.as_ref();
        own.is_some_and(|own| own.raw.eq_ignore_ascii_case(name))
    };
    let stages = file.stages[..before.min(file.stages.len())].iter();
    stages.rev().find(named).map(|stage| stage.index)
}

fn find_target(file: &Dockerfile, target: Option<&str>) -> Result<usize> {
    let last = file.stages.len().saturating_sub(1);
    let Some(target) = target.filter(|target| !target.is_empty()) else {
        return Ok(last);
    };
    if let Some(index) = by_name(file, target, file.stages.len()) {
        return Ok(index);
    }
    match target.parse::<usize>() {
        Ok(index) if index <= last => Ok(index),
        _ => {
            let names = file.stages.iter().filter_map(|stage| stage.name.as_ref());
            let names: Vec<&str> = names.map(|name| name.raw.as_str()).collect();
            Err(Error::new(Kind::NotFound, "find target stage", target)
                .because(format!("target stage {target:?} could not be found"))
                .hint(format!("the stages with names are: {}", names.join(", ")))
                .into())
        }
    }
}
