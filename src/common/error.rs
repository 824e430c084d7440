//! The error of every module below `engine`: what failed, on which object, why, what to do.

use std::fmt;
use std::io;
use std::path::Path;

/// Result of an operation below `engine`.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Class of a failure; programs match on it and the printer maps it to an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The named object does not exist.
    NotFound,
    /// The object exists, is in use, or is in the wrong state.
    Conflict,
    /// Permission or credentials refused.
    Denied,
    /// The kernel, file system or build lacks the facility.
    Unsupported,
    /// A peer on the network failed or could not be reached.
    Network,
    /// Data does not match its digest, its format or its limits.
    Corrupt,
    /// The request itself is wrong: bad flag, bad grammar, bad value.
    Usage,
    /// Disk, quota, memory, descriptors or another finite resource ran out.
    Exhausted,
    /// The user or a signal ended the operation.
    Interrupted,
    /// Any other failure of the operating system.
    System,
    /// A broken promise inside ketch.
    Bug,
}

impl Kind {
    /// Stable lower-case code for machine-readable output.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Kind::NotFound => "not-found",
            Kind::Conflict => "conflict",
            Kind::Denied => "denied",
            Kind::Unsupported => "unsupported",
            Kind::Network => "network",
            Kind::Corrupt => "corrupt",
            Kind::Usage => "usage",
            Kind::Exhausted => "exhausted",
            Kind::Interrupted => "interrupted",
            Kind::System => "system",
            Kind::Bug => "bug",
        }
    }

    /// The kind with this code.
    pub(crate) fn from_code(code: &str) -> Option<Kind> {
        use Kind::*;
        let all = [
            NotFound,
            Conflict,
            Denied,
            Unsupported,
            Network,
            Corrupt,
            Usage,
            Exhausted,
            Interrupted,
            System,
            Bug,
        ];
        all.into_iter().find(|kind| kind.code() == code)
    }

    fn of_io(error: &io::Error) -> Kind {
        match error.raw_os_error() {
            Some(libc::ENOENT) => Kind::NotFound,
            Some(libc::EEXIST | libc::EBUSY | libc::ENOTEMPTY) => Kind::Conflict,
            Some(libc::EACCES | libc::EPERM | libc::EROFS) => Kind::Denied,
            Some(libc::ENOSYS | libc::EOPNOTSUPP) => Kind::Unsupported,
            Some(libc::ENOSPC | libc::EDQUOT | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => {
                Kind::Exhausted
            }
            Some(libc::EINTR) => Kind::Interrupted,
            _ => match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Kind::Corrupt,
                io::ErrorKind::TimedOut | io::ErrorKind::ConnectionReset => Kind::Network,
                _ => Kind::System,
            },
        }
    }
}

/// One failure. `Display` gives `operation object: cause`, lower case, no period.
#[derive(Debug)]
pub(crate) struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: Kind,
    operation: String,
    object: String,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    hint: Option<String>,
}

impl Error {
    /// Makes an error: `operation` is a verb phrase ("open layer"), `object` names what it was
    /// done to (a path, digest, id or flag value; may be empty).
    pub(crate) fn new(kind: Kind, operation: impl Into<String>, object: impl Into<String>) -> Self {
        Error {
            inner: Box::new(Inner {
                kind,
                operation: operation.into(),
                object: object.into(),
                cause: None,
                hint: None,
            }),
        }
    }

    /// A bad request; `why` says what is wrong with `object`.
    pub(crate) fn usage(
        operation: impl Into<String>,
        object: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Error::new(Kind::Usage, operation, object).because(why.into())
    }

    /// A failed file or system call on `path`; the kind follows from the errno.
    pub(crate) fn io(
        operation: impl Into<String>,
        path: impl AsRef<Path>,
        error: io::Error,
    ) -> Self {
        let kind = Kind::of_io(&error);
        Error::new(kind, operation, path.as_ref().display().to_string()).because(error)
    }

    /// A failed system call seen as a nix errno.
    pub(crate) fn errno(
        operation: impl Into<String>,
        object: impl AsRef<Path>,
        errno: nix::errno::Errno,
    ) -> Self {
        Error::io(
            operation,
            object,
            io::Error::from_raw_os_error(errno as i32),
        )
    }

    /// Sets the cause: another error or a text.
    pub(crate) fn because(
        mut self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.inner.cause = Some(cause.into());
        self
    }

    /// Sets what the user can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Replaces the kind, keeping everything else.
    pub(crate) fn with_kind(mut self, kind: Kind) -> Self {
        self.inner.kind = kind;
        self
    }

    /// The class of the failure.
    pub(crate) fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// What was being done.
    pub(crate) fn operation(&self) -> &str {
        &self.inner.operation
    }

    /// What it was done to; empty when there is no one object.
    pub(crate) fn object(&self) -> &str {
        &self.inner.object
    }

    /// Why it failed, where a cause was given.
    pub(crate) fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.inner.cause.as_deref()
    }

    /// Advice for the user, when there is any.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// The errno at the bottom of the chain, when the failure came from the kernel.
    pub(crate) fn raw_os_error(&self) -> Option<i32> {
        let mut next: Option<&(dyn std::error::Error + 'static)> =
            self.inner.cause.as_deref().map(|c| c as _);
        while let Some(error) = next {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return io.raw_os_error();
            }
            if let Some(inner) = error.downcast_ref::<Error>() {
                return inner.raw_os_error();
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.operation)?;
        if !self.inner.object.is_empty() {
            write!(f, " {}", self.inner.object)?;
        }
        if let Some(cause) = &self.inner.cause {
            write!(f, ": {}", CauseText(cause.as_ref()))?;
        }
        Ok(())
    }
}

/// A cause in words: Rust's "(os error N)" tail tells a user nothing.
struct CauseText<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for CauseText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        match text.rfind(" (os error ") {
            Some(end) if text.ends_with(')') => f.write_str(text[..end].to_lowercase().as_str()),
            _ => f.write_str(&text),
        }
    }
}

// `source` stays empty on purpose: `Display` already ends with the cause, and a printer that
// walks the chain would say it twice.
impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_operation_object_and_cause_without_errno_numbers() {
        let error = Error::io("open", "/x", io::Error::from_raw_os_error(libc::ENOENT));
        assert_eq!(error.to_string(), "open /x: no such file or directory");
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn a_nested_error_keeps_the_errno_of_its_cause() {
        let inner = Error::io("write", "/x", io::Error::from_raw_os_error(libc::ENOSPC));
        let outer = Error::new(Kind::Exhausted, "store blob", "sha256:00").because(inner);
        assert_eq!(outer.raw_os_error(), Some(libc::ENOSPC));
        assert_eq!(
            outer.to_string(),
            "store blob sha256:00: write /x: no space left on device"
        );
    }
}
