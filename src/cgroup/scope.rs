//! A transient systemd scope around the caller: the one way an ordinary user gets controllers on
//! a machine that systemd manages. systemd moves this process into the scope and enforces the
//! limits there; the container gets a folder of its own inside, so that it can be killed apart
//! from its supervisor. See org.freedesktop.systemd1(5) and systemd's CGROUP_DELEGATION.

use std::path::Path;
use std::time::{Duration, Instant};

use rustbus::MessageBuilder;
use rustbus::message_builder::MarshalledMessage;
use rustbus::params::{Container, Param};
use rustbus::wire::errors::MarshalError;

use crate::common::{Error, Kind, Result};
use crate::host::CgroupLayout;

use super::bus::Bus;
use super::cpuset::CpuSet;
use super::folder::Folder;
use super::limits::Limits;
use super::resources::{self, weight};
use super::{Draft, Missing};

/// systemd answers in milliseconds or is in trouble.
const PATIENCE: Duration = Duration::from_secs(2);
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const MATCH: &str = "type='signal',sender='org.freedesktop.systemd1',\
                     interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";

/// One property of the scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(u64),
    Pids(Vec<u32>),
    Bytes(Vec<u8>),
}

/// Starts scope `leaf`.scope around this process and fills `draft`.
pub(super) fn start(
    draft: &mut Draft,
    socket: &Path,
    leaf: &str,
    slice: Option<&str>,
    limits: &Limits,
    layout: &CgroupLayout,
) -> Result<()> {
    let unit = format!("{leaf}.scope");
    let properties = properties(leaf, slice, std::process::id(), limits);
    request(socket, &unit, &properties, Instant::now() + PATIENCE)?;
    let own = std::fs::read_to_string("/proc/self/cgroup")
        .map_err(|e| Error::io("read", "/proc/self/cgroup", e))?;
    let scope = layout.unified_of(&own).filter(|path| path.ends_with(&unit));
    let Some(scope) = scope else {
        let error = Error::new(Kind::System, "enter scope", unit);
        return Err(error.because("systemd did not move this process there"));
    };
    let folder = Folder::make(&scope.join("container"), false)?;
    draft.place.unified = Some(folder.path().to_owned());
    draft.unified = Some(folder);
    let controllers = Folder::open(&scope)?.read("cgroup.controllers")?;
    draft.place.scope = Some(scope);
    // systemd takes a property whose controller it was not given, and does nothing with it.
    for setting in resources::v2(limits) {
        let mut there = controllers.split_ascii_whitespace();
        if !there.any(|name| name == setting.controller) {
            draft.missing.push(not_delegated(setting));
        }
    }
    Ok(())
}

/// Calls `StartTransientUnit` and waits until its job is done.
pub(super) fn request(
    socket: &Path,
    unit: &str,
    properties: &[(&'static str, Value)],
    deadline: Instant,
) -> Result<()> {
    let mut bus = Bus::connect(socket, deadline)?;
    bus.call(&rustbus::standard_messages::add_match(MATCH))?;
    // systemd sends signals to subscribers only; a manager that refuses still starts the unit.
    let _ = bus.call(&manager_call("Subscribe"));
    let call = start_call(unit, properties)
        .map_err(|e| Error::new(Kind::Bug, "write bus message", unit).because(e.to_string()))?;
    let reply = bus.call(&call)?;
    let job = reply.body.parser().get_param().ok().and_then(text_of);
    let job = job.ok_or_else(|| {
        Error::new(Kind::System, "start", unit).because("systemd's answer cannot be read")
    })?;
    loop {
        let signal = bus.signal()?;
        if signal.dynheader.member.as_deref() != Some("JobRemoved") {
            continue;
        }
        let mut body = signal.body.parser();
        let mut next = || body.get_param().ok().and_then(text_of);
        let (_id, path, _unit, result) = (next(), next(), next(), next());
        if path.as_deref() != Some(job.as_str()) {
            continue;
        }
        return match result.as_deref() {
            Some("done") => Ok(()),
            other => {
                let why = format!("its job ended as {}", other.unwrap_or("unknown"));
                Err(Error::new(Kind::System, "start", unit).because(why))
            }
        };
    }
}

fn text_of(param: Param<'_, '_>) -> Option<String> {
    use rustbus::params::Base;
    match param {
        Param::Base(Base::String(text) | Base::ObjectPath(text)) => Some(text),
        _ => None,
    }
}

fn manager_call(member: &str) -> MarshalledMessage {
    MessageBuilder::new()
        .call(member)
        .with_interface(MANAGER)
        .on("/org/freedesktop/systemd1")
        .at("org.freedesktop.systemd1")
        .build()
}

/// `StartTransientUnit(s name, s mode, a(sv) properties, a(sa(sv)) aux)`.
fn start_call(
    unit: &str,
    properties: &[(&'static str, Value)],
) -> std::result::Result<MarshalledMessage, MarshalError> {
    let mut call = manager_call("StartTransientUnit");
    call.body.push_param2(unit, "replace")?;
    push_properties(&mut call, properties)?;
    let nothing = Container::make_array::<Param<'_, '_>, _>("(sa(sv))", std::iter::empty())?;
    call.body.push_old_param(&nothing.into())?;
    Ok(call)
}

/// Adds an `a(sv)`.
fn push_properties(
    call: &mut MarshalledMessage,
    properties: &[(&'static str, Value)],
) -> std::result::Result<(), MarshalError> {
    let mut structs: Vec<Param<'_, '_>> = Vec::new();
    for (name, value) in properties {
        let variant = match value {
            Value::Text(text) => Container::make_variant(text.clone()),
            Value::Flag(flag) => Container::make_variant(*flag),
            Value::Number(number) => Container::make_variant(*number),
            Value::Pids(pids) => {
                Container::make_variant(Container::make_array("u", pids.iter().copied())?)
            }
            Value::Bytes(bytes) => {
                Container::make_variant(Container::make_array("y", bytes.iter().copied())?)
            }
        };
        structs.push(Container::make_struct2((*name).to_owned(), variant).into());
    }
    let list = Container::make_array("(sv)", structs.into_iter())?;
    call.body.push_old_param(&list.into())
}

/// Changes the limits of the running scope at `path` to `limits`; `settings` are those that
/// differ. Returns what systemd takes and cannot enforce.
///
/// # Errors
/// When systemd does not answer or refuses.
pub(super) fn update(
    socket: &Path,
    path: &Path,
    limits: &Limits,
    settings: Vec<resources::Setting>,
) -> Result<Vec<Missing>> {
    let unit = path.file_name().unwrap_or_default().to_string_lossy();
    let encode = || {
        // `SetUnitProperties(s name, b runtime, a(sv) properties)`.
        let mut call = manager_call("SetUnitProperties");
        call.body.push_param2(unit.as_ref(), true)?;
        push_properties(&mut call, &limit_properties(limits))?;
        Ok(call)
    };
    let call = encode().map_err(|error: MarshalError| {
        Error::new(Kind::Bug, "write bus message", unit.as_ref()).because(error.to_string())
    })?;
    Bus::connect(socket, Instant::now() + PATIENCE)?.call(&call)?;
    let controllers = Folder::open(path)?.read("cgroup.controllers")?;
    let is_missing = |setting: &resources::Setting| {
        let mut there = controllers.split_ascii_whitespace();
        !there.any(|name| name == setting.controller)
    };
    let missing = settings.into_iter().filter(is_missing);
    Ok(missing.map(not_delegated).collect())
}

fn not_delegated(setting: resources::Setting) -> Missing {
    let why = format!(
        "controller {} is not delegated to this user",
        setting.controller
    );
    Missing::new(setting, &why)
}

/// The scope's properties: pure.
pub(super) fn properties(
    leaf: &str,
    slice: Option<&str>,
    pid: u32,
    limits: &Limits,
) -> Vec<(&'static str, Value)> {
    let mut out = vec![
        ("Description", Value::Text(format!("container {leaf}"))),
        ("PIDs", Value::Pids(vec![pid])),
        ("Delegate", Value::Flag(true)),
        // A scope whose processes were killed would stay listed as failed.
        ("CollectMode", Value::Text("inactive-or-failed".to_owned())),
        ("DefaultDependencies", Value::Flag(false)),
    ];
    if let Some(slice) = slice {
        out.push(("Slice", Value::Text(slice.to_owned())));
    }
    out.extend(limit_properties(limits));
    out
}

/// The limits among a scope's properties.
fn limit_properties(limits: &Limits) -> Vec<(&'static str, Value)> {
    let mut out = Vec::new();
    if let Some(memory) = limits.memory.filter(|bytes| *bytes > 0) {
        out.push(("MemoryMax", Value::Number(memory)));
    }
    if let Some(swap) = limits.swap() {
        let swap = u64::try_from(swap).unwrap_or(u64::MAX);
        out.push(("MemorySwapMax", Value::Number(swap)));
    }
    if let Some(soft) = limits.memory_reservation.filter(|bytes| *bytes > 0) {
        out.push(("MemoryLow", Value::Number(soft)));
    }
    if let Some((quota, period)) = limits.quota() {
        let second = match u64::try_from(quota) {
            Ok(quota) => quota.saturating_mul(1_000_000) / period.max(1),
            Err(_) => u64::MAX,
        };
        out.push(("CPUQuotaPerSecUSec", Value::Number(second)));
        out.push(("CPUQuotaPeriodUSec", Value::Number(period)));
    }
    if let Some(shares) = limits.cpu_shares.filter(|shares| *shares > 0) {
        out.push(("CPUWeight", Value::Number(weight(shares))));
    }
    for (name, list) in [
        ("AllowedCPUs", &limits.cpuset_cpus),
        ("AllowedMemoryNodes", &limits.cpuset_mems),
    ] {
        if let Some(set) = list.as_deref().and_then(CpuSet::parse) {
            out.push((name, Value::Bytes(set.mask())));
        }
    }
    if let Some(pids) = limits.effective_pids() {
        let pids = u64::try_from(pids).unwrap_or(u64::MAX);
        out.push(("TasksMax", Value::Number(pids)));
    } else if limits.pids.is_some() {
        out.push(("TasksMax", Value::Number(u64::MAX)));
    }
    out
}
