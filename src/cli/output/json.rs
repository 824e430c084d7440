//! JSON on stdout: one object a line (docker) or one array (podman) for lists, one document
//! otherwise.

use serde_json::Value;

use crate::cli::personality::Personality;

/// The text of a list. `docker` rows hold only strings; `podman` rows are typed.
pub(crate) fn list(
    personality: Personality,
    rows: impl IntoIterator<Item = (Value, Value)>,
) -> String {
    match personality {
        Personality::Docker => rows
            .into_iter()
            .map(|(docker, _)| format!("{docker}\n"))
            .collect(),
        Personality::Podman => pretty(&Value::Array(
            rows.into_iter().map(|(_, podman)| podman).collect(),
        )),
    }
}

/// One document on one line.
pub(crate) fn compact(document: &Value) -> String {
    format!("{document}\n")
}

/// One document indented by four blanks, as docker's and podman's `inspect` print it.
pub(crate) fn pretty(document: &Value) -> String {
    use serde::Serialize as _;

    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    if document.serialize(&mut serializer).is_err() {
        return compact(document);
    }
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_else(|_| compact(document))
}

/// Labels as docker's lists show them: `a=b,c=d`.
pub(crate) fn joined(labels: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_lines_or_an_array() {
        let rows = || vec![(json!({"A": "1"}), json!({"a": 1})), (json!({}), json!({}))];
        assert_eq!(list(Personality::Docker, rows()), "{\"A\":\"1\"}\n{}\n");
        assert_eq!(
            list(Personality::Podman, rows()),
            "[\n    {\n        \"a\": 1\n    },\n    {}\n]\n"
        );
        assert_eq!(list(Personality::Docker, vec![]), "");
        assert_eq!(list(Personality::Podman, vec![]), "[]\n");
    }
}
