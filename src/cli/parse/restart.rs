//! `--restart`.

use super::bad;
use crate::common::Result;
use crate::spec::config::RestartPolicy;

/// Reads docker's policies; podman's `on-failure:N` is the same.
pub(crate) fn parse(text: &str) -> Result<RestartPolicy> {
    let refused = |why| Err(bad("--restart", text, why));
    let (name, max) = match text.split_once(':') {
        Some((name, max)) => (name, Some(max)),
        None => (text, None),
    };
    let policy = match name {
        "" | "no" => RestartPolicy::No,
        "always" => RestartPolicy::Always,
        "unless-stopped" => RestartPolicy::UnlessStopped,
        "on-failure" => {
            let max = match max {
                None => 0,
                Some(max) => match max.parse() {
                    Ok(max) => max,
                    Err(_) => return refused("maximum retry count must be a number"),
                },
            };
            return Ok(RestartPolicy::OnFailure { max });
        }
        _ => return refused("use no, on-failure[:MAX], always or unless-stopped"),
    };
    match max {
        // docker accepts `no:0` and the like, and nothing more.
        None | Some("0" | "") => Ok(policy),
        Some(_) => refused("maximum retry count can only be used with 'on-failure'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_dockers() {
        for (text, want) in [
            ("no", RestartPolicy::No),
            ("always", RestartPolicy::Always),
            ("unless-stopped", RestartPolicy::UnlessStopped),
            ("on-failure", RestartPolicy::OnFailure { max: 0 }),
            ("on-failure:3", RestartPolicy::OnFailure { max: 3 }),
        ] {
            assert_eq!(parse(text).unwrap(), want, "{text}");
        }
        for text in ["sometimes", "on-failure:x", "on-failure:-1", "always:3"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
