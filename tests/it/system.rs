//! `system df|check|prune`, `info`, `version`, `doctor`, `completion`.

use crate::harness::Env;

cases! {
    fn doctor_names_the_rung_and_what_the_next_one_needs(env) {
        let output = env.ketch(&["doctor"]);
        assert!(matches!(output.code(), 0 | 1), "{output}");
        output.says(env.identity.unwrap_or(crate::harness::Identity::Single).to_string().as_str());
        let output = env.ketch(&["doctor", "--format", "json"]);
        let found: serde_json::Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error} {output}"));
        assert_eq!(found["rootfs"], "overlay", "{found}");
        match env.identity {
            Some(crate::harness::Identity::Root) => assert_eq!(found["network"], "bridge"),
            _ => assert!(found["network"] == "private" || found["network"] == "host", "{found}"),
        }
        if let Some(identity) = env.identity {
            assert_eq!(found["identity"], identity.to_string());
        }
    }

    fn the_image_ketch_carries_shows_what_isolates_it(env) {
        let output = env.ketch(&["run", "--rm", "--network", "none", "builtin:hello"]);
        output.says("uid map:").says("namespaces:").says("rootfs:").says("seccomp:").says("cgroup:").says("ms after");
        let id = env.ketch(&["images", "-q", "builtin:hello"]).ok().to_owned();
        assert_eq!(id.lines().count(), 1, "{id}");
        env.ketch(&["run", "--rm", "--network", "none", "builtin:hello"]).ok();
        assert_eq!(env.ketch(&["images", "-q"]).ok(), id, "it is made once");
        env.ketch(&["run", "--rm", "builtin:other"]).fails(125, &["builtin:other", "builtin:hello"]);
        env.ketch(&["rmi", "builtin:hello"]).says("Untagged: builtin:hello");
        env.assert_clean();
    }

    fn df_counts_what_is_there(env) {
        let name = env.base();
        env.ketch(&["run", "--name", "counted", "--network", "none", &name, "payload", "write", "/x", "y"]).ok();
        let table = env.ketch(&["system", "df"]);
        table.says("TYPE").says("TOTAL").says("ACTIVE").says("SIZE").says("RECLAIMABLE").says("Images").says("Containers");
        let rows = env.ketch(&["system", "df", "--format", "json"]).rows();
        let row = |kind: &str| rows.iter().find(|row| row["Type"] == kind).unwrap().clone();
        assert_eq!(row("Images")["TotalCount"].to_string().trim_matches('"'), "1");
        assert_eq!(row("Containers")["TotalCount"].to_string().trim_matches('"'), "1");
        env.ketch(&["rm", "counted"]).ok();
    }

    fn prune_takes_stopped_containers_and_with_all_everything(env) {
        let name = env.base();
        env.ketch(&["run", "--network", "none", &name, "payload", "true"]).ok();
        env.ketch(&["system", "prune", "--force", "--volumes", "--filter", "until=1h"]).refused(&["until"]);
        assert_ne!(env.ketch(&["ps", "-aq"]).ok(), "");
        env.ketch(&["system", "prune", "--force"]).ok();
        assert_eq!(env.ketch(&["ps", "-aq"]).ok(), "");
        assert_ne!(env.ketch(&["images", "-q"]).ok(), "");
        env.ketch(&["system", "prune", "--all", "--force"]).says("reclaimed");
        assert_eq!(env.ketch(&["images", "-q"]).ok(), "");
        for folder in ["blobs/sha256", "tmp", "trash"] {
            assert_eq!(env.stored(folder), [""; 0], "{folder}");
        }
        env.assert_clean();
    }

    fn prune_spares_what_is_running(env) {
        let image = env.base();
        let running = env.spawn(&["run", "--name", "busy", "-i", "--network", "none", &image, "payload", "ready-then-wait"]);
        running.stdout.wait_for("ready");
        env.ketch(&["system", "prune", "--all", "--force"]).ok();
        env.ketch(&["ps"]).says("busy");
        env.ketch(&["rm", "-f", "busy"]).ok();
        running.finish().exits(137);
        env.assert_clean();
    }
}

#[test]
fn prune_asks_and_takes_no_for_an_answer() {
    let env = Env::any();
    env.ketch(&["pull", "-q", &env.base()]).ok();
    env.ketch_with_input(&["system", "prune", "--all"], b"n\n");
    assert_ne!(env.ketch(&["images", "-q"]).ok(), "");
    env.ketch_with_input(&["system", "prune", "--all"], b"y\n")
        .ok();
    assert_eq!(env.ketch(&["images", "-q"]).ok(), "");
}

#[test]
fn info_and_version_have_the_keys_that_programs_ask_for() {
    let env = Env::any();
    let info = env.ketch(&["info", "--format", "json"]).json();
    for key in [
        "Containers",
        "Images",
        "Driver",
        "CgroupVersion",
        "CgroupDriver",
        "SecurityOptions",
        "ServerVersion",
        "NCPU",
        "MemTotal",
        "DockerRootDir",
        "Architecture",
    ] {
        assert!(!info[key].is_null(), "no {key} in {info}");
    }
    let version = env.ketch(&["version", "--format", "json"]).json();
    assert!(!version["Client"]["Version"].is_null(), "{version}");
    env.ketch(&["version"]).says(env!("CARGO_PKG_VERSION"));
    env.ketch(&["info"]).ok();
}

#[test]
fn completions_are_printed_for_each_shell() {
    let env = Env::any();
    for shell in ["bash", "zsh", "fish"] {
        env.ketch(&["completion", shell]).says("ketch");
    }
    env.ketch(&["completion", "tcsh-of-1983"])
        .refused(&["tcsh"]);
}

#[test]
fn check_of_an_empty_store_is_clean() {
    let env = Env::any();
    env.ketch(&["system", "check"]).ok();
    env.ketch(&["system", "check", "--repair"]).ok();
    env.ketch(&["system", "df"]).ok();
    env.ketch(&["system", "prune", "--force"]).ok();
}
