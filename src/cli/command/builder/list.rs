//! `buildx ls`.

use serde_json::json;

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output::Format;
use crate::cli::output::table::Table;
use crate::cli::session::Session;
use crate::common::ExitStatus;

use super::NAME;

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
        if self.quiet {
            session.data(&format!("{NAME}\n"))?;
            return Ok(ExitStatus::Code(0));
        }
        let version = env!("CARGO_PKG_VERSION");
        let platforms = super::platforms();
        let builder = json!({
            "Name": NAME,
            "Driver": "docker",
            "Current": true,
            "Dynamic": false,
            "Nodes": [{
                "Name": NAME,
                "Endpoint": NAME,
                "Status": "running",
                "Version": version,
                "Platforms": [&platforms],
            }],
        });
        let table = || {
            let heading = [
                "NAME/NODE",
                "DRIVER/ENDPOINT",
                "STATUS",
                "BUILDKIT",
                "PLATFORMS",
            ];
            let mut table = Table::new(&heading);
            let row = |cells: [&str; 5]| cells.map(str::to_owned);
            table.row(row(["default*", "docker", "", "", ""]));
            table.row(row([
                " \\_ default",
                " \\_ default",
                "running",
                version,
                &platforms,
            ]));
            table.render()
        };
        // buildx prints an object a line, not an array.
        let text = match &format {
            Format::Json => format!("{builder}\n"),
            format => {
                crate::cli::output::document(session.personality, format, "ls", &builder, table)?
            }
        };
        session.data(&text)?;
        Ok(ExitStatus::Code(0))
    }
}
