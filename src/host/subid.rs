//! Subordinate ids: `/etc/subuid` and `/etc/subgid`, see subuid(5). Lines an administrator got
//! wrong are passed over or cut to what can be used; a map with an overlap is refused whole by
//! the kernel, so none may come out of here.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::common::passwd_entries;
use crate::sys::file;

/// One past the highest id: 4294967295 means "no id" to the kernel.
const END: u64 = 0xffff_ffff;
/// Size of the range that distributions give to a user.
const USUAL_COUNT: u32 = 65_536;
/// Where distributions start to give ranges out (`SUB_UID_MIN` of login.defs(5)).
const USUAL_START: u64 = 100_000;

/// `count` ids from `start`; never empty, never past the last id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubRange {
    /// First id, as the host sees it.
    pub(crate) start: u32,
    /// How many.
    pub(crate) count: u32,
}

impl SubRange {
    /// Cuts `start..end` to valid ids; `None` when nothing is left.
    pub(crate) fn between(start: u64, end: u64) -> Option<SubRange> {
        let end = end.min(END);
        let count = u32::try_from(end.checked_sub(start)?).ok()?;
        let start = u32::try_from(start).ok()?;
        (count > 0).then_some(SubRange { start, count })
    }

    /// One past the last id.
    pub(crate) fn end(&self) -> u64 {
        u64::from(self.start) + u64::from(self.count)
    }
}

/// The text of a file of the system; none of one that cannot be read.
fn text_of(file: &Path) -> String {
    let bytes = file::read_kernel_piece(file).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the ranges of one user from `file`. `own` is the id that the caller maps to itself and
/// so is cut out. A file that cannot be read has no ranges.
pub(crate) fn read(file: &Path, name: Option<&str>, uid: u32, own: u32) -> Vec<SubRange> {
    let text = text_of(file);
    // Id 0 as a range would hand host root to a user: no administrator means that.
    parse(
        &text,
        |owner| Some(owner) == name || owner.parse() == Ok(uid),
        &[0, own],
    )
}

/// Reads the ranges of the user `name`, who need not exist (`containers`).
pub(crate) fn read_named(file: &Path, name: &str) -> Vec<SubRange> {
    let text = text_of(file);
    parse(&text, |owner| owner == name, &[0])
}

/// Parses `owner:start:count` lines of the owners that `matches` accepts; ids in `without` and
/// ids of earlier lines are cut out.
fn parse(text: &str, matches: impl Fn(&str) -> bool, without: &[u32]) -> Vec<SubRange> {
    let mut ranges: Vec<SubRange> = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim().split(':');
        let (Some(owner), Some(start), Some(count), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (Ok(start), Ok(count)) = (start.parse::<u64>(), count.parse::<u64>()) else {
            continue;
        };
        if !matches(owner) {
            continue;
        }
        let mut pieces: Vec<SubRange> = Vec::new();
        pieces.extend(SubRange::between(start, start.saturating_add(count)));
        for id in without {
            pieces = cut(&pieces, u64::from(*id), u64::from(*id) + 1);
        }
        for taken in &ranges {
            pieces = cut(&pieces, u64::from(taken.start), taken.end());
        }
        ranges.extend(pieces);
    }
    ranges
}

/// Removes `start..end` from each piece.
pub(crate) fn cut(pieces: &[SubRange], start: u64, end: u64) -> Vec<SubRange> {
    let mut left = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if piece.end() <= start || u64::from(piece.start) >= end {
            left.push(*piece);
            continue;
        }
        left.extend(SubRange::between(u64::from(piece.start), start));
        left.extend(SubRange::between(end, piece.end()));
    }
    left
}

/// Computes a range no line of `text` (a whole subuid or subgid file) uses, for the advice of
/// `doctor`; `None` when the id space is full.
pub(crate) fn free_range(text: &str) -> Option<SubRange> {
    let mut ends = vec![USUAL_START];
    let mut taken = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim().split(':').skip(1);
        let number = |field: Option<&str>| field.and_then(|f| f.parse::<u64>().ok());
        if let (Some(start), Some(count)) = (number(fields.next()), number(fields.next())) {
            let end = start.saturating_add(count);
            taken.push((start, end));
            ends.push(end);
        }
    }
    ends.sort_unstable();
    let size = u64::from(USUAL_COUNT);
    ends.into_iter()
        .filter(|start| *start >= USUAL_START && start.saturating_add(size) <= END)
        .find(|start| !taken.iter().any(|(s, e)| *s < start + size && start < e))
        .and_then(|start| SubRange::between(start, start + size))
}

/// The login name of `uid`: from `/etc/passwd`, else `hint`, unless the file gives that name to
/// another user. Name services are not asked: that would load libraries into the run path.
pub(crate) fn user_name(uid: u32, hint: Option<&str>) -> Option<String> {
    let text = text_of(Path::new("/etc/passwd"));
    name_in(&text, uid, hint)
}

fn name_in(passwd: &str, uid: u32, hint: Option<&str>) -> Option<String> {
    let mut hint = hint;
    for entry in passwd_entries(passwd) {
        if entry.uid == uid {
            return Some(entry.name.to_owned());
        }
        hint = hint.filter(|wanted| *wanted != entry.name);
    }
    hint.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Vec<(u32, u32)> {
        let found = parse(text, |owner| owner == "ann" || owner == "1000", &[0, 1000]);
        found
            .iter()
            .map(|range| (range.start, range.count))
            .collect()
    }

    #[test]
    fn lines_match_by_name_or_number_and_bad_lines_are_passed_over() {
        let text = "# comment\nann:100000:65536\nbob:165536:65536\n1000:300000:10\nann:x:1\n\
                    ann:1:2:3\nann:5\n\nann:-1:4\nann:99999999999999999999:1\n";
        assert_eq!(ranges(text), [(100_000, 65_536), (300_000, 10)]);
    }

    #[test]
    fn overlaps_overflow_and_own_ids_are_cut() {
        assert_eq!(
            ranges("ann:2000:100\nann:2050:100\n"),
            [(2000, 100), (2100, 50)]
        );
        assert_eq!(ranges("ann:2000:100\nann:2010:5\n"), [(2000, 100)]);
        assert_eq!(ranges("ann:4294967290:100\n"), [(4_294_967_290, 5)]);
        assert_eq!(ranges("ann:4294967295:1\nann:18446744073709551615:9\n"), []);
        assert_eq!(ranges("ann:0:1002\n"), [(1, 999), (1001, 1)]);
        assert_eq!(ranges("ann:5000:0\n"), []);
    }

    #[test]
    fn ranges_of_arbitrary_lines_never_overlap() {
        let mut seed = 7u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for _ in 0..500 {
            let lines: String = (0..6)
                .map(|_| format!("ann:{}:{}\n", next(3000), next(900)))
                .collect();
            let found = parse(&lines, |_| true, &[0, 1000]);
            for (at, a) in found.iter().enumerate() {
                assert!(a.count > 0 && u64::from(a.start) > 0, "{lines}{found:?}");
                assert!(!(a.start <= 1000 && a.end() > 1000), "{lines}{found:?}");
                for b in &found[at + 1..] {
                    let apart = a.end() <= b.start.into() || b.end() <= a.start.into();
                    assert!(apart, "{lines}{found:?}");
                }
            }
        }
    }

    #[test]
    fn a_free_range_touches_no_line() {
        let range = |text: &str| free_range(text).map(|r| r.start);
        assert_eq!(range(""), Some(100_000));
        assert_eq!(range("ann:100000:65536\n"), Some(165_536));
        assert_eq!(range("a:100000:65536\nb:165536:65536\n"), Some(231_072));
        assert_eq!(range("a:165536:65536\n"), Some(100_000));
        assert_eq!(range("a:100001:4294867294\n"), None);
    }

    #[test]
    fn a_name_hint_counts_only_for_users_the_file_does_not_know() {
        let passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\n";
        assert_eq!(name_in(passwd, 1000, Some("eve")).as_deref(), Some("ann"));
        assert_eq!(name_in(passwd, 2000, Some("ldap")).as_deref(), Some("ldap"));
        assert_eq!(name_in(passwd, 2000, Some("ann")), None);
    }
}
