//! `completion`.

use clap_complete::Shell;

use crate::cli::command::Execute;
use crate::cli::generate;
use crate::cli::session::Session;
use crate::common::ExitStatus;

/// Generate the completion script of a shell
#[derive(clap::Parser, Debug)]
pub(crate) struct Completion {
    /// Shell: bash, zsh or fish
    #[arg(value_name = "SHELL", value_parser = parse)]
    shell: Shell,
}

fn parse(text: &str) -> Result<Shell, String> {
    match text {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        _ => Err("use bash, zsh or fish".to_owned()),
    }
}

impl Execute for Completion {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        session.data(&generate::completion(self.shell)?)?;
        Ok(ExitStatus::Code(0))
    }
}
