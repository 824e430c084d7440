//! `events`: what happens to containers and images, as it happens.

use std::io::{self, BufWriter, Stdout, Write};
use std::os::fd::{AsFd, BorrowedFd};

use serde_json::{Map, Value, json};

use crate::cli::args::filters;
use crate::cli::command::Execute;
use crate::cli::command::container::logs::{end, moment};
use crate::cli::command::image::whole as whole_name;
use crate::cli::output::progress::Progress;
use crate::cli::output::{Format, document, json as form};
use crate::cli::parse::boolean;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{ExitStatus, Timestamp};
use crate::engine::Engine;
use crate::engine::system::events::{EventFilters, EventSink, Request, events, podman_word};
use crate::store::Event;

/// Get real time events
#[derive(clap::Parser, Debug)]
pub(crate) struct Events {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,

    /// Format output: json, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Show all events created since a timestamp or an age (42m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Show events until a timestamp or an age, then end
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Wait for further events; false shows those of the past
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse)]
    stream: Option<bool>,

    /// Do not truncate IDs (podman's text; they are whole anyway)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse)]
    no_trunc: Option<bool>,
}

impl Execute for Events {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let podman = session.personality == Personality::Podman;
        let format = whole(Format::parse(self.format.as_deref())?);
        let now = Timestamp::now();
        let request = Request {
            since: moment("--since", self.since.as_deref(), now)?,
            until: end(self.until.as_deref(), now, session.personality)?,
            stream: self.stream.unwrap_or(true),
            filters: EventFilters::parse(&filters(&self.filter)?)?,
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut printer = Printer {
            format,
            personality: session.personality,
            short: podman && self.no_trunc == Some(false),
            out: BufWriter::new(io::stdout()),
        };
        events(&engine, &request, &mut printer)?;
        Ok(ExitStatus::Code(0))
    }
}

/// `{{json .}}` means the keys that `json` shows, not the names of Go's fields.
fn whole(format: Format) -> Format {
    match &format {
        Format::Template(template) => {
            let words: String = template.source().split_whitespace().collect();
            match words.as_str() {
                "{{json.}}" => Format::Json,
                _ => format,
            }
        }
        _ => format,
    }
}

struct Printer {
    format: Format,
    personality: Personality,
    short: bool,
    out: BufWriter<Stdout>,
}

impl Printer {
    fn text(&self, event: &Event) -> crate::common::Result<String> {
        let (json, fields, line): (Value, Value, fn(&Event, bool) -> String) =
            match self.personality {
                Personality::Docker => (docker(event), docker_fields(event), docker_line),
                Personality::Podman => (podman(event), podman_fields(event), podman_line),
            };
        match &self.format {
            Format::Json => Ok(form::compact(&json)),
            format => document(self.personality, format, "event", &fields, || {
                line(event, self.short)
            }),
        }
    }
}

impl EventSink for Printer {
    fn event(&mut self, event: &Event) -> anyhow::Result<()> {
        let text = self.text(event)?;
        Ok(self.out.write_all(text.as_bytes())?)
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }

    fn output(&self) -> BorrowedFd<'_> {
        self.out.get_ref().as_fd()
    }
}

/// docker's message (moby api/types/events). `status`, `id` and `from` are the old spelling of
/// the events of containers and images, which scripts still read.
fn docker(event: &Event) -> Value {
    let mut message = Map::new();
    if matches!(event.object.as_str(), "container" | "image") {
        message.insert("status".to_owned(), json!(event.action));
        message.insert("id".to_owned(), json!(event.id));
        if event.object == "container" {
            message.insert("from".to_owned(), json!(attribute(event, "image")));
        }
    }
    for (key, value) in [
        ("Type", json!(event.object)),
        ("Action", json!(event.action)),
        ("Actor", actor(event)),
        ("scope", json!("local")),
        ("time", json!(event.time.seconds())),
        ("timeNano", nanos(event)),
    ] {
        message.insert(key.to_owned(), value);
    }
    Value::Object(message)
}

fn docker_fields(event: &Event) -> Value {
    let old = matches!(event.object.as_str(), "container" | "image");
    let old = |text: &str| match old {
        true => text.to_owned(),
        false => String::new(),
    };
    json!({
        "Status": old(&event.action),
        "ID": old(&event.id),
        "From": attribute(event, "image"),
        "Type": event.object,
        "Action": event.action,
        "Actor": actor(event),
        "Scope": "local",
        "Time": event.time.seconds(),
        "TimeNano": nanos(event),
    })
}

fn actor(event: &Event) -> Value {
    json!({"ID": event.id, "Attributes": event.attributes})
}

fn nanos(event: &Event) -> Value {
    json!(i64::try_from(event.time.0).unwrap_or(i64::MAX))
}

fn attribute<'e>(event: &'e Event, key: &str) -> &'e str {
    event.attributes.get(key).map_or("", String::as_str)
}

/// docker: all nine digits of the fraction, the attributes in the order of their keys.
fn docker_line(event: &Event, _short: bool) -> String {
    let mut line = event.time.fixed();
    for word in [&event.object, &event.action, &event.id] {
        line.push(' ');
        line.push_str(word);
    }
    if !event.attributes.is_empty() {
        let pairs: Vec<String> = event
            .attributes
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        line.push_str(&format!(" ({})", pairs.join(", ")));
    }
    one_line(&line)
}

/// Attributes that are podman's own fields, not labels.
const FIELDS: [&str; 4] = ["image", "name", "exitCode", "execDuration"];

fn podman_labels(event: &Event) -> Vec<(&String, &String)> {
    let labels = event.attributes.iter();
    labels
        .filter(|(key, _)| !FIELDS.contains(&key.as_str()))
        .collect()
}

/// podman's event (libpod/events): empty fields are left out.
fn podman(event: &Event) -> Value {
    let mut fields = podman_fields(event);
    if let Value::Object(fields) = &mut fields {
        fields.remove("HealthStatus");
        fields.retain(|key, value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
            Value::Number(number) => key != "ContainerExitCode" || number.as_i64() != Some(0),
            _ => true,
        });
    }
    fields
}

fn podman_fields(event: &Event) -> Value {
    let labels: Map<String, Value> = podman_labels(event)
        .into_iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    json!({
        "ID": event.id,
        "Image": image(event),
        "Name": attribute(event, "name"),
        "Status": podman_word(event),
        "Time": event.time,
        "Type": event.object,
        "ContainerExitCode": attribute(event, "exitCode").parse::<i64>().unwrap_or(0),
        "HealthStatus": event.action.strip_prefix("health_status: ").unwrap_or(""),
        "Attributes": labels,
    })
}

/// podman shows whole names.
fn image(event: &Event) -> String {
    whole_name(Personality::Podman, attribute(event, "image"))
}

fn podman_line(event: &Event, short: bool) -> String {
    let fixed = event.time.fixed();
    let time = fixed.trim_end_matches('Z').replace('T', " ");
    let time = time.trim_end_matches('0').trim_end_matches('.');
    let id = match short {
        true => event.id.get(..12).unwrap_or(&event.id),
        false => &event.id,
    };
    let (kind, word) = (&event.object, podman_word(event));
    let name = attribute(event, "name");
    let head = format!("{time} +0000 UTC {kind} {word}");
    one_line(&match kind.as_str() {
        "container" => {
            let mut line = format!("{head} {id} (image={}, name={name}", image(event));
            for (key, value) in podman_labels(event) {
                line.push_str(&format!(", {key}={value}"));
            }
            line + ")"
        }
        "image" => format!("{head} {id} {name}"),
        _ => format!("{head} {name}"),
    })
}

/// Labels are foreign texts: none of them begins a line of its own or moves the cursor.
fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(clean).chain(['\n']).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn die() -> Event {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let attributes = [
            ("image", "debian"),
            ("name", "web"),
            ("exitCode", "3"),
            ("tier", "a\nb"),
        ];
        Event {
            time: Timestamp(1_500_000_000),
            object: "container".to_owned(),
            action: "die".to_owned(),
            id: "abababababababab".to_owned(),
            attributes: attributes.into_iter().map(pair).collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn lines_are_dockers_and_podmans() {
        assert_eq!(
            docker_line(&die(), false),
            "1970-01-01T00:00:01.500000000Z container die abababababababab \
             (exitCode=3, image=debian, name=web, tier=a b)\n"
        );
        assert_eq!(
            podman_line(&die(), true),
            "1970-01-01 00:00:01.5 +0000 UTC container died abababababab \
             (image=docker.io/library/debian:latest, name=web, tier=a b)\n"
        );
    }

    #[test]
    fn documents_have_the_keys_that_programs_read() {
        let json = docker(&die());
        assert_eq!(
            (&json["status"], &json["from"]),
            (&json!("die"), &json!("debian"))
        );
        assert_eq!(json["Actor"]["Attributes"]["exitCode"], "3");
        assert_eq!(
            (&json["time"], &json["timeNano"]),
            (&json!(1), &json!(1_500_000_000))
        );
        let json = podman(&die());
        assert_eq!(
            (&json["Status"], &json["ContainerExitCode"]),
            (&json!("died"), &json!(3))
        );
        assert_eq!(json["Attributes"], json!({"tier": "a\nb"}));
    }
}
