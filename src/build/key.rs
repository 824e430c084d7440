//! What a result depends on, in digests.
//!
//! A key is made of named inputs, so that a miss can say which of them is another than it was.
//! No secret's content ever goes into one.

use crate::common::{Digest, Hasher};

/// Bumped when the same inputs come to another result than they did.
const VERSION: &str = "ketch build 1";

/// A key being made.
#[derive(Debug)]
pub(super) struct Key {
    inputs: Vec<(String, Digest)>,
}

impl Key {
    /// A key of one kind of step.
    pub(super) fn new(kind: &str) -> Key {
        let mut key = Key { inputs: Vec::new() };
        key.add("kind", [VERSION, kind]);
        key
    }

    /// Adds an input: a name, and texts that no other texts can be mistaken for.
    pub(super) fn add<T: AsRef<[u8]>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        let mut hasher = Hasher::default();
        for text in texts {
            let text = text.as_ref();
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        self.inputs.push((name.to_owned(), hasher.finish()));
    }

    /// The key and its inputs.
    pub(super) fn finish(self) -> (Digest, Vec<(String, Digest)>) {
        let mut hasher = Hasher::default();
        for (name, digest) in &self.inputs {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(digest.hex().as_bytes());
        }
        (hasher.finish(), self.inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(texts: &[&str]) -> Digest {
        let mut key = Key::new("x");
        key.add("a", texts);
        key.finish().0
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab"]), key(&["ab", ""]));
    }
}
