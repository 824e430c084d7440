//! What a forked child tells its caller, as one value or the parts of an error.

use serde::{Deserialize, Serialize};

use crate::common::{Error, Kind};

/// The outcome of a child's work.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::network) enum Answer<T> {
    /// It went well.
    Done(T),
    /// It failed.
    Failed {
        /// Class of the error.
        kind: String,
        /// What was being done, to what.
        operation: String,
        object: String,
        /// Why.
        cause: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl<T> Answer<T> {
    pub(in crate::network) fn of(result: Result<T, Error>) -> Answer<T> {
        let error = match result {
            Ok(value) => return Answer::Done(value),
            Err(error) => error,
        };
        let (operation, object) = (error.operation().to_owned(), error.object().to_owned());
        let text = error.to_string();
        let head = match object.is_empty() {
            true => operation.clone(),
            false => format!("{operation} {object}"),
        };
        let cause = text.strip_prefix(&head).unwrap_or(&text);
        Answer::Failed {
            kind: error.kind().code().to_owned(),
            cause: cause.trim_start_matches(": ").to_owned(),
            hint: error.advice().map(str::to_owned),
            operation,
            object,
        }
    }

    pub(in crate::network) fn into_result(self) -> Result<T, Error> {
        match self {
            Answer::Done(value) => Ok(value),
            Answer::Failed {
                kind,
                operation,
                object,
                cause,
                hint,
            } => {
                let kind = Kind::from_code(&kind).unwrap_or(Kind::System);
                let error = Error::new(kind, operation, object).because(cause);
                Err(match hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_to_the_caller() {
        let error = Error::errno("add link", "veth0", nix::errno::Errno::EEXIST).hint("ask");
        let text = error.to_string();
        let answer = Answer::<()>::of(Err(error));
        let bytes = serde_json::to_vec(&answer).unwrap();
        let back: Answer<()> = serde_json::from_slice(&bytes).unwrap();
        let back = back.into_result().unwrap_err();
        assert_eq!(
            (back.to_string(), back.kind(), back.advice()),
            (text, Kind::Conflict, Some("ask"))
        );
    }
}
