//! Elements of the packet filter's sets (nf_tables, Linux 3.13), added and removed without a
//! program: a rule stands for all containers, and each adds its own elements to what it looks in.

use super::{Message, Netlink, Request, attribute, attributes, text};
use crate::common::{Error, Kind, Result};

/// Subsystem of a message's type (`NFNL_SUBSYS_NFTABLES`).
const SUBSYSTEM: u16 = 10;
const NFT_MSG_GETTABLE: u16 = 1;
const NFT_MSG_DELTABLE: u16 = 2;
const NFT_MSG_NEWSETELEM: u16 = 12;
const NFT_MSG_GETSETELEM: u16 = 13;
const NFT_MSG_DELSETELEM: u16 = 14;
const NFT_MSG_GETGEN: u16 = 16;

const NFNL_BATCH_GENID: u16 = 1;
const NFTA_GEN_ID: u16 = 1;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_LIST_TABLE: u16 = 1;
const NFTA_LIST_SET: u16 = 2;
const NFTA_LIST_ELEMENTS: u16 = 3;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_ELEM_KEY: u16 = 1;
const NFTA_ELEM_DATA: u16 = 2;
const NFTA_ELEM_FLAGS: u16 = 3;
const NFTA_ELEM_USERDATA: u16 = 6;
const NFTA_ELEM_KEY_END: u16 = 10;
const NFTA_DATA_VALUE: u16 = 1;
/// The element is where an interval has ended (`NFT_SET_ELEM_INTERVAL_END`).
const INTERVAL_END: u32 = 1;
/// The user data is a comment, as nft(8) shows it (`NFTNL_UDATA_SET_ELEM_COMMENT`).
const COMMENT: u8 = 0;
/// Size of `struct nfgenmsg`.
const HEAD: usize = 4;
/// Largest part of a transaction in bytes: below what a socket takes in one message.
const BATCH: usize = 64 * 1024;

/// Family of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4 and IPv6 (`NFPROTO_INET`).
    Inet,
    /// IPv4 alone.
    Ip,
    /// IPv6 alone.
    Ip6,
    /// Frames of bridges (`NFPROTO_BRIDGE`).
    Bridge,
}

impl Family {
    fn number(self) -> u8 {
        match self {
            Family::Inet => 1,
            Family::Ip => 2,
            Family::Ip6 => 10,
            Family::Bridge => 7,
        }
    }
}

/// A set or map of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Set {
    /// Family of its table.
    pub(crate) family: Family,
    /// Its table.
    pub(crate) table: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
}

/// An element. The fields of its key come one after the other, each padded to four bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// The set it is in.
    pub(crate) set: Set,
    /// What is looked for.
    pub(crate) key: Vec<u8>,
    /// The last key of a range, of sets with several fields (Linux 5.6).
    pub(crate) key_end: Option<Vec<u8>>,
    /// What a map gives for it.
    pub(crate) data: Option<Vec<u8>>,
    /// Whose it is: its comment.
    pub(crate) owner: String,
    /// It marks the key at which an interval has ended, of sets with one field.
    pub(crate) ends: bool,
}

impl Element {
    /// An element of a set whose keys are single values.
    pub(crate) fn new(set: Set, key: Vec<u8>, owner: &str) -> Element {
        Element {
            set,
            key,
            key_end: None,
            data: None,
            owner: owner.to_owned(),
            ends: false,
        }
    }

    fn write(&self, list: &mut Request, with_content: bool) {
        list.nest(NFTA_LIST_ELEM, |element| {
            let value = |request: &mut Request, kind: u16, bytes: &[u8]| {
                request.nest(kind, |data| {
                    data.bytes(NFTA_DATA_VALUE, bytes);
                });
            };
            value(element, NFTA_ELEM_KEY, &self.key);
            if let Some(end) = &self.key_end {
                value(element, NFTA_ELEM_KEY_END, end);
            }
            if self.ends {
                element.big(NFTA_ELEM_FLAGS, INTERVAL_END);
            }
            if let (Some(data), true) = (&self.data, with_content) {
                value(element, NFTA_ELEM_DATA, data);
            }
            // A mark where an interval ends has no comment in nft(8) either.
            if with_content && !self.ends {
                element.bytes(NFTA_ELEM_USERDATA, &comment(&self.owner));
            }
        });
    }

    fn read(set: Set, bytes: &[u8]) -> Option<Element> {
        let value = |kind| attribute(attribute(bytes, kind)?, NFTA_DATA_VALUE).map(<[u8]>::to_vec);
        let flags = attribute(bytes, NFTA_ELEM_FLAGS)
            .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
            .map_or(0, u32::from_be_bytes);
        Some(Element {
            set,
            key: value(NFTA_ELEM_KEY)?,
            key_end: value(NFTA_ELEM_KEY_END),
            data: value(NFTA_ELEM_DATA),
            owner: attribute(bytes, NFTA_ELEM_USERDATA)
                .map(owner)
                .unwrap_or_default(),
            ends: flags & INTERVAL_END != 0,
        })
    }
}

/// User data that holds `text` as a comment; what is too long for nft(8) is cut.
fn comment(text: &str) -> Vec<u8> {
    let text = &text.as_bytes()[..text.len().min(127)];
    let mut bytes = vec![COMMENT, text.len() as u8 + 1];
    bytes.extend_from_slice(text);
    bytes.push(0);
    bytes
}

/// The comment in user data.
fn owner(mut bytes: &[u8]) -> String {
    while let [kind, length, rest @ ..] = bytes {
        let Some(value) = rest.get(..usize::from(*length)) else {
            break;
        };
        if *kind == COMMENT {
            return text(value);
        }
        bytes = &rest[usize::from(*length)..];
    }
    String::new()
}

fn head(family: u8, resource: u16) -> [u8; HEAD] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

fn request(operation: &'static str, set: Set, kind: u16, flags: i32) -> Request {
    let object = format!("{} of table {}", set.name, set.table);
    let kind = SUBSYSTEM << 8 | kind;
    let mut request = Request::new(
        operation,
        object,
        kind,
        flags,
        &head(set.family.number(), 0),
    );
    request.text(NFTA_LIST_TABLE, set.table);
    request.text(NFTA_LIST_SET, set.name);
    request
}

/// What frames a transaction.
fn frame(kind: i32) -> Request {
    let operation = "change packet filter";
    Request::new(operation, "", kind as u16, 0, &head(0, SUBSYSTEM))
}

/// Whether a transaction was refused because of another one before it.
pub(crate) fn is_outdated(error: &Error) -> bool {
    error.raw_os_error() == Some(libc::ERESTART)
}

impl Netlink {
    /// Whether the packet filter has this table.
    pub(crate) fn has_table(&mut self, family: Family, table: &str) -> Result<bool> {
        let kind = SUBSYSTEM << 8 | NFT_MSG_GETTABLE;
        let operation = "look for packet filter table";
        let mut request = Request::new(operation, table, kind, 0, &head(family.number(), 0));
        request.text(NFTA_TABLE_NAME, table);
        Ok(self.get(&request)?.is_some())
    }

    /// Removes a table with all that is in it; none is no error.
    pub(crate) fn delete_table(&mut self, family: Family, table: &str) -> Result<()> {
        let kind = SUBSYSTEM << 8 | NFT_MSG_DELTABLE;
        let operation = "remove packet filter table";
        let mut request = Request::new(operation, table, kind, 0, &head(family.number(), 0))
            .tolerating(&[libc::ENOENT]);
        request.text(NFTA_TABLE_NAME, table);
        self.transact(
            &frame(libc::NFNL_MSG_BATCH_BEGIN),
            &[request],
            &frame(libc::NFNL_MSG_BATCH_END),
        )
    }

    /// The number of the packet filter's last change.
    pub(crate) fn generation(&mut self) -> Result<u32> {
        let kind = SUBSYSTEM << 8 | NFT_MSG_GETGEN;
        let request = Request::new("read packet filter", "", kind, 0, &head(0, 0));
        let answer = self.get(&request)?;
        let found = answer
            .as_ref()
            .and_then(|message| attribute(message.body.get(HEAD..)?, NFTA_GEN_ID))
            .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        Ok(found.map_or(0, u32::from_be_bytes))
    }

    /// Adds all of `elements` or none; those that are there are no error.
    pub(crate) fn add_elements(&mut self, elements: &[Element]) -> Result<()> {
        let begin = frame(libc::NFNL_MSG_BATCH_BEGIN);
        self.change("add to packet filter", NFT_MSG_NEWSETELEM, elements, &begin)
    }

    /// Removes all of `elements`, if nothing has changed since `generation`: a key says nothing
    /// of who has it.
    ///
    /// # Errors
    /// One that [`is_outdated`]; then none is removed.
    pub(crate) fn delete_elements(&mut self, elements: &[Element], generation: u32) -> Result<()> {
        let mut begin = frame(libc::NFNL_MSG_BATCH_BEGIN);
        begin.big(NFNL_BATCH_GENID, generation);
        self.change(
            "remove from packet filter",
            NFT_MSG_DELSETELEM,
            elements,
            &begin,
        )
    }

    fn change(
        &mut self,
        operation: &'static str,
        kind: u16,
        elements: &[Element],
        begin: &Request,
    ) -> Result<()> {
        if elements.is_empty() {
            return Ok(());
        }
        let adds = kind == NFT_MSG_NEWSETELEM;
        let flags = if adds { libc::NLM_F_CREATE } else { 0 };
        let mut requests = Vec::new();
        for group in elements.chunk_by(|one, next| one.set == next.set) {
            // The length of an attribute has sixteen bits.
            for part in group.chunks(128) {
                let mut request = request(operation, part[0].set, kind, flags);
                request.nest(NFTA_LIST_ELEMENTS, |list| {
                    part.iter().for_each(|element| element.write(list, adds));
                });
                requests.push(request);
            }
        }
        let size: usize = requests.iter().map(Request::len).sum();
        if size > BATCH {
            let why = format!("{size} bytes of changes at once; the limit is {BATCH}");
            return Err(Error::new(Kind::Exhausted, operation, "").because(why));
        }
        self.transact(begin, &requests, &frame(libc::NFNL_MSG_BATCH_END))
    }

    /// The elements of a set; none when there is no such set.
    pub(crate) fn elements(&mut self, set: Set) -> Result<Vec<Element>> {
        let request = request("list packet filter", set, NFT_MSG_GETSETELEM, 0);
        let messages = match self.list(&request) {
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        Ok(messages
            .iter()
            .flat_map(|message| of(set, message))
            .collect())
    }
}

/// The elements in one message of a list.
fn of(set: Set, message: &Message) -> Vec<Element> {
    let rest = message.body.get(HEAD..).unwrap_or(&[]);
    let list = attribute(rest, NFTA_LIST_ELEMENTS).unwrap_or(&[]);
    let mine = attributes(list).filter(|(kind, _)| *kind == NFTA_LIST_ELEM);
    mine.filter_map(|(_, bytes)| Element::read(set, bytes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Set = Set {
        family: Family::Inet,
        table: "t",
        name: "s",
    };

    #[test]
    fn an_element_is_read_as_it_was_written() {
        let mut element = Element::new(SET, vec![1, 2, 3, 4], "owner");
        element.key_end = Some(vec![1, 2, 3, 9]);
        element.data = Some(vec![5, 6, 7, 8]);
        let mut list = Request::new("", "", 0, 0, &[]);
        element.write(&mut list, true);
        let mut bytes = Vec::new();
        list.finish(1, 0, &mut bytes);
        let body = &super::super::message::split(&bytes)[0].body;
        let inner = attribute(body, NFTA_LIST_ELEM).unwrap();
        assert_eq!(Element::read(SET, inner), Some(element));
    }

    #[test]
    fn user_data_of_others_is_no_comment() {
        assert_eq!(owner(&comment("abc")), "abc");
        assert_eq!(owner(&[9, 1, 7, 0, 2, b'x', 0]), "x");
        for broken in [&[][..], &[0], &[0, 9, 1], &[7, 0]] {
            assert_eq!(owner(broken), "");
        }
    }
}
