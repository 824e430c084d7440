//! Real Dockerfiles, built by ketch and by podman: the images have the same files with the same
//! owners, modes and attributes and the same configuration, and podman runs what ketch pushed.
//!
//! Where the two differ on purpose BuildKit's way holds; each such place is named here.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::debian::{Debian, pulled};
use crate::harness::process::{Output, Running};
use crate::harness::{Env, Identity, require};
use crate::peers::{LONG, run};

/// podman with a store of its own.
struct Podman {
    env: Env,
}

impl Podman {
    /// `None` where it is missing; only root tries every identity.
    fn get() -> Option<&'static Podman> {
        static MADE: OnceLock<Podman> = OnceLock::new();
        if !nix::unistd::geteuid().is_root() {
            return None;
        }
        for program in ["podman", "crun", "skopeo", "docker-registry"] {
            require!(program, require::program(program));
        }
        Some(MADE.get_or_init(|| {
            let env = Env::any();
            env.file("containers.conf", "[containers]\ndefault_ulimits=[]\n[engine]\ncgroup_manager=\"cgroupfs\"\nevents_logger=\"none\"\n");
            let storage = format!("[storage]\ndriver=\"overlay\"\ngraphroot=\"{}\"\nrunroot=\"{}\"\n", env.text("root"), env.text("run"));
            env.file("storage.conf", &storage);
            env.file("registries.conf", "unqualified-search-registries=[]\n");
            env.file("policy.json", r#"{"default":[{"type":"insecureAcceptAnything"}]}"#);
            Podman { env }
        }))
    }

    /// On hybrid cgroups it only starts where the second version is alone.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("/usr/bin/unshare");
        let script = "if [ \"$(stat -fc %T /sys/fs/cgroup)\" != cgroup2fs ]; then umount -l /sys/fs/cgroup; \
            mount -t cgroup2 none /sys/fs/cgroup; fi; exec podman \"$@\"";
        command.args(["-m", "--propagation", "private", "sh", "-c", script, "-"]);
        command.args(arguments);
        for (key, file) in [
            ("CONTAINERS_CONF", "containers.conf"),
            ("CONTAINERS_STORAGE_CONF", "storage.conf"),
            ("CONTAINERS_REGISTRIES_CONF", "registries.conf"),
        ] {
            command.env(key, self.env.path(file));
        }
        Running::start(command).finish_within(LONG)
    }

    fn build(&self, name: &str, context: &str, flags: &[&str]) {
        let policy = self.env.text("policy.json");
        let words = [
            "build",
            "-q",
            "--format",
            "docker",
            "--isolation=chroot",
            "--network=host",
        ];
        let last = [
            "--tls-verify=false",
            "--signature-policy",
            &policy,
            "-t",
            name,
            context,
        ];
        self.run(&[&words, flags, &last].concat()).ok();
        self.transfer("push", name);
    }

    /// Pushes or pulls.
    fn transfer(&self, verb: &str, name: &str) {
        let policy = self.env.text("policy.json");
        let flags = ["-q", "--tls-verify=false", "--signature-policy", &policy];
        self.run(&[&[verb], &flags[..], &[name]].concat()).ok();
    }

    /// What a program of a pushed image says.
    fn output(&self, name: &str, arguments: &[&str]) -> String {
        self.transfer("pull", name);
        let words = [
            "run",
            "--rm",
            "--cgroups=disabled",
            "--ulimit=host",
            "--network=host",
            "--no-healthcheck",
            name,
        ];
        self.run(&[&words, arguments].concat()).ok().to_owned()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // Its store is a mount upon itself in namespaces that have ended.
        let _ = nix::mount::umount2(
            &self.env.path("root/overlay"),
            nix::mount::MntFlags::MNT_DETACH,
        );
    }
}

/// What an image has above its base.
#[derive(Default)]
struct Image {
    config: Value,
    /// Type, mode, owner, target, attributes and content, by path.
    files: BTreeMap<String, String>,
}

/// Paths whose content is another one in every build.
const CHANGING: &[&str] = &[
    "etc/shadow",
    "etc/ssh/ssh_host",
    "var/log/",
    "var/cache/",
    "var/lib/",
    "run/",
    "srv/app/who",
];

/// Reads an image from its registry; the first `below` layers are its base.
fn read(env: &Env, name: &str, below: usize) -> Image {
    let folder = env.text(&format!("read-{}", name.rsplit(':').next().unwrap()));
    let from = format!("docker://{name}");
    run(
        env,
        "skopeo",
        &[
            "--insecure-policy",
            "copy",
            "-q",
            "--src-tls-verify=false",
            &from,
            &format!("dir:{folder}"),
        ],
    );
    let blob = |digest: &Value| {
        let name = digest.as_str().unwrap().rsplit(':').next().unwrap();
        std::fs::read(Path::new(&folder).join(name)).unwrap()
    };
    let manifest = std::fs::read(Path::new(&folder).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let config: Value = serde_json::from_slice(&blob(&manifest["config"]["digest"])).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let made = |step: &&Value| step["empty_layer"] != true;
    assert_eq!(
        config["history"]
            .as_array()
            .unwrap()
            .iter()
            .filter(made)
            .count(),
        layers.len(),
        "{config}"
    );
    let mut files = BTreeMap::new();
    for layer in &layers[below..] {
        add(&blob(&layer["digest"]), &mut files);
    }
    Image {
        config: config["config"].clone(),
        files,
    }
}

fn add(layer: &[u8], files: &mut BTreeMap<String, String>) {
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(layer));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let path = path
            .trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned();
        let target = entry
            .link_name_bytes()
            .map(|name| String::from_utf8(name.into_owned()).unwrap());
        if entry.header().entry_type().is_hard_link() {
            let first = files.get(target.unwrap().trim_start_matches("./")).cloned();
            files.insert(path, first.expect("a link to what comes before it"));
            continue;
        }
        let mut attributes = Vec::new();
        for pair in entry
            .pax_extensions()
            .unwrap()
            .into_iter()
            .flatten()
            .flatten()
        {
            if pair.key().is_ok_and(|key| key.starts_with("SCHILY.xattr.")) {
                attributes.push(format!("{}={:?}", pair.key().unwrap(), pair.value_bytes()));
            }
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if CHANGING.iter().any(|start| path.starts_with(start)) || path.ends_with(".pyc") {
            content.clear();
        }
        let header = entry.header();
        let content = crate::harness::image::digest(&content);
        let facts = format!(
            "{:?} {:o} {}:{} {target:?} {attributes:?} {content}",
            header.entry_type(),
            header.mode().unwrap() & 0o7777,
            header.uid().unwrap(),
            header.gid().unwrap(),
        );
        files.insert(path, facts);
    }
}

/// A Dockerfile and the image that podman makes of it.
struct Scenario {
    name: &'static str,
    text: &'static str,
    /// Name, mode and content.
    context: &'static [(&'static str, u32, &'static str)],
    /// Layers of the base in the result.
    below: usize,
    peer: OnceLock<Image>,
}

impl Scenario {
    fn context(&self, env: &Env, debian: &Debian) -> String {
        use std::os::unix::fs::PermissionsExt;
        let folder = env.folder(self.name);
        env.file(
            &format!("{}/Dockerfile", self.name),
            &self.text.replace("BASE", &debian.name),
        );
        for (name, mode, content) in self.context {
            let upper = Path::new(self.name).join(name);
            env.folder(upper.parent().unwrap().to_str().unwrap());
            let path = env.file(upper.to_str().unwrap(), content);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
        }
        folder
    }

    fn tag(&self, debian: &Debian, maker: &str) -> String {
        format!(
            "{}/{}:{maker}",
            debian.name.split('/').next().unwrap(),
            self.name
        )
    }

    /// Builds with both, compares, and has podman run a command of ketch's image.
    fn holds(&self, env: &Env, command: &[&str]) -> String {
        let Some(podman) = Podman::get() else {
            return String::new();
        };
        let Some(debian) = pulled(env) else {
            return String::new();
        };
        let name = self.tag(debian, &env.identity.unwrap().to_string());
        env.spawn(&[
            "build",
            "--network",
            "host",
            "-t",
            &name,
            &self.context(env, debian),
        ])
        .finish_within(LONG)
        .ok();
        env.spawn(&["push", "-q", &name]).finish_within(LONG).ok();
        let peer = self.peer.get_or_init(|| {
            let name = self.tag(debian, "podman");
            podman.build(&name, &self.context(&podman.env, debian), &[]);
            read(&podman.env, &name, self.below)
        });
        same(env, &read(env, &name, self.below), peer);
        podman.output(&name, command)
    }
}

/// Whether podman's own habits, or what one id cannot record, explain that a file differs.
fn excused(env: &Env, path: &str, own: Option<&String>, peer: Option<&String>) -> bool {
    // It shows commands a file below /run, and the folder stays.
    if path == "run" && own.is_none() {
        return true;
    }
    // It gives marks for what is gone modes and targets of their own.
    let mark = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(".wh."));
    if mark && own.is_some() && peer.is_some() {
        return true;
    }
    // Links and pipes hold no record of whom a command gave them to.
    let kinds = ["Symlink ", "Fifo "];
    let both = [own, peer]
        .map(|facts| facts.is_some_and(|facts| kinds.iter().any(|kind| facts.starts_with(kind))));
    env.identity == Some(Identity::Single) && both == [true, true]
}

fn same(env: &Env, own: &Image, peer: &Image) {
    let mut wrong = Vec::new();
    let paths: std::collections::BTreeSet<_> = own.files.keys().chain(peer.files.keys()).collect();
    for path in paths {
        let (a, b) = (own.files.get(path), peer.files.get(path));
        if a != b && !excused(env, path, a, b) {
            wrong.push(format!("{path}: {a:?}, podman {b:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}: {:#?}",
        wrong.len(),
        own.files.len(),
        &wrong[..wrong.len().min(12)]
    );
    let parts = [
        "Env",
        "Cmd",
        "Entrypoint",
        "User",
        "WorkingDir",
        "ExposedPorts",
        "Volumes",
        "Healthcheck",
        "StopSignal",
        "Shell",
        "OnBuild",
        "Labels",
    ];
    for part in parts {
        let given = |config: &Value| {
            let mut value = config[part].clone();
            if let Some(labels) = value.as_object_mut() {
                labels.remove("io.buildah.version");
            }
            let empty = value == ""
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(serde_json::Map::is_empty);
            match part {
                // Images of BuildKit name the directory they start in.
                "WorkingDir" if empty || value.is_null() => "/".into(),
                _ if empty => Value::Null,
                _ => value,
            }
        };
        assert_eq!(
            given(&own.config),
            given(&peer.config),
            "{part}: ketch, podman"
        );
    }
}

static PROGRAM: Scenario = Scenario {
    name: "program",
    text: r#"ARG FLAGS=-O1
FROM BASE AS build
ARG FLAGS
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev >/dev/null
WORKDIR /src
COPY . .
RUN mkdir /out && cc $FLAGS -static -o /out/hello main.c && strip /out/hello && chown 5:6 /out/hello && chmod 2711 /out/hello
FROM scratch
LABEL stage="last one" version=$FLAGS
COPY --from=build /out/ /bin/
COPY --from=build --chown=1000:50 /etc/os-release /etc/
COPY --chown=7 data /data/
USER 12:34
WORKDIR /data
ENTRYPOINT ["/bin/hello"]
CMD ["world"]
"#,
    context: &[
        (
            "main.c",
            0o644,
            "#include <stdio.h>\nint main(int n, char **a) { return printf(\"hello %s\\n\", n > 1 ? a[1] : \"\") < 0; }\n",
        ),
        ("data/plain", 0o640, "plain\n"),
        ("data/deep/program", 0o755, "#!/bin/sh\n"),
        (".dockerignore", 0o644, "Dockerfile\n"),
    ],
    below: 0,
    peer: OnceLock::new(),
};

static USERS: Scenario = Scenario {
    name: "users",
    text: r#"FROM BASE AS base
ARG VERSION=1.2
ENV APP_HOME=/srv/app VERSION=$VERSION EMPTY=""
LABEL org.example.version="$VERSION" multi="a b" quoted='single $VERSION'
RUN groupadd --system --gid 990 app && useradd --system --uid 991 --gid app --home-dir $APP_HOME --create-home --shell /usr/sbin/nologin app
RUN useradd -m -s /bin/bash -G app,adm person && echo person:secret | chpasswd
WORKDIR $APP_HOME
COPY --chown=app:app files/ ./files/
COPY --chown=991 files/a named
COPY --chown=person:adm --chmod=640 files/a /opt/z
COPY files /plain
RUN cp /bin/true /usr/local/bin/suid && chown root:app /usr/local/bin/suid && chmod 4750 /usr/local/bin/suid \
 && cp /bin/true /usr/local/bin/sgid && chown app:adm /usr/local/bin/sgid && chmod 2755 /usr/local/bin/sgid \
 && mkdir -p /var/spool/drop && chown app:mail /var/spool/drop && chmod 3770 /var/spool/drop \
 && mkfifo -m 600 /var/spool/drop/pipe && chown app:app /var/spool/drop/pipe \
 && ln -s /nowhere /var/spool/drop/dangling && chown -h person:person /var/spool/drop/dangling \
 && ln /usr/local/bin/suid /usr/local/bin/suid2
RUN rm /etc/motd; rm -rf /usr/share/doc/base-files && mkdir /usr/share/doc/base-files && touch /usr/share/doc/base-files/new
RUN chown -R app:app /srv/app/files && chmod -R g-w,o-rwx /srv/app/files
USER app
RUN touch mine && mkdir who && id >who/id && umask >who/umask
USER person:adm
RUN id >/tmp/id2 && umask 077 && touch /tmp/private
USER root
VOLUME ["/data", "/srv/more"]
EXPOSE 80 443/tcp 53/udp
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --start-period=1s --retries=2 CMD true || exit 1
USER 991:990
ENTRYPOINT ["/bin/echo", "a"]
CMD ["$HOME"]
SHELL ["/bin/bash", "-ec"]
ONBUILD RUN echo hi
ONBUILD COPY . /x
"#,
    context: &[("files/a", 0o640, "hi\n"), ("files/sub/b", 0o751, "sub\n")],
    below: 1,
    peer: OnceLock::new(),
};

static SERVICES: Scenario = Scenario {
    name: "services",
    text: r#"FROM BASE
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server nginx-light libcap2-bin >/dev/null && rm -rf /var/lib/apt/lists/*
RUN cp /bin/true /usr/local/bin/able && setcap cap_net_bind_service=+ep /usr/local/bin/able && getcap /usr/local/bin/able
RUN mkdir -p /run/sshd && sshd -t && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
COPY site.conf /etc/nginx/conf.d/
EXPOSE 80 22
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
"#,
    context: &[("site.conf", 0o644, "server_tokens off;\n")],
    below: 1,
    peer: OnceLock::new(),
};

cases! {
    fn a_c_program_from_scratch(env) {
        let said = PROGRAM.holds(env, &["peer"]);
        assert!(said.is_empty() || said == "hello peer", "{said}");
    }

    fn users_and_files_with_special_modes(env) {
        let said = USERS.holds(env, &["b"]);
        assert!(said.is_empty() || said == "a b", "{said}");
    }

    fn services_from_debian_packages(env) {
        let said = SERVICES.holds(env, &["sh", "-c", "nginx -V 2>&1 | head -n 1; getcap /usr/local/bin/able; stat -c %G /etc/shadow"]);
        let right = said.contains("nginx version") && said.contains("cap_net_bind_service=ep") && said.ends_with("shadow");
        assert!(said.is_empty() || right, "{said}");
    }

    fn a_python_service_with_a_cache_of_wheels(env) {
        let Some(podman) = Podman::get() else { return };
        let Some(debian) = pulled(env) else { return };
        let index = index();
        let text = "FROM BASE\nARG INDEX\nENV DEBIAN_FRONTEND=noninteractive\n\
            RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null && python3 -m venv /srv/venv\n\
            WORKDIR /srv\nCOPY requirements.txt .\n\
            RUN --mount=type=cache,target=/root/.cache/pip /srv/venv/bin/pip install -q --trusted-host 127.0.0.1 --index-url $INDEX -r requirements.txt && touch /root/.cache/pip/kept\n\
            RUN --mount=type=cache,target=/root/.cache/pip test -e /root/.cache/pip/kept\n\
            RUN test -z \"$(find /root/.cache -type f)\" && useradd --system service\n\
            USER service\nCMD [\"/srv/venv/bin/hello\"]\n";
        let context = env.folder("context");
        env.file("context/Dockerfile", &text.replace("BASE", &debian.name));
        env.file("context/requirements.txt", "hello==1.0\n");
        let name = format!("{}/python:{}", debian.name.split('/').next().unwrap(), env.identity.unwrap());
        let argument = format!("INDEX={index}");
        env.spawn(&["build", "--network", "host", "--build-arg", &argument, "-t", &name, &context]).finish_within(LONG).ok();
        env.spawn(&["push", "-q", &name]).finish_within(LONG).ok();
        assert_eq!(podman.output(&name, &[]), "hello from a wheel");
    }
}

/// An index with one package, which answers until this process ends.
fn index() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n")
                && stream.read(&mut byte).is_ok_and(|count| count > 0)
            {
                request.push(byte[0]);
            }
            let wheel = request.starts_with(b"GET /hello-");
            let (kind, body) = match wheel {
                true => ("application/octet-stream", self::wheel()),
                false => (
                    "text/html",
                    b"<a href=\"/hello-1.0-py3-none-any.whl\">hello-1.0-py3-none-any.whl</a>"
                        .to_vec(),
                ),
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: max-age=600\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // A client that went away is its own affair.
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    format!("http://{address}/simple/")
}

/// A package: a zip archive whose members are stored.
fn wheel() -> Vec<u8> {
    let members = [
        ("hello.py", "def main():\n    print('hello from a wheel')\n"),
        (
            "hello-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n",
        ),
        (
            "hello-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (
            "hello-1.0.dist-info/entry_points.txt",
            "[console_scripts]\nhello = hello:main\n",
        ),
        (
            "hello-1.0.dist-info/RECORD",
            "hello.py,,\nhello-1.0.dist-info/METADATA,,\nhello-1.0.dist-info/WHEEL,,\nhello-1.0.dist-info/entry_points.txt,,\nhello-1.0.dist-info/RECORD,,\n",
        ),
    ];
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let mut check = flate2::Crc::new();
        check.update(content.as_bytes());
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let name_size = u16::try_from(name.len()).unwrap().to_le_bytes();
        // Version, flags, method, time, date, then the sums and the length of the name.
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 33, 0],
            &check.sum().to_le_bytes()[..],
            &size,
            &size,
            &name_size,
            &[0, 0],
        ]
        .concat();
        let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
        directory.extend(
            [
                b"PK\x01\x02\x14\x00",
                &common[..],
                &[0; 10],
                &offset,
                name.as_bytes(),
            ]
            .concat(),
        );
        out.extend(
            [
                b"PK\x03\x04",
                &common[..],
                name.as_bytes(),
                content.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let start = u32::try_from(out.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    out.extend(&directory);
    out.extend(
        [
            b"PK\x05\x06",
            &[0; 4][..],
            &count,
            &count,
            &size,
            &start,
            &[0, 0],
        ]
        .concat(),
    );
    out
}
