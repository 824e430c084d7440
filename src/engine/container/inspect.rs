//! `inspect` of containers, with docker's keys and podman's.

mod host_config;
mod network;
mod settings;

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::ContainerState;
use super::health;
use super::list::{self, Status};
use crate::common::Timestamp;
use crate::engine::Engine;
use crate::engine::system::boot::boot_starter;
use crate::spec::config::{Config, Mount, MountKind};
use crate::store::ContainerEntry;
use crate::sys::{file, tree};

/// docker's zero time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The inspect document of one container; with `size` the bytes of its writable layer and of all
/// that it sees.
pub(crate) fn inspect(engine: &Engine<'_>, name: &str, size: bool) -> Result<Value> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let status = list::status(&entry)?;
    let config = list::config(&entry);
    let record = &entry.record;
    let path = entry.dir.path();
    let mut command = record.command.iter();
    let mut state = state(&status, &entry);
    // Nothing starts it at boot unless the user has enabled that.
    state["StartsAtBoot"] =
        json!(list::starts_at_boot(&config, &entry.dir) && boot_starter(engine).is_some());
    let run = match status.state.has_process() {
        true => status.running.as_ref().map(|state| state.start_time),
        false => None,
    };
    // Null without a check: templates ask `{{if .State.Health}}`.
    state["Health"] = health::current(record, &config, &entry.dir, run)
        .map_or(Value::Null, |health| health::inspect(&health));
    let file = |name: &str| path.join(name).display().to_string();
    let (effective, bounding) = capabilities(&entry);
    let mut document = json!({
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
        "LogPath": log_path(&config, &entry),
        "Name": format!("/{}", record.name),
        "RestartCount": restarts(&status),
        "Driver": "overlay",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": config.security.apparmor.clone().unwrap_or_default(),
        "EffectiveCaps": effective,
        "BoundingCaps": bounding,
        "ExecIDs": Value::Null,
        "OCIConfigPath": file("config.json"),
        "OCIRuntime": "ketch",
        "StaticDir": path.display().to_string(),
        "Rootfs": record.rootfs.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        "PidFile": config.lifecycle.pidfile.clone().unwrap_or_default(),
        "ConmonPidFile": config.lifecycle.keeper_pidfile.clone().unwrap_or_default(),
        "Namespace": "",
        "Pod": "",
        "IsInfra": false,
        "IsService": false,
        "Dependencies": [],
        "IdentityMode": record.mode,
        "HostConfig": host_config::host_config(&config, &entry),
        "GraphDriver": graph_driver(engine, &entry),
        "Mounts": config.mounts.iter().filter_map(|one| mount(engine, one)).collect::<Vec<_>>(),
        "Config": settings::settings(engine, &config, &entry),
        "NetworkSettings": network::network(engine, &config, &entry, &state),
    });
    if size {
        let written = tree::usage(&entry.dir.upper()).map_or(0, |usage| usage.size);
        let sizes = list::image_sizes(engine)?;
        let image = record.config.and_then(|id| sizes.get(&id).copied());
        document["SizeRw"] = json!(written);
        document["SizeRootFs"] = json!(written.saturating_add(image.unwrap_or(0)));
    }
    Ok(document)
}

/// Where `logs` reads, when the driver keeps a file.
pub(super) fn log_path(config: &Config, entry: &ContainerEntry) -> String {
    let log = &config.lifecycle.log;
    let driver = log.driver.unwrap_or(crate::logs::LogDriver::JsonFile);
    match driver.is_file() {
        true => log.file(entry.dir.path()).display().to_string(),
        false => String::new(),
    }
}

/// Effective and bounding capabilities as the specification of the last start has them; nothing
/// before the first one.
fn capabilities(entry: &ContainerEntry) -> (BTreeSet<String>, BTreeSet<String>) {
    let bytes = file::read_bounded(&entry.dir.path().join("config.json"), 4 << 20).ok();
    let spec: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let set = |name: &str| {
        let list = spec
            .as_ref()
            .map(|spec| &spec["process"]["capabilities"][name]);
        let names = list.and_then(Value::as_array).into_iter().flatten();
        let names = names.filter_map(Value::as_str).map(str::to_owned);
        names.collect()
    };
    (set("effective"), set("bounding"))
}

fn state(status: &Status, entry: &ContainerEntry) -> Value {
    let running = status.state.is_active();
    let time =
        |time: Option<Timestamp>| time.map_or_else(|| NEVER.to_owned(), |time| time.to_string());
    let exit = status.exit.as_ref();
    let started = if running || status.state == ContainerState::Dead {
        status.running.as_ref().map(|state| state.started)
    } else {
        exit.and_then(|exit| exit.started)
    };
    let process = status.running.as_ref();
    let process = process
        .filter(|_| status.state.has_process() || status.state == ContainerState::Initialized);
    json!({
        "Status": status.state.word(),
        "Running": running,
        "Paused": status.state == ContainerState::Paused,
        "Restarting": status.state == ContainerState::Restarting,
        "OOMKilled": exit.is_some_and(|exit| exit.oom),
        "StoppedByUser": entry.dir.is_stopped(),
        "Dead": status.state == ContainerState::Dead,
        "Pid": process.map_or(0, |state| state.pid),
        "ConmonPid": process.map_or(0, |state| state.supervisor),
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

/// One mount; a tmpfs is in docker's `HostConfig.Tmpfs` alone.
fn mount(engine: &Engine<'_>, mount: &Mount) -> Option<Value> {
    let (kind, name, source, propagation) = match &mount.kind {
        MountKind::Bind { source, options } => {
            ("bind", None, source.clone(), json!(options.propagation))
        }
        MountKind::Tmpfs { .. } | MountKind::Layers { .. } => return None,
        MountKind::Image { name, .. } => ("image", None, name.clone(), json!("")),
        MountKind::Volume { name, .. } => {
            let place = engine.store.volumes().data(name.as_deref()?);
            (
                "volume",
                name.clone(),
                place.display().to_string(),
                json!(""),
            )
        }
    };
    let mut document = json!({
        "Type": kind,
        "Source": source,
        "Destination": mount.target,
        "Mode": if mount.read_only { "ro" } else { "" },
        "RW": !mount.read_only,
        "Propagation": propagation,
        "Options": options(mount),
    });
    if kind == "volume" {
        document["Name"] = json!(name.unwrap_or_default());
        document["Driver"] = json!("local");
    }
    Some(document)
}

/// podman's list of mount options.
fn options(mount: &Mount) -> Vec<&'static str> {
    let chosen = [
        (mount.no_dev, "nodev"),
        (mount.no_exec, "noexec"),
        (mount.no_suid, "nosuid"),
    ];
    let recursive = match &mount.kind {
        MountKind::Bind { options, .. } if options.non_recursive => Some("bind"),
        MountKind::Bind { .. } => Some("rbind"),
        _ => None,
    };
    let chosen = chosen.iter().filter(|(set, _)| *set).map(|(_, word)| *word);
    chosen.chain(recursive).collect()
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
