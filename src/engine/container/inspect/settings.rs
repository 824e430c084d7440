//! docker's `Config`: the image's configuration with what was asked over it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::engine::container::health::{self, MAX_OUTPUT, RESULTS};
use crate::oci::ContainerConfig;
use crate::spec::config::{Config, HealthLogPlace};
use crate::store::ContainerEntry;

/// The merged view of image and request. An image that is gone leaves what was asked.
pub(super) fn settings(engine: &Engine<'_>, config: &Config, entry: &ContainerEntry) -> Value {
    let record = &entry.record;
    let image = record
        .config
        .and_then(|digest| engine.store.blobs().read(&digest, 8 << 20).ok())
        .and_then(|bytes| crate::oci::ImageConfig::parse(&bytes).ok())
        .map(|image| image.config)
        .unwrap_or_default();
    let asked = &config.process;
    let mut exposed = image.exposed_ports.clone();
    for port in &config.network.ports {
        exposed.insert(format!("{}/{}", port.container, port.protocol), json!({}));
    }
    let wishes = &config.lifecycle.health;
    let mut settings = json!({
        "Hostname": asked.hostname.clone().unwrap_or_else(|| record.id.short().to_owned()),
        "Domainname": asked.domainname.clone().unwrap_or_default(),
        "User": asked.user.clone().unwrap_or_else(|| image.user.clone()),
        "AttachStdin": asked.stdio.interactive,
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": asked.stdio.tty,
        "OpenStdin": asked.stdio.interactive,
        "StdinOnce": asked.stdio.interactive,
        "Env": env(&image, config),
        "Cmd": command(&image, config),
        "Entrypoint": asked.entrypoint.clone().or_else(|| image.entrypoint.clone()),
        "Image": record.image,
        "Volumes": image.volumes,
        "WorkingDir": asked.workdir.clone().unwrap_or_else(|| image.working_dir.clone()),
        "Labels": record.labels,
        "Annotations": config.annotations,
        "OnBuild": Value::Null,
        "StopSignal": asked
            .stop_signal
            .clone()
            .or_else(|| image.stop_signal.clone())
            .unwrap_or_else(|| "SIGTERM".to_owned()),
        "StopTimeout": config.lifecycle.stop_timeout.unwrap_or(10),
        "ExposedPorts": exposed,
        "Healthcheck": health::merged(record, config),
        "Umask": asked.umask.map_or("0022".to_owned(), |umask| format!("{umask:04o}")),
        "Timezone": asked.timezone.clone().unwrap_or_default(),
        "Timeout": config.timeout.unwrap_or(0),
        "CreateCommand": record.asked.get("command_line").cloned().unwrap_or_default(),
    });
    // podman's.
    settings["HealthcheckOnFailureAction"] = json!(wishes.on_unhealthy);
    settings["HealthLogDestination"] = json!(match &wishes.log.destination {
        None | Some(HealthLogPlace::Local) => "local",
        Some(HealthLogPlace::Events) => "events_logger",
        Some(HealthLogPlace::Directory(path)) => path,
    });
    settings["HealthMaxLogCount"] = json!(wishes.log.count.map_or(RESULTS, |count| count as usize));
    settings["HealthMaxLogSize"] = json!(wishes.log.size.map_or(MAX_OUTPUT, |size| size as usize));
    if !wishes.startup.is_none() {
        settings["StartupHealthCheck"] = json!(wishes.startup.check);
        settings["StartupHealthCheck"]["Successes"] = json!(wishes.startup.successes);
    }
    settings
}

fn env(image: &ContainerConfig, config: &Config) -> Vec<String> {
    let mut env: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (key, value) in image.env.iter().filter_map(|entry| entry.split_once('=')) {
        env.insert(key.to_owned(), Some(value.to_owned()));
    }
    for entry in &config.process.env {
        env.insert(entry.key.clone(), entry.value.clone());
    }
    env.into_iter()
        .filter_map(|(k, v)| v.map(|v| format!("{k}={v}")))
        .collect()
}

/// An entrypoint that was asked for drops the image's command.
fn command(image: &ContainerConfig, config: &Config) -> Option<Vec<String>> {
    let asked = &config.process;
    match (asked.args.is_empty(), &asked.entrypoint) {
        (false, _) => Some(asked.args.clone()),
        (true, Some(_)) => None,
        (true, None) => image.cmd.clone(),
    }
}
