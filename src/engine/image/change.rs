//! `-c`: instructions of a Dockerfile that change only an image's configuration.

use anyhow::Result;
use serde_json::json;

use crate::common::{Error, parse_duration};
use crate::oci::{ContainerConfig, Healthcheck};

/// Applies one instruction.
///
/// # Errors
/// `Usage` for one that cannot be changed so, or is malformed.
pub(in crate::engine) fn apply(config: &mut ContainerConfig, line: &str) -> Result<()> {
    let line = line.trim();
    let bad = |why: &str| Error::usage("apply change", line, why);
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    // docker also takes `CMD=…` (podman's old form `KEY=value`).
    let (word, rest) = match (word.split_once('='), rest) {
        (Some((key, value)), rest) if known(key) => (key, format!("{value} {rest}")),
        _ => (word, rest.to_owned()),
    };
    let rest = rest.trim();
    if rest.is_empty() && known(word) && !word.eq_ignore_ascii_case("CMD") {
        return Err(bad(&format!(
            "{} requires an argument",
            word.to_ascii_uppercase()
        ))
        .into());
    }
    match word.to_ascii_uppercase().as_str() {
        "CMD" => config.cmd = Some(command(rest)),
        "ENTRYPOINT" => config.entrypoint = Some(command(rest)),
        "ENV" => {
            for (key, value) in pairs(rest).ok_or_else(|| bad("ENV must have two arguments"))? {
                set_env(&mut config.env, &key, &value);
            }
        }
        "LABEL" => {
            let pairs = pairs(rest).ok_or_else(|| bad("LABEL must have two arguments"))?;
            config.labels.extend(pairs);
        }
        "EXPOSE" => {
            for port in words(rest).ok_or_else(|| bad("an open quote"))? {
                config.exposed_ports.insert(
                    exposed(&port).ok_or_else(|| bad("invalid port"))?,
                    json!({}),
                );
            }
        }
        "VOLUME" => {
            let listed = exec_form(rest).or_else(|| words(rest));
            for path in listed.ok_or_else(|| bad("an open quote"))? {
                if path.is_empty() {
                    return Err(bad("VOLUME specified can not be an empty string").into());
                }
                config.volumes.insert(path, json!({}));
            }
        }
        "ONBUILD" => config.on_build.push(rest.to_owned()),
        "STOPSIGNAL" => {
            crate::sys::signal::parse(rest)?;
            config.stop_signal = Some(rest.to_owned());
        }
        "USER" => config.user = rest.to_owned(),
        "WORKDIR" => {
            config.working_dir = match rest.strip_prefix('/') {
                Some(_) => rest.to_owned(),
                None => format!("{}/{rest}", config.working_dir.trim_end_matches('/')),
            }
        }
        "HEALTHCHECK" => {
            config.healthcheck = Some(health(rest).ok_or_else(|| bad("malformed health check"))?);
        }
        other => return Err(bad(&format!("{other} is not a valid change command")).into()),
    }
    Ok(())
}

fn known(word: &str) -> bool {
    [
        "CMD",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "LABEL",
        "ONBUILD",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(word))
}

/// A JSON list of words; `None` for anything else, which is then a line for the shell.
fn exec_form(text: &str) -> Option<Vec<String>> {
    text.starts_with('[')
        .then(|| serde_json::from_str(text).ok())?
}

fn command(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    exec_form(text).unwrap_or_else(|| ["/bin/sh", "-c", text].map(str::to_owned).to_vec())
}

/// Words between blanks; quotes and backslashes keep blanks. `None` for an open quote.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', Some('\'')) => word.get_or_insert_default().push(letter),
            ('\\', _) => word.get_or_insert_default().extend(letters.next()),
            (_, Some(end)) if letter == end => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(letter),
            ('"' | '\'', None) => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            (_, None) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// `k=v …`, or the old form `k the rest`.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let found = words(text)?;
    if found.iter().all(|word| word.contains('=')) {
        let split = |word: &String| {
            let (key, value) = word.split_once('=')?;
            (!key.is_empty()).then(|| (key.to_owned(), value.to_owned()))
        };
        return found.iter().map(split).collect();
    }
    let (key, value) = text.split_once(char::is_whitespace)?;
    (!key.contains('=')).then(|| vec![(key.to_owned(), value.trim().to_owned())])
}

/// Sets one variable in its old place, else at the end.
pub(in crate::engine) fn set_env(env: &mut Vec<String>, key: &str, value: &str) {
    let entry = format!("{key}={value}");
    let old = env
        .iter_mut()
        .find(|old| old.split('=').next() == Some(key));
    match old {
        Some(old) => *old = entry,
        None => env.push(entry),
    }
}

/// `80` and `80/UDP` as `80/tcp` and `80/udp`; a range stays one.
fn exposed(text: &str) -> Option<String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let number = |text: &str| text.parse::<u16>().ok();
    let fits = number(first)? <= number(last)?;
    (fits && matches!(protocol.as_str(), "tcp" | "udp" | "sctp"))
        .then(|| format!("{ports}/{protocol}"))
}

/// `[--interval=… …] CMD …`, or `NONE`.
fn health(text: &str) -> Option<Healthcheck> {
    let mut check = Healthcheck::default();
    let mut rest = text.trim();
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, behind) = flag.split_once(char::is_whitespace)?;
        let (name, value) = flag.split_once('=')?;
        let time = || i64::try_from(parse_duration(value).ok()?.as_nanos()).ok();
        match name {
            "interval" => check.interval = time()?,
            "timeout" => check.timeout = time()?,
            "start-period" => check.start_period = time()?,
            "start-interval" => check.start_interval = time()?,
            "retries" => check.retries = value.parse().ok().filter(|count| *count >= 0)?,
            _ => return None,
        }
        rest = behind.trim_start();
    }
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    check.test = match (word.to_ascii_uppercase().as_str(), rest.trim()) {
        ("NONE", "") => vec!["NONE".to_owned()],
        ("CMD", rest) if !rest.is_empty() => match exec_form(rest) {
            Some(words) => [vec!["CMD".to_owned()], words].concat(),
            None => vec!["CMD-SHELL".to_owned(), rest.to_owned()],
        },
        _ => return None,
    };
    Some(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(lines: &[&str]) -> ContainerConfig {
        let mut config = ContainerConfig {
            env: vec!["A=1".to_owned(), "B=2".to_owned()],
            working_dir: "/srv".to_owned(),
            ..ContainerConfig::default()
        };
        for line in lines {
            apply(&mut config, line).unwrap();
        }
        config
    }

    #[test]
    fn instructions_change_their_field() {
        let config = changed(&[
            "CMD [\"a\", \"b c\"]",
            "ENTRYPOINT run it",
            "ENV A=3 C=\"x y\" D=e\\ f",
            "ENV OLD the old form",
            "LABEL \"k one\"=v l='w x'",
            "EXPOSE 80 53/UDP 7000-7010",
            "VOLUME [\"/v\"]",
            "VOLUME /w /x",
            "WORKDIR sub",
            "USER u:g",
            "STOPSIGNAL SIGQUIT",
            "onbuild RUN x",
            "HEALTHCHECK --interval=5s --retries=2 CMD curl -f localhost",
        ]);
        assert_eq!(config.cmd.unwrap(), ["a", "b c"]);
        assert_eq!(config.entrypoint.unwrap(), ["/bin/sh", "-c", "run it"]);
        assert_eq!(
            config.env,
            ["A=3", "B=2", "C=x y", "D=e f", "OLD=the old form"]
        );
        assert_eq!(config.labels["k one"], "v");
        assert_eq!(config.labels["l"], "w x");
        let ports: Vec<_> = config.exposed_ports.keys().collect();
        assert_eq!(ports, ["53/udp", "7000-7010/tcp", "80/tcp"]);
        assert_eq!(config.volumes["/v"], json!({}));
        assert!(config.volumes.contains_key("/w") && config.volumes.contains_key("/x"));
        assert_eq!(config.working_dir, "/srv/sub");
        assert_eq!(config.user, "u:g");
        assert_eq!(config.stop_signal.as_deref(), Some("SIGQUIT"));
        assert_eq!(config.on_build, ["RUN x"]);
        let check = config.healthcheck.unwrap();
        assert_eq!(check.test, ["CMD-SHELL", "curl -f localhost"]);
        assert_eq!((check.interval, check.retries), (5_000_000_000, 2));
        assert_eq!(changed(&["CMD"]).cmd.unwrap(), [""; 0]);
        assert_eq!(
            changed(&["HEALTHCHECK NONE"]).healthcheck.unwrap().test,
            ["NONE"]
        );
        assert_eq!(
            changed(&["CMD=/bin/x y"]).cmd.unwrap(),
            ["/bin/sh", "-c", "/bin/x y"]
        );
    }

    #[test]
    fn malformed_changes_are_refused() {
        for line in [
            "",
            "RUN x",
            "FROM x",
            "ENV",
            "ENV A",
            "ENV =x",
            "LABEL \"open",
            "EXPOSE x",
            "EXPOSE 70000",
            "EXPOSE 9-8",
            "STOPSIGNAL none",
            "HEALTHCHECK CMD",
            "HEALTHCHECK --interval=x CMD y",
            "HEALTHCHECK --other=1 CMD y",
        ] {
            assert!(
                apply(&mut ContainerConfig::default(), line).is_err(),
                "{line}"
            );
        }
    }
}
