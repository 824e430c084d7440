//! `secret create`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind, Result};
use crate::engine::Engine;
use crate::store::{MAX_SECRET, SecretRecord};

/// Create a secret from a file, from standard input (-) or from an environment variable
#[derive(clap::Parser, Debug)]
pub(crate) struct Create {
    /// Where secrets are kept: file
    #[arg(short, long, value_name = "DRIVER")]
    driver: Option<String>,

    /// Take the content from the environment variable of this name
    #[arg(long)]
    env: bool,

    /// Set meta data on the secret
    #[arg(short, long, value_name = "KEY=VALUE")]
    label: Vec<String>,

    /// Replace a secret of the same name
    #[arg(long)]
    replace: bool,

    /// Succeed without a change when there is a secret of the same name
    #[arg(long, conflicts_with = "replace")]
    ignore: bool,

    /// Name of the secret
    #[arg(value_name = "NAME")]
    name: String,

    /// File, - for standard input, or the variable's name
    #[arg(value_name = "FILE", default_value = "-")]
    source: String,
}

impl Execute for Create {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        if let Some(driver) = self.driver.as_deref().filter(|driver| *driver != "file") {
            return Err(parse::bad("--driver", driver, "file is the only one").into());
        }
        let mut labels = BTreeMap::new();
        for label in &self.label {
            parse::label::parse("--label", label, &mut labels)?;
        }
        let mut secret = SecretRecord::new(&self.name, &self.content(session)?, labels)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let secrets = engine.store.secrets();
        let known = match self.replace || self.ignore {
            true => secrets.find(&self.name).ok(),
            false => None,
        };
        let known = known.filter(|known| known.name == self.name);
        match known {
            Some(known) if self.ignore => secret = known,
            known => {
                if let Some(known) = known {
                    secret.created = known.created;
                }
                secrets.put(&secret, self.replace)?;
            }
        }
        session.data(&format!("{}\n", secret.id))?;
        Ok(ExitStatus::Code(0))
    }
}

impl Create {
    fn content(&self, session: &Session) -> Result<Vec<u8>> {
        if self.env {
            let value = session.environment.get(&self.source);
            return value.map(|value| value.as_bytes().to_vec()).ok_or_else(|| {
                Error::new(Kind::NotFound, "read variable", &self.source)
                    .because("it is not set".to_owned())
            });
        }
        let mut content = Vec::new();
        // One byte more shows what is too large.
        let most = MAX_SECRET as u64 + 1;
        let read = match self.source.as_str() {
            "-" => std::io::stdin().take(most).read_to_end(&mut content),
            path => std::fs::File::open(session.absolute(Path::new(path)))
                .and_then(|file| file.take(most).read_to_end(&mut content)),
        };
        read.map_err(|error| Error::io("read", &self.source, error))?;
        Ok(content)
    }
}
