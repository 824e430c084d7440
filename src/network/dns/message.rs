//! Messages of the domain name system (RFC 1035, RFC 6891), as far as a resolver for containers
//! needs them: one question is read, and answered with addresses or names, or passed on whole.

use std::net::IpAddr;

/// Type of an IPv4 address.
pub(super) const A: u16 = 1;
/// Type of a name for an address.
pub(super) const PTR: u16 = 12;
/// Type of an IPv6 address.
pub(super) const AAAA: u16 = 28;
/// Type of the extension record.
const OPT: u16 = 41;
/// The one class.
const INTERNET: u16 = 1;
/// Bytes of a header.
const HEADER: usize = 12;
/// Most bytes of a datagram where the client says nothing.
const PLAIN: usize = 512;
/// Most bytes of a datagram that we send.
const MOST: usize = 1232;
/// Seconds that an answer may be kept: containers come and go.
const KEEP: u32 = 0;

/// No error.
pub(super) const NO_ERROR: u8 = 0;
/// A question that is none.
const FORMAT_ERROR: u8 = 1;
/// Nobody could be asked.
pub(super) const SERVER_FAILURE: u8 = 2;
/// There is no such name.
pub(super) const NO_NAME: u8 = 3;
/// What is not done for this client.
pub(super) const REFUSED: u8 = 5;
/// Something else than a question.
const NOT_IMPLEMENTED: u8 = 4;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The client's number for it.
    pub(super) id: u16,
    /// The client wants others asked.
    recursion: bool,
    /// The name in lower case, without the last dot.
    pub(super) name: String,
    /// The type that is asked for.
    pub(super) kind: u16,
    /// The class is the internet's.
    pub(super) is_internet: bool,
    /// The question as it came.
    question: Vec<u8>,
    /// The client speaks the extensions, and takes this many bytes.
    extended: Option<u16>,
}

/// What is said of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    /// An address.
    Address(IpAddr),
    /// A name, without the last dot.
    Name(String),
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Reads a question. An error is the answer to send, or none for what is no question at all.
pub(super) fn parse(bytes: &[u8]) -> Result<Query, Option<Vec<u8>>> {
    let (Some(id), Some(flags)) = (number(bytes, 0), number(bytes, 2)) else {
        return Err(None);
    };
    // Answers are never answered: two resolvers would talk for ever.
    if flags & 0x8000 != 0 {
        return Err(None);
    }
    let refuse = |code| Err(Some(refusal(id, flags, code)));
    if flags & 0x7800 != 0 {
        return refuse(NOT_IMPLEMENTED);
    }
    if number(bytes, 4) != Some(1) {
        return refuse(FORMAT_ERROR);
    }
    let Some((name, end)) = read_name(bytes, HEADER) else {
        return refuse(FORMAT_ERROR);
    };
    let (Some(kind), Some(class)) = (number(bytes, end), number(bytes, end + 2)) else {
        return refuse(FORMAT_ERROR);
    };
    let question = bytes.get(HEADER..end + 4).unwrap_or_default().to_vec();
    Ok(Query {
        id,
        recursion: flags & 0x0100 != 0,
        name,
        kind,
        is_internet: class == INTERNET,
        question,
        extended: extension(bytes, end + 4),
    })
}

/// A name without compression: a first question has nothing to point to.
fn read_name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            return Some((name, at));
        }
        if length > 63 || name.len() + length > 253 {
            return None;
        }
        if !name.is_empty() {
            name.push('.');
        }
        let label = bytes.get(at..at + length)?;
        // A dot inside of a label is another name than the one with two labels.
        name.extend(label.iter().map(|&byte| match byte {
            b'.' | 0x80.. => '\u{fffd}',
            _ => char::from(byte.to_ascii_lowercase()),
        }));
        at += length;
    }
}

/// The size that an extension record right behind the question gives.
fn extension(bytes: &[u8], at: usize) -> Option<u16> {
    let none_between = number(bytes, 6)? == 0 && number(bytes, 8)? == 0 && number(bytes, 10)? > 0;
    let is_root = *bytes.get(at)? == 0;
    (none_between && is_root && number(bytes, at + 1)? == OPT).then(|| number(bytes, at + 3))?
}

/// The code of an answer to `asked`, which is `query` under another number; `None` for what is no
/// answer to that: number and question have to be the same.
pub(super) fn code_of(answer: &[u8], asked: &[u8], query: &Query) -> Option<u8> {
    let flags = number(answer, 2)?;
    let is_answer = flags & 0x8000 != 0 && number(answer, 0)? == number(asked, 0)?;
    let code = u8::try_from(flags & 15).ok()?;
    let own = answer.get(HEADER..HEADER + query.question.len());
    let same = match number(answer, 4)? {
        // A refusal without the question.
        0 => code != NO_ERROR,
        count => count == 1 && own.is_some_and(|own| own.eq_ignore_ascii_case(&query.question)),
    };
    (is_answer && same).then_some(code)
}

/// Whether another server would say the same.
pub(super) fn is_final(code: u8) -> bool {
    matches!(code, NO_ERROR | NO_NAME)
}

fn refusal(id: u16, flags: u16, code: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(HEADER);
    let flags = 0x8080 | flags & 0x7900 | u16::from(code);
    for word in [id, flags, 0, 0, 0, 0] {
        text.extend(word.to_be_bytes());
    }
    text
}

/// The type and the bytes of a record.
fn encode(data: &Data) -> (u16, Vec<u8>) {
    match data {
        Data::Address(IpAddr::V4(ip)) => (A, ip.octets().to_vec()),
        Data::Address(IpAddr::V6(ip)) => (AAAA, ip.octets().to_vec()),
        Data::Name(name) => {
            let mut bytes = Vec::new();
            for label in name.split('.').filter(|label| !label.is_empty()) {
                let label = &label.as_bytes()[..label.len().min(63)];
                bytes.push(u8::try_from(label.len()).unwrap_or_default());
                bytes.extend(label);
            }
            bytes.push(0);
            (PTR, bytes)
        }
    }
}

impl Query {
    /// Most bytes of an answer in a datagram.
    pub(super) fn room(&self) -> usize {
        self.extended
            .map_or(PLAIN, |size| usize::from(size).clamp(PLAIN, MOST))
    }

    /// An answer; where it is longer than `room` it says so instead, and the client asks again by
    /// a stream.
    pub(super) fn answer(&self, code: u8, records: &[Data], room: usize) -> Vec<u8> {
        let whole = self.encode(code, records, false);
        if whole.len() <= room {
            return whole;
        }
        self.encode(code, &[], true)
    }

    fn encode(&self, code: u8, records: &[Data], truncated: bool) -> Vec<u8> {
        let mut flags = 0x8080 | u16::from(code);
        flags |= if self.recursion { 0x0100 } else { 0 };
        flags |= if truncated { 0x0200 } else { 0 };
        let count = u16::try_from(records.len()).unwrap_or_default();
        let mut text = Vec::with_capacity(PLAIN);
        let extra = u16::from(self.extended.is_some());
        for word in [self.id, flags, 1, count, 0, extra] {
            text.extend(word.to_be_bytes());
        }
        text.extend(&self.question);
        for record in records {
            let (kind, bytes) = encode(record);
            // The name of the question.
            text.extend(0xC00C_u16.to_be_bytes());
            text.extend(kind.to_be_bytes());
            text.extend(INTERNET.to_be_bytes());
            text.extend(KEEP.to_be_bytes());
            text.extend(u16::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
            text.extend(bytes);
        }
        if extra == 1 {
            text.push(0);
            text.extend(OPT.to_be_bytes());
            text.extend(u16::try_from(MOST).unwrap_or_default().to_be_bytes());
            text.extend([0; 6]);
        }
        text
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A question for `name` as a client writes it.
    pub(in crate::network::dns) fn question(name: &str, kind: u16) -> Vec<u8> {
        let mut text = Vec::new();
        for word in [0x1234_u16, 0x0100, 1, 0, 0, 0] {
            text.extend(word.to_be_bytes());
        }
        text.extend(encode(&Data::Name(name.to_owned())).1);
        text.extend(kind.to_be_bytes());
        text.extend(INTERNET.to_be_bytes());
        text
    }

    #[test]
    fn a_question_is_read_and_answered() {
        let query = parse(&question("Db.Example", A)).unwrap();
        assert_eq!((query.name.as_str(), query.kind), ("db.example", A));
        let ip = IpAddr::from([10, 0, 0, 7]);
        let answer = query.answer(NO_ERROR, &[Data::Address(ip)], query.room());
        assert_eq!(answer[..4], [0x12, 0x34, 0x81, 0x80]);
        assert_eq!(answer[6..8], [0, 1]);
        assert_eq!(answer[answer.len() - 4..], [10, 0, 0, 7]);
    }

    #[test]
    fn what_does_not_fit_is_asked_for_by_a_stream() {
        let query = parse(&question("db", A)).unwrap();
        let many = vec![Data::Address(IpAddr::from([10, 0, 0, 7])); 100];
        let short = query.answer(NO_ERROR, &many, query.room());
        assert!(short.len() <= 512 && short[2] & 2 == 2 && short[7] == 0);
        assert!(query.answer(NO_ERROR, &many, usize::MAX).len() > 1600);
    }

    #[test]
    fn hostile_bytes_are_no_question() {
        let good = question("db", A);
        for end in 0..good.len() {
            assert!(parse(&good[..end]).is_err(), "{end}");
        }
        for at in 0..good.len() {
            for byte in 0..=255 {
                let mut bad = good.clone();
                bad[at] = byte;
                let _ = parse(&bad);
            }
        }
        // A name that points to itself, and an answer.
        let mut bad = good.clone();
        bad[12] = 0xc0;
        assert!(parse(&bad).is_err());
        let mut answer = good;
        answer[2] |= 0x80;
        assert_eq!(parse(&answer), Err(None));
    }
}
