//! Platforms: `os/architecture[/variant]` and how one is chosen from an index.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::common::Error;

/// Where an image runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Platform {
    /// GOARCH spelling: `amd64`, `arm64`, `arm`, `386`, …
    #[serde(default)]
    pub(crate) architecture: String,
    /// GOOS spelling: `linux`.
    #[serde(default)]
    pub(crate) os: String,
    /// `v6`, `v7`, `v8`, `v2`, `v3`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
    /// OS version, used by Windows images only.
    #[serde(
        default,
        rename = "os.version",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) os_version: Option<String>,
    /// OS features.
    #[serde(
        default,
        rename = "os.features",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) os_features: Option<Vec<String>>,
}

impl Platform {
    /// The platform this executable was built for.
    pub(crate) fn host() -> Platform {
        let (architecture, variant) = normalize(std::env::consts::ARCH, None);
        Platform {
            architecture,
            os: "linux".to_owned(),
            variant,
            os_version: None,
            os_features: None,
        }
    }

    /// Whether an image made for `self` can be used where `wanted` was asked for: the same
    /// system and architecture, and the same variant where one is named. A wanted platform
    /// without a variant takes any; for 32-bit arm the best one is the caller's choice.
    pub(crate) fn satisfies(&self, wanted: &Platform) -> bool {
        let (own_arch, own_variant) = normalize(&self.architecture, self.variant.as_deref());
        let (arch, variant) = normalize(&wanted.architecture, wanted.variant.as_deref());
        let own_os = self.os.to_ascii_lowercase();
        (own_os == wanted.os || (own_os.is_empty() && wanted.os == "linux"))
            && own_arch == arch
            && (variant.is_none() || own_variant.is_none() || variant == own_variant)
    }
}

/// containerd's normalisation (platforms/database.go): aliases to GOARCH, default variants
/// dropped so that `arm64` and `arm64/v8` compare equal.
fn normalize(architecture: &str, variant: Option<&str>) -> (String, Option<String>) {
    let arch = architecture.to_ascii_lowercase();
    let variant = variant
        .map(str::to_ascii_lowercase)
        .filter(|v| !v.is_empty());
    let (arch, variant) = match arch.as_str() {
        "x86_64" | "x86-64" | "amd64" => ("amd64", variant.filter(|v| v != "v1")),
        "i386" | "i486" | "i586" | "i686" | "x86" | "386" => ("386", None),
        "aarch64" | "arm64" => ("arm64", variant.filter(|v| v != "8" && v != "v8")),
        "armhf" => ("arm", Some("v7".to_owned())),
        "armel" => ("arm", Some("v6".to_owned())),
        "arm" => (
            "arm",
            variant.map(|v| {
                if v.starts_with('v') {
                    v
                } else {
                    format!("v{v}")
                }
            }),
        ),
        "powerpc64" | "powerpc64le" | "ppc64le" => ("ppc64le", variant),
        "riscv64gc" | "riscv64" => ("riscv64", variant),
        other => return (other.to_owned(), variant),
    };
    (arch.to_owned(), variant)
}

impl FromStr for Platform {
    type Err = Error;

    /// Parses `os/arch[/variant]`, or `arch` alone for linux.
    fn from_str(text: &str) -> Result<Platform, Error> {
        let bad = |why: &str| {
            Error::usage("parse platform", format!("{text:?}"), why)
                .hint("use os/arch or os/arch/variant, for example linux/arm64")
        };
        let parts: Vec<&str> = text.split('/').collect();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if parts
            .iter()
            .any(|part| part.is_empty() || !part.chars().all(plain))
        {
            return Err(bad("an empty or odd part"));
        }
        let (os, arch, variant) = match parts.as_slice() {
            ["linux"] => ("linux", std::env::consts::ARCH, None),
            [arch] => ("linux", *arch, None),
            [os, arch] => (*os, *arch, None),
            [os, arch, variant] => (*os, *arch, Some(*variant)),
            _ => return Err(bad("too many parts")),
        };
        let (architecture, variant) = normalize(arch, variant);
        Ok(Platform {
            architecture,
            os: os.to_ascii_lowercase(),
            variant,
            os_version: None,
            os_features: None,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_and_default_variants_compare_equal() {
        let wanted: Platform = "linux/arm64".parse().unwrap();
        for text in ["linux/arm64/v8", "linux/aarch64", "arm64"] {
            assert!(
                text.parse::<Platform>().unwrap().satisfies(&wanted),
                "{text}"
            );
        }
        assert!(
            !"linux/amd64"
                .parse::<Platform>()
                .unwrap()
                .satisfies(&wanted)
        );
        assert!(
            !"windows/arm64"
                .parse::<Platform>()
                .unwrap()
                .satisfies(&wanted)
        );
    }

    #[test]
    fn bad_platforms_are_refused() {
        for text in ["", "/", "linux/", "a/b/c/d", "linux/a b"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
