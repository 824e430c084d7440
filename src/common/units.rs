//! Sizes and durations in the grammars docker's flags use.

use std::time::Duration;

use super::error::{Error, Result};

/// Parses a byte count with an optional binary suffix: `512`, `64k`, `1.5g`, `10MiB`
/// (docker's `RAMInBytes`: suffixes are powers of 1024 whatever their spelling).
pub(crate) fn parse_size(text: &str) -> Result<u64> {
    parse_in(text, 1024)
}

/// As [`parse_size`], but suffixes are powers of 1000 (go-units' `FromHumanSize`).
pub(crate) fn parse_decimal_size(text: &str) -> Result<u64> {
    parse_in(text, 1000)
}

fn parse_in(text: &str, base: u64) -> Result<u64> {
    let bad = |why: &str| Error::usage("parse size", format!("{text:?}"), why);
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, suffix) = (&trimmed[..end], trimmed[end..].trim().to_ascii_lowercase());
    let unit = suffix
        .strip_suffix("ib")
        .or_else(|| suffix.strip_suffix('b'))
        .unwrap_or(&suffix);
    let power = match unit {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(bad("use a number with a suffix of b, k, m, g, t or p")),
    };
    let scale = base.pow(power);
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale).ok_or_else(|| bad("too large"));
    }
    let value: f64 = number.parse().map_err(|_| bad("not a number"))?;
    let bytes = value * scale as f64;
    if !bytes.is_finite() || bytes >= u64::MAX as f64 {
        return Err(bad("too large"));
    }
    Ok(bytes as u64)
}

const DECIMAL: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BINARY: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Shows bytes as docker's lists do: decimal units, three significant digits (`1.23MB`).
pub(crate) fn human_size(bytes: u64) -> String {
    shown(bytes, 1000.0, &DECIMAL, 3)
}

/// Shows bytes as podman does the limit of a log: decimal units, four significant digits
/// (go-units' `HumanSize`).
pub(crate) fn decimal_size(bytes: u64) -> String {
    shown(bytes, 1000.0, &DECIMAL, 4)
}

/// Shows bytes as docker's `stats` does memory: binary units, four significant digits
/// (go-units `BytesSize`).
pub(crate) fn binary_size(bytes: u64) -> String {
    shown(bytes, 1024.0, &BINARY, 4)
}

/// Bytes in the largest unit that leaves a whole part, with this many significant digits.
fn shown(bytes: u64, base: f64, units: &[&str; 7], digits: usize) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let whole = match value {
        1000.0.. => 4,
        100.0.. => 3,
        10.0.. => 2,
        _ => 1,
    };
    let decimals = digits.saturating_sub(whole);
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text}{}", units[unit])
}

/// Parses Go's duration grammar (`1h2m3.5s`, `250ms`); a bare number is refused except `0`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration> {
    let bad = || {
        Error::usage(
            "parse duration",
            format!("{text:?}"),
            "use a form like 1h30m, 10s or 500ms",
        )
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = 0f64;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(bad)?;
        let value: f64 = rest[..end].parse().map_err(|_| bad())?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        total += value
            * match &rest[..end] {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return Err(bad()),
            };
        rest = &rest[end..];
    }
    Duration::try_from_secs_f64(total).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_dockers_ram_in_bytes() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("64k", 65_536),
            ("1.5g", 1_610_612_736),
            ("10MiB", 10 << 20),
            ("1KB", 1024),
        ] {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "k", "-1", "1x", "1..2m", "99999999999999p", "é"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_shown_in_decimal_units() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (77_800_000, "77.8MB"),
            (1_234_000_000, "1.23GB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
        // Go cuts what its floating point makes of it as well.
        let read = parse_decimal_size("1.025m").unwrap();
        assert_eq!((read, decimal_size(read).as_str()), (1_024_999, "1.025MB"));
    }

    #[test]
    fn memory_is_shown_in_binary_units() {
        for (bytes, text) in [
            (0, "0B"),
            (1000, "1000B"),
            (1024, "1KiB"),
            (1_610_612_736, "1.5GiB"),
            (8_123_456_789, "7.566GiB"),
        ] {
            assert_eq!(binary_size(bytes), text);
        }
    }

    #[test]
    fn durations_follow_go() {
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_duration("250ms").unwrap(), Duration::from_millis(250));
        for bad in ["", "10", "1x", "s", "-1s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
