//! `--label`, `--label-file` and `--annotation`.

use std::collections::BTreeMap;

use crate::common::{Error, Kind, Result};

use super::bad;

/// Parses `KEY[=VALUE]` into the map; the last one of a key wins.
pub(crate) fn parse(flag: &str, text: &str, out: &mut BTreeMap<String, String>) -> Result<()> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(bad(flag, text, "use KEY=VALUE, the key without blanks"));
    }
    out.insert(key.to_owned(), value.to_owned());
    Ok(())
}

/// Parses `KEY=VALUE`; unlike a label an annotation needs its value.
pub(crate) fn annotation(text: &str, out: &mut BTreeMap<String, String>) -> Result<()> {
    if !text.contains('=') {
        return Err(bad("--annotation", text, "use KEY=VALUE"));
    }
    parse("--annotation", text, out)
}

/// Parses a file of `KEY[=VALUE]` lines; `#` lines and empty lines are skipped.
pub(crate) fn file(name: &str, bytes: &[u8], out: &mut BTreeMap<String, String>) -> Result<()> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let place = || format!("{name}:{}", index + 1);
        let line = std::str::from_utf8(line)
            .map_err(|_| Error::usage("read label file", place(), "not UTF-8"))?;
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        parse("--label-file", line, out)
            .map_err(|error| Error::new(Kind::Usage, "read label file", place()).because(error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_everything_after_the_first_equals_sign() {
        let mut out = BTreeMap::new();
        for text in ["a", "b=", "c=d=e", "a=last"] {
            parse("--label", text, &mut out).unwrap();
        }
        file("f", b"# c\n x=1 \n\ny", &mut out).unwrap();
        let shown: Vec<_> = out.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(shown, ["a=last", "b=", "c=d=e", "x=1 ", "y="]);
        for bad in ["", "=x", "a b=c"] {
            assert!(parse("--label", bad, &mut out).is_err(), "{bad}");
        }
        assert!(annotation("a", &mut out).is_err());
        assert!(
            file("f", b"ok=1\n=bad", &mut out)
                .unwrap_err()
                .to_string()
                .contains("f:2")
        );
    }
}
