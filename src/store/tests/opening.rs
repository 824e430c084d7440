//! Making, opening and refusing stores.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_new_store_is_private_and_an_oci_layout() {
    let home = Home::new();
    let store = home.open();
    let mode = std::fs::metadata(store.root())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(
        std::fs::read(home.root.join("oci-layout")).unwrap(),
        OCI_LAYOUT
    );
    assert!(store.images().records().unwrap().is_empty());
    assert!(store.check(false).unwrap().problems.is_empty());
}

#[test]
fn many_openers_of_a_missing_store_all_succeed() {
    let home = Home::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| put_blob(&home.open(), b"x"));
        }
    });
    assert!(home.open().blobs().has(&Digest::of(b"x")));
}

#[test]
fn a_half_made_store_is_completed() {
    let home = Home::new();
    home.open();
    std::fs::remove_file(home.root.join("version")).unwrap();
    std::fs::remove_dir(home.root.join("trash")).unwrap();
    let store = home.open();
    put_blob(&store, b"x");
    assert!(home.root.join("trash").is_dir());
}

#[test]
fn another_version_or_a_full_directory_is_refused() {
    let home = Home::new();
    home.open();
    std::fs::write(home.root.join("version"), "99\n").unwrap();
    let error = Store::open(&home.root, Mode::Single).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("99"), "{error}");

    let home = Home::new();
    std::fs::create_dir(&home.root).unwrap();
    std::fs::write(home.root.join("thesis.tex"), "").unwrap();
    let error = Store::open(&home.root, Mode::Single).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(!home.root.join("version").exists());
}

#[test]
fn a_store_open_to_others_is_closed_to_them() {
    let home = Home::new();
    home.open();
    std::fs::set_permissions(&home.root, PermissionsExt::from_mode(0o777)).unwrap();
    home.open();
    let mode = std::fs::metadata(&home.root).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_store_of_somebody_else_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let home = Home::new();
    home.open();
    std::os::unix::fs::chown(&home.root, Some(4242), None).unwrap();
    let error = Store::open(&home.root, Mode::Single).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.to_string().contains("4242"), "{error}");
}

#[test]
fn containers_and_layers_are_placed_apart() {
    let home = Home::new();
    let store = home.open();
    for dir in [store.path("containers"), store.layers().dir()] {
        let asked = crate::sys::file_system::is_spread(&dir);
        assert_ne!(asked, Some(false), "{}", dir.display());
    }
}
