//! Builds that are interrupted, killed or starved: no half image, nothing left over, and what was
//! finished is used by the next one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::build::made;
use crate::crash::{assert_whole, killed, on_a_small_disk};
use crate::harness::process::{Output, Running};
use crate::harness::registry::Fault;
use crate::harness::{Env, Identity, Image, Layer, Registry, require};

/// A step that is done before what is interrupted begins.
const FIRST: &str = "FROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\n";

/// Writes the Dockerfile; the words that build it.
fn words<'a>(env: &Env, text: &str, flags: &[&'a str], context: &'a str) -> Vec<&'a str> {
    env.folder("context");
    env.file("context/Dockerfile", &text.replace("BASE", &env.base()));
    made(flags, context)
}

fn build(env: &Env, text: &str) -> Output {
    let context = env.text("context");
    env.ketch(&words(env, text, &[], &context))
}

fn spawn(env: &Env, text: &str, flags: &[&str]) -> Running {
    let context = env.text("context");
    env.spawn(&words(env, text, flags, &context))
}

/// Ctrl-C: the terminal tells the whole group.
fn interrupt(running: Running) -> Output {
    killpg(Pid::from_raw(running.pid), Signal::SIGINT).unwrap();
    running.finish()
}

/// No image and nothing left over; the first step is not done again.
#[track_caller]
fn assert_taken_up(env: &Env, output: &Output, what: &str) {
    output.exits(130);
    env.ketch(&["image", "inspect", "made"]).exits(1);
    assert_whole(env, what);
    let again = build(env, FIRST);
    again.ok();
    assert_eq!(again.stderr.matches("CACHED").count(), 1, "{what}: {again}");
    env.ketch(&["rmi", "made"]).ok();
    assert_eq!(env.stored("build/work"), [""; 0], "{what}");
}

/// A server that reads requests and answers the first with so much; what it was asked, on a line.
struct Silent {
    listener: TcpListener,
    answer: &'static str,
}

impl Silent {
    fn start(answer: &'static str) -> Silent {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Silent { listener, answer }
    }

    fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// The first connection, once it has asked.
    fn asked(&self) -> TcpStream {
        let (mut stream, _) = self.listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while !lines.next().unwrap().unwrap().is_empty() {}
        stream.write_all(self.answer.as_bytes()).unwrap();
        stream
    }
}

cases! {
    fn ctrl_c_ends_a_build_that_reads_its_context(env) {
        build(env, FIRST).ok();
        env.ketch(&["rmi", "made"]).ok();
        let mut running = env.spawn(&["build", "--network", "none", "-t", "made", "-"]);
        // More than a pipe holds: part of it has been read when it is written.
        let mut archive = vec![0; 512];
        archive[..3].copy_from_slice(b"big");
        archive[100..107].copy_from_slice(b"0000644");
        archive[124..135].copy_from_slice(b"00040000000");
        archive[156] = b'0';
        archive[257..263].copy_from_slice(b"ustar\0");
        archive[148..156].copy_from_slice(b"        ");
        let sum: u32 = archive.iter().map(|byte| u32::from(*byte)).sum();
        archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.resize(1 << 20, 7);
        running.write(&archive);
        killpg(Pid::from_raw(running.pid), Signal::SIGINT).unwrap();
        let output = running.finish();
        assert_taken_up(env, &output, "context from standard input");
    }

    fn ctrl_c_ends_a_build_that_fetches(env) {
        let web = Silent::start("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin");
        let text = format!("{FIRST}ADD http://{}/file /file\n", web.address());
        let running = spawn(env, &text, &[]);
        let held = web.asked();
        assert_taken_up(env, &interrupt(running), "ADD of an address");
        drop(held);
        let web = Silent::start("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin");
        let address = format!("http://{}/context.tar", web.address());
        let running = env.spawn(&["build", "-t", "made", &address]);
        let held = web.asked();
        assert_taken_up(env, &interrupt(running), "context from an address");
        drop(held);
        let registry = Registry::start();
        let noise: Vec<u8> = (0..1 << 20).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let image = Image::base().layer(Layer::new().file("noise", 0o644, &noise)).build();
        let name = registry.push("other", "v1", &image);
        registry.fault("/blobs/", 1, Fault::Stall(10));
        let running = spawn(env, &format!("{FIRST}COPY --from={name} /noise /\n"), &[]);
        registry.wait_stalled();
        let output = interrupt(running);
        registry.release();
        assert_taken_up(env, &output, "layers of an image");
    }

    fn ctrl_c_ends_a_build_whose_command_runs(env) {
        let text = format!("{FIRST}RUN [\"payload\", \"ready-then-wait\"]\n");
        let running = spawn(env, &text, &[]);
        running.stderr.wait_for(" ready");
        assert_taken_up(env, &interrupt(running), "RUN");
    }

    fn ctrl_c_ends_a_build_that_pushes(env) {
        // What a registry would say, in clear or not, does not come.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("{}/app:v1", listener.local_addr().unwrap());
        words(env, FIRST, &[], "");
        let context = env.text("context");
        let words = ["build", "--network", "none", "--push", "--tls-verify=false", "-t", &name, &context];
        let running = env.spawn(&words);
        let held = listener.accept().unwrap();
        let output = interrupt(running);
        drop(held);
        output.exits(130);
        // It is whole, or it is not there.
        if env.ketch(&["image", "inspect", &name]).code() == 0 {
            env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "cat", "/one"]).ok();
        }
        assert_whole(env, "push");
        let again = build(env, FIRST);
        again.ok();
        assert_eq!(again.stderr.matches("CACHED").count(), 1, "{again}");
    }

    fn a_build_killed_anywhere_is_taken_up(env) {
        require!("strace", require::program("strace"));
        let text = "FROM BASE\nCOPY files /files\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nWORKDIR /new\nCMD [\"payload\", \"cat\", \"/one\", \"/files/3\"]\n";
        env.folder("context/files");
        for name in 0..9 {
            let path = env.file(&format!("context/files/{name}"), &name.to_string());
            fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
        }
        let place = env.text("context");
        let words = words(env, text, &[], &place);
        let mut ended = 0;
        for point in (1..).step_by(9).take(24) {
            let what = format!("build killed at call {point}");
            let was_killed = killed(env, point, &words);
            assert_whole(env, &what);
            let run = ["run", "--rm", "--network", "none", "made"];
            if env.ketch(&["image", "inspect", "made"]).code() == 0 {
                assert_eq!(env.ketch(&run).ok(), "13", "{what}");
            }
            let again = env.ketch(&words);
            again.ok();
            assert_eq!(env.ketch(&run).ok(), "13", "{what}");
            assert_eq!(env.stored("build/work"), [""; 0], "{what}");
            env.ketch(&["rmi", "-f", "made"]).ok();
            // From the beginning every other time: what is cached is not made.
            if point % 2 == 0 {
                env.ketch(&["builder", "prune", "-a", "-f"]).ok();
            }
            ended += usize::from(!was_killed);
            if ended == 3 {
                break;
            }
        }
    }
}

#[test]
fn a_full_disk_ends_a_build_and_leaves_a_valid_store() {
    Env::with(Identity::Root, |env| {
        require!("unshare", require::program("unshare"));
        let context = env.folder("context");
        let noise: Vec<u8> = (0..1 << 20)
            .map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        fs::write(env.path("context/noise"), &noise).unwrap();
        let text = "FROM BASE\nCOPY noise /copied\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nCOPY --chmod=600 noise /again\n";
        words(env, text, &[], &context);
        let script = format!(
            "\"$0\" build --network none -t made {context}; first=$?; \"$0\" system check || exit 99; \
             test $first = 0 || ! \"$0\" image inspect made >/dev/null 2>&1 || exit 98; \
             \"$0\" ps -aq || exit 97; test -z \"$(ls $KETCH_ROOT/build/work)\" || exit 96; exit $first"
        );
        let mut ends = [0, 0];
        for kilobytes in [
            64, 1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 9216, 10240, 12288, 65536,
        ] {
            let output = on_a_small_disk(env, kilobytes, &script);
            assert!(!output.stderr.contains("panicked"), "{kilobytes} {output}");
            assert!(matches!(output.code(), 0 | 1 | 125), "{kilobytes} {output}");
            ends[usize::from(output.code() == 0)] += 1;
            if output.code() != 0 {
                assert!(
                    output.stderr.contains("o space left"),
                    "{kilobytes} {output}"
                );
            }
        }
        assert!(ends[0] > 3 && ends[1] > 0, "{ends:?}");
    });
}
