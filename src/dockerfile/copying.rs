//! `COPY` and `ADD`.

use super::error::ParseError;
use super::expand::Lexer;
use super::flag::{Flags, Form};
use super::heredoc;
use super::request::Request;
use super::span::Word;
use super::tree::{Add, Copy, Document};

/// Reads `COPY`.
///
/// # Errors
/// For too few words, a wrong flag, or a here-document as destination.
pub(super) fn copy(request: &Request<'_>) -> Result<Copy, ParseError> {
    let words = words(request)?;
    let flags = Flags::check(
        request,
        &[
            ("chown", Form::Value),
            ("from", Form::Value),
            ("chmod", Form::Value),
            ("link", Form::Switch),
            ("exclude", Form::List),
            ("parents", Form::Switch),
        ],
    )?;
    let from = flags.value("from");
    if let Some(from) = &from {
        // The graph of stages is made before any variable has a value.
        let plain = Lexer::new(request.escape).run(&from.raw, &|_| None);
        if plain.map(|plain| plain.text).as_deref() != Ok(from.raw.as_str()) {
            return Err(ParseError::at(
                from.span,
                "variable expansion is not supported for --from, define a new stage with FROM \
                 using ARG from global scope as a workaround",
            ));
        }
    }
    let (sources, documents, destination) = parts(request, words)?;
    Ok(Copy {
        sources,
        documents,
        destination,
        from,
        chown: flags.value("chown"),
        chmod: flags.value("chmod"),
        link: flags.on("link"),
        parents: flags.on("parents"),
        excludes: flags.list("exclude"),
    })
}

/// Reads `ADD`.
///
/// # Errors
/// As `copy`.
pub(super) fn add(request: &Request<'_>) -> Result<Add, ParseError> {
    let words = words(request)?;
    let flags = Flags::check(
        request,
        &[
            ("chown", Form::Value),
            ("chmod", Form::Value),
            ("link", Form::Switch),
            ("keep-git-dir", Form::Switch),
            ("checksum", Form::Value),
            ("unpack", Form::Switch),
            ("exclude", Form::List),
        ],
    )?;
    let (sources, documents, destination) = parts(request, words)?;
    Ok(Add {
        sources,
        documents,
        destination,
        chown: flags.value("chown"),
        chmod: flags.value("chmod"),
        link: flags.on("link"),
        excludes: flags.list("exclude"),
        checksum: flags.value("checksum"),
        keep_git_dir: flags.asked("keep-git-dir"),
        unpack: flags.asked("unpack"),
    })
}

fn words(request: &Request<'_>) -> Result<Vec<Word>, ParseError> {
    let words = request.list()?;
    if words.len() < 2 {
        let name = request.name();
        return Err(request.refused(format!(
            "{name} requires at least two arguments, but only one was provided. Destination \
             could not be determined"
        )));
    }
    Ok(words)
}

type Parts = (Vec<Word>, Vec<Document>, Word);

/// Sources, here-documents and destination.
fn parts(request: &Request<'_>, mut words: Vec<Word>) -> Result<Parts, ParseError> {
    let destination = words.pop().unwrap_or_default();
    let document = |word: &Word| heredoc::parse(&word.raw).ok().flatten();
    if document(&destination).is_some() {
        let why = format!(
            "{} cannot accept a heredoc as a destination",
            request.name()
        );
        return Err(ParseError::at(destination.span, why));
    }
    let (mut sources, mut documents) = (Vec::new(), Vec::new());
    for word in words {
        let Some(opened) = document(&word) else {
            sources.push(word);
            continue;
        };
        // Of two with one name the last counts, as for a file that is written twice.
        let found = request
            .heredocs
            .iter()
            .rev()
            .find(|one| one.name == opened.name);
        documents.push(Document {
            text: found.map(super::tree::Heredoc::text).unwrap_or_default(),
            expand: opened.expand,
            name: Word::new(opened.name, word.span),
        });
    }
    Ok((sources, documents, destination))
}
