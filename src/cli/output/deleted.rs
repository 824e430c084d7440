//! What a `prune` says it has deleted.

use std::fmt::Display;

/// A line for each.
pub(crate) fn lines<T: Display>(names: &[T]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

/// docker's section of `what` was deleted; nothing when nothing was.
pub(crate) fn section<T: Display>(what: &str, names: &[T]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("Deleted {what}:\n{}\n", lines(names)),
    }
}
