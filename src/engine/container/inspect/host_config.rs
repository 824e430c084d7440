//! docker's `HostConfig`.

use serde_json::{Map, Value, json};

use super::network;
use crate::engine::container::list;
use crate::logs::LogDriver;
use crate::spec::config::{Config, Ipc, Mount, MountKind, NamespaceMode, SeccompChoice, Userns};
use crate::store::ContainerEntry;

fn namespace(mode: &NamespaceMode, private: &str) -> String {
    match mode {
        NamespaceMode::Private => private.to_owned(),
        NamespaceMode::Host => "host".to_owned(),
        NamespaceMode::Container(name) => format!("container:{name}"),
    }
}

fn ipc(mode: &Ipc) -> String {
    match mode {
        Ipc::Private => "private".to_owned(),
        Ipc::Shareable => "shareable".to_owned(),
        Ipc::None => "none".to_owned(),
        Ipc::Host => "host".to_owned(),
        Ipc::Container(name) => format!("container:{name}"),
    }
}

/// docker's `HostConfig`: what was asked of the container, apart from its image.
pub(super) fn host_config(config: &Config, entry: &ContainerEntry) -> Value {
    let security = &config.security;
    let mut options: Vec<String> = Vec::new();
    match &security.seccomp {
        SeccompChoice::Default => {}
        SeccompChoice::Unconfined => options.push("seccomp=unconfined".to_owned()),
        SeccompChoice::File(path) => options.push(format!("seccomp={path}")),
    }
    if security.no_new_privileges {
        options.push("no-new-privileges".to_owned());
    }
    let restart = list::restart_policy(config.lifecycle.restart);
    let mut document = json!({
        "Binds": config.mounts.iter().filter_map(bind).collect::<Vec<_>>(),
        "NetworkMode": list::network(config),
        "PortBindings": network::ports(&config.network.ports),
        "RestartPolicy": {"Name": restart.0, "MaximumRetryCount": restart.1},
        "AutoRemove": entry.record.asked.get("remove").cloned().unwrap_or(Value::Bool(false)),
        "CapAdd": security.cap_add,
        "CapDrop": security.cap_drop,
        "Dns": config.network.dns,
        "DnsOptions": [],
        "DnsSearch": [],
        "ExtraHosts": config.network.extra_hosts.iter().map(|(n, a)| format!("{n}:{a}")).collect::<Vec<_>>(),
        "GroupAdd": config.process.groups,
        "IpcMode": ipc(&security.ipc),
        "PidMode": namespace(&security.pid, ""),
        "UTSMode": namespace(&security.uts, ""),
        "CgroupnsMode": namespace(&security.cgroup, "private"),
        "UsernsMode": userns(&security.userns),
        "IDMappings": super::super::userns::inspect(&entry.record.asked),
        "Privileged": security.privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": config.read_only,
        "SecurityOpt": options,
        "Sysctls": security.sysctls,
        "ShmSize": config.shm_size.unwrap_or(64 << 20),
        "Runtime": "ketch",
        "Init": config.process.init,
        "VolumesFrom": volumes_from(config),
        "LogConfig": log_config(config, entry),
        "Tmpfs": tmpfs(config),
        "Annotations": config.annotations,
    });
    for more in [limits(config), unset()] {
        if let (Value::Object(known), Value::Object(more)) = (&mut document, more) {
            known.extend(more);
        }
    }
    document
}

fn limits(config: &Config) -> Value {
    let (resources, security) = (&config.resources, &config.security);
    let limits = &resources.limits;
    let devices: Vec<Value> = security
        .devices
        .iter()
        .map(|d| json!({"PathOnHost": d.source, "PathInContainer": d.target, "CgroupPermissions": d.access}))
        .collect();
    let ulimits: Vec<Value> = resources
        .ulimits
        .iter()
        .map(|u| json!({"Name": u.name, "Soft": signed(u.soft), "Hard": signed(u.hard)}))
        .collect();
    json!({
        "Memory": limits.memory.unwrap_or(0),
        "MemorySwap": limits.memory_swap.unwrap_or(0),
        "MemoryReservation": limits.memory_reservation.unwrap_or(0),
        "NanoCpus": limits.nano_cpus.unwrap_or(0),
        "CpuShares": limits.cpu_shares.unwrap_or(0),
        "CpuPeriod": limits.cpu_period.unwrap_or(0),
        "CpuQuota": limits.cpu_quota.unwrap_or(0),
        "CpusetCpus": limits.cpuset_cpus.clone().unwrap_or_default(),
        "CpusetMems": limits.cpuset_mems.clone().unwrap_or_default(),
        "PidsLimit": limits.pids,
        "CgroupParent": resources.cgroup_parent.clone().unwrap_or_default(),
        "OomKillDisable": resources.oom_kill_disable,
        "MemorySwappiness": resources.swappiness,
        "OomScoreAdj": resources.oom_score_adj.unwrap_or(0),
        "Ulimits": ulimits,
        "Devices": devices,
        "DeviceRequests": requests(&security.cdi),
        "DeviceCgroupRules": security.device_rules,
    })
}

/// Devices by name, in docker's form; nothing where there are none.
fn requests(names: &[String]) -> Value {
    match names.is_empty() {
        true => Value::Null,
        false => {
            json!([{"Driver": "cdi", "Count": 0, "DeviceIDs": names, "Capabilities": [], "Options": {}}])
        }
    }
}

/// docker's keys for what cannot be asked for; templates may name them.
fn unset() -> Value {
    json!({
        "ConsoleSize": [0, 0],
        "ContainerIDFile": "",
        "VolumeDriver": "",
        "Links": Value::Null,
        "Cgroup": "",
        "Isolation": "",
        "BlkioWeight": 0,
        "CpuCount": 0,
        "CpuPercent": 0,
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "StorageOpt": Value::Null,
    })
}

fn volumes_from(config: &Config) -> Option<Vec<String>> {
    let mode = |read_only: bool| if read_only { ":ro" } else { "" };
    let named = config.volumes_from.iter();
    let words: Vec<String> = named
        .map(|from| format!("{}{}", from.container, mode(from.read_only)))
        .collect();
    (!words.is_empty()).then_some(words)
}

/// docker writes unlimited as -1.
fn signed(limit: Option<u64>) -> i64 {
    limit
        .and_then(|limit| i64::try_from(limit).ok())
        .unwrap_or(-1)
}

fn userns(userns: &Userns) -> String {
    match userns {
        Userns::Default => String::new(),
        Userns::Host => "host".to_owned(),
        Userns::Container(name) => format!("container:{name}"),
        Userns::KeepId { uid, gid } => {
            let options: Vec<String> = [("uid", uid), ("gid", gid)]
                .iter()
                .filter_map(|(key, id)| id.map(|id| format!("{key}={id}")))
                .collect();
            if options.is_empty() {
                "keep-id".to_owned()
            } else {
                format!("keep-id:{}", options.join(","))
            }
        }
        Userns::Maps { .. } | Userns::Names { .. } => "private".to_owned(),
        Userns::Auto { size: None } => "auto".to_owned(),
        Userns::Auto { size: Some(size) } => format!("auto:size={size}"),
    }
}

fn bind(mount: &Mount) -> Option<String> {
    match &mount.kind {
        MountKind::Bind { source, .. } => {
            let mode = if mount.read_only { ":ro" } else { "" };
            Some(format!("{source}:{}{mode}", mount.target))
        }
        _ => None,
    }
}

/// docker's options are texts. podman shows the file as well.
fn log_config(config: &Config, entry: &ContainerEntry) -> Value {
    let log = &config.lifecycle.log;
    let mut options: Map<String, Value> = Map::new();
    for (key, value) in &log.options {
        options.insert(key.clone(), json!(value));
    }
    if let Some(size) = log.max_size {
        options.insert("max-size".to_owned(), json!(size.to_string()));
    }
    if let Some(files) = log.max_files {
        options.insert("max-file".to_owned(), json!(files.to_string()));
    }
    json!({
        "Type": log.driver.unwrap_or(LogDriver::JsonFile).name(),
        "Config": options,
        "Path": super::log_path(config, entry),
        "Tag": log.options.get("tag").cloned().unwrap_or_default(),
        "Size": log.max_size.map_or("0B".to_owned(), crate::common::decimal_size),
    })
}

/// Targets of tmpfs mounts with their options.
fn tmpfs(config: &Config) -> Map<String, Value> {
    let one = |mount: &Mount| {
        let MountKind::Tmpfs { size, mode, .. } = &mount.kind else {
            return None;
        };
        let mut options: Vec<String> = Vec::new();
        for (set, word) in [
            (mount.read_only, "ro"),
            (mount.no_exec, "noexec"),
            (mount.no_suid, "nosuid"),
            (mount.no_dev, "nodev"),
        ] {
            if set {
                options.push(word.to_owned());
            }
        }
        options.extend(size.map(|size| format!("size={size}")));
        options.extend(mode.map(|mode| format!("mode={mode:o}")));
        Some((mount.target.clone(), json!(options.join(","))))
    };
    config.mounts.iter().filter_map(one).collect()
}
