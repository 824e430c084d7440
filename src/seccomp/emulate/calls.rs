//! The system calls identity emulation answers, and their numbers, as data.

use crate::seccomp::arch::Arch;

/// No such call on that architecture.
const NONE: u32 = u32::MAX;

/// User or group ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    /// User.
    User,
    /// Group.
    Group,
}

/// Which of a process's ids a getter returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Real.
    Real,
    /// Effective.
    Effective,
}

/// What a trapped call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// chown and lchown.
    Chown {
        /// Whether a last symlink is followed.
        follow: bool,
    },
    /// fchown.
    Fchown,
    /// fchownat.
    Fchownat,
    /// setxattr and lsetxattr.
    Setxattr {
        /// Whether a last symlink is followed.
        follow: bool,
    },
    /// fsetxattr.
    Fsetxattr,
    /// setxattrat.
    Setxattrat,
    /// mknod.
    Mknod,
    /// mknodat.
    Mknodat,
    /// get[e]uid, get[e]gid.
    Get(Id, Which),
    /// getresuid, getresgid.
    GetAll(Id),
    /// getgroups.
    GetGroups,
    /// setuid, setgid.
    Set(Id),
    /// setreuid, setregid.
    SetPair(Id),
    /// setresuid, setresgid.
    SetAll(Id),
    /// setfsuid, setfsgid.
    SetFs(Id),
    /// setgroups.
    SetGroups,
    /// prctl(PR_SET_KEEPCAPS).
    KeepRights,
}

/// How the filter treats a trapped call when nobody can answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// Real call: the answer is right as long as nothing was set.
    Getter,
    /// Returns 0 and does nothing.
    Setter,
    /// Real call: most attributes are settable, and the filter cannot read the name.
    Attribute,
    /// As `Setter`, for device nodes only.
    Node {
        /// Argument that holds the mode.
        mode: u8,
    },
    /// Real call, seen only to know of it: prctl with this first argument.
    Watch {
        /// The argument.
        option: u32,
    },
}

/// One trapped call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trapped {
    /// Its name in the table of numbers.
    pub(crate) name: &'static str,
    /// Its numbers, in the order of `Arch::ALL`.
    numbers: [u32; 4],
    /// What it is.
    pub(crate) call: Call,
    /// Whether ids have 16 bits where a `…32` twin exists (32-bit architectures).
    half: bool,
    /// What happens without an answerer.
    pub(crate) handling: Handling,
}

impl Trapped {
    /// Its number on `arch`.
    pub(crate) fn number(&self, arch: Arch) -> Option<u32> {
        Some(self.numbers[arch.column()]).filter(|number| *number != NONE)
    }

    /// The trapped call with this number, and whether its ids have 16 bits.
    pub(crate) fn find(arch: Arch, number: u32) -> Option<(Call, bool)> {
        TRAPPED
            .iter()
            .find(|trapped| trapped.number(arch) == Some(number))
            .map(|trapped| (trapped.call, trapped.half && !arch.is_64bit()))
    }
}

/// Every trapped call.
#[rustfmt::skip]
pub(crate) const TRAPPED: &[Trapped] = &[
    Trapped { name: "chown", numbers: [92, 182, NONE, 182], call: Call::Chown { follow: true }, half: true, handling: Handling::Setter },
    Trapped { name: "chown32", numbers: [NONE, 212, NONE, 212], call: Call::Chown { follow: true }, half: false, handling: Handling::Setter },
    Trapped { name: "lchown", numbers: [94, 16, NONE, 16], call: Call::Chown { follow: false }, half: true, handling: Handling::Setter },
    Trapped { name: "lchown32", numbers: [NONE, 198, NONE, 198], call: Call::Chown { follow: false }, half: false, handling: Handling::Setter },
    Trapped { name: "fchown", numbers: [93, 95, 55, 95], call: Call::Fchown, half: true, handling: Handling::Setter },
    Trapped { name: "fchown32", numbers: [NONE, 207, NONE, 207], call: Call::Fchown, half: false, handling: Handling::Setter },
    Trapped { name: "fchownat", numbers: [260, 298, 54, 325], call: Call::Fchownat, half: false, handling: Handling::Setter },
    Trapped { name: "setxattr", numbers: [188, 226, 5, 226], call: Call::Setxattr{ follow: true }, half: false, handling: Handling::Attribute },
    Trapped { name: "lsetxattr", numbers: [189, 227, 6, 227], call: Call::Setxattr{ follow: false }, half: false, handling: Handling::Attribute },
    Trapped { name: "fsetxattr", numbers: [190, 228, 7, 228], call: Call::Fsetxattr, half: false, handling: Handling::Attribute },
    Trapped { name: "setxattrat", numbers: [463, 463, 463, 463], call: Call::Setxattrat, half: false, handling: Handling::Attribute },
    Trapped { name: "mknod", numbers: [133, 14, NONE, 14], call: Call::Mknod, half: false, handling: Handling::Node { mode: 1 } },
    Trapped { name: "mknodat", numbers: [259, 297, 33, 324], call: Call::Mknodat, half: false, handling: Handling::Node { mode: 2 } },
    Trapped { name: "getuid", numbers: [102, 24, 174, 24], call: Call::Get(Id::User, Which::Real), half: true, handling: Handling::Getter },
    Trapped { name: "getuid32", numbers: [NONE, 199, NONE, 199], call: Call::Get(Id::User, Which::Real), half: false, handling: Handling::Getter },
    Trapped { name: "geteuid", numbers: [107, 49, 175, 49], call: Call::Get(Id::User, Which::Effective), half: true, handling: Handling::Getter },
    Trapped { name: "geteuid32", numbers: [NONE, 201, NONE, 201], call: Call::Get(Id::User, Which::Effective), half: false, handling: Handling::Getter },
    Trapped { name: "getgid", numbers: [104, 47, 176, 47], call: Call::Get(Id::Group, Which::Real), half: true, handling: Handling::Getter },
    Trapped { name: "getgid32", numbers: [NONE, 200, NONE, 200], call: Call::Get(Id::Group, Which::Real), half: false, handling: Handling::Getter },
    Trapped { name: "getegid", numbers: [108, 50, 177, 50], call: Call::Get(Id::Group, Which::Effective), half: true, handling: Handling::Getter },
    Trapped { name: "getegid32", numbers: [NONE, 202, NONE, 202], call: Call::Get(Id::Group, Which::Effective), half: false, handling: Handling::Getter },
    Trapped { name: "getresuid", numbers: [118, 165, 148, 165], call: Call::GetAll(Id::User), half: true, handling: Handling::Getter },
    Trapped { name: "getresuid32", numbers: [NONE, 209, NONE, 209], call: Call::GetAll(Id::User), half: false, handling: Handling::Getter },
    Trapped { name: "getresgid", numbers: [120, 171, 150, 171], call: Call::GetAll(Id::Group), half: true, handling: Handling::Getter },
    Trapped { name: "getresgid32", numbers: [NONE, 211, NONE, 211], call: Call::GetAll(Id::Group), half: false, handling: Handling::Getter },
    Trapped { name: "getgroups", numbers: [115, 80, 158, 80], call: Call::GetGroups, half: true, handling: Handling::Getter },
    Trapped { name: "getgroups32", numbers: [NONE, 205, NONE, 205], call: Call::GetGroups, half: false, handling: Handling::Getter },
    Trapped { name: "setuid", numbers: [105, 23, 146, 23], call: Call::Set(Id::User), half: true, handling: Handling::Setter },
    Trapped { name: "setuid32", numbers: [NONE, 213, NONE, 213], call: Call::Set(Id::User), half: false, handling: Handling::Setter },
    Trapped { name: "setgid", numbers: [106, 46, 144, 46], call: Call::Set(Id::Group), half: true, handling: Handling::Setter },
    Trapped { name: "setgid32", numbers: [NONE, 214, NONE, 214], call: Call::Set(Id::Group), half: false, handling: Handling::Setter },
    Trapped { name: "setreuid", numbers: [113, 70, 145, 70], call: Call::SetPair(Id::User), half: true, handling: Handling::Setter },
    Trapped { name: "setreuid32", numbers: [NONE, 203, NONE, 203], call: Call::SetPair(Id::User), half: false, handling: Handling::Setter },
    Trapped { name: "setregid", numbers: [114, 71, 143, 71], call: Call::SetPair(Id::Group), half: true, handling: Handling::Setter },
    Trapped { name: "setregid32", numbers: [NONE, 204, NONE, 204], call: Call::SetPair(Id::Group), half: false, handling: Handling::Setter },
    Trapped { name: "setresuid", numbers: [117, 164, 147, 164], call: Call::SetAll(Id::User), half: true, handling: Handling::Setter },
    Trapped { name: "setresuid32", numbers: [NONE, 208, NONE, 208], call: Call::SetAll(Id::User), half: false, handling: Handling::Setter },
    Trapped { name: "setresgid", numbers: [119, 170, 149, 170], call: Call::SetAll(Id::Group), half: true, handling: Handling::Setter },
    Trapped { name: "setresgid32", numbers: [NONE, 210, NONE, 210], call: Call::SetAll(Id::Group), half: false, handling: Handling::Setter },
    Trapped { name: "setfsuid", numbers: [122, 138, 151, 138], call: Call::SetFs(Id::User), half: true, handling: Handling::Setter },
    Trapped { name: "setfsuid32", numbers: [NONE, 215, NONE, 215], call: Call::SetFs(Id::User), half: false, handling: Handling::Setter },
    Trapped { name: "setfsgid", numbers: [123, 139, 152, 139], call: Call::SetFs(Id::Group), half: true, handling: Handling::Setter },
    Trapped { name: "setfsgid32", numbers: [NONE, 216, NONE, 216], call: Call::SetFs(Id::Group), half: false, handling: Handling::Setter },
    Trapped { name: "setgroups", numbers: [116, 81, 159, 81], call: Call::SetGroups, half: true, handling: Handling::Setter },
    Trapped { name: "setgroups32", numbers: [NONE, 206, NONE, 206], call: Call::SetGroups, half: false, handling: Handling::Setter },
    Trapped { name: "prctl", numbers: [157, 172, 167, 172], call: Call::KeepRights, half: false, handling: Handling::Watch { option: libc::PR_SET_KEEPCAPS as u32 } },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_the_table_of_all_calls() {
        for arch in Arch::ALL {
            for trapped in TRAPPED {
                let known = arch.syscalls().find(|(name, _)| *name == trapped.name);
                assert_eq!(
                    trapped.number(arch),
                    known.map(|(_, v)| v),
                    "{}",
                    trapped.name
                );
            }
        }
    }
}
