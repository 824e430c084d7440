//! ps's options as `top` takes them: which columns, with which headings.

use crate::common::{Error, Result};
use crate::engine::container::Descriptor;

/// Columns and their headings.
type Columns = Vec<(Descriptor, String)>;

/// What `-f` shows.
const FULL: &str = "user=UID,pid,ppid,c,stime,tty,time,cmd";
/// What `u` shows.
const USER: &str = "user,pid,pcpu,pmem,vsz,rss,tty,stat,start,bsdtime,command";
/// What other BSD options show.
const BSD: &str = "pid,tty,stat,bsdtime,command";
/// What other options show.
const SHORT: &str = "pid,tty,time,comm=CMD";
/// podman's columns.
const PODMAN: &str = "user,pid,ppid,pcpu,etime,tty,time,args";

/// The columns that `words` ask for: options of ps, or in podman's way the names of columns.
pub(crate) fn columns(words: &[String], podman: bool) -> Result<Columns> {
    let named = |words: &[String]| !words.iter().any(|word| word.starts_with('-'));
    if podman && named(words) {
        let list = match words.is_empty() {
            true => PODMAN.to_owned(),
            false => words.join(",").to_ascii_lowercase(),
        };
        return list.split(',').map(inner).collect();
    }
    // docker hands over one line, in which blanks separate.
    let mut words = words.iter().flat_map(|word| word.split_ascii_whitespace());
    let (mut columns, mut preset) = (Columns::new(), None);
    while let Some(word) = words.next() {
        if let Some(list) = word.strip_prefix("--format") {
            let list = list.strip_prefix('=').or_else(|| words.next());
            columns.extend(format(list.unwrap_or(""))?);
            continue;
        }
        let letters = word.strip_prefix('-').unwrap_or(word);
        for (at, letter) in letters.char_indices() {
            match letter {
                'e' | 'A' | 'a' | 'd' | 'w' | 'x' => {
                    let bsd = !word.starts_with('-') || matches!(letter, 'x');
                    preset = preset.or(Some(if bsd { BSD } else { SHORT }));
                }
                'f' if word.starts_with('-') => preset = Some(FULL),
                'u' => preset = Some(USER),
                'o' => {
                    let rest = &letters[at + 1..];
                    let list = if rest.is_empty() {
                        words.next()
                    } else {
                        Some(rest)
                    };
                    columns.extend(format(list.unwrap_or(""))?);
                    break;
                }
                _ => return Err(unknown("option", word)),
            }
        }
    }
    match columns.is_empty() {
        true => format(preset.unwrap_or(FULL)),
        false => Ok(columns),
    }
}

/// A list of `-o`; a heading after `=` goes on to the end of the list, as in ps, but not in the
/// lists above.
fn format(list: &str) -> Result<Columns> {
    if list.is_empty() {
        return Err(unknown("list of columns", list));
    }
    list.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, heading) = match part.split_once('=') {
                Some((name, heading)) => (name, Some(heading)),
                None => (part, None),
            };
            let (column, usual) = Descriptor::find(name).ok_or_else(|| unknown("column", name))?;
            Ok((column, heading.unwrap_or(usual).to_owned()))
        })
        .collect()
}

/// podman's columns are what the container sees, but for those that begin with `h`.
fn inner(name: &str) -> Result<(Descriptor, String)> {
    let (column, heading) = Descriptor::find(name).ok_or_else(|| unknown("column", name))?;
    let column = match column {
        Descriptor::Pid if name == "pid" => Descriptor::InnerPid,
        Descriptor::Parent => Descriptor::InnerParent,
        Descriptor::User => Descriptor::InnerUser,
        other => other,
    };
    Ok((column, heading.to_owned()))
}

fn unknown(what: &str, word: &str) -> Error {
    Error::usage(
        "top",
        format!("{word:?}"),
        format!("an unknown {what} of ps"),
    )
    .hint("use -ef, aux or -eo with names such as pid,ppid,user,comm,args,etime,time,rss")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(words: &[&str], podman: bool) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        match columns(&words, podman) {
            Ok(columns) => {
                let headings: Vec<String> = columns.into_iter().map(|column| column.1).collect();
                headings.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn options_of_ps_name_columns() {
        let full = "UID PID PPID C STIME TTY TIME CMD";
        assert_eq!(headings(&[], false), full);
        assert_eq!(headings(&["-ef"], false), full);
        assert_eq!(headings(&["-e", "-f"], false), full);
        assert_eq!(
            headings(&["aux"], false),
            "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"
        );
        assert_eq!(
            headings(&["-aux"], false),
            "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"
        );
        assert_eq!(headings(&["ax"], false), "PID TTY STAT TIME COMMAND");
        assert_eq!(headings(&["-e"], false), "PID TTY TIME CMD");
        assert_eq!(headings(&["-eo", "pid,comm"], false), "PID COMMAND");
        assert_eq!(headings(&["-eo pid,comm"], false), "PID COMMAND");
        assert_eq!(headings(&["-opid,user=WHO"], false), "PID WHO");
        assert_eq!(headings(&["axo", "args"], false), "COMMAND");
        assert_eq!(headings(&["-o", "pid", "-o", "ppid"], false), "PID PPID");
        assert_eq!(headings(&["--format=pid"], false), "PID");
        for words in [&["-o"][..], &["-o", "nonsense"], &["-Z"], &["-o", ""]] {
            assert!(headings(words, false).contains("top"), "{words:?}");
        }
    }

    #[test]
    fn podman_names_columns_themselves() {
        assert_eq!(
            headings(&[], true),
            "USER PID PPID %CPU ELAPSED TTY TIME COMMAND"
        );
        assert_eq!(headings(&["pid", "hpid,comm"], true), "PID HPID COMMAND");
        assert_eq!(headings(&["-eo", "pid,comm"], true), "PID COMMAND");
        assert!(headings(&["nonsense"], true).contains("nonsense"));
    }
}
