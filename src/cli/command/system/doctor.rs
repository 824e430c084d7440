//! `doctor`.

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::output::document;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::doctor::{self, Check, Report, Verdict};
use crate::host::{Host, HostEnv};
use crate::settings;

/// Show what this machine offers to containers, and the fix for each missing rung
#[derive(clap::Parser, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    format: ShowArgs,
}

impl Execute for Doctor {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let lookup = |name: &str| session.environment.get_os(name).map(Into::into);
        let host = Host::new(HostEnv::from_lookup(&lookup));
        let root =
            settings::store_root(&session.environment, host.euid(), host.in_initial_userns())?;
        let asked = session.environment.get("KETCH_IDENTITY");
        let report = doctor::examine(&host, &root.path, asked);
        let facts = serde_json::to_value(&report)?;
        session.data(&document(
            session.personality,
            &format,
            "report",
            &facts,
            || text(&report),
        )?)?;
        Ok(match report.can_run() {
            true => ExitStatus::Code(0),
            false => ExitStatus::Code(1),
        })
    }
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "identity: {}\nrootfs:   {}\ncgroup:   {}\nnetwork:  {}\n\n",
        report.identity, report.rootfs, report.cgroup, report.network
    );
    for check in &report.checks {
        text.push_str(&lines(check));
    }
    text
}

fn lines(check: &Check) -> String {
    let word = match check.verdict {
        Verdict::Ok => "ok",
        Verdict::Degraded => "less",
        Verdict::Missing => "missing",
    };
    let mut text = format!("{word:<8} {}: {}\n", check.name, check.found);
    if check.verdict == Verdict::Ok {
        return text;
    }
    text.push_str(&format!("         {}\n", check.meaning));
    let who = if check.needs_admin {
        "fix (administrator)"
    } else {
        "fix"
    };
    for fix in &check.fix {
        text.push_str(&format!("         {who}: {fix}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Mode;

    #[test]
    fn a_missing_rung_shows_its_fix() {
        let report = Report {
            identity: Mode::Single,
            rootfs: "overlay",
            cgroup: "none",
            network: "host",
            checks: vec![Check {
                name: "subordinate-ids",
                verdict: Verdict::Missing,
                found: "no range for me".to_owned(),
                meaning: "one id only",
                fix: vec!["usermod --add-subuids 100000-165535 me".to_owned()],
                needs_admin: true,
            }],
        };
        assert_eq!(
            text(&report),
            "identity: single\nrootfs:   overlay\ncgroup:   none\nnetwork:  host\n\n\
             missing  subordinate-ids: no range for me\n         one id only\n         \
             fix (administrator): usermod --add-subuids 100000-165535 me\n"
        );
    }
}
