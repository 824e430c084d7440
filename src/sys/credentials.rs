//! Users, groups, capabilities and other rights of the calling process.

use nix::errno::Errno;

use crate::common::{Error, Result};

/// A set of capabilities as bits (capabilities(7)).
pub(crate) type CapSet = u64;

/// Highest capability this kernel may know; bits above the kernel's own last one are ignored
/// by dropping only what prctl(2) accepts.
const LAST_CAP: u32 = 63;

/// capset(2) header and data, version 3.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;

/// prctl(2) with integer arguments.
fn prctl(option: i32, a: u64, b: u64) -> std::result::Result<i32, Errno> {
    // SAFETY: every option used in this file takes integers only; the last two are
    // unused.
    Errno::result(unsafe { libc::prctl(option, a, b, 0, 0) })
}

/// Removes from the bounding set every capability not in `keep`.
pub(crate) fn drop_bounding(keep: CapSet) -> Result<()> {
    for cap in 0..=LAST_CAP {
        if keep & (1 << cap) != 0 {
            continue;
        }
        match prctl(libc::PR_CAPBSET_DROP, u64::from(cap), 0) {
            Ok(_) => {}
            // Past the kernel's last capability.
            Err(Errno::EINVAL) => break,
            Err(errno) => {
                return Err(Error::errno(
                    "drop bounding capability",
                    cap.to_string(),
                    errno,
                ));
            }
        }
    }
    Ok(())
}

/// Sets the effective, permitted and inheritable sets.
pub(crate) fn set_caps(effective: CapSet, permitted: CapSet, inheritable: CapSet) -> Result<()> {
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let half = |set: CapSet, high: bool| if high { (set >> 32) as u32 } else { set as u32 };
    let data = [false, true].map(|high| Data {
        effective: half(effective, high),
        permitted: half(permitted, high),
        inheritable: half(inheritable, high),
    });
    // SAFETY: version 3 reads one header and two data elements, both alive for the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    Errno::result(result)
        .map(drop)
        .map_err(|errno| Error::errno("set capabilities", "", errno))
}

/// The permitted set of this process.
pub(crate) fn permitted_caps() -> Result<CapSet> {
    let mut header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let mut data = [Data::default(); 2];
    // SAFETY: version 3 writes two data elements, both alive for the call.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    Errno::result(result).map_err(|errno| Error::errno("get capabilities", "", errno))?;
    Ok(u64::from(data[0].permitted) | u64::from(data[1].permitted) << 32)
}

/// Empties the ambient set (kernels before 4.3 have none).
pub(crate) fn clear_ambient() {
    let _ = prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as u64,
        0,
    );
}

/// Lets a program that this process becomes keep the permitted capabilities, whoever it runs as:
/// after exec only user 0 has them by itself (ambient set, Linux 4.3).
pub(crate) fn hand_caps_over() -> Result<()> {
    let permitted = permitted_caps()?;
    set_caps(permitted, permitted, permitted)?;
    for cap in (0..=LAST_CAP).filter(|cap| permitted & (1 << cap) != 0) {
        prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_RAISE as u64,
            u64::from(cap),
        )
        .map_err(|errno| Error::errno("keep capability", cap.to_string(), errno))?;
    }
    Ok(())
}

/// Keeps the permitted capabilities across a change from user 0 to another.
pub(crate) fn keep_caps(on: bool) -> Result<()> {
    prctl(libc::PR_SET_KEEPCAPS, u64::from(on), 0)
        .map(drop)
        .map_err(|errno| Error::errno("set", "PR_SET_KEEPCAPS", errno))
}

/// Forbids gaining rights by exec (PR_SET_NO_NEW_PRIVS), for good.
pub(crate) fn no_new_privs() -> Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0)
        .map(drop)
        .map_err(|errno| Error::errno("set", "PR_SET_NO_NEW_PRIVS", errno))
}

/// Makes this process invisible to ptrace and its /proc entries root's, until an exec.
pub(crate) fn not_dumpable() -> Result<()> {
    prctl(libc::PR_SET_DUMPABLE, 0, 0)
        .map(drop)
        .map_err(|errno| Error::errno("set", "PR_SET_DUMPABLE", errno))
}

/// Makes this process's /proc entries its own again, for the moment its id map is written.
pub(crate) fn dumpable() -> Result<()> {
    prctl(libc::PR_SET_DUMPABLE, 1, 0)
        .map(drop)
        .map_err(|errno| Error::errno("set", "PR_SET_DUMPABLE", errno))
}

/// Has the kernel kill this process when its parent dies. Cleared by a change of user, so it
/// is called after the last one.
pub(crate) fn die_with_parent() -> Result<()> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as u64, 0)
        .map(drop)
        .map_err(|errno| Error::errno("set", "PR_SET_PDEATHSIG", errno))
}

/// Sets real, effective and saved user and group ids of the single thread.
pub(crate) fn set_ids(uid: u32, gid: u32) -> Result<()> {
    // SAFETY: setresgid and setresuid take integers.
    let group = Errno::result(unsafe { libc::setresgid(gid, gid, gid) });
    group.map_err(|errno| Error::errno("set group id", gid.to_string(), errno))?;
    // SAFETY: as above.
    let user = Errno::result(unsafe { libc::setresuid(uid, uid, uid) });
    user.map(drop)
        .map_err(|errno| Error::errno("set user id", uid.to_string(), errno))
}

/// Sets the supplementary groups.
pub(crate) fn set_groups(groups: &[u32]) -> std::result::Result<(), Errno> {
    // SAFETY: pointer and length describe one slice.
    Errno::result(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }).map(drop)
}

/// Starts an empty session keyring, so that the caller's keys stay out of reach
/// (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING). Quotas and old kernels may refuse; then the
/// keyring is the caller's, which the seccomp profile hides by refusing keyctl.
pub(crate) fn new_session_keyring() {
    const KEYCTL_JOIN_SESSION_KEYRING: i32 = 1;
    // SAFETY: a null name asks for an anonymous keyring.
    unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            KEYCTL_JOIN_SESSION_KEYRING,
            std::ptr::null::<libc::c_char>(),
        )
    };
}
