//! A layer from compressed bytes to files in one pass, its stages on threads of their own.

use std::io::{self, BufRead, Read};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use super::apply::{Extractor, UnpackOptions, Unpacked};
use super::compress::decompress;
use super::contents;
use super::limits::Limits;
use super::reader::Reader;
use crate::common::{Digest, Error, Hasher, Kind, Meter, Result};

/// Bytes of one piece that travels between stages; at 256 KiB it is hashed and written out of
/// the second-level cache.
const CHUNK: usize = 256 << 10;

/// Pieces that keep all stages busy: one in each, one before each.
const CHUNKS_MIN: usize = 6;

/// Unpacks the layer `source` (compressed or not) onto the directory `target`, which should be
/// empty and private, and returns its diff-id for the caller to compare. `meter` advances by
/// the bytes taken from `source`, which is always read to its end.
///
/// Errors: `Corrupt` for a bad stream, archive or limit; what `source` itself reports; system
/// errors of the target. The target then holds a part of the layer.
pub(crate) fn unpack_layer(
    source: impl Read + Send,
    target: BorrowedFd<'_>,
    options: &UnpackOptions,
    meter: &dyn Meter,
) -> Result<Unpacked> {
    let state = State::default();
    let (contents, filler) = contents::channel();
    let mut extractor = Extractor::new(target, options, contents)?;
    // Each channel has room for all pieces, so that only the decompressor ever waits for room.
    let chunks = (options.ahead / CHUNK).max(CHUNKS_MIN);
    let (to_hash, from_decode) = sync_channel::<Chunk>(chunks);
    let (to_extract, from_hash) = sync_channel::<Chunk>(chunks);
    let (recycle, used) = sync_channel::<Chunk>(chunks);
    let spare = Spare {
        used,
        unmade: chunks,
    };
    thread::scope(|scope| {
        let source = Tracked {
            inner: source,
            state: &state,
            meter,
        };
        let (state, limits) = (&state, &options.limits);
        let decode = stage(scope, "decompress", move || {
            decode(source, state, limits, spare, to_hash)
        })?;
        let hash = stage(scope, "diff-id", move || hash(from_decode, to_extract))?;
        let fill = stage(scope, "contents", move || filler.run())?;
        let mut chunks = Chunks {
            state,
            from: from_hash,
            recycle,
            current: Vec::new(),
            position: 0,
        };
        let extracted = extract(&mut chunks, &mut extractor, options);
        // Lets a stage that waits for us end.
        drop(chunks);
        let Extractor {
            contents,
            overrides,
            xattrs_refused,
            opaque_top,
            unnamed,
            ..
        } = extractor;
        drop(contents);
        let decoded = joined(decode.join())?;
        let diff_id = joined(hash.join())?;
        let filled = joined(fill.join())?;
        // A stream that broke explains an archive that broke, never the other way round, and
        // files that could not be written explain why no more were made.
        decoded?;
        filled?;
        let files = extracted?;
        Ok(Unpacked {
            diff_id,
            files,
            bytes: state.produced.load(Ordering::Relaxed),
            overrides,
            xattrs_refused,
            opaque_top,
            unnamed,
        })
    })
}

/// Starts a thread of an unpack.
fn stage<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    thread::Builder::new()
        .name(name.into())
        .spawn_scoped(scope, work)
        .map_err(|error| Error::io("start thread", name, error))
}

type Chunk = Vec<u8>;

/// Where the decompressor takes empty pieces from: used ones, which the caches still hold, and
/// new ones only while the other stages lag behind.
#[derive(Debug)]
struct Spare {
    used: Receiver<Chunk>,
    unmade: usize,
}

impl Spare {
    /// The next piece; `None` when the last stage has ended.
    fn take(&mut self) -> Option<Chunk> {
        match self.used.try_recv() {
            Ok(chunk) => Some(chunk),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) if self.unmade > 0 => {
                self.unmade -= 1;
                Some(Vec::with_capacity(CHUNK))
            }
            Err(TryRecvError::Empty) => self.used.recv().ok(),
        }
    }
}

/// What the stages tell each other beside the data.
#[derive(Debug, Default)]
struct State {
    source_failed: AtomicBool,
    decode_failed: AtomicBool,
    consumed: AtomicU64,
    produced: AtomicU64,
}

/// The source, with its progress counted and its failures told from a decoder's.
struct Tracked<'a, R> {
    inner: R,
    state: &'a State,
    meter: &'a dyn Meter,
}

impl<R: Read> Read for Tracked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.state
                    .consumed
                    .fetch_add(count as u64, Ordering::Relaxed);
                self.meter.advance(count as u64);
                Ok(count)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.state.source_failed.store(true, Ordering::Relaxed);
                }
                Err(error)
            }
        }
    }
}

/// First stage: pieces of the tar stream. Ends without error when nobody wants more.
fn decode<R: Read>(
    mut source: Tracked<'_, R>,
    state: &State,
    limits: &Limits,
    mut spare: Spare,
    to: SyncSender<Chunk>,
) -> Result<()> {
    let result = pump(&mut source, state, limits, &mut spare, &to);
    if result.is_err() {
        state.decode_failed.store(true, Ordering::Release);
    }
    result
}

fn pump<R: Read>(
    source: &mut Tracked<'_, R>,
    state: &State,
    limits: &Limits,
    spare: &mut Spare,
    to: &SyncSender<Chunk>,
) -> Result<()> {
    let fail = |error| decode_error(error, state);
    let mut reader = decompress(source).map_err(fail)?;
    while let Some(mut chunk) = spare.take() {
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        while filled < CHUNK {
            match reader.read(&mut chunk[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fail(error)),
            }
        }
        if filled == 0 {
            return Ok(());
        }
        let count = filled as u64;
        let produced = state.produced.fetch_add(count, Ordering::Relaxed) + count;
        limits.check(state.consumed.load(Ordering::Relaxed), produced)?;
        chunk.truncate(filled);
        if to.send(chunk).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What the source reported passes as it is; all else is the stream's own fault.
fn decode_error(error: io::Error, state: &State) -> Error {
    let from_source = state.source_failed.load(Ordering::Relaxed);
    if !from_source {
        let error = Error::new(Kind::Corrupt, "decompress layer", "").because(error);
        return error;
    }
    match error.downcast::<Error>() {
        Ok(inner) => inner,
        Err(error) => Error::io("read layer", "", error),
    }
}

/// Second stage: the diff-id of everything that passes, whether extracted or not.
fn hash(from: Receiver<Chunk>, to: SyncSender<Chunk>) -> Digest {
    let mut hasher = Hasher::default();
    for chunk in from {
        hasher.update(&chunk);
        if to.send(chunk).is_err() {
            break;
        }
    }
    hasher.finish()
}

/// Last stage, on the caller's thread.
fn extract(
    chunks: &mut Chunks<'_>,
    extractor: &mut Extractor,
    options: &UnpackOptions,
) -> Result<u64> {
    let mut reader = Reader::new(chunks, options.limits);
    let mut files = 0;
    while let Some(entry) = reader.next()? {
        extractor.apply(&entry, reader.data())?;
        files += 1;
    }
    reader.drain()?;
    extractor.finish()?;
    Ok(files)
}

/// The pieces as one stream; each goes back to the decompressor when it is used up.
#[derive(Debug)]
struct Chunks<'a> {
    state: &'a State,
    from: Receiver<Chunk>,
    recycle: SyncSender<Chunk>,
    current: Chunk,
    position: usize,
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.current.len() {
            let used = std::mem::take(&mut self.current);
            self.position = 0;
            if used.capacity() > 0 {
                // The decompressor may have ended already.
                let _ = self.recycle.send(used);
            }
            match self.from.recv() {
                Ok(chunk) => self.current = chunk,
                Err(_) if self.state.decode_failed.load(Ordering::Acquire) => {
                    return Err(io::Error::other("the layer could not be read"));
                }
                Err(_) => {}
            }
        }
        Ok(&self.current[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position = (self.position + count).min(self.current.len());
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

fn joined<T>(result: thread::Result<T>) -> Result<T> {
    result.map_err(|_| Error::new(Kind::Bug, "unpack layer", "").because("a stage panicked"))
}
