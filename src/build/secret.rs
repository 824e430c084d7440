//! `--secret`: contents, and those that are logins at the servers of sources (BuildKit's
//! `HTTP_AUTH_TOKEN_host`, `HTTP_AUTH_HEADER_host`, `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER`).

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::request::{Secret, SecretSource};
use crate::common::Error;
use crate::settings::Secret as Login;
use crate::store::MAX_SECRET;
use crate::sys::file;

/// What a secret holds.
///
/// # Errors
/// Its file cannot be read, or is too large.
pub(super) fn content(secret: &Secret) -> Result<Vec<u8>> {
    Ok(match &secret.source {
        SecretSource::Value(data) => data.clone(),
        SecretSource::File(path) => file::read_bounded(path, MAX_SECRET)?,
    })
}

/// The secrets of a build as logins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logins<'a>(pub(super) &'a [Secret]);

impl Logins<'_> {
    /// What `Authorization` says to the server of an address on the web, if a secret is for it.
    ///
    /// # Errors
    /// The secret cannot be read, or is no text of one line.
    pub(super) fn web(self, address: &str) -> Result<Option<Login>> {
        for host in hosts(address) {
            if let Some(header) = self.text(&format!("HTTP_AUTH_HEADER_{host}"))? {
                return Ok(Some(Login::new(header)));
            }
            if let Some(token) = self.text(&format!("HTTP_AUTH_TOKEN_{host}"))? {
                return Ok(Some(Login::new(format!("Bearer {token}"))));
            }
        }
        Ok(None)
    }

    /// What `Authorization` says to the server of a repository on the web: the secret for that
    /// server, else the one for all.
    ///
    /// # Errors
    /// As [`web`](Logins::web).
    pub(super) fn git(self, remote: &str) -> Result<Option<Login>> {
        let own = hosts(remote);
        if own.is_empty() {
            return Ok(None);
        }
        let suffixes = own.into_iter().map(|host| format!(".{host}"));
        for suffix in suffixes.chain([String::new()]) {
            if let Some(header) = self.text(&format!("GIT_AUTH_HEADER{suffix}"))? {
                return Ok(Some(Login::new(header)));
            }
            if let Some(token) = self.text(&format!("GIT_AUTH_TOKEN{suffix}"))? {
                let login = STANDARD.encode(format!("x-access-token:{token}"));
                return Ok(Some(Login::new(format!("basic {login}"))));
            }
        }
        Ok(None)
    }

    fn text(self, id: &str) -> Result<Option<String>> {
        let Some(secret) = self.0.iter().find(|secret| secret.id == id) else {
            return Ok(None);
        };
        let text = String::from_utf8(content(secret)?).ok();
        let text = text.map(|text| text.trim().to_owned());
        let good =
            |text: &String| !text.is_empty() && text.chars().all(|c| (' '..='~').contains(&c));
        match text.filter(good) {
            Some(text) => Ok(Some(text)),
            None => Err(Error::usage("use secret as login", id, "not one line of ASCII").into()),
        }
    }
}

/// The server of an address on the web: with its port, then by its name alone.
fn hosts(address: &str) -> Vec<String> {
    let rest = address.strip_prefix("https://");
    let Some(rest) = rest.or_else(|| address.strip_prefix("http://")) else {
        return Vec::new();
    };
    let whole = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let whole = whole.rsplit('@').next().unwrap_or_default().to_lowercase();
    let name = match whole.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => whole.clone(),
    };
    let mut found = vec![whole, name];
    found.dedup();
    found.retain(|host| !host.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_login_of_its_server_alone() {
        let secret = |id: &str, value: &str| Secret {
            id: id.to_owned(),
            source: SecretSource::Value(value.as_bytes().to_vec()),
        };
        let all = [
            secret("HTTP_AUTH_TOKEN_a.test", "one\n"),
            secret("HTTP_AUTH_HEADER_b.test:8080", "Basic two"),
            secret("HTTP_AUTH_TOKEN_b.test", "other"),
            secret("GIT_AUTH_TOKEN.a.test", "three"),
            secret("GIT_AUTH_HEADER", "Custom four"),
            secret("HTTP_AUTH_TOKEN_bad", "a\r\nHost: x"),
        ];
        let logins = Logins(&all);
        let web = |address: &str| logins.web(address).unwrap().map(|l| l.expose().to_owned());
        let git = |address: &str| logins.git(address).unwrap().map(|l| l.expose().to_owned());
        assert_eq!(web("https://A.test/x").as_deref(), Some("Bearer one"));
        assert_eq!(web("http://a.test:81?x").as_deref(), Some("Bearer one"));
        assert_eq!(web("http://b.test:8080/").as_deref(), Some("Basic two"));
        assert_eq!(web("http://u@b.test").as_deref(), Some("Bearer other"));
        for other in [
            "http://xa.test",
            "http://a.test.x/",
            "http://x/a.test",
            "ftp://a.test",
        ] {
            assert_eq!(web(other), None, "{other}");
        }
        assert!(logins.web("http://bad/").is_err());
        let token = STANDARD.encode("x-access-token:three");
        assert_eq!(git("https://a.test/r.git"), Some(format!("basic {token}")));
        assert_eq!(git("https://c.test/r.git").as_deref(), Some("Custom four"));
        assert_eq!(git("git@a.test:r.git"), None);
    }
}
