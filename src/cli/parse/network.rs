//! `--network`.

use crate::common::{Error, Kind, Result};
use crate::spec::config::NetworkMode;

use super::bad;

const FLAG: &str = "--network";

/// Parses the mode. docker's and podman's names for "one of its own, connected" all mean the same.
pub(crate) fn parse(text: &str) -> Result<NetworkMode> {
    match text {
        "none" => Ok(NetworkMode::None),
        "host" => Ok(NetworkMode::Host),
        "" | "default" => Ok(NetworkMode::Default),
        "private" | "bridge" | "pasta" | "slirp4netns" => Ok(NetworkMode::Private),
        _ if text.starts_with("container:") || text.starts_with("ns:") => Err(bad(
            FLAG,
            text,
            "sharing another network is not available yet",
        )),
        _ => Err(
            Error::new(Kind::NotFound, "use network", format!("{text:?}"))
                .because(
                    "named networks come with `network create`, which is not available yet"
                        .to_owned(),
                )
                .hint("use --network none or host"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_names() {
        for (text, want) in [
            ("none", NetworkMode::None),
            ("host", NetworkMode::Host),
            ("bridge", NetworkMode::Private),
            ("pasta", NetworkMode::Private),
        ] {
            assert_eq!(parse(text).unwrap(), want);
        }
        assert_eq!(parse("backend").unwrap_err().kind(), Kind::NotFound);
        assert!(parse("container:x").is_err());
    }
}
