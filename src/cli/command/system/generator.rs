//! `system-generator`: systemd calls it early in a boot, also under the names
//! `ketch-system-generator` and `ketch-user-generator`.

use std::path::{Path, PathBuf};

use crate::boot::{self, QuadletRequest};
use crate::cli::command::Execute;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};

/// Make systemd units of Quadlet's .container files
#[derive(clap::Parser, Debug)]
pub(crate) struct Generator {
    /// For the manager of a user, not for that of the system
    #[arg(long)]
    user: bool,

    /// Print the units instead of writing them
    #[arg(long, alias = "dryrun")]
    dry_run: bool,

    /// Folder of the units, as systemd gives it
    #[arg(value_name = "NORMALDIR", value_hint = clap::ValueHint::DirPath)]
    normal: Option<PathBuf>,

    /// Folder of units that win over all others; nothing is written there
    #[arg(value_name = "EARLYDIR", value_hint = clap::ValueHint::DirPath)]
    early: Option<PathBuf>,

    /// Folder of units that lose against all others; nothing is written there
    #[arg(value_name = "LATEDIR", value_hint = clap::ValueHint::DirPath)]
    late: Option<PathBuf>,
}

/// Names under which systemd calls it, and the words each stands for.
const NAMES: [(&str, &[&str]); 2] = [
    ("ketch-system-generator", &["system-generator"]),
    ("ketch-user-generator", &["system-generator", "--user"]),
];

/// The words that the program's own name stands for; none for other names.
pub(in crate::cli) fn words_of(program: &Path) -> &'static [&'static str] {
    let name = program.file_name().and_then(|name| name.to_str());
    let found = NAMES.iter().find(|(known, _)| Some(*known) == name);
    found.map_or(&[], |(_, words)| words)
}

impl Execute for Generator {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let folder = match (&self.normal, self.dry_run) {
            (Some(folder), _) => Some(session.absolute(folder)),
            (None, true) => None,
            (None, false) => {
                let why = "name the folder for the units, or use --dry-run";
                return Err(Error::usage("system-generator", "", why).into());
            }
        };
        let request = QuadletRequest {
            environment: &session.environment,
            user: self.user,
            uid: nix::unistd::getuid().as_raw(),
        };
        let (units, errors) = boot::generate_quadlets(&request)?;
        match (folder, self.dry_run) {
            (Some(folder), false) => boot::write_units(&units, &folder)?,
            _ => {
                for unit in &units {
                    session.data(&format!("---{}---\n{}\n", unit.name, unit.text))?;
                }
            }
        }
        let failed = !errors.is_empty();
        for error in errors {
            session.report(&error.into());
        }
        Ok(match failed {
            true => ExitStatus::Code(1),
            false => ExitStatus::Code(0),
        })
    }
}
