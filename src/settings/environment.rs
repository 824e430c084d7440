//! The environment of this process, captured once. The only reader of `std::env` variables.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::common::passwd_entries;

/// A snapshot of the environment variables.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    pairs: Vec<(OsString, OsString)>,
}

impl Environment {
    /// Captures the variables of this process.
    pub(crate) fn capture() -> Environment {
        Environment {
            pairs: std::env::vars_os().collect(),
        }
    }

    /// An environment made of pairs.
    pub(crate) fn from_pairs<K: Into<OsString>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Environment {
        Environment {
            pairs: pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        }
    }

    /// A variable as text; none when unset or not UTF-8.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// A variable as bytes; none when unset.
    pub(crate) fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.pairs
            .iter()
            .find(|(key, _)| key.as_os_str() == name)
            .map(|(_, value)| value.as_os_str())
    }

    /// Every variable, in the order of the process.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }

    /// A variable that holds an absolute path; relative and empty ones are ignored, as the XDG
    /// base directory specification asks.
    pub(crate) fn absolute(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(self.get_os(name)?);
        path.is_absolute().then(|| path.to_owned())
    }

    /// The caller's home: `$HOME`, else the entry of /etc/passwd (cron and batch jobs often run
    /// without `HOME`).
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.absolute("HOME").or_else(|| {
            let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
            home_of(&passwd, nix::unistd::getuid().as_raw())
        })
    }

    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    pub(crate) fn config_home(&self) -> Option<PathBuf> {
        self.absolute("XDG_CONFIG_HOME")
            .or_else(|| Some(self.home()?.join(".config")))
    }

    /// `$XDG_DATA_HOME`, else `~/.local/share`.
    pub(crate) fn data_home(&self) -> Option<PathBuf> {
        self.absolute("XDG_DATA_HOME")
            .or_else(|| Some(self.home()?.join(".local/share")))
    }

    /// Where files of the Container Device Interface are: `$KETCH_CDI_SPEC_DIRS`, directories
    /// between colons; `usual` without.
    pub(crate) fn cdi_spec_dirs(&self, usual: &[&str]) -> Vec<PathBuf> {
        match self.get_os("KETCH_CDI_SPEC_DIRS") {
            Some(dirs) if !dirs.is_empty() => std::env::split_paths(dirs)
                .filter(|dir| dir.is_absolute())
                .collect(),
            _ => usual.iter().map(PathBuf::from).collect(),
        }
    }

    /// `$XDG_RUNTIME_DIR`.
    pub(crate) fn runtime_dir(&self) -> Option<PathBuf> {
        self.absolute("XDG_RUNTIME_DIR")
    }
}

fn home_of(passwd: &str, uid: u32) -> Option<PathBuf> {
    passwd_entries(passwd)
        .find(|entry| entry.uid == uid)
        .map(|entry| PathBuf::from(entry.home))
        .filter(|home| home.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_directories_are_ignored() {
        let environment = Environment::from_pairs([
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "relative"),
            ("XDG_DATA_HOME", "/data"),
            ("XDG_RUNTIME_DIR", ""),
        ]);
        assert_eq!(environment.config_home().unwrap(), Path::new("/h/.config"));
        assert_eq!(environment.data_home().unwrap(), Path::new("/data"));
        assert_eq!(environment.runtime_dir(), None);
    }

    #[test]
    fn the_home_of_an_id_comes_from_passwd_lines() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nu:x:1000:1000:U:/home/u:/bin/sh\n";
        assert_eq!(home_of(passwd, 1000), Some(PathBuf::from("/home/u")));
        assert_eq!(home_of(passwd, 7), None);
    }
}
