//! The functions a template can call: Go's own and the ones docker adds.

use super::value::{Nil, Param, Value};
use super::{compare, escape, print};

/// What a function does: checked arguments in, a value or a message out.
type Body = fn(&[Value]) -> Result<Value, String>;

/// A function with its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub(super) params: &'static [Param],
    pub(super) rest: Option<Param>,
    pub(super) body: Body,
    /// docker's own: over a header row it gives its first argument back.
    pub(super) of_docker: bool,
}

const ANY: Option<Param> = Some(Param::Any);

const fn go(params: &'static [Param], rest: Option<Param>, body: Body) -> Function {
    Function {
        params,
        rest,
        body,
        of_docker: false,
    }
}

const fn docker(params: &'static [Param], body: Body) -> Function {
    Function {
        params,
        rest: None,
        body,
        of_docker: true,
    }
}

/// The function of this name. `and` and `or` are here for their parameters alone: they stop
/// early, which the evaluator does.
pub(super) fn find(name: &str) -> Option<Function> {
    use Param::{Any, Int, Text};
    Some(match name {
        "and" | "or" => go(&[Any], ANY, |_| Ok(Value::Absent)),
        "call" => go(&[Any], ANY, call),
        "html" => go(&[], ANY, |values| text(escape::html(&joined(values)))),
        "js" => go(&[], ANY, |values| text(escape::js(&joined(values)))),
        "urlquery" => go(&[], ANY, |values| text(escape::query(&joined(values)))),
        "index" => go(&[Any], ANY, index),
        "slice" => go(&[Any], ANY, slice),
        "len" => go(&[Any], None, length),
        "not" => go(&[Any], None, |values| {
            Ok(Value::Bool(!values.first().is_some_and(Value::truth)))
        }),
        "print" => go(&[], ANY, |values| text(print::sprint(values))),
        "println" => go(&[], ANY, |values| text(print::sprintln(values))),
        "printf" => go(&[Text], ANY, |values| match values {
            [Value::Text(format), values @ ..] => text(print::sprintf(format, values)),
            _ => text(String::new()),
        }),
        "eq" => go(&[Any], ANY, |values| {
            compare::equal(values).map(Value::Bool)
        }),
        "ne" => go(&[Any, Any], None, |values| {
            compare::equal(values).map(|equal| Value::Bool(!equal))
        }),
        "lt" => go(&[Any, Any], None, |values| {
            compare::less(values).map(Value::Bool)
        }),
        "le" => go(&[Any, Any], None, |values| {
            compare::less_or_equal(values).map(Value::Bool)
        }),
        "gt" => go(&[Any, Any], None, |values| {
            compare::less_or_equal(values).map(|less| Value::Bool(!less))
        }),
        "ge" => go(&[Any, Any], None, |values| {
            compare::less(values).map(|less| Value::Bool(!less))
        }),
        "json" => docker(&[Any], |values| {
            text(values.first().map(json).unwrap_or_default())
        }),
        "split" => docker(&[Text, Text], split),
        "join" => docker(&[Any, Text], join),
        "title" => docker(&[Text], |values| on_text(values, title)),
        "lower" => docker(&[Text], |values| on_text(values, str::to_lowercase)),
        "upper" => docker(&[Text], |values| on_text(values, str::to_uppercase)),
        "pad" => docker(&[Text, Int, Int], pad),
        "truncate" => docker(&[Text, Int], truncate),
        _ => return None,
    })
}

fn text(text: String) -> Result<Value, String> {
    Ok(Value::Text(text.into()))
}

fn on_text(values: &[Value], change: fn(&str) -> String) -> Result<Value, String> {
    match values {
        [Value::Text(given), ..] => text(change(given)),
        _ => text(String::new()),
    }
}

/// What `html` and its like escape: a single string as it is, else what `print` gives.
fn joined(values: &[Value]) -> String {
    let printable: Vec<Value> = values
        .iter()
        .map(|value| match value {
            Value::Absent | Value::Nil(Nil::Any) => Value::text("<no value>"),
            value => value.clone(),
        })
        .collect();
    print::sprint(&printable)
}

/// `json`, without Go's escapes of HTML, as docker's encoder is set.
fn json(value: &Value) -> String {
    value.to_json().to_string()
}

fn split(values: &[Value]) -> Result<Value, String> {
    let [Value::Text(given), Value::Text(separator)] = values else {
        return Ok(Value::Nil(Nil::List));
    };
    let parts: Vec<Value> = match separator.is_empty() {
        true => given
            .chars()
            .map(|c| Value::text(c.encode_utf8(&mut [0; 4])))
            .collect(),
        false => given.split(&**separator).map(Value::text).collect(),
    };
    Ok(Value::List(parts.into()))
}

fn join(values: &[Value]) -> Result<Value, String> {
    match values {
        [Value::List(items), Value::Text(separator)] => {
            let parts: Vec<String> = items.iter().map(print::plain).collect();
            text(parts.join(separator))
        }
        [Value::Absent | Value::Nil(_), _] => text(String::new()),
        [other, ..] => Err(format!("expected slice, got {}", other.type_name())),
        [] => text(String::new()),
    }
}

/// Go's `strings.Title`: the first letter of every word.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::new();
    for c in text.chars() {
        let inside = before == '_' || before.is_alphanumeric() || before == '\'';
        match inside {
            true => out.push(c),
            false => out.extend(c.to_uppercase()),
        }
        before = c;
    }
    out
}

fn pad(values: &[Value]) -> Result<Value, String> {
    let [Value::Text(given), Value::Int(before), Value::Int(after)] = values else {
        return text(String::new());
    };
    if given.is_empty() {
        return text(String::new());
    }
    let blanks = |count: i64| match usize::try_from(count) {
        Ok(count) if count <= 1 << 20 => Ok(" ".repeat(count)),
        Ok(_) => Err("strings: Repeat count is too large".to_owned()),
        Err(_) => Err("strings: negative Repeat count".to_owned()),
    };
    text(format!("{}{given}{}", blanks(*before)?, blanks(*after)?))
}

fn truncate(values: &[Value]) -> Result<Value, String> {
    let [Value::Text(given), Value::Int(length)] = values else {
        return text(String::new());
    };
    let Ok(length) = usize::try_from(*length) else {
        return Err(format!("slice bounds out of range [:{length}]"));
    };
    text(bytes_as_text(given, 0, length.min(given.len())))
}

/// Part of a string by bytes; half a character becomes the replacement character.
fn bytes_as_text(text: &str, from: usize, to: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()
}

fn length(values: &[Value]) -> Result<Value, String> {
    let length = match values.first() {
        Some(Value::Text(text)) => text.len(),
        Some(Value::List(items)) => items.len(),
        Some(Value::Map(map)) => map.len(),
        Some(Value::Nil(Nil::List | Nil::Map)) => 0,
        Some(Value::Nil(_)) => return Err("len of nil pointer".to_owned()),
        Some(Value::Absent) | None => return Err("len of nil pointer".to_owned()),
        Some(other) => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(length as i64))
}

/// A number that points into something of `limit` elements; the end itself is in.
fn place(index: &Value, limit: usize) -> Result<usize, String> {
    let number = match index {
        Value::Int(number) => *number,
        Value::Uint(number) => i64::try_from(*number).unwrap_or(-1),
        Value::Absent | Value::Nil(Nil::Any) => {
            return Err("cannot index slice/array with nil".to_owned());
        }
        other => {
            let kind = other.type_name();
            return Err(format!("cannot index slice/array with type {kind}"));
        }
    };
    match usize::try_from(number) {
        Ok(place) if place <= limit => Ok(place),
        _ => Err(format!("index out of range: {number}")),
    }
}

fn index(values: &[Value]) -> Result<Value, String> {
    let [item, indexes @ ..] = values else {
        return Err("index of untyped nil".to_owned());
    };
    if matches!(item, Value::Absent | Value::Nil(Nil::Any)) {
        return Err("index of untyped nil".to_owned());
    }
    let mut item = item.clone();
    for index in indexes {
        item = step(&item, index)?;
    }
    Ok(item)
}

fn step(item: &Value, index: &Value) -> Result<Value, String> {
    let beyond = |place: usize, length: usize| {
        format!("runtime error: index out of range [{place}] with length {length}")
    };
    match item {
        Value::List(items) => {
            let place = place(index, items.len())?;
            let found = items.get(place).cloned();
            found.ok_or_else(|| "reflect: slice index out of range".to_owned())
        }
        Value::Nil(Nil::List) => {
            place(index, 0)?;
            Err("reflect: slice index out of range".to_owned())
        }
        Value::Text(text) => {
            let place = place(index, text.len())?;
            let byte = text.as_bytes().get(place);
            let byte = byte.ok_or_else(|| beyond(place, text.len()));
            byte.map(|byte| Value::Uint(u64::from(*byte)))
                .map_err(|_| "reflect: string index out of range".to_owned())
        }
        Value::Map(_) | Value::Nil(Nil::Map) => {
            let key = match index {
                Value::Text(key) => key,
                Value::Absent | Value::Nil(Nil::Any) => {
                    return Err("value is nil; should be of type string".to_owned());
                }
                other => {
                    let kind = other.type_name();
                    return Err(format!("value has type {kind}; should be string"));
                }
            };
            Ok(match item {
                Value::Map(map) => map.get(&**key).cloned().unwrap_or_else(|| zero(item)),
                _ => zero(item),
            })
        }
        Value::Absent | Value::Nil(_) => Err("index of nil pointer".to_owned()),
        other => Err(format!("can't index item of type {}", other.type_name())),
    }
}

/// What a map holds under a key it does not have.
fn zero(map: &Value) -> Value {
    match map.type_name().strip_prefix("map[string]") {
        Some("string") => Value::text(""),
        Some("int") => Value::Int(0),
        Some("bool") => Value::Bool(false),
        Some(list) if list.starts_with("[]") => Value::Nil(Nil::List),
        _ => Value::Nil(Nil::Any),
    }
}

fn slice(values: &[Value]) -> Result<Value, String> {
    let [item, indexes @ ..] = values else {
        return Err("slice of untyped nil".to_owned());
    };
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::Absent | Value::Nil(Nil::Any) => return Err("slice of untyped nil".to_owned()),
        Value::Text(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Nil(Nil::List) => 0,
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = place(index, length)?;
    }
    let [from, to, limit] = bounds;
    for (low, high) in [(from, to), (to, limit)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    Ok(match item {
        Value::Text(text) => Value::Text(bytes_as_text(text, from, to).into()),
        Value::List(items) => Value::List(items[from..to].into()),
        other => other.clone(),
    })
}

fn call(values: &[Value]) -> Result<Value, String> {
    let (function, arguments) = match values {
        [Value::Absent | Value::Nil(Nil::Any), ..] | [] => return Err("call of nil".to_owned()),
        [Value::Function(function), arguments @ ..] => (function, arguments),
        [other, ..] => {
            return Err(format!("non-function of type {}", other.type_name()));
        }
    };
    let (given, wanted) = (arguments.len(), function.params.len());
    match function.rest {
        Some(_) if given < wanted => {
            return Err(format!(
                "wrong number of args: got {given} want at least {wanted}"
            ));
        }
        None if given != wanted => {
            return Err(format!("wrong number of args: got {given} want {wanted}"));
        }
        _ => {}
    }
    let kinds = function
        .params
        .iter()
        .copied()
        .chain(std::iter::repeat(function.rest.unwrap_or(Param::Any)));
    for (place, (value, kind)) in arguments.iter().zip(kinds).enumerate() {
        if kind != Param::Any && value.type_name() != kind.type_name() {
            let (found, wanted) = (value.type_name(), kind.type_name());
            return Err(format!(
                "arg {place}: value has type {found}; should be {wanted}"
            ));
        }
    }
    (function.body)(arguments)
}
