//! Faults of answers: bodies, headers, statuses. Each case ends in the named kind
//! or in a whole image, and never hangs or panics.

use std::time::Instant;

use super::server::{OCI, Then, document, ranged, raw};
use super::*;

pub(super) type Fault = Box<dyn Fn(&Req, &Image) -> Option<Reply> + Send + Sync>;

/// Runs each fault against a fresh registry; `None` means that the pull must succeed.
pub(super) fn run(cases: Vec<(&str, Option<Kind>, Fault)>) {
    for (name, expected, fault) in cases {
        let image = Image::new("amd64");
        let server = Server::start(move |r| fault(r, &image).unwrap_or_else(|| image.serve(r)));
        let begin = Instant::now();
        let outcome = pull(&server);
        let seen = outcome.as_ref().err().map(Error::kind);
        let text = outcome.as_ref().err().map(Error::to_string);
        assert_eq!(seen, expected, "{name}: {text:?}");
        let shown = text.unwrap_or_default();
        assert!(!shown.chars().any(char::is_control), "{name}: {shown:?}");
        assert!(begin.elapsed() < Duration::from_secs(4), "{name} was slow");
    }
}

/// A fault of the layer's answer.
fn layer(make: impl Fn(&Req, &Image) -> Option<Reply> + Send + Sync + 'static) -> Fault {
    Box::new(move |r, image| r.is_blob(&image.layer_digest()).then(|| make(r, image))?)
}

/// A fault of the manifest's answer.
pub(super) fn on_manifest(
    make: impl Fn(&Req, &Image) -> Option<Reply> + Send + Sync + 'static,
) -> Fault {
    Box::new(move |r, image| r.is_manifest().then(|| make(r, image))?)
}

fn cut(r: &Req, image: &Image, at: usize, then: Then) -> Reply {
    let Reply(mut bytes, _) = ranged(&image.layer, r);
    bytes.truncate(at);
    Reply(bytes, then)
}

fn head(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes()
}

#[test]
fn broken_layer_bodies_are_resumed_or_refused() {
    use Kind::{Corrupt, Network, NotFound};
    run(vec![
        (
            "cut once",
            None,
            layer(|r, i| (r.seen == 0).then(|| cut(r, i, 100_000, Then::Close))),
        ),
        (
            "cut always",
            Some(Network),
            layer(|r, i| Some(cut(r, i, 150, Then::Close))),
        ),
        (
            "cut often with progress",
            None,
            layer(|r, i| (r.seen < 2).then(|| cut(r, i, 100_000, Then::Close))),
        ),
        (
            "reset once",
            None,
            layer(|r, i| (r.seen == 0).then(|| cut(r, i, 100_000, Then::Reset))),
        ),
        (
            "reset before the answer",
            None,
            layer(|r, _| (r.seen == 0).then(|| Reply(vec![], Then::Reset))),
        ),
        (
            "stall once",
            None,
            layer(|r, i| (r.seen == 0).then(|| cut(r, i, 100_000, Then::Stall))),
        ),
        (
            "silent always",
            Some(Network),
            layer(|_, _| Some(Reply(vec![], Then::Stall))),
        ),
        (
            "a byte now and then",
            Some(Network),
            layer(|_, _| {
                let begin = head("200 OK", "Content-Length: 300000\r\n");
                Some(Reply(
                    begin,
                    Then::Repeat(b"x".to_vec(), Duration::from_millis(60)),
                ))
            }),
        ),
        (
            "wrong bytes",
            Some(Corrupt),
            layer(|_, i| Some(reply(200, "", &vec![0; i.layer.len()]))),
        ),
        (
            "short length",
            Some(Network),
            layer(|_, i| Some(reply(200, "", &i.layer[1..]))),
        ),
        (
            "long length",
            Some(Network),
            layer(|_, i| Some(reply(200, "", &[&i.layer[..], b"x"].concat()))),
        ),
        (
            "endless chunks",
            Some(Corrupt),
            layer(|_, _| {
                let begin = head("200 OK", "Transfer-Encoding: chunked\r\n");
                let piece = [b"2000\r\n", &[b'x'; 0x2000][..], b"\r\n"].concat();
                Some(Reply(begin, Then::Repeat(piece, Duration::ZERO)))
            }),
        ),
        (
            "no length, closed at the end",
            None,
            layer(|_, i| {
                Some(raw([
                    &head("200 OK", "Connection: close\r\n")[..],
                    &i.layer,
                ]
                .concat()))
            }),
        ),
        (
            "empty 200",
            Some(Network),
            layer(|_, _| Some(reply(200, "", b""))),
        ),
        (
            "204",
            Some(Network),
            layer(|_, _| Some(raw(head("204 No", "")))),
        ),
        (
            "portal page",
            Some(Network),
            layer(|_, _| Some(reply(200, "Content-Type: text/html\r\n", b"<html>"))),
        ),
        (
            "404",
            Some(NotFound),
            layer(|_, _| Some(reply(404, "", b""))),
        ),
        (
            "403",
            Some(Kind::Denied),
            layer(|_, _| Some(reply(403, "", b""))),
        ),
        (
            "500 once",
            None,
            layer(|r, _| (r.seen == 0).then(|| reply(500, "", b""))),
        ),
        (
            "503 always",
            Some(Network),
            layer(|_, _| Some(reply(503, "", b""))),
        ),
        (
            "compressed on top",
            Some(Corrupt),
            layer(|_, i| Some(reply(200, "Content-Encoding: gzip\r\n", &i.layer))),
        ),
        (
            "206 unasked",
            Some(Network),
            layer(|_, i| {
                Some(reply(
                    206,
                    "Content-Range: bytes 0-299999/300000\r\n",
                    &i.layer,
                ))
            }),
        ),
        (
            "bad chunk size",
            Some(Network),
            layer(|_, _| {
                Some(raw([
                    &head("200 OK", "Transfer-Encoding: chunked\r\n")[..],
                    b"zz\r\n",
                ]
                .concat()))
            }),
        ),
        (
            "huge chunk",
            Some(Network),
            layer(|_, _| {
                Some(raw([
                    &head("200 OK", "Transfer-Encoding: chunked\r\n")[..],
                    b"ffffffffffffffff\r\nx",
                ]
                .concat()))
            }),
        ),
        (
            "huge chunk extension",
            Some(Network),
            layer(|_, _| {
                let begin = head("200 OK", "Transfer-Encoding: chunked\r\n");
                Some(raw(
                    [&begin[..], b"1;", &[b'e'; 300_000], b"\r\nx\r\n"].concat()
                ))
            }),
        ),
    ]);
}

#[test]
fn untrue_ranges_are_not_believed() {
    let broken_then = |second: fn(&Req, &Image) -> Reply| -> Fault {
        layer(move |r, i| match r.seen {
            0 => Some(cut(r, i, 100_000, Then::Close)),
            1 => Some(second(r, i)),
            _ => None,
        })
    };
    run(vec![
        (
            "ignored",
            None,
            broken_then(|_, i| reply(200, "", &i.layer)),
        ),
        (
            "shifted",
            None,
            broken_then(|_, i| {
                reply(
                    206,
                    "Content-Range: bytes 5-299999/300000\r\n",
                    &i.layer[5..],
                )
            }),
        ),
        (
            "other total",
            None,
            broken_then(|r, i| {
                let Reply(bytes, then) = ranged(&i.layer, r);
                let text = String::from_utf8_lossy(&bytes[..200]).replace("/300000", "/300001");
                Reply(
                    [
                        text.split("\r\n\r\n").next().unwrap().as_bytes(),
                        b"\r\n\r\nx",
                    ]
                    .concat(),
                    then,
                )
            }),
        ),
        (
            "junk range",
            None,
            broken_then(|_, i| reply(206, "Content-Range: x\r\n", &i.layer)),
        ),
        (
            "no range header",
            None,
            broken_then(|_, i| reply(206, "", &i.layer)),
        ),
        ("416", None, broken_then(|_, _| reply(416, "", b""))),
        (
            "404 after the break",
            Some(Kind::NotFound),
            broken_then(|_, _| reply(404, "", b"")),
        ),
    ]);
}

#[test]
fn broken_headers_and_statuses_end_clearly() {
    use Kind::{Corrupt, Network};
    let text = |bytes: Vec<u8>| on_manifest(move |_, _| Some(raw(&bytes)));
    let header = |line: &str| head("200 OK", &format!("{line}\r\nContent-Length: 2\r\n"));
    run(vec![
        (
            "garbage",
            Some(Network),
            text(b"\x00\xff\x1b[31m garbage\r\n\r\n".to_vec()),
        ),
        (
            "status 000",
            Some(Network),
            text(head("000 X", "Content-Length: 0\r\n")),
        ),
        (
            "status 999",
            Some(Network),
            text(head("999 X", "Content-Length: 0\r\n")),
        ),
        (
            "no status",
            Some(Network),
            text(b"HTTP/1.1\r\n\r\n".to_vec()),
        ),
        (
            "two lengths",
            Some(Network),
            text(head("200 OK", "Content-Length: 2\r\nContent-Length: 9\r\n")),
        ),
        (
            "negative length",
            Some(Network),
            text(head("200 OK", "Content-Length: -1\r\n")),
        ),
        (
            "huge header",
            Some(Corrupt),
            text(header(&format!("X: {}", "x".repeat(1 << 20)))),
        ),
        (
            "50,000 headers",
            Some(Network),
            text(header(&"X: y\r\n".repeat(50_000))),
        ),
        (
            "slow headers",
            Some(Network),
            on_manifest(|_, _| {
                Some(Reply(
                    b"HTTP/1.1 200 OK\r\nX: ".to_vec(),
                    Then::Repeat(b"x".to_vec(), Duration::from_millis(50)),
                ))
            }),
        ),
        (
            "silent",
            Some(Network),
            on_manifest(|_, _| Some(Reply(vec![], Then::Stall))),
        ),
        (
            "429 once",
            None,
            on_manifest(|r, _| (r.seen == 0).then(|| reply(429, "Retry-After: 1\r\n", b""))),
        ),
        (
            "429 a date",
            None,
            on_manifest(|r, _| {
                (r.seen == 0)
                    .then(|| reply(429, "Retry-After: Sun, 06 Nov 2094 08:49:37 GMT\r\n", b""))
            }),
        ),
        (
            "429 junk",
            None,
            on_manifest(|r, _| (r.seen == 0).then(|| reply(429, "Retry-After: soon\r\n", b""))),
        ),
        (
            "429 always",
            Some(Network),
            on_manifest(|_, _| Some(reply(429, "Retry-After: 3600\r\n", b""))),
        ),
        (
            "408 once",
            None,
            on_manifest(|r, _| (r.seen == 0).then(|| reply(408, "", b""))),
        ),
        (
            "502 once",
            None,
            on_manifest(|r, _| (r.seen == 0).then(|| reply(502, "", b"<html>"))),
        ),
        (
            "escape in a text",
            Some(Network),
            on_manifest(|_, _| {
                Some(reply(
                    418,
                    "",
                    "{\"errors\":[{\"code\":\"X\",\"message\":\"\\u001b]0;x\\u0007\\u202e\"}]}"
                        .as_bytes(),
                ))
            }),
        ),
        (
            "endless refusal",
            Some(Kind::Denied),
            on_manifest(|_, _| {
                let begin = head("403 X", "Transfer-Encoding: chunked\r\n");
                let piece = [b"2000\r\n", &[b'x'; 0x2000][..], b"\r\n"].concat();
                Some(Reply(begin, Then::Repeat(piece, Duration::ZERO)))
            }),
        ),
        (
            "length cut",
            Some(Network),
            on_manifest(|_, i| {
                let Reply(bytes, _) = document(OCI, &i.manifest);
                Some(raw(&bytes[..bytes.len() - 5]))
            }),
        ),
        (
            "length cut once",
            None,
            on_manifest(|r, i| {
                let Reply(bytes, _) = document(OCI, &i.manifest);
                (r.seen == 0).then(|| raw(&bytes[..bytes.len() - 5]))
            }),
        ),
        (
            "wrong bytes once",
            None,
            on_manifest(|r, i| {
                let headers = format!("Docker-Content-Digest: {}\r\n", Digest::of(&i.manifest));
                (r.seen == 0).then(|| reply(200, &headers, b"{}"))
            }),
        ),
        (
            "digest header lies",
            Some(Corrupt),
            on_manifest(|_, i| {
                let headers = format!("Docker-Content-Digest: {}\r\n", Digest::of(b"other"));
                Some(reply(200, &headers, &i.manifest))
            }),
        ),
        (
            "digest header is junk",
            None,
            on_manifest(|_, i| Some(reply(200, "Docker-Content-Digest: md5:x\r\n", &i.manifest))),
        ),
    ]);
}
