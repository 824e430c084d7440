//! The typed instructions of a Dockerfile.
//!
//! Words stay as they stand in the file: what a variable is worth depends on the stage, the
//! platform and the build arguments, so whoever builds expands them (`expand`).

use std::time::Duration;

use super::mount::Mount;
use super::span::{Span, Word};

/// One build stage: a `FROM` and what follows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage {
    /// Position among the stages, from 0.
    pub(crate) index: usize,
    /// Its name behind `AS`, in lower case.
    pub(crate) name: Option<Word>,
    /// What it starts from, unexpanded: an image, a stage, `scratch` or a named context.
    pub(crate) base: Word,
    /// `--platform`, unexpanded.
    pub(crate) platform: Option<Word>,
    /// Its instructions, in order.
    pub(crate) instructions: Vec<Instruction>,
    /// The lines of its `FROM`.
    pub(crate) span: Span,
    /// Its `FROM` as progress shows it.
    pub(crate) source: String,
    /// Its keyword as written.
    pub(crate) keyword: Word,
    /// `AS` and its name as written.
    pub(crate) alias: Option<(Word, Word)>,
    /// The comment lines right above, trimmed.
    pub(crate) comments: Vec<String>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instruction {
    /// What it asks for.
    pub(crate) kind: Kind,
    /// Its lines, here-documents included.
    pub(crate) span: Span,
    /// The instruction on one line as progress and history show it, without here-documents:
    /// `RUN apt-get update`.
    pub(crate) source: String,
    /// Its keyword as written.
    pub(crate) keyword: Word,
    /// Its here-documents, in order.
    pub(crate) heredocs: Vec<Heredoc>,
    /// The comment lines right above, trimmed.
    pub(crate) comments: Vec<String>,
    /// Whether names and values stand in the old form `ENV name value`.
    pub(crate) legacy: bool,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heredoc {
    /// The word that ends it, unquoted; also the name of the file `COPY` and `ADD` make.
    pub(crate) name: String,
    /// File descriptor named in front of `<<`; 0 without one.
    pub(crate) descriptor: u32,
    /// Whether `COPY` and `ADD` expand variables in it: its word bears no quotes.
    pub(crate) expand: bool,
    /// Whether it was written `<<-`, which drops leading tabs.
    pub(crate) chomp: bool,
    /// Its lines as they stand in the file.
    pub(crate) raw: String,
}

impl Heredoc {
    /// Its text as the reader gets it: without leading tabs when asked so.
    pub(crate) fn text(&self) -> String {
        if !self.chomp {
            return self.raw.clone();
        }
        self.raw
            .split_inclusive('\n')
            .map(|line| line.trim_start_matches('\t'))
            .collect()
    }
}

/// What one instruction asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// `RUN`.
    Run(Run),
    /// `COPY`.
    Copy(Copy),
    /// `ADD`.
    Add(Add),
    /// `ENV`: names and values.
    Env(Vec<(Word, Word)>),
    /// `ARG`: names and defaults.
    Arg(Vec<(Word, Option<Word>)>),
    /// `LABEL`: names and values.
    Label(Vec<(Word, Word)>),
    /// `EXPOSE`: ports; each word may expand to several.
    Expose(Vec<Word>),
    /// `USER`.
    User(Word),
    /// `WORKDIR`.
    Workdir(Word),
    /// `VOLUME`: paths; each word stays one.
    Volume(Vec<Word>),
    /// `CMD`.
    Cmd(Command),
    /// `ENTRYPOINT`.
    Entrypoint(Command),
    /// `HEALTHCHECK`; `None` for `HEALTHCHECK NONE`.
    Healthcheck(Option<Healthcheck>),
    /// `STOPSIGNAL`.
    Stopsignal(Word),
    /// `SHELL`.
    Shell(Vec<String>),
    /// `ONBUILD`: the instruction for later as one text with its here-documents, as an image's
    /// configuration keeps it; `parse_trigger` reads it when it is due.
    Onbuild(String),
    /// `MAINTAINER`.
    Maintainer(String),
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// A JSON array: words for exec, no shell.
    Exec(Vec<String>),
    /// A line for the stage's shell.
    Shell(String),
}

/// `RUN`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// What runs, with here-documents put in: ready for the shell or for exec.
    pub(crate) command: Command,
    /// The file that `command` names, when the only here-document has a `#!` line.
    pub(crate) script: Option<Script>,
    /// `--mount`, in order.
    pub(crate) mounts: Vec<Mount>,
    /// `--network`: `default`, `none` or `host`.
    pub(crate) network: Option<Word>,
    /// `--security`: `sandbox` or `insecure`.
    pub(crate) security: Option<Word>,
    /// `--device`, in order, unexpanded.
    pub(crate) devices: Vec<Word>,
}

/// A here-document with a `#!` line: an executable file of mode 0755 that the step sees read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// Its absolute path in the step: `/dev/pipes/NAME`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

/// A file that `COPY` or `ADD` makes from a here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// Its file name.
    pub(crate) name: Word,
    /// Its content, unexpanded.
    pub(crate) text: String,
    /// Whether variables in it expand.
    pub(crate) expand: bool,
}

/// `COPY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    /// What is copied: paths and patterns.
    pub(crate) sources: Vec<Word>,
    /// What is made from here-documents.
    pub(crate) documents: Vec<Document>,
    /// Where it goes.
    pub(crate) destination: Word,
    /// `--from`: a stage by name or number, a named context or an image; never expanded when it
    /// names a stage.
    pub(crate) from: Option<Word>,
    /// `--chown`.
    pub(crate) chown: Option<Word>,
    /// `--chmod`.
    pub(crate) chmod: Option<Word>,
    /// `--link`.
    pub(crate) link: bool,
    /// `--parents`.
    pub(crate) parents: bool,
    /// `--exclude`, in order.
    pub(crate) excludes: Vec<Word>,
}

/// `ADD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Add {
    /// What is added: paths, patterns, URLs, git references.
    pub(crate) sources: Vec<Word>,
    /// What is made from here-documents.
    pub(crate) documents: Vec<Document>,
    /// Where it goes.
    pub(crate) destination: Word,
    /// `--chown`.
    pub(crate) chown: Option<Word>,
    /// `--chmod`.
    pub(crate) chmod: Option<Word>,
    /// `--link`.
    pub(crate) link: bool,
    /// `--exclude`, in order.
    pub(crate) excludes: Vec<Word>,
    /// `--checksum`.
    pub(crate) checksum: Option<Word>,
    /// `--keep-git-dir`, when it was given.
    pub(crate) keep_git_dir: Option<bool>,
    /// `--unpack`, when it was given.
    pub(crate) unpack: Option<bool>,
}

/// `HEALTHCHECK CMD`; what is `None` keeps docker's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Healthcheck {
    /// What is run to ask.
    pub(crate) command: Command,
    /// `--interval`.
    pub(crate) interval: Option<Duration>,
    /// `--timeout`.
    pub(crate) timeout: Option<Duration>,
    /// `--start-period`.
    pub(crate) start_period: Option<Duration>,
    /// `--start-interval`.
    pub(crate) start_interval: Option<Duration>,
    /// `--retries`.
    pub(crate) retries: Option<u32>,
}
