//! `buildx ls`.

use serde_json::{Value, json};

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output::Format;
use crate::cli::output::progress::Progress;
use crate::cli::output::table::Table;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::builder;
use crate::store::BuilderRecord;

use super::{ENDPOINT, platforms};

/// List builder instances
#[derive(clap::Parser, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    format: FormatArgs,

    /// Show builder names only
    #[arg(short, long)]
    quiet: bool,

    /// Do not truncate output
    #[arg(long)]
    no_trunc: bool,
}

impl Execute for List {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?.for_personality(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let (builders, current) = builder::list(&engine)?;
        if self.quiet {
            let names = builders.iter().map(|one| format!("{}\n", one.name));
            session.data(&names.collect::<String>())?;
            return Ok(ExitStatus::Code(0));
        }
        let documents = builders
            .iter()
            .map(|one| document(one, one.name == current));
        let documents: Vec<Value> = documents.collect();
        // buildx prints an object a line, not an array.
        let text = match &format {
            Format::Json => documents.iter().map(|one| format!("{one}\n")).collect(),
            Format::Text => table(&builders, &current),
            // A template is for each builder.
            format => {
                let show = |one| {
                    let none = String::new;
                    crate::cli::output::document(session.personality, format, "ls", one, none)
                };
                documents.iter().map(show).collect::<Result<String, _>>()?
            }
        };
        session.data(&text)?;
        Ok(ExitStatus::Code(0))
    }
}

fn document(builder: &BuilderRecord, current: bool) -> Value {
    let platforms = platforms(builder);
    let platforms: Vec<&str> = platforms.split(", ").collect();
    let node = |name: &String| {
        json!({
            "Name": name,
            "Endpoint": ENDPOINT,
            "Status": "running",
            "Version": env!("CARGO_PKG_VERSION"),
            "Platforms": platforms,
        })
    };
    json!({
        "Name": builder.name,
        "Driver": builder.driver,
        "Current": current,
        "Dynamic": false,
        "Nodes": builder.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}

fn table(builders: &[BuilderRecord], current: &str) -> String {
    let heading = [
        "NAME/NODE",
        "DRIVER/ENDPOINT",
        "STATUS",
        "BUILDKIT",
        "PLATFORMS",
    ];
    let mut table = Table::new(&heading);
    for builder in builders {
        let mark = if builder.name == current { "*" } else { "" };
        let name = format!("{}{mark}", builder.name);
        let empty = String::new;
        table.row([name, builder.driver.clone(), empty(), empty(), empty()]);
        for node in &builder.nodes {
            table.row([
                format!(" \\_ {node}"),
                format!(" \\_ {ENDPOINT}"),
                "running".to_owned(),
                env!("CARGO_PKG_VERSION").to_owned(),
                platforms(builder),
            ]);
        }
    }
    table.render()
}
