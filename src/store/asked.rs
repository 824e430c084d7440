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
pub(crate) struct Asked {
    text: Box<RawValue>,
    value: OnceCell<Value>,
}

impl Asked {
    /// Reads it as a type that knows which parts it wants.
    ///
    /// # Errors
    /// When the text has another form, such as that of another version.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.text.get())
    }
}

impl Deref for Asked {
    type Target = Value;

    fn deref(&self) -> &Value {
        // A raw value is valid JSON; only one nested too deep cannot be read.
        self.value
            .get_or_init(|| self.read().unwrap_or(Value::Null))
    }
}

impl From<Value> for Asked {
    fn from(value: Value) -> Asked {
        // Made of strings and numbers, which always have a text.
        let text =
            serde_json::value::to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Asked {
            text,
            value: OnceCell::from(value),
        }
    }
}

impl Default for Asked {
    fn default() -> Asked {
        Asked::from(Value::Null)
    }
}

impl PartialEq for Asked {
    fn eq(&self, other: &Asked) -> bool {
        **self == **other
    }
}

impl Serialize for Asked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Asked, D::Error> {
        Ok(Asked {
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
        let asked = Asked::from(json!({"a": {"x": null}, "b": [1, 2]}));
        let text = serde_json::to_string(&asked).unwrap();
        let back: Asked = serde_json::from_str(&text).unwrap();
        assert_eq!(back, asked);
        assert_eq!(back.get("a"), Some(&json!({"x": null})));
        assert_eq!(back.read::<Part>().unwrap().b, [1, 2]);
        assert!(Asked::default().read::<Part>().is_err());
        assert_eq!(*Asked::default(), Value::Null);
    }
}
