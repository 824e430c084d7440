//! Walks over a file and builds its stages.

use super::Dockerfile;
use super::directive;
use super::error::ParseError;
use super::flag::{Flags, Form};
use super::heredoc;
use super::instruction;
use super::lines::{Lines, Logical, trim_end};
use super::request::Request;
use super::span::{Span, Word};
use super::tree::{Heredoc, Instruction, Kind, Stage};

/// Largest Dockerfile, in bytes. Who reads one takes a byte more, so that nothing is cut silently.
pub(crate) const MAX_DOCKERFILE: usize = 16 << 20;

/// Most instructions of a file, each variable and label counted as one. An image with many more
/// has a configuration that nobody reads.
pub(crate) const MAX_INSTRUCTIONS: usize = 20_000;

/// Reads a whole Dockerfile; `name` is what errors call it. Bytes that are no UTF-8 read as
/// U+FFFD.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn parse(text: &[u8], name: &str) -> Result<Dockerfile, ParseError> {
    let text = String::from_utf8_lossy(
        text.strip_prefix(b"\xef\xbb\xbf".as_slice())
            .unwrap_or(text),
    );
    let mut lines = Lines::new(&text);
    let own = |line: &str| line.to_owned();
    build(&text, &mut lines, name).map_err(|error| {
        let all: Vec<String> = lines.all().map(own).collect();
        error.inside(name, &all)
    })
}

fn build(text: &str, lines: &mut Lines<'_>, name: &str) -> Result<Dockerfile, ParseError> {
    if text.is_empty() {
        return Err(nowhere("the Dockerfile cannot be empty"));
    }
    if text.len() > MAX_DOCKERFILE {
        return Err(nowhere(format!(
            "the file is larger than {MAX_DOCKERFILE} bytes"
        )));
    }
    let directives = directive::read(lines)?;
    let mut file = Dockerfile {
        name: name.to_owned(),
        lines: lines.all().map(str::to_owned).collect(),
        directives,
        args: Vec::new(),
        stages: Vec::new(),
        gaps: Vec::new(),
    };
    let escape = file.directives.escape;
    let mut any = false;
    let mut left = MAX_INSTRUCTIONS;
    while let Some(mut logical) = lines.logical(escape) {
        any = true;
        if logical.empty {
            file.gaps.push(logical.last);
        }
        let heredocs = heredocs(lines, &mut logical, escape)?;
        let mut request = Request::cut(&logical, 0..logical.text.len(), escape);
        request.heredocs = heredocs;
        let span = request.span();
        let weight = add(&mut file, request)?;
        left = left.checked_sub(weight).ok_or_else(|| {
            let why =
                format!("the file has more than {MAX_INSTRUCTIONS} instructions and variables");
            ParseError::at(span, why)
        })?;
    }
    match (any, file.stages.is_empty()) {
        (false, _) => Err(nowhere("file with no instructions")),
        (true, true) => Err(nowhere("dockerfile contains no stages to build")),
        (true, false) => Ok(file),
    }
}

fn nowhere(why: impl Into<String>) -> ParseError {
    ParseError::at(Span::default(), why)
}

/// Puts an instruction where it belongs; how many instructions it counts as.
fn add(file: &mut Dockerfile, request: Request<'_>) -> Result<usize, ParseError> {
    if request.name() == "FROM" {
        let stage = stage(&request, file.stages.len())?;
        file.stages.push(stage);
        return Ok(1);
    }
    let keyword = request.keyword.span;
    let instruction = instruction::read(request)?;
    let weight = match &instruction.kind {
        Kind::Env(pairs) | Kind::Label(pairs) => pairs.len(),
        Kind::Arg(names) => names.len(),
        _ => 1,
    };
    match (file.stages.last_mut(), &instruction.kind) {
        (Some(stage), _) => stage.instructions.push(instruction),
        (None, Kind::Arg(_)) => file.args.push(instruction),
        (None, _) => {
            let why = "no build stage in current context: only ARG may stand before FROM";
            return Err(ParseError::at(keyword, why));
        }
    }
    Ok(weight)
}

/// Reads `FROM`.
fn stage(request: &Request<'_>, index: usize) -> Result<Stage, ParseError> {
    let words = request.words();
    let (base, alias) = match words.as_slice() {
        [base] => (base, None),
        [base, word, name] if word.raw.eq_ignore_ascii_case("as") => (base, Some((word, name))),
        _ => return Err(request.refused("FROM requires either one or three arguments")),
    };
    if let Some((_, name)) = alias
        && !valid_name(&name.raw.to_lowercase())
    {
        let why = format!(
            "invalid name for build stage: {:?}, name can't start with a number or contain symbols",
            name.raw
        );
        return Err(ParseError::at(name.span, why));
    }
    let flags = Flags::check(request, &[("platform", Form::Value)])?;
    Ok(Stage {
        index,
        name: alias.map(|(_, name)| Word::new(name.raw.to_lowercase(), name.span)),
        base: base.clone(),
        platform: flags.value("platform"),
        instructions: Vec::new(),
        span: request.span(),
        source: request.line.text.trim().to_owned(),
        keyword: request.keyword.clone(),
        alias: alias.map(|(word, name)| (word.clone(), name.clone())),
        comments: request.line.comments.clone(),
    })
}

fn valid_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(letters)
}

/// Takes the here-documents that a line opens from the lines behind it.
fn heredocs(
    lines: &mut Lines<'_>,
    logical: &mut Logical,
    escape: char,
) -> Result<Vec<Heredoc>, ParseError> {
    if !logical.text.contains("<<") {
        return Ok(Vec::new());
    }
    let request = Request::cut(logical, 0..logical.text.len(), escape);
    let takes = if request.name() == "ONBUILD" {
        Request::cut(logical, request.range.clone(), escape).takes_heredocs()
    } else {
        request.takes_heredocs()
    };
    if !takes {
        return Ok(Vec::new());
    }
    let bad = |why: String| ParseError::at(logical.span(), why);
    let mut opened = heredoc::opened(&logical.text).map_err(bad)?;
    for heredoc in &mut opened {
        loop {
            let Some(line) = lines.raw() else {
                let why = format!("unterminated heredoc: no line {:?} ends it", heredoc.name);
                return Err(bad(why));
            };
            let end = trim_end(line);
            let end = if heredoc.chomp {
                end.trim_start_matches('\t')
            } else {
                end
            };
            if end == heredoc.name {
                break;
            }
            heredoc.raw.push_str(line);
        }
    }
    logical.last = logical.last.max(lines.number());
    Ok(opened)
}

/// Reads an instruction that an image kept for later (`ONBUILD`). Its places are in no file: an
/// error about it belongs to the `FROM` that named the image.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_trigger(text: &str) -> Result<Instruction, ParseError> {
    let apart = |mut error: ParseError| {
        error.span = Span::default();
        error.message = format!("onbuild trigger {text:?}: {}", error.message);
        error
    };
    let mut instruction = parse_change(text).map_err(apart)?;
    if matches!(instruction.kind, Kind::Onbuild(_) | Kind::Maintainer(_)) {
        let name = instruction.keyword.raw.to_uppercase();
        return Err(apart(nowhere(format!(
            "{name} isn't allowed as an ONBUILD trigger"
        ))));
    }
    instruction.span = Span::default();
    Ok(instruction)
}

/// Reads one instruction that stands alone, as `commit --change` has it.
///
/// # Errors
/// What is wrong with it; also for none, for several, and for `FROM`.
pub(crate) fn parse_change(text: &str) -> Result<Instruction, ParseError> {
    let escape = '\\';
    let mut lines = Lines::new(text);
    let single = || nowhere("exactly one instruction is needed");
    let mut logical = lines.logical(escape).ok_or_else(single)?;
    let heredocs = heredocs(&mut lines, &mut logical, escape)?;
    if lines.logical(escape).is_some() {
        return Err(single());
    }
    let mut request = Request::cut(&logical, 0..logical.text.len(), escape);
    request.heredocs = heredocs;
    if request.name() == "FROM" {
        return Err(request.refused("FROM is not a valid change command"));
    }
    instruction::read(request)
}
