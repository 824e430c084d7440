//! Rules that follow the variables from line to line.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::similar_exact;
use super::super::expand::{ExpandError, Expansion, expand_document, expand_known};
use super::super::tree::{Command, Document, Instruction, Kind};
use super::super::{Dockerfile, Stage, Word};
use super::{LintOptions, Report, Rule, base};

/// Variables and their values.
#[derive(Debug, Clone, Default)]
pub(in crate::dockerfile) struct Variables {
    pub(in crate::dockerfile) values: BTreeMap<String, String>,
    /// Declared by `ARG`, with a value or not.
    pub(super) declared: BTreeSet<String>,
}

/// What a stage hands on to one that starts from it.
#[derive(Debug, Clone, Default)]
struct State {
    variables: Variables,
    /// Whether every variable of the image it starts from is known.
    known: bool,
    workdir: bool,
    shell: bool,
}

/// Checks `FROM` of all stages and the instructions of those that are built.
pub(super) fn check(file: &Dockerfile, options: &LintOptions<'_>, report: &mut Report) {
    let globals = base::globals(file, options, options.arguments);
    base::check(file, &globals, options, report);
    let mut states: BTreeMap<usize, State> = BTreeMap::new();
    let mut room = MAX_EXPANDED;
    for stage in &file.stages {
        let state = start(file, stage, &globals, &states, options);
        let mut walk = Walk {
            file,
            options,
            globals: &globals,
            state,
            last: BTreeMap::new(),
            speaks: options.stages.is_empty() || options.stages.contains(&stage.index),
            report: &mut *report,
            room: &mut room,
        };
        for instruction in &stage.instructions {
            walk.instruction(instruction);
        }
        states.insert(stage.index, walk.state);
    }
}

/// What a stage starts with.
fn start(
    file: &Dockerfile,
    stage: &Stage,
    globals: &Variables,
    states: &BTreeMap<usize, State>,
    options: &LintOptions<'_>,
) -> State {
    let value = |name: &str| globals.values.get(name).cloned();
    let base = expand_known(&stage.base.raw, file.directives.escape, &value)
        .map(|base| base.text)
        .unwrap_or_default();
    let earlier = file.stages[..stage.index].iter().rev();
    let lower = base.to_lowercase();
    let parent = earlier
        .filter(|other| other.name.as_ref().is_some_and(|name| name.raw == lower))
        .find_map(|other| states.get(&other.index));
    if let Some(parent) = parent {
        return parent.clone();
    }
    let image = match base.as_str() {
        "scratch" => Some(super::Base::default()),
        base => (options.base)(stage, base),
    };
    let mut state = State {
        known: image.is_some(),
        ..State::default()
    };
    let image = image.unwrap_or_default();
    state.shell = image.shell;
    state
        .variables
        .values
        .insert("PATH".to_owned(), String::new());
    state.variables.values.extend(image.environment);
    state
}

/// Bytes that the words of a file may come to: a file whose words double with each line is built
/// to be refused, and not looked at to its end.
const MAX_EXPANDED: usize = 16 << 20;

/// What a variable is worth.
type Lookup<'l> = dyn Fn(&str) -> Option<String> + 'l;

struct Walk<'a> {
    file: &'a Dockerfile,
    options: &'a LintOptions<'a>,
    globals: &'a Variables,
    state: State,
    /// The last instruction of those that count once.
    last: BTreeMap<&'static str, &'a Instruction>,
    speaks: bool,
    report: &'a mut Report,
    /// Bytes that words may still come to, in all stages.
    room: &'a mut usize,
}

impl<'a> Walk<'a> {
    fn add(&mut self, rule: Rule, at: &Instruction, text: String) {
        if self.speaks {
            self.report.add(rule, at.span, &at.comments, text);
        }
    }

    /// Expands a word, with a warning for each variable that nothing sets.
    fn expand(&mut self, at: &Instruction, word: &Word) -> Expansion {
        let escape = self.file.directives.escape;
        self.expand_by(at, &|lookup| expand_known(&word.raw, escape, lookup))
    }

    fn expand_by(
        &mut self,
        at: &Instruction,
        how: &dyn Fn(&Lookup<'_>) -> Result<Expansion, ExpandError>,
    ) -> Expansion {
        if *self.room == 0 {
            return Expansion::default();
        }
        let lookup = |name: &str| self.state.variables.values.get(name).cloned();
        let expansion = how(&lookup).unwrap_or_default();
        *self.room = self.room.saturating_sub(expansion.text.len());
        self.undefined(at, &expansion.missing);
        expansion
    }

    fn undefined(&mut self, at: &Instruction, missing: &[String]) {
        if !self.state.known {
            return;
        }
        for name in missing {
            if self.state.variables.declared.contains(name) {
                continue;
            }
            let known: Vec<&str> = self
                .state
                .variables
                .values
                .keys()
                .map(String::as_str)
                .collect();
            let mut text = format!("Usage of undefined variable '${name}'");
            if let Some(meant) = similar_exact(name, &known) {
                text.push_str(&format!(" (did you mean ${meant}?)"));
            }
            self.add(Rule::UndefinedVar, at, text);
        }
    }

    fn instruction(&mut self, one: &'a Instruction) {
        if one.legacy {
            let word = &one.keyword.raw;
            let text = format!(
                "\"{word} key=value\" should be used instead of legacy \"{word} key value\" format"
            );
            self.add(Rule::LegacyKeyValueFormat, one, text);
        }
        match &one.kind {
            Kind::Env(pairs) => self.environment(one, pairs),
            Kind::Arg(pairs) => self.arguments(one, pairs),
            Kind::Label(pairs) => {
                for (name, value) in pairs {
                    self.expand(one, name);
                    self.expand(one, value);
                }
            }
            Kind::Copy(copy) => {
                let context = copy.from.is_none();
                let words = [&copy.chown, &copy.chmod];
                self.words(one, words.into_iter().flatten());
                self.files(
                    one,
                    &copy.sources,
                    &copy.documents,
                    &copy.destination,
                    context,
                );
            }
            Kind::Add(add) => {
                let words = [&add.chown, &add.chmod, &add.checksum];
                self.words(one, words.into_iter().flatten());
                self.files(one, &add.sources, &add.documents, &add.destination, true);
            }
            Kind::Workdir(path) => self.workdir(one, path),
            Kind::User(word) | Kind::Stopsignal(word) => self.words(one, std::iter::once(word)),
            Kind::Volume(words) => self.words(one, words.iter()),
            Kind::Expose(words) => self.ports(one, words),
            Kind::Cmd(command) => {
                self.once(one, "CMD");
                self.command(one, command);
            }
            Kind::Entrypoint(command) => {
                self.once(one, "ENTRYPOINT");
                self.command(one, command);
            }
            Kind::Healthcheck(_) => self.once(one, "HEALTHCHECK"),
            Kind::Shell(_) => self.state.shell = true,
            Kind::Run(_) | Kind::Onbuild(_) | Kind::Maintainer(_) => {}
        }
    }

    fn words<'w>(&mut self, at: &Instruction, words: impl Iterator<Item = &'w Word>) {
        for word in words {
            self.expand(at, word);
        }
    }

    fn environment(&mut self, at: &Instruction, pairs: &[(Word, Word)]) {
        let expanded: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| (self.expand(at, name).text, self.expand(at, value).text))
            .collect();
        for (name, value) in expanded {
            self.secret(at, "ENV", &name);
            self.state.variables.values.insert(name, value);
        }
    }

    fn arguments(&mut self, at: &Instruction, pairs: &[(Word, Option<Word>)]) {
        for (name, default) in pairs {
            let name = &name.raw;
            self.secret(at, "ARG", name);
            let given = self
                .options
                .arguments
                .iter()
                .rev()
                .find(|(key, _)| key == name);
            let value = match (given, default) {
                (Some((_, value)), _) => Some(value.clone()),
                (None, Some(word)) => Some(self.expand(at, word).text),
                (None, None) => self.globals.values.get(name).cloned(),
            };
            let variables = &mut self.state.variables;
            variables.declared.insert(name.clone());
            variables
                .values
                .extend(value.map(|value| (name.clone(), value)));
        }
    }

    fn secret(&mut self, at: &Instruction, keyword: &str, name: &str) {
        if is_secret(name) {
            let text = format!(
                "Do not use ARG or ENV instructions for sensitive data ({keyword} {name:?})"
            );
            self.add(Rule::SecretsUsedInArgOrEnv, at, text);
        }
    }

    fn files(
        &mut self,
        at: &Instruction,
        sources: &[Word],
        documents: &[Document],
        destination: &Word,
        context: bool,
    ) {
        for source in sources {
            let source = self.expand(at, source).text;
            let remote = source.contains("://") || source.starts_with("git@");
            if context && !remote {
                self.source(at, &source);
            }
        }
        self.expand(at, destination);
        for document in documents.iter().filter(|document| document.expand) {
            self.expand_by(at, &|lookup| expand_document(&document.text, lookup));
        }
    }

    fn source(&mut self, at: &Instruction, source: &str) {
        let mut path = Vec::new();
        for part in source.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    path.pop();
                }
                part => path.push(part),
            }
        }
        let path = match path.join("/") {
            path if path.is_empty() => ".".to_owned(),
            path => path,
        };
        if (self.options.is_ignored)(&path) {
            let verb = match at.kind {
                Kind::Add(_) => "Add",
                _ => "Copy",
            };
            let text =
                format!("Attempting to {verb} file {path:?} that is excluded by .dockerignore");
            self.add(Rule::CopyIgnoredFile, at, text);
        }
    }

    fn workdir(&mut self, at: &Instruction, path: &Word) {
        let path = self.expand(at, path).text;
        if !self.state.workdir && !path.starts_with('/') {
            let text = format!(
                "Relative workdir {path:?} can have unexpected results if the base image changes"
            );
            self.add(Rule::WorkdirRelativePath, at, text);
        }
        self.state.workdir = true;
    }

    fn ports(&mut self, at: &Instruction, words: &[Word]) {
        for word in words {
            let lookup = |name: &str| self.state.variables.values.get(name).cloned();
            let expansion = expand_known(&word.raw, self.file.directives.escape, &lookup);
            for port in expansion.unwrap_or_default().words {
                let (address, container) = port.rsplit_once(':').unwrap_or(("", &port));
                let protocol = container
                    .split_once('/')
                    .map_or("", |(_, protocol)| protocol);
                if protocol != protocol.to_lowercase() {
                    let text = format!(
                        "Defined protocol '{port}' in EXPOSE instruction should be lowercase"
                    );
                    self.add(Rule::ExposeProtoCasing, at, text);
                }
                if !address.is_empty() {
                    let text = format!(
                        "EXPOSE instruction should not define an IP address or host-port mapping, \
                         found '{port}'"
                    );
                    self.add(Rule::ExposeInvalidFormat, at, text);
                }
            }
        }
    }

    fn once(&mut self, at: &'a Instruction, what: &'static str) {
        // The one that will not count is cited.
        if let Some(earlier) = self.last.insert(what, at) {
            let text = format!(
                "Multiple {} instructions should not be used in the same stage because only the \
                 last one will be used",
                at.keyword.raw
            );
            self.add(Rule::MultipleInstructionsDisallowed, earlier, text);
        }
    }

    fn command(&mut self, at: &Instruction, command: &Command) {
        if matches!(command, Command::Shell(_)) && !self.state.shell {
            let text = format!(
                "JSON arguments recommended for {} to prevent unintended behavior related to OS \
                 signals",
                at.keyword.raw
            );
            self.add(Rule::JsonArgsRecommended, at, text);
        }
    }
}

/// Whether a name speaks of something secret: one of its words does, and none takes it back.
fn is_secret(name: &str) -> bool {
    const SECRET: [&str; 10] = [
        "apikey",
        "auth",
        "credential",
        "credentials",
        "key",
        "password",
        "pword",
        "passwd",
        "secret",
        "token",
    ];
    const HARMLESS: [&str; 3] = ["public", "file", "version"];
    let lower = name.to_lowercase();
    let any = |known: &[&str]| lower.split('_').any(|word| known.contains(&word));
    any(&SECRET) && !any(&HARMLESS)
}
