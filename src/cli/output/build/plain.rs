//! Line by line: `#5 [2/3] RUN make`, each line under the number of its step.

use crate::build::progress::{Event, Vertex};

use super::ledger::{self, Ledger, Line};
use super::{Moment, Show};

/// The plain form.
pub(super) struct Plain {
    ledger: Ledger,
    /// The step whose lines are being written.
    current: Option<Vertex>,
    failed: Option<Vertex>,
    any: bool,
}

impl Plain {
    pub(super) fn new() -> Plain {
        Plain {
            ledger: Ledger::default(),
            current: None,
            failed: None,
            any: false,
        }
    }

    /// Goes on to a step: its heading, unless it is the current one.
    fn turn(&mut self, vertex: Vertex, out: &mut String) {
        if self.current == Some(vertex) {
            return;
        }
        if let Some(step) = self
            .current
            .and_then(|current| self.ledger.steps.get(&current))
            && step.ended.is_none()
        {
            out.push_str(&format!("#{} ...\n", step.number));
        }
        if let Some(step) = self.ledger.steps.get(&vertex) {
            if self.any {
                out.push('\n');
            }
            out.push_str(&format!("#{} {}\n", step.number, step.name));
        }
        self.current = Some(vertex);
        self.any = true;
    }

    fn lines(&mut self, vertex: Vertex, lines: &[Line], out: &mut String) {
        if lines.is_empty() {
            return;
        }
        self.turn(vertex, out);
        let number = self.number(vertex);
        for line in lines {
            let at = line.at.as_secs_f64();
            out.push_str(&format!("#{number} {at:.3} {}\n", line.text));
        }
    }

    fn number(&self, vertex: Vertex) -> usize {
        self.ledger.steps.get(&vertex).map_or(0, |step| step.number)
    }
}

/// Why a step was not in the cache.
fn missed(event: &Event<'_>) -> String {
    match event {
        Event::Missed { text, inputs } => format!("#? {}\n", ledger::reasons(text, inputs)),
        _ => String::new(),
    }
}

impl Show for Plain {
    fn event(&mut self, event: &Event<'_>, now: Moment) -> String {
        let lines = self.ledger.note(event, now.since);
        let Some(vertex) = ledger::subject(event) else {
            return missed(event);
        };
        let mut out = String::new();
        self.lines(vertex, &lines, &mut out);
        let last = match event {
            Event::Named { .. } | Event::Output { .. } | Event::Missed { .. } => return out,
            Event::Started { .. } => String::new(),
            Event::Part { text, .. } => format!("{text} done"),
            Event::Cached { .. } => "CACHED".to_owned(),
            Event::Canceled { .. } => "CANCELED".to_owned(),
            Event::Done { .. } => {
                let step = self.ledger.steps.get(&vertex);
                let times = step.and_then(|step| Some((step.began?, step.ended?)));
                let (began, ended) = times.unwrap_or_default();
                format!("DONE {:.1}s", ended.saturating_sub(began).as_secs_f64())
            }
            Event::Failed { why, .. } => {
                self.failed = Some(vertex);
                format!("ERROR: {why}")
            }
        };
        self.turn(vertex, &mut out);
        if !last.is_empty() {
            out.push_str(&format!("#{} {last}\n", self.number(vertex)));
        }
        out
    }

    fn end(&mut self, _now: Moment, failed: bool) -> String {
        let step = self
            .failed
            .and_then(|vertex| self.ledger.steps.get(&vertex));
        step.filter(|_| failed)
            .map(ledger::repeat)
            .unwrap_or_default()
    }
}
