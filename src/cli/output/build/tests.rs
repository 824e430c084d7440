//! What the progress of a build looks like.

use super::*;

fn moment(milliseconds: u64) -> Moment {
    let since = Duration::from_millis(milliseconds);
    Moment {
        since,
        clock: Duration::from_secs(1_700_000_000) + since,
    }
}

/// Two steps at once, one from the cache, one that fails.
fn told(show: &mut dyn Show, failed: bool) -> String {
    let output = |vertex, bytes: &'static str| Event::Output {
        vertex,
        error: false,
        bytes: bytes.as_bytes(),
    };
    let inputs = ["ARG V".to_owned()];
    let events = [
        (
            0,
            Event::Named {
                vertex: 7,
                name: "[1/3] FROM base",
            },
        ),
        (
            0,
            Event::Named {
                vertex: 8,
                name: "[2/3] RUN make",
            },
        ),
        (
            0,
            Event::Named {
                vertex: 9,
                name: "[other 1/1] RUN x",
            },
        ),
        (10, Event::Cached { vertex: 7 }),
        (
            20,
            Event::Missed {
                text: "RUN make",
                inputs: &inputs,
            },
        ),
        (20, Event::Started { vertex: 8 }),
        (30, Event::Started { vertex: 9 }),
        (120, output(8, "one\ntw")),
        (220, output(8, "o\u{1b}[31m\r\n50%\r100%\n")),
        (320, output(9, "\tx\u{7}\n")),
        (420, output(8, "open")),
        (520, Event::Done { vertex: 9 }),
    ];
    let mut text = String::new();
    for (at, event) in events {
        text.push_str(&show.event(&event, moment(at)));
    }
    let last = match failed {
        true => Event::Failed {
            vertex: 8,
            why: "process \"make\" failed",
        },
        false => Event::Done { vertex: 8 },
    };
    text.push_str(&show.event(&last, moment(1220)));
    text + &show.end(moment(1300), failed)
}

#[test]
fn plain_lines_stand_under_the_number_of_their_step() {
    let wanted = "\
#1 [1/3] FROM base
#1 CACHED
#? RUN make: not in the cache: ARG V

#2 [2/3] RUN make
#2 ...

#3 [other 1/1] RUN x
#3 ...

#2 [2/3] RUN make
#2 0.100 one
#2 0.200 two
#2 0.200 100%
#2 ...

#3 [other 1/1] RUN x
#3 0.290 \tx
#3 DONE 0.5s

#2 [2/3] RUN make
#2 1.200 open
#2 ERROR: process \"make\" failed
------
 > [2/3] RUN make:
0.100 one
0.200 two
0.200 100%
1.200 open
------
";
    assert_eq!(told(&mut Plain::new(), true), wanted);
    let quiet = told(&mut Plain::new(), false);
    assert!(quiet.ends_with("#2 1.200 open\n#2 DONE 1.2s\n"), "{quiet}");
}

#[test]
fn json_lines_have_the_keys_of_docker() {
    let text = told(&mut Raw::default(), true);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 13);
    let cached = &lines[3]["vertexes"][0];
    assert_eq!(cached["name"], "[1/3] FROM base");
    assert_eq!(cached["cached"], true);
    assert_eq!(cached["completed"], "2023-11-14T22:13:20.01Z");
    assert_eq!(cached["digest"], lines[0]["vertexes"][0]["digest"]);
    let log = &lines[7]["logs"][0];
    assert_eq!(
        (&log["stream"], &log["data"]),
        (&1.into(), &"b25lCnR3".into())
    );
    assert_eq!(lines[12]["vertexes"][0]["error"], "process \"make\" failed");
}

/// What a terminal shows after these bytes: only the two commands that are used.
fn screen(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(command) = rest.strip_prefix("\u{1b}[J") {
            rest = command;
            continue;
        }
        if let Some(command) = rest.strip_prefix("\u{1b}[") {
            let (count, behind) = command.split_once('A').unwrap();
            let count: usize = count.parse().unwrap();
            lines.truncate(lines.len() - count);
            *lines.last_mut().unwrap() = String::new();
            rest = behind;
            continue;
        }
        match letter {
            '\n' => lines.push(String::new()),
            letter => lines.last_mut().unwrap().push(letter),
        }
        rest = &rest[letter.len_utf8()..];
    }
    lines
}

#[test]
fn a_terminal_keeps_one_line_of_each_finished_step() {
    let size = || Some((40, 20));
    let mut terminal = Terminal::sized(size);
    let shown = screen(&told(&mut terminal, false));
    let line = |text: &str, time: &str| format!("{text:<35}{time}");
    let wanted = [
        line(" => CACHED [1/3] FROM base", "0.0s"),
        " => RUN make: not in the cache: ARG V".to_owned(),
        line(" => [other 1/1] RUN x", "0.5s"),
        line(" => [2/3] RUN make", "1.2s"),
        "[+] Building 1.3s (3/3) FINISHED".to_owned(),
        String::new(),
    ];
    assert_eq!(shown, wanted);
    let failed = told(&mut Terminal::sized(size), true);
    let shown = screen(&failed);
    assert!(
        shown.contains(&line(" => ERROR [2/3] RUN make", "1.2s")),
        "{shown:?}"
    );
    assert!(shown.contains(&" > [2/3] RUN make:".to_owned()));
    assert!(shown.contains(&"1.200 open".to_owned()));
}

#[test]
fn a_terminal_draws_no_more_than_it_has_room_for() {
    let size = || Some((30, 8));
    let mut terminal = Terminal::sized(size);
    let mut last = String::new();
    for vertex in 0..20 {
        let name = "RUN a very long command that does not fit";
        terminal.event(&Event::Named { vertex, name }, moment(0));
        terminal.event(&Event::Started { vertex }, moment(1));
        let bytes = "line of output that is long\n".repeat(10);
        let bytes = bytes.as_bytes();
        let event = Event::Output {
            vertex,
            error: true,
            bytes,
        };
        last = terminal.event(&event, moment(1000 * (vertex as u64 + 1)));
    }
    let last = last.rsplit("\u{1b}[J").next().unwrap();
    assert!(last.lines().count() < 8, "{last}");
    assert!(last.lines().all(|line| line.chars().count() < 30), "{last}");
}

#[test]
fn styles_are_named_as_in_docker() {
    assert_eq!(Style::parse("plain"), Some(Style::Plain));
    assert_eq!(Style::parse("rawjson"), Some(Style::RawJson));
    assert_eq!(Style::parse("quiet"), Some(Style::Quiet));
    assert_eq!(Style::parse("tty"), Some(Style::Tty));
    assert_eq!(Style::parse("fancy"), None);
}
