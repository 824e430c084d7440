//! Numbers with a unit or a range: CPUs, CPU lists, sizes, masks.

use crate::common::{Result, parse_decimal_size, parse_size};

use super::bad;

/// A whole number within `range`.
pub(crate) fn within(flag: &str, text: &str, range: std::ops::RangeInclusive<i64>) -> Result<i64> {
    match text.trim().parse::<i64>() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(bad(
            flag,
            text,
            format!("not a number from {} to {}", range.start(), range.end()),
        )),
    }
}

/// A byte count above zero.
pub(crate) fn size(flag: &str, text: &str) -> Result<u64> {
    checked(flag, text, parse_size(text))
}

/// As [`size`], with suffixes that are powers of 1000.
pub(crate) fn decimal_size(flag: &str, text: &str) -> Result<u64> {
    checked(flag, text, parse_decimal_size(text))
}

fn checked(flag: &str, text: &str, read: Result<u64>) -> Result<u64> {
    match read {
        Ok(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        Ok(_) => Err(bad(flag, text, "too large")),
        Err(_) => Err(bad(flag, text, "not a size such as 512m or 2g")),
    }
}

/// A byte count, or -1 for unlimited.
pub(crate) fn size_or_unlimited(flag: &str, text: &str) -> Result<i64> {
    if text == "-1" {
        return Ok(-1);
    }
    Ok(i64::try_from(size(flag, text)?).unwrap_or(i64::MAX))
}

/// `--cpus` in billionths, without a detour through floats; at most nine decimals (docker: "value
/// is too precise"). Zero means no limit.
pub(crate) fn nano_cpus(text: &str) -> Result<u64> {
    const FLAG: &str = "--cpus";
    let wrong = || bad(FLAG, text, "not a number of CPUs such as 1.5");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 {
        return Err(bad(FLAG, text, "at most nine decimals"));
    }
    let number = |part: &str| {
        if part.is_empty() {
            Ok(0)
        } else {
            part.parse::<u64>()
        }
    };
    let scale = 10u64.pow(9 - fraction.len() as u32);
    let whole = number(whole).map_err(|_| wrong())?;
    let fraction = number(fraction).map_err(|_| wrong())? * scale;
    whole
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(fraction))
        .ok_or_else(|| bad(FLAG, text, "too large"))
}

/// Checks a list such as `0-3,7` (cpuset(7), "List format").
pub(crate) fn cpu_list(flag: &str, text: &str) -> Result<String> {
    let range = |part: &str| -> Option<()> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        (from.parse::<u16>().ok()? <= to.parse::<u16>().ok()?).then_some(())
    };
    if text.split(',').all(|part| range(part.trim()).is_some()) {
        return Ok(text.to_owned());
    }
    Err(bad(flag, text, "not a list such as 0-3,7"))
}

/// An octal file-creation mask of at most `0777`.
pub(crate) fn umask(text: &str) -> Result<u32> {
    match u32::from_str_radix(text, 8) {
        Ok(mask) if mask <= 0o777 && !text.starts_with('+') => Ok(mask),
        _ => Err(bad("--umask", text, "not an octal mask such as 0022")),
    }
}

/// A number of seconds before what does not stop is killed; -1 waits for ever.
pub(crate) fn seconds(flag: &str, text: Option<&str>) -> Result<Option<i64>> {
    text.map(|text| within(flag, text, -1..=i64::from(u32::MAX)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_exact() {
        for (text, nanos) in [
            ("1", 1_000_000_000),
            ("0.5", 500_000_000),
            (".25", 250_000_000),
            ("2.", 2_000_000_000),
            ("0.000000001", 1),
            ("1.1000000000000", 1_100_000_000),
            ("0", 0),
        ] {
            assert_eq!(nano_cpus(text).unwrap(), nanos, "{text}");
        }
        for text in [
            "",
            ".",
            "-1",
            "x",
            "1e3",
            "0.0000000001",
            "99999999999999999999",
            "1.2.3",
            "+1",
        ] {
            assert!(nano_cpus(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_sizes_and_masks() {
        for text in ["0", "0-3", "0-3,7", "1,3,5-6"] {
            cpu_list("--cpuset-cpus", text).unwrap();
        }
        for text in ["", "a", "3-1", "1,", "-1", "0-99999999"] {
            assert!(cpu_list("--cpuset-cpus", text).is_err(), "{text}");
        }
        assert_eq!(size_or_unlimited("--memory-swap", "-1").unwrap(), -1);
        assert_eq!(size_or_unlimited("--memory-swap", "1k").unwrap(), 1024);
        assert!(size("--memory", "16383p").is_err());
        assert_eq!(umask("022").unwrap(), 0o22);
        for text in ["", "8", "1000", "-1", "+7"] {
            assert!(umask(text).is_err(), "{text}");
        }
        assert_eq!(within("--oom-score-adj", "-5", -1000..=1000).unwrap(), -5);
        assert!(within("--oom-score-adj", "1001", -1000..=1000).is_err());
    }
}
