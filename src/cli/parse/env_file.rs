//! `--env-file`: docker's line format (docker/cli `opts/file.go`, `pkg/kvfile`).

use crate::common::{Error, Kind, Result};
use crate::spec::config::EnvEntry;

use super::env::{Caller, entry};

/// Parses the bytes of the file called `name` in messages and appends its entries.
///
/// UTF-8, a byte-order mark is dropped; leading blanks are dropped, `#` lines and empty lines
/// too; everything after the first `=` is the value, verbatim (quotes and trailing blanks
/// stay); a bare name takes the caller's value; a blank in a name is an error.
pub(crate) fn parse(
    name: &str,
    bytes: &[u8],
    caller: &dyn Caller,
    out: &mut Vec<EnvEntry>,
) -> Result<()> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let bad = |why: &str| {
            Error::new(
                Kind::Usage,
                "read env file",
                format!("{name}:{}", index + 1),
            )
            .because(why.to_owned())
        };
        let line = std::str::from_utf8(line).map_err(|_| bad("not UTF-8"))?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.contains('\0') {
            return Err(bad("a NUL byte"));
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (line, None),
        };
        if key.is_empty() {
            return Err(bad("no name before the ="));
        }
        if key.contains(char::is_whitespace) {
            return Err(bad("a name cannot hold blanks"));
        }
        match value {
            Some(value) => out.push(entry(key, value.to_owned())),
            None => out.extend(caller.get(key).map(|value| entry(key, value))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::env::Fixed;
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>> {
        let mut out = Vec::new();
        parse("f", bytes, &Fixed(&[("HERE", "h")]), &mut out)?;
        Ok(out
            .iter()
            .map(|e| format!("{}={}", e.key, e.value.as_deref().unwrap_or("")))
            .collect())
    }

    #[test]
    fn lines_follow_docker() {
        let text = b"\xef\xbb\xbf# c\n\n  A=\"q\" \nB=a=b # no comment\r\nHERE\nGONE\nC=";
        assert_eq!(
            read(text).unwrap(),
            ["A=\"q\" ", "B=a=b # no comment", "HERE=h", "C="]
        );
    }

    #[test]
    fn bad_lines_name_their_number() {
        for (text, line) in [
            (&b"A=1\nB C=2"[..], "f:2"),
            (b"=x", "f:1"),
            (b"A=\xff", "f:1"),
            (b"A B", "f:1"),
        ] {
            assert!(read(text).unwrap_err().to_string().contains(line));
        }
    }
}
