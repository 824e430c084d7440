//! The last lines of a file, found from its end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes read at once: a log's last thousand lines in a few reads.
const STEP: u64 = 64 * 1024;

/// Where the last `wanted` whole lines begin, and how many there are, at most `wanted`. Bytes
/// behind the last newline belong to an entry that is still being written.
pub(super) fn last_lines(file: &File, wanted: u64) -> io::Result<(u64, u64)> {
    let mut end = file.metadata()?.len();
    let mut buffer = vec![0; STEP.min(end) as usize];
    let mut ends = 0;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let part = &mut buffer[..(end - start) as usize];
        file.read_exact_at(part, start)?;
        for at in (0..part.len()).rev().filter(|at| part[*at] == b'\n') {
            // Every line has a newline at its end, and all but the first one in front.
            if ends == wanted {
                return Ok((start + at as u64 + 1, wanted));
            }
            ends += 1;
        }
        end = start;
    }
    Ok((0, ends))
}
