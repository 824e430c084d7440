//! `events`: what commands note, in docker's and in podman's words, past and as it happens.

use serde_json::Value;

use crate::harness::process::{Output, Running};
use crate::harness::{Env, eventually};

/// Runs ketch under another name.
pub(crate) fn called(env: &Env, program: &str, arguments: &[&str]) -> Output {
    spawned(env, program, arguments).finish()
}

/// The same, left running.
pub(crate) fn spawned(env: &Env, program: &str, arguments: &[&str]) -> Running {
    let link = env.path(program);
    let _ = std::os::unix::fs::symlink(crate::harness::env::executable(), &link);
    let mut command = env.program(link);
    command.args(arguments);
    Running::start(command)
}

fn keep(env: &Env, flags: &[&str], payload: &[&str]) -> i32 {
    let image = env.base();
    let mut arguments = vec!["run", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([&image, "payload"]);
    arguments.extend(payload);
    env.ketch(&arguments).code()
}

/// Everything that happened so far, as docker's JSON.
fn past(env: &Env, filters: &[&str]) -> Vec<Value> {
    let mut arguments = vec![
        "events",
        "--since",
        "0",
        "--until",
        "0s",
        "--format",
        "{{json .}}",
    ];
    for filter in filters {
        arguments.extend(["--filter", filter]);
    }
    env.ketch(&arguments).rows()
}

fn actions(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["Action"].as_str().unwrap())
        .collect()
}

cases! {
    fn the_past_is_told_in_the_order_of_its_moments(env) {
        env.ketch(&["ps"]).ok();
        let line = |second: u32, action: &str| format!(
            "{{\"time\":\"2026-01-01T00:00:0{second}Z\",\"type\":\"container\",\"action\":\"{action}\",\"id\":\"x\"}}\n"
        );
        // Two processes stamped their lines, and the later one was first to write.
        env.file("store/events", &(line(2, "die") + &line(1, "kill") + &line(3, "destroy")));
        assert_eq!(actions(&past(env, &[])), ["kill", "die", "destroy"]);
    }

    fn a_life_is_told_in_dockers_words(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        assert_eq!(keep(env, &["--name", "one", "-l", "tier=front"], &["exit", "3"]), 3);
        assert_eq!(keep(env, &["--rm", "--name", "two"], &["true"]), 0);
        env.ketch(&["rm", "one"]).ok();
        env.ketch(&["tag", &image, "other:v1"]).ok();
        env.ketch(&["rmi", "other:v1"]).ok();
        assert_eq!(actions(&past(env, &["container=one"])), ["create", "attach", "start", "die", "destroy"]);
        assert_eq!(actions(&past(env, &["container=two"])), ["create", "attach", "start", "die", "destroy"]);
        assert_eq!(actions(&past(env, &["type=image"])), ["pull", "tag", "untag"]);
        let die = &past(env, &["event=die", "label=tier=front"])[0];
        assert_eq!((&die["status"], &die["Type"], &die["scope"]), (&"die".into(), &"container".into(), &"local".into()));
        assert_eq!(die["from"], image.as_str());
        assert_eq!(die["id"], die["Actor"]["ID"]);
        let attributes = &die["Actor"]["Attributes"];
        assert_eq!((&attributes["exitCode"], &attributes["name"], &attributes["tier"]), (&"3".into(), &"one".into(), &"front".into()));
        assert_eq!(attributes["execDuration"], "0");
        assert!(die["time"].is_i64() && die["timeNano"].as_i64().unwrap() / 1_000_000_000 == die["time"].as_i64().unwrap(), "{die}");
        let times: Vec<i64> = past(env, &[]).iter().map(|event| event["timeNano"].as_i64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        // Text and templates.
        let text = env.ketch(&["events", "--since", "0", "--until", "0s", "--filter", "event=start", "--filter", "container=one"]);
        let line = text.ok().to_owned();
        assert!(line.ends_with(&format!("(from=image, image={image}, name=one, tier=front)")), "{line}");
        assert_eq!(line.find("Z container start "), Some(29), "{line}");
        let template = "{{.Status}} {{.Actor.Attributes.name}} {{.From}}{{.Actor.Attributes.none}}";
        let shown = env.ketch(&["events", "--since", "0", "--until", "0s", "--format", template, "--filter", "event=die"]);
        assert_eq!(shown.ok(), format!("die one {image}<no value>\ndie two {image}<no value>"));
        // What was before, or not yet.
        assert_eq!(env.ketch(&["events", "--until", "2020-01-01"]).ok(), "");
        let since = (times[0] / 1_000_000_000 + 3600).to_string();
        assert_eq!(env.ketch(&["events", "--since", &since, "--until", "0s"]).ok(), "");
        env.ketch(&["container", "prune", "-f"]).ok();
        env.ketch(&["system", "prune", "-af"]).ok();
        let last = past(env, &["type=image"]);
        assert_eq!(actions(&last)[3..], ["untag", "delete", "prune"]);
        assert!(last[5]["Actor"]["Attributes"]["reclaimed"].as_str().unwrap().parse::<u64>().is_ok());
        env.ketch(&["system", "check"]).ok();
    }

    fn a_follower_sees_what_happens(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        // The follower's first sight of the journal is proved by an event it has to show.
        let follower = env.spawn(&["events", "--format", "{{json .}}"]);
        eventually("the follower looks", || {
            env.ketch(&["tag", &image, "seen:v1"]).ok();
            follower.stdout.text().contains("tag")
        });
        assert_eq!(keep(env, &["--name", "late", "--rm"], &["true"]), 0);
        follower.stdout.wait_for("destroy");
        let all = follower.stdout.text();
        assert!(!all.contains("pull"), "{all}");
        let rows: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let late: Vec<&str> = rows.iter().filter(|row| row["Type"] == "container").map(|row| row["status"].as_str().unwrap()).collect();
        assert_eq!(late, ["create", "attach", "start", "die", "destroy"]);
        assert!(follower.is_running());
        // It ends at its time, and with its reader.
        let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1;
        env.ketch(&["events", "--until", &until.to_string()]).says("destroy");
        let mut command = env.program("/bin/sh");
        let ketch = crate::harness::env::executable();
        command.args(["-c", "\"$0\" events --since 0 | head -n 1"]).arg(ketch);
        assert!(Running::start(command).finish().ok().contains("image pull"));
    }

    fn a_run_that_never_began_is_told_too(env) {
        let image = env.base();
        env.ketch(&["run", "--rm", "--name", "none", "--network", "none", &image, "/no/such"]).exits(127);
        let events = past(env, &["container=none"]);
        assert_eq!(actions(&events), ["create", "die", "destroy"]);
        assert_eq!(events[1]["Actor"]["Attributes"]["exitCode"], "127");
    }

    fn podman_has_its_own_words(env) {
        let image = env.base();
        assert_eq!(keep(env, &["--name", "one", "-l", "tier=front"], &["exit", "3"]), 3);
        env.ketch(&["rm", "one"]).ok();
        let podman = |arguments: &[&str]| {
            let mut all = vec!["events", "--stream=false"];
            all.extend(arguments);
            called(env, "podman", &all)
        };
        let rows = podman(&["--format", "json", "--filter", "container=one"]).rows();
        let words: Vec<&str> = rows.iter().map(|row| row["Status"].as_str().unwrap()).collect();
        assert_eq!(words, ["create", "attach", "start", "died", "remove"]);
        assert_eq!((&rows[3]["ContainerExitCode"], &rows[3]["Name"], &rows[3]["Image"]), (&3.into(), &"one".into(), &image.as_str().into()));
        assert_eq!(rows[3]["Attributes"], serde_json::json!({"from": "image", "tier": "front"}));
        assert!(rows[0].get("ContainerExitCode").is_none());
        podman(&["--filter", "event=died"]).says(" container died ").says("(image=").says(", name=one, from=image, tier=front)");
        assert_eq!(podman(&["--format", "{{.Status}} {{.Name}}", "--filter", "event=remove"]).ok(), "remove one");
        podman(&["--filter", "nope=x"]).fails(125, &["nope"]);
    }

    fn bad_requests_for_events_are_refused(env) {
        env.ketch(&["events", "--filter", "nope=x"]).fails(1, &["invalid filter", "nope"]);
        env.ketch(&["events", "--filter", "label"]).fails(1, &["label"]);
        env.ketch(&["events", "--since", "tomorrow"]).fails(1, &["--since"]);
        env.ketch(&["events", "--format", "{{.ID"]).refused(&["template"]);
        env.ketch(&["tag", &env.base(), "x"]).refused(&[]);
        env.ketch(&["events", "--since", "0", "--until", "0s"]).ok();
    }
}
