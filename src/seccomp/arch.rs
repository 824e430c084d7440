//! Architectures a filter can speak about, and their system call numbers by name.

/// Table of names and numbers, taken from libseccomp's `syscalls.csv` (kernel 7.1).
const TABLE: &str = include_str!("syscalls.csv");

/// Numbers from here are 32-bit Arm's private calls (`cacheflush`, `set_tls`), far above the
/// ordinary ones; they say nothing about which ordinary numbers a profile knows.
pub(crate) const ARM_PRIVATE: u32 = 0x000f_0000;

/// One system call convention as the kernel names it in `seccomp_data.arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arch {
    /// 64-bit x86; x32 numbers (bit 30) share its audit value and are always refused.
    X86_64,
    /// 32-bit x86.
    I386,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm, EABI.
    Arm,
}

impl Arch {
    /// Every known architecture, in the order of the table's columns.
    pub(crate) const ALL: [Arch; 4] = [Arch::X86_64, Arch::I386, Arch::Aarch64, Arch::Arm];

    /// The architecture this program was built for.
    pub(crate) fn native() -> Arch {
        if cfg!(target_arch = "aarch64") {
            Arch::Aarch64
        } else {
            Arch::X86_64
        }
    }

    /// `AUDIT_ARCH_*` of linux/audit.h.
    pub(crate) fn audit(self) -> u32 {
        match self {
            Arch::X86_64 => 0xc000_003e,
            Arch::I386 => 0x4000_0003,
            Arch::Aarch64 => 0xc000_00b7,
            Arch::Arm => 0x4000_0028,
        }
    }

    /// The architecture of an audit value.
    pub(crate) fn of_audit(audit: u32) -> Option<Arch> {
        Arch::ALL.into_iter().find(|arch| arch.audit() == audit)
    }

    /// The architecture of a profile's word; `None` for one ketch does not run on.
    pub(crate) fn of_token(token: &str) -> Option<Arch> {
        match token {
            "SCMP_ARCH_X86_64" => Some(Arch::X86_64),
            "SCMP_ARCH_X86" => Some(Arch::I386),
            "SCMP_ARCH_AARCH64" => Some(Arch::Aarch64),
            "SCMP_ARCH_ARM" => Some(Arch::Arm),
            _ => None,
        }
    }

    /// Go's name of the architecture, the word of `includes.arches` and `excludes.arches`.
    pub(crate) fn go_name(self) -> &'static str {
        match self {
            Arch::X86_64 => "amd64",
            Arch::I386 => "x86",
            Arch::Aarch64 => "arm64",
            Arch::Arm => "arm",
        }
    }

    /// Whether arguments have 64 bits; the kernel zero-extends those of 32-bit callers.
    pub(crate) fn is_64bit(self) -> bool {
        matches!(self, Arch::X86_64 | Arch::Aarch64)
    }

    /// Position of this architecture in tables of four numbers.
    pub(crate) fn column(self) -> usize {
        self as usize
    }

    /// All `(name, number)` pairs of this architecture, by name.
    pub(crate) fn syscalls(self) -> impl Iterator<Item = (&'static str, u32)> {
        TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(move |line| {
                let mut fields = line.split(',');
                let name = fields.next()?;
                let number = fields.nth(self.column())?.parse().ok()?;
                Some((name, number))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_libc_crate_and_has_no_number_twice() {
        let native: Vec<_> = Arch::native().syscalls().collect();
        let number = |name: &str| native.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        assert_eq!(number("openat2"), Some(libc::SYS_openat2 as u32));
        assert_eq!(number("clone3"), Some(libc::SYS_clone3 as u32));
        assert_eq!(number("setresuid"), Some(libc::SYS_setresuid as u32));
        for arch in Arch::ALL {
            let mut numbers: Vec<u32> = arch.syscalls().map(|(_, v)| v).collect();
            let all = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), all, "{arch:?}");
            assert!(all > 300, "{arch:?}");
            assert_eq!(Arch::of_audit(arch.audit()), Some(arch));
        }
    }
}
