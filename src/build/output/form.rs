//! The image of a build in the form that an output asks for: how its layers are compressed, how
//! young its files may be, how its documents are spelled.

use std::collections::BTreeMap;

use anyhow::Result;

use super::provenance::Facts;
use crate::archive::{Coding, NewLayer};
use crate::build::annotation::{self, Annotated, Annotation};
use crate::build::key::Key;
use crate::build::request::{Output, Request};
use crate::build::solve::Solved;
use crate::common::{Digest, Error, Timestamp, parse_rfc3339};
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::engine::image::assemble::{self, Assembly, Dialect};
use crate::engine::image::recode;
use crate::oci::{Descriptor, ImageConfig, MediaType, Platform, RootFs};
use crate::store::{CacheRecord, CachedLayer, ImageRecord};

/// What an output asks of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    dialect: Dialect,
    coding: Option<Coding>,
    force: bool,
    /// Nothing is younger than this, in seconds.
    latest: Option<i64>,
    annotations: Vec<Annotation>,
    /// An attestation lies beside it.
    attested: bool,
}

impl Form {
    /// The form of an output; of what the store has without any.
    pub(super) fn of(request: &Request, output: Option<&Output>) -> Form {
        let usual = Output::default();
        let output = output.unwrap_or(&usual);
        let rewrite = request.rewrite || output.rewrite;
        let annotations = request.annotations.iter().chain(&output.annotations);
        let attested = request.provenance.is_some() && output.holds_attestations();
        Form {
            attested,
            // BuildKit: docker's own types know no attestations.
            dialect: match attested {
                true => Dialect::Oci,
                false => output.dialect.unwrap_or(request.dialect),
            },
            coding: output.coding,
            force: output.force,
            latest: request.epoch.filter(|_| rewrite),
            annotations: annotations.cloned().collect(),
        }
    }

    /// The notes of the index, where one is made.
    pub(super) fn index_notes(&self) -> Option<BTreeMap<String, String>> {
        let notes = annotation::of(&self.annotations, Annotated::Index, None);
        (!notes.is_empty()).then_some(notes)
    }

    /// Refuses notes of an index where none is made.
    ///
    /// # Errors
    /// `Usage`.
    pub(super) fn check_alone(&self) -> Result<()> {
        let mut notes = self.annotations.iter();
        let stray = notes.find(|note| note.on != Annotated::Manifest);
        match stray.filter(|_| !self.attested) {
            None => Ok(()),
            Some(note) => Err(Error::usage(
                "annotate index",
                note.key.as_str(),
                "index annotations not supported for single platform export: there is no index",
            )
            .hint("several platforms or --provenance make one")
            .into()),
        }
    }

    /// Whether nothing in it tells when it was made.
    pub(super) fn is_dated(&self) -> bool {
        self.latest.is_some()
    }

    /// How a layer has to be made anew, if it has; `own` for one of this build's.
    fn recoding(&self, layer: &Descriptor, own: bool) -> Option<(Coding, Option<i64>)> {
        let now = recode::suffix_of(layer)?;
        let latest = self.latest.filter(|_| own);
        let wanted = self.coding.filter(|_| own || self.force);
        let coding = wanted.unwrap_or(match now {
            "+zstd" => Coding::Zstd(3),
            "" => Coding::Plain,
            _ => Coding::default(),
        });
        // What this build has made is compressed with the usual level.
        let other = coding.suffix() != now;
        let level = own && !matches!(coding, Coding::Plain) && coding != Coding::default();
        (other || level && wanted.is_some() || latest.is_some()).then_some((coding, latest))
    }
}

/// The image of a build, and the forms of it that are made.
pub(super) struct Exporter<'a> {
    engine: &'a Engine<'a>,
    config: ImageConfig,
    platform: Platform,
    layers: Vec<Descriptor>,
    /// The first of the layers that is not its base image's.
    own: usize,
    facts: Option<Facts>,
    made: Vec<(Form, ImageRecord)>,
    /// Records of layers made anew, to be marked once they are on the disk for good.
    unsynced: Vec<CacheRecord>,
}

impl<'a> Exporter<'a> {
    /// The image as the target has it.
    ///
    /// # Errors
    /// `Bug` for a layer whose digest is not known.
    pub(super) fn new(
        engine: &'a Engine<'a>,
        request: &Request,
        file: &Dockerfile,
        solved: &Solved,
    ) -> Result<Exporter<'a>> {
        let mut config = solved.state.image.clone();
        let (mut diff_ids, mut layers) = (Vec::new(), Vec::new());
        let mut latest: Option<Timestamp> = None;
        for piece in &solved.state.pieces {
            let (diff_id, blob) = solved.layers.described(*piece)?;
            diff_ids.push(diff_id);
            layers.push(blob);
            latest = latest.max(solved.layers.created(*piece));
        }
        date(&mut config, request, latest);
        config.rootfs = RootFs {
            kind: "layers".to_owned(),
            diff_ids,
        };
        config.config.labels.extend(request.labels.iter().cloned());
        Ok(Exporter {
            engine,
            config,
            platform: solved.state.platform.clone(),
            layers,
            own: solved.state.base_layers,
            facts: Facts::of(request, solved, file),
            made: Vec::new(),
            unsynced: Vec::new(),
        })
    }

    /// The image in a form, without a name. With `unpacked`, its layers are among the store's.
    ///
    /// # Errors
    /// What making layers anew and writing documents gave.
    pub(super) fn record(&mut self, form: &Form, unpacked: bool) -> Result<ImageRecord> {
        let known = self.made.iter().find(|(made, _)| made == form);
        if let Some((_, record)) = known {
            return Ok(record.clone());
        }
        let (mut config, mut layers) = (self.config.clone(), self.layers.clone());
        for (at, layer) in self.recoded(form)? {
            if unpacked && config.rootfs.diff_ids[at] != layer.1.diff_id {
                assemble::unpack(self.engine, &layer.1)?;
            }
            config.rootfs.diff_ids[at] = layer.1.diff_id;
            let media_type = format!("{}{}", MediaType::OCI_LAYER, layer.0.suffix());
            layers[at] = Descriptor::new(media_type, layer.1.digest, layer.1.size);
        }
        let assembly = Assembly {
            config,
            layers,
            name: None,
            dialect: form.dialect,
            annotations: annotation::of(
                &form.annotations,
                Annotated::Manifest,
                Some(&self.platform),
            ),
        };
        let mut record = assemble::describe(self.engine, assembly)?;
        if let Some(facts) = self.facts.as_ref().filter(|_| form.attested) {
            let entry = self.entry(form, &record);
            facts.attach(self.engine, &mut record, entry, form.index_notes())?;
        }
        self.made.push((form.clone(), record.clone()));
        Ok(record)
    }

    /// The line of an image in an index.
    pub(super) fn entry(&self, form: &Form, record: &ImageRecord) -> Descriptor {
        let on = Annotated::ManifestDescriptor;
        let notes = annotation::of(&form.annotations, on, Some(&self.platform));
        Descriptor {
            annotations: (!notes.is_empty()).then_some(notes),
            ..record.descriptor()
        }
    }

    /// Layers that the form has otherwise, by their place; from the cache where it has them.
    fn recoded(&mut self, form: &Form) -> Result<Vec<(usize, (Coding, NewLayer))>> {
        let cache = self.engine.store.build_cache();
        let (mut made, mut missing) = (Vec::new(), Vec::new());
        for (at, layer) in self.layers.iter().enumerate() {
            let Some((coding, latest)) = form.recoding(layer, at >= self.own) else {
                continue;
            };
            let key = key(layer.digest, coding, latest);
            let known = cache.find(&key.0)?.and_then(|record| record.layer);
            match known.filter(|known| self.engine.store.blobs().has(&known.blob)) {
                Some(known) => {
                    cache.touch(&key.0);
                    made.push((at, (coding, new_layer(&known))));
                }
                None => missing.push((at, key, (layer.digest, coding, latest))),
            }
        }
        let wanted: Vec<_> = missing.iter().map(|(_, _, wanted)| *wanted).collect();
        let layers = recode::recode_all(self.engine, &wanted)?;
        for ((at, key, (from, coding, _)), layer) in missing.into_iter().zip(layers) {
            let record = self.noted(key, from, coding, layer);
            cache.put(&record)?;
            self.unsynced.push(record);
            made.push((at, (coding, layer)));
        }
        Ok(made)
    }

    fn noted(
        &self,
        (key, inputs): (Digest, Vec<(String, Digest)>),
        from: Digest,
        coding: Coding,
        layer: NewLayer,
    ) -> CacheRecord {
        CacheRecord {
            text: format!("{} as {coding:?}", from.short()),
            inputs,
            layer: Some(CachedLayer {
                diff_id: layer.diff_id,
                blob: layer.digest,
                blob_size: layer.size,
                size: layer.size,
            }),
            ..CacheRecord::new(key, Timestamp::now(), self.engine.mode)
        }
    }

    /// Notes that everything is on the disk for good.
    pub(super) fn synced(&mut self) -> Result<()> {
        for mut record in self.unsynced.drain(..) {
            record.synced = true;
            self.engine.store.build_cache().put(&record)?;
        }
        Ok(())
    }
}

fn key(from: Digest, coding: Coding, latest: Option<i64>) -> (Digest, Vec<(String, Digest)>) {
    let mut key = Key::new("recode");
    key.add("from", [from.hex()]);
    key.add("coding", [format!("{coding:?}")]);
    key.add("latest", [format!("{latest:?}")]);
    key.finish()
}

fn new_layer(known: &CachedLayer) -> NewLayer {
    NewLayer {
        diff_id: known.diff_id,
        digest: known.blob,
        size: known.blob_size,
    }
}

/// Dates an image and its history: as asked, else as its latest layer.
fn date(image: &mut ImageConfig, request: &Request, latest: Option<Timestamp>) {
    let base = image.created.as_deref().and_then(parse_rfc3339);
    let asked = request
        .epoch
        .map(|seconds| Timestamp(i128::from(seconds) * 1_000_000_000));
    let created = asked.unwrap_or_else(|| latest.or(base).unwrap_or_else(Timestamp::now));
    // A line without a layer has the time of the layer before it.
    let mut before = None;
    for line in &mut image.history {
        match &line.created {
            Some(time) => before = Some(time.clone()),
            None => line.created = before.clone().or_else(|| Some(created.to_string())),
        }
        // BuildKit: nothing is younger than what was asked, whenever its step ran.
        let time = line.created.as_deref().and_then(parse_rfc3339);
        if asked.is_some_and(|asked| time.is_none_or(|time| time > asked)) {
            line.created = Some(created.to_string());
        }
    }
    image.created = Some(created.to_string());
}
