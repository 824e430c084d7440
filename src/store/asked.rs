//! What was asked of a container, beyond what the store itself has to know.

use std::cell::OnceCell;
use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A document in the form of the layer that asked. Kept as the text it is on disk and read when
/// somebody looks at it: it is most of a record, and a list of containers needs little of it.
#[derive(Debug, Clone)]
pub(crate) struct RawAsked {
    text: Box<RawValue>,
    value: OnceCell<Value>,
}

impl RawAsked {
    /// Reads it as a type that knows which parts it wants.
    ///
    /// # Errors
    /// When the text has another form, such as that of another version.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.text.get())
    }
}

impl Deref for RawAsked {
    type Target = Value;

    fn deref(&self) -> &Value {
        // A raw value is valid JSON; only one nested too deep cannot be read.
        self.value
            .get_or_init(|| self.read().unwrap_or(Value::Null))
    }
}

impl From<Value> for RawAsked {
    fn from(value: Value) -> RawAsked {
        // Made of strings and numbers, which always have a text.
        let text =
            serde_json::value::to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        RawAsked {
            text,
            value: OnceCell::from(value),
        }
    }
}

impl Default for RawAsked {
    fn default() -> RawAsked {
        RawAsked::from(Value::Null)
    }
}

impl PartialEq for RawAsked {
    fn eq(&self, other: &RawAsked) -> bool {
        **self == **other
    }
}

impl Serialize for RawAsked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawAsked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawAsked, D::Error> {
        Ok(RawAsked {
            text: Box::<RawValue>::deserialize(deserializer)?,
            value: OnceCell::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Deserialize)]
    struct Part {
        b: Vec<u8>,
    }

    #[test]
    fn a_document_survives_the_way_to_disk_and_shows_its_parts() {
        let asked = RawAsked::from(json!({"a": {"x": null}, "b": [1, 2]}));
        let text = serde_json::to_string(&asked).unwrap();
        let back: RawAsked = serde_json::from_str(&text).unwrap();
        assert_eq!(back, asked);
        assert_eq!(back.get("a"), Some(&json!({"x": null})));
        assert_eq!(back.read::<Part>().unwrap().b, [1, 2]);
        assert!(RawAsked::default().read::<Part>().is_err());
        assert_eq!(*RawAsked::default(), Value::Null);
    }
}
