//! Commands that are killed or starved: the store stays valid, the same command works again, and
//! nothing is left running or mounted.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::process::{Output, Running};
use crate::harness::{Env, require};

/// Calls that change something outside the process.
const CALLS: &str = "openat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,write,pwrite64,writev,\
    linkat,symlinkat,ftruncate,fchmod,fchownat,utimensat,clone3,clone,sendmsg,flock,mount,move_mount,execve";

/// Points at which each command is killed; a point is every `STEP`th call.
const POINTS: usize = 12;
const STEP: usize = 5;

/// Runs a command that is killed at its `at`th call that changes something; false when it had
/// fewer.
pub(crate) fn killed(env: &Env, at: usize, arguments: &[&str]) -> bool {
    let mut command = env.program("/usr/bin/strace");
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={CALLS}"),
    ]);
    command.args(["-e", &format!("inject={CALLS}:signal=KILL:when={at}")]);
    command
        .arg(crate::harness::env::executable())
        .args(arguments);
    let output = Running::start(command).finish();
    assert!(!output.stderr.contains("panicked"), "{output}");
    output.code() != 0
}

/// What must hold after a kill and one more command.
pub(crate) fn assert_whole(env: &Env, what: &str) {
    env.ketch(&["system", "check"]).ok();
    env.ketch(&["ps", "-a"]).ok();
    assert_eq!(env.containers(), [""; 0], "{what}");
    let partial = |name: &String| !name.starts_with("blob-");
    let left: Vec<String> = env.half_done().into_iter().filter(partial).collect();
    assert_eq!(left, [""; 0], "{what}");
    let home = env.path("");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(home.to_str().unwrap()), "{what}: {mounts}");
}

fn sweep(env: &Env, before: &[&[&str]], command: &[&str], again: &[&[&str]]) {
    require!("strace", require::program("strace"));
    for point in 0..POINTS {
        for step in before {
            env.ketch(step).ok();
        }
        let what = format!("{command:?} killed at call {}", point * STEP + 1);
        let more = killed(env, point * STEP + 1, command);
        assert_whole(env, &what);
        for step in again {
            let output = env.ketch(step);
            let gone = output.stderr.contains("no such container")
                || output.stderr.contains("o such image")
                || output.stderr.contains("no image");
            assert!(output.code() == 0 || gone, "{what}: {output}");
        }
        if !more {
            break;
        }
    }
}

/// A shell that limits itself before it becomes ketch.
fn limited(env: &Env, limit: &str, arguments: &[&str]) -> Output {
    let mut command = env.program("/bin/sh");
    command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]);
    command
        .arg(crate::harness::env::executable())
        .args(arguments);
    Running::start(command).finish()
}

cases! {
    fn a_killed_pull_is_taken_up(env) {
        let image = env.base();
        sweep(env, &[&["rmi", "-f", &image]], &["pull", "-q", &image], &[&["pull", "-q", &image]]);
    }

    fn a_killed_run_leaves_nothing(env) {
        let image = env.base();
        let run = ["run", "--rm", "--network", "none", image.as_str(), "payload", "true"];
        env.ketch(&run).ok();
        sweep(env, &[], &run, &[&run]);
    }

    fn a_killed_first_run_leaves_nothing(env) {
        let image = env.base();
        let run = ["run", "--rm", "--network", "none", image.as_str(), "payload", "true"];
        sweep(env, &[&["rmi", "-f", &image]], &run, &[&run]);
    }

    fn a_killed_rm_can_be_repeated(env) {
        let image = env.base();
        let run = ["run", "--name", "victim", "--network", "none", image.as_str(), "payload", "true"];
        env.payload(&[], &["true"]).ok();
        require!("strace", require::program("strace"));
        for point in 1..POINTS {
            env.ketch(&run).ok();
            killed(env, point * 2, &["rm", "victim"]);
            env.ketch(&["system", "check"]).ok();
            env.ketch(&["rm", "-f", "victim"]).ok();
            assert_whole(env, &format!("rm killed at call {}", point * 2));
        }
    }

    fn a_killed_tag_leaves_a_valid_index(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        require!("strace", require::program("strace"));
        for point in 1..2 * POINTS {
            killed(env, point, &["tag", &image, "other:name"]);
            assert_whole(env, &format!("tag killed at call {point}"));
            env.ketch(&["tag", &image, "other:name"]).ok();
            killed(env, point, &["rmi", "other:name"]);
            assert_whole(env, &format!("rmi killed at call {point}"));
        }
    }

    fn a_killed_prune_can_be_repeated(env) {
        let image = env.base();
        let prune = ["system", "prune", "--all", "--force"];
        sweep(env, &[&["pull", "-q", &image]], &prune, &[&prune]);
    }

    fn sixty_four_first_runs_at_once(env) {
        let image = env.base();
        let start = |at: usize| {
            let text = format!("number {at}");
            (text.clone(), env.spawn(&["run", "--rm", "--network", "none", &image, "payload", "echo", &text]))
        };
        let all: Vec<_> = (0..64).map(start).collect();
        for (text, running) in all {
            assert_eq!(running.finish().ok(), text);
        }
        env.assert_clean();
    }

    fn few_descriptors_are_enough_or_said(env) {
        let image = env.base();
        for files in [4, 8, 10, 12, 16, 24] {
            let output = limited(env, &format!("ulimit -n {files}"), &["run", "--rm", "--network", "none", &image, "payload", "true"]);
            if output.code() != 0 {
                assert!(matches!(output.code(), 1 | 125..=127), "{output}");
                output.fails(output.code(), &[]);
            }
            env.ketch(&["ps", "-aq"]).ok();
            env.assert_clean();
        }
        limited(env, "ulimit -n 64", &["run", "--rm", "--network", "none", &image, "payload", "true"]).ok();
    }

    fn odd_surroundings_are_no_matter(env) {
        let image = env.base();
        let run = ["run", "--rm", "--network", "none", image.as_str(), "payload", "true"];
        for limit in ["umask 077", "umask 000", "unset HOME", "unset TMPDIR", "TMPDIR=/nonexistent; export TMPDIR", "unset PATH", "exec <&-", "exec >&-", "exec 2>&-", "exec <&- >&-", "cd / "] {
            limited(env, limit, &run).exits(0);
            env.ketch(&["system", "check"]).ok();
        }
        use std::os::unix::fs::PermissionsExt;
        let store = env.store().metadata().unwrap().permissions().mode();
        assert_eq!(store & 0o022, 0, "{store:o}");
        env.assert_clean();
    }

    fn a_working_directory_that_is_gone_is_no_matter(env) {
        let image = env.base();
        let gone = env.folder("gone");
        let script = format!("cd {gone}; rmdir {gone}");
        limited(env, &script, &["run", "--rm", "--network", "none", &image, "payload", "true"]).ok();
        env.assert_clean();
    }
}

/// A store on a tmpfs of this size in a mount namespace of its own; the registry is outside.
pub(crate) fn on_a_small_disk(env: &Env, kilobytes: usize, script: &str) -> Output {
    let mut command = Command::new("/usr/bin/unshare");
    let store = env.store();
    let store = store.to_str().unwrap();
    let inner = format!(
        "mkdir -p {store} && mount -t tmpfs -o size={kilobytes}k,mode=700 none {store} && {script}"
    );
    command
        .env_clear()
        .envs(env.variables.iter().map(|(key, value)| (key, value)));
    command
        .args(["-m", "/bin/sh", "-c", &inner])
        .arg(crate::harness::env::executable())
        .arg(env.base());
    command.process_group(0);
    Running::start(command).finish()
}

#[test]
fn a_full_disk_is_said_and_repaired() {
    Env::with(crate::harness::Identity::Root, |env| {
        require!("unshare", require::program("unshare"));
        let script = "\"$0\" run --rm --network none \"$1\" payload true; first=$?; \"$0\" system check || exit 99; \
                      \"$0\" ps -aq || exit 98; exit $first";
        let mut full = 0;
        for kilobytes in [
            16, 64, 256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 32768,
        ] {
            let output = on_a_small_disk(env, kilobytes, script);
            assert!(matches!(output.code(), 0 | 1 | 125), "{kilobytes} {output}");
            assert!(!output.stderr.contains("panicked"), "{kilobytes} {output}");
            if output.code() != 0 {
                full += 1;
                assert!(
                    output.stderr.contains("o space left"),
                    "{kilobytes} {output}"
                );
            }
        }
        assert!(full > 0);
    });
}
