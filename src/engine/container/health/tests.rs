//! Merging checks and timing them.

use std::collections::BTreeMap;

use super::*;
use crate::common::{ContainerId, Mode};

fn record(image: Value) -> ContainerRecord {
    ContainerRecord {
        id: ContainerId::from_bytes([1; 32]),
        name: "web".to_owned(),
        created: Timestamp(0),
        image: String::new(),
        manifest: None,
        config: None,
        layers: Vec::new(),
        mounted: Vec::new(),
        mode: Mode::Single,
        rootfs: None,
        labels: BTreeMap::new(),
        command: Vec::new(),
        asked: json!({"image": {"health": image}}).into(),
    }
}

fn asked(check: Healthcheck) -> Config {
    let mut config = Config::default();
    config.lifecycle.health.check = check;
    config
}

#[test]
fn fields_of_the_request_win_one_by_one() {
    let image =
        json!({"Test": ["CMD", "probe", "-q"], "Interval": 7_000_000_000_i64, "Retries": 9});
    let plain = check(&record(image.clone()), &Config::default()).unwrap();
    assert_eq!(plain.test, ["probe", "-q"]);
    assert_eq!(
        (
            plain.interval.as_secs(),
            plain.timeout.as_secs(),
            plain.retries
        ),
        (7, 30, 9)
    );
    assert_eq!(
        (plain.start_period.as_secs(), plain.start_interval.as_secs()),
        (0, 5)
    );
    let config = asked(Healthcheck {
        test: vec!["CMD-SHELL".to_owned(), "true; false".to_owned()],
        retries: 2,
        ..Healthcheck::default()
    });
    let mixed = check(&record(image.clone()), &config).unwrap();
    assert_eq!(mixed.test, ["/bin/sh", "-c", "true; false"]);
    assert_eq!((mixed.interval.as_secs(), mixed.retries), (7, 2));
    let mut off = config;
    off.lifecycle.health.disabled = true;
    assert_eq!(check(&record(image), &off), None);
}

#[test]
fn no_check_is_none() {
    for image in [
        json!(null),
        json!({}),
        json!({"Test": ["NONE"]}),
        json!({"Test": ["CMD"]}),
        json!({"Test": ["ODD", "x"]}),
        json!(7),
    ] {
        assert_eq!(
            check(&record(image.clone()), &Config::default()),
            None,
            "{image}"
        );
    }
}

#[test]
fn checks_are_due_an_interval_after_the_last_one() {
    const SECOND: i128 = 1_000_000_000;
    let image = json!({"Test": ["CMD", "x"], "StartPeriod": 20 * SECOND as i64, "StartInterval": 2 * SECOND as i64});
    let check = check(&record(image), &Config::default()).unwrap();
    let state = StateRecord {
        pid: 1,
        start_time: 5,
        started: Timestamp(100 * SECOND),
        supervisor: 0,
        restarts: 0,
        paused: false,
        held: false,
    };
    let seconds = |record: Option<&HealthRecord>| due(&check, &state, record).0.0 / SECOND;
    assert_eq!(seconds(None), 102);
    let with = |end: i128, status, run| HealthRecord {
        status,
        failing_streak: 0,
        log: vec![HealthResult {
            start: Timestamp(end * SECOND),
            end: Timestamp(end * SECOND),
            exit_code: 1,
            output: String::new(),
        }],
        run,
        ..HealthRecord::default()
    };
    assert_eq!(seconds(Some(&with(110, HealthStatus::Starting, 5))), 112);
    assert_eq!(seconds(Some(&with(110, HealthStatus::Healthy, 5))), 140);
    assert_eq!(seconds(Some(&with(121, HealthStatus::Starting, 5))), 151);
    assert_eq!(seconds(Some(&with(50, HealthStatus::Healthy, 4))), 102);
}

#[test]
fn texts_are_dockers() {
    let go = |millis| go_duration(Duration::from_millis(millis));
    assert_eq!(
        [go(500), go(30_000), go(1_500), go(90_000), go(3_600_000)],
        ["500ms", "30s", "1.5s", "1m30s", "1h0m0s"]
    );
    assert_eq!(cut(b"ok\n".to_vec(), MAX_OUTPUT), "ok\n");
    let long = cut(vec![b'x'; 5000], MAX_OUTPUT);
    assert!(long.len() == 4096 && long.ends_with("x..."));
    assert!(cut(vec![0xff; 4096], MAX_OUTPUT).len() <= 4096);
}

#[test]
fn a_check_before_the_check_has_its_own_times_and_end() {
    let mut config = asked(Healthcheck {
        test: vec!["CMD".to_owned(), "probe".to_owned()],
        ..Healthcheck::default()
    });
    config.lifecycle.health.startup = Startup {
        check: Healthcheck {
            test: vec!["CMD".to_owned(), "up".to_owned()],
            interval: 2_000_000_000,
            retries: 2,
            ..Healthcheck::default()
        },
        successes: 2,
    };
    let found = check(&record(Value::Null), &config).unwrap();
    let mut health = HealthRecord::default();
    assert_eq!(found.starting(Some(&health)).unwrap().interval.as_secs(), 2);
    health.startup.add(1, 2);
    assert!(!found.gives_up(&health));
    health.startup.add(0, 2);
    health.startup.add(1, 2);
    assert!(!found.gives_up(&health));
    health.startup.add(1, 2);
    assert!(found.gives_up(&health));
    health.startup.add(0, 2);
    health.startup.add(0, 2);
    assert!(health.startup.passed && found.starting(Some(&health)).is_none());
}
