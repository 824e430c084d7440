//! The command line: what is refused, with which code, and in which form.

use crate::harness::Env;
use crate::harness::process::Running;

#[test]
fn unknown_words_are_refused_with_docker_s_codes() {
    let env = Env::any();
    env.ketch(&["run", "--no-such-flag", "x"])
        .fails(125, &["--no-such-flag"]);
    env.ketch(&["run"]).refused(&[]);
    env.ketch(&["no-such-command"])
        .refused(&["no-such-command"]);
    env.ketch(&["images", "--no-such-flag"])
        .refused(&["--no-such-flag"]);
    env.ketch(&["pull"]).refused(&[]);
}

#[test]
fn help_and_version_are_data() {
    let env = Env::any();
    let output = env.ketch(&["--version"]);
    assert_eq!(
        output.ok().split(' ').next_back(),
        Some(env!("CARGO_PKG_VERSION")),
        "{output}"
    );
    for words in [
        &["--help"][..],
        &["run", "--help"],
        &["help"],
        &["pull", "-h"],
    ] {
        env.ketch(words).says("ketch");
    }
    assert!(!env.store().exists(), "asking for help makes no store");
}

/// Every command that `--help` names, with its group.
fn commands(env: &Env) -> Vec<Vec<String>> {
    let listed = |words: &[String]| -> Vec<String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = env.ketch(&[&words[..], &["--help"]].concat());
        let text = output.ok();
        let lines = text.lines().skip_while(|line| *line != "Commands:").skip(1);
        let names = lines.take_while(|line| !line.is_empty());
        // A description that goes on in the next line is indented further than a name.
        let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .collect()
    };
    let (mut found, mut open) = (Vec::new(), vec![Vec::new()]);
    while let Some(words) = open.pop() {
        let below = listed(&words).into_iter();
        open.extend(below.map(|inner| [&words[..], &[inner]].concat()));
        found.push(words);
    }
    found.retain(|words: &Vec<String>| !words.is_empty());
    found
}

#[test]
fn every_command_has_help_and_refuses_unknown_flags() {
    let env = Env::any();
    let all = commands(&env);
    for name in [
        "run", "pull", "images", "rmi", "tag", "inspect", "ps", "rm", "doctor",
    ] {
        assert!(all.contains(&vec![name.to_owned()]), "{name} in {all:?}");
    }
    for group in ["image", "system", "container"] {
        assert!(
            all.iter()
                .any(|words| words[0] == group && words.len() == 2)
        );
    }
    // A group alone has no flags of its own.
    let groups: std::collections::HashSet<Vec<String>> = all
        .iter()
        .map(|words| words[..words.len() - 1].to_vec())
        .collect();
    for words in all {
        let is_group = groups.contains(&words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = env.ketch(&[&words[..], &["--help"]].concat());
        assert!(
            help.ok().contains("Usage:") && help.stderr.is_empty(),
            "{help}"
        );
        if !is_group {
            env.ketch(&[&words[..], &["--no-such-flag"]].concat())
                .fails(125, &["unknown flag: --no-such-flag", "hint: "]);
        }
    }
    assert!(!env.store().exists(), "none of this makes a store");
}

#[test]
fn errors_are_json_where_the_output_is() {
    let env = Env::any();
    for (words, code) in [
        (&["image", "inspect", "nobody"][..], "not-found"),
        (&["history", "nobody"], "not-found"),
        (&["images", "--filter", "odd=1"], "usage"),
    ] {
        let output = env.ketch(&[words, &["--format", "json"]].concat());
        assert_eq!(output.code(), 1, "{output}");
        let error: serde_json::Value = serde_json::from_str(output.stderr.trim())
            .unwrap_or_else(|error| panic!("{error}: {output}"));
        assert_eq!(error["error"]["code"], code, "{output}");
        assert!(error["error"]["message"].is_string(), "{output}");
    }
}

#[test]
fn bad_references_are_refused_before_anything_is_asked() {
    let env = Env::any();
    for name in [
        "UPPER",
        "a b",
        "x:",
        ":tag",
        "x@sha256:12",
        "x//y",
        "-x/y:!",
        "x:tag:tag",
        "",
    ] {
        let output = env.ketch(&["pull", "--", name]);
        output.refused(&[]);
        let output = env.ketch(&["run", "--rm", "--", name, "true"]);
        output.fails(125, &[]);
    }
    env.assert_clean();
}

#[test]
fn errors_begin_with_the_operation_and_end_without_a_period() {
    let env = Env::any();
    for words in [
        &["run", "--rm", "127.0.0.1:1/x"][..],
        &["inspect", "nobody"],
        &["rmi", "nothing"],
    ] {
        let output = env.ketch(words);
        let first = output.stderr.lines().next().unwrap_or_default().to_owned();
        assert!(
            !first.ends_with('.') && !first.contains("Err(") && !first.contains("Error {"),
            "{output}"
        );
        assert!(
            !output.stderr.contains('\x1b'),
            "no colour where there is no terminal: {output}"
        );
    }
}

#[test]
fn conflicting_and_impossible_flags_are_refused() {
    let env = Env::any();
    for flags in [
        &["--memory", "lots"][..],
        &["--memory", "1"],
        &["--cpus", "-1"],
        &["--cpus", "many"],
        &["--pids-limit", "x"],
        &["--network", "no-such-network"],
        &["--userns", "nonsense"],
        &["--env-file", "/no/such/file"],
        &["--stop-signal", "SIGNONSENSE"],
        &["--pull", "nonsense"],
        &["--hostname", "a b/c"],
        &["--timeout", "soon"],
        &["-e", "=x"],
    ] {
        env.payload(flags, &["true"]).fails(125, &[]);
    }
    env.assert_clean();
}

#[test]
fn strict_turns_a_warning_into_an_error() {
    let env = Env::any();
    let flags = ["--ulimit", "nofile=1073741816:1073741816"];
    env.payload(&flags, &["true"]).exits(0).warns("hard limit");
    // The payload must not have run: it would have been given less than was asked for.
    let strict = env.payload(&[&flags[..], &["--strict"]].concat(), &["echo", "ran"]);
    assert_eq!(strict.fails(125, &["hard limit"]).stdout, "");
    env.assert_clean();
}

#[test]
fn timing_is_told_on_the_error_stream() {
    let env = Env::any();
    env.payload(&[], &["true"]).ok();
    let output = env.payload(&["--timing"], &["echo", "data"]);
    assert_eq!(output.ok(), "data");
    output.warns("ms");
}

#[test]
fn quiet_means_quiet() {
    let env = Env::any();
    let output = env.payload(&["--quiet"], &["echo", "data"]);
    assert_eq!((output.ok(), output.stderr.as_str()), ("data", ""));
}

#[test]
fn a_bare_environment_is_enough() {
    let env = Env::any();
    let mut command = std::process::Command::new(crate::harness::env::executable());
    command
        .args(["run", "--rm", "builtin:hello"])
        .env_clear()
        .env("KETCH_ROOT", env.store());
    command.current_dir("/");
    let output = Running::start(command).finish();
    assert!(!output.ok().is_empty());
}

#[test]
fn few_descriptors_and_odd_masks_are_enough() {
    let env = Env::any();
    let name = env.base();
    env.ketch(&["pull", "-q", &name]).ok();
    for setting in ["ulimit -n 32", "umask 077", "umask 000", "ulimit -c 0"] {
        let mut command = env.program("/bin/sh");
        command
            .args(["-c", &format!("{setting}; exec \"$0\" \"$@\"")])
            .arg(crate::harness::env::executable());
        command.args([
            "run",
            "--rm",
            "--network",
            "none",
            &name,
            "payload",
            "echo",
            "fine",
        ]);
        assert_eq!(Running::start(command).finish().ok(), "fine", "{setting}");
    }
}
