//! Blobs and layers: one writer each, resume, damage.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn missing(blob: Blob) -> BlobWriter {
    match blob {
        Blob::Missing(writer) => writer,
        Blob::Present => panic!("the blob is present"),
    }
}

#[test]
fn parallel_acquirers_write_a_blob_once() {
    let home = Home::new();
    home.open();
    let bytes = vec![7u8; 100_000];
    let digest = Digest::of(&bytes);
    let written = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = home.open();
                match store.blobs().acquire(&digest, bytes.len() as u64).unwrap() {
                    Blob::Present => {}
                    Blob::Missing(mut writer) => {
                        written.fetch_add(1, Ordering::SeqCst);
                        writer.write_all(&bytes).unwrap();
                        writer.commit().unwrap();
                    }
                }
                assert!(store.blobs().has(&digest));
            });
        }
    });
    assert_eq!(written.into_inner(), 1);
    assert_eq!(home.open().blobs().read(&digest, 1 << 20).unwrap(), bytes);
    assert!(file::names(&home.root.join("tmp")).unwrap().is_empty());
}

#[test]
fn a_dropped_writer_is_resumed_where_it_stopped() {
    let home = Home::new();
    let bytes = b"one two three";
    let digest = Digest::of(bytes);
    let acquire = |store: &Store| missing(store.blobs().acquire(&digest, 13).unwrap());
    {
        let store = home.open();
        let mut writer = acquire(&store);
        assert_eq!(writer.offset(), 0);
        writer.write_all(&bytes[..4]).unwrap();
    }
    let store = home.open();
    let mut writer = acquire(&store);
    assert_eq!(writer.offset(), 4);
    let mut reader = writer.partial_reader().unwrap();
    writer.write_all(&bytes[4..]).unwrap();
    let mut head = String::new();
    reader.read_to_string(&mut head).unwrap();
    assert_eq!(head, "one ");
    writer.commit().unwrap();
    assert_eq!(store.blobs().read(&digest, 100).unwrap(), bytes);
}

#[test]
fn a_short_blob_is_kept_for_resuming_and_a_long_one_refused() {
    let home = Home::new();
    let store = home.open();
    let digest = Digest::of(b"12345");
    let mut writer = missing(store.blobs().acquire(&digest, 5).unwrap());
    writer.write_all(b"123").unwrap();
    let error = writer.commit().unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    let mut writer = missing(store.blobs().acquire(&digest, 5).unwrap());
    assert_eq!(writer.offset(), 3);
    assert!(writer.write_all(b"45-").is_err());
    writer.write_all(b"45").unwrap();
    writer.commit().unwrap();
}

#[test]
fn a_wrong_digest_is_refused_with_both_and_leaves_nothing() {
    let home = Home::new();
    let store = home.open();
    let digest = Digest::of(b"good");
    let mut writer = missing(store.blobs().acquire(&digest, 4).unwrap());
    writer.write_all(b"evil").unwrap();
    let error = writer.commit().unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    let text = error.to_string();
    assert!(text.contains(&digest.to_string()), "{text}");
    assert!(text.contains(&Digest::of(b"evil").to_string()), "{text}");
    assert!(!store.blobs().has(&digest));
    let writer = missing(store.blobs().acquire(&digest, 4).unwrap());
    assert_eq!(writer.offset(), 0);
}

#[test]
fn a_partial_of_full_length_starts_again() {
    let home = Home::new();
    let digest = Digest::of(b"good");
    home.open();
    let partial = writer::partial_path(&home.root, &digest);
    std::fs::write(&partial, "evil and more").unwrap();
    put_blob(&home.open(), b"good");
    assert_eq!(home.open().blobs().read(&digest, 9).unwrap(), b"good");
    assert!(!partial.exists());
}

#[test]
fn a_truncated_blob_is_fetched_again_and_a_changed_one_is_not_believed() {
    let home = Home::new();
    let store = home.open();
    let digest = put_blob(&store, b"content");
    std::fs::write(store.blobs().path(&digest), "conTent").unwrap();
    let error = store.blobs().read(&digest, 100).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.advice().unwrap().contains("system check --repair"));
    std::fs::write(store.blobs().path(&digest), "con").unwrap();
    put_blob(&store, b"content");
    assert_eq!(store.blobs().read(&digest, 100).unwrap(), b"content");
}

#[test]
fn small_blobs_repair_themselves() {
    let home = Home::new();
    let store = home.open();
    let digest = store.blobs().put_bytes(b"{}").unwrap();
    std::fs::write(store.blobs().path(&digest), "").unwrap();
    store.blobs().put_bytes(b"{}").unwrap();
    assert_eq!(store.blobs().read(&digest, 9).unwrap(), b"{}");
}

#[test]
fn an_unkept_blob_is_verified_and_gone() {
    let home = Home::new();
    let store = home.open();
    let digest = Digest::of(b"abc");
    let mut writer = missing(store.blobs().acquire(&digest, 3).unwrap());
    writer.write_all(b"abc").unwrap();
    writer.commit_unkept().unwrap();
    assert!(!store.blobs().has(&digest));
}

#[test]
fn parallel_stagers_unpack_a_layer_once() {
    let home = Home::new();
    home.open();
    let made = AtomicUsize::new(0);
    let diff_id = Digest::of(b"layer");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = home.open();
                if let Stage::Make(stage) = store.layers().stage(&diff_id).unwrap() {
                    made.fetch_add(1, Ordering::SeqCst);
                    std::fs::write(stage.dir().join("file"), "layer").unwrap();
                    stage.commit(LayerInfo::default(), &[]).unwrap();
                }
                assert!(store.layers().path(&diff_id).join("file").exists());
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
}

#[test]
fn an_abandoned_stage_leaves_nothing_and_a_crashed_one_is_replaced() {
    let home = Home::new();
    let store = home.open();
    let diff_id = Digest::of(b"layer");
    let Stage::Make(stage) = store.layers().stage(&diff_id).unwrap() else {
        panic!("present");
    };
    std::fs::write(stage.dir().join("half"), "").unwrap();
    let dir = stage.dir().to_owned();
    drop(stage);
    assert!(!dir.exists() && !store.layers().has(&diff_id));
    // What kill -9 leaves: the staging directory without a lock holder.
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("stale"), "").unwrap();
    put_layer(&store, b"layer");
    let layer = store.layers().path(&diff_id);
    assert!(layer.join("file").exists() && !layer.join("stale").exists());
    std::fs::create_dir(&dir).unwrap();
    assert!(store.sweep().unwrap().left.is_empty());
    assert!(!dir.exists());
    assert!(file::names(&home.root.join("trash")).unwrap().is_empty());
}

#[test]
fn intended_owners_come_back_as_written() {
    let home = Home::new();
    let store = home.open();
    let diff_id = Digest::of(b"layer");
    let Stage::Make(stage) = store.layers().stage(&diff_id).unwrap() else {
        panic!("present");
    };
    let owners = vec![
        (PathBuf::from("etc/link"), "0:42:0777:symlink".to_owned()),
        (PathBuf::from("dev/null"), "0:0:0666:device-1-3".to_owned()),
    ];
    stage.commit(LayerInfo::default(), &owners).unwrap();
    assert_eq!(store.layers().owners(&diff_id).unwrap(), owners);
    assert_eq!(store.layers().owners(&Digest::of(b"other")).unwrap(), []);
}

#[test]
fn layers_below_one_that_hides_everything_are_not_stacked() {
    let home = Home::new();
    let store = home.open();
    let (a, b) = (put_layer(&store, b"a"), put_layer(&store, b"b"));
    let opaque = Digest::of(b"opaque");
    let Stage::Make(mut stage) = store.layers().stage(&opaque).unwrap() else {
        panic!("present");
    };
    stage.set_opaque();
    stage.commit(LayerInfo::default(), &[]).unwrap();
    let hidden = |layers: &[Digest]| store.layers().hidden(layers);
    assert_eq!(hidden(&[a, b]), 0);
    assert_eq!(hidden(&[opaque, a]), 0);
    assert_eq!(hidden(&[a, b, opaque, a]), 2);
    assert_eq!(hidden(&[opaque, a, opaque]), 2);
    let marker = super::layer::opaque_path(&store.layers().path(&opaque));
    assert!(marker.exists());
    drop(store);
    // Later, so that no pin keeps what nothing names.
    home.open().collect().unwrap();
    assert!(!marker.exists());
}

#[test]
fn a_layer_of_an_earlier_boot_is_trusted_only_when_something_names_it() {
    let home = Home::new();
    let store = home.open();
    let age = |layer: &Digest| {
        let mut info = store.layers().info(layer).unwrap();
        info.boot = "an earlier one".to_owned();
        store.layers().set_info(layer, &info).unwrap();
    };
    let loose = put_layer(&store, b"loose");
    age(&loose);
    assert!(matches!(
        store.layers().stage(&loose).unwrap(),
        Stage::Make(_)
    ));
    let used = put_image(&store, "docker.io/library/b:1", "used");
    let _container = store
        .containers()
        .create(&container(1, "web", Some(&used)))
        .unwrap();
    store.images().remove(&used).unwrap();
    age(&used.layers[0]);
    assert!(matches!(
        store.layers().stage(&used.layers[0]).unwrap(),
        Stage::Present
    ));
    let named = put_image(&store, "docker.io/library/a:1", "named").layers[0];
    age(&named);
    assert!(matches!(
        store.layers().stage(&named).unwrap(),
        Stage::Present
    ));
}
