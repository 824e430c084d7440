//! A private world for one case: home, store and settings in a fresh directory, a cleared
//! environment, and the identity that the case runs as.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::{Uid, User, geteuid};
use tempfile::TempDir;

use super::process::{Output, Running};
use super::registry::Registry;
use super::{Image, require};

/// Where system programs live; the caller's own PATH plays no part.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An ordinary user without a name and without a range of subordinate ids.
const PLAIN: u32 = 54_321;

/// The rung of the identity ladder that a case runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Root,
    Subid,
    Single,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

impl Identity {
    fn word(self) -> &'static str {
        match self {
            Identity::Root => "root",
            Identity::Subid => "subid",
            Identity::Single => "single",
        }
    }

    /// The user and group to run as, or `None` when this process cannot take the identity.
    fn user(self) -> Option<(u32, u32)> {
        let own = (geteuid().as_raw(), nix::unistd::getegid().as_raw());
        match (self, own.0) {
            (Identity::Root, 0) => Some(own),
            // An ordinary user cannot become root: that is no gap in the machine.
            (Identity::Root, _) => None,
            (Identity::Single, 0) => Some((PLAIN, PLAIN)),
            (Identity::Single, _) => Some(own),
            (Identity::Subid, 0) => {
                require!("newuidmap", require::program("newuidmap"));
                let user = ranged_user();
                require!("a user with a range in /etc/subuid", user.is_some());
                user
            }
            (Identity::Subid, uid) => {
                let name = User::from_uid(Uid::from_raw(uid)).ok().flatten()?.name;
                (require::program("newuidmap") && has_range(&name)).then_some(own)
            }
        }
    }
}

fn has_range(name: &str) -> bool {
    let text = fs::read_to_string("/etc/subuid").unwrap_or_default();
    text.lines()
        .any(|line| line.split(':').next() == Some(name))
}

/// The user of `KETCH_TEST_USER`, else the first user with a range.
fn ranged_user() -> Option<(u32, u32)> {
    let named = std::env::var("KETCH_TEST_USER").ok();
    let text = fs::read_to_string("/etc/subuid").unwrap_or_default();
    let listed = text
        .lines()
        .filter_map(|line| line.split(':').next().map(str::to_owned));
    named
        .into_iter()
        .chain(listed)
        .filter_map(|name| User::from_name(&name).ok().flatten())
        .find(|user| !user.uid.is_root())
        .map(|user| (user.uid.as_raw(), user.gid.as_raw()))
}

/// A private world; leaving it checks that no mount was left in it.
pub(crate) struct Env {
    home: TempDir,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The rung, or `None` when ketch chooses for itself.
    pub(crate) identity: Option<Identity>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Env {
    /// A world as the user of this process, where ketch chooses the rung.
    pub(crate) fn any() -> Env {
        Env::at(geteuid().as_raw(), nix::unistd::getegid().as_raw(), None)
    }

    /// Runs a case in a world of the identity, when this process can take it.
    pub(crate) fn with(identity: Identity, case: fn(&Env)) {
        if let Some((uid, gid)) = identity.user() {
            case(&Env::at(uid, gid, Some(identity)));
        }
    }

    /// As [`with`](Env::with), in a world that `change` has changed first.
    pub(crate) fn changed(identity: Identity, change: fn(&mut Env), case: fn(&Env)) {
        if let Some((uid, gid)) = identity.user() {
            let mut env = Env::at(uid, gid, Some(identity));
            change(&mut env);
            case(&env);
        }
    }

    fn at(uid: u32, gid: u32, identity: Option<Identity>) -> Env {
        let home = tempfile::Builder::new()
            .prefix("ketch-it-")
            .tempdir()
            .unwrap();
        // The mapped root of a container is another user on the way to the store.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut env = Env {
            home,
            uid,
            gid,
            identity,
            variables: Vec::new(),
        };
        for folder in ["config", "data", "cache", "work"] {
            fs::create_dir(env.path(folder)).unwrap();
        }
        fs::write(env.path("registries.conf"), "").unwrap();
        for name in ["", "config", "data", "cache", "work", "registries.conf"] {
            chown(env.path(name), Some(uid), Some(gid)).unwrap();
        }
        let home = env
            .path("")
            .to_str()
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        for (key, value) in [
            ("PATH", PATH.to_owned()),
            ("HOME", home.clone()),
            ("KETCH_ROOT", format!("{home}/store")),
            ("XDG_CONFIG_HOME", format!("{home}/config")),
            ("XDG_DATA_HOME", format!("{home}/data")),
            ("XDG_CACHE_HOME", format!("{home}/cache")),
            (
                "CONTAINERS_REGISTRIES_CONF",
                format!("{home}/registries.conf"),
            ),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("COLUMNS", "100".to_owned()),
        ] {
            env.set(key, &value);
        }
        if let Some(identity) = identity {
            env.set("KETCH_IDENTITY", identity.word());
        }
        env
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.variables.retain(|(known, _)| known != key);
        self.variables.push((key.to_owned(), value.to_owned()));
    }

    /// A path below the home of this world.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// The same as text, for a command line.
    pub(crate) fn text(&self, below: &str) -> String {
        self.path(below).to_str().unwrap().to_owned()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// Makes a file that belongs to the user of this world.
    pub(crate) fn file(&self, below: &str, text: &str) -> String {
        fs::write(self.path(below), text).unwrap();
        chown(self.path(below), Some(self.uid), Some(self.gid)).unwrap();
        self.text(below)
    }

    /// Makes a directory that belongs to the user of this world.
    pub(crate) fn folder(&self, below: &str) -> String {
        fs::create_dir_all(self.path(below)).unwrap();
        chown(self.path(below), Some(self.uid), Some(self.gid)).unwrap();
        self.text(below)
    }

    /// A program as the user of this world, with its environment and nothing else.
    pub(crate) fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .envs(self.variables.iter().map(|(key, value)| (key, value)));
        command.current_dir(self.path("work"));
        if self.uid != geteuid().as_raw() {
            // With a user set, the standard library also empties the supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(executable());
        command.args(arguments);
        command
    }

    /// Runs ketch to its end with an empty standard input.
    pub(crate) fn ketch(&self, arguments: &[&str]) -> Output {
        self.spawn(arguments).finish()
    }

    pub(crate) fn ketch_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut running = self.spawn(arguments);
        running.write(input);
        running.finish()
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Runs `payload` in a fresh container of the base image and returns what ketch left.
    pub(crate) fn payload(&self, flags: &[&str], payload: &[&str]) -> Output {
        let image = self.base();
        let mut arguments = vec!["run", "--rm", "--network", "none"];
        arguments.extend(flags);
        arguments.push(&image);
        arguments.push("payload");
        arguments.extend(payload);
        self.ketch(&arguments)
    }

    /// The reference of the base image, served to every world by one registry.
    pub(crate) fn base(&self) -> String {
        static BASE: OnceLock<(Registry, String)> = OnceLock::new();
        let (_, name) = BASE.get_or_init(|| {
            let registry = Registry::start();
            let name = registry.push("base", "latest", &Image::base().build());
            (registry, name)
        });
        name.clone()
    }

    /// Serves an image of its own to this world and returns its reference.
    pub(crate) fn image(&self, image: Image) -> String {
        // The registry answers until the test process ends.
        Registry::start().push("case", "latest", &image.build())
    }

    /// What is written down of a container's network: the last line counts. Null for none.
    pub(crate) fn noted_network(&self, id: &str) -> serde_json::Value {
        let path = self.store().join(format!("containers/{id}/network.json"));
        let text = fs::read_to_string(path).unwrap_or_default();
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_default()
    }

    /// Names of what lies in a folder of the store, or nothing when it is not there.
    pub(crate) fn stored(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.store().join(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// What is left of containers: directories and claimed names.
    pub(crate) fn containers(&self) -> Vec<String> {
        let mut left = self.stored("containers");
        // What `ps` remembers of many is no container.
        left.retain(|name| name != "names" && name != "listing");
        left.extend(self.stored("containers/names"));
        left.retain(|name| name != ".lock");
        left
    }

    /// Half-done work in the store. A download that was cut short is kept on purpose: the next
    /// pull goes on with it.
    pub(crate) fn half_done(&self) -> Vec<String> {
        let mut left = self.stored("tmp");
        left.retain(|name| !(name.starts_with("blob-") && name.ends_with(".partial")));
        for mode in self.stored("layers") {
            let layers = self.stored(&format!("layers/{mode}"));
            left.extend(layers.into_iter().filter(|name| name.starts_with('.')));
        }
        left
    }

    /// Asserts that the store is valid and holds neither a container nor half-done work.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        self.ketch(&["system", "check"]).ok();
        assert_eq!(self.containers(), [""; 0]);
        assert_eq!(self.half_done(), [""; 0]);
    }
}

impl Drop for Env {
    fn drop(&mut self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let left = mounts.contains(self.home.path().to_str().unwrap());
        if std::thread::panicking() && !self.containers().is_empty() {
            // A case that failed half-way leaves containers that live on.
            let _ = self.command(&["rm", "--all", "--force"]).output();
        }
        self.remove_bridges();
        if geteuid().as_raw() != 0 {
            if self.store().join("layers/subid").exists() {
                // Files of mapped users can only be removed by who can map them again.
                let prune = ["system", "prune", "--all", "--force"];
                let _ = self.command(&["rm", "--all", "--force"]).output();
                let _ = self.command(&prune).output();
            }
            open_up(self.home.path());
        }
        assert!(
            !left || std::thread::panicking(),
            "a mount was left behind:\n{mounts}"
        );
    }
}

impl Env {
    /// Removes the bridges of this store's networks, which outlive their containers.
    fn remove_bridges(&self) {
        let networks = fs::read_dir(self.store().join("networks"));
        for network in networks.into_iter().flatten().flatten() {
            let record = fs::read(network.path().join("network.json")).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_slice(&record).unwrap_or_default();
            let bridge = record["interface"].as_str();
            if let Some(bridge) = bridge.filter(|name| name.starts_with("k-")) {
                let remove = ["link", "delete", bridge, "type", "bridge"];
                let _ = Command::new("ip").args(remove).output();
            }
        }
    }
}

/// Gives the owner back the way into every directory, so that the tree can be removed: the
/// kernel's own work directory of an overlay has mode 0.
fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Whether every ordinary user can run the file.
fn is_public(path: &Path) -> bool {
    let passable = |folder: &Path| {
        fs::metadata(folder).is_ok_and(|found| found.mode() & 0o005 == 0o005 || folder == path)
    };
    path.ancestors().all(passable)
        && fs::metadata(path).is_ok_and(|found| found.mode() & 0o001 != 0)
}

/// The file itself, or a copy where users that this process drops to can reach it.
fn reachable(path: &Path) -> PathBuf {
    if geteuid().as_raw() != 0 || is_public(path) {
        return path.to_owned();
    }
    let folder = tempfile::Builder::new()
        .prefix("ketch-bin-")
        .tempdir()
        .unwrap();
    let folder = folder.keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.join(path.file_name().unwrap());
    // Written by another process: a descriptor open for writing here could be inherited by a
    // fork in another thread, and the file could then not be executed (ETXTBSY).
    assert!(
        Command::new("cp")
            .arg(path)
            .arg(&copy)
            .status()
            .unwrap()
            .success()
    );
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// The ketch under test.
pub(crate) fn executable() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| reachable(Path::new(env!("CARGO_BIN_EXE_ketch"))))
}

/// The program inside the test images, as a file of this machine.
pub(crate) fn payload() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = Path::new(env!("CARGO_BIN_EXE_ketch")).with_file_name("examples/payload");
        if !path.exists() {
            // `cargo test --test it` builds no examples.
            let cargo = Command::new(env!("CARGO"))
                .args(["build", "--example", "payload"])
                .status();
            assert!(
                cargo.is_ok_and(|status| status.success()),
                "cargo build --example payload"
            );
        }
        reachable(&path)
    })
}
