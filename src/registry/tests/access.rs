//! Logins, tokens, redirects, mirrors and retries: who gets which credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::raw;
use super::*;

const USER: &str = "Basic dTpwdw==";

fn with_login() -> Options {
    Options {
        login: Some(Login {
            username: "u".to_owned(),
            password: Secret::new("pw"),
        }),
        ..options()
    }
}

fn kind(port: u16, options: &Options) -> Option<Kind> {
    pull_with(port, options, &Silent)
        .err()
        .map(|error| error.kind())
}

#[test]
fn basic_logins_are_sent_only_when_asked_for() {
    let image = Image::new("amd64");
    let server = Server::start(move |r| match r.header("authorization") {
        USER => image.serve(r),
        _ => reply(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", b""),
    });
    assert_eq!(kind(server.port, &with_login()), None);
    assert_eq!(server.log()[0].header("authorization"), "", "the ping");
    let error = pull(&server).err().unwrap();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.advice().unwrap().contains("--creds"));
    let wrong = Options {
        login: Some(Login {
            username: "u".to_owned(),
            password: Secret::new("CANARY"),
        }),
        ..options()
    };
    let error = pull_with(server.port, &wrong, &Silent).err().unwrap();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(!format!("{error:?}").contains("CANARY"));
}

/// A registry with a token service on the same port. `token` makes its answers; a request is
/// let in when `accept` likes its header.
fn token_registry(
    challenge_on_ping: bool,
    token: impl Fn(&Req) -> Reply + Send + Sync + 'static,
    accept: impl Fn(&Req) -> bool + Send + Sync + 'static,
) -> Server {
    let image = Image::new("amd64");
    Server::start(move |r| {
        let host = r.header("host");
        if r.target.starts_with("/token") {
            return token(r);
        }
        if (r.target == "/v2/" && !challenge_on_ping) || accept(r) {
            return image.serve(r);
        }
        let challenge = format!(
            "WWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s v\"\r\n"
        );
        reply(401, &challenge, b"{}")
    })
}

#[test]
fn a_token_is_fetched_with_the_scope_of_the_pull() {
    for on_ping in [true, false] {
        let server = token_registry(
            on_ping,
            |_| reply(200, "", br#"{"access_token":"abc","expires_in":300}"#),
            |r| r.header("authorization") == "Bearer abc",
        );
        assert_eq!(kind(server.port, &options()), None);
        let log = server.log();
        let asked: Vec<&Req> = log
            .iter()
            .filter(|r| r.target.starts_with("/token"))
            .collect();
        assert_eq!(asked.len(), 1, "one token serves the whole pull");
        assert_eq!(asked[0].header("authorization"), "", "anonymous");
        assert_eq!(
            asked[0].target,
            "/token?service=s%20v&scope=repository%3Aapp%3Apull"
        );
        assert_eq!(kind(server.port, &with_login()), None);
        let log = server.log();
        let last = log
            .iter()
            .rfind(|r| r.target.starts_with("/token"))
            .unwrap();
        assert_eq!(last.header("authorization"), USER);
    }
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed() {
    let count = Arc::new(AtomicUsize::new(0));
    let (made, valid) = (Arc::clone(&count), Arc::clone(&count));
    let uses = AtomicUsize::new(0);
    let server = token_registry(
        true,
        move |_| {
            let number = made.fetch_add(1, Ordering::SeqCst) + 1;
            let text = format!(
                r#"{{"token":"t{number}","expires_in":0,"issued_at":"2099-01-01T00:00:00Z"}}"#
            );
            reply(200, "", text.as_bytes())
        },
        move |r| {
            let newest = format!("Bearer t{}", valid.load(Ordering::SeqCst));
            // The first token is good for two requests only.
            r.header("authorization") == newest
                && (newest != "Bearer t1" || uses.fetch_add(1, Ordering::SeqCst) < 2)
        },
    );
    assert_eq!(kind(server.port, &options()), None);
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[test]
fn an_identity_token_is_posted() {
    let place = tempfile::tempdir().unwrap();
    let server = token_registry(
        true,
        |r| match r.method.as_str() {
            "POST" => reply(200, "", br#"{"access_token":"abc"}"#),
            _ => reply(405, "", b""),
        },
        |r| r.header("authorization") == "Bearer abc",
    );
    let file = place.path().join("auth.json");
    let host = format!("127.0.0.1:{}", server.port);
    let text = format!(r#"{{"auths":{{"{host}":{{"identitytoken":"re+fresh"}}}}}}"#);
    std::fs::write(&file, text).unwrap();
    let options = Options {
        authfile: Some(file),
        ..options()
    };
    assert_eq!(kind(server.port, &options), None);
    let log = server.log();
    let post = log.iter().find(|r| r.method == "POST").unwrap();
    assert!(
        post.body
            .contains("grant_type=refresh_token&refresh_token=re%2Bfresh")
    );
    assert!(post.body.contains("scope=repository%3Aapp%3Apull"));
    assert_eq!(
        kind(server.port, &with_login()),
        None,
        "GET is not known: POST"
    );
    let log = server.log();
    assert!(log.iter().any(|r| r.body.contains("grant_type=password")));
}

#[test]
fn broken_token_services_end_clearly() {
    let huge = format!(r#"{{"token":"{}"}}"#, "x".repeat(2 << 20));
    let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(100_000));
    let cases: Vec<(&str, Option<Kind>, Reply)> = vec![
        ("huge", Some(Kind::Corrupt), reply(200, "", huge.as_bytes())),
        ("long", Some(Kind::Corrupt), reply(200, "", long.as_bytes())),
        (
            "line end",
            Some(Kind::Corrupt),
            reply(200, "", br#"{"token":"a\r\nX: y"}"#),
        ),
        (
            "empty",
            Some(Kind::Corrupt),
            reply(200, "", br#"{"token":""}"#),
        ),
        ("none", Some(Kind::Corrupt), reply(200, "", b"{}")),
        ("page", Some(Kind::Corrupt), reply(200, "", b"<html>")),
        ("refused", Some(Kind::Denied), reply(401, "", b"{}")),
        ("500", Some(Kind::Network), reply(500, "", b"")),
        (
            "other token: 401 loop",
            Some(Kind::Denied),
            reply(200, "", br#"{"token":"bad"}"#),
        ),
        (
            "redirect to a file",
            Some(Kind::Denied),
            reply(302, "Location: file:///etc/passwd\r\n", b""),
        ),
        (
            "redirect loop",
            Some(Kind::Network),
            reply(302, "Location: /token\r\n", b""),
        ),
    ];
    for (name, expected, answer) in cases {
        let server = token_registry(
            true,
            move |_| answer.clone(),
            |r| r.header("authorization") == "Bearer abc",
        );
        assert_eq!(kind(server.port, &options()), expected, "{name}");
        assert!(server.log().len() < 40, "{name}");
    }
    let server = token_registry(
        true,
        |r| match r.seen {
            0 => reply(500, "", b""),
            _ => reply(200, "", br#"{"token":"abc"}"#),
        },
        |r| r.header("authorization") == "Bearer abc",
    );
    assert_eq!(kind(server.port, &options()), None, "500 once");
}

#[test]
fn realms_elsewhere_get_nothing() {
    let other = Server::start(|_| reply(200, "", br#"{"token":"abc"}"#));
    let port = other.port;
    for realm in [
        format!("http://localhost:{port}/token"),
        format!("http://127.0.0.2:{port}/token"),
        format!("https://127.0.0.2:{port}/token"),
        "https://169.254.169.254/latest".to_owned(),
        "https://[::1]/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "https://u:p@host/".to_owned(),
        "nonsense".to_owned(),
    ] {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\"\r\n");
        let server = Server::start(move |_| reply(401, &challenge, b""));
        assert_eq!(
            kind(server.port, &with_login()),
            Some(Kind::Denied),
            "{realm}"
        );
    }
    assert!(other.log().is_empty());
    for challenge in [
        "",
        "WWW-Authenticate: Digest x=y\r\n",
        "WWW-Authenticate: \r\n",
    ] {
        let server = Server::start(move |_| reply(401, challenge, b""));
        assert_eq!(kind(server.port, &with_login()), Some(Kind::Denied));
    }
}

#[test]
fn redirects_never_carry_the_login_to_another_host() {
    let image = Image::new("amd64");
    let elsewhere = image.clone();
    let cdn = Server::start(move |r| elsewhere.serve(r));
    let port = cdn.port;
    for host in ["127.0.0.1", "localhost"] {
        let image = image.clone();
        let server = Server::start(move |r| {
            if r.header("authorization") != USER {
                return reply(401, "WWW-Authenticate: Basic\r\n", b"");
            }
            if r.target.contains("/blobs/") {
                let to = format!("Location: http://{host}:{port}{}\r\n", r.target);
                return reply(307, &to, b"");
            }
            image.serve(r)
        });
        assert_eq!(kind(server.port, &with_login()), None);
    }
    assert_eq!(cdn.log().len(), 4);
    assert!(
        cdn.log()
            .iter()
            .all(|r| r.header("authorization").is_empty())
    );
}

#[test]
fn redirects_are_limited_and_stay_http() {
    for (location, expected) in [
        ("file:///etc/passwd", Some(Kind::Denied)),
        ("gopher://127.0.0.1/", Some(Kind::Denied)),
        ("http://u:p@127.0.0.1/", Some(Kind::Denied)),
        ("", Some(Kind::Denied)),
        ("/v2/app/manifests/v1", Some(Kind::Network)),
        ("/other/manifests/v1", None),
        ("../../x/manifests/v1", None),
    ] {
        let image = Image::new("amd64");
        let server = Server::start(move |r| {
            if r.target == "/v2/app/manifests/v1" {
                return reply(302, &format!("Location: {location}\r\n"), b"");
            }
            image.serve(r)
        });
        assert_eq!(kind(server.port, &options()), expected, "{location}");
        assert!(server.log().len() < 20);
    }
}

#[test]
fn mirrors_come_first_and_may_fail() {
    let image = Image::new("amd64");
    let (first, second) = (image.clone(), image.clone());
    let good = Server::start(move |r| first.serve(r));
    // Has the manifest, but the blobs only of somebody else.
    let half = Server::start(move |r| match r.target.contains("/blobs/sha256") {
        true if r.is_blob(&second.layer_digest()) => reply(404, "", b""),
        _ => second.serve(r),
    });
    let bad = Server::start(|_| raw("garbage"));
    let place = tempfile::tempdir().unwrap();
    let conf = place.path().join("registries.conf");
    let text = format!(
        "[[registry]]\nprefix='some.example'\nlocation='127.0.0.1:{}'\n[[registry.mirror]]\nlocation='127.0.0.1:{}/m'\n[[registry.mirror]]\nlocation='127.0.0.1:{}'\n",
        good.port, bad.port, half.port
    );
    std::fs::write(&conf, text).unwrap();
    let environment = Environment::from_pairs([("CONTAINERS_REGISTRIES_CONF", &conf)]);
    let settings = Settings::with_system_dir(&environment, place.path());
    let notes = Notes::default();
    let resolved = pull_named("some.example/app:v1", &settings, &options(), &notes).unwrap();
    assert_eq!(resolved.sources.len(), 2);
    assert!(half.log().iter().any(Req::is_manifest));
    assert!(good.log().iter().all(|r| !r.is_manifest()), "only the blob");
    let said = notes.0.into_inner().unwrap();
    assert!(
        said.iter().any(|line| line.contains("passed over")),
        "{said:?}"
    );
}

#[test]
fn waiting_is_said_and_capped() {
    let image = Image::new("amd64");
    let server = Server::start(move |r| match (r.is_manifest(), r.seen) {
        (true, 0) => reply(429, "Retry-After: 3600\r\n", b""),
        _ => image.serve(r),
    });
    let options = Options {
        longest_wait: Duration::from_millis(1001),
        ..options()
    };
    let notes = Notes::default();
    pull_with(server.port, &options, &notes).unwrap();
    let said = notes.0.into_inner().unwrap();
    assert!(
        said.iter()
            .any(|line| line.contains("429") && line.contains("1 s")),
        "{said:?}"
    );
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let image = Image::new("amd64");
    let proxy = Server::start(move |r| match r.method.as_str() {
        "CONNECT" => Reply(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), server::Then::Keep),
        _ => image.serve(r),
    });
    let url = format!("http://me:secret@127.0.0.1:{}", proxy.port);
    let nowhere = std::path::Path::new("/nonexistent");
    let environment = Environment::from_pairs([("http_proxy", &url), ("https_proxy", &url)]);
    let settings = Settings::with_system_dir(&environment, nowhere);
    let options = Options {
        tls_verify: Some(false),
        ..options()
    };
    pull_named("registry.invalid/app:v1", &settings, &options, &Silent).unwrap();
    let log = proxy.log();
    assert_eq!(
        log[0].target, "registry.invalid:443",
        "https is tried first"
    );
    assert!(!log[0].header("proxy-authorization").is_empty());
    assert!(log.iter().any(|r| r.target == "registry.invalid:80"));
}

#[test]
fn a_registry_elsewhere_is_never_asked_in_plain_text() {
    let proxy = Server::start(|_| Reply(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), server::Then::Keep));
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let environment = Environment::from_pairs([("all_proxy", &url)]);
    let settings = Settings::with_system_dir(&environment, std::path::Path::new("/nonexistent"));
    let error = pull_named("registry.invalid/app:v1", &settings, &with_login(), &Silent);
    assert_eq!(error.err().unwrap().kind(), Kind::Network);
    assert!(
        proxy
            .log()
            .iter()
            .all(|r| r.target == "registry.invalid:443")
    );
}
