//! A private network without rights: a program beside the container carries its packets through
//! sockets of the user's own. The first that is there: pasta (passt), then slirp4netns.

mod pasta;
mod program;
mod slirp;

use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use super::routes::{default_gateway, has_default_route};
use super::{Protocol, Published};
use crate::common::Result;
use crate::host::find_program;
use crate::sys::process::Child;

/// Which program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// pasta(1), which keeps the source addresses of who comes in.
    Pasta(PathBuf),
    /// slirp4netns(1).
    Slirp(PathBuf),
}

/// What a container gets.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Its network namespace.
    pub(crate) namespace: BorrowedFd<'a>,
    /// The host's ports that lead there.
    pub(crate) published: &'a [Published],
    /// Names are asked of the program, at [`Program::resolver`].
    pub(crate) names: bool,
    /// Options of the user's for the program, in its own words.
    pub(crate) options: &'a [String],
}

/// The device for packets that the programs need.
const DEVICE: &str = "/dev/net/tun";

/// What the programs would need and this machine does not have.
pub(crate) fn lack() -> Option<String> {
    let device = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(DEVICE);
    if let Err(error) = device {
        return Some(format!("{DEVICE}: {error}"));
    }
    (!has_default_route()).then(|| "the host has no default route".to_owned())
}

/// The program to use: the one that is asked for, or the first there is on `path`.
pub(crate) fn program(path: Option<&OsStr>, wanted: Option<&str>) -> Option<Program> {
    let pasta = || find_program(path, "pasta").map(Program::Pasta);
    let slirp = || find_program(path, "slirp4netns").map(Program::Slirp);
    match wanted {
        Some("pasta") => pasta(),
        Some("slirp4netns") => slirp(),
        _ => pasta().or_else(slirp),
    }
}

impl Program {
    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Program::Pasta(_) => "pasta",
            Program::Slirp(_) => "slirp4netns",
        }
    }

    /// What does not work of a port that it leads into a container; `None` when all does.
    ///
    /// A pasta of 2023, Debian 12's among them, indexes its table of UDP ports to map back past
    /// the end for a port that is lower inside. slirp4netns takes an answer to the host's own
    /// loopback address, which it shows as its gateway's, for a packet to that device.
    pub(crate) fn lack(&self, port: &Published) -> Option<&'static str> {
        match self {
            _ if port.protocol != Protocol::Udp => None,
            Program::Pasta(path) if port.host_port > port.port && pasta::year(path) < 2024 => Some(
                "this version of pasta loses answers of a UDP port that is lower in the container \
                 than on the host; publish the same number",
            ),
            Program::Pasta(_) => None,
            Program::Slirp(_) => Some(
                "slirp4netns answers datagrams of other machines only, not of this one's loopback \
                 address; pasta (package passt) does",
            ),
        }
    }

    /// Which of a container's ports are better led there by hand: streams that clients on the
    /// host may reach at its loopback device.
    ///
    /// A pasta of 2023 splices these, and now and then waits for ever with the last of much data
    /// in its pipe (seen with 2 of 100 transfers of 48 MiB into a container). With those of 2025
    /// and 2026 that was not seen in 400.
    pub(crate) fn left_out(&self, ports: &[Published]) -> Vec<Published> {
        let is_local = |port: &&Published| {
            let host = port.host;
            port.protocol == Protocol::Tcp && (host.is_loopback() || host.is_unspecified())
        };
        let streams: Vec<Published> = ports.iter().filter(is_local).cloned().collect();
        match self {
            Program::Pasta(path) if !streams.is_empty() && pasta::year(path) < 2025 => streams,
            _ => Vec::new(),
        }
    }

    /// The address at which the container finds a resolver that asks the host's.
    pub(crate) fn resolver(&self) -> &'static str {
        match self {
            Program::Pasta(_) => pasta::RESOLVER,
            Program::Slirp(_) => slirp::RESOLVER,
        }
    }

    /// The address at which the container finds the host, when [`Program::host_words`] are among
    /// its options; `None` where the host has no way out of IPv4.
    pub(crate) fn host(&self) -> Option<IpAddr> {
        match self {
            // Its default route is the host's.
            Program::Pasta(_) => default_gateway().map(IpAddr::V4),
            Program::Slirp(_) => Some(slirp::HOST.into()),
        }
    }

    /// The option that lets the container reach the host.
    pub(crate) fn host_words(&self) -> &'static str {
        match self {
            Program::Pasta(_) => "--map-gw",
            Program::Slirp(_) => "--allow-host-loopback",
        }
    }

    /// The options that give the container's interface a name, where `asked` says nothing of it.
    pub(crate) fn name_words(&self, name: &str, asked: &[String]) -> Vec<String> {
        let is_name = |word: &String| word == "-I" || word.starts_with("--ns-ifname");
        match self {
            Program::Pasta(_) if !asked.iter().any(is_name) => {
                vec!["--ns-ifname".to_owned(), name.to_owned()]
            }
            _ => Vec::new(),
        }
    }

    /// Starts it and waits until the namespace is connected. It is a child of this process.
    ///
    /// # Errors
    /// What it says itself: a port in use, no device for packets, no way out of this machine.
    pub(crate) fn start(&self, wanted: &Wanted<'_>) -> Result<Child> {
        match self {
            Program::Pasta(path) => pasta::start(path, wanted),
            Program::Slirp(path) => slirp::start(path, wanted),
        }
    }
}
