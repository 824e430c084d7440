//! `logs`.

use std::io::{self, BufWriter, Stderr, Stdout, Write};
use std::os::fd::{AsFd, BorrowedFd};

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{ContainerId, Error, ExitStatus, Timestamp, parse_moment};
use crate::engine::Engine;
use crate::engine::container::{ListRequest, LogSink, LogsRequest, list, logs};
use crate::logs::{Entry, ReadOptions, Stream};

/// Fetch the logs of one or more containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Logs {
    /// Follow log output
    #[arg(short, long)]
    follow: bool,

    /// Number of lines to show from the end of the logs
    #[arg(
        short = 'n',
        long,
        visible_alias = "lines",
        value_name = "NUMBER",
        default_value = "all"
    )]
    tail: String,

    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,

    /// Show logs since a timestamp (2026-01-02T13:23:37Z) or relative (42m for 42 minutes)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Show logs before a timestamp (2026-01-02T13:23:37Z) or relative (42m for 42 minutes)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Show extra details provided to logs
    #[arg(long)]
    details: bool,

    /// Output the container name in the log, with several containers
    #[arg(long)]
    names: bool,

    /// Output the containers with different colors in the log, with several containers
    #[arg(long)]
    color: bool,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// Containers by name or ID
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Execute for Logs {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if self.latest != self.containers.is_empty() {
            return Err(Error::usage("logs", "", "name containers, or use --latest").into());
        }
        let now = Timestamp::now();
        let options = ReadOptions {
            tail: tail(&self.tail)?,
            since: moment("--since", self.since.as_deref(), now)?,
            until: end(self.until.as_deref(), now, session.personality)?,
        };
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut request = LogsRequest {
            containers: self.containers,
            follow: self.follow,
            options,
        };
        if self.latest {
            request.containers.push(latest(&engine)?);
        }
        let mut printer = Printer {
            prefixes: (request.containers.len() > 1).then(Vec::new),
            names: self.names,
            color: self.color,
            timestamps: self.timestamps,
            details: self.details,
            out: BufWriter::with_capacity(64 * 1024, io::stdout()),
            err: BufWriter::with_capacity(64 * 1024, io::stderr()),
            last: Stream::Stdout,
            inside: Vec::new(),
        };
        logs(&engine, &request, &mut printer)?;
        Ok(ExitStatus::Code(0))
    }
}

/// docker: a negative number is all.
fn tail(text: &str) -> Result<Option<u64>, Error> {
    if text == "all" {
        return Ok(None);
    }
    match text.parse::<i64>() {
        Ok(number) => Ok(u64::try_from(number).ok()),
        Err(_) => Err(parse::bad("--tail", text, "use a number or \"all\"")),
    }
}

/// Reads `--since` or `--until`.
pub(in crate::cli::command) fn moment(
    flag: &str,
    text: Option<&str>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match parse_moment(text, now) {
        Some(moment) => Ok(Some(moment)),
        None => Err(parse::bad(
            flag,
            text,
            "use a Unix time, an RFC 3339 date or an age like 10m",
        )),
    }
}

/// Reads `--until`: podman's age of the end lies in the future, docker's in the past.
pub(in crate::cli::command) fn end(
    text: Option<&str>,
    now: Timestamp,
    personality: Personality,
) -> Result<Option<Timestamp>, Error> {
    let until = moment("--until", text, now)?;
    let is_age = text.is_some_and(|text| crate::common::parse_duration(text).is_ok());
    let ahead = is_age && personality == Personality::Podman;
    Ok(until.map(|until| match ahead {
        true => Timestamp(now.0 + (now.0 - until.0)),
        false => until,
    }))
}

pub(super) fn latest(engine: &Engine<'_>) -> anyhow::Result<String> {
    let all = ListRequest {
        all: true,
        size: false,
    };
    match list(engine, all)?.first() {
        Some(row) => Ok(row.id.to_string()),
        None => Err(Error::usage("use --latest", "", "there is no container").into()),
    }
}

/// podman's colours of containers, in turn.
const COLORS: [&str; 8] = [
    "\x1b[37m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m", "\x1b[97m",
];

/// Writes entries as docker does: byte by byte, control characters included, since the output is
/// the payload's own.
struct Printer {
    /// What each line begins with, one a container; `None` with one container.
    prefixes: Option<Vec<String>>,
    names: bool,
    color: bool,
    timestamps: bool,
    details: bool,
    out: BufWriter<Stdout>,
    err: BufWriter<Stderr>,
    /// Where the last entry went.
    last: Stream,
    /// Containers and streams whose last entry has not ended its line.
    inside: Vec<(usize, Stream)>,
}

impl Printer {
    /// What stands in front of an entry that begins a line. docker repeats it in the middle of
    /// a line longer than 16 KiB, which nobody can tell from the line's own text.
    fn heading(&self, index: usize, entry: &Entry<'_>) -> String {
        let mut text = String::new();
        if let Some(prefix) = self
            .prefixes
            .as_ref()
            .and_then(|prefixes| prefixes.get(index))
        {
            text.push_str(prefix);
        }
        if self.timestamps {
            text.push_str(&entry.time.fixed());
            text.push(' ');
        }
        if self.details {
            let pairs = entry.details.iter();
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
                .collect();
            text.push_str(&pairs.join(","));
            text.push(' ');
        }
        text
    }

    fn write(&mut self, index: usize, entry: &Entry<'_>) -> io::Result<()> {
        if self.last != entry.stream {
            // On one terminal the two keep their order.
            self.flush()?;
            self.last = entry.stream;
        }
        let place = (index, entry.stream);
        let heading = match self.inside.contains(&place) {
            true => String::new(),
            false => self.heading(index, entry),
        };
        let out: &mut dyn Write = match entry.stream {
            Stream::Stdout => &mut self.out,
            Stream::Stderr => &mut self.err,
        };
        out.write_all(heading.as_bytes())?;
        out.write_all(&entry.text)?;
        self.inside.retain(|known| *known != place);
        if !entry.text.ends_with(b"\n") {
            self.inside.push(place);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }
}

impl LogSink for Printer {
    fn container(&mut self, id: &ContainerId, name: &str) {
        let (names, color) = (self.names, self.color);
        if let Some(prefixes) = &mut self.prefixes {
            let word = if names { name } else { &id.as_str()[..12] };
            prefixes.push(match color {
                true => format!("{}{word}\x1b[0m ", COLORS[prefixes.len() % COLORS.len()]),
                false => format!("{word} "),
            });
        }
    }

    fn entry(&mut self, index: usize, entry: &Entry<'_>) -> anyhow::Result<()> {
        Ok(self.write(index, entry)?)
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        Ok(self.flush()?)
    }

    fn output(&self) -> BorrowedFd<'_> {
        self.out.get_ref().as_fd()
    }
}

/// Go's `url.QueryEscape`, which docker's details are written with.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_a_number_or_all() {
        assert_eq!(tail("all").unwrap(), None);
        assert_eq!(tail("-1").unwrap(), None);
        assert_eq!(tail("0").unwrap(), Some(0));
        assert!(tail("some").is_err());
    }

    #[test]
    fn details_are_escaped_as_go_does() {
        assert_eq!(escape("a b/ü~"), "a+b%2F%C3%BC~");
    }
}
