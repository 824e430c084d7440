//! Numbers under `Printf`'s verbs: fmt/format.go and strconv's `FormatFloat`.

use super::{Flags, is_printable, pad, quote_into};

/// An integer; `None` for a verb that is not for integers.
pub(super) fn integer(size: u64, negative: bool, verb: char, flags: Flags) -> Option<String> {
    let (digits, prefix) = match verb {
        'v' | 'd' => (size.to_string(), ""),
        'b' => (format!("{size:b}"), "0b"),
        'o' => (format!("{size:o}"), "0"),
        'O' => (format!("{size:o}"), "0o"),
        'x' => (format!("{size:x}"), "0x"),
        'X' => (format!("{size:X}"), "0X"),
        'c' => return Some(pad(&character(size, negative).to_string(), flags)),
        'q' => {
            let mut text = String::from("'");
            quote_into(&mut text, character(size, negative), '\'');
            return Some(pad(&format!("{text}'"), flags));
        }
        'U' => return Some(pad(&code_point(size, negative, flags), flags)),
        _ => return None,
    };
    let sign = sign(negative, flags);
    if flags.precision == Some(0) && size == 0 {
        let blank = Flags {
            zero: false,
            ..flags
        };
        return Some(pad("", blank));
    }
    let wanted = match (flags.precision, flags.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.zero && !flags.minus => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let zeros = "0".repeat(wanted.saturating_sub(digits.len()));
    let shown = match verb == 'O' || flags.sharp {
        true if prefix == "0" && zeros.is_empty() && digits.starts_with('0') => "",
        true => prefix,
        false => "",
    };
    let blank = Flags {
        zero: false,
        ..flags
    };
    let text = match prefix == "0" && !zeros.is_empty() {
        true => format!("{sign}{zeros}{digits}"),
        false => format!("{sign}{shown}{zeros}{digits}"),
    };
    Some(pad(&text, blank))
}

fn sign(negative: bool, flags: Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn character(size: u64, negative: bool) -> char {
    let found = u32::try_from(size).ok().filter(|_| !negative);
    found
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn code_point(size: u64, negative: bool, flags: Flags) -> String {
    let text = format!("U+{size:04X}");
    let c = character(size, negative);
    match flags.sharp && is_printable(c) {
        true => format!("{text} '{c}'"),
        false => text,
    }
}

/// A fraction; `None` for a verb that is not for it.
pub(super) fn float(number: f64, verb: char, flags: Flags) -> Option<String> {
    let verb = match verb {
        'v' => 'g',
        'F' => 'f',
        'e' | 'E' | 'f' | 'g' | 'G' => verb,
        _ => return None,
    };
    let size = number.abs();
    let precision = flags.precision;
    let text = match verb {
        _ if number.is_nan() => "NaN".to_owned(),
        _ if number.is_infinite() => "Inf".to_owned(),
        'f' => format!("{size:.*}", precision.unwrap_or(6)),
        'e' | 'E' => scientific(&format!("{size:.*e}", precision.unwrap_or(6))),
        _ => general(size, precision),
    };
    let text = match verb {
        'E' | 'G' => text.replace('e', "E"),
        _ => text,
    };
    let infinite = !number.is_finite();
    let negative = number.is_sign_negative() && !number.is_nan();
    let sign = match number.is_infinite() && !negative && flags.plus {
        true => "+",
        false => sign(negative, flags),
    };
    let sign = match number.is_infinite() && sign.is_empty() {
        true => "+",
        false => sign,
    };
    let zero = flags.zero && !flags.minus && !infinite;
    let flags = Flags { zero, ..flags };
    if zero {
        let width = flags.width.map(|width| width.saturating_sub(sign.len()));
        return Some(format!("{sign}{}", pad(&text, Flags { width, ..flags })));
    }
    Some(pad(&format!("{sign}{text}"), flags))
}

/// Rust's `1.5e7` as Go writes it: `1.5e+07`.
fn scientific(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// `%g`: the shortest text that reads back the same, or `precision` significant digits.
fn general(size: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{size:.*e}", precision.max(1) - 1),
        None => format!("{size:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = match precision {
        Some(_) => digits.trim_end_matches('0'),
        None => &digits,
    };
    let count = digits.len().max(1) as i32;
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = precision.max(1) as i32;
            match precision > count && count > exponent {
                true => count,
                false => precision,
            }
        }
    };
    if exponent < -4 || exponent >= limit {
        let mantissa = match digits.split_at_checked(1) {
            Some((first, "")) => first.to_owned(),
            Some((first, rest)) => format!("{first}.{rest}"),
            None => "0".to_owned(),
        };
        return scientific(&format!("{mantissa}e{exponent}"));
    }
    let places = (count - 1 - exponent).max(0) as usize;
    format!("{size:.places$}")
}
