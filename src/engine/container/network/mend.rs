//! The processes that serve a running container's network, for who keeps the container: another
//! takes the place of one that was killed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::attendant::{begin, inside, lead, outside, shared as within};
use super::live::{change, namespace, read};
use super::ports::hold;
use super::serving::{Helper, Role};
use super::{Connected, private, shared};
use crate::common::{Error, Kind, Mode, Result};
use crate::engine::Engine;
use crate::engine::container::asked_network;
use crate::network::dns;
use crate::network::forward::Forward;
use crate::network::shared::Membership;
use crate::network::space::Space;
use crate::spec::config::Port;
use crate::store::{ContainerDir, ContainerRecord};
use crate::sys::process::has_ended;

/// Those of one run.
#[derive(Debug)]
pub(crate) struct Served<'a> {
    engine: &'a Engine<'a>,
    record: ContainerRecord,
    dir: ContainerDir,
    /// As they were seen last.
    known: Vec<Helper>,
    /// One of the keeper's own: the shared namespace outlives a killed process that has another.
    share: Option<Membership>,
}

impl<'a> Served<'a> {
    /// Those of a container.
    pub(crate) fn of(
        engine: &'a Engine<'a>,
        record: &ContainerRecord,
        dir: &ContainerDir,
    ) -> Served<'a> {
        Served {
            engine,
            record: record.clone(),
            dir: dir.clone(),
            known: Vec::new(),
            share: None,
        }
    }

    /// Sees which there are now: each of them to wait for its end; `None` is one that is gone.
    pub(crate) fn look(&mut self) -> Vec<Option<OwnedFd>> {
        self.known = read(&self.dir).processes().cloned().collect();
        let ends: Vec<_> = self.known.iter().map(Helper::pidfd).collect();
        let mut both = self.known.iter().zip(&ends);
        let holder = both.find_map(|(one, end)| end.as_ref().filter(|_| one.role.has_share()));
        if self.share.is_none()
            && let Some(holder) = holder
        {
            let share = shared::visit(self.engine).ok().flatten();
            // The container's namespace was there all the while: it is this one.
            self.share = share.filter(|_| !has_ended(holder.as_fd()));
        }
        ends
    }

    /// Starts one of them again, by its place among them, with the same ports and as a child of
    /// this process; to wait for its end. `None` when it has nothing to serve any more.
    ///
    /// # Errors
    /// As for a start; the container has ended, or the shared namespace that it was in is gone.
    pub(crate) fn renew(&mut self, place: usize) -> Result<Option<OwnedFd>> {
        // Reaps it.
        if let Some(known) = self.known.get(place) {
            known.end();
        }
        let gone = || {
            Error::new(Kind::NotFound, "connect again", &self.record.name).because("it has ended")
        };
        let (_, namespace) = namespace(self.dir.phase()?)?.ok_or_else(gone)?;
        let connected = read(&self.dir);
        let Some(before) = connected.processes().nth(place) else {
            if !connected.processes().any(|one| one.role.has_share()) {
                self.share = None;
            }
            return Ok(None);
        };
        if let Some(end) = before.pidfd().filter(|end| !has_ended(end.as_fd())) {
            // Somebody else was faster.
            return Ok(Some(end));
        }
        let helper = self.start(before.role, &connected, namespace.as_fd())?;
        change(&self.dir, |connected| {
            if let Some(place) = connected.process_mut(place) {
                *place = helper.clone();
            }
        })
        .inspect_err(|_| helper.end())?;
        let end = helper.pidfd();
        if let Some(known) = self.known.get_mut(place) {
            *known = helper;
        }
        end.map(Some).ok_or_else(gone)
    }

    fn start(
        &self,
        role: Role,
        connected: &Connected,
        namespace: BorrowedFd<'_>,
    ) -> Result<Helper> {
        match role {
            Role::Program | Role::Inside => self.private(role, &connected.ports, namespace),
            Role::Outside | Role::Late => {
                let share = self.share()?;
                let is_late = role == Role::Late;
                let sockets = match connected.resolver || is_late {
                    true => Some(Space::around(namespace)?.open(dns::listen)?),
                    false => None,
                };
                let network = asked_network(&self.record);
                let mut work = outside(self.engine, &self.record.id, &network, sockets, share)?;
                if share.is_none() && !is_late {
                    work.forwards = self.forwards(connected)?;
                }
                begin(role, work)
            }
            Role::Shared => {
                let share = self.share()?.ok_or_else(|| self.lost())?;
                begin(role, within(share, self.forwards(connected)?)?)
            }
        }
    }

    /// The program of a private network, or who leads the ports that it leaves to another.
    fn private(&self, role: Role, ports: &[Port], namespace: BorrowedFd<'_>) -> Result<Helper> {
        let network = asked_network(&self.record);
        let program = private::program(self.engine, &network)?;
        let (led, by_hand) = private::divide(&program, ports)?;
        match role {
            Role::Inside => begin(role, inside(hold(self.engine, &by_hand)?.1, namespace)?),
            _ => private::connect(&program, &network, &led, namespace),
        }
    }

    /// The ports that lead to a network with a bridge.
    fn forwards(&self, connected: &Connected) -> Result<Vec<Forward>> {
        match connected.leads {
            Some(target) => Ok(lead(hold(self.engine, &connected.ports)?.1, target)),
            None => Ok(Vec::new()),
        }
    }

    /// An ordinary user's share in the shared namespace.
    fn share(&self) -> Result<Option<&Membership>> {
        match (&self.share, self.engine.mode) {
            (None, Mode::Root) => Ok(None),
            (None, _) => Err(self.lost()),
            (share, _) => Ok(share.as_ref()),
        }
    }

    fn lost(&self) -> Error {
        Error::new(Kind::NotFound, "connect again", &self.record.name)
            .because("the shared namespace that it was in is gone")
            .hint("restart the container")
    }
}
