//! One instruction: what each keyword expects behind it.

use super::copying;
use super::error::ParseError;
use super::flag::Flags;
use super::health;
use super::request::Request;
use super::running;
use super::span::Word;
use super::tree::{Command, Instruction, Kind};

/// Every keyword.
pub(super) const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads an instruction that is no `FROM`.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn read(request: Request<'_>) -> Result<Instruction, ParseError> {
    let mut legacy = false;
    let kind = match request.name().as_str() {
        "RUN" => Kind::Run(running::read(&request)?),
        "COPY" => Kind::Copy(copying::copy(&request)?),
        "ADD" => Kind::Add(copying::add(&request)?),
        "HEALTHCHECK" => Kind::Healthcheck(health::read(&request)?),
        "ENV" => Kind::Env(pairs(&request, &mut legacy)?),
        "LABEL" => Kind::Label(pairs(&request, &mut legacy)?),
        "ARG" => Kind::Arg(arguments(&request)?),
        "ONBUILD" => Kind::Onbuild(trigger(&request)?),
        "STOPSIGNAL" => Kind::Stopsignal(one(&request)?),
        _ => plain(&request)?,
    };
    Ok(Instruction {
        kind,
        span: request.span(),
        source: request.line.text.trim().to_owned(),
        keyword: request.keyword,
        heredocs: request.heredocs,
        comments: request.line.comments.clone(),
        legacy,
    })
}

/// The instructions without flags of their own.
fn plain(request: &Request<'_>) -> Result<Kind, ParseError> {
    let name = request.name();
    if !KEYWORDS.contains(&name.as_str()) {
        let written = &request.keyword.raw;
        return Err(request
            .refused(format!("unknown instruction: {written}"))
            .suggest(written, &KEYWORDS));
    }
    Flags::check(request, &[])?;
    Ok(match name.as_str() {
        "EXPOSE" => Kind::Expose(some(request, request.words())?),
        "VOLUME" => Kind::Volume(volumes(request)?),
        "USER" => Kind::User(one(request)?),
        "WORKDIR" => Kind::Workdir(one(request)?),
        "MAINTAINER" => Kind::Maintainer(one(request)?.raw),
        "CMD" => Kind::Cmd(command(request)?),
        "ENTRYPOINT" => Kind::Entrypoint(command(request)?),
        "SHELL" => Kind::Shell(shell(request)?),
        _ => return Err(request.refused(format!("{name} cannot stand here"))),
    })
}

/// A JSON array for exec, else a line for the shell.
pub(super) fn command(request: &Request<'_>) -> Result<Command, ParseError> {
    Ok(match request.json()? {
        Some(words) => Command::Exec(words),
        None => Command::Shell(request.rest().to_owned()),
    })
}

fn one(request: &Request<'_>) -> Result<Word, ParseError> {
    if request.range.is_empty() {
        let name = request.name();
        return Err(request.refused(format!("{name} requires exactly one argument")));
    }
    Ok(request.whole())
}

fn some<T>(request: &Request<'_>, list: Vec<T>) -> Result<Vec<T>, ParseError> {
    if list.is_empty() {
        let name = request.name();
        return Err(request.refused(format!("{name} requires at least one argument")));
    }
    Ok(list)
}

fn volumes(request: &Request<'_>) -> Result<Vec<Word>, ParseError> {
    let mut paths = some(request, request.list()?)?;
    for path in &mut paths {
        path.raw = path.raw.trim().to_owned();
        if path.raw.is_empty() {
            return Err(ParseError::at(
                path.span,
                "VOLUME specified can not be an empty string",
            ));
        }
    }
    Ok(paths)
}

fn shell(request: &Request<'_>) -> Result<Vec<String>, ParseError> {
    if request.range.is_empty() {
        return some(request, Vec::new());
    }
    match request.json()? {
        Some(words) => some(request, words),
        None => Err(request.wrong(
            &request.range,
            "SHELL requires the arguments to be in JSON form",
        )),
    }
}

/// `k=v …`, or the old form `k the rest`.
fn pairs(request: &Request<'_>, legacy: &mut bool) -> Result<Vec<(Word, Word)>, ParseError> {
    Flags::check(request, &[])?;
    let name = request.name();
    let blank = || format!("{name} names can not be blank");
    let words = some(request, request.quoted())?;
    if !words[0].text.contains('=') {
        *legacy = true;
        let rest = request.rest();
        let blanks = super::words::BLANKS;
        let Some((key, value)) = rest.split_once(blanks) else {
            return Err(request.wrong(&request.range, format!("{name} must have two arguments")));
        };
        let start = request.range.start;
        let value = request.range.end - value.trim_start_matches(blanks).len()..request.range.end;
        let key = request.line.word(start..start + key.len());
        return Ok(vec![(key, request.line.word(value))]);
    }
    let pair = |piece: &super::words::Piece| {
        let Some((key, value)) = piece.text.split_once('=') else {
            return Err(request.wrong(
                &piece.range,
                format!(
                    "Syntax error - can't find = in {:?}. Must be of the form: name=value",
                    piece.text
                ),
            ));
        };
        if key.is_empty() {
            return Err(request.wrong(&piece.range, blank()));
        }
        let middle = (piece.range.start + key.len()).min(piece.range.end);
        let place = |range| request.line.place(&range);
        let behind = (middle + 1).min(piece.range.end);
        Ok((
            Word::new(key, place(piece.range.start..middle)),
            Word::new(value, place(behind..piece.range.end)),
        ))
    };
    words.iter().map(pair).collect()
}

fn arguments(request: &Request<'_>) -> Result<Vec<(Word, Option<Word>)>, ParseError> {
    let words = some(request, request.quoted())?;
    let argument = |piece: &super::words::Piece| {
        let whole = request.word(piece);
        let Some((key, value)) = piece.text.split_once('=') else {
            return Ok((whole, None));
        };
        if key.is_empty() {
            return Err(ParseError::at(whole.span, "ARG names can not be blank"));
        }
        let middle = (piece.range.start + key.len()).min(piece.range.end);
        let place = |range| request.line.place(&range);
        let behind = (middle + 1).min(piece.range.end);
        let value = Word::new(value, place(behind..piece.range.end));
        let key = Word::new(key, place(piece.range.start..middle));
        Ok((key, Some(value)))
    };
    words.iter().map(argument).collect()
}

/// The instruction for later, with its here-documents.
fn trigger(request: &Request<'_>) -> Result<String, ParseError> {
    Flags::check(request, &[])?;
    if request.range.is_empty() {
        return Err(request.refused("ONBUILD requires at least one argument"));
    }
    let inner = Request::cut(request.line, request.range.clone(), request.escape);
    match inner.name().as_str() {
        "ONBUILD" => {
            return Err(inner.refused("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"));
        }
        name @ ("FROM" | "MAINTAINER") => {
            return Err(inner.refused(format!("{name} isn't allowed as an ONBUILD trigger")));
        }
        _ => {}
    }
    let mut text = request.rest().to_owned();
    for heredoc in &request.heredocs {
        text.push('\n');
        text.push_str(&heredoc.raw);
        text.push_str(&heredoc.name);
    }
    Ok(text)
}
