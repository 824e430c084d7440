//! The ladder against the running kernel where this process may make cgroups, and against a bus
//! whose systemd is a thread of the test.

mod update;

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustbus::message_builder::{MarshalledMessage, MessageBuilder};
use rustbus::wire::ObjectPath;
use rustbus::wire::marshal::marshal;

use super::*;
use crate::common::{Meter, Silent};
use crate::host::{HostEnv, Unified};

/// Collects warnings.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Ui for Heard {
    fn warn(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
    fn note(&self, _line: &str) {}
    fn meter(&self, _label: &str, _total: Option<u64>) -> Box<dyn Meter> {
        Box::new(Silent)
    }
}

fn layout() -> CgroupLayout {
    // The tests' own bus and job are left out: the real ones would move the test around.
    CgroupLayout {
        systemd_bus: None,
        job: None,
        ..CgroupLayout::read(&HostEnv::default(), nix::unistd::geteuid().as_raw())
    }
}

fn name(test: &str) -> String {
    format!("test-{test}-{}", std::process::id())
}

/// The layout, when version 1 cgroups of `controllers` can be made; else says why not.
fn writable_v1(controllers: &[&str]) -> Option<CgroupLayout> {
    let layout = layout();
    if !layout.v1.is_empty() && can_limit(&layout, controllers) {
        return Some(layout);
    }
    let why = format!("skipped: no writable version 1 hierarchies of {controllers:?}\n");
    std::io::stderr().write_all(why.as_bytes()).unwrap();
    None
}

fn sleeper(place: &Place) -> Child {
    let mut command = Command::new("sleep");
    let child = command.arg("60").stdout(Stdio::null()).spawn().unwrap();
    for path in place.paths() {
        std::fs::write(path.join("cgroup.procs"), child.id().to_string()).unwrap();
    }
    child
}

#[test]
fn an_ordinary_user_without_limits_gets_no_cgroup_and_no_warning() {
    let heard = Heard::default();
    let layout = CgroupLayout {
        root: false,
        ..layout()
    };
    let cgroup = prepare("x", None, &Limits::default(), &layout, &heard).unwrap();
    assert!(cgroup.place().is_none() && cgroup.clone_into_fd().is_none());
    assert!(cgroup.join_fds().is_empty() && heard.lines().is_empty());
}

#[test]
fn every_limit_that_nothing_can_enforce_is_one_warning_with_its_fix() {
    let limits = Limits {
        memory: Some(64 << 20),
        cpu_shares: Some(10),
        cpu_period: Some(50_000),
        cpu_quota: Some(5000),
        ..Limits::default()
    };
    for (job, fix) in [(None, "mount cgroup2"), (Some("Slurm"), "ask Slurm")] {
        let heard = Heard::default();
        let nothing = CgroupLayout {
            job,
            ..CgroupLayout::default()
        };
        let cgroup = prepare("x", None, &limits, &nothing, &heard).unwrap();
        assert!(cgroup.place().is_none());
        let lines = heard.lines();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains(fix)), "{lines:?}");
        assert!(
            lines[0].starts_with("--memory is not enforced: "),
            "{lines:?}"
        );
    }
}

#[test]
fn an_impossible_limit_makes_nothing() {
    let limits = Limits {
        memory: Some(1),
        ..Limits::default()
    };
    assert!(prepare("x", None, &limits, &layout(), &Silent).is_err());
    let up = prepare("x", Some("../up"), &Limits::default(), &layout(), &Silent);
    assert!(up.is_err());
}

#[test]
fn an_absolute_parent_is_not_taken_inside_a_job() {
    let heard = Heard::default();
    let layout = CgroupLayout {
        job: Some("PBS"),
        ..CgroupLayout::default()
    };
    prepare("x", Some("/top"), &Limits::default(), &layout, &heard).unwrap();
    assert!(heard.lines()[0].contains("not used inside a PBS job"));
}

#[test]
fn version_one_limits_are_in_the_kernel_and_leave_nothing_behind() {
    let Some(layout) = writable_v1(&["memory", "cpu", "cpuset", "pids"]) else {
        return;
    };
    let limits = Limits {
        memory: Some(64 << 20),
        nano_cpus: Some(500_000_000),
        cpu_shares: Some(512),
        cpuset_cpus: Some("0".into()),
        pids: Some(20),
        ..Limits::default()
    };
    let heard = Heard::default();
    let cgroup = prepare(&name("v1"), None, &limits, &layout, &heard).unwrap();
    assert_eq!(heard.lines(), Vec::<String>::new());
    let place = cgroup.place().clone();
    let value = |controller: &str, file: &str| {
        let path = place.v1[controller].join(file);
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    };
    assert_eq!(value("memory", "memory.limit_in_bytes"), "67108864");
    assert_eq!(value("cpu", "cpu.cfs_quota_us"), "50000");
    assert_eq!(value("cpu", "cpu.shares"), "512");
    assert_eq!(value("cpuset", "cpuset.cpus"), "0");
    assert_ne!(value("cpuset", "cpuset.mems"), "");
    assert_eq!(value("pids", "pids.max"), "20");
    assert_eq!(cgroup.join_fds().len(), place.paths().len());

    let mut child = sleeper(&place);
    let stats = place.stats();
    assert_eq!((stats.pids, stats.memory_limit), (Some(1), Some(64 << 20)));
    assert!(!place.oom_killed());
    place.kill().ok();
    let status = child.wait().unwrap();
    assert!(!status.success());
    cgroup.keep().remove().unwrap();
    assert!(place.v1.values().all(|path| !path.exists()), "{place:?}");
    place.remove().unwrap();
}

#[test]
fn root_gets_the_default_process_limit_in_one_hierarchy_only() {
    let Some(layout) = writable_v1(&["pids"]) else {
        return;
    };
    let cgroup = prepare(&name("default"), None, &Limits::default(), &layout, &Silent).unwrap();
    let place = cgroup.place().clone();
    assert_eq!(place.v1.keys().collect::<Vec<_>>(), ["pids"]);
    let path = place.v1["pids"].clone();
    assert_eq!(
        std::fs::read_to_string(path.join("pids.max")).unwrap(),
        "2048\n"
    );
    // What a payload made inside goes with it.
    std::fs::create_dir_all(path.join("inner/most")).unwrap();
    drop(cgroup);
    assert!(!path.exists());
}

#[test]
fn a_parent_is_made_and_removed_and_a_kept_cgroup_stays() {
    let Some(layout) = writable_v1(&["pids"]) else {
        return;
    };
    let parent = name("parent");
    let limits = Limits {
        pids: Some(9),
        ..Limits::default()
    };
    let cgroup = prepare(
        "kept",
        Some(&format!("/{parent}/a")),
        &limits,
        &layout,
        &Silent,
    );
    let place = cgroup.unwrap().keep();
    let top = layout.v1_with("pids").unwrap().mount.join(&parent);
    assert_eq!(place.v1["pids"], top.join("a/ketch-kept"));
    assert!(place.v1["pids"].is_dir());
    let text = serde_json::to_string(&place).unwrap();
    let again: Place = serde_json::from_str(&text).unwrap();
    again.remove().unwrap();
    assert!(!top.exists());
}

#[test]
fn version_two_processes_are_frozen_killed_and_their_cgroup_removed() {
    let real = layout();
    let Some(unified) = real
        .unified
        .clone()
        .filter(|unified| folder::is_writable(&unified.own))
    else {
        let why = "skipped: no writable version 2 cgroup\n";
        return std::io::stderr().write_all(why.as_bytes()).unwrap();
    };
    let layout = CgroupLayout {
        v1: Vec::new(),
        ..real
    };
    let limits = Limits {
        pids: Some(-1),
        ..Limits::default()
    };
    let parent = name("v2");
    let cgroup = prepare("real", Some(&parent), &limits, &layout, &Silent).unwrap();
    let place = cgroup.place().clone();
    assert_eq!(
        place.unified,
        Some(unified.own.join(&parent).join("ketch-real"))
    );
    assert!(cgroup.clone_into_fd().is_some());
    let mut child = sleeper(&place);
    let freezer = Freezer::of(&place).unwrap();
    freezer.set(true).unwrap();
    freezer.set(false).unwrap();
    std::fs::create_dir(place.unified.as_ref().unwrap().join("inner")).unwrap();
    place.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(place.stats().cpu.is_some());
    cgroup.keep().remove().unwrap();
    assert!(!unified.own.join(&parent).exists());
}

#[test]
fn a_sweep_takes_what_is_empty_and_not_alive() {
    let Some(layout) = writable_v1(&["pids"]) else {
        return;
    };
    let limits = Limits {
        pids: Some(9),
        ..Limits::default()
    };
    let make = |name: &str| {
        prepare(name, None, &limits, &layout, &Silent)
            .unwrap()
            .keep()
    };
    let (dead, alive) = (name("dead"), name("alive"));
    let (gone, there) = (make(&dead), make(&alive));
    // Cgroups of other tests running now are alive, too.
    sweep(&layout, &|name, age| {
        name != dead || age() > Duration::from_secs(600)
    });
    assert!(!gone.v1["pids"].exists() && there.v1["pids"].exists());
    there.remove().unwrap();
}

/// Version 2 files in a plain folder: what the ladder does there, without the kernel's part.
#[test]
fn version_two_hands_down_only_what_is_delegated_and_says_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().to_owned();
    std::fs::write(own.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
    std::fs::write(own.join("cgroup.subtree_control"), "memory pids\n").unwrap();
    let layout = CgroupLayout {
        unified: Some(Unified {
            mount: own.clone(),
            own: own.clone(),
        }),
        ..CgroupLayout::default()
    };
    let limits = Limits {
        memory: Some(64 << 20),
        cpuset_cpus: Some("0".into()),
        ..Limits::default()
    };
    let heard = Heard::default();
    let cgroup = prepare("v2", None, &limits, &layout, &heard).unwrap();
    // The folder has none of the kernel's files, so both writes fail and are said.
    assert_eq!(heard.lines().len(), 2, "{:?}", heard.lines());
    assert!(heard.lines()[1].contains("controller cpuset is not delegated"));
    assert_eq!(cgroup.place().unified, Some(own.join("ketch-v2")));
    assert!(cgroup.clone_into_fd().is_some());
    drop(cgroup);
    assert!(!own.join("ketch-v2").exists());
}

/// Speaks the bus's side of a connection: answers every call, and `StartTransientUnit` with a
/// job that ends as `result`. Returns the members called.
fn fake_bus(listener: UnixListener, result: &'static str) -> Vec<String> {
    let (mut stream, _) = listener.accept().unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0u8];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    assert!(line.starts_with(b"\0AUTH EXTERNAL "));
    stream.write_all(b"OK 0123456789abcdef\r\n").unwrap();
    let mut begin = [0u8; 7];
    stream.read_exact(&mut begin).unwrap();
    let mut called = Vec::new();
    while let Some(call) = receive(&mut stream) {
        let member = call.dynheader.member.clone().unwrap();
        let mut reply = call.dynheader.make_response();
        if member == "StartTransientUnit" {
            let mut body = call.body.parser();
            assert!(body.get::<String>().unwrap().ends_with(".scope"));
            assert_eq!(call.get_sig(), "ssa(sv)a(sa(sv))");
            // The signal may come before the reply.
            let job = ObjectPath::new("/job/1").unwrap();
            for path in ["/job/0", "/job/1"] {
                let path = ObjectPath::new(path).unwrap();
                let object = "/org/freedesktop/systemd1";
                let builder = MessageBuilder::new();
                let mut signal = builder
                    .signal("org.freedesktop.systemd1.Manager", "JobRemoved", object)
                    .build();
                let word = if path.as_ref() == "/job/1" {
                    result
                } else {
                    "other"
                };
                signal
                    .body
                    .push_param4(1u32, path, "x.scope", word)
                    .unwrap();
                send(&mut stream, &signal);
            }
            reply.body.push_param(job).unwrap();
        }
        if member == "SetUnitProperties" {
            assert_eq!(call.get_sig(), "sba(sv)");
            let mut body = call.body.parser();
            assert_eq!(body.get::<String>().unwrap(), "x.scope");
            // Until the unit ends, not for ever.
            assert!(body.get::<bool>().unwrap());
        }
        called.push(member);
        send(&mut stream, &reply);
    }
    called
}

fn send(stream: &mut UnixStream, message: &MarshalledMessage) {
    let mut bytes = Vec::new();
    marshal(message, 7, &mut bytes).unwrap();
    bytes.extend_from_slice(message.get_buf());
    stream.write_all(&bytes).unwrap();
}

fn receive(stream: &mut UnixStream) -> Option<MarshalledMessage> {
    let mut fixed = [0u8; 16];
    stream.read_exact(&mut fixed).ok()?;
    let mut bytes = fixed.to_vec();
    bytes.resize(bus::length(&fixed).unwrap(), 0);
    stream.read_exact(&mut bytes[16..]).ok()?;
    bus::parse(&bytes)
}

fn ask(result: &'static str) -> (Result<()>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("bus");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = std::thread::spawn(move || fake_bus(listener, result));
    let limits = Limits {
        memory: Some(64 << 20),
        nano_cpus: Some(500_000_000),
        cpuset_cpus: Some("0".into()),
        ..Limits::default()
    };
    let properties = scope::properties("x", Some("a.slice"), 5, &limits);
    let deadline = Instant::now() + Duration::from_secs(10);
    let outcome = scope::request(&socket, "x.scope", &properties, deadline);
    (outcome, server.join().unwrap())
}

#[test]
fn a_scope_is_asked_for_and_its_own_job_waited_for() {
    let (outcome, called) = ask("done");
    outcome.unwrap();
    assert_eq!(
        called,
        ["Hello", "AddMatch", "Subscribe", "StartTransientUnit"]
    );
    let error = ask("failed").0.unwrap_err();
    assert!(error.to_string().contains("ended as failed"), "{error}");
}

#[test]
fn a_bus_that_says_nothing_is_left_at_the_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("bus");
    let _listener = UnixListener::bind(&socket).unwrap();
    let start = Instant::now();
    let deadline = start + Duration::from_millis(50);
    assert!(scope::request(&socket, "x.scope", &[], deadline).is_err());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(scope::request(Path::new("/nonexistent"), "x", &[], deadline).is_err());
}

#[test]
fn limits_become_the_properties_systemd_documents() {
    use scope::Value;
    let limits = Limits {
        memory: Some(64 << 20),
        memory_swap: Some(-1),
        nano_cpus: Some(1_500_000_000),
        cpu_shares: Some(1024),
        cpuset_cpus: Some("0,9".into()),
        ..Limits::default()
    };
    let found = scope::properties("x", None, 5, &limits);
    for (name, value) in [
        ("PIDs", Value::Pids(vec![5])),
        ("Delegate", Value::Flag(true)),
        ("MemoryMax", Value::Number(64 << 20)),
        ("MemorySwapMax", Value::Number(u64::MAX)),
        ("CPUQuotaPerSecUSec", Value::Number(1_500_000)),
        ("CPUWeight", Value::Number(39)),
        ("AllowedCPUs", Value::Bytes(vec![1, 2])),
        ("TasksMax", Value::Number(2048)),
    ] {
        assert!(found.contains(&(name, value)), "{name}: {found:?}");
    }
    assert!(!found.iter().any(|(name, _)| *name == "Slice"));
}

/// Seen in a systemd service of version 2: with the default of `--pids-limit` alone the service's
/// cgroup became threaded, and no container could be started in it.
#[test]
fn a_cgroup_with_processes_hands_down_nothing_that_nobody_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().to_owned();
    std::fs::write(own.join("cgroup.type"), "domain\n").unwrap();
    std::fs::write(own.join("cgroup.procs"), "1\n2\n").unwrap();
    std::fs::write(own.join("cgroup.controllers"), "pids\n").unwrap();
    std::fs::write(own.join("cgroup.subtree_control"), "").unwrap();
    let layout = CgroupLayout {
        unified: Some(Unified {
            mount: own.clone(),
            own: own.clone(),
        }),
        root: true,
        ..CgroupLayout::default()
    };
    let cgroup = prepare("c", None, &Limits::default(), &layout, &Silent).unwrap();
    assert!(cgroup.place().is_none());
    let handed = std::fs::read_to_string(own.join("cgroup.subtree_control")).unwrap();
    assert_eq!(handed, "");
    // One that has become threaded is no place either, even for what is asked.
    std::fs::write(own.join("cgroup.type"), "domain threaded\n").unwrap();
    std::fs::write(own.join("cgroup.subtree_control"), "pids\n").unwrap();
    let cgroup = prepare("c", None, &Limits::default(), &layout, &Silent).unwrap();
    assert!(cgroup.place().is_none());
}
