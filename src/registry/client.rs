//! The client: options, the loop of tries, redirects, and finding out how a registry is spoken to.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use super::auth::Sessions;
use super::endpoint::{Candidate, Endpoint, candidates};
use super::retry::{Patience, passes, retry_after};
use super::transport::{Answer, Failure, Payload, Request, Transport};
use super::url::{Origin, Url};
use crate::common::{Digest, Error, Kind, Result, Ui};
use crate::settings::{Keychain, Secret, Settings, Source};

/// Most redirects followed for one request.
pub(super) const MAX_REDIRECTS: usize = 10;

/// Largest body of a refusal that is read, in bytes.
pub(super) const MAX_REFUSAL: usize = 64 << 10;

/// A login given on the command line (`--creds`).
pub(crate) struct Login {
    /// Account name.
    pub(crate) username: String,
    /// Its password.
    pub(crate) password: Secret,
}

/// How a client behaves; `Default` is for users, tests shorten the times.
pub(crate) struct Options {
    /// Tries for one request, the first included.
    pub(crate) attempts: u32,
    /// Wait before the second try; doubles with each.
    pub(crate) backoff: Duration,
    /// Wait that long before each try.
    pub(crate) steady: bool,
    /// Longest wait between two tries, whatever `Retry-After` asks.
    pub(crate) longest_wait: Duration,
    /// Longest silence of a connection.
    pub(crate) stall: Duration,
    /// Longest time to connect, TLS included.
    pub(crate) connect: Duration,
    /// The same while finding out whether an insecure registry speaks TLS.
    pub(crate) probe: Duration,
    /// `--tls-verify`; none leaves it to the settings.
    pub(crate) tls_verify: Option<bool>,
    /// `--creds`.
    pub(crate) login: Option<Login>,
    /// `--authfile`.
    pub(crate) authfile: Option<PathBuf>,
    /// `--cert-dir`.
    pub(crate) certificates: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            attempts: 5,
            backoff: Duration::from_millis(250),
            steady: false,
            longest_wait: Duration::from_secs(60),
            stall: Duration::from_secs(60),
            connect: Duration::from_secs(30),
            probe: Duration::from_secs(5),
            tls_verify: None,
            login: None,
            authfile: None,
            certificates: None,
        }
    }
}

/// Finds a small document by its digest without the network; what it gives has that digest.
pub(crate) type Known<'a> = dyn Fn(&Digest, usize) -> Option<Vec<u8>> + Sync + 'a;

/// A client for any number of registries. Shared by the threads of one pull.
pub(crate) struct Client<'a> {
    pub(super) settings: &'a Settings,
    pub(super) ui: &'a dyn Ui,
    pub(super) options: &'a Options,
    pub(super) transport: Transport<'a>,
    pub(super) sessions: Sessions,
    pub(super) keychain: OnceLock<Keychain>,
    pub(super) known: Option<&'a Known<'a>>,
    pub(super) access: Access,
    endpoints: Mutex<HashMap<(String, String, bool), Endpoint>>,
}

/// What a client does with repositories, and so asks the rights for.
pub(super) enum Access {
    /// Reads them.
    Pull,
    /// Writes one; reads those at `from`, paths on the same registry, to mount blobs of them.
    Push { from: Vec<String> },
}

impl Access {
    /// The word for it in messages.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Access::Pull => "pull",
            Access::Push { .. } => "push",
        }
    }
}

/// One try that got an answer.
pub(super) struct Tried<T> {
    status: u16,
    after: Option<Duration>,
    value: T,
}

/// A whole answer.
pub(super) struct Small {
    pub(super) status: u16,
    pub(super) headers: ureq::http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl<T> Tried<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Tried<U> {
        Tried {
            status: self.status,
            after: self.after,
            value: change(self.value),
        }
    }
}

impl Tried<Answer> {
    /// An answer whose body is still to be read.
    pub(super) fn open(answer: Answer) -> Tried<Answer> {
        let after = answer.header("retry-after").map(str::to_owned);
        Tried {
            status: answer.status,
            after: after.and_then(|text| retry_after(&text, SystemTime::now())),
            value: answer,
        }
    }
}

impl Tried<Small> {
    /// Reads the body, at most `limit` bytes of a success and 64 KiB of a refusal.
    pub(super) fn small(answer: Answer, limit: usize) -> std::result::Result<Self, Failure> {
        let host = answer.url.origin.host.clone();
        let limit = if answer.status == 200 {
            limit
        } else {
            MAX_REFUSAL
        };
        let tried = Tried::open(answer);
        let (status, after, answer) = (tried.status, tried.after, tried.value);
        let body = match answer.body.read_all(limit) {
            Ok(body) => body,
            // What a refusal says is only talk; its status has said enough.
            Err(_) if status != 200 => Vec::new(),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::new(Kind::Corrupt, "read answer of", host)
                    .because(error.to_string())
                    .into());
            }
            Err(error) => return Err(Failure::Passing(format!("the answer broke off: {error}"))),
        };
        let value = Small {
            status,
            headers: answer.headers,
            body,
        };
        Ok(Tried {
            status,
            after,
            value,
        })
    }
}

impl<'a> Client<'a> {
    /// A client that reads logins, certificates and proxies from `settings` when it needs them.
    pub(crate) fn new(settings: &'a Settings, ui: &'a dyn Ui, options: &'a Options) -> Client<'a> {
        Client {
            settings,
            ui,
            options,
            transport: Transport::new(settings, options),
            sessions: Sessions::default(),
            keychain: OnceLock::new(),
            known: None,
            access: Access::Pull,
            endpoints: Mutex::default(),
        }
    }

    /// Asks `known` for a document of at most so many bytes before it asks a registry.
    pub(crate) fn knowing(mut self, known: &'a Known<'a>) -> Client<'a> {
        self.known = Some(known);
        self
    }

    /// Makes it one that pushes, and may mount blobs from the repositories at the paths `from`.
    pub(crate) fn pushing(mut self, from: Vec<String>) -> Client<'a> {
        self.access = Access::Push { from };
        self
    }

    /// Tries until there is an answer that is not worth another try, or none is left; the last
    /// answer is returned whatever its status.
    pub(super) fn persist<T>(
        &self,
        operation: &str,
        what: &str,
        host: &str,
        mut attempt: impl FnMut() -> std::result::Result<Tried<T>, Failure>,
    ) -> Result<T> {
        let mut patience = Patience::new(self.options, self.ui);
        loop {
            match attempt() {
                Ok(tried) if passes(tried.status) => {
                    let why = format!("status {}", tried.status);
                    if !patience.wait(host, &why, tried.after) {
                        return Ok(tried.value);
                    }
                }
                Ok(tried) => return Ok(tried.value),
                Err(Failure::Passing(why)) => {
                    if !patience.wait(host, &why, None) {
                        return Err(Failure::Passing(why).into_error(operation, what, host));
                    }
                }
                Err(failure) => return Err(failure.into_error(operation, what, host)),
            }
        }
    }

    /// One GET below the repository: logs in once when asked to, follows redirects.
    pub(super) fn get(
        &self,
        endpoint: &Endpoint,
        below: &str,
        accept: Option<&str>,
        from: Option<u64>,
    ) -> std::result::Result<Answer, Failure> {
        let url = endpoint.url(below);
        let request = Request {
            accept,
            from,
            ..Request::new(&url, Payload::None)
        };
        self.ask(endpoint, request)
    }

    /// One request of any method at the endpoint, or where it sent us: logs in once when asked
    /// to, follows redirects. The login and the checks of certificates are put in here.
    pub(super) fn ask(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
    ) -> std::result::Result<Answer, Failure> {
        let used = self.authorization(endpoint)?;
        let answer = self.follow(endpoint, request, used.as_ref())?;
        if answer.status != 401 || answer.url.origin != endpoint.origin {
            return Ok(answer);
        }
        self.challenged(endpoint, used.as_ref(), &answer)?;
        drop(answer);
        let renewed = self.authorization(endpoint)?;
        self.follow(endpoint, request, renewed.as_ref())
    }

    /// Whether a login is sent to this endpoint; decides what a refusal advises.
    pub(super) fn logged_in(&self, endpoint: &Endpoint) -> bool {
        let stored = || {
            self.keychain
                .get()?
                .lookup(&endpoint.domain, &endpoint.path)
                .ok()?
        };
        (self.options.login.is_some() && !endpoint.mirror) || stored().is_some()
    }

    /// Follows redirects. The login stays with the endpoint's scheme, host and port.
    fn follow(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
        authorization: Option<&Secret>,
    ) -> std::result::Result<Answer, Failure> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let same = url.origin == endpoint.origin;
            let same_host = url.origin.host == endpoint.origin.host;
            let answer = self.transport.send(Request {
                url: &url,
                authorization: authorization.filter(|_| same).map(Secret::expose),
                verify: self.verify_elsewhere(same_host && !endpoint.verify),
                ..request
            })?;
            // 301 to 303 may turn another method into a GET, which is not what was asked.
            let kept = request.payload.reads() || matches!(answer.status, 307 | 308);
            if !is_redirect(&answer) || !kept {
                return Ok(answer);
            }
            let location = answer.header("location").unwrap_or_default();
            let refuse = |why: &str| {
                let shown = super::error::printable(location);
                Error::new(Kind::Denied, "follow redirect to", shown).because(why.to_owned())
            };
            if location.is_empty() {
                return Err(refuse("the registry names no place").into());
            }
            let next = url
                .join(location)
                .ok_or_else(|| refuse("not an http or https URL"))?;
            if url.origin.https && !next.origin.https && !endpoint.insecure {
                return Err(refuse("it leaves https").into());
            }
            url = next;
        }
        Err(too_many_redirects(&endpoint.origin).into())
    }

    /// The endpoint of a source: pings `/v2/` once to learn the scheme and the login it wants.
    pub(super) fn endpoint(&self, source: &Source) -> Result<Endpoint> {
        let key = (source.domain.clone(), source.path.clone(), source.mirror);
        let known = || {
            self.endpoints
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(endpoint) = known().get(&key) {
            return Ok(endpoint.clone());
        }
        let found = candidates(source, self.options.tls_verify).ok_or_else(|| {
            Error::usage(
                "use registry",
                source.domain.clone(),
                "not host or host:port",
            )
        })?;
        let last = found.len().saturating_sub(1);
        for (index, candidate) in found.into_iter().enumerate() {
            if let Some(endpoint) = self.ping(source, candidate, index == last)? {
                known().insert(key, endpoint.clone());
                return Ok(endpoint);
            }
        }
        Err(Error::new(Kind::Bug, "use registry", source.domain.clone()))
    }

    /// None when the candidate does not answer and another one is left.
    fn ping(&self, source: &Source, candidate: Candidate, last: bool) -> Result<Option<Endpoint>> {
        let endpoint = Endpoint {
            origin: candidate.origin,
            path: source.path.clone(),
            domain: source.domain.clone(),
            verify: candidate.verify,
            insecure: candidate.insecure,
            mirror: source.mirror,
        };
        let url = Url {
            origin: endpoint.origin.clone(),
            target: "/v2/".to_owned(),
        };
        let once = || {
            self.transport.send(Request {
                url: &url,
                verify: endpoint.verify,
                probe: !last,
                ..Request::new(&url, Payload::None)
            })
        };
        let answer = if last {
            let host = &endpoint.domain;
            let tried = || once().map(Tried::open);
            self.persist("reach registry", &endpoint.domain, host, tried)?
        } else {
            match once() {
                Ok(answer) => answer,
                Err(Failure::Final(error)) if error.kind() == Kind::Usage => return Err(error),
                Err(_) => return Ok(None),
            }
        };
        if answer.status == 401 {
            self.expect_challenge(&endpoint, &answer);
        }
        Ok(Some(endpoint))
    }
}

/// Whether an answer sends the request elsewhere.
pub(super) fn is_redirect(answer: &Answer) -> bool {
    matches!(answer.status, 301 | 302 | 303 | 307 | 308)
}

pub(super) fn too_many_redirects(origin: &Origin) -> Error {
    Error::new(Kind::Network, "reach registry", origin.to_string())
        .because(format!("more than {MAX_REDIRECTS} redirects"))
}
