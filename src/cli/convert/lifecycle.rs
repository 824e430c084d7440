//! Lifecycle flags to the lifecycle group.

use std::path::Path;

use crate::cli::args::LifecycleArgs;
use crate::cli::parse::{self, bad};
use crate::cli::personality::Personality;
use crate::common::Result;
use crate::spec::config::{Lifecycle, LogDriver, Logging, Notify};

/// The lifecycle group of `args`; files are taken from `cwd`.
pub(crate) fn lifecycle(
    args: &LifecycleArgs,
    personality: Personality,
    cwd: &Path,
) -> Result<Lifecycle> {
    let path = |text: &String| cwd.join(text).to_string_lossy().into_owned();
    Ok(Lifecycle {
        restart: parse::restart::parse(args.restart.as_deref().unwrap_or("no"))?,
        stop_timeout: match args.stop_timeout.as_deref() {
            None => None,
            Some(text) => Some(parse::number::within(
                "--stop-timeout",
                text,
                -1..=i64::from(i32::MAX),
            )?),
        },
        notify: notify(args.sdnotify.as_deref(), personality)?,
        log: logging(args, personality, cwd)?,
        pidfile: args.pidfile.as_ref().map(path),
        keeper_pidfile: args.conmon_pidfile.as_ref().map(path),
        ..Lifecycle::default()
    })
}

/// podman passes the socket on by itself; docker does not know it.
fn notify(text: Option<&str>, personality: Personality) -> Result<Notify> {
    match (text, personality) {
        (None, Personality::Podman) | (Some("container"), _) => Ok(Notify::Payload),
        (None | Some("ignore"), _) => Ok(Notify::Nobody),
        (Some("conmon"), _) => Ok(Notify::Ketch),
        (Some("healthy"), _) => Ok(Notify::Healthy),
        (Some(other), _) => Err(bad(
            "--sdnotify",
            other,
            "use container, conmon, healthy or ignore",
        )),
    }
}

fn logging(args: &LifecycleArgs, personality: Personality, cwd: &Path) -> Result<Logging> {
    let mut log = Logging {
        driver: match args.log_driver.as_deref() {
            None | Some("") => None,
            Some(name) => Some(driver(name)?),
        },
        ..Logging::default()
    };
    for option in &args.log_opt {
        let Some((key, value)) = option.split_once('=') else {
            return Err(bad("--log-opt", option, "use KEY=VALUE"));
        };
        match key {
            "max-size" if value == "-1" => log.max_size = None,
            "max-size" => {
                // docker counts in powers of 1024, podman of 1000.
                let read = match personality {
                    Personality::Docker => parse::number::size,
                    Personality::Podman => parse::number::decimal_size,
                };
                log.max_size = Some(read("--log-opt max-size", value)?);
            }
            "max-file" => {
                let most = i64::from(u16::MAX);
                let files = parse::number::within("--log-opt max-file", value, 1..=most)?;
                log.max_files = u32::try_from(files).ok();
            }
            "path" => log.path = Some(cwd.join(value).to_string_lossy().into_owned()),
            "tag" | "labels" | "env" => {
                log.options.insert(key.to_owned(), value.to_owned());
            }
            // Rotated files are few and small; docker's own default.
            "mode" if value == "blocking" => {}
            "compress" if value == "false" => {}
            _ => {
                let why = "unknown log opt: use max-size, max-file, path, tag, labels or env";
                return Err(bad("--log-opt", option, why));
            }
        }
    }
    let rotates = log.driver.is_none_or(LogDriver::is_file);
    if !rotates && (log.max_size.is_some() || log.max_files.is_some() || log.path.is_some()) {
        let why = "max-size, max-file and path are for json-file and k8s-file";
        return Err(bad("--log-opt", &args.log_opt.join(","), why));
    }
    if log.max_files.is_some_and(|files| files > 1) && log.max_size.is_none() {
        // docker: "max-file cannot be greater than 1 when max-size is not set".
        let why = "max-file cannot be greater than 1 when max-size is not set";
        return Err(bad("--log-opt", &args.log_opt.join(","), why));
    }
    Ok(log)
}

fn driver(name: &str) -> Result<LogDriver> {
    match name {
        "json-file" => Ok(LogDriver::JsonFile),
        "k8s-file" => Ok(LogDriver::K8sFile),
        "journald" => Ok(LogDriver::Journald),
        "passthrough" => Ok(LogDriver::Passthrough),
        "none" => Ok(LogDriver::None),
        _ => Err(bad(
            "--log-driver",
            name,
            "use json-file, k8s-file, journald, passthrough or none",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(driver: Option<&str>, options: &[&str]) -> Result<Logging> {
        let args = LifecycleArgs {
            log_driver: driver.map(str::to_owned),
            log_opt: options.iter().map(|option| (*option).to_owned()).collect(),
            ..LifecycleArgs::default()
        };
        lifecycle(&args, Personality::Docker, Path::new("/w")).map(|lifecycle| lifecycle.log)
    }

    #[test]
    fn log_options_are_read_and_strangers_refused() {
        let log = parsed(
            Some("json-file"),
            &["max-size=10m", "max-file=3", "path=x", "tag={{.Name}}"],
        )
        .unwrap();
        assert_eq!((log.max_size, log.max_files), (Some(10 << 20), Some(3)));
        assert_eq!(log.path.as_deref(), Some("/w/x"));
        assert_eq!(log.options["tag"], "{{.Name}}");
        assert_eq!(parsed(None, &[]).unwrap(), Logging::default());
        for (driver, options) in [
            (Some("syslog"), &[][..]),
            (None, &["max-size"][..]),
            (None, &["max-size=many"][..]),
            (None, &["max-file=0"][..]),
            (None, &["max-file=2"][..]),
            (None, &["fluentd-address=x"][..]),
            (Some("none"), &["max-size=1m"][..]),
        ] {
            assert!(parsed(driver, options).is_err(), "{driver:?} {options:?}");
        }
    }
}
