//! The network group.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::network::Attachment;

/// Network of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    /// `--network`.
    pub(crate) mode: NetworkMode,
    /// The networks of [`NetworkMode::Named`], the first with the ports and the way out, and those
    /// that a [`NetworkMode::Private`] has come to. With another mode at most one, of no name:
    /// wishes (`--mac-address`) for what the mode comes to.
    pub(crate) attachments: Vec<Attachment>,
    /// The program that is to connect a private network, when one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) helper: Option<Helper>,
    /// `--add-host`: name and address, or `host-gateway`.
    pub(crate) extra_hosts: Vec<(String, String)>,
    /// `--no-hosts`: the image's `/etc/hosts` stays.
    pub(crate) no_hosts: bool,
    /// `--hosts-file`: what `/etc/hosts` begins with; the host's where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hosts_file: Option<HostsFile>,
    /// `--dns`; the one word `none` leaves the image's `/etc/resolv.conf`.
    pub(crate) dns: Vec<String>,
    /// `--dns-search`; the one word `.` means none.
    pub(crate) dns_search: Vec<String>,
    /// `--dns-option`.
    pub(crate) dns_options: Vec<String>,
    /// `-p`, as they were asked for: the host's port is 0 where any one will do.
    pub(crate) ports: Vec<Port>,
    /// `-P`: every exposed port is published at a port of the host that is free.
    pub(crate) publish_all: bool,
    /// `--expose`.
    pub(crate) exposed: Vec<ExposedPort>,
}

impl Network {
    /// The networks with names that the container is on.
    pub(crate) fn named(&self) -> impl Iterator<Item = &Attachment> {
        let may = matches!(self.mode, NetworkMode::Named | NetworkMode::Private);
        let all = self.attachments.iter();
        all.filter(move |attachment| may && !attachment.network.is_empty())
    }

    /// Whether it is on a network with a name.
    pub(crate) fn is_on_named(&self) -> bool {
        self.mode == NetworkMode::Named || self.named().next().is_some()
    }

    /// Whether a name of `--add-host` is to lead to the host.
    pub(crate) fn wants_host(&self) -> bool {
        self.extra_hosts.iter().any(|(_, ip)| ip == HOST_GATEWAY)
    }
}

/// docker's word for the address at which a container finds its host.
pub(crate) const HOST_GATEWAY: &str = "host-gateway";

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Port {
    /// Port in the container.
    pub(crate) container: u16,
    /// `tcp`, `udp` or `sctp`.
    pub(crate) protocol: String,
    /// Address on the host; `0.0.0.0` or `::` for every one, empty where none was asked for.
    pub(crate) host_ip: String,
    /// Port on the host; 0 where any free one will do.
    pub(crate) host: u16,
    /// The last of the ports from `host` on of which any free one will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<u16>,
}

impl Port {
    /// Whether its number on the host is settled by the start alone.
    pub(crate) fn is_open(&self) -> bool {
        self.host == 0 || self.last.is_some()
    }

    /// The host's side in docker's words: `8080`, `8000-8010`.
    pub(crate) fn host_words(&self) -> String {
        match self.last {
            Some(last) => format!("{}-{last}", self.host),
            None => self.host.to_string(),
        }
    }
}

/// A port that the payload listens on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ExposedPort {
    /// Port in the container.
    pub(crate) container: u16,
    /// `tcp`, `udp` or `sctp`.
    pub(crate) protocol: String,
}

/// A program that connects a private network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Helper {
    /// `pasta` or `slirp4netns`.
    pub(crate) program: String,
    /// What was asked of it, in its own words.
    #[serde(default)]
    pub(crate) options: Vec<String>,
}

/// podman's `--hosts-file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HostsFile {
    /// Nothing but the container's own lines.
    None,
    /// The image's file.
    Image,
    /// A file of the host.
    Path(PathBuf),
}

/// Which network namespace a container gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NetworkMode {
    /// Nothing was asked: the best the machine offers.
    #[default]
    Default,
    /// A namespace with only a loopback device.
    None,
    /// The caller's.
    Host,
    /// One of its own with a way out was asked for.
    Private,
    /// Another container's, by the name or id that was given.
    Container(String),
    /// The one that this file is (`/proc/PID/ns/net`, `/run/netns/NAME`).
    Namespace(PathBuf),
    /// One of its own on [`Network::attachments`].
    Named,
}

impl NetworkMode {
    /// Whether the namespace is somebody else's, who has set it up.
    pub(crate) fn is_joined(&self) -> bool {
        matches!(
            self,
            NetworkMode::Host | NetworkMode::Container(_) | NetworkMode::Namespace(_)
        )
    }

    /// Whether the container has a network namespace of its own.
    pub(crate) fn is_own(&self) -> bool {
        !self.is_joined() && *self != NetworkMode::Default
    }
}
