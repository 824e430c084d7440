//! Verbs on containers.

mod etc;
mod event;
mod exec;
mod failure;
mod health;
mod image;
mod inspect;
mod keeper;
mod list;
mod live;
mod logs;
mod names;
mod prepare;
mod remove;
mod request;
mod run;
mod top;
mod userns;

pub(crate) use exec::{ExecOutcome, ExecRequest, exec};
pub(crate) use failure::RunFailure;
pub(crate) use health::probe_by_hand;
pub(crate) use inspect::inspect;
pub(crate) use list::{ListRequest, list};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use remove::{RemoveRequest, remove, sweep};
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunOutcome, RunRequest};
pub(crate) use run::run;
pub(crate) use top::{Descriptor, TopRequest, top};
