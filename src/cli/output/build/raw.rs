//! One JSON object a line, with the keys of docker's `--progress=rawjson`.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::build::progress::{Event, Vertex};
use crate::common::{Digest, Timestamp};

use super::{Moment, Show, ledger};

/// The form for programs.
#[derive(Default)]
pub(super) struct Raw {
    steps: BTreeMap<Vertex, Known>,
}

#[derive(Default)]
struct Known {
    name: String,
    began: Option<Duration>,
}

/// A step's name among the objects: each build numbers anew, so the number and the name do.
fn digest(vertex: Vertex, name: &str) -> String {
    Digest::of(format!("{vertex} {name}").as_bytes()).to_string()
}

/// Why a step was not in the cache, as a step of its own.
fn missed(event: &Event<'_>, now: Moment) -> String {
    let Event::Missed { text, inputs } = event else {
        return String::new();
    };
    line(&json!({
        "warnings": [{
            "level": 1,
            "short": base64::engine::general_purpose::STANDARD.encode(ledger::reasons(text, inputs)),
            "timestamp": clock(now.clock),
        }]
    }))
}

impl Show for Raw {
    fn event(&mut self, event: &Event<'_>, now: Moment) -> String {
        let Some(vertex) = ledger::subject(event) else {
            return missed(event, now);
        };
        let known = self.steps.entry(vertex).or_default();
        if let Event::Named { name, .. } = event {
            (*name).clone_into(&mut known.name);
        }
        let digest = digest(vertex, &known.name);
        let mut object = json!({ "digest": digest, "name": known.name });
        let clock = Value::from(clock(now.clock));
        let mut ended = || {
            let began = *known.began.get_or_insert(now.clock);
            json!({ "started": self::clock(began), "completed": clock })
        };
        let more = match event {
            Event::Named { .. } => json!({}),
            Event::Started { .. } => {
                known.began = Some(now.clock);
                json!({ "started": clock })
            }
            Event::Missed { .. } => return String::new(),
            Event::Output { error, bytes, .. } => {
                return line(&json!({
                    "logs": [{
                        "vertex": digest,
                        "stream": if *error { 2 } else { 1 },
                        "data": base64::engine::general_purpose::STANDARD.encode(bytes),
                        "timestamp": clock,
                    }]
                }));
            }
            Event::Part { text, .. } => {
                return line(&json!({
                    "statuses": [{
                        "id": text,
                        "vertex": digest,
                        "timestamp": clock,
                        "started": clock,
                        "completed": clock,
                    }]
                }));
            }
            Event::Cached { .. } => merged(ended(), json!({ "cached": true })),
            Event::Done { .. } => ended(),
            Event::Failed { why, .. } => merged(ended(), json!({ "error": why })),
            Event::Canceled { .. } => merged(ended(), json!({ "error": "context canceled" })),
        };
        object = merged(object, more);
        line(&json!({ "vertexes": [object] }))
    }

    fn end(&mut self, _now: Moment, _failed: bool) -> String {
        String::new()
    }
}

fn merged(mut left: Value, right: Value) -> Value {
    if let (Value::Object(left), Value::Object(right)) = (&mut left, right) {
        left.extend(right);
    }
    left
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

/// A moment since 1970 in RFC 3339.
fn clock(since: Duration) -> String {
    Timestamp(since.as_nanos() as i128).to_string()
}
