//! What `builtin:hello` prints: this executable, run inside a container, tells what isolates it.
//!
//! The run that starts it leaves two facts in the environment that cannot be seen from inside:
//! when the command began and which namespaces its caller has.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::cli::output;
use crate::common::ExitStatus;
use crate::settings::Environment;
use crate::spec::config::EnvEntry;

/// Name of the image; only its containers get the two variables.
pub(crate) const IMAGE: &str = "builtin:hello";

const BEGAN: &str = "KETCH_BEGAN";
const OUTSIDE: &str = "KETCH_OUTSIDE";
const NAMESPACES: [&str; 7] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];

/// The variables, for a command that began `elapsed` ago.
pub(crate) fn facts(elapsed: Duration) -> Vec<EnvEntry> {
    let entry = |key: &str, value: String| EnvEntry {
        key: key.to_owned(),
        value: Some(value),
    };
    let began = monotonic().saturating_sub(elapsed);
    vec![
        entry(BEGAN, began.as_nanos().to_string()),
        entry(OUTSIDE, namespaces().join(",")),
    ]
}

/// Prints the surroundings.
pub(crate) fn print() -> anyhow::Result<ExitStatus> {
    let now = monotonic();
    let environment = Environment::capture();
    let began = environment.get(BEGAN).and_then(|text| text.parse().ok());
    let outside: Vec<&str> = environment.get(OUTSIDE).unwrap_or("").split(',').collect();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let lines = [
        (
            "user",
            format!(
                "uid {}, gid {}",
                first(&status, "Uid"),
                first(&status, "Gid")
            ),
        ),
        ("uid map", map(&read("/proc/self/uid_map"))),
        ("gid map", map(&read("/proc/self/gid_map"))),
        ("namespaces", own(&namespaces(), &outside)),
        ("cgroup", cgroup(&read("/proc/self/cgroup"))),
        ("rootfs", rootfs(&read("/proc/self/mountinfo"))),
        ("seccomp", seccomp(&status)),
        ("capabilities", first(&status, "CapEff")),
    ];
    let mut text = format!(
        "Hello from inside a ketch {} container.\n\n",
        env!("CARGO_PKG_VERSION")
    );
    for (name, value) in lines {
        text.push_str(&format!("{:<14}{value}\n", format!("{name}:")));
    }
    if let Some(began) = began.map(Duration::from_nanos) {
        let passed = now.saturating_sub(began).as_secs_f64() * 1000.0;
        text.push_str(&format!(
            "{:<14}{passed:.1} ms after the command began\n",
            "started:"
        ));
    }
    output::data(&text)?;
    Ok(ExitStatus::Code(0))
}

fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// `user:[4026531837]` and so on.
fn namespaces() -> Vec<String> {
    let link = |name: &&str| fs::read_link(format!("/proc/self/ns/{name}")).ok();
    let links = NAMESPACES.iter().filter_map(link);
    links
        .filter_map(|link| Some(link.to_str()?.to_owned()))
        .collect()
}

/// Which namespaces are the container's own, and which its caller's.
fn own(inside: &[String], outside: &[&str]) -> String {
    let names = |shared: bool| -> Vec<&str> {
        inside
            .iter()
            .filter(|link| outside.contains(&link.as_str()) == shared)
            .filter_map(|link| link.split(':').next())
            .collect()
    };
    match names(true).as_slice() {
        [] => format!("{} (own)", names(false).join(" ")),
        shared => format!(
            "{} (own), {} (caller's)",
            names(false).join(" "),
            shared.join(" ")
        ),
    }
}

/// The first value of a `Key:` line of /proc/self/status.
fn first(status: &str, key: &str) -> String {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let value = line.and_then(|line| line.split_ascii_whitespace().next());
    value.unwrap_or("?").to_owned()
}

fn map(text: &str) -> String {
    let line = |line: &str| line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(line).collect();
    match lines.as_slice() {
        [one] if one == "0 0 4294967295" => "none, ids are the host's".to_owned(),
        lines => lines.join(", "),
    }
}

fn cgroup(text: &str) -> String {
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let mut paths: Vec<&str> = paths.collect();
    paths.sort_unstable();
    paths.dedup();
    match paths.is_empty() {
        true => "none".to_owned(),
        false => paths.join(" "),
    }
}

/// The file system type mounted on `/`: the last such line holds (proc_pid_mountinfo(5)).
fn rootfs(mountinfo: &str) -> String {
    let root = mountinfo
        .lines()
        .rfind(|line| line.split(' ').nth(4) == Some("/"));
    let kind = root.and_then(|line| line.split_once(" - ")?.1.split(' ').next());
    kind.unwrap_or("unknown").to_owned()
}

fn seccomp(status: &str) -> String {
    let mode = match first(status, "Seccomp").as_str() {
        "0" => "off".to_owned(),
        "2" => format!("{} filters", first(status, "Seccomp_filters")),
        other => format!("mode {other}"),
    };
    let locked = match first(status, "NoNewPrivs").as_str() {
        "1" => ", no new privileges",
        _ => "",
    };
    format!("{mode}{locked}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_are_read_from_the_kernels_texts() {
        let status = "Uid:\t0\t0\t0\t0\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(first(status, "Uid"), "0");
        assert_eq!(seccomp(status), "1 filters, no new privileges");
        assert_eq!(
            map("  0  1000  1\n  1 100000 65536\n"),
            "0 1000 1, 1 100000 65536"
        );
        assert_eq!(map("0 0 4294967295\n"), "none, ids are the host's");
        assert_eq!(cgroup("4:memory:/a\n2:cpu:/a\n0::/\n"), "/ /a");
        let mounts = "1 0 8:1 / / rw - ext4 /dev/x rw\n5 1 0:9 / / rw - overlay overlay rw\n6 5 0:1 / /proc rw - proc proc rw\n";
        assert_eq!(rootfs(mounts), "overlay");
        let inside = ["user:[1]".to_owned(), "net:[2]".to_owned()];
        assert_eq!(own(&inside, &["net:[2]"]), "user (own), net (caller's)");
        assert_eq!(own(&inside, &[""]), "user net (own)");
    }
}
