//! What is wrong, and where.

use super::*;

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
    let wanted = format!(
        "\
Dockerfile:4
--------------------
   2 |{pad}
   3 |     RUN x
   4 | >>> \tCPOY a b
     |     \t^^^^
   5 |     USER c
   6 |{pad}
--------------------
",
        pad = " ".repeat(5)
    );
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
