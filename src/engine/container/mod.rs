//! Verbs on containers.

mod etc;
pub(crate) mod event;
mod failure;
mod image;
mod inspect;
mod list;
mod logs;
mod names;
mod prepare;
mod remove;
mod request;
mod run;
mod userns;

pub(crate) use failure::RunFailure;
pub(crate) use inspect::inspect;
pub(crate) use list::{ListRequest, list};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use remove::{RemoveRequest, remove, sweep};
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunOutcome, RunRequest};
pub(crate) use run::run;
