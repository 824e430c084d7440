//! Numbers behind the names of capabilities and resource limits.

use oci_spec::runtime::{Capability, PosixRlimitType};

/// Number of a capability (linux/capability.h).
pub(crate) fn oci_number(cap: Capability) -> u32 {
    match cap {
        Capability::Chown => 0,
        Capability::DacOverride => 1,
        Capability::DacReadSearch => 2,
        Capability::Fowner => 3,
        Capability::Fsetid => 4,
        Capability::Kill => 5,
        Capability::Setgid => 6,
        Capability::Setuid => 7,
        Capability::Setpcap => 8,
        Capability::LinuxImmutable => 9,
        Capability::NetBindService => 10,
        Capability::NetBroadcast => 11,
        Capability::NetAdmin => 12,
        Capability::NetRaw => 13,
        Capability::IpcLock => 14,
        Capability::IpcOwner => 15,
        Capability::SysModule => 16,
        Capability::SysRawio => 17,
        Capability::SysChroot => 18,
        Capability::SysPtrace => 19,
        Capability::SysPacct => 20,
        Capability::SysAdmin => 21,
        Capability::SysBoot => 22,
        Capability::SysNice => 23,
        Capability::SysResource => 24,
        Capability::SysTime => 25,
        Capability::SysTtyConfig => 26,
        Capability::Mknod => 27,
        Capability::Lease => 28,
        Capability::AuditWrite => 29,
        Capability::AuditControl => 30,
        Capability::Setfcap => 31,
        Capability::MacOverride => 32,
        Capability::MacAdmin => 33,
        Capability::Syslog => 34,
        Capability::WakeAlarm => 35,
        Capability::BlockSuspend => 36,
        Capability::AuditRead => 37,
        Capability::Perfmon => 38,
        Capability::Bpf => 39,
        Capability::CheckpointRestore => 40,
    }
}

/// Number of a resource limit, and its name in `--ulimit`.
pub(crate) fn rlimit(limit: PosixRlimitType) -> (u32, &'static str) {
    use PosixRlimitType as L;
    match limit {
        L::RlimitCpu => (libc::RLIMIT_CPU, "cpu"),
        L::RlimitFsize => (libc::RLIMIT_FSIZE, "fsize"),
        L::RlimitData => (libc::RLIMIT_DATA, "data"),
        L::RlimitStack => (libc::RLIMIT_STACK, "stack"),
        L::RlimitCore => (libc::RLIMIT_CORE, "core"),
        L::RlimitRss => (libc::RLIMIT_RSS, "rss"),
        L::RlimitNproc => (libc::RLIMIT_NPROC, "nproc"),
        L::RlimitNofile => (libc::RLIMIT_NOFILE, "nofile"),
        L::RlimitMemlock => (libc::RLIMIT_MEMLOCK, "memlock"),
        L::RlimitAs => (libc::RLIMIT_AS, "as"),
        L::RlimitLocks => (libc::RLIMIT_LOCKS, "locks"),
        L::RlimitSigpending => (libc::RLIMIT_SIGPENDING, "sigpending"),
        L::RlimitMsgqueue => (libc::RLIMIT_MSGQUEUE, "msgqueue"),
        L::RlimitNice => (libc::RLIMIT_NICE, "nice"),
        L::RlimitRtprio => (libc::RLIMIT_RTPRIO, "rtprio"),
        L::RlimitRttime => (libc::RLIMIT_RTTIME, "rttime"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree_with_the_kernel() {
        for (cap, number) in [
            (Capability::Chown, 0),
            (Capability::SysAdmin, 21),
            (Capability::CheckpointRestore, 40),
        ] {
            assert_eq!(oci_number(cap), number);
        }
    }
}
