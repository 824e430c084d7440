//! `-v [SRC:]DST[:OPTIONS]`.
//!
//! docker-run(1) and podman-run(1), "--volume": a source that begins with `/`, `.` or `~` is a
//! path, any other one names a volume; one part alone is an anonymous volume.

use crate::common::{Result, check_name};
use crate::spec::config::{BindOptions, Mount, MountKind, Propagation};

use super::{Place, bad, path};

const FLAG: &str = "--volume";

/// Why podman's longer form is refused.
pub(super) const OTHER_MAP: &str =
    "idmap maps as the container's own user namespace does, and takes no other map";

/// Parses one `-v` value.
pub(crate) fn parse(text: &str, place: &Place<'_>) -> Result<Mount> {
    let parts = split(text);
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, target, None),
        [source, target] if is_option_list(target) => {
            let mut error = bad(FLAG, text, "options without a source");
            if source.starts_with('/') {
                error = error.hint(format!("name the host side too: -v HOST:{source}:{target}"));
            }
            return Err(error);
        }
        [source, target] => (Some(source), target, None),
        [source, target, options] => (Some(source), target, Some(options.as_str())),
        _ => return Err(bad(FLAG, text, "use [SOURCE:]TARGET[:OPTIONS]")),
    };
    if source.is_some_and(String::is_empty) {
        return Err(bad(FLAG, text, "the source is empty"));
    }
    let mut parsed = Options::new(text, place.create_sources);
    for option in options.unwrap_or("").split(',').filter(|o| !o.is_empty()) {
        parsed.apply(option)?;
    }
    let kind = match source {
        Some(source) if path::is_path(source) => parsed.bind(path::source(FLAG, source, place)?)?,
        source => parsed.volume(source.map(String::as_str))?,
    };
    Ok(Mount {
        target: path::mount_target(FLAG, target)?,
        kind,
        read_only: parsed.read_only.unwrap_or(false),
        no_exec: parsed.no_exec,
        no_suid: parsed.no_suid,
        no_dev: parsed.no_dev,
    })
}

/// Splits at colons that no backslash precedes (podman's escape for names with colons).
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&':') => {
                chars.next();
                if let Some(part) = parts.last_mut() {
                    part.push(':');
                }
            }
            ':' => parts.push(String::new()),
            c => {
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
        }
    }
    parts
}

fn is_option_list(text: &str) -> bool {
    let mut scratch = Options::new(text, false);
    !text.is_empty()
        && !text.starts_with('/')
        && text.split(',').all(|option| scratch.apply(option).is_ok())
}

/// Propagation by docker's word.
pub(super) fn propagation(word: &str) -> Option<Propagation> {
    Some(match word {
        "private" => Propagation::Private,
        "rprivate" => Propagation::RPrivate,
        "shared" => Propagation::Shared,
        "rshared" => Propagation::RShared,
        "slave" => Propagation::Slave,
        "rslave" => Propagation::RSlave,
        "unbindable" => Propagation::Unbindable,
        "runbindable" => Propagation::RUnbindable,
        _ => return None,
    })
}

struct Options<'a> {
    text: &'a str,
    create_sources: bool,
    read_only: Option<bool>,
    no_exec: bool,
    no_suid: bool,
    no_dev: bool,
    propagation: Option<Propagation>,
    non_recursive: bool,
    no_create: bool,
    no_copy: Option<bool>,
    chown: bool,
    relabel: bool,
    overlay: bool,
    id_map: bool,
}

impl<'a> Options<'a> {
    fn new(text: &'a str, create_sources: bool) -> Options<'a> {
        Options {
            text,
            create_sources,
            read_only: None,
            no_exec: false,
            no_suid: false,
            no_dev: false,
            propagation: None,
            non_recursive: false,
            no_create: false,
            no_copy: None,
            chown: false,
            relabel: false,
            overlay: false,
            id_map: false,
        }
    }

    fn apply(&mut self, option: &str) -> Result<()> {
        let clash = |why: &str| Err(bad(FLAG, self.text, why));
        match option {
            "ro" | "rw" => {
                let read_only = option == "ro";
                if self.read_only.is_some_and(|before| before != read_only) {
                    return clash("both ro and rw");
                }
                self.read_only = Some(read_only);
            }
            "z" | "Z" => self.relabel = true,
            "U" => self.chown = true,
            "O" => self.overlay = true,
            "idmap" => self.id_map = true,
            _ if option.starts_with("idmap=") => return clash(OTHER_MAP),
            "copy" | "nocopy" => self.no_copy = Some(option == "nocopy"),
            "dev" | "nodev" => self.no_dev = option == "nodev",
            "exec" | "noexec" => self.no_exec = option == "noexec",
            "suid" | "nosuid" => self.no_suid = option == "nosuid",
            "bind" | "rbind" => self.non_recursive = option == "bind",
            "nocreate" => self.no_create = true,
            // Hints for docker on other systems, without meaning on Linux.
            "consistent" | "cached" | "delegated" => {}
            word => match propagation(word) {
                Some(wanted) if self.propagation.is_some_and(|p| p != wanted) => {
                    return clash("two propagation options");
                }
                Some(wanted) => self.propagation = Some(wanted),
                None => return clash(&format!("unknown option {word:?}")),
            },
        }
        Ok(())
    }

    fn bind(&self, source: String) -> Result<MountKind> {
        if self.no_copy.is_some() {
            return Err(bad(
                FLAG,
                self.text,
                "copy and nocopy are for named volumes",
            ));
        }
        if self.overlay && self.read_only == Some(true) {
            return Err(bad(FLAG, self.text, "O and ro exclude each other"));
        }
        Ok(MountKind::Bind {
            source,
            options: BindOptions {
                propagation: self.propagation.unwrap_or_default(),
                non_recursive: self.non_recursive,
                create_source: self.create_sources && !self.no_create && !self.overlay,
                chown: self.chown,
                relabel: self.relabel,
                overlay: self.overlay,
                id_map: self.id_map,
                recursive_read_only: false,
            },
        })
    }

    fn volume(&self, name: Option<&str>) -> Result<MountKind> {
        if self.propagation.is_some() || self.non_recursive {
            return Err(bad(
                FLAG,
                self.text,
                "propagation and bind are for host paths",
            ));
        }
        if self.overlay && self.read_only == Some(true) {
            return Err(bad(FLAG, self.text, "O and ro exclude each other"));
        }
        if let Some(name) = name {
            check_name(name).map_err(|error| {
                error.hint("a host path starts with /, ./ or ~/ ; anything else names a volume")
            })?;
        }
        Ok(MountKind::Volume {
            name: name.map(str::to_owned),
            anonymous: name.is_none(),
            no_copy: self.no_copy == Some(true),
            chown: self.chown,
            overlay: self.overlay,
            id_map: self.id_map,
            no_create: self.no_create,
            make: None,
            subpath: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Place<'static> {
        Place::homeless(true)
    }

    fn bind(text: &str) -> (String, String, BindOptions, bool) {
        let mount = parse(text, &here()).unwrap();
        match mount.kind {
            MountKind::Bind { source, options } => (source, mount.target, options, mount.read_only),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn paths_become_bind_mounts() {
        let (source, target, options, read_only) = bind("/a:/b");
        assert_eq!((source.as_str(), target.as_str()), ("/a", "/b"));
        assert!(options.create_source && !read_only);
        let (source, target, options, read_only) = bind("./x/..:/b/:ro,rslave,Z,U");
        assert_eq!((source.as_str(), target.as_str()), ("/cwd", "/b"));
        assert!(read_only && options.relabel && options.chown);
        assert_eq!(options.propagation, Propagation::RSlave);
        assert_eq!(bind(r"/with\:colon:/b").0, "/with:colon");
        assert!(bind("/a:/b:bind").2.non_recursive);
        assert!(!bind("/a:/b:nocreate").2.create_source);
        assert!(bind("/a:/b:O").2.overlay);
        assert!(bind("/a:/b:idmap").2.id_map);
        assert!(parse("/a:/b:idmap=uids=0-1-2", &here()).is_err());
        assert_eq!(bind("/a:/b:").1, "/b");
    }

    #[test]
    fn other_sources_name_volumes() {
        let mount = parse("data:/d:nocopy,noexec", &here()).unwrap();
        assert!(mount.no_exec);
        let mapped = parse("data:/d:idmap", &here()).unwrap();
        assert!(matches!(
            mapped.kind,
            MountKind::Volume { id_map: true, .. }
        ));
        assert_eq!(
            mount.kind,
            MountKind::Volume {
                name: Some("data".to_owned()),
                anonymous: false,
                no_copy: true,
                chown: false,
                overlay: false,
                id_map: false,
                no_create: false,
                make: None,
                subpath: None
            }
        );
        let anonymous = parse("/d", &here()).unwrap();
        assert!(matches!(
            anonymous.kind,
            MountKind::Volume { name: None, .. }
        ));
    }

    #[test]
    fn bad_values_are_refused() {
        for text in [
            "",
            ":",
            ":/b",
            "/a:b",
            "/a:",
            "/a:/",
            "/a:ro",
            "/a:/b:ro:rw",
            "/a:/b:ro,rw",
            "/a:/b:nope",
            "/a:/b:shared,slave",
            "/a:/b:nocopy",
            "da$ta:/d",
            "/a:/b:O,ro",
            "rel",
            "~x:/b",
        ] {
            assert!(parse(text, &here()).is_err(), "{text}");
        }
    }
}
