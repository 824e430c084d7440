//! `port`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::container::{ListRequest, list, ports};
use crate::spec::config::Port as Published;

/// List port mappings or a specific mapping for the container
#[derive(clap::Parser, Debug)]
pub(crate) struct Port {
    /// Show the ports of all running containers
    #[arg(short, long)]
    all: bool,

    /// Act on the latest container
    #[arg(short, long)]
    latest: bool,

    /// A container by name or ID, and a port of it
    #[arg(value_name = "CONTAINER [PRIVATE_PORT[/PROTO]]", num_args = 0..=2)]
    words: Vec<String>,
}

impl Execute for Port {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if self.all {
            if self.latest || !self.words.is_empty() {
                return Err(Error::usage("port --all", "", "name no container with it").into());
            }
            for row in list(&engine, ListRequest::default())? {
                let (id, found) = ports(&engine, row.id.as_str())?;
                let found = shown(session.personality, found);
                let lines = found.iter().map(|port| format!("{id}\t{}\n", line(port)));
                session.data(&lines.collect::<String>())?;
            }
            return Ok(ExitStatus::Code(0));
        }
        let mut words = self.words.into_iter();
        let name = match self.latest {
            true => latest(&engine)?,
            false => words
                .next()
                .ok_or_else(|| Error::usage("port", "", "name a container"))?,
        };
        let wanted = words.next().map(|text| private(&text)).transpose()?;
        if let Some(word) = words.next() {
            return Err(Error::usage("port", word, "one port at a time").into());
        }
        let (_, found) = ports(&engine, &name)?;
        let found = shown(session.personality, found);
        session.data(&match &wanted {
            None => found.iter().map(|port| line(port) + "\n").collect(),
            Some(wanted) => one(session.personality, &name, wanted, &found)?,
        })?;
        Ok(ExitStatus::Code(0))
    }
}

/// podman shows a port of every address once, docker once for each family.
pub(super) fn shown(personality: Personality, ports: Vec<Published>) -> Vec<Published> {
    if personality == Personality::Docker {
        return ports;
    }
    let is_again = |port: &Published| {
        let first = Published {
            host_ip: "0.0.0.0".to_owned(),
            ..port.clone()
        };
        port.host_ip == "::" && ports.contains(&first)
    };
    let kept = ports.iter().filter(|port| !is_again(port));
    kept.cloned().collect()
}

/// A port of the container.
#[derive(Debug, PartialEq, Eq)]
struct Private {
    port: u16,
    protocol: String,
}

fn private(text: &str) -> Result<Private, Error> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    match port.parse() {
        Ok(port) if ["tcp", "udp", "sctp"].contains(&protocol.as_str()) => {
            Ok(Private { port, protocol })
        }
        _ => Err(parse::bad(
            "port",
            text,
            "use a number, perhaps with /tcp or /udp",
        )),
    }
}

/// docker: only the addresses of the one port.
fn one(
    personality: Personality,
    name: &str,
    wanted: &Private,
    found: &[Published],
) -> Result<String, Error> {
    let Private { port, protocol } = wanted;
    let fits =
        |published: &&Published| published.container == *port && published.protocol == *protocol;
    let lines: String = found
        .iter()
        .filter(fits)
        .map(|port| address(port) + "\n")
        .collect();
    if !lines.is_empty() {
        return Ok(lines);
    }
    // The words that scripts look for.
    Err(match personality {
        Personality::Docker => Error::new(
            Kind::NotFound,
            format!("Error: No public port '{port}/{protocol}' published for {name}"),
            "",
        ),
        Personality::Podman => Error::new(
            Kind::NotFound,
            format!("failed to find published port \"{port}/{protocol}\""),
            "",
        ),
    })
}

fn line(port: &Published) -> String {
    let (number, protocol) = (port.container, &port.protocol);
    format!("{number}/{protocol} -> {}", address(port))
}

/// Go's `net.JoinHostPort`.
fn address(port: &Published) -> String {
    match port.host_ip.contains(':') {
        true => format!("[{}]:{}", port.host_ip, port.host),
        false => format!("{}:{}", port.host_ip, port.host),
    }
}

fn latest(engine: &Engine<'_>) -> anyhow::Result<String> {
    let request = ListRequest {
        all: true,
        size: false,
    };
    match list(engine, request)?.first() {
        Some(row) => Ok(row.id.to_string()),
        None => Err(Error::usage("port --latest", "", "there is no container").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_shown_as_docker_does() {
        let port = |container, host_ip: &str, host| Published {
            container,
            protocol: "tcp".to_owned(),
            host_ip: host_ip.to_owned(),
            host,
            last: None,
        };
        let found = [
            port(80, "0.0.0.0", 8080),
            port(80, "::", 8080),
            port(443, "127.0.0.1", 1),
        ];
        assert_eq!(line(&found[0]), "80/tcp -> 0.0.0.0:8080");
        assert_eq!(line(&found[1]), "80/tcp -> [::]:8080");
        assert_eq!(shown(Personality::Docker, found.to_vec()), found);
        let podmans = shown(Personality::Podman, found.to_vec());
        assert_eq!(podmans, [found[0].clone(), found[2].clone()]);
        let ask = |text| one(Personality::Docker, "web", &private(text).unwrap(), &found);
        assert_eq!(ask("80").unwrap(), "0.0.0.0:8080\n[::]:8080\n");
        assert_eq!(ask("443/TCP").unwrap(), "127.0.0.1:1\n");
        assert_eq!(
            ask("80/udp").unwrap_err().to_string(),
            "Error: No public port '80/udp' published for web"
        );
        for bad in ["", "x", "80/x", "70000", "-1"] {
            assert!(private(bad).is_err(), "{bad}");
        }
    }
}
