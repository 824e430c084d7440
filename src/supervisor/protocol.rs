//! What passes between a supervisor and its clients: one message a packet, its kind in the first
//! byte.

use serde::{Deserialize, Serialize};

use crate::common::{Carried, Error, ExitStatus};
use crate::engine::container::RunFailure;
use crate::logs::Stream;
use crate::sys::tty::WindowSize;

/// Bytes of a payload's stream in one message.
pub(super) const CHUNK: usize = 16 * 1024;

/// Largest message.
pub(super) const MAX_MESSAGE: usize = CHUNK + 1;

/// The streams a client takes part in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// It types.
    pub(crate) stdin: bool,
    /// It reads standard output, or the terminal.
    pub(crate) stdout: bool,
    /// It reads standard error.
    pub(crate) stderr: bool,
}

impl Wanted {
    fn after(self, tag: u8) -> Vec<u8> {
        let streams = [self.stdin, self.stdout, self.stderr];
        [tag].into_iter().chain(streams.map(u8::from)).collect()
    }

    fn read(bytes: &[u8]) -> Option<Wanted> {
        let [stdin, stdout, stderr] = *bytes else {
            return None;
        };
        Some(Wanted {
            stdin: stdin != 0,
            stdout: stdout != 0,
            stderr: stderr != 0,
        })
    }
}

/// Client to supervisor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ToSupervisor<'a> {
    /// The first message of a client that came by name.
    Attach(Wanted),
    /// The same of one that starts an initialized container. `Ready` or `Failed` answers.
    Start(Wanted),
    /// Typed.
    Input(&'a [u8]),
    /// Nothing more is typed.
    EndInput,
    /// The client's terminal has this size.
    Resize(WindowSize),
    /// For the payload.
    Signal(i32),
    /// The client goes; the container lives on whoever the client is.
    Detach,
    /// The container's health check was changed.
    CheckAnew,
    /// The container has come to another network.
    ServeAnew,
}

/// Supervisor to client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FromSupervisor<'a> {
    /// The payload runs, or the client is attached.
    Ready,
    /// The payload could not be started: [`Failure`] as JSON.
    Failed(&'a [u8]),
    /// The payload wrote.
    Output(Stream, &'a [u8]),
    /// The payload ended. Nothing follows.
    Exit(ExitStatus),
    /// The client did not read for so long that it was let go of.
    Lagged,
}

impl<'a> ToSupervisor<'a> {
    /// The packet's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            ToSupervisor::Attach(wanted) => wanted.after(b'a'),
            ToSupervisor::Start(wanted) => wanted.after(b'g'),
            ToSupervisor::Input(bytes) => tagged(b'i', bytes),
            ToSupervisor::EndInput => vec![b'e'],
            ToSupervisor::Resize(size) => {
                let [a, b] = size.rows.to_le_bytes();
                let [c, d] = size.columns.to_le_bytes();
                vec![b'w', a, b, c, d]
            }
            ToSupervisor::Signal(number) => vec![b's', *number as u8],
            ToSupervisor::Detach => vec![b'd'],
            ToSupervisor::CheckAnew => vec![b'h'],
            ToSupervisor::ServeAnew => vec![b'n'],
        }
    }

    /// Reads a packet; `None` for one of another version.
    pub(super) fn decode(packet: &'a [u8]) -> Option<ToSupervisor<'a>> {
        Some(match packet {
            [b'a', wanted @ ..] => ToSupervisor::Attach(Wanted::read(wanted)?),
            [b'g', wanted @ ..] => ToSupervisor::Start(Wanted::read(wanted)?),
            [b'i', bytes @ ..] => ToSupervisor::Input(bytes),
            [b'e'] => ToSupervisor::EndInput,
            [b'w', a, b, c, d] => ToSupervisor::Resize(WindowSize {
                rows: u16::from_le_bytes([*a, *b]),
                columns: u16::from_le_bytes([*c, *d]),
            }),
            [b's', number] => ToSupervisor::Signal(i32::from(*number)),
            [b'd'] => ToSupervisor::Detach,
            [b'h'] => ToSupervisor::CheckAnew,
            [b'n'] => ToSupervisor::ServeAnew,
            _ => return None,
        })
    }
}

impl<'a> FromSupervisor<'a> {
    /// The packet's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            FromSupervisor::Ready => vec![b'r'],
            FromSupervisor::Failed(text) => tagged(b'f', text),
            FromSupervisor::Output(Stream::Stdout, bytes) => tagged(b'1', bytes),
            FromSupervisor::Output(Stream::Stderr, bytes) => tagged(b'2', bytes),
            FromSupervisor::Exit(ExitStatus::Code(code)) => vec![b'x', *code],
            FromSupervisor::Exit(ExitStatus::Signal(number)) => vec![b'k', *number],
            FromSupervisor::Lagged => vec![b'l'],
        }
    }

    /// Reads a packet; `None` for one of another version.
    pub(super) fn decode(packet: &'a [u8]) -> Option<FromSupervisor<'a>> {
        Some(match packet {
            [b'r'] => FromSupervisor::Ready,
            [b'f', text @ ..] => FromSupervisor::Failed(text),
            [b'1', bytes @ ..] => FromSupervisor::Output(Stream::Stdout, bytes),
            [b'2', bytes @ ..] => FromSupervisor::Output(Stream::Stderr, bytes),
            [b'x', code] => FromSupervisor::Exit(ExitStatus::Code(*code)),
            [b'k', number] => FromSupervisor::Exit(ExitStatus::Signal(*number)),
            [b'l'] => FromSupervisor::Lagged,
            _ => return None,
        })
    }
}

fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(bytes.len() + 1);
    packet.push(tag);
    packet.extend_from_slice(bytes);
    packet
}

/// A failed start on its way to the caller.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    /// docker's code, where the payload itself was the reason.
    status: Option<ExitStatus>,
    error: Carried,
}

impl Failure {
    /// Takes an error apart.
    pub(super) fn of(error: &anyhow::Error) -> Failure {
        let run = error.downcast_ref::<RunFailure>();
        let typed = run
            .map(|run| &run.error)
            .or_else(|| error.chain().find_map(|link| link.downcast_ref::<Error>()));
        let top = error.chain().next();
        let whole = top.is_some_and(|top| top.is::<RunFailure>() || top.is::<Error>());
        let mut carried = Carried::of(typed, whole, format!("{error:#}"));
        // One packet has to hold it.
        carried.shorten(CHUNK / 8);
        Failure {
            status: run.map(|run| run.status),
            error: carried,
        }
    }

    /// The error again, on the caller's side.
    pub(super) fn into_error(self) -> anyhow::Error {
        let error = self.error.into_error();
        match self.status {
            Some(status) => RunFailure { status, error }.into(),
            None => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Kind;

    #[test]
    fn every_message_survives_its_way() {
        let wanted = Wanted {
            stdin: true,
            stdout: false,
            stderr: true,
        };
        let size = WindowSize {
            rows: 300,
            columns: 7,
        };
        for message in [
            ToSupervisor::Attach(wanted),
            ToSupervisor::Start(wanted),
            ToSupervisor::Input(b"x\0y"),
            ToSupervisor::Input(b""),
            ToSupervisor::EndInput,
            ToSupervisor::Resize(size),
            ToSupervisor::Signal(15),
            ToSupervisor::Detach,
            ToSupervisor::CheckAnew,
            ToSupervisor::ServeAnew,
        ] {
            assert_eq!(ToSupervisor::decode(&message.encode()), Some(message));
        }
        for message in [
            FromSupervisor::Ready,
            FromSupervisor::Failed(b"{}"),
            FromSupervisor::Output(Stream::Stdout, b"out"),
            FromSupervisor::Output(Stream::Stderr, b""),
            FromSupervisor::Exit(ExitStatus::Code(3)),
            FromSupervisor::Exit(ExitStatus::Signal(9)),
            FromSupervisor::Lagged,
        ] {
            assert_eq!(FromSupervisor::decode(&message.encode()), Some(message));
        }
        for packet in [&b""[..], b"?", b"w12", b"x", b"s", b"a12", b"g1234"] {
            assert_eq!(ToSupervisor::decode(packet), None, "{packet:?}");
        }
    }

    #[test]
    fn a_failure_keeps_its_code_and_its_advice() {
        let error = Error::new(Kind::NotFound, "exec", "nope").hint("look at $PATH");
        let run = RunFailure {
            status: ExitStatus::NOT_FOUND,
            error,
        };
        let back = Failure::of(&run.into()).into_error();
        let run = back.downcast_ref::<RunFailure>().unwrap();
        assert_eq!(run.status, ExitStatus::NOT_FOUND);
        assert_eq!(run.error.advice(), Some("look at $PATH"));
        let plain = Failure::of(&anyhow::anyhow!("x".repeat(CHUNK))).into_error();
        assert!(plain.downcast_ref::<RunFailure>().is_none());
    }
}
