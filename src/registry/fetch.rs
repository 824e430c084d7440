//! A plain file from any web server, for `import`.

use std::io::Read;
use std::time::UNIX_EPOCH;

use super::Client;
use super::retry::http_date;
use super::transport::{Payload, Request};
use super::url::Url;
use crate::common::{Error, Kind, Result};
use crate::settings::Secret;

/// Redirects followed for one file.
const REDIRECTS: usize = 10;

/// A file on a web server, not read yet.
pub(crate) struct Remote {
    /// Its content.
    pub(crate) body: Box<dyn Read + Send>,
    /// The server's name for this content, if it has one.
    pub(crate) etag: Option<String>,
    /// When it was changed last, in seconds since 1970.
    pub(crate) modified: Option<i64>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("etag", &self.etag)
            .field("modified", &self.modified)
            .finish_non_exhaustive()
    }
}

impl Client<'_> {
    /// Opens what is at `address` (http or https) for reading. `login` is what `Authorization` says
    /// to that server, and to none that it redirects to.
    ///
    /// # Errors
    /// `Usage` for a malformed address, `Network` for everything that a server or the way to it
    /// does wrong, a redirect from https to http among it.
    pub(crate) fn file(
        &self,
        address: &str,
        login: Option<&Secret>,
    ) -> Result<Box<dyn Read + Send>> {
        Ok(self.remote(address, login)?.body)
    }

    /// As [`file`](Client::file), with what the server says about it.
    ///
    /// # Errors
    /// As [`file`](Client::file).
    pub(crate) fn remote(&self, address: &str, login: Option<&Secret>) -> Result<Remote> {
        let bad = |why: &str| Error::new(Kind::Network, "fetch", address).because(why.to_owned());
        let mut url = Url::parse(address)
            .ok_or_else(|| Error::usage("fetch", address, "not an http or https address"))?;
        let first = url.origin.clone();
        for _ in 0..REDIRECTS {
            let login = login.filter(|_| url.origin == first);
            let request = Request {
                url: &url,
                accept: None,
                authorization: login.map(Secret::expose),
                from: None,
                payload: Payload::None,
                verify: self.options.tls_verify != Some(false),
                probe: false,
            };
            let host = url.origin.host.clone();
            let answer = self
                .transport
                .send(request)
                .map_err(|failure| failure.into_error("fetch", address, &host))?;
            match answer.status {
                200 => {
                    return Ok(Remote {
                        etag: answer.header("etag").map(str::to_owned),
                        modified: answer
                            .header("last-modified")
                            .and_then(http_date)
                            .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
                            .and_then(|since| i64::try_from(since.as_secs()).ok()),
                        body: Box::new(answer.body),
                    });
                }
                301 | 302 | 303 | 307 | 308 => {
                    let next = answer
                        .header("location")
                        .and_then(|location| url.join(location))
                        .ok_or_else(|| bad("a redirect without a place to go"))?;
                    if url.origin.https && !next.origin.https {
                        return Err(bad("a redirect from https to http is not followed"));
                    }
                    url = next;
                }
                404 | 410 => {
                    return Err(Error::new(Kind::NotFound, "fetch", address)
                        .because(format!("the server answered {}", answer.status)));
                }
                status => return Err(bad(&format!("the server answered {status}"))),
            }
        }
        Err(bad("too many redirects"))
    }
}
