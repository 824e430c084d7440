//! What this machine offers to containers, and the exact command for each rung it does not
//! reach. Returns data; `cli` prints it.
#![forbid(unsafe_code)]

mod advice;
mod cgroups;
mod identity;
mod kernel;
mod network;
mod storage;

#[cfg(test)]
mod tests;

use std::path::Path;

use serde::Serialize;

use crate::common::Mode;
use crate::host::Host;

/// How well a facility works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As good as it gets.
    Ok,
    /// It runs, with something less.
    Degraded,
    /// Not there.
    Missing,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// Stable name that programs can match: `subordinate-ids`.
    pub(crate) name: &'static str,
    /// The judgement.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) found: String,
    /// What that means for containers.
    pub(crate) meaning: &'static str,
    /// Commands that fix it, for a shell, one each; empty when nothing is to be fixed.
    pub(crate) fix: Vec<String>,
    /// Says whether the commands need an administrator.
    pub(crate) needs_admin: bool,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>, meaning: &'static str) -> Check {
        Check {
            name,
            verdict: Verdict::Ok,
            found: found.into(),
            meaning,
            fix: Vec::new(),
            needs_admin: false,
        }
    }

    fn degraded(name: &'static str, found: impl Into<String>, meaning: &'static str) -> Check {
        Check {
            verdict: Verdict::Degraded,
            ..Check::ok(name, found, meaning)
        }
    }

    fn missing(name: &'static str, found: impl Into<String>, meaning: &'static str) -> Check {
        Check {
            verdict: Verdict::Missing,
            ..Check::ok(name, found, meaning)
        }
    }

    /// Adds a command that an administrator has to run.
    fn admin(mut self, command: impl Into<String>) -> Check {
        self.fix.push(command.into());
        self.needs_admin = true;
        self
    }

    /// Adds a command that the user can run.
    fn user(mut self, command: impl Into<String>) -> Check {
        self.fix.push(command.into());
        self
    }
}

/// The whole table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Rung of the identity ladder that containers get here.
    pub(crate) identity: Mode,
    /// Rung of the root file system ladder: `overlay`, `fuse-overlayfs`, `copy`, or `none` where
    /// images cannot run.
    pub(crate) rootfs: &'static str,
    /// Rung of the cgroup ladder: `systemd`, `delegated`, `v1` or `none`.
    pub(crate) cgroup: &'static str,
    /// Rung of the network ladder: `bridge`, `private` or `host`.
    pub(crate) network: &'static str,
    /// Every check, in the order to read them.
    pub(crate) checks: Vec<Check>,
}

impl Report {
    /// Says whether images can run here at all.
    pub(crate) fn can_run(&self) -> bool {
        let blocking = |check: &Check| {
            check.name == identity::USER_NAMESPACES && check.verdict == Verdict::Missing
        };
        let mounts = self.rootfs != storage::NONE;
        mounts && (self.identity == Mode::Root || !self.checks.iter().any(blocking))
    }

    /// The check called `name`.
    #[cfg(test)]
    pub(crate) fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}

/// Examines the machine. `store` is where images would be kept (it need not exist; what the
/// trials make there is removed again), `asked` the value of `KETCH_IDENTITY`.
pub(crate) fn examine(host: &Host, store: &Path, asked: Option<&str>) -> Report {
    // A rung asked for and not reached is shown as what would be had without asking.
    let identity = host
        .identity_mode(asked)
        .or_else(|_| host.identity_mode(None))
        .unwrap_or(Mode::Single);
    let mut checks = vec![kernel::version(host)];
    checks.extend(identity::checks(host, identity));
    let (rootfs, storage) = storage::checks(host, store, identity);
    checks.extend(storage);
    let (cgroup, limits) = cgroups::checks(host);
    checks.extend(limits);
    let (network, links) = network::checks(host, identity);
    checks.extend(links);
    checks.extend(kernel::seccomp());
    checks.extend(kernel::resource_limits());
    Report {
        identity,
        rootfs,
        cgroup,
        network,
        checks,
    }
}
