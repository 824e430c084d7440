//! `-c`: instructions of a Dockerfile that change only an image's configuration.

use anyhow::Result;
use serde_json::json;

use crate::common::Error;
use crate::dockerfile::{self, Command, Instruction, Kind, Word};
use crate::oci::{ContainerConfig, Healthcheck};

/// Instructions that are taken.
const TAKEN: [&str; 11] = [
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
];

/// Applies one instruction.
///
/// # Errors
/// `Usage` for one that cannot be changed so, or is malformed.
pub(in crate::engine) fn apply(config: &mut ContainerConfig, line: &str) -> Result<()> {
    let line = line.trim();
    let bad = |why: String| Error::usage("apply change", line, why);
    let word = line.split(char::is_whitespace).next().unwrap_or_default();
    // podman also takes its old form `CMD=…`.
    let spaced = match word.split_once('=') {
        Some((key, _)) if is_taken(key) => line.replacen('=', " ", 1),
        _ => line.to_owned(),
    };
    let instruction = dockerfile::parse_change(&spaced).map_err(|error| bad(error.to_string()))?;
    let keyword = instruction.keyword.raw.to_ascii_uppercase();
    if !is_taken(&keyword) {
        return Err(bad(format!("{keyword} is not a valid change command")).into());
    }
    change(config, &instruction).map_err(|why| bad(why).into())
}

fn is_taken(keyword: &str) -> bool {
    TAKEN
        .iter()
        .any(|taken| taken.eq_ignore_ascii_case(keyword))
}

/// Makes the change, with variables from the configuration before it.
fn change(config: &mut ContainerConfig, instruction: &Instruction) -> Result<(), String> {
    let environment = config.env.clone();
    let lookup = |name: &str| {
        let mut entries = environment.iter().filter_map(|entry| entry.split_once('='));
        let found = entries.find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned())
    };
    let expand = |word: &Word| {
        dockerfile::expand(&word.raw, '\\', &lookup).map_err(|error| error.to_string())
    };
    let pair = |(name, value): &(Word, Word)| Ok((expand(name)?, expand(value)?));
    match &instruction.kind {
        Kind::Cmd(command) => config.cmd = Some(words(config, command)),
        Kind::Entrypoint(command) => config.entrypoint = Some(words(config, command)),
        Kind::Env(pairs) => {
            let pairs: Result<Vec<_>, String> = pairs.iter().map(pair).collect();
            for (key, value) in pairs? {
                set_env(&mut config.env, &key, &value);
            }
        }
        Kind::Label(pairs) => {
            let pairs: Result<Vec<_>, String> = pairs.iter().map(pair).collect();
            config.labels.extend(pairs?);
        }
        Kind::Expose(list) => {
            for word in list {
                let list = dockerfile::expand_words(&word.raw, '\\', &lookup)
                    .map_err(|error| error.to_string())?;
                for word in list {
                    let ports = dockerfile::ports(&word)?;
                    let ports = ports.into_iter().map(|port| (port, json!({})));
                    config.exposed_ports.extend(ports);
                }
            }
        }
        Kind::Volume(paths) => {
            for path in paths {
                match expand(path)? {
                    path if path.is_empty() => {
                        return Err("VOLUME specified can not be an empty string".to_owned());
                    }
                    path => config.volumes.insert(path, json!({})),
                };
            }
        }
        Kind::Onbuild(text) => config.on_build.push(text.clone()),
        Kind::Stopsignal(signal) => {
            let signal = expand(signal)?;
            crate::sys::signal::parse(&signal).map_err(|error| error.to_string())?;
            config.stop_signal = Some(signal);
        }
        Kind::User(user) => config.user = expand(user)?,
        Kind::Workdir(path) => {
            let path = expand(path)?;
            config.working_dir = match path.starts_with('/') {
                true => path,
                false => format!("{}/{path}", config.working_dir.trim_end_matches('/')),
            }
        }
        Kind::Healthcheck(check) => config.healthcheck = Some(health(check.as_ref())),
        Kind::Run(_)
        | Kind::Copy(_)
        | Kind::Add(_)
        | Kind::Arg(_)
        | Kind::Shell(_)
        | Kind::Maintainer(_) => return Err("is not a valid change command".to_owned()),
    }
    Ok(())
}

/// A command as words for exec. Nothing at all is no command, as podman has it.
fn words(config: &ContainerConfig, command: &Command) -> Vec<String> {
    let shell = config.shell.clone();
    let shell = shell.unwrap_or_else(|| ["/bin/sh", "-c"].map(str::to_owned).to_vec());
    match command {
        Command::Exec(words) => words.clone(),
        Command::Shell(line) if line.is_empty() => Vec::new(),
        Command::Shell(line) => [shell, vec![line.clone()]].concat(),
    }
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

/// A health check as an image's configuration has it.
fn health(check: Option<&dockerfile::Healthcheck>) -> Healthcheck {
    let Some(check) = check else {
        return Healthcheck {
            test: vec!["NONE".to_owned()],
            ..Healthcheck::default()
        };
    };
    let time = |time: Option<std::time::Duration>| {
        let nanoseconds = time.unwrap_or_default().as_nanos();
        i64::try_from(nanoseconds).unwrap_or(i64::MAX)
    };
    Healthcheck {
        test: match &check.command {
            Command::Exec(words) => [vec!["CMD".to_owned()], words.clone()].concat(),
            Command::Shell(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        },
        interval: time(check.interval),
        timeout: time(check.timeout),
        start_period: time(check.start_period),
        start_interval: time(check.start_interval),
        retries: check.retries.unwrap_or_default().into(),
    }
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
            "EXPOSE 80 53/UDP 7000-7001",
            "ENV P=$A-x",
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
            ["A=3", "B=2", "C=x y", "D=e f", "OLD=the old form", "P=3-x"]
        );
        assert_eq!(config.labels["k one"], "v");
        assert_eq!(config.labels["l"], "w x");
        let ports: Vec<_> = config.exposed_ports.keys().collect();
        assert_eq!(ports, ["53/udp", "7000/tcp", "7001/tcp", "80/tcp"]);
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
