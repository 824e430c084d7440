//! What the lint says.

use super::super::parse;
use super::*;

/// Options of most cases.
pub(in crate::dockerfile) fn options<'a>() -> LintOptions<'a> {
    LintOptions {
        arguments: &[],
        stages: &[],
        target_platform: "linux/amd64",
        build_platform: "linux/amd64",
        check: None,
        base: &|_, _| {
            Some(Base {
                environment: vec![("PATH".to_owned(), "/bin".to_owned())],
                shell: false,
            })
        },
        is_reference: &|text| !text.is_empty() && !text.contains([' ', '$']),
        is_ignored: &|path| path.starts_with("secret"),
    }
}

/// Runs every rule; what it says does not matter.
pub(in crate::dockerfile) fn all(file: &Dockerfile) {
    lint(file, &options());
}

fn warnings(text: &str) -> Vec<Warning> {
    lint(&parse(text.as_bytes(), "Dockerfile").unwrap(), &options())
}

fn said(text: &str) -> Vec<(u32, &'static str, String)> {
    let line = |one: Warning| (one.span.line, one.rule, one.text);
    warnings(text).into_iter().map(line).collect()
}

#[test]
fn each_rule_speaks_where_it_should() {
    let cases = [
        (
            "FROM a AS Base",
            1,
            "StageNameCasing",
            "Stage name 'Base' should be lowercase",
        ),
        (
            "FROM a as b",
            1,
            "FromAsCasing",
            "'as' and 'FROM' keywords' casing do not match",
        ),
        (
            "from a AS b",
            1,
            "FromAsCasing",
            "'AS' and 'from' keywords' casing do not match",
        ),
        (
            "FROM a\nRUN b \\\n\n c",
            4,
            "NoEmptyContinuation",
            "Empty continuation line",
        ),
        (
            "FROM a\nUSER b\nrun c",
            3,
            "ConsistentInstructionCasing",
            "Command 'run' should match the case of the command majority (uppercase)",
        ),
        (
            "FROM a\nUser b",
            2,
            "ConsistentInstructionCasing",
            "Command 'User' should match the case of the command majority (uppercase)",
        ),
        (
            "from a\nuser b\nRUN c",
            3,
            "ConsistentInstructionCasing",
            "Command 'RUN' should match the case of the command majority (lowercase)",
        ),
        (
            "FROM a AS b\nFROM c AS b",
            2,
            "DuplicateStageName",
            "Duplicate stage name \"b\", stage names should be unique",
        ),
        (
            "FROM a AS scratch",
            1,
            "ReservedStageName",
            "Stage name should not use the same name as reserved stage \"scratch\"",
        ),
        (
            "FROM a\nCMD x",
            2,
            "JSONArgsRecommended",
            "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
        ),
        (
            "FROM a\nENTRYPOINT x",
            2,
            "JSONArgsRecommended",
            "JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals",
        ),
        (
            "FROM a\nMAINTAINER x",
            2,
            "MaintainerDeprecated",
            "Maintainer instruction is deprecated in favor of using label",
        ),
        (
            "ARG VERSION=1\nFROM a:${VERSON:-1}",
            2,
            "UndefinedArgInFrom",
            "FROM argument 'VERSON' is not declared (did you mean VERSION?)",
        ),
        (
            "FROM a${X}",
            1,
            "UndefinedArgInFrom",
            "FROM argument 'X' is not declared",
        ),
        (
            "FROM a\nWORKDIR x",
            2,
            "WorkdirRelativePath",
            "Relative workdir \"x\" can have unexpected results if the base image changes",
        ),
        (
            "FROM a\nENV FOOBAR=1\nWORKDIR /$FOOBR",
            3,
            "UndefinedVar",
            "Usage of undefined variable '$FOOBR' (did you mean $FOOBAR?)",
        ),
        (
            "FROM a\nCOPY <<E /x\n$NOTHING\nE",
            2,
            "UndefinedVar",
            "Usage of undefined variable '$NOTHING'",
        ),
        (
            "FROM a\nENV A=1 B=$A",
            2,
            "UndefinedVar",
            "Usage of undefined variable '$A'",
        ),
        (
            "FROM a\nCMD [\"x\"]\nCMD [\"y\"]",
            2,
            "MultipleInstructionsDisallowed",
            "Multiple CMD instructions should not be used in the same stage because only the last one will be used",
        ),
        (
            "FROM a\nHEALTHCHECK NONE\nHEALTHCHECK NONE",
            2,
            "MultipleInstructionsDisallowed",
            "Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used",
        ),
        (
            "FROM a\nENV x y",
            2,
            "LegacyKeyValueFormat",
            "\"ENV key=value\" should be used instead of legacy \"ENV key value\" format",
        ),
        (
            "FROM --platform=$TARGETPLATFORM a",
            1,
            "RedundantTargetPlatform",
            "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
        ),
        (
            "FROM a\nARG DB_PASSWORD",
            2,
            "SecretsUsedInArgOrEnv",
            "Do not use ARG or ENV instructions for sensitive data (ARG \"DB_PASSWORD\")",
        ),
        (
            "FROM a\nENV api_key=1",
            2,
            "SecretsUsedInArgOrEnv",
            "Do not use ARG or ENV instructions for sensitive data (ENV \"api_key\")",
        ),
        (
            "ARG X\nFROM $X",
            2,
            "InvalidDefaultArgInFrom",
            "Default value for ARG $X results in empty or invalid base image name",
        ),
        (
            "FROM --platform=linux/arm64 a AS b",
            1,
            "FromPlatformFlagConstDisallowed",
            "FROM --platform flag should not use constant value \"linux/arm64\"",
        ),
        (
            "FROM a\nCOPY ./x/../secrets/k /x",
            2,
            "CopyIgnoredFile",
            "Attempting to Copy file \"secrets/k\" that is excluded by .dockerignore",
        ),
        (
            "FROM a\nADD secret /x",
            2,
            "CopyIgnoredFile",
            "Attempting to Add file \"secret\" that is excluded by .dockerignore",
        ),
        (
            "FROM a\nEXPOSE 80/TCP",
            2,
            "ExposeProtoCasing",
            "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
        ),
        (
            "FROM a\nEXPOSE 127.0.0.1:80:80",
            2,
            "ExposeInvalidFormat",
            "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
        ),
        (
            "# check=experimental=all\nARG A\n# B about\nARG C\nFROM a",
            4,
            "InvalidDefinitionDescription",
            "Comment for ARG should follow the format: `# C <description>`",
        ),
    ];
    for (text, line, rule, wanted) in cases {
        assert_eq!(said(text), [(line, rule, wanted.to_owned())], "{text}");
    }
}

#[test]
fn what_is_right_is_not_warned_about() {
    for text in [
        "FROM scratch\nENV A=$PATH",
        "from a as b\nuser c",
        "ARG V=1\nFROM a:$V AS b\nARG V\nLABEL v=$V",
        "FROM a AS b\nARG X\nLABEL v=$X",
        "FROM a AS b\nENV X=1\nFROM b\nLABEL v=$X",
        "FROM a\nENV X=1\nENV Y=$X",
        "FROM a\nARG X=1\nEXPOSE $X/udp",
        "FROM a\nWORKDIR /x\nWORKDIR y",
        "FROM a AS b\nWORKDIR /x\nFROM b\nWORKDIR y",
        "FROM a\nSHELL [\"x\"]\nCMD y",
        "FROM a AS b\nCMD [\"x\"]\nFROM b\nCMD [\"y\"]",
        "FROM a\nENV PUBLIC_KEY=1 TOKEN_FILE=x KEYS=1 AUTHOR=b",
        "FROM --platform=$BUILDPLATFORM a",
        "FROM --platform=linux/arm64 a AS for-arm64",
        "FROM --platform=linux/arm64 a AS linux",
        "FROM --platform=x${TARGETPLATFORM} a",
        "FROM a AS b\nCOPY --from=b secret /x\nADD https://secret /x",
        "FROM a\nRUN echo $X ${Y}",
        "FROM a\nCMD [\"$X\"]",
        "# X about\nARG Y\nFROM a",
        "# check=experimental=all\n# X about\nARG X\n# b about\nFROM a AS b",
        "# check=skip=all\nFROM a as B\nENV x y",
        "# check=skip=FromAsCasing,StageNameCasing\nFROM a as B",
        "# x\n# check=skip=FromAsCasing\nFROM a as b",
        "FROM a\n# check=skip=LegacyKeyValueFormat\nENV x y",
    ] {
        assert!(said(text).is_empty(), "{text}");
    }
}

#[test]
fn arguments_stages_and_unknown_images_are_honoured() {
    let text = "ARG BASE\nFROM $BASE AS one\nLABEL a=$HOME\nENV x y\nFROM scratch AS two\nENV x y";
    let file = parse(text.as_bytes(), "Dockerfile").unwrap();
    let arguments = [("BASE".to_owned(), "known".to_owned())];
    let base = |_: &Stage, name: &str| {
        (name == "known").then(|| Base {
            environment: vec![("HOME".to_owned(), "/x".to_owned())],
            shell: false,
        })
    };
    let mut options = LintOptions {
        arguments: &arguments,
        base: &base,
        ..options()
    };
    let rules = |options: &LintOptions<'_>| {
        let found = lint(&file, options);
        found
            .iter()
            .map(|one| (one.span.line, one.rule))
            .collect::<Vec<_>>()
    };
    // The default of BASE is still no image.
    assert_eq!(
        rules(&options),
        [
            (2, "InvalidDefaultArgInFrom"),
            (4, "LegacyKeyValueFormat"),
            (6, "LegacyKeyValueFormat")
        ]
    );
    options.stages = &[1];
    assert_eq!(
        rules(&options),
        [(2, "InvalidDefaultArgInFrom"), (6, "LegacyKeyValueFormat")]
    );
    options.stages = &[0];
    options.base = &|_, _| None;
    assert_eq!(
        rules(&options).len(),
        2,
        "a variable of an unknown image is no error"
    );
    let check = Check::parse("skip=all").unwrap();
    options.check = Some(&check);
    assert_eq!(rules(&options), []);
}

#[test]
fn rules_have_pages() {
    for (rule, page) in [
        (Rule::StageNameCasing, "stage-name-casing"),
        (Rule::JsonArgsRecommended, "json-args-recommended"),
        (Rule::UndefinedArgInFrom, "undefined-arg-in-from"),
        (Rule::ExposeProtoCasing, "expose-proto-casing"),
    ] {
        let url = format!("https://docs.docker.com/go/dockerfile/rule/{page}/");
        assert_eq!(rule.url(), url);
    }
}
