//! `inspect` of containers, with docker's keys.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::ContainerState;
use super::health;
use super::list::{self, Status};
use crate::common::Timestamp;
use crate::engine::Engine;
use crate::spec::config::{Config, Mount, MountKind, NamespaceMode, SeccompChoice, Userns};
use crate::store::ContainerEntry;

/// docker's zero time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The inspect document of one container.
pub(crate) fn inspect(engine: &Engine<'_>, name: &str) -> Result<Value> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let status = list::status(&entry)?;
    let config = list::config(&entry);
    let record = &entry.record;
    let path = entry.dir.path();
    let mut command = record.command.iter();
    let mut state = state(&status);
    let run = match status.state.has_process() {
        true => status.running.as_ref().map(|state| state.start_time),
        false => None,
    };
    if let Some(health) = health::current(record, &config, &entry.dir, run) {
        state["Health"] = health::inspect(&health);
    }
    let file = |name: &str| path.join(name).display().to_string();
    Ok(json!({
        "Id": record.id,
        "Created": record.created,
        "Path": command.next().cloned().unwrap_or_default(),
        "Args": command.collect::<Vec<_>>(),
        "State": state,
        "Image": record.config.map(|id| id.to_string()).unwrap_or_default(),
        "ImageName": record.image,
        "ImageDigest": record.manifest.map(|digest| digest.to_string()).unwrap_or_default(),
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "LogPath": "",
        "Name": format!("/{}", record.name),
        "RestartCount": restarts(&status),
        "Driver": "overlay",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": config.security.apparmor.clone().unwrap_or_default(),
        "ExecIDs": Value::Null,
        "OCIConfigPath": file("config.json"),
        "OCIRuntime": "ketch",
        "IdentityMode": record.mode,
        "HostConfig": host_config(&config, &entry),
        "GraphDriver": graph_driver(engine, &entry),
        "Mounts": config.mounts.iter().map(mount).collect::<Vec<_>>(),
        "Config": container_config(engine, &config, &entry),
        "NetworkSettings": network(&config),
    }))
}

fn state(status: &Status) -> Value {
    let running = status.state.is_active();
    let time =
        |time: Option<Timestamp>| time.map_or_else(|| NEVER.to_owned(), |time| time.to_string());
    let exit = status.exit.as_ref();
    let started = if running || status.state == ContainerState::Dead {
        status.running.as_ref().map(|state| state.started)
    } else {
        exit.and_then(|exit| exit.started)
    };
    json!({
        "Status": status.state.word(),
        "Running": running,
        "Paused": status.state == ContainerState::Paused,
        "Restarting": status.state == ContainerState::Restarting,
        "OOMKilled": exit.is_some_and(|exit| exit.oom),
        "Dead": status.state == ContainerState::Dead,
        "Pid": if status.state.has_process() { status.running.as_ref().map_or(0, |state| state.pid) } else { 0 },
        "ExitCode": exit.map_or(0, |exit| exit.status.code()),
        "Error": exit.map(|exit| exit.error.clone()).unwrap_or_default(),
        "StartedAt": time(started),
        "FinishedAt": time(exit.map(|exit| exit.finished)),
    })
}

fn restarts(status: &Status) -> u32 {
    let running = status.running.as_ref().map(|state| state.restarts);
    let ended = status.exit.as_ref().map(|exit| exit.restarts);
    running.or(ended).unwrap_or(0)
}

fn namespace(mode: NamespaceMode, private: &str) -> &str {
    match mode {
        NamespaceMode::Private => private,
        NamespaceMode::Host => "host",
    }
}

fn host_config(config: &Config, entry: &ContainerEntry) -> Value {
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
    let mut options: Vec<String> = Vec::new();
    match &security.seccomp {
        SeccompChoice::Default => {}
        SeccompChoice::Unconfined => options.push("seccomp=unconfined".to_owned()),
        SeccompChoice::File(path) => options.push(format!("seccomp={path}")),
    }
    if security.no_new_privileges {
        options.push("no-new-privileges".to_owned());
    }
    json!({
        "Binds": config.mounts.iter().filter_map(bind).collect::<Vec<_>>(),
        "NetworkMode": list::network(config),
        "PortBindings": {},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": entry.record.asked.get("remove").cloned().unwrap_or(Value::Bool(false)),
        "CapAdd": security.cap_add,
        "CapDrop": security.cap_drop,
        "Dns": config.network.dns,
        "ExtraHosts": config.network.extra_hosts.iter().map(|(n, a)| format!("{n}:{a}")).collect::<Vec<_>>(),
        "GroupAdd": config.process.groups,
        "IpcMode": namespace(security.ipc, "private"),
        "PidMode": namespace(security.pid, ""),
        "UTSMode": namespace(security.uts, ""),
        "CgroupnsMode": namespace(security.cgroup, "private"),
        "UsernsMode": userns(&security.userns),
        "IDMappings": super::userns::inspect(&entry.record.asked),
        "Privileged": security.privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": config.read_only,
        "SecurityOpt": options,
        "Sysctls": security.sysctls,
        "ShmSize": config.shm_size.unwrap_or(64 << 20),
        "Runtime": "ketch",
        "Init": config.process.init,
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
        "OomScoreAdj": resources.oom_score_adj.unwrap_or(0),
        "Ulimits": ulimits,
        "Devices": devices,
        "LogConfig": {"Type": "none", "Config": {}},
    })
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

fn mount(mount: &Mount) -> Value {
    let (kind, source, propagation) = match &mount.kind {
        MountKind::Bind { source, options } => ("bind", source.clone(), json!(options.propagation)),
        MountKind::Tmpfs { .. } => ("tmpfs", String::new(), json!("")),
        MountKind::Volume { name, .. } => ("volume", name.clone().unwrap_or_default(), json!("")),
    };
    json!({
        "Type": kind,
        "Source": source,
        "Destination": mount.target,
        "Mode": if mount.read_only { "ro" } else { "" },
        "RW": !mount.read_only,
        "Propagation": propagation,
    })
}

fn graph_driver(engine: &Engine<'_>, entry: &ContainerEntry) -> Value {
    let layers: Vec<String> = entry
        .record
        .layers
        .iter()
        .rev()
        .map(|layer| engine.store.layers().path(layer).display().to_string())
        .collect();
    json!({
        "Name": "overlay",
        "Data": {
            "LowerDir": layers.join(":"),
            "UpperDir": entry.dir.upper().display().to_string(),
            "WorkDir": entry.dir.work().display().to_string(),
        },
    })
}

/// The merged view of image and request. An image that is gone leaves what was asked.
fn container_config(engine: &Engine<'_>, config: &Config, entry: &ContainerEntry) -> Value {
    let record = &entry.record;
    let image = record
        .config
        .and_then(|digest| engine.store.blobs().read(&digest, 8 << 20).ok())
        .and_then(|bytes| crate::oci::ImageConfig::parse(&bytes).ok())
        .map(|image| image.config)
        .unwrap_or_default();
    let asked = &config.process;
    let mut env: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (key, value) in image.env.iter().filter_map(|entry| entry.split_once('=')) {
        env.insert(key.to_owned(), Some(value.to_owned()));
    }
    for entry in &asked.env {
        env.insert(entry.key.clone(), entry.value.clone());
    }
    let env: Vec<String> = env
        .into_iter()
        .filter_map(|(k, v)| v.map(|v| format!("{k}={v}")))
        .collect();
    json!({
        "Hostname": asked.hostname.clone().unwrap_or_else(|| record.id.short().to_owned()),
        "User": asked.user.clone().unwrap_or(image.user),
        "Tty": asked.stdio.tty,
        "OpenStdin": asked.stdio.interactive,
        "Env": env,
        "Cmd": if asked.args.is_empty() { image.cmd } else { Some(asked.args.clone()) },
        "Entrypoint": asked.entrypoint.clone().or(image.entrypoint),
        "Image": record.image,
        "Volumes": image.volumes,
        "WorkingDir": asked.workdir.clone().unwrap_or(image.working_dir),
        "Labels": record.labels,
        "StopSignal": asked.stop_signal.clone().or(image.stop_signal).unwrap_or_else(|| "SIGTERM".to_owned()),
        "ExposedPorts": image.exposed_ports,
        "Healthcheck": health::merged(record, config),
    })
}

fn network(config: &Config) -> Value {
    let name = list::network(config);
    json!({
        "Ports": {},
        "IPAddress": "",
        "Gateway": "",
        "MacAddress": "",
        "Networks": {name: {"NetworkID": "", "IPAddress": "", "Gateway": "", "MacAddress": "", "Aliases": Value::Null}},
    })
}
