//! A stage as far as it has come: configuration, layers, arguments and the key of its files.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::common::{Digest, Error};
use crate::dockerfile::{self, Word};
use crate::oci::{DEFAULT_PATH, History, ImageConfig, MAX_CONFIG, Platform};

/// Number of a layer in the build's list of them.
pub(super) type Piece = usize;

/// The shell of an image that names none.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// Arguments that are known without a word in the Dockerfile: in the environment of commands, but
/// neither in keys nor in the history.
pub(super) const PROXIES: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

fn check_size(bytes: usize) -> Result<()> {
    match bytes <= MAX_CONFIG {
        true => Ok(()),
        false => Err(Error::usage(
            "add to the image's configuration",
            "",
            format!("it would be larger than {MAX_CONFIG} bytes, and nobody could read it"),
        )
        .into()),
    }
}

/// A stage between two instructions.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The image as it would be now. The times of its history are set at the end.
    pub(super) image: ImageConfig,
    /// Its layers, base first.
    pub(super) pieces: Vec<Piece>,
    /// How many of them its base image has.
    pub(super) base_layers: usize,
    /// How many lines of the history its base image has.
    pub(super) base_history: usize,
    /// Names all that its files depend on.
    pub(super) key: Digest,
    /// Declared arguments in the order of their declaration, with their values.
    pub(super) args: Vec<(String, Option<String>)>,
    /// What it is for.
    pub(super) platform: Platform,
    /// Character that escapes another in words.
    pub(super) escape: char,
    /// Bytes of the lines that were added to the history.
    pub(super) noted: usize,
}

impl State {
    /// What the name is worth in words of the stage's instructions: the environment first.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let mut env = self.image.config.env.iter();
        match env.find_map(|entry| value_of(entry, name)) {
            Some(value) => Some(value.to_owned()),
            None => {
                let mut args = self.args.iter();
                args.find(|(key, _)| key == name)
                    .and_then(|(_, value)| value.clone())
            }
        }
    }

    /// Expands a word.
    ///
    /// # Errors
    /// `ExpandError` for a bad substitution, or a variable that is required and not set.
    pub(super) fn expand(&self, word: &Word) -> Result<String> {
        self.expand_text(&word.raw)
    }

    /// As [`expand`](State::expand), of a text that is no word of the file's.
    pub(super) fn expand_text(&self, text: &str) -> Result<String> {
        let lookup = |name: &str| self.value(name);
        Ok(dockerfile::expand(text, self.escape, &lookup)?)
    }

    /// Expands names and their values, all from before the instruction.
    ///
    /// # Errors
    /// As [`expand`](State::expand); `Usage` for more than an image can hold.
    pub(super) fn expand_pairs(&self, pairs: &[(Word, Word)]) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        let mut size = 0;
        for (name, value) in pairs {
            let (name, value) = (self.expand(name)?, self.expand(value)?);
            size += name.len() + value.len();
            check_size(size)?;
            found.push((name, value));
        }
        Ok(found)
    }

    /// Refuses what no image can hold: what an instruction adds stands in the history.
    ///
    /// # Errors
    /// `Usage`.
    pub(super) fn check_size(&self) -> Result<()> {
        check_size(self.noted)
    }

    /// Expands a word that may come to several.
    pub(super) fn expand_words(&self, word: &Word) -> Result<Vec<String>> {
        let lookup = |name: &str| self.value(name);
        Ok(dockerfile::expand_words(&word.raw, self.escape, &lookup)?)
    }

    /// The shell of commands in shell form.
    pub(super) fn shell(&self) -> Vec<String> {
        let default = || SHELL.map(str::to_owned).to_vec();
        self.image.config.shell.clone().unwrap_or_else(default)
    }

    /// The shell of a person: without the word that makes it take a command.
    pub(super) fn interactive_shell(&self) -> Vec<String> {
        let mut words = self.shell();
        if words.len() > 1 && words.last().is_some_and(|word| word.starts_with('-')) {
            words.pop();
        }
        words
    }

    /// The working directory, absolute.
    pub(super) fn workdir(&self) -> &str {
        match self.image.config.working_dir.as_str() {
            "" => "/",
            path => path,
        }
    }

    /// Sets an argument, in its old place when it was declared before.
    pub(super) fn set_arg(&mut self, name: &str, value: Option<String>) {
        match self.args.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.args.push((name.to_owned(), value)),
        }
    }

    /// The environment of a command: the stage's, and declared arguments that it does not hide.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let entries = self.image.config.env.iter();
        let mut found: Vec<(String, String)> = entries
            .filter_map(|entry| entry.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in &self.args {
            if let Some(value) = value
                && found.iter().all(|(key, _)| key != name)
            {
                found.push((name.clone(), value.clone()));
            }
        }
        found
    }

    /// Gives the image a `PATH` where what it starts from has none: BuildKit's images always have
    /// one.
    pub(super) fn set_path(&mut self) {
        let env = &mut self.image.config.env;
        if env.iter().all(|entry| !entry.starts_with("PATH=")) {
            env.push(format!("PATH={DEFAULT_PATH}"));
        }
    }

    /// BuildKit's text of a command in the history: `|1 A=1 /bin/sh -c …`.
    pub(super) fn command_text(&self, words: &[String]) -> String {
        let mut parts = Vec::new();
        if !self.args.is_empty() {
            parts.push(format!("|{}", self.args.len()));
        }
        for (name, value) in &self.args {
            let value = self.value(name).or_else(|| value.clone());
            parts.push(format!("{name}={}", value.unwrap_or_default()));
        }
        parts.extend(words.iter().cloned());
        parts.join(" ")
    }

    /// Adds a line to the history.
    pub(super) fn note(&mut self, text: String, has_layer: bool) {
        self.noted += text.len();
        self.image.history.push(History {
            created: None,
            author: None,
            created_by: Some(text),
            comment: Some("buildkit.dockerfile.v0".to_owned()),
            empty_layer: !has_layer,
        });
    }
}

/// The value of an entry `NAME=VALUE` of that name.
pub(super) fn value_of<'e>(entry: &'e str, name: &str) -> Option<&'e str> {
    entry.strip_prefix(name)?.strip_prefix('=')
}

/// Platform arguments: `TARGETPLATFORM` and its parts, and the same of the machine that builds.
pub(super) fn platform_args(target: &Platform) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    for (prefix, platform) in [("TARGET", target), ("BUILD", &Platform::host())] {
        let variant = platform.variant.clone().unwrap_or_default();
        let parts = [
            ("PLATFORM", platform.to_string()),
            ("OS", platform.os.clone()),
            ("ARCH", platform.architecture.clone()),
            ("VARIANT", variant),
        ];
        args.extend(parts.map(|(part, value)| (format!("{prefix}{part}"), value)));
    }
    args
}
