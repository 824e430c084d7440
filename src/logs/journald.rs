//! The systemd journal's own protocol: one datagram of `FIELD=value` lines per entry
//! (systemd, "Native Journal Protocol").

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use super::Stream;
use crate::common::{Error, Kind, Result};

const SOCKET: &str = "/run/systemd/journal/socket";

/// How long a journal that does not keep up may hold the payload's output back per entry.
const PATIENCE: Duration = Duration::from_millis(100);

/// A way to the journal.
#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
    /// The fields of every entry, as they are sent.
    fields: Vec<u8>,
    dropped: u64,
}

impl Journal {
    /// Finds the journal.
    ///
    /// # Errors
    /// `Unsupported` when this machine has none that can be reached.
    pub(super) fn open(fields: &BTreeMap<String, String>) -> Result<Journal> {
        Journal::open_at(Path::new(SOCKET), fields)
    }

    pub(super) fn open_at(path: &Path, fields: &BTreeMap<String, String>) -> Result<Journal> {
        let missing = |error: std::io::Error| {
            Error::io("reach the systemd journal at", path, error)
                .with_kind(Kind::Unsupported)
                .hint("use --log-driver json-file")
        };
        let socket = UnixDatagram::unbound().map_err(missing)?;
        socket.connect(path).map_err(missing)?;
        socket.set_write_timeout(Some(PATIENCE)).map_err(missing)?;
        let mut text = Vec::new();
        for (name, value) in fields {
            field(&mut text, name, value.as_bytes());
        }
        Ok(Journal {
            socket,
            fields: text,
            dropped: 0,
        })
    }

    pub(super) fn send(&mut self, stream: Stream, text: &[u8], full: bool) {
        let priority: &[u8] = match stream {
            // docker: informational and error.
            Stream::Stdout => b"6",
            Stream::Stderr => b"3",
        };
        let mut message = Vec::with_capacity(self.fields.len() + text.len() + 64);
        message.extend_from_slice(&self.fields);
        field(&mut message, "PRIORITY", priority);
        if !full {
            field(&mut message, "CONTAINER_PARTIAL_MESSAGE", b"true");
        }
        field(&mut message, "MESSAGE", text);
        if self.socket.send(&message).is_err() {
            // A restarted journal has a new socket under the old name.
            let again = self
                .socket
                .connect(SOCKET)
                .and_then(|()| self.socket.send(&message));
            self.dropped += u64::from(again.is_err());
        }
    }

    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// A field; one whose value has newlines carries its length.
fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        out.push(b'\n');
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        out.push(b'=');
    }
    out.extend_from_slice(value);
    out.push(b'\n');
}
