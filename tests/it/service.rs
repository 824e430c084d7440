//! A service made of Debian's packages and lived with: PostgreSQL is installed in a container,
//! committed, pushed by skopeo, and then run, asked, crashed, stopped, started, committed and run
//! again in every mode.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::debian;
use crate::harness::env::executable;
use crate::harness::process::Running;
use crate::harness::{Env, eventually, require};
use crate::peers::LONG;

/// What the service does not need makes most of its size.
const INSTALL: &str = r#"
export DEBIAN_FRONTEND=noninteractive
printf 'path-exclude /usr/share/%s/*\n' doc man locale i18n >/etc/dpkg/dpkg.cfg.d/small
apt-get update -qq
apt-get install -y -qq --no-install-recommends postgresql
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/lib/x86_64-linux-gnu/libLLVM* /usr/lib/postgresql/15/lib/bitcode
cd /usr/lib/postgresql && ln -s * current && cd /etc/postgresql && ln -s * current
cd /var/lib/postgresql && ln -s * current
"#;

/// With one id a key that root shares with a group looks as if its owner shared it.
const SERVER: &str = r#"CMD ["postgres", "-D", "/var/lib/postgresql/current/main", "-c", "config_file=/etc/postgresql/current/main/postgresql.conf", "-c", "ssl=off", "-c", "jit=off"]"#;

/// Makes the image and returns its name in the registry.
fn make() -> Option<String> {
    let env = Env::any();
    let base = debian::pulled(&env)?;
    let install = [
        "run", "--name", "build", &base.name, "bash", "-euc", INSTALL,
    ];
    env.spawn(&install).finish_within(LONG).ok();
    let (registry, _) = base.name.split_once('/').unwrap();
    let name = format!("{registry}/service:v1");
    let path = "ENV PATH=/usr/lib/postgresql/current/bin:/usr/bin:/bin";
    let changes = [
        "-c",
        path,
        "-c",
        "USER postgres",
        "-c",
        "STOPSIGNAL SIGINT",
        "-c",
        SERVER,
    ];
    let commit = [&["commit"][..], &changes, &["build", &name]].concat();
    env.spawn(&commit).finish_within(LONG).ok();
    env.ketch(&["rm", "build"]).ok();
    let (from, to) = (
        format!("oci:{}:{name}", env.store().display()),
        format!("docker://{name}"),
    );
    let mut push = env.program("/usr/bin/skopeo");
    push.args([
        "--insecure-policy",
        "copy",
        "-q",
        "--dest-tls-verify=false",
        &from,
        &to,
    ]);
    Running::start(push).finish_within(LONG).ok();
    Some(name)
}

/// The image in its registry; only root can make one, and it tries every identity.
pub(crate) fn service() -> Option<&'static str> {
    static MADE: OnceLock<Option<String>> = OnceLock::new();
    MADE.get_or_init(make).as_deref()
}

fn state(env: &Env, name: &str) -> Value {
    env.ketch(&["container", "inspect", name]).json()[0]["State"].clone()
}

/// Waits until the service answers.
fn healthy(env: &Env, name: &str) {
    eventually("the service is healthy", || {
        env.ketch(&["healthcheck", "run", name]).code() == 0
    });
    assert_eq!(state(env, name)["Health"]["Status"], "healthy");
    env.ketch(&["ps"]).says("(healthy)");
}

fn ask(env: &Env, name: &str, query: &str) -> String {
    let output = env.ketch(&["exec", name, "psql", "-qAtc", query]);
    output.ok().to_owned()
}

/// Starts a container from a login shell with a terminal, and takes both away.
fn run_and_log_out(env: &Env, flags: &[&str]) {
    let words: Vec<String> = flags.iter().map(|word| format!("'{word}'")).collect();
    let ketch = executable().display();
    let line = format!(
        "{ketch} run -d {} && echo session=$$; exec sleep 1000",
        words.join(" ")
    );
    let mut login = env.program("script");
    login.args(["-qefc", &line, "/dev/null"]);
    let login = Running::start(login);
    login.stdout.wait_for("session=");
    let text = login.stdout.text();
    let session = text
        .split("session=")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let session: i32 = session.unwrap().trim().parse().unwrap();
    login.signal(Signal::SIGKILL);
    // Its terminal is gone already, and the signal for that may have ended it.
    let _ = killpg(Pid::from_raw(session), Signal::SIGKILL);
    login.finish();
}

cases! {
    fn a_database_is_run_crashed_stopped_committed_and_run_again(env) {
        let Some(image) = service() else { return };
        require!("script", require::program("script"));
        env.spawn(&["pull", "-q", image]).finish_within(LONG).ok();
        let dumps = env.folder("dumps");
        fs::set_permissions(&dumps, fs::Permissions::from_mode(0o777)).unwrap();
        let volume = format!("{dumps}:/dumps");
        let health = ["--network", "none", "--health-cmd", "pg_isready -q", "--health-interval", "1s"];
        let flags = ["--name", "db", "--restart", "on-failure:3", "--log-opt", "max-size=4k", "--log-opt", "max-file=3", "-v", &volume];
        run_and_log_out(env, &[&flags[..], &health, &[image]].concat());
        healthy(env, "db");
        env.ketch(&["exec", "db", "id", "-un"]).says("postgres");
        ask(env, "db", "create table t(x int); insert into t select generate_series(1, 1000); copy t to '/dumps/t'");
        assert_eq!(fs::read_to_string(env.path("dumps/t")).unwrap().lines().count(), 1000);

        let complain = "for i in $(seq 30); do psql -qc \"select nonsense $i\" 2>/dev/null || :; done";
        env.ketch(&["exec", "db", "sh", "-c", complain]).ok();
        let log = env.ketch(&["container", "inspect", "--format", "{{.LogPath}}", "db"]);
        for file in [log.ok(), &format!("{}.1", log.ok()), &format!("{}.2", log.ok())] {
            assert!((1..6_000).contains(&fs::metadata(file).unwrap().len()), "{file}");
        }
        let last = env.ketch(&["logs", "--tail", "2", "db"]);
        assert!(last.stderr.contains("select nonsense 30") && last.stdout.is_empty(), "{last}");

        let pid = state(env, "db")["Pid"].as_i64().unwrap() as i32;
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        eventually("it is started again", || {
            let state = state(env, "db");
            state["Running"] == true && state["Pid"].as_i64().is_some_and(|new| new != 0 && new as i32 != pid)
        });
        healthy(env, "db");
        assert_eq!(ask(env, "db", "select count(*), sum(x) from t"), "1000|500500");

        env.ketch(&["stop", "db"]).ok();
        let logs = env.ketch(&["logs", "--tail", "3", "db"]);
        assert!(logs.stderr.contains("database system is shut down"), "{logs}");
        assert_eq!((&state(env, "db")["Status"], &state(env, "db")["ExitCode"]), (&"exited".into(), &0.into()));
        env.ketch(&["start", "db"]).ok();
        healthy(env, "db");
        assert_eq!(ask(env, "db", "insert into t values (7); select count(*) from t"), "1001");
        env.ketch(&["stop", "db"]).ok();
        env.spawn(&["commit", "db", "db:saved"]).finish_within(LONG).ok();
        env.ketch(&["rm", "db"]).ok();

        let again = [&["run", "-d", "--name", "again"][..], &health, &["db:saved"]].concat();
        env.ketch(&again).ok();
        healthy(env, "again");
        assert_eq!(ask(env, "again", "select sum(x) from t"), "500507");
        // What the server made is the server's, whatever the mode.
        let archive = env.text("work/again.tar");
        env.spawn(&["export", "-o", &archive, "again"]).finish_within(LONG).ok();
        let mut tar = std::process::Command::new("tar");
        tar.args(["-tvf", &archive, "--wildcards", "var/lib/postgresql/15/main/base/*/[0-9]*"]);
        let list = Running::start(tar).finish();
        let owners: Vec<&str> = list.ok().lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert!(owners.len() > 100 && owners.iter().all(|owner| *owner == owners[0] && !owner.starts_with("0/") && !owner.starts_with("root/")), "{list}");
        env.ketch(&["rm", "-f", "again"]).ok();
        env.assert_clean();
    }
}
