//! Proof that the store is whole, and repair of what is not.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::trash::throw;
use super::{LayerInfo, Store, read_json, write_json};
use crate::common::{Digest, Error, Hasher, Kind, Result};
use crate::oci::{Document, Index, MAX_DOCUMENT};
use crate::sys::{file, tree};

/// One thing that is wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The file or directory.
    pub(crate) path: PathBuf,
    /// What is wrong with it, in words.
    pub(crate) what: String,
    /// Whether it was put right (removed, so that a pull fetches it again; or rewritten).
    pub(crate) repaired: bool,
}

/// Outcome of a check.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Blobs rehashed.
    pub(crate) blobs: usize,
    /// Layers looked at, of every mode.
    pub(crate) layers: usize,
    /// Image records read.
    pub(crate) images: usize,
    /// Container records read.
    pub(crate) containers: usize,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
}

impl Store {
    /// Rehashes every blob, reads every record and compares them with each other. With `repair`,
    /// damaged things go to the trash and index.json is written anew.
    pub(crate) fn check(&self, repair: bool) -> Result<Report> {
        let mut report = Report::default();
        self.check_blobs(repair, &mut report)?;
        self.check_layers(repair, &mut report)?;
        self.check_index(repair, &mut report)?;
        self.check_images(repair, &mut report)?;
        self.check_containers(repair, &mut report)?;
        self.check_networks(repair, &mut report)?;
        if repair {
            self.images().rewrite_index()?;
            self.sweep()?;
        }
        Ok(report)
    }

    /// Notes a problem and, when repairing, throws the thing away.
    fn bad(
        &self,
        repair: bool,
        report: &mut Report,
        path: &Path,
        what: impl Into<String>,
    ) -> Result<()> {
        if repair {
            throw(&self.root, path)?;
        }
        report.problems.push(Problem {
            path: path.to_owned(),
            what: what.into(),
            repaired: repair,
        });
        Ok(())
    }

    fn check_blobs(&self, repair: bool, report: &mut Report) -> Result<()> {
        for name in file::names(&self.path("blobs/sha256"))? {
            let path = self.path("blobs/sha256").join(&name);
            let Some(digest) = name.to_str().and_then(Digest::from_hex) else {
                self.bad(repair, report, &path, "not the name of a blob")?;
                continue;
            };
            report.blobs += 1;
            match hash(&path) {
                Ok(found) if found == digest => {}
                Ok(found) => {
                    self.bad(
                        repair,
                        report,
                        &path,
                        format!("its content has digest {found}"),
                    )?;
                }
                // Collected since the directory was read.
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => self.bad(repair, report, &path, error.to_string())?,
            }
        }
        Ok(())
    }

    fn check_layers(&self, repair: bool, report: &mut Report) -> Result<()> {
        for mode in file::names(&self.path("layers"))? {
            let dir = self.path("layers").join(mode);
            for name in file::names(&dir)? {
                let path = dir.join(&name);
                if name.to_str().and_then(Digest::from_hex).is_none() {
                    continue;
                }
                report.layers += 1;
                if !path.is_dir() {
                    self.bad(repair, report, &path, "not a directory")?;
                    continue;
                }
                let info_path = super::layer::info_path(&path);
                if let Err(error) = read_json::<LayerInfo>(&info_path) {
                    if repair {
                        write_json(&info_path, &measured(&path)?)?;
                    }
                    report.problems.push(Problem {
                        path: info_path,
                        what: error.to_string(),
                        repaired: repair,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_images(&self, repair: bool, report: &mut Report) -> Result<()> {
        for name in file::names(&self.path("images"))? {
            if !name.to_str().is_some_and(|name| name.ends_with(".json")) {
                continue;
            }
            report.images += 1;
            let path = self.path("images").join(name);
            let record = match self.images().read(path.clone()) {
                Ok(listed) => listed.record,
                Err(error) if error.kind() == Kind::NotFound => continue,
                Err(error) => {
                    self.bad(repair, report, &path, error.to_string())?;
                    continue;
                }
            };
            let label = record.name.clone().unwrap_or(record.config.to_string());
            if let Err(error) = self.image_whole(&record) {
                self.bad(repair, report, &path, format!("image {label}: {error}"))?;
            }
        }
        Ok(())
    }

    /// Whether everything a record promises is there.
    fn image_whole(&self, record: &super::ImageRecord) -> Result<()> {
        let incomplete = |what: String| Error::new(Kind::Corrupt, "check image", "").because(what);
        let documents = self.documents(record)?;
        if documents.manifest.config.digest != record.config
            || documents.config.rootfs.diff_ids != record.layers
        {
            return Err(incomplete(
                "record, manifest and configuration disagree".into(),
            ));
        }
        if let Some(index) = &record.index {
            let bytes = self.blobs().read(index, MAX_DOCUMENT)?;
            if !matches!(Document::parse(&bytes, "")?, Document::Index(_)) {
                return Err(incomplete(format!("{index} is not an index")));
            }
        }
        for (position, diff_id) in record.layers.iter().enumerate() {
            let blob = record.blobs.get(position);
            if !self.layers().has(diff_id) && !blob.is_some_and(|blob| self.blobs().has(blob)) {
                return Err(incomplete(format!("layer {diff_id} is missing")));
            }
        }
        Ok(())
    }

    fn check_containers(&self, repair: bool, report: &mut Report) -> Result<()> {
        for id in self.containers().ids()? {
            report.containers += 1;
            let dir = self.containers().find(id.as_str());
            let Ok(dir) = dir else { continue };
            match dir.record() {
                Ok(record) => {
                    let missing = record.layers.iter().find(|layer| {
                        let dir = self.path("layers").join(record.mode.as_str());
                        !dir.join(layer.hex()).is_dir()
                    });
                    if let Some(layer) = missing {
                        // Its upper directory may hold the user's only copy: never thrown away.
                        self.bad(
                            false,
                            report,
                            dir.path(),
                            format!("layer {layer} is missing"),
                        )?;
                    }
                }
                Err(_) if !dir.path().exists() => {}
                Err(error) => {
                    let repair = repair && !dir.is_alive()?;
                    self.set_aside(repair, report, dir.path(), &error)?;
                }
            }
        }
        Ok(())
    }

    fn check_networks(&self, repair: bool, report: &mut Report) -> Result<()> {
        for (path, error) in self.networks().damaged()? {
            self.bad(repair, report, &path, error.to_string())?;
        }
        Ok(())
    }

    /// Without a readable record nothing can start or name a container, but its upper directory
    /// may hold the only copy of somebody's work: it is renamed, never deleted. While it runs,
    /// the process that runs it still needs the directory.
    fn set_aside(
        &self,
        repair: bool,
        report: &mut Report,
        path: &Path,
        error: &Error,
    ) -> Result<()> {
        let mut what = error.to_string();
        if repair {
            let id = path.file_name().unwrap_or_default().to_string_lossy();
            let place = path.with_file_name(format!(".damaged-{id}"));
            file::rename(path, &place)?;
            what.push_str(&format!("; its files are kept in {}", place.display()));
        }
        report.problems.push(Problem {
            path: path.to_owned(),
            what,
            repaired: repair,
        });
        Ok(())
    }

    fn check_index(&self, repair: bool, report: &mut Report) -> Result<()> {
        let path = self.path("index.json");
        self.images().settle_index()?;
        let _store = self.lock_shared()?;
        let _images = self.images().lock()?;
        let what = match read_json::<Index>(&path) {
            Ok(found) if found == self.images().index()? => return Ok(()),
            Ok(_) => "it does not list the images there are".to_owned(),
            Err(error) => error.to_string(),
        };
        if repair {
            self.images().write_index()?;
        }
        report.problems.push(Problem {
            path,
            what,
            repaired: repair,
        });
        Ok(())
    }
}

/// The record of a layer that lost it. Without a boot, so that it is only trusted where an image
/// names it.
fn measured(path: &Path) -> Result<LayerInfo> {
    let found = tree::usage(path)?;
    Ok(LayerInfo {
        size: found.size,
        files: found.entries,
        disk: (found.unreadable == 0).then_some(found.disk),
        ..LayerInfo::default()
    })
}

fn hash(path: &Path) -> Result<Digest> {
    let mut file = file::open_nofollow(path).map_err(|e| Error::io("open", path, e))?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0u8; 256 << 10];
    loop {
        let got = file
            .read(&mut buffer)
            .map_err(|error| Error::io("read", path, error))?;
        if got == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..got]);
    }
}
