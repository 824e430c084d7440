//! An OCI registry in this process, on 127.0.0.1: what it was asked is recorded, who may ask is
//! chosen by the case, and faults are injected by path.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::image::{Built, digest};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path with its query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

/// Who may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    Open,
    Basic {
        user: String,
        password: String,
    },
    /// A bearer token from `/token`; each is good for so many requests. With a user, only who
    /// shows it there is given one.
    Token {
        uses: usize,
        user: Option<(String, String)>,
    },
}

/// What happens to a request in place of its answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status with these headers and a short text.
    Status(u16, Vec<(String, String)>),
    /// The headers say the whole length, the body ends after so many bytes.
    Cut(usize),
    /// The right length, other bytes.
    WrongBytes,
    /// 307 to this address followed by the request's path.
    Redirect(String),
    /// A range is not honoured: 200 and the whole body.
    IgnoreRange,
    /// So many bytes, then nothing until `release` is called.
    Stall(usize),
    /// Another body with status 200.
    Body(Vec<u8>),
    /// The connection is closed without a word.
    Reset,
}

struct Rule {
    part: String,
    times: usize,
    fault: Fault,
}

struct State {
    auth: Auth,
    blobs: HashMap<String, Vec<u8>>,
    /// Media type and bytes by `repository:reference`.
    manifests: HashMap<String, (String, Vec<u8>)>,
    rules: Vec<Rule>,
    requests: Vec<Request>,
    tokens: HashMap<String, usize>,
    released: bool,
    stalled: bool,
}

/// The registry; it answers until the test process ends.
#[derive(Clone)]
pub(crate) struct Registry {
    pub(crate) address: String,
    state: Arc<(Mutex<State>, Condvar)>,
}

/// An answer before it is sent.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn with(mut self, key: &str, value: impl Into<String>) -> Answer {
        self.headers.push((key.to_owned(), value.into()));
        self
    }
}

impl Registry {
    pub(crate) fn start() -> Registry {
        Registry::with(Auth::Open)
    }

    pub(crate) fn with(auth: Auth) -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State {
            auth,
            blobs: HashMap::new(),
            manifests: HashMap::new(),
            rules: Vec::new(),
            requests: Vec::new(),
            tokens: HashMap::new(),
            released: false,
            stalled: false,
        };
        let registry = Registry {
            address,
            state: Arc::new((Mutex::new(state), Condvar::new())),
        };
        let server = registry.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                // A client that goes away in the middle is part of many cases.
                thread::spawn(move || drop(server.serve(&stream)));
            }
        });
        registry
    }

    fn change<R>(&self, with: impl FnOnce(&mut State) -> R) -> R {
        with(&mut self.state.0.lock().unwrap())
    }

    /// Serves an image as `repository:tag` and by its digest; returns the reference to pull.
    pub(crate) fn push(&self, repository: &str, tag: &str, image: &Built) -> String {
        self.change(|state| state.blobs.extend(image.blobs.iter().cloned()));
        self.push_manifest(repository, tag, &image.media_type, &image.manifest)
    }

    /// Serves a blob alone.
    pub(crate) fn push_blob(&self, data: &[u8]) {
        self.change(|state| state.blobs.insert(digest(data), data.to_vec()));
    }

    /// Serves any document as a manifest.
    pub(crate) fn push_manifest(
        &self,
        repository: &str,
        tag: &str,
        kind: &str,
        data: &[u8],
    ) -> String {
        self.change(|state| {
            for reference in [tag.to_owned(), digest(data)] {
                let document = (kind.to_owned(), data.to_vec());
                state
                    .manifests
                    .insert(format!("{repository}:{reference}"), document);
            }
        });
        format!("{}/{repository}:{tag}", self.address)
    }

    /// Lets the next `times` requests whose path contains `part` meet a fault.
    pub(crate) fn fault(&self, part: &str, times: usize, fault: Fault) {
        self.change(|state| {
            state.rules.push(Rule {
                part: part.to_owned(),
                times,
                fault,
            })
        });
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.change(|state| state.requests.clone())
    }

    /// How often a path with this part was asked for with GET.
    pub(crate) fn count(&self, part: &str) -> usize {
        let requests = self.requests();
        requests
            .iter()
            .filter(|one| one.method == "GET" && one.path.contains(part))
            .count()
    }

    /// Waits until an answer has stalled, with its first bytes sent.
    pub(crate) fn wait_stalled(&self) {
        let (state, changed) = &*self.state;
        let limit = super::process::LIMIT;
        let guard = state.lock().unwrap();
        let (guard, _) = changed
            .wait_timeout_while(guard, limit, |state| !state.stalled)
            .unwrap();
        assert!(guard.stalled, "nothing stalled");
    }

    /// Ends every stall, now and later.
    pub(crate) fn release(&self) {
        self.change(|state| state.released = true);
        self.state.1.notify_all();
    }

    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let request = read_request(stream)?;
        let fault = self.change(|state| {
            state.requests.push(request.clone());
            let rule = state
                .rules
                .iter_mut()
                .find(|rule| rule.times > 0 && request.path.contains(&rule.part))?;
            rule.times -= 1;
            Some(rule.fault.clone())
        });
        self.state.1.notify_all();
        let range = request.headers.get("range").cloned();
        let mut answer = self.answer(&request);
        let mut sent = usize::MAX;
        match fault {
            None => answer = ranged(answer, range.as_deref()),
            Some(Fault::Status(status, headers)) => {
                let body = r#"{"errors":[{"code":"UNAVAILABLE","message":"injected"}]}"#;
                answer = Answer {
                    status,
                    headers,
                    body: body.into(),
                };
            }
            Some(Fault::Cut(bytes)) => {
                answer = ranged(answer, range.as_deref());
                sent = bytes;
            }
            Some(Fault::WrongBytes) => {
                answer.body.iter_mut().for_each(|byte| *byte ^= 0x55);
                answer = ranged(answer, range.as_deref());
            }
            Some(Fault::Redirect(to)) => {
                let path = format!("{to}{}", request.path);
                answer = Answer::new(307, "").with("Location", path);
            }
            Some(Fault::IgnoreRange) => {}
            Some(Fault::Stall(bytes)) => {
                answer = ranged(answer, range.as_deref());
                return self.stall(stream, &answer, bytes);
            }
            Some(Fault::Body(body)) => answer = Answer::new(200, body),
            Some(Fault::Reset) => return Ok(()),
        }
        let whole = request.method != "HEAD";
        send(stream, &answer, if whole { sent } else { 0 })
    }

    fn stall(&self, stream: &TcpStream, answer: &Answer, bytes: usize) -> std::io::Result<()> {
        send(stream, answer, bytes)?;
        self.change(|state| state.stalled = true);
        let (state, changed) = &*self.state;
        changed.notify_all();
        let guard = state.lock().unwrap();
        drop(changed.wait_timeout_while(guard, super::process::LIMIT, |state| !state.released));
        let mut stream = stream;
        stream.write_all(answer.body.get(bytes..).unwrap_or_default())
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.split('?').next().unwrap_or_default();
        if path == "/token" {
            return self.token(request);
        }
        if let Some(refusal) = self.refusal(request) {
            return refusal;
        }
        let Some(rest) = path.strip_prefix("/v2/") else {
            return Answer::new(404, "");
        };
        if rest.is_empty() {
            return Answer::new(200, "{}").with("Docker-Distribution-API-Version", "registry/2.0");
        }
        self.change(|state| {
            if let Some((_, digest)) = rest.split_once("/blobs/") {
                let found = state.blobs.get(digest);
                return found.map(|data| {
                    Answer::new(200, data.clone()).with("Content-Type", "application/octet-stream")
                });
            }
            let (repository, reference) = rest.split_once("/manifests/")?;
            let (kind, data) = state.manifests.get(&format!("{repository}:{reference}"))?;
            let answer = Answer::new(200, data.clone()).with("Content-Type", kind.clone());
            Some(answer.with("Docker-Content-Digest", digest(data)))
        })
        .unwrap_or_else(|| {
            let code = if path.contains("/blobs/") {
                "BLOB_UNKNOWN"
            } else {
                "MANIFEST_UNKNOWN"
            };
            Answer::new(
                404,
                format!(r#"{{"errors":[{{"code":"{code}","message":"not here"}}]}}"#),
            )
        })
    }

    /// The refusal, unless the request shows what it must.
    fn refusal(&self, request: &Request) -> Option<Answer> {
        let shown = request
            .headers
            .get("authorization")
            .cloned()
            .unwrap_or_default();
        let challenge = self.change(|state| match &state.auth {
            Auth::Open => None,
            Auth::Basic { user, password } => {
                let good = shown == basic(user, password);
                (!good).then(|| r#"Basic realm="test""#.to_owned())
            }
            Auth::Token { .. } => {
                let token = shown.strip_prefix("Bearer ").unwrap_or_default();
                if let Some(uses) = state.tokens.get_mut(token).filter(|uses| **uses > 0) {
                    *uses -= 1;
                    return None;
                }
                let path = request.path.trim_start_matches("/v2/");
                let end = path
                    .find("/manifests/")
                    .or_else(|| path.find("/blobs/"))
                    .unwrap_or(0);
                let scope = match &path[..end] {
                    "" => String::new(),
                    repository => format!(r#",scope="repository:{repository}:pull""#),
                };
                let realm = format!("http://{}/token", self.address);
                Some(format!(r#"Bearer realm="{realm}",service="test"{scope}"#))
            }
        })?;
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        Some(Answer::new(401, body).with("WWW-Authenticate", challenge))
    }

    fn token(&self, request: &Request) -> Answer {
        self.change(|state| {
            let Auth::Token { uses, user } = &state.auth else {
                return Answer::new(404, "");
            };
            let uses = *uses;
            if let Some((user, password)) = user {
                let shown = request.headers.get("authorization");
                let form = request.body.contains(&format!("password={password}"));
                if shown != Some(&basic(user, password)) && !form {
                    return Answer::new(401, r#"{"details":"incorrect username or password"}"#);
                }
            }
            let token = format!("token-{}", state.tokens.len());
            state.tokens.insert(token.clone(), uses);
            let body =
                format!(r#"{{"token":"{token}","access_token":"{token}","expires_in":300}}"#);
            Answer::new(200, body).with("Content-Type", "application/json")
        })
    }
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {text}")
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((key, value)) = line.split_once(':') {
            headers.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// The part of a good answer that a `Range: bytes=N-` asks for.
fn ranged(mut answer: Answer, range: Option<&str>) -> Answer {
    let Some(range) = range.and_then(|text| text.strip_prefix("bytes=")) else {
        return answer;
    };
    let (first, last) = range.split_once('-').unwrap_or((range, ""));
    let length = answer.body.len();
    let first: usize = first.parse().unwrap_or(0);
    let end = last
        .parse()
        .map_or(length, |last: usize| (last + 1).min(length));
    if answer.status != 200 {
        return answer;
    }
    if first >= end {
        return Answer::new(416, "").with("Content-Range", format!("bytes */{length}"));
    }
    answer.status = 206;
    answer.body = answer.body[first..end].to_vec();
    answer.with(
        "Content-Range",
        format!("bytes {first}-{}/{length}", end - 1),
    )
}

/// Sends the answer's headers and at most `bytes` of its body; the length is always the whole one.
fn send(mut stream: &TcpStream, answer: &Answer, bytes: usize) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n",
        answer.status,
        answer.body.len()
    );
    for (key, value) in &answer.headers {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body[..bytes.min(answer.body.len())])?;
    stream.flush()
}
