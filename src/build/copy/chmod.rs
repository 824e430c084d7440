//! `--chmod`: an octal number, or chmod(1)'s symbols.

use crate::common::{Error, Result};

/// What `--chmod` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chmod {
    /// This mode.
    Octal(u32),
    /// Changes of the mode that there is.
    Symbols(Vec<Change>),
}

/// One change, `u+x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// Bits of the classes that are named: 0o700, 0o070, 0o007.
    who: u32,
    operation: u8,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Permissions of one class (0 to 7), `X`, `s` and `t`.
    Bits {
        bits: u32,
        search: bool,
        set_id: bool,
        sticky: bool,
    },
    /// Those that the class has which begins at this bit.
    Of(u32),
}

impl Chmod {
    /// Reads the flag's value.
    ///
    /// # Errors
    /// `Usage` in docker's words.
    pub(crate) fn parse(text: &str) -> Result<Chmod> {
        let bad = || {
            let why = format!(
                "invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"
            );
            Error::usage("read --chmod", text, why)
        };
        if text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
        {
            let mode = u32::from_str_radix(text, 8).ok();
            return mode
                .filter(|mode| *mode <= 0o7777)
                .map(Chmod::Octal)
                .ok_or_else(bad);
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            clause_into(clause.as_bytes(), &mut changes).ok_or_else(bad)?;
        }
        Ok(Chmod::Symbols(changes))
    }

    /// The mode of what had another.
    pub(crate) fn apply(&self, mode: u32, directory: bool) -> u32 {
        match self {
            Chmod::Octal(mode) => *mode,
            Chmod::Symbols(changes) => {
                let change = |mode, change: &Change| change.apply(mode, directory);
                changes.iter().fold(mode, change)
            }
        }
    }
}

impl Change {
    fn apply(self, mode: u32, directory: bool) -> u32 {
        let (bits, special) = match self.what {
            What::Of(shift) => (mode >> shift & 7, 0),
            What::Bits {
                bits,
                search,
                set_id,
                sticky,
            } => {
                let search = search && (directory || mode & 0o111 != 0);
                let mut special = 0;
                if set_id {
                    special |= if self.who & 0o700 != 0 { 0o4000 } else { 0 };
                    special |= if self.who & 0o070 != 0 { 0o2000 } else { 0 };
                }
                special |= if sticky { 0o1000 } else { 0 };
                (bits | u32::from(search), special)
            }
        };
        let wanted = (bits * 0o111) & self.who | special;
        match self.operation {
            b'+' => mode | wanted,
            b'-' => mode & !wanted,
            _ => {
                let mut covered = self.who;
                covered |= if self.who & 0o700 != 0 { 0o4000 } else { 0 };
                covered |= if self.who & 0o070 != 0 { 0o2000 } else { 0 };
                covered |= if self.who == 0o777 { 0o1000 } else { 0 };
                mode & !covered | wanted
            }
        }
    }
}

fn clause_into(clause: &[u8], changes: &mut Vec<Change>) -> Option<()> {
    let named = clause
        .iter()
        .take_while(|byte| b"ugoa".contains(byte))
        .count();
    let mut who = 0;
    for byte in &clause[..named] {
        who |= match byte {
            b'u' => 0o700,
            b'g' => 0o070,
            b'o' => 0o007,
            _ => 0o777,
        };
    }
    if who == 0 {
        who = 0o777;
    }
    let mut rest = &clause[named..];
    if rest.is_empty() {
        return None;
    }
    while let Some((operation, after)) = rest.split_first() {
        if !b"+-=".contains(operation) {
            return None;
        }
        let length = after
            .iter()
            .take_while(|byte| !b"+-=".contains(byte))
            .count();
        let what = what(&after[..length])?;
        changes.push(Change {
            who,
            operation: *operation,
            what,
        });
        rest = &after[length..];
    }
    Some(())
}

fn what(symbols: &[u8]) -> Option<What> {
    match symbols {
        b"u" => return Some(What::Of(6)),
        b"g" => return Some(What::Of(3)),
        b"o" => return Some(What::Of(0)),
        _ => {}
    }
    let (mut bits, mut search, mut set_id, mut sticky) = (0, false, false, false);
    for symbol in symbols {
        match symbol {
            b'r' => bits |= 4,
            b'w' => bits |= 2,
            b'x' => bits |= 1,
            b'X' => search = true,
            b's' => set_id = true,
            b't' => sticky = true,
            _ => return None,
        }
    }
    Some(What::Bits {
        bits,
        search,
        set_id,
        sticky,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_symbols_are_those_of_chmod() {
        for (text, mode, directory, wanted) in [
            ("755", 0o600, false, 0o755),
            ("4755", 0o600, false, 0o4755),
            ("0", 0o777, false, 0),
            ("u+x", 0o644, false, 0o744),
            ("go-w", 0o666, false, 0o644),
            ("a+rX", 0o600, false, 0o644),
            ("a+rX", 0o700, false, 0o755),
            ("a+rX", 0o600, true, 0o755),
            ("u=rwx,go=rx", 0o4600, false, 0o755),
            ("+x", 0o600, false, 0o711),
            ("g=u", 0o640, false, 0o660),
            ("u+s,g+s,+t", 0o755, false, 0o7755),
            ("u-x+w", 0o500, false, 0o600),
            ("o=", 0o777, false, 0o770),
        ] {
            let chmod = Chmod::parse(text).unwrap();
            assert_eq!(chmod.apply(mode, directory), wanted, "{text}");
        }
        for text in ["", "8", "77777", "u", "u+q", "x+r", "9x", ",", "u+x,"] {
            assert!(Chmod::parse(text).is_err(), "{text}");
        }
    }
}
