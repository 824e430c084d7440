//! Networks in a store, and containers that come and go on them.

use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::common::{ContainerId, Timestamp};
use crate::network::{Attachment, Driver, Member, Pool};
use crate::store::ContainerLock;
use crate::store::tests::{Home, container};

fn record(name: &str, subnets: &[&str]) -> Record {
    let id = crate::common::Digest::of(name.as_bytes()).hex().to_owned();
    Record {
        name: name.to_owned(),
        interface: Record::interface_of(&id),
        id,
        created: Timestamp::now(),
        driver: Driver::Bridge,
        subnets: subnets
            .iter()
            .map(|text| Pool::of(text.parse().unwrap()))
            .collect(),
        internal: false,
        ipv6: false,
        dns: true,
        resolvers: Vec::new(),
        isolate: true,
        labels: BTreeMap::new(),
        options: BTreeMap::new(),
    }
}

fn make(store: &Store, name: &str, subnets: &[&str]) -> Record {
    store
        .networks()
        .create(|_| Ok(record(name, subnets)))
        .unwrap()
}

/// A container that runs until the lock is dropped.
fn start(store: &Store, fill: u8) -> (ContainerId, ContainerLock) {
    let record = container(fill, &format!("box-{fill}"), None);
    let (_, lock) = store.containers().create(&record).unwrap();
    (record.id, lock)
}

fn join(store: &Store, network: &Record, id: &ContainerId, asked: &Attachment) -> Result<Member> {
    let name = store.containers().at(id).record()?.name;
    let join = Join {
        container: id,
        name: &name,
        attachment: asked,
        interface: "eth0",
    };
    store.networks().join(network, &join)
}

fn ip(member: &Member) -> String {
    member.addresses[0].ip.to_string()
}

#[test]
fn a_network_is_found_until_it_is_removed() {
    let home = Home::new();
    let store = home.open();
    assert!(store.networks().list().unwrap().is_empty());
    let made = make(&store, "net", &["10.9.0.0/24"]);
    make(&store, "other", &["10.9.1.0/24", "fd00:9::/64"]);
    let networks = store.networks();
    for wanted in ["net", &made.id, &made.id[..5]] {
        assert_eq!(networks.find(wanted).unwrap(), made, "{wanted}");
    }
    for wanted in ["", "ne", "nope", "..", ".lock", "a/b"] {
        assert_eq!(
            networks.find(wanted).unwrap_err().kind(),
            Kind::NotFound,
            "{wanted}"
        );
    }
    networks.remove(&made, |_| Ok(())).unwrap();
    assert_eq!(networks.find("net").unwrap_err().kind(), Kind::NotFound);
    assert_eq!(
        networks.remove(&made, |_| Ok(())).unwrap_err().kind(),
        Kind::NotFound
    );
    let names: Vec<String> = networks
        .list()
        .unwrap()
        .into_iter()
        .map(|record| record.name)
        .collect();
    assert_eq!(names, ["other"]);
}

#[test]
fn what_two_networks_cannot_share_is_refused() {
    let home = Home::new();
    let store = home.open();
    let first = make(&store, "net", &["10.9.0.0/24", "fd00:9::/64"]);
    let refused = |record: Record, word: &str| {
        let error = store.networks().create(|_| Ok(record)).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.to_string().contains(word), "{error}");
    };
    refused(record("net", &["10.10.0.0/24"]), "already exists");
    refused(
        record("wide", &["10.0.0.0/8"]),
        "overlaps 10.9.0.0/24 of network net",
    );
    refused(
        record("six", &["10.10.0.0/24", "fd00:9::8:0/112"]),
        "overlaps fd00:9::/64",
    );
    let mut same = record("same", &["10.10.0.0/24"]);
    same.interface.clone_from(&first.interface);
    refused(same, "bridge");
    assert!(
        store
            .networks()
            .create(|_| Ok(record("../x", &[])))
            .is_err()
    );
    assert_eq!(store.networks().list().unwrap(), [first]);
    let names = file::names(&store.path("networks")).unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn addresses_are_given_taken_back_and_refused() {
    let home = Home::new();
    let store = home.open();
    let net = make(&store, "net", &["10.9.0.0/29", "fd00:9::/64"]);
    let any = Attachment::to("net");
    let (one, one_lock) = start(&store, 1);
    let member = join(&store, &net, &one, &any).unwrap();
    assert_eq!(ip(&member), "10.9.0.2");
    assert_eq!(member.addresses[1].ip.to_string(), "fd00:9::2");
    assert_eq!(
        (member.mac.as_str(), member.gateways.len()),
        ("02:42:0a:09:00:02", 2)
    );
    assert_eq!(member.aliases, [one.short()]);
    let (two, _two_lock) = start(&store, 2);
    let fixed = |text: &str| Attachment {
        ip: Some(text.parse().unwrap()),
        aliases: vec!["db".to_owned(), "db".to_owned(), "box-2".to_owned()],
        ..Attachment::to("net")
    };
    for (asked, word, kind) in [
        ("10.9.0.2", "box-1", Kind::Conflict),
        ("10.9.0.1", "gateway", Kind::Usage),
        ("10.9.0.7", "no host", Kind::Usage),
        ("10.9.1.2", "does not belong", Kind::Usage),
    ] {
        let error = join(&store, &net, &two, &fixed(asked)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(store.networks().members("net").unwrap().len(), 1);
    }
    let member = join(&store, &net, &two, &fixed("10.9.0.6")).unwrap();
    assert_eq!(member.aliases, ["db", two.short()]);
    assert_eq!(
        store
            .networks()
            .remove(&net, |_| Ok(()))
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    // The first one is killed: its address is free.
    drop(one_lock);
    let members = store.networks().members("net").unwrap();
    assert_eq!(members.iter().map(ip).collect::<Vec<_>>(), ["10.9.0.6"]);
    let (three, _three_lock) = start(&store, 3);
    assert_eq!(ip(&join(&store, &net, &three, &any).unwrap()), "10.9.0.2");
    store.networks().rename_member(&three, "new-name").unwrap();
    assert_eq!(
        store
            .networks()
            .member("net", &three)
            .unwrap()
            .unwrap()
            .name,
        "new-name"
    );
    let mut ends = 0;
    for id in [&two, &three] {
        store
            .networks()
            .leave("net", id, |_| {
                ends += 1;
                Ok(())
            })
            .unwrap();
    }
    assert_eq!(ends, 1);
    store.networks().remove(&net, |_| Ok(())).unwrap();
    store
        .networks()
        .leave("net", &two, |_| panic!("it is gone"))
        .unwrap();
}

#[test]
fn a_fixed_address_waits_for_its_container() {
    let home = Home::new();
    let store = home.open();
    let net = make(&store, "net", &["10.9.0.0/29"]);
    let (fixed, fixed_lock) = start(&store, 1);
    let asked = Attachment {
        ip: Some("10.9.0.2".parse().unwrap()),
        ..Attachment::to("net")
    };
    store
        .networks()
        .reserve(&net, &fixed, Some(&asked))
        .unwrap();
    drop(fixed_lock);
    let any = Attachment::to("net");
    let (other, _other_lock) = start(&store, 2);
    assert_eq!(ip(&join(&store, &net, &other, &any).unwrap()), "10.9.0.3");
    // Who asks for it by name gets it, as long as its holder does not run.
    assert_eq!(ip(&join(&store, &net, &other, &asked).unwrap()), "10.9.0.2");
    assert_eq!(ip(&join(&store, &net, &other, &any).unwrap()), "10.9.0.3");
    let dir = store.containers().at(&fixed);
    let lock = dir.lock().unwrap();
    store.containers().remove(&dir, lock).unwrap();
    let (third, _third_lock) = start(&store, 3);
    assert_eq!(ip(&join(&store, &net, &third, &any).unwrap()), "10.9.0.2");
    let reserved = store.networks().reserved_dir("net");
    assert!(file::names(&reserved).unwrap().is_empty());
}

#[test]
fn a_full_network_says_so() {
    let home = Home::new();
    let store = home.open();
    let net = make(&store, "net", &["10.9.0.0/30"]);
    let (one, _one_lock) = start(&store, 1);
    let (two, _two_lock) = start(&store, 2);
    let any = Attachment::to("net");
    join(&store, &net, &one, &any).unwrap();
    assert_eq!(
        join(&store, &net, &two, &any).unwrap_err().kind(),
        Kind::Exhausted
    );
    // Again is no second one.
    assert_eq!(ip(&join(&store, &net, &one, &any).unwrap()), "10.9.0.2");
}

#[test]
fn a_hundred_joins_at_once_get_a_hundred_addresses() {
    let home = Home::new();
    let net = make(&home.open(), "net", &["10.9.0.0/24"]);
    let seen = std::sync::Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for fill in 0..100_u8 {
            let (home, net, seen) = (&home, &net, &seen);
            scope.spawn(move || {
                let store = home.open();
                let (id, lock) = start(&store, fill);
                let any = Attachment::to("net");
                // Every third one comes and goes first, and some of those are killed.
                if fill % 3 == 0 {
                    join(&store, net, &id, &any).unwrap();
                    store.networks().leave("net", &id, |_| Ok(())).unwrap();
                }
                let member = join(&store, net, &id, &any).unwrap();
                let mut seen = seen.lock().unwrap();
                assert!(seen.insert(ip(&member)), "{} twice", ip(&member));
                assert!(seen.insert(member.mac.clone()), "{} twice", member.mac);
                std::mem::forget(lock);
            });
        }
    });
    let members = home.open().networks().members("net").unwrap();
    let addresses: HashSet<String> = members.iter().map(ip).collect();
    assert_eq!((members.len(), addresses.len()), (100, 100));
}

#[test]
fn torn_records_stop_nobody() {
    let home = Home::new();
    let store = home.open();
    let net = make(&store, "net", &["10.9.0.0/24"]);
    let (id, _lock) = start(&store, 1);
    let path = store
        .networks()
        .members_dir("net")
        .join(format!("{id}.json"));
    std::fs::write(&path, "").unwrap();
    std::fs::create_dir(store.path("networks/.new-left")).unwrap();
    assert!(store.networks().members("net").unwrap().is_empty());
    join(&store, &net, &id, &Attachment::to("net")).unwrap();
    make(&store, "other", &["10.10.0.0/24"]);
    assert!(!store.path("networks/.new-left").exists());
    std::fs::write(store.path("networks/other/network.json"), "").unwrap();
    assert_eq!(store.networks().list().unwrap_err().kind(), Kind::Corrupt);
    assert_eq!(store.check(false).unwrap().problems.len(), 1);
    assert!(store.check(true).unwrap().problems[0].repaired);
    assert_eq!(store.networks().list().unwrap(), [net]);
}
