//! `RUN --mount`: the options as written, and what they mean once their variables are known.

use std::ffi::OsStr;
use std::path::Path;

use crate::common::{parse_size, quoted_field};

use super::directive;
use super::error::{ParseError, similar_exact};
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
    /// Reads `--mount`'s value; one without a variable is checked in full.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn read(word: Word) -> Result<Mount, ParseError> {
        let bad = |why: String| ParseError::at(word.span, why);
        let mut options = Vec::new();
        for field in fields(&word.raw).map_err(bad)? {
            match field.split_once('=') {
                Some((key, value)) => options.push((key.to_lowercase(), Some(value.to_owned()))),
                None => options.push((field.to_lowercase(), None)),
            }
        }
        let from = options.iter().rev().find_map(|(key, value)| match value {
            Some(value) if key == "from" && !value.is_empty() => {
                Some(Word::new(value.clone(), word.span))
            }
            _ => None,
        });
        if let Some(from) = &from
            && from.raw.find('$').is_some_and(|at| at + 1 < from.raw.len())
        {
            let why = "'from' doesn't support variable expansion, define alias stage instead";
            return Err(bad(why.to_owned()));
        }
        let mount = Mount {
            from,
            options,
            word,
        };
        if !mount.word.raw.contains(['$', '\'', '"', '\\', '`']) {
            let plain = |value: &str| Ok(value.to_owned());
            mount
                .resolve(&plain)
                .map_err(|why| ParseError::at(mount.word.span, why))?;
        }
        Ok(mount)
    }

    /// What it means; `expand` is given each value.
    ///
    /// # Errors
    /// What is wrong with an option, in docker's words.
    pub(crate) fn resolve(
        &self,
        expand: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<MountSpec, String> {
        let mut spec = Drafted::default();
        for (key, value) in &self.options {
            match value {
                None => spec.switch(key)?,
                Some(value) => spec.option(key, &expand(value)?)?,
            }
        }
        spec.finish()
    }
}

/// A mount while its options are read.
#[derive(Default)]
struct Drafted {
    kind: Option<MountKind>,
    from: Option<String>,
    source: String,
    target: String,
    readonly: Option<bool>,
    size: Option<u64>,
    id: String,
    sharing: Option<Sharing>,
    required: bool,
    env: Option<String>,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
}

const TYPES: [(&str, MountKind); 5] = [
    ("bind", MountKind::Bind),
    ("cache", MountKind::Cache),
    ("tmpfs", MountKind::Tmpfs),
    ("secret", MountKind::Secret),
    ("ssh", MountKind::Ssh),
];

const SHARINGS: [(&str, Sharing); 3] = [
    ("shared", Sharing::Shared),
    ("private", Sharing::Private),
    ("locked", Sharing::Locked),
];

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "required",
    "size",
    "id",
    "sharing",
    "mode",
    "uid",
    "gid",
    "env",
];

impl Drafted {
    fn kind(&self) -> MountKind {
        self.kind.unwrap_or(MountKind::Bind)
    }

    fn switch(&mut self, key: &str) -> Result<(), String> {
        match key {
            "readonly" | "ro" => self.readonly = Some(true),
            "readwrite" | "rw" => self.readonly = Some(false),
            "required" => self.require(true)?,
            // podman's; there is no label to set without SELinux.
            "z" => {}
            _ => return Err(format!("invalid field '{key}' must be a key=value pair")),
        }
        Ok(())
    }

    fn require(&mut self, required: bool) -> Result<(), String> {
        let kind = self.kind();
        if !matches!(kind, MountKind::Secret | MountKind::Ssh) {
            return Err(unexpected("required", kind));
        }
        self.required = required;
        Ok(())
    }

    fn option(&mut self, key: &str, value: &str) -> Result<(), String> {
        let invalid = || format!("invalid value for {key}: {value}");
        let truth = || directive::boolean(value).ok_or_else(invalid);
        let number = |base| {
            u32::from_str_radix(value, base).map_err(|_| format!("invalid value {value} for {key}"))
        };
        match key {
            "type" => self.kind = Some(named(&TYPES, value, "mount type")?),
            "sharing" => self.sharing = Some(named(&SHARINGS, value, "sharing value")?),
            "from" => self.from = Some(value.to_owned()).filter(|from| !from.is_empty()),
            "source" | "src" => value.clone_into(&mut self.source),
            "target" | "dst" | "destination" => value.clone_into(&mut self.target),
            "readonly" | "ro" => self.readonly = Some(truth()?),
            "readwrite" | "rw" => self.readonly = Some(!truth()?),
            "required" => self.require(truth()?)?,
            "size" if self.kind() == MountKind::Tmpfs => {
                self.size = Some(parse_size(value).map_err(|_| invalid())?);
            }
            "size" => return Err(unexpected(key, self.kind())),
            "id" => value.clone_into(&mut self.id),
            "mode" => self.mode = Some(number(8)?),
            "uid" => self.uid = Some(number(10)?),
            "gid" => self.gid = Some(number(10)?),
            "env" => self.env = Some(value.to_owned()),
            "z" | "relabel" => {}
            _ => {
                let text = format!("unexpected key '{key}' in '{key}={value}'");
                return Err(suggested(text, key, &KEYS));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<MountSpec, String> {
        let kind = self.kind();
        let owned = matches!(kind, MountKind::Secret | MountKind::Ssh | MountKind::Cache);
        let given = [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)];
        if let Some((key, _)) = given.iter().find(|(_, value)| value.is_some() && !owned) {
            return Err(format!(
                "{key} not allowed for {:?} type mounts",
                kind.name()
            ));
        }
        if kind == MountKind::Secret {
            let wrong = if self.from.is_some() {
                Some("secret mount should not have a from")
            } else if self.sharing.is_some() {
                Some("secret mount should not define sharing")
            } else if self.source.is_empty() && self.target.is_empty() && self.id.is_empty() {
                Some("invalid secret mount. one of source, target required")
            } else if !self.source.is_empty() && !self.id.is_empty() {
                Some("both source and id can't be set")
            } else {
                None
            };
            if let Some(why) = wrong {
                return Err(why.to_owned());
            }
        }
        if self.sharing.is_some() && kind != MountKind::Cache {
            return Err(format!(
                "invalid cache sharing set for {} mount",
                kind.name()
            ));
        }
        let writable = matches!(kind, MountKind::Cache | MountKind::Tmpfs);
        Ok(MountSpec {
            kind,
            from: self.from,
            source: self.source,
            target: self.target,
            readonly: self.readonly.unwrap_or(!writable),
            size: self.size,
            id: self.id,
            sharing: self.sharing.unwrap_or_default(),
            required: self.required,
            env: self.env,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
        })
    }
}

impl MountSpec {
    /// The secret's id: `id`, else `source`, else the last part of `target`.
    pub(crate) fn secret_id(&self) -> &str {
        match (self.id.as_str(), self.source.as_str()) {
            ("", "") => {
                let last = Path::new(&self.target).file_name();
                last.and_then(OsStr::to_str).unwrap_or_default()
            }
            ("", source) => source,
            (id, _) => id,
        }
    }

    /// The id of an ssh agent: `id`, else `default`.
    pub(crate) fn agent_id(&self) -> &str {
        match self.id.as_str() {
            "" => "default",
            id => id,
        }
    }
}

impl MountKind {
    /// Its name behind `type=`.
    pub(crate) fn name(self) -> &'static str {
        let found = TYPES.iter().find(|(_, kind)| *kind == self);
        found.map_or("bind", |(name, _)| name)
    }
}

fn unexpected(key: &str, kind: MountKind) -> String {
    format!("unexpected key '{key}' for mount type '{}'", kind.name())
}

fn named<T: Copy>(known: &[(&'static str, T)], value: &str, what: &str) -> Result<T, String> {
    let lower = value.to_lowercase();
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == lower) {
        return Ok(*found);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let text = format!("unsupported {what} {value:?}");
    Err(suggested(text, value, &names))
}

fn suggested(text: String, word: &str, known: &[&str]) -> String {
    match similar_exact(word, known) {
        Some(meant) => format!("{text} (did you mean {meant}?)"),
        None => text,
    }
}

/// The fields of one line of comma-separated values (RFC 4180).
fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                quoted_field(quoted).ok_or_else(|| format!("open quote in {line:?}"))?
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        found.push(field);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.is_empty() => break,
            None => return Err(format!("text behind a quoted field in {line:?}")),
        }
    }
    found.retain(|field| !field.is_empty());
    Ok(found)
}
