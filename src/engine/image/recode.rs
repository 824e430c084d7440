//! Layers anew, each in a process of its own: otherwise compressed, or with no later times.

use std::io::BufWriter;

use anyhow::Result;

use crate::archive::{self, Coding, NewLayer};
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::engine::worker::{self, Where, Worker};
use crate::oci::Descriptor;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// Makes a blob of what the blob `from` holds. The caller holds the store's pin.
///
/// # Errors
/// What making the process gave; those of the work, `NotFound` for a blob that was not kept among
/// them, come from [`Worker::finish`].
pub(crate) fn recode(
    engine: &Engine<'_>,
    from: Digest,
    coding: Coding,
    latest: Option<i64>,
) -> Result<Worker<NewLayer>> {
    worker::spawn(engine, Where::here(), move |_| {
        let source = engine.store.blobs().open(&from).map_err(not_kept)?;
        let incoming = engine.store.incoming()?;
        let out = BufWriter::with_capacity(BUFFER, incoming.file()?);
        let layer = archive::recode(source, out, coding, latest)?;
        incoming.publish(&engine.store, &layer.digest, layer.size)?;
        Ok(layer)
    })
}

/// What to do about a blob that is not there.
pub(super) fn not_kept(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound => error.hint("with keep_blobs = always layers are kept as they came"),
        _ => error,
    }
}

/// As [`recode`] for many, as many at a time as there are processors; results in their order.
///
/// # Errors
/// The first one's.
pub(crate) fn recode_all(
    engine: &Engine<'_>,
    wanted: &[(Digest, Coding, Option<i64>)],
) -> Result<Vec<NewLayer>> {
    let width = std::thread::available_parallelism().map_or(1, usize::from);
    let mut made = Vec::new();
    for group in wanted.chunks(width) {
        let start = |(from, coding, latest): &(Digest, Coding, Option<i64>)| {
            recode(engine, *from, *coding, *latest)
        };
        let workers = group.iter().map(start).collect::<Result<Vec<_>>>()?;
        for worker in workers {
            made.push(worker.finish(engine)?);
        }
    }
    Ok(made)
}

/// How a layer is compressed, in the words of OCI's types; `None` for what no registry may spread.
pub(crate) fn suffix_of(layer: &Descriptor) -> Option<&'static str> {
    if layer.is_foreign() {
        return None;
    }
    Some(match layer.media_type.rsplit(['+', '.']).next() {
        Some("gzip") => "+gzip",
        Some("zstd") => "+zstd",
        _ => "",
    })
}

/// Where two layers that are here begin to differ; `None` when they do not.
///
/// # Errors
/// What reading gave.
pub(crate) fn compare(
    engine: &Engine<'_>,
    one: &Digest,
    other: &Digest,
) -> Result<Option<archive::Difference>> {
    let blobs = engine.store.blobs();
    let (one, other) = (blobs.open(one)?, blobs.open(other)?);
    Ok(archive::difference(one, other)?)
}
