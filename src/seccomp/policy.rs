//! A profile resolved for one machine: for each architecture, a verdict for each call number.

use std::collections::BTreeMap;

use super::arch::{ARM_PRIVATE, Arch};
use super::emulate::calls::{self, Handling};
use super::profile::{Arg, Context, Profile, Rule};
use super::{Identity, action};
use crate::common::{Error, Result};

/// x86-64 numbers from here are x32 calls.
const X32_BIT: u32 = 0x4000_0000;

/// Comparison of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `argument & value == value_two`.
    MaskedEq,
}

/// `argument[index] op value`, on 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) index: u8,
    pub(super) op: Op,
    pub(super) value: u64,
    pub(super) value_two: u64,
}

/// All of `conditions` hold: `action` is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    pub(super) conditions: Vec<Condition>,
    pub(super) action: u32,
}

/// What happens to one call: the first alternative that holds, else `otherwise`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) alternatives: Vec<Alternative>,
    pub(super) otherwise: u32,
}

impl Verdict {
    /// The same answer whatever the arguments.
    pub(super) fn always(action: u32) -> Verdict {
        Verdict {
            alternatives: Vec::new(),
            otherwise: action,
        }
    }
}

/// The verdicts of one architecture: `segments[i]` holds from its number up to the next one's.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) arch: Arch,
    pub(super) segments: Vec<(u32, Verdict)>,
}

/// Resolves `profile` in `context` into one table for each architecture it allows.
pub(super) fn resolve(
    profile: &Profile,
    context: &Context<'_>,
    identity: Identity,
) -> Result<Vec<Table>> {
    let default = action::encode(&profile.default_action, profile.default_errno_ret)?;
    let rules = profile.rules(context)?;
    let mut tables = Vec::new();
    for arch in profile.arches(context.native) {
        let numbers: BTreeMap<&str, u32> = arch.syscalls().collect();
        let mut verdicts = BTreeMap::new();
        let mut last = None;
        for (rule, names) in &rules {
            let action = action::encode(&rule.action, rule.errno_ret)?;
            for name in names {
                // Names of other kernels and architectures are skipped, as runc does.
                let Some(&number) = numbers.get(name) else {
                    continue;
                };
                if number < ARM_PRIVATE {
                    last = last.max(Some(number));
                }
                // runc: a rule that says what the default says adds nothing.
                if action != default {
                    add(&mut verdicts, number, rule, action, default)?;
                }
            }
        }
        emulate(&mut verdicts, &numbers, arch, default, identity);
        tables.push(Table {
            arch,
            segments: segments(arch, &verdicts, default, unknown(default), last),
        });
    }
    Ok(tables)
}

/// libseccomp's merging: a rule without conditions wins over those with, and the first of
/// several without wins. Among those with, the first that holds wins.
fn add(
    verdicts: &mut BTreeMap<u32, Verdict>,
    number: u32,
    rule: &Rule,
    action: u32,
    default: u32,
) -> Result<()> {
    if rule.args.is_empty() {
        let verdict = verdicts
            .entry(number)
            .or_insert_with(|| Verdict::always(action));
        if !verdict.alternatives.is_empty() {
            *verdict = Verdict::always(action);
        }
        return Ok(());
    }
    let conditions = rule
        .args
        .iter()
        .map(condition)
        .collect::<Result<Vec<_>>>()?;
    let verdict = verdicts
        .entry(number)
        .or_insert_with(|| Verdict::always(default));
    if verdict.alternatives.is_empty() && verdict.otherwise != default {
        return Ok(());
    }
    // runc: two conditions on one argument are alternatives, for the sake of old profiles.
    let repeated = (1..conditions.len()).any(|at| {
        conditions[..at]
            .iter()
            .any(|c| c.index == conditions[at].index)
    });
    if repeated {
        verdict
            .alternatives
            .extend(conditions.into_iter().map(|c| Alternative {
                conditions: vec![c],
                action,
            }));
    } else {
        verdict
            .alternatives
            .push(Alternative { conditions, action });
    }
    Ok(())
}

fn condition(arg: &Arg) -> Result<Condition> {
    let bad = |why: &str| Error::usage("read seccomp condition", arg.op.clone(), why);
    let op = match arg.op.as_str() {
        "SCMP_CMP_EQ" => Op::Eq,
        "SCMP_CMP_NE" => Op::Ne,
        "SCMP_CMP_LT" => Op::Lt,
        "SCMP_CMP_LE" => Op::Le,
        "SCMP_CMP_GT" => Op::Gt,
        "SCMP_CMP_GE" => Op::Ge,
        "SCMP_CMP_MASKED_EQ" => Op::MaskedEq,
        _ => return Err(bad("unknown comparison")),
    };
    match u8::try_from(arg.index) {
        Ok(index) if index < 6 => Ok(Condition {
            index,
            op,
            value: arg.value,
            value_two: arg.value_two,
        }),
        _ => Err(bad("a call has arguments 0 to 5")),
    }
}

/// What a number above every named one gets: ENOSYS, so that a libc tries an older call (runc
/// since 1.0). A permissive default stays, and one of the user's own errno ENOSYS does anyway.
fn unknown(default: u32) -> u32 {
    match default {
        action::ALLOW | action::LOG => default,
        _ => action::errno(libc::ENOSYS),
    }
}

/// Replaces the verdict of calls that identity emulation answers. A call the profile refuses
/// stays refused; a condition of the profile on such a call is kept in front.
fn emulate(
    verdicts: &mut BTreeMap<u32, Verdict>,
    numbers: &BTreeMap<&str, u32>,
    arch: Arch,
    default: u32,
    identity: Identity,
) {
    for trapped in calls::TRAPPED {
        let replacement = match (identity, trapped.handling) {
            (Identity::Real, _)
            | (
                Identity::Pretend,
                Handling::Getter | Handling::Attribute | Handling::Watch { .. },
            ) => {
                continue;
            }
            (Identity::Notify, _) => action::USER_NOTIF,
            (Identity::Pretend, _) => action::errno(0),
        };
        let Some(&number) = numbers.get(trapped.name) else {
            continue;
        };
        debug_assert_eq!(trapped.number(arch), Some(number));
        let verdict = verdicts
            .entry(number)
            .or_insert_with(|| Verdict::always(default));
        let some = match trapped.handling {
            Handling::Node { mode } => Some(device(mode, replacement).to_vec()),
            Handling::Watch { option } => Some(vec![first_argument(option, replacement)]),
            Handling::Getter | Handling::Setter | Handling::Attribute => None,
        };
        if let Some(some) = some {
            if verdict.otherwise == action::ALLOW {
                verdict.alternatives.extend(some);
            }
            continue;
        }
        for action in verdict
            .alternatives
            .iter_mut()
            .map(|a| &mut a.action)
            .chain([&mut verdict.otherwise])
        {
            if *action == action::ALLOW {
                *action = replacement;
            }
        }
    }
}

/// mknod of a character or block device by the mode argument; `mode_t` is 32 bits or fewer.
fn device(index: u8, action: u32) -> [Alternative; 2] {
    [libc::S_IFCHR, libc::S_IFBLK].map(|kind| Alternative {
        conditions: vec![Condition {
            index,
            op: Op::MaskedEq,
            value: u64::from(libc::S_IFMT),
            value_two: u64::from(kind),
        }],
        action,
    })
}

/// A call whose first argument, an int, is `value`.
fn first_argument(value: u32, action: u32) -> Alternative {
    Alternative {
        conditions: vec![Condition {
            index: 0,
            op: Op::MaskedEq,
            value: u64::from(u32::MAX),
            value_two: u64::from(value),
        }],
        action,
    }
}

/// Turns single numbers into ranges that cover every number once.
fn segments(
    arch: Arch,
    verdicts: &BTreeMap<u32, Verdict>,
    default: u32,
    unknown: u32,
    last: Option<u32>,
) -> Vec<(u32, Verdict)> {
    let beyond = last.map_or(0, |last| last + 1);
    let plain = |number: u32| Verdict::always(if number < beyond { default } else { unknown });
    let mut all: Vec<(u32, Verdict)> = Vec::new();
    let mut push = |start: u32, verdict: Verdict| match all.last_mut() {
        Some((_, before)) if *before == verdict => {}
        Some((at, before)) if *at == start => *before = verdict,
        _ => all.push((start, verdict)),
    };
    push(0, plain(0));
    for (&number, verdict) in verdicts {
        push(number, verdict.clone());
        push(number + 1, plain(number + 1));
    }
    if arch == Arch::X86_64 {
        // x32 doubles the attack surface and no distribution runs it; EPERM as for any call
        // a profile refuses, also under a profile that allows by default.
        push(X32_BIT, Verdict::always(action::errno(libc::EPERM)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Kind;

    #[test]
    fn unknown_words_are_refused_by_name() {
        let arg = |index, op: &str| Arg {
            index,
            value: 0,
            value_two: 0,
            op: op.to_owned(),
        };
        assert_eq!(
            condition(&arg(6, "SCMP_CMP_EQ")).unwrap_err().kind(),
            Kind::Usage
        );
        assert!(
            condition(&arg(0, "SCMP_CMP_XX"))
                .unwrap_err()
                .to_string()
                .contains("SCMP_CMP_XX")
        );
    }
}
