//! Builders as docker's tools see them: `default`, and names that were made for it.

use anyhow::Result;

use crate::common::{Error, Kind, check_name};
use crate::engine::Engine;
use crate::engine::container::names;
use crate::store::{BuilderRecord, Builders};
use crate::sys::file;

/// Name of the builder that is always there.
pub(crate) const DEFAULT: &str = "default";

/// How often a generated name may be taken.
const ATTEMPTS: u32 = 100;

/// `buildx create`.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreateRequest {
    /// The builder; a name is made up without one, or an empty name in `record`.
    pub(crate) record: BuilderRecord,
    /// `--append`: a node joins a builder that is there.
    pub(crate) append: bool,
    /// It is used from now on.
    pub(crate) choose: bool,
}

/// All builders, the default first, and the name of the one in use.
pub(crate) fn list(engine: &Engine<'_>) -> Result<(Vec<BuilderRecord>, String)> {
    let Builders { current, all } = engine.store.builders()?;
    let first = BuilderRecord {
        name: DEFAULT.to_owned(),
        driver: "docker".to_owned(),
        nodes: vec![DEFAULT.to_owned()],
        ..BuilderRecord::default()
    };
    let all = [first].into_iter().chain(all).collect();
    Ok((all, current.unwrap_or_else(|| DEFAULT.to_owned())))
}

/// The builder of a name, or the one in use, and whether that is it.
///
/// # Errors
/// `NotFound` in docker's words.
pub(crate) fn find(engine: &Engine<'_>, name: Option<&str>) -> Result<(BuilderRecord, bool)> {
    let (all, current) = list(engine)?;
    let wanted = name.map_or(current.as_str(), |name| name.trim_end_matches('*'));
    let found = all.into_iter().find(|builder| builder.name == wanted);
    let found = found.ok_or_else(|| missing(wanted))?;
    Ok((found, wanted == current))
}

/// Makes a builder, or a node of one; its name.
///
/// # Errors
/// `Usage` for a bad name; `Conflict` for one that is there and is not added to.
pub(crate) fn create(engine: &Engine<'_>, request: CreateRequest) -> Result<String> {
    let CreateRequest {
        mut record,
        append,
        choose,
    } = request;
    let chosen = (!record.name.is_empty()).then(|| record.name.clone());
    if let Some(name) = &chosen {
        check_name(name)?;
    }
    let random = file::random()?;
    let name = engine.store.change_builders(|builders| {
        let taken = |name: &str| builders.all.iter().position(|one| one.name == name);
        let mut made = (0..ATTEMPTS).map(|attempt| names::generate(random, attempt));
        record.name = match chosen {
            Some(name) => name,
            None => made.find(|name| taken(name).is_none()).unwrap_or_default(),
        };
        let name = record.name.clone();
        match taken(&name) {
            None if name == DEFAULT => return Err(exists(&name)),
            Some(_) if !append => return Err(exists(&name)),
            Some(at) => {
                let one = &mut builders.all[at];
                let next = format!("{name}{}", one.nodes.len());
                one.nodes.push(record.nodes.pop().unwrap_or(next));
            }
            None => {
                if record.nodes.is_empty() {
                    record.nodes.push(format!("{name}0"));
                }
                builders.all.push(record);
            }
        }
        if choose {
            builders.current = Some(name.clone());
        }
        Ok(name)
    })?;
    Ok(name)
}

/// Uses a builder from now on.
///
/// # Errors
/// `NotFound`.
pub(crate) fn choose(engine: &Engine<'_>, name: &str) -> Result<()> {
    let (builder, _) = find(engine, Some(name))?;
    engine.store.change_builders(|builders| {
        builders.current = Some(builder.name).filter(|name| name != DEFAULT);
        Ok(())
    })?;
    Ok(())
}

/// Forgets a builder, the one in use without a name; its name. What was built stays, since all
/// builders have one cache.
///
/// # Errors
/// `NotFound`; `Conflict` for the default, which is always there.
pub(crate) fn remove(engine: &Engine<'_>, name: Option<&str>) -> Result<String> {
    let (builder, _) = find(engine, name)?;
    if builder.name == DEFAULT {
        return Err(Error::new(Kind::Conflict, "remove builder", DEFAULT)
            .because("it is ketch itself")
            .into());
    }
    engine.store.change_builders(|builders| {
        builders.all.retain(|one| one.name != builder.name);
        if builders.current.as_ref() == Some(&builder.name) {
            builders.current = None;
        }
        Ok(())
    })?;
    Ok(builder.name)
}

fn missing(name: &str) -> Error {
    Error::new(Kind::NotFound, "find builder", name)
        .because(format!("no builder {name:?} found"))
        .hint("ketch buildx ls lists them; ketch buildx create makes one")
}

fn exists(name: &str) -> Error {
    Error::new(Kind::Conflict, "create builder", name).because(format!(
        "existing instance for {name:?} but no append mode, specify the node name to make \
         changes for existing instances"
    ))
}
