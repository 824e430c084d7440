//! System call filters: docker's profiles compiled to classic BPF, cached, and the emulation of
//! identity calls for containers that have one id only.
//!
//! ```text
//! profile (JSON) + caps + kernel ── policy: verdict per number ── compile: tree over ranges
//!                                                                   │
//!                            <cache>/<hash> ◄── cached ──────────── Program ──► sys::seccomp::load
//!                                                                                 │ listener
//!                            IdentityEmulator (the process that waits) ◄───────────┘
//! ```

#![forbid(unsafe_code)]

mod action;
mod arch;
mod cache;
mod compile;
mod emulate;
mod policy;
mod profile;
mod program;

#[cfg(test)]
mod bpf;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;

pub(crate) use cache::cached;
pub(crate) use emulate::IdentityEmulator;
pub(crate) use program::Program;

use crate::common::{Error, Result};
use arch::Arch;
use profile::{Context, Profile};

/// Which rules a filter is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProfileChoice<'a> {
    /// docker's default profile.
    Default,
    /// A document of the user's, in docker's or the OCI runtime spec's form.
    Text(&'a str),
}

/// How calls that read or change ids and owners are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The kernel answers.
    #[default]
    Real,
    /// `IdentityEmulator` answers; the filter must be loaded with a listener.
    Notify,
    /// Setters and device nodes return 0 and do nothing, getters are real. For kernels that
    /// cannot notify (before 5.6); programs that check their new ids notice.
    Pretend,
}

impl Identity {
    /// How a container with one id is best served on this kernel. Notifications need 5.5 for
    /// "let the kernel do it" and the answerer needs openat2(2), which came with 5.6.
    pub(crate) fn best() -> Identity {
        let recent = running_kernel().is_ok_and(|version| version >= (5, 6));
        if recent && crate::sys::seccomp::can_notify() {
            Identity::Notify
        } else {
            Identity::Pretend
        }
    }
}

/// What to compile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The rules.
    pub(crate) profile: ProfileChoice<'a>,
    /// Capabilities of the container as `CAP_…`; the profile's conditions see these.
    pub(crate) caps: &'a [&'a str],
    /// What identity calls do.
    pub(crate) identity: Identity,
}

/// Compiles a filter for this machine. A profile with bad words, or one too large for the
/// kernel, is a `Usage` error.
#[cfg(test)]
pub(crate) fn compile(request: &Request<'_>) -> Result<Program> {
    compile_for(request, Arch::native(), running_kernel()?)
}

fn compile_for(request: &Request<'_>, native: Arch, kernel: (u32, u32)) -> Result<Program> {
    let profile = Profile::parse(match request.profile {
        ProfileChoice::Default => profile::DEFAULT,
        ProfileChoice::Text(text) => text,
    })?;
    let context = Context {
        native,
        kernel,
        caps: request.caps,
    };
    compile::compile(&policy::resolve(&profile, &context, request.identity)?)
}

/// Version of the running kernel, for `minKernel`.
fn running_kernel() -> Result<(u32, u32)> {
    let name = nix::sys::utsname::uname()
        .map_err(|errno| Error::errno("read kernel version", "", errno))?;
    profile::parse_version(&name.release().to_string_lossy())
}
