//! `secret` and `run --secret`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::{Env, Identity};

const TEXT: &str = "correct horse battery";

fn make(env: &Env, name: &str) -> String {
    let output = env.ketch_with_input(&["secret", "create", name, "-"], TEXT.as_bytes());
    output.ok().to_owned()
}

fn run(env: &Env, flags: &[&str], payload: &[&str]) -> crate::harness::process::Output {
    let image = env.base();
    let mut arguments = vec!["run", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(payload);
    env.ketch(&arguments)
}

/// Files below `dir` that hold the secret.
fn holders(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(holders(&path));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(TEXT))
        {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

cases! {
    fn secrets_are_kept_by_name(env) {
        let id = make(env, "key");
        assert!(id.len() == 25 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let mode = fs::metadata(env.store().join("secrets/key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        env.ketch(&["secret", "create", "key", "-"]).fails(1, &["between 1 and"]);
        let file = env.file("work/file", "other");
        env.ketch(&["secret", "create", "key", &file]).fails(1, &["in use"]);
        env.ketch(&["secret", "create", "-l", "a=b", "more", &file]).ok();
        assert_eq!(env.ketch(&["secret", "ls", "--format", "{{.Name}}"]).ok(), "key\nmore");
        assert_eq!(env.ketch(&["secret", "ls", "-q", "--filter", "name=ke"]).ok(), id);
        let shown = env.ketch(&["secret", "inspect", &id[..6]]);
        assert_eq!(shown.json()[0]["Spec"]["Name"], "key");
        assert!(!shown.stdout.contains(TEXT));
        env.ketch(&["secret", "inspect", "--showsecret", "key"]).says(TEXT);
        env.ketch(&["secret", "exists", "key"]).exits(0);
        env.ketch(&["secret", "exists", "nokey"]).exits(1);
        let again = env.ketch(&["secret", "create", "--replace", "key", &file]);
        assert_ne!(again.ok(), id);
        env.ketch(&["secret", "inspect", "--showsecret", "key"]).says("other");
        for name in ["a/b", "a=b", "", ".a", "a,b"] {
            env.ketch(&["secret", "create", name, &file]).fails(1, &["secret name"]);
        }
        env.ketch(&["secret", "rm", "nobody", "more"]).fails(1, &["nobody"]);
        assert_eq!(env.ketch(&["secret", "rm", "--all"]).ok().lines().count(), 1);
        assert_eq!(env.ketch(&["secret", "ls", "-q"]).ok(), "");
    }

    fn a_secret_is_a_file_on_no_disk(env) {
        make(env, "key");
        assert_eq!(run(env, &["--rm", "--secret", "key"], &["cat", "/run/secrets/key"]).ok(), TEXT);
        let flags = ["--rm", "--read-only", "--secret", "key,target=other,mode=0400"];
        run(env, &flags, &["stat", "/run/secrets/other"]).says("file 400 0:0");
        assert_eq!(run(env, &["--rm", "--secret", "key,target=/etc/deep/key"], &["cat", "/etc/deep/key"]).ok(), TEXT);
        let owned = run(env, &["--rm", "--secret", "key,uid=7,gid=8"], &["stat", "/run/secrets/key"]);
        match env.identity {
            Some(Identity::Single) => owned.warns("one id"),
            _ => owned.says("444 7:8"),
        };
        // Its container's copy and the secret itself are all there is.
        run(env, &["-d", "--name", "box", "--secret", "key,type=env,target=KEY", "--secret", "key"], &["ready-then-wait"]).ok();
        let mut found = holders(&env.store());
        found.sort();
        assert_eq!(found, ["secret-0", "secret-1"], "the store's own is encoded");
        assert!(!env.ketch(&["container", "inspect", "box"]).stdout.contains(TEXT));
        // They outlive the secret, and a restart.
        env.ketch(&["secret", "rm", "key"]).ok();
        env.ketch(&["restart", "-t", "0", "box"]).ok();
        assert_eq!(env.ketch(&["exec", "box", "payload", "cat", "/run/secrets/key"]).ok(), TEXT);
        env.ketch(&["exec", "box", "payload", "env"]).says(&format!("KEY={TEXT}"));
        env.ketch(&["rm", "-f", "box"]).ok();
        env.assert_clean();
    }

    fn a_secret_can_be_a_variable(env) {
        make(env, "key");
        let output = run(env, &["--rm", "-e", "KEY=x", "--secret", "key,type=env,target=KEY"], &["env"]);
        assert_eq!(output.says(&format!("KEY={TEXT}\n")).stdout.matches("KEY=").count(), 1);
        env.ketch_with_input(&["secret", "create", "raw", "-"], b"a\0b").ok();
        run(env, &["--rm", "--secret", "raw,type=env"], &["true"]).fails(125, &["raw"]);
        run(env, &["--rm", "--secret", "nobody"], &["true"]).fails(125, &["nobody"]);
        run(env, &["--rm", "--secret", "key,type=disk"], &["true"]).fails(125, &["--secret"]);
        env.assert_clean();
    }
}
