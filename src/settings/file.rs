//! `ketch.toml`: ketch's own settings, `$XDG_CONFIG_HOME/ketch/ketch.toml` over
//! `/etc/ketch/ketch.toml`.

use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;

use super::{Environment, parse_toml, read_optional, read_own};
use crate::common::Result;

/// Whether compressed blobs stay after unpacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeepBlobs {
    /// Kept, dropped under quota pressure.
    #[default]
    Auto,
    /// Kept.
    Always,
    /// Dropped.
    Never,
}

/// The keys of ketch.toml. A key that is not known is refused: a misspelt one must not pass.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// `keep_blobs = "auto" | "always" | "never"`.
    pub(crate) keep_blobs: Option<KeepBlobs>,
    /// Mirrors of docker.io, as in docker's daemon.json: `["https://mirror.example"]`.
    #[serde(rename = "registry-mirrors", alias = "registry_mirrors")]
    pub(crate) registry_mirrors: Option<Vec<String>>,
    /// Registries reached without verified TLS: `host`, `host:port`, or a CIDR range.
    #[serde(rename = "insecure-registries", alias = "insecure_registries")]
    pub(crate) insecure_registries: Option<Vec<String>>,
    /// Where ports are published that name no address of the host: `["127.0.0.1", "::1"]` keeps
    /// them from the network. Without it every address, as docker; podman's `default_host_ips`.
    #[serde(rename = "publish-addresses", alias = "publish_addresses")]
    pub(crate) publish_addresses: Option<Vec<IpAddr>>,
}

impl File {
    /// Reads both files; one open attempt each.
    pub(super) fn read(environment: &Environment, system: &Path) -> Result<File> {
        const OPERATION: &str = "read settings";
        let mut merged = File::default();
        if let Some(config) = environment.config_home() {
            let path = config.join("ketch/ketch.toml");
            if let Some(bytes) = read_own(OPERATION, &path)? {
                merged = parse_toml(&path, &bytes)?;
            }
        }
        let path = system.join("ketch/ketch.toml");
        if let Some(bytes) = read_optional(OPERATION, &path)? {
            let below: File = parse_toml(&path, &bytes)?;
            merged.keep_blobs = merged.keep_blobs.or(below.keep_blobs);
            merged.registry_mirrors = merged.registry_mirrors.or(below.registry_mirrors);
            merged.insecure_registries = merged.insecure_registries.or(below.insecure_registries);
            merged.publish_addresses = merged.publish_addresses.or(below.publish_addresses);
        }
        Ok(merged)
    }
}
