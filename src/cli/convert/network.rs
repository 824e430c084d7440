//! Network flags to the network group.

use crate::cli::args::NetworkArgs;
use crate::cli::parse;
use crate::common::{Error, Result};
use crate::spec::config::Network;

/// The network group of `args`.
pub(crate) fn network(args: &NetworkArgs) -> Result<Network> {
    let mut network = Network::default();
    if let Some(text) = &args.network {
        network.mode = parse::network::parse(text)?;
    }
    for text in &args.add_host {
        network.extra_hosts.extend(parse::host::add_host(text)?);
    }
    network.no_hosts = args.no_hosts;
    if args.no_hosts && !args.add_host.is_empty() {
        let why = "--no-hosts and --add-host cannot be set together";
        return Err(Error::usage("run", "", why));
    }
    for text in &args.dns {
        network.dns.push(parse::host::dns(text)?);
    }
    Ok(network)
}
