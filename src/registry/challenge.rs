//! `WWW-Authenticate` (RFC 9110 section 11.6.1): one header may hold several challenges.

/// One way to log in that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token from `realm`.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
    /// Name and password with every request.
    Basic,
}

impl Challenge {
    /// The best challenge of all headers: Bearer with a realm, else Basic. Unknown schemes and
    /// what does not parse are passed over.
    pub(super) fn best<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
        let mut found: Vec<Challenge> = headers.flat_map(parse).collect();
        let bearer = found
            .iter()
            .position(|challenge| matches!(challenge, Challenge::Bearer { .. }));
        match bearer {
            Some(index) => Some(found.swap_remove(index)),
            None => found.pop(),
        }
    }
}

fn parse(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut current: Option<(String, Vec<(String, String)>)> = None;
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start_matches([' ', '\t']);
        if word.is_empty() {
            break;
        }
        match after.strip_prefix('=') {
            Some(value) => {
                let (value, left) = parse_value(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = &mut current {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = left;
            }
            None => {
                found.extend(current.take().and_then(finish));
                current = Some((word.to_ascii_lowercase(), Vec::new()));
                rest = after;
            }
        }
    }
    found.extend(current.take().and_then(finish));
    found
}

/// A token or a quoted string, and what follows it.
fn parse_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (index, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, quoted.get(index + 1..).unwrap_or_default()),
            c => value.push(c),
        }
    }
    (value, "")
}

fn finish((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let get = |name: &str| {
        parameters
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.clone())
    };
    match scheme.as_str() {
        "bearer" => Some(Challenge::Bearer {
            realm: get("realm")?,
            service: get("service"),
            scope: get("scope"),
        }),
        "basic" => Some(Challenge::Basic),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(headers: &[&str]) -> Option<Challenge> {
        Challenge::best(headers.iter().copied())
    }

    #[test]
    fn challenges_parse_in_every_form() {
        let full = Challenge::Bearer {
            realm: "https://auth/token".to_owned(),
            service: Some("a, b\"c".to_owned()),
            scope: Some("repository:x:pull".to_owned()),
        };
        let text = r#"Bearer realm="https://auth/token",service="a, b\"c",scope=repository:x:pull"#;
        assert_eq!(best(&[text]), Some(full.clone()));
        let spaced = r#"bEARER  realm = "https://auth/token" , SERVICE="a, b\"c" ,, scope="repository:x:pull""#;
        assert_eq!(best(&[spaced]), Some(full.clone()));
        assert_eq!(best(&["Basic realm=\"x\""]), Some(Challenge::Basic));
        assert_eq!(best(&["Basic"]), Some(Challenge::Basic));
        let two = format!("Basic realm=\"x\", {text}");
        assert_eq!(best(&[&two]), Some(full.clone()));
        assert_eq!(best(&["Negotiate abc==", "Basic", text]), Some(full));
    }

    #[test]
    fn junk_is_passed_over() {
        for junk in [
            "",
            "Bearer",
            "Bearer realm=",
            "Bearer realm=\"",
            "=",
            ",,,",
            "Digest x=y",
            "\"",
            "Bearer =x",
        ] {
            assert_eq!(best(&[junk]), None, "{junk}");
        }
        assert!(best(&["Bearer realm=\"unterminated"]).is_some());
    }
}
