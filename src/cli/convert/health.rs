//! Health flags to the health part of the lifecycle group.

use std::path::Path;
use std::time::Duration;

use crate::cli::args::HealthArgs;
use crate::cli::parse::{bad, number};
use crate::cli::personality::Personality;
use crate::common::{Error, Result, parse_duration};
use crate::oci::Healthcheck;
use crate::spec::config::{Health, HealthLog, HealthLogPlace, OnUnhealthy, Startup};

/// The shortest time docker takes; 0 is the default.
const SHORTEST: Duration = Duration::from_millis(1);

/// The time between two checks of a container that has none of its own: a hundred years.
const NEVER: i64 = 100 * 365 * 86_400 * 1_000_000_000;

/// The changes that `args` make to an image's check.
///
/// # Errors
/// Bad values; `--no-healthcheck` beside another flag of these.
pub(crate) fn health(args: &HealthArgs, personality: Personality, cwd: &Path) -> Result<Health> {
    let check = Healthcheck {
        test: test(args.health_cmd.as_deref().unwrap_or(""), personality),
        interval: match (args.health_interval.as_deref(), personality) {
            // Only `healthcheck run` checks.
            (Some("disable"), Personality::Podman) => NEVER,
            _ => duration("--health-interval", &args.health_interval)?,
        },
        timeout: duration("--health-timeout", &args.health_timeout)?,
        start_period: duration("--health-start-period", &args.health_start_period)?,
        start_interval: duration("--health-start-interval", &args.health_start_interval)?,
        retries: match &args.health_retries {
            Some(text) => number::within("--health-retries", text, 0..=i64::from(i32::MAX))?,
            None => 0,
        },
    };
    let startup = startup(args, personality)?;
    if args.no_healthcheck && (check != Healthcheck::default() || !startup.is_none()) {
        let why = "conflicts with --health-* options";
        return Err(Error::usage("use --no-healthcheck", "", why));
    }
    Ok(Health {
        disabled: args.no_healthcheck,
        check,
        startup,
        log: log(args, cwd)?,
        on_unhealthy: match args.health_on_failure.as_deref() {
            None | Some("" | "none") => OnUnhealthy::None,
            Some("kill") => OnUnhealthy::Kill,
            Some("restart") => OnUnhealthy::Restart,
            Some("stop") => OnUnhealthy::Stop,
            Some(other) => {
                let why = "use none, kill, restart or stop";
                return Err(bad("--health-on-failure", other, why));
            }
        },
    })
}

fn startup(args: &HealthArgs, personality: Personality) -> Result<Startup> {
    let count = |flag: &str, text: &Option<String>| match text {
        Some(text) => number::within(flag, text, 0..=i64::from(i32::MAX)),
        None => Ok(0),
    };
    let successes = count("--health-startup-success", &args.health_startup_success)?;
    let found = Startup {
        check: Healthcheck {
            test: test(
                args.health_startup_cmd.as_deref().unwrap_or(""),
                personality,
            ),
            interval: duration("--health-startup-interval", &args.health_startup_interval)?,
            timeout: duration("--health-startup-timeout", &args.health_startup_timeout)?,
            retries: count("--health-startup-retries", &args.health_startup_retries)?,
            ..Healthcheck::default()
        },
        successes: u32::try_from(successes).unwrap_or(u32::MAX),
    };
    Ok(found)
}

fn log(args: &HealthArgs, cwd: &Path) -> Result<HealthLog> {
    let bounded = |flag: &str, text: &Option<String>, most: i64| -> Result<Option<u32>> {
        let number = text
            .as_deref()
            .map(|text| number::within(flag, text, 0..=most));
        Ok(number
            .transpose()?
            .and_then(|number| u32::try_from(number).ok()))
    };
    let destination = match args.health_log_destination.as_deref() {
        None => None,
        Some("" | "local") => Some(HealthLogPlace::Local),
        Some("events_logger") => Some(HealthLogPlace::Events),
        Some(path) => {
            let path = cwd.join(path);
            if !path.is_dir() {
                let why = "use local, events_logger or a directory that exists";
                return Err(bad(
                    "--health-log-destination",
                    &path.to_string_lossy(),
                    why,
                ));
            }
            Some(HealthLogPlace::Directory(
                path.to_string_lossy().into_owned(),
            ))
        }
    };
    Ok(HealthLog {
        destination,
        count: bounded("--health-max-log-count", &args.health_max_log_count, 1000)?,
        size: bounded("--health-max-log-size", &args.health_max_log_size, 64 << 10)?,
    })
}

/// docker takes a line for the shell; podman also a JSON list of words, and `none`.
fn test(text: &str, personality: Personality) -> Vec<String> {
    let podman = personality == Personality::Podman;
    match text {
        "" => Vec::new(),
        "none" if podman => vec!["NONE".to_owned()],
        _ => {
            if podman && let Ok(words) = serde_json::from_str::<Vec<String>>(text) {
                return match words.first().map(String::as_str) {
                    Some("CMD" | "CMD-SHELL" | "NONE") | None => words,
                    Some(_) => std::iter::once("CMD".to_owned()).chain(words).collect(),
                };
            }
            vec!["CMD-SHELL".to_owned(), text.to_owned()]
        }
    }
}

fn duration(flag: &str, text: &Option<String>) -> Result<i64> {
    let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(0);
    };
    if text.starts_with('-') {
        return Err(bad(flag, text, "it cannot be negative"));
    }
    let found =
        parse_duration(text).map_err(|_| bad(flag, text, "use a form like 1m30s or 500ms"))?;
    if !found.is_zero() && found < SHORTEST {
        return Err(bad(flag, text, "it cannot be less than 1ms"));
    }
    i64::try_from(found.as_nanos()).map_err(|_| bad(flag, text, "too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(cmd: &str) -> HealthArgs {
        HealthArgs {
            health_cmd: Some(cmd.to_owned()),
            ..HealthArgs::default()
        }
    }

    #[test]
    fn tests_have_the_personalitys_forms() {
        let docker = |text: &str| {
            health(&args(text), Personality::Docker, Path::new("/"))
                .unwrap()
                .check
                .test
        };
        let podman = |text: &str| {
            health(&args(text), Personality::Podman, Path::new("/"))
                .unwrap()
                .check
                .test
        };
        assert_eq!(
            docker("curl x || exit 1"),
            ["CMD-SHELL", "curl x || exit 1"]
        );
        assert_eq!(docker(r#"["a"]"#), ["CMD-SHELL", r#"["a"]"#]);
        assert_eq!(podman(r#"["a", "b"]"#), ["CMD", "a", "b"]);
        assert_eq!(podman(r#"["CMD", "b"]"#), ["CMD", "b"]);
        assert_eq!(podman("none"), ["NONE"]);
        assert!(docker("").is_empty());
    }

    #[test]
    fn times_are_checked() {
        let with = |text: &str| {
            let args = HealthArgs {
                health_interval: Some(text.to_owned()),
                ..HealthArgs::default()
            };
            health(&args, Personality::Docker, Path::new("/")).map(|health| health.check.interval)
        };
        assert_eq!(with("1m30s").unwrap(), 90_000_000_000);
        assert_eq!(with("0").unwrap(), 0);
        for text in ["-1s", "10", "1us", "x"] {
            assert!(with(text).is_err(), "{text}");
        }
        let both = HealthArgs {
            no_healthcheck: true,
            ..args("x")
        };
        assert!(health(&both, Personality::Docker, Path::new("/")).is_err());
    }
}
