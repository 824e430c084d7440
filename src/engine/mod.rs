//! Verbs: a request struct in, a result struct out. Joins the store, the registry, the spec
//! maker, the runtime and the network; prints nothing and knows no flag.
#![forbid(unsafe_code)]

pub(crate) mod container;
pub(crate) mod image;
pub(crate) mod system;
