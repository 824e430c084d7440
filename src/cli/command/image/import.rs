//! `import`.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::image::import::{ImportRequest, import, open_address};
use crate::oci::Platform;

/// Import the contents from a tarball to create a filesystem image
#[derive(clap::Parser, Debug)]
pub(crate) struct Import {
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,

    /// Set commit message for imported image
    #[arg(short, long)]
    message: Option<String>,

    /// Set platform, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,

    /// Set the operating system
    #[arg(long)]
    os: Option<String>,

    /// Set the architecture
    #[arg(long)]
    arch: Option<String>,

    /// Set the variant of the architecture
    #[arg(long)]
    variant: Option<String>,

    /// Suppress output
    #[arg(short, long)]
    quiet: bool,

    /// Archive, compressed or not; - is standard input
    #[arg(value_name = "FILE|URL|-", value_hint = clap::ValueHint::AnyPath)]
    source: String,

    /// Name of the new image
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<String>,
}

impl Execute for Import {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let platform = self.platform(session)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        engine.apply_blob_policy()?;
        let request = ImportRequest {
            source: self.source.clone(),
            name: self.name,
            message: self.message,
            changes: self.change,
            platform,
        };
        let address = ["http://", "https://"];
        let mut input: Box<dyn Read + Send> = match self.source.as_str() {
            "-" => Box::new(stdin()),
            source if address.iter().any(|scheme| source.starts_with(scheme)) => {
                open_address(&engine, source, None)?
            }
            source => {
                let path = session.absolute(Path::new(source));
                let file = File::open(&path)
                    .map_err(|error| Error::io("open", Path::new(source), error))?;
                Box::new(file)
            }
        };
        let id = import(&engine, &request, &mut input)?;
        session.data(&format!("{id}\n"))?;
        Ok(ExitStatus::Code(0))
    }
}

impl Import {
    fn platform(&self, session: &Session) -> anyhow::Result<Option<Platform>> {
        let asked = session.platform(self.platform.as_deref())?;
        if self.os.is_none() && self.arch.is_none() && self.variant.is_none() {
            return Ok(asked);
        }
        let host = asked.unwrap_or_else(Platform::host);
        Ok(Some(Platform {
            os: self.os.clone().unwrap_or(host.os),
            architecture: self.arch.clone().unwrap_or(host.architecture),
            variant: self.variant.clone().or(match self.arch {
                Some(_) => None,
                None => host.variant,
            }),
            ..Platform::host()
        }))
    }
}
