//! One HTTP request: ureq agents with the right certificates, proxy and timeouts for each
//! origin. Redirects, logins and retries are decided above.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use ureq::Agent;
use ureq::http::HeaderMap;

use super::client::Options;
use super::error::printable;
use super::steady::Steady;
use super::tls::{self, Authorities};
use super::url::{Origin, Url};
use crate::common::{Error, Kind, Meter, Result};
use crate::settings::{Proxies, Settings};

/// What ketch calls itself.
const USER_AGENT: &str = concat!("ketch/", env!("CARGO_PKG_VERSION"));

/// Read buffer of a connection in bytes; large enough that loopback speed is not bound by calls.
const INPUT_BUFFER: usize = 128 << 10;

/// Write buffer in bytes: a request with the largest token must fit.
const OUTPUT_BUFFER: usize = 64 << 10;

/// Largest response header in bytes.
const MAX_HEADER: usize = 64 << 10;

/// Longest wait for the answer after a blob was sent.
const COMMIT: Duration = Duration::from_secs(300);

/// A body with its limit on waiting.
pub(super) type Body = Steady<ureq::BodyReader<'static>>;

/// One request; every field that may hold a secret leaves only through the socket.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) url: &'a Url,
    pub(super) accept: Option<&'a str>,
    pub(super) authorization: Option<&'a str>,
    /// First byte wanted, for `Range`; none or 0 asks for everything.
    pub(super) from: Option<u64>,
    /// The method, and what it carries.
    pub(super) payload: Payload<'a>,
    /// False takes any certificate.
    pub(super) verify: bool,
    /// True uses the short timeout of finding out whether a server speaks TLS.
    pub(super) probe: bool,
}

impl<'a> Request<'a> {
    /// A request without a login, checked certificates and no other wishes.
    pub(super) fn new(url: &'a Url, payload: Payload<'a>) -> Request<'a> {
        Request {
            url,
            accept: None,
            authorization: None,
            from: None,
            payload,
            verify: true,
            probe: false,
        }
    }
}

/// The method of a request and its body. All of them can be sent again.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    /// GET.
    None,
    /// HEAD.
    Head,
    /// POST of a form.
    Form(&'a str),
    /// POST of nothing.
    Post,
    /// PUT of a document of this media type.
    Document(&'a str, &'a [u8]),
    /// PUT of a whole file.
    Blob(&'a Outgoing<'a>),
}

/// A file on its way out.
pub(crate) struct Outgoing<'a> {
    /// The file; read by position, so that its own position counts for nothing.
    pub(crate) file: &'a File,
    /// Bytes of it.
    pub(crate) length: u64,
    /// Told of what was sent.
    pub(crate) meter: &'a dyn Meter,
}

impl Payload<'_> {
    fn method(self) -> &'static str {
        match self {
            Payload::None => "GET",
            Payload::Head => "HEAD",
            Payload::Form(_) | Payload::Post => "POST",
            Payload::Document(..) | Payload::Blob(_) => "PUT",
        }
    }

    /// Whether it only reads.
    pub(super) fn reads(self) -> bool {
        matches!(self, Payload::None | Payload::Head)
    }

    fn content_type(self) -> Option<String> {
        match self {
            Payload::Form(_) => Some("application/x-www-form-urlencoded".to_owned()),
            Payload::Document(media_type, _) => Some(media_type.to_owned()),
            Payload::Blob(_) => Some("application/octet-stream".to_owned()),
            Payload::None | Payload::Head | Payload::Post => None,
        }
    }
}

/// Reads an outgoing file from its beginning.
struct Sending<'a> {
    outgoing: &'a Outgoing<'a>,
    position: u64,
}

impl Read for Sending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.outgoing.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        self.outgoing.meter.advance(count as u64);
        Ok(count)
    }
}

/// A response whose body has not been read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) length: Option<u64>,
    pub(super) body: Body,
    /// Where it came from, after redirects.
    pub(super) url: Url,
}

impl Answer {
    /// A header as text; none when missing or not ASCII.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer.
pub(super) enum Failure {
    /// Worth another try: refused, reset, cut, stalled, garbage.
    Passing(String),
    /// The TLS handshake failed.
    Tls(String),
    /// Trying again cannot help.
    Final(Error),
}

impl Failure {
    /// The error once no try is left.
    pub(super) fn into_error(self, operation: &str, what: &str, host: &str) -> Error {
        // Where the object names the registry already, the cause does not say it again.
        let place = if what.starts_with(host) {
            String::new()
        } else {
            format!("{host}: ")
        };
        match self {
            Failure::Final(error) => error,
            Failure::Passing(why) => {
                Error::new(Kind::Network, operation, what).because(format!("{place}{why}"))
            }
            Failure::Tls(why) => Error::new(Kind::Network, operation, what)
                .because(format!("{place}secure connection failed: {why}"))
                .hint(tls_hint(&why, host)),
        }
    }
}

fn tls_hint(why: &str, host: &str) -> String {
    let whose = match why.contains("CaUsedAsEndEntity") {
        true => "certificate",
        false => "authority",
    };
    format!(
        "put the registry's {whose} into certs.d/{host}/ca.crt, or use --tls-verify=false if you \
         trust the network"
    )
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Final(error)
    }
}

/// Keeps one agent, and with it a connection pool, for each origin.
pub(super) struct Transport<'a> {
    settings: &'a Settings,
    options: &'a Options,
    proxies: Proxies,
    agents: Mutex<HashMap<(Origin, bool, bool), Agent>>,
    roots: Mutex<Option<Authorities>>,
}

impl<'a> Transport<'a> {
    pub(super) fn new(settings: &'a Settings, options: &'a Options) -> Transport<'a> {
        Transport {
            settings,
            options,
            proxies: settings.proxies(),
            agents: Mutex::default(),
            roots: Mutex::default(),
        }
    }

    /// Sends one request and waits for the response's header.
    pub(super) fn send(&self, request: Request<'_>) -> std::result::Result<Answer, Failure> {
        let agent = self.agent(request).map_err(Failure::Final)?;
        let url = request.url.to_string();
        let mut builder = ureq::http::Request::builder()
            .method(request.payload.method())
            .uri(&url);
        if let Some(accept) = request.accept {
            builder = builder.header("Accept", accept);
        }
        if let Some(authorization) = request.authorization {
            builder = builder.header("Authorization", authorization);
        }
        if let Some(from) = request.from.filter(|from| *from > 0) {
            builder = builder.header("Range", format!("bytes={from}-"));
        }
        if let Some(content_type) = request.payload.content_type() {
            builder = builder.header("Content-Type", content_type);
        }
        let response = run(&agent, builder, request.payload)
            .map_err(|error| failure(error, &request.url.origin))?;
        let (parts, body) = response.into_parts();
        let encoding = parts.headers.get("content-encoding");
        if encoding.is_some_and(|value| !value.is_empty() && value != "identity") {
            let error = Error::new(Kind::Corrupt, "read answer", request.url.origin.to_string());
            return Err(Failure::Final(error.because(
                "the registry or a proxy compressed a body that was asked for as it is".to_owned(),
            )));
        }
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            length: body.content_length(),
            body: Steady::new(body.into_reader(), self.options.stall),
            url: request.url.clone(),
        })
    }

    fn agent(&self, request: Request<'_>) -> Result<Agent> {
        let key = (request.url.origin.clone(), request.verify, request.probe);
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let agent = self.new_agent(&key.0, request.verify, request.probe)?;
        agents.insert(key, agent.clone());
        Ok(agent)
    }

    fn new_agent(&self, origin: &Origin, verify: bool, probe: bool) -> Result<Agent> {
        let proxy = self
            .proxies
            .for_request(origin.https, &origin.host, origin.port)
            .map(|url| {
                // The URL may hold a password, so it is not shown.
                ureq::Proxy::new(url).map_err(|_| {
                    Error::usage(
                        "use proxy",
                        "",
                        "the proxy in the environment is not an http:// or https:// URL",
                    )
                })
            })
            .transpose()?;
        let connect = if probe {
            self.options.probe
        } else {
            self.options.connect
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .user_agent(USER_AGENT)
            .accept_encoding("identity")
            .max_response_header_size(MAX_HEADER)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .max_idle_connections_per_host(16)
            .timeout_connect(Some(connect))
            .timeout_send_request(Some(self.options.stall))
            .timeout_recv_response(Some(self.options.stall))
            .timeout_per_write(Some(self.options.stall))
            .timeout_per_read(Some(self.options.stall));
        let config = config.build();
        Ok(match origin.https {
            true => tls::agent(config, self.tls(origin, verify)?),
            false => config.new_agent(),
        })
    }

    fn tls(&self, origin: &Origin, verify: bool) -> Result<Arc<ClientConfig>> {
        let host = match (origin.port, origin.host.as_str()) {
            (443, "registry-1.docker.io") => "docker.io".to_owned(),
            (443, host) => host.to_owned(),
            (port, host) => format!("{host}:{port}"),
        };
        let certificates = self
            .settings
            .certificates(&host, self.options.certificates.as_deref())?;
        let texts = certificates.authorities.iter();
        let own = texts.flat_map(|text| tls::authorities(text)).collect();
        // A pull over plain HTTP tries TLS first; it must not pay for parsing 150 certificates
        // that nobody is going to look at.
        let system = if verify {
            self.system_roots()
        } else {
            Arc::default()
        };
        tls::config(own, system, certificates.client.as_ref(), verify)
    }

    /// The system's authorities, parsed once.
    fn system_roots(&self) -> Authorities {
        let mut roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let texts = self.settings.system_authorities();
            Arc::new(
                texts
                    .iter()
                    .flat_map(|text| tls::authorities(text))
                    .collect(),
            )
        };
        roots.get_or_insert_with(read).clone()
    }
}

/// Sends a request with its body.
fn run(
    agent: &Agent,
    builder: ureq::http::request::Builder,
    payload: Payload<'_>,
) -> std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    match payload {
        Payload::None | Payload::Head => agent.run(builder.body(())?),
        Payload::Form(form) => agent.run(builder.body(form.to_owned())?),
        Payload::Post => agent.run(builder.body(Vec::<u8>::new())?),
        Payload::Document(_, bytes) => agent.run(builder.body(bytes.to_owned())?),
        Payload::Blob(outgoing) => {
            let mut sending = Sending {
                outgoing,
                position: 0,
            };
            let body = ureq::SendBody::from_reader(&mut sending);
            let request = builder
                .header("Content-Length", outgoing.length)
                .body(body)?;
            // A registry that checks, or hands on, a large blob is silent for long.
            let request = agent
                .configure_request(request)
                .timeout_recv_response(Some(COMMIT))
                .build();
            agent.run(request)
        }
    }
}

fn failure(error: ureq::Error, origin: &Origin) -> Failure {
    let end = |kind, why: String| {
        Failure::Final(Error::new(kind, "reach registry", origin.to_string()).because(why))
    };
    match error {
        ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData && origin.https => {
            Failure::Tls(printable(&io.to_string()))
        }
        ureq::Error::Tls(why) => Failure::Tls(why.to_owned()),
        ureq::Error::Io(io) => match words(&io) {
            // getaddrinfo's EAI_NONAME and EAI_NODATA: an answer, unlike EAI_AGAIN.
            why if why.contains("name or service not known") || why.contains("no address") => {
                end(Kind::Network, "no such host".to_owned())
            }
            why => Failure::Passing(why),
        },
        ureq::Error::Timeout(_) => Failure::Passing("no answer in time".to_owned()),
        ureq::Error::HostNotFound => end(Kind::Network, "no such host".to_owned()),
        ureq::Error::LargeResponseHeader(..) => {
            end(Kind::Corrupt, "the answer's header is too large".to_owned())
        }
        ureq::Error::Protocol(error) => {
            Failure::Passing(printable(&format!("the answer is not HTTP: {error}")))
        }
        other => end(Kind::Network, printable(&other.to_string())),
    }
}

/// An I/O error without Rust's error number.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    printable(text).to_lowercase()
}
