//! `secret inspect`.

use serde_json::{Value, json};

use crate::cli::args::ShowArgs;
use crate::cli::command::Execute;
use crate::cli::command::image::inspect::show;
use crate::cli::output::progress::Progress;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus, Kind, Result};
use crate::engine::Engine;
use crate::store::SecretRecord;

/// Display detailed information on one or more secrets
#[derive(clap::Parser, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    format: ShowArgs,

    /// Display the content as well
    #[arg(long)]
    showsecret: bool,

    /// Secrets by name or ID
    #[arg(required = true, value_name = "SECRET")]
    secrets: Vec<String>,
}

impl Execute for Inspect {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format.format(session.personality)?;
        let progress = Progress::default();
        let engine = Engine::open(&session.environment, &progress)?;
        show(session, &format, &self.secrets, |name| {
            let secret = engine.store.secrets().find(name)?;
            Ok(document(&secret, self.showsecret)?)
        })
    }
}

fn document(secret: &SecretRecord, open: bool) -> Result<Value> {
    let mut document = json!({
        "ID": secret.id,
        "CreatedAt": secret.created.to_string(),
        "UpdatedAt": secret.updated.to_string(),
        "Spec": {
            "Name": secret.name,
            "Driver": {"Name": "file", "Options": {}},
            "Labels": secret.labels,
        },
    });
    if open {
        let text = String::from_utf8(secret.data()?).map_err(|_| {
            Error::new(Kind::Usage, "show secret", &secret.name)
                .because("its content is no text".to_owned())
        })?;
        document["SecretData"] = json!(text);
    }
    Ok(document)
}
