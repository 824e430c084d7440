//! `build`: what a person and a program see of it, `--check` and `--call`, and the verbs of the
//! builder.

use crate::events::called;
use crate::harness::process::Output;
use crate::harness::{Env, Image, Layer, Registry};

fn context(env: &Env, text: &str) -> String {
    let context = env.folder("context");
    env.file("context/Dockerfile", &text.replace("BASE", &env.base()));
    context
}

fn build(env: &Env, text: &str, flags: &[&str]) -> Output {
    let context = context(env, text);
    env.ketch(&[&["build", "--network", "none"][..], flags, &[&context]].concat())
}

const FAILING: &str =
    "FROM BASE\nRUN [\"payload\", \"true\"]\nRUN [\"payload\", \"exit\", \"7\"]\nUSER 1\n";

cases! {
    fn progress_has_four_forms(env) {
        let text = "FROM BASE\nRUN [\"payload\", \"echo\", \"spoken\"]\n";
        let plain = build(env, text, &["--progress", "plain", "-t", "made"]);
        assert_eq!(plain.ok(), "");
        plain.warns("[2/2] RUN [\"payload\", \"echo\", \"spoken\"]\n").warns(" spoken\n").warns(" DONE ");
        let again = build(env, text, &["-t", "made"]);
        again.warns(" CACHED\n").warns(" exporting to image\n").warns(" writing image sha256:").warns(" naming to docker.io/library/made:latest done\n");
        let quiet = build(env, text, &["-q"]);
        let id = quiet.ok().to_owned();
        assert!(id.starts_with("sha256:") && id.len() == 71, "{quiet}");
        assert_eq!(quiet.stderr, "");
        let podman = called(env, "podman", &["build", "-q", "--network", "none", &context(env, text)]);
        assert_eq!(format!("sha256:{}", podman.ok()), id);
        let raw = build(env, text, &["--progress", "rawjson", "--no-cache"]);
        raw.ok();
        for line in raw.stderr.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(["vertexes", "logs", "statuses"].iter().any(|kind| object[kind].is_array()), "{line}");
        }
        let terminal = build(env, text, &["--progress", "tty", "--no-cache"]);
        terminal.warns("FINISHED").warns("=> [2/2] RUN");
        build(env, text, &["--progress", "fancy"]).fails(1, &["--progress", "rawjson"]);
    }

    fn a_failing_step_shows_its_lines_and_hands_on_its_code(env) {
        let output = build(env, FAILING, &[]);
        output.fails(7, &[
            "Dockerfile:3\n--------------------\n",
            "   2 |     RUN [\"payload\", \"true\"]\n",
            "   3 | >>> RUN [\"payload\", \"exit\", \"7\"]\n",
            "   4 |     USER 1\n",
            "did not complete successfully: exit code: 7",
        ]);
        let context = context(env, FAILING);
        let words = ["build", "--network", "none", &context];
        called(env, "docker", &words).fails(1, &[">>> RUN"]);
        called(env, "podman", &words).fails(7, &[">>> RUN"]);
    }
}

#[test]
fn a_bad_file_is_cited_and_builds_nothing() {
    let env = Env::any();
    let cases = [
        (
            "FROM scratch\nCPOY a b\n",
            "dockerfile parse error on line 2: unknown instruction: CPOY (did you mean COPY?)",
            "     |     ^^^^\n",
        ),
        (
            "FROM scratch\nCOPY --chwon=1 a b\n",
            "unknown flag: --chwon (did you mean chown?)",
            "     |          ^^^^^^^^^\n",
        ),
        (
            "FROM scratch\nRUN <<EOF\nx\n",
            "unterminated heredoc",
            ">>> RUN <<EOF\n",
        ),
        (
            "# escape=x\nFROM scratch\n",
            "invalid escape token 'x'",
            ">>> # escape=x\n",
        ),
        ("", "the Dockerfile cannot be empty", ""),
    ];
    for (text, message, excerpt) in cases {
        let context = env.folder("context");
        env.file("context/Dockerfile", text);
        let output = env.ketch(&["build", "-t", "made", &context]);
        output.fails(1, &[message, excerpt]);
    }
    env.ketch(&["image", "inspect", "made"]).exits(1);
    env.ketch(&["build"]).fails(1, &["requires 1 argument"]);
    let context = env.folder("context");
    env.ketch(&["build", "-t", "Bad Name", &context])
        .refused(&["Bad Name"]);
    env.ketch(&["build", "-f", "none", &context])
        .refused(&["none"]);
    env.ketch(&["build", "--target", "x", "--check", &context])
        .refused(&["empty"]);
}

const DOUBTFUL: &str = "\
# V which version
ARG V=1
FROM scratch AS Base
# out the program
FROM base AS out
ARG V
ENV a b
RUN --mount=type=secret,id=key,required true
FROM scratch
CMD run
";

#[test]
fn checks_and_calls_answer_without_a_build() {
    let env = Env::any();
    let context = env.folder("context");
    env.file("context/Dockerfile", DOUBTFUL);
    let check = env.ketch(&["build", "--check", &context]);
    check
        .exits(1)
        .says("Check complete, 3 warnings have been found!\n");
    check.says("WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/\n");
    check.says("Stage name 'Base' should be lowercase\nDockerfile:3\n");
    check
        .says(">>> ENV a b\n")
        .says("JSON arguments recommended for CMD");
    let json = env.ketch(&["build", "--call=check,format=json", &context]);
    let found: serde_json::Value = serde_json::from_str(&json.exits(1).stdout).unwrap();
    assert_eq!(found["warnings"][1]["ruleName"], "LegacyKeyValueFormat");
    let target = env.ketch(&["build", "--check", "--target", "base", &context]);
    target.exits(1).says("1 warning has been found");
    let targets = env.ketch(&["build", "--call", "targets", &context]);
    targets
        .says("TARGET")
        .says("out         the program")
        .says("(default)");
    let outline = env.ketch(&[
        "build",
        "--call",
        "outline",
        "--target",
        "out",
        "--build-arg",
        "V=2",
        &context,
    ]);
    outline
        .says("TARGET:      out\n")
        .says("V           2         which version")
        .says("key       true");
    env.ketch(&["build", "--call", "outline", "--target", "uot", &context])
        .refused(&["target stage \"uot\" could not be found (did you mean out?)"]);
    env.file(
        "context/Dockerfile",
        &format!("# check=skip=all\n{DOUBTFUL}"),
    );
    assert_eq!(
        env.ketch(&["build", "--check", &context]).ok(),
        "Check complete, no warnings found."
    );
    env.file(
        "context/Dockerfile",
        &format!("# check=error=true\n{DOUBTFUL}"),
    );
    env.ketch(&["build", &context])
        .fails(1, &["lint violation found for rules: JSONArgsRecommended"]);
}

#[test]
fn the_builder_answers_what_tools_ask() {
    let env = Env::any();
    env.ketch(&["buildx", "version"])
        .says("github.com/docker/buildx v0.");
    env.ketch(&["buildx", "ls"])
        .says("NAME/NODE")
        .says("default*")
        .says("running");
    assert_eq!(env.ketch(&["buildx", "ls", "-q"]).ok(), "default");
    env.ketch(&["buildx", "inspect", "--bootstrap"])
        .says("Driver: docker\n")
        .says("Platforms:");
    env.ketch(&["buildx", "inspect", "other"])
        .refused(&["no builder \"other\" found"]);
    // Names that docker's tools make, use and remove.
    let made = env
        .ketch(&["buildx", "create", "--use", "--driver-opt", "network=host"])
        .ok()
        .to_owned();
    env.ketch(&["buildx", "inspect"])
        .says(&format!("Name:   {made}\n"))
        .says("Driver: docker-container\n");
    env.ketch(&[
        "buildx",
        "create",
        "--name",
        "ci",
        "--platform",
        "linux/arm64",
    ])
    .ok();
    env.ketch(&["buildx", "create", "--name", "ci"])
        .refused(&["existing instance", "append"]);
    env.ketch(&[
        "buildx", "create", "--append", "--name", "ci", "--node", "second",
    ])
    .ok();
    env.ketch(&["buildx", "ls"])
        .says(&format!("{made}*"))
        .says("second")
        .says("linux/arm64*");
    let found = env.ketch(&["buildx", "ls", "--format", "json"]).rows();
    let named = env.ketch(&["buildx", "ls", "--format", "{{.Name}} {{.Driver}}"]);
    assert!(
        named.ok().lines().any(|line| line == "ci docker-container"),
        "{named}"
    );
    let current: Vec<_> = found.iter().filter(|row| row["Current"] == true).collect();
    assert!(found.len() == 3 && current.len() == 1 && current[0]["Name"] == *made);
    env.ketch(&["buildx", "use", "default"]).ok();
    env.ketch(&["buildx", "stop", "ci"]).ok();
    env.ketch(&["buildx", "rm", "ci"]).says("ci removed");
    env.ketch(&["buildx", "use", "ci"]).refused(&["no builder"]);
    env.ketch(&["buildx", "rm", "default"])
        .refused(&["ketch itself"]);
    env.ketch(&["buildx", "rm", &made]).ok();
    let text = "FROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\n";
    build(&env, text, &["-t", "made"]).ok();
    let used = env.ketch(&["buildx", "du"]);
    used.says("RECLAIMABLE").says("Total:");
    let rows: Vec<serde_json::Value> = env.ketch(&["buildx", "du", "--format", "json"]).rows();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["ID"].is_string()));
    env.ketch(&["rmi", "made"]).ok();
    env.ketch(&["builder", "prune", "-f", "--filter", "until=24h"])
        .says("Total:\t0B");
    env.ketch(&["buildx", "prune", "-af"]).says("Total:");
    assert_eq!(env.ketch(&["buildx", "du", "--format", "json"]).ok(), "");
    env.ketch(&["builder", "prune", "-f", "--filter", "x=y"])
        .refused(&["until=DURATION"]);
}

#[test]
fn imagetools_look_into_a_registry() {
    let env = Env::any();
    let registry = Registry::start();
    let image = Image::empty()
        .layer(Layer::new().file("text", 0o644, b"text"))
        .build();
    let name = registry.push("tools", "v1", &image);
    let shown = env.ketch(&["buildx", "imagetools", "inspect", &name]);
    shown
        .says(&format!("Name:      {name}\n"))
        .says(&format!("Digest:    {}", image.digest()));
    let raw = env.ketch(&["buildx", "imagetools", "inspect", "--raw", &name]);
    let document: serde_json::Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(document["schemaVersion"], 2);
    let missing = format!("{}/tools:none", registry.address);
    env.ketch(&["buildx", "imagetools", "inspect", &missing])
        .refused(&["none"]);
    env.ketch(&["buildx", "imagetools"]).ok();
}
