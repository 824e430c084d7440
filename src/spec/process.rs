//! The process section: command, environment, capabilities, limits.

use std::collections::HashSet;

use oci_spec::runtime::{
    Capability, LinuxCapabilitiesBuilder, PosixRlimit, PosixRlimitBuilder, PosixRlimitType,
    Process, ProcessBuilder, UserBuilder,
};

use super::config::{Config, Security};
use super::generate::{Inputs, built};
use crate::common::{Error, Kind, Result};
use crate::oci::{ContainerConfig, DEFAULT_PATH};

/// docker's default capabilities (moby, `oci/caps/defaults.go`).
pub(crate) fn default_capabilities() -> [Capability; 14] {
    use Capability::*;
    [
        Chown,
        DacOverride,
        Fsetid,
        Fowner,
        Mknod,
        NetRaw,
        Setgid,
        Setuid,
        Setfcap,
        Setpcap,
        NetBindService,
        SysChroot,
        Kill,
        AuditWrite,
    ]
}

/// Entrypoint and arguments after docker's rules: arguments replace `Cmd`, a new entrypoint
/// drops the image's `Cmd`.
///
/// # Errors
/// `Usage` when there is nothing to run.
pub(crate) fn command(config: &Config, image: &ContainerConfig) -> Result<Vec<String>> {
    let asked = &config.process;
    let entrypoint = asked
        .entrypoint
        .clone()
        .unwrap_or_else(|| image.entrypoint.clone().unwrap_or_default());
    let arguments = if !asked.args.is_empty() {
        asked.args.clone()
    } else if asked.entrypoint.is_some() {
        Vec::new()
    } else {
        image.cmd.clone().unwrap_or_default()
    };
    let words = [entrypoint, arguments].concat();
    if words.first().is_none_or(String::is_empty) {
        return Err(Error::new(Kind::Usage, "run", "")
            .because("no command specified".to_owned())
            .hint("name a command after the image: it has neither an entrypoint nor a command of its own"));
    }
    Ok(words)
}

/// The process section.
pub(super) fn process(inputs: &Inputs<'_>) -> Result<Process> {
    let config = inputs.config;
    let asked = &config.process;
    let caps: HashSet<Capability> = capabilities(&config.security)?;
    // The sets of a payload that is root inside; another user starts with none of them.
    let sets = LinuxCapabilitiesBuilder::default()
        .bounding(caps.clone())
        .effective(caps.clone())
        .permitted(caps)
        .inheritable(HashSet::new())
        .ambient(HashSet::new());
    let mut user = UserBuilder::default().uid(0u32).gid(0u32);
    if let Some(umask) = asked.umask {
        user = user.umask(umask);
    }
    let workdir = asked
        .workdir
        .clone()
        .unwrap_or_else(|| image_directory(inputs.image));
    let mut process = ProcessBuilder::default()
        .terminal(asked.stdio.tty)
        .user(built(user.build())?)
        .args(command(config, inputs.image)?)
        .env(environment(inputs))
        .cwd(workdir)
        .capabilities(built(sets.build())?)
        .no_new_privileges(config.security.no_new_privileges)
        .rlimits(rlimits(config)?);
    if let Some(score) = config.resources.oom_score_adj {
        process = process.oom_score_adj(score);
    }
    built(process.build())
}

fn image_directory(image: &ContainerConfig) -> String {
    match image.working_dir.as_str() {
        "" => "/".to_owned(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("/{relative}"),
    }
}

/// Defaults, then the image's, then what was asked; a later entry replaces an earlier one in
/// its place.
fn environment(inputs: &Inputs<'_>) -> Vec<String> {
    let mut env: Vec<String> = vec![
        format!("PATH={DEFAULT_PATH}"),
        format!("HOSTNAME={}", inputs.hostname),
    ];
    if inputs.config.process.stdio.tty {
        env.push("TERM=xterm".to_owned());
    }
    let mut set = |key: &str, entry: Option<String>| {
        let position = env
            .iter()
            .position(|old| old.split('=').next() == Some(key));
        match (position, entry) {
            (Some(index), Some(entry)) => env[index] = entry,
            (Some(index), None) => drop(env.remove(index)),
            (None, Some(entry)) => env.push(entry),
            (None, None) => {}
        }
    };
    for entry in &inputs.image.env {
        set(
            entry.split('=').next().unwrap_or_default(),
            Some(entry.clone()),
        );
    }
    for entry in &inputs.config.process.env {
        set(
            &entry.key,
            entry
                .value
                .as_ref()
                .map(|value| format!("{}={value}", entry.key)),
        );
    }
    env
}

fn named(name: &str) -> Result<Capability> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|_| Error::usage("use capability", name, "no such capability"))
}

/// docker's rules: drops apply before adds; `ALL` means every one.
fn capabilities(security: &Security) -> Result<HashSet<Capability>> {
    let all = || -> HashSet<Capability> { every_capability().collect() };
    let adds_all = security.cap_add.iter().any(|cap| cap == "ALL");
    let drops_all = security.cap_drop.iter().any(|cap| cap == "ALL");
    let mut set: HashSet<Capability> = match (security.privileged || adds_all, drops_all) {
        (true, _) => all(),
        (false, true) => HashSet::new(),
        (false, false) => default_capabilities().into_iter().collect(),
    };
    for name in security.cap_drop.iter().filter(|cap| *cap != "ALL") {
        set.remove(&named(name)?);
    }
    for name in security.cap_add.iter().filter(|cap| *cap != "ALL") {
        set.insert(named(name)?);
    }
    Ok(set)
}

fn every_capability() -> impl Iterator<Item = Capability> {
    use Capability::*;
    [
        Chown,
        DacOverride,
        DacReadSearch,
        Fowner,
        Fsetid,
        Kill,
        Setgid,
        Setuid,
        Setpcap,
        LinuxImmutable,
        NetBindService,
        NetBroadcast,
        NetAdmin,
        NetRaw,
        IpcLock,
        IpcOwner,
        SysModule,
        SysRawio,
        SysChroot,
        SysPtrace,
        SysPacct,
        SysAdmin,
        SysBoot,
        SysNice,
        SysResource,
        SysTime,
        SysTtyConfig,
        Mknod,
        Lease,
        AuditWrite,
        AuditControl,
        Setfcap,
        MacOverride,
        MacAdmin,
        Syslog,
        WakeAlarm,
        BlockSuspend,
        AuditRead,
        Perfmon,
        Bpf,
        CheckpointRestore,
    ]
    .into_iter()
}

fn rlimits(config: &Config) -> Result<Vec<PosixRlimit>> {
    let one = |limit: &super::config::Ulimit| {
        let name = format!("RLIMIT_{}", limit.name.to_ascii_uppercase());
        let kind: PosixRlimitType = serde_json::from_value(serde_json::Value::String(name))
            .map_err(|_| Error::usage("use --ulimit", limit.name.clone(), "no such limit"))?;
        let limit = PosixRlimitBuilder::default()
            .typ(kind)
            .soft(limit.soft.unwrap_or(u64::MAX))
            .hard(limit.hard.unwrap_or(u64::MAX));
        built(limit.build())
    };
    config.resources.ulimits.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ContainerConfig {
        ContainerConfig {
            entrypoint: Some(vec!["/entry".to_owned()]),
            cmd: Some(vec!["default".to_owned()]),
            ..ContainerConfig::default()
        }
    }

    #[test]
    fn entrypoint_and_arguments_combine_as_in_docker() {
        let mut config = Config::default();
        assert_eq!(command(&config, &image()).unwrap(), ["/entry", "default"]);
        config.process.args = vec!["x".to_owned()];
        assert_eq!(command(&config, &image()).unwrap(), ["/entry", "x"]);
        config.process.entrypoint = Some(vec!["/other".to_owned()]);
        assert_eq!(command(&config, &image()).unwrap(), ["/other", "x"]);
        config.process.args.clear();
        assert_eq!(command(&config, &image()).unwrap(), ["/other"]);
        config.process.entrypoint = Some(Vec::new());
        assert_eq!(command(&config, &image()).unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn capabilities_follow_dockers_order() {
        let set = |add: &[&str], drop: &[&str]| {
            let security = Security {
                cap_add: add.iter().map(|s| (*s).to_owned()).collect(),
                cap_drop: drop.iter().map(|s| (*s).to_owned()).collect(),
                ..Security::default()
            };
            capabilities(&security).unwrap()
        };
        assert_eq!(set(&[], &[]).len(), 14);
        assert_eq!(
            set(&["CAP_CHOWN"], &["ALL"]),
            HashSet::from([Capability::Chown])
        );
        assert_eq!(set(&["ALL"], &["CAP_CHOWN"]).len(), 40);
        assert!(!set(&[], &["CAP_MKNOD"]).contains(&Capability::Mknod));
    }
}
