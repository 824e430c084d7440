//! `system check`.

use serde_json::json;

use crate::cli::args::FormatArgs;
use crate::cli::command::Execute;
use crate::cli::output;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::check;
use crate::store::Report;

/// Check that the store is whole; with --repair, put it right
#[derive(clap::Parser, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    format: FormatArgs,

    /// Remove what is damaged, so that the next pull fetches it again
    #[arg(short, long)]
    repair: bool,

    /// Only say whether there are problems, by the exit code
    #[arg(short, long)]
    quiet: bool,
}

impl Execute for Check {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format()?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let report = check::check(&engine.store, self.repair)?;
        if !self.quiet {
            session.data(&output::document(
                session.personality,
                &format,
                "report",
                &document(&report),
                || text(&report),
            )?)?;
        }
        Ok(
            match report.problems.iter().all(|problem| problem.repaired) {
                true => ExitStatus::Code(0),
                false => session.personality.failure(),
            },
        )
    }
}

fn document(report: &Report) -> serde_json::Value {
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|problem| {
            json!({
                "Path": problem.path.display().to_string(),
                "Problem": problem.what,
                "Repaired": problem.repaired,
            })
        })
        .collect();
    json!({
        "Blobs": report.blobs,
        "Layers": report.layers,
        "Images": report.images,
        "Containers": report.containers,
        "Problems": problems,
    })
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let repaired = if problem.repaired { " (repaired)" } else { "" };
        text.push_str(&format!(
            "{}: {}{repaired}\n",
            problem.path.display(),
            problem.what
        ));
    }
    text.push_str(&format!(
        "Checked {} blobs, {} layers, {} images, {} containers: {}\n",
        report.blobs,
        report.layers,
        report.images,
        report.containers,
        match report.problems.len() {
            0 => "no problems".to_owned(),
            1 => "1 problem".to_owned(),
            many => format!("{many} problems"),
        }
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Problem;

    #[test]
    fn every_problem_is_a_line() {
        let report = Report {
            blobs: 3,
            problems: vec![Problem {
                path: "/s/blobs/x".into(),
                what: "wrong digest".to_owned(),
                repaired: true,
            }],
            ..Report::default()
        };
        assert_eq!(
            text(&report),
            "/s/blobs/x: wrong digest (repaired)\n\
             Checked 3 blobs, 0 layers, 0 images, 0 containers: 1 problem\n"
        );
        assert_eq!(document(&report)["Problems"][0]["Repaired"], true);
    }
}
