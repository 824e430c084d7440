//! `build`: what COPY and ADD take, where it goes, whose it becomes, and when it is copied again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::harness::process::Output;
use crate::harness::{Env, Image, Layer};

/// Builds the folder `context` of the environment with `text` on the base image.
fn build(env: &Env, name: &str, text: &str) -> Output {
    build_in(env, "context", name, text, &[])
}

fn build_in(env: &Env, folder: &str, name: &str, text: &str, flags: &[&str]) -> Output {
    let text = text.replace("BASE", &env.base());
    let context = env.folder(folder);
    let file = env.file(&format!("{name}.Dockerfile"), &text);
    let words = ["build", "--network", "none", "-t", name, "-f", &file];
    env.ketch(&[&words[..], flags, &[&context]].concat())
}

fn run(env: &Env, image: &str, words: &[&str]) -> Output {
    let flags = ["run", "--rm", "--network", "none", image, "payload"];
    env.ketch(&[&flags[..], words].concat())
}

/// Kind, mode and owner of a path in an image.
fn looks(env: &Env, image: &str, path: &str) -> String {
    let text = run(env, image, &["stat", path]).ok().to_owned();
    let words: Vec<&str> = text.split(' ').collect();
    words[1..4].join(" ")
}

fn cached(output: &Output) -> usize {
    output.stderr.matches("CACHED").count()
}

fn at(env: &Env, path: &str) -> PathBuf {
    Path::new(&env.folder("context")).join(path)
}

/// Makes files in the context.
fn fill(env: &Env, files: &[(&str, &str)]) {
    env.folder("context");
    for (name, text) in files {
        let path = format!("context/{name}");
        if let Some((folder, _)) = path.rsplit_once('/') {
            env.folder(folder);
        }
        let file = env.file(&path, text);
        fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
    }
}

cases! {
    fn destinations_are_docker_s(env) {
        fill(env, &[("a", "1"), ("b", "2"), ("d/x", "3"), ("d/sub/y", "4")]);
        symlink("x", at(env, "d/link")).unwrap();
        fs::hard_link(at(env, "d/x"), at(env, "d/twin")).unwrap();
        let text = "FROM BASE\nCOPY a /file\nCOPY a b /made/dir/\nCOPY d /contents\nCOPY d/* /flat/\nWORKDIR /work\nCOPY a .\nCOPY d e/\n\
            COPY --parents d/./sub/y /parents/\nCOPY --exclude=sub d /some\n";
        build(env, "made", text).ok();
        let expected = [
            ("/file", "1"), ("/made/dir/a", "1"), ("/made/dir/b", "2"), ("/contents/sub/y", "4"),
            ("/contents/link", "3"), ("/flat/y", "4"), ("/flat/x", "3"), ("/work/a", "1"), ("/work/e/x", "3"),
            ("/parents/sub/y", "4"), ("/some/x", "3"),
        ];
        for (path, content) in expected {
            assert_eq!(run(env, "made", &["cat", path]).ok(), content, "{path}");
        }
        assert_eq!(run(env, "made", &["ls", "/some"]).ok(), "link\ntwin\nx");
        assert_eq!(run(env, "made", &["link", "/contents/link"]).ok(), "x");
        assert!(run(env, "made", &["stat", "/contents/x"]).ok().contains("links=2"));
        assert_eq!(looks(env, "made", "/made/dir"), "dir 755 0:0");
        assert_eq!(looks(env, "made", "/file"), "file 644 0:0");
        build(env, "bad", "FROM BASE\nCOPY a b /none\n").refused(&["must be a directory and end with a /"]);
        env.ketch(&["system", "check"]).ok();
        env.assert_clean();
    }

    fn links_of_the_image_are_followed_inside_and_replaced_below(env) {
        fill(env, &[("a", "new"), ("d/etc", "file"), ("d/real/f", "x"), ("e/real", "x")]);
        env.file("secret", "host");
        let image = env.image(Image::base().layer(Layer::new()
            .dir("real/", 0o755).file("real/old", 0o644, b"old").symlink("to", "real").symlink("up", "../../../../real/new")
            .symlink("one", "/real/old")));
        let text = format!("FROM {image}\nCOPY a /to/in\nCOPY a /up\nCOPY a /one\n");
        build(env, "made", &text).ok();
        for path in ["/real/in", "/real/new", "/real/old"] {
            assert_eq!(run(env, "made", &["cat", path]).ok(), "new", "{path}");
        }
        assert_eq!(run(env, "made", &["link", "/one"]).ok(), "/real/old");
        build(env, "bad", &format!("FROM {image}\nCOPY e /\n")).refused(&["cannot replace to directory with file"]);
        build(env, "bad", &format!("FROM {image}\nCOPY d /real/old\n")).refused(&[]);
        // --link does not look at what is below.
        build(env, "linked", &format!("FROM {image}\nCOPY --link e /\n")).ok();
        assert_eq!(run(env, "linked", &["cat", "/real"]).ok(), "x");
        env.assert_clean();
    }

    fn owners_and_modes_are_those_asked_for(env) {
        fill(env, &[("a", "1"), ("d/x", "2")]);
        let image = env.image(Image::base().layer(Layer::new()
            .dir("etc/", 0o755)
            .file("etc/passwd", 0o644, b"root:x:0:0::/:/bin/sh\napp:x:41:42::/:/bin/sh\n")
            .file("etc/group", 0o644, b"root:x:0:\nweb:x:33:\n")));
        let text = format!("FROM {image} AS one\nCOPY --chown=app a /app\nCOPY --chown=7:web --chmod=4711 a /set\nCOPY --chown=app:web d /d/e\n\
            COPY --chmod=u+x,go= a /sym\nCOPY --link --chown=9 a /l/a\nFROM {image}\nCOPY --from=one /app /set /kept/\nCOPY --from=one --chown=1 /app /given\nCOPY --from=0 /d/e /e\n");
        build(env, "one", &format!("{text}\n")).ok();
        build_in(env, "context", "first", &text, &["--target", "one"]).ok();
        for (path, wanted) in [("/app", "file 644 41:42"), ("/set", "file 4711 7:33"), ("/d", "dir 755 41:33"), ("/d/e", "dir 755 41:33"),
            ("/d/e/x", "file 644 41:33"), ("/sym", "file 700 0:0"), ("/l/a", "file 644 9:9")] {
            assert_eq!(packed(env, "first", path), wanted, "{path}");
        }
        for (path, wanted) in [("/kept/app", "file 644 41:42"), ("/kept/set", "file 4711 7:33"), ("/given", "file 644 1:1"), ("/e/x", "file 644 41:33")] {
            assert_eq!(packed(env, "one", path), wanted, "{path}");
        }
        build(env, "bad", &format!("FROM {image}\nCOPY --chown=none a /\n")).refused(&["none", "no matching entries in passwd"]);
        build(env, "bad", "FROM BASE\nCOPY --chmod=99 a /\n").refused(&["it should be octal string"]);
        env.assert_clean();
    }

    fn content_decides_what_is_copied_again(env) {
        fill(env, &[("a", "1"), ("d/x", "2"), ("ignored", "3"), (".dockerignore", "ignored\n.dockerignore\n")]);
        let text = "FROM BASE AS one\nCOPY a /a\nCOPY . /all\nFROM BASE\nCOPY --from=one /a /b\n";
        let first = build(env, "made", text);
        first.ok();
        assert_eq!(cached(&first), 0, "{first}");
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(1000);
        let touch = |path: &str| fs::File::open(at(env, path)).unwrap().set_modified(old).unwrap();
        touch("a");
        env.file("context/ignored", "changed");
        let again = build(env, "made", text);
        assert_eq!(cached(&again), 3, "{again}");
        let both = build_in(env, "context", "made", text, &["--target", "one"]);
        assert_eq!(cached(&both), 2, "{both}");
        // The same files elsewhere.
        for (path, content) in [("a", "1"), ("d/x", "2")] {
            env.folder("other/d");
            let file = env.file(&format!("other/{path}"), content);
            fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(env.folder("other/d"), PermissionsExt::from_mode(
            fs::metadata(at(env, "d")).unwrap().permissions().mode())).unwrap();
        let moved = build_in(env, "other", "made", text, &["--target", "one"]);
        assert_eq!(cached(&moved), 2, "{moved}");
        env.file("context/d/x", "changed");
        let changed = build_in(env, "context", "made", text, &["--target", "one"]);
        assert_eq!(cached(&changed), 1, "{changed}");
        assert_eq!(run(env, "made", &["cat", "/all/d/x"]).ok(), "changed");
        run(env, "made", &["cat", "/all/ignored"]).exits(1);
        env.assert_clean();
    }

    fn a_linked_layer_does_not_know_what_is_below(env) {
        fill(env, &[("a", "1")]);
        let text = |value: &str| format!("FROM BASE\nRUN [\"payload\", \"write\", \"/x\", \"{value}\"]\nCOPY --link a /l/a\nRUN [\"payload\", \"cat\", \"/l/a\"]\n");
        build(env, "one", &text("1")).ok();
        let other = build(env, "two", &text("2"));
        other.ok();
        assert_eq!(cached(&other), 1, "{other}");
        assert_eq!(run(env, "two", &["cat", "/x", "/l/a"]).ok(), "21");
    }

    fn archives_documents_and_their_rules(env) {
        fill(env, &[("d/x", "1"), ("d/sub/y", "2")]);
        for (name, flag) in [("plain.tar", "-cf"), ("gz", "-czf")] {
            let tar = std::process::Command::new("tar").arg("-C").arg(at(env, "d"))
                .arg(flag).arg(at(env, name)).args(["--owner=3", "--group=4", "."]).status();
            assert!(tar.unwrap().success());
        }
        env.file("context/broken.gz", "\u{1f}\u{8b}nothing");
        let text = "FROM BASE\nARG WHO=me\nADD plain.tar /one\nADD gz /two/\nADD --unpack=false gz /raw\nCOPY gz /copied\nADD broken.gz /broken\n\
            COPY <<A <<\"B\" /docs/\nhello $WHO\nA\nhello $WHO\nB\nCOPY --chmod=755 <<EOF /script\n#!x\nEOF\n";
        build(env, "made", text).ok();
        for path in ["/one/sub/y", "/two/sub/y"] {
            assert_eq!(run(env, "made", &["cat", path]).ok(), "2", "{path}");
        }
        assert_eq!(packed(env, "made", "/one/x").split(' ').nth(2), Some("3:4"));
        for path in ["/raw", "/copied", "/broken"] {
            assert!(looks(env, "made", path).starts_with("file"), "{path}");
        }
        assert_eq!(run(env, "made", &["cat", "/docs/A", "/docs/B"]).ok(), "hello me\nhello $WHO");
        assert_eq!(looks(env, "made", "/script"), "file 755 0:0");
        assert_eq!(looks(env, "made", "/docs/A"), "file 644 0:0");
        env.assert_clean();
    }

    fn hostile_contexts_stay_inside_and_end_in_words(env) {
        fill(env, &[("a", "1"), (".dockerignore", "hidden\n"), ("hidden", "h")]);
        env.file("secret", "host");
        symlink("../secret", at(env, "out")).unwrap();
        symlink("/secret", at(env, "abs")).unwrap();
        symlink("hidden", at(env, "to-hidden")).unwrap();
        symlink("loop", at(env, "loop")).unwrap();
        nix::unistd::mkfifo(&at(env, "fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for source in ["out", "abs", "../secret", "/etc/../../secret", "hidden", "to-hidden", "nothing", "a/b"] {
            let output = build(env, "bad", &format!("FROM BASE\nCOPY {source} /x\n"));
            output.refused(&["not found"]);
            assert!(!output.stderr.contains("host\n"), "{output}");
        }
        build(env, "bad", "FROM BASE\nCOPY loop /x\n").refused(&["loop"]);
        build(env, "bad", "FROM BASE\nCOPY [ /x\n").refused(&[]);
        build(env, "bad", "FROM BASE\nCOPY http://x/y /x\n").refused(&["source can't be a URL for COPY"]);
        fs::remove_file(at(env, "loop")).unwrap();
        build(env, "made", "FROM BASE\nCOPY . /x\n").ok();
        assert!(looks(env, "made", "/x/fifo").starts_with("fifo"));
        assert_eq!(run(env, "made", &["link", "/x/out"]).ok(), "../secret");
        // Names that are no text, and files that their owner cannot read.
        let odd = std::ffi::OsString::from_vec(b"odd-\xff".to_vec());
        fs::write(at(env, "d-odd").with_file_name(&odd), "odd").unwrap();
        build(env, "odd", "FROM BASE\nCOPY odd* /odd/\nCOPY odd* /odd/text\n").ok();
        assert!(run(env, "odd", &["ls", "/odd"]).ok().contains("text"));
        fill(env, &[("closed", "x")]);
        fs::set_permissions(at(env, "closed"), PermissionsExt::from_mode(0o000)).unwrap();
        let closed = build(env, "closed", "FROM BASE\nCOPY closed /x\n");
        match env.uid {
            0 => drop(closed.ok()),
            _ => drop(closed.refused(&["closed", "permission denied"])),
        }
        fs::remove_file(at(env, "closed")).unwrap();
        // The ignore file of a Dockerfile that is elsewhere.
        env.file("own.Dockerfile.dockerignore", "*\n!a\n");
        build(env, "own", "FROM BASE\nCOPY . /x\n").ok();
        assert_eq!(run(env, "own", &["ls", "/x"]).ok(), "a");
        // Each link of a stage is followed inside the stage.
        let text = "FROM BASE AS one\nCOPY . /x\nFROM BASE\nCOPY --from=one /x/out /y\n";
        build(env, "bad", text).refused(&["not found"]);
        assert_eq!(env.stored("build/work"), [""; 0]);
        env.assert_clean();
    }

    fn files_of_servers_and_repositories_are_added(env) {
        let web = serve(env, env.folder("web"));
        env.file("web/f.txt", "remote");
        let sum = "0b40c0f7a6dd5d5fef8d3fb1a6ba6cf5f0f3f08bd3d8d6f0d1e9f1f1a3a5a7a9";
        let text = format!("FROM BASE\nADD {web}/f.txt /f\nADD {web}/f.txt /dir/\n");
        fill(env, &[]);
        build(env, "made", &text).ok();
        assert_eq!(run(env, "made", &["cat", "/f", "/dir/f.txt"]).ok(), "remoteremote");
        assert_eq!(looks(env, "made", "/f"), "file 600 0:0");
        let again = build(env, "made", &text);
        assert_eq!(cached(&again), 2, "{again}");
        env.file("web/f.txt", "changed");
        let changed = build(env, "made", &text);
        assert_eq!(cached(&changed), 0, "{changed}");
        build(env, "bad", &format!("FROM BASE\nADD {web}/none /f\n")).refused(&["404"]);
        build(env, "bad", &format!("FROM BASE\nADD --checksum=sha256:{sum} {web}/f.txt /f\n")).refused(&["digest mismatch"]);
        assert_eq!(env.stored("build/work"), [""; 0]);
        env.assert_clean();
    }
}

cases! {
    fn contexts_come_from_streams_servers_and_repositories(env) {
        fill(env, &[("f", "1"), ("sub/g", "2")]);
        let text = format!("FROM {}\nCOPY . /all\n", env.base());
        env.file("context/Dockerfile", &text);
        let flags = ["build", "--network", "none", "-t", "made"];
        let check = |what: &str| {
            assert_eq!(run(env, "made", &["cat", "/all/f", "/all/sub/g"]).ok(), "12", "{what}");
            assert_eq!(env.stored("build/work"), [""; 0], "{what}");
        };
        let web = env.folder("web");
        let archive = format!("{web}/c.tgz");
        let done = std::process::Command::new("tar").args(["-czf", &archive, "-C", &env.folder("context"), "."]).status();
        assert!(done.unwrap().success());
        let bytes = fs::read(&archive).unwrap();
        env.ketch_with_input(&[&flags[..], &["-"]].concat(), &bytes).ok();
        check("archive");
        let only = format!("FROM {}\nRUN [\"payload\", \"true\"]\n", env.base());
        env.ketch_with_input(&[&flags[..], &["-"]].concat(), only.as_bytes()).ok();
        env.ketch_with_input(&[&flags[..], &["-"]].concat(), b"").refused(&["nothing came"]);
        let address = serve(env, web.clone());
        env.ketch(&[&flags[..], &[&format!("{address}/c.tgz")]].concat()).ok();
        check("server");
        env.file("web/text", &only);
        env.ketch(&[&flags[..], &[&format!("{address}/text")]].concat()).ok();
        env.ketch(&[&flags[..], &[&format!("{address}/none")]].concat()).refused(&["404"]);
        let named = format!("FROM {}\nCOPY --from=other f /f\n", env.base());
        let folder = env.folder("other");
        env.file("other/Dockerfile", &named);
        let other = format!("other={}", env.folder("context"));
        let both = [&flags[..], &["--build-context", &other, &folder]].concat();
        env.ketch(&both).ok();
        assert_eq!(run(env, "made", &["cat", "/f"]).ok(), "1");
        if !Path::new("/usr/bin/git").exists() && !Path::new("/usr/local/bin/git").exists() {
            return;
        }
        let bare = format!("{web}/r.git");
        let git = |dir: &str, args: &[&str]| {
            let config = ["-c", "user.name=t", "-c", "user.email=t@x", "-c", "init.defaultBranch=main", "-C", dir];
            let output = env.program("git").args(config).args(args).output().unwrap();
            assert!(output.status.success(), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
        };
        let context = env.folder("context");
        git(&context, &["init", "-q"]);
        git(&context, &["add", "."]);
        git(&context, &["commit", "-qm", "one"]);
        git(&context, &["tag", "v1"]);
        git(&web, &["clone", "-q", "--bare", &context, &bare]);
        git(&bare, &["update-server-info"]);
        for name in ["", "#v1", "#main"] {
            env.ketch(&[&flags[..], &[&format!("{address}/r.git{name}")]].concat()).ok();
            check(name);
            run(env, "made", &["ls", "/all/.git"]).exits(1);
        }
        env.ketch(&[&flags[..], &[&format!("{address}/r.git#none")]].concat()).refused(&["no such branch or tag"]);
        env.ketch(&[&flags[..], &[&format!("{address}/r.git#v1:none")]].concat()).refused(&["none"]);
        let added = format!("FROM {}\nADD {address}/r.git#v1:sub /s\nADD --keep-git-dir {address}/r.git /k\n", env.base());
        env.file("other/Dockerfile", &added);
        env.ketch(&[&flags[..], &[&env.folder("other")]].concat()).ok();
        assert_eq!(run(env, "made", &["cat", "/s/g", "/k/f"]).ok(), "21");
        run(env, "made", &["ls", "/k/.git"]).ok();
        env.assert_clean();
    }
}

/// Kind, mode and owner of a path as the image's layers have it.
fn packed(env: &Env, image: &str, path: &str) -> String {
    let archive = env.text(&format!("{}.tar", path.replace('/', "_")));
    let id = env.ketch(&["create", image, "payload", "true"]);
    let id = id.ok().to_owned();
    env.ketch(&["export", "-o", &archive, &id]).ok();
    env.ketch(&["rm", &id]).ok();
    let mut archive = tar::Archive::new(fs::File::open(archive).unwrap());
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let name = entry.path().unwrap().into_owned();
        if Path::new("/")
            .join(name.as_path())
            .components()
            .eq(Path::new(path).components())
        {
            let kind = if header.entry_type().is_dir() {
                "dir"
            } else {
                "file"
            };
            let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
            return format!("{kind} {:o} {uid}:{gid}", header.mode().unwrap());
        }
    }
    panic!("no {path} in {image}");
}

/// Serves a folder over HTTP until the test ends.
fn serve(_env: &Env, folder: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let mut first = String::new();
            let _ = reader.read_line(&mut first);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                line.clear();
            }
            let path = first
                .split(' ')
                .nth(1)
                .unwrap_or("/")
                .split('?')
                .next()
                .unwrap_or("/");
            let answer = match fs::read(format!("{folder}{path}")) {
                Ok(body) => {
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    [head.into_bytes(), body].concat()
                }
                Err(_) => {
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        .to_vec()
                }
            };
            let _ = (&stream).write_all(&answer);
        }
    });
    address
}
