//! Vectors from distribution/reference (`normalize_test.go`, `reference_test.go`).

use super::*;

const HEX: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What is typed, the canonical form, docker's short form (empty: refused).
const NAMES: &[(&str, &str, &str)] = &[
    ("debian", "docker.io/library/debian:latest", "debian:latest"),
    ("debian:12", "docker.io/library/debian:12", "debian:12"),
    (
        "library/debian",
        "docker.io/library/debian:latest",
        "debian:latest",
    ),
    ("user/app:v1", "docker.io/user/app:v1", "user/app:v1"),
    (
        "docker.io/debian",
        "docker.io/library/debian:latest",
        "debian:latest",
    ),
    (
        "index.docker.io/debian",
        "docker.io/library/debian:latest",
        "debian:latest",
    ),
    ("index.docker.io/u/a", "docker.io/u/a:latest", "u/a:latest"),
    (
        "docker.io/library/a/b",
        "docker.io/library/a/b:latest",
        "library/a/b:latest",
    ),
    (
        "localhost/app",
        "localhost/app:latest",
        "localhost/app:latest",
    ),
    (
        "localhost:5000/app",
        "localhost:5000/app:latest",
        "localhost:5000/app:latest",
    ),
    (
        "localhost:5000",
        "docker.io/library/localhost:5000",
        "localhost:5000",
    ),
    (
        "127.0.0.1:5000/a/b:t",
        "127.0.0.1:5000/a/b:t",
        "127.0.0.1:5000/a/b:t",
    ),
    (
        "[2001:db8::1]:5000/app",
        "[2001:db8::1]:5000/app:latest",
        "[2001:db8::1]:5000/app:latest",
    ),
    ("[::1]/app", "[::1]/app:latest", "[::1]/app:latest"),
    ("Host/app", "Host/app:latest", "Host/app:latest"),
    (
        "xn--n3h.com/app",
        "xn--n3h.com/app:latest",
        "xn--n3h.com/app:latest",
    ),
    ("a.b__c---d_e/x", "a.b__c---d_e/x:latest", ""),
    (
        "u/a.b__c---d_e",
        "docker.io/u/a.b__c---d_e:latest",
        "u/a.b__c---d_e:latest",
    ),
    ("app:_T.a-g", "docker.io/library/app:_T.a-g", "app:_T.a-g"),
];

#[test]
fn names_are_normalised_as_docker_does() {
    let digest = format!("sha256:{HEX}");
    for (text, canonical, familiar) in NAMES.iter().copied() {
        if familiar.is_empty() {
            assert!(Reference::parse(text).is_err(), "{text}");
            continue;
        }
        let reference = Reference::parse(text).unwrap();
        assert_eq!(reference.to_string(), canonical, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
        assert_eq!(Reference::parse(canonical).unwrap(), reference);
        assert_eq!(Reference::parse(familiar).unwrap(), reference);
    }
    let pinned = Reference::parse(&format!("debian:12@{digest}")).unwrap();
    assert_eq!(pinned.tag(), Some("12"));
    assert_eq!(pinned.digest().unwrap().to_string(), digest);
    let by_digest = Reference::parse(&format!("h:1/a@{digest}")).unwrap();
    assert_eq!(by_digest.tag(), None, "a digest alone takes no tag");
    assert_eq!(by_digest.to_string(), format!("h:1/a@{digest}"));
}

#[test]
fn bad_references_are_refused() {
    let long = format!("u/{}", "a".repeat(300));
    let long_tag = format!("app:{}", "t".repeat(129));
    let short_digest = format!("app@sha256:{}", &HEX[1..]);
    let upper_digest = format!("app@sha256:{}", HEX.to_uppercase());
    for text in [
        "",
        ":tag",
        "/",
        "/app",
        "app/",
        "app//x",
        "app:",
        "app:-x",
        "app:.x",
        "app: x",
        "-app",
        "app-",
        "app..b",
        "app___b",
        "app_.b",
        "app._b",
        "a b",
        "a@",
        "@",
        "app@sha256",
        "é",
        "https://host/app",
        "docker.io/",
        "host:port/app",
        "host:/app",
        "-host.com/a",
        "host-.com/a",
        "[::1/app",
        "[]/app",
        "[::1]x/app",
        "[fe80::1%25lo]/app",
        "a:b:c",
        "app@md5:d41d8cd98f00b204e9800998ecf8427e",
        "../etc/passwd",
        "a/../b",
        "app\n",
        "app\0",
        HEX,
        &long,
        &long_tag,
        &short_digest,
        &upper_digest,
    ] {
        let error = Reference::parse(text).expect_err(text);
        assert_eq!(error.kind(), Kind::Usage, "{text:?}");
        assert!(!error.to_string().contains(['\n', '\0']), "{text:?}");
    }
    assert!(
        Reference::parse(&HEX[1..]).is_ok(),
        "63 hex characters are a name"
    );
}

#[test]
fn upper_case_repositories_get_dockers_words() {
    for text in ["Debian", "docker.io/library/Debian", "user/App:v1"] {
        let error = Reference::parse(text).unwrap_err().to_string();
        assert!(
            error.contains("repository name must be lowercase"),
            "{error}"
        );
    }
}

#[test]
fn names_up_to_255_bytes_are_taken() {
    let path = format!("u/{}", "a".repeat(253));
    assert_eq!(Reference::parse(&path).unwrap().path().len(), 255);
    assert!(Reference::parse(&format!("{path}a")).is_err());
}

#[test]
fn a_repository_is_shown_in_full_and_as_docker_shows_it() {
    let reference = Reference::parse("debian:12").unwrap();
    assert_eq!(reference.repository(), "docker.io/library/debian");
    assert_eq!(reference.familiar_repository(), "debian");
}
