//! `--copy-in` and `--copy-out`: a job's data without mounts.

use std::fs;

use crate::harness::Env;

/// Runs a payload in a container of the working directory `work`.
fn job(env: &Env, flags: &[&str], payload: &[&str]) -> crate::harness::process::Output {
    let image = env.base();
    let first = ["run", "--network", "none"];
    env.ketch(&[&first[..], flags, &[image.as_str(), "payload"], payload].concat())
}

cases! {
    fn data_comes_in_and_results_go_out(env) {
        env.folder("in/sub");
        env.file("in/sub/data", "text\n");
        let into = format!("{}:/job/input", env.text("in"));
        let out = format!("/job:{}", env.text("results/first"));
        // The container's own layer: nothing of it reaches the host's files before the end.
        for flags in [&["--rm"][..], &["--rm", "-i"], &[]] {
            let flags = [flags, &["--copy-in", &into, "--copy-out", &out]].concat();
            job(env, &flags, &["write", "/job/input/sub/data", "changed"]).ok();
            let result = fs::read_to_string(env.path("results/first/input/sub/data")).unwrap();
            assert_eq!(result.trim(), "changed");
            assert_eq!(fs::read_to_string(env.path("in/sub/data")).unwrap(), "text\n");
            assert_eq!(fs::read_dir(env.path("results")).unwrap().count(), 1);
            fs::remove_dir_all(env.path("results/first")).unwrap();
        }
    }

    fn results_of_a_failure_come_back_unless_told_otherwise(env) {
        env.file("seed", "text\n");
        let into = format!("{}:/out/seed", env.text("seed"));
        let out = format!("/out:{}", env.text("back"));
        let flags = ["--rm", "--copy-in", &into, "--copy-out", &out];
        let only = [&flags[..], &["--copy-out-on", "success"]].concat();
        job(env, &only, &["exit", "3"]).exits(3);
        assert!(!env.path("back").exists());
        job(env, &flags, &["exit", "3"]).exits(3);
        assert!(env.path("back/seed").exists());
        job(env, &["--rm", "--copy-out-on", "never"], &["true"]).refused(&["always or success"]);
    }

    fn results_meet_what_is_there_as_with_cp(env) {
        env.folder("results");
        env.folder("results/out");
        env.file("results/out/mine", "mine\n");
        env.file("results/out/seed", "old\n");
        env.file("seed", "new\n");
        let into = format!("{}:/out/seed", env.text("seed"));
        let out = format!("/out:{}", env.text("results"));
        job(env, &["--rm", "--copy-in", &into, "--copy-out", &out], &["true"]).ok();
        let read = |name: &str| fs::read_to_string(env.path("results/out").join(name)).unwrap();
        assert_eq!((read("mine"), read("seed")), ("mine\n".to_owned(), "new\n".to_owned()));
    }

    fn results_that_cannot_be_copied_are_not_thrown_away(env) {
        let out = format!("/missing:{}", env.text("back"));
        for flags in [&["--rm"][..], &["--rm", "-i"]] {
            let flags = [flags, &["--name", "kept", "--copy-out", &out]].concat();
            let output = job(env, &flags, &["true"]);
            output.fails(125, &["/missing", "kept for its results"]);
            env.ketch(&["cp", "kept:/etc/hostname", "-"]).exits(0);
            env.ketch(&["rm", "kept"]).ok();
        }
    }

    fn a_source_that_is_missing_stops_the_start(env) {
        let into = format!("{}:/in", env.text("nothing"));
        job(env, &["--rm", "--copy-in", &into], &["true"]).fails(125, &["nothing"]);
        assert!(env.containers().is_empty());
    }
}
