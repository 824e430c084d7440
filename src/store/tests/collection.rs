//! Collection, check and repair, usage.

use std::os::unix::fs::MetadataExt;

use super::*;

const A: &str = "docker.io/library/a:1";

/// An image added by a process that has ended since, so that no pin keeps it.
fn finished_image(home: &Home, name: &str, content: &str) -> ImageRecord {
    put_image(&home.open(), name, content)
}

#[test]
fn what_a_name_or_a_container_names_stays() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let b = finished_image(&home, "docker.io/library/b:1", "b");
    let store = home.open();
    let loose = put_blob(&home.open(), b"loose");
    let (dir, lock) = store
        .containers()
        .create(&container(1, "web", Some(&b)))
        .unwrap();
    store.images().remove(&b).unwrap();
    let collected = store.collect().unwrap();
    assert!(collected.blobs.contains(&loose));
    assert!(!store.blobs().has(&loose));
    assert!(store.layers().has(&a.layers[0]) && store.blobs().has(&a.blobs[0]));
    assert!(store.layers().has(&b.layers[0]) && store.blobs().has(&b.config));
    store.containers().remove(&dir, lock).unwrap();
    let collected = store.collect().unwrap();
    assert_eq!(collected.layers, b.layers);
    assert!(!store.layers().has(&b.layers[0]) && !store.blobs().has(&b.config));
    assert!(store.check(false).unwrap().problems.is_empty());
    store.images().remove(&a).unwrap();
    store.collect().unwrap();
    assert!(store.blob_digests().unwrap().is_empty());
    assert!(file::names(&store.layers().dir()).unwrap().is_empty());
}

#[test]
fn a_running_pull_loses_neither_new_nor_reused_things() {
    let home = Home::new();
    let old = finished_image(&home, A, "old");
    let collector = home.open();
    collector.images().remove(&old).unwrap();
    let puller = home.open();
    let new = put_blob(&puller, b"new");
    // Reuses what only the removed image named.
    assert_eq!(put_blob(&puller, b"compressed old"), old.blobs[0]);
    assert_eq!(put_layer(&puller, b"old"), old.layers[0]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    collector.collect().unwrap();
    let blobs = collector.blobs();
    assert!(blobs.has(&new) && blobs.has(&old.blobs[0]));
    assert!(collector.layers().has(&old.layers[0]));
    assert!(!blobs.has(&old.config), "nobody reused the configuration");
    drop(puller);
    collector.collect().unwrap();
    let blobs = collector.blobs();
    assert!(!blobs.has(&new) && !blobs.has(&old.blobs[0]));
    assert!(!collector.layers().has(&old.layers[0]));
}

#[test]
fn a_layer_whose_root_is_read_only_can_be_collected() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let store = home.open();
    let layer = store.layers().path(&a.layers[0]);
    std::fs::set_permissions(&layer, std::fs::Permissions::from_mode(0o555)).unwrap();
    store.images().remove(&a).unwrap();
    let collected = store.collect().unwrap();
    assert!(collected.purged.left.is_empty());
    assert!(!layer.exists());
}

#[test]
fn compressed_layers_go_when_the_policy_says_so_and_the_image_stays_whole() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let b = finished_image(&home, "docker.io/library/b:1", "b");
    let store = home.open();
    store.set_keep_blobs(KeepBlobs::Never);
    // Not unpacked in this mode: the compressed layer is all there is.
    std::fs::remove_dir_all(store.layers().path(&b.layers[0])).unwrap();
    assert_eq!(store.collect().unwrap().blobs, a.blobs);
    assert!(store.blobs().has(&b.blobs[0]) && store.blobs().has(&a.manifest));
    assert!(store.check(false).unwrap().problems.is_empty());
    let always = home.open();
    always.set_keep_blobs(KeepBlobs::Always);
    assert!(always.keeps_blobs() && always.collect().unwrap().blobs.is_empty());
}

#[test]
fn an_unreadable_record_stops_collecting() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let store = home.open();
    std::fs::write(store.images().name_path(A), "{").unwrap();
    assert!(store.collect().unwrap().blobs.is_empty());
    assert!(store.blobs().has(&a.config));
}

#[test]
fn an_unfinished_download_outlives_a_collection() {
    let home = Home::new();
    let store = home.open();
    let digest = Digest::of(b"12345");
    if let Blob::Missing(mut writer) = store.blobs().acquire(&digest, 5).unwrap() {
        writer.write_all(b"123").unwrap();
    }
    home.open().collect().unwrap();
    match store.blobs().acquire(&digest, 5).unwrap() {
        Blob::Missing(writer) => assert_eq!(writer.offset(), 3),
        Blob::Present => panic!("never completed"),
    }
}

#[test]
fn collectors_and_pullers_at_once_keep_every_named_image_whole() {
    let home = Home::new();
    home.open();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let home = &home;
            scope.spawn(move || {
                for round in 0..5 {
                    let record = finished_image(home, &format!("docker.io/library/n:{n}"), "same");
                    let store = home.open();
                    assert!(store.layers().has(&record.layers[0]), "{n} {round}");
                    assert!(store.blobs().has(&record.config), "{n} {round}");
                    store.images().remove(&record).unwrap();
                }
                finished_image(home, &format!("docker.io/library/n:{n}"), "same");
            });
            scope.spawn(move || {
                for _ in 0..10 {
                    home.open().collect().unwrap();
                }
            });
        }
    });
    let report = home.open().check(false).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(report.images, 4);
}

#[test]
fn repair_removes_what_is_damaged_so_that_a_pull_brings_it_back() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let b = finished_image(&home, "docker.io/library/b:1", "b");
    let store = home.open();
    std::fs::write(store.blobs().path(&a.config), "{}").unwrap();
    std::fs::write(home.root.join("index.json"), "").unwrap();
    std::fs::write(home.root.join("blobs/sha256/junk"), "").unwrap();
    let found = store.check(false).unwrap();
    assert_eq!(found.problems.len(), 4, "{:?}", found.problems);
    assert!(found.problems.iter().all(|problem| !problem.repaired));
    let repaired = store.check(true).unwrap();
    assert!(repaired.problems.iter().all(|problem| problem.repaired));
    assert!(store.check(false).unwrap().problems.is_empty());
    assert_eq!(store.images().get(A).unwrap(), None);
    assert!(
        store
            .images()
            .get(b.name.as_deref().unwrap())
            .unwrap()
            .is_some()
    );
    finished_image(&home, A, "a");
    assert!(store.check(false).unwrap().problems.is_empty());
}

#[test]
fn a_missing_layer_is_noticed_and_a_container_is_never_thrown_away_for_it() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let store = home.open();
    let (dir, _) = store
        .containers()
        .create(&container(1, "web", Some(&a)))
        .unwrap();
    std::fs::remove_dir_all(store.layers().path(&a.layers[0])).unwrap();
    std::fs::remove_file(store.blobs().path(&a.blobs[0])).unwrap();
    let report = store.check(true).unwrap();
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
    assert!(dir.path().exists());
}

#[test]
fn repair_keeps_layers_and_the_files_of_containers() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    let store = home.open();
    let (dir, lock) = store
        .containers()
        .create(&container(1, "web", Some(&a)))
        .unwrap();
    std::fs::write(dir.upper().join("thesis"), "x").unwrap();
    std::fs::write(dir.path().join("container.json"), "").unwrap();
    std::fs::write(layer::info_path(&store.layers().path(&a.layers[0])), "").unwrap();
    let running = store.check(true).unwrap().problems;
    assert_eq!(running.len(), 2, "{running:?}");
    assert!(dir.upper().join("thesis").exists());
    assert_eq!(store.layers().info(&a.layers[0]).unwrap().size, 1);
    drop(lock);
    let stopped = store.check(true).unwrap().problems;
    assert_eq!(stopped.len(), 1, "{stopped:?}");
    let kept = dir
        .path()
        .with_file_name(format!(".damaged-{}", "01".repeat(32)));
    assert!(kept.join("upper/thesis").exists());
    assert!(store.check(false).unwrap().problems.is_empty());
    store.collect().unwrap();
    store
        .containers()
        .create(&container(2, "web", None))
        .unwrap();
    assert!(kept.join("upper/thesis").exists());
}

#[test]
fn usage_equals_du() {
    let home = Home::new();
    let a = finished_image(&home, A, "a");
    finished_image(&home, "docker.io/library/b:1", "b");
    finished_image(&home, "docker.io/library/b:2", "b");
    let store = home.open();
    store
        .containers()
        .create(&container(1, "web", Some(&a)))
        .unwrap();
    let usage = store.usage().unwrap();
    assert_eq!((usage.images.len(), usage.containers.len()), (2, 1));
    let du = |path: &Path| crate::sys::tree::usage(path).unwrap().disk;
    let own = |path: &Path| path.metadata().unwrap().blocks() * 512;
    let dir = home.root.join("blobs/sha256");
    let blobs = du(&dir) - own(&dir);
    let dir = store.layers().dir();
    let names = file::names(&dir).unwrap();
    let paths = names.iter().map(|name| dir.join(name));
    let layers: u64 = paths
        .filter(|path| path.is_dir())
        .map(|path| du(&path))
        .sum();
    assert_eq!(usage.images_size, layers + blobs);
    assert!(usage.images_reclaimable > 0 && usage.images_reclaimable < usage.images_size);
    assert!(store.layers().info(&a.layers[0]).unwrap().disk.is_some());
    assert_eq!(store.usage().unwrap().images_size, usage.images_size);
}
