//! Flags of commands that list or show things.

use crate::cli::output::Format;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::common::{ExitStatus, Result};
use crate::engine::container::RunFailure;

/// `--format` of lists and prunes, where `-f` is `--filter` or `--force`.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct FormatArgs {
    /// Format output: json, table, a Go template, or "table TEMPLATE"
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

impl FormatArgs {
    /// The form asked for.
    pub(crate) fn format(&self) -> Result<Format> {
        Format::parse(self.format.as_deref())
    }
}

/// `-f`, `--format` of commands that show one thing.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct ShowArgs {
    /// Format output: json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// docker's code for a template that cannot be parsed, in commands that show things.
const BAD_TEMPLATE: ExitStatus = ExitStatus::Code(64);

impl ShowArgs {
    /// The form asked for.
    ///
    /// # Errors
    /// A template that cannot be parsed, with the personality's exit code.
    pub(crate) fn format(&self, personality: Personality) -> anyhow::Result<Format> {
        let text = self.format.as_deref();
        match personality {
            Personality::Docker => Format::parse_exact(text).map_err(|error| {
                let status = BAD_TEMPLATE;
                RunFailure { status, error }.into()
            }),
            Personality::Podman => Ok(Format::parse(text)?),
        }
    }
}

/// Flags of the commands that remove what is unused.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct PruneArgs {
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Provide filter values, such as until=24h or label=KEY=VALUE
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) filter: Vec<String>,
}

/// Splits `KEY=VALUE` filters.
pub(crate) fn filters(texts: &[String]) -> Result<Vec<(String, String)>> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
            _ => Err(parse::bad("--filter", text, "use KEY=VALUE")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_pairs() {
        let pairs = filters(&["label=a=b".to_owned(), "label!=x".to_owned()]).unwrap();
        assert_eq!(pairs[0], ("label".to_owned(), "a=b".to_owned()));
        assert_eq!(pairs[1], ("label!".to_owned(), "x".to_owned()));
        assert!(filters(&["label".to_owned()]).is_err());
        assert!(filters(&["=x".to_owned()]).is_err());
    }
}
