//! Options of instructions and of mounts.

use std::time::Duration;

use super::*;

#[test]
fn mounts_are_checked_when_nothing_has_to_expand() {
    let mounts = |text: &str| match one(&format!("RUN {text} x")) {
        Kind::Run(run) => run.mounts,
        other => panic!("{other:?}"),
    };
    let plain = |value: &str| Ok(value.to_owned());
    let spec = |text: &str| mounts(text)[0].resolve(&plain).unwrap();
    let cache = spec("--mount=type=cache,id=a,dst=/c,sharing=locked,mode=0700,uid=1,gid=2");
    assert_eq!(
        (cache.kind, cache.sharing),
        (MountKind::Cache, Sharing::Locked)
    );
    assert_eq!(
        (cache.mode, cache.uid, cache.gid),
        (Some(0o700), Some(1), Some(2))
    );
    assert!(!cache.readonly);
    let bind = spec("--mount=target=/t,from=base,source=/s");
    assert_eq!((bind.kind, bind.readonly), (MountKind::Bind, true));
    assert_eq!(bind.from.as_deref(), Some("base"));
    assert!(!spec("--mount=type=bind,target=/t,rw").readonly);
    assert!(spec("--mount=type=cache,target=/t,ro=true").readonly);
    assert_eq!(
        spec("--mount=type=tmpfs,target=/t,size=1m").size,
        Some(1 << 20)
    );
    let secret = spec("--mount=type=secret,id=k,env=K,required");
    assert!(secret.required && secret.readonly);
    assert_eq!(secret.env.as_deref(), Some("K"));
    let late = &mounts("--mount=type=$T,target=/t")[0];
    let expand = |value: &str| Ok(value.replace("$T", "tmpfs"));
    assert_eq!(late.resolve(&expand).unwrap().kind, MountKind::Tmpfs);
    assert_eq!(fields_of("--mount=\\\"target=/a,b\\\",rw"), "/a,b");
    let cases = [
        (
            "type=cahce,target=/c",
            "unsupported mount type \"cahce\" (did you mean cache?)",
        ),
        (
            "type=cache,targt=/c",
            "unexpected key 'targt' in 'targt=/c' (did you mean target?)",
        ),
        ("type=cache,sharing=all", "unsupported sharing value"),
        (
            "type=bind,sharing=shared",
            "invalid cache sharing set for bind mount",
        ),
        (
            "type=bind,mode=1",
            "mode not allowed for \"bind\" type mounts",
        ),
        ("type=cache,mode=9", "invalid value 9 for mode"),
        (
            "type=cache,size=1",
            "unexpected key 'size' for mount type 'cache'",
        ),
        (
            "type=bind,required",
            "unexpected key 'required' for mount type 'bind'",
        ),
        ("type=secret", "one of source, target required"),
        ("type=secret,id=a,from=b", "should not have a from"),
        ("type=secret,id=a,src=b", "both source and id"),
        ("type=bind,ro=maybe", "invalid value for ro: maybe"),
        ("target", "must be a key=value pair"),
        ("from=$X", "'from' doesn't support variable expansion"),
    ];
    for (text, wanted) in cases {
        let error = fails(&format!("FROM a\nRUN --mount={text} x"));
        assert!(error.message.contains(wanted), "{text}: {error}");
        assert_eq!((error.span.line, error.span.column), (2, 13), "{text}");
    }
}

fn fields_of(flag: &str) -> String {
    let Kind::Run(run) = one(&format!("RUN {flag} x")) else {
        panic!()
    };
    let plain = |value: &str| Ok(value.to_owned());
    run.mounts[0].resolve(&plain).unwrap().target
}

#[test]
fn health_checks_have_times_and_counts() {
    let Kind::Healthcheck(Some(check)) =
        one("HEALTHCHECK --interval=5s --timeout=1m30s --start-interval=0 --retries=3 CMD a b")
    else {
        panic!()
    };
    assert_eq!(check.command, shell("a b"));
    assert_eq!(check.interval, Some(Duration::from_secs(5)));
    assert_eq!(check.timeout, Some(Duration::from_secs(90)));
    assert_eq!((check.start_interval, check.retries), (None, Some(3)));
    let Kind::Healthcheck(Some(check)) = one("HEALTHCHECK cmd [\"a\"]") else {
        panic!()
    };
    assert_eq!(check.command, exec(&["a"]));
    assert_eq!(one("HEALTHCHECK none"), Kind::Healthcheck(None));
    for (text, wanted) in [
        ("", "requires at least one argument"),
        ("NONE x", "takes no arguments"),
        ("CMD", "Missing command"),
        ("CMD []", "Missing command"),
        ("x", "Unknown type \"X\""),
        ("--interval=1us CMD a", "cannot be less than 1ms"),
        ("--interval=-1s CMD a", "cannot be less than 1ms"),
        ("--interval=x CMD a", "--interval"),
        ("--retries=-1 CMD a", "--retries cannot be negative (-1)"),
        (
            "--retris=1 CMD a",
            "unknown flag: --retris (did you mean retries?)",
        ),
    ] {
        let error = fails(&format!("FROM a\nHEALTHCHECK {text}")).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn triggers_wait_as_text() {
    assert_eq!(
        one("ONBUILD RUN a  b"),
        Kind::Onbuild("RUN a  b".to_owned())
    );
    let text = "ONBUILD COPY <<EOF /x\nhi\nEOF";
    let Kind::Onbuild(kept) = one(text) else {
        panic!()
    };
    assert_eq!(kept, "COPY <<EOF /x\nhi\nEOF");
    let Kind::Copy(copy) = parse_trigger(&kept).unwrap().kind else {
        panic!()
    };
    assert_eq!(copy.documents[0].text, "hi\n");
    for bad in [
        "",
        "RUN a\nRUN b",
        "FROM x",
        "ONBUILD RUN x",
        "CPOY a b",
        "COPY a",
    ] {
        let error = parse_trigger(bad).unwrap_err();
        assert_eq!(error.span, Span::default());
        assert!(error.message.contains("onbuild trigger"), "{error}");
    }
}

#[test]
fn the_other_instructions_take_words() {
    assert!(
        matches!(one("EXPOSE 80 443/udp $P"), Kind::Expose(words) if raw(&words) == ["80", "443/udp", "$P"])
    );
    assert!(matches!(one("VOLUME /a /b"), Kind::Volume(words) if raw(&words) == ["/a", "/b"]));
    assert!(matches!(one("VOLUME [\"/a b\"]"), Kind::Volume(words) if raw(&words) == ["/a b"]));
    assert!(matches!(one("USER a b"), Kind::User(word) if word.raw == "a b"));
    assert!(matches!(one("workdir /a b"), Kind::Workdir(word) if word.raw == "/a b"));
    assert!(matches!(one("STOPSIGNAL $S"), Kind::Stopsignal(word) if word.raw == "$S"));
    assert_eq!(
        one("MAINTAINER a <b@c>"),
        Kind::Maintainer("a <b@c>".to_owned())
    );
    let Kind::Run(run) =
        one("RUN --network=none --security=insecure --device=a=b --device=c -- --x")
    else {
        panic!()
    };
    assert_eq!(run.command, shell("--x"));
    assert_eq!(run.network.unwrap().raw, "none");
    assert_eq!(run.security.unwrap().raw, "insecure");
    assert_eq!(raw(&run.devices), ["a=b", "c"]);
}
