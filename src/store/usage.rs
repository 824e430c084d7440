//! What the store takes on disk, by image, container and the rest; agrees with `du`.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;

use super::Store;
use super::container::ContainerRecord;
use super::image::ImageRecord;
use crate::common::{Digest, Result};
use crate::sys::file;
use crate::sys::tree::{self, Usage};

/// One image (all its names) and what it takes.
#[derive(Debug, Clone)]
pub(crate) struct ImageUsage {
    /// One record per name; a single one without a name for a dangling image.
    pub(crate) records: Vec<ImageRecord>,
    /// Bytes on disk of its blobs and layers.
    pub(crate) size: u64,
    /// The part of `size` that other images use too.
    pub(crate) shared: u64,
    /// Containers made from it.
    pub(crate) containers: usize,
}

/// One container and what it takes beside its image.
#[derive(Debug, Clone)]
pub(crate) struct ContainerUsage {
    /// What was asked.
    pub(crate) record: ContainerRecord,
    /// Bytes on disk of its directory.
    pub(crate) size: u64,
    /// Whether it runs.
    pub(crate) alive: bool,
}

/// The whole store.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreUsage {
    /// Images.
    pub(crate) images: Vec<ImageUsage>,
    /// Bytes of all blobs and layers, each once.
    pub(crate) images_size: u64,
    /// Bytes of the blobs and layers that no container uses.
    pub(crate) images_reclaimable: u64,
    /// Containers.
    pub(crate) containers: Vec<ContainerUsage>,
    /// Number of volumes and their bytes.
    pub(crate) volumes: (usize, u64),
    /// Number of build cache entries and their bytes.
    pub(crate) build: (usize, u64),
    /// Bytes of unfinished downloads, staging and trash.
    pub(crate) temporary: u64,
    /// Directories whose content could not be counted (files of subordinate ids).
    pub(crate) unreadable: u64,
    /// Records that could not be read.
    pub(crate) damaged: Vec<String>,
}

/// A blob or an unpacked layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Blob(Digest),
    Layer(Digest),
}

impl Store {
    /// Measures the store. Layers measured once are not walked again.
    pub(crate) fn usage(&self) -> Result<StoreUsage> {
        let mut usage = StoreUsage::default();
        let sizes = self.part_sizes(&mut usage)?;
        usage.images_size = sizes.values().sum();
        self.measure_containers(&mut usage)?;
        self.measure_images(&sizes, &mut usage)?;
        usage.volumes = self.measure_dir("volumes", &mut usage)?;
        usage.build = (
            self.build_cache().list()?.len() + self.build_cache().asides()?.len(),
            self.measure_dir("build", &mut usage)?.1,
        );
        usage.temporary =
            self.measure_dir("tmp", &mut usage)?.1 + self.measure_dir("trash", &mut usage)?.1;
        Ok(usage)
    }

    fn part_sizes(&self, usage: &mut StoreUsage) -> Result<HashMap<Part, u64>> {
        let mut sizes = HashMap::new();
        for digest in self.blob_digests()? {
            let found = self.blobs().path(&digest).symlink_metadata();
            sizes.insert(Part::Blob(digest), found.map_or(0, |f| f.blocks() * 512));
        }
        let own = self.layers().dir();
        for mode in file::names(&self.path("layers"))? {
            let dir = self.path("layers").join(mode);
            for name in file::names(&dir)? {
                let Some(digest) = name.to_str().and_then(Digest::from_hex) else {
                    continue;
                };
                let size = match dir == own {
                    true => self.layer_disk(&digest, usage)?,
                    false => count(tree::usage(&dir.join(&name))?, usage),
                };
                *sizes.entry(Part::Layer(digest)).or_insert(0) += size;
            }
        }
        Ok(sizes)
    }

    fn layer_disk(&self, digest: &Digest, usage: &mut StoreUsage) -> Result<u64> {
        let info = self.layers().info(digest);
        if let Some(disk) = info.as_ref().ok().and_then(|info| info.disk) {
            return Ok(disk);
        }
        let found = tree::usage(&self.layers().path(digest))?;
        let complete = found.unreadable == 0;
        if let (Ok(mut info), true) = (info, complete) {
            info.disk = Some(found.disk);
            // Only a saving for the next time: a read-only store is no error here.
            let _ = self.layers().set_info(digest, &info);
        }
        Ok(count(found, usage))
    }

    fn measure_containers(&self, usage: &mut StoreUsage) -> Result<()> {
        for entry in self.containers().list()? {
            match entry {
                Ok(entry) => {
                    let size = count(tree::usage(entry.dir.path())?, usage);
                    usage.containers.push(ContainerUsage {
                        record: entry.record,
                        size,
                        alive: entry.alive,
                    });
                }
                Err(error) => usage.damaged.push(error.to_string()),
            }
        }
        Ok(())
    }

    fn measure_images(&self, sizes: &HashMap<Part, u64>, usage: &mut StoreUsage) -> Result<()> {
        let mut groups: HashMap<Digest, Vec<ImageRecord>> = HashMap::new();
        for listed in self.images().list()? {
            match listed {
                Ok(listed) => groups
                    .entry(listed.record.config)
                    .or_default()
                    .push(listed.record),
                Err(error) => usage.damaged.push(error.to_string()),
            }
        }
        let parts: Vec<HashSet<Part>> = groups.values().map(|group| parts(group)).collect();
        let mut users: HashMap<Part, usize> = HashMap::new();
        for part in parts.iter().flatten() {
            *users.entry(*part).or_default() += 1;
        }
        let size_of = |part: &Part| sizes.get(part).copied().unwrap_or(0);
        let mut active: HashSet<Part> = HashSet::new();
        for ((config, records), parts) in groups.into_iter().zip(&parts) {
            let is_user = |c: &&ContainerUsage| c.record.config == Some(config);
            let containers = usage.containers.iter().filter(is_user).count();
            if containers > 0 {
                active.extend(parts);
            }
            usage.images.push(ImageUsage {
                records,
                size: parts.iter().map(size_of).sum(),
                shared: parts.iter().filter(|p| users[*p] > 1).map(size_of).sum(),
                containers,
            });
        }
        for container in &usage.containers {
            active.extend(container.record.layers.iter().map(|d| Part::Layer(*d)));
        }
        let idle = sizes.keys().filter(|part| !active.contains(*part));
        usage.images_reclaimable = idle.map(size_of).sum();
        Ok(())
    }

    fn measure_dir(&self, name: &str, usage: &mut StoreUsage) -> Result<(usize, u64)> {
        let entries = file::names(&self.path(name))?;
        let mut disk = 0;
        let hidden = |entry: &&OsString| entry.as_encoded_bytes().starts_with(b".");
        let count_of = entries.len() - entries.iter().filter(hidden).count();
        for entry in &entries {
            let path = self.path(name).join(entry);
            disk += match path.symlink_metadata() {
                Ok(found) if found.is_dir() => count(tree::usage(&path)?, usage),
                Ok(found) => found.blocks() * 512,
                Err(_) => 0,
            };
        }
        Ok((count_of, disk))
    }
}

fn parts(records: &[ImageRecord]) -> HashSet<Part> {
    let mut parts = HashSet::new();
    for record in records {
        let blobs = [record.manifest, record.config].into_iter();
        let blobs = blobs
            .chain(record.index)
            .chain(record.blobs.iter().copied());
        parts.extend(blobs.map(Part::Blob));
        parts.extend(record.layers.iter().map(|digest| Part::Layer(*digest)));
    }
    parts
}

fn count(found: Usage, usage: &mut StoreUsage) -> u64 {
    usage.unreadable += found.unreadable;
    found.disk
}
