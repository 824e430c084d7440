//! `build --cache-to` and `--cache-from`: a second machine's build goes on with the first one's
//! results.

use std::collections::BTreeSet;
use std::fs;

use crate::build::made;
use crate::harness::image::digest;
use crate::harness::process::{Output, Running};
use crate::harness::registry::{Auth, Fault};
use crate::harness::{Env, Registry, require};
use crate::peers::{real_registry, run as peer};

/// Seven steps, of which two tell that they ran.
const STAGES: &str = "FROM BASE AS make\nENV MARK=ran\nWORKDIR /made/here\nRUN [\"payload\", \"write\", \"one\", \"1\"]\n\
    RUN [\"payload\", \"env\"]\nFROM BASE\nCOPY --from=make /made/here/one /one\nCOPY text /text\n\
    RUN [\"payload\", \"write\", \"/two\", \"2\"]\nRUN --mount=type=bind,from=make,target=/m [\"payload\", \"cat\", \"/m/made/here/one\"]\n\
    CMD [\"payload\", \"cat\", \"/one\", \"/two\", \"/text\"]\n";
const STEPS: usize = 7;

/// Runs ketch on another machine: with a store of its own.
fn elsewhere(env: &Env, machine: &str, words: &[&str]) -> Output {
    let mut command = env.command(words);
    command.env("KETCH_ROOT", env.text(machine));
    Running::start(command).finish()
}

/// Builds the stages on a machine.
fn build(env: &Env, machine: &str, flags: &[&str]) -> Output {
    // The same files at another place.
    let context = env.folder(&format!("context-{machine}"));
    let text = STAGES.replace("BASE", &env.base());
    env.file(&format!("context-{machine}/Dockerfile"), &text);
    env.file(&format!("context-{machine}/text"), "text");
    elsewhere(env, machine, &made(flags, &context))
}

fn cached(output: &Output) -> usize {
    output.stderr.matches("CACHED").count()
}

fn id(env: &Env, machine: &str) -> String {
    let found = elsewhere(env, machine, &["image", "inspect", "made"]).json();
    found[0]["Id"].as_str().unwrap().to_owned()
}

/// The unpacked layers of a machine.
fn layers(env: &Env, machine: &str) -> BTreeSet<String> {
    let dir = env.path(machine).join("layers");
    let mode = fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
    let names = fs::read_dir(mode).unwrap();
    let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.len() == 64).collect()
}

/// The layers of the built image.
fn own_layers(env: &Env, machine: &str) -> BTreeSet<String> {
    let found = elsewhere(env, machine, &["image", "inspect", "made"]).json();
    let found = found[0]["RootFS"]["Layers"].as_array().unwrap().clone();
    let hex = |layer: &serde_json::Value| {
        let text = layer.as_str().unwrap();
        text.trim_start_matches("sha256:").to_owned()
    };
    found.iter().map(hex).collect()
}

/// A machine with an empty store finds every result in the cache `from`, runs nothing, fetches
/// only what its image has, and gets the same image, which runs.
#[track_caller]
fn reuses(env: &Env, machine: &str, from: &str) {
    let again = build(env, machine, &["--cache-from", from]);
    again.ok();
    assert_eq!(cached(&again), STEPS, "{again}");
    assert!(!again.stderr.contains("MARK=ran"), "{again}");
    assert_eq!(layers(env, machine), own_layers(env, machine));
    let words = ["run", "--rm", "--network", "none", "made"];
    assert_eq!(elsewhere(env, machine, &words).ok(), "12text");
    elsewhere(env, machine, &["system", "check"]).ok();
}

cases! {
    fn a_second_machine_reuses_a_cache_in_a_registry(env) {
        require!("docker-registry", require::program("docker-registry"));
        let (_registry, address) = real_registry(env);
        let [min, max] = ["min", "max"].map(|mode| format!("{address}/cache:{mode}"));
        let to = format!("type=registry,ref={max},mode=max,image-manifest=true");
        let first = build(env, "store", &["--cache-to", &min, "--cache-to", &to]);
        first.ok();
        assert_eq!(cached(&first), 0, "{first}");
        first.warns("MARK=ran").warns("exporting cache to registry");
        reuses(env, "with-max", &max);
        assert_eq!(id(env, "with-max"), id(env, "store"));
        reuses(env, "with-min", &format!("type=registry,ref={min}"));
        assert_eq!(id(env, "with-min"), id(env, "store"));
        // What came from a cache goes on to the next one, fetched or not.
        let other = format!("type=registry,ref={address}/other:x,mode=max");
        build(env, "with-max", &["--cache-from", &max, "--cache-to", &other]).ok();
        reuses(env, "with-other", &format!("{address}/other:x"));
        // Any tool copies it, and what it has still fits.
        if require::program("skopeo") {
            let [from, to] = ["cache:max", "copy:x"].map(|name| format!("docker://{address}/{name}"));
            peer(env, "skopeo", &["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to]);
            reuses(env, "with-copy", &format!("{address}/copy:x"));
        }
        env.assert_clean();
    }

    fn a_second_machine_reuses_a_cache_in_a_directory(env) {
        let path = env.text("cache/made");
        let to = |mode: &str| format!("type=local,dest={path},mode={mode},tag={mode}");
        build(env, "store", &["--cache-to", &to("max"), "--cache-to", &to("min")]).ok();
        reuses(env, "with-max", &format!("type=local,src={path},tag=max"));
        assert_eq!(id(env, "with-max"), id(env, "store"));
        reuses(env, "with-min", &format!("type=local,src={path},tag=min"));
        let index = fs::read(env.path("cache/made/index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
        let found = index["manifests"][0]["digest"].as_str().unwrap();
        reuses(env, "with-digest", &format!("type=local,src={path},digest={found}"));
    }

    fn a_second_machine_reuses_the_cache_in_an_image(env) {
        require!("docker-registry", require::program("docker-registry"));
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/app:v1");
        build(env, "store", &["--cache-to", "type=inline"]).ok();
        env.ketch(&["tag", "made", &name]).ok();
        env.ketch(&["push", "-q", &name]).ok();
        reuses(env, "with-inline", &name);
        // One that stands on it speaks for itself.
        let text = format!("FROM {name}\nLABEL a=b\n");
        env.file("context-store/Dockerfile", &text);
        let context = env.text("context-store");
        env.ketch(&["build", "-t", "above", "--network", "none", &context]).ok();
        let inspected = env.ketch(&["image", "inspect", "above"]).json();
        let config = inspected[0]["Id"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
        let config = fs::read_to_string(env.store().join("blobs/sha256").join(config)).unwrap();
        assert!(!config.contains("ketch.build.cache"), "{config}");
        // BuildKit's older word for it.
        build(env, "older", &["--build-arg", "BUILDKIT_INLINE_CACHE=1"]).ok();
    }

    fn what_a_cache_lacks_is_made_again(env) {
        let path = env.text("cache/made");
        let to = format!("type=local,dest={path}");
        build(env, "store", &["--cache-to", &to]).ok();
        // mode=min has none of the first stage's files: who changes what is copied from it runs it.
        let context = env.folder("context-other");
        let text = STAGES.replace("BASE", &env.base()).replace("/one /one", "/one /uno").replace("\"/one\"", "\"/uno\"");
        env.file("context-other/Dockerfile", &text);
        env.file("context-other/text", "text");
        let from = format!("type=local,src={path}");
        let words = ["build", "--network", "none", "--progress", "plain", "-t", "made", "--cache-from", &from, &context];
        let output = elsewhere(env, "other", &words);
        output.ok();
        output.warns("MARK=ran");
        let run = ["run", "--rm", "--network", "none", "made"];
        assert_eq!(elsewhere(env, "other", &run).ok(), "12text");
        // A layer that is another than it was said to be is said, and not used.
        for entry in fs::read_dir(env.path("cache/made/blobs/sha256")).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            if bytes.starts_with(&[0x1f, 0x8b]) {
                let mut other = bytes.clone();
                let at = other.len() / 2;
                other[at] ^= 0x55;
                fs::write(&path, other).unwrap();
            }
        }
        let output = build(env, "broken", &["--cache-from", &from]);
        output.ok();
        output.warns("is not used any further").warns("MARK=ran");
        assert_eq!(elsewhere(env, "broken", &run).ok(), "12text");
        elsewhere(env, "broken", &["system", "check"]).ok();
    }
}

#[test]
fn a_cache_that_cannot_be_read_is_said_and_left_out() {
    let env = Env::any();
    let locked = Registry::with(Auth::Basic {
        user: "u".to_owned(),
        password: "p".to_owned(),
    });
    let image = crate::harness::Image::base().build();
    let plain = Registry::start().push("a", "v1", &image);
    let empty = env.folder("empty");
    let broken = Registry::start();
    broken.push("a", "v1", &image);
    broken.fault("/blobs/", 9, Fault::WrongBytes);
    let wrong = Registry::start();
    let config = br#"{"version":9}"#;
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.ketch.build.cache.v1+json","digest":"{}","size":{}}},"layers":[]}}"#,
        digest(config),
        config.len()
    );
    let kind = "application/vnd.oci.image.manifest.v1+json";
    wrong.push_blob(config);
    let newer = wrong.push_manifest("a", "v1", kind, manifest.as_bytes());
    for (from, why) in [
        (format!("{}/a:v1", locked.address), "access denied"),
        (plain, "no ketch has written a build cache there"),
        (format!("type=local,src={empty}"), "it has no index.json"),
        (format!("{}/a:v1", broken.address), "expected"),
        (newer, "it has version 9"),
        ("type=gha".to_owned(), "registry and local are known"),
    ] {
        let output = build(&env, "store", &["--no-cache", "--cache-from", &from]);
        output.ok();
        output.warns("is not used").warns(why);
    }
}

#[test]
fn a_cache_that_cannot_be_written_fails_the_build_unless_that_is_ignored() {
    let env = Env::any();
    let to = "type=registry,ref=127.0.0.1:1/a:b".to_owned();
    let output = build(&env, "store", &["--cache-to", &to]);
    assert_ne!(output.code(), 0, "{output}");
    output.warns("export cache to 127.0.0.1:1/a:b");
    let output = build(
        &env,
        "store",
        &["--cache-to", &format!("{to},ignore-error=true")],
    );
    output.ok();
    output.warns("export cache to 127.0.0.1:1/a:b");
    let file = env.file("file", "");
    let to = format!("type=local,dest={file}");
    let output = build(&env, "store", &["--cache-to", &to]);
    assert_ne!(output.code(), 0, "{output}");
    build(&env, "store", &["--cache-to", "type=s3"]);
    for bad in ["type=inline,mode=max", "type=registry", "type=local,dest="] {
        build(&env, "store", &["--cache-to", bad]).refused(&["--cache-to"]);
    }
}
