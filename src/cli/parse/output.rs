//! `--output` of `build`.

use std::path::PathBuf;

use super::{Place, annotation, bad, boolean, build::host, csv};
use crate::archive::Coding;
use crate::build::request::{Output, OutputKind};
use crate::common::Result;
use crate::engine::image::assemble::Dialect;

const FLAG: &str = "--output";

/// Reads `type=TYPE[,dest=PATH][,KEY=VALUE]`, a bare directory, or `-` for an archive on standard
/// output.
///
/// # Errors
/// For an unknown type, a field without a value, or a bad value.
pub(crate) fn output(text: &str, place: &Place<'_>) -> Result<Output> {
    if text == "-" {
        return Ok(Output {
            kind: OutputKind::Tar,
            destination: Some(PathBuf::from("-")),
            ..Output::default()
        });
    }
    let fields = csv::fields(FLAG, text)?;
    if let [only] = fields.as_slice()
        && !only.contains('=')
    {
        return Ok(Output {
            kind: OutputKind::Local,
            destination: Some(host(FLAG, only, place)?),
            ..Output::default()
        });
    }
    let mut output = Output::default();
    let (mut kind, mut coding, mut level) = (None, None, None);
    for field in &fields {
        let (key, value) = field
            .split_once('=')
            .ok_or_else(|| bad(FLAG, text, format!("{field:?} has no value")))?;
        match key.to_ascii_lowercase().as_str() {
            "type" => kind = Some(value),
            "dest" if value == "-" => output.destination = Some(PathBuf::from("-")),
            "dest" => output.destination = Some(host(FLAG, value, place)?),
            "compression" => coding = Some(value),
            "compression-level" => level = Some(value),
            _ => option(&mut output, text, key, value)?,
        }
    }
    output.kind = kind_of(text, kind)?;
    output.push |= kind == Some("registry") || output.by_digest;
    if level.is_some() || coding.is_some() {
        output.coding = Some(Coding::parse(coding.unwrap_or("gzip"), level)?);
    }
    check(&output, text)?;
    Ok(output)
}

fn kind_of(text: &str, kind: Option<&str>) -> Result<OutputKind> {
    Ok(match kind {
        Some("local") => OutputKind::Local,
        Some("tar") => OutputKind::Tar,
        Some("oci") => OutputKind::Oci,
        Some("docker") => OutputKind::Docker,
        Some("image" | "registry") => OutputKind::Image,
        Some(other) => {
            let why = format!("{other:?} is not one of local, tar, oci, docker, image, registry");
            return Err(bad(FLAG, text, why));
        }
        None => return Err(bad(FLAG, text, "type is required")),
    })
}

/// An option that is a fact by itself.
fn option(output: &mut Output, text: &str, key: &str, value: &str) -> Result<()> {
    let lower = key.to_ascii_lowercase();
    let truth = || boolean::parse(value).map_err(|why| bad(FLAG, text, format!("{key}: {why}")));
    match lower.as_str() {
        "name" => {
            let names = value.split(',').filter(|name| !name.is_empty());
            output.names.extend(names.map(str::to_owned));
        }
        "push" => output.push = truth()?,
        "push-by-digest" => output.by_digest = truth()?,
        "store" => output.store = Some(truth()?),
        "tar" => output.unpacked = !truth()?,
        "force-compression" => output.force = truth()?,
        "rewrite-timestamp" => output.rewrite = truth()?,
        "oci-mediatypes" => {
            output.dialect = Some(match truth()? {
                true => Dialect::Oci,
                false => Dialect::Docker,
            });
        }
        _ => match annotation::option(text, key, value)? {
            Some(notes) => output.annotations.extend(notes),
            None => output.ignored.push(format!("{key}={value}")),
        },
    }
    Ok(())
}

/// What cannot be together.
fn check(output: &Output, text: &str) -> Result<()> {
    if matches!(output.coding, Some(Coding::Zstd(_))) && output.dialect == Some(Dialect::Docker) {
        let why = "docker's media types have no zstd; leave oci-mediatypes=false out";
        return Err(bad(FLAG, text, why));
    }
    if output.push && !output.is_image() {
        return Err(bad(
            FLAG,
            text,
            "push goes with type=image or type=registry",
        ));
    }
    if output.is_files() && (output.coding.is_some() || output.dialect.is_some()) {
        return Err(bad(FLAG, text, "files have no layers to be compressed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<Output> {
        let place = Place::homeless(false);
        output(text, &place)
    }

    #[test]
    fn outputs_have_types_and_places() {
        let kind = |text: &str| read(text).unwrap().kind;
        assert_eq!(kind("out"), OutputKind::Local);
        assert_eq!(
            read("out").unwrap().destination.unwrap(),
            Path::new("/cwd/out")
        );
        assert_eq!(kind("-"), OutputKind::Tar);
        assert_eq!(
            read("type=oci,dest=-").unwrap().destination.unwrap(),
            Path::new("-")
        );
        let pushed = read("type=registry,\"name=x,y\",store=false").unwrap();
        assert_eq!((pushed.kind, pushed.push), (OutputKind::Image, true));
        assert_eq!(pushed.names, ["x", "y"]);
        assert_eq!(pushed.store, Some(false));
        for text in ["type=x", "dest=a", "type=tar,dest", "a,b"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_read() {
        let text = "type=oci,dest=a,tar=false,compression=zstd,compression-level=7,\
                    force-compression=true,annotation.a.b=c,annotation-manifest.d=e,\
                    rewrite-timestamp=1,oci-mediatypes=true,unpack=true";
        let found = read(text).unwrap();
        assert!(found.unpacked && found.force && found.rewrite && !found.push);
        assert_eq!(found.coding, Some(Coding::Zstd(7)));
        let keys: Vec<&str> = found
            .annotations
            .iter()
            .map(|note| note.key.as_str())
            .collect();
        assert_eq!(keys, ["a.b", "d"]);
        assert_eq!(found.ignored, ["unpack=true"]);
        let level = read("type=image,compression-level=1").unwrap();
        assert_eq!(level.coding, Some(Coding::Gzip(1)));
        for text in [
            "type=image,compression=estargz",
            "type=image,compression=zstd,oci-mediatypes=false",
            "type=image,push=maybe",
            "type=oci,dest=a,push=true",
            "type=local,dest=a,compression=gzip",
            "type=image,annotation-image.a=b",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
