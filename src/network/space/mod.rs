//! Namespaces that work is done in from outside, by a child that enters them: a process cannot come
//! back from a user namespace.

mod answer;

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sched::CloneFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::common::{Error, ExitStatus, Kind, Result};
use crate::sys::process::{Cloned, clone, exit_now};
use crate::sys::{credentials, namespace, socket};
pub(super) use answer::Answer;

/// Whom an error of the way to the child is about.
const CHILD: &str = "the helper in another network";

/// A network namespace, and the user namespace with the rights over it.
#[derive(Debug)]
pub(crate) struct Space {
    /// The user namespace.
    pub(super) user: OwnedFd,
    /// The network namespace, which belongs to it.
    pub(super) network: OwnedFd,
}

impl Space {
    /// That of a network namespace.
    ///
    /// # Errors
    /// ioctl_ns(2)'s: its user namespace is above this process's own.
    pub(crate) fn around(network: BorrowedFd<'_>) -> Result<Space> {
        let user = namespace::owner(network)
            .map_err(|errno| Error::errno("open user namespace of", "network", errno))?;
        let network = network.try_clone_to_owned();
        let network = network.map_err(|error| Error::io("hold", "network namespace", error))?;
        Ok(Space { user, network })
    }

    /// Runs `work` there, as its root, and brings back what it gives. Descriptors of this process
    /// are there too; what `work` changes in memory is lost.
    ///
    /// # Errors
    /// Those of `work`, and what making the process gave.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
    {
        let failed = |error| Error::io("hear from", CHILD, error);
        let (mut ours, mut theirs) = UnixStream::pair().map_err(failed)?;
        let child = match clone(CloneFlags::empty(), None)? {
            Cloned::Child => {
                let _ = credentials::die_with_parent();
                let result = self.enter().and_then(|()| work());
                let bytes = serde_json::to_vec(&Answer::of(result)).unwrap_or_default();
                let sent = theirs.write_all(&bytes);
                exit_now(u8::from(sent.is_err()))
            }
            Cloned::Parent(child) => child,
        };
        drop(theirs);
        let mut bytes = Vec::new();
        let read = ours.read_to_end(&mut bytes);
        let ended = child.wait()?;
        read.map_err(failed)?;
        let silent = |how: String| Error::new(Kind::System, "hear from", CHILD).because(how);
        match ended.status {
            ExitStatus::Code(0) => serde_json::from_slice::<Answer<T>>(&bytes)
                .map_err(|error| silent(error.to_string()))?
                .into_result(),
            ExitStatus::Signal(number) => Err(silent(format!("it was ended by signal {number}"))),
            ExitStatus::Code(_) => Err(silent("it gave no answer".to_owned())),
        }
    }

    /// Runs `work` there and brings back the sockets that it opens, which go on belonging there.
    ///
    /// # Errors
    /// As [`Space::run`].
    pub(crate) fn open<const COUNT: usize>(
        &self,
        work: impl FnOnce() -> Result<[OwnedFd; COUNT]>,
    ) -> Result<[OwnedFd; COUNT]> {
        let failed = |errno| Error::errno("hear from", CHILD, errno);
        let (ours, theirs) = socket::message_pair()?;
        self.run(|| {
            let send = |opened: OwnedFd| socket::send(theirs.as_fd(), b"+", Some(opened.as_fd()));
            work()?.into_iter().try_for_each(send).map_err(failed)
        })?;
        drop(theirs);
        let mut opened = Vec::with_capacity(COUNT);
        while let Some((_, Some(socket))) = socket::receive(ours.as_fd()).map_err(failed)? {
            opened.push(socket);
        }
        opened.try_into().map_err(|_| {
            Error::new(Kind::System, "hear from", CHILD).because("it gave too few descriptors")
        })
    }

    /// Enters it with this process, for good.
    pub(super) fn enter(&self) -> Result<()> {
        let failed = |what: &'static str| {
            move |errno| Error::errno("enter namespace of another network", what, errno)
        };
        // Root's containers are in its own, which nobody can enter again.
        if !namespace::is_own("user", &self.user).map_err(failed("user"))? {
            nix::sched::setns(&self.user, CloneFlags::CLONE_NEWUSER).map_err(failed("user"))?;
        }
        nix::sched::setns(&self.network, CloneFlags::CLONE_NEWNET).map_err(failed("network"))
    }
}
