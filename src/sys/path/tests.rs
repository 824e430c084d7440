//! Both resolvers must give the same answer on the same tree, and neither may leave it.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

/// outside/secret beside root/{dir/file, links…}.
fn tree() -> tempfile::TempDir {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().join("root");
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    fs::create_dir(top.path().join("outside")).unwrap();
    fs::write(top.path().join("outside/secret"), "s").unwrap();
    fs::write(root.join("dir/file"), "f").unwrap();
    fs::write(root.join("secret"), "in").unwrap();
    symlink("../../outside", root.join("up")).unwrap();
    symlink("/dir", root.join("absolute")).unwrap();
    symlink("/../../dir/sub", root.join("clamped")).unwrap();
    symlink("dir/file", root.join("to-file")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("../../../outside/new/deep", root.join("dangling")).unwrap();
    symlink("link", root.join("dir/sub/link")).unwrap();
    top
}

fn roots(top: &tempfile::TempDir) -> [Root; 2] {
    let path = top.path().join("root");
    [Resolver::Kernel, Resolver::Walk]
        .map(|resolver| Root::open(&path).unwrap().with_resolver(resolver))
}

#[test]
fn both_resolvers_find_the_same_inode_or_the_same_errno() {
    let top = tree();
    let real = |path: &str| {
        fs::metadata(top.path().join("root").join(path))
            .unwrap()
            .ino()
    };
    let cases: [(&str, nix::Result<u64>); 17] = [
        ("", Ok(real("."))),
        ("/", Ok(real("."))),
        ("../..", Ok(real("."))),
        ("dir/file", Ok(real("dir/file"))),
        ("/dir//./sub/", Ok(real("dir/sub"))),
        ("dir/sub/../file", Ok(real("dir/file"))),
        ("absolute/file", Ok(real("dir/file"))),
        ("clamped", Ok(real("dir/sub"))),
        ("to-file", Ok(real("dir/file"))),
        ("../secret", Ok(real("secret"))),
        ("up/secret", Err(Errno::ENOENT)),
        ("up", Err(Errno::ENOENT)),
        ("loop", Err(Errno::ELOOP)),
        ("dir/file/", Err(Errno::ENOTDIR)),
        ("dir/file/x", Err(Errno::ENOTDIR)),
        ("to-file/..", Err(Errno::ENOTDIR)),
        ("missing", Err(Errno::ENOENT)),
    ];
    for root in roots(&top) {
        for (path, expected) in &cases {
            let found = root
                .lookup(Path::new(path), OFlag::O_PATH, Links::Follow)
                .map(|fd| stat::fstat(&fd).unwrap().st_ino);
            assert_eq!(&found, expected, "{:?} {path:?}", root.resolver);
        }
    }
}

#[test]
fn refusing_links_refuses_them_at_every_place() {
    let top = tree();
    for root in roots(&top) {
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY;
        assert!(
            root.lookup(Path::new("dir/sub"), flags, Links::Refuse)
                .is_ok()
        );
        for (path, errno) in [
            ("absolute", Errno::ELOOP),
            ("absolute/sub", Errno::ELOOP),
            ("..", Errno::EXDEV),
            ("dir/../..", Errno::EXDEV),
            ("/dir", Errno::EXDEV),
            ("dir/file", Errno::ENOTDIR),
        ] {
            let error = root
                .lookup(Path::new(path), flags, Links::Refuse)
                .unwrap_err();
            assert_eq!(error, errno, "{:?} {path}", root.resolver);
        }
    }
}

#[test]
fn a_last_link_is_opened_itself_when_asked() {
    let top = tree();
    for root in roots(&top) {
        let link = root.open_path_nofollow("absolute").unwrap();
        assert_eq!(file_type(&link).unwrap(), SFlag::S_IFLNK);
    }
}

#[test]
fn made_directories_stay_inside_even_through_dangling_links() {
    for resolver in [Resolver::Kernel, Resolver::Walk] {
        let top = tree();
        let path = top.path().join("root");
        let root = Root::open(&path).unwrap().with_resolver(resolver);
        root.make_dirs("absolute/a/b", 0o700).unwrap();
        assert!(path.join("dir/a/b").is_dir());
        root.make_dirs("dangling/x", 0o755).unwrap();
        assert!(path.join("outside/new/deep/x").is_dir());
        root.make_dirs("../../n/../m", 0o755).unwrap();
        assert!(path.join("m").is_dir());
        let error = root.make_dirs("dir/file/x", 0o755).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOTDIR));
        let outside = top.path().join("outside");
        assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
    }
}

#[test]
fn made_files_stay_inside_and_keep_what_is_there() {
    for resolver in [Resolver::Kernel, Resolver::Walk] {
        let top = tree();
        let path = top.path().join("root");
        let root = Root::open(&path).unwrap().with_resolver(resolver);
        root.make_file("etc/new/hosts", 0o644).unwrap();
        assert_eq!(fs::read(path.join("etc/new/hosts")).unwrap(), b"");
        root.make_file("to-file", 0o644).unwrap();
        assert_eq!(fs::read(path.join("dir/file")).unwrap(), b"f");
        root.make_file("dangling", 0o644).unwrap();
        assert!(path.join("outside/new/deep").is_file());
        assert_eq!(fs::read_dir(top.path().join("outside")).unwrap().count(), 1);
        assert!(root.make_file("loop", 0o644).is_err());
        assert!(root.make_file("dir", 0o644).is_ok());
    }
}

#[test]
fn only_regular_files_are_opened_for_reading() {
    let top = tree();
    let fifo = top.path().join("root/fifo");
    nix::unistd::mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    for root in roots(&top) {
        assert!(root.open_file("to-file", OFlag::O_RDONLY).is_ok());
        let error = root.open_file("fifo", OFlag::O_RDONLY).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        let made = OFlag::O_WRONLY | OFlag::O_CREAT;
        root.open_file("dir/made", made).unwrap();
        assert!(top.path().join("root/dir/made").is_file());
        fs::remove_file(top.path().join("root/dir/made")).unwrap();
    }
}

#[test]
fn a_directory_moved_out_during_the_walk_is_noticed() {
    let top = tree();
    let root = Root::open(&top.path().join("root")).unwrap();
    let sub = root.open_path("dir/sub").unwrap();
    fs::rename(top.path().join("root/dir"), top.path().join("outside/dir")).unwrap();
    let moved = Root::from_fd(sub);
    let walk = Walk::new(root.as_fd(), Path::new("x"), Links::Follow, Create::Nothing).unwrap();
    let walk = walk.standing_in(moved.dir);
    assert_eq!(walk.verify(), Err(Errno::EAGAIN));
}
