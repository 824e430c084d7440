//! Work inside N, by a child that enters it: a process cannot come back from a user namespace.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use nix::sched::CloneFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Membership;
use super::answer::Answer;
use super::space::Space;
use crate::common::{Error, ExitStatus, Kind, Result};
use crate::sys::credentials;
use crate::sys::process::{Cloned, clone, exit_now};

impl Membership {
    /// Runs `work` in N, as its root, and brings back what it gives. Descriptors of this process
    /// are there too; what `work` changes in memory is lost.
    ///
    /// # Errors
    /// Those of `work`, and what making the process gave.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
    {
        let failed = |error| Error::io("hear from", "the helper in the shared network", error);
        let (mut ours, mut theirs) = UnixStream::pair().map_err(failed)?;
        let child = match clone(CloneFlags::empty(), None)? {
            Cloned::Child => {
                let _ = credentials::die_with_parent();
                let result = self.space.enter().and_then(|()| work());
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
        let silent = |how: String| {
            Error::new(
                Kind::System,
                "hear from",
                "the helper in the shared network",
            )
            .because(how)
        };
        match ended.status {
            ExitStatus::Code(0) => serde_json::from_slice::<Answer<T>>(&bytes)
                .map_err(|error| silent(error.to_string()))?
                .into_result(),
            ExitStatus::Signal(number) => Err(silent(format!("it was ended by signal {number}"))),
            ExitStatus::Code(_) => Err(silent("it gave no answer".to_owned())),
        }
    }
}

impl Space {
    /// Enters N with this process, for good.
    pub(super) fn enter(&self) -> Result<()> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |errno| Error::errno("enter namespace of the shared network", what, errno)
        };
        nix::sched::setns(&self.user, CloneFlags::CLONE_NEWUSER).map_err(failed("user"))?;
        nix::sched::setns(&self.network, CloneFlags::CLONE_NEWNET).map_err(failed("network"))
    }
}
