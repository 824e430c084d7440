//! Id maps as data: which host id each container id is. Pure; `runtime` writes them to the
//! kernel, `archive` uses them to own files.

use crate::common::{Error, Kind, Mode, Result};
use crate::sys::namespace::IdMap;

use super::subid::{self, SubRange};

/// How many ids a container gets from `--userns=auto` unless it asks: all that images use.
pub(crate) const AUTO_SIZE: u32 = 65_536;
/// The range of `--userns=auto` when the administrator named none: above what people, directory
/// services and login.defs(5) use, below where signed readers of ids turn negative.
const AUTO_FALLBACK: SubRange = SubRange {
    start: 0x6000_0000,
    count: 0x1000_0000,
};
/// The kernel takes at most this many lines in a map (5 before 4.15).
const MAX_LINES: usize = 340;

/// The maps of one container; both empty when it has no user namespace of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdMaps {
    /// User ids.
    pub(crate) uids: Vec<IdMap>,
    /// Group ids.
    pub(crate) gids: Vec<IdMap>,
}

impl IdMaps {
    /// Says whether there is no map: container ids are host ids.
    pub(crate) fn is_empty(&self) -> bool {
        self.uids.is_empty() && self.gids.is_empty()
    }
}

/// The host id of the container id `inside`; `None` when it is not mapped.
pub(crate) fn outside(map: &[IdMap], inside: u32) -> Option<u32> {
    map.iter().find_map(|line| {
        let offset = inside.checked_sub(line.inside)?;
        (offset < line.count).then(|| line.outside + offset)
    })
}

/// The container ids of a map in words: `0 to 65536`, those that follow each other together.
pub(crate) fn words(map: &[IdMap]) -> String {
    let mut lines: Vec<(u32, u64)> = map
        .iter()
        .map(|line| (line.inside, u64::from(line.inside) + u64::from(line.count)))
        .collect();
    lines.sort_unstable();
    let mut ranges: Vec<(u32, u64)> = Vec::new();
    for (first, end) in lines {
        match ranges.last_mut() {
            Some(last) if last.1 == u64::from(first) => last.1 = end,
            _ => ranges.push((first, end)),
        }
    }
    let word = |(first, end): &(u32, u64)| match end.saturating_sub(1) {
        last if last == u64::from(*first) => first.to_string(),
        last => format!("{first} to {last}"),
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// A map of `ranges`, which `file` gives to `name`, in their order from 0 on.
pub(super) fn from_zero(file: &str, name: &str, ranges: &[SubRange]) -> Result<Vec<IdMap>> {
    if ranges.is_empty() {
        return Err(Error::new(Kind::NotFound, "find ids of", name)
            .because(format!("{file} has no range for this name")));
    }
    let mut next = 0u32;
    let lines = ranges.iter().take(MAX_LINES).map(|range| {
        let line = IdMap::new(next, range.start, range.count.min(u32::MAX - next));
        next += line.count;
        line
    });
    Ok(lines.filter(|line| line.count > 0).collect())
}

/// The container id of the host id `outside`; `None` when it is not mapped.
pub(crate) fn inside(map: &[IdMap], outside: u32) -> Option<u32> {
    map.iter().find_map(|line| {
        let offset = outside.checked_sub(line.outside)?;
        (offset < line.count).then(|| line.inside + offset)
    })
}

/// Maps of a mode with container root as the caller.
pub(super) fn plain(
    mode: Mode,
    uid: u32,
    gid: u32,
    subuids: &[SubRange],
    subgids: &[SubRange],
) -> Result<IdMaps> {
    keep_id(mode, (uid, gid), (0, 0), (subuids, subgids))
}

/// Maps in which the caller (`own` uid and gid) is `inside` in the container, and root has the
/// host id that `inside` would have had. Every other id is where the plain map has it, so the
/// layers on disk, owned by the plain map, keep their owners and no image is ever copied. (podman
/// shifts the range around the caller and needs a copy of the image for each caller.)
pub(super) fn keep_id(
    mode: Mode,
    own: (u32, u32),
    inside: (u32, u32),
    ranges: (&[SubRange], &[SubRange]),
) -> Result<IdMaps> {
    if mode == Mode::Root {
        return Ok(IdMaps::default());
    }
    Ok(IdMaps {
        uids: exchange(&caller_then(own.0, ranges.0), inside.0)?,
        gids: exchange(&caller_then(own.1, ranges.1), inside.1)?,
    })
}

/// The plain map: 0 is `own`, then the ids of `ranges` in order.
fn caller_then(own: u32, ranges: &[SubRange]) -> Vec<IdMap> {
    let mut map = vec![IdMap::new(0, own, 1)];
    let mut next = 1u32;
    for range in ranges.iter().take(MAX_LINES - 1) {
        let count = range.count.min(u32::MAX - next);
        if count > 0 {
            map.push(IdMap::new(next, range.start, count));
            next += count;
        }
    }
    map
}

/// The plain map with 0 and `inside` changed over. Where the plain map has no `inside`, root
/// takes the host id of its last one instead, which images have the least use for.
fn exchange(plain: &[IdMap], inside: u32) -> Result<Vec<IdMap>> {
    if inside == u32::MAX {
        return Err(Error::usage(
            "keep id",
            inside.to_string(),
            "not a valid id",
        ));
    }
    let (Some((caller, rest)), true) = (plain.split_first(), inside != 0) else {
        return Ok(plain.to_vec());
    };
    let last = rest.last().map(|line| line.inside + (line.count - 1));
    let given_up = if outside(rest, inside).is_some() && !rest.is_empty() {
        Some(inside)
    } else {
        last
    };
    let mut map = Vec::new();
    if let Some(root) = given_up.and_then(|id| outside(rest, id)) {
        map.push(IdMap::new(0, root, 1));
    }
    map.push(IdMap::new(inside, caller.outside, 1));
    for line in rest {
        let end = line.inside + (line.count - 1);
        match given_up.filter(|id| (line.inside..=end).contains(id)) {
            Some(id) => {
                let before = id - line.inside;
                let parts = [
                    IdMap::new(line.inside, line.outside, before),
                    IdMap::new(id + 1, line.outside + before + 1, end - id),
                ];
                map.extend(parts.into_iter().filter(|part| part.count > 0));
            }
            None => map.push(*line),
        }
    }
    map.truncate(MAX_LINES);
    Ok(map)
}

/// What `--userns=auto` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AutoMaps {
    /// The maps.
    pub(crate) maps: IdMaps,
    /// The host ids taken, to be recorded with the container.
    pub(crate) range: SubRange,
    /// Set when the administrator named no range and a fixed one was taken.
    pub(crate) warning: Option<String>,
}

/// Takes the first `size` ids that are in both lists of ranges (so that one number serves users
/// and groups) and in no range of `used`.
pub(super) fn auto(
    subuids: &[SubRange],
    subgids: &[SubRange],
    used: &[SubRange],
    size: u32,
) -> Result<AutoMaps> {
    let named = !subuids.is_empty() && !subgids.is_empty();
    let fallback = [AUTO_FALLBACK];
    let (uids, gids) = if named {
        (subuids, subgids)
    } else {
        (&fallback[..], &fallback[..])
    };
    let mut free: Vec<SubRange> = Vec::new();
    for uid in uids {
        for gid in gids {
            let start = u64::from(uid.start.max(gid.start));
            free.extend(SubRange::between(start, uid.end().min(gid.end())));
        }
    }
    for taken in used {
        free = subid::cut(&free, u64::from(taken.start), taken.end());
    }
    let found = free.iter().find(|range| size > 0 && range.count >= size);
    let Some(found) = found else {
        return Err(
            Error::new(Kind::Exhausted, "find free ids", format!("{size}"))
                .because("every range of user `containers` is in use or too small")
                .hint("add a larger range for `containers` to /etc/subuid and /etc/subgid"),
        );
    };
    let range = SubRange {
        start: found.start,
        count: size,
    };
    let map = vec![IdMap::new(0, range.start, size)];
    let warning = (!named).then(|| {
        format!(
            "--userns=auto takes host ids from {}, since no range is set aside for it: add \
             containers:{}:{} to /etc/subuid and /etc/subgid",
            range.start, AUTO_FALLBACK.start, AUTO_FALLBACK.count
        )
    });
    let maps = IdMaps {
        uids: map.clone(),
        gids: map,
    };
    Ok(AutoMaps {
        maps,
        range,
        warning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, count: u32) -> SubRange {
        SubRange { start, count }
    }

    #[test]
    fn a_map_has_words() {
        let map = [
            IdMap::new(1, 100_000, 65536),
            IdMap::new(0, 1000, 1),
            IdMap::new(70_000, 5, 1),
        ];
        assert_eq!(words(&map), "0 to 65536, 70000");
        assert_eq!(words(&map[1..2]), "0");
    }

    #[test]
    fn subid_maps_root_to_the_caller_and_then_the_ranges() {
        let maps = plain(
            Mode::Subid,
            1000,
            100,
            &[range(100_000, 65_536)],
            &[range(7, 3), range(20, 5)],
        );
        let maps = maps.unwrap();
        assert_eq!(
            maps.uids,
            [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)]
        );
        assert_eq!(
            maps.gids,
            [
                IdMap::new(0, 100, 1),
                IdMap::new(1, 7, 3),
                IdMap::new(4, 20, 5)
            ]
        );
    }

    #[test]
    fn keep_id_changes_the_caller_over_with_root_and_nothing_else() {
        let map = |inside| exchange(&caller_then(1000, &[range(100_000, 65_536)]), inside);
        assert_eq!(
            map(1000).unwrap(),
            [
                IdMap::new(0, 100_999, 1),
                IdMap::new(1000, 1000, 1),
                IdMap::new(1, 100_000, 999),
                IdMap::new(1001, 101_000, 64_536),
            ]
        );
        // A number that the plain map does not have costs its last one.
        assert_eq!(
            map(70_000).unwrap(),
            [
                IdMap::new(0, 165_535, 1),
                IdMap::new(70_000, 1000, 1),
                IdMap::new(1, 100_000, 65_535),
            ]
        );
        assert_eq!(
            map(0).unwrap(),
            caller_then(1000, &[range(100_000, 65_536)])
        );
        let single = keep_id(Mode::Single, (1000, 100), (5, 6), (&[], &[])).unwrap();
        assert_eq!(single.uids, [IdMap::new(5, 1000, 1)]);
        assert_eq!(single.gids, [IdMap::new(6, 100, 1)]);
        assert!(map(u32::MAX).is_err());
    }

    #[test]
    fn maps_of_arbitrary_ranges_differ_from_the_plain_one_in_two_ids() {
        let mut seed = 99u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((seed >> 20) % below) as u32
        };
        for _ in 0..2000 {
            let mut start = 2000 + next(1000);
            let mut ranges = Vec::new();
            for _ in 0..next(5) {
                let huge = next(10) == 0;
                let count = 1 + next(if huge { 2_000_000_000 } else { 90_000 });
                let Some(end) = start.checked_add(count).filter(|end| *end < u32::MAX) else {
                    break;
                };
                ranges.push(range(start, count));
                start = end.saturating_add(next(50));
            }
            let kind = next(4) as usize;
            let wanted = next([2, 3000, 200_000, u64::from(u32::MAX)][kind]);
            let plain = caller_then(1000, &ranges);
            let map = exchange(&plain, wanted).unwrap();
            check(&map, wanted);
            let size = |map: &[IdMap]| map.iter().map(|m| u64::from(m.count)).sum::<u64>();
            assert_eq!(size(&map), size(&plain), "{ranges:?} {wanted} {map:?}");
            assert!(ranges.is_empty() || outside(&map, 0).is_some(), "{map:?}");
            let last = u32::try_from(size(&plain) - 1).unwrap();
            let given_up = if wanted <= last { wanted } else { last };
            for id in [1, 2, 999, 65_534, last / 2, next(200_000), next(3000)] {
                if id != 0 && id != given_up && id != wanted {
                    assert_eq!(outside(&map, id), outside(&plain, id), "{id} {map:?}");
                }
            }
        }
    }

    fn check(map: &[IdMap], wanted: u32) {
        let last = u64::from(u32::MAX);
        for (at, a) in map.iter().enumerate() {
            assert!(a.count > 0, "{map:?}");
            assert!(u64::from(a.inside) + u64::from(a.count) <= last, "{map:?}");
            assert!(u64::from(a.outside) + u64::from(a.count) <= last, "{map:?}");
            for b in &map[at + 1..] {
                let apart = |x: u32, xs: u32, y: u32, ys: u32| {
                    u64::from(x) + u64::from(xs) <= y.into()
                        || u64::from(y) + u64::from(ys) <= x.into()
                };
                assert!(apart(a.inside, a.count, b.inside, b.count), "{map:?}");
                assert!(apart(a.outside, a.count, b.outside, b.count), "{map:?}");
            }
        }
        assert!(map.contains(&IdMap::new(wanted, 1000, 1)), "{map:?}");
    }

    #[test]
    fn auto_takes_ids_free_in_both_lists_and_says_when_it_made_them_up() {
        let ours = [range(500_000, 200_000)];
        let first = auto(&ours, &[range(510_000, 400_000)], &[], AUTO_SIZE).unwrap();
        assert_eq!(
            (first.range, first.warning),
            (range(510_000, AUTO_SIZE), None)
        );
        let second = auto(&ours, &ours, &[range(500_000, AUTO_SIZE)], AUTO_SIZE).unwrap();
        assert_eq!(second.range.start, 565_536);
        let full = auto(&ours, &ours, &ours, 1).unwrap_err();
        assert_eq!(full.kind(), Kind::Exhausted);
        let made_up = auto(&[], &ours, &[], AUTO_SIZE).unwrap();
        assert_eq!(made_up.range.start, AUTO_FALLBACK.start);
        assert!(
            made_up
                .warning
                .unwrap()
                .contains("containers:1610612736:268435456")
        );
        assert!(auto(&[], &[], &[], 0).is_err());
    }
}
