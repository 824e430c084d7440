//! Which command the words name, found without building clap's tree of all of them.
//!
//! Building every command costs more than a container start may (performance.md, section 4,
//! item 5): the first plain word picks the verb, and only its `Command` is built. Help, unknown
//! words and generated documents take the whole tree.

use std::ffi::{OsStr, OsString};

use clap::{ArgAction, ArgMatches, Args as _, Command};

use crate::cli::args::{GLOBAL_FLAGS, GlobalArgs};
use crate::cli::session::Session;
use crate::common::ExitStatus;

/// A command: its spellings, its clap definition and its code.
pub(crate) struct Verb {
    /// Every spelling, such as `ps` and `container ls`; the first one is its name in texts.
    pub(crate) spellings: &'static [&'static str],
    /// Builds the definition.
    pub(crate) command: fn() -> Command,
    /// Runs it.
    pub(crate) run: fn(&ArgMatches, &Session) -> anyhow::Result<ExitStatus>,
    /// True for `run`: its own failures are 125 in every personality.
    pub(crate) engine_failure: bool,
}

/// Groups and what their help says.
pub(crate) const GROUPS: [(&str, &str); 11] = [
    ("builder", "Manage builds"),
    ("buildx", "Build images and manage the build cache"),
    ("buildx imagetools", "Look at images in registries"),
    ("container", "Manage containers"),
    ("generate", "Generate files from containers"),
    ("healthcheck", "Manage health checks of containers"),
    ("image", "Manage images"),
    ("network", "Manage networks"),
    ("secret", "Manage secrets"),
    ("volume", "Manage volumes"),
    ("system", "Manage ketch"),
];

/// What the words ask for.
pub(crate) enum Asked {
    /// `--version`.
    Version,
    /// One command, under this spelling.
    Verb(&'static Verb, &'static str),
    /// Help, nothing, or words that name no command.
    Other,
}

/// Whether a flag and its value are one of every command's.
fn is_global((flag, _): (&str, &str)) -> bool {
    GLOBAL_FLAGS.contains(&flag)
}

/// Looks at the words after the program's name.
pub(crate) fn locate(verbs: &'static [Verb], words: &[OsString]) -> Asked {
    let mut words = words.iter().map(|word| word.to_str().unwrap_or(""));
    let first = loop {
        match words.next() {
            Some("--version" | "-v") => return Asked::Version,
            Some(flag) if GLOBAL_FLAGS.contains(&flag) => drop(words.next()),
            Some(flag) if flag.split_once('=').is_some_and(is_global) => {}
            Some(word) if !word.is_empty() && !word.starts_with('-') => break word,
            _ => return Asked::Other,
        }
    };
    let mut asked = first.to_owned();
    while GROUPS.iter().any(|(group, _)| *group == asked) {
        match words.next() {
            Some(word) => asked = format!("{asked} {word}"),
            None => return Asked::Other,
        }
    }
    let found = |spelling: &&&'static str| **spelling == asked;
    for verb in verbs {
        if let Some(spelling) = verb.spellings.iter().find(found) {
            return Asked::Verb(verb, spelling);
        }
    }
    Asked::Other
}

/// The root command with the global flags and nothing below.
pub(crate) fn root() -> Command {
    // The arguments first: augmenting sets the group's own comment as the text about ketch.
    GlobalArgs::augment_args(Command::new("ketch"))
        .about("Run container images as plain processes, without a daemon")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .arg(
            clap::Arg::new("version")
                .short('v')
                .long("version")
                .action(ArgAction::Version)
                .help("Print version information and quit"),
        )
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .args_override_self(true)
}

/// The definition of one verb under one spelling, ready to parse.
pub(crate) fn single(verb: &Verb, spelling: &'static str) -> Command {
    let leaf = |name: &'static str| optional_values((verb.command)().name(name));
    let mut names = spelling.rsplit(' ');
    let mut command = leaf(names.next().unwrap_or(spelling));
    for group in names {
        command = Command::new(group).subcommand(command);
    }
    root().subcommand(command)
}

/// The whole tree, as help, man pages and completions show it: per group the first spelling is
/// the name, the others are aliases.
pub(crate) fn tree(verbs: &[Verb]) -> Command {
    let mut root = root();
    let mut groups: Vec<(&str, Command)> = GROUPS
        .iter()
        .map(|(path, about)| {
            let name = path.rsplit(' ').next().unwrap_or(path);
            let group = Command::new(name)
                .about(*about)
                .subcommand_required(true)
                .disable_help_subcommand(true);
            (*path, group)
        })
        .collect();
    for verb in verbs {
        let named = |group: &str| -> Option<Command> {
            let mut names = verb.spellings.iter().filter_map(|spelling| {
                let (prefix, name) = spelling.rsplit_once(' ').unwrap_or(("", spelling));
                (prefix == group).then_some(name)
            });
            let name = names.next()?;
            Some((verb.command)().name(name).visible_aliases(names))
        };
        if let Some(leaf) = named("") {
            root = root.subcommand(leaf);
        }
        groups = groups
            .into_iter()
            .map(|(path, group)| match named(path) {
                Some(leaf) => (path, group.subcommand(leaf)),
                None => (path, group),
            })
            .collect();
    }
    let (nested, mut groups): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(path, _)| path.contains(' '));
    for (path, group) in nested {
        let above = path.rsplit_once(' ').map(|(above, _)| above);
        groups = groups
            .into_iter()
            .map(|(path, parent)| match Some(path) == above {
                true => (path, parent.subcommand(group.clone())),
                false => (path, parent),
            })
            .collect();
    }
    root.subcommands(groups.into_iter().map(|(_, group)| group))
}

/// docker's booleans take an optional value (`--rm=false`). Definitions say plain `bool`, so
/// that help shows a plain flag; parsing lets the value in. And a flag that needs a value takes
/// the next word, whatever it begins with (pflag).
pub(crate) fn optional_values(command: Command) -> Command {
    command.args_override_self(true).mut_args(|arg| {
        if !matches!(arg.get_action(), ArgAction::SetTrue) {
            let optional = arg.is_require_equals_set() || arg.is_positional();
            return match arg.get_action().takes_values() && !optional {
                true => arg.allow_hyphen_values(true),
                false => arg,
            };
        }
        arg.action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_parser(crate::cli::parse::boolean::parse)
    })
}

/// The matches of the verb below those of the groups.
pub(crate) fn leaf(matches: &ArgMatches) -> &ArgMatches {
    let mut leaf = matches;
    while let Some((_, below)) = leaf.subcommand() {
        leaf = below;
    }
    leaf
}

/// The command that help is about: the longest path of plain words that names one. `None` when
/// a word after it should have named a command and does not.
pub(crate) fn helped(tree: &Command, words: &[OsString]) -> Option<Command> {
    let plain = |word: &&OsString| word.to_str().is_some_and(|word| !word.starts_with('-'));
    let mut command = tree;
    for word in words
        .iter()
        .filter(plain)
        .filter(|word| *word != OsStr::new("help"))
    {
        match command.find_subcommand(word) {
            Some(below) => command = below,
            None if command.has_subcommands() => return None,
            None => break,
        }
    }
    Some(command.clone())
}

/// The first word that means nothing here: a flag ketch itself does not have, or a command.
pub(crate) fn stranger<'w>(tree: &Command, words: &'w [OsString]) -> &'w str {
    let mut command = tree;
    for word in words.iter().filter_map(|word| word.to_str()) {
        match command.find_subcommand(word) {
            Some(below) => command = below,
            None => return word,
        }
    }
    ""
}
