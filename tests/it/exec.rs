//! `exec`: another process in a container that runs.

use std::fs;
use std::os::unix::process::CommandExt;

use nix::sys::signal::Signal;

use crate::harness::env::executable;
use crate::harness::process::{Output, Running};
use crate::harness::terminal::Terminal;
use crate::harness::{Env, Image, Layer, eventually};

/// A container that runs until it gets a signal.
fn running(env: &Env, name: &str, flags: &[&str]) -> Running {
    running_image(env, name, flags, &env.base())
}

fn running_image(env: &Env, name: &str, flags: &[&str], image: &str) -> Running {
    let mut arguments = vec!["run", "--name", name, "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image, "payload", "ready-then-wait"]);
    let running = env.spawn(&arguments);
    running.stdout.wait_for("ready");
    running
}

fn exec(env: &Env, flags: &[&str], words: &[&str]) -> Output {
    let mut arguments = vec!["exec"];
    arguments.extend(flags);
    arguments.extend(["box", "payload"]);
    arguments.extend(words);
    env.ketch(&arguments)
}

/// Number on the host of the container's first process.
fn first(env: &Env) -> i32 {
    let shown = env.ketch(&["container", "inspect", "box"]).json();
    shown[0]["State"]["Pid"].as_i64().unwrap() as i32
}

/// Processes that `top` shows with this argument.
fn seen(env: &Env, word: &str) -> usize {
    let top = env.ketch(&["top", "box", "-eo", "args"]);
    top.ok().lines().filter(|line| line.contains(word)).count()
}

fn end(env: &Env, container: Running) {
    env.ketch(&["rm", "-f", "box"]).ok();
    container.finish();
    env.assert_clean();
}

cases! {
    fn the_process_is_in_the_container_in_every_way(env) {
        let container = running(env, "box", &["-e", "KEPT=1", "-w", "/tmp", "--hostname", "inside"]);
        let mine = exec(env, &[], &["ns"]);
        let pid = first(env);
        for line in mine.ok().lines() {
            let (name, space) = line.split_once('=').unwrap();
            // The tests run as root, who may look.
            if let Ok(theirs) = fs::read_link(format!("/proc/{pid}/ns/{name}")) {
                assert_eq!(theirs.to_str().unwrap(), space, "{name}");
            }
        }
        exec(env, &[], &["hostname"]).says("inside");
        exec(env, &[], &["pwd"]).says("/tmp");
        exec(env, &[], &["env"]).says("KEPT=1\n").says("HOSTNAME=inside\n").says("HOME=/root\n");
        exec(env, &[], &["id"]).says("uid=0 gid=0");
        // Not a child of anything in there, and no first process.
        let numbers = exec(env, &[], &["ppid"]);
        assert!(numbers.ok().ends_with("ppid=0") && !numbers.ok().starts_with("pid=1 "), "{numbers}");
        assert_eq!(exec(env, &[], &["stdin-count"]).ok(), "0");
        let cgroup = |pid: &str| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        let theirs = cgroup(&pid.to_string());
        let waiting = env.spawn(&["exec", "box", "payload", "ready-then-wait"]);
        waiting.stdout.wait_for("ready");
        let top = env.ketch(&["top", "box", "-eo", "pid"]);
        for line in top.ok().lines().skip(1) {
            assert_eq!(cgroup(line.trim()), theirs, "{line}");
        }
        assert_eq!(top.ok().lines().count(), 3, "{top}");
        waiting.signal(Signal::SIGTERM);
        waiting.finish().exits(143);
        end(env, container);
    }

    fn environment_directory_and_user_can_be_others(env) {
        let container = running(env, "box", &["-e", "KEPT=1", "-e", "GONE=1"]);
        let file = env.file("work/vars", "FROM=file\nKEPT=file\n");
        let shown = exec(env, &["--env-file", &file, "-e", "KEPT=2", "-e", "NEW=3"], &["env"]);
        shown.says("KEPT=2\n").says("FROM=file\n").says("NEW=3\n").says("GONE=1\n");
        exec(env, &["-w", "/etc/../tmp"], &["pwd"]).says("/tmp");
        exec(env, &["-u", "4242:4343"], &["id"]).says("uid=4242 gid=4343 groups=");
        exec(env, &["-u", "4242"], &["env"]).says("HOME=/\n");
        exec(env, &["--user", "nobody-here"], &["id"]).fails(126, &["nobody-here", "passwd"]);
        exec(env, &["-w", "/not/there"], &["pwd"]).fails(127, &["/not/there"]);
        exec(env, &["-w", "relative"], &["pwd"]).fails(1, &["absolute"]);
        // Nothing was made on the way.
        exec(env, &["-w", "/not"], &["pwd"]).fails(127, &["/not"]);
        end(env, container);
    }

    fn rights_are_the_containers(env) {
        let container = running(env, "box", &["--cap-drop", "CHOWN", "--security-opt", "no-new-privileges"]);
        let theirs = fs::read_to_string(format!("/proc/{}/status", first(env))).unwrap();
        let line = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_ascii_whitespace().nth(1).unwrap().to_owned()
        };
        let mine = exec(env, &[], &["status"]);
        for key in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"] {
            assert_eq!(line(mine.ok(), key), line(&theirs, key), "{key}");
        }
        assert_eq!((line(mine.ok(), "CapInh"), line(mine.ok(), "NoNewPrivs"), line(mine.ok(), "Seccomp")),
            ("0000000000000000".to_owned(), "1".to_owned(), "2".to_owned()));
        let other = exec(env, &["-u", "4242"], &["caps"]);
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            other.says(&format!("{set}=0000000000000000\n"));
        }
        let all = exec(env, &["--privileged"], &["status"]);
        assert!(line(all.ok(), "CapEff").ends_with("ffffffff") || line(all.ok(), "CapEff").ends_with("feffffff"), "{all}");
        assert_eq!(line(all.ok(), "Seccomp"), "2");
        for call in ["keyctl", "bpf", "unshare-user", "clone3", "reboot"] {
            let refused = exec(env, &[], &["syscall", call]);
            assert!(!refused.ok().ends_with("=ok"), "{refused}");
        }
        end(env, container);
    }

    fn limits_are_the_containers(env) {
        let container = running(env, "box", &["--ulimit", "nofile=77:99", "--umask", "0077", "--oom-score-adj", "500"]);
        let limits = exec(env, &[], &["rlimits"]);
        let files = limits.ok().lines().find(|line| line.starts_with("Max open files")).unwrap();
        let words: Vec<&str> = files.split_ascii_whitespace().collect();
        assert_eq!(words[3..5], ["77", "99"], "{files}");
        assert_eq!(exec(env, &[], &["cat", "/proc/self/oom_score_adj"]).ok(), "500");
        exec(env, &[], &["status"]).says("Umask:\t0077");
        end(env, container);
    }

    fn no_descriptor_of_the_host_leaks(env) {
        let container = running(env, "box", &[]);
        let leak = fs::File::open("/etc").unwrap();
        let number = {
            use std::os::fd::AsRawFd;
            nix::fcntl::fcntl(&leak, nix::fcntl::F_DUPFD(20)).unwrap_or(leak.as_raw_fd())
        };
        let shown = exec(env, &[], &["fds"]);
        let numbers: Vec<&str> = shown.ok().lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(numbers, ["0", "1", "2"], "{shown}");
        nix::unistd::close(number).unwrap();
        // Asked for, they pass; one that is not there is refused.
        let mut command = env.program("/bin/sh");
        command.arg("-c").arg("exec 3</dev/zero; exec \"$0\" exec --preserve-fds 1 box payload fds").arg(executable());
        Running::start(command).finish().says("3 /dev/zero");
        exec(env, &["--preserve-fds", "1"], &["fds"]).fails(1, &["descriptor 3"]);
        end(env, container);
    }

    fn codes_are_dockers(env) {
        let container = running(env, "box", &[]);
        exec(env, &[], &["true"]).exits(0);
        exec(env, &[], &["exit", "3"]).exits(3);
        exec(env, &[], &["signal-self", "9"]).exits(137);
        env.ketch(&["exec", "box", "nope"]).fails(127, &["nope", "not found"]);
        env.ketch(&["exec", "box", "/nope/x"]).fails(127, &["/nope/x"]);
        env.ketch(&["exec", "box", "/etc"]).fails(126, &["/etc", "permission denied"]);
        env.ketch(&["exec", "box", "/etc/passwd"]).fails(126, &["/etc/passwd"]);
        env.ketch(&["exec", "-d", "box", "nope"]).fails(127, &["nope"]);
        env.ketch(&["exec", "--bad-flag", "box", "true"]).exits(125);
        env.ketch(&["exec", "box"]).fails(1, &["command is missing"]);
        env.ketch(&["exec"]).fails(1, &["container"]);
        env.ketch(&["exec", "nobody", "true"]).fails(1, &["nobody"]);
        env.ketch(&["exec", "-it", "box", "payload", "true"]).fails(1, &["TTY"]);
        env.ketch(&["exec", "--detach-keys", "ctrl-ü", "box", "true"]).fails(1, &["--detach-keys"]);
        end(env, container);
        let image = env.base();
        env.ketch(&["run", "--name", "box", "--network", "none", &image, "payload", "true"]).ok();
        env.ketch(&["exec", "box", "true"]).fails(1, &["container ", "is not running"]);
        env.ketch(&["top", "box"]).fails(1, &["is not running"]);
    }

    fn a_paused_container_takes_none(env) {
        let container = running(env, "box", &[]);
        let id = env.ketch(&["container", "inspect", "box"]).json()[0]["Id"].as_str().unwrap().to_owned();
        let path = env.store().join("containers").join(&id).join("state");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"paused\":false", "\"paused\":true")).unwrap();
        env.ketch(&["exec", "box", "true"]).fails(1, &["is paused, unpause the container before exec"]);
        fs::write(&path, text).unwrap();
        end(env, container);
    }

    fn input_arrives_and_ends(env) {
        let container = running(env, "box", &[]);
        let counted = env.ketch_with_input(&["exec", "-i", "box", "payload", "stdin-count"], &[b'x'; 200_000]);
        assert_eq!(counted.ok(), "200000");
        end(env, container);
    }

    fn signals_reach_the_process(env) {
        let container = running(env, "box", &[]);
        let waiting = env.spawn(&["exec", "box", "payload", "wait-signal", "SIGHUP", "SIGUSR1"]);
        waiting.stdout.wait_for("ready");
        waiting.signal(Signal::SIGUSR1);
        waiting.finish().exits(0).says("SIGUSR1");
        end(env, container);
    }

    fn the_process_ends_with_its_caller(env) {
        let container = running(env, "box", &[]);
        let waiting = env.spawn(&["exec", "box", "payload", "ready-then-wait"]);
        waiting.stdout.wait_for("ready");
        assert_eq!(seen(env, "ready-then-wait"), 2);
        waiting.signal(Signal::SIGKILL);
        waiting.finish().exits(137);
        eventually("the process is gone", || seen(env, "ready-then-wait") == 1);
        end(env, container);
    }

    fn the_process_ends_with_its_container(env) {
        let container = running(env, "box", &[]);
        let waiting = env.spawn(&["exec", "box", "payload", "ready-then-wait"]);
        waiting.stdout.wait_for("ready");
        env.ketch(&["rm", "-f", "box"]).ok();
        waiting.finish().exits(137);
        container.finish();
        env.assert_clean();
    }

    fn a_detached_process_goes_on_alone(env) {
        let container = running(env, "box", &[]);
        let started = env.ketch(&["exec", "-d", "box", "payload", "sleep-forever"]);
        assert_eq!(started.ok(), "");
        assert_eq!(seen(env, "sleep-forever"), 1);
        // Its identity calls are still answered, its output goes nowhere, its code is noted.
        assert_eq!(env.ketch(&["exec", "-d", "-t", "box", "payload", "exit", "4"]).ok(), "");
        let events = || fs::read_to_string(env.store().join("events")).unwrap();
        eventually("the end is noted", || {
            events().lines().any(|line| line.contains("\"exec_die\"") && line.contains("\"exitCode\":\"4\""))
        });
        assert!(events().contains("\"exec_create: payload sleep-forever\""));
        assert!(events().contains("\"exec_start: payload sleep-forever\""));
        end(env, container);
    }

    fn identity_calls_are_answered(env) {
        let container = running(env, "box", &[]);
        let made = exec(env, &[], &["write", "/tmp/mine", "x"]);
        made.ok();
        // What a package manager does as root, by a shell command of the payload.
        exec(env, &[], &["chown", "/tmp/mine", "12", "34"]).ok();
        end(env, container);
    }

    fn a_reaper_can_be_joined(env) {
        let container = running(env, "box", &["--init"]);
        exec(env, &[], &["id"]).says("uid=0");
        exec(env, &["-u", "77"], &["id"]).says("uid=77");
        assert!(env.ketch(&["top", "box", "-eo", "pid,comm"]).ok().lines().count() >= 3);
        end(env, container);
    }

    fn a_container_of_another_user_can_be_joined(env) {
        let container = running(env, "box", &["-u", "33:33"]);
        exec(env, &[], &["id"]).says("uid=33 gid=33");
        exec(env, &["-u", "0"], &["id"]).says("uid=0 gid=0");
        exec(env, &["-u", "44"], &["id"]).says("uid=44");
        end(env, container);
    }

    fn a_container_with_other_ids_or_the_hosts_processes_can_be_joined(env) {
        let container = running(env, "box", &["--userns", "keep-id"]);
        let own = if env.uid == 0 { 0 } else { env.uid };
        exec(env, &[], &["id"]).says(&format!("uid={own} "));
        exec(env, &["-u", "0"], &["id"]).says("uid=0 ");
        end(env, container);
        let container = running(env, "box", &["--pid", "host"]);
        exec(env, &["-u", "77"], &["id"]).says("uid=77 ");
        assert_eq!(seen(env, "ready-then-wait"), 1);
        end(env, container);
    }

    fn a_terminal_is_one_of_the_containers(env) {
        let container = running(env, "box", &[]);
        let terminal = Terminal::start(env, &["exec", "-it", "box", "payload", "tty"]);
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored, "{code} {screen}");
        for line in ["stdin=true", "stdout=true", "stderr=true", "name=/dev/pts/"] {
            assert!(screen.contains(line), "{screen}");
        }
        let mut terminal = Terminal::start(env, &["exec", "-it", "box", "payload", "line"]);
        terminal.types("hello\n");
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored && screen.contains("got:hello"), "{screen}");
        let (_, screen, _) = Terminal::start(env, &["exec", "-it", "box", "payload", "winsize"]).finish();
        assert!(screen.contains("24x80"), "{screen}");
        let terminal = Terminal::start(env, &["exec", "-it", "box", "payload", "wait-winsize", "40x132"]);
        terminal.screen.wait_for("ready");
        terminal.resize(40, 132);
        let (code, screen, _) = terminal.finish();
        assert!(code == 0 && screen.contains("size=40x132"), "{screen}");
        let (_, screen, _) = Terminal::start(env, &["exec", "-it", "box", "payload", "env"]).finish();
        assert!(screen.contains("TERM=xterm"), "{screen}");
        end(env, container);
    }

    fn detach_keys_leave_the_process_alone(env) {
        let container = running(env, "box", &[]);
        let mut terminal = Terminal::start(env, &["exec", "-it", "box", "payload", "wait-signal", "SIGUSR2"]);
        terminal.screen.wait_for("ready");
        terminal.types("\x10\x11");
        let (code, screen, restored) = terminal.finish();
        assert!(code == 0 && restored, "{code} {screen}");
        assert_eq!(seen(env, "wait-signal"), 1);
        // Killed while it is attached, the front takes the process with it.
        let terminal = Terminal::start(env, &["exec", "-it", "box", "payload", "wait-signal", "SIGUSR1"]);
        terminal.screen.wait_for("ready");
        terminal.signal(Signal::SIGKILL);
        terminal.finish();
        eventually("the process is gone", || seen(env, "SIGUSR1") == 0);
        assert_eq!(seen(env, "SIGUSR2"), 1);
        end(env, container);
    }

    fn links_in_the_container_lead_nowhere_else(env) {
        let links = Layer::new().symlink("tmp/fds", "/proc/self/fd").symlink("tmp/up", "/proc/1/root/../../..");
        let container = running_image(env, "box", &[], &env.image(Image::base().layer(links)));
        for number in 3..12 {
            exec(env, &["-w", &format!("/proc/self/fd/{number}")], &["pwd"]).refused(&["working directory"]);
            exec(env, &["-w", &format!("/tmp/fds/{number}")], &["pwd"]).refused(&["working directory"]);
        }
        exec(env, &["-w", "/tmp/up"], &["pwd"]).refused(&["working directory"]);
        end(env, container);
    }

    fn ketch_cannot_be_written_from_inside(env) {
        let script = Layer::new().file("bin/sh", 0o755, b"#!/proc/self/exe\n").symlink("bin/self", "/proc/self/exe");
        let container = running_image(env, "box", &[], &env.image(Image::base().layer(script)));
        let before = fs::read(executable()).unwrap();
        let attacker = env.spawn(&["exec", "box", "payload", "write-exes"]);
        attacker.stdout.wait_for("ready");
        for _ in 0..20 {
            exec(env, &[], &["true"]).ok();
            for program in ["sh", "self", "/proc/self/exe"] {
                assert_ne!(env.ketch(&["exec", "box", program, "true"]).code(), 139);
            }
        }
        attacker.signal(Signal::SIGKILL);
        let output = attacker.finish();
        assert_eq!(output.stdout, "ready\n");
        assert!(fs::read(executable()).unwrap() == before);
        end(env, container);
    }

    fn top_reads_proc_itself(env) {
        let container = running(env, "box", &[]);
        let plain = env.ketch(&["top", "box"]);
        assert!(plain.ok().starts_with("UID                 PID                 PPID                C"), "{plain}");
        let jenkins = env.ketch(&["top", "box", "-eo", "pid,comm"]);
        let lines: Vec<&str> = jenkins.ok().lines().collect();
        assert_eq!(lines.len(), 2);
        let words: Vec<&str> = lines[1].split_ascii_whitespace().collect();
        assert_eq!(words, [first(env).to_string().as_str(), "payload"]);
        assert_eq!(lines[0].split_ascii_whitespace().collect::<Vec<_>>(), ["PID", "COMMAND"]);
        env.ketch(&["container", "top", "box", "aux"]).says("%CPU");
        env.ketch(&["top", "box", "-o", "nonsense"]).fails(1, &["nonsense"]);
        env.ketch(&["top", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["top", "-l"]).says("payload");
        end(env, container);
    }

    fn podman_answers_in_its_own_way(env) {
        let container = running(env, "box", &[]);
        let podman = |arguments: &[&str]| {
            let mut command = env.program(executable());
            command.arg0("podman").args(arguments);
            Running::start(command).finish()
        };
        let id = podman(&["exec", "-d", "box", "payload", "sleep-forever"]);
        assert_eq!(id.ok().len(), 64);
        podman(&["exec", "-l", "payload", "id"]).says("uid=0");
        let file = env.file("work/cid", env.ketch(&["ps", "-q", "--no-trunc"]).ok());
        podman(&["exec", "--cidfile", &file, "payload", "id"]).says("uid=0");
        let top = podman(&["top", "box", "pid", "user", "comm"]);
        let line = top.ok().lines().nth(1).unwrap().split_ascii_whitespace().collect::<Vec<_>>();
        assert_eq!(line, ["1", "root", "payload"]);
        podman(&["exec", "nobody", "true"]).fails(125, &["nobody"]);
        end(env, container);
        env.ketch(&["run", "--name", "box", "--network", "none", &env.base(), "payload", "true"]).ok();
        podman(&["exec", "box", "true"]).fails(255, &["is not running"]);
    }
}
