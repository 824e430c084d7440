//! `HEALTHCHECK`.

use std::time::Duration;

use crate::common::parse_duration;

use super::error::ParseError;
use super::flag::{Flags, Form};
use super::request::Request;
use super::span::Word;
use super::tree::{Command, Healthcheck};
use super::words::{self, BLANKS};

const FLAGS: [(&str, Form); 5] = [
    ("interval", Form::Value),
    ("timeout", Form::Value),
    ("start-period", Form::Value),
    ("start-interval", Form::Value),
    ("retries", Form::Value),
];

/// Shortest time that counts as one; 0 stands for docker's default.
const SHORTEST: Duration = Duration::from_millis(1);

/// Reads `CMD …` or `NONE`, which is `None`.
///
/// # Errors
/// For an unknown form, no command, or a time or count that cannot be.
pub(super) fn read(request: &Request<'_>) -> Result<Option<Healthcheck>, ParseError> {
    let rest = request.rest();
    if rest.is_empty() {
        return Err(request.refused("HEALTHCHECK requires at least one argument"));
    }
    let word = rest.find(BLANKS).unwrap_or(rest.len());
    let form = request.range.start..request.range.start + word;
    let behind = rest[word..].trim_start();
    match rest[..word].to_ascii_uppercase().as_str() {
        "NONE" if behind.is_empty() => return Ok(None),
        "NONE" => return Err(request.wrong(&form, "HEALTHCHECK NONE takes no arguments")),
        "CMD" => {}
        other => {
            let why = format!("Unknown type {other:?} in HEALTHCHECK (try CMD)");
            return Err(request.wrong(&form, why));
        }
    }
    let flags = Flags::check(request, &FLAGS)?;
    let json = words::json(behind).map_err(|why| request.wrong(&request.range, why))?;
    let command = match json {
        Some(words) => Command::Exec(words),
        None => Command::Shell(behind.to_owned()),
    };
    if behind.is_empty() || command == Command::Exec(Vec::new()) {
        return Err(request.wrong(&form, "Missing command after HEALTHCHECK CMD"));
    }
    let time = |name| flags.value(name).map_or(Ok(None), |word| time(name, &word));
    Ok(Some(Healthcheck {
        command,
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start-period")?,
        start_interval: time("start-interval")?,
        retries: flags
            .value("retries")
            .map(|word| retries(&word))
            .transpose()?,
    }))
}

fn time(name: &str, word: &Word) -> Result<Option<Duration>, ParseError> {
    let bad = |why: String| ParseError::at(word.span, why);
    let (text, negative) = match word.raw.strip_prefix('-') {
        Some(text) => (text, true),
        None => (word.raw.strip_prefix('+').unwrap_or(&word.raw), false),
    };
    let time = parse_duration(text).map_err(|error| bad(format!("--{name}: {error}")))?;
    if time.is_zero() {
        return Ok(None);
    }
    if negative || time < SHORTEST {
        return Err(bad(format!("Interval {name:?} cannot be less than 1ms")));
    }
    Ok(Some(time))
}

fn retries(word: &Word) -> Result<u32, ParseError> {
    let bad = |why: String| ParseError::at(word.span, why);
    let count: i32 = word
        .raw
        .parse()
        .map_err(|_| bad(format!("--retries is no number: {:?}", word.raw)))?;
    u32::try_from(count).map_err(|_| bad(format!("--retries cannot be negative ({count})")))
}
