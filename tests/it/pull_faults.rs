//! `pull` from registries that fail, lie or stop: one clear error, a clean store, and what was
//! fetched is not fetched twice.

use nix::sys::signal::Signal;

use crate::harness::image::{Built, OCI_MANIFEST};
use crate::harness::layer::Compression;
use crate::harness::registry::Fault;
use crate::harness::{Env, Image, Layer, Registry};

/// An image with one layer of a megabyte that does not compress.
fn large() -> Built {
    let mut state = 1u32;
    let data: Vec<u8> = (0..1_000_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    Image::empty()
        .layer(Layer::new().file("data", 0o644, &data))
        .build()
}

fn layer_of(image: &Built) -> String {
    image.blobs[1].0.clone()
}

/// The ranges that were asked for, in their order.
fn ranges(registry: &Registry) -> Vec<String> {
    let asked = registry.requests();
    let range = |one: &crate::harness::registry::Request| one.headers.get("range").cloned();
    asked.iter().filter_map(range).collect()
}

/// Waits until so many bytes of the image's layer are in the store: what the registry has sent
/// may still be on its way.
fn wait_partial(env: &Env, image: &Built, bytes: u64) {
    let name = format!("tmp/blob-{}.partial", &layer_of(image)["sha256:".len()..]);
    let path = env.store().join(name);
    crate::harness::eventually("the partial blob", || {
        std::fs::metadata(&path).is_ok_and(|found| found.len() >= bytes)
    });
}

/// Asserts that a failed pull left no name and no half-done work.
fn nothing_left(env: &Env) {
    assert_eq!(env.ketch(&["images", "-q"]).ok(), "");
    env.ketch(&["system", "check"]).ok();
}

#[test]
fn a_cut_body_is_resumed_where_it_ended() {
    let env = Env::any();
    let registry = Registry::start();
    let image = large();
    let name = registry.push("cut", "v1", &image);
    registry.fault(&layer_of(&image), 2, Fault::Cut(400_000));
    env.ketch(&["pull", &name]).ok();
    assert_eq!(ranges(&registry), ["bytes=400000-", "bytes=800000-"]);
    env.assert_clean();
}

#[test]
fn a_server_without_ranges_is_read_again_from_the_start() {
    let env = Env::any();
    let registry = Registry::start();
    let image = large();
    let name = registry.push("norange", "v1", &image);
    registry.fault(&layer_of(&image), 1, Fault::Cut(400_000));
    registry.fault(&layer_of(&image), 9, Fault::IgnoreRange);
    env.ketch(&["pull", &name]).ok();
    env.assert_clean();
}

#[test]
fn an_endlessly_cut_body_is_given_up() {
    let env = Env::any();
    let registry = Registry::start();
    let image = large();
    let name = registry.push("cuts", "v1", &image);
    registry.fault(&layer_of(&image), 1000, Fault::Cut(0));
    env.ketch(&["pull", &name]).refused(&["cuts"]);
    assert!(registry.count(&layer_of(&image)) < 20);
    nothing_left(&env);
}

#[test]
fn passing_failures_are_tried_again() {
    let passes = |status: u16| {
        let env = Env::any();
        let registry = Registry::start();
        let image = large();
        let name = registry.push("passing", "v1", &image);
        let later = vec![("Retry-After".to_owned(), "1".to_owned())];
        registry.fault("/manifests/", 1, Fault::Status(status, later.clone()));
        registry.fault(&layer_of(&image), 1, Fault::Status(status, later));
        env.ketch(&["pull", &name]).ok();
    };
    // Side by side: each waits for its registry most of the time.
    std::thread::scope(|scope| {
        for status in [408, 429, 500, 502, 503, 504] {
            scope.spawn(move || passes(status));
        }
    });
}

#[test]
fn a_reset_connection_is_tried_again() {
    let env = Env::any();
    let registry = Registry::start();
    let image = large();
    let name = registry.push("reset", "v1", &image);
    registry.fault(&layer_of(&image), 1, Fault::Reset);
    registry.fault("/manifests/", 1, Fault::Reset);
    env.ketch(&["pull", &name]).ok();
}

#[test]
fn lasting_failures_name_the_host_and_the_status() {
    let env = Env::any();
    let registry = Registry::start();
    let name = registry.push("down", "v1", &large());
    registry.fault("/v2/", 1000, Fault::Status(503, Vec::new()));
    env.ketch(&["pull", &name]).refused(&["503"]);
    nothing_left(&env);
}

#[test]
fn wrong_bytes_are_refused() {
    let env = Env::any();
    let registry = Registry::start();
    let image = large();
    let name = registry.push("wrong", "v1", &image);
    registry.fault(&layer_of(&image), 1000, Fault::WrongBytes);
    env.ketch(&["pull", &name]).refused(&["digest"]);
    nothing_left(&env);
    let name = registry.push("config", "v1", &image);
    registry.fault(&image.blobs[0].0, 1000, Fault::Body(b"{}".to_vec()));
    env.ketch(&["pull", &name]).refused(&[]);
    nothing_left(&env);
}

#[test]
fn a_manifest_that_is_not_its_digest_is_refused() {
    let env = Env::any();
    let registry = Registry::start();
    let image = large();
    registry.push("lies", "v1", &image);
    registry.fault("/manifests/", 1000, Fault::Body(large().config));
    env.ketch(&[
        "pull",
        &format!("{}/lies@{}", registry.address, image.digest()),
    ])
    .refused(&[
        &image.digest(),
        &crate::harness::image::digest(&large().config),
    ]);
    nothing_left(&env);
}

#[test]
fn odd_manifests_are_refused_and_said() {
    let env = Env::any();
    let registry = Registry::start();
    let old = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let zeros = "0".repeat(64);
    let layers = |digest: &str, size: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{size}}},"layers":[]}}"#
        )
    };
    let cases = [
        (
            "schema1",
            old,
            r#"{"schemaVersion":1,"name":"x","tag":"y","fsLayers":[]}"#.to_owned(),
            "schema",
        ),
        (
            "cut",
            OCI_MANIFEST,
            r#"{"schemaVersion":2,"layers":["#.to_owned(),
            "",
        ),
        ("empty", OCI_MANIFEST, String::new(), ""),
        ("page", "text/html", "<html>sign in</html>".to_owned(), ""),
        ("deep", OCI_MANIFEST, deep, ""),
        (
            "missing",
            OCI_MANIFEST,
            layers(&format!("sha256:{zeros}"), "5"),
            "",
        ),
        (
            "traversal",
            OCI_MANIFEST,
            layers("sha256:../../../../etc/passwd", "5"),
            "",
        ),
        (
            "negative",
            OCI_MANIFEST,
            layers(&format!("sha256:{zeros}"), "-1"),
            "",
        ),
        (
            "huge",
            OCI_MANIFEST,
            layers(&format!("sha256:{zeros}"), "4611686018427387904"),
            "",
        ),
        (
            "algorithm",
            OCI_MANIFEST,
            layers("md5:00000000000000000000000000000000", "5"),
            "",
        ),
        (
            "large",
            OCI_MANIFEST,
            format!(r#"{{"schemaVersion":2,"x":"{}"}}"#, "y".repeat(9 << 20)),
            "",
        ),
    ];
    for (tag, kind, text, word) in cases {
        let name = registry.push_manifest("odd", tag, kind, text.as_bytes());
        env.ketch(&["pull", &name]).refused(&[word]);
    }
    nothing_left(&env);
}

#[test]
fn an_index_that_contains_itself_ends() {
    let env = Env::any();
    let registry = Registry::start();
    let kind = crate::harness::image::OCI_INDEX;
    let child = format!("sha256:{}", "1".repeat(64));
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{{"mediaType":"{kind}","digest":"{child}","size":300}}]}}"#
    );
    let name = registry.push_manifest("circle", "v1", kind, text.as_bytes());
    registry.fault("/manifests/sha256:", 1000, Fault::Body(text.into_bytes()));
    env.ketch(&["pull", &name]).refused(&[]);
    nothing_left(&env);
}

#[test]
fn damaged_layers_are_refused() {
    let env = Env::any();
    let registry = Registry::start();
    let gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    let good = Layer::new().file("data", 0o644, &[5; 100_000]);
    let (tar, blob) = (good.tar(), good.blob());
    let diff = crate::harness::image::digest(&tar);
    let zeros = format!("sha256:{}", "0".repeat(64));
    let plain = "application/vnd.oci.image.layer.v1.tar";
    let cut = tar[..50_000].to_vec();
    let cut_id = crate::harness::image::digest(&cut);
    let zstd = Layer::new()
        .compressed(Compression::Zstd)
        .file("data", 0o644, &[5; 100_000])
        .blob();
    let cases = [
        ("diff-id", gzip, zeros, blob.clone(), "diff"),
        (
            "truncated-gzip",
            gzip,
            diff.clone(),
            blob[..blob.len() - 20].to_vec(),
            "",
        ),
        (
            "truncated-zstd",
            gzip,
            diff.clone(),
            zstd[..zstd.len() - 5].to_vec(),
            "",
        ),
        (
            "garbage-behind",
            gzip,
            diff.clone(),
            [&blob[..], b"garbage"].concat(),
            "",
        ),
        (
            "not-a-tar",
            gzip,
            crate::harness::image::digest(&[1; 4096]),
            vec![1; 4096],
            "",
        ),
        ("truncated-tar", plain, cut_id, cut, ""),
    ];
    for (tag, kind, diff, data, word) in cases {
        let name = registry.push(
            "damaged",
            tag,
            &Image::empty().raw_layer(kind, &diff, data).build(),
        );
        env.ketch(&["pull", &name]).refused(&[word]);
    }
    nothing_left(&env);
}

cases! {
    fn an_interrupted_pull_is_clean_and_goes_on_where_it_was(env) {
        let registry = Registry::start();
        let image = large();
        let name = registry.push("interrupted", "v1", &image);
        registry.fault(&layer_of(&image), 1, Fault::Stall(900_000));
        let running = env.spawn(&["pull", &name]);
        registry.wait_stalled();
        wait_partial(env, &image, 900_000);
        running.signal(Signal::SIGINT);
        running.finish().exits(130);
        registry.release();
        nothing_left(env);
        env.ketch(&["pull", &name]).ok();
        assert_eq!(ranges(&registry), ["bytes=900000-"]);
        env.assert_clean();
    }

    fn a_killed_pull_leaves_a_valid_store(env) {
        let registry = Registry::start();
        let image = large();
        let name = registry.push("killed", "v1", &image);
        registry.fault(&layer_of(&image), 1, Fault::Stall(500_000));
        let running = env.spawn(&["pull", &name]);
        registry.wait_stalled();
        running.signal(Signal::SIGKILL);
        // Its output ends with the last process that holds it: nobody pulls on.
        running.finish().exits(137);
        registry.release();
        env.ketch(&["system", "check"]).ok();
        env.ketch(&["pull", &name]).ok();
        env.assert_clean();
    }

    fn a_refusal_keeps_its_class_and_its_advice(env) {
        let auth = crate::harness::registry::Auth::Basic { user: "me".to_owned(), password: "word".to_owned() };
        let registry = Registry::with(auth);
        let name = registry.push("closed", "v1", &large());
        env.ketch(&["pull", &name]).fails(1, &["closed", "\nhint: "]);
        env.ketch(&["run", "--rm", &name]).fails(125, &["closed", "\nhint: "]);
        env.ketch(&["pull", "127.0.0.1:1/x"]).fails(1, &["127.0.0.1:1"]);
        nothing_left(env);
    }

    fn a_long_error_arrives_whole(env) {
        // The name of an entry that no file system takes, longer than a small message.
        let long = format!("{}end-of-name", "n".repeat(20_000));
        let image = Image::empty().layer(Layer::new().pax("path", long.as_bytes()).file("x", 0o644, b"x"));
        let output = env.ketch(&["pull", &env.image(image)]);
        output.fails(1, &["unpack layer sha256:"]);
        assert!(!output.stderr.contains("EOF while parsing"), "{output}");
        nothing_left(env);
    }
}

#[test]
fn an_unreachable_registry_is_named() {
    let env = Env::any();
    // Port 1 of this machine answers nobody.
    env.ketch(&["pull", "127.0.0.1:1/x"])
        .refused(&["127.0.0.1:1"]);
    env.ketch(&["run", "--rm", "127.0.0.1:1/x"])
        .fails(125, &["127.0.0.1:1"]);
    env.ketch(&["pull", "registry.invalid/x"])
        .refused(&["registry.invalid"]);
    let registry = Registry::start();
    let name = format!("{}/no/such:image", registry.address);
    env.ketch(&["pull", &name]).refused(&["no/such"]);
    env.ketch(&["run", "--rm", &name]).fails(125, &["no/such"]);
    nothing_left(&env);
}

#[test]
fn terminal_escapes_of_a_registry_are_not_printed() {
    let env = Env::any();
    let registry = Registry::start();
    let name = registry.push("escape", "v1", &large());
    let body = b"{\"errors\":[{\"code\":\"X\",\"message\":\"\\u001b]0;owned\\u0007\\u001b[2J\"}]}"
        .to_vec();
    registry.fault("/manifests/", 1000, Fault::Body(body));
    let output = env.ketch(&["pull", &name]);
    output.refused(&[]);
    assert!(
        !output.stderr.contains('\x1b') && !output.stderr.contains('\x07'),
        "{output}"
    );
}

#[test]
fn tries_and_their_pauses_can_be_chosen() {
    let env = Env::any();
    let registry = Registry::start();
    let name = registry.push("often", "v1", &large());
    let tries = |flags: &[&str], code: i32| {
        let before = registry.count("/manifests/");
        let mut arguments = vec!["pull", "-q"];
        arguments.extend(flags);
        arguments.push(&name);
        env.ketch(&arguments).exits(code);
        registry.count("/manifests/") - before
    };
    registry.fault("/manifests/", 3, Fault::Status(503, Vec::new()));
    assert_eq!(tries(&["--retry", "1", "--retry-delay", "1ms"], 1), 2);
    assert_eq!(tries(&["--retry", "0"], 1), 1);
    assert!(tries(&["--retry", "1", "--retry-delay", "1ms"], 0) > 0);
    for (flags, words) in [
        (&["--retry", "often"][..], "--retry"),
        (&["--retry", "-1"], "--retry"),
        (&["--retry-delay", "2"], "--retry-delay"),
        (&["--cert-dir", "/nowhere"], "/nowhere"),
    ] {
        let mut arguments = vec!["pull"];
        arguments.extend(flags);
        arguments.push(&name);
        env.ketch(&arguments).fails(1, &[words]);
    }
}
