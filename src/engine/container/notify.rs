//! Who tells the manager of a service that a container is ready: ketch when it runs or when it is
//! healthy, or the payload itself (podman's `--sdnotify`, sd_notify(3)).

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::common::{Error, Result};
use crate::engine::Engine;
use crate::oci::ContainerConfig;
use crate::spec::config::{BindOptions, Config, EnvEntry, Mount, MountKind, Notify};

/// Where the payload finds the socket.
const INSIDE: &str = "/run/notify/notify.sock";

/// The variable that names it.
const VARIABLE: &str = "NOTIFY_SOCKET";

/// Refuses to wait for the health of a container that has no check.
pub(super) fn check(config: &Config, image: &ContainerConfig) -> Result<()> {
    let health = &config.lifecycle.health;
    let none = health.check.test.is_empty() && image.healthcheck.is_none();
    match config.lifecycle.notify {
        Notify::Healthy if none || health.disabled => Err(Error::usage(
            "use --sdnotify",
            "healthy",
            "the container has no health check",
        )),
        _ => Ok(()),
    }
}

/// The request with the socket in it, when the payload is to notify.
pub(super) fn given<'a>(engine: &Engine<'_>, config: Cow<'a, Config>) -> Cow<'a, Config> {
    let Some(socket) = engine.settings.notify_socket() else {
        return config;
    };
    if config.lifecycle.notify != Notify::Payload {
        return config;
    }
    let Some(path) = socket.to_str().filter(|path| path.starts_with('/')) else {
        engine.ui.warn(
            "--sdnotify: the notify socket of the caller has no path that could be mounted, and \
             the container cannot notify",
        );
        return config;
    };
    let mut config = config.into_owned();
    config.mounts.push(Mount {
        target: INSIDE.to_owned(),
        kind: MountKind::Bind {
            source: path.to_owned(),
            options: BindOptions::default(),
        },
        read_only: false,
        no_exec: true,
        no_suid: true,
        no_dev: true,
    });
    config.process.env.push(EnvEntry::set(VARIABLE, INSIDE));
    Cow::Owned(config)
}

/// Tells the manager which process stands for the service, once the payload runs; and that it is
/// ready, where nobody else does.
pub(crate) fn started(engine: &Engine<'_>, notify: Notify, main: impl FnOnce() -> u32) {
    match notify {
        Notify::Nobody => {}
        Notify::Ketch => tell(engine, &format!("MAINPID={}\nREADY=1", main())),
        Notify::Payload | Notify::Healthy => tell(engine, &format!("MAINPID={}", main())),
    }
}

/// Tells the manager that the container is healthy.
pub(crate) fn healthy(engine: &Engine<'_>) {
    tell(engine, "READY=1");
}

/// A manager that does not hear has its own timeout.
fn tell(engine: &Engine<'_>, text: &str) {
    let Some(socket) = engine.settings.notify_socket() else {
        return;
    };
    if let Err(error) = send(&socket, text) {
        let line = format!("--sdnotify: {} cannot be told: {error}", socket.display());
        engine.ui.warn(&line);
    }
}

fn send(socket: &OsString, text: &str) -> std::io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)?;
    Ok(())
}
