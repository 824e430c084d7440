//! Stored logins: auth.json of podman, config.json and .dockercfg of docker, and the
//! credential helpers they name (containers-auth.json(5)).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::{Environment, Secret, credential_helper, read_own};
use crate::common::{Error, Kind, Result};

const OPERATION: &str = "read logins";

/// Longest time a credential helper may take; some ask a person for a passphrase.
const HELPER_TIME: Duration = Duration::from_secs(60);

/// What proves an identity to a registry.
#[derive(Clone)]
pub(crate) enum Credential {
    /// Name and password, for Basic and for token endpoints.
    Password {
        /// Account name.
        username: String,
        /// Its password or access token.
        password: Secret,
    },
    /// An OAuth2 refresh token, for token endpoints only.
    IdentityToken(Secret),
    /// A bearer token, sent as it is.
    RegistryToken(Secret),
}

/// The login files of this user in reading order.
#[derive(Default)]
pub(crate) struct Keychain {
    files: Vec<(PathBuf, AuthFile)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthFile {
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Keychain {
    /// Reads the files. `--authfile` and `REGISTRY_AUTH_FILE` stand alone, as in podman.
    pub(super) fn read(environment: &Environment, authfile: Option<&Path>) -> Result<Keychain> {
        let named = environment
            .get_os("REGISTRY_AUTH_FILE")
            .filter(|value| !value.is_empty())
            .map(Path::new);
        if let Some(path) = authfile.or(named) {
            let missing = || {
                Error::new(Kind::NotFound, OPERATION, path.display().to_string())
                    .because("no such file".to_owned())
            };
            let bytes = super::read_optional(OPERATION, path)?.ok_or_else(missing)?;
            return Ok(Keychain {
                files: vec![(path.to_owned(), parse(path, &bytes, false)?)],
            });
        }
        let home = environment.home();
        let docker = environment
            .absolute("DOCKER_CONFIG")
            .or_else(|| Some(home.as_ref()?.join(".docker")));
        let places = [
            environment
                .runtime_dir()
                .map(|d| d.join("containers/auth.json")),
            environment
                .config_home()
                .map(|d| d.join("containers/auth.json")),
            docker.map(|d| d.join("config.json")),
            home.map(|d| d.join(".dockercfg")),
        ];
        let mut files = Vec::new();
        for path in places.into_iter().flatten() {
            if let Some(bytes) = read_own(OPERATION, &path)? {
                let old = path.ends_with(".dockercfg");
                let parsed = parse(&path, &bytes, old)?;
                files.push((path, parsed));
            }
        }
        Ok(Keychain { files })
    }

    /// The login for repository `path` of `domain`; the first file that has one decides, the
    /// longest key that fits wins.
    ///
    /// # Errors
    /// When a file's entry does not decode or a helper fails otherwise than by not knowing.
    pub(crate) fn lookup(&self, domain: &str, path: &str) -> Result<Option<Credential>> {
        for (file, content) in &self.files {
            let by_host = content
                .helpers
                .iter()
                .flatten()
                .find(|(host, _)| normalised(host) == normalised(domain))
                .map(|(_, suffix)| suffix);
            if let Some(suffix) = by_host.or(content.store.as_ref()).filter(|s| !s.is_empty()) {
                let found = credential_helper::get(suffix, server_name(domain), HELPER_TIME)
                    .map_err(|error| {
                        error.hint(format!(
                            "{} names this helper: install it or remove the entry",
                            file.display()
                        ))
                    })?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            if let Some(found) = content.stored(file, domain, path)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl AuthFile {
    fn stored(&self, file: &Path, domain: &str, path: &str) -> Result<Option<Credential>> {
        let entries = self.auths.iter().flatten();
        let keys: Vec<(String, &Entry)> = entries.map(|(k, e)| (normalised(k), e)).collect();
        let mut wanted = format!("{}/{path}", normalised(domain));
        loop {
            for (_, entry) in keys.iter().filter(|(key, _)| *key == wanted) {
                if let Some(found) = entry.credential(file)? {
                    return Ok(Some(found));
                }
            }
            match wanted.rfind('/') {
                Some(end) => wanted.truncate(end),
                None => return Ok(None),
            }
        }
    }
}

impl Entry {
    fn credential(&self, file: &Path) -> Result<Option<Credential>> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Ok(Some(Credential::RegistryToken(Secret::new(token))));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credential::IdentityToken(Secret::new(token))));
        }
        if let Some(auth) = given(&self.auth) {
            let bad = || {
                Error::usage(
                    OPERATION,
                    file.display().to_string(),
                    "an auth entry is not base64 of user:password",
                )
            };
            let bytes = lenient_base64().decode(auth.trim()).map_err(|_| bad())?;
            let text = String::from_utf8(bytes).map_err(|_| bad())?;
            let (username, password) = text.split_once(':').ok_or_else(bad)?;
            // docker's file store trims the NULs that an old Windows client appended.
            return Ok(Some(Credential::Password {
                username: username.to_owned(),
                password: Secret::new(password.trim_matches('\0')),
            }));
        }
        Ok(match (given(&self.username), given(&self.password)) {
            (Some(username), Some(password)) => Some(Credential::Password {
                username,
                password: Secret::new(password),
            }),
            _ => None,
        })
    }
}

fn lenient_base64() -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
}

/// Parses a file. serde's own text is not used: it quotes the value it stumbled over, which
/// here may be a password.
fn parse(path: &Path, bytes: &[u8], old: bool) -> Result<AuthFile> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(AuthFile::default());
    }
    let parsed = if old {
        serde_json::from_slice(bytes).map(|auths| AuthFile {
            auths: Some(auths),
            ..AuthFile::default()
        })
    } else {
        serde_json::from_slice(bytes)
    };
    parsed.map_err(|error: serde_json::Error| {
        let place = format!(
            "not a JSON login file (line {}, column {})",
            error.line(),
            error.column()
        );
        Error::usage(OPERATION, path.display().to_string(), place)
    })
}

/// A key as `host[/namespace]`: docker writes URLs, and docker.io has three names.
fn normalised(key: &str) -> String {
    let key = key.trim_start_matches("https://");
    let key = key.trim_start_matches("http://").trim_end_matches('/');
    let key = ["/v1", "/v2"]
        .iter()
        .find_map(|suffix| key.strip_suffix(suffix))
        .unwrap_or(key);
    let (host, rest) = match key.split_once('/') {
        Some((host, rest)) => (host, Some(rest)),
        None => (key, None),
    };
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    };
    match rest {
        Some(rest) => format!("{host}/{rest}"),
        None => host.to_owned(),
    }
}

/// The name a helper knows a registry by.
fn server_name(domain: &str) -> &str {
    match domain {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    }
}
