//! The registry client: resolves a reference to a checked manifest and streams its blobs.
//!
//! It also pushes them. Blocking, on ureq with rustls. It writes no disk and prints nothing: documents come back as
//! bytes that match their digests, blobs as readers that resume by themselves. The registry is
//! hostile: every body has a limit, every wait an end, credentials stay with the scheme, host
//! and port they belong to, and no answer makes it panic.

#![forbid(unsafe_code)]

mod auth;
mod blob;
mod challenge;
mod client;
mod endpoint;
mod error;
mod fetch;
mod manifest;
mod push;
mod retry;
mod steady;
mod tls;
mod token;
mod transport;
mod url;

pub(crate) use client::{Client, Login, Options};
pub(crate) use manifest::{Artifact, Resolved};
pub(crate) use push::{Sent, Target};
pub(crate) use transport::Outgoing;

#[cfg(test)]
mod tests;
