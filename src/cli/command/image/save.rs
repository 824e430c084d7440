//! `save`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::command::Execute;
use crate::cli::output::file;
use crate::cli::output::progress::Progress;
use crate::cli::personality::Personality;
use crate::cli::session::Session;
use crate::common::{Error, ExitStatus};
use crate::engine::Engine;
use crate::engine::image::layout::{Archive, Folder};
use crate::engine::image::save::{self, Form, Selection};
use crate::store::ImageRecord;

/// Save one or more images to an archive
#[derive(clap::Parser, Debug)]
pub(crate) struct Save {
    /// Write to a file, or a directory, instead of STDOUT
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    output: Option<PathBuf>,

    /// Form of the archive; docker's, which docker-archive and oci-archive readers both take,
    /// unless called as podman, whose is docker-archive
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Save only this platform of an image for several, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,

    /// Take further arguments for images and not for names, as is usual unless called as podman
    #[arg(short, long)]
    multi_image_archive: bool,

    /// Leave layers compressed in a docker-dir
    #[arg(long)]
    compress: bool,

    /// Do not compress layers in an oci-archive or oci-dir
    #[arg(long)]
    uncompressed: bool,

    /// Suppress output
    #[arg(short, long)]
    quiet: bool,

    /// Images by name or ID
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// podman's names of forms.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    OciDir,
    OciArchive,
    DockerDir,
    DockerArchive,
}

impl Execute for Save {
    fn execute(self, session: &Session) -> anyhow::Result<ExitStatus> {
        let format = self.format(session.personality)?;
        let platform = match &self.platform {
            Some(text) => session.platform(Some(text))?,
            None => None,
        };
        let progress = Progress::new(self.quiet, false);
        let engine = Engine::open(&session.environment, &progress)?;
        let records = match self.takes_names(session.personality) {
            true => {
                let one = save::choose(&engine, &self.images[..1], false, platform.as_ref())?;
                save::also_named(&one[0], &self.images[1..])?
            }
            false => {
                let all = session.personality == Personality::Docker;
                save::choose(&engine, &self.images, all, platform.as_ref())?
            }
        };
        let selection = self.selection(format, &records);
        let path = self.output.as_deref().map(|path| session.absolute(path));
        match (format, path) {
            (Some(Format::OciDir | Format::DockerDir), None) => {
                let why = "a directory is made, and none is named";
                return Err(Error::usage("save", "", why).hint("name it with -o").into());
            }
            (Some(Format::OciDir | Format::DockerDir), Some(path)) => {
                file::fill_directory("save", &path, |path| {
                    save::write(&engine, &selection, &mut Folder::at(path))
                })?;
            }
            (_, path) => file::fill("save", path.as_deref(), |output| {
                let mut archive = Archive::new(output);
                save::write(&engine, &selection, &mut archive)?;
                Ok(archive.finish()?)
            })?,
        }
        Ok(ExitStatus::Code(0))
    }
}

impl Save {
    /// The form that was asked for; docker's own without.
    fn format(&self, personality: Personality) -> anyhow::Result<Option<Format>> {
        let format = match (&self.format, personality) {
            (None, Personality::Docker) => None,
            (None, Personality::Podman) => Some(Format::DockerArchive),
            (Some(text), _) => Some(Format::from_str(text, false).map_err(|_| {
                let known =
                    "format value must be one of oci-dir oci-archive docker-dir docker-archive";
                Error::usage("save", format!("--format {text}"), known)
            })?),
        };
        let bad = |flag: &str, why: &str| Err(Error::usage("save", flag, why).into());
        match format {
            _ if self.compress && format != Some(Format::DockerDir) => bad(
                "--compress",
                "can only be set when --format is 'docker-dir'",
            ),
            None | Some(Format::DockerArchive) => Ok(format),
            Some(_) if self.multi_image_archive => bad(
                "--multi-image-archive",
                "unsupported format for saving multiple images (only docker-archive)",
            ),
            _ => Ok(format),
        }
    }

    /// Whether words after the first are names for that image: podman's way.
    fn takes_names(&self, personality: Personality) -> bool {
        personality == Personality::Podman && !self.multi_image_archive
    }

    fn selection<'a>(&self, format: Option<Format>, records: &'a [ImageRecord]) -> Selection<'a> {
        const NO_NOTES: &BTreeMap<String, String> = &BTreeMap::new();
        let (form, plain) = match format {
            None => (Form::Docker, false),
            Some(Format::DockerArchive) => (Form::List, true),
            Some(Format::DockerDir) => (Form::Dir, !self.compress),
            Some(Format::OciDir | Format::OciArchive) => {
                (Form::Oci { strict: true }, self.uncompressed)
            }
        };
        Selection {
            records,
            form,
            plain,
            notes: NO_NOTES,
        }
    }
}
