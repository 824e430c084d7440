//! A blob as a reader that resumes. It yields exactly the bytes from its offset to the size the
//! descriptor names, or an error; the digest is checked by whoever stores it.

use std::io::{self, Read};

use super::client::{Client, MAX_REFUSAL, Tried};
use super::error::refusal;
use super::retry::Patience;
use super::transport::{Answer, Body, Failure};
use crate::common::{Digest, Error, Kind, Result};
use crate::oci::Descriptor;
use crate::settings::Source;

/// Bytes after which earlier failures are forgotten: a long download over a bad line may break
/// many times, a registry that sends a byte per connection is given up.
const PROGRESS: u64 = 256 << 10;

/// Reader of one blob.
struct Blob<'c> {
    client: &'c Client<'c>,
    sources: Vec<Source>,
    digest: Digest,
    size: u64,
    position: u64,
    body: Option<(Body, bool)>,
    patience: Patience<'c>,
    /// Bytes read since the last failure.
    gained: u64,
    /// False once the registry has shown that its ranges cannot be trusted.
    ranges: bool,
}

impl Client<'_> {
    /// Opens a blob at `offset`. The reader resumes after broken connections and never yields
    /// more than `descriptor.size - offset` bytes.
    ///
    /// # Errors
    /// `NotFound` when no source has it, `Denied` when refused, `Usage` for an offset beyond
    /// the size, `Network` otherwise. The reader's own errors carry an `Error` inside.
    pub(crate) fn blob<'c>(
        &'c self,
        sources: &[Source],
        descriptor: &Descriptor,
        offset: u64,
    ) -> Result<Box<dyn Read + Send + 'c>> {
        if offset > descriptor.size {
            return Err(Error::usage(
                "pull blob",
                descriptor.digest.to_string(),
                "the offset lies beyond its end",
            ));
        }
        let mut blob = Blob {
            client: self,
            sources: sources.to_vec(),
            digest: descriptor.digest,
            size: descriptor.size,
            position: offset,
            body: None,
            patience: Patience::new(self.options, self.ui),
            gained: 0,
            ranges: true,
        };
        if offset < descriptor.size {
            blob.open()?;
        }
        Ok(Box::new(blob))
    }
}

impl Blob<'_> {
    /// Connects at the current position: the first source that has the blob is kept.
    fn open(&mut self) -> Result<()> {
        loop {
            let Some(source) = self.sources.first().cloned() else {
                return Err(self.failed("no place to fetch it from"));
            };
            match self.open_at(&source) {
                Ok(body) => {
                    self.body = Some(body);
                    return Ok(());
                }
                Err(error) if self.sources.len() > 1 => {
                    let name = &source.domain;
                    let line = format!("mirror {name} is passed over: {error}");
                    self.client.ui.note(&line);
                    self.sources.remove(0);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn open_at(&mut self, source: &Source) -> Result<(Body, bool)> {
        let endpoint = self.client.endpoint(source)?;
        let what = format!("{}@{}", endpoint.name(), self.digest);
        let host = endpoint.domain.clone();
        let below = format!("blobs/{}", self.digest);
        loop {
            let from = Some(self.position).filter(|_| self.ranges);
            let answer = self.client.persist("pull blob", &what, &host, || {
                let answer = self.client.get(&endpoint, &below, None, from)?;
                Ok(Tried::open(answer))
            })?;
            match answer.status {
                200 => match self.skip(answer) {
                    Ok(body) => return Ok(body),
                    Err(why) => self.pause(&host, &why, &what)?,
                },
                206 if self.fits(&answer) => return Ok((answer.body, answer.length.is_some())),
                206 | 416 if self.ranges && self.position > 0 => self.ranges = false,
                206 | 416 => {
                    return Err(self.failed("the registry answers a plain request with a range"));
                }
                status => {
                    let body = answer.body.read_all(MAX_REFUSAL).unwrap_or_default();
                    let logged_in = self.client.logged_in(&endpoint);
                    let domain = &endpoint.domain;
                    return Err(refusal(
                        "pull blob",
                        &what,
                        domain,
                        status,
                        &body,
                        logged_in,
                    ));
                }
            }
        }
    }

    /// A whole body: reads and drops what is there already.
    fn skip(&self, mut answer: Answer) -> std::result::Result<(Body, bool), String> {
        if answer.length.is_some_and(|length| length != self.size) {
            return Err(format!(
                "the registry sends {} bytes where the manifest says {}",
                answer.length.unwrap_or_default(),
                self.size
            ));
        }
        let dropped = io::copy(&mut (&mut answer.body).take(self.position), &mut io::sink());
        match dropped {
            Ok(count) if count == self.position => Ok((answer.body, answer.length.is_some())),
            Ok(_) => Err("the answer broke off".to_owned()),
            Err(error) => Err(format!("the answer broke off: {error}")),
        }
    }

    /// Whether a 206 begins where it was asked to and belongs to a blob of this size.
    fn fits(&self, answer: &Answer) -> bool {
        let parsed = || {
            let range = answer
                .header("content-range")?
                .trim()
                .strip_prefix("bytes")?;
            let (span, total) = range.trim_start().split_once('/')?;
            let (start, end) = span.split_once('-')?;
            let total = match total {
                "*" => self.size,
                total => total.parse::<u64>().ok()?,
            };
            Some((start.parse::<u64>().ok()?, end.parse::<u64>().ok()?, total))
        };
        self.position > 0
            && parsed().is_some_and(|(start, end, total)| {
                start == self.position && total == self.size && end < total && start <= end
            })
    }

    fn pause(&mut self, host: &str, why: &str, what: &str) -> Result<()> {
        if self.gained >= PROGRESS {
            self.patience.refill();
        }
        self.gained = 0;
        if self.patience.wait(host, why, None) {
            return Ok(());
        }
        Err(Failure::Passing(why.to_owned()).into_error("pull blob", what, host))
    }

    fn failed(&self, why: &str) -> Error {
        Error::new(Kind::Network, "pull blob", self.digest.to_string()).because(why.to_owned())
    }

    /// The connection broke: waits and opens again at the current position.
    fn resume(&mut self, why: &str) -> Result<()> {
        self.body = None;
        let host = match self.sources.first() {
            Some(source) => source.domain.clone(),
            None => String::new(),
        };
        let what = self.digest.to_string();
        match self.pause(&host, why, &what) {
            Err(error) if self.sources.len() > 1 => {
                let line = format!("mirror {host} is passed over: {error}");
                self.client.ui.note(&line);
                self.sources.remove(0);
                self.patience.refill();
            }
            other => other?,
        }
        self.open()
    }
}

impl Read for Blob<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.size.saturating_sub(self.position);
            if left == 0 {
                // Reading to the end of a body of known length hands its connection back to
                // the pool; other bodies may have no end.
                if let Some((mut body, true)) = self.body.take() {
                    let _ = body.read(&mut [0u8; 1]);
                }
                return Ok(0);
            }
            if buffer.is_empty() {
                return Ok(0);
            }
            let most = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let window = buffer.get_mut(..most).unwrap_or_default();
            let outcome = match &mut self.body {
                Some((body, _)) => body.read(window),
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            let why = match outcome {
                Ok(0) => "the connection ended early".to_owned(),
                Ok(count) => {
                    self.position += count as u64;
                    self.gained += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => format!("the connection broke: {error}"),
            };
            self.resume(&why).map_err(into_io)?;
        }
    }
}

/// Carries an `Error` through `Read`, with the I/O kind that maps back to its own.
fn into_io(error: Error) -> io::Error {
    let kind = match error.kind() {
        Kind::Network => io::ErrorKind::ConnectionReset,
        Kind::Corrupt => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
