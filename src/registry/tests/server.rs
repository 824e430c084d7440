//! An in-process registry on loopback whose every answer a test can replace.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::Digest;

/// One request as received.
#[derive(Debug, Clone)]
pub(super) struct Req {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
    /// How often this method and target came before.
    pub(super) seen: usize,
}

impl Req {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(super) fn is_manifest(&self) -> bool {
        self.target.contains("/manifests/")
    }

    pub(super) fn is_blob(&self, digest: &Digest) -> bool {
        self.target.ends_with(&format!("/blobs/{digest}"))
    }
}

/// What happens to the connection after the bytes.
#[derive(Clone)]
pub(super) enum Then {
    Keep,
    Close,
    Reset,
    Stall,
    /// Sends the bytes again and again with a pause.
    Repeat(Vec<u8>, Duration),
}

#[derive(Clone)]
pub(super) struct Reply(pub(super) Vec<u8>, pub(super) Then);

/// A well-formed answer.
pub(super) fn reply(status: u16, headers: &str, body: &[u8]) -> Reply {
    let mut bytes = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Reply(bytes, Then::Keep)
}

/// Bytes as they are, then the end of the connection.
pub(super) fn raw(text: impl AsRef<[u8]>) -> Reply {
    Reply(text.as_ref().to_vec(), Then::Close)
}

pub(super) struct Server {
    pub(super) port: u16,
    log: Arc<Mutex<Vec<Req>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Req) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (log, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let server = Server {
            port,
            log: Arc::clone(&log),
            stop: Arc::clone(&stop),
        };
        let handler = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                std::thread::spawn(move || talk(stream, &*handler, &log));
            }
        });
        server
    }

    pub(super) fn log(&self) -> Vec<Req> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn talk(stream: TcpStream, handler: &dyn Fn(&Req) -> Reply, log: &Mutex<Vec<Req>>) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    // A TLS greeting: this server speaks plain http only.
    while reader
        .fill_buf()
        .is_ok_and(|b| b.first().is_some_and(|c| *c != 0x16))
    {
        let Some(mut request) = read_request(&mut reader) else {
            return;
        };
        {
            let mut log = log.lock().unwrap();
            let same = |r: &&Req| r.method == request.method && r.target == request.target;
            request.seen = log.iter().filter(same).count();
            log.push(request.clone());
        }
        let Reply(bytes, then) = handler(&request);
        if writer.write_all(&bytes).is_err() {
            return;
        }
        match then {
            Then::Keep => {}
            Then::Close => return,
            Then::Reset => {
                let socket = nix::sys::socket::sockopt::Linger;
                let linger = libc::linger {
                    l_onoff: 1,
                    l_linger: 0,
                };
                nix::sys::socket::setsockopt(&writer, socket, &linger).unwrap();
                return;
            }
            Then::Stall => {
                std::thread::sleep(Duration::from_secs(2));
                return;
            }
            Then::Repeat(piece, pause) => {
                for _ in 0..200_000 {
                    if writer.write_all(&piece).is_err() {
                        return;
                    }
                    std::thread::sleep(pause);
                }
                return;
            }
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Req> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((key, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(key.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|v| v.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Req {
        method,
        target,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        seen: 0,
    })
}

/// One image and the right answers for it.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) manifest: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) layer: Vec<u8>,
}

pub(super) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Image {
    /// An image for an architecture with one layer of 300,000 bytes.
    pub(super) fn new(arch: &str) -> Image {
        let layer: Vec<u8> = (0..300_000u32).map(|i| (i * 7 + i / 251) as u8).collect();
        let config = format!(
            r#"{{"architecture":"{arch}","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            Digest::of(b"diff")
        )
        .into_bytes();
        let manifest = manifest(&config, &[&layer]);
        Image {
            manifest,
            config,
            layer,
        }
    }

    pub(super) fn layer_digest(&self) -> Digest {
        Digest::of(&self.layer)
    }

    /// The right answer for a request.
    pub(super) fn serve(&self, request: &Req) -> Reply {
        if request.target == "/v2/" {
            return reply(200, "", b"{}");
        }
        if request.is_blob(&self.layer_digest()) {
            return ranged(&self.layer, request);
        }
        if request.is_blob(&Digest::of(&self.config)) {
            return reply(200, "", &self.config);
        }
        let digest = Digest::of(&self.manifest);
        if request.target.ends_with("/manifests/v1")
            || request.target.ends_with(&digest.to_string())
        {
            return document(OCI, &self.manifest);
        }
        reply(
            404,
            "",
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
        )
    }
}

/// A document with its true digest header.
pub(super) fn document(media_type: &str, bytes: &[u8]) -> Reply {
    let headers = format!(
        "Content-Type: {media_type}\r\nDocker-Content-Digest: {}\r\n",
        Digest::of(bytes)
    );
    reply(200, &headers, bytes)
}

/// A blob, honouring `Range: bytes=N-`.
pub(super) fn ranged(bytes: &[u8], request: &Req) -> Reply {
    let start = request.header("range").strip_prefix("bytes=");
    let start = start.and_then(|text| text.strip_suffix('-'));
    match start.and_then(|text| text.parse::<usize>().ok()) {
        None => reply(200, "", bytes),
        Some(start) => {
            let total = bytes.len();
            let range = format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1);
            reply(206, &range, &bytes[start..])
        }
    }
}

/// A manifest of a configuration and layers.
pub(super) fn manifest(config: &[u8], layers: &[&[u8]]) -> Vec<u8> {
    let layers: Vec<String> = layers
        .iter()
        .map(|layer| {
            format!(
                r#"{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{}}}"#,
                Digest::of(layer),
                layer.len()
            )
        })
        .collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{}]}}"#,
        Digest::of(config),
        config.len(),
        layers.join(",")
    )
    .into_bytes()
}
