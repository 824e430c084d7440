//! `--mount type=…,src=…,dst=…,…`: comma-separated, keys in any case.

use crate::common::{Result, check_name, parse_size};
use crate::spec::config::{BindOptions, Mount, MountKind, VolumeMake};

use super::{Place, bad, boolean, csv, path, tmpfs, volume};

const FLAG: &str = "--mount";

/// Parses one `--mount` value. A missing source is never made: docker's rule for `--mount`,
/// unless `bind-create-src` asks for it.
pub(crate) fn parse(text: &str, place: &Place<'_>) -> Result<Mount> {
    let mut fields = Fields::new(text);
    for field in csv::fields(FLAG, text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field.as_str(), None),
        };
        fields.apply(&key.to_ascii_lowercase(), value)?;
    }
    fields.finish(place)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Bind,
    Volume,
    Tmpfs,
    Image,
}

impl Family {
    fn word(self) -> &'static str {
        match self {
            Family::Bind => "bind",
            Family::Volume => "volume",
            Family::Tmpfs => "tmpfs",
            Family::Image => "image",
        }
    }
}

struct Fields<'a> {
    text: &'a str,
    family: Family,
    source: Option<String>,
    target: Option<String>,
    read_only: bool,
    /// Whether it was said that it can be written to.
    writable: bool,
    no_exec: bool,
    no_suid: bool,
    no_dev: bool,
    bind: BindOptions,
    no_copy: bool,
    make: Option<VolumeMake>,
    subpath: Option<String>,
    size: Option<u64>,
    mode: Option<u32>,
    copy_up: Option<bool>,
    /// Keys seen that only one family has, and which.
    special: Vec<(String, Family)>,
}

impl<'a> Fields<'a> {
    fn new(text: &'a str) -> Fields<'a> {
        Fields {
            text,
            family: Family::Volume,
            source: None,
            target: None,
            read_only: false,
            writable: false,
            no_exec: false,
            no_suid: false,
            no_dev: false,
            bind: BindOptions::default(),
            no_copy: false,
            make: None,
            subpath: None,
            size: None,
            mode: None,
            copy_up: None,
            special: Vec::new(),
        }
    }

    fn apply(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let text = self.text;
        let need = || {
            value
                .filter(|value| !value.is_empty())
                .ok_or_else(|| bad(FLAG, text, format!("{key} needs a value")))
        };
        let flag = || {
            boolean::parse(value.unwrap_or("true"))
                .map_err(|why| bad(FLAG, text, format!("{key}: {why}")))
        };
        match key {
            "type" => self.family = family(text, need()?)?,
            "source" | "src" => self.source = Some(need()?.to_owned()),
            "target" | "destination" | "dest" | "dst" => {
                self.target = Some(path::mount_target(FLAG, need()?)?);
            }
            "readonly" | "ro" | "rw" => {
                self.read_only = flag()? != (key == "rw");
                self.writable = !self.read_only;
            }
            "noexec" => self.no_exec = flag()?,
            "exec" => self.no_exec = !flag()?,
            "nosuid" => self.no_suid = flag()?,
            "suid" => self.no_suid = !flag()?,
            "nodev" => self.no_dev = flag()?,
            "dev" => self.no_dev = !flag()?,
            "consistency" => {}
            _ => return self.apply_special(key, value),
        }
        Ok(())
    }

    /// Keys that belong to one type of mount.
    fn apply_special(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let text = self.text;
        let word = value.unwrap_or("");
        let flag = || {
            boolean::parse(value.unwrap_or("true"))
                .map_err(|why| bad(FLAG, text, format!("{key}: {why}")))
        };
        let unknown = || bad(FLAG, text, format!("{key}={word} is not known"));
        let family = match key {
            "bind-propagation" => {
                self.bind.propagation = volume::propagation(word).ok_or_else(unknown)?;
                Family::Bind
            }
            "bind-recursive" => {
                self.bind.non_recursive = match word {
                    "enabled" | "writable" => false,
                    "disabled" => true,
                    "readonly" => {
                        self.bind.recursive_read_only = true;
                        false
                    }
                    _ => return Err(unknown()),
                };
                Family::Bind
            }
            "bind-nonrecursive" => {
                self.bind.non_recursive = flag()?;
                Family::Bind
            }
            "bind-create-src" => {
                self.bind.create_source = flag()?;
                Family::Bind
            }
            "relabel" => {
                self.bind.relabel = matches!(word, "shared" | "private");
                if !self.bind.relabel {
                    return Err(unknown());
                }
                Family::Bind
            }
            "idmap" => {
                self.bind.id_map = match boolean::parse(value.unwrap_or("true")) {
                    Ok(asked) => asked,
                    Err(_) => return Err(bad(FLAG, text, volume::OTHER_MAP)),
                };
                // As the next.
                return Ok(());
            }
            "u" | "chown" => {
                // Of binds and volumes alike.
                self.bind.chown = flag()?;
                return Ok(());
            }
            _ => return self.apply_other(key, value),
        };
        self.special.push((key.to_owned(), family));
        Ok(())
    }

    /// Keys of volumes and temporary file systems.
    fn apply_other(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let text = self.text;
        let word = value.unwrap_or("");
        let flag = || {
            boolean::parse(value.unwrap_or("true"))
                .map_err(|why| bad(FLAG, text, format!("{key}: {why}")))
        };
        let family = match key {
            "volume-nocopy" => {
                self.no_copy = flag()?;
                Family::Volume
            }
            "volume-subpath" | "image-subpath" | "subpath" => {
                let path = std::path::Path::new(word);
                let inside = |part| matches!(part, std::path::Component::Normal(_));
                if word.is_empty() || !path.components().all(inside) {
                    let why = "subpath must be a relative path within the volume or image";
                    return Err(bad(FLAG, text, why));
                }
                self.subpath = Some(word.to_owned());
                match key {
                    "image-subpath" => Family::Image,
                    "volume-subpath" => Family::Volume,
                    // Of volumes and images alike.
                    _ => return Ok(()),
                }
            }
            "volume-driver" => {
                self.make.get_or_insert_default().driver = Some(word.to_owned());
                Family::Volume
            }
            "volume-opt" | "volume-label" => {
                let (name, given) = word.split_once('=').unwrap_or((word, ""));
                let make = self.make.get_or_insert_default();
                let map = match key {
                    "volume-opt" => &mut make.options,
                    _ => &mut make.labels,
                };
                map.insert(name.to_owned(), given.to_owned());
                Family::Volume
            }
            "tmpfs-size" => {
                self.size = Some(parse_size(word)?);
                Family::Tmpfs
            }
            "tmpfs-mode" => {
                self.mode = Some(tmpfs::mode(FLAG, word)?);
                Family::Tmpfs
            }
            "tmpcopyup" => {
                self.copy_up = Some(flag()?);
                Family::Tmpfs
            }
            "notmpcopyup" => {
                self.copy_up = Some(!flag()?);
                Family::Tmpfs
            }
            _ => return Err(bad(FLAG, text, format!("unknown key {key:?}"))),
        };
        self.special.push((key.to_owned(), family));
        Ok(())
    }

    fn finish(self, place: &Place<'_>) -> Result<Mount> {
        let text = self.text;
        if let Some((key, family)) = self.special.iter().find(|(_, f)| *f != self.family) {
            let why = format!(
                "{key} is for type={}, not type={}",
                family.word(),
                self.family.word()
            );
            return Err(bad(FLAG, text, why));
        }
        let Some(target) = self.target.clone() else {
            return Err(bad(FLAG, text, "the target (dst=) is missing"));
        };
        if matches!(self.family, Family::Tmpfs | Family::Image) {
            let asked = [(self.bind.chown, "U"), (self.bind.id_map, "idmap")];
            if let Some((_, key)) = asked.into_iter().find(|(asked, _)| *asked) {
                let why = format!("{key} is for type=bind and type=volume");
                return Err(bad(FLAG, text, why));
            }
        }
        if matches!(self.family, Family::Bind | Family::Tmpfs) && self.subpath.is_some() {
            return Err(bad(FLAG, text, "subpath is for type=volume and type=image"));
        }
        Ok(Mount {
            target,
            // podman's rule: an image is not written to unless somebody says so.
            read_only: self.read_only || (self.family == Family::Image && !self.writable),
            no_exec: self.no_exec,
            no_suid: self.no_suid,
            no_dev: self.no_dev,
            kind: self.kind(place)?,
        })
    }

    fn kind(self, place: &Place<'_>) -> Result<MountKind> {
        let text = self.text;
        Ok(match self.family {
            Family::Bind => {
                if self.bind.recursive_read_only && !self.read_only {
                    let why = "bind-recursive=readonly needs readonly";
                    return Err(bad(FLAG, text, why));
                }
                let source = self
                    .source
                    .ok_or_else(|| bad(FLAG, text, "a bind mount needs src="))?;
                MountKind::Bind {
                    source: path::source(FLAG, &source, place)?,
                    options: self.bind,
                }
            }
            Family::Tmpfs => {
                if self.source.is_some() {
                    return Err(bad(FLAG, text, "a tmpfs has no source"));
                }
                MountKind::Tmpfs {
                    size: self.size,
                    mode: self.mode,
                    copy_up: self.copy_up.unwrap_or(place.copy_up),
                }
            }
            Family::Image => MountKind::Image {
                name: self
                    .source
                    .ok_or_else(|| bad(FLAG, text, "an image mount needs src="))?,
                layers: Vec::new(),
                subpath: self.subpath,
            },
            Family::Volume => {
                if let Some(name) = &self.source {
                    check_name(name)
                        .map_err(|error| error.hint("for a host directory say type=bind"))?;
                }
                MountKind::Volume {
                    anonymous: self.source.is_none(),
                    name: self.source,
                    no_copy: self.no_copy,
                    chown: self.bind.chown,
                    overlay: false,
                    id_map: self.bind.id_map,
                    no_create: false,
                    make: self.make,
                    subpath: self.subpath,
                }
            }
        })
    }
}

fn family(text: &str, word: &str) -> Result<Family> {
    match word.to_ascii_lowercase().as_str() {
        "bind" => Ok(Family::Bind),
        "volume" => Ok(Family::Volume),
        "tmpfs" => Ok(Family::Tmpfs),
        "image" => Ok(Family::Image),
        _ => Err(bad(FLAG, text, format!("unknown type {word:?}"))
            .hint("type is bind, volume, tmpfs or image")),
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::config::Propagation;

    use super::*;

    fn here() -> Place<'static> {
        Place::homeless(true)
    }

    #[test]
    fn every_type_parses() {
        let bind = parse(
            "type=bind,SRC=x,Target=/b,readonly,bind-propagation=rslave,consistency=cached",
            &here(),
        )
        .unwrap();
        assert!(bind.read_only);
        match bind.kind {
            MountKind::Bind { source, options } => {
                assert_eq!(source, "/cwd/x");
                assert_eq!(options.propagation, Propagation::RSlave);
                assert!(!options.create_source);
            }
            other => panic!("{other:?}"),
        }
        let tmpfs = parse("type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700", &here()).unwrap();
        assert_eq!(
            tmpfs.kind,
            MountKind::Tmpfs {
                size: Some(1 << 20),
                mode: Some(0o700),
                copy_up: false
            }
        );
        let volume = parse("src=data,dst=/d,volume-subpath=a,ro=false", &here()).unwrap();
        assert_eq!(
            volume.kind,
            MountKind::Volume {
                name: Some("data".to_owned()),
                anonymous: false,
                no_copy: false,
                chown: false,
                overlay: false,
                id_map: false,
                no_create: false,
                make: None,
                subpath: Some("a".to_owned())
            }
        );
        let image = parse("type=image,src=a:b,dst=/i,subpath=c/d", &here()).unwrap();
        assert_eq!(
            image.kind,
            MountKind::Image {
                name: "a:b".to_owned(),
                layers: Vec::new(),
                subpath: Some("c/d".to_owned())
            }
        );
        assert!(image.read_only);
        let image = parse("type=image,src=a,dst=/i,rw=true", &here()).unwrap();
        assert!(!image.read_only);
        let quoted = parse(r#"type=bind,"src=/a,b",dst=/x"#, &here()).unwrap();
        assert!(matches!(quoted.kind, MountKind::Bind { source, .. } if source == "/a,b"));
    }

    #[test]
    fn bad_values_are_refused() {
        for text in [
            "",
            "type=bind",
            "type=bind,dst=/x",
            "type=bind,src=/a",
            "type=bind,src=/a,dst=x",
            "type=bind,src=/a,dst=/",
            "type=nope,dst=/x",
            "type=tmpfs,src=/a,dst=/x",
            "type=tmpfs,dst=/x,tmpfs-size=x",
            "type=tmpfs,dst=/x,tmpfs-mode=9",
            "type=bind,src=/a,dst=/x,tmpfs-size=1m",
            "type=bind,src=/a,dst=/x,ro=maybe",
            "type=bind,src=/a,dst=/x,bind-propagation=up",
            "src=/a,dst=/x",
            "dst=/x,wat=1",
            "type=bind,src=,dst=/x",
            "type=bind,src=/a,dst=/x,relabel=no",
            "type=image,dst=/x",
            "type=image,src=a,dst=/x,image-subpath=../b",
            "type=image,src=a,dst=/x,U",
            "type=image,src=a,dst=/x,volume-nocopy",
            "type=bind,src=/a,dst=/x,subpath=b",
        ] {
            assert!(parse(text, &here()).is_err(), "{text}");
        }
    }
}
