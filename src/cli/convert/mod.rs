//! From groups of flags to the groups of `spec::config`. Reads the files flags name (environment
//! and label files); everything else is pure.

mod copy;
mod health;
mod lifecycle;
mod mount;
mod network;
mod process;
mod registry;
mod resource;
mod security;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::cli::args::ContainerArgs;
use crate::cli::parse::{self, Place, env::Caller};
use crate::cli::personality::Personality;
use crate::common::{Error, Result};
use crate::spec::config::Config;

pub(crate) use copy::copies;
pub(crate) use health::health;
pub(crate) use lifecycle::lifecycle;
pub(crate) use mount::mounts;
pub(crate) use network::network;
pub(crate) use process::{environment, process, proxies};
pub(crate) use registry::{platform, registry};
pub(crate) use resource::{limits, resources};
pub(crate) use security::security;

/// What conversions know of the caller.
pub(crate) struct Surroundings<'a> {
    /// For relative paths.
    pub(crate) place: Place<'a>,
    /// Whose defaults hold.
    pub(crate) personality: Personality,
    /// The caller's environment.
    pub(crate) caller: &'a dyn Caller,
}

/// Labels, annotations and the time limit of `args` into `config`.
pub(crate) fn container(args: &ContainerArgs, config: &mut Config) -> Result<()> {
    for path in &args.label_file {
        let bytes = read("read label file", path)?;
        parse::label::file(&path.display().to_string(), &bytes, &mut config.labels)?;
    }
    for label in &args.label {
        parse::label::parse("--label", label, &mut config.labels)?;
    }
    for annotation in &args.annotation {
        parse::label::annotation(annotation, &mut config.annotations)?;
    }
    config.requires.clone_from(&args.requires);
    if let Some(text) = &args.timeout {
        let seconds = parse::number::within("--timeout", text, 0..=i64::from(u32::MAX))?;
        config.timeout = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
    }
    Ok(())
}

/// A file a flag names, refused when larger than any such file is.
fn read(operation: &str, path: &Path) -> Result<Vec<u8>> {
    use std::io::Read as _;

    const LIMIT: u64 = 16 << 20;
    let failed = |error| Error::io(operation, path, error);
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Error::usage(
            operation,
            path.display().to_string(),
            "larger than 16 MiB",
        ));
    }
    Ok(bytes)
}
