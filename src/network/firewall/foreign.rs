//! Rules of other programs, as far as they would stop what ketch's own let through: every program
//! has its say, and docker and ufw say no to all that they do not know.
//!
//! Only hosts that have such rules are touched: those with a table `filter` of iptables(8).

use std::fs;

use super::iptables::Iptables;
use super::{Find, Links};
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

/// Takes that back for bridges that are gone. Of a store that was deleted while its containers ran
/// nobody else would take it, and each packet meets each rule.
pub(super) fn sweep(find: Find<'_>) {
    for program in programs(find) {
        // What another process takes at the same time fails here; the next network's end looks
        // again.
        if let Ok(mut links) = Links::look() {
            let _ = program.remove("filter", bridge_of, &mut |bridge| links.lack(bridge));
        }
    }
}

/// The bridge of a rule that [`let_pass`] made; `None` for those of others.
fn bridge_of(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["-A", DOCKERS | "FORWARD", "-i" | "-o", bridge, rest @ ..]
            if rest.join(" ").replace('"', "")
                == format!("-m comment --comment {MARK} -j ACCEPT") =>
        {
            Some(bridge)
        }
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_its_own_are_taken_back() {
        let mark = "-m comment --comment ketch -j ACCEPT";
        for (line, bridge) in [
            (format!("-A FORWARD -o k-1 {mark}"), Some("k-1")),
            (format!("-A DOCKER-USER -i ketch0 {mark}"), Some("ketch0")),
            (
                "-A FORWARD -i k-1 -m comment --comment \"ketch\" -j ACCEPT".to_owned(),
                Some("k-1"),
            ),
            (format!("-A INPUT -i k-1 {mark}"), None),
            (format!("-A FORWARD -i k-1 -p tcp {mark}"), None),
            ("-A FORWARD -i k-1 -j ACCEPT".to_owned(), None),
            (
                "-A FORWARD -i k-1 -m comment --comment mine -j ACCEPT".to_owned(),
                None,
            ),
            (":FORWARD ACCEPT [0:0]".to_owned(), None),
        ] {
            assert_eq!(bridge_of(&line), bridge, "{line}");
        }
    }
}
