//! What cannot be done is refused with docker's exit code and one clear line, and changes nothing.

use crate::harness::Env;
use crate::harness::process::Output;
use crate::stop::running;

/// A command, the code it ends with, and words of what it says.
type Case<'a> = (&'a [&'a str], i32, &'a [&'a str]);

/// One line that says what is wrong, and perhaps what to do.
fn clear(output: &Output, code: i32, words: &[&str]) -> Result<(), String> {
    let mut lines = output.stderr.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let rest_is_help = lines.all(|line| line.starts_with("hint: ") || line.starts_with("See '"));
    let said = words.iter().all(|word| output.stderr.contains(word));
    let wrong = output.code() != code || !said || !rest_is_help || first.is_empty();
    let odd = [
        "panicked",
        "Kind::",
        "Os {",
        "No such file or directory (os",
    ];
    let odd = odd.iter().any(|word| output.stderr.contains(word));
    match wrong || odd {
        true => Err(format!("wanted {code} {words:?}: {output}")),
        false => Ok(()),
    }
}

/// Runs all cases and fails with everything that was not as it should be.
#[track_caller]
fn refuse(env: &Env, cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (words, code, said) in cases {
        let output = env.ketch(words);
        wrong.extend(clear(&output, *code, said).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n-----\n"));
}

/// Every verb about one container, with `name` for it.
fn verbs<'a>(name: &'a str, inside: &'a str, outside: &'a str) -> Vec<Vec<&'a str>> {
    let mut all = vec![
        vec!["rename", name, "another"],
        vec!["update", "--restart", "no", name],
        vec!["cp", inside, "-"],
        vec!["cp", outside, inside],
        vec!["commit", name, "made:1"],
        vec!["exec", name, "payload", "true"],
        vec!["stats", "--no-stream", name],
        vec!["logs", name],
        vec!["top", name],
        vec!["port", name],
        vec!["export", "-o", "out.tar", name],
        vec!["kill", "-s", "USR1", name],
    ];
    for verb in [
        "start", "stop", "kill", "pause", "unpause", "attach", "wait", "rm", "diff", "inspect",
    ] {
        all.push(vec![verb, name]);
    }
    all
}

cases! {
    fn a_container_that_is_not_there_is_named(env) {
        let file = env.file("file", "text");
        let mut wrong = Vec::new();
        for words in verbs("nobody", "nobody:/file", &file) {
            wrong.extend(clear(&env.ketch(&words), 1, &["nobody"]).err());
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n-----\n"));
        // The others go on.
        env.payload(&["--name", "idle", "--rm=false"], &["true"]).ok();
        let output = env.ketch(&["rm", "nobody", "idle"]);
        assert_eq!(output.fails(1, &["nobody"]).stdout.trim(), "idle");
        env.ketch(&["rm", "-f", "nobody"]).exits(0);
        env.assert_clean();
    }

    fn a_prefix_of_several_names_none(env) {
        let image = env.base();
        let mut ids: Vec<String> = Vec::new();
        let prefix = loop {
            let id = env.ketch(&["create", "--network", "none", &image, "payload", "true"]).ok().to_owned();
            let first = id[..1].to_owned();
            let twice = ids.iter().any(|known| known.starts_with(&first));
            ids.push(id);
            if twice {
                break first;
            }
        };
        let (inside, file) = (format!("{prefix}:/file"), env.file("file", "text"));
        let mut wrong = Vec::new();
        for words in verbs(&prefix, &inside, &file) {
            // A path of one letter and a colon is a drive elsewhere; here it is a container.
            wrong.extend(clear(&env.ketch(&words), 1, &["more than one"]).err());
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n-----\n"));
        assert_eq!(env.ketch(&["ps", "-aq"]).ok().lines().count(), ids.len());
        env.ketch(&["rm", "--all", "--force"]).exits(0);
    }

    fn the_wrong_state_is_said(env) {
        let image = env.base();
        env.ketch(&["create", "--name", "idle", "--network", "none", &image, "payload", "true"]).ok();
        let busy = running(env, &["--name", "busy"], &["ready-then-wait"]);
        refuse(env, &[
            (&["kill", "idle"], 1, &["cannot kill container", "idle", "is not running"]),
            (&["pause", "idle"], 1, &["is not running"]),
            (&["unpause", "idle"], 1, &["is not paused"]),
            (&["attach", "idle"], 1, &["cannot attach to a stopped container"]),
            (&["exec", "idle", "payload", "true"], 1, &["is not running"]),
            (&["top", "idle"], 1, &["is not running"]),
            (&["unpause", "busy"], 1, &["is not paused"]),
            (&["rm", "busy"], 1, &["container is running", "stop the container"]),
            (&["rename", "busy", "idle"], 1, &["idle"]),
            (&["rename", "busy", "b/d"], 1, &["b/d"]),
            (&["rename", "busy", "busy"], 1, &["busy"]),
            (&["port", "busy", "80"], 1, &["80"]),
            (&["update", "--memory", "lots", "busy"], 1, &["lots"]),
            (&["update", "--restart", "sometimes", "busy"], 1, &["sometimes"]),
            (&["exec", "busy", "nope"], 127, &["nope"]),
            (&["exec", "busy", "/etc"], 126, &["/etc"]),
            (&["exec", "-u", "nobody-knows", "busy", "payload", "true"], 126, &["nobody-knows"]),
            (&["exec", "-w", "relative", "busy", "payload", "true"], 1, &["relative"]),
            (&["run", "--name", "busy", "--network", "none", &image, "payload", "true"], 125, &["busy"]),
            (&["create", "--name", "busy", "--network", "none", &image, "payload", "true"], 125, &["busy"]),
        ]);
        env.ketch(&["pause", "busy"]).ok();
        refuse(env, &[
            (&["pause", "busy"], 1, &["already paused"]),
            (&["start", "busy"], 1, &["paused"]),
            (&["attach", "busy"], 1, &["paused"]),
            (&["exec", "busy", "payload", "true"], 1, &["paused"]),
            (&["rm", "busy"], 1, &["paused"]),
        ]);
        env.ketch(&["unpause", "busy"]).ok();
        // What is no mistake.
        for words in [&["stop", "idle"][..], &["wait", "idle"], &["logs", "idle"], &["port", "idle"], &["start", "busy"], &["stats", "--no-stream", "idle"]] {
            env.ketch(words).ok();
        }
        env.ketch(&["rm", "-f", "busy", "idle"]).ok();
        busy.finish().exits(137);
        env.assert_clean();
    }

    fn bad_words_are_said(env) {
        let image = env.base();
        env.payload(&["--name", "idle", "--rm=false"], &["true"]).ok();
        refuse(env, &[
            (&["ps", "--filter", "color=red"], 1, &["color"]),
            (&["ps", "--filter", "status=sad"], 1, &["sad"]),
            (&["ps", "--filter", "status"], 1, &["status"]),
            (&["ps", "--filter", "exited=soon"], 1, &["soon"]),
            (&["images", "--filter", "color=red"], 1, &["color"]),
            (&["events", "--filter", "color=red", "--until", "0s"], 1, &["color"]),
            (&["events", "--since", "tomorrow"], 1, &["tomorrow"]),
            (&["ps", "-a", "--format", "{{.Nope}}"], 1, &["Nope"]),
            (&["ps", "-a", "--format", "{{.ID"], 1, &["template"]),
            (&["inspect", "--format", "{{.ID", "idle"], 64, &["template"]),
            (&["inspect", "--format", "{{.Nope}}", "idle"], 1, &["Nope"]),
            (&["ps", "--last", "few"], 125, &["few"]),
            (&["kill", "-s", "NOPE", "idle"], 1, &["NOPE"]),
            (&["stop", "-s", "NOPE", "idle"], 1, &["NOPE"]),
            (&["stop", "-t", "soon", "idle"], 1, &["soon"]),
            (&["run", "--stop-signal", "NOPE", "--network", "none", &image, "payload", "true"], 125, &["NOPE"]),
            (&["logs", "--tail", "x", "idle"], 1, &["x"]),
            (&["wait", "--condition", "happy", "idle"], 1, &["happy"]),
            (&["ps", "--nonsense"], 125, &["--nonsense"]),
            (&["nonsense"], 1, &["nonsense"]),
            (&["stop"], 1, &["requires at least 1 argument"]),
            (&["rename", "idle"], 1, &["missing argument"]),
        ]);
        env.ketch(&["rm", "idle"]).ok();
        env.assert_clean();
    }

    fn a_path_outside_the_container_is_none(env) {
        let file = env.file("file", "text");
        env.payload(&["--name", "idle", "--rm=false"], &["true"]).ok();
        let outside = format!("idle:{file}");
        let above = format!("idle:/../../../../../../../../{file}");
        let deep = format!("idle:/none/{file}");
        refuse(env, &[
            (&["cp", &outside, "-"], 1, &["idle"]),
            (&["cp", &above, "-"], 1, &["idle"]),
            (&["cp", "idle:/nope", "-"], 1, &["/nope"]),
            (&["cp", &file, &deep], 1, &["/none"]),
            (&["cp", "/nope", "idle:/"], 1, &["/nope"]),
            (&["cp", &file, "/elsewhere"], 1, &[]),
        ]);
        env.ketch(&["rm", "idle"]).ok();
        env.assert_clean();
    }
}
