//! `volume create`.

use std::collections::BTreeMap;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::volume::{CreateRequest, create};

/// Create a volume
#[derive(clap::Parser, Debug)]
pub(crate) struct Create {
    /// Volume driver: local, or tmpfs for one that each container gets fresh
    #[arg(short, long, value_name = "DRIVER")]
    driver: Option<String>,

    /// Set metadata for a volume
    #[arg(short, long, value_name = "KEY=VALUE")]
    label: Vec<String>,

    /// Driver options: type=none, o=bind and device=/PATH, or type=tmpfs and o=size=…
    #[arg(short, long, value_name = "KEY=VALUE")]
    opt: Vec<String>,

    /// Succeed when there is a volume of the same name
    #[arg(long)]
    ignore: bool,

    /// Name of the volume; one without a name is anonymous
    #[arg(value_name = "VOLUME")]
    name: Option<String>,
}

impl Execute for Create {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut labels = BTreeMap::new();
        for text in &self.label {
            parse::label::parse("--label", text, &mut labels)?;
        }
        let mut options = BTreeMap::new();
        for text in &self.opt {
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| parse::bad("--opt", text, "use KEY=VALUE"))?;
            options.insert(key.to_owned(), value.to_owned());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = CreateRequest {
            name: self.name.filter(|name| !name.is_empty()),
            driver: self.driver,
            labels,
            options,
        };
        let (record, made) = create(&engine, &request)?;
        if !made && !self.ignore && session.personality == Personality::Podman {
            return Err(Error::new(Kind::Conflict, "make volume", record.name)
                .because("volume already exists")
                .hint("--ignore takes the one that is there")
                .into());
        }
        session.data(&format!("{}\n", record.name))?;
        Ok(ExitStatus::Code(0))
    }
}
