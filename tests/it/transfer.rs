//! Much data through a published port, and many containers on one network.
//!
//! `KETCH_TEST_GIB` and `KETCH_TEST_CROWD` make both as large as the promise is: 10 and 100.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::process::Running;
use crate::harness::{Env, eventually};
use crate::network_names::{address, on};
use crate::peers::LONG;

/// The other side has the same two functions.
#[path = "../payload/net.rs"]
#[allow(dead_code, clippy::print_stdout)]
mod side;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Sends or fetches, and compares the digests of both sides.
fn carry(place: &str, count: u64, to_container: bool) -> io::Result<()> {
    let mut stream = TcpStream::connect(place)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let word = if to_container { b'>' } else { b'<' };
    stream.write_all(&[&[word][..], &count.to_le_bytes()].concat())?;
    let own = match to_container {
        true => side::given(&mut stream, count)?,
        false => side::taken(&mut stream, count)?,
    };
    let mut theirs = [0; 32];
    stream.read_exact(&mut theirs)?;
    assert_eq!(own, theirs, "{place}: other bytes arrived");
    Ok(())
}

fn both_ways(env: &Env, network: &[&str]) {
    let count = number("KETCH_TEST_GIB").map_or(48 << 20, |gib| gib << 30) + 12_345;
    let image = env.base();
    let first = ["run", "-d", "--name", "mill", "-p", "127.0.0.1::80"];
    let words = [&first[..], network, &[&image, "payload", "mill", "80"]].concat();
    env.ketch(&words).ok();
    eventually("the server listens", || {
        env.ketch(&["logs", "mill"]).stdout == "ready\n"
    });
    let place = env.ketch(&["port", "mill", "80"]).ok().to_owned();
    // Who goes in the middle takes nobody else's connection away.
    let mut early = TcpStream::connect(&place).unwrap();
    early
        .write_all(&[&[b'<'][..], &count.to_le_bytes()].concat())
        .unwrap();
    early.read_exact(&mut [0; 1000]).unwrap();
    drop(early);
    for to_container in [true, false] {
        let begun = std::time::Instant::now();
        carry(&place, count, to_container).unwrap();
        let rate = count as f64 / begun.elapsed().as_secs_f64() / 1e9;
        eprintln!(
            "{:?} {network:?} {to_container}: {rate:.2} GB/s",
            env.identity
        );
    }
    env.ketch(&["rm", "-f", "mill"]).ok();
}

/// What each name comes to, asked for by a member.
fn looked_up(env: &Env, names: &[String]) -> BTreeMap<String, String> {
    let ask = |name: &String| {
        let output = env.ketch(&["exec", "asker", "payload", "look-up", name]);
        (name.clone(), output.ok().to_owned())
    };
    names.iter().map(ask).collect()
}

/// Runs a command for each name, all at once.
fn at_once(env: &Env, names: &[String], words: impl Fn(&str) -> Vec<String>) {
    let start = |name: &String| {
        let words = words(name);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        env.spawn(&words)
    };
    let all: Vec<Running> = names.iter().map(start).collect();
    for running in all {
        running.finish_within(LONG).ok();
    }
}

cases! {
    fn much_arrives_as_it_was_sent_both_ways(env) {
        both_ways(env, &[]);
        env.ketch(&["network", "create", "net"]).ok();
        both_ways(env, &["--network", "net"]);
        env.ketch(&["network", "rm", "net"]).ok();
        env.assert_clean();
    }

    fn many_join_and_leave_at_once_and_keep_names_and_addresses(env) {
        let count = number("KETCH_TEST_CROWD").unwrap_or(16);
        let image = env.base();
        env.ketch(&["network", "create", "crowd"]).ok();
        let run = |name: &str| {
            let words = ["run", "-d", "--name", name, "--network", "crowd", &image, "payload", "ready-then-wait"];
            words.map(str::to_owned).to_vec()
        };
        at_once(env, &["asker".to_owned()], run);
        let names: Vec<String> = (0..count).map(|number| format!("member{number}")).collect();
        at_once(env, &names, run);
        let addresses: BTreeMap<String, String> = names
            .iter()
            .map(|name| (name.clone(), format!("0 {}", address(env, name, "crowd"))))
            .collect();
        let mut apart: Vec<&String> = addresses.values().collect();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), names.len());
        assert_eq!(looked_up(env, &names), addresses);
        // Half of them leave while others come.
        let (going, staying) = names.split_at(names.len() / 2);
        let coming: Vec<String> = (0..going.len()).map(|number| format!("late{number}")).collect();
        let both = [going, &coming].concat();
        at_once(env, &both, |name| match name.starts_with("late") {
            true => run(name),
            false => ["rm", "-f", name].map(str::to_owned).to_vec(),
        });
        let there = looked_up(env, &[going, staying].concat());
        for name in going {
            assert_eq!(there[name], "3", "{name}");
        }
        let mut taken = Vec::new();
        for name in staying {
            assert_eq!(there[name], addresses[name], "{name}");
            taken.push(there[name].clone());
        }
        for (name, found) in looked_up(env, &coming) {
            assert_eq!(found, format!("0 {}", address(env, &name, "crowd")));
            assert!(!taken.contains(&found), "{name} has another's address");
            taken.push(found);
        }
        assert_eq!(on(env, "crowd", &["look-up", "late0"]).code(), 0);
        env.ketch(&["rm", "-fa"]).ok();
        env.ketch(&["network", "rm", "crowd"]).ok();
        env.assert_clean();
    }
}
