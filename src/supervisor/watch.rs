//! Staying with one run of the payload: its streams to the log and the clients, the clients' words
//! to it, signals, the time limit, emulated identity; until its end.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::carrier::Carriers;
use super::clients::{Bond, Client, Said};
use super::gate::{Gate, Opened};
use super::health::Health;
use super::payload::{Ends, Read};
use super::protocol::{CHUNK, Failure, FromSupervisor, MAX_MESSAGE};
use crate::cgroup::Freezer;
use crate::common::{Error, Result, Timestamp};
use crate::engine::Engine;
use crate::engine::container;
use crate::logs::{Stream, Writer};
use crate::seccomp::IdentityEmulator;
use crate::spec::config::OnUnhealthy;
use crate::store::ContainerDir;
use crate::sys::process::Child;
use crate::sys::signal::Signals;
use crate::sys::{listener, memory};

/// Most clients at once: each is a descriptor, and a stranger may hold one without a word.
const MOST_CLIENTS: usize = 128;

/// Messages read from one client before the others have their turn.
const TURN: usize = 16;

/// What outlives a single run.
pub(super) struct Surroundings {
    /// Everybody attached.
    pub(super) clients: Vec<Client>,
    /// Where clients come in.
    pub(super) listener: Option<OwnedFd>,
    /// Signals of the supervisor itself.
    pub(super) signals: Signals,
}

/// One run of the payload.
pub(super) struct Watch<'a> {
    /// What its checks are run with.
    pub(super) engine: &'a Engine<'a>,
    pub(super) child: &'a Child,
    /// The container's directory.
    pub(super) dir: &'a ContainerDir,
    pub(super) ends: Ends,
    pub(super) log: Option<Writer>,
    pub(super) emulator: Option<IdentityEmulator>,
    /// Where its first process waits for a start.
    pub(super) gate: Option<Gate<'a>>,
    /// Since when it is the payload, or why it could not become that; `None` at the gate.
    pub(super) began: Option<anyhow::Result<(Timestamp, Instant)>>,
    /// How long it may run.
    pub(super) timeout: Option<Duration>,
    /// When it is killed for having taken too long.
    pub(super) deadline: Option<Instant>,
    /// Signal that asks the payload to end.
    pub(super) stop_signal: i32,
    /// Time it has for that; `None` is for ever.
    pub(super) grace: Option<Duration>,
    /// Its health check.
    pub(super) health: Option<Health<'a>>,
    /// What serves its network.
    pub(super) carriers: Carriers<'a>,
    /// Somebody asked the supervisor itself to end, and with it the container.
    pub(super) asked_to_end: bool,
    /// It is to be started again whatever its policy says: it was unhealthy.
    pub(super) renewed: bool,
    /// The deadline has passed: it was killed for having taken too long.
    pub(super) overdue: bool,
    /// The cgroup that a pause had put it into; it goes after its last process.
    pub(super) freezer: Option<Freezer>,
}

/// What a descriptor in the poll list is.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Signals,
    Payload,
    Emulator,
    Listener,
    Output(Stream),
    Input,
    Client(usize),
    Check,
    Carrier(usize),
}

impl Watch<'_> {
    /// Returns when the payload has ended; what it wrote is with the log and the clients then.
    pub(super) fn until_end(&mut self, around: &mut Surroundings) -> Result<()> {
        loop {
            let mut ended = false;
            for (slot, found) in self.poll(around)? {
                match slot {
                    Slot::Payload => ended = true,
                    _ => self.handle(slot, found, around)?,
                }
            }
            // However its end showed: at a word that was awaited, or at one that could not be sent.
            if around.clients.iter().any(Client::is_missed) {
                self.signal(libc::SIGKILL)?;
            }
            around.clients.retain(|client| !client.is_gone());
            if ended {
                self.drain(around);
                return Ok(());
            }
            if self.deadline.is_some_and(|moment| Instant::now() >= moment) {
                self.deadline = None;
                self.overdue = !self.asked_to_end && !self.renewed;
                self.signal(libc::SIGKILL)?;
            }
            if let Some(health) = &mut self.health
                && self.gate.is_none()
            {
                health.begin()?;
            }
            self.carriers.begin();
        }
    }

    fn poll(&self, around: &Surroundings) -> Result<Vec<(Slot, PollFlags)>> {
        let mut slots = vec![Slot::Signals, Slot::Payload];
        let mut fds = vec![
            PollFd::new(around.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.child.pidfd.as_fd(), PollFlags::POLLIN),
        ];
        let mut add = |slot, fd| {
            slots.push(slot);
            fds.push(fd);
        };
        if let Some(emulator) = &self.emulator {
            add(
                Slot::Emulator,
                PollFd::new(emulator.as_fd(), PollFlags::POLLIN),
            );
        }
        if let Some(listener) = &around.listener {
            add(
                Slot::Listener,
                PollFd::new(listener.as_fd(), PollFlags::POLLIN),
            );
        }
        if let Some(sink) = self.ends.behind() {
            add(Slot::Input, PollFd::new(sink, PollFlags::POLLOUT));
        }
        if !around.clients.iter().any(Client::holds_up) {
            for stream in [Stream::Stdout, Stream::Stderr] {
                if let Some(output) = self.ends.output(stream) {
                    add(Slot::Output(stream), PollFd::new(output, PollFlags::POLLIN));
                }
            }
        }
        for (index, client) in around.clients.iter().enumerate() {
            let mut wanted = PollFlags::empty();
            // One that types waits while the payload does not read.
            wanted.set(
                PollFlags::POLLIN,
                self.ends.takes_input() || !client.types(),
            );
            wanted.set(PollFlags::POLLOUT, client.is_behind());
            add(Slot::Client(index), PollFd::new(client.as_fd(), wanted));
        }
        let check = self.health.as_ref();
        if let Some(running) = check.and_then(Health::as_fd) {
            add(Slot::Check, PollFd::new(running, PollFlags::POLLIN));
        }
        for (place, process) in self.carriers.descriptors() {
            add(
                Slot::Carrier(place),
                PollFd::new(process, PollFlags::POLLIN),
            );
        }
        let deadlines = [
            self.deadline,
            check.and_then(Health::deadline),
            self.carriers.deadline(),
        ];
        wait(&mut fds, deadlines.into_iter().flatten().min())?;
        let found = slots.into_iter().zip(fds).filter_map(|(slot, fd)| {
            let found = fd.revents().filter(|found| !found.is_empty())?;
            Some((slot, found))
        });
        Ok(found.collect())
    }

    /// Not in the frame of the loop: its buffers would stay with the long wait.
    #[inline(never)]
    fn handle(&mut self, slot: Slot, found: PollFlags, around: &mut Surroundings) -> Result<()> {
        match slot {
            Slot::Payload => {}
            Slot::Signals => {
                while let Some(number) = around.signals.next() {
                    self.own_signal(number)?;
                }
            }
            Slot::Emulator => {
                if let Some(emulator) = &mut self.emulator
                    && (found.contains(PollFlags::POLLHUP) || emulator.handle_one().is_err())
                {
                    // Every process of the container is gone, or the listener is broken; without
                    // it trapped calls fail with ENOSYS, which is said by the programs themselves.
                    self.emulator = None;
                }
            }
            Slot::Listener => self.admit(around),
            Slot::Check => {
                let wish = self.health.as_mut().map(Health::ended).transpose()?;
                self.answer(wish.unwrap_or_default())?;
            }
            Slot::Carrier(place) => self.carriers.ended(place),
            Slot::Output(stream) => drop(self.copy_out(stream, around)),
            Slot::Input => self.ends.flush(),
            Slot::Client(index) => {
                if found.contains(PollFlags::POLLOUT) {
                    around.clients[index].flush();
                }
                if found.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR) {
                    self.listen(index, around)?;
                }
            }
        }
        Ok(())
    }

    fn admit(&self, around: &mut Surroundings) {
        let Some(listener) = &around.listener else {
            return;
        };
        while let Some(socket) = listener::accept(listener.as_fd()) {
            if around.clients.len() < MOST_CLIENTS {
                let stranger = Client::new(socket, Bond::Stranger, Default::default());
                around.clients.push(stranger);
            }
        }
    }

    /// Somebody ends the supervisor: the container goes with it, as with `stop`.
    fn own_signal(&mut self, number: i32) -> Result<()> {
        if matches!(number, libc::SIGTERM | libc::SIGINT | libc::SIGQUIT) && !self.asked_to_end {
            self.asked_to_end = true;
            self.stop()?;
        }
        Ok(())
    }

    /// The stop signal now, and the kill when the grace is over.
    fn stop(&mut self) -> Result<()> {
        if self.gate.is_some() {
            // It hears nothing else there.
            return self.signal(libc::SIGKILL);
        }
        let last = self.grace.map(|grace| Instant::now() + grace);
        self.deadline = [self.deadline, last].into_iter().flatten().min();
        self.signal(self.stop_signal)
    }

    /// Does to an unhealthy container what was asked for. It is unhealthy until its end: once.
    fn answer(&mut self, wish: OnUnhealthy) -> Result<()> {
        if wish == OnUnhealthy::None || self.asked_to_end {
            return Ok(());
        }
        self.health = None;
        match wish {
            OnUnhealthy::Kill => return self.signal(libc::SIGKILL),
            OnUnhealthy::Restart => self.renewed = true,
            OnUnhealthy::Stop | OnUnhealthy::None => self.asked_to_end = true,
        }
        self.stop()
    }

    /// Sends what is to end the payload. Nothing paused can take a signal, and with version 1
    /// cgroups not even a kill.
    fn signal(&mut self, number: i32) -> Result<()> {
        self.child.signal(number)?;
        self.freezer = container::resume(self.dir).or(self.freezer.take());
        Ok(())
    }

    fn copy_out(&mut self, stream: Stream, around: &mut Surroundings) -> Read {
        let mut buffer = [0u8; CHUNK];
        let read = self.ends.read(stream, &mut buffer);
        if let Read::Bytes(count) = read {
            let bytes = &buffer[..count];
            if let Some(log) = &mut self.log {
                log.write(stream, bytes);
            }
            for client in &mut around.clients {
                client.show(stream, bytes);
            }
        }
        read
    }

    fn listen(&mut self, index: usize, around: &mut Surroundings) -> Result<()> {
        let mut buffer = [0u8; MAX_MESSAGE];
        for _ in 0..TURN {
            let client = &mut around.clients[index];
            let bond = client.bond;
            match client.hear(&mut buffer) {
                Said::Input(count) => {
                    self.ends.write(&buffer[1..=count]);
                    if !self.ends.takes_input() {
                        return Ok(());
                    }
                }
                // docker's StdinOnce: who came with the start decides when the input is over.
                Said::EndInput if matches!(bond, Bond::Owner | Bond::Starter) => {
                    self.ends.end_input();
                }
                Said::Resize(size) => self.ends.resize(size),
                Said::Signal(number) => self.child.signal(number)?,
                Said::Nothing | Said::Detached | Said::Vanished => return Ok(()),
                Said::Start => self.open_gate(client),
                Said::ServeAnew => self.carriers.look(),
                Said::CheckAnew => {
                    let record = self.dir.record()?;
                    self.health = Health::of(self.engine, &record, self.dir);
                }
                Said::EndInput | Said::Attached => {}
            }
        }
        Ok(())
    }

    /// A start: the payload begins, unless it has already.
    fn open_gate(&mut self, starter: &mut Client) {
        if let Some(gate) = self.gate.take() {
            self.began = Some(gate.open().map(|opened| {
                let Opened {
                    began,
                    since,
                    emulator,
                } = opened;
                self.emulator = emulator;
                self.deadline = self.timeout.map(|timeout| since + timeout);
                (began, since)
            }));
        }
        match &self.began {
            Some(Err(error)) => {
                // It has ended, unless only its record could not be written.
                let _ = self.child.signal(libc::SIGKILL);
                let failure = serde_json::to_vec(&Failure::of(error)).unwrap_or_default();
                starter.send(&FromSupervisor::Failed(&failure));
            }
            _ => starter.send(&FromSupervisor::Ready),
        }
    }

    /// What the payload wrote last is still in its pipes; they hold little, so that nobody has
    /// to be waited for.
    #[inline(never)]
    fn drain(&mut self, around: &mut Surroundings) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            while let Read::Bytes(_) = self.copy_out(stream, around) {}
        }
        if let Some(log) = &mut self.log {
            log.flush_partial();
        }
    }
}

/// A wait that has lasted this long will last longer.
const RESTLESS: Duration = Duration::from_millis(500);

/// Waits for one of the descriptors or the deadline; in a long wait almost no memory is kept.
fn wait(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> Result<()> {
    let failed = |errno| Error::errno("wait for", "the container", errno);
    let left = || deadline.map(|moment| moment.saturating_duration_since(Instant::now()));
    let short = left().map_or(RESTLESS, |left| left.min(RESTLESS));
    // One more millisecond: poll rounds down, and waking early would spin.
    let short = PollTimeout::try_from(short + Duration::from_millis(1));
    match poll(fds, short.unwrap_or(PollTimeout::ZERO)) {
        Ok(0) if left().is_none_or(|left| !left.is_zero()) => {
            memory::idle(fds, left()).map(drop).map_err(failed)
        }
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(failed(errno)),
    }
}

/// Sends clients what they are still owed after the end. An owner is given all the time it needs;
/// others are not waited for.
pub(super) fn see_off(clients: &mut Vec<Client>) -> Result<()> {
    loop {
        clients.retain_mut(|client| {
            client.flush();
            !client.is_gone() && client.holds_up()
        });
        if clients.is_empty() {
            return Ok(());
        }
        let mut fds: Vec<PollFd<'_>> = clients
            .iter()
            .map(|client| PollFd::new(client.as_fd(), PollFlags::POLLOUT))
            .collect();
        wait(&mut fds, None)?;
    }
}
