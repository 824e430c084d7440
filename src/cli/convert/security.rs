//! Security flags to the security group.

use crate::cdi;
use crate::cli::args::SecurityArgs;
use crate::cli::parse::{self, Place};
use crate::cli::personality::Personality;
use crate::common::{Error, Result};
use crate::spec::config::{Ipc, NamespaceMode, Network, Security, Userns};

/// The security group of `args`; `hostname` tells whether `--hostname` was given.
///
/// # Errors
/// Bad values; `--hostname` beside `--uts=host`.
pub(crate) fn security(
    args: &SecurityArgs,
    network: &Network,
    hostname: bool,
    place: &Place<'_>,
    personality: Personality,
) -> Result<Security> {
    let namespace = |flag: &str, text: &Option<String>| -> Result<NamespaceMode> {
        parse::userns::namespace(flag, text.as_deref().unwrap_or(""))
    };
    let mut security = Security {
        privileged: args.privileged,
        userns: userns(args)?,
        pid: namespace("--pid", &args.pid)?,
        ipc: parse::userns::ipc(args.ipc.as_deref(), personality)?,
        uts: namespace("--uts", &args.uts)?,
        cgroup: namespace("--cgroupns", &args.cgroupns)?,
        ..Security::default()
    };
    check(&security, hostname)?;
    for text in &args.cap_add {
        let names = parse::capability::parse("--cap-add", text)?;
        security.cap_add.extend(names);
    }
    for text in &args.cap_drop {
        let names = parse::capability::parse("--cap-drop", text)?;
        security.cap_drop.extend(names);
    }
    for text in &args.security_opt {
        parse::security_opt::parse(text, place, &mut security)?;
    }
    for text in &args.device {
        match cdi::is_name(text) {
            true => security.cdi.push(text.clone()),
            false => security.devices.push(parse::device::parse(text)?),
        }
    }
    for text in &args.gpus {
        security.cdi.extend(parse::device::gpus(text)?);
    }
    for text in &args.device_cgroup_rule {
        security
            .device_rules
            .push(parse::device::rule(text, personality)?);
    }
    for text in &args.sysctl {
        let (key, value) = parse::sysctl::parse(text, &security, network)?;
        security.sysctls.insert(key, value);
    }
    Ok(security)
}

/// Refuses what cannot hold together.
fn check(security: &Security, hostname: bool) -> Result<()> {
    match &security.uts {
        NamespaceMode::Private => {}
        NamespaceMode::Host if hostname => {
            let why = "cannot be used with --uts=host";
            return Err(Error::usage("use --hostname", "", why));
        }
        NamespaceMode::Container(_) if hostname => {
            let why = "conflicting options: hostname and the UTS mode";
            return Err(Error::usage("use --hostname", "", why));
        }
        _ => {}
    }
    let joined = |mode: &NamespaceMode| matches!(mode, NamespaceMode::Container(_));
    let own_ids = !matches!(
        security.userns,
        Userns::Default | Userns::Host | Userns::Container(_)
    );
    if own_ids
        && (joined(&security.pid)
            || joined(&security.uts)
            || matches!(security.ipc, Ipc::Container(_)))
    {
        let why = "conflicting options: a container in another one's namespaces has its ids";
        return Err(Error::usage("use --userns", "", why));
    }
    Ok(())
}

/// The flags that say which ids a container has; one way of saying it at a time.
fn userns(args: &SecurityArgs) -> Result<Userns> {
    let maps = !args.uidmap.is_empty() || !args.gidmap.is_empty();
    let names = args.subuidname.as_ref().or(args.subgidname.as_ref());
    let ways = [args.userns.is_some(), maps, names.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        let why = "--userns, --uidmap with --gidmap, and --subuidname with --subgidname are \
                   mutually exclusive";
        return Err(Error::usage("run", "", why));
    }
    if maps {
        return parse::userns::maps(&args.uidmap, &args.gidmap);
    }
    match names {
        Some(name) => Ok(Userns::Names {
            users: args.subuidname.as_ref().unwrap_or(name).clone(),
            groups: args.subgidname.as_ref().unwrap_or(name).clone(),
        }),
        None => parse::userns::parse(args.userns.as_deref().unwrap_or("")),
    }
}
