//! The rules by iptables(8), where there is no nft(8).
//!
//! They are in chains of ketch's own; each rule's comment names the interface it is for. What a
//! port says that it is, is not looked at: iptables(8) does not see what stays on a bridge.

use std::net::IpAddr;

use super::iptables::Iptables;
use super::{Find, NetworkRules, PortRules, Protocol, Published};
use crate::common::{Error, Kind, Result};
use crate::network::Subnet;

/// What the comment of a rule begins with; the interface follows.
const MARK: &str = "ketch:";
/// The tables that ketch has chains in.
const TABLES: [&str; 2] = ["nat", "filter"];

/// The chains, and what leads to them. The order of the first rules of a chain is that of
/// docker's: ketch's come before what others have.
const NAT: &str = "*nat
:KETCH-PORTS -
:KETCH-OUT -
-I PREROUTING -m addrtype --dst-type LOCAL -j KETCH-PORTS
-I OUTPUT ! -d LOOPBACK -m addrtype --dst-type LOCAL -j KETCH-PORTS
-I POSTROUTING -j KETCH-OUT
COMMIT
";
const FILTER: &str = "*filter
:KETCH-INTERNAL -
:KETCH-INWARD -
:KETCH-OUTWARD -
:KETCH-INPUT -
-I FORWARD -j KETCH-OUTWARD
-I FORWARD -j KETCH-INWARD
-I FORWARD -j KETCH-INTERNAL
-I INPUT -j KETCH-INPUT
COMMIT
";

/// The programs of the families that the machine has.
#[derive(Debug)]
pub(crate) struct Legacy {
    programs: Vec<Iptables>,
    fresh: bool,
}

impl Legacy {
    /// Opens the rules, and makes the chains where they are missing; `None` without the program.
    pub(super) fn open(find: Find<'_>) -> Result<Option<Legacy>> {
        let Some(mut legacy) = Legacy::of(find) else {
            return Ok(None);
        };
        for program in &legacy.programs {
            if program.does(&["-t", "nat", "-n", "-L", "KETCH-PORTS"]) {
                continue;
            }
            let loopback = if program.six {
                "::1/128"
            } else {
                "127.0.0.0/8"
            };
            program.restore(&NAT.replace("LOOPBACK", loopback))?;
            program.restore(FILTER)?;
            legacy.fresh = true;
        }
        Ok(Some(legacy))
    }

    /// The rules as they are; `None` when there are none.
    pub(super) fn present(find: Find<'_>) -> Result<Option<Legacy>> {
        let legacy = Legacy::of(find);
        let is_there = |program: &Iptables| program.does(&["-t", "nat", "-n", "-L", "KETCH-PORTS"]);
        Ok(legacy.filter(|legacy| legacy.programs.iter().all(is_there)))
    }

    fn of(find: Find<'_>) -> Option<Legacy> {
        let four = Iptables::find(false, find)?;
        // A machine without IPv6 has no table of it.
        let six = Iptables::find(true, find).filter(|six| six.does(&["-t", "nat", "-n", "-L"]));
        Some(Legacy {
            programs: std::iter::once(four).chain(six).collect(),
            fresh: false,
        })
    }

    /// Whether the chains had to be made.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Lets a network work. Twice is no error.
    pub(super) fn add_network(&self, rules: &NetworkRules<'_>) -> Result<()> {
        self.remove(|owner| Ok(owner == rules.bridge))?;
        self.programs
            .iter()
            .try_for_each(|program| program.restore(&of_network(rules, program.six)))
    }

    /// Leads a container's ports to it.
    ///
    /// # Errors
    /// `Conflict` when a port leads to another container already.
    pub(super) fn add_port(&self, rules: &PortRules<'_>) -> Result<()> {
        for program in &self.programs {
            let Some(lines) = of_port(rules, program.six) else {
                continue;
            };
            let now = program.save("nat")?;
            let is_taken = |port: &&Published| {
                let has = |line: &str| leads(line, port);
                port.host.is_ipv6() == program.six && now.lines().any(has)
            };
            if let Some(port) = rules.published.iter().find(is_taken) {
                let object = format!("{}:{}", port.host, port.host_port);
                return Err(Error::new(Kind::Conflict, "publish port", object)
                    .because("it leads to another container"));
            }
            program.restore(&lines)?;
        }
        Ok(())
    }

    /// Removes rules by the interface they are for.
    pub(super) fn remove(&self, mut is_wanted: impl FnMut(&str) -> Result<bool>) -> Result<()> {
        for program in &self.programs {
            for table in TABLES {
                program.remove(table, owner, &mut is_wanted)?;
            }
        }
        Ok(())
    }
}

/// Whether a rule leads a port somewhere.
fn leads(line: &str, port: &Published) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let value = |flag| {
        words
            .windows(2)
            .find(|pair| pair[0] == flag)
            .map(|pair| pair[1])
    };
    let host = value("-d").map(|text| text.split('/').next().unwrap_or(text));
    let wanted = (!port.host.is_unspecified()).then(|| port.host.to_string());
    line.starts_with("-A KETCH-PORTS ")
        && value("-p") == Some(word(port.protocol))
        && value("--dport") == Some(&port.host_port.to_string())
        && host == wanted.as_deref()
}

fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}

/// The interface that a rule is for; `None` for those of others.
fn owner(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(MARK)?;
    let end = rest.find(|c: char| c.is_whitespace() || c == '"');
    line.starts_with("-A KETCH-")
        .then(|| &rest[..end.unwrap_or(rest.len())])
}

fn comment(owner: &str) -> String {
    format!("-m comment --comment {MARK}{owner}")
}

/// The rules of a network, of one family.
fn of_network(rules: &NetworkRules<'_>, six: bool) -> String {
    let (bridge, mark) = (rules.bridge, comment(rules.bridge));
    let mut lines = String::from("*filter\n");
    let mut add = |rule: String| {
        lines.push_str(&rule);
        lines.push('\n');
    };
    add(format!(
        "-I KETCH-INTERNAL -i {bridge} -o {bridge} {mark} -j ACCEPT"
    ));
    let known = "-m conntrack --ctstate";
    if rules.internal {
        add(format!("-A KETCH-INTERNAL -i {bridge} {mark} -j DROP"));
        add(format!("-A KETCH-INTERNAL -o {bridge} {mark} -j DROP"));
        let icmp = if six { "ipv6-icmp" } else { "icmp" };
        add(format!(
            "-A KETCH-INPUT -i {bridge} {known} ESTABLISHED,RELATED {mark} -j ACCEPT"
        ));
        add(format!(
            "-A KETCH-INPUT -i {bridge} -p {icmp} {mark} -j ACCEPT"
        ));
        add(format!("-A KETCH-INPUT -i {bridge} {mark} -j DROP"));
    } else {
        let accepted = format!("{known} ESTABLISHED,RELATED,DNAT");
        add(format!(
            "-A KETCH-INWARD -o {bridge} {accepted} {mark} -j ACCEPT"
        ));
        add(format!("-A KETCH-INWARD -o {bridge} {mark} -j DROP"));
        add(format!("-A KETCH-OUTWARD -i {bridge} {mark} -j ACCEPT"));
    }
    lines.push_str("COMMIT\n");
    if rules.internal {
        return lines;
    }
    lines.push_str("*nat\n");
    let own = |subnet: &&Subnet| subnet.is_ipv4() != six;
    for subnet in rules.subnets.iter().filter(own) {
        let back = format!("-s {subnet} -o {bridge} {known} DNAT {mark}");
        lines.push_str(&format!("-A KETCH-OUT {back} -j MASQUERADE\n"));
        if rules.masquerade {
            let out = format!("-s {subnet} ! -o {bridge} {mark}");
            lines.push_str(&format!("-A KETCH-OUT {out} -j MASQUERADE\n"));
        }
    }
    lines.push_str("COMMIT\n");
    lines
}

/// The rules of a container's ports, of one family; `None` when it has no port there.
fn of_port(rules: &PortRules<'_>, six: bool) -> Option<String> {
    let to = rules.addresses.iter().find(|ip| ip.is_ipv6() == six)?;
    let mark = comment(rules.interface);
    let lines: Vec<String> = rules
        .published
        .iter()
        .filter(|port| port.host.is_ipv6() == six && !port.host.is_loopback())
        .map(|port| leading(port, *to, &mark))
        .collect();
    (!lines.is_empty()).then(|| format!("*nat\n{}COMMIT\n", lines.concat()))
}

fn leading(port: &Published, to: IpAddr, mark: &str) -> String {
    let protocol = word(port.protocol);
    let at = match port.host.is_unspecified() {
        true => String::new(),
        false => format!(" -d {}", port.host),
    };
    let to = std::net::SocketAddr::new(to, port.port);
    let number = port.host_port;
    format!(
        "-A KETCH-PORTS -p {protocol}{at} --dport {number} {mark} -j DNAT --to-destination {to}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_its_own_are_removed() {
        for (line, wanted) in [
            (
                "-A KETCH-OUT -m comment --comment \"ketch:k-1\" -j MASQUERADE",
                Some("k-1"),
            ),
            (
                "-A KETCH-OUT -m comment --comment ketch:k-1 -j MASQUERADE",
                Some("k-1"),
            ),
            ("-A KETCH-OUT -m comment --comment ketch:k-1", Some("k-1")),
            ("-A FORWARD -m comment --comment ketch:k-1 -j ACCEPT", None),
            ("-A KETCH-OUT -j MASQUERADE", None),
            (":KETCH-OUT - [0:0]", None),
        ] {
            assert_eq!(owner(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_port_of_all_addresses_has_no_destination() {
        let port = Published {
            protocol: Protocol::Tcp,
            host: "0.0.0.0".parse().unwrap(),
            host_port: 8080,
            port: 80,
        };
        let rules = PortRules {
            interface: "kv-1",
            index: 1,
            mac: [0; 6],
            addresses: &["10.0.0.2".parse().unwrap()],
            published: &[port],
        };
        let lines = of_port(&rules, false).unwrap();
        let wanted = "-A KETCH-PORTS -p tcp --dport 8080 -m comment --comment ketch:kv-1 -j DNAT \
                      --to-destination 10.0.0.2:80\n";
        assert_eq!(lines, format!("*nat\n{wanted}COMMIT\n"));
        assert_eq!(of_port(&rules, true), None);
    }
}
