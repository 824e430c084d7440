//! `pull`: what is fetched, from where and as whom, and that every kind of layer arrives.

use crate::harness::image::{Built, base_layer, index};
use crate::harness::layer::Compression;
use crate::harness::registry::{Auth, Fault};
use crate::harness::{Env, Image, Layer, Registry};

fn small() -> Built {
    Image::empty()
        .layer(Layer::new().file("hello", 0o644, b"hello\n"))
        .build()
}

cases! {
    fn every_compression_arrives(env) {
        let mut image = Image::base();
        let kinds = [
            ("plain", Compression::Plain), ("gzip", Compression::Gzip), ("members", Compression::GzipTwice),
            ("zstd", Compression::Zstd), ("xz", Compression::Xz), ("bzip2", Compression::Bzip2),
        ];
        for (name, kind) in kinds {
            image = image.layer(Layer::new().compressed(kind).dir("kinds/", 0o755).file(&format!("kinds/{name}"), 0o644, name.as_bytes()));
        }
        let image = env.image(image);
        let output = env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "ls", "/kinds"]);
        assert_eq!(output.ok(), "bzip2\ngzip\nmembers\nplain\nxz\nzstd");
    }

    fn whiteouts_and_opaque_folders_hide_what_is_below(env) {
        let below = Layer::new()
            .dir("keep/", 0o755).file("keep/old", 0o644, b"old").file("keep/gone", 0o644, b"x")
            .dir("fresh/", 0o755).file("fresh/old", 0o644, b"x").dir("fresh/deep/", 0o755).file("fresh/deep/x", 0o644, b"x")
            .dir("removed/", 0o755).file("removed/x", 0o644, b"x");
        let above = Layer::new()
            .file("keep/.wh.gone", 0o644, b"").file("keep/new", 0o644, b"new")
            .dir("fresh/", 0o755).file("fresh/.wh..wh..opq", 0o644, b"").file("fresh/new", 0o644, b"new")
            .file(".wh.removed", 0o644, b"");
        let image = env.image(Image::base().layer(below).layer(above));
        let list = |path: &str| env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "ls", path]);
        assert_eq!(list("/keep").ok(), "new\nold");
        assert_eq!(list("/fresh").ok(), "new");
        list("/removed").exits(1);
    }

    // Overlayfs does not look at an opaque mark on the top of a layer. The second image finds the
    // layer unpacked already.
    fn a_layer_that_hides_everything_is_stacked_alone(env) {
        let below = Layer::new().file("below", 0o644, b"x").dir("etc/", 0o755).file("etc/below", 0o644, b"x");
        let top = base_layer().file(".wh..wh..opq", 0o644, b"").file("etc/own", 0o644, b"x");
        let above = Layer::new().file("etc/above", 0o644, b"x");
        for label in ["first", "second"] {
            let image = Image::base().layer(below.clone()).layer(top.clone()).layer(above.clone());
            let image = env.image(image.top("author", label));
            let list = |path: &str| env.ketch(&["run", "--rm", "--network", "none", &image, "payload", "ls", path]).ok().to_owned();
            assert!(!list("/").lines().any(|name| name == "below"));
            let etc = list("/etc");
            assert!(["own", "above", "passwd"].iter().all(|name| etc.lines().any(|line| line == *name)), "{etc}");
            assert!(!etc.lines().any(|name| name == "below"), "{etc}");
        }
    }

    fn names_times_links_and_modes_are_the_layer_s(env) {
        let long = format!("long/{}/file", "n".repeat(180));
        let layer = Layer::new()
            .mtime(1_111_111_111)
            .dir("long/", 0o755).dir(&format!("long/{}/", "n".repeat(180)), 0o755).file(&long, 0o640, b"long")
            .file("suid", 0o4755, b"x").hardlink("suid-again", "suid").symlink("link", "suid")
            .pax("mtime", b"1234567890.123456789").file("exact", 0o600, b"x")
            .pax("path", "über".as_bytes()).file("ascii", 0o644, b"x")
            .fifo("pipe", 0o622).dir("sticky/", 0o1777);
        let image = env.image(Image::base().layer(layer));
        let long = format!("/{long}");
        let output = env.ketch(&[
            "run", "--rm", "--network", "none", &image, "payload", "stat", &long, "/suid", "/link", "/exact", "/über",
            "/pipe", "/sticky",
        ]);
        for line in [
            "file 640 0:0 size=4 links=1 rdev=0:0 mtime=1111111111.000000000",
            "/suid file 4755 0:0 size=1 links=2",
            "/link link 777",
            "/exact file 600 0:0 size=1 links=1 rdev=0:0 mtime=1234567890.123456789",
            "/über file 644", "/pipe fifo 622", "/sticky dir 1777",
        ] {
            output.says(line);
        }
    }

    fn owners_are_the_layer_s_where_there_are_ids_for_them(env) {
        let output = env.payload(&[], &["stat", "/home/alice", "/etc/passwd"]);
        output.says("/etc/passwd file 644 0:0");
        if env.identity != Some(crate::harness::Identity::Single) {
            output.says("/home/alice dir 700 1000:1000");
        }
    }

    fn a_digest_is_pulled_and_checked(env) {
        let registry = Registry::start();
        let image = Image::base().build();
        registry.push("exact", "v1", &image);
        let name = format!("{}/exact@{}", registry.address, image.digest());
        env.ketch(&["pull", &name]).ok();
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "echo", "same"]).ok(), "same");
        let other = format!("{}/exact@sha256:{}", registry.address, "0".repeat(64));
        env.ketch(&["pull", &other]).refused(&[&"0".repeat(12)]);
    }
}

#[test]
fn the_output_names_the_image_and_quiet_names_only_that() {
    let env = Env::any();
    let registry = Registry::start();
    let image = small();
    let name = registry.push("talk", "v1", &image);
    let output = env.ketch(&["pull", &name]);
    assert!(output.ok().ends_with(&name), "{output}");
    let output = env.ketch(&["pull", "-q", &name]);
    assert_eq!(output.ok(), name);
    assert_eq!(output.stderr, "");
}

#[test]
fn what_is_here_is_not_fetched_again() {
    let env = Env::any();
    let registry = Registry::start();
    let image = small();
    let name = registry.push("again", "v1", &image);
    env.ketch(&["pull", &name]).ok();
    let blobs = registry.count("/blobs/");
    env.ketch(&["pull", &name]).ok();
    assert_eq!(registry.count("/blobs/"), blobs);
    // A second image that shares the layer fetches its config alone.
    let other = Image::empty()
        .layer(Layer::new().file("hello", 0o644, b"hello\n"))
        .set("User", "7")
        .build();
    env.ketch(&["pull", &registry.push("other", "v1", &other)])
        .ok();
    assert_eq!(registry.count("/blobs/"), blobs + 1);
}

#[test]
fn parallel_pulls_fetch_each_blob_once() {
    let env = Env::any();
    let registry = Registry::start();
    let image = Image::base()
        .layer(Layer::new().file("more", 0o644, &[7; 300_000]))
        .build();
    let name = registry.push("parallel", "v1", &image);
    let all: Vec<_> = (0..8).map(|_| env.spawn(&["pull", "-q", &name])).collect();
    for running in all {
        running.finish().ok();
    }
    // The config is a small document that every pull must read before it knows the layers.
    for (digest, _) in &image.blobs[1..] {
        assert_eq!(registry.count(digest), 1, "{digest}");
    }
    env.assert_clean();
}

#[test]
fn indexes_are_followed_even_when_nested() {
    let env = Env::any();
    let registry = Registry::start();
    let (good, bad) = (Image::base().build(), small());
    let own = format!("linux/{}", crate::harness::image::architecture());
    registry.push("nested", "good", &good);
    registry.push("nested", "bad", &bad);
    let (kind, inner) = index(&[("plan9/mips", &bad), (&own, &good)]);
    registry.push_manifest("nested", "inner", &kind, &inner);
    let outer = serde_json::json!({"schemaVersion": 2, "mediaType": kind, "manifests": [
        {"mediaType": kind, "digest": crate::harness::image::digest(&inner), "size": inner.len()}]});
    let name = registry.push_manifest("nested", "outer", &kind, outer.to_string().as_bytes());
    assert_eq!(
        env.ketch(&[
            "run",
            "--rm",
            "--network",
            "none",
            &name,
            "payload",
            "echo",
            "found"
        ])
        .ok(),
        "found"
    );
}

#[test]
fn docker_s_media_types_are_read_too() {
    let env = Env::any();
    let registry = Registry::start();
    let name = registry.push("docker", "v2", &Image::base().docker().build());
    assert_eq!(
        env.ketch(&[
            "run",
            "--rm",
            "--network",
            "none",
            &name,
            "payload",
            "echo",
            "v2"
        ])
        .ok(),
        "v2"
    );
}

#[test]
fn credentials_are_taken_from_the_flag_and_the_file() {
    let env = Env::any();
    let auth = Auth::Basic {
        user: "me".to_owned(),
        password: "secret word".to_owned(),
    };
    let registry = Registry::with(auth);
    let name = registry.push("private", "v1", &small());
    env.ketch(&["pull", &name]).refused(&["private"]);
    let output = env.ketch(&["pull", "--creds", "me:wrong", &name]);
    output.refused(&[]);
    env.ketch(&["pull", "--creds", "me:secret word", &name])
        .ok();
    let text = serde_json::json!({"auths": {&registry.address: {"auth": "bWU6c2VjcmV0IHdvcmQ="}}});
    let file = env.file("auth.json", &text.to_string());
    let other = registry.push(
        "private",
        "v2",
        &Image::empty()
            .layer(Layer::new().file("b", 0o644, b"b"))
            .build(),
    );
    env.ketch(&["pull", "--authfile", &file, &other]).ok();
}

#[test]
fn a_token_is_fetched_and_fetched_again_when_it_runs_out() {
    let env = Env::any();
    // One request a token: every later request meets an expired one.
    let registry = Registry::with(Auth::Token {
        uses: 1,
        user: None,
    });
    let name = registry.push("tokens", "v1", &Image::base().build());
    env.ketch(&["pull", &name]).ok();
    assert!(
        registry.count("/token")
            + registry
                .requests()
                .iter()
                .filter(|one| one.method == "POST")
                .count()
            >= 2
    );
    let asked = registry.requests();
    let token = asked
        .iter()
        .find(|one| one.path.contains("/token") && one.path.contains("scope="));
    assert!(
        token.is_some_and(|one| one.path.contains("repository%3Atokens%3Apull")
            || one.path.contains("repository:tokens:pull")),
        "{asked:?}"
    );
    let user = Some(("me".to_owned(), "word".to_owned()));
    let registry = Registry::with(Auth::Token { uses: 100, user });
    let name = registry.push("tokens", "v1", &small());
    env.ketch(&["pull", &name]).refused(&[]);
    env.ketch(&["pull", "--creds", "me:word", &name]).ok();
}

#[test]
fn a_redirect_does_not_carry_credentials_to_another_host() {
    let env = Env::any();
    let auth = Auth::Basic {
        user: "me".to_owned(),
        password: "word".to_owned(),
    };
    let (first, second) = (Registry::with(auth), Registry::start());
    let image = small();
    let name = first.push("moved", "v1", &image);
    second.push("moved", "v1", &image);
    // Another name of the same machine is another host.
    let elsewhere = format!(
        "http://localhost:{}",
        second.address.split(':').next_back().unwrap()
    );
    first.fault("/blobs/", 100, Fault::Redirect(elsewhere));
    env.ketch(&["pull", "--creds", "me:word", &name]).ok();
    let asked = second.requests();
    assert!(!asked.is_empty());
    assert!(
        asked
            .iter()
            .all(|one| !one.headers.contains_key("authorization")),
        "{asked:?}"
    );
}

#[test]
fn a_mirror_is_asked_first() {
    let env = Env::any();
    let mirror = Registry::start();
    let image = small();
    mirror.push("team/app", "v1", &image);
    let text = format!(
        "[[registry]]\nprefix = \"registry.invalid\"\nlocation = \"registry.invalid\"\n\
         [[registry.mirror]]\nlocation = \"{}\"\ninsecure = true\n",
        mirror.address
    );
    env.file("registries.conf", &text);
    env.ketch(&["pull", "registry.invalid/team/app:v1"]).ok();
    assert!(mirror.count("/manifests/") >= 1);
    env.ketch(&["images", "-q", "registry.invalid/team/app:v1"])
        .ok();
}

#[test]
fn a_mirror_that_fails_is_passed_over_and_a_blocked_registry_refused() {
    let env = Env::any();
    let (mirror, origin) = (Registry::start(), Registry::start());
    let name = origin.push("team/app", "v1", &small());
    let text = format!(
        "[[registry]]\nprefix = \"{origin}\"\nlocation = \"{origin}\"\ninsecure = true\n\
         [[registry.mirror]]\nlocation = \"{mirror}\"\ninsecure = true\n\
         [[registry]]\nprefix = \"blocked.invalid\"\nblocked = true\n",
        origin = origin.address,
        mirror = mirror.address
    );
    env.file("registries.conf", &text);
    env.ketch(&["pull", &name]).warns("is passed over").ok();
    assert!(mirror.count("/manifests/") >= 1 && origin.count("/blobs/") >= 1);
    env.ketch(&["pull", "blocked.invalid/x"])
        .fails(1, &["blocked.invalid", "blocked"]);
}

cases! {
    fn a_credential_helper_is_asked(env) {
        let auth = Auth::Basic { user: "me".to_owned(), password: "from helper".to_owned() };
        let registry = Registry::with(auth);
        let name = registry.push("helped", "v1", &small());
        let helper = env.folder("bin") + "/docker-credential-test";
        env.file("bin/docker-credential-test", "#!/bin/sh\nread server\n\
            echo \"{\\\"ServerURL\\\":\\\"$server\\\",\\\"Username\\\":\\\"me\\\",\\\"Secret\\\":\\\"from helper\\\"}\"\n");
        std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        env.folder("docker");
        let config = serde_json::json!({"credHelpers": {&registry.address: "test"}});
        env.file("docker/config.json", &config.to_string());
        let mut command = env.command(&["pull", "-q", &name]);
        command.env("DOCKER_CONFIG", env.path("docker"));
        command.env("PATH", format!("{}:{}", env.text("bin"), crate::harness::env::PATH));
        assert_eq!(crate::harness::process::Running::start(command).finish().ok(), name);
    }
}
