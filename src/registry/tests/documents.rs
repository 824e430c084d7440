//! Faults of documents: manifests, indexes, configurations; and the platform choice.

use super::faults::{Fault, on_manifest, run};
use super::server::{INDEX, OCI, document, manifest};
use super::*;

/// The manifest's answer is always these bytes.
fn served(make: impl Fn(&Image) -> Vec<u8> + Send + Sync + 'static) -> Fault {
    on_manifest(move |_, image| Some(reply(200, "", &make(image))))
}

#[test]
fn hostile_documents_are_refused() {
    use Kind::{Corrupt, NotFound, Unsupported};
    let patched = |from: &'static str, to: String| {
        served(move |i| {
            let text = String::from_utf8(i.manifest.clone()).unwrap();
            assert!(text.contains(from));
            text.replacen(from, &to, 1).into_bytes()
        })
    };
    let size = "\"size\":300000";
    run(vec![
        ("not JSON", Some(Corrupt), served(|_| b"<html>".to_vec())),
        ("empty", Some(Corrupt), served(|_| Vec::new())),
        (
            "cut JSON",
            Some(Corrupt),
            served(|i| i.manifest[..50].to_vec()),
        ),
        (
            "larger than 4 MiB",
            Some(Corrupt),
            served(|_| vec![b' '; (4 << 20) + 1]),
        ),
        (
            "200,000 levels",
            Some(Corrupt),
            served(|_| vec![b'['; 200_000]),
        ),
        (
            "both kinds",
            Some(Corrupt),
            patched("\"layers\"", "\"manifests\":[],\"layers\"".to_owned()),
        ),
        (
            "schema 1",
            Some(Unsupported),
            patched("\"schemaVersion\":2", "\"schemaVersion\":1".to_owned()),
        ),
        (
            "negative size",
            Some(Corrupt),
            patched(size, "\"size\":-1".to_owned()),
        ),
        (
            "size of 2^62 in the configuration",
            Some(Corrupt),
            served(|i| {
                let text = String::from_utf8(i.manifest.clone()).unwrap();
                let own = format!("\"size\":{}}}", i.config.len());
                text.replacen(&own, &format!("\"size\":{}}}", 1u64 << 62), 1)
                    .into_bytes()
            }),
        ),
        (
            "bad digest",
            Some(Corrupt),
            patched("sha256:", "sha256:../..".to_owned()),
        ),
        (
            "unknown algorithm",
            Some(Corrupt),
            patched("sha256:", "sha999:".to_owned()),
        ),
        (
            "10,000 layers",
            Some(Corrupt),
            served(|i| manifest(&i.config, &vec![b"x".as_slice(); 10_000])),
        ),
        (
            "duplicate layer",
            Some(Corrupt),
            served(|i| manifest(&i.config, &[&i.layer, &i.layer])),
        ),
        (
            "lying media type",
            Some(Corrupt),
            on_manifest(|_, i| Some(document(INDEX, &i.manifest))),
        ),
        (
            "odd media type",
            None,
            on_manifest(|_, i| Some(document("text/plain", &i.manifest))),
        ),
        ("no media type", None, served(|i| i.manifest.clone())),
        (
            "artifact",
            Some(Unsupported),
            patched("vnd.oci.image.config", "vnd.cncf.helm.config".to_owned()),
        ),
        (
            "configuration missing",
            Some(NotFound),
            Box::new(|r, i| {
                r.is_blob(&Digest::of(&i.config))
                    .then(|| reply(404, "", b""))
            }),
        ),
        (
            "configuration wrong",
            Some(Corrupt),
            Box::new(|r, i| {
                r.is_blob(&Digest::of(&i.config))
                    .then(|| reply(200, "", b"{}"))
            }),
        ),
        (
            "configuration is a page",
            Some(Corrupt),
            Box::new(|r, i| {
                if r.is_blob(&Digest::of(b"<html>")) {
                    return Some(reply(200, "", b"<html>"));
                }
                r.is_manifest()
                    .then(|| reply(200, "", &manifest(b"<html>", &[&i.layer])))
            }),
        ),
        (
            "manifest missing",
            Some(NotFound),
            on_manifest(|_, _| Some(reply(404, "", b"not json"))),
        ),
        (
            "name unknown",
            Some(NotFound),
            on_manifest(|_, _| {
                Some(reply(404, "", br#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#))
            }),
        ),
    ]);
}

fn index(entries: &[(&[u8], &str, &str)]) -> Vec<u8> {
    let entries: Vec<String> = entries
        .iter()
        .map(|(bytes, media, platform)| {
            let platform = match platform.split_once('/') {
                Some((os, arch)) => {
                    format!(r#","platform":{{"os":"{os}","architecture":"{arch}"}}"#)
                }
                None => String::new(),
            };
            format!(
                r#"{{"mediaType":"{media}","digest":"{}","size":{}{platform}}}"#,
                Digest::of(bytes),
                bytes.len()
            )
        })
        .collect();
    format!(
        r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
        entries.join(",")
    )
    .into_bytes()
}

/// Serves an index as `v1`, and all documents and images by digest.
fn serve_index(top: Vec<u8>, documents: Vec<Vec<u8>>, images: Vec<Image>) -> Server {
    Server::start(move |r| {
        if r.target.ends_with("/manifests/v1") {
            return document(INDEX, &top);
        }
        for bytes in &documents {
            if r.target.ends_with(&Digest::of(bytes).to_string()) {
                return document(INDEX, bytes);
            }
        }
        let found = images.iter().map(|image| image.serve(r));
        let not_404 = |reply: &Reply| !reply.0.starts_with(b"HTTP/1.1 404");
        found
            .into_iter()
            .find(not_404)
            .unwrap_or_else(|| reply(404, "", b""))
    })
}

#[test]
fn an_index_gives_the_wanted_platform() {
    let (amd, arm) = (Image::new("amd64"), Image::new("arm64"));
    let attestation = b"{}".as_slice();
    let top = index(&[
        (attestation, OCI, "unknown/unknown"),
        (&arm.manifest, OCI, "linux/arm64"),
        (&amd.manifest, OCI, "linux/amd64"),
    ]);
    let server = serve_index(top.clone(), vec![], vec![amd.clone(), arm.clone()]);
    let resolved = pull(&server).unwrap();
    assert_eq!(resolved.config_bytes, amd.config);
    assert_eq!(resolved.index.unwrap(), (Digest::of(&top), top));
    // Without platforms the configurations decide; nested indexes are followed.
    let bare = index(&[(&arm.manifest, OCI, ""), (&amd.manifest, OCI, "")]);
    let nested = index(&[(&bare, INDEX, "")]);
    let server = serve_index(nested, vec![bare], vec![amd.clone(), arm.clone()]);
    assert_eq!(pull(&server).unwrap().config_bytes, amd.config);
    let only_arm = index(&[(&arm.manifest, OCI, "linux/arm64")]);
    let error = pull(&serve_index(only_arm, vec![], vec![arm.clone()]))
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.advice().unwrap().contains("linux/arm64"));
    let lying = index(&[(b"not there", OCI, "linux/amd64")]);
    let error = pull(&serve_index(lying, vec![], vec![amd.clone()]))
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn nesting_and_width_of_indexes_are_limited() {
    let image = Image::new("amd64");
    let mut levels = vec![index(&[(&image.manifest, OCI, "linux/amd64")])];
    for _ in 0..6 {
        levels.push(index(&[(levels.last().unwrap(), INDEX, "")]));
    }
    let top = levels.pop().unwrap();
    let error = pull(&serve_index(top, levels, vec![image])).err().unwrap();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.to_string().contains("nested"), "{error}");
    let arm = Image::new("arm64");
    let wide = index(&vec![(arm.manifest.as_slice(), OCI, ""); 5000]);
    let server = serve_index(wide, vec![], vec![arm]);
    assert_eq!(pull(&server).err().unwrap().kind(), Kind::Corrupt);
    assert!(server.log().len() < 200);
}

#[test]
fn a_digest_pull_is_checked() {
    let image = Image::new("amd64");
    let other = Image::new("arm64");
    let digest = Digest::of(&other.manifest);
    let server = Server::start(move |r| {
        if r.is_manifest() {
            return reply(200, "", &image.manifest);
        }
        image.serve(r)
    });
    let name = format!("127.0.0.1:{}/app:v1@{digest}", server.port);
    let error = pull_named(&name, &settings(), &options(), &Silent)
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::Corrupt);
    let asked = server.log().iter().filter(|r| r.is_manifest()).count();
    assert_eq!(asked, 2, "one more try, by digest and not by tag");
    assert!(server.log().iter().all(|r| !r.target.ends_with("/v1")));
}
