//! `volume create`.

use std::collections::BTreeMap;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::parse;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind};
use crate::engine::Engine;
use crate::engine::volume::{self, CreateRequest};

/// Create a volume
#[derive(clap::Parser, Debug)]
pub(crate) struct Create {
    /// Specify volume driver name
    #[arg(short, long, default_value = volume::DRIVER)]
    driver: String,

    /// Set metadata for a volume
    #[arg(long, short, value_name = "KEY=VALUE")]
    label: Vec<String>,

    /// Set driver specific options
    #[arg(short, long, value_name = "KEY=VALUE")]
    opt: Vec<String>,

    /// Do not fail when the volume exists
    #[arg(long)]
    ignore: bool,

    /// Name of the volume; one is made up when there is none
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Execute for Create {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let mut labels = BTreeMap::new();
        for label in &self.label {
            parse::label::parse("--label", label, &mut labels)?;
        }
        let mut options = BTreeMap::new();
        for option in &self.opt {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            options.insert(key.to_owned(), value.to_owned());
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        if let Some(name) = &self.name
            && session.personality == Personality::Podman
            && !self.ignore
            && engine.store.volumes().named(name)?.is_some()
        {
            return Err(Error::new(Kind::Conflict, "create volume", name)
                .because("volume with this name already exists".to_owned())
                .into());
        }
        let request = CreateRequest {
            name: self.name,
            driver: self.driver,
            labels,
            options,
            anonymous: false,
        };
        let record = volume::create(&engine, request)?;
        session.data(&format!("{}\n", record.name))?;
        Ok(ExitStatus::Code(0))
    }
}
