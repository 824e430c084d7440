//! N's way out: a program that carries the packets of all its networks, as it does for one private
//! network. It is a child of the holder, dies with it, and is started again when it dies.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::common::{Error, Kind, Result};
use crate::host::Host;
use crate::network::user::{self, Program, Wanted};
use crate::sys::process::{Child, has_ended};

/// The first pause before a program is started again that has not run long, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// After this time a program has run long.
const LONG: Duration = Duration::from_secs(10);

/// The way out of N.
#[derive(Debug)]
pub(super) struct Uplink {
    program: Program,
    /// It runs.
    child: Option<(Child, Instant)>,
    /// When it is started again.
    due: Option<Instant>,
    pause: Duration,
}

impl Uplink {
    /// Starts it for the namespace `network`; gives what keeps it from working, for the user.
    /// None where there is no program that could.
    pub(super) fn start(host: &Host, network: BorrowedFd<'_>) -> (Option<Uplink>, Option<String>) {
        let lacking = |why: &str| {
            format!("containers of named networks cannot reach beyond their network ({why})")
        };
        let Some(program) = user::program(host.search_path().as_deref(), None) else {
            let why = "neither pasta (package passt) nor slirp4netns is installed";
            return (None, Some(lacking(why)));
        };
        let mut uplink = Uplink {
            program,
            child: None,
            due: None,
            pause: PAUSES.0,
        };
        let failed = uplink.connect(network).err();
        (
            Some(uplink),
            failed.map(|error| lacking(&error.to_string())),
        )
    }

    /// Starts the program, or notes when to try again.
    fn connect(&mut self, network: BorrowedFd<'_>) -> Result<()> {
        let wanted = Wanted {
            namespace: network,
            published: &[],
            names: false,
            options: &[],
        };
        let started = match user::lack() {
            None => self.program.start(&wanted),
            Some(why) => {
                Err(Error::new(Kind::Unsupported, "start", self.program.name()).because(why))
            }
        };
        match started {
            Ok(child) => {
                self.child = Some((child, Instant::now()));
                self.due = None;
                Ok(())
            }
            Err(error) => {
                self.put_off();
                Err(error)
            }
        }
    }

    /// The next try is later, and the one after it later still.
    fn put_off(&mut self) {
        self.due = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(PAUSES.1);
    }

    /// Becomes readable when the program has ended.
    pub(super) fn end(&self) -> Option<BorrowedFd<'_>> {
        self.child.as_ref().map(|(child, _)| child.pidfd.as_fd())
    }

    /// When the program is to be started again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Starts the program again where it has ended or could not be started, when it is time.
    pub(super) fn tend(&mut self, network: BorrowedFd<'_>) {
        if let Some((child, began)) = self.child.take() {
            if !has_ended(child.pidfd.as_fd()) {
                self.child = Some((child, began));
                return;
            }
            let _ = child.wait();
            if began.elapsed() > LONG {
                self.pause = PAUSES.0;
                self.due = None;
            } else {
                self.put_off();
            }
        }
        if self.due.is_none_or(|due| due <= Instant::now()) {
            // Who could be told is not there any more; it is tried again.
            let _ = self.connect(network);
        }
    }
}
