//! What instructions are read as.

mod errors;
mod hostile;
mod options;

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
    let wanted = tree::Script {
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
