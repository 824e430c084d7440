//! The token endpoint (distribution, "Token Authentication" and "OAuth2 Token Authentication").

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::endpoint::Endpoint;
use super::url::Url;
use crate::common::{Error, Kind, Result};
use crate::settings::Secret;

/// Largest answer of a token endpoint in bytes.
pub(super) const MAX_ANSWER: usize = 1 << 20;

/// Largest token in bytes; it has to fit into a request's header.
const MAX_TOKEN: usize = 32 << 10;

/// Shortest life of a token, as in docker: clocks and `expires_in: 0` are often wrong, and a
/// token that ends early is renewed at the next 401.
const LEAST_LIFE: u64 = 60;

/// A bearer token and when to stop using it.
pub(super) struct Token {
    pub(super) text: Secret,
    pub(super) expires: Instant,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

/// Reads a token endpoint's answer. Its text is never shown.
pub(super) fn parse(body: &[u8], host: &str) -> Result<Token> {
    let bad =
        |why: &str| Error::new(Kind::Corrupt, "get token", host.to_owned()).because(why.to_owned());
    let document: Document =
        serde_json::from_slice(body).map_err(|_| bad("the answer is not a JSON token"))?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let text = given(document.token)
        .or(given(document.access_token))
        .ok_or_else(|| bad("the answer holds no token"))?;
    if text.len() > MAX_TOKEN {
        return Err(bad("the token is larger than 32 KiB"));
    }
    if !text.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(bad("the token holds characters that no header may hold"));
    }
    let life = document.expires_in.and_then(|value| value.as_u64());
    let life = life.unwrap_or(LEAST_LIFE).clamp(LEAST_LIFE, 24 * 3600);
    Ok(Token {
        text: Secret::new(text),
        expires: Instant::now() + Duration::from_secs(life - 5),
    })
}

/// Checks where a registry sends us for a token: credentials may follow.
///
/// https only; plain http is left to an insecure registry's own host. No private or link-local
/// address unless the registry itself has that address (CVE-2026-12566 and others: a public
/// registry made clients ask services of their own network).
pub(super) fn check_realm(realm: Option<Url>, shown: &str, endpoint: &Endpoint) -> Result<Url> {
    let refuse = |why: &str| {
        Error::new(Kind::Denied, "get token", super::error::printable(shown))
            .because(why.to_owned())
            .hint("the registry names a token service that ketch does not trust")
    };
    let url = realm.ok_or_else(|| refuse("not an http or https URL"))?;
    let same_host = url.origin.host == endpoint.origin.host;
    let plain_allowed = same_host && endpoint.insecure && !endpoint.origin.https;
    if !url.origin.https && !plain_allowed {
        return Err(refuse("it is not https"));
    }
    if !same_host && url.origin.is_private() {
        return Err(refuse(
            "it is a private address and the registry is elsewhere",
        ));
    }
    Ok(url)
}

/// Adds query parameters to a URL.
pub(super) fn with_query(url: &Url, query: &str) -> Url {
    let joint = if url.target.contains('?') { '&' } else { '?' };
    Url {
        origin: url.origin.clone(),
        target: format!("{}{joint}{query}", url.target),
    }
}

/// `application/x-www-form-urlencoded` of key-value pairs.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    text.push(char::from(byte));
                }
                byte => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    text
}
