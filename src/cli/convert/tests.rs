//! Conversions as tables: words of a command line to the request's groups.

use std::path::Path;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::*;
use crate::cli::args::{
    ContainerArgs, MountArgs, NetworkArgs, ProcessArgs, ResourceArgs, SecurityArgs,
};
use crate::cli::personality::Personality;
use crate::common::Kind;
use crate::spec::config::{MountKind, NetworkMode, Userns};

#[derive(Parser)]
#[command(disable_help_flag = true, args_override_self = true)]
struct All {
    #[command(flatten)]
    container: ContainerArgs,
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    mounts: MountArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    security: SecurityArgs,
}

struct Nobody;

impl Caller for Nobody {
    fn get(&self, key: &str) -> Option<String> {
        (key == "HERE").then(|| "value".to_owned())
    }

    fn all(&self) -> Vec<(String, String)> {
        vec![("HERE".to_owned(), "value".to_owned())]
    }
}

fn convert(words: &[&str]) -> Result<Config> {
    // As a command line is read.
    let command = crate::cli::dispatch::optional_values(All::command());
    let matches = command.try_get_matches_from(std::iter::once(&"run").chain(words));
    let args = All::from_arg_matches(&matches.unwrap()).unwrap();
    let place = Place {
        cwd: Path::new("/cwd"),
        home: None,
        create_sources: true,
        copy_up: false,
    };
    let around = Surroundings {
        place,
        personality: Personality::Docker,
        caller: &Nobody,
    };
    let named = args.process.hostname.is_some();
    let network = network(&args.network, named, &place, Personality::Docker)?;
    let signal = args.container.stop_signal.as_deref();
    let mut config = Config {
        process: process(&args.process, &[], signal, &around)?,
        resources: resources(&args.resources)?,
        security: security(&args.security, &network, named, &place, Personality::Docker)?,
        network,
        ..Config::default()
    };
    mounts(&args.mounts, &around, &mut config)?;
    container(&args.container, &mut config)?;
    Ok(config)
}

#[test]
fn flags_reach_their_groups() {
    let config = convert(&[
        "-it",
        "-e",
        "A=1",
        "-e",
        "HERE",
        "--unsetenv",
        "B",
        "-w",
        "/w/../x",
        "-u",
        "1:2",
        "-h",
        "web",
        "--entrypoint",
        "[\"/a\", \"b\"]",
        "--init",
        "-v",
        "./d:/d:ro",
        "--tmpfs",
        "/t",
        "--read-only",
        "--shm-size",
        "1m",
        "--net",
        "none",
        "-m",
        "64m",
        "--memory-swap=-1",
        "--cpus",
        "1.5",
        "--pids-limit",
        "-1",
        "--ulimit",
        "core=0",
        "--cap-drop",
        "all",
        "--cap-add",
        "chown",
        "--security-opt",
        "seccomp=unconfined",
        "--userns",
        "keep-id",
        "-l",
        "a=b",
        "--annotation",
        "c=d",
        "--timeout",
        "9",
        "--stop-signal",
        "SIGRTMIN+3",
        "--group-add",
        "keep-groups",
    ])
    .unwrap();
    let process = &config.process;
    assert!(process.stdio.interactive && process.stdio.tty && process.init && process.keep_groups);
    let env: Vec<_> = process
        .env
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.as_deref()))
        .collect();
    assert_eq!(
        env,
        [("A", Some("1")), ("HERE", Some("value")), ("B", None)]
    );
    assert_eq!(process.workdir.as_deref(), Some("/x"));
    assert_eq!(process.entrypoint.as_deref().unwrap(), ["/a", "b"]);
    assert_eq!(process.stop_signal.as_deref(), Some("SIGRTMIN+3"));
    assert!(matches!(&config.mounts[0].kind, MountKind::Bind { source, .. } if source == "/cwd/d"));
    assert!(config.mounts[0].read_only && config.read_only);
    assert_eq!(config.mounts[1].target, "/t");
    assert_eq!(config.shm_size, Some(1 << 20));
    assert_eq!(config.network.mode, NetworkMode::None);
    let limits = &config.resources.limits;
    assert_eq!(limits.memory, Some(64 << 20));
    assert_eq!(limits.memory_swap, Some(-1));
    assert_eq!(limits.nano_cpus, Some(1_500_000_000));
    assert_eq!(limits.pids, Some(-1));
    assert_eq!(config.security.cap_drop, ["ALL"]);
    assert_eq!(config.security.cap_add, ["CAP_CHOWN"]);
    assert_eq!(
        config.security.userns,
        Userns::KeepId {
            uid: None,
            gid: None
        }
    );
    assert_eq!(config.labels["a"], "b");
    assert_eq!(config.annotations["c"], "d");
    assert_eq!(config.timeout, Some(9));
}

#[test]
fn zero_means_not_set_and_defaults_stay_empty() {
    let words = [
        "--cpus",
        "0",
        "--memory",
        "0",
        "--cpu-shares",
        "0",
        "--timeout",
        "0",
    ];
    assert_eq!(convert(&words).unwrap(), convert(&[]).unwrap());
    assert_eq!(
        convert(&["--pids-limit", "0"])
            .unwrap()
            .resources
            .limits
            .pids,
        Some(-1)
    );
    assert_eq!(
        convert(&["--entrypoint", ""]).unwrap().process.entrypoint,
        Some(vec![])
    );
}

#[test]
fn conflicts_and_duplicates_are_usage_errors() {
    for words in [
        &["--cpus", "1", "--cpu-quota", "1000"][..],
        &["--uts", "host", "-h", "x"],
        &["-v", "/a:/x", "--tmpfs", "/x/"],
        &["-v", "/a:/x", "--mount", "type=bind,src=/b,dst=/x"],
        &["--memory-swap", "1g"],
        &["--memory", "2g", "--memory-swap", "1g"],
        &["--group-add", "keep-groups", "--group-add", "5"],
        &["--net", "host", "--sysctl", "net.core.somaxconn=1"],
        &["--stop-signal", "SIGNOPE"],
        &["--unsetenv", "A=B"],
        &["--cpuset-cpus", "x"],
        &["--oom-score-adj", "2000"],
    ] {
        let error = convert(words).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{words:?}");
    }
    let twice = convert(&["-v", "/a:/x", "-v", "/b:/x"]).unwrap_err();
    assert!(twice.to_string().contains("Duplicate mount point: /x"));
}

#[test]
fn files_are_read_in_order_and_flags_win() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("env");
    std::fs::write(&file, "A=file\nB=file\n").unwrap();
    let path = file.to_str().unwrap();
    let config = convert(&["-e", "A=flag", "--env-file", path, "--label-file", path]).unwrap();
    let keys: Vec<_> = config
        .process
        .env
        .iter()
        .map(|entry| entry.value.as_deref().unwrap())
        .collect();
    assert_eq!(keys, ["file", "file", "flag"]);
    assert_eq!(config.labels["B"], "file");
    let missing = convert(&["--env-file", "/nonexistent/env"]).unwrap_err();
    assert_eq!(missing.kind(), Kind::NotFound);
}

#[test]
fn networks_and_what_is_asked_of_them() {
    let network = |words: &[&str]| convert(words).unwrap().network;
    let found = network(&[
        "--network",
        "front",
        "--network",
        "name=back,alias=db",
        "--ip",
        "10.9.0.7",
        "--network-alias",
        "web",
        "--mac-address",
        "02-00-00-00-00-0A",
        "-p",
        "8080:80",
    ]);
    assert_eq!(found.mode, NetworkMode::Named);
    let [front, back] = found.attachments.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(front.ip, Some("10.9.0.7".parse().unwrap()));
    assert_eq!(
        (front.aliases.as_slice(), front.mac.as_deref()),
        (&["web".to_owned()][..], Some("02:00:00:00:00:0a"))
    );
    assert_eq!(back.aliases, ["db"]);
    assert_eq!(found.ports.len(), 1);
    let found = network(&["--mac-address", "02:00:00:00:00:0a"]);
    assert_eq!(found.mode, NetworkMode::Default);
    assert!(found.attachments[0].network.is_empty() && found.attachments[0].mac.is_some());
    for words in [
        &["--network", "host", "--network", "net"][..],
        &["--network", "net", "--network", "net"],
        &["--network", "none", "--network", "none"],
        &["--network-alias", "web"],
        &["--network", "bridge", "--network-alias", "web"],
        &["--network", "host", "--ip", "10.9.0.7"],
        &["--network", "net:ip=10.9.0.8", "--ip", "10.9.0.7"],
        &["--network", "host", "--mac-address", "02:00:00:00:00:0a"],
        &["--network", "container:x", "--hostname", "y"],
        &["--network", "container:x", "-p", "80"],
        &["--network", "container:x", "--dns", "1.1.1.1"],
        &["--network", "container:x", "--add-host", "a:1.1.1.1"],
        &["--dns", "none", "--dns", "1.1.1.1"],
        &["--dns", "none", "--dns-search", "x"],
        &["--no-hosts", "--hosts-file", "none"],
        &["-p", "80:80", "-p", "80:81"],
        &["-p", "127.0.0.1:80:80", "-p", "80:80"],
    ] {
        assert!(convert(words).is_err(), "{words:?}");
    }
    for words in [
        &["-p", "127.0.0.1:80:80", "-p", "127.0.0.2:80:80"][..],
        &["-p", "80:80", "-p", "80:80/udp"],
        &["-p", "80", "-p", "80"],
        &["-p", "0.0.0.0:80:80", "-p", "[::]:80:80"],
    ] {
        convert(words).unwrap();
    }
}
