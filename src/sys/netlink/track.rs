//! Flows that the packet filter remembers (connection tracking, `ctnetlink`): a flow goes where
//! its first packet went, whatever the rules have become.

use std::net::IpAddr;

use super::{Message, Netlink, Request, address, attribute};
use crate::common::Result;

/// Subsystem of a message's type (`NFNL_SUBSYS_CTNETLINK`).
const SUBSYSTEM: u16 = 1;
const GET: u16 = 1;
const DELETE: u16 = 2;
/// Size of `struct nfgenmsg`.
const HEAD: usize = 4;
/// Marks an attribute that holds attributes.
const NESTED: u16 = 1 << 15;

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_ZONE: u16 = 18;
const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_IP_V4_DST: u16 = 2;
const CTA_IP_V6_DST: u16 = 4;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_DST_PORT: u16 = 3;

/// Where the first packet of a flow was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Number of the protocol.
    pub(crate) protocol: u8,
    /// The address it had before it was led elsewhere.
    pub(crate) ip: IpAddr,
    /// The port likewise.
    pub(crate) port: u16,
}

impl Target {
    fn read(message: &Message) -> Option<Target> {
        let first = attribute(message.body.get(HEAD..)?, CTA_TUPLE_ORIG)?;
        let ips = attribute(first, CTA_TUPLE_IP)?;
        let ip = attribute(ips, CTA_IP_V4_DST).or_else(|| attribute(ips, CTA_IP_V6_DST))?;
        let protocol = attribute(first, CTA_TUPLE_PROTO)?;
        let port = attribute(protocol, CTA_PROTO_DST_PORT)?;
        Some(Target {
            protocol: *attribute(protocol, CTA_PROTO_NUM)?.first()?,
            ip: address(ip)?,
            port: u16::from_be_bytes(port.try_into().ok()?),
        })
    }
}

/// The request that forgets the flow of a message of the list.
fn deletion(message: &Message) -> Option<Request> {
    let (head, rest) = message.body.split_at_checked(HEAD)?;
    let kind = SUBSYSTEM << 8 | DELETE;
    let mut request =
        Request::new("forget flow", "", kind, 0, &[head[0], 0, 0, 0]).tolerating(&[libc::ENOENT]);
    request.bytes(CTA_TUPLE_ORIG | NESTED, attribute(rest, CTA_TUPLE_ORIG)?);
    if let Some(zone) = attribute(rest, CTA_ZONE) {
        request.bytes(CTA_ZONE, zone);
    }
    Some(request)
}

impl Netlink {
    /// Forgets the flows whose target `is_wanted`: the next packet of one is looked at as the
    /// first. On a socket of the packet filter.
    pub(crate) fn forget_flows(&mut self, is_wanted: impl Fn(Target) -> bool) -> Result<()> {
        let kind = SUBSYSTEM << 8 | GET;
        let request = Request::new("list flows", "", kind, 0, &[0; HEAD]);
        // Flows come and go at any time: a list of what is there now and then will do.
        let found = self.list_once(&request)?;
        let wanted = found
            .iter()
            .filter(|message| Target::read(message).is_some_and(&is_wanted));
        let requests: Vec<Request> = wanted.filter_map(deletion).collect();
        requests.chunks(64).try_for_each(|some| self.apply(some))
    }
}
