//! `-e KEY=VALUE`, `-e KEY` and `-e 'PREFIX*'`.

use crate::common::Result;
use crate::spec::config::EnvEntry;

use super::bad;

/// The caller's environment, as the grammars see it.
pub(crate) trait Caller {
    /// The value of one variable.
    fn get(&self, key: &str) -> Option<String>;
    /// Every variable.
    fn all(&self) -> Vec<(String, String)>;
}

/// Resolves one `-e` value and appends what it gives: a bare key takes the caller's value and is
/// left out when the caller has none; podman's `PREFIX*` takes every variable so named.
pub(crate) fn parse(text: &str, caller: &dyn Caller, out: &mut Vec<EnvEntry>) -> Result<()> {
    if text.contains('\0') {
        return Err(bad("--env", text, "a NUL byte"));
    }
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    if key.is_empty() {
        return Err(bad("--env", text, "the name is empty"));
    }
    match value {
        Some(value) => out.push(entry(key, value)),
        None => match key.strip_suffix('*') {
            Some(prefix) => out.extend(
                caller
                    .all()
                    .into_iter()
                    .filter(|(name, _)| name.starts_with(prefix))
                    .map(|(name, value)| entry(&name, value)),
            ),
            None => out.extend(caller.get(key).map(|value| entry(key, value))),
        },
    }
    Ok(())
}

pub(super) fn entry(key: &str, value: String) -> EnvEntry {
    EnvEntry {
        key: key.to_owned(),
        value: Some(value),
    }
}

#[cfg(test)]
pub(super) struct Fixed(pub(super) &'static [(&'static str, &'static str)]);

#[cfg(test)]
impl Caller for Fixed {
    fn get(&self, key: &str) -> Option<String> {
        let found = self.0.iter().find(|(name, _)| *name == key)?;
        Some(found.1.to_owned())
    }

    fn all(&self) -> Vec<(String, String)> {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        self.0.iter().map(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_bare_names_and_prefixes() {
        let caller = Fixed(&[("A", "1"), ("P_X", "x"), ("P_Y", "y")]);
        let mut out = Vec::new();
        for text in ["K=v=w", "E=", "A", "MISSING", "P_*"] {
            parse(text, &caller, &mut out).unwrap();
        }
        let shown: Vec<String> = out
            .iter()
            .map(|e| format!("{}={}", e.key, e.value.as_deref().unwrap()))
            .collect();
        assert_eq!(shown, ["K=v=w", "E=", "A=1", "P_X=x", "P_Y=y"]);
        for bad in ["", "=x", "A\0=b"] {
            assert!(parse(bad, &caller, &mut out).is_err(), "{bad:?}");
        }
    }
}
