//! Changes of one container's state by several at once, and the mark of a stop.

use super::*;
use crate::common::ExitStatus;

fn started(restarts: u32) -> StateRecord {
    StateRecord {
        restarts,
        ..StateRecord::of_process(std::process::id() as i32).unwrap()
    }
}

#[test]
fn no_change_is_lost() {
    let home = Home::new();
    let store = home.open();
    let (dir, _lock) = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap();
    dir.set_state(&started(0)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let more = |phase| match phase {
                        Some(Phase::Started(state)) => Some(Phase::Started(StateRecord {
                            restarts: state.restarts + 1,
                            ..state
                        })),
                        _ => None,
                    };
                    assert!(dir.change(more).unwrap());
                }
            });
        }
    });
    assert_eq!(dir.state().unwrap().unwrap().restarts, 100);
}

#[test]
fn an_end_is_not_overwritten_by_who_asks_first() {
    let home = Home::new();
    let store = home.open();
    let (dir, lock) = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap();
    let mut seen = Some(Phase::Started(started(7)));
    let look = |phase: Option<Phase>| {
        seen = phase;
        None
    };
    assert!(!dir.change(look).unwrap());
    assert_eq!(seen, None);
    let exit = ExitRecord {
        status: ExitStatus::Code(3),
        started: None,
        finished: Timestamp::now(),
        oom: false,
        error: String::new(),
        restarts: 0,
        restarting: false,
    };
    dir.set_exit(&exit).unwrap();
    let pause = |phase| match phase {
        Some(Phase::Started(state)) => Some(Phase::Started(StateRecord {
            paused: true,
            ..state
        })),
        _ => None,
    };
    assert!(!dir.change(pause).unwrap());
    assert_eq!(dir.exit().unwrap(), Some(exit));
    store.containers().remove(&dir, lock).unwrap();
    assert_eq!(dir.change(|_| None).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn a_stop_is_marked_until_the_next_start() {
    let home = Home::new();
    let store = home.open();
    let (dir, lock) = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap();
    assert!(!dir.is_stopped());
    dir.mark_stopped().unwrap();
    dir.mark_stopped().unwrap();
    assert!(dir.is_stopped());
    dir.clear_stopped().unwrap();
    dir.clear_stopped().unwrap();
    assert!(!dir.is_stopped());
    store.containers().remove(&dir, lock).unwrap();
    assert_eq!(dir.mark_stopped().unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn what_is_noted_after_a_mark_is_read() {
    let home = Home::new();
    let store = home.open();
    let note = |action: &str| {
        store.note_event(&Event {
            time: Timestamp::now(),
            object: "container".to_owned(),
            action: action.to_owned(),
            id: "x".to_owned(),
            attributes: BTreeMap::new(),
        });
    };
    let since = |mark| {
        let events = store.events_since(mark);
        let actions = events.into_iter().map(|event| event.action);
        actions.collect::<Vec<_>>()
    };
    let nothing = store.journal_mark();
    note("create");
    let mark = store.journal_mark();
    assert!(since(&mark).is_empty());
    note("die");
    assert_eq!(since(&mark), ["die"]);
    // Begun anew: nothing between the two is lost.
    let path = home.root.join("events");
    std::fs::rename(&path, home.root.join("events.old")).unwrap();
    note("destroy");
    assert_eq!(since(&mark), ["die", "destroy"]);
    assert_eq!(since(&nothing), ["destroy"]);
}
