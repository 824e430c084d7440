//! Against the real programs: docker-registry, skopeo and umoci, where they are installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::image::{Built, digest};
use crate::harness::process::Running;
use crate::harness::{Env, Identity, Image, Layer, require};

/// For programs that work on a whole distribution, on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(400);

/// Writes an image as an OCI layout with one tag.
fn layout(folder: &Path, image: &Built) {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let manifest = (digest(&image.manifest), image.manifest.clone());
    for (name, data) in image.blobs.iter().chain([&manifest]) {
        std::fs::write(blobs.join(&name["sha256:".len()..]), data).unwrap();
    }
    std::fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": image.media_type, "digest": manifest.0, "size": image.manifest.len(),
        "annotations": {"org.opencontainers.image.ref.name": "v1"}}]});
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
}

/// An image with every kind of entry that both sides must agree on.
fn varied(identity: Option<Identity>) -> Image {
    let mut links = Layer::new().mtime(5);
    let mut files = Layer::new().mtime(6);
    // With one id there is no right to give a program capabilities, and a link holds no record.
    if identity != Some(Identity::Single) {
        links = links
            .owner(33, 44)
            .symlink("links/owned", "x")
            .fifo("links/pipe", 0o600);
        let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        files = files
            .pax("SCHILY.xattr.security.capability", &capability)
            .file("files/able", 0o755, b"x");
    }
    Image::base()
        .layer(
            Layer::new()
                .mtime(1_000)
                .dir("./", 0o751)
                .dir("etc/", 0o755)
                .file("etc/hosts", 0o644, b"")
                .file("etc/hostname", 0o644, b"")
                .file("etc/resolv.conf", 0o644, b"")
                .dir("proc/", 0o555)
                .dir("sys/", 0o555)
                .dir("dev/", 0o755)
                .dir("links/", 0o755)
                .dir("sticky/", 0o1777)
                .dir("sticky/inner/", 0o700)
                .pax("SCHILY.xattr.user.note", b"n")
                .dir("files/", 0o2755)
                .pax("SCHILY.xattr.user.note", &[0, 255])
                .file("files/noted", 0o444, b"x")
                .char_device("files/null", 0o666, 1, 3),
        )
        .layer(links)
        .layer(files)
        // Folders that are not named look as the layers below say.
        .layer(Layer::new().mtime(7).file("sticky/inner/x", 0o600, b"x"))
        .layer(
            Layer::new()
                .mtime(1_234_567_890)
                .dir("tree/", 0o755)
                .file("tree/suid", 0o4755, b"x")
                .file("tree/secret", 0o600, b"secret")
                .hardlink("tree/again", "tree/secret")
                .symlink("tree/link", "secret")
                .symlink("tree/dangling", "/nowhere")
                .owner(33, 44)
                .dir("tree/owned/", 0o2770)
                .file("tree/owned/file", 0o640, b"owned")
                .owner(0, 0)
                .fifo("tree/pipe", 0o600)
                .dir("tree/hidden/", 0o755)
                .file("tree/hidden/x", 0o644, b"x")
                .file(&format!("tree/{}", "n".repeat(150)), 0o644, b"long"),
        )
        .layer(
            Layer::new()
                .file("tree/.wh.hidden", 0o644, b"")
                .file("tree/new", 0o644, b"new"),
        )
}

pub(crate) fn run(env: &Env, program: &str, arguments: &[&str]) -> String {
    let mut command = env.program(Path::new("/usr/bin").join(program));
    command.args(arguments);
    // Its usual place for credentials may be closed to this user, which it takes for an error.
    command.env("REGISTRY_AUTH_FILE", env.file("auth.json", "{}"));
    Running::start(command).finish().ok().to_owned()
}

/// A docker-registry on a free port, ready to be asked.
pub(crate) fn real_registry(env: &Env) -> (Running, String) {
    registry_with(env, "")
}

/// The same with more settings of its server, as YAML in braces has them.
pub(crate) fn registry_with(env: &Env, http: &str) -> (Running, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = format!(
        "version: 0.1\nlog: {{level: info, fields: {{}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {free}{http}}}\n",
        env.folder("registry")
    );
    let config = env.file("registry.yml", &config);
    let mut command = Command::new("/usr/bin/docker-registry");
    command.args(["serve", &config]);
    let running = Running::start(command);
    running.stderr.wait_for("listening on");
    (running, free.to_string())
}

/// The tree of an image in a layout, as umoci unpacks it with all rights.
pub(crate) fn unpacked_by_umoci(env: &Env, image: &str) -> String {
    let bundle = env.text("bundle");
    let mut umoci = Command::new("/usr/bin/umoci");
    umoci.args(["unpack", "--image", image, &bundle]);
    Running::start(umoci).finish_within(LONG).ok();
    let mut walk = Command::new(crate::harness::env::payload());
    walk.args(["walk", &format!("{bundle}/rootfs")]);
    Running::start(walk).finish().ok().to_owned()
}

/// Fails with the lines that only one side has.
pub(crate) fn same_lines(own: &str, peer: &str) {
    let sets = [own, peer].map(|text| text.lines().collect::<BTreeSet<_>>());
    let only = |a: usize, b: usize| sets[a].difference(&sets[b]).take(20).collect::<Vec<_>>();
    assert_eq!(only(0, 1), only(1, 0), "only ketch's, only umoci's");
}

cases! {
    fn an_image_that_skopeo_pushed_is_pulled_and_runs(env) {
        require!("skopeo", require::program("skopeo"));
        require!("docker-registry", require::program("docker-registry"));
        layout(Path::new(&env.folder("layout")), &varied(None).build());
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/real/image:v1");
        let from = format!("oci:{}:v1", env.text("layout"));
        run(env, "skopeo", &["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", &from, &format!("docker://{name}")]);
        let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "cat", "/tree/new"]);
        assert_eq!(output.ok(), "new");
    }

    fn the_tree_is_the_one_that_umoci_unpacks(env) {
        require!("umoci", require::program("umoci"));
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let image = varied(env.identity);
        layout(Path::new(&env.folder("layout")), &image.build());
        let peer = unpacked_by_umoci(env, &format!("{}:v1", env.text("layout")));
        let name = env.image(image);
        let own = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "walk", "/"]);
        same_lines(own.ok(), &peer);
    }

    fn skopeo_reads_the_store_as_an_oci_layout(env) {
        require!("skopeo", require::program("skopeo"));
        let image = varied(None);
        let built = image.build();
        let name = env.image(image);
        env.ketch(&["pull", "-q", &name]).ok();
        let text = run(env, "skopeo", &["inspect", "--raw", &format!("oci:{}", env.store().display())]);
        assert_eq!(digest(text.as_bytes()), built.digest());
        let to = format!("oci:{}:copy", env.text("copied"));
        run(env, "skopeo", &["--insecure-policy", "copy", "-q", &format!("oci:{}", env.store().display()), &to]);
        run(env, "skopeo", &["inspect", &format!("oci:{}", env.store().display())]);
        require!("umoci", require::program("umoci"));
        let tags = run(env, "umoci", &["ls", "--layout", &env.text("store")]);
        assert!(tags.contains(&name), "{tags}");
    }
}
