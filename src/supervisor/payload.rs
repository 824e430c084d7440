//! The supervisor's ends of a payload's streams: pipes, or its terminal.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::protocol::CHUNK;
use crate::common::{Error, Result};
use crate::logs::Stream;
use crate::runtime::Streams;
use crate::sys::tty::{self, WindowSize};

/// Both ends of the pipes, until the payload has its own.
#[derive(Debug)]
pub(super) struct Pipes {
    theirs: [Option<OwnedFd>; 3],
    ours: Ends,
}

/// Our ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// What the payload reads from, when standard input stays open.
    input: Option<OwnedFd>,
    /// Standard output and standard error; the terminal is the first.
    outputs: [Option<OwnedFd>; 2],
    /// The first output is a terminal, and the input as well.
    terminal: bool,
    /// Typed and not yet taken.
    pending: Vec<u8>,
    /// Nothing more will be typed.
    ending: bool,
}

/// What one read of an output gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing at the moment.
    Nothing,
    /// Everybody who could write is gone.
    End,
}

impl Pipes {
    /// Makes the pipes of a payload without a terminal.
    pub(super) fn new(interactive: bool) -> Result<Pipes> {
        let failed = |errno| Error::errno("make pipe", "", errno);
        let pipe = || nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(failed);
        let (out, out_theirs) = pipe()?;
        let (err, err_theirs) = pipe()?;
        let (mut input, mut input_theirs) = (None, None);
        if interactive {
            let (theirs, ours) = pipe()?;
            (input, input_theirs) = (Some(ours), Some(theirs));
        }
        // Our ends alone: the payload's stay as a program expects them.
        for ours in [Some(&out), Some(&err), input.as_ref()]
            .into_iter()
            .flatten()
        {
            fcntl(ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(failed)?;
        }
        Ok(Pipes {
            theirs: [input_theirs, Some(out_theirs), Some(err_theirs)],
            ours: Ends {
                input,
                outputs: [Some(out), Some(err)],
                ..Ends::default()
            },
        })
    }

    /// The payload's ends.
    pub(super) fn streams(&self) -> Streams<'_> {
        let [input, out, err] = &self.theirs;
        [
            input.as_ref().map(AsFd::as_fd),
            out.as_ref().map(AsFd::as_fd),
            err.as_ref().map(AsFd::as_fd),
        ]
    }

    /// Our ends, once the payload runs.
    pub(super) fn into_ends(self) -> Ends {
        self.ours
    }
}

impl Ends {
    /// From descriptors.
    pub(super) fn new(
        outputs: [Option<OwnedFd>; 2],
        input: Option<OwnedFd>,
        terminal: bool,
    ) -> Ends {
        Ends {
            input,
            outputs,
            terminal,
            ..Ends::default()
        }
    }

    /// What [`new`](Ends::new) takes.
    pub(super) fn descriptors(&self) -> ([Option<&OwnedFd>; 2], Option<&OwnedFd>) {
        let [first, second] = &self.outputs;
        ([first.as_ref(), second.as_ref()], self.input.as_ref())
    }

    /// An output to wait for.
    pub(super) fn output(&self, stream: Stream) -> Option<BorrowedFd<'_>> {
        self.outputs[stream as usize].as_ref().map(AsFd::as_fd)
    }

    /// Reads an output into `buffer`; at its end it is closed.
    pub(super) fn read(&mut self, stream: Stream, buffer: &mut [u8]) -> Read {
        let Some(output) = &self.outputs[stream as usize] else {
            return Read::End;
        };
        match nix::unistd::read(output, buffer) {
            Ok(count) if count > 0 => Read::Bytes(count),
            Err(Errno::EAGAIN | Errno::EINTR) => Read::Nothing,
            // EIO: nobody has the terminal's other side open.
            _ => {
                self.outputs[stream as usize] = None;
                Read::End
            }
        }
    }

    fn sink(&self) -> Option<&OwnedFd> {
        match self.terminal {
            true => self.outputs[0].as_ref(),
            false => self.input.as_ref(),
        }
    }

    /// Where typed bytes go, while some wait for room.
    pub(super) fn behind(&self) -> Option<BorrowedFd<'_>> {
        self.sink()
            .filter(|_| !self.pending.is_empty())
            .map(AsFd::as_fd)
    }

    /// Whether more may be typed.
    pub(super) fn takes_input(&self) -> bool {
        self.pending.len() < CHUNK
    }

    /// Gives the payload what was typed, now or when it reads.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.sink().is_some() {
            self.pending.extend_from_slice(bytes);
            self.flush();
        }
    }

    /// Writes what waits, as far as there is room.
    pub(super) fn flush(&mut self) {
        while !self.pending.is_empty() {
            let Some(sink) = self.sink() else {
                self.pending.clear();
                return;
            };
            match nix::unistd::write(sink, &self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                // The payload has closed its input.
                Err(_) => {
                    self.pending.clear();
                    self.input = None;
                }
            }
        }
        self.pending = Vec::new();
        if self.ending {
            self.input = None;
        }
    }

    /// Nothing more will be typed: a pipe is closed once it is empty. A terminal stays.
    pub(super) fn end_input(&mut self) {
        if !self.terminal {
            self.ending = true;
            self.flush();
        }
    }

    /// Sets the terminal's size.
    pub(super) fn resize(&self, size: WindowSize) {
        if let Some(console) = self.outputs[0].as_ref().filter(|_| self.terminal) {
            tty::set_window_size(console.as_fd(), size);
        }
    }
}
