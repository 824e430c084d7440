//! The keys of `[Container]` and the flags of `run` that each stands for.

/// What a key becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    /// The flag with the last value.
    Last(&'static str),
    /// The flag once for each line.
    Each(&'static str),
    /// The flag once for each word of all lines.
    Words(&'static str),
    /// The flag with true or false.
    Switch(&'static str),
    /// The flag and a text before the last value: options of `--security-opt`.
    Option(&'static str),
    /// Code of its own.
    Own,
    /// Nothing: it is about what ketch does not do.
    Nothing,
    /// A refusal that says what is missing.
    Missing(&'static str),
}

use Becomes::{Each, Last, Missing, Nothing, Option as Opt, Own, Switch, Words};

/// Keys as podman-systemd.unit(5) has them (podman 5.6), sorted.
pub(super) const KEYS: &[(&str, Becomes)] = &[
    ("AddCapability", Words("--cap-add")),
    ("AddDevice", Own),
    ("AddHost", Each("--add-host")),
    ("Annotation", Words("--annotation")),
    ("AppArmor", Opt("apparmor")),
    ("AutoUpdate", Nothing),
    ("CgroupsMode", Own),
    ("ContainerName", Own),
    (
        "ContainersConfModule",
        Missing("modules of containers.conf"),
    ),
    ("DNS", Each("--dns")),
    ("DNSOption", Each("--dns-option")),
    ("DNSSearch", Each("--dns-search")),
    ("DropCapability", Words("--cap-drop")),
    ("Entrypoint", Last("--entrypoint")),
    ("Environment", Words("--env")),
    ("EnvironmentFile", Own),
    ("EnvironmentHost", Switch("--env-host")),
    ("Exec", Own),
    ("ExposeHostPort", Each("--expose")),
    ("GIDMap", Missing("--gidmap")),
    ("GlobalArgs", Own),
    ("Group", Own),
    ("GroupAdd", Each("--group-add")),
    ("HealthCmd", Last("--health-cmd")),
    ("HealthInterval", Last("--health-interval")),
    ("HealthLogDestination", Missing("logs of health checks")),
    ("HealthMaxLogCount", Missing("logs of health checks")),
    ("HealthMaxLogSize", Missing("logs of health checks")),
    ("HealthOnFailure", Missing("--health-on-failure")),
    ("HealthRetries", Last("--health-retries")),
    ("HealthStartPeriod", Last("--health-start-period")),
    ("HealthStartupCmd", Missing("startup health checks")),
    ("HealthStartupInterval", Missing("startup health checks")),
    ("HealthStartupRetries", Missing("startup health checks")),
    ("HealthStartupSuccess", Missing("startup health checks")),
    ("HealthStartupTimeout", Missing("startup health checks")),
    ("HealthTimeout", Last("--health-timeout")),
    ("HostName", Last("--hostname")),
    ("HttpProxy", Missing("--http-proxy")),
    ("IP", Last("--ip")),
    ("IP6", Last("--ip6")),
    ("Image", Own),
    ("Label", Words("--label")),
    ("LogDriver", Last("--log-driver")),
    ("LogOpt", Each("--log-opt")),
    ("Mask", Opt("mask")),
    ("Memory", Last("--memory")),
    ("Mount", Own),
    ("Network", Own),
    ("NetworkAlias", Each("--network-alias")),
    ("NoNewPrivileges", Own),
    ("Notify", Own),
    ("PidsLimit", Last("--pids-limit")),
    ("Pod", Missing("pods")),
    ("PodmanArgs", Own),
    ("PublishPort", Each("--publish")),
    ("Pull", Last("--pull")),
    ("ReadOnly", Switch("--read-only")),
    ("ReadOnlyTmpfs", Missing("--read-only-tmpfs")),
    ("ReloadCmd", Missing("reloads of units")),
    ("ReloadSignal", Missing("reloads of units")),
    ("Retry", Missing("--retry")),
    ("RetryDelay", Missing("--retry-delay")),
    ("Rootfs", Own),
    ("RunInit", Switch("--init")),
    ("SeccompProfile", Opt("seccomp")),
    ("Secret", Missing("secrets")),
    ("SecurityLabelDisable", Nothing),
    ("SecurityLabelFileType", Nothing),
    ("SecurityLabelLevel", Nothing),
    ("SecurityLabelNested", Nothing),
    ("SecurityLabelType", Nothing),
    ("ServiceName", Own),
    ("ShmSize", Last("--shm-size")),
    ("StartWithPod", Missing("pods")),
    ("StopSignal", Last("--stop-signal")),
    ("StopTimeout", Last("--stop-timeout")),
    ("SubGIDMap", Missing("--subgidname")),
    ("SubUIDMap", Missing("--subuidname")),
    ("Sysctl", Words("--sysctl")),
    ("Timezone", Missing("--tz")),
    ("Tmpfs", Each("--tmpfs")),
    ("UIDMap", Missing("--uidmap")),
    ("Ulimit", Each("--ulimit")),
    ("Unmask", Opt("unmask")),
    ("User", Own),
    ("UserNS", Last("--userns")),
    ("VolatileTmp", Own),
    ("Volume", Own),
    ("WorkingDir", Last("--workdir")),
];

/// What `key` becomes; `None` for one that nobody knows.
pub(super) fn of(key: &str) -> Option<Becomes> {
    let at = KEYS.binary_search_by(|(known, _)| (*known).cmp(key)).ok()?;
    Some(KEYS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_key_is_found() {
        assert!(KEYS.windows(2).all(|two| two[0].0 < two[1].0));
        for (key, becomes) in KEYS {
            assert_eq!(of(key), Some(*becomes));
        }
        assert_eq!(of("image"), None);
        assert_eq!(of(""), None);
    }
}
