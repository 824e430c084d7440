//! Process flags to the process group.

use crate::cli::args::ProcessArgs;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::voice::Voice;
use crate::common::{Error, Result};
use crate::settings::Environment;
use crate::spec::config::{EnvEntry, Process, Stdio, Systemd, UserNames};

use super::{Surroundings, read};

/// The process group of `args`; `words` are those after the image, `stop_signal` is checked.
pub(crate) fn process(
    args: &ProcessArgs,
    words: &[String],
    stop_signal: Option<&str>,
    around: &Surroundings<'_>,
) -> Result<Process> {
    if args.no_hostname && args.hostname.is_some() {
        let why = "--no-hostname and --hostname cannot be set together";
        return Err(Error::usage("run", "", why));
    }
    let keep_groups = args.group_add.iter().any(|group| group == "keep-groups");
    if keep_groups && args.group_add.iter().any(|group| group != "keep-groups") {
        let why = "keep-groups cannot be used with other groups";
        return Err(Error::usage("parse --group-add", "keep-groups", why));
    }
    if let Some(signal) = stop_signal {
        crate::sys::signal::parse(signal)?;
    }
    Ok(Process {
        args: words.to_vec(),
        entrypoint: args.entrypoint.as_deref().map(entrypoint).transpose()?,
        user: args.user.clone().filter(|user| !user.is_empty()),
        groups: args
            .group_add
            .iter()
            .flat_map(|groups| groups.split(','))
            .filter(|group| *group != "keep-groups")
            .map(str::to_owned)
            .collect(),
        keep_groups,
        workdir: match args.workdir.as_deref() {
            None | Some("") => None,
            Some(dir) => Some(parse::path::target("--workdir", dir)?),
        },
        workdir_is_there: around.personality == Personality::Podman,
        containerenv: (around.personality == Personality::Podman)
            .then(|| format!("podman-{}", Voice::Podman.release())),
        env: environment(args, around)?,
        hostname: match args.hostname.as_deref() {
            None | Some("") => None,
            Some(name) => Some(parse::host::hostname(name)?),
        },
        no_hostname: args.no_hostname,
        domainname: match args.domainname.as_deref() {
            None | Some("") => None,
            Some(name) => Some(parse::host::domainname(name)?),
        },
        systemd: match (args.systemd.as_deref(), around.personality) {
            (None, Personality::Podman) | (Some("true"), _) => Systemd::Detected,
            (None | Some("false"), _) => Systemd::Never,
            (Some("always"), _) => Systemd::Always,
            (Some(other), _) => {
                return Err(parse::bad("--systemd", other, "use true, false or always"));
            }
        },
        names: names(args, around.personality)?,
        stdio: Stdio {
            interactive: args.interactive,
            tty: args.tty,
        },
        init: args.init,
        stop_signal: stop_signal.map(str::to_owned),
        umask: args
            .umask
            .as_deref()
            .map(parse::number::umask)
            .transpose()?,
        timezone: args.tz.as_deref().map(timezone).transpose()?,
    })
}

/// podman completes the image's files unless it is told not to; docker never does.
fn names(args: &ProcessArgs, personality: Personality) -> Result<UserNames> {
    let lines = [
        ("--passwd-entry", &args.passwd_entry),
        ("--group-entry", &args.group_entry),
    ];
    for (flag, line) in lines {
        if let Some(line) = line
            && line.contains(['\n', '\0'])
        {
            return Err(parse::bad(flag, line, "more than one line"));
        }
    }
    let asked = lines.iter().any(|(_, line)| line.is_some());
    let default = (asked || personality == Personality::Podman).then_some(true);
    Ok(UserNames {
        complete: args.passwd.or(default),
        passwd_entry: args.passwd_entry.clone(),
        group_entry: args.group_entry.clone(),
        host_users: args.hostuser.clone(),
    })
}

/// docker takes one word; podman also a JSON list of words. An empty value clears it.
fn entrypoint(text: &str) -> Result<Vec<String>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.starts_with('[')
        && let Ok(words) = serde_json::from_str::<Vec<String>>(text)
    {
        return Ok(words);
    }
    if text.contains('\0') {
        return Err(parse::bad("--entrypoint", text, "a NUL byte"));
    }
    Ok(vec![text.to_owned()])
}

/// A zone's name as a path below zoneinfo, which may not leave it.
fn timezone(text: &str) -> Result<String> {
    let fits = |part: &str| {
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"_+-".contains(&c);
        !part.is_empty() && part.bytes().all(plain)
    };
    match text.split('/').all(fits) {
        true => Ok(text.to_owned()),
        false => Err(parse::bad(
            "--tz",
            text,
            "use an area such as Europe/Vienna, or local",
        )),
    }
}

/// The proxies a container is given before everything else in its environment: podman's are the
/// caller's, docker's those of its configuration file. Asked for in words, both are given.
///
/// # Errors
/// When docker's file does not parse.
pub(crate) fn proxies(
    asked: Option<bool>,
    personality: Personality,
    environment: &Environment,
) -> Result<Vec<EnvEntry>> {
    if asked == Some(false) {
        return Ok(Vec::new());
    }
    let mut pairs = Vec::new();
    if personality == Personality::Docker {
        pairs.extend(environment.docker_proxies()?);
    }
    if personality == Personality::Podman || asked == Some(true) {
        pairs.extend(environment.own_proxies());
    }
    let entry = |(key, value)| EnvEntry {
        key,
        value: Some(value),
    };
    Ok(pairs.into_iter().map(entry).collect())
}

/// Later entries win: the caller's whole environment, files, single values, removals.
pub(crate) fn environment(args: &ProcessArgs, around: &Surroundings<'_>) -> Result<Vec<EnvEntry>> {
    let mut env = Vec::new();
    if args.env_host {
        env.extend(
            around
                .caller
                .all()
                .into_iter()
                .map(|(key, value)| EnvEntry {
                    key,
                    value: Some(value),
                }),
        );
    }
    for path in &args.env_file {
        let bytes = read("read env file", path)?;
        let name = path.display().to_string();
        parse::env_file::parse(&name, &bytes, around.caller, &mut env)?;
    }
    for text in &args.env {
        parse::env::parse(text, around.caller, &mut env)?;
    }
    for key in &args.unsetenv {
        if key.is_empty() || key.contains(['=', '\0']) {
            return Err(parse::bad("--unsetenv", key, "not a variable's name"));
        }
        // podman: --unsetenv removes the image's variable, an explicit -e still sets it.
        if !env.iter().any(|entry| entry.key == *key) {
            env.push(EnvEntry {
                key: key.clone(),
                value: None,
            });
        }
    }
    Ok(env)
}
