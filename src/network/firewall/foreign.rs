//! Rules of other programs, as far as they would stop what ketch's own let through: every program
//! has its say, and docker and ufw say no to all that they do not know.
//!
//! Only hosts that have such rules are touched: those with a table `filter` of iptables(8).

use std::fs;

use super::Find;
use super::iptables::Iptables;
use crate::sys::netlink::{Family, Netlink};

/// Where docker looks before it says no (moby, `libnetwork/drivers/bridge`).
const DOCKERS: &str = "DOCKER-USER";
/// What marks the rules as ketch's.
const MARK: &str = "ketch";

/// Lets what ketch's own rules let through pass the others'. Twice is no error.
pub(super) fn let_pass(bridge: &str, find: Find<'_>) {
    for program in programs(find) {
        let chain = chain(&program);
        for direction in ["-i", "-o"] {
            if !program.does(&rule("-C", chain, direction, bridge)) {
                program.does(&rule("-I", chain, direction, bridge));
            }
        }
    }
}

/// Takes that back.
pub(super) fn forget(bridge: &str, find: Find<'_>) {
    for program in programs(find) {
        for chain in [DOCKERS, "FORWARD"] {
            for direction in ["-i", "-o"] {
                program.does(&rule("-D", chain, direction, bridge));
            }
        }
    }
}

/// The programs whose table `filter` is there.
fn programs(find: Find<'_>) -> impl Iterator<Item = Iptables> {
    let one = move |six| {
        if has_filter(six) {
            Iptables::find(six, find)
        } else {
            None
        }
    };
    [false, true].into_iter().filter_map(one)
}

/// Whether the family has the table, in nf_tables or in the older form.
fn has_filter(six: bool) -> bool {
    let (family, names) = match six {
        false => (Family::Ip, "/proc/net/ip_tables_names"),
        true => (Family::Ip6, "/proc/net/ip6_tables_names"),
    };
    let newer = Netlink::filter().and_then(|mut netlink| netlink.has_table(family, "filter"));
    let older = || fs::read_to_string(names).unwrap_or_default();
    newer.unwrap_or(false) || older().lines().any(|name| name == "filter")
}

fn chain(program: &Iptables) -> &'static str {
    if program.does(&["-n", "-L", DOCKERS]) {
        DOCKERS
    } else {
        "FORWARD"
    }
}

fn rule<'a>(action: &'a str, chain: &'a str, direction: &'a str, bridge: &'a str) -> [&'a str; 10] {
    let comment = ["-m", "comment", "--comment", MARK];
    let [a, b, c, d] = comment;
    [action, chain, direction, bridge, a, b, c, d, "-j", "ACCEPT"]
}
