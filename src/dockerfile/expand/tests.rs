//! How words expand.

use super::*;

/// The variables of all cases.
fn value(name: &str) -> Option<String> {
    let found = match name {
        "HOME" => "/root",
        "EMPTY" => "",
        "PAIR" => "one  two",
        "FILE" => "lib.tar.gz",
        "WAY" => "/a/b/a/c",
        "STARS" => "a*b*c",
        "MEANS" => "b",
        "GRÖSSE" => "weit",
        "LEAD" => "  x y ",
        "REGEX" => "a.b+c(d)[e]{f}^$|\\g",
        _ => return None,
    };
    Some(found.to_owned())
}

#[test]
fn words_expand_as_in_a_shell() {
    let cases = [
        ("plain", "plain"),
        ("", ""),
        // Quotes and escapes.
        ("a'b'c", "abc"),
        ("a\"b\"c", "abc"),
        (r"a\bc", "abc"),
        (r"a\\c", r"a\c"),
        (r"end\", "end"),
        (r"end\\", r"end\"),
        (r"it\'s", "it's"),
        (r#""in\side""#, r"in\side"),
        (r#""in\\side""#, r"in\side"),
        (r#""a\"b""#, "a\"b"),
        (r#""a'b""#, "a'b"),
        (r"'a\b'", r"a\b"),
        (r"'a\\b'", r"a\\b"),
        (r"'$HOME'", "$HOME"),
        (r"\$HOME", "$HOME"),
        (r"\\$HOME", r"\/root"),
        (r#""\$HOME""#, "$HOME"),
        (r#""$HOME""#, "/root"),
        (r#""'$HOME'""#, "'/root'"),
        ("a  b", "a  b"),
        ("größe'n'", "größen"),
        // Plain variables.
        ("$HOME", "/root"),
        ("x${HOME}y", "x/rooty"),
        ("$HOMEy", ""),
        ("$HOME.y", "/root.y"),
        ("$NONE", ""),
        ("a$", "a$"),
        ("a$.b", "a$.b"),
        ("a$ b", "a$ b"),
        ("$1x", "x"),
        ("$12x", "x"),
        ("${1}x", "x"),
        ("$@x$*y$#z", "xyz"),
        ("$$x", "x"),
        ("$0", ""),
        ("${?:-x}", "x"),
        ("$GRÖSSE", "weit"),
        ("${aaa}}", "}"),
        // Defaults and alternatives.
        ("${NONE:-word}", "word"),
        ("${NONE-word}", "word"),
        ("${EMPTY:-word}", "word"),
        ("${EMPTY-word}", ""),
        ("${HOME:-word}", "/root"),
        ("${NONE:-}", ""),
        ("${NONE:+word}", ""),
        ("${NONE+word}", ""),
        ("${EMPTY:+word}", ""),
        ("${EMPTY+word}", "word"),
        ("${HOME:+word}", "word"),
        ("${HOME?word}", "/root"),
        ("${EMPTY?word}", ""),
        ("${HOME:?}", "/root"),
        ("${NONE:-$HOME}", "/root"),
        ("${NONE:-${NONE:-${HOME}}}x", "/rootx"),
        (r"${NONE:-\$HOME:}", "$HOME:"),
        (r"${NONE:-\}}", "}"),
        ("${NONE:-a {b}", "a {b"),
        ("${NONE:-'a}b'}", "a}b"),
        ("${NONE:-a b}", "a b"),
        // Prefixes and suffixes.
        ("${FILE#*.}", "tar.gz"),
        ("${FILE##*.}", "gz"),
        ("${FILE%.*}", "lib.tar"),
        ("${FILE%%.*}", "lib"),
        ("${FILE#x}", "lib.tar.gz"),
        ("${FILE%x}", "lib.tar.gz"),
        ("${FILE#}", "lib.tar.gz"),
        ("${FILE##}", "lib.tar.gz"),
        ("${FILE%%}", "lib.tar.gz"),
        ("${FILE#???}", ".tar.gz"),
        ("${FILE%%*}", ""),
        ("${FILE#*}", "lib.tar.gz"),
        (r"${STARS#a\*}", "b*c"),
        (r"${STARS%\**}", "a*b"),
        (r"${STARS%%\**}", "a"),
        ("${WAY#$HOME}", "/a/b/a/c"),
        ("${WAY#/$NONE}", "a/b/a/c"),
        ("${NONE#x}", ""),
        (r"${REGEX#a.b+c(d)[e]{f\}^$|\\}", "g"),
        // Replacement.
        ("${WAY/a/x}", "/x/b/a/c"),
        ("${WAY//a/x}", "/x/b/x/c"),
        ("${WAY//a/}", "//b//c"),
        ("${WAY/$MEANS/x}", "/a/x/a/c"),
        (r"${WAY/\/a/x}", "x/b/a/c"),
        (r"${WAY//\//_}", "_a_b_a_c"),
        ("${STARS/a*b/x}", "x*c"),
        (r"${STARS//\*/x}", "axbxc"),
        ("${FILE/?i/x}", "xb.tar.gz"),
        ("${FILE/$EMPTY/x}", "xlib.tar.gz"),
        ("${FILE///}", "lib.tar.gz"),
        ("${NONE///}", ""),
        ("${FILE/lib/$1}", ".tar.gz"),
    ];
    for (raw, wanted) in cases {
        assert_eq!(expand(raw, '\\', &value).as_deref(), Ok(wanted), "{raw}");
    }
}

#[test]
fn what_cannot_be_expanded_is_told() {
    let cases = [
        ("'open", "matching single-quote"),
        ("\"open", "matching double-quote"),
        (r#""open\""#, "matching double-quote"),
        ("${", "missing '}'"),
        ("${HOME", "missing '}'"),
        ("${HOME:", "missing '}'"),
        ("${HOME:-", "missing '}'"),
        ("${NONE:-${HOME}", "missing '}'"),
        ("${}", "bad substitution"),
        ("${{HOME}", "bad substitution"),
        ("${:-x}", "bad substitution"),
        ("${.}", "unsupported modifier (.)"),
        ("${HOME:=x}", "unsupported modifier (:=)"),
        ("${HOME=x}", "unsupported modifier (=)"),
        ("${HOME:#x}", "unsupported modifier (:#)"),
        ("${HOME:%x}", "unsupported modifier (:%)"),
        ("${HOME:x}", "unsupported modifier (:x)"),
        ("${NONE?}", "NONE: is not allowed to be unset"),
        ("${NONE:?}", "NONE: is not allowed to be unset"),
        ("${EMPTY:?}", "EMPTY: is not allowed to be empty"),
        ("${NONE?set it}", "NONE: set it"),
        ("${HOME//x}", "missing '/'"),
        ("${HOME/x", "missing '/'"),
        ("${HOME/x/", "missing '}'"),
        (r"${HOME#\x}", r"invalid escape '\x'"),
    ];
    for (raw, wanted) in cases {
        let error = expand(raw, '\\', &value).unwrap_err().to_string();
        assert!(error.contains(wanted), "{raw}: {error}");
        assert!(error.starts_with("failed to process \""), "{error}");
    }
}

#[test]
fn another_escape_leaves_backslashes_alone() {
    let cases = [
        (r"C:\dir", r"C:\dir"),
        ("`$HOME", "$HOME"),
        ("a``b", "a`b"),
        (r"\$HOME", r"\/root"),
        ("\"`\"\"", "\""),
        ("\"`x\"", "`x"),
    ];
    for (raw, wanted) in cases {
        assert_eq!(expand(raw, '`', &value).as_deref(), Ok(wanted), "{raw}");
    }
}

#[test]
fn words_split_at_blanks_that_no_quote_keeps() {
    let cases: [(&str, &[&str]); 16] = [
        ("a b", &["a", "b"]),
        ("  a\t b ", &["a", "b"]),
        ("\"a b\"", &["a b"]),
        ("'a b' c", &["a b", "c"]),
        (r"a\ b", &["a b"]),
        ("$PAIR", &["one", "two"]),
        ("x${PAIR}y", &["xone", "twoy"]),
        ("x\"$PAIR\"y", &["xone  twoy"]),
        ("a${LEAD}b", &["a", "x", "y", "b"]),
        ("$NONE", &[]),
        ("", &[]),
        ("''", &[]),
        ("80${NONE:-/tcp} 81", &["80/tcp", "81"]),
        ("<< EOF x", &["<< EOF", "x"]),
        ("a <b", &["a", "<b"]),
        ("a<<<b", &["a<<<b"]),
    ];
    for (raw, wanted) in cases {
        assert_eq!(expand_words(raw, '\\', &value).unwrap(), wanted, "{raw}");
    }
}

#[test]
fn the_variables_of_a_word_are_told() {
    let raw = "$HOME ${NONE:-$FILE} $HOME ${OTHER+$NONE}";
    let expansion = expand_known(raw, '\\', &value).unwrap();
    assert_eq!(expansion.used, ["HOME", "FILE"]);
    assert_eq!(expansion.missing, ["NONE", "OTHER"]);
}

#[test]
fn a_document_keeps_its_quotes() {
    let cases = [
        ("say \"$HOME\" 'x$HOME'", "say \"/root\" 'x/root'"),
        ("it's", "it's"),
        (r"\$HOME", "$HOME"),
        ("<<X $NONE.", "<<X ."),
    ];
    for (raw, wanted) in cases {
        assert_eq!(expand_document(raw, &value).unwrap().text, wanted, "{raw}");
    }
}

#[test]
fn depth_and_growth_end() {
    let deep = "${A:-".repeat(100_000);
    assert!(expand(&deep, '\\', &value).is_err());
    let deep = format!("{}x{}", "${A:-".repeat(60), "}".repeat(60));
    assert_eq!(expand(&deep, '\\', &value).as_deref(), Ok("x"));
    let big = |_: &str| Some("x".repeat(1 << 20));
    let error = expand(&"$A".repeat(20), '\\', &big).unwrap_err();
    assert!(error.why.contains("longer than"), "{}", error.why);
    // A pattern with many stars takes no more than its share of time.
    let many = |_: &str| Some("a".repeat(10_000));
    let raw = format!("${{A##{}b}}", "a*".repeat(30));
    assert!(expand(&raw, '\\', &many).is_ok());
}
