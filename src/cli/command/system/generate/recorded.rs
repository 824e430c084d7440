//! The command line that made a container, taken apart by the definitions of today.

use clap::{Arg, ArgAction, CommandFactory as _};

use crate::boot::Fresh;
use crate::cli::args::GLOBAL_FLAGS;
use crate::cli::command::container::run::Run;

/// Flags that say how the caller stayed with the container, or what the unit says itself.
const DROPPED: [&str; 10] = [
    "attach",
    "cidfile",
    "detach",
    "detach-keys",
    // A service has no input; with it the payload would see its end at once.
    "interactive",
    "replace",
    // systemd starts it again.
    "restart",
    "rm",
    "sig-proxy",
    "timing",
];

/// One word after the other.
type Words<'w> = std::slice::Iter<'w, String>;

/// Reads the line, program first.
///
/// # Errors
/// Why no container can be made by it.
pub(super) fn read(line: &[String]) -> Result<Fresh, String> {
    let mut words = line.iter();
    words.next();
    verb(&mut words)?;
    let mut definition = Run::command();
    definition.build();
    let mut fresh = Fresh::default();
    let mut keep = |arg: &Arg, value: Option<String>| {
        let name = arg.get_long().unwrap_or_default();
        match (name, value) {
            (name, _) if DROPPED.contains(&name) => {}
            ("name", value) => fresh.name = value,
            (name, Some(value)) => fresh.flags.push(format!("--{name}={value}")),
            (name, None) => fresh.flags.push(format!("--{name}")),
        }
    };
    while let Some(word) = words.next() {
        let unknown = || format!("its command line has {word}, which this ketch does not know");
        if word == "--" {
            fresh.rest = words.cloned().collect();
            break;
        }
        if let Some(flag) = word.strip_prefix("--") {
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let arg = definition.get_arguments().find(|arg| is_called(arg, name));
            let arg = arg.ok_or_else(unknown)?;
            let value = match value {
                None if takes_word(arg) => Some(words.next().ok_or_else(unknown)?.clone()),
                given => given,
            };
            keep(arg, value);
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            for (at, letter) in letters.char_indices() {
                let arg = definition
                    .get_arguments()
                    .find(|arg| arg.get_short() == Some(letter));
                let arg = arg.ok_or_else(unknown)?;
                if !takes_word(arg) {
                    keep(arg, None);
                    continue;
                }
                let rest = &letters[at + letter.len_utf8()..];
                let value = match rest.strip_prefix('=').unwrap_or(rest) {
                    "" => words.next().ok_or_else(unknown)?.clone(),
                    rest => rest.to_owned(),
                };
                keep(arg, Some(value));
                break;
            }
        } else {
            fresh.rest = std::iter::once(word).chain(words).cloned().collect();
            break;
        }
    }
    match fresh.rest.is_empty() {
        true => Err("the command line that made it is not known".to_owned()),
        false => Ok(fresh),
    }
}

/// Passes over global flags and `run`, `create`, `container run` or `container create`.
fn verb(words: &mut Words<'_>) -> Result<(), String> {
    while let Some(word) = words.next() {
        match word.as_str() {
            "run" | "create" => return Ok(()),
            flag if GLOBAL_FLAGS.contains(&flag) => drop(words.next()),
            flag if flag.starts_with('-') => {}
            "container" => {}
            _ => break,
        }
    }
    Err("the command line that made it is not known".to_owned())
}

fn is_called(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name)
        || arg
            .get_all_aliases()
            .is_some_and(|aliases| aliases.contains(&name))
}

/// Whether the value stands in the next word.
fn takes_word(arg: &Arg) -> bool {
    let takes = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    takes && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let Fresh { name, flags, rest } = read(&words).unwrap();
        format!("{name:?} {} | {}", flags.join(" "), rest.join(" "))
    }

    #[test]
    fn what_the_unit_says_itself_is_left_out() {
        for (line, want) in [
            (
                "ketch run -d --name web -e A=1 --net=none img sh -c -d",
                r#"Some("web") --env=A=1 --network=none | img sh -c -d"#,
            ),
            (
                "/x/podman --root /r container create -dit --rm --replace --restart always -eB=2 -uu img",
                "None --tty --env=B=2 --user=u | img",
            ),
            (
                "ketch --config=c run --rm=false --init=true --read-only --sig-proxy=false -- -odd x",
                "None --init=true --read-only | -odd x",
            ),
            (
                "ketch run -a stdout --cidfile f -v /a:/b -w /w --stop-timeout 3 img",
                "None --volume=/a:/b --workdir=/w --stop-timeout=3 | img",
            ),
        ] {
            assert_eq!(shown(line), want, "{line}");
        }
    }

    #[test]
    fn a_line_that_makes_nothing_is_refused() {
        for line in [
            "",
            "ketch",
            "ketch run",
            "ketch ps",
            "ketch run --no-such img",
            "ketch run -e",
            "ketch run -Q img",
            "ketch run --name",
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert!(read(&words).is_err(), "{line}");
        }
        assert!(read(&[]).is_err());
    }
}
