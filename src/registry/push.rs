//! Pushing (distribution-spec, "Push"): blobs by one request each, then documents. Nothing is
//! changed on the way, so that every digest stays what it is.

use super::client::{Client, Small, Tried};
use super::endpoint::Endpoint;
use super::error::{printable, refusal};
use super::token::{encode, with_query};
use super::transport::{Answer, Failure, Outgoing, Payload, Request};
use super::url::Url;
use crate::common::{Digest, Error, Kind, Result};
use crate::reference::Reference;

/// A repository that is pushed to. Shared by the threads of one push.
pub(crate) struct Target<'c> {
    client: &'c Client<'c>,
    endpoint: Endpoint,
}

/// How a blob came to the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It was there.
    Present,
    /// The registry had it in this other repository.
    Mounted(String),
    /// It was uploaded.
    Uploaded,
}

/// One try at a blob.
enum Step {
    /// The registry has the blob now.
    Done(Sent),
    /// It answered something else.
    Refused(Small),
    /// It does not have the blob, and neither have we.
    Missing,
}

impl Client<'_> {
    /// The repository of `reference` itself; mirrors are only pulled from.
    ///
    /// # Errors
    /// `Denied` for a blocked registry; `Network` when it cannot be reached.
    pub(crate) fn target(&self, reference: &Reference) -> Result<Target<'_>> {
        let mut sources = self.settings.sources(reference)?;
        sources.retain(|source| !source.mirror);
        let own = sources
            .pop()
            .ok_or_else(|| Error::new(Kind::Bug, "push", reference.to_string()))?;
        Ok(Target {
            client: self,
            endpoint: self.endpoint(&own)?,
        })
    }
}

impl Target<'_> {
    /// Brings a blob to the registry unless it is there: mounts it from the repository `from`
    /// where the registry allows that, else uploads `content`. `None` means that it is not here.
    ///
    /// # Errors
    /// `NotFound` when the blob is neither there nor here; `Denied` when the registry refuses;
    /// `Network` otherwise.
    pub(crate) fn blob(
        &self,
        digest: &Digest,
        content: Option<&Outgoing<'_>>,
        from: Option<&str>,
    ) -> Result<Sent> {
        let what = format!("{}@{digest}", self.endpoint.name());
        let host = &self.endpoint.domain;
        let step = self.client.persist("push blob", &what, host, || {
            self.try_blob(digest, content, from)
        })?;
        match step {
            Step::Done(sent) => Ok(sent),
            Step::Refused(small) => Err(self.refused("push blob", &what, &small)),
            Step::Missing => Err(Error::new(Kind::NotFound, "push blob", what)
                .because(
                    "the registry does not have it, and its compressed form was not kept here"
                        .to_owned(),
                )
                .hint("pull the image again with keep_blobs = \"always\" in ketch.toml")),
        }
    }

    fn try_blob(
        &self,
        digest: &Digest,
        content: Option<&Outgoing<'_>>,
        from: Option<&str>,
    ) -> std::result::Result<Tried<Step>, Failure> {
        let head = self.ask(
            &self.endpoint.url(&format!("blobs/{digest}")),
            Payload::Head,
        )?;
        if head.status == 200 {
            return Ok(Tried::open(head).map(|_| Step::Done(Sent::Present)));
        }
        drop(head);
        let begun = self.begin(digest, from)?;
        let answer = match (begun.status, from) {
            (201, Some(from)) => {
                let sent = Sent::Mounted(from.to_owned());
                return Ok(Tried::open(begun).map(|_| Step::Done(sent)));
            }
            (202, _) => match content {
                Some(content) => self.put(&begun, digest, content)?,
                None => return Ok(Tried::open(begun).map(|_| Step::Missing)),
            },
            _ => begun,
        };
        let created = matches!(answer.status, 201 | 204);
        Ok(
            Tried::small(answer, super::client::MAX_REFUSAL)?.map(|small| {
                if created {
                    Step::Done(Sent::Uploaded)
                } else {
                    Step::Refused(small)
                }
            }),
        )
    }

    /// Opens an upload, or mounts the blob: 202 or 201.
    fn begin(&self, digest: &Digest, from: Option<&str>) -> std::result::Result<Answer, Failure> {
        let mut url = self.endpoint.url("blobs/uploads/");
        if let Some(from) = from {
            let text = digest.to_string();
            let pairs = [("mount", text.as_str()), ("from", from)];
            url = with_query(&url, &encode(&pairs));
        }
        self.ask(&url, Payload::Post)
    }

    /// The whole blob by one PUT to where the registry wants it.
    fn put(
        &self,
        begun: &Answer,
        digest: &Digest,
        content: &Outgoing<'_>,
    ) -> std::result::Result<Answer, Failure> {
        let location = begun.header("location").unwrap_or_default();
        let refuse = |why: &str| {
            Error::new(Kind::Denied, "upload to", printable(location)).because(why.to_owned())
        };
        let url = begun
            .url
            .join(location)
            .filter(|_| !location.is_empty())
            .ok_or_else(|| refuse("the registry names no http or https URL"))?;
        if begun.url.origin.https && !url.origin.https && !self.endpoint.insecure {
            return Err(refuse("it leaves https").into());
        }
        let digest = digest.to_string();
        let url = with_query(&url, &encode(&[("digest", digest.as_str())]));
        let answer = self.ask(&url, Payload::Blob(content))?;
        if answer.status == 404 {
            // The upload, not the repository: that was just found.
            return Err(Failure::Passing(
                "the registry forgot the upload".to_owned(),
            ));
        }
        Ok(answer)
    }

    /// Puts a manifest or index under `name`, a tag or its digest.
    ///
    /// # Errors
    /// `Denied` when refused, `Corrupt` when the registry made something else of it, `Network`
    /// otherwise.
    pub(crate) fn document(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let joint = if name.contains(':') { '@' } else { ':' };
        let what = format!("{}{joint}{name}", self.endpoint.name());
        let url = self.endpoint.url(&format!("manifests/{name}"));
        let host = &self.endpoint.domain;
        let small = self.client.persist("push", &what, host, || {
            let answer = self.ask(&url, Payload::Document(media_type, bytes))?;
            Tried::small(answer, super::client::MAX_REFUSAL)
        })?;
        if !matches!(small.status, 200..=202) {
            return Err(self.refused("push", &what, &small));
        }
        let claimed = small
            .headers
            .get("docker-content-digest")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse::<Digest>().ok());
        match claimed {
            Some(claimed) if claimed != digest => Err(Error::new(Kind::Corrupt, "push", what)
                .because(format!(
                    "the registry stored it as {claimed}, it is {digest}"
                ))),
            _ => Ok(digest),
        }
    }

    fn ask(&self, url: &Url, payload: Payload<'_>) -> std::result::Result<Answer, Failure> {
        self.client.ask(&self.endpoint, Request::new(url, payload))
    }

    fn refused(&self, operation: &str, what: &str, small: &Small) -> Error {
        let logged_in = self.client.logged_in(&self.endpoint);
        let host = &self.endpoint.domain;
        refusal(operation, what, host, small.status, &small.body, logged_in)
    }
}
