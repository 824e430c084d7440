//! A list in every form: table, JSON, template, `table TEMPLATE`; docker's way or podman's.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::format::{Format, failure};
use super::json;
use super::table::{Style, Table, align};
use crate::cli::personality::Personality;
use crate::cli::template::{Function, Param, Template, Value};
use crate::common::Result;

/// The columns a list can have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    /// What a row is called in messages about templates.
    pub(crate) of: &'static str,
    /// Fields of docker's row that the plain table shows, in order.
    pub(crate) shown: &'a [&'a str],
    /// Headers of fields; another field's is its name in capitals, words apart.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Whether the header row is printed.
    pub(crate) heading: bool,
}

/// One row: an object of strings in docker's words, and a typed one in podman's.
pub(crate) type Row = (Json, Json);

/// The text of a list.
///
/// Templates see docker's row; with podman's habits, podman's row with docker's strings over it,
/// since podman's columns are texts as well, but for its maps. `.Label "key"` works on the
/// `Labels` of podman's row.
///
/// # Errors
/// A template that names no field, or fails otherwise.
pub(crate) fn list(
    personality: Personality,
    format: &Format,
    columns: &Columns<'_>,
    rows: &[Row],
) -> Result<String> {
    match format {
        Format::Json => Ok(json::list(personality, rows.iter().cloned())),
        Format::Text => Ok(columns.table(personality, rows)),
        Format::Template(template) => {
            if personality == Personality::Podman && template.source().starts_with("{{range") {
                let items = rows.iter().map(|row| columns.data(personality, row));
                return execute(template, &Value::List(items.collect()), columns);
            }
            columns.each(template, personality, rows)
        }
        Format::Table(template) => {
            let mut text = match columns.heading {
                true => columns.header(template)?,
                false => String::new(),
            };
            text.push_str(&columns.each(template, personality, rows)?);
            Ok(align(&text, Style::of(personality)))
        }
    }
}

fn execute(template: &Template, data: &Value, columns: &Columns<'_>) -> Result<String> {
    template.execute(data).map_err(|message| {
        let error = failure(&message);
        match data {
            Value::Record(record) if message.contains("can't evaluate field") => {
                let fields: Vec<&str> = record.fields.keys().map(String::as_str).collect();
                error.hint(format!("a {} has {}", columns.of, fields.join(", ")))
            }
            _ => error,
        }
    })
}

impl Columns<'_> {
    fn header_of<'f>(&'f self, field: &'f str) -> Cow<'f, str> {
        let known = self.headers.iter().find(|(name, _)| *name == field);
        match known {
            Some((_, header)) => Cow::Borrowed(header),
            None => Cow::Owned(apart(field)),
        }
    }

    fn table(&self, personality: Personality, rows: &[Row]) -> String {
        let header: Vec<Cow<'_, str>> =
            self.shown.iter().map(|name| self.header_of(name)).collect();
        let header: Vec<&str> = header.iter().map(AsRef::as_ref).collect();
        let mut table = match self.heading {
            true => Table::new(&header),
            false => Table::headless(),
        };
        for (docker, _) in rows {
            let cell = |name: &&str| match &docker[*name] {
                Json::String(text) => text.clone(),
                Json::Null => String::new(),
                other => other.to_string(),
            };
            table.row(self.shown.iter().map(cell));
        }
        table.render_as(Style::of(personality))
    }

    /// The names of the columns as the template arranges them.
    fn header(&self, template: &Template) -> Result<String> {
        let fields = template.fields();
        let names = fields
            .iter()
            .map(|name| (name.to_string(), Value::text(&self.header_of(name))));
        let label = Function {
            params: &[Param::Text],
            rest: None,
            body: std::rc::Rc::new(|values| {
                Ok(match values {
                    [Value::Text(key)] => Value::text(&label_header(key)),
                    _ => Value::text(""),
                })
            }),
        };
        let method = ("Label".to_owned(), Value::Function(label));
        let data = Value::record(self.of, names.chain([method]));
        let text = template
            .header(&data)
            .map_err(|message| failure(&message))?;
        Ok(text + "\n")
    }

    fn each(&self, template: &Template, personality: Personality, rows: &[Row]) -> Result<String> {
        let mut text = String::new();
        for row in rows {
            text.push_str(&execute(template, &self.data(personality, row), self)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// What a template sees of a row.
    fn data(&self, personality: Personality, (docker, podman): &Row) -> Value {
        let mut fields = std::collections::BTreeMap::new();
        let mut add = |document: &Json| {
            for (name, value) in document.as_object().into_iter().flatten() {
                let known = fields.get(name);
                if !matches!(known, Some(Value::Map(_))) {
                    fields.insert(name.clone(), Value::of_json(value));
                }
            }
        };
        if personality == Personality::Podman {
            add(podman);
        }
        add(docker);
        if let Some(labels) = podman.get("Labels") {
            let labels = labels.clone();
            let method = Function {
                params: &[Param::Text],
                rest: None,
                body: std::rc::Rc::new(move |values| {
                    let found = match values {
                        [Value::Text(key)] => labels.get(&**key).and_then(Json::as_str),
                        _ => None,
                    };
                    Ok(Value::text(found.unwrap_or("")))
                }),
            };
            fields.insert("Label".to_owned(), Value::Function(method));
        }
        Value::record(self.of, fields)
    }
}

/// podman's header of a field: `CreatedAt` is `CREATED AT`.
fn apart(field: &str) -> String {
    let mut out = String::new();
    let mut before = 'A';
    for c in field.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            out.push(' ');
        }
        out.extend(c.to_uppercase());
        before = c;
    }
    out
}

/// docker's header of `.Label "com.example.my-key"`: `my key`.
fn label_header(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: Columns<'_> = Columns {
        of: "thing",
        shown: &["ID", "CreatedAt"],
        headers: &[("ID", "THING ID")],
        heading: true,
    };

    fn show(personality: Personality, format: &str) -> Result<String> {
        let rows = [
            (
                json!({"ID": "1", "CreatedAt": "now", "Labels": "a.b=c"}),
                json!({"Id": "11", "Labels": {"a.b": "c"}, "Size": 5}),
            ),
            (
                json!({"ID": "2", "CreatedAt": "x", "Labels": ""}),
                json!({"Labels": {}, "Size": 0}),
            ),
        ];
        let format = Format::parse(Some(format))?.for_personality(personality)?;
        list(personality, &format, &COLUMNS, &rows)
    }

    #[test]
    fn every_form_of_a_list() {
        let docker = |format| show(Personality::Docker, format).unwrap();
        let podman = |format| show(Personality::Podman, format).unwrap();
        assert_eq!(
            docker("table"),
            "THING ID   CREATED AT\n1          now\n2          x\n"
        );
        assert_eq!(
            podman("table"),
            "THING ID    CREATED AT\n1           now\n2           x\n"
        );
        assert_eq!(docker("{{.ID}}\\t{{.Label \"a.b\"}}"), "1\tc\n2\t\n");
        assert_eq!(
            docker("table {{lower .ID}}\\t{{.Label \"a.b\"}}"),
            "THING ID   b\n1          c\n2          \n"
        );
        assert_eq!(
            podman("table {{.ID}} {{.CreatedAt}}"),
            "THING ID    CREATED AT\n1           now\n2           x\n"
        );
        assert_eq!(podman("{{range .}}{{.ID}},{{end}}"), "1,2,");
        assert_eq!(
            podman("{{.Labels}} {{.Size}}").lines().next(),
            Some("map[a.b:c] 5")
        );
        assert_eq!(docker("{{json .}}").lines().count(), 2);
        assert!(podman("{{json .}}").starts_with("[\n"));
        let error = show(Personality::Docker, "{{.Nope}}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "template parsing error: template: :1:2: executing \"\" at <.Nope>: \
             can't evaluate field Nope in type thing"
        );
        assert_eq!(
            error.advice(),
            Some("a thing has CreatedAt, ID, Label, Labels")
        );
    }
}
