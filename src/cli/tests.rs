//! The way of the words: which verb, which flags, what clap's complaints become.

use super::*;
use crate::cli::dispatch::locate;

fn words(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

fn parsed(texts: &[&str]) -> Result<ArgMatches, String> {
    let words = words(texts);
    match locate(command::VERBS, &words) {
        Asked::Verb(verb, spelling) => matched(verb, spelling, &words)
            .map_err(|error| error_report::usage(&error, "ketch x").to_string()),
        _ => Err("no verb".to_owned()),
    }
}

#[test]
fn the_verb_is_found_behind_global_flags() {
    for (texts, want) in [
        (&["run", "x"][..], "run"),
        (&["--root", "/x", "ps"], "ps"),
        (&["--root=/x", "container", "ls"], "container ls"),
        (&["image", "rm", "x"], "image rm"),
    ] {
        match locate(command::VERBS, &words(texts)) {
            Asked::Verb(_, spelling) => assert_eq!(spelling, want),
            _ => panic!("{texts:?}"),
        }
    }
    for texts in [&["--version"][..], &["-v"], &["--root", "/x", "-v"]] {
        assert!(matches!(
            locate(command::VERBS, &words(texts)),
            Asked::Version
        ));
    }
    for texts in [
        &[][..],
        &["--help"],
        &["image"],
        &["nope"],
        &["image", "nope"],
        &["--root"],
    ] {
        assert!(
            matches!(locate(command::VERBS, &words(texts)), Asked::Other),
            "{texts:?}"
        );
    }
}

#[test]
fn flags_end_at_the_image() {
    let matches = parsed(&["run", "--rm", "-it", "img", "--rm=false", "-e", "--", "-x"]).unwrap();
    let leaf = leaf(&matches);
    let rest: Vec<&String> = leaf.get_many("words").unwrap().collect();
    assert_eq!(rest, ["img", "--rm=false", "-e", "--", "-x"]);
    assert!(leaf.get_flag("rm") && leaf.get_flag("interactive") && leaf.get_flag("tty"));
    let matches = parsed(&["run", "--", "img", "-v"]).unwrap();
    let rest: Vec<&String> = super::leaf(&matches).get_many("words").unwrap().collect();
    assert_eq!(rest, ["img", "-v"]);
}

#[test]
fn booleans_take_an_optional_value_and_the_last_flag_wins() {
    let flag = |texts: &[&str]| {
        let matches = parsed(texts).unwrap();
        leaf(&matches).get_flag("rm")
    };
    assert!(!flag(&["run", "--rm=false", "img"]));
    assert!(flag(&["run", "--rm=false", "--rm", "img"]));
    assert!(flag(&["run", "--rm=T", "img"]));
    assert!(!flag(&["run", "img"]));
    let matches = parsed(&[
        "run",
        "--name=a",
        "--name",
        "b",
        "-eA=1",
        "-e",
        "B",
        "-it=false",
        "img",
    ])
    .unwrap();
    let leaf = leaf(&matches);
    assert_eq!(leaf.get_one::<String>("name").unwrap(), "b");
    assert_eq!(leaf.get_many::<String>("env").unwrap().count(), 2);
    assert!(leaf.get_flag("interactive") && !leaf.get_flag("tty"));
    assert!(parsed(&["run", "--rm=maybe", "img"]).is_err());
}

#[test]
fn complaints_are_in_dockers_words() {
    for (texts, want) in [
        (&["run", "--nope", "img"][..], "unknown flag: --nope"),
        (&["run", "-Q", "img"], "unknown shorthand flag: -Q"),
        (&["images", "--nope=1"], "unknown flag: --nope"),
        (&["version", "x"], "unexpected argument: x"),
    ] {
        assert_eq!(parsed(texts).unwrap_err(), want);
    }
    assert!(
        parsed(&["run"])
            .unwrap_err()
            .starts_with("missing argument")
    );
}

#[test]
fn help_is_found_for_commands_and_refused_for_strangers() {
    let tree = dispatch::tree(command::VERBS);
    let name = |texts: &[&str]| {
        dispatch::helped(&tree, &words(texts)).map(|command| command.get_name().to_owned())
    };
    assert_eq!(name(&["help", "run"]).as_deref(), Some("run"));
    assert_eq!(name(&["image", "ls", "--help"]).as_deref(), Some("ls"));
    assert_eq!(name(&["container", "ps", "--help"]).as_deref(), Some("ls"));
    assert_eq!(name(&["run", "img", "--help"]).as_deref(), Some("run"));
    assert_eq!(name(&["help", "nope"]), None);
    assert_eq!(
        dispatch::stranger(&tree, &words(&["image", "nope"])),
        "nope"
    );
}
