//! Registry flags to the engine's options.

use crate::cli::args::RegistryArgs;
use crate::common::Result;
use crate::engine::image::pull::RegistryOptions;
use crate::oci::Platform;

/// How the registry is talked to.
pub(crate) fn registry(args: &RegistryArgs) -> RegistryOptions {
    RegistryOptions {
        tls_verify: args.tls_verify,
        authfile: args.authfile.clone(),
        creds: args.creds.clone(),
    }
}

/// `--platform`, else `$DOCKER_DEFAULT_PLATFORM` as docker reads it, else the host's (`None`).
pub(crate) fn platform(flag: Option<&str>, default: Option<&str>) -> Result<Option<Platform>> {
    flag.or(default)
        .filter(|text| !text.is_empty())
        .map(str::parse)
        .transpose()
}
