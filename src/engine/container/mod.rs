//! Verbs on containers.

mod ending;
mod etc;
mod event;
mod failure;
mod image;
mod inspect;
mod kill;
mod list;
mod logs;
mod names;
mod pause;
mod prepare;
mod remove;
mod rename;
mod request;
mod run;
mod userns;
mod wait;

pub(crate) use failure::RunFailure;
pub(crate) use inspect::inspect;
pub(crate) use kill::{StopRequest, kill, stop};
pub(crate) use list::{ListRequest, list};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use pause::{pause, unpause};
pub(crate) use remove::{RemoveRequest, remove, sweep};
pub(crate) use rename::rename;
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunOutcome, RunRequest};
pub(crate) use run::run;
pub(crate) use wait::{Condition, WaitRequest, wait};
