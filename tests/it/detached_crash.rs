//! Kill -9 of any process of a container at any moment of any command: the next command tells
//! the truth, `rm -f` removes it, and nothing is left.
//!
//! The points are random and repeatable: `KETCH_TEST_SEED` chooses others, `KETCH_TEST_POINTS`
//! their number in each mode (`KETCH_TEST_POINTS=200` is the long run).

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::process::Running;
use crate::harness::{Env, require};

/// Calls that change something outside the process.
const CALLS: &str = "openat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,write,pwrite64,writev,\
    symlinkat,ftruncate,fchmod,clone3,clone,sendmsg,sendto,flock,fcntl,setsid,bind,mount,move_mount,execve,kill,\
    pidfd_send_signal";

/// Points in each mode when nothing else is asked for.
const POINTS: u64 = 40;

fn variable(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Marsaglia's xorshift: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// A command to be hit, after what makes its container ready for it.
struct Scene {
    before: &'static [&'static [&'static str]],
    command: &'static [&'static str],
}

const CREATE: &[&str] = &["create", "--name", "victim"];
const RUN: &[&str] = &["run", "-d", "--name", "victim"];
const ALWAYS: &[&str] = &["run", "-d", "--name", "victim", "--restart", "always"];
const INIT: &[&str] = &["container", "init", "victim"];
const ENDED: &[&str] = &["stop", "-t", "0", "victim"];

/// Words `WAIT` and `QUICK` stand for the image and a payload that stays or ends.
const SCENES: [Scene; 17] = [
    Scene {
        before: &[],
        command: CREATE,
    },
    Scene {
        before: &[],
        command: RUN,
    },
    Scene {
        before: &[],
        command: &["run", "-d", "--rm", "--name", "victim"],
    },
    Scene {
        before: &[],
        command: &["run", "-i", "--name", "victim"],
    },
    Scene {
        before: &[CREATE],
        command: &["start", "victim"],
    },
    Scene {
        before: &[CREATE],
        command: INIT,
    },
    Scene {
        before: &[CREATE, INIT],
        command: &["start", "victim"],
    },
    Scene {
        before: &[RUN],
        command: &["exec", "victim", "payload", "true"],
    },
    Scene {
        before: &[RUN],
        command: &["stop", "-t", "1", "victim"],
    },
    Scene {
        before: &[RUN],
        command: &["restart", "-t", "1", "victim"],
    },
    Scene {
        before: &[RUN, ENDED],
        command: &["rm", "victim"],
    },
    Scene {
        before: &[RUN],
        command: &["rm", "-f", "victim"],
    },
    Scene {
        before: &[RUN],
        command: &["commit", "-q", "victim", "made:1"],
    },
    Scene {
        before: &[RUN, ENDED],
        command: &["commit", "-q", "victim", "made:1"],
    },
    Scene {
        before: &[RUN],
        command: &["cp", "FILE", "victim:/copied"],
    },
    Scene {
        before: &[RUN, ENDED],
        command: &["start", "victim"],
    },
    Scene {
        before: &[ALWAYS],
        command: &["kill", "-s", "USR1", "victim"],
    },
];

/// One process of this world.
#[derive(Debug)]
struct Process {
    pid: i32,
    supervisor: bool,
    payload: bool,
    tracer: bool,
}

/// Every living process that belongs to this world: the commands by their environment, the
/// payloads by the mark among their arguments.
fn processes(env: &Env) -> Vec<Process> {
    let mark = mark(env);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let read = |name: &str| {
            let bytes = fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let words = read("cmdline");
        // A zombie has neither.
        if words.contains(&mark) || read("environ").contains(&mark) {
            found.push(Process {
                pid,
                supervisor: words.contains("@supervise"),
                payload: words.starts_with("payload") || words.contains("/payload\0"),
                tracer: words.starts_with("/usr/bin/strace"),
            });
        }
    }
    found
}

/// A word that nobody else on this machine has.
fn mark(env: &Env) -> String {
    env.path("")
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

/// The arguments with image and payload behind those that make a container.
fn words<'a>(words: &[&'a str], image: &'a str, mark: &'a str, file: &'a str) -> Vec<&'a str> {
    let mut all: Vec<&str> = words
        .iter()
        .map(|word| if *word == "FILE" { file } else { word })
        .collect();
    if matches!(words[0], "create" | "run") {
        all.extend([
            "--network",
            "none",
            image,
            "payload",
            "ready-then-wait",
            mark,
        ]);
    }
    all
}

/// Who is hit.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// The command at one of its calls.
    Call(u64),
    /// Each process at that one of its calls.
    EveryCall(u64),
    /// The command, its supervisor, the payload, or all, after some microseconds.
    Caller(u64),
    Supervisor(u64),
    Payload(u64),
    All(u64),
}

impl Target {
    fn choose(random: &mut Random, traced: bool, long: u64) -> Target {
        let at = random.below(long);
        match random.below(if traced { 8 } else { 6 }) {
            0 | 1 => Target::Supervisor(at),
            2 | 3 => Target::Payload(at),
            4 => Target::Caller(at),
            5 => Target::All(at),
            6 => Target::Call(1 + random.below(80)),
            _ => Target::EveryCall(1 + random.below(120)),
        }
    }

    fn hits(self, process: &Process) -> bool {
        match self {
            Target::Supervisor(_) => process.supervisor,
            Target::Payload(_) => process.payload,
            Target::Caller(_) => !process.supervisor && !process.payload && !process.tracer,
            _ => true,
        }
    }
}

/// Runs a command that is hit; returns when it has ended.
fn hit(env: &Env, target: Target, arguments: &[&str]) {
    let (at, follow) = match target {
        Target::Call(at) => (at, false),
        Target::EveryCall(at) => (at, true),
        Target::Caller(after)
        | Target::Supervisor(after)
        | Target::Payload(after)
        | Target::All(after) => {
            let running = env.spawn(arguments);
            std::thread::sleep(Duration::from_micros(after));
            for process in processes(env) {
                if target.hits(&process) {
                    // It may have ended meanwhile.
                    let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
                }
            }
            sane(env, arguments, running);
            return;
        }
    };
    let log = env.file("trace", "");
    let mut command = env.program("/usr/bin/strace");
    command.args(["-q", "-o", &log, "-e", &format!("trace={CALLS}")]);
    command.args(["-e", &format!("inject={CALLS}:signal=KILL:when={at}")]);
    command.args(["-f"].iter().filter(|_| follow));
    command
        .arg(crate::harness::env::executable())
        .args(arguments);
    let running = Running::start(command);
    if !follow {
        sane(env, arguments, running);
        return;
    }
    // The tracer stays with a container that lives on; its first process is the command.
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let text = fs::read_to_string(&log).unwrap();
        let first = text.split_whitespace().next().unwrap_or("none").to_owned();
        let ended = |line: &str| line.starts_with(&first) && line.contains("+++");
        let stays = arguments[..2] == ["run", "-i"] && processes(env).iter().any(|one| one.payload);
        if stays || text.lines().any(ended) || !running.is_running() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "{arguments:?} {target:?} hangs: {text}\n{:?}",
            processes(env)
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    if arguments[..2] == ["run", "-i"] {
        end_caller(env, &running);
    }
    std::mem::forget(running);
}

/// Ends a command in the foreground, which stays for as long as its payload does.
fn end_caller(env: &Env, running: &Running) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while running.is_running() && Instant::now() < deadline {
        let all = processes(env);
        if all.iter().any(|one| one.payload) {
            for process in all
                .iter()
                .filter(|one| !one.supervisor && !one.payload && !one.tracer)
            {
                // It may have ended meanwhile.
                let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
            }
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A command that is hit, or whose container is, ends soon and says something in order.
fn sane(env: &Env, arguments: &[&str], running: Running) {
    if arguments[..2] == ["run", "-i"] {
        end_caller(env, &running);
    }
    let output = running.finish_within(Duration::from_secs(40));
    assert!(!output.stderr.contains("panicked"), "{output}");
}

/// Ids of all containers there are, and their cgroups.
fn ids(env: &Env) -> Vec<String> {
    let names = env.stored("containers").into_iter();
    names
        .map(|name| name.trim_start_matches(".new-").to_owned())
        .filter(|name| name.len() == 64)
        .collect()
}

fn cgroups(ids: &[String]) -> Vec<String> {
    fn walk(folder: &std::path::Path, depth: usize, ids: &[String], found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if ids.iter().any(|id| name.contains(id.as_str())) {
                found.push(entry.path().display().to_string());
            } else if depth < 6 {
                walk(&entry.path(), depth + 1, ids, found);
            }
        }
    }
    let mut found = Vec::new();
    walk("/sys/fs/cgroup".as_ref(), 0, ids, &mut found);
    found
}

/// What `ps -a` says is what is so.
fn assert_truthful(env: &Env, what: &str) {
    let truthful = || {
        let listed = env.ketch(&["ps", "-a", "--format", "{{.State}}"]);
        let said = listed.ok().to_owned();
        let alive = processes(env).iter().any(|process| process.payload);
        match said.as_str() {
            "running" | "restarting" => alive || said == "restarting",
            _ => !alive,
        }
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !truthful() {
        let listed = env.ketch(&["ps", "-a"]);
        assert!(
            Instant::now() < deadline,
            "{what}: {listed}\n{:?}",
            processes(env)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Nothing is left of a container that was removed.
fn assert_nothing_left(env: &Env, ids: &[String], what: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !processes(env).is_empty() {
        assert!(Instant::now() < deadline, "{what}: {:?}", processes(env));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(env.containers(), [""; 0], "{what}");
    assert_eq!(cgroups(ids), [""; 0], "{what}");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&mark(env)), "{what}: {mounts}");
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    assert!(!sockets.contains(&mark(env)), "{what}: {sockets}");
}

cases! {
    fn a_kill_at_any_moment_leaves_what_rm_removes(env) {
        let image = env.base();
        env.ketch(&["pull", "-q", &image]).ok();
        let (mark, file) = (mark(env), env.file("some", "thing"));
        let (points, seed) = (variable("KETCH_TEST_POINTS", POINTS), variable("KETCH_TEST_SEED", 20));
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // A program that gains rights is not traced: the map of a range needs newuidmap.
        let traced = require::program("strace") && env.identity != Some(crate::harness::Identity::Subid);
        let mut long = [0; SCENES.len()];
        for point in 0..points {
            let at = point as usize % SCENES.len();
            let scene = &SCENES[at];
            let words = |part: &[&'static str]| -> Vec<String> {
                words(part, &image, &mark, &file).into_iter().map(str::to_owned).collect()
            };
            let ready = || {
                for step in scene.before {
                    let step = words(step);
                    env.ketch(&step.iter().map(String::as_str).collect::<Vec<_>>()).ok();
                }
            };
            let command = words(scene.command);
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            if long[at] == 0 {
                // How long the moments are: the command on its own, once.
                ready();
                let began = Instant::now();
                let running = env.spawn(&command);
                match scene.command[..2] == ["run", "-i"] {
                    true => running.stdout.wait_for("ready"),
                    false => drop(running.finish().exits(0)),
                }
                long[at] = began.elapsed().as_micros() as u64 * 5 / 4;
                env.ketch(&["rm", "-f", "victim"]).ok();
            }
            ready();
            let target = Target::choose(&mut random, traced, long[at]);
            let what = format!("seed {seed} point {point}: {:?} {target:?}", scene.command);
            let known = ids(env);
            hit(env, target, &command);
            let mut made = ids(env);
            made.extend(known);
            assert_truthful(env, &what);
            let removed = env.ketch(&["rm", "-f", "victim"]);
            assert_eq!(removed.code(), 0, "{what}: {removed}");
            assert_nothing_left(env, &made, &what);
            if point % 5 == 4 || point + 1 == points {
                env.ketch(&["system", "check"]).ok();
                assert_eq!(env.half_done(), [""; 0], "{what}");
            }
        }
    }
}
