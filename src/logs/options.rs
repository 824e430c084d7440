//! What is asked of a log, and what its writer needs to know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a container's output is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Logging {
    /// `None`: json-file for what lives on or is kept, passthrough for `run --rm` in the
    /// foreground, whose log nobody could read.
    pub(crate) driver: Option<LogDriver>,
    /// `max-size` in bytes: a file that reaches it is rotated.
    pub(crate) max_size: Option<u64>,
    /// `max-file`: files kept, the one being written included; `None` is 1.
    pub(crate) max_files: Option<u32>,
    /// `path`: another file than the one in the container's directory.
    pub(crate) path: Option<String>,
    /// Options that are kept for `inspect` (`tag`, `labels`, `env`).
    pub(crate) options: BTreeMap<String, String>,
}

/// Form and place of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogDriver {
    /// docker's lines of JSON.
    JsonFile,
    /// Kubernetes' `time stream F|P text`.
    K8sFile,
    /// The systemd journal.
    Journald,
    /// The caller's own streams.
    Passthrough,
    /// Nowhere.
    None,
}

impl LogDriver {
    /// Its name in `--log-driver` and in `inspect`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            LogDriver::JsonFile => "json-file",
            LogDriver::K8sFile => "k8s-file",
            LogDriver::Journald => "journald",
            LogDriver::Passthrough => "passthrough",
            LogDriver::None => "none",
        }
    }

    /// Whether `logs` can read what it keeps.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, LogDriver::JsonFile | LogDriver::K8sFile)
    }
}

/// Name of the log in the container's directory.
const FILE_NAME: &str = "container.log";

impl Logging {
    /// The file that is written, whatever the driver: `path`, else one in the container's
    /// directory `dir`.
    pub(crate) fn file(&self, dir: &Path) -> PathBuf {
        match &self.path {
            Some(path) => PathBuf::from(path),
            None => dir.join(FILE_NAME),
        }
    }

    /// What the writer of a container's log needs, for a driver settled by the caller.
    pub(crate) fn target(&self, driver: LogDriver, dir: &Path, origin: &Origin<'_>) -> Target {
        let mut attributes = self.chosen(origin);
        if let Some(tag) = self.options.get("tag") {
            attributes.insert("tag".to_owned(), origin.tag(tag));
        }
        let journal = match driver {
            LogDriver::Journald => self.journal_fields(origin, &attributes),
            _ => BTreeMap::new(),
        };
        Target {
            driver,
            path: self.file(dir),
            max_size: self.max_size,
            max_files: self.max_files.unwrap_or(1).max(1),
            attributes,
            journal,
        }
    }

    /// docker's `labels` and `env` options: names, separated by commas, of what goes into every
    /// line's `attrs`.
    fn chosen(&self, origin: &Origin<'_>) -> BTreeMap<String, String> {
        let names = |option: &str| {
            let list = self.options.get(option).map_or("", String::as_str);
            let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
            names.into_iter().filter(|name| !name.is_empty())
        };
        let labels = names("labels").filter_map(|name| {
            let value = origin.labels.get(&name)?.clone();
            Some((name, value))
        });
        let env = names("env").filter_map(|name| {
            let value = origin.env.iter().find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                (key == name).then(|| value.to_owned())
            })?;
            Some((name, value))
        });
        labels.chain(env).collect()
    }

    /// The fields of docker's journald driver.
    fn journal_fields(
        &self,
        origin: &Origin<'_>,
        attributes: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let short = short(origin.id);
        let tag = attributes.get("tag").map_or(short, String::as_str);
        let own = [
            ("CONTAINER_ID", short),
            ("CONTAINER_ID_FULL", origin.id),
            ("CONTAINER_NAME", origin.name),
            ("CONTAINER_TAG", tag),
            ("IMAGE_NAME", origin.image),
            ("SYSLOG_IDENTIFIER", tag),
        ];
        let field = |name: &str| -> String {
            let upper = name.to_ascii_uppercase();
            let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            upper.chars().map(legal).collect::<String>()
        };
        let chosen = attributes
            .iter()
            .filter(|(name, _)| *name != "tag")
            .map(|(name, value)| {
                (
                    field(name).trim_start_matches('_').to_owned(),
                    value.clone(),
                )
            });
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        chosen.chain(own).collect()
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The container a log is of, for tags and attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Full id.
    pub(crate) id: &'a str,
    /// Name, without a slash.
    pub(crate) name: &'a str,
    /// The image as the user knows it.
    pub(crate) image: &'a str,
    /// Labels of the container.
    pub(crate) labels: &'a BTreeMap<String, String>,
    /// Environment of the payload, `KEY=VALUE`.
    pub(crate) env: &'a [String],
}

impl Origin<'_> {
    /// docker's tag templates: the fields that name a container, each alone in its braces.
    fn tag(&self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once("{{") {
            let Some((inside, after)) = behind.split_once("}}") else {
                break;
            };
            text.push_str(before);
            match inside.trim() {
                ".ID" => text.push_str(short(self.id)),
                ".FullID" => text.push_str(self.id),
                ".Name" => text.push_str(self.name),
                ".ImageName" => text.push_str(self.image),
                ".DaemonName" => text.push_str("ketch"),
                _ => text.push_str(&rest[before.len()..rest.len() - after.len()]),
            }
            rest = after;
        }
        text + rest
    }
}

/// Everything the writer of one log needs; travels to the process that writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Form and place.
    pub(crate) driver: LogDriver,
    /// The file being written; rotated ones are beside it.
    pub(crate) path: PathBuf,
    /// Bytes after which it is rotated.
    pub(crate) max_size: Option<u64>,
    /// Files kept, at least 1.
    pub(crate) max_files: u32,
    /// json-file's `attrs`.
    pub(crate) attributes: BTreeMap<String, String>,
    /// The journal's fields of every entry.
    pub(crate) journal: BTreeMap<String, String>,
}
