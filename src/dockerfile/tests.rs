use std::time::Duration;

use super::*;

fn read(text: &str) -> Dockerfile {
    parse(text.as_bytes(), "Dockerfile").unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The instructions behind a `FROM`.
fn body(text: &str) -> Vec<Instruction> {
    let mut file = read(&format!("FROM scratch\n{text}"));
    file.stages.remove(0).instructions
}

fn one(text: &str) -> Kind {
    let mut all = body(text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0).kind
}

fn raw(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.raw.as_str()).collect()
}

fn fails(text: &str) -> ParseError {
    match parse(text.as_bytes(), "Dockerfile") {
        Err(error) => error,
        Ok(file) => panic!("{text}: {file:?}"),
    }
}

fn shell(text: &str) -> Command {
    Command::Shell(text.to_owned())
}

fn exec(words: &[&str]) -> Command {
    Command::Exec(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn stages_have_names_bases_and_platforms() {
    let file = read(
        "ARG V=1 W\nfrom --platform=$BUILDPLATFORM golang:$V As Build\nRUN x\n\nFROM scratch\n\
         COPY --from=build /a /b\n",
    );
    assert_eq!(file.args.len(), 1);
    let Kind::Arg(pairs) = &file.args[0].kind else {
        panic!("{:?}", file.args)
    };
    let values: Vec<_> = pairs
        .iter()
        .map(|(name, value)| {
            (
                name.raw.as_str(),
                value.as_ref().map(|word| word.raw.as_str()),
            )
        })
        .collect();
    assert_eq!(values, [("V", Some("1")), ("W", None)]);
    let [first, second] = file.stages.as_slice() else {
        panic!("{:?}", file.stages)
    };
    assert_eq!(first.name.as_ref().unwrap().raw, "build");
    assert_eq!(first.alias.as_ref().unwrap().1.raw, "Build");
    assert_eq!(first.base.raw, "golang:$V");
    assert_eq!(first.platform.as_ref().unwrap().raw, "$BUILDPLATFORM");
    assert_eq!(first.span, Span::lines(2, 2));
    assert_eq!(first.instructions.len(), 1);
    assert_eq!((second.index, &second.name), (1, &None));
    assert_eq!(second.source, "FROM scratch");
}

#[test]
fn lines_go_on_and_comments_do_not_count() {
    let cases = [
        ("RUN a \\\n  b", "RUN a   b"),
        ("RUN a \\  \t\n b", "RUN a  b"),
        ("RUN a \\\n# note\n  # note\n b", "RUN a  b"),
        ("RUN a \\\n\n \t\n b", "RUN a  b"),
        ("RUN a \\\r\n b\r\n", "RUN a  b"),
        ("   RUN a", "RUN a"),
        ("RUN a # b", "RUN a # b"),
        ("\\\nRUN a", "RUN a"),
        ("RUN a \\\\", "RUN a \\\\"),
        ("RUN a\\\nb", "RUN ab"),
        ("RUN a \\", "RUN a"),
        ("R\\\nUN a", "RUN a"),
    ];
    for (text, wanted) in cases {
        let all = body(text);
        assert_eq!(all.len(), 1, "{text:?}");
        assert_eq!(all[0].source, wanted, "{text:?}");
    }
    let file = read("FROM x\n\n# about\n# it\nRUN a \\\n\n  b\nUSER c");
    let run = &file.stages[0].instructions[0];
    assert_eq!(run.span, Span::lines(5, 7));
    assert_eq!(run.comments, ["about", "it"]);
    assert_eq!(file.gaps, [7]);
    assert_eq!(file.stages[0].instructions[1].span, Span::lines(8, 8));
}

#[test]
fn directives_come_first_and_once() {
    let file = read(
        "\u{feff}#syntax = docker/dockerfile:1 x\n# EsCaPe=`\n# check = skip=A, B;error=1\n\nFROM a\nRUN b `\n c\\\n",
    );
    assert_eq!(
        file.directives.syntax.as_deref(),
        Some("docker/dockerfile:1")
    );
    assert_eq!(file.directives.escape, '`');
    // A blank ends the value, as for docker.
    assert_eq!(file.directives.check.as_ref().unwrap().skip, ["A", ""]);
    assert_eq!(file.stages[0].instructions[0].source, "RUN b  c\\");
    let check = Check::parse("skip=A,B;error=true;experimental=all").unwrap();
    assert!(check.error && check.experimental_all && !check.skip_all);
    assert_eq!(check.skip, ["A", "B"]);
    // Behind another comment, an instruction or an empty line they are comments.
    for text in [
        "# note\n# escape=`\nFROM a",
        "\n# escape=`\nFROM a",
        "# other=1\n# escape=`\nFROM a",
    ] {
        assert_eq!(read(text).directives.escape, '\\', "{text}");
    }
    assert_eq!(
        read("#!/bin/x\n# syntax=y\nFROM a")
            .directives
            .syntax
            .as_deref(),
        Some("y")
    );
    let cases = [
        ("# escape=x\nFROM a", 1, "invalid escape token 'x'"),
        (
            "# escape=`\n# escape=`\nFROM a",
            2,
            "only one escape parser directive",
        ),
        ("# check=skp=a\nFROM a", 1, "invalid check option \"skp\""),
        ("# check=error=x\nFROM a", 1, "failed to parse check option"),
        ("# check=x\nFROM a", 1, "invalid check option \"x\""),
    ];
    for (text, line, wanted) in cases {
        let error = fails(text);
        assert!(error.message.contains(wanted), "{error}");
        assert_eq!(error.span.line, line, "{text}");
    }
}

#[test]
fn commands_are_json_or_lines() {
    assert_eq!(one("CMD a b"), Kind::Cmd(shell("a b")));
    assert_eq!(one("CMD [\"a\", \"b c\"]"), Kind::Cmd(exec(&["a", "b c"])));
    assert_eq!(one("CMD  [ \"a\" ]  "), Kind::Cmd(exec(&["a"])));
    assert_eq!(one("CMD []"), Kind::Cmd(exec(&[])));
    assert_eq!(one("CMD"), Kind::Cmd(shell("")));
    // A broken array is a line for the shell.
    for text in [
        "[\"a\",]",
        "['a']",
        "[\"a\" \"b\"]",
        "[\"a\"",
        "[ -f x ]",
        "[\"a\"] b",
    ] {
        assert_eq!(
            one(&format!("ENTRYPOINT {text}")),
            Kind::Entrypoint(shell(text))
        );
    }
    assert_eq!(
        one("ENTRYPOINT [\"\\u00e9\\n\"]"),
        Kind::Entrypoint(exec(&["é\n"]))
    );
    assert_eq!(
        one("SHELL [\"/bin/bash\", \"-c\"]"),
        Kind::Shell(vec!["/bin/bash".to_owned(), "-c".to_owned()])
    );
    let error = fails("FROM a\nRUN [\"a\", 1]");
    assert!(
        error
            .message
            .contains("arrays must be comprised of strings only")
    );
}

#[test]
fn pairs_keep_their_quotes_until_they_expand() {
    let pairs = |text: &str| match one(text) {
        Kind::Env(pairs) | Kind::Label(pairs) => pairs
            .iter()
            .map(|(name, value)| format!("{}|{}", name.raw, value.raw))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let cases: [(&str, &[&str]); 9] = [
        ("ENV a=b", &["a|b"]),
        (
            "ENV a=b c=\"d e\" f='g h'",
            &["a|b", "c|\"d e\"", "f|'g h'"],
        ),
        ("ENV a=b\\ c d=", &["a|b\\ c", "d|"]),
        ("ENV a b c", &["a|b c"]),
        ("ENV a   b=c ", &["a|b=c"]),
        ("ENV a=b=c", &["a|b=c"]),
        ("LABEL \"x y\"=z", &["\"x y\"|z"]),
        ("ENV a=x \\\n  b=y", &["a|x", "b|y"]),
        ("ENV größe=weit ü='ö ä'", &["größe|weit", "ü|'ö ä'"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(pairs(text), wanted, "{text}");
    }
    let all = body("ENV a b\nENV a=b");
    assert!(all[0].legacy && !all[1].legacy);
    let Kind::Env(pairs) = &body("ENV  ab=cd \\\n   e=\"f g\"")[0].kind.clone() else {
        panic!()
    };
    let place = |word: &Word| (word.span.line, word.span.column, word.span.width);
    let places: Vec<_> = pairs
        .iter()
        .flat_map(|(a, b)| [place(a), place(b)])
        .collect();
    assert_eq!(places, [(2, 6, 2), (2, 9, 2), (3, 4, 1), (3, 6, 5)]);
}

#[test]
fn copies_have_sources_flags_and_documents() {
    let Kind::Copy(copy) = one(
        "COPY --from=build --chown=$U:g --chmod=u+x --link --parents=TRUE --exclude=*.md \
         --exclude=\"a b\" x y* /z/",
    ) else {
        panic!()
    };
    assert_eq!(raw(&copy.sources), ["x", "y*"]);
    assert_eq!(copy.destination.raw, "/z/");
    assert_eq!(copy.from.as_ref().unwrap().raw, "build");
    assert_eq!(copy.chown.as_ref().unwrap().raw, "$U:g");
    assert_eq!(copy.chmod.as_ref().unwrap().raw, "u+x");
    assert!(copy.link && copy.parents);
    assert_eq!(raw(&copy.excludes), ["*.md", "a b"]);
    let Kind::Copy(copy) = one("COPY [\"a b\", \"c d\", \"/e f/\"]") else {
        panic!()
    };
    assert_eq!(raw(&copy.sources), ["a b", "c d"]);
    assert_eq!(copy.destination.raw, "/e f/");
    let Kind::Add(add) = one("ADD --checksum=sha256:12 --keep-git-dir --unpack=false u /d") else {
        panic!()
    };
    assert_eq!(add.checksum.as_ref().unwrap().raw, "sha256:12");
    assert_eq!(
        (add.keep_git_dir, add.unpack, add.link),
        (Some(true), Some(false), false)
    );
    let Kind::Copy(copy) = one("COPY <<one <<-'two' file /d/\na $X\none\n\tb\n\t\tc\n\ttwo\n")
    else {
        panic!()
    };
    assert_eq!(raw(&copy.sources), ["file"]);
    let documents: Vec<_> = copy
        .documents
        .iter()
        .map(|one| (one.name.raw.as_str(), one.text.as_str(), one.expand))
        .collect();
    assert_eq!(
        documents,
        [("one", "a $X\n", true), ("two", "b\nc\n", false)]
    );
}

#[test]
fn here_documents_run_as_scripts() {
    let run = |text: &str| match one(text) {
        Kind::Run(run) => run,
        other => panic!("{other:?}"),
    };
    assert_eq!(run("RUN <<EOF\na\nb\nEOF").command, shell("a\nb\n"));
    assert_eq!(
        run("RUN <<-EOF\n\ta\n\t\tb\n\tEOF").command,
        shell("a\nb\n")
    );
    assert_eq!(run("RUN << EOF\na\nEOF").command, shell("a\n"));
    assert_eq!(run("RUN <<EOF\nEOF").command, shell(""));
    let script = run("RUN <<EOF\n#!/usr/bin/x\na\nEOF");
    assert_eq!(script.command, shell("/dev/pipes/EOF"));
    let wanted = Script {
        path: "/dev/pipes/EOF".to_owned(),
        text: "#!/usr/bin/x\na\n".to_owned(),
    };
    assert_eq!(script.script, Some(wanted));
    // More than the bare word is left to the shell.
    assert_eq!(
        run("RUN cat <<EOF >x\na\nEOF").command,
        shell("cat <<EOF >x\na\nEOF")
    );
    assert_eq!(
        run("RUN cat <<A 3<<B\n1\nA\n2\nB").command,
        shell("cat <<A 3<<B\n1\nA\n2\nB")
    );
    assert_eq!(
        run("RUN python3 <<'E F'\nx\nE F").command,
        shell("python3 <<'E F'\nx\nE F")
    );
    // None of these opens one.
    for text in [
        "\"<<EOF\"",
        "a <<",
        "a <<<EOF",
        "cat << ",
        "[\"<<EOF\"]",
        "it's <<EOF",
    ] {
        assert_eq!(body(&format!("RUN {text}"))[0].heredocs, [], "{text}");
    }
    let all = body("RUN --mount=type=cache,target=/c <<EOF\n# kept \\\nx\nEOF\nUSER a");
    assert_eq!(all[0].heredocs[0].raw, "# kept \\\nx\n");
    assert_eq!(all[0].span, Span::lines(2, 5));
    assert_eq!(all[0].source, "RUN --mount=type=cache,target=/c <<EOF");
    assert_eq!(all[1].span, Span::lines(6, 6));
    let names = |text: &str| {
        let heredocs = &body(text)[0].heredocs;
        heredocs
            .iter()
            .map(|one| (one.name.clone(), one.descriptor, one.expand, one.chomp))
            .collect::<Vec<_>>()
    };
    let case = |name: &str, descriptor, expand, chomp| (name.to_owned(), descriptor, expand, chomp);
    assert_eq!(names("RUN 3<<a\\'b\na'b"), [case("a'b", 3, true, false)]);
    assert_eq!(names("RUN <<a'b'\nab"), [case("ab", 0, false, false)]);
    assert_eq!(names("RUN <<$A\n$A"), [case("$A", 0, true, false)]);
    assert_eq!(
        names("RUN <<-\"a b\"\n\ta b"),
        [case("a b", 0, false, true)]
    );
    // Not behind other keywords.
    assert_eq!(
        fails("FROM a\nUSER <<EOF\nEOF").message,
        "unknown instruction: EOF"
    );
}

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

#[test]
fn errors_name_the_line_and_the_word() {
    let cases = [
        ("", (0, 0, 0), "the Dockerfile cannot be empty"),
        ("\n# x\n", (0, 0, 0), "file with no instructions"),
        ("ARG a", (0, 0, 0), "dockerfile contains no stages to build"),
        ("RUN a", (1, 1, 3), "no build stage in current context"),
        (
            "FORM a",
            (1, 1, 4),
            "unknown instruction: FORM (did you mean FROM?)",
        ),
        (
            "FROM a\n  cpoy a b",
            (2, 3, 4),
            "unknown instruction: cpoy (did you mean copy?)",
        ),
        ("FROM a\nfoo", (2, 1, 3), "unknown instruction: foo"),
        (
            "FROM",
            (1, 1, 4),
            "FROM requires either one or three arguments",
        ),
        (
            "FROM a b",
            (1, 1, 4),
            "FROM requires either one or three arguments",
        ),
        (
            "FROM a as",
            (1, 1, 4),
            "FROM requires either one or three arguments",
        ),
        (
            "FROM a as 1b",
            (1, 11, 2),
            "invalid name for build stage: \"1b\"",
        ),
        (
            "FROM --platfrom=x a",
            (1, 6, 12),
            "unknown flag: --platfrom (did you mean platform?)",
        ),
        (
            "FROM --platform a",
            (1, 6, 10),
            "missing a value on flag: --platform",
        ),
        (
            "FROM a\nCOPY a",
            (2, 1, 4),
            "COPY requires at least two arguments",
        ),
        (
            "FROM a\nCOPY --chwon=b a c",
            (2, 6, 9),
            "unknown flag: --chwon (did you mean chown?)",
        ),
        (
            "FROM a\nCOPY --link=x a c",
            (2, 6, 8),
            "expecting boolean value for flag --link, not: x",
        ),
        (
            "FROM a\nCOPY --link --link a c",
            (2, 13, 6),
            "duplicate flag specified: --link",
        ),
        (
            "FROM a\nCOPY --from=$A a c",
            (2, 13, 2),
            "variable expansion is not supported for --from",
        ),
        (
            "FROM a\nCOPY \\\n a <<E\nE",
            (3, 4, 3),
            "COPY cannot accept a heredoc as a destination",
        ),
        ("FROM a\nRUN <<E\nx", (2, 0, 0), "unterminated heredoc"),
        (
            "FROM a\nRUN --network=hots x",
            (2, 15, 4),
            "invalid network mode \"hots\" (did you mean host?)",
        ),
        (
            "FROM a\nRUN --security=x x",
            (2, 16, 1),
            "security \"x\" is not valid",
        ),
        (
            "FROM a\nENV",
            (2, 1, 3),
            "ENV requires at least one argument",
        ),
        ("FROM a\nENV a", (2, 5, 1), "ENV must have two arguments"),
        ("FROM a\nENV a=b c", (2, 9, 1), "can't find = in \"c\""),
        ("FROM a\nENV =b", (2, 5, 2), "ENV names can not be blank"),
        ("FROM a\nARG =b", (2, 5, 2), "ARG names can not be blank"),
        (
            "FROM a\nUSER",
            (2, 1, 4),
            "USER requires exactly one argument",
        ),
        ("FROM a\nUSER --x y", (2, 6, 3), "unknown flag: --x"),
        (
            "FROM a\nEXPOSE",
            (2, 1, 6),
            "EXPOSE requires at least one argument",
        ),
        (
            "FROM a\nVOLUME [\"\"]",
            (2, 8, 4),
            "VOLUME specified can not be an empty string",
        ),
        (
            "FROM a\nSHELL a",
            (2, 7, 1),
            "SHELL requires the arguments to be in JSON form",
        ),
        (
            "FROM a\nSHELL []",
            (2, 1, 5),
            "SHELL requires at least one argument",
        ),
        (
            "FROM a\nONBUILD",
            (2, 1, 7),
            "ONBUILD requires at least one argument",
        ),
        (
            "FROM a\nONBUILD FROM x",
            (2, 9, 4),
            "FROM isn't allowed as an ONBUILD trigger",
        ),
        (
            "FROM a\nONBUILD ONBUILD RUN x",
            (2, 9, 7),
            "Chaining ONBUILD via",
        ),
    ];
    for (text, place, wanted) in cases {
        let error = fails(text);
        let span = error.span;
        assert_eq!(
            (span.line, span.column, span.width),
            place,
            "{text:?}: {error}"
        );
        let shown = error.to_string();
        assert!(shown.contains(wanted), "{text:?}: {shown}");
        if span.line > 0 {
            let start = format!("dockerfile parse error on line {}: ", span.line);
            assert!(shown.starts_with(&start), "{shown}");
        }
    }
}

#[test]
fn an_excerpt_marks_the_line_and_underlines_the_word() {
    let error = fails("FROM a\n\nRUN x\n\tCPOY a b\nUSER c\n\n\n");
    let wanted = "\
Dockerfile:4
--------------------
   2 |     
   3 |     RUN x
   4 | >>> \tCPOY a b
     |     \t^^^^
   5 |     USER c
   6 |     
--------------------
";
    assert_eq!(error.excerpt, wanted);
    let file = read("FROM a\nRUN b \\\n  c\nUSER d");
    let span = file.stages[0].instructions[0].span;
    let wanted = "\
Dockerfile:2
--------------------
   1 |     FROM a
   2 | >>> RUN b \\
   3 | >>>   c
   4 |     USER d
--------------------
";
    assert_eq!(file.excerpt(span), wanted);
    assert_eq!(file.excerpt(Span::default()), "");
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed: &[u8] = b"# syntax=a\n# escape=`\nARG A=1\nFROM --platform=$A b:${A:-1} AS c\nRUN \
        --mount=type=cache,target=/x <<E cat 3<<-\"F\"\nx\nE\n\tF\nCOPY [\"a\", \"b\"]\nENV a=\"b c\" \
        d='e' f\\ g=${h/i/j}\nHEALTHCHECK --interval=5s CMD x\nONBUILD COPY <<E /x\ny\nE\nADD a \\\n\
        # c\n\n b\nLABEL \xc3\xa9=\xff\nSHELL [\"x\"]\nVOLUME /v\nEXPOSE 1 2\nCMD [\"x\"]";
    let pieces: [&[u8]; 20] = [
        b"<<",
        b"-",
        b"\\",
        b"\n",
        b"\"",
        b"'",
        b"${",
        b"}",
        b"[",
        b"]",
        b"--",
        b"=",
        b"#",
        b" ",
        b"\t",
        b"\0",
        b"\xc3",
        b"\xe2\x80\xa8",
        b"\r\n",
        b"ONBUILD ",
    ];
    let mut dice = Dice(7);
    for _ in 0..4000 {
        let mut text = seed.to_vec();
        for _ in 0..=dice.roll(6) {
            let at = dice.roll(text.len() + 1);
            match dice.roll(4) {
                0 => text.truncate(at),
                1 => {
                    let end = (at + dice.roll(30)).min(text.len());
                    text.drain(at..end);
                }
                2 => {
                    let piece = pieces[dice.roll(pieces.len())];
                    text.splice(at..at, piece.iter().copied());
                }
                _ => {
                    let byte = u8::try_from(dice.roll(256)).unwrap();
                    text.splice(at..at, [byte]);
                }
            }
        }
        if let Ok(file) = parse(&text, "Dockerfile") {
            lint::tests::all(&file);
            for stage in &file.stages {
                for one in &stage.instructions {
                    file.excerpt(one.span);
                    let _ = expand(&one.source, '\\', &|_| Some("x*".to_owned()));
                }
            }
        }
    }
}

#[test]
fn deep_and_long_files_end() {
    let long = format!("FROM a\nRUN {}", "x ".repeat(200_000));
    assert_eq!(read(&long).stages[0].instructions.len(), 1);
    let many = format!("FROM a\n{}", "RUN x\n".repeat(50_000));
    assert_eq!(read(&many).stages[0].instructions.len(), 50_000);
    let joined = format!("FROM a\nRUN {}", "x \\\n".repeat(50_000));
    assert_eq!(read(&joined).stages[0].instructions.len(), 1);
    let nested = format!("FROM a\nCMD {}", "[".repeat(100_000));
    assert!(matches!(
        read(&nested).stages[0].instructions[0].kind,
        Kind::Cmd(Command::Shell(_))
    ));
    let chain = format!("FROM a\n{}RUN x", "ONBUILD ".repeat(100_000));
    assert!(parse(chain.as_bytes(), "x").is_err());
    let documents = format!(
        "FROM a\nRUN {}\n{}",
        "<<E ".repeat(20_000),
        "E\n".repeat(20_000)
    );
    assert_eq!(
        body(documents.strip_prefix("FROM a\n").unwrap())[0]
            .heredocs
            .len(),
        20_000
    );
    let large = vec![b'#'; (16 << 20) + 1];
    assert!(
        parse(&large, "x")
            .unwrap_err()
            .message
            .contains("larger than")
    );
}
