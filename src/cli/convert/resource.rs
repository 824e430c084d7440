//! Resource flags to limits.

use crate::cgroup::Limits;
use crate::cli::args::ResourceArgs;
use crate::cli::parse::{self, number};
use crate::common::{Error, Result};
use crate::spec::config::Resources;

/// The cgroup limits of `args`. docker reads 0 as "not set" for every number here.
///
/// # Errors
/// Bad values; `--cpus` beside `--cpu-period` or `--cpu-quota`.
pub(crate) fn limits(args: &ResourceArgs) -> Result<Limits> {
    if args.cpus.is_some() && (args.cpu_period.is_some() || args.cpu_quota.is_some()) {
        let why = "cannot be used with --cpu-period or --cpu-quota";
        return Err(Error::usage("use --cpus", "", why));
    }
    let unsigned = |flag: &str, text: &Option<String>, range| -> Result<Option<u64>> {
        let Some(text) = text else { return Ok(None) };
        let number = number::within(flag, text, range)?;
        Ok(u64::try_from(number).ok().filter(|number| *number > 0))
    };
    let size = |flag: &str, text: &Option<String>| -> Result<Option<u64>> {
        let Some(text) = text else { return Ok(None) };
        Ok(Some(number::size(flag, text)?).filter(|bytes| *bytes > 0))
    };
    let list = |flag: &str, text: &Option<String>| -> Result<Option<String>> {
        let text = text.as_deref().filter(|text| !text.is_empty());
        text.map(|text| number::cpu_list(flag, text)).transpose()
    };
    Ok(Limits {
        memory: size("--memory", &args.memory)?,
        memory_swap: signed(&args.memory_swap, |text| {
            number::size_or_unlimited("--memory-swap", text)
        })?,
        memory_reservation: size("--memory-reservation", &args.memory_reservation)?,
        nano_cpus: match &args.cpus {
            Some(text) => Some(number::nano_cpus(text)?).filter(|nanos| *nanos > 0),
            None => None,
        },
        cpu_period: unsigned("--cpu-period", &args.cpu_period, 0..=1_000_000)?,
        cpu_quota: signed(&args.cpu_quota, |text| {
            number::within("--cpu-quota", text, -1..=i64::MAX)
        })?,
        cpu_shares: unsigned("--cpu-shares", &args.cpu_shares, 0..=262_144)?,
        cpuset_cpus: list("--cpuset-cpus", &args.cpuset_cpus)?,
        cpuset_mems: list("--cpuset-mems", &args.cpuset_mems)?,
        // docker and podman: 0 asks for unlimited as -1 does.
        pids: match &args.pids_limit {
            Some(text) => match number::within("--pids-limit", text, -1..=i64::MAX)? {
                0 => Some(-1),
                limit => Some(limit),
            },
            None => None,
        },
    })
}

/// All limits of `args`.
///
/// # Errors
/// Those of [`limits`]; a swap limit below the memory limit or without one.
pub(crate) fn resources(args: &ResourceArgs) -> Result<Resources> {
    let limits = limits(args)?;
    check_swap(&limits)?;
    let mut ulimits = Vec::new();
    for text in &args.ulimit {
        ulimits.extend(parse::ulimit::parse(text)?);
    }
    Ok(Resources {
        limits,
        ulimits,
        oom_score_adj: match &args.oom_score_adj {
            Some(text) => {
                i32::try_from(number::within("--oom-score-adj", text, -1000..=1000)?).ok()
            }
            None => None,
        },
        oom_kill_disable: args.oom_kill_disable,
        swappiness: match &args.memory_swappiness {
            Some(text) => Some(number::within("--memory-swappiness", text, -1..=100)?)
                .filter(|number| *number >= 0),
            None => None,
        },
        cgroup_parent: args
            .cgroup_parent
            .clone()
            .filter(|parent| !parent.is_empty()),
    })
}

fn signed(text: &Option<String>, parse: impl Fn(&str) -> Result<i64>) -> Result<Option<i64>> {
    match text {
        Some(text) => Ok(Some(parse(text)?).filter(|number| *number != 0)),
        None => Ok(None),
    }
}

fn check_swap(limits: &Limits) -> Result<()> {
    let (Some(swap), memory) = (limits.memory_swap, limits.memory) else {
        return Ok(());
    };
    let Some(memory) = memory else {
        let why = "needs --memory too";
        return Err(Error::usage("use --memory-swap", "", why));
    };
    if swap != -1 && u64::try_from(swap).is_ok_and(|swap| swap < memory) {
        let why = "counts memory and swap together and cannot be below --memory";
        return Err(Error::usage("use --memory-swap", "", why));
    }
    Ok(())
}
