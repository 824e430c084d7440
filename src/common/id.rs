//! Container identifiers and names.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::error::{Error, Kind, Result};
use super::hex;

/// A container's 64 lower-case hex characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ContainerId(String);

impl ContainerId {
    /// Makes an id from 32 random bytes.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> ContainerId {
        ContainerId(hex::encode(&bytes))
    }

    /// The whole id.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in 43 characters (base64url, RFC 4648 section 5): as the text of a symbolic link it
    /// lies in the link's inode, which holds 59 on ext4; 64 would take a block of the disk.
    pub(crate) fn packed(&self) -> String {
        let bytes = hex::decode(&self.0);
        bytes.map_or_else(|| self.0.clone(), |bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The whole id that [`packed`](ContainerId::packed) wrote; any other text as it is.
    pub(crate) fn unpacked(text: &str) -> String {
        match URL_SAFE_NO_PAD.decode(text).map(<[u8; 32]>::try_from) {
            Ok(Ok(bytes)) => ContainerId::from_bytes(bytes).0,
            _ => text.to_owned(),
        }
    }

    /// The first 12 characters, as lists and the default hostname show them.
    pub(crate) fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl FromStr for ContainerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<ContainerId> {
        if hex::decode(text).is_some() {
            return Ok(ContainerId(text.to_owned()));
        }
        Err(Error::usage(
            "parse container id",
            text,
            "not 64 lower-case hex characters",
        ))
    }
}

impl TryFrom<String> for ContainerId {
    type Error = Error;

    fn try_from(text: String) -> Result<ContainerId> {
        text.parse()
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> String {
        id.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a container without the slash that docker lets stand before it, as its `inspect`
/// shows it.
pub(crate) fn bare_name(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

/// Checks a container, volume or network name against docker's grammar
/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, at most 255 characters so that it fits a file name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let first = |c: u8| c.is_ascii_alphanumeric();
    let rest = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
    let bytes = name.as_bytes();
    if bytes.len() < 2 || bytes.len() > 255 || !first(bytes[0]) || !bytes.iter().all(|c| rest(*c)) {
        return Err(Error::new(Kind::Usage, "use name", format!("{name:?}"))
            .because("only [a-zA-Z0-9][a-zA-Z0-9_.-]+ is allowed".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_dockers_grammar() {
        for good in ["ab", "web.1", "A_b-c"] {
            check_name(good).unwrap();
        }
        for bad in ["", "a", ".a", "-a", "a/b", "a b", "é1", &"a".repeat(256)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_64_lower_case_hex() {
        let id = ContainerId::from_bytes([0xab; 32]);
        assert_eq!(id.as_str().len(), 64);
        assert_eq!(id.short(), "abababababab");
        assert!("xyz".parse::<ContainerId>().is_err());
    }

    #[test]
    fn an_id_packed_fits_an_inode_and_comes_back() {
        let bytes: Vec<u8> = (0..32).map(|n| n * 8 + 3).collect();
        let id = ContainerId::from_bytes(bytes.try_into().unwrap());
        assert!(id.packed().len() < 60, "{}", id.packed());
        assert_eq!(ContainerId::unpacked(&id.packed()), id.as_str());
        assert_eq!(ContainerId::unpacked(id.as_str()), id.as_str());
        assert_eq!(ContainerId::unpacked("somewhere/else"), "somewhere/else");
    }
}
