//! The last lines of a file, found from its end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes read at once: a log's last thousand lines in a few reads.
const STEP: u64 = 64 * 1024;

/// Bytes of a line that tell whether it is a part: time, stream and tag.
const HEAD: usize = 64;

/// Tells from the beginning of a line whether it goes on in the next.
pub(super) type IsPart = fn(&[u8]) -> bool;

/// Where the last `wanted` whole lines begin, and how many there are, at most `wanted`. A line
/// that `is_part` goes on in the next and is one with it. Bytes behind the last newline belong to
/// an entry that is still being written.
pub(super) fn last_lines(
    file: &File,
    wanted: u64,
    is_part: Option<IsPart>,
) -> io::Result<(u64, u64)> {
    let mut end = file.metadata()?.len();
    let mut buffer = vec![0; STEP.min(end) as usize];
    let mut count = 0;
    // Where the line behind the one that is looked for begins.
    let mut behind = None;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let part = &mut buffer[..(end - start) as usize];
        file.read_exact_at(part, start)?;
        for at in (0..part.len()).rev().filter(|at| part[*at] == b'\n') {
            let begin = start + at as u64 + 1;
            // Every line has a newline at its end, and all but the first one in front.
            if let Some(behind) = behind {
                if ends_another(file, begin, count, is_part)? {
                    if count == wanted {
                        return Ok((behind, count));
                    }
                    count += 1;
                }
            } else if wanted == 0 {
                return Ok((begin, 0));
            }
            behind = Some(begin);
        }
        end = start;
    }
    let Some(behind) = behind else {
        return Ok((0, 0));
    };
    Ok(match ends_another(file, 0, count, is_part)? {
        true if count == wanted => (behind, count),
        true => (0, count + 1),
        false => (0, count),
    })
}

/// Whether the line at `begin` is the last of its parts; `count` lines are behind it.
fn ends_another(file: &File, begin: u64, count: u64, is_part: Option<IsPart>) -> io::Result<bool> {
    // The rest of the very last one may be missing.
    let Some(is_part) = is_part.filter(|_| count > 0) else {
        return Ok(true);
    };
    let mut head = [0; HEAD];
    let read = file.read_at(&mut head, begin)?;
    Ok(!is_part(&head[..read]))
}
