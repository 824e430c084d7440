//! A response body that must make progress. The socket's own timeout ends a silent peer; this
//! ends one that keeps sending a byte now and then.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Least bytes a peer must send in each stall period.
const LEAST: u64 = 1024;

/// Reads at least this large are progress enough to skip looking at the clock.
const LARGE: usize = 16 << 10;

pub(super) struct Steady<R> {
    inner: R,
    period: Duration,
    since: Instant,
    bytes: u64,
}

impl<R: Read> Steady<R> {
    pub(super) fn new(inner: R, period: Duration) -> Steady<R> {
        Steady {
            inner,
            period,
            since: Instant::now(),
            bytes: 0,
        }
    }

    /// Reads the whole body, at most `limit` bytes; a longer one is `InvalidData`.
    pub(super) fn read_all(mut self, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self).take(limit as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("longer than {limit} bytes"),
            ));
        }
        Ok(bytes)
    }
}

impl<R: Read> Read for Steady<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        if count >= LARGE || self.bytes >= LEAST * 64 {
            self.bytes = 0;
            self.since = Instant::now();
        } else if count > 0 && self.since.elapsed() > self.period {
            if self.bytes < LEAST {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the transfer all but stopped",
                ));
            }
            self.bytes = 0;
            self.since = Instant::now();
        }
        Ok(count)
    }
}
