//! Questions about the terminal this command is on.

use std::io::{IsTerminal, stdin};

/// Whether stdin is a terminal.
pub(crate) fn input() -> bool {
    stdin().is_terminal()
}

/// Asks on stderr and reads a line of stdin; only `y` and `yes` mean yes.
pub(crate) fn confirm(question: &str) -> bool {
    crate::cli::error_report::say(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let read = stdin().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
