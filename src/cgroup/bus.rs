//! A client's end of a D-Bus connection, just enough to call systemd: rustbus makes and reads
//! the messages, the socket is ours so that every wait has a deadline and the descriptor is
//! closed on exec.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustbus::MessageType;
use rustbus::message_builder::MarshalledMessage;
use rustbus::wire::marshal::marshal;
use rustbus::wire::unmarshal::{
    unmarshal_dynamic_header, unmarshal_header, unmarshal_next_message,
};

use crate::common::{Error, Kind, Result};

/// systemd's answers to what is asked here are a few hundred bytes.
const MAX_MESSAGE: usize = 1 << 20;
/// Length of the fixed part of a message.
const FIXED: usize = 16;

/// A connection that has said hello.
pub(super) struct Bus {
    stream: UnixStream,
    deadline: Instant,
    serial: u32,
    signals: Vec<MarshalledMessage>,
}

impl Bus {
    /// Connects to the bus at `socket`; everything done with it must end before `deadline`.
    pub(super) fn connect(socket: &Path, deadline: Instant) -> Result<Bus> {
        let stream =
            UnixStream::connect(socket).map_err(|e| Error::io("connect to bus", socket, e))?;
        let mut bus = Bus {
            stream,
            deadline,
            serial: 0,
            signals: Vec::new(),
        };
        bus.authenticate()?;
        bus.call(&rustbus::standard_messages::hello())?;
        Ok(bus)
    }

    /// Sends a call and returns its reply; an error reply is an error.
    pub(super) fn call(&mut self, message: &MarshalledMessage) -> Result<MarshalledMessage> {
        let serial = self.send(message)?;
        loop {
            let message = self.receive()?;
            match message.typ {
                MessageType::Reply if message.dynheader.response_serial == Some(serial) => {
                    return Ok(message);
                }
                MessageType::Error if message.dynheader.response_serial == Some(serial) => {
                    return Err(refused(&message));
                }
                MessageType::Signal => self.signals.push(message),
                _ => {}
            }
        }
    }

    /// Waits for the next signal, those that came during calls first.
    pub(super) fn signal(&mut self) -> Result<MarshalledMessage> {
        loop {
            if !self.signals.is_empty() {
                return Ok(self.signals.remove(0));
            }
            let message = self.receive()?;
            if message.typ == MessageType::Signal {
                self.signals.push(message);
            }
        }
    }

    fn authenticate(&mut self) -> Result<()> {
        let uid = nix::unistd::geteuid().to_string();
        let hex: String = uid.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.write(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0u8];
            self.read(&mut byte)?;
            line.extend_from_slice(&byte);
            if line.len() > 512 {
                return Err(broken("a line of the greeting is too long"));
            }
        }
        if !line.starts_with(b"OK ") {
            let error = Error::new(Kind::Denied, "log in to bus", "");
            return Err(error.because("the bus refused this user"));
        }
        self.write(b"BEGIN\r\n")
    }

    fn send(&mut self, message: &MarshalledMessage) -> Result<u32> {
        self.serial += 1;
        let mut bytes = Vec::new();
        marshal(message, self.serial, &mut bytes)
            .map_err(|e| Error::new(Kind::Bug, "write bus message", "").because(e.to_string()))?;
        bytes.extend_from_slice(message.get_buf());
        self.write(&bytes)?;
        Ok(self.serial)
    }

    fn receive(&mut self) -> Result<MarshalledMessage> {
        let mut bytes = vec![0u8; FIXED];
        self.read(&mut bytes)?;
        let length = length(&bytes).ok_or_else(|| broken("a message has a bad length"))?;
        bytes.resize(length, 0);
        let mut rest = bytes.split_off(FIXED);
        self.read(&mut rest)?;
        bytes.append(&mut rest);
        parse(&bytes).ok_or_else(|| broken("a message cannot be read"))
    }

    fn time_left(&self) -> Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(Kind::System, "wait for bus", "").because("no answer in time"));
        }
        Ok(left)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let left = self.time_left()?;
        self.stream
            .set_write_timeout(Some(left))
            .and_then(|()| self.stream.write_all(bytes))
            .map_err(|e| Error::new(Kind::System, "write to bus", "").because(e))
    }

    fn read(&mut self, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            let left = self.time_left()?;
            let result = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(bytes));
            match result {
                Ok(0) => return Err(broken("the bus closed the connection")),
                Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(Error::new(Kind::System, "read from bus", "").because(e)),
            }
        }
        Ok(())
    }
}

/// Length in bytes of the whole message from its fixed part: header fields padded to 8, then the body.
pub(super) fn length(fixed: &[u8]) -> Option<usize> {
    let word = |at: usize| -> Option<usize> {
        let bytes: [u8; 4] = fixed.get(at..at + 4)?.try_into().ok()?;
        let number = match fixed.first()? {
            b'l' => u32::from_le_bytes(bytes),
            b'B' => u32::from_be_bytes(bytes),
            _ => return None,
        };
        usize::try_from(number).ok().filter(|n| *n <= MAX_MESSAGE)
    };
    Some(FIXED + word(12)?.next_multiple_of(8) + word(4)?)
}

/// Reads one whole message; `None` when it is malformed.
pub(super) fn parse(bytes: &[u8]) -> Option<MarshalledMessage> {
    let (used, header) = unmarshal_header(bytes, 0).ok()?;
    let (fields, dynamic) = unmarshal_dynamic_header(&header, bytes, used).ok()?;
    let (_, message) = unmarshal_next_message(&header, dynamic, bytes, used + fields).ok()?;
    Some(message)
}

fn broken(why: &str) -> Error {
    Error::new(Kind::System, "talk to bus", "").because(why.to_owned())
}

fn refused(message: &MarshalledMessage) -> Error {
    let name = message.dynheader.error_name.clone().unwrap_or_default();
    let text = message.body.parser().get::<String>().unwrap_or_default();
    Error::new(Kind::Denied, "call systemd", "").because(format!("{name}: {text}"))
}
