//! What reaches stdout and stderr: tables, JSON, human words, progress.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod terminal;

use std::io::{self, Write};

use crate::cli::parse;
use crate::common::Result;

/// Writes data to stdout at once, in one call where the kernel allows.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes what a library left in stdout's buffer; nobody else does at the end of the process.
pub(crate) fn finish() {
    let _ = io::stdout().flush();
}

/// Form of a command's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people.
    Text,
    /// JSON.
    Json,
}

impl Format {
    /// Reads `--format`.
    ///
    /// # Errors
    /// Templates, which are not available yet, and anything else unknown.
    pub(crate) fn parse(text: Option<&str>) -> Result<Format> {
        match text {
            None | Some("" | "table") => Ok(Format::Text),
            Some("json") => Ok(Format::Json),
            Some(other) => Err(parse::bad("--format", other, "not a known format")
                .hint("use --format json or --format table")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_and_table_are_formats() {
        assert_eq!(Format::parse(None).unwrap(), Format::Text);
        assert_eq!(Format::parse(Some("json")).unwrap(), Format::Json);
        for text in ["{{.ID}}", "table {{.ID}}", "yaml"] {
            assert!(Format::parse(Some(text)).is_err(), "{text}");
        }
    }
}
