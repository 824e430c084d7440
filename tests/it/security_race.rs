//! `run` against somebody who changes a shared tree all the while.
//!
//! | way | case |
//! |---|---|
//! | runc CVE-2021-30465, CVE-2024-45310, CVE-2019-19921 | `a_mount_target_that_is_swapped_leads_nowhere` |
//! | runc CVE-2025-31133, CVE-2025-52565: /dev/null, /dev/pts | `a_device_that_is_swapped_is_not_believed` |
//! | podman CVE-2024-1753: copying up from a volume | `content_that_is_swapped_is_not_copied` |
//!
//! `KETCH_TEST_RACES` sets how many starts each case makes in each mode.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::harness::Env;

/// Starts in one mode: with three modes and three cases somewhat more than 500.
const RACES: usize = 60;

fn races() -> usize {
    let asked = std::env::var("KETCH_TEST_RACES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(RACES)
}

/// Exchanges two names without pause until it is stopped.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Swapper {
    fn start(one: PathBuf, other: PathBuf) -> Swapper {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut swaps = 0;
            while !seen.load(Ordering::Relaxed) {
                let flags = RenameFlags::RENAME_EXCHANGE;
                if renameat2(AT_FDCWD, &one, AT_FDCWD, &other, flags).is_ok() {
                    swaps += 1;
                }
            }
            swaps
        });
        Swapper {
            stop,
            thread: Some(thread),
        }
    }

    fn finish(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let swaps = self.thread.take().unwrap().join().unwrap();
        assert!(swaps > 0, "nothing was swapped");
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A directory that no container may reach, with a file in it.
fn canary(env: &Env) -> String {
    let canary = env.folder("canary");
    env.file("canary/secret", "of the host");
    canary
}

fn assert_untouched(env: &Env) {
    let names: Vec<_> = std::fs::read_dir(env.path("canary"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["secret"]);
    assert_eq!(
        std::fs::read_to_string(env.path("canary/secret")).unwrap(),
        "of the host"
    );
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(env.path("").to_str().unwrap()), "{mounts}");
}

cases! {
    fn a_mount_target_that_is_swapped_leads_nowhere(env) {
        let (canary, shared, other) = (canary(env), env.folder("shared"), env.folder("other"));
        env.file("other/mine", "the volume");
        env.folder("shared/sub");
        symlink(format!("/../../../../../..{canary}"), env.path("shared/link")).unwrap();
        let (whole, below, file) = (format!("{shared}:/data"), format!("{other}:/data/sub"), format!("{other}/mine:/data/sub/file"));
        let swapper = Swapper::start(env.path("shared/sub"), env.path("shared/link"));
        for _ in 0..races() {
            let flags = ["-v", &whole, "-v", &below, "-v", &file, "--tmpfs", "/data/sub/tmp", "-w", "/data/sub/work"];
            let output = env.payload(&flags, &["cat", &format!("{canary}/secret")]);
            assert!(matches!(output.code(), 1 | 125), "{output}");
            assert!(output.stdout.is_empty(), "{output}");
        }
        swapper.finish();
        assert_untouched(env);
        env.assert_clean();
    }

    fn a_device_that_is_swapped_is_not_believed(env) {
        let (canary, dev) = (canary(env), env.folder("dev"));
        env.file("dev/null", "");
        symlink(format!("/../../../../../..{canary}/secret"), env.path("dev/link")).unwrap();
        let volume = format!("{dev}:/dev");
        let swapper = Swapper::start(env.path("dev/null"), env.path("dev/link"));
        for _ in 0..races() {
            let output = env.payload(&["-v", &volume], &["stdin-count"]);
            assert!(matches!(output.code(), 0 | 125), "{output}");
            if output.code() == 0 {
                assert_eq!(output.ok(), "0", "{output}");
            }
            // Whatever hides the lists of the kernel, it is not that file.
            let output = env.payload(&["-v", &volume, "-i"], &["cat", "/proc/keys", "/proc/timer_list"]);
            assert!(output.stdout.is_empty(), "{output}");
        }
        swapper.finish();
        assert_untouched(env);
        env.assert_clean();
    }

    fn content_that_is_swapped_is_not_copied(env) {
        let (canary, shared) = (canary(env), env.folder("shared"));
        env.folder("shared/top/inner");
        env.file("shared/top/inner/secret", "inside");
        symlink(&canary, env.path("shared/top/link")).unwrap();
        let volume = format!("{shared}:/data");
        let swapper = Swapper::start(env.path("shared/top/inner"), env.path("shared/top/link"));
        for _ in 0..races() {
            let flags = ["-v", &volume, "--tmpfs", "/data/top:tmpcopyup"];
            let output = env.payload(&flags, &["walk", "/data/top"]);
            assert!(matches!(output.code(), 0 | 1 | 125), "{output}");
            let output = env.payload(&flags, &["cat", "/data/top/inner/secret"]);
            assert!(!output.stdout.contains("of the host"), "{output}");
            let output = env.payload(&flags, &["cat", "/data/top/link/secret"]);
            assert!(!output.stdout.contains("of the host"), "{output}");
        }
        swapper.finish();
        assert_untouched(env);
        env.assert_clean();
    }
}
