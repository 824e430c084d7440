//! `buildx create`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::builder::{self, CreateRequest};
use crate::store::BuilderRecord;

/// Create a new builder instance: a name, since ketch is every builder
#[derive(clap::Parser, Debug)]
pub(crate) struct Create {
    /// Append a node to a builder instead of making one
    #[arg(long)]
    append: bool,

    /// Boot the builder, which needs no boot
    #[arg(long)]
    bootstrap: bool,

    /// BuildKit daemon config file; there is no daemon
    #[arg(long, visible_alias = "config", value_name = "FILE")]
    buildkitd_config: Option<String>,

    /// BuildKit daemon flags; there is no daemon
    #[arg(long, value_name = "FLAGS")]
    buildkitd_flags: Option<String>,

    /// Driver to tell those who ask
    #[arg(long, value_name = "DRIVER", default_value = "docker-container")]
    driver: String,

    /// Options for the driver, told to those who ask
    #[arg(long, value_name = "KEY=VALUE")]
    driver_opt: Vec<String>,

    /// Builder name
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,

    /// Name of the node
    #[arg(long, value_name = "NODE")]
    node: Option<String>,

    /// Platforms of the node
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,

    /// Set the builder as the one in use
    #[arg(long = "use")]
    choose: bool,

    /// Docker's context or endpoint; there is no engine to reach
    #[arg(value_name = "CONTEXT|ENDPOINT")]
    endpoint: Option<String>,
}

impl Execute for Create {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        for platform in &self.platform {
            platform.parse::<crate::oci::Platform>()?;
        }
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let request = CreateRequest {
            record: BuilderRecord {
                name: self.name,
                driver: self.driver,
                options: self.driver_opt,
                platforms: self.platform,
                nodes: self.node.into_iter().collect(),
            },
            append: self.append,
            choose: self.choose,
        };
        let name = builder::create(&engine, request)?;
        session.data(&format!("{name}\n"))?;
        Ok(ExitStatus::Code(0))
    }
}
