//! Proxies for containers: `proxies.default` of docker's `config.json`, or the caller's own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Environment, read_own};
use crate::common::{Error, Result};

const OPERATION: &str = "read proxies";

/// Variables that podman passes on (`config.ProxyEnv` of containers/common).
const VARIABLES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    proxies: Option<BTreeMap<String, Named>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Named {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
    all_proxy: String,
}

impl Environment {
    /// The caller's own proxies, by the names they have.
    pub(crate) fn own_proxies(&self) -> Vec<(String, String)> {
        let set = |name: &&str| Some(((*name).to_owned(), self.get(name)?.to_owned()));
        VARIABLES.iter().filter_map(set).collect()
    }

    /// docker's proxies for containers, each under both spellings.
    ///
    /// # Errors
    /// `Usage` with the file's name when it does not parse.
    pub(crate) fn docker_proxies(&self) -> Result<Vec<(String, String)>> {
        let dir = self
            .absolute("DOCKER_CONFIG")
            .or_else(|| Some(self.home()?.join(".docker")));
        let Some(path) = dir.map(|dir| dir.join("config.json")) else {
            return Ok(Vec::new());
        };
        let Some(bytes) = read_own(OPERATION, &path)? else {
            return Ok(Vec::new());
        };
        let file: ConfigFile = serde_json::from_slice(&bytes).map_err(|error| {
            Error::usage(OPERATION, path.display().to_string(), error.to_string())
                .hint("repair the file, or use --http-proxy=false")
        })?;
        let default = file.proxies.and_then(|mut all| all.remove("default"));
        let Some(named) = default else {
            return Ok(Vec::new());
        };
        let pairs = [
            ("HTTP_PROXY", named.http_proxy),
            ("HTTPS_PROXY", named.https_proxy),
            ("NO_PROXY", named.no_proxy),
            ("FTP_PROXY", named.ftp_proxy),
            ("ALL_PROXY", named.all_proxy),
        ];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        Ok(set
            .flat_map(|(name, value)| {
                [
                    (name.to_owned(), value.clone()),
                    (name.to_ascii_lowercase(), value),
                ]
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_come_from_the_caller_or_dockers_file() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().to_str().unwrap().to_owned();
        let environment = Environment::from_pairs([
            ("DOCKER_CONFIG", dir.as_str()),
            ("HTTP_PROXY", "http://own"),
            ("no_proxy", "x"),
            ("ALL_PROXY", "http://not-podmans"),
        ]);
        let own = environment.own_proxies();
        assert_eq!(own.len(), 2);
        assert!(own.contains(&("HTTP_PROXY".to_owned(), "http://own".to_owned())));
        assert!(environment.docker_proxies().unwrap().is_empty());
        let file = home.path().join("config.json");
        let text = r#"{"auths": {}, "proxies": {"default": {"httpProxy": "http://p", "noProxy": ""},
            "tcp://elsewhere": {"httpsProxy": "http://q"}}}"#;
        std::fs::write(&file, text).unwrap();
        let found = environment.docker_proxies().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ("http_proxy".to_owned(), "http://p".to_owned()));
        std::fs::write(&file, "{").unwrap();
        assert!(environment.docker_proxies().is_err());
    }
}
