//! Container names, liveness, removal.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::common::ExitStatus;

#[test]
fn racing_creators_of_one_name_give_one_winner() {
    let home = Home::new();
    home.open();
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (home, won) = (&home, &won);
            scope.spawn(move || {
                match home.open().containers().create(&container(n, "web", None)) {
                    Ok(_) => {
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(error) => assert_eq!(error.kind(), Kind::Conflict, "{error}"),
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    let names = file::names(&home.root.join("containers")).unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_conflict_names_the_holder() {
    let home = Home::new();
    let store = home.open();
    store
        .containers()
        .create(&container(0xab, "web", None))
        .unwrap();
    let error = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap_err();
    assert!(error.to_string().contains("abababababab"), "{error}");
    let error = store
        .containers()
        .create(&container(1, "../x", None))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

#[test]
fn a_name_left_by_a_crash_is_free_again() {
    let home = Home::new();
    let store = home.open();
    let claim = home.root.join("containers/names/web");
    std::os::unix::fs::symlink("cd".repeat(32), &claim).unwrap();
    let fresh = home
        .root
        .join(format!("containers/.new-{}", "cd".repeat(32)));
    std::fs::create_dir(&fresh).unwrap();
    std::fs::write(fresh.join("lock"), "").unwrap();
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (home, won) = (&home, &won);
            scope.spawn(move || {
                if home
                    .open()
                    .containers()
                    .create(&container(n, "web", None))
                    .is_ok()
                {
                    won.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    store.collect().unwrap();
    assert!(!fresh.exists());
    assert!(claim.symlink_metadata().is_ok());
}

#[test]
fn containers_are_found_by_id_name_and_prefix() {
    let home = Home::new();
    let store = home.open();
    let containers = store.containers();
    containers.create(&container(0xaa, "one", None)).unwrap();
    containers.create(&container(0xab, "two", None)).unwrap();
    // docker: a name goes before a prefix.
    containers.create(&container(0xcc, "ab", None)).unwrap();
    let found = |text: &str| containers.find(text).map(|dir| dir.record().unwrap().name);
    assert_eq!(found("one").unwrap(), "one");
    assert_eq!(found(&"ab".repeat(32)).unwrap(), "two");
    assert_eq!(found("aba").unwrap(), "two");
    assert_eq!(found("ab").unwrap(), "ab");
    assert_eq!(found("a").unwrap_err().kind(), Kind::Conflict);
    for none in ["", "none", "dd", "names", "../containers", "names/one"] {
        assert_eq!(found(none).unwrap_err().kind(), Kind::NotFound, "{none}");
    }
}

#[test]
fn liveness_follows_the_lock() {
    let home = Home::new();
    let store = home.open();
    let (dir, lock) = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap();
    let alive = || store.containers().list().unwrap().remove(0).unwrap().alive;
    assert!(alive() && alive());
    assert_eq!(dir.lock().unwrap_err().kind(), Kind::Conflict);
    let copy = lock.file.try_clone().unwrap();
    drop(lock);
    assert!(alive());
    drop(copy);
    assert!(!alive());
    dir.lock().unwrap();
}

#[test]
fn state_and_exit_come_back() {
    let home = Home::new();
    let store = home.open();
    let (dir, _lock) = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap();
    assert_eq!(dir.state().unwrap(), None);
    assert_eq!(dir.exit().unwrap(), None);
    let state = StateRecord::of_process(std::process::id() as i32).unwrap();
    dir.set_state(&state).unwrap();
    let exit = ExitRecord {
        status: ExitStatus::Signal(9),
        started: Some(state.started),
        finished: Timestamp::now(),
        oom: true,
        error: String::new(),
        restarts: 0,
        restarting: false,
    };
    dir.set_exit(&exit).unwrap();
    assert_eq!(dir.state().unwrap(), None);
    assert_eq!(dir.exit().unwrap(), Some(exit));
    // The next run forgets it.
    dir.set_state(&state).unwrap();
    assert_eq!(dir.state().unwrap(), Some(state));
    assert_eq!(dir.exit().unwrap(), None);
}

#[test]
fn removal_frees_the_name_and_leaves_nothing() {
    let home = Home::new();
    let store = home.open();
    let (dir, lock) = store
        .containers()
        .create(&container(1, "web", None))
        .unwrap();
    std::fs::create_dir_all(dir.work().join("work")).unwrap();
    std::fs::set_permissions(
        dir.work().join("work"),
        std::os::unix::fs::PermissionsExt::from_mode(0o000),
    )
    .unwrap();
    let purged = store.containers().remove(&dir, lock).unwrap();
    assert!(purged.left.is_empty(), "{purged:?}");
    assert!(file::names(&home.root.join("trash")).unwrap().is_empty());
    store
        .containers()
        .create(&container(2, "web", None))
        .unwrap();
}

#[test]
fn what_takes_no_room_is_left_for_the_next_start() {
    let home = Home::new();
    let store = home.open();
    let containers = store.containers();
    let trash = || file::names(&home.root.join("trash")).unwrap().len();
    for number in 1..=5 {
        let record = container(number, "web", None);
        let (dir, lock) = containers.create(&record).unwrap();
        std::fs::create_dir_all(dir.work().join("work")).unwrap();
        std::fs::write(dir.path().join("hosts"), "").unwrap();
        containers.remove_ended(&dir, lock, &record).unwrap();
        assert!(containers.ids().unwrap().is_empty());
    }
    assert_eq!(trash(), 1, "one is enough");
    store.delete_rest();
    assert_eq!(trash(), 0);
    store.delete_rest();
}

#[test]
fn what_takes_room_goes_at_once() {
    let home = Home::new();
    let store = home.open();
    let containers = store.containers();
    for (number, place) in [(1, "upper/written"), (2, "container.log"), (3, "copy")] {
        let record = container(number, "web", None);
        let (dir, lock) = containers.create(&record).unwrap();
        std::fs::write(dir.path().join(place), "text").unwrap();
        let purged = containers.remove_ended(&dir, lock, &record).unwrap();
        assert!(purged.left.is_empty(), "{purged:?}");
        assert!(
            file::names(&home.root.join("trash")).unwrap().is_empty(),
            "{place}"
        );
    }
}

#[test]
fn renaming_moves_the_claim() {
    let home = Home::new();
    let store = home.open();
    let containers = store.containers();
    let (dir, _lock) = containers.create(&container(1, "web", None)).unwrap();
    containers.create(&container(2, "db", None)).unwrap();
    assert_eq!(
        containers.rename(&dir, "db").unwrap_err().kind(),
        Kind::Conflict
    );
    containers.rename(&dir, "www").unwrap();
    assert_eq!(containers.find("www").unwrap(), dir);
    containers.create(&container(3, "web", None)).unwrap();
}

#[test]
fn a_damaged_record_does_not_hide_the_others() {
    let home = Home::new();
    let store = home.open();
    let containers = store.containers();
    let (dir, _) = containers.create(&container(1, "web", None)).unwrap();
    containers.create(&container(2, "db", None)).unwrap();
    std::fs::write(dir.path().join("container.json"), "{").unwrap();
    let listed = containers.list().unwrap();
    assert_eq!(listed.iter().filter(|entry| entry.is_ok()).count(), 1);
    let error = listed.into_iter().find_map(Result::err).unwrap();
    assert_eq!(error.kind(), Kind::Corrupt);
}
