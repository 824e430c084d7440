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
        let mut document = document(session.personality);
        if matches!(format, output::Format::Template(_)) {
            // Go's templates use the name of the field, not of its key in JSON.
            for half in ["Client", "Server"] {
                let version = document[half]["ApiVersion"].clone();
                if !version.is_null() {
                    document[half]["APIVersion"] = version;
                }
            }
        }
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
                "Platform": { "Name": "ketch" },
                "GitCommit": "",
                "GoVersion": "",
                "BuildTime": "",
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
                "GitCommit": "",
                "GoVersion": "",
                "BuildTime": "",
                "KernelVersion": kernel(),
                "Experimental": false,
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
                "GoVersion": "",
                "GitCommit": "",
                "BuiltTime": "",
                "Built": 0,
            });
            json!({ "Client": half, "Server": half })
        }
    }
}

fn kernel() -> String {
    let name = nix::sys::utsname::uname().ok();
    let release = name.map(|name| name.release().to_string_lossy().into_owned());
    release.unwrap_or_default()
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
