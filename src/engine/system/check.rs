//! `system check [--repair]`: proves that the store is whole.

use anyhow::{Context, Result};

use crate::store::{Report, Store};

/// Checks the store; with `repair`, what is damaged is removed so that a pull fetches it again.
pub(crate) fn check(store: &Store, repair: bool) -> Result<Report> {
    store
        .check(repair)
        .with_context(|| format!("check store {}", store.root().display()))
}
