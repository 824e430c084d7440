//! Profile documents: docker's JSON form, of which the OCI runtime spec's is a subset.

use serde::Deserialize;

use super::arch::Arch;
use crate::common::{Error, Kind, Result};

/// docker's default profile (moby/profiles, 2026-05), for the architectures ketch runs on,
/// with two holes closed: an address family with high bits set, and `socketcall(SYS_SOCKET)`,
/// both of which reach AF_ALG through moby's own. The second costs 32-bit programs of an old
/// libc their sockets, which moby found too dear and ketch, without an LSM to fall back on,
/// does not.
pub(crate) const DEFAULT: &str = include_str!("default.json");

/// A profile as written; unknown fields are ignored as docker ignores them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    /// What happens to calls that no rule names.
    pub(crate) default_action: String,
    /// errno of `defaultAction` when that is SCMP_ACT_ERRNO or SCMP_ACT_TRACE.
    pub(crate) default_errno_ret: Option<u32>,
    /// Which architectures come with a native one (docker).
    #[serde(default, deserialize_with = "or_default")]
    arch_map: Vec<ArchMap>,
    /// Flat list of architectures (OCI, old docker).
    #[serde(default, deserialize_with = "or_default")]
    architectures: Vec<String>,
    /// The rules.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) syscalls: Vec<Rule>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: String,
    #[serde(default, deserialize_with = "or_default")]
    sub_architectures: Vec<String>,
}

/// One rule: some calls, one action, perhaps conditions on arguments.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule {
    /// Calls by name.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) names: Vec<String>,
    /// One call by name, docker's form before 2017.
    name: Option<String>,
    /// `SCMP_ACT_…`.
    pub(crate) action: String,
    /// errno for SCMP_ACT_ERRNO and SCMP_ACT_TRACE.
    pub(crate) errno_ret: Option<u32>,
    /// Conditions on arguments.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) args: Vec<Arg>,
    /// The rule holds only when all of these do.
    #[serde(default, deserialize_with = "or_default")]
    includes: Filter,
    /// The rule is dropped when one of these holds.
    #[serde(default, deserialize_with = "or_default")]
    excludes: Filter,
}

/// A condition on one argument.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Arg {
    /// Which argument, 0 to 5.
    pub(crate) index: u32,
    /// Operand; the mask for SCMP_CMP_MASKED_EQ.
    pub(crate) value: u64,
    /// What the masked argument must equal.
    #[serde(default)]
    pub(crate) value_two: u64,
    /// `SCMP_CMP_…`.
    pub(crate) op: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default, deserialize_with = "or_default")]
    caps: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    arches: Vec<String>,
    min_kernel: Option<String>,
}

/// What a rule's `includes` and `excludes` are held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Architecture of the machine.
    pub(crate) native: Arch,
    /// Major and minor version of the running kernel.
    pub(crate) kernel: (u32, u32),
    /// Capabilities of the container, `CAP_…`.
    pub(crate) caps: &'a [&'a str],
}

/// Go writes an empty list as `null`.
fn or_default<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Profile {
    /// Parses a document.
    pub(crate) fn parse(text: &str) -> Result<Profile> {
        serde_json::from_str(text)
            .map_err(|error| Error::new(Kind::Usage, "parse seccomp profile", "").because(error))
    }

    /// The architectures a filter allows on a `native` machine: itself always (as libseccomp's
    /// fresh filter has it), then what the profile adds.
    pub(crate) fn arches(&self, native: Arch) -> Vec<Arch> {
        let mapped = self
            .arch_map
            .iter()
            .filter(|map| Arch::of_token(&map.architecture) == Some(native))
            .flat_map(|map| &map.sub_architectures);
        let mut arches = vec![native];
        for token in mapped.chain(&self.architectures) {
            match Arch::of_token(token) {
                Some(arch) if !arches.contains(&arch) => arches.push(arch),
                _ => {}
            }
        }
        arches
    }

    /// The rules that hold in `context`, in the order of the document.
    pub(crate) fn rules<'a>(
        &'a self,
        context: &Context<'_>,
    ) -> Result<Vec<(&'a Rule, Vec<&'a str>)>> {
        let mut held = Vec::with_capacity(self.syscalls.len());
        for rule in &self.syscalls {
            if rule.holds(context)? {
                let names = rule.names.iter().chain(&rule.name);
                held.push((rule, names.map(String::as_str).collect()));
            }
        }
        Ok(held)
    }
}

impl Rule {
    /// moby: every part of `includes` must hold, and no part of `excludes`.
    fn holds(&self, context: &Context<'_>) -> Result<bool> {
        let has = |cap: &String| context.caps.contains(&cap.as_str());
        let native = |arch: &String| arch == context.native.go_name();
        let (includes, excludes) = (&self.includes, &self.excludes);
        if excludes.caps.iter().any(has) || excludes.arches.iter().any(native) {
            return Ok(false);
        }
        if let Some(version) = &excludes.min_kernel
            && context.kernel >= parse_version(version)?
        {
            return Ok(false);
        }
        if !includes.arches.is_empty() && !includes.arches.iter().any(native) {
            return Ok(false);
        }
        if let Some(version) = &includes.min_kernel
            && context.kernel < parse_version(version)?
        {
            return Ok(false);
        }
        Ok(includes.caps.iter().all(has))
    }
}

/// Major and minor of `6.18.44-anything`.
pub(crate) fn parse_version(text: &str) -> Result<(u32, u32)> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    let mut next = || parts.next().and_then(|part| part.parse().ok());
    match (next(), next()) {
        (Some(major), Some(minor)) => Ok((major, minor)),
        _ => Err(Error::usage(
            "parse kernel version",
            text.escape_default().to_string(),
            "want MAJOR.MINOR",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oci_profile_with_nulls_is_read() {
        let profile = Profile::parse(
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86","SCMP_ARCH_S390"],
                "flags":[],"syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","args":null}]}"#,
        )
        .unwrap();
        assert_eq!(profile.arches(Arch::X86_64), [Arch::X86_64, Arch::I386]);
        assert_eq!(profile.syscalls[0].names, ["mount"]);
    }

    #[test]
    fn bad_documents_are_usage_errors() {
        for text in ["", "[]", "{}", r#"{"defaultAction":3}"#] {
            assert_eq!(Profile::parse(text).unwrap_err().kind(), Kind::Usage);
        }
    }

    #[test]
    fn versions_need_two_numbers() {
        assert_eq!(parse_version("6.18.44-fc").unwrap(), (6, 18));
        assert_eq!(parse_version("4.8").unwrap(), (4, 8));
        for bad in ["", "4", "x.y", "4.99999999999"] {
            assert!(parse_version(bad).is_err(), "{bad}");
        }
    }
}
