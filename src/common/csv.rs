//! Fields of comma-separated values (Go's `encoding/csv`, RFC 4180).

/// Reads a field whose opening quote has been read: its content, in which a doubled quote stands
/// for one, and what is behind its closing quote; `None` when there is none.
pub(crate) fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Some((field, rest)),
        }
    }
}
