//! Lists of CPUs or memory nodes as the kernel writes them: `0-3,7`; see cpuset(7).

use std::collections::BTreeSet;
use std::fs;

use crate::common::{Error, Kind, Result};

/// More CPUs than any kernel is built for; a bound on what one short text may expand to.
const MAX: u32 = 8192;

/// A set of CPU or node numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CpuSet(BTreeSet<u32>);

impl CpuSet {
    /// Parses the list; `None` when the grammar is broken or a number is out of reason.
    pub(crate) fn parse(text: &str) -> Option<CpuSet> {
        let mut set = BTreeSet::new();
        for part in text.trim().split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
                digits.then(|| text.parse::<u32>().ok()).flatten()
            };
            let (first, last) = (number(first)?, number(last)?);
            if first > last || last >= MAX {
                return None;
            }
            set.extend(first..=last);
        }
        Some(CpuSet(set))
    }

    /// Reads the numbers that are online from a file of sysfs; empty when there is none.
    pub(crate) fn online(file: &str) -> CpuSet {
        let text = fs::read_to_string(file).unwrap_or_default();
        CpuSet::parse(&text).unwrap_or_default()
    }

    /// How many numbers are in the set.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether the set has no number.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says whether every number is in `other`.
    pub(crate) fn is_within(&self, other: &CpuSet) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The set as a bit mask, lowest byte first, as systemd's properties have it.
    pub(crate) fn mask(&self) -> Vec<u8> {
        let bytes = self.0.last().map_or(0, |last| *last as usize / 8 + 1);
        let mut mask = vec![0u8; bytes];
        for number in &self.0 {
            if let Some(byte) = mask.get_mut(*number as usize / 8) {
                *byte |= 1 << (number % 8);
            }
        }
        mask
    }
}

/// Checks a list the user gave against what is online; `what` is docker's word for it.
pub(super) fn check(flag: &str, what: &str, text: &str, online: &CpuSet) -> Result<()> {
    let Some(set) = CpuSet::parse(text).filter(|set| !set.is_empty()) else {
        let why = format!("Invalid value {text} for cpuset {}", what.to_lowercase());
        return Err(Error::usage("check", flag, why).hint("use a list such as 0-3,7"));
    };
    if online.is_empty() || set.is_within(online) {
        return Ok(());
    }
    let available = online.0.iter().map(u32::to_string);
    let available = available.collect::<Vec<_>>().join(",");
    Err(Error::new(Kind::Usage, "check", flag).because(format!(
        "Requested {what} are not available - requested {text}, available: {available}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_follow_the_kernels_grammar() {
        for (text, count) in [("0", 1), ("0-3,7", 5), ("1,1,0-1\n", 2), ("", 0)] {
            assert_eq!(
                CpuSet::parse(text).map(|set| set.len()),
                Some(count),
                "{text:?}"
            );
        }
        for bad in ["a", "3-1", "1-", "-1", "0-99999999", "+1", "0-1-2", "1;2"] {
            assert_eq!(CpuSet::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn masks_have_the_lowest_byte_first() {
        assert_eq!(CpuSet::parse("0,3,9").unwrap().mask(), [0b1001, 0b10]);
        assert!(CpuSet::default().mask().is_empty());
    }

    #[test]
    fn what_is_not_online_is_refused_in_dockers_words() {
        let online = CpuSet::parse("0-1").unwrap();
        assert!(check("--cpuset-cpus", "CPUs", "1", &online).is_ok());
        let error = check("--cpuset-cpus", "CPUs", "0,9", &online).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("Requested CPUs are not available - requested 0,9, available: 0,1"),
            "{error}"
        );
        assert!(check("--cpuset-cpus", "CPUs", "x", &online).is_err());
        assert!(check("--cpuset-cpus", "CPUs", ",", &online).is_err());
    }
}
