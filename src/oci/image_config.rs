//! Image configurations (image-spec, config.md, with docker's extra fields).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::common::{Digest, Error, Kind, Result};

/// docker's search path for an image that names none.
pub(crate) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Largest image configuration that is read, in bytes.
pub(crate) const MAX_CONFIG: usize = 8 << 20;

/// An image configuration; its digest is the image id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ImageConfig {
    /// RFC 3339 creation time, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// GOARCH spelling.
    pub(crate) architecture: String,
    /// GOOS spelling.
    pub(crate) os: String,
    /// CPU variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
    /// How to run it.
    #[serde(deserialize_with = "null_default")]
    pub(crate) config: ContainerConfig,
    /// Its layers.
    pub(crate) rootfs: RootFs,
    /// How it came about.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) history: Vec<History>,
    /// docker's comment field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// ketch's: what the steps that made it came to (`--cache-to type=inline`).
    #[serde(
        rename = "ketch.build.cache.v1",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) build_cache: Option<serde_json::Value>,
}

/// The defaults a container of the image starts with. Every field comes from a stranger.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ContainerConfig {
    /// `user`, `uid`, `user:group`, `uid:gid`.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) user: String,
    /// Ports such as `80/tcp`.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub(crate) exposed_ports: BTreeMap<String, serde_json::Value>,
    /// `KEY=value` entries.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) env: Vec<String>,
    /// Entrypoint, exec form.
    #[serde(deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub(crate) entrypoint: Option<Vec<String>>,
    /// Default arguments.
    #[serde(deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub(crate) cmd: Option<Vec<String>>,
    /// Paths that become anonymous volumes.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub(crate) volumes: BTreeMap<String, serde_json::Value>,
    /// Directory the command starts in.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) working_dir: String,
    /// Labels.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub(crate) labels: BTreeMap<String, String>,
    /// Signal that asks the command to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_signal: Option<String>,
    /// docker: health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<Healthcheck>,
    /// docker: shell of shell-form instructions.
    #[serde(deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub(crate) shell: Option<Vec<String>>,
    /// docker: instructions for images built on this one.
    #[serde(
        deserialize_with = "null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) on_build: Vec<String>,
}

/// docker's health check; durations in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", …]`.
    #[serde(deserialize_with = "null_default")]
    pub(crate) test: Vec<String>,
    /// Time between checks.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) interval: i64,
    /// Time one check may take.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) timeout: i64,
    /// Time before failures count.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) start_period: i64,
    /// Time between checks during the start period.
    /// Time between checks during the start period.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) start_interval: i64,
    /// Failures in a row that make it unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) retries: i64,
}

impl Healthcheck {
    /// Takes over what `other` sets, field by field.
    pub(crate) fn replace_by(&mut self, other: &Healthcheck) {
        if !other.test.is_empty() {
            self.test.clone_from(&other.test);
        }
        for (field, value) in [
            (&mut self.interval, other.interval),
            (&mut self.timeout, other.timeout),
            (&mut self.start_period, other.start_period),
            (&mut self.start_interval, other.start_interval),
            (&mut self.retries, other.retries),
        ] {
            if value > 0 {
                *field = value;
            }
        }
    }
}

/// docker writes no number that was not given.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The layer list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Digests of the uncompressed layers, base first.
    pub(crate) diff_ids: Vec<Digest>,
}

/// One step of an image's making.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    /// RFC 3339 time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// The instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<String>,
    /// A note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    /// True when the step made no layer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) empty_layer: bool,
}

impl ImageConfig {
    /// Parses a configuration blob and checks what a later step relies on.
    ///
    /// # Errors
    /// `Corrupt` when it is not JSON of this form, is larger than 8 MiB, or has an environment
    /// entry that is not `KEY=value` (podman before 5.8.4 took such an entry's value from the
    /// host: CVE-2026-57231).
    pub(crate) fn parse(bytes: &[u8]) -> Result<ImageConfig> {
        let corrupt =
            |why: String| Error::new(Kind::Corrupt, "read image configuration", "").because(why);
        if bytes.len() > MAX_CONFIG {
            return Err(corrupt(format!("larger than {MAX_CONFIG} bytes")));
        }
        let config: ImageConfig =
            serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
        for entry in &config.config.env {
            if !matches!(entry.split_once('='), Some((key, _)) if !key.is_empty())
                || entry.contains('\0')
            {
                return Err(corrupt(format!(
                    "environment entry {entry:?} is not KEY=value"
                )));
            }
        }
        Ok(config)
    }
}

/// docker writes `null` for empty lists and maps.
fn null_default<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Old images hold a shell-form string where a list of words belongs.
fn words<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Words(Vec<String>),
        Shell(String),
    }
    Ok(match Option::<Form>::deserialize(deserializer)? {
        None => None,
        Some(Form::Words(words)) => Some(words),
        Some(Form::Shell(line)) => Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), line]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_and_missing_fields_become_defaults() {
        let config = ImageConfig::parse(br#"{"config":{"Env":null,"Cmd":null,"Labels":null},"rootfs":{"type":"layers","diff_ids":[]}}"#).unwrap();
        assert!(config.config.env.is_empty());
        assert_eq!(config.config.cmd, None);
    }

    #[test]
    fn bare_environment_names_are_refused() {
        for env in ["HOSTSECRET", "*", "=x", ""] {
            let text = format!(r#"{{"config":{{"Env":["{env}"]}}}}"#);
            assert_eq!(
                ImageConfig::parse(text.as_bytes()).unwrap_err().kind(),
                Kind::Corrupt,
                "{env}"
            );
        }
    }
}
