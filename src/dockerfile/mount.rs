//! `RUN --mount`: the options as written, and what they mean once their variables are known.

use super::span::Word;

/// `--mount` as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The whole value: `type=cache,target=/x`.
    pub(crate) word: Word,
    /// `from`, which is never expanded: the graph needs it before any variable is known.
    pub(crate) from: Option<Word>,
    /// The options in order: key in lower case, value behind `=` unexpanded.
    pub(crate) options: Vec<(String, Option<String>)>,
}

/// What a mount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MountKind {
    /// Files of the context, a stage or an image; what is written is thrown away.
    Bind,
    /// A directory kept between builds.
    Cache,
    /// Memory.
    Tmpfs,
    /// A secret as a file or a variable.
    Secret,
    /// The socket of an ssh agent.
    Ssh,
}

/// Who may use one cache directory at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Sharing {
    /// Everyone.
    #[default]
    Shared,
    /// Another step at the same time gets a fresh directory.
    Private,
    /// Another step waits.
    Locked,
}

/// `--mount` with its variables expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountSpec {
    /// `type`; `bind` when not given.
    pub(crate) kind: MountKind,
    /// `from`: a stage by name or number, a named context or an image.
    pub(crate) from: Option<String>,
    /// `source`; empty when not given.
    pub(crate) source: String,
    /// `target`, maybe relative to the working directory; empty when not given.
    pub(crate) target: String,
    /// Whether the step cannot write: as asked, else bind, secret and ssh cannot.
    pub(crate) readonly: bool,
    /// `size` of a tmpfs in bytes.
    pub(crate) size: Option<u64>,
    /// `id`; empty when not given.
    pub(crate) id: String,
    /// `sharing` of a cache.
    pub(crate) sharing: Sharing,
    /// `required` of a secret or ssh mount.
    pub(crate) required: bool,
    /// `env` of a secret: the variable's name, empty for the secret's own.
    pub(crate) env: Option<String>,
    /// `mode`.
    pub(crate) mode: Option<u32>,
    /// `uid`.
    pub(crate) uid: Option<u32>,
    /// `gid`.
    pub(crate) gid: Option<u32>,
}

impl Mount {
    /// What it means; `expand` is given each value.
    ///
    /// # Errors
    /// What is wrong with an option, in docker's words.
    pub(crate) fn resolve(
        &self,
        expand: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<MountSpec, String> {
        expand(&self.word.raw).and(Err(String::new()))
    }
}
