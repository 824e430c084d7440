//! A container whose first process is systemd: what that needs of its surroundings (podman's
//! `--systemd`; systemd.io/CONTAINER_INTERFACE).

use std::path::Path;

use anyhow::Result;

use crate::engine::Engine;
use crate::oci::ContainerConfig;
use crate::spec;
use crate::spec::config::{Config, EnvEntry, Mount, MountKind, Systemd};

/// Programs that are taken for systemd, beside those that are called so.
const INITS: [&str; 3] = ["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"];

/// Places that systemd wants empty and writable.
const PLACES: [&str; 4] = ["/run", "/run/lock", "/tmp", "/var/log/journal"];

/// The signal that asks systemd to shut down.
const STOP: &str = "SIGRTMIN+3";

/// Puts into the request what systemd needs, when it is what runs or was asked for.
pub(super) fn prepare(
    engine: &Engine<'_>,
    config: &mut Config,
    image: &ContainerConfig,
) -> Result<()> {
    let wanted = match config.process.systemd {
        Systemd::Never => false,
        Systemd::Always => true,
        Systemd::Detected => is_systemd(&spec::command(config, image)?[0]),
    };
    if !wanted {
        config.process.systemd = Systemd::Never;
        return Ok(());
    }
    config.process.systemd = Systemd::Always;
    for place in PLACES {
        if config.mounts.iter().all(|mount| mount.target != place) {
            config.mounts.push(scratch(place));
        }
    }
    if config.process.stop_signal.is_none() && image.stop_signal.is_none() {
        config.process.stop_signal = Some(STOP.to_owned());
    }
    let env = &mut config.process.env;
    if env.iter().all(|entry| entry.key != "container") {
        env.insert(0, EnvEntry::set("container", "oci"));
    }
    if !super::plan::unified_cgroup() {
        engine.ui.warn(
            "--systemd: the control groups of this host are of version 1, which systemd in a \
             container cannot use; boot the host with systemd.unified_cgroup_hierarchy=1",
        );
    }
    Ok(())
}

fn is_systemd(program: &str) -> bool {
    INITS.contains(&program)
        || Path::new(program)
            .file_name()
            .is_some_and(|name| name == "systemd")
}

fn scratch(target: &str) -> Mount {
    Mount {
        target: target.to_owned(),
        kind: MountKind::Tmpfs {
            size: None,
            mode: Some(if target == "/tmp" { 0o1777 } else { 0o755 }),
            copy_up: true,
        },
        read_only: false,
        no_exec: false,
        no_suid: true,
        no_dev: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_is_known_by_its_usual_names() {
        for program in ["/sbin/init", "/lib/systemd/systemd", "systemd"] {
            assert!(is_systemd(program), "{program}");
        }
        for program in ["init", "/bin/sh", "/opt/systemd-ish", "/sbin/init2"] {
            assert!(!is_systemd(program), "{program}");
        }
    }
}
