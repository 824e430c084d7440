//! Verbs on containers.

mod base;
mod commit;
mod copy;
mod diff;
mod etc;
mod event;
mod export;
mod failure;
mod image;
mod inside;
mod inspect;
mod list;
mod logs;
mod lower;
mod mount;
mod names;
mod prepare;
mod remove;
mod request;
mod run;
mod still;
mod userns;

pub(crate) use commit::{CommitRequest, commit};
pub(crate) use copy::{CopyRequest, Ownership, Place, Streams, copy};
pub(crate) use diff::{Change, Difference, diff};
pub(crate) use export::export;
pub(crate) use failure::RunFailure;
pub(crate) use inspect::inspect;
pub(crate) use list::{ListRequest, list};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use mount::{Mounted, mount, mounted, unmount};
pub(crate) use remove::{RemoveRequest, remove, sweep};
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunOutcome, RunRequest};
pub(crate) use run::run;
