//! Against the real programs: docker-registry, skopeo and umoci, where they are installed.

use std::path::Path;
use std::process::Command;

use crate::harness::image::{Built, digest};
use crate::harness::process::Running;
use crate::harness::{Env, Identity, Image, Layer, require};

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
fn varied() -> Image {
    Image::base()
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

fn run(env: &Env, program: &str, arguments: &[&str]) -> String {
    let mut command = env.program(Path::new("/usr/bin").join(program));
    command.args(arguments);
    Running::start(command).finish().ok().to_owned()
}

/// A docker-registry on a free port, ready to be asked.
fn real_registry(env: &Env) -> (Running, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = format!(
        "version: 0.1\nlog: {{level: info, fields: {{}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {free}}}\n",
        env.folder("registry")
    );
    let config = env.file("registry.yml", &config);
    let mut command = Command::new("/usr/bin/docker-registry");
    command.args(["serve", &config]);
    let running = Running::start(command);
    running.stderr.wait_for("listening on");
    (running, free.to_string())
}

cases! {
    fn an_image_that_skopeo_pushed_is_pulled_and_runs(env) {
        require!("skopeo", require::program("skopeo"));
        require!("docker-registry", require::program("docker-registry"));
        layout(Path::new(&env.folder("layout")), &varied().build());
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/real/image:v1");
        let from = format!("oci:{}:v1", env.text("layout"));
        run(env, "skopeo", &["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", &from, &format!("docker://{name}")]);
        let output = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "cat", "/tree/new"]);
        assert_eq!(output.ok(), "new");
    }

    fn the_tree_is_the_one_that_umoci_unpacks(env) {
        require!("umoci", require::program("umoci"));
        if env.identity != Some(Identity::Root) {
            return;
        }
        let image = varied();
        layout(Path::new(&env.folder("layout")), &image.build());
        let from = format!("{}:v1", env.text("layout"));
        run(env, "umoci", &["unpack", "--image", &from, &env.text("bundle")]);
        let peer = Command::new(crate::harness::env::payload()).arg("walk").arg(env.path("bundle/rootfs")).output().unwrap();
        let name = env.image(image);
        let own = env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "walk", "/"]);
        let peer = String::from_utf8(peer.stdout).unwrap();
        let missing: Vec<&str> = peer.lines().filter(|line| !own.ok().lines().any(|other| other == *line)).collect();
        let more: Vec<&str> = own.ok().lines().filter(|line| !peer.lines().any(|other| other == *line)).collect();
        // A folder that a layer did not name, or that got a mount point, has the time of its making.
        let real = |line: &&&str| !line.starts_with("etc ") && !line.starts_with("tree ");
        assert_eq!(missing.iter().filter(real).collect::<Vec<_>>(), more.iter().filter(real).collect::<Vec<_>>());
    }

    fn skopeo_reads_the_store_as_an_oci_layout(env) {
        require!("skopeo", require::program("skopeo"));
        let image = varied();
        let built = image.build();
        let name = env.image(image);
        env.ketch(&["pull", "-q", &name]).ok();
        let text = run(env, "skopeo", &["inspect", "--raw", &format!("oci:{}", env.store().display())]);
        assert_eq!(digest(text.as_bytes()), built.digest());
        let to = format!("oci:{}:copy", env.text("copied"));
        run(env, "skopeo", &["--insecure-policy", "copy", "-q", &format!("oci:{}", env.store().display()), &to]);
    }
}
