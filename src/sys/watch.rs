//! Waiting for changes in directories, by inotify(7).

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::file_system::file_system;
use crate::common::{Error, Result};

/// How often to look where the kernel cannot tell: other machines' writes to a network file
/// system, or a user at the limit of inotify's own.
const LOOK: Duration = Duration::from_millis(500);

/// Directories under watch.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: Option<Inotify>,
    /// A directory whose changes the kernel may not report.
    blind: bool,
}

impl Watch {
    /// A watch over nothing yet.
    pub(crate) fn new() -> Watch {
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        let inotify = Inotify::init(flags).ok();
        Watch {
            blind: inotify.is_none(),
            inotify,
        }
    }

    /// Watches the files that lie directly in `dir`: writes, new names, lost names, its own end.
    ///
    /// # Errors
    /// When there is no such directory.
    pub(crate) fn add(&mut self, dir: &Path) -> Result<()> {
        self.watch(dir, AddWatchFlags::IN_MODIFY | names())
    }

    /// As [`add`](Watch::add), without the writes: for records that are replaced by rename, in a
    /// directory where others write all the time.
    pub(crate) fn add_names(&mut self, dir: &Path) -> Result<()> {
        self.watch(dir, names())
    }

    fn watch(&mut self, dir: &Path, flags: AddWatchFlags) -> Result<()> {
        if let Some(inotify) = &self.inotify {
            match inotify.add_watch(dir, flags) {
                Ok(_) => {}
                Err(Errno::ENOSPC | Errno::ENOMEM) => self.blind = true,
                Err(errno) => return Err(Error::errno("watch", dir, errno)),
            }
        }
        self.blind |= file_system(dir).is_ok_and(|found| found.is_network());
        Ok(())
    }

    /// Waits until something changes, one of the pidfds' processes ends, or the deadline has
    /// come; true when nobody reads what is written to `output` any more. What changed since the
    /// last call counts.
    pub(crate) fn wait(
        &self,
        pidfds: &[BorrowedFd<'_>],
        output: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
    ) -> Result<bool> {
        let output = output.into_iter();
        // Nothing is asked of it: an error is reported all the same.
        let mut fds: Vec<PollFd<'_>> = output
            .map(|fd| PollFd::new(fd, PollFlags::empty()))
            .collect();
        let output = fds.len();
        fds.extend(pidfds.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)));
        if let Some(inotify) = &self.inotify {
            fds.push(PollFd::new(inotify.as_fd(), PollFlags::POLLIN));
        }
        let look = self.blind.then(|| Instant::now() + LOOK);
        let until = [deadline, look].into_iter().flatten().min();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // One millisecond more: a wait must not end just before its deadline.
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            let millis = left.as_millis().saturating_add(1).min(i32::MAX as u128);
            PollTimeout::try_from(millis as i32).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Error::errno("poll", "", errno)),
        }
        self.forget();
        let unread = |fd: &PollFd<'_>| {
            fd.revents()
                .is_some_and(|found| found.contains(PollFlags::POLLERR))
        };
        Ok(fds[..output].iter().any(unread))
    }

    /// Takes what was reported off the queue: that something changed is all that counts.
    fn forget(&self) {
        let mut buffer = [0; 4096];
        let Some(inotify) = &self.inotify else {
            return;
        };
        loop {
            match nix::unistd::read(inotify, &mut buffer) {
                Ok(count) if count > 0 => {}
                Err(Errno::EINTR) => {}
                _ => return,
            }
        }
    }
}

/// New names, lost names, and the end of the directory itself.
fn names() -> AddWatchFlags {
    AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_ends_the_wait_and_a_deadline_does() {
        let dir = tempfile::TempDir::new().unwrap();
        let mut watch = Watch::new();
        watch.add(dir.path()).unwrap();
        // Before the wait, too.
        std::fs::write(dir.path().join("x"), "y").unwrap();
        watch.wait(&[], None, None).unwrap();
        let begun = Instant::now();
        let later = begun + Duration::from_millis(30);
        watch.wait(&[], None, Some(later)).unwrap();
        assert!(Instant::now() >= later);
        let (reader, writer) = nix::unistd::pipe().unwrap();
        drop(reader);
        assert!(watch.wait(&[], Some(writer.as_fd()), None).unwrap());
        assert!(watch.add(&dir.path().join("none")).is_err());
    }
}
