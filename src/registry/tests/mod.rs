//! The client against an in-process registry that breaks in every way of the fault list.

mod access;
mod documents;
mod faults;
mod server;

use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use super::{Client, Login, Options, Resolved};
use crate::common::{Digest, Error, Kind, Meter, Result, Silent, Ui};
use crate::oci::Platform;
use crate::reference::Reference;
use crate::settings::{Environment, Secret, Settings};
use server::{Image, Reply, Req, Server, reply};

/// Keeps what was said.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Ui for Notes {
    fn warn(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
    fn meter(&self, _label: &str, _total: Option<u64>) -> Box<dyn Meter> {
        Box::new(Silent)
    }
}

fn options() -> Options {
    Options {
        attempts: 3,
        backoff: Duration::from_millis(1),
        longest_wait: Duration::from_millis(30),
        stall: Duration::from_millis(250),
        connect: Duration::from_secs(2),
        probe: Duration::from_secs(1),
        ..Options::default()
    }
}

fn settings() -> Settings {
    let nowhere = std::path::Path::new("/nonexistent");
    Settings::with_system_dir(&Environment::from_pairs([("HOME", nowhere)]), nowhere)
}

fn wanted() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// Resolves `app:v1` and reads its first layer, whose digest is checked.
fn pull_with(port: u16, options: &Options, ui: &dyn Ui) -> Result<Resolved> {
    pull_named(
        &format!("127.0.0.1:{port}/app:v1"),
        &settings(),
        options,
        ui,
    )
}

fn pull_named(name: &str, settings: &Settings, options: &Options, ui: &dyn Ui) -> Result<Resolved> {
    let client = Client::new(settings, ui, options);
    let resolved = client.resolve(&Reference::parse(name).unwrap(), &wanted())?;
    let layer = &resolved.manifest.layers[0];
    let mut bytes = Vec::new();
    client
        .blob(&resolved.sources, layer, 0)?
        .read_to_end(&mut bytes)
        .map_err(
            |error| match error.into_inner().unwrap().downcast::<Error>() {
                Ok(error) => *error,
                Err(other) => panic!("{other}"),
            },
        )?;
    if Digest::of(&bytes) != layer.digest {
        return Err(Error::new(Kind::Corrupt, "verify", "layer"));
    }
    Ok(resolved)
}

fn pull(server: &Server) -> Result<Resolved> {
    pull_with(server.port, &options(), &Silent)
}

#[test]
fn an_image_is_resolved_and_its_layer_read() {
    let image = Image::new("amd64");
    let served = image.clone();
    let server = Server::start(move |request| served.serve(request));
    let resolved = pull(&server).unwrap();
    assert_eq!(resolved.manifest_bytes, image.manifest);
    assert_eq!(resolved.config_bytes, image.config);
    assert_eq!(resolved.manifest_digest, Digest::of(&image.manifest));
    assert_eq!(resolved.media_type, server::OCI);
    assert!(resolved.index.is_none());
    let log = server.log();
    assert!(log.iter().all(|r| r.header("authorization").is_empty()));
    assert!(
        log.iter()
            .all(|r| r.header("accept-encoding") == "identity")
    );
    assert!(log[0].header("user-agent").starts_with("ketch/"));
    assert_eq!(log.len(), 4, "ping, manifest, config, layer");
}

#[test]
fn a_blob_starts_at_an_offset() {
    let image = Image::new("amd64");
    let served = image.clone();
    let server = Server::start(move |request| served.serve(request));
    let (settings, options) = (settings(), options());
    let client = Client::new(&settings, &Silent, &options);
    let name = format!("127.0.0.1:{}/app:v1", server.port);
    let resolved = client
        .resolve(&Reference::parse(&name).unwrap(), &wanted())
        .unwrap();
    let layer = &resolved.manifest.layers[0];
    for offset in [1, 299_999, 300_000] {
        let mut bytes = Vec::new();
        let mut blob = client
            .blob(&resolved.sources, layer, offset as u64)
            .unwrap();
        blob.read_to_end(&mut bytes).unwrap();
        assert!(bytes == image.layer[offset..], "{offset}");
    }
    assert!(client.blob(&resolved.sources, layer, 300_001).is_err());
}

#[test]
fn threads_share_a_client() {
    let image = Image::new("amd64");
    let served = image.clone();
    let server = Server::start(move |request| served.serve(request));
    let (settings, options) = (settings(), options());
    let client = Client::new(&settings, &Silent, &options);
    let name = format!("127.0.0.1:{}/app:v1", server.port);
    let resolved = client
        .resolve(&Reference::parse(&name).unwrap(), &wanted())
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let layer = &resolved.manifest.layers[0];
                let mut blob = client.blob(&resolved.sources, layer, 0).unwrap();
                let mut bytes = Vec::new();
                blob.read_to_end(&mut bytes).unwrap();
                assert_eq!(Digest::of(&bytes), layer.digest);
            });
        }
    });
}

#[test]
fn an_unreachable_registry_is_named() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = pull_with(port, &options(), &Silent).err().unwrap();
    assert_eq!(error.kind(), Kind::Network);
    assert!(error.to_string().contains("connection refused"), "{error}");
}
