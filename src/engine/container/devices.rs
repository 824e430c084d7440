//! Devices by the names of the Container Device Interface: what their files say a container needs
//! is put into what was asked of it, at each start anew.

use std::borrow::Cow;

use anyhow::Result;

use crate::cdi::{self, Edits, Node};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::spec::config::{
    BindOptions, Config, Device, EnvEntry, Mount, MountKind, Propagation, Security,
};

/// The request with its named devices in it.
///
/// # Errors
/// `NotFound` for a name that nobody describes; `Unsupported` for a mount that cannot be made.
pub(crate) fn named<'a>(engine: &Engine<'_>, config: &'a Config) -> Result<Cow<'a, Config>> {
    let Security { cdi, cdi_dirs, .. } = &config.security;
    if cdi.is_empty() {
        return Ok(Cow::Borrowed(config));
    }
    let edits = cdi::resolve(cdi, cdi_dirs)?;
    say_what_is_left(engine, &edits);
    let mut config = config.clone();
    for node in &edits.device_nodes {
        let devices = &mut config.security.devices;
        devices.retain(|known| known.target != node.path);
        devices.push(device(node));
    }
    for asked in &edits.mounts {
        let mount = mount(asked)?;
        config.mounts.retain(|known| known.target != mount.target);
        config.mounts.push(mount);
    }
    let entries = edits.env.iter().filter_map(|entry| entry.split_once('='));
    let entries = entries.map(|(key, value)| EnvEntry::set(key, value));
    config.process.env.extend(entries);
    let groups = edits.additional_gids.iter().map(u32::to_string);
    config.process.groups.extend(groups);
    Ok(Cow::Owned(config))
}

/// Parts that ketch does not do.
fn say_what_is_left(engine: &Engine<'_>, edits: &Edits) {
    for hook in &edits.hooks {
        let words = hook.args.get(1..).unwrap_or_default().join(" ");
        engine.ui.warn(&format!(
            "the device's {} hook is not run: {} {words}; what it would do has to be in the image",
            hook.hook_name, hook.path
        ));
    }
    if !edits.net_devices.is_empty() {
        let line = "the device's network interfaces are not moved into the container";
        engine.ui.warn(line);
    }
    if edits.intel_rdt.is_some() {
        let line = "the device's cache and memory bandwidth class is not set";
        engine.ui.warn(line);
    }
}

fn device(node: &Node) -> Device {
    Device {
        source: node.host_path.as_ref().unwrap_or(&node.path).clone(),
        target: node.path.clone(),
        access: match node.permissions.as_str() {
            "" => "rwm".to_owned(),
            "none" => String::new(),
            given => given.to_owned(),
        },
    }
}

fn mount(asked: &cdi::Mount) -> Result<Mount> {
    let has = |word: &str| asked.options.iter().any(|option| option == word);
    let is_bind =
        has("bind") || has("rbind") || matches!(asked.r#type.as_str(), "" | "none" | "bind");
    let kind = match asked.r#type.as_str() {
        _ if is_bind => MountKind::Bind {
            source: asked.host_path.clone(),
            options: BindOptions {
                non_recursive: has("bind") && !has("rbind"),
                propagation: propagation(&asked.options),
                ..BindOptions::default()
            },
        },
        "tmpfs" => MountKind::Tmpfs {
            size: None,
            mode: None,
            copy_up: false,
        },
        other => {
            let why = format!("a file system of type {other} is neither a bind nor a tmpfs");
            return Err(Error::new(
                Kind::Unsupported,
                "mount for a device",
                &asked.container_path,
            )
            .because(why)
            .into());
        }
    };
    Ok(Mount {
        target: asked.container_path.clone(),
        kind,
        read_only: has("ro"),
        no_exec: has("noexec"),
        no_suid: has("nosuid"),
        no_dev: has("nodev"),
    })
}

fn propagation(options: &[String]) -> Propagation {
    let word = |option: &String| match option.as_str() {
        "private" => Some(Propagation::Private),
        "rslave" => Some(Propagation::RSlave),
        "slave" => Some(Propagation::Slave),
        "rshared" => Some(Propagation::RShared),
        "shared" => Some(Propagation::Shared),
        _ => None,
    };
    options.iter().find_map(word).unwrap_or_default()
}
