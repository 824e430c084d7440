//! Names, ids, dangling images, index.json, damaged records.

use super::*;

const A: &str = "docker.io/library/a:1";
const B: &str = "docker.io/library/b:1";

#[test]
fn images_are_found_by_name_id_and_digest() {
    let home = Home::new();
    let store = home.open();
    let a = put_image(&store, A, "a");
    put_image(&store, B, "b");
    let images = store.images();
    assert_eq!(images.get(A).unwrap().unwrap(), a);
    assert_eq!(images.get("docker.io/library/c:1").unwrap(), None);
    for id in [
        a.config.to_string(),
        a.config.hex(),
        a.config.short(),
        a.manifest.to_string(),
    ] {
        assert_eq!(images.by_id(&id).unwrap(), std::slice::from_ref(&a), "{id}");
    }
    for none in ["", "xyz", "sha256:", &"0".repeat(65)] {
        assert!(images.by_id(none).unwrap().is_empty(), "{none}");
    }
}

#[test]
fn an_ambiguous_id_is_a_conflict_and_two_names_of_one_image_are_not() {
    let home = Home::new();
    let store = home.open();
    let mut seen: Vec<String> = Vec::new();
    let mut clash = None;
    for n in 0..17 {
        let name = format!("docker.io/library/n:{n}");
        let first = put_image(&store, &name, &n.to_string()).config.hex()[..1].to_owned();
        if seen.contains(&first) {
            clash = Some(first);
            break;
        }
        seen.push(first);
    }
    let error = store.images().by_id(&clash.unwrap()).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let one = put_image(&store, A, "0");
    assert_eq!(store.images().by_id(&one.config.hex()).unwrap().len(), 2);
}

#[test]
fn an_image_that_loses_its_only_name_becomes_dangling() {
    let home = Home::new();
    let store = home.open();
    let old = put_image(&store, A, "old");
    let new = put_image(&store, A, "new");
    assert_eq!(store.images().get(A).unwrap().unwrap().config, new.config);
    let dangling = store.images().by_id(&old.config.hex()).unwrap();
    assert_eq!(dangling.len(), 1);
    assert_eq!(dangling[0].name, None);
    // Named again, it dangles no more.
    put_image(&store, B, "old");
    let named = store.images().by_id(&old.config.hex()).unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].name.as_deref(), Some(B));
    // With a second name left, moving a name makes nothing dangling.
    put_image(&store, A, "old");
    put_image(&store, A, "new");
    assert_eq!(store.images().records().unwrap().len(), 2);
}

#[test]
fn index_json_follows_the_names() {
    let home = Home::new();
    let store = home.open();
    let read = || -> serde_json::Value { read_json(&home.root.join("index.json")).unwrap() };
    let a = put_image(&store, A, "a");
    let entry = read()["manifests"][0].clone();
    assert_eq!(entry["digest"], a.manifest.to_string());
    assert_eq!(entry["size"], a.manifest_size);
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], A);
    let removed = store.images().remove(&a).unwrap().unwrap();
    assert!(!removed.others);
    assert_eq!(store.images().remove(&a).unwrap(), None);
    assert_eq!(read()["manifests"], serde_json::json!([]));
    assert_eq!(
        read(),
        serde_json::from_slice::<serde_json::Value>(index::EMPTY).unwrap()
    );
}

#[test]
fn parallel_puts_lose_no_name() {
    let home = Home::new();
    home.open();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let home = &home;
            scope.spawn(move || {
                put_image(
                    &home.open(),
                    &format!("docker.io/library/n:{n}"),
                    &n.to_string(),
                );
            });
        }
    });
    let store = home.open();
    assert_eq!(store.images().records().unwrap().len(), 8);
    let index: crate::oci::Index = read_json(&home.root.join("index.json")).unwrap();
    assert_eq!(index.manifests.len(), 8);
    assert!(store.check(false).unwrap().problems.is_empty());
}

#[test]
fn a_damaged_record_does_not_hide_the_others() {
    let home = Home::new();
    let store = home.open();
    put_image(&store, A, "a");
    put_image(&store, B, "b");
    for junk in ["", "{", "null", "{\"name\":3}"] {
        std::fs::write(store.images().name_path(A), junk).unwrap();
        let error = store.images().get(A).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.to_string().contains("images/n-"), "{error}");
        assert!(error.advice().unwrap().contains("check --repair"));
        let listed = store.images().list().unwrap();
        assert_eq!(listed.iter().filter(|entry| entry.is_ok()).count(), 1);
        assert_eq!(listed.iter().filter(|entry| entry.is_err()).count(), 1);
    }
    // A record copied to another name is not believed either.
    std::fs::copy(store.images().name_path(B), store.images().name_path(A)).unwrap();
    assert_eq!(store.images().get(A).unwrap_err().kind(), Kind::Corrupt);
    put_image(&store, A, "a");
    assert_eq!(store.images().records().unwrap().len(), 2);
}

#[test]
fn use_is_noted_without_a_write() {
    let home = Home::new();
    let store = home.open();
    let a = put_image(&store, A, "a");
    let path = store.images().name_path(A);
    let old = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::open(&path)
        .unwrap()
        .set_modified(old)
        .unwrap();
    let used = || store.images().list().unwrap().remove(0).unwrap().last_used;
    assert_eq!(used().seconds(), 0);
    store.images().touch(&a);
    assert!(used().seconds() > 0);
    assert_eq!(store.images().get(A).unwrap().unwrap(), a);
}
