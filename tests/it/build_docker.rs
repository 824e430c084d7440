//! docker's own engine runs what ketch built and pushed, with the same owners, modes, times and
//! configuration.
//!
//! `KETCH_TEST_DOCKER` names a directory into which Debian's packages docker.io, containerd, runc and
//! tini are unpacked; without it, or without root, there is nothing to compare with. Installed,
//! they would start an engine that changes this machine's firewall.

use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::harness::process::{Output, Running};
use crate::harness::{Env, Identity, eventually, require};
use crate::peers::real_registry;

/// An engine with a root of its own and neither bridge nor firewall.
struct Docker {
    path: String,
    socket: String,
    engine: Running,
}

impl Docker {
    fn start(env: &Env) -> Option<Docker> {
        let folder = PathBuf::from(std::env::var_os("KETCH_TEST_DOCKER")?);
        if !nix::unistd::geteuid().is_root() || !folder.join("usr/sbin/dockerd").exists() {
            return None;
        }
        let programs = ["usr/bin", "usr/sbin"].map(|name| folder.join(name).display().to_string());
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.join(":"));
        let socket = format!("unix://{}", env.text("docker.sock"));
        let mut command = Command::new(folder.join("usr/sbin/dockerd"));
        command.env_clear().env("PATH", &path).args([
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
            "--data-root",
            &env.text("docker"),
            "--exec-root",
            &env.text("docker-run"),
            "--pidfile",
            &env.text("docker.pid"),
            "-H",
            &socket,
        ]);
        let engine = Running::start(command);
        engine.stderr.wait_for("API listen on");
        Some(Docker {
            path,
            socket,
            engine,
        })
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("/usr/bin/env");
        let path = format!("PATH={}", self.path);
        command.args(["-i", &path, "docker", "-H", &self.socket]);
        command.args(arguments);
        Running::start(command).finish()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.engine.signal(Signal::SIGTERM);
        eventually("docker's engine ends", || !self.engine.is_running());
    }
}

const TEXT: &str = r#"FROM BASE AS base
COPY --chown=5:6 --chmod=4751 program /bin/program
COPY --chown=7 data /data
RUN ["payload", "write", "/made", "in a step"]
RUN ["payload", "chown", "/made", "33", "44"]
RUN ["payload", "mkdir", "/gone"]
RUN ["payload", "rm", "/data/second"]
FROM scratch
COPY --from=base / /
ENV A="b c"
USER 12:34
WORKDIR /data
LABEL one=two
STOPSIGNAL SIGINT
EXPOSE 80
VOLUME /kept
HEALTHCHECK --interval=3s CMD ["payload", "true"]
ENTRYPOINT ["/bin/payload"]
CMD ["id"]
"#;

cases! {
    fn docker_s_own_engine_runs_what_was_built(env) {
        let Some(docker) = Docker::start(env) else {
            return;
        };
        require!("docker-registry", require::program("docker-registry"));
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/made:v1");
        env.folder("context/data");
        env.file("context/program", "#!/bin/sh\n");
        env.file("context/data/first", "one");
        env.file("context/data/second", "two");
        env.file("context/Dockerfile", &TEXT.replace("BASE", &env.base()));
        env.ketch(&["build", "-q", "-t", &name, &env.text("context")]).ok();
        env.ketch(&["push", "-q", &name]).ok();
        docker.run(&["pull", "-q", &name]).ok();
        let places = ["/bin/program", "/data", "/data/first", "/made"];
        let flags = ["run", "--rm", "--network", "none"];
        let stat = [&["-u", "0", &name, "stat"], &places[..]].concat();
        let theirs = docker.run(&[&flags, &stat[..]].concat());
        theirs.says("program file 4751 5:6 ").says("/data dir 755 7:7 ").says("/made file 644 33:44 ");
        for words in [&[&name, "pwd"][..], &[&name, "ls", "/data"], &stat] {
            // With one id the owners are in the record that others read, not in what is seen.
            if words == stat && env.identity == Some(Identity::Single) {
                continue;
            }
            let theirs = docker.run(&[&flags, words].concat());
            assert_eq!(theirs.ok(), env.ketch(&[&flags, words].concat()).ok(), "{words:?}");
        }
        docker.run(&["run", "--rm", "--network", "none", &name]).says("uid=12 gid=34 ");
        for part in ["User", "Env", "Cmd", "Entrypoint", "WorkingDir", "Labels", "ExposedPorts", "Volumes", "StopSignal", "Healthcheck"] {
            let words = ["image", "inspect", "--format", &format!("{{{{json .Config.{part}}}}}"), &name];
            assert_eq!(docker.run(&words).json(), env.ketch(&words).json(), "{part}");
        }
    }
}
