//! The whole table on the running machine.

use super::*;
use crate::host::HostEnv;

fn host() -> Host {
    Host::new(HostEnv::from_lookup(&|name| std::env::var_os(name)))
}

#[test]
fn the_running_machine_is_examined_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("deep/store");
    let report = examine(&host(), &store, None);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let mut names: Vec<&str> = report.checks.iter().map(|check| check.name).collect();
    for name in [
        "identity",
        "user-namespaces",
        "overlay",
        "cgroups",
        "seccomp",
    ] {
        assert!(report.check(name).is_some(), "{name}");
    }
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
    for check in &report.checks {
        assert!(
            check.verdict != Verdict::Ok || check.fix.is_empty(),
            "{check:?}"
        );
        assert!(!check.found.is_empty(), "{check:?}");
    }
    let works = report.check("user-namespaces").unwrap().verdict == Verdict::Ok;
    let mounts = report.check("overlay").unwrap().verdict == Verdict::Ok;
    assert_eq!(report.rootfs == "overlay", mounts);
    assert_eq!(report.can_run(), works || report.identity == Mode::Root);
    match report.identity {
        Mode::Root => assert_eq!(report.network, "bridge"),
        _ => assert!(matches!(report.network, "private" | "host")),
    }
}

#[test]
fn the_report_is_json_with_words_for_verdicts() {
    let dir = tempfile::tempdir().unwrap();
    let report = examine(&host(), dir.path(), Some("single"));
    assert_eq!(report.identity, Mode::Single);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["identity"], "single");
    let verdict = json["checks"][0]["verdict"].as_str().unwrap();
    assert!(["ok", "degraded", "missing"].contains(&verdict));
    assert!(report.check("subordinate-ids").is_some());
}

#[test]
fn a_store_that_cannot_be_written_is_said() {
    let report = examine(&host(), Path::new("/proc/ketch"), None);
    let check = report.check("store-writable").unwrap();
    assert_eq!(check.verdict, Verdict::Missing);
    assert!(report.check("overlay").is_none());
    assert!(!report.can_run());
}
