//! `version` and `--version`.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::output;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::ExitStatus;
use crate::oci::Platform;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of docker's API whose words the output follows; scripts compare it.
const API_VERSION: &str = "1.47";

/// Prints one line in the form of the program ketch is called as: scripts match docker's
/// `Docker version X` and podman's `podman version X`.
pub(crate) fn short(program: &OsStr) -> anyhow::Result<ExitStatus> {
    let name = match Path::new(program).file_name().and_then(OsStr::to_str) {
        Some("docker") => "Docker",
        Some("podman") => "podman",
        _ => "ketch",
    };
    output::data(&format!("{name} version {VERSION}\n"))?;
    Ok(ExitStatus::Code(0))
}

/// Show the version information
#[derive(clap::Parser, Debug)]
pub(crate) struct Version {
    #[command(flatten)]
    format: ShowArgs,
}

impl Execute for Version {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let document = document(session.personality);
        session.data(&output::document(
            session.personality,
            &format,
            "version",
            &document,
            table,
        )?)?;
        Ok(ExitStatus::Code(0))
    }
}

/// There is no server; its half says the same as the client's, for scripts that read it.
fn document(personality: Personality) -> Value {
    let host = Platform::host();
    match personality {
        Personality::Docker => json!({
            "Client": {
                "Version": VERSION,
                "ApiVersion": API_VERSION,
                "DefaultAPIVersion": API_VERSION,
                "Os": host.os,
                "Arch": host.architecture,
                "Context": "default",
            },
            "Server": {
                "Platform": { "Name": "ketch" },
                "Version": VERSION,
                "ApiVersion": API_VERSION,
                "MinAPIVersion": "1.24",
                "Os": host.os,
                "Arch": host.architecture,
                "Components": [{ "Name": "Engine", "Version": VERSION }],
            },
        }),
        Personality::Podman => {
            let half = json!({
                "APIVersion": VERSION,
                "Version": VERSION,
                "OsArch": host.to_string(),
                "Os": host.os,
            });
            json!({ "Client": half, "Server": half })
        }
    }
}

fn table() -> String {
    let host = Platform::host();
    let half = |name: &str| {
        format!(
            "{name}:\n Version:           {VERSION}\n API version:       {API_VERSION}\n OS/Arch:           {host}\n"
        )
    };
    format!("{}\n{}", half("Client"), half("Server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_always_there() {
        for personality in [Personality::Docker, Personality::Podman] {
            let document = document(personality);
            for half in ["Client", "Server"] {
                assert_eq!(document[half]["Version"], VERSION);
            }
        }
        assert!(table().starts_with("Client:\n Version: "));
    }
}
