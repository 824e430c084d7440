//! `update`.

use crate::cgroup::Limits;
use crate::cli::args::{HealthArgs, ResourceArgs};
use crate::cli::command::Execute;
use crate::cli::convert;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::container::{UpdateRequest, update};

use crate::spec::config::Health;
use crate::supervisor;

use super::select::{Selection, conclude};

/// Update configuration of one or more containers
#[derive(clap::Parser, Debug)]
pub(crate) struct Update {
    /// Memory limit
    #[arg(short, long, value_name = "BYTES")]
    memory: Option<String>,

    /// Swap limit equal to memory plus swap: -1 to enable unlimited swap
    #[arg(long, value_name = "BYTES")]
    memory_swap: Option<String>,

    /// Memory soft limit
    #[arg(long, value_name = "BYTES")]
    memory_reservation: Option<String>,

    /// Number of CPUs
    #[arg(long, value_name = "DECIMAL")]
    cpus: Option<String>,

    /// CPU shares (relative weight)
    #[arg(short, long, value_name = "NUMBER")]
    cpu_shares: Option<String>,

    /// Limit CPU CFS (Completely Fair Scheduler) period, in microseconds
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_period: Option<String>,

    /// Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_quota: Option<String>,

    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,

    /// MEMs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,

    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long, value_name = "NUMBER")]
    pids_limit: Option<String>,

    /// Restart policy to apply when the container exits: no, on-failure[:MAX], always or
    /// unless-stopped
    #[arg(long, value_name = "POLICY")]
    restart: Option<String>,

    #[command(flatten)]
    health: HealthArgs,

    #[command(flatten)]
    selection: Selection,
}

impl Execute for Update {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        self.selection.check("update")?;
        let args = ResourceArgs {
            memory: self.memory,
            memory_swap: self.memory_swap,
            memory_reservation: self.memory_reservation,
            cpus: self.cpus,
            cpu_shares: self.cpu_shares,
            cpu_period: self.cpu_period,
            cpu_quota: self.cpu_quota,
            cpuset_cpus: self.cpuset_cpus,
            cpuset_mems: self.cpuset_mems,
            pids_limit: self.pids_limit,
            ..ResourceArgs::default()
        };
        let limits = convert::limits(&args)?;
        let restart = self
            .restart
            .as_deref()
            .map(parse::restart::parse)
            .transpose()?;
        let health = convert::health(&self.health, session.personality, session.place().cwd)?;
        let on_unhealthy = self.health.health_on_failure.as_ref();
        let on_unhealthy = on_unhealthy.map(|_| health.on_unhealthy);
        let checks = on_unhealthy.is_some() || health != Health::default();
        if limits == Limits::default() && restart.is_none() && !checks {
            let why = "you must provide one or more flags when using this command";
            return Err(Error::usage("update", "", why).into());
        }
        let listed = self.selection.is_listed();
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = UpdateRequest {
            containers: self.selection.resolve(&engine, false, |_| true)?,
            limits,
            restart,
            health,
            on_unhealthy,
        };
        let mut updated = update(&engine, &request);
        if checks {
            let done = updated.iter_mut().filter(|(_, done)| done.is_ok());
            done.for_each(|(name, done)| *done = supervisor::check_anew(&engine, name));
        }
        conclude(session, updated, listed)
    }
}
