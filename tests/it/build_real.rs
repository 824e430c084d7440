//! `build` as its users write it: what was found by building real Dockerfiles.

use crate::harness::Env;
use crate::harness::process::Output;

/// Builds `text` above the base image, with the files that are in the context already.
fn build(env: &Env, name: &str, text: &str, flags: &[&str]) -> Output {
    let context = env.folder("context");
    env.file("context/Dockerfile", &text.replace("BASE", &env.base()));
    let words = ["build", "--network", "none", "-t", name];
    env.ketch(&[&words[..], flags, &[&context]].concat())
}

fn config(env: &Env, image: &str) -> serde_json::Value {
    env.ketch(&["image", "inspect", image]).json()[0]["Config"].clone()
}

cases! {
    fn commands_see_the_context_by_bind_mounts(env) {
        env.folder("context/src");
        env.file("context/src/one", "first");
        env.file("context/two", "second");
        let text = "FROM BASE\n\
            RUN --mount=type=bind,source=src,target=/ctx [\"payload\", \"cat\", \"/ctx/one\"]\n\
            RUN --mount=type=bind,target=/ctx [\"payload\", \"cat\", \"/ctx/two\"]\n\
            RUN --mount=type=bind,source=two,target=/file [\"payload\", \"cat\", \"/file\"]\n\
            RUN --mount=type=bind,source=src,target=/ctx,rw [\"payload\", \"write\", \"/ctx/new\", \"x\"]\n";
        let output = build(env, "made", text, &[]);
        output.ok();
        output.warns("first").warns("second");
        // What was written there is thrown away, and nothing of the mounts is in the image.
        assert!(!env.path("context/src/new").exists());
        assert_eq!(env.ketch(&["image", "diff", "made"]).ok(), "");
        let again = build(env, "made", text, &[]);
        assert_eq!(again.stderr.matches("CACHED").count(), 4, "{again}");
        env.file("context/src/one", "other");
        let other = build(env, "made", text, &[]);
        other.ok();
        other.warns("other");
        let read_only = "FROM BASE\nRUN --mount=type=bind,target=/ctx [\"payload\", \"write\", \"/ctx/new\", \"x\"]\n";
        build(env, "made", read_only, &[]).exits(1);
        assert!(!env.path("context/new").exists());
    }

    fn images_have_a_path_and_those_of_scratch_a_directory(env) {
        env.folder("context");
        env.file("context/two", "second");
        build(env, "made", "FROM scratch\nCOPY two /two\n", &[]).ok();
        let config = config(env, "made");
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        assert_eq!(config["Env"], serde_json::json!([path]));
        assert_eq!(config["WorkingDir"], "/");
    }

    fn a_stage_has_the_arguments_of_the_one_it_is_made_from(env) {
        let text = "FROM BASE AS one\nARG WHO=me\nFROM one\nRUN [\"payload\", \"env\"]\nENV SAID=$WHO\nFROM BASE AS other\nENV SAID=$WHO\n";
        let output = build(env, "made", text, &["--target", "1"]);
        output.ok();
        output.warns("WHO=me");
        assert!(config(env, "made")["Env"].to_string().contains("SAID=me"));
        build(env, "other", text, &[]).ok();
        assert!(config(env, "other")["Env"].to_string().contains("\"SAID=\""));
    }

    fn labels_that_no_record_can_hold_are_refused(env) {
        let text = format!("FROM BASE\nLABEL large={}\n", "x".repeat(5 << 20));
        let output = build(env, "made", &text, &[]);
        assert!(output.code() != 0 && output.stderr.contains("its configuration is larger than"), "{}", output.code());
        // One such record would have kept all others from being read.
        assert!(!env.ketch(&["images", "-a"]).ok().contains("made"));
        build(env, "made", "FROM BASE\nLABEL large=no\n", &[]).ok();
    }
}
