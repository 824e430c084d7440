//! Builds for several platforms, and for one that is not this machine's.

use std::fs;

use serde_json::Value;

use crate::harness::image::{architecture, digest, index};
use crate::harness::{Env, Image, Layer, Registry, require};
use crate::peers::{real_registry, run as peer};

/// A platform whose programs this machine does not run.
const FOREIGN: &str = "linux/riscv64";

fn own() -> String {
    format!("linux/{}", architecture())
}

/// An image for this machine and a foreign one, under one name.
fn both() -> String {
    let native = Image::base().build();
    let foreign = Image::empty()
        .top("architecture", "riscv64")
        .layer(Layer::new().dir("foreign/", 0o755))
        .build();
    let registry = Registry::start();
    for image in [&native, &foreign] {
        registry.push("both", &image.digest(), image);
    }
    let own = own();
    let (kind, text) = index(&[(&own, &native), (FOREIGN, &foreign)]);
    registry.push_manifest("both", "v1", &kind, &text)
}

fn context(env: &Env, text: &str) -> String {
    env.file(&format!("{}/Dockerfile", "context"), text);
    env.text("context")
}

/// A document of a layout's blobs.
fn blob(env: &Env, layout: &str, digest: &Value) -> Value {
    let hex = digest.as_str().unwrap().trim_start_matches("sha256:");
    let bytes = fs::read(env.path(layout).join("blobs/sha256").join(hex)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

cases! {
    fn an_index_and_its_lines_have_annotations(env) {
        env.folder("context");
        let context = context(env, &format!("FROM {}\nLABEL a=b\n", both()));
        let platforms = format!("{},{FOREIGN}", own());
        let one = format!("manifest-descriptor[{FOREIGN}]:only=foreign");
        let oci = format!("type=oci,dest={},tar=false,annotation-index.from=output", env.text("work/oci"));
        let flags = ["--annotation", "index,manifest:both=1", "--annotation", &one, "--annotation", "manifest-descriptor:line=2", "--annotation", "plain=3", "-o", &oci];
        let build = |more: &[&str]| env.ketch(&[&["build", "--network", "none"], &flags[..], more, &[&context]].concat());
        let read = || {
            let text = fs::read(env.path("work/oci/index.json")).unwrap();
            let list: Value = serde_json::from_slice(&text).unwrap();
            blob(env, "work/oci", &list["manifests"][0]["digest"])
        };
        build(&["--platform", &platforms]).ok();
        let index = read();
        assert_eq!(index["annotations"], serde_json::json!({ "both": "1", "from": "output" }));
        let lines = index["manifests"].as_array().unwrap();
        assert_eq!(lines[0]["annotations"], serde_json::json!({ "line": "2" }));
        assert_eq!(lines[1]["annotations"], serde_json::json!({ "line": "2", "only": "foreign" }));
        for line in lines {
            let manifest = blob(env, "work/oci", &line["digest"]);
            assert_eq!(manifest["annotations"], serde_json::json!({ "both": "1", "plain": "3" }));
        }
        // One image has an index where something lies beside it, and is refused where nothing does.
        fs::remove_dir_all(env.path("work/oci")).unwrap();
        build(&[]).refused(&["index annotations not supported for single platform export", "--provenance"]);
        assert!(!env.path("work/oci").exists());
        build(&["--provenance=true"]).ok();
        let index = read();
        assert_eq!(index["annotations"], serde_json::json!({ "both": "1", "from": "output" }));
        assert_eq!(index["manifests"][0]["annotations"], serde_json::json!({ "line": "2" }));
        fs::remove_dir_all(env.path("work/oci")).unwrap();
        build(&["--platform", &platforms, "--annotation", "index-descriptor:a=b"]).ok();
        let list: Value = serde_json::from_slice(&fs::read(env.path("work/oci/index.json")).unwrap()).unwrap();
        assert_eq!(list["manifests"][0]["annotations"]["a"], "b");
        assert!(read()["annotations"]["a"].is_null());
        build(&["--annotation", "layout:a=b"]).refused(&["index-descriptor"]);
        let stored = ["build", "--network", "none", "--platform", &platforms, "--annotation", "index-descriptor:a=b", &context];
        env.ketch(&stored).exits(0).warns("index-descriptor:a is left out");
        env.ketch(&["system", "check"]).ok();
    }

    fn several_platforms_are_one_index(env) {
        env.folder("context");
        let both = both();
        let text = format!(
            "FROM --platform=$BUILDPLATFORM {} AS make\nARG TARGETARCH BUILDPLATFORM\n\
             RUN [\"payload\", \"write\", \"/out\", \"made\"]\nCOPY <<EOF /for\n$TARGETARCH on $BUILDPLATFORM\nEOF\n\
             FROM {both}\nARG TARGETPLATFORM\nCOPY --from=make /out /for /\nLABEL for=$TARGETPLATFORM\n",
            env.base()
        );
        let context = context(env, &text);
        let platforms = format!("{},{FOREIGN}", own());
        let (files, oci) = (env.text("work/files"), format!("type=oci,dest={},tar=false", env.text("work/oci")));
        let (iid, metadata) = (env.text("work/iid"), env.text("work/metadata"));
        let words = ["build", "--network", "none", "--platform", &platforms, "-t", "multi:v1", "-o", &files, "-o", &oci,
            "--iidfile", &iid, "--metadata-file", &metadata, &context];
        let output = env.ketch(&words);
        output.ok();
        output.warns(&format!("[{FOREIGN} make 2/3] RUN"));
        let read = |path: &str| fs::read_to_string(env.path("work/files").join(path)).unwrap();
        assert_eq!(read(&format!("linux_{}/for", architecture())), format!("{} on {}\n", architecture(), own()));
        assert_eq!(read("linux_riscv64/for"), format!("riscv64 on {}\n", own()));
        assert_eq!(read("linux_riscv64/out"), "made");
        assert!(env.path("work/files/linux_riscv64/foreign").is_dir());

        let id = fs::read_to_string(&iid).unwrap();
        let metadata: Value = serde_json::from_str(&fs::read_to_string(&metadata).unwrap()).unwrap();
        assert_eq!(metadata["containerimage.digest"], id.as_str());
        assert_eq!(metadata["image.name"], "docker.io/library/multi:v1");
        assert_eq!(metadata.get("containerimage.config.digest"), None);
        let listed: Value = serde_json::from_slice(&fs::read(env.path("work/oci/index.json")).unwrap()).unwrap();
        assert_eq!(listed["manifests"][0]["digest"], id.as_str());
        let index = blob(env, "work/oci", &listed["manifests"][0]["digest"]);
        for (at, platform) in [own(), FOREIGN.to_owned()].iter().enumerate() {
            let entry = &index["manifests"][at];
            let place = format!("{}/{}", entry["platform"]["os"].as_str().unwrap(), entry["platform"]["architecture"].as_str().unwrap());
            assert_eq!(place, *platform);
            let manifest = blob(env, "work/oci", &entry["digest"]);
            let config = blob(env, "work/oci", &manifest["config"]["digest"]);
            assert_eq!(config["config"]["Labels"]["for"], platform.as_str());
            assert_eq!(config["architecture"], platform.trim_start_matches("linux/"));
        }
        // The name is this machine's image, the id the whole; what it lists outlives a collection.
        env.ketch(&["image", "prune", "-f"]).ok();
        env.ketch(&["builder", "prune", "-af"]).ok();
        let run = |image: &str| env.ketch(&["run", "--rm", "--network", "none", image, "payload", "cat", "/out"]).ok().to_owned();
        assert_eq!((run("multi:v1"), run(&id)), ("made".to_owned(), "made".to_owned()));
        env.assert_clean();
        require!("docker-registry", require::program("docker-registry"));
        require!("skopeo", require::program("skopeo"));
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/multi:v1");
        env.ketch(&["tag", "multi:v1", &name]).ok();
        env.ketch(&["push", "-q", &name]).ok();
        let served = peer(env, "skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{name}")]);
        assert_eq!(digest(served.as_bytes()), id);
        // The same again, from the cache and without its registries.
        let again = env.ketch(&["build", "--network", "none", "--platform", &platforms, "--push", "-t", &name, &context]);
        again.ok();
    }

    fn a_command_for_another_processor_is_refused_with_a_way_out(env) {
        env.folder("context");
        let text = format!("FROM {}\nCOPY <<EOF /text\nx\nEOF\nRUN [\"payload\", \"true\"]\n", both());
        let context = context(env, &text);
        let words = ["build", "--network", "none", "--platform", FOREIGN, "-t", "foreign", &context];
        let output = env.ketch(&words);
        output.fails(1, &["Dockerfile:5", "payload true", FOREIGN, "binfmt_misc", "qemu-user-static"]);
        env.ketch(&["image", "inspect", "foreign"]).exits(1);
        let tar = ["build", "--platform", &format!("{},{FOREIGN}", own()), "-o", "-", &context];
        env.ketch(&tar).fails(1, &["type=tar", "one platform"]);
        env.assert_clean();
    }
}
