//! What is asked of a build.

use std::path::PathBuf;

use super::annotation::Annotation;
use super::context::remote::Place;
use super::named::Named;
use crate::archive::Coding;
use crate::engine::container::PullPolicy;
use crate::engine::image::assemble::Dialect;
use crate::engine::image::layout::Entry;
use crate::engine::image::pull::RegistryOptions;
use crate::oci::Platform;
use crate::spec::config::Config;

/// `build`.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Directory of the context.
    pub(crate) context: PathBuf,
    /// Where the context comes from, when it is not that directory.
    pub(crate) remote: Option<Place>,
    /// `-f`: the Dockerfile; `-` is standard input, which `dockerfile_text` then holds.
    pub(crate) dockerfile: Option<PathBuf>,
    /// The Dockerfile itself, where it is in no file.
    pub(crate) dockerfile_text: Option<Vec<u8>>,
    /// `-t`: names of the image.
    pub(crate) tags: Vec<String>,
    /// `--build-arg`.
    pub(crate) build_args: Vec<(String, String)>,
    /// `--target`: a stage by name or number; the last one without.
    pub(crate) target: Option<String>,
    /// `--label`.
    pub(crate) labels: Vec<(String, String)>,
    /// `--annotation`.
    pub(crate) annotations: Vec<Annotation>,
    /// `--platform`; the machine's own where there is none.
    pub(crate) platforms: Vec<Platform>,
    /// `--pull`.
    pub(crate) pull: PullPolicy,
    /// `--no-cache`.
    pub(crate) no_cache: bool,
    /// `--no-cache-filter`: stages that run in any case.
    pub(crate) no_cache_filter: Vec<String>,
    /// `--secret`.
    pub(crate) secrets: Vec<Secret>,
    /// `--ssh`.
    pub(crate) ssh: Vec<Ssh>,
    /// `--build-context`.
    pub(crate) contexts: Vec<Named>,
    /// `--allow`: `network.host`, `security.insecure`.
    pub(crate) allow: Vec<String>,
    /// `--cache-from`: where results of others are.
    pub(crate) cache_from: Vec<CachePlace>,
    /// `--cache-to`: where the results are written.
    pub(crate) cache_to: Vec<CacheTo>,
    /// `-o`; the store's image without.
    pub(crate) outputs: Vec<Output>,
    /// Whether the store keeps the image.
    pub(crate) keep: bool,
    /// `--rewrite-timestamp`: nothing in the results is younger than `epoch`.
    pub(crate) rewrite: bool,
    /// `--verify`: build twice and compare.
    pub(crate) verify: bool,
    /// `--iidfile`.
    pub(crate) iidfile: Option<PathBuf>,
    /// `--metadata-file`.
    pub(crate) metadata_file: Option<PathBuf>,
    /// What commands get: network, limits, privileges.
    pub(crate) config: Config,
    /// `--jobs`: steps at work at one time; as many as processors without.
    pub(crate) jobs: Option<usize>,
    /// `--why`: say for each step that was not in the cache what has changed.
    pub(crate) why: bool,
    /// `--on-error=shell`: a shell in the place of a command that failed.
    pub(crate) shell_on_error: bool,
    /// `--squash`: the layers of the build become one.
    pub(crate) squash: bool,
    /// How the image's documents are spelled.
    pub(crate) dialect: Dialect,
    /// `SOURCE_DATE_EPOCH`: the time of everything that is made, in seconds.
    pub(crate) epoch: Option<i64>,
    /// `--provenance`: images tell how they were made.
    pub(crate) provenance: Option<Provenance>,
    /// Registry options of implied pulls.
    pub(crate) registry: RegistryOptions,
}

/// `--provenance`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// All that was given, build arguments and the Dockerfile among it.
    pub(crate) max: bool,
    /// `version=v1`: SLSA's newer form.
    pub(crate) v1: bool,
    /// Who says so; nobody in particular when empty.
    pub(crate) builder: String,
    /// The caller vouches that a second build gives the same.
    pub(crate) reproducible: bool,
}

impl Request {
    /// A build of a directory with nothing else asked.
    pub(crate) fn of(context: PathBuf) -> Request {
        Request {
            context,
            remote: None,
            dockerfile: None,
            dockerfile_text: None,
            tags: Vec::new(),
            build_args: Vec::new(),
            target: None,
            labels: Vec::new(),
            annotations: Vec::new(),
            platforms: Vec::new(),
            pull: PullPolicy::Missing,
            no_cache: false,
            no_cache_filter: Vec::new(),
            secrets: Vec::new(),
            ssh: Vec::new(),
            contexts: Vec::new(),
            allow: Vec::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            outputs: Vec::new(),
            keep: true,
            rewrite: false,
            verify: false,
            iidfile: None,
            metadata_file: None,
            config: Config::default(),
            jobs: None,
            why: false,
            shell_on_error: false,
            squash: false,
            dialect: Dialect::Oci,
            epoch: None,
            provenance: None,
            registry: RegistryOptions::default(),
        }
    }

    /// Whether anything but the target's files is wanted.
    pub(crate) fn makes_image(&self) -> bool {
        self.keep || self.verify || self.outputs.iter().any(|output| !output.is_files())
    }
}

/// Where a cache is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CachePlace {
    /// A name in a registry.
    Registry(String),
    /// A directory in OCI's image layout.
    Local(Entry),
    /// The image itself.
    Inline,
    /// A kind that is not known.
    Other(String),
}

impl std::fmt::Display for CachePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CachePlace::Registry(name) => f.write_str(name),
            CachePlace::Local(entry) => entry.path.display().fmt(f),
            CachePlace::Inline => f.write_str("inline"),
            CachePlace::Other(kind) => write!(f, "type={kind}"),
        }
    }
}

/// `--cache-to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheTo {
    /// Where it goes.
    pub(crate) place: CachePlace,
    /// `mode=max`: layers of every step, not of the result alone.
    pub(crate) max: bool,
    /// A failure is no failure of the build.
    pub(crate) ignore_error: bool,
}

impl CacheTo {
    /// Whether it goes into the image.
    pub(crate) fn is_inline(&self) -> bool {
        self.place == CachePlace::Inline
    }
}

/// `--secret`.
#[derive(Clone)]
pub(crate) struct Secret {
    /// Its id.
    pub(crate) id: String,
    /// Where its content is.
    pub(crate) source: SecretSource,
}

/// Where a secret's content is.
#[derive(Clone)]
pub(crate) enum SecretSource {
    /// A file.
    File(PathBuf),
    /// A variable, which is read already.
    Value(Vec<u8>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// `--ssh`.
#[derive(Debug, Clone)]
pub(crate) struct Ssh {
    /// Its id; `default` where none was given.
    pub(crate) id: String,
    /// Socket of an agent.
    pub(crate) socket: PathBuf,
}

/// `-o`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    /// What is made.
    pub(crate) kind: OutputKind,
    /// Where it goes; `-` is standard output. The store where there is none.
    pub(crate) destination: Option<PathBuf>,
    /// `name`: names beside those of the build.
    pub(crate) names: Vec<String>,
    /// `push`: to the registry of each name.
    pub(crate) push: bool,
    /// `push-by-digest`: without a tag.
    pub(crate) by_digest: bool,
    /// `store`: whether the store keeps the image, where the kind has a choice.
    pub(crate) store: Option<bool>,
    /// `tar=false`: a directory, not an archive.
    pub(crate) unpacked: bool,
    /// `compression` of layers that are made.
    pub(crate) coding: Option<Coding>,
    /// `force-compression`: of all layers.
    pub(crate) force: bool,
    /// `oci-mediatypes`: how the documents are spelled.
    pub(crate) dialect: Option<Dialect>,
    /// `rewrite-timestamp`.
    pub(crate) rewrite: bool,
    /// `annotation.KEY` and the like.
    pub(crate) annotations: Vec<Annotation>,
    /// What is not known, as it was given.
    pub(crate) ignored: Vec<String>,
}

impl Output {
    /// Whether it is an image as the store has them.
    pub(crate) fn is_image(&self) -> bool {
        match self.kind {
            OutputKind::Image => true,
            OutputKind::Docker => self.destination.is_none(),
            OutputKind::Local | OutputKind::Tar | OutputKind::Oci => false,
        }
    }

    /// Whether what lies beside an image goes with it: not where docker's own tools read it.
    pub(crate) fn holds_attestations(&self) -> bool {
        self.kind == OutputKind::Oci || self.is_image()
    }

    /// Whether it is made of the files alone.
    pub(crate) fn is_files(&self) -> bool {
        matches!(self.kind, OutputKind::Local | OutputKind::Tar)
    }
}

/// What is made of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OutputKind {
    /// The files of the target, in a directory.
    Local,
    /// The same in an archive.
    Tar,
    /// An archive in OCI's layout.
    Oci,
    /// An archive that `docker load` takes, or the store without a destination.
    Docker,
    /// The image, in the store.
    #[default]
    Image,
}
