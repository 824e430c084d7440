//! `version` and `--version`.

use std::ffi::OsStr;

use serde_json::{Value, json};

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::output;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::cli::voice::Voice;
use crate::common::ExitStatus;
use crate::oci::Platform;

/// What ketch itself is, beside the release of a peer whose words it speaks.
const BUILD: &str = concat!("ketch-", env!("CARGO_PKG_VERSION"));

/// The version of docker's API whose words the output follows; scripts compare it.
const API_VERSION: &str = "1.47";

/// Prints one line in the form of the program ketch is called as: scripts match docker's
/// `Docker version X` and podman's `podman version X`.
pub(crate) fn short(program: &OsStr) -> anyhow::Result<ExitStatus> {
    let voice = Voice::of(program);
    let release = voice.release();
    output::data(&match voice {
        Voice::Docker => format!("Docker version {release}, build {BUILD}\n"),
        Voice::Podman => format!("podman version {release}\n"),
        Voice::Ketch => format!("ketch version {release}\n"),
    })?;
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
        let release = session.voice().release();
        let mut document = document(session.personality, release);
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
            || table(release),
        )?)?;
        Ok(ExitStatus::Code(0))
    }
}

/// There is no server; its half says the same as the client's, for scripts that read it.
fn document(personality: Personality, release: &str) -> Value {
    let host = Platform::host();
    match personality {
        Personality::Docker => json!({
            "Client": {
                "Platform": { "Name": "ketch" },
                "GitCommit": BUILD,
                "GoVersion": "",
                "BuildTime": "",
                "Version": release,
                "ApiVersion": API_VERSION,
                "DefaultAPIVersion": API_VERSION,
                "Os": host.os,
                "Arch": host.architecture,
                "Context": "default",
            },
            "Server": {
                "Platform": { "Name": "ketch" },
                "Version": release,
                "ApiVersion": API_VERSION,
                "MinAPIVersion": "1.24",
                "GitCommit": BUILD,
                "GoVersion": "",
                "BuildTime": "",
                "KernelVersion": kernel(),
                "Experimental": false,
                "Os": host.os,
                "Arch": host.architecture,
                "Components": [{ "Name": "Engine", "Version": release }],
            },
        }),
        Personality::Podman => {
            let half = json!({
                "APIVersion": release,
                "Version": release,
                "OsArch": host.to_string(),
                "Os": host.os,
                "GoVersion": "",
                "GitCommit": BUILD,
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

fn table(release: &str) -> String {
    let host = Platform::host();
    let half = |name: &str| {
        format!(
            "{name}:\n Version:           {release}\n API version:       {API_VERSION}\n OS/Arch:           {host}\n"
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
            let document = document(personality, "1.2.3");
            for half in ["Client", "Server"] {
                assert_eq!(document[half]["Version"], "1.2.3");
            }
        }
        assert!(table("1.2.3").starts_with("Client:\n Version: "));
    }
}
