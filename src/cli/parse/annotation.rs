//! The annotations of an image that is built: `--annotation` and those of `--output`.

use super::bad;
use crate::build::annotation::{Annotated, Annotation};
use crate::common::Result;

/// Reads `[KIND[,KIND…][[PLATFORM]]:]KEY=VALUE`; a manifest has what names no kind.
///
/// # Errors
/// For an unknown kind, a bad platform, or no value.
pub(crate) fn flag(text: &str) -> Result<Vec<Annotation>> {
    const FLAG: &str = "--annotation";
    let (kinds, pair) = match text.split_once(':') {
        // A key may have a colon of its own; a kind has neither dot nor value.
        Some((kinds, pair)) if !kinds.contains(['=', '.']) => (kinds, pair),
        _ => ("", text),
    };
    let pair = pair.split_once('=').filter(|(key, _)| is_key(key));
    let (key, value) = pair.ok_or_else(|| bad(FLAG, text, "use [KIND:]KEY=VALUE"))?;
    read(FLAG, text, kinds, (key, value))
}

/// Reads an option `annotation[-KIND][[PLATFORM]].KEY` of an output; `None` for another option.
///
/// # Errors
/// As [`flag`].
pub(crate) fn option(text: &str, option: &str, value: &str) -> Result<Option<Vec<Annotation>>> {
    const FLAG: &str = "--output";
    let Some((what, key)) = option.split_once('.') else {
        return Ok(None);
    };
    let kind = match what.strip_prefix("annotation") {
        Some(kind) if kind.is_empty() || kind.starts_with('[') => kind,
        Some(kind) => match kind.strip_prefix('-') {
            Some(kind) => kind,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    if !is_key(key) {
        return Err(bad(FLAG, text, "an annotation needs a key without blanks"));
    }
    read(FLAG, text, kind, (key, value)).map(Some)
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && !key.contains(char::is_whitespace)
}

fn read(
    flag: &str,
    text: &str,
    kinds: &str,
    (key, value): (&str, &str),
) -> Result<Vec<Annotation>> {
    let (kinds, platform) = match kinds
        .strip_suffix(']')
        .and_then(|rest| rest.split_once('['))
    {
        Some((kinds, platform)) => (kinds, Some(platform.parse()?)),
        None => (kinds, None),
    };
    let mut found = Vec::new();
    for kind in kinds.split(',') {
        let on = Annotated::named(kind).ok_or_else(|| {
            let why = format!(
                "{kind:?} is not one of manifest, index, manifest-descriptor, index-descriptor"
            );
            bad(flag, text, why)
        })?;
        let of_index = matches!(on, Annotated::Index | Annotated::IndexDescriptor);
        if of_index && platform.is_some() {
            return Err(bad(flag, text, "an index is of no one platform"));
        }
        found.push(Annotation {
            on,
            platform: platform.clone(),
            key: key.to_owned(),
            value: value.to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_have_kinds_and_platforms() {
        let read = |text: &str| {
            let found = flag(text).unwrap().into_iter();
            let shown = found.map(|note| {
                let platform = note.platform.map(|platform| platform.to_string());
                (note.on, platform.unwrap_or_default(), note.key, note.value)
            });
            shown.collect::<Vec<_>>()
        };
        let one = |on, platform: &str, key: &str, value: &str| {
            (on, platform.to_owned(), key.to_owned(), value.to_owned())
        };
        let (manifest, index) = (Annotated::Manifest, Annotated::Index);
        assert_eq!(read("a.b=c:d"), [one(manifest, "", "a.b", "c:d")]);
        assert_eq!(read("a.b:x=c"), [one(manifest, "", "a.b:x", "c")]);
        assert_eq!(
            read("index,manifest:a=b=c"),
            [one(index, "", "a", "b=c"), one(manifest, "", "a", "b=c")]
        );
        assert_eq!(
            read("manifest-descriptor[linux/arm64]:a="),
            [one(Annotated::ManifestDescriptor, "linux/arm64", "a", "")]
        );
        for bad in [
            "a",
            "=b",
            "x y=z",
            "image:a=b",
            "index[linux/arm64]:a=b",
            "index:a",
        ] {
            assert!(flag(bad).is_err(), "{bad}");
        }
        let out = |key: &str| option("text", key, "v");
        assert_eq!(out("annotation.a.b").unwrap().unwrap()[0].key, "a.b");
        assert_eq!(out("annotation-index.a").unwrap().unwrap()[0].on, index);
        assert!(
            out("annotation[linux/arm64].a").unwrap().unwrap()[0]
                .platform
                .is_some()
        );
        assert!(out("annotations.a").unwrap().is_none() && out("other").unwrap().is_none());
        assert!(out("annotation-x.a").is_err() && out("annotation.").is_err());
    }
}
