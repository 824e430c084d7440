//! Tiny images made from bytes: layers, a config and a manifest, with every digest computed here.

use std::sync::OnceLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::env::payload;
use super::layer::Layer;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

pub(crate) fn digest(data: &[u8]) -> String {
    let hash = Sha256::digest(data);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The architecture of this machine in the words of images.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    }
}

/// The bytes of an image as a registry serves them.
#[derive(Clone)]
pub(crate) struct Built {
    pub(crate) media_type: String,
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
    /// Digest and bytes of the config and of each layer, in the manifest's order.
    pub(crate) blobs: Vec<(String, Vec<u8>)>,
}

impl Built {
    pub(crate) fn digest(&self) -> String {
        digest(&self.manifest)
    }
}

/// An image under construction.
#[derive(Clone)]
pub(crate) struct Image {
    layers: Vec<Part>,
    pub(crate) config: Value,
    docker: bool,
}

#[derive(Clone)]
struct Part {
    media_type: String,
    diff_id: String,
    blob: Vec<u8>,
}

impl Image {
    /// An image without layers.
    pub(crate) fn empty() -> Image {
        Image {
            layers: Vec::new(),
            config: json!({
                "architecture": architecture(),
                "os": "linux",
                "created": "2024-05-06T07:08:09Z",
                "config": {
                    "Env": ["PATH=/bin", "FROM_IMAGE=image", "SHARED=image"],
                    "Cmd": ["payload", "echo", "default"],
                    "Labels": {"from": "image"},
                },
                "history": [],
            }),
            docker: false,
        }
    }

    /// The payload, a user database and the folders every image has.
    pub(crate) fn base() -> Image {
        static LAYER: OnceLock<Part> = OnceLock::new();
        let part = LAYER.get_or_init(|| Part::of(&base_layer()));
        let mut image = Image::empty();
        image.layers.push(part.clone());
        image
    }

    pub(crate) fn layer(mut self, layer: Layer) -> Image {
        self.layers.push(Part::of(&layer));
        self
    }

    /// A layer whose bytes are not what a tar stream is, or not what its digests say.
    pub(crate) fn raw_layer(mut self, media_type: &str, diff_id: &str, blob: Vec<u8>) -> Image {
        let (media_type, diff_id) = (media_type.to_owned(), diff_id.to_owned());
        self.layers.push(Part {
            media_type,
            diff_id,
            blob,
        });
        self
    }

    /// Sets one key of the config's `config` object, such as `User` or `WorkingDir`.
    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Image {
        self.config["config"][key] = value.into();
        self
    }

    /// Sets a key of the config itself, such as `architecture`.
    pub(crate) fn top(mut self, key: &str, value: impl Into<Value>) -> Image {
        self.config[key] = value.into();
        self
    }

    /// Uses docker's media types in place of OCI's.
    pub(crate) fn docker(mut self) -> Image {
        self.docker = true;
        self
    }

    pub(crate) fn build(&self) -> Built {
        let mut config = self.config.clone();
        let diff_ids: Vec<&str> = self
            .layers
            .iter()
            .map(|part| part.diff_id.as_str())
            .collect();
        config["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
        if config["history"].as_array().is_none_or(Vec::is_empty) {
            let rows = (0..self.layers.len()).map(|at| json!({"created": "2024-05-06T07:08:09Z", "created_by": format!("layer {at}")}));
            config["history"] = rows.collect();
        }
        let config = serde_json::to_vec(&config).unwrap();
        let describe = |media_type: &str, data: &[u8]| json!({"mediaType": media_type, "digest": digest(data), "size": data.len()});
        let (manifest_type, config_type) = if self.docker {
            (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
            )
        } else {
            (OCI_MANIFEST, OCI_CONFIG)
        };
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|part| {
                let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
                describe(
                    if self.docker {
                        docker
                    } else {
                        &part.media_type
                    },
                    &part.blob,
                )
            })
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": describe(config_type, &config),
            "layers": layers,
        });
        let mut blobs = vec![(digest(&config), config.clone())];
        blobs.extend(
            self.layers
                .iter()
                .map(|part| (digest(&part.blob), part.blob.clone())),
        );
        Built {
            media_type: manifest_type.to_owned(),
            manifest: serde_json::to_vec(&manifest).unwrap(),
            config,
            blobs,
        }
    }
}

impl Part {
    fn of(layer: &Layer) -> Part {
        Part {
            media_type: layer.media_type().to_owned(),
            diff_id: digest(&layer.tar()),
            blob: layer.blob(),
        }
    }
}

/// An executable without what only a debugger reads, a tenth of its size: it is pulled by nearly
/// every case. Everything behind the last segment goes, and with it the section table (elf(5)).
fn loaded_part(mut program: Vec<u8>) -> Vec<u8> {
    let number = |at: usize, bytes: usize| {
        let mut value = [0; 8];
        value[..bytes].copy_from_slice(&program[at..at + bytes]);
        u64::from_le_bytes(value) as usize
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    let end = (0..count).map(|at| table + at * size);
    let end = end.map(|header| number(header + 8, 8) + number(header + 32, 8));
    let end = end.max().unwrap();
    program.truncate(end);
    // e_shoff, then e_shnum and e_shstrndx.
    program[40..48].fill(0);
    program[60..64].fill(0);
    program
}

/// The layer of [`Image::base`].
pub(crate) fn base_layer() -> Layer {
    let program = loaded_part(std::fs::read(payload()).unwrap());
    let passwd = "root:x:0:0:root:/root:/bin/payload\n\
                  daemon:x:1:1:daemon:/usr/sbin:/bin/payload\n\
                  alice:x:1000:1000:Alice:/home/alice:/bin/payload\n";
    let group = "root:x:0:\ndaemon:x:1:\nalice:x:1000:\nextra:x:2000:alice\nwheel:x:10:root\n";
    Layer::new()
        .dir("bin/", 0o755)
        .file("bin/payload", 0o755, &program)
        .symlink("bin/true", "payload")
        .dir("dev/", 0o755)
        .dir("etc/", 0o755)
        .file("etc/passwd", 0o644, passwd.as_bytes())
        .file("etc/group", 0o644, group.as_bytes())
        .file("etc/not-executable", 0o644, b"text\n")
        .dir("home/", 0o755)
        .owner(1000, 1000)
        .dir("home/alice/", 0o700)
        .owner(0, 0)
        .dir("proc/", 0o755)
        .dir("root/", 0o700)
        .dir("sys/", 0o755)
        .dir("tmp/", 0o1777)
}

/// An index over manifests, each with its platform such as `linux/arm64/v8`.
pub(crate) fn index(children: &[(&str, &Built)]) -> (String, Vec<u8>) {
    let manifests: Vec<Value> = children
        .iter()
        .map(|(platform, built)| {
            let mut words = platform.split('/');
            let mut place = json!({"os": words.next(), "architecture": words.next()});
            if let Some(variant) = words.next() {
                place["variant"] = variant.into();
            }
            json!({
                "mediaType": built.media_type,
                "digest": built.digest(),
                "size": built.manifest.len(),
                "platform": place,
            })
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
    (OCI_INDEX.to_owned(), serde_json::to_vec(&index).unwrap())
}
