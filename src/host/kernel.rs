//! The running kernel's version, for facilities that cannot be probed cheaply.

use std::fmt;

/// Major and minor number; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KernelVersion {
    major: u32,
    minor: u32,
}

impl KernelVersion {
    /// Makes a version to compare with.
    pub(crate) const fn new(major: u32, minor: u32) -> KernelVersion {
        KernelVersion { major, minor }
    }

    /// Asks `uname(2)`. A kernel that hides its version counts as 0.0: no facility is assumed.
    pub(crate) fn running() -> KernelVersion {
        nix::sys::utsname::uname()
            .ok()
            .and_then(|name| Self::parse(name.release().to_str()?))
            .unwrap_or(KernelVersion::new(0, 0))
    }

    /// Reads the start of a release string such as `6.18.44-fc` or `5.10-rc1`.
    pub(crate) fn parse(release: &str) -> Option<KernelVersion> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(KernelVersion { major, minor })
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_distributions_parse_and_order() {
        for (text, major, minor) in [
            ("6.18.44-fc-v669", 6, 18),
            ("5.10-rc1", 5, 10),
            ("4.18.0-553.el8_10.x86_64", 4, 18),
            ("5.15.167.4-microsoft-standard-WSL2", 5, 15),
        ] {
            let version = KernelVersion::new(major, minor);
            assert_eq!(KernelVersion::parse(text), Some(version), "{text}");
        }
        assert_eq!(KernelVersion::parse("linux"), None);
        assert_eq!(KernelVersion::parse("99999999999.1"), None);
        assert!(KernelVersion::new(5, 11) > KernelVersion::new(5, 9));
    }
}
