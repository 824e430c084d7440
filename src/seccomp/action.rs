//! `SCMP_ACT_…` words as the values a filter returns (linux/seccomp.h).

use crate::common::{Error, Result};

/// `SECCOMP_RET_ALLOW`.
pub(super) const ALLOW: u32 = 0x7fff_0000;
/// `SECCOMP_RET_LOG`.
pub(super) const LOG: u32 = 0x7ffc_0000;
/// `SECCOMP_RET_USER_NOTIF`.
pub(super) const USER_NOTIF: u32 = 0x7fc0_0000;
/// `SECCOMP_RET_KILL_THREAD`.
pub(super) const KILL_THREAD: u32 = 0;

const KILL_PROCESS: u32 = 0x8000_0000;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const TRACE: u32 = 0x7ff0_0000;

/// `SECCOMP_RET_ERRNO` with `number`; 0 makes the call do nothing and return 0.
pub(super) fn errno(number: i32) -> u32 {
    ERRNO | (number as u32 & 0xffff)
}

/// The value of a profile's action. `data` is its errno; EPERM when absent, as in runc.
pub(super) fn encode(word: &str, data: Option<u32>) -> Result<u32> {
    let data = data.unwrap_or(libc::EPERM as u32);
    let bad = |why: &str| {
        let word: String = word
            .chars()
            .take(80)
            .flat_map(char::escape_default)
            .collect();
        Err(Error::usage("read seccomp action", word, why))
    };
    if data > 0xffff {
        return bad("errno above 65535");
    }
    Ok(match word {
        "SCMP_ACT_ALLOW" => ALLOW,
        "SCMP_ACT_ERRNO" => ERRNO | data,
        "SCMP_ACT_TRACE" => TRACE | data,
        "SCMP_ACT_LOG" => LOG,
        "SCMP_ACT_TRAP" => TRAP,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => KILL_THREAD,
        "SCMP_ACT_KILL_PROCESS" => KILL_PROCESS,
        "SCMP_ACT_NOTIFY" => return bad("there is no agent that would be notified"),
        _ => return bad("unknown action"),
    })
}
