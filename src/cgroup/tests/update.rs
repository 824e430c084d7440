//! New limits for running containers: systemd's answers, and plain files in place of version 2's.

use std::os::unix::net::UnixListener;

use super::*;

/// Updates `place`, whose container has no process, from no limits to `new`.
fn updated(place: &mut Place, new: &Limits, layout: &CgroupLayout) -> Vec<String> {
    let heard = Heard::default();
    let subject = Subject {
        name: "x",
        pid: 0,
        members: &Vec::new,
    };
    let old = Limits::default();
    update(place, &subject, (&old, new), layout, &heard).unwrap();
    heard.lines()
}

#[test]
fn a_running_scope_gets_its_limits_from_systemd() {
    let dir = tempfile::tempdir().unwrap();
    let scope = dir.path().join("x.scope");
    std::fs::create_dir(&scope).unwrap();
    std::fs::write(scope.join("cgroup.controllers"), "memory pids\n").unwrap();
    let socket = dir.path().join("bus");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = std::thread::spawn(move || fake_bus(listener, "done"));
    let layout = CgroupLayout {
        systemd_bus: Some(socket),
        ..CgroupLayout::default()
    };
    let mut place = Place {
        unified: Some(scope.join("container")),
        scope: Some(scope),
        ..Place::default()
    };
    let limits = Limits {
        memory: Some(64 << 20),
        cpuset_cpus: Some("0".into()),
        ..Limits::default()
    };
    let said = updated(&mut place, &limits, &layout);
    assert_eq!(server.join().unwrap(), ["Hello", "SetUnitProperties"]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("--cpuset-cpus"), "{said:?}");
}

#[test]
fn a_running_container_of_version_two_gets_what_is_delegated() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("ketch-x");
    std::fs::create_dir(&folder).unwrap();
    for file in ["memory.max", "memory.swap.max", "pids.max"] {
        std::fs::write(folder.join(file), "").unwrap();
    }
    let mut place = Place {
        unified: Some(folder.clone()),
        ..Place::default()
    };
    let limits = Limits {
        memory: Some(64 << 20),
        cpu_shares: Some(512),
        pids: Some(-1),
        ..Limits::default()
    };
    let layout = CgroupLayout::default();
    let said = updated(&mut place, &limits, &layout);
    let read = |file| std::fs::read_to_string(folder.join(file)).unwrap();
    assert_eq!(
        (read("memory.max").as_str(), read("pids.max").as_str()),
        ("67108864", "max")
    );
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("--cpu-shares"), "{said:?}");
    // Without a cgroup nothing of it holds.
    assert_eq!(updated(&mut Place::default(), &limits, &layout).len(), 3);
}
