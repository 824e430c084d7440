//! Bytes that are no Dockerfile.

use super::*;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed: &[u8] = b"# syntax=a\n# escape=`\nARG A=1\nFROM --platform=$A b:${A:-1} AS c\nRUN \
        --mount=type=cache,target=/x <<E cat 3<<-\"F\"\nx\nE\n\tF\nCOPY [\"a\", \"b\"]\nENV a=\"b c\" \
        d='e' f\\ g=${h/i/j}\nHEALTHCHECK --interval=5s CMD x\nONBUILD COPY <<E /x\ny\nE\nADD a \\\n\
        # c\n\n b\nLABEL \xc3\xa9=\xff\nSHELL [\"x\"]\nVOLUME /v\nEXPOSE 1 2\nCMD [\"x\"]";
    let pieces: [&[u8]; 20] = [
        b"<<",
        b"-",
        b"\\",
        b"\n",
        b"\"",
        b"'",
        b"${",
        b"}",
        b"[",
        b"]",
        b"--",
        b"=",
        b"#",
        b" ",
        b"\t",
        b"\0",
        b"\xc3",
        b"\xe2\x80\xa8",
        b"\r\n",
        b"ONBUILD ",
    ];
    let mut dice = Dice(7);
    for _ in 0..4000 {
        let mut text = seed.to_vec();
        for _ in 0..=dice.roll(6) {
            let at = dice.roll(text.len() + 1);
            match dice.roll(4) {
                0 => text.truncate(at),
                1 => {
                    let end = (at + dice.roll(30)).min(text.len());
                    text.drain(at..end);
                }
                2 => {
                    let piece = pieces[dice.roll(pieces.len())];
                    text.splice(at..at, piece.iter().copied());
                }
                _ => {
                    let byte = u8::try_from(dice.roll(256)).unwrap();
                    text.splice(at..at, [byte]);
                }
            }
        }
        if let Ok(file) = parse(&text, "Dockerfile") {
            lint::tests::all(&file);
            for stage in &file.stages {
                for one in &stage.instructions {
                    file.excerpt(one.span);
                    let _ = expand(&one.source, '\\', &|_| Some("x*".to_owned()));
                }
            }
        }
    }
}

#[test]
fn deep_and_long_files_end() {
    let long = format!("FROM a\nRUN {}", "x ".repeat(200_000));
    assert_eq!(read(&long).stages[0].instructions.len(), 1);
    let many = format!("FROM a\n{}", "RUN x\n".repeat(20_000 - 1));
    assert_eq!(read(&many).stages[0].instructions.len(), 19_999);
    let more = format!("{many}RUN x\n");
    let error = parse(more.as_bytes(), "x").unwrap_err();
    assert!(error.message.contains("more than 20000 instructions"));
    let joined = format!("FROM a\nRUN {}", "x \\\n".repeat(50_000));
    assert_eq!(read(&joined).stages[0].instructions.len(), 1);
    let nested = format!("FROM a\nCMD {}", "[".repeat(100_000));
    assert!(matches!(
        read(&nested).stages[0].instructions[0].kind,
        Kind::Cmd(Command::Shell(_))
    ));
    let chain = format!("FROM a\n{}RUN x", "ONBUILD ".repeat(100_000));
    assert!(parse(chain.as_bytes(), "x").is_err());
    let documents = format!(
        "FROM a\nRUN {}\n{}",
        "<<E ".repeat(20_000),
        "E\n".repeat(20_000)
    );
    assert_eq!(
        body(documents.strip_prefix("FROM a\n").unwrap())[0]
            .heredocs
            .len(),
        20_000
    );
    let large = vec![b'#'; (16 << 20) + 1];
    assert!(
        parse(&large, "x")
            .unwrap_err()
            .message
            .contains("larger than")
    );
}
