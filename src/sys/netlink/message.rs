//! The bytes of netlink messages (netlink(7)): a header, a fixed part, then attributes that nest.
//!
//! Everything is in the machine's own byte order except where an attribute says otherwise; every
//! part is padded to four bytes.

use std::net::IpAddr;

/// Size of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;
/// Marks an attribute that holds attributes (`NLA_F_NESTED`).
const NESTED: u16 = 1 << 15;
/// What of an attribute's type is the type (`NLA_TYPE_MASK`).
const TYPE: u16 = 0x3fff;

/// One request, and what it does for whom, to be said when it fails.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Verb phrase: "add network interface".
    pub(crate) operation: &'static str,
    /// What it is done to.
    pub(crate) object: String,
    /// Errors (errno numbers) that mean that all is well: what is to be added is there, what is
    /// to be removed is gone.
    pub(crate) tolerated: &'static [i32],
    bytes: Vec<u8>,
}

impl Request {
    /// A request of the type `kind` with `flags` besides `NLM_F_REQUEST` and the fixed part
    /// `body`.
    pub(crate) fn new(
        operation: &'static str,
        object: impl Into<String>,
        kind: u16,
        flags: i32,
        body: &[u8],
    ) -> Request {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        let flags = (flags | libc::NLM_F_REQUEST) as u16;
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(body);
        pad(&mut bytes);
        Request {
            operation,
            object: object.into(),
            tolerated: &[],
            bytes,
        }
    }

    /// Takes these errors for success.
    pub(crate) fn tolerating(mut self, errors: &'static [i32]) -> Request {
        self.tolerated = errors;
        self
    }

    /// Adds an attribute with these bytes.
    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) -> &mut Request {
        let length = (4 + value.len()) as u16;
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        pad(&mut self.bytes);
        self
    }

    /// Adds an attribute with a string and the zero byte that ends it.
    pub(crate) fn text(&mut self, kind: u16, value: &str) -> &mut Request {
        let mut ended = value.as_bytes().to_vec();
        ended.push(0);
        self.bytes(kind, &ended)
    }

    /// Adds an attribute with a number in the machine's byte order.
    pub(crate) fn number(&mut self, kind: u16, value: u32) -> &mut Request {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Adds an attribute with a number in network byte order, as netfilter has them.
    pub(crate) fn big(&mut self, kind: u16, value: u32) -> &mut Request {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Adds an attribute with one byte.
    pub(crate) fn byte(&mut self, kind: u16, value: u8) -> &mut Request {
        self.bytes(kind, &[value])
    }

    /// Adds an attribute with an address: four bytes or sixteen.
    pub(crate) fn address(&mut self, kind: u16, address: IpAddr) -> &mut Request {
        match address {
            IpAddr::V4(four) => self.bytes(kind, &four.octets()),
            IpAddr::V6(six) => self.bytes(kind, &six.octets()),
        }
    }

    /// Adds an attribute that holds what `fill` adds.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Request)) -> &mut Request {
        let start = self.bytes.len();
        self.bytes(kind | NESTED, &[]);
        fill(self);
        let length = (self.bytes.len() - start) as u16;
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    /// Adds bytes without a head: the fixed part of a message inside an attribute.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Request {
        self.bytes.extend_from_slice(bytes);
        pad(&mut self.bytes);
        self
    }

    /// Length of the whole message so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds the finished message to `out` under the number `sequence`, with flags besides its own.
    pub(super) fn finish(&self, sequence: u32, flags: u16, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let head = &mut out[start..];
        head[..4].copy_from_slice(&(self.bytes.len() as u32).to_ne_bytes());
        let own = u16::from_ne_bytes([self.bytes[6], self.bytes[7]]);
        head[6..8].copy_from_slice(&(own | flags).to_ne_bytes());
        head[8..12].copy_from_slice(&sequence.to_ne_bytes());
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// One message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its type.
    pub(crate) kind: u16,
    /// Its `NLM_F_` flags.
    pub(crate) flags: u16,
    /// The number of the request it answers.
    pub(crate) sequence: u32,
    /// What follows the header.
    pub(crate) body: Vec<u8>,
}

/// Cuts what one receive gave into messages; a piece that is cut off ends the list.
pub(crate) fn split(mut bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER {
        let length = word(bytes, 0).unwrap_or(0) as usize;
        if length < HEADER || length > bytes.len() {
            break;
        }
        found.push(Message {
            kind: u16::from_ne_bytes([bytes[4], bytes[5]]),
            flags: u16::from_ne_bytes([bytes[6], bytes[7]]),
            sequence: word(bytes, 8).unwrap_or(0),
            body: bytes[HEADER..length].to_vec(),
        });
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    found
}

/// The attributes in `bytes`, in order: type and content.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(half(bytes, 0)?);
        let kind = half(bytes, 2)? & TYPE;
        let content = bytes.get(4..length)?;
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
        Some((kind, content))
    })
}

/// The content of the first attribute of this type.
pub(crate) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find_map(|(found, content)| (found == kind).then_some(content))
}

/// The text of an attribute, without the zero byte at its end.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

/// The address in an attribute; `None` when it has neither four bytes nor sixteen.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// The number of four bytes at `offset`.
pub(crate) fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    let found = bytes.get(offset..offset + 4)?;
    Some(u32::from_ne_bytes(found.try_into().ok()?))
}

fn half(bytes: &[u8], offset: usize) -> Option<u16> {
    let found = bytes.get(offset..offset + 2)?;
    Some(u16::from_ne_bytes(found.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(request: &Request) -> Vec<u8> {
        let mut bytes = Vec::new();
        request.finish(7, libc::NLM_F_ACK as u16, &mut bytes);
        bytes
    }

    #[test]
    fn a_message_is_a_header_a_body_and_padded_attributes() {
        let mut request = Request::new("add", "x", 16, libc::NLM_F_CREATE, &[1, 2, 3]);
        request.text(3, "ab").nest(18, |inner| {
            inner.byte(1, 9).number(2, 5);
        });
        let bytes = finished(&request);
        assert_eq!(bytes.len() % 4, 0);
        let messages = split(&bytes);
        assert_eq!(messages.len(), 1);
        let message = &messages[0];
        assert_eq!((message.kind, message.sequence), (16, 7));
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE;
        assert_eq!(i32::from(message.flags), flags);
        assert_eq!(&message.body[..4], [1, 2, 3, 0]);
        let rest = &message.body[4..];
        assert_eq!(text(attribute(rest, 3).unwrap()), "ab");
        let inner = attribute(rest, 18).unwrap();
        assert_eq!(attribute(inner, 1).unwrap(), [9]);
        assert_eq!(word(attribute(inner, 2).unwrap(), 0), Some(5));
    }

    #[test]
    fn what_is_cut_off_or_lies_about_its_length_is_left_out() {
        let mut request = Request::new("add", "x", 16, 0, &[]);
        request.number(1, 2);
        let whole = finished(&request);
        for end in 0..whole.len() {
            assert!(split(&whole[..end]).is_empty(), "{end}");
        }
        let mut lying = whole.clone();
        lying[0] = 3;
        assert!(split(&lying).is_empty());
        // An attribute shorter than its own head, and one longer than what is there.
        assert_eq!(attributes(&[3, 0, 1, 0]).count(), 0);
        assert_eq!(attributes(&[9, 0, 1, 0, 0]).count(), 0);
        assert_eq!(attributes(&[1]).count(), 0);
    }

    #[test]
    fn messages_that_come_together_are_told_apart() {
        let mut bytes = finished(&Request::new("a", "", 1, 0, &[1]));
        bytes.extend(finished(&Request::new("b", "", 2, 0, &[])));
        let kinds: Vec<u16> = split(&bytes).iter().map(|message| message.kind).collect();
        assert_eq!(kinds, [1, 2]);
    }

    #[test]
    fn addresses_have_four_bytes_or_sixteen() {
        assert_eq!(address(&[10, 0, 0, 1]), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(address(&[0; 16]), Some("::".parse().unwrap()));
        assert_eq!(address(&[0; 5]), None);
    }
}
