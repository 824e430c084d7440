//! How often and how long a request is tried again.

use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime};

use super::client::Options;
use super::error::printable;
use crate::common::Ui;

/// The tries left for one piece of work.
pub(super) struct Patience<'a> {
    options: &'a Options,
    ui: &'a dyn Ui,
    tried: u32,
}

impl<'a> Patience<'a> {
    pub(super) fn new(options: &'a Options, ui: &'a dyn Ui) -> Patience<'a> {
        Patience {
            options,
            ui,
            tried: 1,
        }
    }

    /// Forgets the failures so far, after real progress.
    pub(super) fn refill(&mut self) {
        self.tried = 1;
    }

    /// Waits before the next try and says so; false when no try is left. `after` is what the
    /// registry asked for, in place of the own back-off.
    pub(super) fn wait(&mut self, host: &str, why: &str, after: Option<Duration>) -> bool {
        if self.tried >= self.options.attempts {
            return false;
        }
        let wait = match after {
            Some(asked) => asked.min(self.options.longest_wait),
            None => self.backoff(),
        };
        let why = printable(why);
        if wait >= Duration::from_secs(1) {
            let seconds = wait.as_secs();
            self.ui
                .note(&format!("{host}: {why}; trying again in {seconds} s"));
        } else {
            self.ui.note(&format!("{host}: {why}; trying again"));
        }
        self.tried += 1;
        std::thread::sleep(wait);
        true
    }

    /// What was asked for; else it doubles with every try, less up to a half, so that many clients do not come back at once.
    fn backoff(&self) -> Duration {
        if self.options.steady {
            return self.options.backoff;
        }
        let full = self
            .options
            .backoff
            .saturating_mul(1u32 << (self.tried - 1).min(10))
            .min(self.options.longest_wait);
        // RandomState is seeded from the kernel; no other randomness is needed for a jitter.
        let random = std::hash::RandomState::new().build_hasher().finish();
        full.mul_f64(0.5 + (random % 1024) as f64 / 2048.0)
    }
}

/// Whether a status is worth another try.
pub(super) fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// `Retry-After` in seconds or as an HTTP date; junk is none.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = http_date(value)?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), read by way of RFC 3339.
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = text.split(' ').skip(1);
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let stamp = crate::common::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    let seconds = u64::try_from(stamp.seconds()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let after = |text| retry_after(text, now);
        assert_eq!(after("3"), Some(Duration::from_secs(3)));
        assert_eq!(
            after("Sun, 06 Nov 1994 08:49:47 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(after("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert!(after("99999999999999999999999").is_some());
        for junk in [
            "",
            "-1",
            "soon",
            "1.5",
            "Sun, 06 Foo 1994 08:49:47 GMT",
            "é, é é é é",
        ] {
            assert_eq!(after(junk), None, "{junk}");
        }
    }
}
