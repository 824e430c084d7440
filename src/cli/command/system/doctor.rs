//! `doctor`.

use serde_json::Value;

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output::{Format, json as form};
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::doctor::{self, Report, Verdict};

/// Show what this machine offers to containers, and the fix for each missing rung
#[derive(clap::Parser, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    format: FormatArgs,
}

impl Execute for Doctor {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        let report = session.examine()?;
        session.data(&match format {
            Format::Json => form::compact(&document(&report)?),
            Format::Text => text(&report),
        })?;
        Ok(match report.can_run() {
            true => ExitStatus::Code(0),
            false => ExitStatus::Code(1),
        })
    }
}
