//! Points in time, in the form docker's documents use.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in nanoseconds since the Unix epoch; shown and serialised as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Timestamp(pub(crate) i128);

impl Timestamp {
    /// The current time.
    pub(crate) fn now() -> Timestamp {
        Timestamp::from(SystemTime::now())
    }

    /// Whole seconds since the epoch, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000) as i64
    }

    /// RFC 3339 with all nine digits of the fraction, so that lines of it align.
    pub(crate) fn fixed(self) -> String {
        let whole = Timestamp(self.0 - self.0.rem_euclid(1_000_000_000)).to_string();
        let nanos = self.0.rem_euclid(1_000_000_000);
        format!("{}.{nanos:09}Z", whole.trim_end_matches('Z'))
    }

    /// Time passed from this moment to `now`; zero when it lies in the future.
    pub(crate) fn age(self, now: Timestamp) -> Duration {
        Duration::from_nanos(u64::try_from(now.0 - self.0).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp(after.as_nanos() as i128),
            Err(before) => Timestamp(-(before.duration().as_nanos() as i128)),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1_000_000_000) as i64;
        let nanos = self.0.rem_euclid(1_000_000_000) as u32;
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if nanos != 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Parses docker's `--since` and `--until`: seconds since the epoch (`1700000000.5`), an age
/// before `now` (`10m`), RFC 3339, or its beginning (a date, or a time without seconds or zone),
/// which is taken as UTC.
pub(crate) fn parse_moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.bytes().all(|c| c.is_ascii_digit())
        && (1..=9).contains(&fraction.len())
        && let Ok(seconds) = whole.parse::<i64>()
    {
        let nanos: i128 = format!("{fraction:0<9}").parse().ok()?;
        return Some(Timestamp(i128::from(seconds) * 1_000_000_000 + nanos));
    }
    // docker: an age below zero is a moment to come.
    let (sign, age) = match text.strip_prefix('-') {
        Some(age) => (1, age),
        None => (-1, text),
    };
    if let Ok(age) = super::parse_duration(age) {
        return Some(Timestamp(
            now.0 + sign * i128::try_from(age.as_nanos()).ok()?,
        ));
    }
    // ISO 8601, and so date(1), has a comma before fractions.
    let text = &text.replace(',', ".");
    [
        text,
        &format!("{text}Z"),
        &format!("{text}:00Z"),
        &format!("{text}T00:00:00Z"),
    ]
    .into_iter()
    .find_map(|text| parse_rfc3339(text))
}

/// Parses RFC 3339 with any offset and up to nine fraction digits.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
        return None;
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = &text[range];
        digits
            .bytes()
            .all(|c| c.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut rest = &text[19..];
    let mut nanos = 0i128;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.bytes().position(|c| !c.is_ascii_digit())?;
        if end == 0 {
            return None;
        }
        let digits: String = fraction[..end]
            .chars()
            .chain("000000000".chars())
            .take(9)
            .collect();
        nanos = digits.parse().ok()?;
        rest = &fraction[end..];
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let at = text.len() - 6;
            let minutes = number(at + 1..at + 3)? * 60 + number(at + 4..at + 6)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        - offset * 60;
    Some(Timestamp(i128::from(seconds) * 1_000_000_000 + nanos))
}

/// Proleptic Gregorian date of a day count since 1970-01-01 (Hinnant, "chrono-compatible
/// low-level date algorithms", `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of `civil_from_days`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_round_trips() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.5Z",
            "2026-11-22T01:02:03.000000004Z",
        ] {
            assert_eq!(parse_rfc3339(text).unwrap().to_string(), text);
        }
        assert_eq!(
            parse_rfc3339("2024-01-01T01:30:00+01:30")
                .unwrap()
                .to_string(),
            "2024-01-01T00:00:00Z"
        );
    }

    #[test]
    fn a_moment_is_a_number_an_age_or_a_date() {
        let now = parse_rfc3339("2026-11-22T01:00:00Z").unwrap();
        for (text, want) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("-1", "1969-12-31T23:59:59Z"),
            ("1700000000.25", "2023-11-14T22:13:20.25Z"),
            ("10m", "2026-11-22T00:50:00Z"),
            ("1h30m", "2026-11-21T23:30:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2024-02-29T01:02", "2024-02-29T01:02:00Z"),
            ("2024-02-29T01:02:03.5", "2024-02-29T01:02:03.5Z"),
            ("2024-02-29T01:02:03+01:00", "2024-02-29T00:02:03Z"),
        ] {
            assert_eq!(parse_moment(text, now).unwrap().to_string(), want, "{text}");
        }
        for text in ["", "yesterday", "1.", "10 m", "m", "1.0000000001"] {
            assert_eq!(parse_moment(text, now), None, "{text}");
        }
        assert_eq!(
            Timestamp(5_000_000_020).fixed(),
            "1970-01-01T00:00:05.000000020Z"
        );
        assert_eq!(Timestamp(-1).fixed(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn junk_is_refused_without_a_panic() {
        for text in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.5",
            "20é4-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}
