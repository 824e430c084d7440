//! `build --build-context`: names that stand for directories and images.

use crate::build::made;
use crate::harness::process::Output;
use crate::harness::{Env, Image, Layer};

fn build(env: &Env, text: &str, flags: &[&str]) -> Output {
    let context = env.folder("context");
    let text = text.replace("BASE", &env.base());
    env.file("context/Dockerfile", &text);
    env.ketch(&made(flags, &context))
}

fn run(env: &Env, words: &[&str]) -> Output {
    env.ketch(&[&["run", "--rm", "--network", "none", "made"][..], words].concat())
}

/// An image with `/mark`, in a layout of its own; its digest.
fn layout(env: &Env, name: &str, mark: &str, tag: &str) -> String {
    let image = Image::base().layer(Layer::new().file("mark", 0o644, mark.as_bytes()));
    let image = env.image(image);
    let destination = format!("type=oci,tar=false,name=x:{tag},dest={}", env.text(name));
    build(
        env,
        &format!("FROM {image}\nENV MARK={mark}\n"),
        &["-o", &destination],
    )
    .ok();
    let index = std::fs::read(env.path(name).join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    index["manifests"][0]["digest"].as_str().unwrap().to_owned()
}

cases! {
    fn an_image_of_a_layout_is_a_base_and_gives_files(env) {
        let digest = layout(env, "one", "first", "v1");
        let text = "FROM named AS other\nFROM BASE\nCOPY --from=named /mark /copied\n\
            RUN --mount=type=bind,from=named,target=/m [\"payload\", \"cat\", \"/m/mark\"]\n\
            COPY --from=other /mark /staged\nCMD [\"payload\", \"cat\", \"/copied\", \"/staged\"]\n";
        for place in [":v1".to_owned(), String::new(), format!("@{digest}"), format!(":v1@{digest}")] {
            let named = format!("named=oci-layout://{}{place}", env.text("one"));
            let output = build(env, text, &["--no-cache", "--build-context", &named]);
            output.ok();
            output.warns(" first");
            assert_eq!(run(env, &[]).ok(), "firstfirst");
        }
        // A relative place, and the image itself as what is built: it needs nothing else afterwards.
        std::fs::rename(env.path("one"), env.path("work/one")).unwrap();
        let named = "docker.io/library/named:latest=oci-layout://one:v1";
        build(env, "FROM named\nCMD [\"payload\", \"env\"]\n", &["--build-context", named]).ok();
        std::fs::remove_dir_all(env.path("work/one")).unwrap();
        env.ketch(&["image", "prune", "-f"]).ok();
        run(env, &[]).says("MARK=first");
        env.ketch(&["system", "check"]).ok();
        env.assert_clean();
        assert_eq!(env.stored("build/work"), [""; 0]);
    }

    fn a_name_goes_before_stages_and_images(env) {
        let image = env.image(Image::base().layer(Layer::new().file("mark", 0o644, b"image")));
        env.folder("folder");
        env.file("folder/mark", "folder");
        env.file("folder/hidden", "x");
        env.file("folder/.dockerignore", "hidden\n");
        let text = "FROM BASE AS stage\nRUN [\"payload\", \"write\", \"/mark\", \"stage\"]\nFROM BASE\n\
            COPY --from=stage /mark /mark\nCMD [\"payload\", \"cat\", \"/mark\"]\n";
        build(env, text, &[]).ok();
        assert_eq!(run(env, &[]).ok(), "stage");
        let named = format!("stage=docker-image://{image}");
        let output = build(env, text, &["--build-context", &named]);
        output.ok();
        assert!(!output.stderr.contains("RUN"), "{output}");
        assert_eq!(run(env, &[]).ok(), "image");
        // A directory is a base as well.
        let named = format!("some/name=docker-image://{image}");
        let text = "FROM files AS files2\nFROM some/name:latest\nCOPY --from=files2 / /all\nCMD [\"payload\", \"ls\", \"/all\"]\n";
        let files = format!("files={}", env.text("folder"));
        build(env, text, &["--build-context", &named, "--build-context", &files]).ok();
        let listed = run(env, &[]).ok().to_owned();
        assert!(listed.contains("mark") && !listed.contains("hidden"), "{listed}");
    }

    fn a_layout_that_is_wrong_is_refused_and_leaves_nothing(env) {
        let digest = layout(env, "one", "first", "v1");
        let place = env.text("one");
        let empty = env.folder("empty");
        let at = |text: &str| format!("named=oci-layout://{text}");
        let other = format!("{place}@sha256:{}", "a".repeat(64));
        let cases = [
            (at(&empty), vec!["it has no index.json"]),
            (at(&env.text("none")), vec!["it has no index.json"]),
            (at(&format!("{place}:v2")), vec!["v2", "does not list it"]),
            (at(&other), vec!["aaaa"]),
            ("named=oci-layout://x@y".to_owned(), vec!["y"]),
        ];
        for (named, words) in &cases {
            let output = build(env, "FROM named\n", &["--build-context", named]);
            assert_ne!(output.code(), 0, "{output}");
            for word in words {
                output.warns(word);
            }
        }
        let foreign = ["--platform", "linux/s390x", "--build-context", &at(&place)];
        build(env, "FROM named\n", &foreign).fails(1, &["it is made for", "not for linux/s390x"]);
        // One byte of the layers is another.
        let manifest = env.path("one/blobs/sha256").join(digest.trim_start_matches("sha256:"));
        let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
        let layer = manifest["layers"].as_array().unwrap().last().unwrap()["digest"].as_str().unwrap().to_owned();
        let path = env.path("one/blobs/sha256").join(layer.trim_start_matches("sha256:"));
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        env.ketch(&["rmi", "-f", "made"]);
        env.ketch(&["system", "prune", "-a", "-f"]).ok();
        let output = build(env, "FROM named\n", &["--build-context", &at(&place)]);
        assert_ne!(output.code(), 0, "{output}");
        env.ketch(&["image", "inspect", "made"]).exits(1);
        env.ketch(&["system", "check"]).ok();
        assert_eq!(env.stored("build/work"), [""; 0]);
    }
}
