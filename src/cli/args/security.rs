//! Privileges and isolation of a container.

/// Capabilities, profiles, namespaces, devices.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct SecurityArgs {
    /// Add Linux capabilities
    #[arg(long, value_name = "CAP")]
    pub(crate) cap_add: Vec<String>,

    /// Drop Linux capabilities
    #[arg(long, value_name = "CAP")]
    pub(crate) cap_drop: Vec<String>,

    /// Give extended privileges to this container
    #[arg(long)]
    pub(crate) privileged: bool,

    /// Security options: no-new-privileges, seccomp=, apparmor=, mask=, unmask=
    #[arg(long, value_name = "OPTION")]
    pub(crate) security_opt: Vec<String>,

    /// Add a host device to the container: SOURCE[:TARGET[:rwm]], or a CDI name
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Vec<String>,

    /// GPU devices to add to the container: all, a number, or device=ID,…
    #[arg(long, value_name = "GPUS")]
    pub(crate) gpus: Vec<String>,

    /// Add a rule to the cgroup allowed devices list: TYPE MAJOR:MINOR ACCESS
    #[arg(long, value_name = "RULE")]
    pub(crate) device_cgroup_rule: Vec<String>,

    /// Sysctl options: KEY=VALUE
    #[arg(long, value_name = "SYSCTL")]
    pub(crate) sysctl: Vec<String>,

    /// User namespace: host, keep-id[:uid=N,gid=N], auto[:size=N] or container:NAME
    #[arg(long, value_name = "MODE")]
    pub(crate) userns: Option<String>,

    /// User ids of the container: CONTAINER:HOST[:COUNT], of an ordinary user as podman unshare
    /// has them
    #[arg(long, value_name = "MAP")]
    pub(crate) uidmap: Vec<String>,

    /// Group ids of the container, likewise
    #[arg(long, value_name = "MAP")]
    pub(crate) gidmap: Vec<String>,

    /// User ids of the container: those that /etc/subuid gives this name
    #[arg(long, value_name = "NAME")]
    pub(crate) subuidname: Option<String>,

    /// Group ids of the container: those that /etc/subgid gives this name
    #[arg(long, value_name = "NAME")]
    pub(crate) subgidname: Option<String>,

    /// PID namespace to use: private, host or container:NAME
    #[arg(long, value_name = "MODE")]
    pub(crate) pid: Option<String>,

    /// IPC mode to use: private, shareable, none, host or container:NAME
    #[arg(long, value_name = "MODE")]
    pub(crate) ipc: Option<String>,

    /// UTS namespace to use: private, host or container:NAME
    #[arg(long, value_name = "MODE")]
    pub(crate) uts: Option<String>,

    /// Cgroup namespace to use: private or host
    #[arg(long, value_name = "MODE")]
    pub(crate) cgroupns: Option<String>,
}
