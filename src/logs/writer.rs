//! From a payload's bytes to entries: lines, cut at docker's 16 KiB.

use super::Stream;
use super::encode::{self, Pieces};
use super::file::LogFile;
use super::journald::Journal;
use super::options::{LogDriver, Target};
use crate::common::{Result, Timestamp};

/// docker's buffer: a longer line becomes several entries, all but the last without a newline
/// (moby, daemon/logger/copier.go).
pub(super) const LONGEST: usize = 16 * 1024;

/// Writes one container's log. Its memory is a few kilobytes and, per stream with a line longer
/// than one write of the payload, up to [`LONGEST`].
#[derive(Debug)]
pub(crate) struct Writer {
    sink: Sink,
    lines: [Line; 2],
}

/// A line that has not ended yet.
#[derive(Debug, Default)]
struct Line {
    /// Its bytes that are in no entry.
    pending: Vec<u8>,
    /// Time of its first entry, which its later ones repeat; `None` while it has no entry.
    begun: Option<String>,
}

#[derive(Debug)]
enum Sink {
    Json { file: LogFile, attributes: String },
    Kubernetes(LogFile),
    Journal(Journal),
    Nothing,
}

impl Writer {
    /// Opens the log of `target` to go on with it. Drivers without a log take everything and
    /// keep nothing.
    ///
    /// # Errors
    /// When the file cannot be opened; `Unsupported` for journald without a journal.
    pub(crate) fn open(target: &Target) -> Result<Writer> {
        let file = || LogFile::open(&target.path, target.max_size, target.max_files);
        let sink = match target.driver {
            LogDriver::JsonFile => Sink::Json {
                file: file()?,
                attributes: attributes(target),
            },
            LogDriver::K8sFile => Sink::Kubernetes(file()?),
            LogDriver::Journald => Sink::Journal(Journal::open(&target.journal)?),
            LogDriver::Passthrough | LogDriver::None => Sink::Nothing,
        };
        Ok(Writer {
            sink,
            lines: [Line::default(), Line::default()],
        })
    }

    /// Adds what the payload wrote. Whole lines are in the file when this returns. Never fails:
    /// what a full disk refuses is counted, and told in the log once there is room.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() || matches!(self.sink, Sink::Nothing) {
            return;
        }
        let now = Timestamp::now();
        self.sink.tell_dropped(now);
        self.sink
            .feed(&mut self.lines[stream as usize], stream, bytes, now);
        self.sink.flush();
    }

    /// Writes what has no newline yet, as docker does at the end of a stream.
    pub(crate) fn flush_partial(&mut self) {
        let now = Timestamp::now();
        for (line, stream) in self.lines.iter_mut().zip([Stream::Stdout, Stream::Stderr]) {
            if !line.pending.is_empty() {
                let text = std::mem::take(&mut line.pending);
                self.sink.entry(line, stream, &text, false, now);
            }
            // The next run begins a line of its own, with a time of its own.
            line.begun = None;
        }
        self.sink.flush();
    }

    /// Entries that could not be written and were not told in the log yet.
    #[cfg(test)]
    pub(crate) fn dropped(&self) -> u64 {
        match &self.sink {
            Sink::Json { file, .. } | Sink::Kubernetes(file) => file.dropped(),
            Sink::Journal(journal) => journal.dropped(),
            Sink::Nothing => 0,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.flush_partial();
    }
}

impl Sink {
    fn feed(&mut self, line: &mut Line, stream: Stream, mut bytes: &[u8], now: Timestamp) {
        while !bytes.is_empty() {
            let room = LONGEST - line.pending.len();
            let window = &bytes[..room.min(bytes.len())];
            if let Some(end) = window.iter().position(|byte| *byte == b'\n') {
                self.taken(line, stream, &window[..end], true, now);
                bytes = &bytes[end + 1..];
            } else if window.len() == room || self.takes_parts() {
                self.taken(line, stream, window, false, now);
                bytes = &bytes[window.len()..];
            } else {
                // Most payloads never come here: they write whole lines.
                line.pending.reserve_exact(LONGEST - line.pending.len());
                line.pending.extend_from_slice(window);
                return;
            }
        }
    }

    /// Makes an entry of what is pending and `more`. A part keeps back a character that is cut
    /// in two: docker spoils it, which loses what the payload wrote.
    fn taken(&mut self, line: &mut Line, stream: Stream, more: &[u8], full: bool, now: Timestamp) {
        if line.pending.is_empty() {
            let kept = if full {
                0
            } else {
                encode::open_character(more)
            };
            let (text, rest) = more.split_at(more.len() - kept);
            if full || !text.is_empty() {
                self.entry(line, stream, text, full, now);
            }
            line.pending.extend_from_slice(rest);
            return;
        }
        let mut text = std::mem::take(&mut line.pending);
        text.extend_from_slice(more);
        let kept = if full {
            0
        } else {
            encode::open_character(&text)
        };
        let end = text.len() - kept;
        if full || end > 0 {
            self.entry(line, stream, &text[..end], full, now);
        }
        text.drain(..end);
        line.pending = text;
    }

    /// Kubernetes' form tells parts from lines, so that nothing is held back; conmon does so too.
    fn takes_parts(&self) -> bool {
        matches!(self, Sink::Kubernetes(_))
    }

    fn entry(&mut self, line: &mut Line, stream: Stream, text: &[u8], full: bool, now: Timestamp) {
        let time = match (line.begun.take(), &self) {
            // Kubernetes' parts have times of their own.
            (Some(time), Sink::Json { .. }) => time,
            (_, Sink::Kubernetes(_)) => now.fixed(),
            _ => now.to_string(),
        };
        match self {
            Sink::Json { file, attributes } => {
                file.begin_entry();
                file.piece(b"{\"log\":");
                encode::json_string(file, text, full);
                file.piece(b",\"stream\":\"");
                file.piece(stream.name().as_bytes());
                file.piece(b"\"");
                file.piece(attributes.as_bytes());
                file.piece(b",\"time\":\"");
                file.piece(time.as_bytes());
                file.piece(b"\"}\n");
                file.end_entry();
            }
            Sink::Kubernetes(file) => {
                file.begin_entry();
                for piece in [
                    time.as_str(),
                    " ",
                    stream.name(),
                    if full { " F " } else { " P " },
                ] {
                    file.piece(piece.as_bytes());
                }
                file.piece(text);
                file.piece(b"\n");
                file.end_entry();
            }
            Sink::Journal(journal) => journal.send(stream, text, full),
            Sink::Nothing => {}
        }
        if !full {
            line.begun = Some(time);
        }
    }

    fn file(&mut self) -> Option<&mut LogFile> {
        match self {
            Sink::Json { file, .. } | Sink::Kubernetes(file) => Some(file),
            Sink::Journal(_) | Sink::Nothing => None,
        }
    }

    fn flush(&mut self) {
        if let Some(file) = self.file() {
            file.flush();
        }
    }

    /// Says in the log how much is missing at this place.
    fn tell_dropped(&mut self, now: Timestamp) {
        let Some(count) = self
            .file()
            .map(LogFile::take_dropped)
            .filter(|count| *count > 0)
        else {
            return;
        };
        let text =
            format!("ketch: {count} lines of output are missing here: they could not be written");
        self.entry(
            &mut Line::default(),
            Stream::Stderr,
            text.as_bytes(),
            true,
            now,
        );
        self.flush();
        if let Some(file) = self.file()
            && file.take_dropped() > 0
        {
            file.add_dropped(count);
        }
    }
}

/// `,"attrs":{…}` or nothing.
fn attributes(target: &Target) -> String {
    if target.attributes.is_empty() {
        return String::new();
    }
    let mut text = b",\"attrs\":{".to_vec();
    for (index, (name, value)) in target.attributes.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        encode::json_string(&mut text, name.as_bytes(), false);
        text.push(b':');
        encode::json_string(&mut text, value.as_bytes(), false);
    }
    text.push(b'}');
    String::from_utf8_lossy(&text).into_owned()
}
