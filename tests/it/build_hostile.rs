//! Builds of what somebody made to harm: files that grow without end, archives that unpack to more
//! than there is, names that lead elsewhere for a moment.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::crash::on_a_small_disk;
use crate::harness::process::Output;
use crate::harness::{Env, Identity, require};

fn build(env: &Env, text: &str, flags: &[&str]) -> Output {
    let context = env.folder("context");
    env.file("context/Dockerfile", text);
    let words = ["build", "--network", "none", "-t", "made"];
    env.ketch(&[&words[..], flags, &[&context]].concat())
}

#[test]
fn a_dockerfile_that_grows_without_end_is_refused() {
    let env = Env::any();
    let lines = |count: usize, line: &dyn Fn(usize) -> String| {
        (0..count).fold("FROM scratch\n".to_owned(), |mut text, at| {
            let _ = writeln!(text, "{}", line(at));
            text
        })
    };
    let many = lines(600_000, &|_| "ENV A=1".to_owned());
    build(&env, &many, &[]).fails(1, &["more than 20000 instructions", "Dockerfile:200"]);
    let wide = (0..50_000).fold("FROM scratch\nENV".to_owned(), |mut text, at| {
        let _ = write!(text, " A{at}=1");
        text
    });
    build(&env, &wide, &[]).fails(1, &["more than 20000 instructions"]);
    let doubled = lines(64, &|at| match at {
        0 => "ENV A=0123456789".to_owned(),
        _ => "ENV A=$A$A".to_owned(),
    });
    build(&env, &doubled, &[]).fails(1, &["larger than 8388608 bytes"]);
    let copied = lines(5_000, &|at| match at {
        0..20 => format!("ENV A={}", if at == 0 { "0123456789" } else { "$A$A" }),
        _ => format!("LABEL l{at}=$A m{at}=$A n{at}=$A"),
    });
    build(&env, &copied, &[]).fails(1, &["larger than 8388608 bytes"]);
    let ports = lines(9_000, &|_| "EXPOSE 1-65535".to_owned());
    build(&env, &ports, &[]).fails(1, &["larger than 8388608 bytes"]);
    // What people may really write is built.
    let fair = lines(5_000, &|at| format!("ENV A{at}=1"));
    build(&env, &fair, &[]).ok();
    env.ketch(&["image", "inspect", "made"]).ok();
}

/// An archive of one file of so many zeros.
fn bomb(megabytes: usize) -> Vec<u8> {
    let size = megabytes << 20;
    let mut header = vec![0; 512];
    header[..5].copy_from_slice(b"zeros");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut gzip = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut into = gzip.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        into.write_all(&header).unwrap();
        let zeros = vec![0; 1 << 20];
        (0..megabytes).for_each(|_| into.write_all(&zeros).unwrap());
        into.write_all(&[0; 1024]).unwrap();
    });
    let output = gzip.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

#[test]
fn an_archive_larger_than_the_disk_leaves_nothing() {
    Env::with(Identity::Root, |env| {
        require!("unshare", require::program("unshare"));
        let context = env.folder("context");
        fs::write(env.path("context/bomb.tgz"), bomb(300)).unwrap();
        let text = format!("FROM {}\nADD bomb.tgz /\n", env.base());
        env.file("context/Dockerfile", &text);
        for (place, input) in [
            (context.as_str(), String::new()),
            ("-", format!("<{context}/bomb.tgz")),
        ] {
            let script = format!(
                "before=$(df -k --output=used $KETCH_ROOT | tail -n 1); \
                 \"$0\" build --network none -t made {place} {input}; first=$?; \"$0\" system check || exit 99; \
                 ! \"$0\" image inspect made >/dev/null 2>&1 || exit 98; \
                 test -z \"$(ls $KETCH_ROOT/build/work)\" || exit 96; \
                 \"$0\" system prune -a -f >/dev/null || exit 95; \
                 test $(df -k --output=used $KETCH_ROOT | tail -n 1) -lt $((before + 1024)) || exit 94; exit $first"
            );
            let output = on_a_small_disk(env, 65536, &script);
            output.exits(1).warns("o space left");
        }
    });
}

cases! {
    fn a_name_that_is_swapped_never_leads_out_of_the_context(env) {
        let base = env.base();
        env.folder("outside");
        env.file("outside/f", "secret");
        env.folder("context/kept");
        let (kept, dir) = (env.path("context/kept"), env.path("context/d"));
        for place in [&kept, &dir] {
            fs::create_dir_all(place).unwrap();
            fs::write(place.join("f"), "inside").unwrap();
        }
        fs::write(env.path("context/file"), "inside").unwrap();
        let outside = env.path("outside");
        symlink(&outside, env.path("context/d2")).unwrap();
        symlink(outside.join("f"), env.path("context/file2")).unwrap();
        let stop = AtomicBool::new(false);
        let pairs = [("d", "d2"), ("file", "file2")].map(|(one, other)| {
            [one, other].map(|name| env.path("context").join(name))
        });
        let mut copied = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for [one, other] in &pairs {
                        let _ = renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE);
                    }
                }
            });
            let text = format!("FROM {base}\nCOPY d/f file /got/\nADD d /got/d\nCOPY . /got/all\n");
            for _ in 0..12 {
                let _ = fs::remove_dir_all(env.path("work/out"));
                let output = build(env, &text, &["--no-cache", "-o", "out"]);
                assert!(matches!(output.code(), 0 | 1), "{output}");
                copied += usize::from(output.code() == 0);
                for name in ["f", "file", "d/f", "all/d/f", "all/d2/f", "all/file", "all/file2"] {
                    let path = env.path("work/out/got").join(name);
                    // A link is copied as one: what it names is no matter.
                    let through = path.ancestors().take(3).any(|part| part.is_symlink());
                    if !through && let Ok(text) = fs::read_to_string(&path) {
                        assert_eq!(text, "inside", "{name}");
                    }
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(env.stored("build/work"), [""; 0], "{copied} of 12 were built");
        env.ketch(&["system", "check"]).ok();
    }
}
