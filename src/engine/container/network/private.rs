//! Containers of ordinary users on a private network: a program carries their packets.

use std::os::fd::BorrowedFd;

use anyhow::Result;

use super::bridged;
use super::serving::{Helper, Role};
use crate::common::{self, Error, Kind};
use crate::engine::Engine;
use crate::network::Published;
use crate::network::user::{self, Program, Wanted};
use crate::spec::config::{Network, NetworkMode, Port};

/// Settles on a private network where this machine can give one, else on the host's.
///
/// # Errors
/// The program that was asked for is not there.
pub(super) fn choose(engine: &Engine<'_>, network: &mut Network) -> Result<()> {
    let why = match program(engine, network) {
        Ok(_) => match user::lack() {
            None => {
                network.mode = NetworkMode::Private;
                return Ok(());
            }
            Some(why) => why,
        },
        Err(error) if network.helper.is_some() => return Err(error.into()),
        Err(_) => "neither pasta (package passt) nor slirp4netns is installed".to_owned(),
    };
    engine.ui.warn(&format!(
        "network: {why}; the container shares the host's (--network none cuts it off)"
    ));
    network.mode = NetworkMode::Host;
    network.attachments.clear();
    Ok(())
}

/// The program that a container's network comes from.
///
/// # Errors
/// `NotFound` when it is not installed.
pub(super) fn program(engine: &Engine<'_>, network: &Network) -> common::Result<Program> {
    let wanted = network
        .helper
        .as_ref()
        .map(|helper| helper.program.as_str());
    user::program(engine.host.search_path().as_deref(), wanted).ok_or_else(|| {
        let name = wanted.unwrap_or("pasta or slirp4netns");
        Error::new(Kind::NotFound, "connect network with", name)
            .because("it is not installed".to_owned())
            .hint("install the package passt or slirp4netns, or use --network host or none")
    })
}

/// Says what does not work of a container's ports with this program.
pub(super) fn warn_of_ports(engine: &Engine<'_>, program: &Program, published: &[Published]) {
    let lacking = published
        .iter()
        .find_map(|port| Some((port, program.lack(port)?)));
    if let Some((port, lack)) = lacking {
        let line = format!("--publish {}:{}/udp: {lack}", port.host_port, port.port);
        engine.ui.warn(&line);
    }
}

/// A container's ports: those that the program leads, and those that are led by hand beside it.
///
/// # Errors
/// A port that is not known.
pub(super) fn divide(program: &Program, ports: &[Port]) -> common::Result<(Vec<Port>, Vec<Port>)> {
    let published = bridged::published(ports)?;
    let left_out = program.left_out(&published);
    let (mut led, mut by_hand) = (Vec::new(), Vec::new());
    for (port, published) in ports.iter().zip(&published) {
        match left_out.contains(published) {
            true => by_hand.push(port.clone()),
            false => led.push(port.clone()),
        }
    }
    Ok((led, by_hand))
}

/// Starts it for a container's namespace.
pub(super) fn connect(
    program: &Program,
    network: &Network,
    ports: &[Port],
    namespace: BorrowedFd<'_>,
) -> common::Result<Helper> {
    let mut options = match &network.helper {
        Some(helper) => helper.options.clone(),
        None => Vec::new(),
    };
    if network.wants_host() {
        options.push(program.host_words().to_owned());
    }
    // Beside others it is not to have the name of one of them.
    if network.is_on_named() {
        options.extend(program.name_words("eth0", &options));
    }
    let child = program.start(&Wanted {
        namespace,
        published: &bridged::published(ports)?,
        names: network.dns.is_empty(),
        options: &options,
    })?;
    Ok(Helper::of(child.pid, Role::Program))
}
