//! `update`: other limits and another restart policy for a container that exists.

use anyhow::{Context, Result};
use serde_json::Value;

use super::ending;
use super::list::{self, Status};
use super::{Asked, event};
use crate::cgroup::{self, Limits, Place, Subject};
use crate::common::{Error, Kind};
use crate::engine::Engine;
use crate::spec::config::{Config, Health, HealthLog, OnUnhealthy, RestartPolicy};
use crate::store::{ContainerEntry, StateRecord};
use crate::sys::{file, processes};

/// `update`.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpdateRequest {
    /// Names, ids or unique id prefixes.
    pub(crate) containers: Vec<String>,
    /// What changes; `None` stays as it is.
    pub(crate) limits: Limits,
    /// `--restart`.
    pub(crate) restart: Option<RestartPolicy>,
    /// `--health-*`: fields that are set change.
    pub(crate) health: Health,
    /// `--health-on-failure`.
    pub(crate) on_unhealthy: Option<OnUnhealthy>,
}

/// Changes containers; one result for each name, in order. The limits of one that runs hold at
/// once, as far as this machine can enforce them; those of another from its next start on.
///
/// # Errors
/// `Usage` for limits that cannot be; nothing of that container is changed then.
pub(crate) fn update(engine: &Engine<'_>, request: &UpdateRequest) -> Vec<(String, Result<()>)> {
    let one = |name: &String| (name.clone(), update_one(engine, name, request));
    request.containers.iter().map(one).collect()
}

fn update_one(engine: &Engine<'_>, name: &str, request: &UpdateRequest) -> Result<()> {
    let entry = engine.store.containers().find(name)?.entry()?;
    let asked = Asked::of(&entry.record)?;
    let keeps = matches!(request.restart, None | Some(RestartPolicy::No));
    if asked.remove && !keeps {
        let why =
            "restart policy cannot be updated because AutoRemove is enabled for the container";
        return Err(Error::new(Kind::Conflict, "update container", name)
            .because(why)
            .into());
    }
    let old = asked.config.resources.limits;
    let new = merge(&old, &request.limits)?;
    let Status { running, .. } = list::status(&entry)?;
    let running = running.filter(|_| entry.alive);
    let held = running.and_then(|state| Some((ending::hold(&state)?, state)));
    if let Some((_payload, state)) = held {
        enforce(engine, &entry, &state, &old, &new)?;
    }
    entry.dir.edit(|record| {
        let corrupt = |error: serde_json::Error| {
            Error::new(Kind::Corrupt, "read what was asked of", name).because(error)
        };
        let mut asked = Value::clone(&record.asked);
        let place = &mut asked["config"];
        let mut config: Config = serde_json::from_value(place.take()).map_err(corrupt)?;
        config.resources.limits = new;
        if let Some(policy) = request.restart {
            config.lifecycle.restart = policy;
        }
        let health = &mut config.lifecycle.health;
        change_health(health, &request.health);
        health.on_unhealthy = request.on_unhealthy.unwrap_or(health.on_unhealthy);
        *place = serde_json::to_value(config).map_err(corrupt)?;
        record.asked = asked.into();
        Ok(())
    })?;
    event::note(engine, &entry.record, "update", &[]);
    Ok(())
}

/// Changes what is set in `change`.
fn change_health(old: &mut Health, change: &Health) {
    old.disabled |= change.disabled;
    if !change.check.test.is_empty() {
        old.disabled = false;
    }
    old.check.replace_by(&change.check);
    old.startup.check.replace_by(&change.startup.check);
    if change.startup.successes > 0 {
        old.startup.successes = change.startup.successes;
    }
    let log = change.log.clone();
    old.log = HealthLog {
        destination: log.destination.or(old.log.destination.take()),
        count: log.count.or(old.log.count),
        size: log.size.or(old.log.size),
    };
}

/// The limits after the change.
fn merge(old: &Limits, change: &Limits) -> Result<Limits> {
    let swap = old.memory_swap.filter(|total| *total > 0);
    if let (Some(memory), None, Some(total)) = (change.memory, change.memory_swap, swap)
        && total.unsigned_abs() < memory
    {
        let why = "memory limit should be smaller than already set memoryswap limit, update the \
                   memoryswap at the same time";
        return Err(Error::usage("use", "--memory", why).into());
    }
    let old = old.clone();
    let change = change.clone();
    let new = Limits {
        memory: change.memory.or(old.memory),
        memory_swap: change.memory_swap.or(old.memory_swap),
        memory_reservation: change.memory_reservation.or(old.memory_reservation),
        nano_cpus: change.nano_cpus.or(old.nano_cpus),
        cpu_period: change.cpu_period.or(old.cpu_period),
        cpu_quota: change.cpu_quota.or(old.cpu_quota),
        cpu_shares: change.cpu_shares.or(old.cpu_shares),
        cpuset_cpus: change.cpuset_cpus.or(old.cpuset_cpus),
        cpuset_mems: change.cpuset_mems.or(old.cpuset_mems),
        pids: change.pids.or(old.pids),
    };
    new.check()?;
    Ok(new)
}

/// Gives the running container its new limits, and notes cgroups that were made for them.
fn enforce(
    engine: &Engine<'_>,
    entry: &ContainerEntry,
    state: &StateRecord,
    old: &Limits,
    new: &Limits,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let path = entry.dir.path().join("cgroup.json");
    let mut place = match file::read_bounded(&path, 1 << 16) {
        Ok(bytes) => serde_json::from_slice(&bytes).context("read where its cgroup is")?,
        Err(error) if error.kind() == Kind::NotFound => Place::default(),
        Err(error) => return Err(error.into()),
    };
    let before = place.clone();
    let members = || {
        let all = processes::of_container(state.pid);
        all.iter().map(|process| process.pid).collect()
    };
    let subject = Subject {
        name: entry.record.id.as_str(),
        pid: state.pid,
        members: &members,
    };
    let layout = engine.host.cgroups();
    cgroup::update(&mut place, &subject, (old, new), layout, engine.ui)?;
    if place != before {
        file::write_atomic(&path, &serde_json::to_vec(&place)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let old = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(128 << 20),
            pids: Some(10),
            ..Limits::default()
        };
        let change = Limits {
            memory: Some(96 << 20),
            cpu_shares: Some(512),
            ..Limits::default()
        };
        let new = merge(&old, &change).unwrap();
        assert_eq!((new.memory, new.pids), (Some(96 << 20), Some(10)));
        assert_eq!(
            (new.memory_swap, new.cpu_shares),
            (old.memory_swap, Some(512))
        );
        let more = Limits {
            memory: Some(256 << 20),
            ..Limits::default()
        };
        let error = merge(&old, &more).unwrap_err().to_string();
        assert!(error.contains("already set memoryswap"), "{error}");
        let both = Limits {
            memory_swap: Some(-1),
            ..more
        };
        assert_eq!(merge(&old, &both).unwrap().memory_swap, Some(-1));
    }
}
