//! `--cache-from` and `--cache-to` of `build`.

use std::path::PathBuf;

use super::{Place, bad, boolean, csv, path};
use crate::build::request::{CachePlace, CacheTo};
use crate::common::{Digest, Result};
use crate::engine::image::layout::Entry;
use crate::reference::Reference;

/// Fields by their names, as given.
struct Fields<'a> {
    flag: &'static str,
    text: &'a str,
    left: Vec<(String, String)>,
}

impl<'a> Fields<'a> {
    /// Reads `type=TYPE,KEY=VALUE,…`; a text without a `=` is a name in a registry.
    fn read(flag: &'static str, text: &'a str) -> Result<Fields<'a>> {
        let mut left = Vec::new();
        let fields = csv::fields(flag, text)?;
        if let [only] = fields.as_slice()
            && !only.contains('=')
        {
            left.push(("type".to_owned(), "registry".to_owned()));
            left.push(("ref".to_owned(), only.clone()));
        } else {
            for field in fields {
                let (key, value) = field
                    .split_once('=')
                    .ok_or_else(|| bad(flag, text, format!("{field:?} has no value")))?;
                left.push((key.to_ascii_lowercase(), value.to_owned()));
            }
        }
        Ok(Fields { flag, text, left })
    }

    /// Takes a field; the last one of that name counts.
    fn take(&mut self, name: &str) -> Option<String> {
        let last = self.left.iter().rev().find(|(key, _)| key == name);
        let value = last.map(|(_, value)| value.clone());
        self.left.retain(|(key, _)| key != name);
        value.filter(|value| !value.is_empty())
    }

    fn needed(&mut self, name: &str, kind: &str) -> Result<String> {
        let why = || bad(self.flag, self.text, format!("type={kind} needs {name}="));
        let missing = why();
        self.take(name).ok_or(missing)
    }

    fn switch(&mut self, name: &str) -> Result<Option<bool>> {
        match self.take(name) {
            Some(value) => match boolean::parse(&value) {
                Ok(value) => Ok(Some(value)),
                Err(why) => Err(self.bad(format!("{name}: {why}"))),
            },
            None => Ok(None),
        }
    }

    fn place(&mut self, kind: &str, directory: &str, place: &Place<'_>) -> Result<CachePlace> {
        Ok(match kind {
            "registry" => {
                let name = self.needed("ref", kind)?;
                Reference::parse(&name)?;
                CachePlace::Registry(name)
            }
            "local" => {
                let text = self.needed(directory, kind)?;
                let digest = self.take("digest");
                CachePlace::Local(Entry {
                    path: PathBuf::from(path::source(self.flag, &text, place)?),
                    tag: self.take("tag"),
                    digest: digest.map(|text| text.parse::<Digest>()).transpose()?,
                })
            }
            "inline" => CachePlace::Inline,
            other => {
                self.left.clear();
                CachePlace::Other(other.to_owned())
            }
        })
    }

    fn bad(&self, why: String) -> crate::common::Error {
        bad(self.flag, self.text, why)
    }

    /// Refuses what nobody has taken.
    fn end(self) -> Result<()> {
        match self.left.first() {
            Some((key, _)) => Err(self.bad(format!("{key:?} is not known"))),
            None => Ok(()),
        }
    }
}

/// Reads a cache to take results from.
///
/// # Errors
/// For a field that is missing or not known.
pub(crate) fn from(text: &str, place: &Place<'_>) -> Result<CachePlace> {
    let mut fields = Fields::read("--cache-from", text)?;
    let kind = fields.take("type");
    let kind = kind.ok_or_else(|| fields.bad("type is required".to_owned()))?;
    if kind == "inline" {
        let why = "an inline cache is read with type=registry,ref=IMAGE".to_owned();
        return Err(fields.bad(why));
    }
    let found = fields.place(&kind, "src", place)?;
    fields.end()?;
    Ok(found)
}

/// Reads a cache to give results to, and what of it has no effect.
///
/// # Errors
/// For a field that is missing or not known.
pub(crate) fn to(text: &str, place: &Place<'_>) -> Result<(CacheTo, Vec<String>)> {
    let mut fields = Fields::read("--cache-to", text)?;
    let kind = fields.take("type");
    let kind = kind.ok_or_else(|| fields.bad("type is required".to_owned()))?;
    let max = match fields.take("mode").as_deref() {
        None | Some("min") => false,
        Some("max") if kind == "inline" => {
            return Err(fields.bad("an inline cache has mode=min alone".to_owned()));
        }
        Some("max") => true,
        Some(_) => return Err(fields.bad("mode is min or max".to_owned())),
    };
    let ignore_error = fields.switch("ignore-error")?.unwrap_or(false);
    let mut without = Vec::new();
    let manifest = fields.switch("image-manifest")?;
    let types = fields.switch("oci-mediatypes")?;
    if manifest == Some(false) || types == Some(false) {
        without.push("a cache is always an OCI image manifest".to_owned());
    }
    let compression = fields.take("compression");
    if let Some(other) = compression.filter(|name| name != "gzip") {
        without.push(format!("the layers of a cache are gzip's, not {other}'s"));
    }
    for name in ["compression-level", "force-compression"] {
        if fields.take(name).is_some() {
            without.push(format!("{name} has no effect on a cache"));
        }
    }
    let to = CacheTo {
        place: fields.place(&kind, "dest", place)?,
        max,
        ignore_error,
    };
    fields.end()?;
    Ok((to, without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Place<'static> {
        Place::homeless(false)
    }

    #[test]
    fn caches_have_types_and_places() {
        let name = |text: &str| CachePlace::Registry(text.to_owned());
        let read = |text: &str| from(text, &here());
        assert_eq!(read("host/a:b").unwrap(), name("host/a:b"));
        assert_eq!(read("type=registry,ref=a").unwrap(), name("a"));
        let local = CachePlace::Local(Entry {
            path: PathBuf::from("/cwd/x"),
            tag: Some("t".to_owned()),
            digest: None,
        });
        assert_eq!(read("type=local,src=x,tag=t").unwrap(), local);
        let other = CachePlace::Other("gha".to_owned());
        assert_eq!(read("type=gha,url=x").unwrap(), other);
        for text in [
            "ref=a",
            "type=registry",
            "type=registry,ref=A B",
            "type=local,dest=x",
            "type=inline",
            "type=local,src=x,digest=1",
            "type=registry,ref=a,x=y",
            "type=registry,ref",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let (all, without) = to(
            "type=registry,ref=a,mode=max,image-manifest=true,oci-mediatypes=true,compression=gzip,ignore-error=true",
            &here(),
        )
        .unwrap();
        assert_eq!(all.place, name("a"));
        assert!(all.max && all.ignore_error && without.is_empty());
        let (inline, _) = to("type=inline", &here()).unwrap();
        assert!(inline.is_inline() && !inline.max);
        let (_, without) = to("type=local,dest=x,compression=zstd", &here()).unwrap();
        assert_eq!(without.len(), 1);
        for text in [
            "type=inline,mode=max",
            "type=local,src=x",
            "type=registry,ref=a,mode=x",
            "type=registry,ref=a,ignore-error=x",
            "type=inline,x=y",
        ] {
            assert!(to(text, &here()).is_err(), "{text}");
        }
    }
}
