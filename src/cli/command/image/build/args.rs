//! The flags of `build`.

use std::path::PathBuf;

use crate::cli::args::ResourceArgs;

/// Build an image from a Dockerfile
#[derive(clap::Parser, Debug, Default)]
#[command(override_usage = "ketch build [OPTIONS] [PATH|URL|-]")]
pub(crate) struct Build {
    /// Name and optionally a tag of the image
    #[arg(short, long, value_name = "NAME[:TAG]")]
    pub(super) tag: Vec<String>,

    /// Name of the Dockerfile; - is standard input
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) file: Option<String>,

    /// Set build-time variables
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(super) build_arg: Vec<String>,

    /// Read build-time variables from a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) build_arg_file: Vec<PathBuf>,

    /// Additional build contexts, such as name=path, name=docker-image://IMAGE or name=oci-layout://PATH:TAG
    #[arg(long, value_name = "NAME=PLACE")]
    pub(super) build_context: Vec<String>,

    /// Set the target build stage to build
    #[arg(long, value_name = "STAGE")]
    pub(super) target: Option<String>,

    /// Set metadata for an image
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) label: Vec<String>,

    /// Add annotation to the image
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) annotation: Vec<String>,

    /// Set target platforms for the build
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',')]
    pub(super) platform: Vec<String>,

    /// Ask for newer base images: always, missing, never or newer
    #[arg(long, value_name = "POLICY", num_args = 0..=1, require_equals = true,
        default_missing_value = "always")]
    pub(super) pull: Option<String>,

    /// Do not use cache when building the image
    #[arg(long)]
    pub(super) no_cache: bool,

    /// Do not cache specified stages
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    pub(super) no_cache_filter: Vec<String>,

    /// Secret to expose to the build: id=ID[,src=PATH|env=NAME]
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Vec<String>,

    /// SSH agent to expose to the build: default or ID[=SOCKET]
    #[arg(long, value_name = "AGENT")]
    pub(super) ssh: Vec<String>,

    /// Allow a right: network.host or security.insecure
    #[arg(long, value_name = "RIGHT", value_delimiter = ',')]
    pub(super) allow: Vec<String>,

    /// Output destination: a directory, - or type=TYPE,dest=PATH
    #[arg(short, long, value_name = "OUTPUT")]
    pub(super) output: Vec<String>,

    /// Keep the result in the store, which every build does
    #[arg(long)]
    pub(super) load: bool,

    /// Shorthand for --output=type=registry
    #[arg(long)]
    pub(super) push: bool,

    /// Write the image ID to a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) iidfile: Option<PathBuf>,

    /// Write build result metadata to a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) metadata_file: Option<PathBuf>,

    /// Set type of progress output: auto, plain, tty, rawjson or quiet
    #[arg(long, value_name = "TYPE")]
    pub(super) progress: Option<String>,

    /// Suppress the build output and print image ID on success
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Say for each step that runs again which of its inputs changed
    #[arg(long)]
    pub(super) why: bool,

    /// Check the Dockerfile and build nothing
    #[arg(long)]
    pub(super) check: bool,

    /// Set method for evaluating the Dockerfile: build, check, outline or targets
    #[arg(long, value_name = "METHOD[,format=json]")]
    pub(super) call: Option<String>,

    /// Set the networking mode for the RUN instructions
    #[arg(long, value_name = "MODE")]
    pub(super) network: Option<String>,

    /// Add a custom host-to-IP mapping
    #[arg(long, value_name = "HOST:IP")]
    pub(super) add_host: Vec<String>,

    /// Set custom DNS servers
    #[arg(long, value_name = "IP")]
    pub(super) dns: Vec<String>,

    /// Set custom DNS search domains
    #[arg(long, value_name = "DOMAIN")]
    pub(super) dns_search: Vec<String>,

    /// Set DNS options
    #[arg(long, value_name = "OPTION")]
    pub(super) dns_option: Vec<String>,

    /// Shared memory size for build containers
    #[arg(long, value_name = "BYTES")]
    pub(super) shm_size: Option<String>,

    #[command(flatten)]
    pub(super) resources: ResourceArgs,

    /// Add Linux capabilities
    #[arg(long, value_name = "CAP")]
    pub(super) cap_add: Vec<String>,

    /// Drop Linux capabilities
    #[arg(long, value_name = "CAP")]
    pub(super) cap_drop: Vec<String>,

    /// Security options
    #[arg(long, value_name = "OPTION")]
    pub(super) security_opt: Vec<String>,

    /// Add a host device to the build containers
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Vec<String>,

    /// Number of steps that run at one time
    #[arg(long, value_name = "NUMBER")]
    pub(super) jobs: Option<String>,

    /// What happens when a command fails: stop, or shell, which opens one in its place
    #[arg(long, value_name = "stop|shell")]
    pub(super) on_error: Option<String>,

    /// Squash newly built layers into a single new layer
    #[arg(long, alias = "squash-all")]
    pub(super) squash: bool,

    /// Format of the image's manifest and configuration: oci or docker
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,

    /// Set the time of everything that is made, in seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    pub(super) source_date_epoch: Option<String>,

    /// Let no file in the new layers be younger than SOURCE_DATE_EPOCH
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", hide_default_value = true, value_name = "BOOL",
        value_parser = crate::cli::parse::boolean::parse)]
    pub(super) rewrite_timestamp: bool,

    /// Set both: the time of everything, also of the files in the new layers
    #[arg(long, value_name = "SECONDS", conflicts_with = "source_date_epoch")]
    pub(super) timestamp: Option<String>,

    /// Build a second time without the cache, and fail when the result is another
    #[arg(long)]
    pub(super) verify: bool,

    /// Cache intermediate layers, which every build does
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(super) layers: Option<bool>,

    /// Remove intermediate containers, which every build does
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(super) rm: Option<bool>,

    /// Always remove intermediate containers, which every build does
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(super) force_rm: Option<bool>,

    /// Take results from another cache: a name, type=registry,ref=NAME or type=local,src=PATH
    #[arg(long, value_name = "CACHE")]
    pub(super) cache_from: Vec<String>,

    /// Give results to another cache: type=registry,ref=NAME, type=local,dest=PATH or type=inline
    #[arg(long, value_name = "CACHE")]
    pub(super) cache_to: Vec<String>,

    /// Attest how the image was made: true, mode=min or mode=max (off unless asked)
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(super) provenance: Option<String>,

    /// Attest what is in the image (not there yet)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(super) sbom: Option<String>,

    /// Attest how the image was made: type=provenance,mode=min|max
    #[arg(long, value_name = "type=TYPE")]
    pub(super) attest: Vec<String>,

    /// Name a builder; there is one
    #[arg(long, value_name = "NAME")]
    pub(super) builder: Option<String>,

    /// Require HTTPS and check certificates
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(super) tls_verify: Option<bool>,

    /// File of registry credentials
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) authfile: Option<PathBuf>,

    /// Credentials for the registry
    #[arg(long, value_name = "USER[:PASSWORD]")]
    pub(super) creds: Option<String>,

    /// Directory, archive or repository with the files to build from; - is standard input
    #[arg(value_name = "PATH|URL|-", value_hint = clap::ValueHint::DirPath)]
    pub(super) context: Option<String>,
}
