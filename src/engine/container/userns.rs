//! Which ids a container gets: the maps, and for `--userns=auto` a range that no living
//! container has.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use anyhow::Result;
use serde_json::{Value, json};

use super::asked::Asked;
use super::join;
use crate::common::{Error, Kind, Mode};
use crate::engine::Engine;
use crate::host::{AUTO_SIZE, IdMaps, SubRange, outside};
use crate::spec::config::{Config, MountKind, Userns};
use crate::store::{ContainerDir, ContainerRecord};
use crate::sys::namespace::{IdMap, through};

/// What was chosen.
pub(super) struct Chosen {
    /// The maps; `None` to stay in the caller's user namespace.
    pub(super) maps: Option<IdMaps>,
    /// Keeps others from choosing until the choice is in the container's record.
    pub(super) claim: Option<File>,
}

/// Chooses the maps of a new container.
pub(super) fn choose(engine: &Engine<'_>, config: &Config) -> Result<Chosen> {
    if let Some(maps) = join::ids(engine, config)? {
        return Ok(Chosen {
            maps: from_json(&maps),
            claim: None,
        });
    }
    let mut claim = None;
    let maps = match (&config.security.userns, engine.mode) {
        (Userns::Auto { size }, Mode::Root) => {
            claim = Some(engine.store.containers().lock_host_ids()?);
            let size = size.unwrap_or(AUTO_SIZE);
            let auto = engine.host.auto_maps(size, &taken(engine)?)?;
            if let Some(line) = &auto.warning {
                engine.ui.warn(line);
            }
            auto.maps
        }
        (Userns::Auto { .. }, _) => {
            engine.ui.warn(
                "--userns=auto: only root can give each container ids of its own; this one has \
                 the ids of all your containers",
            );
            engine.host.id_maps(engine.mode)?
        }
        (Userns::KeepId { uid, gid }, Mode::Root) => {
            if uid.or(*gid).is_some() {
                engine
                    .ui
                    .warn("--userns=keep-id: root keeps its own numbers; -u runs as another user");
            }
            engine.host.id_maps(engine.mode)?
        }
        (asked @ (Userns::Maps { .. } | Userns::Names { .. }), mode) => given(engine, asked, mode)?,
        // In `single` the one id is 0 until the payload starts; a nested namespace renames it.
        (Userns::KeepId { uid, gid }, Mode::Subid) => {
            engine.host.keep_id_maps(engine.mode, *uid, *gid)?
        }
        (Userns::Default, Mode::Subid) => match own_number(engine, config)? {
            Some((uid, gid)) => engine
                .host
                .keep_id_maps(engine.mode, Some(uid), Some(gid))?,
            None => engine.host.id_maps(engine.mode)?,
        },
        _ => engine.host.id_maps(engine.mode)?,
    };
    Ok(Chosen {
        maps: (!maps.is_empty()).then_some(maps),
        claim,
    })
}

/// Maps that were asked for line by line. Layers on disk have the owners of the mode's own map;
/// root shows them to a container with other ids as that one's, which nobody else can.
fn given(engine: &Engine<'_>, asked: &Userns, mode: Mode) -> Result<IdMaps> {
    let lines = |lines: &[(u32, u32, u32)]| -> Vec<IdMap> {
        let one =
            |(inside, outside, count): &(u32, u32, u32)| IdMap::new(*inside, *outside, *count);
        lines.iter().map(one).collect()
    };
    let refused = |why: &str| {
        Error::new(Kind::Unsupported, "use", "--uidmap")
            .because(why)
            .hint("--userns=keep-id gives a container the caller's own number, and root any map")
            .into()
    };
    match (asked, mode) {
        (Userns::Maps { uids, gids }, Mode::Root) => Ok(IdMaps {
            uids: lines(uids),
            gids: lines(gids),
        }),
        (Userns::Names { users, groups }, Mode::Root) => {
            engine.host.named_maps(users, groups).map_err(Into::into)
        }
        (_, Mode::Single) => Err(refused("one id is all that this user's containers have")),
        (Userns::Maps { uids, gids }, Mode::Subid)
            if uids.iter().chain(gids).all(|one| one.0 == one.1) =>
        {
            let own = engine.host.id_maps(mode)?;
            let through = |map: &[(u32, u32, u32)], own: &[IdMap]| {
                let own: Vec<IdMap> = own.iter().map(reversed).collect();
                let own = own.as_slice();
                through(&lines(map), own).ok_or_else(|| {
                    refused(
                        "the map has ids that /etc/subuid and /etc/subgid do not give this user",
                    )
                })
            };
            Ok(IdMaps {
                uids: through(uids, &own.uids)?,
                gids: through(gids, &own.gids)?,
            })
        }
        _ => Err(refused(
            "an image's files have the owners of this user's own map, and only root can show \
             them to a container whose ids are others",
        )),
    }
}

fn reversed(line: &IdMap) -> IdMap {
    IdMap::new(line.outside, line.inside, line.count)
}

/// The user and group of `-u $(id -u):$(id -g)` beside a directory of the caller's that is bound:
/// whoever runs a program so means it to work on his files as himself, as docker has it, where
/// the number is the same outside. One whose files there belong to the number that the plain map
/// gives has them from such a container, and keeps it.
fn own_number(engine: &Engine<'_>, config: &Config) -> Result<Option<(u32, u32)>> {
    let asked = config.process.user.as_deref().unwrap_or_default();
    let (user, group) = asked.split_once(':').unwrap_or((asked, "0"));
    let own = engine.host.euid();
    let (Ok(uid), Ok(gid)) = (user.parse::<u32>(), group.parse()) else {
        return Ok(None);
    };
    if uid != own {
        return Ok(None);
    }
    let plain = engine.host.id_maps(engine.mode)?;
    let other = outside(&plain.uids, uid);
    let owners = config.mounts.iter().filter_map(|mount| match &mount.kind {
        MountKind::Bind { source, .. } => Some(std::fs::metadata(source).ok()?.uid()),
        _ => None,
    });
    let owners: Vec<u32> = owners.collect();
    let meant = owners.contains(&own) && !owners.iter().any(|owner| Some(*owner) == other);
    Ok(meant.then_some((uid, gid)))
}

/// The host ids of living containers with ranges of their own.
fn taken(engine: &Engine<'_>) -> Result<Vec<SubRange>> {
    let mut ranges = Vec::new();
    for entry in engine.store.containers().list()?.into_iter().flatten() {
        if entry.alive && entry.record.mode == Mode::Root {
            ranges.extend(ids(&entry.record.asked).into_iter().map(|map| SubRange {
                start: map.outside,
                count: map.count,
            }));
        }
    }
    Ok(ranges)
}

/// All lines of the maps that `asked` holds.
fn ids(asked: &Value) -> Vec<IdMap> {
    ["uids", "gids"]
        .iter()
        .filter_map(|kind| asked.get("maps")?.get(kind)?.as_array())
        .flatten()
        .filter_map(line)
        .collect()
}

/// As [`choose`] for the next start of a container: while it did not run, another may have taken
/// the range it had. What keeps others from choosing goes with the answer.
pub(super) fn choose_again(
    engine: &Engine<'_>,
    dir: &ContainerDir,
    record: &mut ContainerRecord,
    asked: &mut Asked,
) -> Result<Option<File>> {
    let auto = matches!(asked.config.security.userns, Userns::Auto { .. });
    let joined = join::is_joined(&asked.config);
    if engine.mode != Mode::Root || !(auto || joined) {
        return Ok(None);
    }
    let Chosen { maps, claim } = choose(engine, &asked.config)?;
    let maps = maps.as_ref().map_or(Value::Null, to_json);
    if maps != asked.maps {
        asked.maps = maps;
        record.asked = serde_json::to_value(&*asked)?.into();
        dir.set_record(record)?;
    }
    Ok(claim)
}

/// The maps for a container's record: `[inside, outside, count]` a line.
pub(super) fn to_json(maps: &IdMaps) -> Value {
    let lines = |map: &[IdMap]| -> Value {
        map.iter()
            .map(|line| json!([line.inside, line.outside, line.count]))
            .collect()
    };
    json!({"uids": lines(&maps.uids), "gids": lines(&maps.gids)})
}

/// The maps that a container's record holds; `None` for one in the caller's user namespace.
pub(super) fn from_json(maps: &Value) -> Option<IdMaps> {
    let lines = |kind: &str| -> Option<Vec<IdMap>> {
        maps.get(kind)?.as_array()?.iter().map(line).collect()
    };
    Some(IdMaps {
        uids: lines("uids")?,
        gids: lines("gids")?,
    })
}

fn line(value: &Value) -> Option<IdMap> {
    let number = |at: usize| u32::try_from(value.get(at)?.as_u64()?).ok();
    Some(IdMap::new(number(0)?, number(1)?, number(2)?))
}

/// podman's form of the recorded maps for `inspect`; null for a container without.
pub(super) fn inspect(asked: &Value) -> Value {
    let lines = |kind: &str| -> Option<Vec<String>> {
        let lines = asked.get("maps")?.get(kind)?.as_array()?;
        let text = |line: &Value| {
            let numbers: Vec<String> = line.as_array()?.iter().map(Value::to_string).collect();
            Some(numbers.join(":"))
        };
        Some(lines.iter().filter_map(text).collect())
    };
    match (lines("uids"), lines("gids")) {
        (Some(uids), Some(gids)) => json!({"UidMap": uids, "GidMap": gids}),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_maps_come_back_and_show_as_podman_writes_them() {
        let maps = IdMaps {
            uids: vec![IdMap::new(0, 5000, 10), IdMap::new(20, 7000, 1)],
            gids: vec![IdMap::new(0, 6000, 3)],
        };
        let asked = json!({"maps": to_json(&maps)});
        let all: Vec<IdMap> = maps.uids.iter().chain(&maps.gids).copied().collect();
        assert_eq!(ids(&asked), all);
        assert_eq!(
            inspect(&asked),
            json!({"UidMap": ["0:5000:10", "20:7000:1"], "GidMap": ["0:6000:3"]})
        );
        for odd in [
            json!({}),
            json!({"maps": null}),
            json!({"maps": {"uids": [[1]]}}),
        ] {
            assert_eq!((ids(&odd), inspect(&odd)), (vec![], Value::Null));
        }
    }
}
