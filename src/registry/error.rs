//! Refusals of a registry in ketch's words (distribution-spec, "Error Codes").

use serde::Deserialize;

use crate::common::{Error, Kind};

/// Longest text of a registry that is shown, in characters.
const MAX_TEXT: usize = 300;

#[derive(Deserialize)]
struct Document {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

/// The error for an answer that is not a success. `what` names the object, `host` the
/// registry, `logged_in` says whether a login was sent.
pub(super) fn refusal(
    operation: &str,
    what: &str,
    host: &str,
    status: u16,
    body: &[u8],
    logged_in: bool,
) -> Error {
    let entry = serde_json::from_slice::<Document>(body)
        .ok()
        .and_then(|document| document.errors.into_iter().next());
    let code = entry.as_ref().map_or("", |entry| entry.code.as_str());
    let message = entry
        .as_ref()
        .and_then(|entry| entry.message.as_deref())
        .map(printable)
        .filter(|text| !text.is_empty());
    let said = |fallback: &str| message.clone().unwrap_or_else(|| fallback.to_owned());
    match (code, status) {
        ("MANIFEST_UNKNOWN" | "NAME_UNKNOWN" | "BLOB_UNKNOWN" | "NOT_FOUND", _) | (_, 404) => {
            let fallback = match code {
                "NAME_UNKNOWN" => "repository name not known to registry",
                "BLOB_UNKNOWN" => "blob unknown",
                _ if operation.ends_with("blob") => "blob unknown",
                _ => "manifest unknown",
            };
            let text = match said(fallback) {
                text if text.contains("known") => text,
                text => format!("{fallback}: {text}"),
            };
            Error::new(Kind::NotFound, operation, what)
                .because(text)
                .hint(format!(
                    "check the name and the tag; {host} does not have it"
                ))
        }
        ("TOOMANYREQUESTS", _) | (_, 429) => Error::new(Kind::Network, operation, what)
            .because(format!(
                "{host} limits requests: {}",
                said("too many requests")
            ))
            .hint("wait, or log in to get a higher limit"),
        ("UNAUTHORIZED" | "DENIED", _) | (_, 401 | 403) => {
            let hint = if logged_in {
                format!("the login for {host} was sent and refused: check it and its rights")
            } else {
                format!(
                    "the repository may not exist, or needs a login: use --creds USER:PASSWORD, or `docker login {host}` or `podman login {host}`"
                )
            };
            Error::new(Kind::Denied, operation, what)
                .because(format!(
                    "access denied: {}",
                    said("authentication required")
                ))
                .hint(hint)
        }
        _ => {
            let code = printable(code);
            let tail = match (&message, code.is_empty()) {
                (Some(text), _) => format!(": {text}"),
                (None, false) => format!(": {code}"),
                (None, true) => String::new(),
            };
            Error::new(Kind::Network, operation, what)
                .because(format!("{host} answered with status {status}{tail}"))
        }
    }
}

/// A registry's text made safe for a terminal: no control, escape or direction-changing
/// characters, one line, at most 300 characters.
pub(super) fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let clean = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !hidden(*c))
        .take(MAX_TEXT)
        .collect::<String>();
    clean.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spec_codes_become_kinds() {
        let made = |code: &str, status| {
            let body = format!(r#"{{"errors":[{{"code":"{code}","message":"m","detail":{{}}}}]}}"#);
            refusal("pull", "x", "h", status, body.as_bytes(), false).kind()
        };
        assert_eq!(made("MANIFEST_UNKNOWN", 404), Kind::NotFound);
        assert_eq!(made("NAME_UNKNOWN", 400), Kind::NotFound);
        assert_eq!(made("DENIED", 404 + 1), Kind::Denied);
        assert_eq!(made("TOOMANYREQUESTS", 403), Kind::Network);
        for body in [
            &b""[..],
            b"[]",
            b"{\"errors\":[]}",
            b"<html>",
            b"{\"errors\":[{}]}",
        ] {
            assert_eq!(
                refusal("pull", "x", "h", 401, body, true).kind(),
                Kind::Denied
            );
            assert_eq!(
                refusal("pull", "x", "h", 418, body, true).kind(),
                Kind::Network
            );
        }
    }

    #[test]
    fn texts_of_a_registry_cannot_drive_the_terminal() {
        let shown = printable("\u{1b}]0;title\u{7}\u{202e}red\u{9b}31m\r\nnext\0");
        assert_eq!(shown, "]0;titlered31m  next");
        assert_eq!(printable(&"x".repeat(10_000)).len(), MAX_TEXT);
    }
}
