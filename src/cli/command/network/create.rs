//! `network create`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse::{self, bad};
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Result};
use crate::engine::Engine;
use crate::engine::network::{self, CreateRequest, Families};
use crate::network::{Driver, Subnet};

/// Create a network
#[derive(clap::Parser, Debug)]
pub(crate) struct Create {
    /// What connects the containers: bridge, macvlan, ipvlan or none
    #[arg(short, long, value_name = "DRIVER", default_value = "bridge")]
    driver: String,

    /// Subnet in CIDR format that represents a network segment
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    subnet: Vec<String>,

    /// IPv4 or IPv6 gateway for the subnet
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    gateway: Vec<String>,

    /// Allocate container ip from a sub-range
    #[arg(long, value_name = "RANGE", value_delimiter = ',')]
    ip_range: Vec<String>,

    /// Addresses that no container is given
    #[arg(long, value_name = "NAME=IP")]
    aux_address: Vec<String>,

    /// Restrict external access to the network
    #[arg(long)]
    internal: bool,

    /// Give containers IPv6 addresses
    #[arg(long)]
    ipv6: bool,

    /// Do not let containers find each other by name
    #[arg(long)]
    disable_dns: bool,

    /// Server that containers ask for names outside, instead of the host's
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    dns: Vec<String>,

    /// Set metadata on a network
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,

    /// Set driver specific options, such as mtu=1400
    #[arg(short = 'o', long, value_name = "KEY=VALUE")]
    opt: Vec<String>,

    /// Name of the bridge, or of the host's device for macvlan and ipvlan
    #[arg(long, value_name = "NAME")]
    interface_name: Option<String>,

    /// Let containers be attached by hand (they always can)
    #[arg(long)]
    attachable: bool,

    /// Do not fail if there is a network of this name
    #[arg(long)]
    ignore: bool,

    /// Name of the network
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Execute for Create {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let request = self.request(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let record = network::create(&engine, &request)?;
        let answer = match session.personality {
            Personality::Docker => record.id,
            Personality::Podman => record.name,
        };
        session.data(&format!("{answer}\n"))?;
        Ok(ExitStatus::Code(0))
    }
}

impl Create {
    fn request(self, personality: Personality) -> Result<CreateRequest> {
        if self.name.is_none() && personality == Personality::Docker {
            let why = "requires 1 argument: name the network";
            return Err(Error::usage("network create", "", why));
        }
        let subnets: Vec<Subnet> = self
            .subnet
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_>>()?;
        // podman: who names an IPv6 subnet alone wants no other.
        let named = !subnets.is_empty() && !self.ipv6 && personality == Personality::Podman;
        let mut labels = BTreeMap::new();
        for label in &self.label {
            parse::label::parse("--label", label, &mut labels)?;
        }
        let mut reserved = BTreeMap::new();
        for text in &self.aux_address {
            let (name, ip) = text
                .split_once('=')
                .ok_or_else(|| bad("--aux-address", text, "use NAME=IP"))?;
            reserved.insert(name.to_owned(), address("--aux-address", ip)?);
        }
        Ok(CreateRequest {
            name: self.name,
            driver: Driver::from_word(&self.driver)?,
            interface: self.interface_name,
            subnets,
            gateways: addresses("--gateway", &self.gateway)?,
            ranges: self
                .ip_range
                .iter()
                .map(|text| range(text))
                .collect::<Result<_>>()?,
            reserved,
            families: Families {
                v4: !named,
                v6: self.ipv6,
            },
            internal: self.internal,
            dns: !self.disable_dns,
            resolvers: addresses("--dns", &self.dns)?,
            labels,
            options: options(&self.opt)?,
            ignore: self.ignore,
        })
    }
}

fn address(flag: &str, text: &str) -> Result<IpAddr> {
    text.parse()
        .map_err(|_| bad(flag, text, "not an IP address"))
}

pub(super) fn addresses(flag: &str, texts: &[String]) -> Result<Vec<IpAddr>> {
    texts.iter().map(|text| address(flag, text)).collect()
}

/// docker's subnet; podman's `FIRST-LAST` where that is one.
fn range(text: &str) -> Result<Subnet> {
    let Some((first, last)) = text.split_once('-') else {
        return text.parse();
    };
    let (first, last) = (address("--ip-range", first)?, address("--ip-range", last)?);
    let longest = if first.is_ipv4() { 32 } else { 128 };
    let mut subnets = (0..=longest)
        .rev()
        .filter_map(|prefix| Subnet::around(first, prefix));
    let found = subnets.find(|subnet| subnet.contains(last));
    // From the network's own address or the first host's to the last one's or the broadcast's.
    let whole = found.filter(|subnet| {
        let ends = [subnet.nth(0), Some(subnet.first())];
        let last_index = subnet
            .index_of(last)
            .and_then(|index| subnet.nth(index + 1));
        let at_end = subnet.last() == last || last_index.is_none();
        ends.contains(&Some(first)) && at_end
    });
    whole.ok_or_else(|| {
        bad(
            "--ip-range",
            text,
            "its addresses are not those of one subnet",
        )
        .hint("use a subnet, like 10.90.0.128/25")
    })
}

/// `KEY=VALUE`, comma-separated as in podman, or one at a time as in docker.
fn options(texts: &[String]) -> Result<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    for text in texts {
        for pair in text.split(',') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key.is_empty() {
                return Err(bad("--opt", text, "use KEY=VALUE"));
            }
            options.insert(key.to_owned(), value.to_owned());
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_in_both_forms() {
        for (text, want) in [
            ("10.9.0.128/25", "10.9.0.128/25"),
            ("10.9.0.128-10.9.0.255", "10.9.0.128/25"),
            ("10.9.0.129-10.9.0.254", "10.9.0.128/25"),
            ("10.9.0.4-10.9.0.4", "10.9.0.4/32"),
        ] {
            assert_eq!(range(text).unwrap().to_string(), want, "{text}");
        }
        for text in [
            "",
            "10.9.0.1",
            "10.9.0.3-10.9.0.9",
            "10.9.0.9-10.9.0.3",
            "10.9.0.1-fd00::1",
            "-",
        ] {
            assert!(range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_pairs() {
        let found = options(&["mtu=1400,isolate=true".to_owned(), "x".to_owned()]).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found["mtu"], "1400");
        assert!(options(&["=1".to_owned()]).is_err());
    }
}
