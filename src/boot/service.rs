//! A container as a service of systemd: the one generator behind `generate systemd` and Quadlet's
//! files.
//!
//! ketch has no monitor that outlives its caller, so the service is `ketch run` or `ketch start`
//! in the foreground: its end is the container's, with the container's exit code, and what the
//! payload writes goes to the journal.

use super::unit_file::UnitFile;
use super::{Caller, words};

/// Where the id of a service's container is noted while it runs.
const ID_FILE: &str = "%t/%n.ctr-id";

/// Grace beyond the container's own before systemd kills everything, in seconds (podman).
const EXTRA: i64 = 60;

/// What the service starts.
#[derive(Debug)]
pub(super) enum Start {
    /// A container that is there, by its name or id.
    Existing(String),
    /// A fresh container at each start.
    Fresh {
        /// Global flags over those of the caller.
        global: Vec<String>,
        /// Flags of `run`, image, command; specifiers in them are filled in by systemd.
        run: Vec<String>,
    },
}

/// A service of a container.
#[derive(Debug)]
pub(super) struct Service<'a> {
    /// How ketch is called.
    pub(super) caller: &'a Caller,
    /// The store's directory.
    pub(super) store: &'a str,
    /// What it starts.
    pub(super) start: Start,
    /// Seconds between the signal and the kill; -1 is for ever, `None` the container's own.
    pub(super) stop_timeout: Option<i64>,
}

/// docker's ten seconds.
const STOP_TIMEOUT: i64 = 10;

impl Service<'_> {
    /// Adds what every such service has to `unit`; a setting that is there already stays.
    pub(super) fn complete(&self, unit: &mut UnitFile) {
        let mounts = words::quote(&words::literal_path(self.store));
        unit.add("Unit", "RequiresMountsFor", mounts);
        for (key, value) in &self.caller.variables {
            let pair = words::literal_path(&format!("{key}={value}"));
            unit.add("Service", "Environment", words::quote(&pair));
        }
        let timeout = match self.stop_timeout.unwrap_or(STOP_TIMEOUT) {
            time if time < 0 => "infinity".to_owned(),
            time => (time + EXTRA).to_string(),
        };
        // The supervisor is in the service's own cgroup and makes that of the container below.
        for (key, value) in [
            ("Type", "exec"),
            ("Delegate", "yes"),
            ("KillMode", "mixed"),
            ("TimeoutStopSec", timeout.as_str()),
        ] {
            if unit.last("Service", key).is_none() {
                unit.add("Service", key, value);
            }
        }
        // What a container answers to SIGTERM: 128 and its number.
        unit.add("Service", "SuccessExitStatus", "143");
        let stop = self.stop_flags();
        match &self.start {
            Start::Existing(name) => {
                let name = words::literal(name);
                let start = self.ketch(&[], ["start", "--attach", &name]);
                unit.add("Service", "ExecStart", start);
                let stop = stop.iter().map(String::as_str).chain([name.as_str()]);
                unit.add("Service", "ExecStop", self.ketch(&[], stop));
            }
            Start::Fresh { global, run } => {
                let file = format!("--cidfile={ID_FILE}");
                // One that a crash left would be refused.
                unit.add("Service", "ExecStartPre", format!("/bin/rm -f {ID_FILE}"));
                let flags = ["run", &file, "--replace", "--rm"];
                let run = flags.into_iter().chain(run.iter().map(String::as_str));
                unit.add("Service", "ExecStart", self.ketch(global, run));
                let stop = stop.iter().map(String::as_str);
                let stop = stop.chain(["--ignore", &file]);
                unit.add("Service", "ExecStop", self.ketch(global, stop));
                let rest = ["rm", "--force", "--ignore", &file];
                unit.add("Service", "ExecStopPost", self.ketch(global, rest));
            }
        }
    }

    fn stop_flags(&self) -> Vec<String> {
        let time = self.stop_timeout.map(|time| format!("--timeout={time}"));
        ["stop".to_owned()].into_iter().chain(time).collect()
    }

    fn ketch<'w>(&self, global: &[String], words: impl IntoIterator<Item = &'w str>) -> String {
        let caller = self.caller.words.iter().map(|word| words::literal(word));
        let rest = words.into_iter().map(str::to_owned);
        words::join(caller.chain(global.iter().cloned()).chain(rest))
    }
}
