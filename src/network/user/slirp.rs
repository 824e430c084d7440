//! slirp4netns(1), version 1.0 and later.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::program::{self, Launch};
use super::{Published, Wanted};
use crate::common::{Error, Kind, Result};
use crate::network::Protocol;
use crate::sys::process::Child;
use crate::sys::{file, namespace};

/// Where slirp4netns answers for the host's resolvers.
pub(super) const RESOLVER: &str = "10.0.2.3";
/// Where the host is, once that is allowed.
pub(super) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// Most that its API answers with.
const MOST: u64 = 64 << 10;

/// Starts slirp4netns.
pub(super) fn start(path: &Path, wanted: &Wanted<'_>) -> Result<Child> {
    let netns = wanted.namespace.try_clone_to_owned();
    let netns = netns.map_err(|error| Error::io("hold", "network namespace", error))?;
    let userns = namespace::owner(&netns)
        .map_err(|errno| Error::errno("open user namespace of", "network", errno))?;
    let (heard, ready) = program::pipe()?;
    let at = |descriptor: &OwnedFd| format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    let mut words: Vec<String> = ["slirp4netns", "--configure", "--mtu=65520"]
        .map(str::to_owned)
        .into();
    words.push(format!("--ready-fd={}", ready.as_raw_fd()));
    words.push("--netns-type=path".to_owned());
    if !wanted
        .options
        .iter()
        .any(|word| word == "--allow-host-loopback")
    {
        words.push("--disable-host-loopback".to_owned());
    }
    let own = wanted.options.iter();
    words.extend(own.filter(|word| *word != "--allow-host-loopback").cloned());
    let socket = match wanted.published {
        [] => None,
        _ => Some(Socket::new()?),
    };
    if let Some(socket) = &socket {
        words.push(format!("--api-socket={}", socket.path.display()));
    }
    words.push(at(&netns));
    words.push("tap0".to_owned());
    let child = program::launch(Launch {
        path,
        words,
        userns: &userns,
        kept: vec![&netns],
        ready,
        heard,
    })?;
    if let Some(socket) = &socket
        && let Err(error) = wanted
            .published
            .iter()
            .try_for_each(|port| socket.publish(port))
    {
        let _ = child.signal(libc::SIGKILL);
        let _ = child.wait();
        return Err(error);
    }
    Ok(child)
}

/// Its API, while ports are made.
struct Socket {
    path: PathBuf,
}

impl Socket {
    fn new() -> Result<Socket> {
        let name = file::random_name("ketch-slirp-")?;
        Ok(Socket {
            path: std::env::temp_dir().join(name),
        })
    }

    fn publish(&self, port: &Published) -> Result<()> {
        let object = format!("{}:{}", port.host, port.host_port);
        let failed = |error| Error::io("publish port", &object, error);
        let protocol = match port.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => {
                return Err(Error::new(Kind::Unsupported, "publish port", "sctp")
                    .because("slirp4netns carries TCP and UDP only"));
            }
        };
        let host = match port.host.is_unspecified() {
            true => "0.0.0.0".to_owned(),
            false => port.host.to_string(),
        };
        let request = serde_json::json!({
            "execute": "add_hostfwd",
            "arguments": {
                "proto": protocol,
                "host_addr": host,
                "host_port": port.host_port,
                "guest_port": port.port,
            },
        });
        let mut stream = UnixStream::connect(&self.path).map_err(failed)?;
        stream
            .write_all(request.to_string().as_bytes())
            .map_err(failed)?;
        stream.shutdown(Shutdown::Write).map_err(failed)?;
        let mut answer = String::new();
        stream
            .take(MOST)
            .read_to_string(&mut answer)
            .map_err(failed)?;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
        match answer.get("error") {
            None => Ok(()),
            Some(error) => {
                let why = error.get("desc").and_then(|desc| desc.as_str());
                let why = why.unwrap_or("refused").to_owned();
                Err(Error::new(Kind::Conflict, "publish port", object).because(why))
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
