//! Tests of the image and system verbs on a store made from bytes.

use std::collections::BTreeMap;

use super::remove::Event;
use super::*;
use crate::common::{ContainerId, Mode, Silent, Timestamp, parse_rfc3339};
use crate::engine::{Engine, system};
use crate::host::{Host, HostEnv};
use crate::settings::{Environment, Settings};
use crate::store::{ContainerLock, ContainerRecord, LayerInfo, Stage};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Store {
        Store::open(&self.0.path().join("store"), Mode::Single).unwrap()
    }

    /// Adds an image in a process of its own, so to speak: no pin outlives it.
    fn image(&self, name: &str, content: &str, created: &str) -> ImageRecord {
        let store = self.open();
        let layer = Digest::of(content.as_bytes());
        if let Stage::Make(stage) = store.layers().stage(&layer).unwrap() {
            std::fs::write(stage.dir().join("f"), content).unwrap();
            let info = LayerInfo {
                size: 1234,
                files: 1,
                ..LayerInfo::default()
            };
            stage.commit(info, &[]).unwrap();
        }
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","created":"{created}","config":{{"Cmd":["sh"],"Labels":{{"kind":"{content}"}}}},"rootfs":{{"type":"layers","diff_ids":["{layer}"]}},"history":[{{"created_by":"ADD {content}"}},{{"created_by":"CMD sh","empty_layer":true}}]}}"#
        );
        let config_digest = store.blobs().put_bytes(config.as_bytes()).unwrap();
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"digest":"{config_digest}","size":{}}},"layers":[{{"digest":"{layer}","size":9}}]}}"#,
            config.len()
        );
        let manifest_digest = store.blobs().put_bytes(manifest.as_bytes()).unwrap();
        let reference = Reference::parse(name).unwrap();
        let record = ImageRecord {
            name: Some(reference.to_string()),
            manifest: manifest_digest,
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            manifest_size: manifest.len() as u64,
            config: config_digest,
            platform: "linux/amd64".to_owned(),
            layers: vec![layer],
            blobs: vec![layer],
            size: 1234,
            created: parse_rfc3339(created),
            pulled: Timestamp::now(),
            index: None,
            repo_digests: vec![format!("{}@{manifest_digest}", reference.repository())],
            labels: BTreeMap::from([("kind".to_owned(), content.to_owned())]),
            stack: crate::store::Stack::default(),
        };
        store.images().put(&record).unwrap();
        record
    }

    fn container(&self, fill: u8, name: &str, image: &ImageRecord) -> ContainerLock {
        let record = ContainerRecord {
            id: ContainerId::from_bytes([fill; 32]),
            name: name.to_owned(),
            created: Timestamp::now(),
            image: "x".to_owned(),
            manifest: Some(image.manifest),
            config: Some(image.config),
            layers: image.layers.clone(),
            mounted: Vec::new(),
            mode: Mode::Single,
            rootfs: None,
            labels: BTreeMap::new(),
            command: Vec::new(),
            asked: serde_json::Value::Null.into(),
        };
        self.open().containers().create(&record).unwrap().1
    }
}

const OLD: &str = "2020-01-01T00:00:00Z";
const NEW: &str = "2024-01-01T00:00:00Z";

fn pairs(filters: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    filters.iter().map(owned).collect()
}

fn remove(store: &Store, image: &str, force: bool) -> remove::Removal {
    let images = vec![image.to_owned()];
    let no_prune = false;
    let request = remove::Request {
        images,
        force,
        no_prune,
    };
    remove::remove(store, &request).unwrap()
}

fn refusal(removal: &remove::Removal) -> String {
    assert!(removal.events.is_empty(), "{removal:?}");
    format!("{:#}", removal.failures[0].1)
}

#[test]
fn names_go_before_ids_and_digests_find_their_repository() {
    let home = Home::new();
    let a = home.image("debian:12", "a", OLD);
    let store = home.open();
    for name in ["debian:12", "docker.io/library/debian:12"] {
        let found = find(&store, name).unwrap();
        assert!(!found.by_id && found.record == a, "{name}");
    }
    assert!(find(&store, &a.config.short()).unwrap().by_id);
    assert!(find(&store, &a.config.to_string()).unwrap().by_id);
    let pinned = format!("debian@{}", a.manifest);
    assert!(!find(&store, &pinned).unwrap().by_id);
    let elsewhere = format!("other@{}", a.manifest);
    for none in ["debian", "UPPER", "", &elsewhere] {
        let error = find(&store, none).unwrap_err();
        assert!(format!("{error:#}").contains("no such image"), "{none}");
    }
    // An image whose name looks like the beginning of an id.
    let named = home.image(&a.config.short(), "b", NEW);
    let found = find(&store, &format!("{}:latest", a.config.short())).unwrap();
    assert_eq!(found.record.config, named.config);
    let found = find(&store, &a.config.short()).unwrap();
    assert_eq!(found.record.config, named.config);
}

#[test]
fn a_run_finds_what_the_other_verbs_find_and_refuses_bad_names() {
    let home = Home::new();
    let a = home.image("debian:12", "a", OLD);
    let store = home.open();
    let pinned = format!("debian@{}", a.manifest);
    for name in [
        "debian:12",
        &pinned,
        &a.config.short(),
        &a.config.to_string(),
    ] {
        assert_eq!(known(&store, name).unwrap().as_ref(), Some(&a), "{name}");
    }
    // Not here, and could be fetched.
    let elsewhere = format!("other@{}", a.manifest);
    for name in ["debian", &elsewhere, "feed"] {
        assert_eq!(known(&store, name).unwrap(), None, "{name}");
    }
    for bad in ["UPPER", "", "a b"] {
        assert!(known(&store, bad).is_err(), "{bad}");
    }
}

#[test]
fn lists_show_dangling_rows_and_obey_filters() {
    let home = Home::new();
    let old = home.image("debian:12", "old", OLD);
    home.image("debian:12", "new", NEW);
    home.image("ghcr.io/x/app:v1", "app", NEW);
    let store = home.open();
    let list = |filters: &[(&str, &str)]| -> Vec<String> {
        let request = list::Request {
            filters: pairs(filters),
            ..list::Request::default()
        };
        let rows = list::list(&store, &request).unwrap().rows;
        rows.iter()
            .map(|row| {
                let none = || "<none>".to_owned();
                let repository = row.repository.clone().unwrap_or_else(none);
                format!("{repository}:{}", row.tag.clone().unwrap_or_else(none))
            })
            .collect()
    };
    assert_eq!(
        list(&[]),
        ["debian:12", "ghcr.io/x/app:v1", "debian:<none>"]
    );
    assert_eq!(list(&[("dangling", "true")]), ["debian:<none>"]);
    assert_eq!(list(&[("reference", "deb*")]), ["debian:12"]);
    assert_eq!(
        list(&[("reference", "ghcr.io/*/*:v?")]),
        ["ghcr.io/x/app:v1"]
    );
    assert_eq!(list(&[("label", "kind=app")]), ["ghcr.io/x/app:v1"]);
    assert_eq!(list(&[("label", "kind"), ("label", "kind=none")]), [""; 0]);
    let id = old.config.hex();
    assert_eq!(list(&[("since", &id)]), ["debian:12", "ghcr.io/x/app:v1"]);
    assert_eq!(list(&[("before", "debian:12")]), ["debian:<none>"]);
    let bad = |key: &str, value: &str| {
        let filters = pairs(&[(key, value)]);
        let request = list::Request {
            filters,
            ..list::Request::default()
        };
        list::list(&store, &request).is_err()
    };
    assert!(bad("nonsense", "1") && bad("dangling", "perhaps") && bad("since", "nobody"));
}

#[test]
fn inspect_and_history_have_dockers_fields() {
    let home = Home::new();
    let a = home.image("debian:12", "a", OLD);
    let store = home.open();
    tag::tag(&store, "debian:12", "me/copy").unwrap();
    let value = inspect::inspect(&store, "debian:12").unwrap();
    assert_eq!(value["Id"], a.config.to_string());
    assert_eq!(value["RepoTags"][0], "debian:12");
    assert_eq!(value["RepoTags"][1], "me/copy:latest");
    assert_eq!(value["RepoDigests"][0], format!("debian@{}", a.manifest));
    assert_eq!(value["Config"]["Cmd"][0], "sh");
    assert_eq!(value["Config"]["Entrypoint"], serde_json::Value::Null);
    assert_eq!(value["RootFS"]["Layers"][0], a.layers[0].to_string());
    let steps = history::history(&store, "debian:12").unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!((steps[0].size, steps[0].id), (0, Some(a.config)));
    assert_eq!((steps[1].size, steps[1].id), (1234, None));
    assert_eq!(steps[1].created_by, "ADD a");
}

#[test]
fn removing_one_of_two_names_only_untags() {
    let home = Home::new();
    let a = home.image("debian:12", "a", OLD);
    let store = home.open();
    tag::tag(&store, "debian:12", "copy").unwrap();
    assert!(tag::tag(&store, "debian:12", &format!("x@{}", a.manifest)).is_err());
    let error = refusal(&remove(&store, &a.config.hex(), false));
    assert!(error.contains("several repositories"), "{error}");
    let removal = remove(&store, "debian:12", false);
    assert_eq!(removal.events, [Event::Untagged("debian:12".to_owned())]);
    assert!(store.layers().has(&a.layers[0]));
    let removal = remove(&store, "copy", false);
    assert!(removal.events.contains(&Event::Deleted(a.config)));
    assert!(removal.events.contains(&Event::Deleted(a.layers[0])));
    assert!(removal.reclaimed > 0 && !store.layers().has(&a.layers[0]));
}

#[test]
fn an_image_in_use_is_kept() {
    let home = Home::new();
    let a = home.image("debian:12", "a", OLD);
    let store = home.open();
    let lock = home.container(1, "web", &a);
    for (image, force) in [
        ("debian:12", false),
        (a.config.hex().as_str(), false),
        (a.config.hex().as_str(), true),
    ] {
        let error = refusal(&remove(&store, image, force));
        assert!(
            error.contains("web") && error.contains("running"),
            "{error}"
        );
    }
    drop(lock);
    let error = refusal(&remove(&store, "debian:12", false));
    assert!(error.contains("web"), "{error}");
    let removal = remove(&store, "debian:12", true);
    assert!(removal.events.contains(&Event::Deleted(a.config)));
    // The container still needs it.
    assert!(store.layers().has(&a.layers[0]) && store.blobs().has(&a.config));
}

#[test]
fn a_failure_does_not_stop_the_other_arguments() {
    let home = Home::new();
    home.image("a:1", "a", OLD);
    let store = home.open();
    let request = remove::Request {
        images: vec!["nobody".to_owned(), "a:1".to_owned()],
        ..remove::Request::default()
    };
    let removal = remove::remove(&store, &request).unwrap();
    assert_eq!(removal.failures.len(), 1);
    assert_eq!(store.images().records().unwrap(), []);
}

#[test]
fn untag_leaves_a_dangling_image_and_prune_takes_it() {
    let home = Home::new();
    let a = home.image("a:1", "a", OLD);
    let b = home.image("b:1", "b", NEW);
    let store = home.open();
    assert_eq!(tag::untag(&store, "a:1", &[]).unwrap(), ["a:1"]);
    let found = find(&store, &a.config.hex()).unwrap().record;
    assert_eq!(found.name, None);
    let prune = |all: bool, filters: &[(&str, &str)]| {
        let filters = pairs(filters);
        prune::prune(&store, &prune::Request { all, filters }).unwrap()
    };
    assert_eq!(prune(false, &[("label", "kind=none")]).events, []);
    assert!(prune(false, &[]).events.contains(&Event::Deleted(a.config)));
    let lock = home.container(1, "web", &b);
    assert_eq!(prune(true, &[]).events, []);
    drop(lock);
    let request = system::prune::Request {
        all: true,
        volumes: false,
        filters: Vec::new(),
    };
    let engine = Engine {
        store: home.open(),
        settings: Settings::load(&Environment::default()).unwrap(),
        host: Host::new(HostEnv::default()),
        mode: Mode::Single,
        ui: &Silent,
    };
    let pruned = system::prune::prune(&engine, &request).unwrap();
    assert_eq!(pruned.containers.len(), 1);
    assert!(pruned.images.contains(&Event::Deleted(b.config)));
    assert!(pruned.left.is_empty() && pruned.reclaimed > 0);
    let rows = system::df::df(&store).unwrap().rows;
    assert!(
        rows.iter().all(|row| row.total == 0 && row.size == 0),
        "{rows:?}"
    );
    assert!(
        system::check::check(&store, false)
            .unwrap()
            .problems
            .is_empty()
    );
}
