//! The store under stress: full and read-only disks, damage, other users' eyes.

use std::fs;

use crate::harness::process::{Output, Running};
use crate::harness::{Env, Image, Layer, Registry, require};

/// Runs a shell script in a mount namespace of its own, where it may mount.
fn in_namespace(env: &Env, script: &str) -> Output {
    let mut command = env.program("/bin/sh");
    let flags = if env.uid == 0 { "-m" } else { "-Urm" };
    command.args([
        "-c",
        "exec unshare \"$0\" --propagation private sh -euc \"$1\"",
        flags,
        script,
    ]);
    command.env("KETCH", crate::harness::env::executable());
    Running::start(command).finish()
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 9u64;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        })
        .collect()
}

#[test]
fn a_full_disk_is_said_and_leaves_a_valid_store() {
    require!("unshare", require::program("unshare"));
    let env = Env::any();
    let registry = Registry::start();
    let image = Image::empty()
        .layer(Layer::new().file("data", 0o644, &noise(3 << 20)))
        .build();
    let name = registry.push("big", "v1", &image);
    // Too small for the blob, then for the unpacked layer, then for neither.
    for (size, code) in [("1m", 1), ("4m", 1), ("16m", 0)] {
        env.folder("store");
        let script = format!(
            "mount -t tmpfs -o size={size},mode=755 none \"$KETCH_ROOT\"\n\
             code=0; \"$KETCH\" pull -q {name} >&2 || code=1\n\
             \"$KETCH\" system check >&2 || echo damaged\n\
             \"$KETCH\" images -q | wc -l\n\
             test $code = {code} || echo code $code"
        );
        let output = in_namespace(&env, &script);
        assert_eq!(
            output.ok(),
            if code == 0 { "1" } else { "0" },
            "{size} {output}"
        );
        if code == 1 {
            output.warns("space");
        }
    }
}

#[test]
fn a_read_only_store_still_answers_questions() {
    require!("unshare", require::program("unshare"));
    let env = Env::any();
    let name = env.base();
    env.ketch(&["pull", "-q", &name]).ok();
    let script = format!(
        "mount --bind \"$KETCH_ROOT\" \"$KETCH_ROOT\"; mount -o remount,bind,ro \"$KETCH_ROOT\"\n\
         \"$KETCH\" images -q | wc -l\n\
         \"$KETCH\" image inspect {name} >/dev/null && echo inspected\n\
         \"$KETCH\" rmi {name} || echo refused"
    );
    let output = in_namespace(&env, &script);
    assert_eq!(output.ok(), "1\ninspected\nrefused", "{output}");
    output.warns("ead-only");
}

/// The blobs of the store, largest first.
fn blobs(env: &Env) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = env
        .stored("blobs/sha256")
        .iter()
        .map(|name| env.store().join("blobs/sha256").join(name))
        .collect();
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    found
}

#[test]
fn damage_is_found_named_and_repaired() {
    let env = Env::any();
    let registry = Registry::start();
    let image = Image::base().build();
    let name = registry.push("damage", "v1", &image);
    let damages: [fn(&Env); 4] = [
        |env| {
            let path = &blobs(env)[0];
            let mut data = fs::read(path).unwrap();
            data[100] ^= 1;
            replace(path, &data);
        },
        |env| {
            let path = &blobs(env)[0];
            let data = fs::read(path).unwrap();
            replace(path, &data[..data.len() / 2]);
        },
        |env| {
            blobs(env).iter().for_each(|path| replace(path, b""));
        },
        |env| {
            blobs(env)
                .iter()
                .for_each(|path| fs::remove_file(path).unwrap());
        },
    ];
    for (at, damage) in damages.into_iter().enumerate() {
        env.ketch(&["pull", "-q", &name]).ok();
        damage(&env);
        env.ketch(&["system", "check"])
            .exits(1)
            .says("blobs/sha256/")
            .says("problem");
        env.ketch(&["system", "check", "--repair"]);
        env.ketch(&["system", "check"]).ok();
        env.ketch(&["pull", "-q", &name]).ok();
        let output = env.ketch(&[
            "run",
            "--rm",
            "--network",
            "none",
            &name,
            "payload",
            "echo",
            "whole",
        ]);
        assert_eq!(output.ok(), "whole", "damage {at}");
        env.assert_clean();
    }
}

/// Puts other bytes in place of a file that may be read-only.
fn replace(path: &std::path::Path, data: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, data).unwrap();
}

#[test]
fn unreadable_records_are_an_error_and_no_crash() {
    let env = Env::any();
    let name = env.base();
    env.ketch(&[
        "run",
        "--name",
        "kept",
        "--network",
        "none",
        &name,
        "payload",
        "true",
    ])
    .ok();
    let id = env.stored("containers").remove(0);
    for text in ["", "{", "[]", "{\"Id\": 5}", "\0\0\0"] {
        replace(
            &env.store()
                .join("containers")
                .join(&id)
                .join("container.json"),
            text.as_bytes(),
        );
        for words in [
            &["ps", "-a"][..],
            &["inspect", "kept"],
            &["system", "check"],
            &["system", "df"],
        ] {
            let output = env.ketch(words);
            assert!(
                !output.stderr.contains("panicked") && output.code() < 128,
                "{output}"
            );
        }
    }
    env.ketch(&["system", "check", "--repair"]);
    env.ketch(&["system", "check"]).ok();
}

#[test]
fn a_damaged_image_is_named_and_does_not_hide_the_others() {
    let env = Env::any();
    let (whole, broken) = (env.base(), env.image(Image::base().set("User", "7")));
    env.ketch(&["pull", "-q", &whole]).ok();
    let before = env.stored("images");
    env.ketch(&["pull", "-q", &broken]).ok();
    let mut added = env.stored("images");
    added.retain(|name| !before.contains(name));
    let record = env.store().join("images").join(&added[0]);
    let good = fs::read(&record).unwrap();
    for text in ["", "{", "[]", "\0\0\0", "{\"manifest\": 5}"] {
        replace(&record, text.as_bytes());
        let listed = env.ketch(&["images"]);
        listed.fails(1, &[&added[0]]).says("base");
        let refused = env.ketch(&["run", "--rm", "--pull", "never", &broken]);
        refused.fails(125, &[]);
        let other = env.ketch(&[
            "run",
            "--rm",
            "--network",
            "none",
            &whole,
            "payload",
            "true",
        ]);
        other.exits(0);
    }
    replace(&record, &good);
    // The configuration, smaller than any layer, is what a run reads first.
    let config = blobs(&env).pop().unwrap();
    let data = fs::read(&config).unwrap();
    replace(&config, &data[..data.len() / 2]);
    let named = config.file_name().unwrap().to_str().unwrap().to_owned();
    env.ketch(&["system", "check"]).exits(1).says(&named);
    env.ketch(&["system", "check", "--repair"]);
    env.ketch(&["system", "check"]).ok();
}

#[test]
fn a_store_of_the_future_is_left_alone() {
    let env = Env::any();
    env.ketch(&["pull", "-q", &env.base()]).ok();
    let version = env.store().join("version");
    replace(&version, b"999999\n");
    env.ketch(&["images"]).refused(&["version"]);
    assert_eq!(fs::read_to_string(version).unwrap(), "999999\n");
}

#[test]
fn stray_files_are_swept_by_the_next_command() {
    let env = Env::any();
    env.ketch(&["pull", "-q", &env.base()]).ok();
    for folder in ["tmp", "trash"] {
        env.folder(&format!("store/{folder}/left/deep"));
    }
    env.payload(&[], &["true"]).ok();
    env.ketch(&["system", "prune", "--force"]).ok();
    assert_eq!(env.stored("tmp"), [""; 0]);
    assert_eq!(env.stored("trash"), [""; 0]);
}

#[test]
fn the_root_is_where_the_variables_say() {
    let mut env = Env::any();
    env.variables.retain(|(key, _)| key != "KETCH_ROOT");
    env.ketch(&["pull", "-q", &env.base()]).ok();
    if env.uid != 0 {
        assert!(env.path("data/ketch/blobs").is_dir());
    }
    let elsewhere = env.text("else where/ünïcode");
    env.set("KETCH_ROOT", &elsewhere);
    env.ketch(&["pull", "-q", &env.base()]).ok();
    assert!(env.path("else where/ünïcode/blobs").is_dir());
    assert_eq!(env.payload(&[], &["echo", "there"]).ok(), "there");
    env.set("KETCH_ROOT", &env.file("plain-file", ""));
    env.ketch(&["images"]).refused(&["plain-file"]);
}
