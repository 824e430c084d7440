//! Certificates: `certs.d/<host:port>` of podman and docker, and the system's authorities.

use std::path::{Path, PathBuf};

use super::{Environment, Secret, read_optional};
use crate::common::{Error, Result};

/// Bundles of the distributions, in the order of Go's crypto/x509, below `/etc`.
const BUNDLES: [&str; 6] = [
    "ssl/certs/ca-certificates.crt",
    "pki/tls/certs/ca-bundle.crt",
    "ssl/ca-bundle.pem",
    "pki/tls/cacert.pem",
    "pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "ssl/cert.pem",
];

/// Directories of single certificates, below `/etc`; used when no bundle is there.
const DIRECTORIES: [&str; 2] = ["ssl/certs", "pki/tls/certs"];

/// What `certs.d` holds for one registry.
#[derive(Default)]
pub(crate) struct Certificates {
    /// PEM texts of `*.crt`: authorities trusted besides the system's.
    pub(crate) authorities: Vec<Vec<u8>>,
    /// The client certificate, when there is one.
    pub(crate) client: Option<ClientPair>,
}

/// A client certificate and its key, both PEM.
pub(crate) struct ClientPair {
    /// The file the certificate came from, for messages.
    pub(crate) path: PathBuf,
    /// The chain.
    pub(crate) certificate: Vec<u8>,
    /// The private key.
    pub(crate) key: Secret,
}

/// Reads the first directory that exists for `host` (`host` or `host:port`).
pub(super) fn for_host(
    environment: &Environment,
    system: &Path,
    host: &str,
    dir: Option<&Path>,
) -> Result<Certificates> {
    if let Some(dir) = dir {
        return read_directory(dir);
    }
    // The host becomes a path component; a reference cannot hold these, a settings file might.
    if host.is_empty() || host.starts_with('.') || host.contains(['/', '\0']) {
        return Ok(Certificates::default());
    }
    let config = environment.config_home();
    let user = ["containers/certs.d", "docker/certs.d"]
        .iter()
        .filter_map(|below| Some(config.as_ref()?.join(below)));
    let below_system = ["containers/certs.d", "docker/certs.d"]
        .iter()
        .map(|below| system.join(below));
    for dir in user.chain(below_system) {
        let dir = dir.join(host);
        if dir.is_dir() {
            return read_directory(&dir);
        }
    }
    Ok(Certificates::default())
}

fn read_directory(dir: &Path) -> Result<Certificates> {
    const OPERATION: &str = "read certificates";
    let io = |error| Error::io(OPERATION, dir, error);
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        names.push(entry.map_err(io)?.path());
    }
    names.sort();
    let mut found = Certificates::default();
    for path in names {
        let Some(extension) = path.extension().and_then(|e| e.to_str()) else {
            continue;
        };
        let read = |path: &Path| read_optional(OPERATION, path);
        match extension {
            "crt" => found.authorities.extend(read(&path)?),
            "cert" if found.client.is_none() => {
                let missing = || {
                    Error::usage(OPERATION, path.display().to_string(), "it has no .key file")
                        .hint("a client certificate X.cert needs its key beside it as X.key")
                };
                let key = read(&path.with_extension("key"))?.ok_or_else(missing)?;
                let key = String::from_utf8(key).map_err(|_| {
                    Error::usage(OPERATION, path.display().to_string(), "its key is not PEM")
                })?;
                found.client = Some(ClientPair {
                    certificate: read(&path)?.unwrap_or_default(),
                    key: Secret::new(key),
                    path,
                });
            }
            _ => {}
        }
    }
    Ok(found)
}

/// PEM texts of the system's authorities. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the usual
/// places, as they do for Go and OpenSSL. Unreadable files are passed over: fewer authorities
/// can only make a connection fail.
pub(super) fn system_authorities(environment: &Environment, system: &Path) -> Vec<Vec<u8>> {
    let files = match environment.get_os("SSL_CERT_FILE") {
        Some(file) if !file.is_empty() => vec![PathBuf::from(file)],
        _ => BUNDLES.iter().map(|below| system.join(below)).collect(),
    };
    let read = |path: &Path| read_optional("read certificates", path).ok().flatten();
    let mut texts: Vec<Vec<u8>> = files
        .iter()
        .find_map(|path| read(path))
        .into_iter()
        .collect();
    let directories = match environment.get_os("SSL_CERT_DIR") {
        Some(list) if !list.is_empty() => std::env::split_paths(list).collect(),
        _ if texts.is_empty() => DIRECTORIES.iter().map(|below| system.join(below)).collect(),
        _ => Vec::new(),
    };
    for directory in directories {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        texts.extend(entries.filter_map(|entry| read(&entry.path())));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_directory_comes_before_the_systems() {
        let base = tempfile::tempdir().unwrap();
        let (config, etc) = (base.path().join("config"), base.path().join("etc"));
        let system = etc.join("docker/certs.d/host:5000");
        std::fs::create_dir_all(&system).unwrap();
        std::fs::write(system.join("ca.crt"), "SYSTEM").unwrap();
        let environment = Environment::from_pairs([("XDG_CONFIG_HOME", &config)]);
        let get = |host| for_host(&environment, &etc, host, None).unwrap();
        assert_eq!(get("host:5000").authorities, [b"SYSTEM".to_vec()]);
        let user = config.join("containers/certs.d/host:5000");
        std::fs::create_dir_all(&user).unwrap();
        std::fs::write(user.join("me.cert"), "CERT").unwrap();
        assert!(for_host(&environment, &etc, "host:5000", None).is_err());
        std::fs::write(user.join("me.key"), "KEY").unwrap();
        let found = get("host:5000");
        assert!(found.authorities.is_empty());
        assert_eq!(found.client.unwrap().key.expose(), "KEY");
        assert!(get("../host:5000").client.is_none());
        assert!(get("other").client.is_none());
    }

    #[test]
    fn named_authorities_replace_the_systems() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(base.path().join("ssl/certs")).unwrap();
        std::fs::write(base.path().join("ssl/certs/ca-certificates.crt"), "A").unwrap();
        std::fs::write(base.path().join("own.pem"), "B").unwrap();
        let none = Environment::default();
        assert_eq!(system_authorities(&none, base.path()), [b"A".to_vec()]);
        let own = Environment::from_pairs([("SSL_CERT_FILE", base.path().join("own.pem"))]);
        assert_eq!(system_authorities(&own, base.path()), [b"B".to_vec()]);
    }
}
