//! Facts of this machine and of this process on it. Each is probed at most once, when first
//! asked, and kept as data; nothing here decides what will be done with them.
//!
//! | facility | since | without it |
//! |---|---|---|
//! | openat2 `RESOLVE_*` | 5.6 | own walk, one component at a time |
//! | `clone3` into a cgroup | 5.7 | write to `cgroup.procs`, 7 ms |
//! | overlay in a user namespace | 5.11 | fuse-overlayfs, then a plain copy |
//! | id-mapped mounts | 5.12 | one copy of a layer per identity mode |
//! | `cgroup.kill` | 5.14 | signal process by process |
//! | user xattrs on tmpfs | 6.6 | the upper directory goes to a disk |
#![forbid(unsafe_code)]

mod cgroups;
mod env;
mod identity;
pub(crate) mod idmap;
mod info;
mod kernel;
mod logout;
mod subid;
mod tools;
mod userns;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::common::{Mode, Result};
use crate::sys::probe;

pub(crate) use cgroups::{CgroupLayout, CgroupVersion, Unified, V1Hierarchy};
pub(crate) use env::HostEnv;
pub(crate) use idmap::{AUTO_SIZE, AutoMaps, IdMaps, inside, outside};
pub(crate) use info::Info;
pub(crate) use kernel::KernelVersion;
pub(crate) use subid::{SubRange, free_range};
pub(crate) use tools::{Tool, find as find_program};
pub(crate) use userns::{UsernsBlock, UsernsFacts};

/// This machine as seen by this process; built once and passed around.
#[derive(Debug)]
pub(crate) struct Host {
    env: HostEnv,
    euid: u32,
    egid: u32,
    kernel: OnceCell<KernelVersion>,
    admin: OnceCell<bool>,
    initial_userns: OnceCell<bool>,
    owns_ids: OnceCell<bool>,
    userns: OnceCell<UsernsFacts>,
    user_name: OnceCell<Option<String>>,
    subuids: OnceCell<Vec<SubRange>>,
    subgids: OnceCell<Vec<SubRange>>,
    tools: OnceCell<Vec<Tool>>,
    map_helpers: OnceCell<Option<(PathBuf, PathBuf)>>,
    cgroups: OnceCell<CgroupLayout>,
}

impl Host {
    /// Makes an empty set of facts; `env` carries the few variables they depend on.
    pub(crate) fn new(env: HostEnv) -> Host {
        Host {
            env,
            euid: nix::unistd::geteuid().as_raw(),
            egid: nix::unistd::getegid().as_raw(),
            kernel: OnceCell::new(),
            admin: OnceCell::new(),
            initial_userns: OnceCell::new(),
            owns_ids: OnceCell::new(),
            userns: OnceCell::new(),
            user_name: OnceCell::new(),
            subuids: OnceCell::new(),
            subgids: OnceCell::new(),
            tools: OnceCell::new(),
            map_helpers: OnceCell::new(),
            cgroups: OnceCell::new(),
        }
    }

    /// Effective user id.
    pub(crate) fn euid(&self) -> u32 {
        self.euid
    }

    /// Effective group id.
    pub(crate) fn egid(&self) -> u32 {
        self.egid
    }

    /// Version of the running kernel.
    pub(crate) fn kernel(&self) -> KernelVersion {
        *self.kernel.get_or_init(KernelVersion::running)
    }

    /// Says whether the effective capabilities hold `CAP_SYS_ADMIN`.
    pub(crate) fn is_admin(&self) -> bool {
        *self.admin.get_or_init(|| {
            probe::effective_caps().is_ok_and(|caps| caps & probe::CAP_SYS_ADMIN != 0)
        })
    }

    /// Says whether this process is in the first user namespace. Elsewhere, even with all
    /// capabilities, device nodes and `trusted.*` xattrs are refused and overlay needs
    /// `userxattr`.
    pub(crate) fn in_initial_userns(&self) -> bool {
        *self.initial_userns.get_or_init(userns::in_initial)
    }

    /// Says whether this process is root of a user namespace that somebody else made, with ids
    /// enough for the users of an image. They are its to give: no range, no helper is needed.
    pub(crate) fn owns_ids(&self) -> bool {
        *self.owns_ids.get_or_init(|| {
            self.euid == 0
                && self.is_admin()
                && !self.in_initial_userns()
                && userns::mapped_ids() >= u64::from(AUTO_SIZE)
        })
    }

    /// What the sysctls say about making user namespaces.
    pub(crate) fn userns(&self) -> &UsernsFacts {
        self.userns.get_or_init(UsernsFacts::read)
    }

    /// Login name of the effective user: from `/etc/passwd`, else (users of a directory
    /// service) from the environment.
    pub(crate) fn user_name(&self) -> Option<&str> {
        self.user_name
            .get_or_init(|| subid::user_name(self.euid, self.env.user.as_deref()))
            .as_deref()
    }

    /// Subordinate user ids of this user, checked, disjoint, in the order of `/etc/subuid`; for
    /// who [owns](Host::owns_ids) its ids all of them but 0.
    pub(crate) fn subuids(&self) -> &[SubRange] {
        self.subuids.get_or_init(|| {
            if self.owns_ids() {
                return userns::mapped_ranges("/proc/self/uid_map");
            }
            subid::read(
                Path::new("/etc/subuid"),
                self.user_name(),
                self.euid,
                self.euid,
            )
        })
    }

    /// Subordinate group ids of this user (`/etc/subgid` is keyed by user too).
    pub(crate) fn subgids(&self) -> &[SubRange] {
        self.subgids.get_or_init(|| {
            if self.owns_ids() {
                return userns::mapped_ranges("/proc/self/gid_map");
            }
            subid::read(
                Path::new("/etc/subgid"),
                self.user_name(),
                self.euid,
                self.egid,
            )
        })
    }

    /// Helper programs found on `PATH`.
    pub(crate) fn tools(&self) -> &[Tool] {
        self.tools
            .get_or_init(|| tools::scan(self.env.path.as_deref()))
    }

    /// `PATH` as this process got it.
    pub(crate) fn search_path(&self) -> Option<OsString> {
        self.env.path.clone()
    }

    /// Absolute path of the helper program `name`, when it is on `PATH`.
    pub(crate) fn tool(&self, name: &str) -> Option<&Path> {
        let found = self.tools().iter().find(|tool| tool.name == name);
        found.map(|tool| tool.path.as_path())
    }

    /// Absolute paths of `newuidmap` and `newgidmap`, when both are there and privileged.
    pub(crate) fn map_helpers(&self) -> Option<(&Path, &Path)> {
        let look = || tools::map_helpers(self.env.path.as_deref());
        let pair = self.map_helpers.get_or_init(look).as_ref()?;
        Some((&pair.0, &pair.1))
    }

    /// Where the cgroup hierarchies are mounted and where this process is in them.
    pub(crate) fn cgroups(&self) -> &CgroupLayout {
        self.cgroups
            .get_or_init(|| CgroupLayout::read(&self.env, self.euid))
    }

    /// Says whether an ordinary user's overlay mounts can work by this kernel's version.
    pub(crate) fn overlay_in_userns(&self) -> bool {
        self.kernel() >= KernelVersion::new(5, 11)
    }

    /// Chooses the rung of the identity ladder; `asked` is the value of `KETCH_IDENTITY`.
    /// Fails when the rung asked for cannot be reached.
    pub(crate) fn identity_mode(&self, asked: Option<&str>) -> Result<Mode> {
        identity::mode(&HostRungs(self), asked)
    }

    /// Id maps of `mode` with container root as the caller; empty maps in mode `root`.
    pub(crate) fn id_maps(&self, mode: Mode) -> Result<IdMaps> {
        idmap::plain(
            mode,
            self.euid,
            self.egid,
            self.subuids_of(mode),
            self.subgids_of(mode),
        )
    }

    /// Id maps of `--userns=keep-id[:uid=,gid=]`: the caller keeps its number, or gets the one
    /// given, and root inside has the host id that this number had. In mode `root` there is nothing to keep and the maps are empty.
    pub(crate) fn keep_id_maps(
        &self,
        mode: Mode,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> Result<IdMaps> {
        let inside = (uid.unwrap_or(self.euid), gid.unwrap_or(self.egid));
        let ranges = (self.subuids_of(mode), self.subgids_of(mode));
        idmap::keep_id(mode, (self.euid, self.egid), inside, ranges)
    }

    /// Id maps of `--userns=auto` for root: the first free `size` ids of the ranges of the user
    /// `containers`, else of a fixed high range. `used` are the ranges of living containers.
    pub(crate) fn auto_maps(&self, size: u32, used: &[SubRange]) -> Result<AutoMaps> {
        let of = |file: &str| subid::read_named(Path::new(file), "containers");
        idmap::auto(&of("/etc/subuid"), &of("/etc/subgid"), used, size)
    }

    /// Maps of the subordinate ids that the administrator gave these names, from 0 on.
    ///
    /// # Errors
    /// `NotFound` for a name without any.
    pub(crate) fn named_maps(&self, users: &str, groups: &str) -> Result<IdMaps> {
        let of = |file: &str, name: &str| {
            idmap::from_zero(file, name, &subid::read_named(Path::new(file), name))
        };
        Ok(IdMaps {
            uids: of("/etc/subuid", users)?,
            gids: of("/etc/subgid", groups)?,
        })
    }

    /// The socket of the systemd manager's bus this user may talk to: the user's session bus,
    /// for root the system's.
    pub(crate) fn systemd_bus(&self) -> Option<PathBuf> {
        self.env.systemd_bus(self.euid)
    }

    /// Says whether what this user leaves running is killed at the end of the present session.
    pub(crate) fn kills_at_logout(&self) -> bool {
        logout::kills(self.user_name())
    }

    /// What `ketch info` says about this machine.
    pub(crate) fn info(&self) -> Info {
        info::gather(self)
    }

    fn subuids_of(&self, mode: Mode) -> &[SubRange] {
        if mode == Mode::Subid {
            self.subuids()
        } else {
            &[]
        }
    }

    fn subgids_of(&self, mode: Mode) -> &[SubRange] {
        if mode == Mode::Subid {
            self.subgids()
        } else {
            &[]
        }
    }
}

/// Answers the ladder's questions from the lazily probed facts, so that a higher rung found
/// costs no question about a lower one.
struct HostRungs<'a>(&'a Host);

impl identity::Rungs for HostRungs<'_> {
    fn is_root(&self) -> bool {
        self.0.euid == 0
    }
    fn is_admin(&self) -> bool {
        self.0.is_admin()
    }
    fn is_first(&self) -> bool {
        self.0.in_initial_userns()
    }
    fn owns_ids(&self) -> bool {
        self.0.owns_ids()
    }
    fn has_range(&self) -> bool {
        !self.0.subuids().is_empty() && !self.0.subgids().is_empty()
    }
    fn has_helpers(&self) -> bool {
        self.0.map_helpers().is_some()
    }
    fn user(&self) -> String {
        match self.0.user_name() {
            Some(name) => name.to_owned(),
            None => self.0.euid.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::namespace::IdMap;

    #[test]
    fn facts_of_the_running_machine_agree_with_each_other() {
        let host = Host::new(HostEnv::default());
        let mode = host.identity_mode(None).unwrap();
        assert!(mode != Mode::Root || (host.euid() == 0 && host.is_admin()));
        assert!(host.kernel() >= KernelVersion::new(4, 0));
        let maps = host.id_maps(mode).unwrap();
        assert_eq!(maps.uids.is_empty(), mode == Mode::Root);
        let single = host.keep_id_maps(Mode::Single, None, None).unwrap();
        assert_eq!(single.uids, vec![IdMap::new(host.euid(), host.euid(), 1)]);
        assert_eq!(host.identity_mode(Some("single")).unwrap(), Mode::Single);
    }
}
