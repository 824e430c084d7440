//! Flags in front of an instruction's arguments.

use super::error::ParseError;
use super::request::Request;
use super::span::Word;

/// How a flag is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `--link` or `--link=false`.
    Switch,
    /// `--chown=value`, once.
    Value,
    /// `--mount=value`, as often as one likes.
    List,
}

/// The flags that were given.
#[derive(Debug, Default)]
pub(super) struct Flags {
    given: Vec<(&'static str, Word)>,
}

impl Flags {
    /// Checks the flags of an instruction against those it knows.
    ///
    /// # Errors
    /// For one that is unknown, given twice, or has no or a wrong value.
    pub(super) fn check(
        request: &Request<'_>,
        known: &[(&'static str, Form)],
    ) -> Result<Flags, ParseError> {
        let mut flags = Flags::default();
        for piece in &request.flags {
            let bad = |why: String| request.wrong(&piece.range, why);
            let (shown, value) = match piece.text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (piece.text.as_str(), None),
            };
            let written = shown.strip_prefix("--").unwrap_or(shown);
            let Some((name, form)) = known.iter().find(|(name, _)| *name == written) else {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                return Err(bad(format!("unknown flag: {shown}")).suggest_exact(written, &names));
            };
            if *form != Form::List && flags.given(name) {
                return Err(bad(format!("duplicate flag specified: {shown}")));
            }
            let value = match (form, value) {
                (Form::Switch, None) => "true".to_owned(),
                (Form::Switch, Some("")) | (Form::Value | Form::List, None) => {
                    return Err(bad(format!("missing a value on flag: {shown}")));
                }
                (Form::Switch, Some(value)) => match value.to_ascii_lowercase() {
                    value if value == "true" || value == "false" => value,
                    _ => {
                        return Err(bad(format!(
                            "expecting boolean value for flag {shown}, not: {value}"
                        )));
                    }
                },
                (_, Some(value)) => value.to_owned(),
            };
            // The value is underlined where it stands as it is written.
            let text = &request.line.text[piece.range.clone()];
            let at = match text.find('=') {
                Some(equals) if text.ends_with(value.as_str()) => piece.range.start + equals + 1,
                _ => piece.range.start,
            };
            let span = request.line.place(&(at..piece.range.end));
            flags.given.push((*name, Word::new(value, span)));
        }
        Ok(flags)
    }

    fn given(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }

    /// The value of a flag; `None` when it was not given, or is empty, which means the same.
    pub(super) fn value(&self, name: &str) -> Option<Word> {
        self.list(name)
            .into_iter()
            .find(|word| !word.raw.is_empty())
    }

    /// All values of a flag, in order.
    pub(super) fn list(&self, name: &str) -> Vec<Word> {
        let matching = self.given.iter().filter(|(given, _)| *given == name);
        matching.map(|(_, word)| word.clone()).collect()
    }

    /// A switch, when it was given.
    pub(super) fn asked(&self, name: &str) -> Option<bool> {
        self.value(name).map(|word| word.raw == "true")
    }

    /// Whether a switch is on.
    pub(super) fn on(&self, name: &str) -> bool {
        self.asked(name) == Some(true)
    }
}
