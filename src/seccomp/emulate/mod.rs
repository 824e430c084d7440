//! Answers identity calls of a container that has only one id, as if it had them all.
//!
//! Runs in the process that waits for the container, beside its other descriptors; one thread,
//! one answer at a time, about ten microseconds each. The container keeps its real rights, so
//! nothing here protects anything: a process that "became" user 100 is still the one user it
//! ever was, and the kernel's own checks apply to everything that is not an identity call.
//!
//! Known limits: stat(2) still shows the one real owner; a set-id bit of an executed file is
//! not seen; a process whose parent died before it first asked starts over as the first user;
//! what /proc and socket credentials show is real; threads share one identity, as the C library
//! makes them; the container cannot have a listener of its own (the kernel allows one); a caller
//! given CAP_SYS_ADMIN and /dev/fuse can make a lookup here wait for its own file server.

pub(crate) mod calls;
mod credentials;
mod files;
mod memory;
mod processes;

#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::arch::Arch;
use crate::common::{Error, Result};
use crate::sys::seccomp::{Answer, Listener, Notification};
use calls::{Call, Trapped, Which};
use credentials::{Credentials, Ids};
use files::Base;
use processes::Processes;

/// Most supplementary groups of one process (`NGROUPS_MAX`).
const GROUPS_MAX: usize = 65536;
/// Longest attribute value (`XATTR_SIZE_MAX`).
const ATTRIBUTE_MAX: usize = 65536;

/// The answering end of a filter compiled with `Identity::Notify`.
#[derive(Debug)]
pub(crate) struct IdentityEmulator {
    listener: Listener,
    processes: Processes,
    /// The ids the container's map has; others cannot be in an ACL.
    mapped: (u32, u32),
}

impl IdentityEmulator {
    /// Answers on `listener` for a container whose one user is `uid` and `gid` inside.
    pub(crate) fn new(listener: OwnedFd, uid: u32, gid: u32) -> IdentityEmulator {
        IdentityEmulator {
            listener: Listener::new(listener),
            processes: Processes::new(Credentials::new(uid, gid)),
            mapped: (uid, gid),
        }
    }

    /// The descriptor to poll: readable when a call waits; hung up when no process is left.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Answers one waiting call; waits for one when there is none. A caller that dies meanwhile
    /// is no failure. An error means that the listener is unusable: every later identity call
    /// of the container fails with ENOSYS once this object is dropped.
    pub(crate) fn handle_one(&mut self) -> Result<()> {
        let waiting = match self.listener.receive() {
            Ok(waiting) => waiting,
            Err(Errno::ENOENT | Errno::EINTR) => return Ok(()),
            Err(errno) => return Err(Error::errno("receive seccomp notification", "", errno)),
        };
        let answer = self
            .decide(&waiting)
            .unwrap_or_else(|errno| Answer::Errno(errno as i32));
        match self.listener.answer(waiting.id, answer) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(Error::errno("answer seccomp notification", "", errno)),
        }
    }

    fn decide(&mut self, waiting: &Notification) -> nix::Result<Answer> {
        let found =
            Arch::of_audit(waiting.arch).and_then(|arch| Trapped::find(arch, waiting.number));
        // A profile of the user's own cannot notify, so this is a call of another's filter.
        let Some((call, half)) = found else {
            return Ok(Answer::Continue);
        };
        if waiting.tid <= 0 {
            return Err(Errno::EPERM);
        }
        match call {
            Call::Get(..) | Call::GetAll(..) | Call::GetGroups => self.get(waiting, call, half),
            Call::Chown { .. } | Call::Fchown | Call::Fchownat => {
                self.chown(waiting, call, half).map(Answer::Value)
            }
            Call::Setxattr { .. } | Call::Fsetxattr | Call::Setxattrat => self.acl(waiting, call),
            Call::Mknod | Call::Mknodat => self.mknod(waiting, call),
            Call::KeepRights => self.keep_rights(waiting),
            _ => self.set(waiting, call, half).map(Answer::Value),
        }
    }

    /// The real call goes on: it is only noted.
    fn keep_rights(&mut self, waiting: &Notification) -> nix::Result<Answer> {
        let program = processes::program(waiting.tid);
        let wanted = waiting.args[1] == 1;
        let mine = self.processes.get_mut(waiting.tid)?;
        mine.keep_rights(program.filter(|_| wanted));
        Ok(Answer::Continue)
    }

    /// Fails when the thread of `waiting` may be another one by now.
    fn check(&self, waiting: &Notification) -> nix::Result<()> {
        if self.listener.is_valid(waiting.id) {
            Ok(())
        } else {
            Err(Errno::ESRCH)
        }
    }

    fn get(&mut self, waiting: &Notification, call: Call, half: bool) -> nix::Result<Answer> {
        let Notification { tid, args, .. } = *waiting;
        if self.processes.get(tid)?.has_keeper() {
            self.processes.get_mut(tid)?.runs(processes::program(tid));
        }
        let listener = &self.listener;
        let mine = self.processes.get(tid)?;
        let value = match call {
            Call::Get(kind, which) => {
                let ids = mine.ids(kind);
                let id = match which {
                    Which::Real => ids.real,
                    Which::Effective => ids.effective,
                };
                if half {
                    u32::from(memory::narrow(id))
                } else {
                    id
                }
            }
            Call::GetAll(kind) => {
                let Ids {
                    real,
                    effective,
                    saved,
                    ..
                } = *mine.ids(kind);
                if !listener.is_valid(waiting.id) {
                    return Err(Errno::ESRCH);
                }
                for (address, id) in args.into_iter().zip([real, effective, saved]) {
                    memory::put_ids(tid, address, &[id], half)?;
                }
                0
            }
            _ => {
                let groups = &mine.groups;
                let room = usize::try_from(args[0] as i32).map_err(|_| Errno::EINVAL)?;
                if room != 0 {
                    if room < groups.len() {
                        return Err(Errno::EINVAL);
                    }
                    if !listener.is_valid(waiting.id) {
                        return Err(Errno::ESRCH);
                    }
                    memory::put_ids(tid, args[1], groups, half)?;
                }
                groups.len() as u32
            }
        };
        Ok(Answer::Value(i64::from(value)))
    }

    fn set(&mut self, waiting: &Notification, call: Call, half: bool) -> nix::Result<i64> {
        let Notification { tid, args, .. } = *waiting;
        let id = |at: usize| widen(args[at], half);
        let mut groups = Vec::new();
        if call == Call::SetGroups {
            let count = usize::try_from(args[0] as i32).map_err(|_| Errno::EINVAL)?;
            if count > GROUPS_MAX {
                return Err(Errno::EINVAL);
            }
            groups = memory::ids(tid, args[1], count, half)?;
        }
        let mine = self.processes.get_mut(tid)?;
        if mine.has_keeper() {
            mine.runs(processes::program(tid));
        }
        // After everything about the thread was read: it was this thread all the while.
        if !self.listener.is_valid(waiting.id) {
            return Err(Errno::ESRCH);
        }
        match call {
            Call::Set(kind) => mine.set(kind, id(0))?,
            Call::SetPair(kind) => mine.set_pair(kind, id(0), id(1))?,
            Call::SetAll(kind) => mine.set_all(kind, [id(0), id(1), id(2)])?,
            Call::SetFs(kind) => return Ok(i64::from(mine.set_file(kind, id(0)))),
            _ => mine.set_groups(groups)?,
        }
        Ok(0)
    }

    fn chown(&mut self, waiting: &Notification, call: Call, half: bool) -> nix::Result<i64> {
        let Notification { tid, args, .. } = *waiting;
        let (file, first) = match call {
            Call::Chown { follow } => (at_path(tid, libc::AT_FDCWD, args[0], follow)?, 1),
            Call::Fchown => (descriptor(tid, args[0])?.itself()?, 1),
            _ => (at_flags(tid, args[0], args[1], args[4])?, 2),
        };
        let (mut uid, mut gid) = (widen(args[first], half), widen(args[first + 1], half));
        if (uid, gid) == (0, 0)
            && let Some(original) = files::owner_of_original(file.as_fd(), tid)
        {
            (uid, gid) = original;
        }
        self.check(waiting)?;
        let mine = self.processes.get(tid)?;
        files::chown(file.as_fd(), uid, gid, mine).map(|()| 0)
    }

    fn mknod(&mut self, waiting: &Notification, call: Call) -> nix::Result<Answer> {
        let Notification { tid, args, .. } = *waiting;
        let (dirfd, rest) = match call {
            Call::Mknodat => (args[0] as i32, &args[1..4]),
            _ => (libc::AT_FDCWD, &args[0..3]),
        };
        let (mode, device) = (rest[1] as u32 & 0xffff, rest[2] as u32);
        // A whiteout: the one device the kernel lets anybody make.
        if mode & libc::S_IFMT == libc::S_IFCHR && device == 0 {
            return Ok(Answer::Continue);
        }
        if self.processes.get(tid)?.user.file != 0 {
            return Err(Errno::EPERM);
        }
        let path = memory::path(tid, rest[0])?;
        let umask = processes::status_field(tid, "Umask:", 8).unwrap_or(0o022);
        self.check(waiting)?;
        let base = Base { tid, dirfd };
        files::make_device(base, &path, mode & !(umask & 0o777), device)?;
        Ok(Answer::Value(0))
    }

    /// An ACL that names somebody: the kernel would refuse an id that is not mapped, so it is
    /// accepted and forgotten. Every other attribute is the kernel's affair.
    fn acl(&mut self, waiting: &Notification, call: Call) -> nix::Result<Answer> {
        let Notification { tid, args, .. } = *waiting;
        let name_at = if call == Call::Setxattrat { 3 } else { 1 };
        let name = match memory::attribute_name(tid, args[name_at]) {
            Ok(name) if name.as_bytes().starts_with(b"system.posix_acl_") => name,
            _ => return Ok(Answer::Continue),
        };
        let (address, size) = match call {
            Call::Setxattrat => {
                // struct xattr_args: value, size, flags.
                let raw = memory::bytes(tid, args[4], 16)?;
                let word = |at: usize| {
                    raw[at..]
                        .iter()
                        .take(8)
                        .rev()
                        .fold(0, |w, b| w << 8 | u64::from(*b))
                };
                (word(0), word(8) & 0xffff_ffff)
            }
            _ => (args[2], args[3]),
        };
        let known = matches!(
            name.as_bytes(),
            b"system.posix_acl_access" | b"system.posix_acl_default"
        );
        if !known || size > ATTRIBUTE_MAX as u64 {
            return Ok(Answer::Continue);
        }
        let value = memory::bytes(tid, address, size as usize)?;
        if !names_unmapped(&value, self.mapped) {
            return Ok(Answer::Continue);
        }
        // Only to fail as the call would.
        match call {
            Call::Setxattr { follow } => at_path(tid, libc::AT_FDCWD, args[0], follow)?,
            Call::Fsetxattr => descriptor(tid, args[0])?.itself()?,
            _ => at_flags(tid, args[0], args[1], args[2])?,
        };
        Ok(Answer::Value(0))
    }
}

/// Whether an ACL (linux/posix_acl_xattr.h: version 2, then tag, permissions, id) has an entry
/// for a user or group other than the mapped ones.
fn names_unmapped(value: &[u8], mapped: (u32, u32)) -> bool {
    const USER: u16 = 0x02;
    const GROUP: u16 = 0x08;
    let Some((version, entries)) = value.split_first_chunk::<4>() else {
        return false;
    };
    u32::from_le_bytes(*version) == 2
        && entries.chunks_exact(8).any(|entry| {
            let tag = u16::from_le_bytes([entry[0], entry[1]]);
            let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
            (tag == USER && id != mapped.0) || (tag == GROUP && id != mapped.1)
        })
}

/// An id argument; 16-bit calls say "leave it" with 16 bits.
fn widen(argument: u64, half: bool) -> u32 {
    match (half, argument as u16) {
        (false, _) => argument as u32,
        (true, u16::MAX) => credentials::KEEP,
        (true, id) => u32::from(id),
    }
}

fn descriptor(tid: i32, argument: u64) -> nix::Result<Base> {
    match argument as i32 {
        dirfd @ 0.. => Ok(Base { tid, dirfd }),
        _ => Err(Errno::EBADF),
    }
}

fn at_path(tid: i32, dirfd: i32, address: u64, follow: bool) -> nix::Result<OwnedFd> {
    let path = memory::path(tid, address)?;
    Base { tid, dirfd }.find(&path, follow)
}

/// The file of an `…at` call with `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH`.
fn at_flags(tid: i32, dirfd: u64, address: u64, flags: u64) -> nix::Result<OwnedFd> {
    let (dirfd, flags) = (dirfd as i32, flags as i32);
    if flags & !(libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let empty_means_itself = flags & libc::AT_EMPTY_PATH != 0;
    // A null path is an empty one since Linux 6.11.
    let path = match memory::path(tid, address) {
        Err(Errno::EFAULT) if empty_means_itself && address == 0 => Default::default(),
        other => other?,
    };
    let base = Base { tid, dirfd };
    if path.as_os_str().is_empty() && empty_means_itself {
        if dirfd < 0 && dirfd != libc::AT_FDCWD {
            return Err(Errno::EBADF);
        }
        return base.itself();
    }
    base.find(&path, flags & libc::AT_SYMLINK_NOFOLLOW == 0)
}
