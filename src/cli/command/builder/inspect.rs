//! `buildx inspect`.

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::builder;

use super::ENDPOINT;

/// Inspect current builder instance
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    /// Ensure builder has booted before inspecting, which it always has
    #[arg(long)]
    bootstrap: bool,

    /// Name of a builder; the one in use without one
    #[arg(long, value_name = "NAME")]
    builder: Option<String>,

    /// Name of the builder
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let (builder, _) = builder::find(&engine, self.name.or(self.builder).as_deref())?;
        let version = env!("CARGO_PKG_VERSION");
        let platforms = super::platforms(&builder);
        let options: Vec<String> = builder
            .options
            .iter()
            .map(|one| format!("{one:?}"))
            .collect();
        let options = match options.is_empty() {
            true => String::new(),
            false => format!("Driver Options:   {}\n", options.join(" ")),
        };
        let mut text = format!(
            "Name:   {}\nDriver: {}\n\nNodes:\n",
            builder.name, builder.driver
        );
        let nodes: Vec<String> = builder.nodes.iter().map(|node| {
            format!(
                "Name:             {node}\nEndpoint:         {ENDPOINT}\n{options}Status:           \
                 running\nBuildKit version: {version}\nPlatforms:        {platforms}\n"
            )
        }).collect();
        text.push_str(&nodes.join("\n"));
        session.data(&text)?;
        Ok(ExitStatus::Code(0))
    }
}
