//! Moving a running container's processes into another cgroup.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::common::{Error, Kind, Result};

/// Turns of moving processes that fork on.
const TURNS: u32 = 1000;

/// Moves processes into the cgroup at `target`, again and again until `members` names no new one:
/// what they fork then is born inside.
///
/// # Errors
/// When the kernel refuses; some may have been moved then.
pub(super) fn move_all(members: &dyn Fn() -> Vec<i32>, target: &Path) -> Result<()> {
    let procs = target.join("cgroup.procs");
    // One that was moved and is not there has ended, and waits for its parent.
    let mut moved = HashSet::new();
    for _ in 0..TURNS {
        let text = fs::read_to_string(&procs).map_err(|e| Error::io("read", &procs, e))?;
        let inside: HashSet<i32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        let mut all_in = true;
        for pid in members() {
            if inside.contains(&pid) || !moved.insert(pid) {
                continue;
            }
            match fs::write(&procs, pid.to_string()) {
                Ok(()) => all_in = false,
                // It ended.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                Err(error) => return Err(Error::io("write", &procs, error)),
            }
        }
        if all_in {
            return Ok(());
        }
    }
    let object = procs.display().to_string();
    Err(Error::new(Kind::Conflict, "move processes to", object)
        .because("they fork faster than they can be moved"))
}
