//! `# syntax=`, `# escape=` and `# check=` in front of everything else.

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
