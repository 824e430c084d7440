//! `system df`: what takes how much, and how much of it could be given back.

use std::collections::HashSet;

use anyhow::Result;

use crate::engine::volume;
use crate::spec::config::MountKind;
use crate::store::{Store, StoreUsage};
use crate::sys::tree;

/// One row of docker's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// `Images`, `Containers`, `Local Volumes`, `Build Cache`.
    pub(crate) kind: &'static str,
    /// How many there are.
    pub(crate) total: usize,
    /// How many are in use.
    pub(crate) active: usize,
    /// Bytes on disk.
    pub(crate) size: u64,
    /// Bytes that a prune would give back.
    pub(crate) reclaimable: u64,
}

/// The table and what `-v` shows.
#[derive(Debug)]
pub(crate) struct DiskUse {
    /// Rows in docker's order.
    pub(crate) rows: Vec<Row>,
    /// Every image and container.
    pub(crate) usage: StoreUsage,
}

/// Measures the store.
pub(crate) fn df(store: &Store) -> Result<DiskUse> {
    let usage = store.usage()?;
    let (used, unused) = volumes(store, &usage)?;
    let containers = &usage.containers;
    let idle = containers.iter().filter(|container| !container.alive);
    let rows = vec![
        Row {
            kind: "Images",
            total: usage.images.len(),
            active: usage.images.iter().filter(|i| i.containers > 0).count(),
            size: usage.images_size,
            reclaimable: usage.images_reclaimable,
        },
        Row {
            kind: "Containers",
            total: containers.len(),
            active: containers.iter().filter(|c| c.alive).count(),
            size: containers.iter().map(|c| c.size).sum(),
            reclaimable: idle.map(|c| c.size).sum(),
        },
        Row {
            kind: "Local Volumes",
            total: usage.volumes.0,
            active: used,
            size: usage.volumes.1,
            reclaimable: unused,
        },
        Row {
            kind: "Build Cache",
            total: usage.build.0,
            active: 0,
            size: usage.build.1,
            reclaimable: usage.build.1,
        },
    ];
    Ok(DiskUse { rows, usage })
}

/// How many volumes containers have, and the bytes of the others.
fn volumes(store: &Store, usage: &StoreUsage) -> Result<(usize, u64)> {
    let mut used = HashSet::new();
    for mount in usage
        .containers
        .iter()
        .flat_map(|c| volume::mounts(&c.record))
    {
        if let MountKind::Volume {
            name: Some(name), ..
        } = mount.kind
        {
            used.insert(name);
        }
    }
    let (mut active, mut idle) = (0, 0);
    for record in store.volumes().list()? {
        match used.contains(&record.name) {
            true => active += 1,
            false => idle += tree::usage(&store.volumes().data(&record.name))?.disk,
        }
    }
    Ok((active, idle))
}
