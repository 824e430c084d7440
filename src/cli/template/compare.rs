//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`.

use std::cmp::Ordering;

use super::print;
use super::value::{Nil, Value};

const BAD: &str = "incompatible types for comparison";

/// Kinds that can be compared with `<`.
#[derive(PartialEq, Clone, Copy)]
enum Basic {
    Bool,
    Int,
    Uint,
    Float,
    Text,
}

fn basic(value: &Value) -> Option<Basic> {
    Some(match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(_) => Basic::Int,
        Value::Uint(_) => Basic::Uint,
        Value::Float(_) => Basic::Float,
        Value::Text(_) => Basic::Text,
        _ => return None,
    })
}

fn is_absent(value: &Value) -> bool {
    matches!(value, Value::Absent | Value::Nil(Nil::Any))
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Absent | Value::Nil(_))
}

/// `first` equals one of the others.
pub(super) fn equal(values: &[Value]) -> Result<bool, String> {
    let (first, others) = match values {
        [first, others @ ..] if !others.is_empty() => (first, others),
        _ => return Err("missing argument for comparison".to_owned()),
    };
    for other in others {
        if equals(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals(first: &Value, other: &Value) -> Result<bool, String> {
    Ok(match (first, other) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Uint(a), Value::Uint(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Int(a), Value::Uint(b)) | (Value::Uint(b), Value::Int(a)) => {
            u64::try_from(*a) == Ok(*b)
        }
        _ if basic(first) != basic(other) => {
            if !is_absent(first) && !is_absent(other) {
                return Err(BAD.to_owned());
            }
            false
        }
        _ if is_nil(first) || is_nil(other) => is_nil(first) && is_nil(other),
        _ => {
            let (kind, text) = (other.type_name(), print::plain(other));
            return Err(format!("non-comparable type {text}: {kind}"));
        }
    })
}

/// `a < b`.
pub(super) fn less(values: &[Value]) -> Result<bool, String> {
    let [a, b] = values else {
        return Err("missing argument for comparison".to_owned());
    };
    let bad_type = || "invalid type for comparison".to_owned();
    let (kind, other) = (
        basic(a).ok_or_else(bad_type)?,
        basic(b).ok_or_else(bad_type)?,
    );
    Ok(match (a, b) {
        (Value::Int(a), Value::Uint(b)) => u64::try_from(*a).is_ok_and(|a| a < *b) || *a < 0,
        (Value::Uint(a), Value::Int(b)) => u64::try_from(*b).is_ok_and(|b| *a < b),
        _ if kind != other => return Err(BAD.to_owned()),
        (Value::Int(a), Value::Int(b)) => a < b,
        (Value::Uint(a), Value::Uint(b)) => a < b,
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b) == Some(Ordering::Less),
        (Value::Text(a), Value::Text(b)) => a < b,
        _ => return Err(bad_type()),
    })
}

/// `a <= b`.
pub(super) fn less_or_equal(values: &[Value]) -> Result<bool, String> {
    Ok(less(values)? || equal(values)?)
}
