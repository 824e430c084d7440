//! The grammars of the parts of a reference (distribution/reference, `regexp.go`), as predicates.

/// Longest tag in bytes.
const MAX_TAG: usize = 128;

/// `host[:port]` where host is dot-separated labels or a bracketed IPv6 address.
pub(super) fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => return is_v6(address),
            Some((address, port)) => {
                return is_v6(address) && port.strip_prefix(':').is_some_and(is_port);
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_v6(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_hexdigit() || c == b':')
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Slash-separated components of lower-case words joined by `.`, `_`, `__` or any run of `-`.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let word = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let end = rest.iter().position(|c| !word(c)).unwrap_or(rest.len());
        if end == 0 {
            return false;
        }
        rest = &rest[end..];
        if rest.is_empty() {
            return true;
        }
        let end = rest.iter().position(word).unwrap_or(rest.len());
        let (separator, after) = rest.split_at(end);
        if !matches!(separator, b"." | b"_" | b"__") && !separator.iter().all(|c| *c == b'-') {
            return false;
        }
        rest = after;
    }
}

/// `[\w][\w.-]{0,127}`.
pub(super) fn is_tag(text: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let mut bytes = text.bytes();
    text.len() <= MAX_TAG
        && bytes.next().is_some_and(word)
        && bytes.all(|c| word(c) || c == b'.' || c == b'-')
}

/// 64 lower-case hex characters: an image id, which docker never takes for a name.
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}
