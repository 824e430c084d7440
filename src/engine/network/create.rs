//! `network create`, and the default network.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use anyhow::Result;

use super::{DEFAULT, WORDS, event};
use crate::common::{ContainerId, Error, Kind, Mode, Timestamp, check_name};
use crate::engine::Engine;
use crate::network::{
    DEFAULT_INTERFACE, Driver, Pool, Record, Subnet, connected_subnets, default_subnet,
    host_subnets, next_subnet, random_subnet6, some_subnet,
};
use crate::settings;
use crate::sys::file;

/// Which addresses members have where no subnet of the family is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Families {
    /// IPv4.
    pub(crate) v4: bool,
    /// IPv6.
    pub(crate) v6: bool,
}

/// `network create`.
#[derive(Debug, Clone)]
pub(crate) struct CreateRequest {
    /// Name; `None` for one that is free.
    pub(crate) name: Option<String>,
    /// `--driver`.
    pub(crate) driver: Driver,
    /// `--interface-name`: the name of the bridge, or the device of the host.
    pub(crate) interface: Option<String>,
    /// `--subnet`.
    pub(crate) subnets: Vec<Subnet>,
    /// `--gateway`.
    pub(crate) gateways: Vec<IpAddr>,
    /// `--ip-range`.
    pub(crate) ranges: Vec<Subnet>,
    /// `--aux-address`.
    pub(crate) reserved: BTreeMap<String, IpAddr>,
    /// Families of subnets to be found.
    pub(crate) families: Families,
    /// `--internal`.
    pub(crate) internal: bool,
    /// Whether members find each other by name.
    pub(crate) dns: bool,
    /// `--dns`.
    pub(crate) resolvers: Vec<IpAddr>,
    /// `--label`.
    pub(crate) labels: BTreeMap<String, String>,
    /// `--opt`.
    pub(crate) options: BTreeMap<String, String>,
    /// `--ignore`: one of this name is no error.
    pub(crate) ignore: bool,
}

/// Makes a network; with `ignore`, gives the one that has its name.
///
/// # Errors
/// `Usage` for addresses, options and names that cannot be; `Conflict` for what another network
/// or the host has; `Exhausted` when no subnet is free. Nothing is made then.
pub(crate) fn create(engine: &Engine<'_>, request: &CreateRequest) -> Result<Record> {
    if let Some(name) = &request.name {
        check_name(name)?;
        if WORDS.contains(&name.as_str()) {
            let why = format!("operation is not permitted on predefined {name} network");
            return Err(Error::new(Kind::Denied, "make network", name)
                .because(why)
                .into());
        }
        if request.ignore
            && let Some(known) = engine.store.networks().named(name)?
        {
            return Ok(known);
        }
    }
    if !request.dns && !request.resolvers.is_empty() {
        let why = "the network has no names; leave out --dns or --disable-dns";
        return Err(Error::usage("set resolvers of network", "", why).into());
    }
    check_options(engine, request)?;
    check_driver(engine, request)?;
    let id = ContainerId::from_bytes(file::random()?).to_string();
    let random = file::random()?;
    let made = engine.store.networks().create(|others| {
        let name = match &request.name {
            Some(name) => name.clone(),
            None => free_name(others),
        };
        let subnets = pools(request, others, random)?;
        Ok(Record {
            interface: interface(request, &id),
            ipv6: subnets.iter().any(|pool| !pool.subnet.is_ipv4()),
            id,
            created: Timestamp::now(),
            driver: request.driver,
            subnets,
            internal: request.internal,
            dns: request.dns && request.driver != Driver::None,
            resolvers: request.resolvers.clone(),
            isolate: request
                .options
                .get("isolate")
                .is_none_or(|value| value != "false"),
            labels: request.labels.clone(),
            options: request.options.clone(),
            name,
        })
    });
    let known = match (&made, &request.name) {
        (Err(error), Some(name)) if request.ignore && error.kind() == Kind::Conflict => {
            engine.store.networks().named(name)?
        }
        _ => None,
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let record = made?;
    event::note(&engine.store, &record, "create", None);
    Ok(record)
}

/// The network of a container that names none, which is made when it is first needed.
///
/// # Errors
/// `Exhausted` when no subnet is free.
pub(crate) fn default_network(engine: &Engine<'_>) -> Result<Record> {
    let networks = engine.store.networks();
    if let Some(record) = networks.named(DEFAULT)? {
        return Ok(record);
    }
    let id = ContainerId::from_bytes(file::random()?).to_string();
    let made = networks.create(|others| {
        // A machine has one docker0, and one of its kind.
        let is_machines = settings::is_machines(engine.store.root());
        let used = used(others);
        let subnet = match is_machines {
            true => default_subnet(&used),
            false => some_subnet(&used, u32::from_ne_bytes(file::random()?)),
        };
        let subnet = subnet.ok_or_else(|| full(DEFAULT))?;
        Ok(Record {
            name: DEFAULT.to_owned(),
            interface: match is_machines {
                true => DEFAULT_INTERFACE.to_owned(),
                false => Record::interface_of(&id),
            },
            id: id.clone(),
            created: Timestamp::now(),
            driver: Driver::Bridge,
            subnets: vec![Pool::of(subnet)],
            internal: false,
            ipv6: false,
            // docker: only networks that their users made have names.
            dns: false,
            resolvers: Vec::new(),
            isolate: true,
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
        })
    });
    match made {
        // Somebody else was faster.
        Err(error) if error.kind() == Kind::Conflict => {
            networks.named(DEFAULT)?.ok_or_else(|| error.into())
        }
        other => Ok(other?),
    }
}

fn full(name: &str) -> Error {
    Error::new(Kind::Exhausted, "make network", name)
        .because("all predefined address pools have been fully subnetted".to_owned())
        .hint("remove networks, or name a --subnet")
}

/// Subnets of other networks and those that the host reaches.
fn used(others: &[Record]) -> Vec<Subnet> {
    let mut used = host_subnets();
    let pools = others.iter().flat_map(|record| &record.subnets);
    used.extend(pools.map(|pool| pool.subnet));
    used
}

/// podman's names of networks that were given none.
fn free_name(others: &[Record]) -> String {
    let is_free = |name: &String| !others.iter().any(|record| record.name == *name);
    let mut names = (1..).map(|number: u64| format!("podman{number}"));
    names.find(is_free).unwrap_or_default()
}

fn interface(request: &CreateRequest, id: &str) -> String {
    let names = match request.driver {
        Driver::Bridge => ["com.docker.network.bridge.name", "bridge_name"],
        Driver::Macvlan | Driver::Ipvlan => ["parent", "parent"],
        Driver::None => return String::new(),
    };
    let option = names.iter().find_map(|name| request.options.get(*name));
    match (request.interface.as_ref().or(option), request.driver) {
        (Some(name), _) => name.clone(),
        (None, Driver::Bridge) => Record::interface_of(id),
        (None, _) => String::new(),
    }
}

/// What docker and podman can be asked here. Others are said to have no effect.
fn check_options(engine: &Engine<'_>, request: &CreateRequest) -> Result<()> {
    for (key, value) in &request.options {
        let bad = |why: &str| Error::usage("use --opt", format!("{key}={value}"), why);
        let truth = || match value.as_str() {
            "true" | "1" | "false" | "0" => Ok(()),
            _ => Err(bad("use true or false")),
        };
        match key.as_str() {
            "mtu" | "com.docker.network.driver.mtu" => {
                let mtu: Option<u32> = value.parse().ok();
                // The kernel's least for IPv4 (RFC 791), and what an IPv4 length can say.
                mtu.filter(|mtu| (68..=65535).contains(mtu))
                    .ok_or_else(|| bad("an MTU is a number from 68 to 65535"))?;
            }
            "isolate" => match value.as_str() {
                "true" | "false" | "strict" => {}
                _ => return Err(bad("use true, false or strict").into()),
            },
            "com.docker.network.bridge.enable_icc" => truth()?,
            "parent" | "com.docker.network.bridge.name" | "bridge_name" => {}
            "mode" | "macvlan_mode" | "ipvlan_mode" => {
                check_mode(request.driver, value).ok_or_else(|| bad("not a mode of this driver"))?
            }
            "com.docker.network.bridge.enable_ip_masquerade" if value == "true" => {}
            "com.docker.network.bridge.default_bridge" if value == "false" => {}
            "com.docker.network.bridge.host_binding_ipv4" if value == "0.0.0.0" => {}
            _ => engine.ui.warn(&format!(
                "--opt {key}={value}: not known here, and it has no effect"
            )),
        }
    }
    let name = interface(request, "");
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':');
    let is_bad =
        name.len() > 15 || name.contains(odd) || matches!(name.as_str(), "." | ".." | "lo");
    if is_bad {
        let why = "a device has at most 15 bytes, without spaces, \"/\" and \":\"";
        return Err(Error::usage("use interface name", name, why).into());
    }
    Ok(())
}

fn check_mode(driver: Driver, mode: &str) -> Option<()> {
    let known: &[&str] = match driver {
        Driver::Macvlan => &["bridge", "private", "vepa", "passthru"],
        Driver::Ipvlan => &["l2", "l3", "l3s"],
        Driver::Bridge => &["managed"],
        Driver::None => &[],
    };
    known.contains(&mode).then_some(())
}

/// Looks for what the driver cannot be asked, or this user cannot have.
fn check_driver(engine: &Engine<'_>, request: &CreateRequest) -> Result<()> {
    let named = !request.subnets.is_empty() || !request.gateways.is_empty();
    match request.driver {
        Driver::Bridge => Ok(()),
        Driver::None if named || request.families.v6 || !request.ranges.is_empty() => {
            let why = "a network without a driver has no addresses";
            Err(Error::usage("use --driver", "none", why).into())
        }
        Driver::None => Ok(()),
        driver if engine.mode != Mode::Root => {
            let word = driver.word();
            Err(Error::new(Kind::Unsupported, "use --driver", word)
                .because(format!(
                    "{word} needs the devices of the host, which are root's"
                ))
                .hint("use the bridge driver, or run as root")
                .into())
        }
        _ => {
            let parent = interface(request, "");
            if !parent.is_empty() && !Path::new("/sys/class/net").join(&parent).exists() {
                return Err(Error::new(Kind::NotFound, "use parent", parent)
                    .because("this machine has no such network device".to_owned())
                    .hint("ip link lists them")
                    .into());
            }
            Ok(())
        }
    }
}

/// The pools of a new network.
fn pools(request: &CreateRequest, others: &[Record], random: [u8; 7]) -> Result<Vec<Pool>, Error> {
    if request.driver == Driver::None {
        return Ok(Vec::new());
    }
    // Those of other networks are looked for where they are named.
    let known: Vec<Subnet> = others
        .iter()
        .flat_map(|record| &record.subnets)
        .map(|pool| pool.subnet)
        .collect();
    let mut host = connected_subnets();
    host.retain(|subnet| !known.contains(subnet));
    let mut pools: Vec<Pool> = Vec::new();
    for subnet in &request.subnets {
        check_subnet(subnet, &host)?;
        if pools
            .iter()
            .any(|pool| pool.subnet.is_ipv4() == subnet.is_ipv4())
        {
            let why = "a network has at most one subnet of each family";
            return Err(Error::usage("use subnet", subnet.to_string(), why));
        }
        pools.push(Pool::of(*subnet));
    }
    if request.families.v4 && !pools.iter().any(|pool| pool.subnet.is_ipv4()) {
        let name = request.name.as_deref().unwrap_or("");
        let subnet = next_subnet(&used(others)).ok_or_else(|| full(name))?;
        pools.insert(0, Pool::of(subnet));
    }
    if request.families.v6 && pools.iter().all(|pool| pool.subnet.is_ipv4()) {
        pools.push(Pool::of(random_subnet6(random)));
    }
    details(request, &mut pools)?;
    Ok(pools)
}

/// Gateways, ranges and reserved addresses into the pools that they belong to.
fn details(request: &CreateRequest, pools: &mut [Pool]) -> Result<(), Error> {
    for gateway in &request.gateways {
        let pool = pools.iter_mut().find(|pool| pool.subnet.contains(*gateway));
        let bad = |why: &str| Error::usage("use gateway", gateway.to_string(), why);
        let pool = pool.ok_or_else(|| bad("no matching subnet for it"))?;
        if !pool.subnet.has_host(*gateway) {
            return Err(bad("no host can have it in its subnet"));
        }
        pool.gateway = Some(*gateway);
    }
    for range in &request.ranges {
        let pool = pools
            .iter_mut()
            .find(|pool| pool.subnet.contains_all(range));
        let bad = |why: &str| Error::usage("use ip range", range.to_string(), why);
        let pool = pool.ok_or_else(|| bad("no matching subnet for it"))?;
        if pool.range.replace(*range).is_some() {
            return Err(bad("its subnet has a range already"));
        }
    }
    for (name, ip) in &request.reserved {
        let pool = pools.iter_mut().find(|pool| pool.subnet.contains(*ip));
        let bad = || {
            Error::usage(
                "use aux address",
                ip.to_string(),
                "no matching subnet for it",
            )
        };
        let pool = pool.ok_or_else(bad)?;
        pool.reserved.insert(name.clone(), *ip);
    }
    Ok(())
}

/// Ranges that no network of containers can have, with what they are.
const SPECIAL: [(&str, &str); 7] = [
    ("0.0.0.0/8", "this host"),
    ("127.0.0.0/8", "loopback addresses"),
    ("169.254.0.0/16", "addresses of one link"),
    ("224.0.0.0/3", "groups and what is reserved"),
    ("::/64", "loopback and mapped addresses"),
    ("fe80::/10", "addresses of one link"),
    ("ff00::/8", "groups"),
];

fn check_subnet(subnet: &Subnet, host: &[Subnet]) -> Result<(), Error> {
    let bad = |why: String| Error::usage("use subnet", subnet.to_string(), why);
    let longest = if subnet.is_ipv4() { 30 } else { 126 };
    if subnet.prefix > longest {
        return Err(bad(format!(
            "it is too small for a gateway and a container: the prefix is at most {longest}"
        )));
    }
    for (special, what) in SPECIAL {
        if special.parse::<Subnet>()?.overlaps(subnet) {
            return Err(bad(format!("{special} is for {what}")));
        }
    }
    match host.iter().find(|other| other.overlaps(subnet)) {
        Some(other) => Err(Error::new(Kind::Conflict, "use subnet", subnet.to_string())
            .because(format!("it overlaps {other}, which this machine is on"))
            .hint("choose another --subnet")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(subnets: &[&str]) -> CreateRequest {
        CreateRequest {
            name: Some("net".to_owned()),
            driver: Driver::Bridge,
            interface: None,
            subnets: subnets.iter().map(|text| text.parse().unwrap()).collect(),
            gateways: Vec::new(),
            ranges: Vec::new(),
            reserved: BTreeMap::new(),
            families: Families {
                v4: true,
                v6: false,
            },
            internal: false,
            dns: true,
            resolvers: Vec::new(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            ignore: false,
        }
    }

    #[test]
    fn details_go_to_their_subnets() {
        let mut asked = request(&["100.99.0.0/24", "fd00:9::/64"]);
        asked.gateways = vec!["fd00:9::9".parse().unwrap(), "100.99.0.9".parse().unwrap()];
        asked.ranges = vec!["100.99.0.128/25".parse().unwrap()];
        asked
            .reserved
            .insert("r".to_owned(), "100.99.0.7".parse().unwrap());
        let pools = pools(&asked, &[], [0; 7]).unwrap();
        assert_eq!(pools[0].gateway, Some("100.99.0.9".parse().unwrap()));
        assert_eq!(pools[0].range, Some("100.99.0.128/25".parse().unwrap()));
        assert_eq!(pools[0].reserved.len(), 1);
        assert_eq!(pools[1].gateway, Some("fd00:9::9".parse().unwrap()));
    }

    #[test]
    fn families_that_are_not_named_are_found() {
        let mut asked = request(&["fd00:9::/64"]);
        assert_eq!(pools(&asked, &[], [0; 7]).unwrap().len(), 2);
        asked.families = Families {
            v4: false,
            v6: true,
        };
        assert_eq!(pools(&asked, &[], [0; 7]).unwrap().len(), 1);
        asked.subnets.clear();
        let found = pools(&asked, &[], [1; 7]).unwrap();
        assert!(!found[0].subnet.is_ipv4() && found.len() == 1);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for subnets in [
            &["100.99.0.0/31"][..],
            &["127.1.0.0/16"],
            &["0.0.0.0/0"],
            &["224.1.0.0/16"],
            &["fe80::/64"],
            &["::/0"],
            &["100.99.0.0/24", "100.98.0.0/24"],
        ] {
            assert!(
                pools(&request(subnets), &[], [0; 7]).is_err(),
                "{subnets:?}"
            );
        }
        let host = ["10.1.0.0/16".parse().unwrap()];
        let error = check_subnet(&"10.0.0.0/8".parse().unwrap(), &host).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        let with = |change: &dyn Fn(&mut CreateRequest)| {
            let mut asked = request(&["100.99.0.0/24"]);
            change(&mut asked);
            pools(&asked, &[], [0; 7])
        };
        assert!(with(&|asked| asked.gateways.push("100.98.0.1".parse().unwrap())).is_err());
        assert!(with(&|asked| asked.gateways.push("100.99.0.255".parse().unwrap())).is_err());
        assert!(with(&|asked| asked.ranges.push("100.0.0.0/8".parse().unwrap())).is_err());
        assert!(with(&|_| ()).is_ok());
    }
}
