//! `stats`: what containers use, with and without a cgroup, in docker's words and in podman's.

use nix::sys::signal::Signal;

use crate::events::{called, spawned};
use crate::harness::process::Running;
use crate::ps::{ended, running};

/// The number at the beginning of a text such as `12.5%`.
fn number(text: &str) -> f64 {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    text[..end.unwrap_or(text.len())]
        .parse()
        .unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

cases! {
    fn a_running_container_is_measured(env) {
        ended(env, "done", &[]);
        let busy = running(env, "busy", &[]);
        let output = env.ketch(&["stats", "--no-stream"]);
        let lines: Vec<&str> = output.ok().lines().collect();
        assert_eq!(lines.len(), 2, "{output}");
        let headings = ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"];
        let places: Vec<usize> = headings.iter().map(|word| lines[0].find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{output}");
        assert!(lines[1].contains("busy") && !output.stdout.contains('\u{1b}'), "{output}");
        // Said once, and never as data.
        let said = output.stderr.matches("/proc").count();
        assert!(said <= 1, "{output}");
        let row = env.ketch(&["stats", "--no-stream", "--format", "json", "busy"]).rows().remove(0);
        let text = |key: &str| row[key].as_str().unwrap();
        assert_eq!((text("Name"), text("Container"), text("PIDs")), ("busy", "busy", "1"));
        assert!(number(text("CPUPerc")) < 50.0 && text("CPUPerc").ends_with('%'), "{row}");
        let (used, limit) = text("MemUsage").split_once(" / ").unwrap();
        assert!(number(used) > 0.0 && used.contains("iB") && limit.contains("iB"), "{row}");
        assert_eq!(text("NetIO"), "0B / 0B");
        assert_eq!(text("ID").len(), 12);
        let long = env.ketch(&["stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.Name}}", "-a"]);
        let rows: Vec<&str> = long.ok().lines().collect();
        assert!(rows[0].ends_with(" busy") && rows[1].ends_with(" done") && rows[0].len() == 69, "{long}");
        // What does not run uses nothing.
        let done = env.ketch(&["stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", "done"]);
        assert_eq!(done.ok(), "0.00% 0B / 0B 0");
        env.ketch(&["stats", "--no-stream", "nobody"]).fails(1, &["nobody"]);
        env.ketch(&["stats", "--no-stream", "-a", "busy"]).refused(&["--all"]);
        busy.signal(Signal::SIGKILL);
        busy.finish();
    }

    fn work_shows_in_percent_and_processes(env) {
        let image = env.base();
        let busy = env.spawn(&["run", "--rm", "--name", "busy", "--network", "none", &image, "payload", "spin"]);
        busy.stdout.wait_for("ready");
        let row = env.ketch(&["stats", "--no-stream", "--format", "{{.CPUPerc}}", "busy"]);
        assert!(number(row.ok()) > 5.0, "{row}");
        // podman shows the average since the start at once, and typed names.
        let rows = called(env, "podman", &["stats", "--no-stream", "--format", "json", "busy"]).rows();
        for key in ["id", "name", "cpu_time", "cpu_percent", "avg_cpu", "mem_usage", "mem_percent", "net_io", "block_io", "pids"] {
            assert!(rows[0][key].is_string(), "{key}: {rows:?}");
        }
        assert!(number(rows[0]["cpu_percent"].as_str().unwrap()) > 5.0, "{rows:?}");
        called(env, "podman", &["stats", "--no-stream", "busy"]).says("CPU TIME").says("AVG CPU %").says("-- / --");
        busy.signal(Signal::SIGKILL);
        busy.finish();
    }

    fn a_stream_is_drawn_again_until_its_end(env) {
        let busy = running(env, "busy", &[]);
        let stream = env.spawn(&["stats", "busy"]);
        stream.stdout.wait_for("\u{1b}[2J\u{1b}[HCONTAINER ID");
        stream.stdout.wait_for("\u{1b}[J\u{1b}[HCONTAINER ID");
        assert!(stream.is_running());
        let every = spawned(env, "podman", &["stats", "--interval", "1", "--no-reset", "--format", "{{.Name}}"]);
        every.stdout.wait_for("busy\nbusy\n");
        env.ketch(&["rm", "-f", "busy"]).ok();
        busy.finish().exits(137);
        stream.finish().ok();
        // Without names it goes on for what may come, until nobody looks.
        assert!(every.is_running());
        let mut command = env.program("/bin/sh");
        let ketch = crate::harness::env::executable();
        command.args(["-c", "\"$0\" stats | head -n 1"]).arg(ketch);
        Running::start(command).finish().says("CONTAINER ID");
    }
}

#[test]
fn limits_are_shown_where_they_are_enforced() {
    let env = crate::harness::Env::any();
    let busy = running(&env, "busy", &["--memory", "64m"]);
    let row = env.ketch(&["stats", "--no-stream", "--format", "{{.MemUsage}}", "busy"]);
    assert!(row.ok().ends_with(" / 64MiB"), "{row}");
    busy.signal(Signal::SIGKILL);
    busy.finish();
}
