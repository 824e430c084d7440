//! A Debian made by debootstrap, pushed by skopeo into a real registry: what a user does first.
//!
//! `KETCH_TEST_DEBIAN` names the tree, whose apt is set up for a mirror that this machine
//! reaches; the word `none` says that there is no such mirror.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::harness::env::payload;
use crate::harness::process::Running;
use crate::harness::terminal::Terminal;
use crate::harness::{Env, require};
use crate::peers::{LONG, real_registry, same_lines, unpacked_by_umoci};

/// The image in its registry, which answers until the test process ends.
pub(crate) struct Debian {
    pub(crate) name: String,
    /// What umoci unpacks.
    tree: String,
    _registry: Running,
    _env: Env,
}

fn finish(mut command: Command, arguments: &[&str]) {
    command.args(arguments);
    Running::start(command).finish_within(LONG).ok();
}

fn make(source: &Path) -> Debian {
    let env = Env::any();
    // Mount points that are there already leave their folder's time alone.
    let tree = env.text("tree");
    finish(
        Command::new("cp"),
        &["-a", "--reflink=auto", source.to_str().unwrap(), &tree],
    );
    for name in ["hosts", "hostname", "resolv.conf"] {
        std::fs::write(env.path("tree/etc").join(name), "").unwrap();
    }
    let layout = env.text("layout");
    let image = format!("{layout}:v1");
    let umoci = |arguments: &[&str]| finish(Command::new("umoci"), arguments);
    umoci(&["init", "--layout", &layout]);
    umoci(&["new", "--image", &image]);
    umoci(&["insert", "--image", &image, &tree, "/"]);
    umoci(&["config", "--image", &image, "--config.cmd", "bash"]);
    let (registry, address) = real_registry(&env);
    let name = format!("{address}/debian:v1");
    let (from, to) = (format!("oci:{image}"), format!("docker://{name}"));
    finish(
        env.program("/usr/bin/skopeo"),
        &[
            "--insecure-policy",
            "copy",
            "-q",
            "--dest-tls-verify=false",
            &from,
            &to,
        ],
    );
    Debian {
        name,
        tree: unpacked_by_umoci(&env, &image),
        _registry: registry,
        _env: env,
    }
}

/// The image; only root can make one, and it tries every identity.
fn debian() -> Option<&'static Debian> {
    static MADE: OnceLock<Debian> = OnceLock::new();
    let tree = std::env::var_os("KETCH_TEST_DEBIAN").map(PathBuf::from);
    if !nix::unistd::geteuid().is_root() || tree.as_deref() == Some(Path::new("none")) {
        return None;
    }
    require!("a Debian tree (KETCH_TEST_DEBIAN)", tree.is_some());
    for program in ["skopeo", "umoci", "docker-registry"] {
        require!(program, require::program(program));
    }
    Some(MADE.get_or_init(|| make(&tree.unwrap_or_default())))
}

pub(crate) fn pulled(env: &Env) -> Option<&'static Debian> {
    let debian = debian()?;
    env.spawn(&["pull", "-q", &debian.name])
        .finish_within(LONG)
        .ok();
    Some(debian)
}

const INSTALL: &str = r#"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends uuid-runtime
# Over files of the image: dpkg links what it replaces.
apt-get install -y -qq --reinstall tar
id uuidd
dpkg --audit
useradd --create-home someone
su someone -c 'cd && id -un && touch mine'
setpriv --reuid someone --regid someone --init-groups id -gn
chown 12:34 /home/someone
cd /srv && touch a && chown 55:66 a && tar --owner 77 --group 88 --numeric-owner -cf a.tar a
mkdir out && tar -C out -xpf a.tar
/mnt/payload walk /srv
"#;

cases! {
    fn debian_runs_and_is_the_tree_that_umoci_unpacks(env) {
        let Some(debian) = pulled(env) else { return };
        let release = env.ketch(&["run", "--rm", &debian.name, "bash", "-c", "cat /etc/os-release"]);
        assert!(release.ok().contains("ID=debian"), "{release}");
        let volume = format!("{}:/mnt:ro", payload().parent().unwrap().display());
        let own = env.ketch(&["run", "--rm", "-v", &volume, &debian.name, "/mnt/payload", "walk", "/"]);
        same_lines(own.ok(), &debian.tree);
    }

    fn an_interactive_shell_has_job_control(env) {
        let Some(debian) = pulled(env) else { return };
        let mut terminal = Terminal::start(env, &["run", "--rm", "-it", &debian.name, "bash", "--norc"]);
        terminal.types("tty; sleep 50 &\n");
        terminal.screen.wait_for("/dev/pts/0");
        terminal.types("kill %1; wait %1; echo waited $?; exit 7\n");
        let (code, screen, restored) = terminal.finish();
        assert!(code == 7 && restored, "{code} {screen}");
        assert!(screen.contains("waited 143") && !screen.contains("no job control"), "{screen}");
    }

    fn packages_with_system_users_are_installed(env) {
        let Some(debian) = pulled(env) else { return };
        let volume = format!("{}:/mnt:ro", payload().parent().unwrap().display());
        let run = ["run", "--rm", "-v", &volume, &debian.name, "bash", "-euc", INSTALL];
        let output = env.spawn(&run).finish_within(LONG);
        output.ok();
        for line in ["(uuidd)", "\nsomeone\nsomeone\n"] {
            assert!(output.stdout.contains(line), "{line}: {output}");
        }
        // As they are, or as they are meant to be.
        for (file, owner) in [("\"a\"", " 55:66 "), ("\"out/a\"", " 77:88 ")] {
            let right = |line: &str| line.starts_with(file) && line.contains(owner);
            assert!(output.stdout.lines().any(right), "{file}: {output}");
        }
        assert!(!output.stderr.contains("unsandboxed"), "{output}");
    }
}
