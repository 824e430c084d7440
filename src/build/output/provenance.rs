//! How an image was made, as an attestation beside it: BuildKit's form of a SLSA statement, v0.2 or
//! v1, in a manifest that an index names together with the image's.

use std::collections::BTreeMap;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::build::request::{Provenance, Request};
use crate::build::solve::Solved;
use crate::common::{ContainerId, Digest, Timestamp};
use crate::dockerfile::Dockerfile;
use crate::engine::Engine;
use crate::oci::{Descriptor, Index, Manifest, MediaType, Platform};
use crate::reference::Reference;
use crate::store::ImageRecord;
use crate::sys::file;

/// in-toto, `spec/v0.1`.
const STATEMENT: &str = "https://in-toto.io/Statement/v0.1";
const STATEMENT_MEDIA: &str = "application/vnd.in-toto+json";
/// slsa.dev, `provenance/v0.2` and `provenance/v1`.
const PREDICATES: [&str; 2] = [
    "https://slsa.dev/provenance/v0.2",
    "https://slsa.dev/provenance/v1",
];
/// BuildKit, `docs/attestations/slsa-definitions.md`.
const BUILD_TYPE: &str = "https://mobyproject.org/buildkit@v1";
/// The same for v1.
const BUILD_DEFINITION: &str =
    "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";
const METADATA: &str = "https://mobyproject.org/buildkit@v1#metadata";

/// What is told of a build.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    wanted: Provenance,
    /// Images that it began with: their names and digests.
    materials: Vec<(String, Digest)>,
    platform: String,
    began: Timestamp,
    args: BTreeMap<String, String>,
    file: (String, String),
    names: Vec<String>,
}

/// What both versions tell.
struct Told {
    materials: Vec<Value>,
    parameters: Value,
    /// The Dockerfile, where all was asked for.
    source: Option<Value>,
    id: ContainerId,
    ended: Timestamp,
}

impl Facts {
    /// Gathers them; `None` when nobody asked.
    pub(super) fn of(request: &Request, solved: &Solved, file: &Dockerfile) -> Option<Facts> {
        let wanted = request.provenance.clone()?;
        let mut args: BTreeMap<String, String> = BTreeMap::new();
        for (prefix, pairs) in [
            ("build-arg", &request.build_args),
            ("label", &request.labels),
        ] {
            let pairs = pairs.iter();
            args.extend(pairs.map(|(key, value)| (format!("{prefix}:{key}"), value.clone())));
        }
        args.extend(
            request
                .target
                .iter()
                .map(|name| ("target".to_owned(), name.clone())),
        );
        Some(Facts {
            wanted,
            materials: solved.materials.clone(),
            platform: solved.state.platform.to_string(),
            began: solved.began,
            args,
            file: (file.name.clone(), file.lines.join("\n")),
            names: request.tags.clone(),
        })
    }

    /// Puts the attestation beside an image, whose line is `entry`: an index of both, with notes of
    /// its own, which the record then names.
    ///
    /// # Errors
    /// What writing the documents gave.
    pub(super) fn attach(
        &self,
        engine: &Engine<'_>,
        record: &mut ImageRecord,
        entry: Descriptor,
        notes: Option<BTreeMap<String, String>>,
    ) -> Result<()> {
        let attestation = self.attestation(engine, record)?;
        let index = Index {
            annotations: notes,
            ..Index::of(vec![entry, attestation])
        };
        let bytes = serde_json::to_vec(&index)?;
        record.index = Some(engine.store.blobs().put_bytes(&bytes)?);
        Ok(())
    }

    /// The manifest of the attestation of an image, as an entry of an index.
    fn attestation(&self, engine: &Engine<'_>, record: &ImageRecord) -> Result<Descriptor> {
        let blobs = engine.store.blobs();
        let put = |media_type: &str, document: &[u8]| -> Result<Descriptor> {
            let digest = blobs.put_bytes(document)?;
            Ok(Descriptor::new(media_type, digest, document.len() as u64))
        };
        let statement = serde_json::to_vec(&self.statement(record)?)?;
        let mut layer = put(STATEMENT_MEDIA, &statement)?;
        let note = (
            "in-toto.io/predicate-type".to_owned(),
            self.predicate_type().to_owned(),
        );
        layer.annotations = Some(BTreeMap::from([note]));
        let config = json!({
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
        });
        let config = put(MediaType::OCI_CONFIG, &serde_json::to_vec(&config)?)?;
        let manifest = Manifest::of(config, vec![layer]);
        let mut found = put(MediaType::OCI_MANIFEST, &serde_json::to_vec(&manifest)?)?;
        found.platform = Some(Platform {
            os: "unknown".to_owned(),
            architecture: "unknown".to_owned(),
            ..Platform::default()
        });
        let note = |key: &str, value: String| (key.to_owned(), value);
        found.annotations = Some(BTreeMap::from([
            note("vnd.docker.reference.digest", record.manifest.to_string()),
            note(
                "vnd.docker.reference.type",
                "attestation-manifest".to_owned(),
            ),
        ]));
        Ok(found)
    }

    fn statement(&self, record: &ImageRecord) -> Result<Value> {
        let digest = json!({ "sha256": record.manifest.hex() });
        let names = self.names.iter().map(|name| self.package(name));
        let mut names: Vec<String> = names.collect();
        if names.is_empty() {
            names.push("_".to_owned());
        }
        let subject = names
            .iter()
            .map(|name| json!({ "name": name, "digest": digest }));
        Ok(json!({
            "_type": STATEMENT,
            "predicateType": self.predicate_type(),
            "subject": subject.collect::<Vec<_>>(),
            "predicate": self.predicate()?,
        }))
    }

    fn predicate_type(&self) -> &'static str {
        PREDICATES[usize::from(self.wanted.v1)]
    }

    fn predicate(&self) -> Result<Value> {
        let max = self.wanted.max;
        let material = |(name, digest): &(String, Digest)| json!({ "uri": self.package(name), "digest": { "sha256": digest.hex() } });
        // What was given may be secret: it is told only where all was asked for.
        let mut parameters = json!({
            "frontend": "dockerfile.v0",
            "locals": [{ "name": "context" }, { "name": "dockerfile" }],
        });
        if max {
            parameters["args"] = json!(self.args);
        }
        let (name, text) = &self.file;
        let infos = json!([{ "filename": name, "data": STANDARD.encode(text) }]);
        let told = Told {
            materials: self.materials.iter().map(material).collect(),
            parameters,
            source: max.then(|| json!({ "source": { "infos": infos } })),
            id: ContainerId::from_bytes(file::random()?),
            ended: Timestamp::now(),
        };
        Ok(match self.wanted.v1 {
            false => self.predicate_v02(told),
            true => self.predicate_v1(told),
        })
    }

    fn predicate_v02(&self, told: Told) -> Value {
        let mut metadata = json!({
            "buildInvocationID": told.id.as_str(),
            "buildStartedOn": self.began.to_string(),
            "buildFinishedOn": told.ended.to_string(),
            "completeness": {
                "parameters": self.wanted.max,
                "environment": true,
                "materials": false,
            },
            "reproducible": self.wanted.reproducible,
        });
        if let Some(source) = told.source {
            metadata[METADATA] = source;
        }
        json!({
            "builder": { "id": self.wanted.builder },
            "buildType": BUILD_TYPE,
            "materials": told.materials,
            "invocation": {
                "configSource": { "entryPoint": self.file.0 },
                "parameters": told.parameters,
                "environment": { "platform": Platform::host().to_string() },
            },
            "metadata": metadata,
        })
    }

    fn predicate_v1(&self, told: Told) -> Value {
        let mut metadata = json!({
            "invocationID": told.id.as_str(),
            "startedOn": self.began.to_string(),
            "finishedOn": told.ended.to_string(),
            "buildkit_completeness": {
                "request": self.wanted.max,
                "resolvedDependencies": false,
            },
            "buildkit_reproducible": self.wanted.reproducible,
        });
        if let Some(source) = told.source {
            metadata["buildkit_metadata"] = source;
        }
        json!({
            "buildDefinition": {
                "buildType": BUILD_DEFINITION,
                "externalParameters": {
                    "configSource": { "path": self.file.0 },
                    "request": told.parameters,
                },
                "internalParameters": { "builderPlatform": Platform::host().to_string() },
                "resolvedDependencies": told.materials,
            },
            "runDetails": {
                "builder": { "id": self.wanted.builder },
                "metadata": metadata,
            },
        })
    }

    /// The package URL of an image, as BuildKit writes it.
    fn package(&self, name: &str) -> String {
        let platform = self.platform.replace('/', "%2F");
        let Ok(reference) = Reference::parse(name) else {
            return format!("pkg:docker/{name}?platform={platform}");
        };
        let tag = reference.tag().map(|tag| format!("@{tag}"));
        let (repository, tag) = (reference.familiar_repository(), tag.unwrap_or_default());
        format!("pkg:docker/{repository}{tag}?platform={platform}")
    }
}
