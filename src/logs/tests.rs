//! Writer and reader against each other and against docker's own texts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::journald::Journal;
use super::*;
use crate::common::{Error, Timestamp, parse_rfc3339};

fn target(dir: &Path, driver: LogDriver) -> Target {
    let origin = Origin {
        id: "0123456789abcdef",
        name: "web",
        image: "alpine",
        labels: &BTreeMap::new(),
        env: &[],
    };
    Logging::default().target(driver, dir, &origin)
}

/// A writer of small files.
fn small(dir: &Path, size: u64, files: u32) -> Writer {
    Writer::open(&Target {
        max_size: Some(size),
        max_files: files,
        ..target(dir, LogDriver::JsonFile)
    })
    .unwrap()
}

fn reader(dir: &Path, driver: LogDriver, options: ReadOptions) -> Reader {
    Reader::open(&dir.join("container.log"), driver, options).unwrap()
}

/// What a reader has to give now: all text, in order.
fn rest(reader: &mut Reader) -> String {
    let mut text = Vec::new();
    reader
        .drain(|entry| {
            text.extend_from_slice(&entry.text);
            Ok::<_, Error>(true)
        })
        .unwrap();
    String::from_utf8(text).unwrap()
}

fn everything(dir: &Path) -> String {
    rest(&mut reader(
        dir,
        LogDriver::JsonFile,
        ReadOptions::default(),
    ))
}

/// The lines of a log file without their times, which are checked for docker's form.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let (entry, time) = line.split_once(",\"time\":\"").unwrap();
            let time = time.strip_suffix("\"}").unwrap();
            assert!(
                parse_rfc3339(time).is_some() && time.ends_with('Z'),
                "{line}"
            );
            entry.to_owned()
        })
        .collect()
}

#[test]
fn json_lines_are_dockers() {
    let dir = TempDir::new().unwrap();
    let mut writer = Writer::open(&target(dir.path(), LogDriver::JsonFile)).unwrap();
    writer.write(Stream::Stdout, b"hello\n\nsecond");
    writer.write(Stream::Stderr, b"oops\n");
    writer.write(Stream::Stdout, b" half\r\n");
    writer.write(
        Stream::Stdout,
        b"\"\\\t\x1b[31m<&>\xff\xc3\xa9\xe2\x80\xa8\xe2\x82\x00\n",
    );
    writer.write(Stream::Stdout, b"no end");
    drop(writer);
    let path = dir.path().join("container.log");
    assert_eq!(
        lines(&path),
        [
            r#"{"log":"hello\n","stream":"stdout""#,
            r#"{"log":"\n","stream":"stdout""#,
            r#"{"log":"oops\n","stream":"stderr""#,
            r#"{"log":"second half\r\n","stream":"stdout""#,
            concat!(
                r#"{"log":"\"\\\u0009\u001b[31m\u003c\u0026\u003e"#,
                r#"\ufffdé\u2028\ufffd\ufffd\u0000\n","stream":"stdout""#
            ),
            r#"{"log":"no end","stream":"stdout""#,
        ]
    );
}

#[test]
fn a_long_line_is_cut_at_16_kib_and_never_inside_a_character() {
    let dir = TempDir::new().unwrap();
    let mut writer = Writer::open(&target(dir.path(), LogDriver::JsonFile)).unwrap();
    let long = "x".repeat(16 * 1024);
    writer.write(Stream::Stdout, format!("{long}\n").as_bytes());
    let snow = "\u{2603}".repeat(12_000);
    // In pieces that end anywhere, as a pipe gives them.
    for piece in format!("a{snow}\n").as_bytes().chunks(1009) {
        writer.write(Stream::Stdout, piece);
    }
    drop(writer);
    let mut sizes = Vec::new();
    let mut times = Vec::new();
    let mut text = String::new();
    reader(dir.path(), LogDriver::JsonFile, ReadOptions::default())
        .drain(|entry| {
            sizes.push(entry.text.len());
            times.push(entry.time);
            text.push_str(std::str::from_utf8(&entry.text).unwrap());
            Ok::<_, Error>(true)
        })
        .unwrap();
    assert_eq!(text, format!("{long}\na{snow}\n"));
    assert_eq!(sizes, [16384, 1, 16384, 16383, 3235]);
    // docker: the parts of a line have the time of the first.
    assert!(times[0] == times[1] && times[2] == times[3] && times[3] == times[4]);
    assert!(!text.contains('\u{fffd}'));
}

#[test]
fn attributes_and_tags_are_in_every_line() {
    let dir = TempDir::new().unwrap();
    let labels = BTreeMap::from([("app".to_owned(), "<x>".to_owned())]);
    let env = ["HOME=/root".to_owned(), "SECRET=1".to_owned()];
    let origin = Origin {
        id: "0123456789abcdef",
        name: "web",
        image: "alpine",
        labels: &labels,
        env: &env,
    };
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let logging = Logging {
        options: [
            option("tag", "{{.Name}}/{{ .ID }}-{{.Other}}{{"),
            option("labels", "app, none"),
            option("env", "HOME"),
        ]
        .into(),
        ..Logging::default()
    };
    let target = logging.target(LogDriver::JsonFile, dir.path(), &origin);
    Writer::open(&target).unwrap().write(Stream::Stdout, b"x\n");
    assert_eq!(
        lines(&dir.path().join("container.log")),
        [concat!(
            r#"{"log":"x\n","stream":"stdout","attrs":{"HOME":"/root","app":"\u003cx\u003e","#,
            r#""tag":"web/0123456789ab-{{.Other}}{{"}"#
        )]
    );
    let mut details = BTreeMap::new();
    reader(dir.path(), LogDriver::JsonFile, ReadOptions::default())
        .drain(|entry| {
            details = entry.details.clone();
            Ok::<_, Error>(true)
        })
        .unwrap();
    assert_eq!(details["app"], "<x>");
    let journal = logging
        .target(LogDriver::Journald, dir.path(), &origin)
        .journal;
    assert_eq!(journal["CONTAINER_ID"], "0123456789ab");
    assert_eq!(journal["APP"], "<x>");
}

#[test]
fn kubernetes_lines_tell_parts_from_lines() {
    let dir = TempDir::new().unwrap();
    let mut writer = Writer::open(&target(dir.path(), LogDriver::K8sFile)).unwrap();
    writer.write(Stream::Stdout, b"one\ntw");
    writer.write(Stream::Stderr, b"bad \xff\n");
    writer.write(Stream::Stdout, b"o\n");
    drop(writer);
    let text = fs::read(dir.path().join("container.log")).unwrap();
    let text = String::from_utf8_lossy(&text);
    let tails: Vec<&str> = text
        .lines()
        .map(|line| {
            let (time, tail) = line.split_once(' ').unwrap();
            assert!(time.len() == 30 && parse_rfc3339(time).is_some(), "{line}");
            tail
        })
        .collect();
    assert_eq!(
        tails,
        [
            "stdout F one",
            "stdout P tw",
            "stderr F bad \u{fffd}",
            "stdout F o"
        ]
    );
    let mut found = Vec::new();
    reader(dir.path(), LogDriver::K8sFile, ReadOptions::default())
        .drain(|entry| {
            found.push((entry.stream, entry.text.to_vec()));
            Ok::<_, Error>(true)
        })
        .unwrap();
    assert_eq!(found[1], (Stream::Stdout, b"tw".to_vec()));
    assert_eq!(found[2], (Stream::Stderr, b"bad \xff\n".to_vec()));
}

#[test]
fn rotation_keeps_so_many_files_and_a_follower_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let mut writer = small(dir.path(), 300, 3);
    let mut follower = reader(dir.path(), LogDriver::JsonFile, ReadOptions::default());
    let (mut seen, mut written) = (String::new(), String::new());
    for number in 0..200 {
        let line = format!("line {number}\n");
        writer.write(Stream::Stdout, line.as_bytes());
        written.push_str(&line);
        // Sometimes one file behind, sometimes two.
        if number % 5 == 0 {
            seen.push_str(&rest(&mut follower));
        }
        if number % 70 == 0 {
            // A supervisor that ends and one that begins.
            drop(writer);
            writer = small(dir.path(), 300, 3);
        }
    }
    seen.push_str(&rest(&mut follower));
    assert_eq!(seen, written);
    let mut names = file_names(dir.path());
    names.sort();
    assert_eq!(
        names,
        ["container.log", "container.log.1", "container.log.2"]
    );
    for name in names {
        let size = fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(size < 300 + 100, "{size}");
    }
    // What is kept is the end, whole.
    let kept = everything(dir.path());
    assert!(
        written.ends_with(&kept) && kept.lines().count() > 8,
        "{kept}"
    );
    // And the tail goes across files.
    for wanted in [0, 1, 5, 9, 10_000] {
        let options = ReadOptions {
            tail: Some(wanted),
            ..ReadOptions::default()
        };
        let tail = rest(&mut reader(dir.path(), LogDriver::JsonFile, options));
        let count = kept.lines().count().min(wanted as usize);
        assert_eq!(tail.lines().count(), count, "{wanted}");
        assert!(kept.ends_with(&tail));
    }
}

fn file_names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn one_file_begins_anew_and_its_follower_reads_the_old_one_to_the_end() {
    let dir = TempDir::new().unwrap();
    let mut writer = small(dir.path(), 100, 1);
    let mut follower = reader(dir.path(), LogDriver::JsonFile, ReadOptions::default());
    writer.write(Stream::Stdout, b"first\n");
    assert_eq!(rest(&mut follower), "first\n");
    writer.write(Stream::Stdout, b"second\nthird\n");
    assert_eq!(rest(&mut follower), "second\nthird\n");
    assert_eq!(everything(dir.path()), "third\n");
    assert_eq!(file_names(dir.path()), ["container.log"]);
}

#[test]
fn a_reader_that_runs_beside_a_rotating_writer_sees_each_line_once() {
    let dir = TempDir::new().unwrap();
    // Files enough that none is dropped before the reader has it.
    let mut writer = small(dir.path(), 2000, 400);
    let mut follower = reader(dir.path(), LogDriver::JsonFile, ReadOptions::default());
    let lines = 5000;
    let writing = std::thread::spawn(move || {
        for number in 0..lines {
            writer.write(Stream::Stdout, format!("{number}\n").as_bytes());
        }
    });
    let mut next = 0;
    while next < lines {
        follower
            .drain(|entry| {
                assert_eq!(entry.text.as_ref(), format!("{next}\n").as_bytes());
                next += 1;
                Ok::<_, Error>(true)
            })
            .unwrap();
    }
    writing.join().unwrap();
    assert_eq!(rest(&mut follower), "");
}

#[test]
fn files_that_move_up_while_a_reader_looks_for_them_are_not_missed() {
    let dir = TempDir::new().unwrap();
    let mut writer = small(dir.path(), 1, 1_000_000);
    for number in 0..20 {
        writer.write(Stream::Stdout, format!("{number}\n").as_bytes());
    }
    let writing = std::thread::spawn(move || {
        for number in 20..400 {
            writer.write(Stream::Stdout, format!("{number}\n").as_bytes());
        }
    });
    while !writing.is_finished() {
        let text = everything(dir.path());
        let found: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert!(found.len() >= 20, "{found:?}");
        assert!(found.iter().copied().eq(0..found.len()), "{found:?}");
    }
    writing.join().unwrap();
}

#[test]
fn an_entry_that_was_cut_off_is_taken_back() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("container.log");
    small(dir.path(), 0, 1).write(Stream::Stdout, b"whole\n");
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(&b"{\"log\":\"".repeat(200));
    fs::write(&path, &torn).unwrap();
    let mut follower = reader(dir.path(), LogDriver::JsonFile, ReadOptions::default());
    assert_eq!(rest(&mut follower), "whole\n");
    small(dir.path(), 0, 1).write(Stream::Stdout, b"next\n");
    assert_eq!(rest(&mut follower), "next\n");
    assert_eq!(everything(dir.path()), "whole\nnext\n");
}

#[test]
fn junk_in_a_log_is_skipped() {
    let dir = TempDir::new().unwrap();
    let good = r#"{"log":"good\n","stream":"stderr","time":"2026-01-01T00:00:00Z"}"#;
    let huge = "y".repeat(9 << 20);
    let text = format!("nonsense\n{{}}\n\n[1]\n{huge}\n{good}\n\u{0}\u{ff}\n{good}\n{{\"log\":");
    fs::write(dir.path().join("container.log"), text).unwrap();
    assert_eq!(everything(dir.path()), "good\ngood\n");
    let mut reader = reader(dir.path(), LogDriver::K8sFile, ReadOptions::default());
    assert_eq!(rest(&mut reader), "");
}

#[test]
fn the_last_lines_are_the_payloads_whatever_parts_they_came_in() {
    let dir = TempDir::new().unwrap();
    let line = |(tag, text): (&str, &str)| format!("2026-01-01T00:00:00Z stdout {tag} {text}\n");
    let parts = [
        ("F", "one"),
        ("P", "t"),
        ("P", "w"),
        ("F:x", "o"),
        ("F", "three"),
        ("P", "half"),
    ];
    let text: String = parts.into_iter().map(line).collect();
    fs::write(dir.path().join("container.log"), text).unwrap();
    for (wanted, want) in [
        (0, ""),
        (1, "half"),
        (2, "three\nhalf"),
        (3, "two\nthree\nhalf"),
        (4, "one\ntwo\nthree\nhalf"),
        (9, "one\ntwo\nthree\nhalf"),
    ] {
        let options = ReadOptions {
            tail: Some(wanted),
            ..ReadOptions::default()
        };
        let shown = rest(&mut reader(dir.path(), LogDriver::K8sFile, options));
        assert_eq!(shown, want, "{wanted}");
    }
}

#[test]
fn since_and_until_bound_what_is_read() {
    let dir = TempDir::new().unwrap();
    let line = |hour: u32| {
        format!(
            "{{\"log\":\"{hour}\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T{hour:02}:00:00Z\"}}\n"
        )
    };
    let path = dir.path().join("container.log");
    fs::write(&path, (0..10).map(line).collect::<String>()).unwrap();
    let at = |hour: u32| parse_rfc3339(&format!("2026-01-01T{hour:02}:00:00Z"));
    let options = ReadOptions {
        tail: Some(6),
        since: at(5),
        until: at(7),
    };
    let mut bounded = reader(dir.path(), LogDriver::JsonFile, options);
    assert_eq!(rest(&mut bounded), "5\n6\n7\n");
    assert!(bounded.is_finished());
    let options = ReadOptions {
        since: Some(Timestamp(at(9).unwrap().0 + 1)),
        ..ReadOptions::default()
    };
    assert_eq!(
        rest(&mut reader(dir.path(), LogDriver::JsonFile, options)),
        ""
    );
}

#[test]
fn a_full_disk_costs_lines_and_is_told_afterwards() {
    // A size limit of the file system would need rights; a log that cannot be made again after
    // its rotation is refused in the same place.
    let dir = TempDir::new().unwrap();
    let mut writer = small(dir.path(), 60, 2);
    writer.write(Stream::Stdout, b"a line that fills the file at once\n");
    let moved = dir.path().with_extension("moved");
    fs::rename(dir.path(), &moved).unwrap();
    writer.write(Stream::Stdout, b"lost 1\nlost 2\n");
    writer.write(Stream::Stderr, b"lost 3\n");
    assert_eq!(writer.dropped(), 3);
    fs::rename(&moved, dir.path()).unwrap();
    writer.write(Stream::Stdout, b"back\n");
    assert_eq!(writer.dropped(), 0);
    drop(writer);
    assert!(everything(dir.path()).contains("ketch: 3 lines of output are missing here"));
    assert!(everything(dir.path()).ends_with("back\n"));
}

#[test]
fn the_journal_gets_fields() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    let server = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let fields = BTreeMap::from([
        ("CONTAINER_NAME".to_owned(), "web".to_owned()),
        ("X".to_owned(), "a\nb".to_owned()),
    ]);
    let mut journal = Journal::open_at(&path, &fields).unwrap();
    journal.send(Stream::Stderr, b"text", false);
    let mut buffer = [0; 500];
    let length = server.recv(&mut buffer).unwrap();
    assert_eq!(
        buffer[..length],
        *b"CONTAINER_NAME=web\nX\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=3\nCONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=text\n"
    );
    let error = Journal::open_at(&dir.path().join("none"), &fields).unwrap_err();
    assert_eq!(error.advice(), Some("use --log-driver json-file"));
}

#[test]
fn drivers_without_a_log_make_no_file() {
    let dir = TempDir::new().unwrap();
    for driver in [LogDriver::None, LogDriver::Passthrough] {
        let mut writer = Writer::open(&target(dir.path(), driver)).unwrap();
        writer.write(Stream::Stdout, b"x\n");
    }
    assert_eq!(file_names(dir.path()), [""; 0]);
}
