//! Verbs on containers.

mod asked;
mod create;
mod ending;
mod etc;
pub(crate) mod event;
mod failure;
mod image;
mod inspect;
mod kill;
mod launch;
mod list;
mod logs;
mod names;
mod pause;
mod plan;
mod port;
mod remove;
mod rename;
mod request;
mod run;
mod stats;
mod update;
mod usage;
mod userns;
mod wait;

pub(crate) use crate::spec::config::RestartPolicy;
pub(crate) use asked::Asked;
pub(crate) use create::{Prepared, create, find_and_prepare, forget};
pub(crate) use event::note;
pub(crate) use failure::RunFailure;
pub(crate) use inspect::inspect;
pub(crate) use kill::{StopRequest, kill, stop};
pub(crate) use launch::{End, Live, launch, note_end, record_end, reopen};
pub(crate) use list::{ListRequest, exposed, image_sizes, list, namespaces, restart_policy, state};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use pause::{pause, unpause};
pub(crate) use port::ports;
pub(crate) use remove::{
    RemoveRequest, delete_ended as remove_ended, discard, end_leftovers, purge_as_owner, remove,
    sweep,
};
pub(crate) use rename::rename;
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunRequest};
pub(crate) use run::{Timing, run};
pub(crate) use stats::{ContainerStats, Sampler, StatsRequest};
pub(crate) use update::{UpdateRequest, update};
pub(crate) use wait::{Condition, WaitRequest, wait};
