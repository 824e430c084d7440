//! One line of comma-separated fields with Go's quoting (`encoding/csv`, RFC 4180).

use crate::common::{Result, quoted_field};

use super::bad;

/// Splits `text` into fields: `a,"b,c","d""e"` gives `a`, `b,c` and `d"e`.
pub(crate) fn fields(flag: &str, text: &str) -> Result<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) =
                quoted_field(quoted).ok_or_else(|| bad(flag, text, "a quote is not closed"))?;
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(fields),
                None => return Err(bad(flag, text, "text after a closing quote")),
            }
            continue;
        }
        let (field, next) = match rest.split_once(',') {
            Some((field, next)) => (field, Some(next)),
            None => (rest, None),
        };
        if field.contains('"') {
            return Err(bad(flag, text, "a quote inside an unquoted field"));
        }
        fields.push(field.to_owned());
        match next {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_follow_go() {
        let cases: [(&str, &[&str]); 5] = [
            ("a,b", &["a", "b"]),
            (r#"a,"b,c","d""e""#, &["a", "b,c", "d\"e"]),
            ("", &[""]),
            ("a,", &["a", ""]),
            (r#""src=/a b",x"#, &["src=/a b", "x"]),
        ];
        for (text, want) in cases {
            assert_eq!(fields("--mount", text).unwrap(), want, "{text}");
        }
        for bad in [r#""a"#, r#""a"b"#, r#"a"b"#] {
            assert!(fields("--mount", bad).is_err(), "{bad}");
        }
    }
}
