//! Whether logind ends this user's processes when the session ends (logind.conf(5)).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories of configuration, the strongest first.
const PLACES: [&str; 3] = ["/etc/systemd", "/run/systemd", "/usr/lib/systemd"];

/// What logind is told about processes of users who have left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Settings {
    /// `KillUserProcesses=`; the default is the distribution's and cannot be seen.
    kill: Option<bool>,
    /// `KillOnlyUsers=`; empty is everybody.
    only: Vec<String>,
    /// `KillExcludeUsers=`; root when not said.
    exclude: Option<Vec<String>>,
}

/// Whether everything that `user` leaves running in the present session is killed at its end:
/// logind was told so, the process is part of a session, and the user may not linger.
pub(super) fn kills(user: Option<&str>) -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let lingers = |user: &str| Path::new("/var/lib/systemd/linger").join(user).exists();
    in_session(&read("/proc/self/cgroup"))
        && settings(&PLACES.map(PathBuf::from)).applies_to(user)
        && !user.is_some_and(lingers)
}

/// Reads the first main file there is and every drop-in; of drop-ins with one name the strongest.
fn settings(places: &[PathBuf]) -> Settings {
    let mut settings = Settings::default();
    let mains = places.iter().map(|place| place.join("logind.conf"));
    if let Some(text) = mains
        .into_iter()
        .find_map(|path| fs::read_to_string(path).ok())
    {
        settings.take(&text);
    }
    let mut files = BTreeMap::new();
    for place in places.iter().rev() {
        let entries = fs::read_dir(place.join("logind.conf.d"));
        for path in entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
        {
            if path
                .extension()
                .is_some_and(|extension| extension == "conf")
            {
                files.insert(path.file_name().map(ToOwned::to_owned), path);
            }
        }
    }
    for path in files.values() {
        settings.take(&fs::read_to_string(path).unwrap_or_default());
    }
    settings
}

impl Settings {
    /// Takes over what a file says.
    fn take(&mut self, text: &str) {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            if section != "[Login]" || line.starts_with(['#', ';']) {
                continue;
            }
            let users = || value.split_whitespace().map(str::to_owned).collect();
            match key.trim() {
                "KillUserProcesses" => self.kill = boolean(value.trim()),
                "KillOnlyUsers" => self.only = users(),
                "KillExcludeUsers" => self.exclude = Some(users()),
                _ => {}
            }
        }
    }

    fn applies_to(&self, user: Option<&str>) -> bool {
        let listed = |users: &[String]| users.iter().any(|name| Some(name.as_str()) == user);
        let excluded = match &self.exclude {
            Some(users) => listed(users),
            None => user == Some("root"),
        };
        self.kill == Some(true) && !excluded && (self.only.is_empty() || listed(&self.only))
    }
}

/// systemd's words for yes and no (systemd.syntax(7)).
fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Whether `/proc/self/cgroup` names the scope of a login session.
fn in_session(cgroup: &str) -> bool {
    let mut parts = cgroup.lines().flat_map(|line| line.split('/'));
    parts.any(|part| part.starts_with("session-") && part.ends_with(".scope"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Settings {
        let mut settings = Settings::default();
        settings.take(text);
        settings
    }

    #[test]
    fn only_an_explicit_yes_counts() {
        for (text, kills) in [
            ("", false),
            ("[Login]\n#KillUserProcesses=yes\n", false),
            ("[Login]\nKillUserProcesses = yes\n", true),
            ("[Login]\nKillUserProcesses=no\n", false),
            ("[Other]\nKillUserProcesses=yes\n", false),
            ("KillUserProcesses=yes\n", false),
            (
                "[Login]\nKillUserProcesses=on\nKillUserProcesses=maybe\n",
                false,
            ),
            ("[Login]\nKillUserProcesses=1\nKillOnlyUsers=eve\n", false),
            (
                "[Login]\nKillUserProcesses=1\nKillOnlyUsers=eve bob\n",
                true,
            ),
            (
                "[Login]\nKillUserProcesses=1\nKillExcludeUsers=bob\n",
                false,
            ),
        ] {
            assert_eq!(of(text).applies_to(Some("bob")), kills, "{text:?}");
        }
        let yes = of("[Login]\nKillUserProcesses=true");
        assert!(!yes.applies_to(Some("root")) && yes.applies_to(None));
    }

    #[test]
    fn a_session_has_a_scope() {
        assert!(in_session(
            "0::/user.slice/user-1000.slice/session-3.scope\n"
        ));
        assert!(in_session(
            "1:name=systemd:/user.slice/user-0.slice/session-c1.scope/x\n0::/\n"
        ));
        assert!(!in_session(
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice\n"
        ));
        assert!(!in_session("0::/system.slice/session-cleanup.service\n"));
    }

    #[test]
    fn drop_ins_follow_the_main_file_and_the_strongest_of_a_name_wins() {
        let root = tempfile::tempdir().unwrap();
        let [strong, weak] = ["etc", "usr"].map(|name| root.path().join(name));
        let put = |dir: &Path, name: &str, value: &str| {
            fs::create_dir_all(dir.join("logind.conf.d")).unwrap();
            let text = format!("[Login]\nKillUserProcesses={value}\n");
            fs::write(dir.join(name), text).unwrap();
        };
        let found = || settings(&[strong.clone(), weak.clone()]).kill;
        assert_eq!(found(), None);
        put(&weak, "logind.conf", "yes");
        assert_eq!(found(), Some(true));
        put(&strong, "logind.conf", "no");
        assert_eq!(found(), Some(false));
        put(&weak, "logind.conf.d/10-kill.conf", "yes");
        assert_eq!(found(), Some(true));
        put(&strong, "logind.conf.d/10-kill.conf", "no");
        put(&strong, "logind.conf.d/20-kill.txt", "yes");
        assert_eq!(found(), Some(false));
    }
}
