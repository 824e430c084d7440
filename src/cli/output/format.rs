//! `--format`: docker's and podman's forms of a command's data.

use crate::cli::personality::Personality;
use crate::cli::template::Template;
use crate::common::{Error, Kind, Result};

/// Form of a command's data.
#[derive(Debug)]
pub(crate) enum Format {
    /// The command's own text for people.
    Text,
    /// JSON.
    Json,
    /// A Go template for each thing.
    Template(Template),
    /// `table TEMPLATE`: a Go template for each row, in columns below a header.
    Table(Template),
}

impl Format {
    /// Reads `--format` of a list. `\t` and `\n` mean what they say.
    ///
    /// # Errors
    /// A template that Go would refuse.
    pub(crate) fn parse(text: Option<&str>) -> Result<Format> {
        Format::read(text, true)
    }

    /// Reads `--format` of commands that show documents, where docker takes a template as it is.
    ///
    /// # Errors
    /// As [`parse`](Format::parse).
    pub(crate) fn parse_exact(text: Option<&str>) -> Result<Format> {
        Format::read(text, false)
    }

    fn read(text: Option<&str>, unescapes: bool) -> Result<Format> {
        let template = |text: &str| {
            let text = match unescapes {
                true => text.replace("\\t", "\t").replace("\\n", "\n"),
                false => text.to_owned(),
            };
            Template::parse("", &text).map_err(|message| failure(&message))
        };
        match text {
            None | Some("" | "table") => Ok(Format::Text),
            Some("json") => Ok(Format::Json),
            Some(text) => match text.strip_prefix("table ") {
                Some(columns) if unescapes => Ok(Format::Table(template(columns.trim())?)),
                _ => Ok(Format::Template(template(text)?)),
            },
        }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Format::Json)
    }

    /// Whether a template looks at this field; for fields that are costly to find out.
    pub(crate) fn uses(&self, field: &str) -> bool {
        match self {
            Format::Template(template) | Format::Table(template) => template.uses(field),
            Format::Text | Format::Json => false,
        }
    }

    /// podman takes `{{json .}}` of a list for `json`, and a blank between two fields of a table
    /// for a tabulator.
    ///
    /// # Errors
    /// None in practice: the template was parsed before.
    pub(crate) fn for_personality(self, personality: Personality) -> Result<Format> {
        if personality == Personality::Docker {
            return Ok(self);
        }
        match &self {
            Format::Template(template) => {
                let words: String = template.source().split_whitespace().collect();
                match words.as_str() {
                    "{{json.}}" | "{{json}}" => Ok(Format::Json),
                    _ => Ok(self),
                }
            }
            Format::Table(template) => {
                let columns = template.source().replace("}} {{", "}}\t{{");
                let parsed = Template::parse("", &columns);
                Ok(Format::Table(parsed.map_err(|message| failure(&message))?))
            }
            Format::Text | Format::Json => Ok(self),
        }
    }
}

/// What is said about a template that cannot be parsed or run: docker's words before Go's.
pub(crate) fn failure(message: &str) -> Error {
    Error::new(Kind::Usage, "template parsing error", "").because(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let parse = |text| Format::parse(Some(text)).unwrap();
        assert!(matches!(Format::parse(None).unwrap(), Format::Text));
        assert!(matches!(parse("table"), Format::Text));
        assert!(parse("json").is_json());
        assert!(matches!(
            parse("table {{.ID}}\\t{{.Names}}"),
            Format::Table(_)
        ));
        assert!(matches!(parse("{{.ID}}"), Format::Template(_)));
        assert!(parse("{{.ID}} {{.Size}}").uses("Size"));
        assert!(!parse("{{.ID}}").uses("Size"));
        let podman = parse("{{ json . }}").for_personality(Personality::Podman);
        assert!(podman.unwrap().is_json());
        let error = Format::parse(Some("{{.ID")).unwrap_err().to_string();
        assert!(error.contains("template: :1: unclosed action"), "{error}");
    }
}
