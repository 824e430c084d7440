//! `--ulimit NAME=SOFT[:HARD]`.

use crate::common::Result;
use crate::spec::config::Ulimit;

use super::bad;

const FLAG: &str = "--ulimit";

const NAMES: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Parses one value; podman's `host` (keep the caller's limits) gives `None`, for that is what
/// happens to every limit that is not named.
pub(crate) fn parse(text: &str) -> Result<Option<Ulimit>> {
    if text == "host" {
        return Ok(None);
    }
    let (name, limits) = text
        .split_once('=')
        .ok_or_else(|| bad(FLAG, text, "use NAME=SOFT[:HARD]"))?;
    let name = name.trim().to_ascii_lowercase();
    if !NAMES.contains(&name.as_str()) {
        return Err(bad(FLAG, text, "no such limit").hint(format!("one of {}", NAMES.join(", "))));
    }
    let (soft, hard) = match limits.split_once(':') {
        Some((soft, hard)) => (limit(text, soft)?, limit(text, hard)?),
        None => (limit(text, limits)?, limit(text, limits)?),
    };
    let above = match (soft, hard) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(soft), Some(hard)) => soft > hard,
    };
    if above {
        return Err(bad(FLAG, text, "the soft limit is above the hard one"));
    }
    Ok(Some(Ulimit { name, soft, hard }))
}

fn limit(text: &str, value: &str) -> Result<Option<u64>> {
    match value {
        "-1" | "unlimited" => Ok(None),
        value => value
            .parse()
            .map(Some)
            .map_err(|_| bad(FLAG, text, "a limit is a number, or -1 for unlimited")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad_limits() {
        for (text, soft, hard) in [
            ("nofile=1024", Some(1024), Some(1024)),
            ("NOFILE=1:2", Some(1), Some(2)),
            ("core=-1", None, None),
            ("core=0:-1", Some(0), None),
        ] {
            let limit = parse(text).unwrap().unwrap();
            assert_eq!((limit.soft, limit.hard), (soft, hard), "{text}");
        }
        assert_eq!(parse("host").unwrap(), None);
        for text in [
            "",
            "nofile",
            "nope=1",
            "nofile=",
            "nofile=2:1",
            "nofile=-1:5",
            "nofile=1:2:3",
            "nofile=x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
