//! The ids of an emulated process and the kernel's rules for changing them (credentials(7)).
//!
//! One simplification: the right to set any id is "the effective user is 0" in place of
//! CAP_SETUID and CAP_SETGID, which the kernel takes away and gives back with that id; a program
//! that asked to keep its capabilities (PR_SET_KEEPCAPS) keeps the right until it is replaced.

use nix::errno::Errno;

use super::calls::Id;

/// An id argument meaning "leave it".
pub(super) const KEEP: u32 = u32::MAX;

/// Real, effective, saved and file-system ids of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) real: u32,
    pub(super) effective: u32,
    pub(super) saved: u32,
    pub(super) file: u32,
}

impl Ids {
    fn all(id: u32) -> Ids {
        Ids {
            real: id,
            effective: id,
            saved: id,
            file: id,
        }
    }

    fn holds(&self, id: u32) -> bool {
        [self.real, self.effective, self.saved].contains(&id)
    }
}

/// What a process believes to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Ids,
    pub(super) group: Ids,
    pub(super) groups: Vec<u32>,
    /// The program that asked to keep its capabilities.
    keeper: Option<Program>,
    /// It gave up user 0 and kept them.
    kept: bool,
}

/// Device and inode of what a process executes.
pub(super) type Program = (u64, u64);

impl Credentials {
    /// Everything `uid` and `gid`; no supplementary groups, since the kernel's own are numbers
    /// of the host that mean nothing inside.
    pub(super) fn new(uid: u32, gid: u32) -> Credentials {
        Credentials {
            user: Ids::all(uid),
            group: Ids::all(gid),
            groups: Vec::new(),
            keeper: None,
            kept: false,
        }
    }

    fn is_privileged(&self) -> bool {
        self.user.effective == 0 || self.kept
    }

    /// PR_SET_KEEPCAPS, on with the program that asked.
    pub(super) fn keep_rights(&mut self, keeper: Option<Program>) {
        self.keeper = keeper;
    }

    /// Whether a change of program would change anything.
    pub(super) fn has_keeper(&self) -> bool {
        self.keeper.is_some()
    }

    /// Another program starts without the rights that the last one kept.
    pub(super) fn runs(&mut self, program: Option<Program>) {
        if self.keeper != program {
            self.keeper = None;
            self.kept = false;
        }
    }

    /// What the kernel does to capabilities when user ids change.
    fn left(&mut self, before: Ids) {
        if before.holds(0) && !self.user.holds(0) {
            self.kept = self.keeper.is_some();
        }
    }

    /// The ids of one kind.
    pub(super) fn ids(&self, kind: Id) -> &Ids {
        match kind {
            Id::User => &self.user,
            Id::Group => &self.group,
        }
    }

    fn ids_mut(&mut self, kind: Id) -> &mut Ids {
        match kind {
            Id::User => &mut self.user,
            Id::Group => &mut self.group,
        }
    }

    /// Whether files of group `gid` are this process's to give to that group.
    pub(super) fn in_group(&self, gid: u32) -> bool {
        self.group.file == gid || self.groups.contains(&gid)
    }

    /// setuid, setgid.
    pub(super) fn set(&mut self, kind: Id, id: u32) -> Result<(), Errno> {
        if id == KEEP {
            return Err(Errno::EINVAL);
        }
        let (privileged, before) = (self.is_privileged(), self.user);
        let ids = self.ids_mut(kind);
        if privileged {
            *ids = Ids::all(id);
        } else if id == ids.real || id == ids.saved {
            ids.effective = id;
            ids.file = id;
        } else {
            return Err(Errno::EPERM);
        }
        self.left(before);
        Ok(())
    }

    /// setreuid, setregid.
    pub(super) fn set_pair(&mut self, kind: Id, real: u32, effective: u32) -> Result<(), Errno> {
        let (privileged, before) = (self.is_privileged(), self.user);
        let ids = self.ids_mut(kind);
        let old = *ids;
        if !privileged {
            let real_ok = real == KEEP || real == old.real || real == old.effective;
            if !real_ok || (effective != KEEP && !old.holds(effective)) {
                return Err(Errno::EPERM);
            }
        }
        if real != KEEP {
            ids.real = real;
        }
        if effective != KEEP {
            ids.effective = effective;
        }
        if real != KEEP || (effective != KEEP && effective != old.real) {
            ids.saved = ids.effective;
        }
        ids.file = ids.effective;
        self.left(before);
        Ok(())
    }

    /// setresuid, setresgid.
    pub(super) fn set_all(&mut self, kind: Id, wanted: [u32; 3]) -> Result<(), Errno> {
        let (privileged, before) = (self.is_privileged(), self.user);
        let ids = self.ids_mut(kind);
        let allowed = |id: &u32| *id == KEEP || ids.holds(*id);
        if !privileged && !wanted.iter().all(allowed) {
            return Err(Errno::EPERM);
        }
        let [real, effective, saved] = wanted;
        for (slot, id) in [
            (&mut ids.real, real),
            (&mut ids.effective, effective),
            (&mut ids.saved, saved),
        ] {
            if id != KEEP {
                *slot = id;
            }
        }
        ids.file = ids.effective;
        self.left(before);
        Ok(())
    }

    /// setfsuid, setfsgid: never fails, returns the old id.
    pub(super) fn set_file(&mut self, kind: Id, id: u32) -> u32 {
        let privileged = self.is_privileged();
        let ids = self.ids_mut(kind);
        let old = ids.file;
        if id != KEEP && (privileged || ids.holds(id)) {
            ids.file = id;
        }
        old
    }

    /// setgroups.
    pub(super) fn set_groups(&mut self, groups: Vec<u32>) -> Result<(), Errno> {
        if !self.is_privileged() {
            return Err(Errno::EPERM);
        }
        self.groups = groups;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// apt's DropPrivileges (apt-pkg/contrib/fileutl.cc), with its own checks after it.
    #[test]
    fn apt_drops_its_rights_and_cannot_take_them_back() {
        let mut c = Credentials::new(0, 0);
        c.set_groups(vec![65534]).unwrap();
        c.set_all(Id::Group, [65534; 3]).unwrap();
        c.set_all(Id::User, [42; 3]).unwrap();
        assert_eq!(c.user, Ids::all(42));
        assert_eq!(c.group, Ids::all(65534));
        assert_eq!(c.set(Id::User, 0), Err(Errno::EPERM));
        assert_eq!(c.set(Id::Group, 0), Err(Errno::EPERM));
        assert_eq!(c.set_pair(Id::User, KEEP, 0), Err(Errno::EPERM));
        assert_eq!(c.set_all(Id::User, [KEEP, 0, KEEP]), Err(Errno::EPERM));
        assert_eq!(c.set_groups(vec![0]), Err(Errno::EPERM));
        assert_eq!(c.user, Ids::all(42));
    }

    /// util-linux's setpriv: the user first, then the groups.
    #[test]
    fn kept_rights_last_as_long_as_the_program() {
        let mut c = Credentials::new(0, 0);
        c.keep_rights(Some((1, 2)));
        c.set_all(Id::User, [33; 3]).unwrap();
        c.runs(Some((1, 2)));
        c.set_all(Id::Group, [44; 3]).unwrap();
        c.set_groups(vec![44]).unwrap();
        c.runs(Some((1, 3)));
        assert_eq!(c.set_groups(Vec::new()), Err(Errno::EPERM));
        assert_eq!(c.set(Id::User, 0), Err(Errno::EPERM));
        assert_eq!((c.user, c.group), (Ids::all(33), Ids::all(44)));
    }

    #[test]
    fn a_saved_zero_can_be_taken_back() {
        let mut c = Credentials::new(0, 0);
        c.set_all(Id::User, [KEEP, 5, KEEP]).unwrap();
        assert_eq!(c.set(Id::Group, 5), Err(Errno::EPERM));
        c.set(Id::User, 0).unwrap();
        c.set(Id::Group, 5).unwrap();
        assert_eq!(c.group, Ids::all(5));
    }

    #[test]
    fn setreuid_sets_the_saved_id_as_the_kernel_does() {
        let mut c = Credentials::new(0, 0);
        c.set_pair(Id::User, KEEP, 0).unwrap();
        assert_eq!(c.user.saved, 0);
        c.set_pair(Id::User, 7, 8).unwrap();
        assert_eq!(
            (c.user.real, c.user.effective, c.user.saved, c.user.file),
            (7, 8, 8, 8)
        );
        c.set_pair(Id::User, 8, 7).unwrap();
        assert_eq!((c.user.real, c.user.effective, c.user.saved), (8, 7, 7));
        assert_eq!(c.set_pair(Id::User, 0, KEEP), Err(Errno::EPERM));
    }

    #[test]
    fn setfsuid_returns_the_old_id_and_refuses_silently() {
        let mut c = Credentials::new(3, 3);
        assert_eq!(c.set_file(Id::User, 9), 3);
        assert_eq!(c.user.file, 3);
        assert_eq!(c.set(Id::User, KEEP), Err(Errno::EINVAL));
    }
}
