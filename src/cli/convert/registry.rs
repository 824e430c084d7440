//! Registry flags to the engine's options.

use crate::cli::args::RegistryArgs;
use crate::cli::parse::{bad, number};
use crate::common::{Error, Kind, Result, parse_duration};
use crate::engine::image::pull::RegistryOptions;
use crate::oci::Platform;

/// How the registry is talked to.
///
/// # Errors
/// A file of credentials that was named and is not there: to go on without them would ask for
/// another's image than was meant.
pub(crate) fn registry(args: &RegistryArgs) -> Result<RegistryOptions> {
    if let Some(file) = args.authfile.as_deref().filter(|file| !file.exists()) {
        return Err(
            Error::new(Kind::NotFound, "use --authfile", file.display().to_string())
                .because("credential file is not accessible: no such file or directory"),
        );
    }
    if let Some(dir) = args.cert_dir.as_deref().filter(|dir| !dir.is_dir()) {
        return Err(
            Error::new(Kind::NotFound, "use --cert-dir", dir.display().to_string())
                .because("there is no such directory"),
        );
    }
    let retries = args
        .retry
        .as_deref()
        .map(|text| number::within("--retry", text, 0..=1000));
    let delay = args.retry_delay.as_deref().map(|text| {
        parse_duration(text).map_err(|_| bad("--retry-delay", text, "use a form like 2s or 500ms"))
    });
    Ok(RegistryOptions {
        certificates: args.cert_dir.clone(),
        retries: retries
            .transpose()?
            .and_then(|times| u32::try_from(times).ok()),
        retry_delay: delay.transpose()?,
        tls_verify: args.tls_verify,
        authfile: args.authfile.clone(),
        creds: args.creds.clone(),
    })
}

/// `--platform`, else `$DOCKER_DEFAULT_PLATFORM` as docker reads it, else the host's (`None`).
pub(crate) fn platform(flag: Option<&str>, default: Option<&str>) -> Result<Option<Platform>> {
    flag.or(default)
        .filter(|text| !text.is_empty())
        .map(str::parse)
        .transpose()
}
