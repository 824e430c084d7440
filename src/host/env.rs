//! The few environment variables that facts of the machine depend on, given by the caller:
//! `settings` alone reads the environment.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Variables that batch systems set in every process of a job, with the system's name.
const JOBS: [(&str, &str); 9] = [
    ("SLURM_JOB_ID", "Slurm"),
    ("PBS_JOBID", "PBS"),
    ("LSB_JOBID", "LSF"),
    ("FLUX_JOB_ID", "Flux"),
    ("OAR_JOB_ID", "OAR"),
    ("COBALT_JOBID", "Cobalt"),
    ("LOADL_STEP_ID", "LoadLeveler"),
    ("SGE_TASK_ID", "Grid Engine"),
    ("_CONDOR_JOB_AD", "HTCondor"),
];

/// Values of the variables `host` needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostEnv {
    /// `PATH`.
    pub(crate) path: Option<OsString>,
    /// `XDG_RUNTIME_DIR`.
    pub(crate) runtime_dir: Option<PathBuf>,
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) session_bus: Option<OsString>,
    /// `LOGNAME`, else `USER`.
    pub(crate) user: Option<String>,
    /// Name of the batch system whose job this process is part of.
    pub(crate) job: Option<&'static str>,
}

/// Every other variable that is looked up.
const OTHERS: [&str; 5] = [
    "PATH",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "LOGNAME",
    "USER",
];

impl HostEnv {
    /// Names of all variables that are looked up: what another image of this process needs.
    pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
        OTHERS.into_iter().chain(JOBS.iter().map(|(name, _)| *name))
    }

    /// Takes the values from `lookup`, a function from a variable's name to its value.
    pub(crate) fn from_lookup(lookup: &dyn Fn(&str) -> Option<OsString>) -> HostEnv {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        HostEnv {
            path: get("PATH"),
            runtime_dir: get("XDG_RUNTIME_DIR").map(PathBuf::from),
            session_bus: get("DBUS_SESSION_BUS_ADDRESS"),
            user: get("LOGNAME")
                .or_else(|| get("USER"))
                .and_then(|name| name.into_string().ok()),
            job: JOBS
                .iter()
                .find(|(name, _)| get(name).is_some_and(|value| value != "undefined"))
                .map(|(_, system)| *system),
        }
    }

    /// The socket of the bus on which a systemd manager of user `euid` listens. A session bus
    /// that is no systemd's (`dbus-run-session`) is found out when it is called.
    pub(crate) fn systemd_bus(&self, euid: u32) -> Option<PathBuf> {
        if euid == 0 {
            // `/run/systemd/system` exists exactly where systemd is the init; sd_booted(3).
            let booted = Path::new("/run/systemd/system").is_dir();
            let socket = PathBuf::from("/run/dbus/system_bus_socket");
            return (booted && socket.exists()).then_some(socket);
        }
        let given = self
            .session_bus
            .as_ref()
            .and_then(|a| bus_path(a.as_bytes()));
        let usual = self.runtime_dir.as_ref().map(|dir| dir.join("bus"));
        [given, usual]
            .into_iter()
            .flatten()
            .find(|path| path.exists())
    }
}

/// The socket path in a D-Bus address list; abstract and other transports are passed over.
fn bus_path(address: &[u8]) -> Option<PathBuf> {
    let text = std::str::from_utf8(address).ok()?;
    text.split(';').find_map(|one| {
        let pairs = one.strip_prefix("unix:")?;
        let path = pairs
            .split(',')
            .find_map(|pair| pair.strip_prefix("path="))?;
        (!path.contains('%')).then(|| PathBuf::from(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_job_and_its_system_are_recognised() {
        let env = HostEnv::from_lookup(&|name| (name == "PBS_JOBID").then(|| "7.server".into()));
        assert_eq!(env.job, Some("PBS"));
        let env = HostEnv::from_lookup(&|name| (name == "SGE_TASK_ID").then(|| "undefined".into()));
        assert_eq!(env.job, None);
        let env = HostEnv::from_lookup(&|_| Some(OsString::new()));
        assert!(env.job.is_none() && env.path.is_none());
    }

    #[test]
    fn the_bus_is_a_path_of_the_address_list_else_the_runtime_dirs() {
        let path = |text: &str| bus_path(text.as_bytes());
        assert_eq!(path("unix:path=/a/b,guid=1"), Some("/a/b".into()));
        assert_eq!(
            path("unix:abstract=/x;unix:guid=1,path=/b"),
            Some("/b".into())
        );
        assert_eq!(path("tcp:host=localhost"), None);
        let dir = tempfile::tempdir().unwrap();
        let mut env = HostEnv {
            runtime_dir: Some(dir.path().into()),
            ..HostEnv::default()
        };
        assert_eq!(env.systemd_bus(1000), None);
        std::fs::write(dir.path().join("bus"), "").unwrap();
        env.session_bus = Some("unix:path=/nonexistent".into());
        assert_eq!(env.systemd_bus(1000), Some(dir.path().join("bus")));
    }
}
