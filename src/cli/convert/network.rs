//! Network flags to the network group.

use std::path::Path;

use crate::cli::args::NetworkArgs;
use crate::cli::parse::network::Asked;
use crate::cli::parse::{self, Place, bad};
use crate::cli::personality::Personality;
use crate::common::{Error, Result};
use crate::network::{Attachment, parse_hardware_address};
use crate::spec::config::{HostsFile, Network, NetworkMode, Port};

/// The network group of `args`; `hostname` tells whether `--hostname` was given.
///
/// # Errors
/// Bad values; flags that need a network of the container's own beside one that it shares.
pub(crate) fn network(
    args: &NetworkArgs,
    hostname: bool,
    place: &Place<'_>,
    personality: Personality,
) -> Result<Network> {
    let mut network = Network::default();
    modes(args, &mut network)?;
    wishes(args, &mut network)?;
    // podman: an empty value is none.
    let is_given = |text: &&String| personality == Personality::Docker || !text.is_empty();
    for text in args.publish.iter().filter(is_given) {
        network.ports.extend(parse::publish::publish(text)?);
    }
    refuse_twice(&network.ports)?;
    network.publish_all = args.publish_all;
    for text in &args.expose {
        network.exposed.extend(parse::publish::expose(text)?);
    }
    names(args, place, &mut network)?;
    if let NetworkMode::Container(_) = network.mode {
        refuse_shared(args, hostname, personality)?;
    }
    Ok(network)
}

/// `--network`, once for a mode or once for each network.
fn modes(args: &NetworkArgs, network: &mut Network) -> Result<()> {
    for text in &args.network {
        let (mode, helper) = match parse::network::parse(text)? {
            Asked::Named(attachment) => {
                let mut known = network.attachments.iter();
                if known.any(|known| known.network == attachment.network) {
                    let why = format!("network {} is specified multiple times", attachment.network);
                    return Err(bad("--network", text, why));
                }
                network.attachments.push(attachment);
                (NetworkMode::Named, None)
            }
            Asked::Mode(mode, helper) => (mode, helper),
        };
        let again = args.network.len() > 1 && mode != NetworkMode::Named;
        if again {
            let why = "conflicting options: cannot attach both user-defined and non-user-defined \
                       network-modes";
            return Err(Error::usage("run", "", why));
        }
        network.mode = mode;
        network.helper = helper;
    }
    Ok(())
}

/// What is asked of the first network: `--ip`, `--ip6`, `--mac-address`, `--network-alias`.
fn wishes(args: &NetworkArgs, network: &mut Network) -> Result<()> {
    let named = network.mode == NetworkMode::Named;
    let refuse = |why: &str| Err(Error::usage("run", "", why));
    if (args.ip.is_some() || args.ip6.is_some()) && !named {
        return refuse("user specified IP address is supported on user defined networks only");
    }
    let first = network.attachments.first();
    let alone = named && first.is_some_and(|first| first.network != "bridge");
    if !args.network_alias.is_empty() && !alone {
        return refuse(
            "network-scoped alias is supported only for containers in user defined networks",
        );
    }
    if args.mac_address.is_some() && network.mode.is_joined() {
        return refuse("conflicting options: mac-address and the network mode");
    }
    let twice = |flag: &str, what: &str| {
        let why = format!("conflicting options: cannot specify both {flag} and per-network {what}");
        Err(Error::usage("run", "", why))
    };
    if first.is_none() && args.mac_address.is_some() {
        network.attachments.push(Attachment::default());
    }
    let Some(first) = network.attachments.first_mut() else {
        return Ok(());
    };
    if let Some(text) = &args.ip
        && first
            .ip
            .replace(parse::network::ip("--ip", text)?)
            .is_some()
    {
        return twice("--ip", "IPv4 address");
    }
    if let Some(text) = &args.ip6
        && first
            .ip6
            .replace(parse::network::ip6("--ip6", text)?)
            .is_some()
    {
        return twice("--ip6", "IPv6 address");
    }
    if let Some(text) = &args.mac_address
        && first.mac.replace(parse_hardware_address(text)?).is_some()
    {
        return twice("--mac-address", "MAC address");
    }
    for text in &args.network_alias {
        first.aliases.push(parse::network::alias(text)?);
    }
    Ok(())
}

/// Hosts file and resolver.
fn names(args: &NetworkArgs, place: &Place<'_>, network: &mut Network) -> Result<()> {
    for text in &args.add_host {
        network.extra_hosts.extend(parse::host::add_host(text)?);
    }
    network.no_hosts = args.no_hosts;
    if args.no_hosts && !args.add_host.is_empty() {
        let why = "--no-hosts and --add-host cannot be set together";
        return Err(Error::usage("run", "", why));
    }
    if args.no_hosts && args.hosts_file.is_some() {
        let why = "--no-hosts and --hosts-file cannot be set together";
        return Err(Error::usage("run", "", why));
    }
    network.hosts_file = args.hosts_file.as_deref().map(|text| match text {
        "none" => HostsFile::None,
        "image" => HostsFile::Image,
        path => HostsFile::Path(place.cwd.join(Path::new(path))),
    });
    for text in &args.dns {
        network.dns.push(parse::host::dns(text)?);
    }
    for text in &args.dns_search {
        network.dns_search.push(parse::host::search(text)?);
    }
    for text in &args.dns_option {
        network.dns_options.push(parse::host::dns_option(text)?);
    }
    if network.dns.iter().any(|server| server == "none") {
        let more = network.dns.len() > 1
            || !network.dns_search.is_empty()
            || !network.dns_options.is_empty();
        if more {
            let why = "--dns none leaves the image's file as it is: no other --dns flag can be set";
            return Err(Error::usage("run", "", why));
        }
    }
    Ok(())
}

/// The same port of the host for two ports of the container, or the same twice.
fn refuse_twice(ports: &[Port]) -> Result<()> {
    let all = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
    let mut seen = std::collections::HashMap::<_, Vec<&Port>>::new();
    for port in ports.iter().filter(|port| !port.is_open()) {
        let same = seen.entry((port.host, &port.protocol)).or_default();
        let meets = |other: &&Port| {
            let (own, others) = (port.host_ip.as_str(), other.host_ip.as_str());
            // Every address of the other family is another one.
            let apart =
                !own.is_empty() && !others.is_empty() && own.contains(':') != others.contains(':');
            own == others || ((all(own) || all(others)) && !apart)
        };
        if let Some(other) = same.iter().find(|other| meets(other)) {
            let text = format!("{}/{}", port.host, port.protocol);
            let why = format!(
                "the host's port is published twice, for {} and {} of the container",
                other.container, port.container
            );
            return Err(bad("--publish", &text, why));
        }
        same.push(port);
    }
    Ok(())
}

/// What cannot be asked for beside another container's network (docker, `validateNetMode`).
fn refuse_shared(args: &NetworkArgs, hostname: bool, personality: Personality) -> Result<()> {
    let refusals = [
        (hostname, "hostname and the network mode"),
        (!args.dns.is_empty(), "dns and the network mode"),
        (
            !args.add_host.is_empty(),
            "custom host-to-IP mapping and the network mode",
        ),
        (
            // podman drops them and says so.
            personality == Personality::Docker && (!args.publish.is_empty() || args.publish_all),
            "port publishing and the container type network mode",
        ),
        (
            !args.expose.is_empty(),
            "port exposing and the container type network mode",
        ),
    ];
    match refusals.iter().find(|(given, _)| *given) {
        Some((_, what)) => Err(Error::usage(
            "run",
            "",
            format!("conflicting options: {what}"),
        )),
        None => Ok(()),
    }
}
