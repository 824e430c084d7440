//! What the kernel's switches say about making user namespaces, read from sysctls. Only a real
//! trial (`sys::probe`) knows for sure; `doctor` makes one.

use std::fs;

use serde::Serialize;

use super::subid::SubRange;

/// Inode of the first user namespace, fixed by the kernel (`PROC_USER_INIT_INO`).
const INITIAL: &str = "user:[4026531837]";

/// A switch that forbids user namespaces to an ordinary user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UsernsBlock {
    /// The kernel was built or booted without user namespaces.
    Absent,
    /// `user.max_user_namespaces` is 0.
    MaxZero,
    /// Debian's `kernel.unprivileged_userns_clone` is 0.
    CloneOff,
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns` is 1: a profile is needed.
    AppArmor,
}

/// The switches' values; `None` where this kernel has no such switch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UsernsFacts {
    /// `user.max_user_namespaces`.
    pub(crate) max: Option<u64>,
    /// `kernel.unprivileged_userns_clone`.
    pub(crate) clone: Option<u64>,
    /// `kernel.apparmor_restrict_unprivileged_userns`.
    pub(crate) apparmor: Option<u64>,
    /// `/proc/self/ns/user` exists.
    pub(crate) supported: bool,
}

impl UsernsFacts {
    /// Reads the sysctls.
    pub(crate) fn read() -> UsernsFacts {
        let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
        UsernsFacts {
            max: number("/proc/sys/user/max_user_namespaces"),
            clone: number("/proc/sys/kernel/unprivileged_userns_clone"),
            apparmor: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            supported: fs::symlink_metadata("/proc/self/ns/user").is_ok(),
        }
    }

    /// The first switch that forbids user namespaces, if any does.
    pub(crate) fn block(&self) -> Option<UsernsBlock> {
        if !self.supported {
            Some(UsernsBlock::Absent)
        } else if self.max == Some(0) {
            Some(UsernsBlock::MaxZero)
        } else if self.clone == Some(0) {
            Some(UsernsBlock::CloneOff)
        } else if self.apparmor.is_some_and(|value| value != 0) {
            Some(UsernsBlock::AppArmor)
        } else {
            None
        }
    }
}

/// Says whether this process is in the first user namespace.
pub(crate) fn in_initial() -> bool {
    fs::read_link("/proc/self/ns/user").is_ok_and(|link| link.as_os_str() == INITIAL)
}

/// How many user ids this namespace maps.
pub(crate) fn mapped_ids() -> u64 {
    fs::read_to_string("/proc/self/uid_map").map_or(0, |text| count_ids(&text))
}

/// The ids but 0 that a map file of this namespace gives to it, as they are called in it.
pub(super) fn mapped_ranges(file: &str) -> Vec<SubRange> {
    ranges(&fs::read_to_string(file).unwrap_or_default())
}

fn ranges(map: &str) -> Vec<SubRange> {
    let range = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        let (first, count) = (numbers.next()?.ok()?, numbers.nth(1)?.ok()?);
        // 0 is the caller's own, which maps it to itself.
        SubRange::between(first.max(1), first.saturating_add(count))
    };
    map.lines().filter_map(range).collect()
}

fn count_ids(map: &str) -> u64 {
    let counts = map
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(2));
    counts.filter_map(|count| count.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_blocks_and_absent_switches_do_not() {
        let open = UsernsFacts {
            supported: true,
            ..UsernsFacts::default()
        };
        assert_eq!(open.block(), None);
        let with = |max, clone, apparmor| UsernsFacts {
            max,
            clone,
            apparmor,
            supported: true,
        };
        assert_eq!(
            with(Some(0), None, None).block(),
            Some(UsernsBlock::MaxZero)
        );
        assert_eq!(
            with(Some(9), Some(0), None).block(),
            Some(UsernsBlock::CloneOff)
        );
        assert_eq!(
            with(Some(9), Some(1), Some(1)).block(),
            Some(UsernsBlock::AppArmor)
        );
        assert_eq!(with(Some(9), Some(1), Some(0)).block(), None);
        assert_eq!(UsernsFacts::default().block(), Some(UsernsBlock::Absent));
    }

    #[test]
    fn the_ids_of_a_map_are_those_inside_without_zero() {
        let pairs = |map: &str| -> Vec<(u32, u32)> {
            let found = ranges(map);
            found
                .iter()
                .map(|range| (range.start, range.count))
                .collect()
        };
        assert_eq!(pairs("0 1000 1\n1 100000 65536\n"), [(1, 65_536)]);
        assert_eq!(pairs("  0 100000 65536\n"), [(1, 65_535)]);
        assert_eq!(pairs("5 7 3\nx y z\n1 2\n"), [(5, 3)]);
    }

    #[test]
    fn ids_of_a_map_are_added_up() {
        assert_eq!(
            count_ids("         0          0 4294967295\n"),
            4_294_967_295
        );
        assert_eq!(count_ids("0 1000 1\n1 100000 65536\n"), 65_537);
        assert_eq!(count_ids("garbage\n"), 0);
    }
}
