//! Files of systemd.syntax(7): sections of `KEY=VALUE` lines, read and written.

use std::path::Path;

use crate::common::{Error, Kind, Result};

/// Longest line, in bytes (systemd, `LONG_LINE_MAX`).
const MAX_LINE: usize = 1 << 20;

/// Largest file, in bytes.
pub(super) const MAX_FILE: usize = 4 << 20;

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Left of `=`.
    pub(super) key: String,
    /// Right of it, continued lines joined; empty takes back what stood before.
    pub(super) value: String,
    /// `FILE:LINE` for messages; empty for one that was not read from a file.
    pub(super) place: String,
}

/// A section and its assignments in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Between the brackets.
    pub(super) name: String,
    /// Its lines.
    pub(super) entries: Vec<Entry>,
}

/// A unit file; a section that is opened twice is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UnitFile {
    /// In order of their first line.
    pub(super) sections: Vec<Section>,
}

fn malformed(file: &Path, line: usize, why: &str) -> Error {
    Error::new(
        Kind::Usage,
        "read unit file",
        format!("{}:{line}", file.display()),
    )
    .because(why.to_owned())
}

impl UnitFile {
    /// Adds the lines of a file behind those that are there, as a drop-in does.
    ///
    /// # Errors
    /// `Usage`, naming file and line, for what systemd would refuse or pass over.
    pub(super) fn read(&mut self, bytes: &[u8], file: &Path) -> Result<()> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            malformed(file, line, "it is not UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut section: Option<usize> = None;
        // A line that ends with a backslash, where it began, and what it has come to.
        let mut open: Option<(usize, String)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            if line.len() > MAX_LINE {
                return Err(malformed(file, number, "the line is longer than 1 MiB"));
            }
            if line.contains('\0') {
                return Err(malformed(file, number, "it has a NUL byte"));
            }
            let line = line.trim();
            // Comments also stand between the pieces of a continued line.
            if line.starts_with(['#', ';']) {
                continue;
            }
            let (start, mut whole) = open.take().unwrap_or((number, String::new()));
            match line.strip_suffix('\\') {
                Some(piece) => {
                    whole.push_str(piece);
                    whole.push(' ');
                    if whole.len() > MAX_LINE {
                        return Err(malformed(file, start, "the line is longer than 1 MiB"));
                    }
                    open = Some((start, whole));
                }
                None => {
                    whole.push_str(line);
                    section = self.line(whole.trim(), section, file, start)?;
                }
            }
        }
        if let Some((start, whole)) = open {
            self.line(whole.trim(), section, file, start)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        line: &str,
        section: Option<usize>,
        file: &Path,
        number: usize,
    ) -> Result<Option<usize>> {
        let bad = |why: &str| Err(malformed(file, number, why));
        if line.is_empty() {
            return Ok(section);
        }
        if let Some(name) = line.strip_prefix('[') {
            let Some(name) = name.strip_suffix(']').filter(|name| !name.is_empty()) else {
                return bad("a section is [NAME]");
            };
            return Ok(Some(self.open(name)));
        }
        let Some((key, value)) = line.split_once('=') else {
            return bad("the line has no '='");
        };
        let key = key.trim_end();
        if key.is_empty() {
            return bad("nothing stands before '='");
        }
        let Some(section) = section else {
            return bad("the assignment stands outside of any section");
        };
        self.sections[section].entries.push(Entry {
            key: key.to_owned(),
            value: value.trim_start().to_owned(),
            place: format!("{}:{number}", file.display()),
        });
        Ok(Some(section))
    }

    fn open(&mut self, name: &str) -> usize {
        let known = self.sections.iter().position(|one| one.name == name);
        known.unwrap_or_else(|| {
            self.sections.push(Section {
                name: name.to_owned(),
                entries: Vec::new(),
            });
            self.sections.len() - 1
        })
    }

    /// The entries of a section; none when it is not there.
    pub(super) fn section(&self, name: &str) -> &[Entry] {
        let found = self.sections.iter().find(|one| one.name == name);
        found.map_or(&[], |section| &section.entries)
    }

    /// What counts of a key that may stand many times: all after the last empty one.
    pub(super) fn all(&self, section: &str, key: &str) -> Vec<&Entry> {
        let mut found = Vec::new();
        for entry in self.section(section).iter().filter(|one| one.key == key) {
            match entry.value.is_empty() {
                true => found.clear(),
                false => found.push(entry),
            }
        }
        found
    }

    /// What counts of a key of which the last one wins.
    pub(super) fn last(&self, section: &str, key: &str) -> Option<&Entry> {
        self.all(section, key).pop()
    }

    /// Adds an assignment that nobody wrote.
    pub(super) fn add(&mut self, section: &str, key: &str, value: impl Into<String>) {
        let section = self.open(section);
        self.sections[section].entries.push(Entry {
            key: key.to_owned(),
            value: value.into(),
            place: String::new(),
        });
    }

    /// Gives a section another name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for section in self.sections.iter_mut().filter(|one| one.name == from) {
            to.clone_into(&mut section.name);
        }
    }

    /// The text of the file.
    pub(super) fn render(&self) -> String {
        let one = |section: &Section| {
            let lines = section.entries.iter();
            let lines = lines.map(|Entry { key, value, .. }| format!("{key}={value}\n"));
            format!("[{}]\n{}", section.name, lines.collect::<String>())
        };
        let sections: Vec<String> = self.sections.iter().map(one).collect();
        sections.join("\n")
    }
}

/// Reads one file of assignments.
#[cfg(test)]
pub(super) fn parse(text: &str) -> Result<UnitFile> {
    let mut unit = UnitFile::default();
    unit.read(text.as_bytes(), Path::new("/u/web.container"))?;
    Ok(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_systemd_reads_them() {
        let unit = parse(
            "\u{feff}# a comment\n; another\n\n[Unit]\nDescription = A  thing \r\n\
             [Container]\nExec=one \\\n  # between\n  two \\\nthree\nLabel=a=b\nLabel=\nLabel=c\n\
             [Unit]\nAfter=x\\",
        )
        .unwrap();
        assert_eq!(unit.sections.len(), 2);
        assert_eq!(unit.last("Unit", "Description").unwrap().value, "A  thing");
        let exec = unit.last("Container", "Exec").unwrap();
        assert_eq!(exec.value, "one  two  three");
        assert_eq!(exec.place, "/u/web.container:7");
        let labels = unit.all("Container", "Label");
        assert_eq!(labels.len(), 1);
        assert_eq!(labels[0].value, "c");
        assert_eq!(unit.last("Unit", "After").unwrap().value, "x");
        assert!(unit.last("Service", "Restart").is_none());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let long = format!("[A]\nb={}", "x".repeat(MAX_LINE + 1));
        let pieces = format!("[A]\nb={}", "x\\\n".repeat(MAX_LINE));
        for (text, line, why) in [
            ("[A]\nno equals", 2, "no '='"),
            ("b=c", 1, "outside"),
            ("[A]\n=c", 2, "before '='"),
            ("[A\n", 1, "[NAME]"),
            ("[]\n", 1, "[NAME]"),
            ("[A]\n\nb=\0", 3, "NUL"),
            (long.as_str(), 2, "longer"),
            (pieces.as_str(), 2, "longer"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("web.container:{line}")), "{error}");
            assert!(error.contains(why), "{error}");
        }
        let mut unit = UnitFile::default();
        let error = unit.read(b"[A]\nb=\xff", Path::new("/u")).unwrap_err();
        assert!(error.to_string().contains("/u:2"), "{error}");
    }

    #[test]
    fn written_text_is_read_back() {
        let mut unit = UnitFile::default();
        unit.add("Unit", "Description", "x y");
        unit.add("Install", "WantedBy", "default.target");
        unit.add("Unit", "After", "a.service");
        let text = unit.render();
        assert_eq!(
            text,
            "[Unit]\nDescription=x y\nAfter=a.service\n\n[Install]\nWantedBy=default.target\n"
        );
        assert_eq!(parse(&text).unwrap().render(), text);
    }
}
