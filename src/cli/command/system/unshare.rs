//! `unshare`.

use std::ffi::OsString;

use crate::cli::command::Execute;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::engine::Engine;
use crate::engine::system::unshare::unshare;

/// Run a command in a user namespace that has the ids of your containers
///
/// Files that containers left under other ids than yours can be read, given and removed there, and
/// what `container mount` mounts is seen there. Without a command it is your shell.
#[derive(clap::Parser, Debug)]
pub(crate) struct Unshare {
    /// Command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    words: Vec<OsString>,
}

impl Execute for Unshare {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        let mut words = self.words;
        if words.is_empty() {
            let shell = session.environment.get_os("SHELL");
            words.push(shell.map_or_else(|| "/bin/sh".into(), OsString::from));
        }
        unshare(&engine, &words)?;
        Ok(ExitStatus::ENGINE)
    }
}
