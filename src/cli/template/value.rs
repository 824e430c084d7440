//! The values a template works on: Go's reflection reduced to what documents hold.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A value, cheap to copy.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Go's zero `reflect.Value`: a key that a map does not have. Prints `<no value>`.
    Absent,
    /// A nil that knows what it could have held.
    Nil(Nil),
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `uint64`, and `uint8` for the bytes of a string.
    Uint(u64),
    /// `float64`.
    Float(f64),
    /// `string`.
    Text(Rc<str>),
    /// A slice.
    List(Rc<[Value]>),
    /// A map: a missing key is [`Value::Absent`].
    Map(Rc<BTreeMap<String, Value>>),
    /// A struct: a missing field is an error.
    Record(Rc<Record>),
    /// A function or a bound method.
    Function(Function),
}

/// What a nil could have held; it prints and answers accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nil {
    /// `interface {}`.
    Any,
    /// A slice: prints `[]`.
    List,
    /// A map: prints `map[]`.
    Map,
    /// A pointer to a struct of this name: its fields cannot be asked for.
    Pointer(&'static str),
}

/// A struct.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its type in messages, such as `types.Container`.
    pub(crate) name: &'static str,
    /// Fields, and methods as functions.
    pub(crate) fields: BTreeMap<String, Value>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// An int.
    Int,
}

impl Param {
    /// Go's name of the type.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Param::Any => "interface {}",
            Param::Text => "string",
            Param::Int => "int",
        }
    }
}

/// What a call does: values of the declared parameters in, a value or a message out.
pub(crate) type Body = dyn Fn(&[Value]) -> Result<Value, String>;

/// A callable value.
#[derive(Clone)]
pub(crate) struct Function {
    /// Parameters, in order.
    pub(crate) params: &'static [Param],
    /// Further arguments of this kind are taken.
    pub(crate) rest: Option<Param>,
    /// What it does.
    pub(crate) body: Rc<Body>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("params", &self.params)
            .field("rest", &self.rest)
            .finish_non_exhaustive()
    }
}

impl Value {
    /// A string.
    pub(crate) fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// A struct of `fields`.
    pub(crate) fn record(
        name: &'static str,
        fields: impl IntoIterator<Item = (String, Value)>,
    ) -> Value {
        let fields = fields.into_iter().collect();
        Value::Record(Rc::new(Record { name, fields }))
    }

    /// A document as Go sees JSON in an `interface{}`: every object a map.
    pub(crate) fn of_json(document: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match document {
            Json::Null => Value::Nil(Nil::Any),
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => number_of(number),
            Json::String(text) => Value::text(text),
            Json::Array(items) => Value::List(items.iter().map(Value::of_json).collect()),
            Json::Object(entries) => {
                let entry = |(key, value): (&String, &Json)| (key.clone(), Value::of_json(value));
                Value::Map(Rc::new(entries.iter().map(entry).collect()))
            }
        }
    }

    /// Back to JSON; methods are left out.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        let entries = |entries: &BTreeMap<String, Value>| {
            let data = entries
                .iter()
                .filter(|(_, value)| !matches!(value, Value::Function(_)));
            Json::Object(
                data.map(|(key, value)| (key.clone(), value.to_json()))
                    .collect(),
            )
        };
        match self {
            Value::Absent | Value::Nil(_) | Value::Function(_) => Json::Null,
            Value::Bool(truth) => Json::from(*truth),
            Value::Int(number) => Json::from(*number),
            Value::Uint(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Text(text) => Json::from(&**text),
            Value::List(items) => Json::Array(items.iter().map(Value::to_json).collect()),
            Value::Map(map) => entries(map),
            Value::Record(record) => entries(&record.fields),
        }
    }

    /// Go's truth: not the zero of its type. A struct is always true.
    pub(super) fn truth(&self) -> bool {
        match self {
            Value::Absent | Value::Nil(_) => false,
            Value::Bool(truth) => *truth,
            Value::Int(number) => *number != 0,
            Value::Uint(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Record(_) | Value::Function(_) => true,
        }
    }

    /// Go's name of the type.
    pub(super) fn type_name(&self) -> String {
        let of = |mut items: Box<dyn Iterator<Item = &Value> + '_>| match items.next() {
            Some(first) => {
                let name = first.type_name();
                match items.all(|item| item.type_name() == name) {
                    true => name,
                    false => "interface {}".to_owned(),
                }
            }
            None => "interface {}".to_owned(),
        };
        match self {
            Value::Absent => "<nil>".to_owned(),
            Value::Nil(Nil::Any) => "interface {}".to_owned(),
            Value::Nil(Nil::List) => "[]string".to_owned(),
            Value::Nil(Nil::Map) => "map[string]string".to_owned(),
            Value::Nil(Nil::Pointer(name)) => format!("*{name}"),
            Value::Bool(_) => "bool".to_owned(),
            Value::Int(_) => "int".to_owned(),
            Value::Uint(_) => "uint64".to_owned(),
            Value::Float(_) => "float64".to_owned(),
            Value::Text(_) => "string".to_owned(),
            Value::List(items) => format!("[]{}", of(Box::new(items.iter()))),
            Value::Map(map) => format!("map[string]{}", of(Box::new(map.values()))),
            Value::Record(record) => record.name.to_owned(),
            Value::Function(_) => "func".to_owned(),
        }
    }
}

fn number_of(number: &serde_json::Number) -> Value {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => Value::Int(number),
        (_, Some(number), _) => Value::Uint(number),
        (_, _, Some(number)) => Value::Float(number),
        _ => Value::Nil(Nil::Any),
    }
}
