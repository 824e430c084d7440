//! Errors between processes.

use serde::{Deserialize, Serialize};

use super::{Error, Kind};

/// An error on its way to another process: its parts, for what is found by them there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carried {
    kind: String,
    operation: String,
    object: String,
    cause: Option<String>,
    hint: Option<String>,
}

impl From<&Error> for Carried {
    fn from(error: &Error) -> Carried {
        Carried {
            kind: error.kind().code().to_owned(),
            operation: error.operation().to_owned(),
            object: error.object().to_owned(),
            cause: error.cause().map(ToString::to_string),
            hint: error.advice().map(str::to_owned),
        }
    }
}

impl Carried {
    /// Takes `known` apart. With words around it, or when nothing is known, `text` is all that is
    /// told; `whole` says that there are none.
    pub(crate) fn of(known: Option<&Error>, whole: bool, text: String) -> Carried {
        match known {
            Some(error) if whole => error.into(),
            _ => Carried {
                kind: known.map_or(Kind::System, Error::kind).code().to_owned(),
                operation: text,
                object: String::new(),
                cause: None,
                hint: known.and_then(Error::advice).map(str::to_owned),
            },
        }
    }

    /// Cuts each text to `most` bytes.
    pub(crate) fn shorten(&mut self, most: usize) {
        let texts = [&mut self.operation, &mut self.object];
        for text in texts.into_iter().chain(&mut self.cause) {
            text.truncate(text.floor_char_boundary(most));
        }
    }

    /// The error again.
    pub(crate) fn into_error(self) -> Error {
        let kind = Kind::from_code(&self.kind).unwrap_or(Kind::System);
        let mut error = Error::new(kind, self.operation, self.object);
        if let Some(cause) = self.cause {
            error = error.because(cause);
        }
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_through_and_words_around_them_as_text() {
        let error = Error::new(Kind::Conflict, "publish port", "0.0.0.0:80/tcp")
            .because("port is already allocated".to_owned())
            .hint("choose another");
        let back = Carried::of(Some(&error), true, String::new()).into_error();
        assert_eq!(back.to_string(), error.to_string());
        assert_eq!(
            (back.kind(), back.operation(), back.advice()),
            (Kind::Conflict, "publish port", Some("choose another"))
        );
        let mut around = Carried::of(Some(&error), false, "start x: é".to_owned());
        around.shorten(10);
        let back = around.into_error();
        assert_eq!(
            (back.to_string(), back.kind()),
            ("start x: ".to_owned(), Kind::Conflict)
        );
    }
}
