//! Verbs on containers.

mod asked;
mod base;
mod borrow;
mod carry;
mod commit;
mod complete;
mod copy;
mod create;
mod devices;
mod diff;
mod ending;
mod etc;
pub(crate) mod event;
mod exec;
mod export;
mod failure;
mod health;
mod image;
mod image_mount;
mod inside;
mod inspect;
mod join;
mod keeper;
mod kill;
mod launch;
mod list;
mod live;
mod logs;
mod lower;
mod mount;
pub(crate) mod names;
mod network;
mod notify;
mod pause;
mod plan;
mod port;
mod remove;
mod rename;
mod request;
mod run;
mod seal;
mod secret;
mod stats;
mod step;
mod still;
mod systemd;
mod top;
mod update;
mod usage;
mod userns;
mod volume;
mod wait;

pub(crate) use crate::spec::config::RestartPolicy;
pub(crate) use asked::{Asked, asked_network};
pub(crate) use carry::out as copy_out;
pub(crate) use commit::{CommitRequest, commit};
pub(crate) use copy::{CopyRequest, Ownership, Place, Streams, copy};
pub(crate) use create::{Prepared, create, find_and_prepare, forget};
pub(crate) use diff::{Change, Difference, diff};
pub(crate) use event::note;
pub(crate) use exec::{ExecOutcome, ExecRequest, exec};
pub(crate) use export::export;
pub(crate) use failure::RunFailure;
pub(crate) use health::{Check, check, due, probe_by_hand};
pub(crate) use image_mount::shown as shown_layers;
pub(crate) use inspect::inspect;
pub(crate) use kill::{StopRequest, kill, stop};
pub(crate) use launch::{End, launch, note_end, open_gate, record_end, reopen};
pub(crate) use list::{ListRequest, exposed, image_sizes, list, namespaces, restart_policy, state};
pub(crate) use logs::{LogSink, LogsRequest, logs};
pub(crate) use mount::{
    Mounted, mount, mounted, refuse_mounted, release as release_mount, unmount,
};
pub(crate) use network::{Served, plug, reload_networks, sweep_networks, tear_down, unplug};
pub(crate) use notify::{healthy as notify_healthy, started as notify_started};
pub(crate) use pause::{pause, resume, unpause};
pub(crate) use port::ports;
pub(crate) use remove::{
    Dependents, Kept, RemoveRequest, clean_cgroup, clear, delete_ended as remove_ended, discard,
    end_leftovers, purge_as_owner, remove, remove_image, sweep,
};
pub(crate) use rename::rename;
pub(crate) use request::{ContainerState, ContainerSummary, PullPolicy, RunRequest};
pub(crate) use run::{Timing, run};
pub(crate) use seal::{Sealed, Unsealed, seal, settle};
pub(crate) use stats::{ContainerStats, Sampler, StatsRequest};
pub(crate) use step::{
    Ground, StepRun, base_image, in_step, mount_apart, run_step, settle_network, shown,
};
pub(crate) use top::{Descriptor, TopRequest, top};
pub(crate) use update::{UpdateRequest, update};
pub(crate) use volume::check as check_volume;
pub(crate) use wait::{Condition, WaitRequest, wait};
