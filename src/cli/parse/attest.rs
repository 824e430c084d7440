//! `--provenance` and `--attest` of `build`.

use super::{bad, boolean, csv};
use crate::build::request::Provenance;
use crate::common::{Error, Kind, Result};

/// Reads `true`, `false`, or `mode=min|max[,builder-id=ID][,reproducible=BOOL]`; `None` for none.
///
/// # Errors
/// For an unknown mode or option, and versions that are not made.
pub(crate) fn provenance(flag: &str, text: &str) -> Result<Option<Provenance>> {
    if let Ok(wanted) = boolean::parse(text) {
        return Ok(wanted.then(Provenance::default));
    }
    let mut found = Provenance::default();
    let mut wanted = true;
    for field in csv::fields(flag, text)? {
        let (key, value) = field.split_once('=').unwrap_or((&field, "true"));
        let truth = || boolean::parse(value).map_err(|why| bad(flag, text, why));
        match (key, value) {
            ("type", "provenance") => {}
            ("mode", "min") => found.max = false,
            ("mode", "max") => found.max = true,
            ("builder-id", id) => found.builder = id.to_owned(),
            ("reproducible", _) => found.reproducible = truth()?,
            ("disabled", _) => wanted = !truth()?,
            ("version", "v0.2") => found.v1 = false,
            ("version", "v1") => found.v1 = true,
            ("version", _) => {
                return Err(
                    Error::new(Kind::Unsupported, "use provenance version", value)
                        .because("statements are made in the versions v0.2 and v1"),
                );
            }
            _ => {
                let why = "use true, false, or mode=min|max, builder-id=ID, reproducible=BOOL";
                return Err(bad(flag, text, why));
            }
        }
    }
    Ok(wanted.then_some(found))
}

/// Whether `--attest` asks for provenance; anything else it can ask for is a list of packages.
///
/// # Errors
/// For an unknown type.
pub(crate) fn is_provenance(text: &str) -> Result<bool> {
    let fields = csv::fields("--attest", text)?;
    match fields.iter().find_map(|field| field.strip_prefix("type=")) {
        Some("provenance") => Ok(true),
        Some("sbom") => Ok(false),
        _ => Err(bad("--attest", text, "use type=provenance or type=sbom")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_has_modes() {
        let read = |text: &str| provenance("--provenance", text);
        assert_eq!(read("true").unwrap(), Some(Provenance::default()));
        for none in ["false", "0", "disabled=true", "mode=max,disabled=true"] {
            assert_eq!(read(none).unwrap(), None, "{none}");
        }
        let max = read("mode=max,builder-id=http://x,reproducible=true")
            .unwrap()
            .unwrap();
        assert!(max.max && max.reproducible && max.builder == "http://x");
        assert!(
            !read("type=provenance,mode=min,version=v0.2")
                .unwrap()
                .unwrap()
                .max
        );
        assert!(read("version=v1,mode=max").unwrap().unwrap().v1);
        for bad in ["mode=x", "version=v2", "maybe", "x=y"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(is_provenance("type=provenance,mode=max").unwrap());
        assert!(!is_provenance("type=sbom").unwrap() && is_provenance("x").is_err());
    }
}
