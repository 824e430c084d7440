//! `# syntax=`, `# escape=` and `# check=` in front of everything else.

use super::error::ParseError;
use super::lines::Lines;
use super::span::Span;

/// The directives of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directives {
    /// `# syntax=`: the frontend asked for. There is one, built in: this is for messages.
    pub(crate) syntax: Option<String>,
    /// `# escape=`: a backslash or a backtick.
    pub(crate) escape: char,
    /// `# check=`.
    pub(crate) check: Option<Check>,
}

/// `# check=skip=A,B;error=true`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Check {
    /// Rules that stay silent.
    pub(crate) skip: Vec<String>,
    /// Whether all rules stay silent.
    pub(crate) skip_all: bool,
    /// Experimental rules that speak.
    pub(crate) experimental: Vec<String>,
    /// Whether all experimental rules speak.
    pub(crate) experimental_all: bool,
    /// Whether a warning fails the build.
    pub(crate) error: bool,
}

impl Check {
    /// Reads `skip=A,B;experimental=all;error=true`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Check, String> {
        let mut check = Check::default();
        for option in text
            .trim()
            .splitn(3, ';')
            .filter(|option| !option.is_empty())
        {
            let (key, value) = option
                .split_once('=')
                .ok_or_else(|| format!("invalid check option {option:?}"))?;
            let value = value.trim();
            let rules = || {
                value
                    .split(',')
                    .map(|rule| rule.trim().to_owned())
                    .collect()
            };
            match (key.trim(), value) {
                ("skip", "all") => check.skip_all = true,
                ("skip", _) => check.skip = rules(),
                ("experimental", "all") => check.experimental_all = true,
                ("experimental", _) => check.experimental = rules(),
                ("error", value) => {
                    check.error = boolean(value)
                        .ok_or_else(|| format!("failed to parse check option {option:?}"))?;
                }
                (key, _) => return Err(format!("invalid check option {key:?}")),
            }
        }
        Ok(check)
    }

    /// Adds what another one silences or allows to speak.
    pub(super) fn merge(&mut self, other: &Check) {
        self.skip_all |= other.skip_all;
        self.experimental_all |= other.experimental_all;
        self.skip.extend(other.skip.iter().cloned());
        self.experimental.extend(other.experimental.iter().cloned());
    }
}

/// A truth value in one of Go's spellings (strconv.ParseBool).
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Reads the directives at the head of a file and stands behind them.
///
/// # Errors
/// For one that is given twice or has a value that cannot be.
pub(super) fn read(lines: &mut Lines<'_>) -> Result<Directives, ParseError> {
    let mut found = Directives {
        syntax: None,
        escape: '\\',
        check: None,
    };
    let mut seen: Vec<String> = Vec::new();
    let all: Vec<&str> = lines.all().collect();
    // Behind a `#!` line only those count that other tools look for.
    let shebang = all.first().is_some_and(|line| line.starts_with("#!"));
    for (index, line) in all.iter().enumerate().skip(usize::from(shebang)) {
        let Some((key, value)) = directive(line.trim_start()) else {
            break;
        };
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let bad = |why: String| ParseError::at(Span::lines(number, number), why);
        if seen.contains(&key) {
            return Err(bad(format!("only one {key} parser directive can be used")));
        }
        let first = value.split(' ').next().unwrap_or_default();
        match key.as_str() {
            "syntax" => found.syntax = Some(first.to_owned()),
            "check" => found.check = Some(Check::parse(first).map_err(bad)?),
            "escape" if shebang => {}
            "escape" => {
                found.escape = match value {
                    "\\" => '\\',
                    "`" => '`',
                    _ => {
                        return Err(bad(format!(
                            "invalid escape token '{value}' does not match ` or \\"
                        )));
                    }
                }
            }
            _ => break,
        }
        seen.push(key);
        lines.skip_to(index + 1);
    }
    Ok(found)
}

/// `# key = value` with a key that is known; the key comes in lower case.
fn directive(line: &str) -> Option<(String, &str)> {
    assignment(line.strip_prefix('#')?)
}

/// `key = value` with a key that is known, as a comment right above an instruction may also have.
pub(super) fn assignment(text: &str) -> Option<(String, &str)> {
    let (key, value) = text.split_once('=')?;
    let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
    let known = matches!(key.as_str(), "syntax" | "escape" | "check");
    (known && !value.is_empty()).then_some((key, value))
}
