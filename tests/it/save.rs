//! `save` and `load`: images as files, ketch's own and those of docker, podman and skopeo.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::image::{Built, digest};
use crate::harness::process::{Output, Running};
use crate::harness::terminal::Terminal;
use crate::harness::{Env, Image, Layer, require};
use crate::peers::{LONG, run as run_peer};

/// An image with a layer above the base, under a name of its own.
fn image(env: &Env, name: &str, text: &str) -> String {
    let layer = Layer::new()
        .owner(1000, 1000)
        .file("text", 0o640, text.as_bytes());
    let pulled = env.image(Image::base().layer(layer));
    env.ketch(&["pull", "-q", &pulled]).ok();
    env.ketch(&["tag", &pulled, name]).ok();
    let id = id(env, name);
    env.ketch(&["rmi", &pulled]).ok();
    id
}

fn id(env: &Env, name: &str) -> String {
    let format = ["image", "inspect", "--format", "{{.Id}}", name];
    env.ketch(&format).ok().to_owned()
}

fn text(env: &Env, image: &str) -> String {
    let output = env.ketch(&[
        "run",
        "--rm",
        "--network",
        "none",
        image,
        "payload",
        "cat",
        "/text",
    ]);
    output.ok().to_owned()
}

fn names(env: &Env) -> String {
    let format = "{{.Repository}}:{{.Tag}}";
    env.ketch(&["images", "-a", "--format", format])
        .ok()
        .to_owned()
}

/// ketch under another name.
fn called(env: &Env, name: &str, arguments: &[&str]) -> Output {
    let mut command = env.command(arguments);
    command.arg0(name);
    Running::start(command).finish()
}

/// An archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let add = |layer: Layer, (name, data): &(&str, &[u8])| layer.file(name, 0o644, data);
    files.iter().fold(Layer::new(), add).tar()
}

/// An archive as old docker makes it, of layers that are not compressed.
fn listed(image: &Image, layers: &[Layer], tags: &Value) -> BTreeMap<String, Vec<u8>> {
    let config = image.build().config;
    let hex = digest(&config)["sha256:".len()..].to_owned();
    let mut files = BTreeMap::from([(format!("{hex}.json"), config)]);
    let mut paths = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        paths.push(format!("{at}/layer.tar"));
        files.insert(format!("{at}/layer.tar"), layer.tar());
    }
    let list = json!([{"Config": format!("{hex}.json"), "RepoTags": tags, "Layers": paths}]);
    files.insert("manifest.json".to_owned(), list.to_string().into_bytes());
    files
}

fn packed(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, data)| (&**name, &**data))
        .collect();
    tar(&files)
}

/// A small image and its layer.
fn small() -> (Image, Layer) {
    let layer = Layer::new().file("text", 0o644, b"small");
    (Image::empty().layer(layer.clone()), layer)
}

/// An archive with a layout of one image.
fn layout(image: &Built) -> BTreeMap<String, Vec<u8>> {
    let manifest = (image.digest(), image.manifest.clone());
    let blobs = image.blobs.iter().chain([&manifest]);
    let path = |name: &str| format!("blobs/sha256/{}", &name["sha256:".len()..]);
    let mut files: BTreeMap<_, _> = blobs
        .map(|(name, data)| (path(name), data.clone()))
        .collect();
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": image.media_type, "digest": manifest.0, "size": image.manifest.len(),
        "annotations": {"org.opencontainers.image.ref.name": "v1"}}]});
    files.insert("index.json".to_owned(), index.to_string().into_bytes());
    let version = br#"{"imageLayoutVersion":"1.0.0"}"#;
    files.insert("oci-layout".to_owned(), version.to_vec());
    files
}

fn compressed(program: &str, data: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let data = data.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&data).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

/// Nothing of an image is here.
#[track_caller]
fn nothing(env: &Env) {
    assert_eq!(env.stored("blobs/sha256"), [""; 0]);
    assert_eq!(env.stored("tmp"), [""; 0]);
    for mode in env.stored("layers") {
        let mut layers = env.stored(&format!("layers/{mode}"));
        layers.retain(|name| name != "places");
        assert_eq!(layers, [""; 0]);
    }
    assert_eq!(env.ketch(&["images", "-aq"]).ok(), "");
}

cases! {
    fn what_is_saved_is_loaded_as_the_same_image(env) {
        let one = image(env, "app:1", "one");
        let two = image(env, "app:2", "two");
        env.ketch(&["tag", "app:1", "other/name:x"]).ok();
        let manifest = |name: &str| env.ketch(&["image", "inspect", "--format", "{{.Id}}", name]).ok().to_owned();
        let (all, again) = (env.text("work/all.tar"), env.text("work/again.tar"));
        // Every tag of a repository, and another name of one of the images.
        for file in [&all, &again] {
            env.ketch(&["save", "-o", file, "app", "other/name:x", "app:1"]).ok();
        }
        assert!(fs::read(&all).unwrap() == fs::read(&again).unwrap());
        for form in ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] {
            let path = env.text(&format!("work/{form}"));
            env.ketch(&["save", "--format", form, "-o", &path, "app:2"]).ok();
        }
        env.ketch(&["rmi", "-f", &one, &two]).ok();
        nothing(env);
        let output = env.ketch(&["load", "-i", &all]);
        assert_eq!(output.ok(), "Loaded image: app:1\nLoaded image: other/name:x\nLoaded image: app:2");
        for (name, id) in [("app:1", &one), ("app:2", &two), ("other/name:x", &one)] {
            assert_eq!(&manifest(name), id);
        }
        assert_eq!((text(env, "app:1"), text(env, "app:2")), ("one".into(), "two".into()));
        env.ketch(&["rmi", "-f", &one, &two]).ok();
        for form in ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] {
            let path = env.text(&format!("work/{form}"));
            let output = env.ketch(&["load", "-q", "-i", &path]);
            let named = form != "docker-dir";
            let wanted = if named { "Loaded image: app:2".to_owned() } else { format!("Loaded image ID: {two}") };
            assert_eq!(output.ok(), wanted);
            assert_eq!(id(env, &two), two);
            assert_eq!(text(env, &two), "two", "{form}");
            env.ketch(&["system", "check"]).ok();
            env.ketch(&["rmi", "-f", &two]).ok();
            nothing(env);
        }
        env.assert_clean();
    }

    fn an_archive_comes_through_a_pipe_however_compressed(env) {
        let (image, layer) = small();
        let bytes = packed(&listed(&image, &[layer], &json!(["small:1"])));
        let wanted = digest(&image.build().config);
        for program in ["gzip", "bzip2", "xz", "zstd"] {
            require!(program, require::program(program));
            let output = env.ketch_with_input(&["load"], &compressed(program, &bytes));
            assert_eq!(output.ok(), "Loaded image: small:1");
            assert_eq!(id(env, "small:1"), wanted);
            env.ketch(&["rmi", "small:1"]).ok();
        }
        let file = env.text("work/file.tar.gz");
        fs::write(&file, compressed("gzip", &bytes)).unwrap();
        env.ketch(&["image", "load", "--input", &file]).says("small:1");
        env.ketch(&["rmi", "small:1"]).ok();
        env.ketch_with_input(&["load", "-i", "-"], &bytes).says("small:1");
        // Of another form, and again: both are the same image.
        env.ketch_with_input(&["load"], &packed(&layout(&image.build()))).says("localhost/v1:latest");
        assert_eq!(id(env, "localhost/v1"), wanted);
        env.ketch_with_input(&["load"], &bytes).says("Loaded image: small:1");
        assert_eq!(names(env).lines().count(), 2);
        env.assert_clean();
    }

    fn old_archives_have_links_and_images_without_names(env) {
        let (image, layer) = small();
        let mut files = listed(&image.layer(layer.clone()), &[layer.clone(), layer], &Value::Null);
        files.remove("1/layer.tar");
        let add = |all: Layer, (name, data): (&String, &Vec<u8>)| all.file(name, 0o644, data);
        let archive = files.iter().fold(Layer::new(), add).symlink("1/layer.tar", "../0/layer.tar");
        let output = env.ketch_with_input(&["load"], &archive.tar());
        let id = output.ok().strip_prefix("Loaded image ID: ").unwrap().to_owned();
        env.ketch(&["image", "inspect", &id]).ok();
        assert_eq!(env.ketch_with_input(&["load"], &archive.tar()).ok(), output.ok());
        assert_eq!(env.ketch(&["images", "-aq"]).ok().lines().count(), 1);
        let saved = env.text("work/saved.tar");
        env.ketch(&["save", "-o", &saved, &id]).ok();
        env.ketch(&["rmi", &id]).ok();
        assert_eq!(env.ketch(&["load", "-i", &saved]).ok(), output.ok());
    }

    fn a_name_moves_to_what_is_loaded(env) {
        let old = image(env, "app:1", "old");
        let saved = env.text("work/old.tar");
        env.ketch(&["save", "-o", &saved, "app:1"]).ok();
        let new = image(env, "app:1", "new");
        let output = env.ketch(&["load", "-i", &saved]);
        let renamed = format!("The image app:1 already exists, renaming the old one with ID {new} to empty string");
        assert_eq!(output.ok(), format!("{renamed}\nLoaded image: app:1"));
        assert_eq!(id(env, "app:1"), old);
        env.ketch(&["image", "inspect", &new]).ok();
        let event = env.ketch(&["events", "--since", "1h", "--until", "0s", "--filter", "event=load"]);
        event.says(&old);
    }

    fn hostile_archives_leave_nothing(env) {
        let (image, layer) = small();
        let good = listed(&image, std::slice::from_ref(&layer), &json!(["small:1"]));
        let built = image.build();
        let changed = |files: &BTreeMap<String, Vec<u8>>, name: &str, data: &[u8]| {
            let mut files = files.clone();
            files.insert(name.to_owned(), data.to_vec());
            packed(&files)
        };
        let without = |files: &BTreeMap<String, Vec<u8>>, name: &str| {
            let mut files = files.clone();
            files.remove(name).unwrap();
            packed(&files)
        };
        let other = Layer::new().file("text", 0o644, b"other").tar();
        let config = good.keys().find(|name| name.ends_with(".json")).unwrap().clone();
        let list = |item: Value| changed(&good, "manifest.json", json!([item]).to_string().as_bytes());
        let laid = layout(&built);
        let blob = format!("blobs/sha256/{}", &built.blobs[1].0["sha256:".len()..]);
        let whole = packed(&good);
        let linked = |target: &str| {
            let mut files = good.clone();
            files.remove("0/layer.tar");
            let add = |all: Layer, (name, data): (&String, &Vec<u8>)| all.file(name, 0o644, data);
            files.iter().fold(Layer::new(), add).symlink("0/layer.tar", target).tar()
        };
        let mut shorter = laid[&blob].clone();
        shorter.pop();
        let mut flipped = laid[&blob].clone();
        let last = flipped.len() - 1;
        flipped[last] ^= 1;
        for (what, bytes, words) in [
            ("text", b"not an archive".repeat(100), &["header checksum"][..]),
            ("empty", Vec::new(), &["neither index.json nor manifest.json"]),
            ("no image", tar(&[("etc/passwd", b"x")]), &["neither index.json", "ketch import"]),
            ("climbs", tar(&[("../../x", b"x")]), &["leaves the archive"]),
            ("link climbs", linked("../../../etc/passwd"), &["leaves the archive"]),
            ("link out", linked("/etc/passwd"), &["0/layer.tar", "not there"]),
            ("link loops", linked("../0/layer.tar"), &["too many links"]),
            ("cut", whole[..whole.len() / 2].to_vec(), &[]),
            ("no layer", without(&good, "0/layer.tar"), &["0/layer.tar", "not there"]),
            ("no configuration", without(&good, &config), &[&config, "not there"]),
            ("path climbs", list(json!({"Config": "../../etc/passwd", "Layers": []})), &["leaves the archive"]),
            ("no layers", list(json!({"Config": config, "Layers": null})), &["names 0 layers", "1"]),
            ("bad tag", list(json!({"Config": config, "Layers": ["0/layer.tar"], "RepoTags": ["Bad Tag"]})), &["Bad Tag"]),
            ("no list", changed(&good, "manifest.json", b"[]"), &["lists no image"]),
            ("huge list", changed(&good, "manifest.json", &[b' '; 5 << 20]), &["manifest.json", "larger than"]),
            ("other layer", changed(&good, "0/layer.tar", &other), &["diff-id"]),
            ("other, compressed", changed(&good, "0/layer.tar", &compressed("gzip", &other)), &["diff-id"]),
            ("other configuration", changed(&good, &config, b"{}"), &["its content has digest"]),
            ("no blob", without(&laid, &blob), &["not there"]),
            ("short blob", changed(&laid, &blob, &shorter), &["its manifest says"]),
            ("other blob", changed(&laid, &blob, &flipped), &["digest"]),
            ("bad index", changed(&laid, "index.json", b"{"), &["index.json"]),
        ] {
            let output = env.ketch_with_input(&["load", "-q"], &bytes);
            assert_eq!(output.code(), 1, "{what}: {output}");
            output.fails(1, words).warns("load standard input");
            nothing(env);
        }
        env.ketch(&["load", "-i", &env.text("none.tar")]).fails(1, &["none.tar"]);
        env.ketch(&["load", "-i", &env.folder("empty")]).fails(1, &["neither index.json"]);
    }

    fn what_cannot_be_saved_leaves_no_file(env) {
        let id = image(env, "app:1", "one");
        let file = env.text("work/x.tar");
        let left = || fs::read_dir(env.path("work")).unwrap().count();
        let before = left();
        env.ketch(&["save", "-o", &file, "app:1", "none:1"]).fails(1, &["none:1"]);
        env.ketch(&["save", "-o", &file, "--platform", "linux/s390x", "app:1"]).fails(1, &["linux/s390x", "does not match"]);
        env.ketch(&["save", "--format", "rar", "-o", &file, "app:1"]).refused(&["must be one of oci-dir oci-archive"]);
        env.ketch(&["save", "--compress", "-o", &file, "app:1"]).refused(&["docker-dir"]);
        env.ketch(&["save", "--format", "oci-dir", "app:1"]).refused(&["-o"]);
        env.ketch(&["save", "-o", &env.text("none/x.tar"), "app:1"]).fails(1, &["none/x.tar"]);
        // Of a layer that is gone.
        let layer = env.stored("blobs/sha256").into_iter().max_by_key(|name| {
            fs::metadata(env.store().join("blobs/sha256").join(name)).unwrap().len()
        });
        fs::remove_file(env.store().join("blobs/sha256").join(layer.unwrap())).unwrap();
        for form in ["docker-archive", "oci-archive", "docker-dir"] {
            let words = ["save", "--format", form, "-o", &file, &id];
            env.ketch(&words).fails(1, &["keep_blobs = always"]);
        }
        assert_eq!(left(), before);
        let terminal = Terminal::start(env, &["save", "app:1"]);
        let (code, screen, _) = terminal.finish();
        assert!(code != 0 && screen.contains("refusing to save to a terminal"), "{screen}");
    }

    fn podmans_words_are_podmans(env) {
        let id = image(env, "app:1", "one");
        let file = env.text("work/p.tar");
        // More words are more names.
        called(env, "podman", &["save", "-q", "-o", &file, "app:1", "localhost/second:2"]).ok();
        let list = Command::new("tar").args(["xOf", &file, "manifest.json"]).output().unwrap();
        let list: Value = serde_json::from_slice(&list.stdout).unwrap();
        assert_eq!(list[0]["RepoTags"], json!(["docker.io/library/app:1", "localhost/second:2"]));
        let config = format!("{}.json", &id["sha256:".len()..]);
        assert_eq!(list[0]["Config"], json!(config));
        let loaded = called(env, "podman", &["load", "-i", &file]);
        assert_eq!(loaded.ok(), "Loaded image: docker.io/library/app:1\nLoaded image: localhost/second:2");
        image(env, "app:2", "two");
        called(env, "podman", &["save", "-m", "-q", "-o", &file, "app:1", "app:2"]).ok();
        env.ketch(&["load", "-i", &file]).says("app:1").says("app:2");
        called(env, "podman", &["save", "-m", "--format", "oci-archive", "-o", &file, "app:1"]).fails(125, &["multiple images"]);
        called(env, "podman", &["save", "none"]).fails(125, &["Error: none: image not known"]);
        // Layers are plain only where that is asked for.
        let length = |flags: &[&str]| {
            let words = [&["save", "--format", "oci-archive", "-o", &file], flags, &["app:1"]].concat();
            env.ketch(&words).ok();
            fs::metadata(&file).unwrap().len()
        };
        assert!(length(&["--uncompressed"]) > length(&[]));
    }

    fn an_image_for_several_platforms_travels_whole(env) {
        let (own, _) = small();
        let own = own.build();
        let other = Image::empty().top("architecture", "s390x").layer(Layer::new().file("text", 0o644, b"other")).build();
        let mut files = layout(&own);
        files.extend(layout(&other));
        let host = format!("linux/{}", crate::harness::image::architecture());
        let (kind, index) = crate::harness::image::index(&[("linux/s390x", &other), (&host, &own)]);
        let name = |data: &[u8]| format!("blobs/sha256/{}", &digest(data)["sha256:".len()..]);
        files.insert(name(&index), index.clone());
        let top = json!({"schemaVersion": 2, "manifests": [{"mediaType": kind, "digest": digest(&index), "size": index.len(),
            "annotations": {"io.containerd.image.name": "docker.io/library/many:1"}}]});
        files.insert("index.json".to_owned(), top.to_string().into_bytes());
        assert_eq!(env.ketch_with_input(&["load"], &packed(&files)).ok(), "Loaded image: many:1");
        assert_eq!(id(env, "many:1"), digest(&own.config));
        let saved = env.text("work/many.tar");
        env.ketch(&["save", "-o", &saved, "many:1"]).ok();
        let list = Command::new("tar").args(["tf", &saved]).output().unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        for data in [&index, &own.manifest, &other.manifest, &other.config] {
            assert!(list.contains(&name(data)), "{list}");
        }
        env.ketch(&["save", "-o", &saved, "--platform", "linux/s390x", "many:1"]).ok();
        env.ketch(&["rmi", "many:1"]).ok();
        nothing(env);
        env.ketch(&["load", "-i", &saved, "--platform", &host]).fails(1, &["none is for", &host]);
        env.ketch(&["load", "-i", &saved]).ok();
        assert_eq!(id(env, "many:1"), digest(&other.config));
        let words = ["load", "--platform", "linux/s390x"];
        assert_eq!(env.ketch_with_input(&words, &packed(&files)).ok(), "Loaded image: many:1");
        env.ketch(&["system", "check"]).ok();
    }

    fn skopeo_reads_every_form(env) {
        require!("skopeo", require::program("skopeo"));
        let image_id = image(env, "app:1", "one");
        let read = |place: String| {
            let words = ["inspect", "--config", "--raw", &place];
            digest(run_peer(env, "skopeo", &words).as_bytes())
        };
        let usual = env.text("work/usual.tar");
        env.ketch(&["save", "-o", &usual, "app:1"]).ok();
        for place in ["docker-archive", "oci-archive"] {
            assert_eq!(read(format!("{place}:{usual}")), image_id, "{place}");
        }
        assert_eq!(read(format!("docker-archive:{usual}:app:1")), image_id);
        for (form, place) in [("docker-archive", "docker-archive"), ("oci-archive", "oci-archive"), ("docker-dir", "dir"), ("oci-dir", "oci")] {
            let path = env.text(&format!("work/{form}"));
            env.ketch(&["save", "--format", form, "-o", &path, "app:1"]).ok();
            assert_eq!(read(format!("{place}:{path}")), image_id, "{form}");
            // All of it, and back.
            let copy = env.text(&format!("work/copy-{form}"));
            let words = ["--insecure-policy", "copy", "-q", &format!("{place}:{path}"), &format!("{place}:{copy}")];
            run_peer(env, "skopeo", &words);
            env.ketch(&["load", "-i", &copy]).ok();
        }
    }
}

#[test]
fn podman_loads_what_is_saved_and_saves_what_is_loaded() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    require!("podman", require::program("podman"));
    Env::with(crate::harness::Identity::Root, |env| {
        let podman = |words: &[&str]| {
            let mut command = Command::new("/usr/bin/podman");
            command.args(["--root", &env.text("root"), "--runroot", &env.text("run")]);
            command.args(["--storage-driver", "vfs", "--events-backend", "none"]);
            command.args(["--cgroup-manager", "cgroupfs"]);
            command.args(words);
            // It makes a name of the path of an oci-dir, which a capital letter would spoil.
            command.current_dir(env.path("work"));
            Running::start(command).finish_within(LONG).ok().to_owned()
        };
        let wanted = image(env, "localhost/app:1", "one");
        let forms = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"];
        let name = "localhost/app:1";
        env.ketch(&["save", "-o", "usual", name]).ok();
        for form in forms {
            env.ketch(&["save", "--format", form, "-o", form, name])
                .ok();
        }
        for path in ["usual"].iter().chain(&forms) {
            podman(&["load", "-q", "-i", path]);
            let listed = podman(&["images", "--no-trunc", "-q"]);
            assert_eq!(listed.lines().next().unwrap(), wanted, "{path}");
            podman(&["rmi", "-af"]);
        }
        podman(&["load", "-q", "-i", "usual"]);
        env.ketch(&["rmi", "-f", &wanted]).ok();
        for form in forms {
            let path = format!("podman-{form}");
            podman(&["save", "-q", "--format", form, "-o", &path, name]);
            env.ketch(&["load", "-i", &path]).ok();
            assert_eq!(text(env, &wanted), "one", "{form}");
            env.ketch(&["rmi", "-f", &wanted]).ok();
        }
    });
}
