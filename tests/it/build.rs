//! `build`: instructions, the cache, failures and what is left.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::harness::process::Output;
use crate::harness::{Env, Image, Layer, eventually};

/// The words that build `context` as the image `made`, without a network, with plain progress.
pub(crate) fn made<'a>(flags: &[&'a str], context: &'a str) -> Vec<&'a str> {
    let words = [
        "build",
        "--network",
        "none",
        "--progress",
        "plain",
        "-t",
        "made",
    ];
    [&words[..], flags, &[context]].concat()
}

/// Builds `text` below the base image as `name`, without a network.
fn build(env: &Env, name: &str, text: &str, flags: &[&str]) -> Output {
    let text = text.replace("BASE", &env.base());
    build_text(env, name, &text, flags)
}

fn build_text(env: &Env, name: &str, text: &str, flags: &[&str]) -> Output {
    let context = env.folder("context");
    env.file("context/Dockerfile", text);
    let words = ["build", "--network", "none", "-t", name];
    env.ketch(&[&words[..], flags, &[&context]].concat())
}

fn run(env: &Env, image: &str, words: &[&str]) -> Output {
    let flags = ["run", "--rm", "--network", "none", image];
    env.ketch(&[&flags[..], words].concat())
}

fn inspect(env: &Env, image: &str) -> serde_json::Value {
    env.ketch(&["image", "inspect", image]).json()[0].clone()
}

fn layers(env: &Env, image: &str) -> Vec<String> {
    let layers = inspect(env, image)["RootFS"]["Layers"].clone();
    let layers = layers.as_array().unwrap().iter();
    layers
        .map(|layer| layer.as_str().unwrap().to_owned())
        .collect()
}

/// How many steps of a build came from the cache.
fn cached(output: &Output) -> usize {
    output.stderr.matches("CACHED").count()
}

const TWELVE: &str = "FROM BASE\nENV A=1\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nWORKDIR /made/here\n\
    RUN [\"payload\", \"write\", \"two\", \"2\"]\nLABEL l=v\nRUN [\"payload\", \"rm\", \"/one\"]\nCMD [\"payload\", \"cat\", \"two\"]\n";

cases! {
    fn instructions_make_an_image_and_the_second_build_is_cached(env) {
        let output = build(env, "made:1", TWELVE, &[]);
        output.ok();
        assert_eq!(cached(&output), 0, "{output}");
        assert_eq!(run(env, "made:1", &[]).ok(), "2");
        run(env, "made:1", &["payload", "cat", "/one"]).exits(1);
        let made = inspect(env, "made:1");
        let config = &made["Config"];
        assert_eq!(config["WorkingDir"], "/made/here");
        assert_eq!(config["Labels"]["l"], "v");
        assert_eq!(config["Labels"]["from"], "image");
        assert!(config["Env"].as_array().unwrap().contains(&"A=1".into()));
        assert_eq!(layers(env, "made:1").len(), 5);
        let history = env.ketch(&["history", "--no-trunc", "made:1"]);
        history.says("RUN payload write /one 1 # buildkit").says("WORKDIR /made/here").says("ENV A=1");
        history.says("CMD [\"payload\" \"cat\" \"two\"]");
        let again = build(env, "made:2", TWELVE, &[]);
        again.ok();
        assert_eq!(cached(&again), 4, "{again}");
        assert_eq!(inspect(env, "made:2")["Id"], made["Id"]);
        let anew = build(env, "made:3", TWELVE, &["--no-cache"]);
        assert_eq!(cached(&anew), 0, "{anew}");
        env.ketch(&["system", "check"]).ok();
        env.ketch(&["image", "prune", "-f"]).ok();
        assert_eq!(run(env, "made:1", &[]).ok(), "2");
        env.assert_clean();
        assert_eq!(env.stored("build/work"), [""; 0]);
        assert_eq!(env.stored("build/steps"), [""; 0]);
    }

    fn an_empty_command_and_whiteouts_are_layers(env) {
        let image = env.image(
            Image::base().layer(Layer::new().dir("opt/", 0o755).file("opt/gone", 0o644, b"x").file("opt/kept", 0o600, b"y")),
        );
        let text = format!("FROM {image}\nRUN [\"payload\", \"true\"]\nRUN [\"payload\", \"rm\", \"/opt/gone\"]\n");
        build_text(env, "made", &text, &[]).ok();
        assert_eq!(layers(env, "made").len(), 4);
        assert_eq!(run(env, "made", &["payload", "ls", "/opt"]).ok(), "kept");
        // Nothing of what a start makes is in a layer.
        let text = format!("FROM {image}\nRUN [\"payload\", \"ls\", \"/etc\"]\n");
        let listed = build_text(env, "other", &text, &[]);
        listed.ok();
        let diff = env.ketch(&["image", "diff", "other"]);
        assert_eq!(diff.ok(), "", "{diff}");
    }

    fn a_failing_command_ends_the_build_with_its_code(env) {
        let text = "FROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nRUN [\"payload\", \"exit\", \"7\"]\nRUN [\"payload\", \"true\"]\n";
        let output = build(env, "made", text, &[]);
        output.fails(7, &["payload exit 7", "exit code: 7", ">>> RUN [\"payload\", \"exit\", \"7\"]"]);
        env.ketch(&["image", "inspect", "made"]).exits(1);
        assert_eq!(env.stored("build/work"), [""; 0]);
        // What was done before is kept.
        let again = build(env, "made", text, &[]);
        assert_eq!(cached(&again), 1, "{again}");
        let missing = build(env, "made", "FROM BASE\nRUN [\"/none\"]\n", &[]);
        missing.fails(127, &["/none"]);
        env.assert_clean();
    }

    fn arguments_count_where_they_are_used_first(env) {
        let text = "ARG WHO=head\nFROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nARG WHO\nARG LATER=1\nRUN [\"payload\", \"env\"]\n";
        let first = build(env, "made:1", text, &["--build-arg", "WHO=first"]);
        first.ok();
        first.warns("WHO=first").warns("LATER=1");
        let same = build(env, "made:1", text, &["--build-arg", "WHO=first"]);
        assert_eq!(cached(&same), 2, "{same}");
        let other = build(env, "made:1", text, &["--build-arg", "WHO=second"]);
        assert_eq!(cached(&other), 1, "{other}");
        other.warns("WHO=second");
        let default = build(env, "made:1", text, &[]);
        default.warns("WHO=head");
        // An argument that only the environment of commands has, and a proxy, leave nothing.
        let proxy = build(env, "made:1", text, &["--build-arg", "HTTP_PROXY=http://secret"]);
        assert_eq!(cached(&proxy), 2, "{proxy}");
        let inspected = env.ketch(&["image", "inspect", "made:1"]);
        assert!(!inspected.stdout.contains("secret"), "{inspected}");
        let env_of = inspect(env, "made:1")["Config"]["Env"].to_string();
        assert!(!env_of.contains("WHO="), "{env_of}");
        env.ketch(&["history", "--no-trunc", "made:1"]).says("RUN |2 WHO=head LATER=1 payload env # buildkit");
    }

    fn an_argument_that_nothing_declares_is_said(env) {
        let text = "ARG HEAD\nFROM BASE AS other\nARG ELSEWHERE\nFROM BASE\nARG OWN\nRUN [\"payload\", \"true\"]\n";
        let given = ["HEAD", "ELSEWHERE", "OWN", "HTTP_PROXY", "BUILDKIT_X", "ONE", "TWO"].map(|name| format!("--build-arg={name}=1"));
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let output = build(env, "made", text, &given);
        output.exits(0).warns("[Warning] One or more build-args [ONE TWO] were not consumed");
        let fine = build(env, "made", text, &given[..5]);
        assert!(!fine.stderr.contains("consumed"), "{fine}");
        let quiet = build(env, "made", text, &[&given[..], &["-q"]].concat());
        assert!(!quiet.stderr.contains("consumed"), "{quiet}");
    }

    fn stages_are_pruned_to_the_target(env) {
        let text = "FROM BASE AS one\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nFROM BASE AS bad\nRUN [\"payload\", \"exit\", \"3\"]\n\
            FROM one\nRUN [\"payload\", \"write\", \"/two\", \"2\"]\n";
        build(env, "made", text, &[]).ok();
        assert_eq!(run(env, "made", &["payload", "cat", "/one", "/two"]).ok(), "12");
        build(env, "one", text, &["--target", "one"]).ok();
        run(env, "one", &["payload", "cat", "/two"]).exits(1);
        build(env, "bad", text, &["--target", "bad"]).exits(3);
        build(env, "none", text, &["--target", "none"]).refused(&["none", "could not be found", "one"]);
    }

    fn files_belong_to_whom_the_step_runs_as(env) {
        let image = env.image(Image::base().layer(Layer::new().dir("open/", 0o777)));
        let text = format!(
            "FROM {image}\nUSER 1000:1000\nRUN [\"payload\", \"write\", \"/open/own\", \"x\"]\nWORKDIR /open/dir\n\
             RUN [\"payload\", \"append\", \"/open/own\", \"y\"]\nUSER root\nRUN [\"payload\", \"write\", \"/open/roots\", \"z\"]\n"
        );
        build_text(env, "made", &text, &[]).ok();
        env.ketch(&["create", "--name", "cc", "made", "payload", "true"]).ok();
        let archive = env.text("work/made.tar");
        env.ketch(&["export", "--output", &archive, "cc"]).ok();
        let output = Command::new("tar").args(["--numeric-owner", "-tvf"]).arg(Path::new(&archive)).output().unwrap();
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        let owner = |name: &str| {
            let line = list.lines().find(|line| line.ends_with(name));
            line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default().to_owned()
        };
        for (name, wanted) in [("open/own", "1000/1000"), ("open/dir/", "1000/1000"), ("open/roots", "0/0")] {
            assert_eq!(owner(name), wanted, "{name}: {list}");
        }
        env.ketch(&["rm", "cc"]).ok();
    }

    fn a_killed_build_leaves_a_cache_and_nothing_else(env) {
        let text = "FROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nRUN [\"payload\", \"ready-then-wait\"]\n";
        let context = env.folder("context");
        env.file("context/Dockerfile", &text.replace("BASE", &env.base()));
        let running = env.spawn(&["build", "--network", "none", "-t", "made", &context]);
        running.stderr.wait_for("ready");
        running.signal(Signal::SIGKILL);
        running.finish();
        env.ketch(&["image", "inspect", "made"]).exits(1);
        eventually("the step's end", || {
            let processes = fs::read_dir("/proc").unwrap().flatten();
            let line = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let mut lines = processes.map(line);
            !lines.any(|line| line.windows(15).any(|part| part == b"ready-then-wait") && line.starts_with(b"payload"))
        });
        let text = "FROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nRUN [\"payload\", \"true\"]\n";
        let again = build(env, "made", text, &[]);
        again.ok();
        assert_eq!(cached(&again), 1, "{again}");
        assert_eq!(env.stored("build/work"), [""; 0]);
        env.assert_clean();
    }

    fn commands_see_what_is_mounted_and_keep_none_of_it(env) {
        let text = "FROM BASE AS made\nRUN [\"payload\", \"write\", \"/out\", \"staged\"]\nFROM BASE\n\
            RUN --mount=type=bind,target=/context [\"payload\", \"cat\", \"/context/Dockerfile\"]\n\
            RUN --mount=type=bind,target=/context,rw [\"payload\", \"write\", \"/context/new\", \"x\"]\n\
            RUN --mount=type=bind,from=made,source=/out,target=/shown [\"payload\", \"cat\", \"/shown\"]\n\
            RUN --mount=type=cache,target=/cache [\"payload\", \"write\", \"/cache/kept\", \"cached\"]\n\
            RUN --mount=type=cache,target=/cache [\"payload\", \"cat\", \"/cache/kept\"]\n\
            RUN --mount=type=tmpfs,target=/t [\"payload\", \"write\", \"/t/x\", \"1\"]\n\
            RUN --mount=type=secret,id=word [\"payload\", \"cat\", \"/run/secrets/word\"]\n\
            RUN --mount=type=secret,id=none,required [\"payload\", \"true\"]\n";
        let word = env.file("word", "whispered");
        let secret = format!("id=word,src={word}");
        let refused = build(env, "made", text, &["--secret", &secret]);
        refused.fails(1, &["secret none is required"]);
        refused.warns("AS made").warns("staged").warns("cached").warns("whispered");
        let text = text.replace("required", "required=false").replace("FROM BASE AS", "FROM scratch AS none\nFROM BASE AS");
        build(env, "made", &text, &["--secret", &secret]).ok();
        assert!(!Path::new(&env.text("work/context/new")).exists());
        let diff = env.ketch(&["image", "diff", "made"]);
        assert_eq!(diff.ok(), "", "{diff}");
        env.assert_clean();
    }

    fn mounts_show_contexts_without_what_they_ignore(env) {
        env.folder("context");
        env.file("context/seen", "1");
        env.file("context/hidden", "2");
        env.file("context/.dockerignore", "hidden\n");
        let other = env.folder("other");
        env.file("other/named", "3");
        let text = "FROM BASE AS first\nRUN [\"payload\", \"write\", \"/start\", \"begun\"]\nFROM BASE\n\
            RUN --mount=type=bind,target=/m [\"payload\", \"ls\", \"/m\"]\n\
            RUN --mount=type=bind,target=/m,rw [\"payload\", \"write\", \"/m/new\", \"x\"]\n\
            RUN --mount=type=bind,from=other,target=/m [\"payload\", \"cat\", \"/m/named\"]\n\
            RUN --mount=type=cache,id=a,from=first,target=/c [\"payload\", \"cat\", \"/c/start\"]\n\
            RUN --mount=type=cache,id=a,from=first,target=/c [\"payload\", \"write\", \"/c/start\", \"later\"]\n\
            RUN --mount=type=cache,id=b,from=other,target=/c [\"payload\", \"cat\", \"/c/named\"]\n\
            RUN --mount=type=cache,id=a,from=first,target=/c [\"payload\", \"cat\", \"/c/start\"]\n";
        let place = format!("other={other}");
        let output = build(env, "made", text, &["--build-context", &place, "--progress", "plain"]);
        output.ok();
        output.warns(" seen").warns(" 3").warns(" begun").warns(" later");
        assert!(!output.stderr.lines().any(|line| line.ends_with(" hidden")), "{output}");
        assert!(!Path::new(&env.text("work/context/new")).exists());
        // What is ignored is in no key.
        env.file("context/hidden", "22");
        assert_eq!(cached(&build(env, "made", text, &["--build-context", &place])), 8);
        assert_eq!(env.stored("build/work"), [""; 0]);
        let escape = "FROM BASE\nRUN --mount=type=bind,source=../../../etc/passwd,target=/m [\"payload\", \"cat\", \"/m\"]\n";
        build(env, "bad", escape, &[]).fails(1, &["/etc/passwd"]);
    }

    fn what_is_not_there_yet_is_refused_or_said(env) {
        let device = "FROM BASE\nRUN --device=vendor.com/gpu=0 [\"payload\", \"true\"]\n";
        build(env, "made", device, &[]).fails(1, &["device is not allowed", "--allow device"]);
        build(env, "made", device, &["--allow", "device"]).exits(0).warns("vendor.com/gpu=0 is not here");
        let needed = device.replace("gpu=0", "gpu=0,required");
        build(env, "refused", &needed, &["--allow", "device"]).fails(1, &["vendor.com/gpu=0"]);
        let device = device.replace("vendor.com/gpu=0", "/dev/null").replace("\"true\"", "\"stat\", \"/dev/null\"");
        build(env, "made", &device, &["--allow", "device"]).ok();
        let other = device.replace("=/dev/null", "=/dev/none");
        build(env, "made", &other, &["--allow", "device"]).exits(0).warns("/dev/none is not here");
        build(env, "refused", &other.replace("/dev/none", "/dev/none,required"), &["--allow", "device"]).fails(1, &["/dev/none", "required and not here"]);
        let cache = "FROM BASE\nRUN --mount=type=cache,source=/a,target=/c [\"payload\", \"true\"]\n";
        build(env, "refused", cache, &[]).fails(1, &["source needs from"]);
        env.ketch(&["image", "inspect", "refused"]).exits(1);
        let text = "FROM BASE\n";
        let flags = ["--cache-to", "type=local,dest=cache,compression=zstd", "--provenance=false"];
        let made = build(env, "made", text, &flags);
        made.exits(0).warns("the layers of a cache are gzip's, not zstd's");
        assert!(!made.stderr.contains("provenance"), "{made}");
    }

    fn outputs_hold_the_target_and_nothing_else(env) {
        let text = "FROM BASE AS made\nRUN [\"payload\", \"write\", \"/out\", \"1\"]\nFROM scratch AS one\nCOPY --from=made /out /sub/out\n\
            FROM scratch\nCOPY --from=one / /all/\n";
        let directory = env.text("work/out");
        build(env, "made", text, &["-o", &directory]).ok();
        let names = |path: &str| {
            let mut names: Vec<String> = fs::read_dir(Path::new(&directory).join(path)).unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!((names("."), names("all"), names("all/sub")), (vec!["all".to_owned()], vec!["sub".to_owned()], vec!["out".to_owned()]));
        let streamed = build(env, "made", text, &["-q", "-o", "-"]);
        assert!(streamed.exits(0).stdout.contains("all/sub/out") && !streamed.stdout.contains("sha256:"), "{streamed}");
    }

    fn entrypoints_and_triggers(env) {
        let text = "FROM BASE\nENTRYPOINT [\"payload\"]\nONBUILD RUN [\"payload\", \"write\", \"/triggered\", \"yes\"]\nHEALTHCHECK --interval=5s CMD [\"payload\", \"true\"]\nEXPOSE 80 53/udp\nVOLUME /data\nSTOPSIGNAL SIGQUIT\nUSER 0\n";
        build(env, "parent", text, &[]).ok();
        let config = inspect(env, "parent")["Config"].clone();
        assert_eq!(config["Cmd"], serde_json::Value::Null);
        assert_eq!(config["Entrypoint"][0], "payload");
        assert!(config["ExposedPorts"]["53/udp"].is_object());
        assert!(config["Volumes"]["/data"].is_object());
        assert_eq!(config["StopSignal"], "SIGQUIT");
        assert_eq!(config["Healthcheck"]["Interval"], 5_000_000_000_i64);
        build_text(env, "child", "FROM parent\nCMD [\"cat\", \"/triggered\"]\n", &[]).ok();
        assert_eq!(run(env, "child", &[]).ok(), "yes");
        assert_eq!(inspect(env, "child")["Config"]["OnBuild"], serde_json::Value::Null);
    }
}
