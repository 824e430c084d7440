//! Verbs on containers.

mod etc;
pub(crate) mod event;
mod failure;
mod image;
mod inspect;
mod list;
mod logs;
mod names;
mod port;
mod prepare;
mod remove;
mod request;
mod run;
mod stats;
mod usage;
mod userns;

pub(crate) use failure::RunFailure;
pub(crate) use inspect::inspect;
pub(crate) use list::{ListRequest, exposed, image_sizes, list, namespaces, restart_policy};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use port::ports;
pub(crate) use remove::{RemoveRequest, remove, sweep};
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunOutcome, RunRequest};
pub(crate) use run::run;
pub(crate) use stats::{ContainerStats, Sampler, StatsRequest};
