//! pasta(1) of passt, versions of 2023 and later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::path::Path;

use super::program::{self, Launch};
use super::{Published, Wanted};
use crate::common::{Error, Kind, Result};
use crate::network::Protocol;
use crate::sys::namespace;
use crate::sys::process::Child;

/// Queries to this address of the container's link are asked of the host's first resolver, which
/// may be on the host's loopback device.
pub(super) const RESOLVER: &str = "169.254.1.1";

/// Starts pasta in the foreground. It writes its process number once the namespace is connected:
/// with a pipe for a file that is the word that it is ready.
pub(super) fn start(path: &Path, wanted: &Wanted<'_>) -> Result<Child> {
    let clone = |what| move |error| Error::io("hold", what, error);
    let netns = wanted.namespace.try_clone_to_owned();
    let netns = netns.map_err(clone("network namespace"))?;
    let userns = namespace::owner(&netns)
        .map_err(|errno| Error::errno("open user namespace of", "network", errno))?;
    let (heard, ready) = program::pipe()?;
    let at = |number: i32| format!("/proc/self/fd/{number}");
    let mut words: Vec<String> = ["pasta", "-f", "-q", "--config-net"]
        .map(str::to_owned)
        .into();
    words.extend(["-P".to_owned(), at(ready.as_raw_fd())]);
    words.extend(["--netns".to_owned(), at(netns.as_raw_fd())]);
    words.push("--netns-only".to_owned());
    // As this machine's root it would become nobody, who may not enter the namespace.
    if nix::unistd::geteuid().is_root()
        && namespace::is_own("user", &userns)
            .map_err(|errno| Error::errno("look at user namespace of", "network", errno))?
    {
        words.extend(["--runas".to_owned(), "0:0".to_owned()]);
    }
    // With it answers of the host's resolver seem to come from here, whoever was asked.
    if wanted.names {
        words.extend(["--dns-forward".to_owned(), RESOLVER.to_owned()]);
    }
    words.extend(words_of(wanted)?);
    program::launch(Launch {
        path,
        words,
        userns: &userns,
        kept: vec![&netns],
        ready,
        heard,
    })
}

/// What a user may say otherwise, and ports.
fn words_of(wanted: &Wanted<'_>) -> Result<Vec<String>> {
    let asked = |names: &[&str]| {
        wanted
            .options
            .iter()
            .any(|word| names.contains(&word.as_str()))
    };
    let mut words = Vec::new();
    // The host's loopback device is its own, unless somebody asks for it.
    if !asked(&["--map-gw"]) && !asked(&["--no-map-gw"]) {
        words.push("--no-map-gw".to_owned());
    }
    for (flag, name) in [("-T", "--tcp-ns"), ("-U", "--udp-ns")] {
        if !asked(&[flag, name]) {
            words.extend([flag.to_owned(), "none".to_owned()]);
        }
    }
    let own = wanted.options.iter().filter(|word| *word != "--map-gw");
    words.extend(own.cloned());
    for (flag, name, protocol) in [
        ("-t", "--tcp-ports", Protocol::Tcp),
        ("-u", "--udp-ports", Protocol::Udp),
    ] {
        let ports = wanted
            .published
            .iter()
            .filter(|port| port.protocol == protocol);
        let specs: Vec<String> = ports
            .filter(|port| !covered(port, wanted.published))
            .map(spec)
            .collect();
        if specs.is_empty() && !asked(&[flag, name]) {
            words.extend([flag.to_owned(), "none".to_owned()]);
        }
        for spec in specs {
            words.extend([flag.to_owned(), spec]);
        }
    }
    if wanted
        .published
        .iter()
        .any(|port| port.protocol == Protocol::Sctp)
    {
        return Err(Error::new(Kind::Unsupported, "publish port", "sctp")
            .because("pasta carries TCP and UDP only"));
    }
    Ok(words)
}

/// Whether another entry, for every address of both families, stands for this one too.
fn covered(port: &Published, all: &[Published]) -> bool {
    let every = Published {
        host: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ..*port
    };
    port.host == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && all.contains(&every)
}

fn spec(port: &Published) -> String {
    let ports = format!("{}:{}", port.host_port, port.port);
    match port.host {
        // Every address of both families.
        IpAddr::V6(ip) if ip.is_unspecified() => ports,
        host => format!("{host}/{ports}"),
    }
}

/// The year it is of, by what it says itself (`pasta 2024_06_24.1ee2eca`); 0 where it does not say,
/// as those of 2023 do.
pub(super) fn year(path: &Path) -> u32 {
    let output = std::process::Command::new(path).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.map_or(0, |text| year_in(&text))
}

fn year_in(text: &str) -> u32 {
    let version = text.split_ascii_whitespace().nth(1).unwrap_or_default();
    // Debian's are `0.0~git20240624.1ee2eca-1`.
    let version = version.rsplit("git").next().unwrap_or_default();
    let year = version.get(..4).and_then(|year| year.parse().ok());
    year.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_its_year() {
        assert_eq!(
            year_in("pasta 2024_06_24.1ee2eca\nCopyright Red Hat\n"),
            2024
        );
        assert_eq!(year_in("pasta 0.0~git20250415.2340bbf-1\n"), 2025);
        assert_eq!(year_in("pasta 0.0~git20230309.7c7625d-1\n"), 2023);
        assert_eq!(year_in("pasta unknown version\n"), 0);
        assert_eq!(year_in(""), 0);
    }
}
