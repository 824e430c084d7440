//! The rules of the source tree that a machine can check, read from the files themselves.
//!
//! Every check collects all its violations as `file:line: what` before it fails, so that one run
//! shows the whole list. `KETCH_BLESS=1 cargo test --test tidy` rewrites `man/` and `completions/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The layer of each top-level module, as in DESIGN section 3 and the map in `src/lib.rs`.
const LAYERS: &[(&str, u8)] = &[
    ("common", 0),
    ("sys", 1),
    ("reference", 1),
    ("oci", 1),
    ("dockerfile", 1),
    ("host", 2),
    ("settings", 2),
    ("archive", 3),
    ("cdi", 3),
    ("cgroup", 3),
    ("seccomp", 3),
    ("logs", 3),
    ("cdi", 3),
    ("imagefile", 3),
    ("network", 3),
    ("store", 4),
    ("registry", 4),
    ("spec", 4),
    ("runtime", 4),
    ("engine", 5),
    ("supervisor", 6),
    ("build", 6),
    ("hpc", 6),
    ("doctor", 6),
    ("compose", 7),
    ("oci_cli", 7),
    ("boot", 7),
    ("cli", 8),
    ("lib", 9),
    ("main", 9),
];

const FILE_CAP: usize = 500;
const FUNCTION_CAP: usize = 70;

/// One source file with its text and the same text where comments, strings and character literals
/// are blanks, line for line and byte for byte.
struct Source {
    /// Path below the repository root, with `/`.
    name: String,
    text: String,
    code: String,
    /// Lines (from 1) inside a `#[cfg(test)]` item.
    test_lines: BTreeSet<usize>,
}

impl Source {
    fn new(name: String, text: String) -> Source {
        let code = blank(&text);
        let mut source = Source {
            name,
            text,
            code,
            test_lines: BTreeSet::new(),
        };
        source.test_lines = test_lines(&source);
        source
    }

    /// The top-level module this file belongs to.
    fn module(&self) -> &str {
        let below = self.name.strip_prefix("src/").unwrap_or(&self.name);
        match below.split_once('/') {
            Some((folder, _)) => folder,
            None => below.strip_suffix(".rs").unwrap_or(below),
        }
    }

    fn line_of(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    }

    fn is_test(&self, line: usize) -> bool {
        self.name.ends_with("/tests.rs")
            || self.name.contains("/tests/")
            || self.test_lines.contains(&line)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below `folder`, in order.
fn sources(folder: &str) -> Vec<Source> {
    files(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            Source::new(name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a file holds data rather than logic, which frees it from the length cap.
fn is_data(name: &str) -> bool {
    name.starts_with("src/seccomp/") && name.contains("table")
}

fn report(rule: &str, violations: Vec<String>) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}",
        violations.join("\n  ")
    );
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Offsets of `word` in `code` where it is not a part of a longer identifier.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let after = bytes.get(at + word.len()).copied();
            let first = word.as_bytes()[0];
            let last = word.as_bytes()[word.len() - 1];
            let inside = |edge, beyond: Option<u8>| is_word(edge) && beyond.is_some_and(is_word);
            !inside(first, before) && !inside(last, after)
        })
}

/// The text with comments, strings and character literals blanked; newlines stay.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' if at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b' => {
                raw_string_end(bytes, at)
            }
            b'\'' => char_end(bytes, at),
            _ => at,
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).unwrap()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| at + length)
}

fn comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        match &bytes[at..bytes.len().min(at + 2)] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a raw string that begins at `start`, or `start` when none does.
fn raw_string_end(bytes: &[u8], start: usize) -> usize {
    let hashes = bytes[start + 1..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if bytes.get(start + 1 + hashes) != Some(&b'"') {
        return start;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = start + hashes + 2;
    bytes[body..]
        .windows(close.len())
        .position(|window| window == close)
        .map_or(bytes.len(), |length| body + length + close.len())
}

/// The end of a character literal, or `start` when the quote begins a lifetime.
fn char_end(bytes: &[u8], start: usize) -> usize {
    if bytes.get(start + 1) == Some(&b'\\') {
        let rest = &bytes[(start + 3).min(bytes.len())..];
        return rest
            .iter()
            .position(|byte| *byte == b'\'')
            .map_or(start, |to| start + 4 + to);
    }
    // One character is one to four bytes.
    (2..=5)
        .find(|length| bytes.get(start + length) == Some(&b'\''))
        .filter(|length| *length == 2 || bytes[start + 1] >= 0x80)
        .map_or(start, |length| start + length + 1)
}

/// The offset behind the brace that closes the one at `open`.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The opening brace of the item that begins at `from`, or `None` when a `;` ends it first.
fn body_start(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn test_lines(source: &Source) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for attribute in ["#[cfg(test)]", "#[test]"] {
        for (at, _) in source.code.match_indices(attribute) {
            if let Some(open) = body_start(&source.code, at + attribute.len()) {
                let end = block_end(&source.code, open);
                lines.extend(source.line_of(at)..=source.line_of(end.saturating_sub(1)));
            }
        }
    }
    lines
}

/// The top-level modules that `crate::` paths of this file name, with their lines.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = &source.code;
    let mut found: Vec<(usize, String)> = Vec::new();
    for at in words(code, "crate") {
        let Some(rest) = code[at..].strip_prefix("crate::") else {
            continue;
        };
        let line = source.line_of(at);
        let rest = rest.trim_start();
        let first = |text: &str| {
            text.trim()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect()
        };
        if let Some(group) = rest.strip_prefix('{') {
            let end = block_end(rest, 0).saturating_sub(2).min(group.len());
            let mut depth = 0;
            let pieces = group[..end].split(|letter| {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                letter == ',' && depth == 0
            });
            found.extend(pieces.map(|piece| (line, first(piece))));
        } else {
            found.push((line, first(rest)));
        }
    }
    found.retain(|(_, module)| !module.is_empty());
    found
}

#[test]
fn imports_point_down() {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    let mut violations = Vec::new();
    for source in sources("src") {
        let module = source.module();
        let Some(own) = layers.get(module) else {
            violations.push(format!("{}:1: module {module} has no layer", source.name));
            continue;
        };
        for (line, other) in imports(&source) {
            match layers.get(other.as_str()) {
                Some(layer) if other == module || layer < own => {}
                Some(layer) => violations.push(format!(
                    "{}:{line}: {module} (layer {own}) imports {other} (layer {layer})",
                    source.name
                )),
                None if module == "lib" || module == "main" => {}
                None => violations.push(format!(
                    "{}:{line}: crate::{other} is not in the layer table",
                    source.name
                )),
            }
        }
    }
    report("imports point to a lower layer only", violations);
}

#[test]
fn files_and_functions_stay_short() {
    let mut violations = Vec::new();
    for source in sources("src") {
        let lines = source.text.lines().count();
        if lines > FILE_CAP && !is_data(&source.name) {
            violations.push(format!(
                "{}:{lines}: {lines} lines, cap {FILE_CAP}",
                source.name
            ));
        }
        for at in words(&source.code, "fn") {
            let name: String = source.code[at + 2..]
                .trim_start()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            let first = source.line_of(at);
            if name.is_empty() || source.is_test(first) {
                continue;
            }
            let Some(open) = body_start(&source.code, at) else {
                continue;
            };
            let length = source.line_of(block_end(&source.code, open) - 1) + 1 - first;
            if length > FUNCTION_CAP {
                violations.push(format!(
                    "{}:{first}: fn {name} has {length} lines, cap {FUNCTION_CAP}",
                    source.name
                ));
            }
        }
    }
    report("files and functions stay under their caps", violations);
}

/// Whether a `SAFETY:` comment stands above `line`, at most a statement's beginning away.
fn has_safety(source: &Source, line: usize) -> bool {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut code_lines = 0;
    for above in lines[..line].iter().rev() {
        if above.contains("SAFETY:") {
            return true;
        }
        let text = above.trim();
        if !text.starts_with("//") && !text.starts_with("#[") {
            code_lines += 1;
        }
        // The line itself and up to three lines of the same statement before it.
        if code_lines > 4 || (code_lines > 1 && (text.ends_with(';') || text.is_empty())) {
            return false;
        }
    }
    false
}

#[test]
fn unsafe_lives_in_sys_with_a_reason() {
    let mut violations = Vec::new();
    for source in sources("src") {
        for at in words(&source.code, "unsafe") {
            let line = source.line_of(at);
            let next = source.code[at + "unsafe".len()..].trim_start();
            // The attribute that gives the entry point its name has no code to be unsound.
            if source.name == "src/main.rs" && next.starts_with("(no_mangle)") {
                continue;
            }
            if !source.name.starts_with("src/sys/") {
                violations.push(format!("{}:{line}: unsafe outside src/sys", source.name));
            } else if (next.starts_with('{') || next.starts_with("impl"))
                && !has_safety(&source, line)
            {
                violations.push(format!(
                    "{}:{line}: unsafe without a SAFETY: comment",
                    source.name
                ));
            }
        }
    }
    report(
        "unsafe code is in src/sys and says why it is sound",
        violations,
    );
}

/// Refuses each of `patterns` outside the places that `allowed` names, test code excepted.
fn banned(rule: &str, patterns: &[&str], allowed: &[&str]) {
    let mut violations = Vec::new();
    for source in sources("src") {
        if allowed.iter().any(|place| source.name.starts_with(place)) {
            continue;
        }
        for pattern in patterns {
            for at in words(&source.code, pattern) {
                let line = source.line_of(at);
                if !source.is_test(line) {
                    violations.push(format!("{}:{line}: {pattern}", source.name));
                }
            }
        }
    }
    report(rule, violations);
}

#[test]
fn only_the_command_line_prints() {
    let patterns = [
        "println!",
        "print!",
        "eprintln!",
        "eprint!",
        "dbg!",
        "stdout()",
        "stderr()",
    ];
    // src/main.rs and src/lib.rs print nothing either: a panic hook belongs to cli.
    banned(
        "only src/cli writes to the standard streams",
        &patterns,
        &["src/cli/"],
    );
}

#[test]
fn only_settings_read_the_environment() {
    let patterns = [
        "env::var",
        "env::vars",
        "env::var_os",
        "env::vars_os",
        "env::set_var",
    ];
    banned(
        "only src/settings reads the environment (src/cli: NO_COLOR and TERM)",
        &patterns,
        &["src/settings/", "src/cli/"],
    );
    banned(
        "arguments are read in src/cli",
        &["env::args", "env::args_os"],
        &["src/cli/", "src/lib.rs"],
    );
}

#[test]
fn nothing_waits_by_sleeping() {
    banned(
        "waits are on a descriptor with a deadline",
        &["thread::sleep", "sleep("],
        // A registry that asks for time gets it; version 1 cgroups tell nobody when they empty.
        &["src/registry/retry.rs", "src/cgroup/place.rs"],
    );
}

#[test]
fn every_file_says_what_it_holds() {
    let mut violations = Vec::new();
    for source in ["src", "tests"].into_iter().flat_map(sources) {
        if !source.text.starts_with("//!") {
            violations.push(format!("{}:1: does not begin with //!", source.name));
        }
        let stem = Path::new(&source.name)
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap();
        let folders = source.name.split('/');
        for vague in ["util", "utils", "helper", "helpers", "misc"] {
            if stem == vague || folders.clone().any(|folder| folder == vague) {
                violations.push(format!("{}:1: a name that says nothing", source.name));
            }
        }
    }
    report("every file says what lives in it", violations);
}

#[test]
fn no_test_file_is_forgotten() {
    let mut violations = Vec::new();
    for (folder, list) in [("tests/it", "main.rs"), ("tests/harness", "mod.rs")] {
        let declared = blank(&fs::read_to_string(root().join(folder).join(list)).unwrap());
        for source in sources(folder) {
            let stem = Path::new(&source.name)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap();
            if format!("{stem}.rs") == list || stem == "mod" {
                continue;
            }
            if !words(&declared, &format!("mod {stem};")).any(|_| true) {
                violations.push(format!(
                    "{}:1: not declared in {folder}/{list}",
                    source.name
                ));
            }
        }
    }
    report("every test file is compiled", violations);
}

#[test]
fn notes_to_self_have_a_condition() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("HA", "CK"),
    ];
    let mut violations = Vec::new();
    for source in ["src", "tests"].into_iter().flat_map(sources) {
        for mark in marks {
            for at in words(&source.text, mark) {
                // A placeholder such as /tmp/XXXXXX has word characters beside it and is not met here.
                let condition = source.text[at + mark.len()..].starts_with('(');
                if !condition {
                    let line = source.line_of(at);
                    violations.push(format!(
                        "{}:{line}: {mark} without (condition)",
                        source.name
                    ));
                }
            }
        }
        for (index, line) in source.text.lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                violations.push(format!("{}:{}: trailing blank", source.name, index + 1));
            }
        }
    }
    report(
        "notes to self say when they can be done; lines have no trailing blanks",
        violations,
    );
}

/// Every file below a folder with its content.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let below = path.file_name().unwrap().to_owned();
            found.extend(
                tree(&path)
                    .into_iter()
                    .map(|(name, data)| (Path::new(&below).join(name), data)),
            );
        } else {
            found.insert(path.file_name().unwrap().into(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn man_pages_and_completions_are_fresh() {
    let made = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ketch"))
        .args(["generate-docs", "--man"])
        .arg(made.path().join("man"))
        .arg("--completions")
        .arg(made.path().join("completions"))
        .env_clear()
        .env("HOME", made.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut violations = Vec::new();
    for folder in ["man", "completions"] {
        let fresh = tree(&made.path().join(folder));
        if std::env::var_os("KETCH_BLESS").is_some() {
            bless(folder, &fresh);
        }
        let committed = tree(&root().join(folder));
        for name in fresh
            .keys()
            .chain(committed.keys())
            .collect::<BTreeSet<_>>()
        {
            if fresh.get(name) != committed.get(name) {
                violations.push(format!("{folder}/{}:1: stale", name.display()));
            }
        }
    }
    report(
        "generated pages are committed; KETCH_BLESS=1 rewrites them",
        violations,
    );
}

fn bless(folder: &str, fresh: &BTreeMap<PathBuf, Vec<u8>>) {
    let target = root().join(folder);
    for name in tree(&target).keys() {
        fs::remove_file(target.join(name)).unwrap();
    }
    for (name, data) in fresh {
        let path = target.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }
}

#[test]
fn the_blanker_keeps_lines_and_removes_text() {
    let text =
        "let a = \"{\"; // {\nlet b = '{'; /* { /* } */ { */ let c: &'a str = r#\"\"{\"#;\n}";
    let code = blank(text);
    assert_eq!(code.lines().count(), text.lines().count());
    assert_eq!(code.len(), text.len());
    assert!(!code.contains('{'), "{code}");
    assert!(code.contains("&'a str") && code.ends_with('}'));
}

#[test]
fn a_grouped_import_names_each_module() {
    let text = "//! x\nuse crate::{common::{Error, Kind}, sys, oci::Index};\nuse crate::host;\n";
    let source = Source::new("src/store/x.rs".to_owned(), text.to_owned());
    let names: Vec<String> = imports(&source).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["common", "sys", "oci", "host"]);
}
