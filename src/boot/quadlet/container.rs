//! One `.container` file to one service.

use std::path::{Component, Path, PathBuf};

use super::keys::{self, Becomes};
use crate::boot::service::{Service, Start};
use crate::boot::unit_file::{Entry, UnitFile};
use crate::boot::{Caller, words};
use crate::common::{Error, Kind, Result};

const SECTION: &str = "Container";

/// Lists of units, in which one made by ketch may be named by the file it is made of.
const UNIT_LISTS: [&str; 10] = [
    "Wants",
    "Requires",
    "Requisite",
    "BindsTo",
    "PartOf",
    "Upholds",
    "Conflicts",
    "Before",
    "After",
    "OnFailure",
];

/// Files of other kinds, which ketch makes no units of.
const OTHER_KINDS: [&str; 7] = [
    ".volume",
    ".network",
    ".build",
    ".kube",
    ".pod",
    ".image",
    ".artifact",
];

/// A file with its drop-ins, and what it is read for.
pub(super) struct Source<'a> {
    /// All its lines.
    pub(super) unit: &'a UnitFile,
    /// Where it is.
    pub(super) path: &'a Path,
    /// How ketch is called.
    pub(super) caller: &'a Caller,
    /// The store's directory.
    pub(super) store: &'a str,
    /// For a user's manager.
    pub(super) user: bool,
}

fn refused(entry: &Entry, why: impl Into<String>) -> Error {
    let what = format!("use {}={}", entry.key, entry.value);
    Error::new(Kind::Usage, what, entry.place.clone()).because(why.into())
}

fn missing(entry: &Entry, what: &str) -> Error {
    refused(entry, format!("ketch has no {what} yet")).with_kind(Kind::Unsupported)
}

/// The words of an entry.
fn split(entry: &Entry) -> Result<Vec<String>> {
    words::split(&entry.value).map_err(|why| refused(entry, why))
}

/// systemd's booleans.
fn truth(entry: &Entry) -> Result<bool> {
    match entry.value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Ok(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Ok(false),
        _ => Err(refused(entry, "use yes or no")),
    }
}

impl Source<'_> {
    /// The service's file name and the service.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with its line.
    pub(super) fn service(&self) -> std::result::Result<(String, UnitFile), Vec<Error>> {
        let mut errors = self.unknown();
        if errors.is_empty() {
            match self.make() {
                Ok(made) => return Ok(made),
                Err(error) => errors.push(error),
            }
        }
        Err(errors)
    }

    fn last(&self, key: &str) -> Option<&Entry> {
        self.unit.last(SECTION, key)
    }

    fn all(&self, key: &str) -> Vec<&Entry> {
        self.unit.all(SECTION, key)
    }

    /// Keys that are not known, and those that ketch has nothing for.
    fn unknown(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        for entry in self.unit.section(SECTION) {
            match keys::of(&entry.key) {
                None => errors.push(refused(entry, "[Container] has no such key")),
                Some(Becomes::Missing(what)) if !entry.value.is_empty() => {
                    errors.push(missing(entry, what));
                }
                Some(_) => {}
            }
        }
        for entry in self.unit.section("Quadlet") {
            if entry.key != "DefaultDependencies" {
                errors.push(refused(entry, "[Quadlet] has no such key"));
            }
        }
        errors
    }

    fn make(&self) -> Result<(String, UnitFile)> {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str());
        let stem = self
            .last("ServiceName")
            .map_or(stem, |entry| Some(&entry.value));
        let stem = stem.unwrap_or("container");
        if stem.contains('/') || stem.is_empty() {
            let why = "it takes a name of a unit without .service";
            return Err(Error::usage("use ServiceName", stem, why));
        }
        let mut unit = UnitFile::default();
        self.dependencies(&mut unit)?;
        self.copy(&mut unit)?;
        let stop_timeout = match self.last("StopTimeout") {
            None => None,
            Some(entry) => {
                let seconds = entry.value.parse();
                Some(seconds.map_err(|_| refused(entry, "it takes a number of seconds"))?)
            }
        };
        let service = Service {
            caller: self.caller,
            store: self.store,
            start: Start::Fresh {
                global: self.split_all("GlobalArgs")?,
                run: self.run(stem)?,
            },
            stop_timeout,
        };
        service.complete(&mut unit);
        if unit.last("Service", "SyslogIdentifier").is_none() {
            unit.add("Service", "SyslogIdentifier", "%N");
        }
        Ok((format!("{stem}.service"), unit))
    }

    /// What podman's generator puts before the user's own dependencies.
    fn dependencies(&self, unit: &mut UnitFile) -> Result<()> {
        let wanted = match self.unit.last("Quadlet", "DefaultDependencies") {
            Some(entry) => truth(entry)?,
            None => true,
        };
        // A user's manager knows nothing of the network.
        if wanted && !self.user {
            unit.add("Unit", "Wants", "network-online.target");
            unit.add("Unit", "After", "network-online.target");
        }
        let path = self.path.display().to_string();
        unit.add("Unit", "SourcePath", words::literal_path(&path));
        for entry in self.all("Volume") {
            let source = entry.value.split(':').next().unwrap_or("");
            if source.starts_with('/') && entry.value.contains(':') {
                unit.add("Unit", "RequiresMountsFor", words::quote(source));
            }
        }
        Ok(())
    }

    /// The user's own lines, as far as they are not ketch's to write.
    fn copy(&self, unit: &mut UnitFile) -> Result<()> {
        for section in &self.unit.sections {
            for entry in &section.entries {
                let value = match (section.name.as_str(), entry.key.as_str()) {
                    ("Service", "ExecStart") => {
                        return Err(refused(entry, "ketch makes the command of the service"));
                    }
                    ("Service", "Type") => match entry.value.as_str() {
                        "oneshot" | "exec" | "simple" | "" => entry.value.clone(),
                        // podman's own way to run one; here it is the foreground.
                        "notify" => "exec".to_owned(),
                        _ => return Err(refused(entry, "use exec, simple or oneshot")),
                    },
                    ("Service", "KillMode") => match entry.value.as_str() {
                        "mixed" | "control-group" | "" => entry.value.clone(),
                        _ => return Err(refused(entry, "use mixed or control-group")),
                    },
                    ("Unit", key) if UNIT_LISTS.contains(&key) => services(entry)?,
                    _ => entry.value.clone(),
                };
                unit.add(&section.name, &entry.key, value);
            }
        }
        Ok(())
    }

    fn split_all(&self, key: &str) -> Result<Vec<String>> {
        let lists: Result<Vec<Vec<String>>> = self.all(key).into_iter().map(split).collect();
        Ok(lists?.concat())
    }

    /// Flags, image and command of `run`.
    fn run(&self, stem: &str) -> Result<Vec<String>> {
        let name = match self.last("ContainerName") {
            Some(entry) => entry.value.clone(),
            None if stem.contains('@') => "systemd-%p_%i".to_owned(),
            None => "systemd-%N".to_owned(),
        };
        let mut run = vec![
            format!("--name={name}"),
            "--label=PODMAN_SYSTEMD_UNIT=%n".to_owned(),
        ];
        let checked = self.all("HealthCmd").iter().any(|one| one.value != "none");
        if self.last("LogDriver").is_none() {
            // The journal has it all; a health check needs somebody who stays with the container.
            run.push(match checked {
                true => "--log-opt=max-size=10m".to_owned(),
                false => "--log-driver=passthrough".to_owned(),
            });
        }
        for (key, becomes) in keys::KEYS {
            self.flags(key, *becomes, &mut run)?;
        }
        run.extend(self.split_all("PodmanArgs")?);
        if self.last("Rootfs").is_some() {
            run.push("--rootfs".to_owned());
        }
        run.push(self.image()?);
        if let Some(entry) = self.last("Exec") {
            run.extend(split(entry)?);
        }
        Ok(run)
    }

    fn image(&self) -> Result<String> {
        match (self.last("Image"), self.last("Rootfs")) {
            (Some(image), Some(_)) => Err(refused(image, "Rootfs= stands there too")),
            (Some(image), None) => {
                no_other_kind(image, &image.value)?;
                Ok(image.value.clone())
            }
            (None, Some(rootfs)) => Ok(self.path_of(&rootfs.value)),
            (None, None) => {
                let object = self.path.display().to_string();
                let why = "[Container] has neither Image= nor Rootfs=";
                Err(Error::usage("make a service of", object, why))
            }
        }
    }

    fn flags(&self, key: &str, becomes: Becomes, run: &mut Vec<String>) -> Result<()> {
        let all = self.all(key);
        match becomes {
            Becomes::Last(flag) => {
                run.extend(self.last(key).map(|one| format!("{flag}={}", one.value)));
            }
            Becomes::Each(flag) => {
                run.extend(all.iter().map(|one| format!("{flag}={}", one.value)));
            }
            Becomes::Words(flag) => {
                let words = self.split_all(key)?;
                run.extend(words.iter().map(|word| format!("{flag}={word}")));
            }
            Becomes::Switch(flag) => {
                if let Some(entry) = self.last(key) {
                    run.push(format!("{flag}={}", truth(entry)?));
                }
            }
            Becomes::Option(option) => {
                let value = self.last(key).map(|one| &one.value);
                run.extend(value.map(|value| format!("--security-opt={option}={value}")));
            }
            Becomes::Own => {
                for entry in all {
                    self.own(entry, run)?;
                }
                if key == "User" {
                    run.extend(self.user()?);
                }
            }
            Becomes::Nothing | Becomes::Missing(_) => {}
        }
        Ok(())
    }

    /// One line of a key that is more than a flag.
    fn own(&self, entry: &Entry, run: &mut Vec<String>) -> Result<()> {
        let value = entry.value.as_str();
        match entry.key.as_str() {
            "AddDevice" => {
                for device in split(entry)? {
                    // One that may be missing.
                    let (path, optional) = match device.strip_prefix('-') {
                        Some(rest) => (rest, true),
                        None => (device.as_str(), false),
                    };
                    let host = path.split(':').next().unwrap_or(path);
                    if !optional || Path::new(host).exists() {
                        run.push(format!("--device={path}"));
                    }
                }
            }
            "EnvironmentFile" => {
                for file in split(entry)? {
                    run.push(format!("--env-file={}", self.path_of(&file)));
                }
            }
            "Volume" => run.push(format!("--volume={}", self.volume(entry)?)),
            "Mount" => {
                for part in value.split(',') {
                    no_other_kind(entry, part)?;
                }
                run.push(format!("--mount={value}"));
            }
            "Network" => {
                // NAME.network and NAME.container are units; options may follow.
                let name = value.split(':').next().unwrap_or(value);
                if name.ends_with(".network") || name.ends_with(".container") {
                    return Err(missing(entry, ".network units and networks of other units"));
                }
                run.push(format!("--network={value}"));
            }
            "NoNewPrivileges" if truth(entry)? => {
                run.push("--security-opt=no-new-privileges".to_owned());
            }
            "VolatileTmp" if truth(entry)? => {
                run.push("--tmpfs=/tmp:rw,size=512m,mode=1777".to_owned());
            }
            "Notify" if !matches!(truth(entry), Ok(false)) => {
                return Err(missing(entry, "readiness messages of containers"));
            }
            "CgroupsMode" if !matches!(value, "split" | "enabled" | "no-conmon") => {
                return Err(missing(entry, "such way to go without cgroups"));
            }
            _ => {}
        }
        Ok(())
    }

    /// `User=` and `Group=`.
    fn user(&self) -> Result<Option<String>> {
        let (user, group) = (self.last("User"), self.last("Group"));
        Ok(match (user, group) {
            (None, None) => None,
            (Some(user), None) => Some(format!("--user={}", user.value)),
            (Some(user), Some(group)) if !user.value.contains(':') => {
                Some(format!("--user={}:{}", user.value, group.value))
            }
            (_, Some(group)) => {
                return Err(refused(group, "it needs User= without a group of its own"));
            }
        })
    }

    fn volume(&self, entry: &Entry) -> Result<String> {
        let Some((source, rest)) = entry.value.split_once(':') else {
            return Ok(entry.value.clone());
        };
        no_other_kind(entry, source)?;
        Ok(match source.starts_with('.') {
            true => format!("{}:{rest}", self.path_of(source)),
            false => entry.value.clone(),
        })
    }

    /// A path as the unit's file has it: relative ones begin in the file's folder.
    fn path_of(&self, text: &str) -> String {
        if text.starts_with(['/', '%']) {
            return text.to_owned();
        }
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let mut path = PathBuf::new();
        for component in folder.join(text).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(path.pop()),
                other => path.push(other),
            }
        }
        path.display().to_string()
    }
}

/// Refuses the name of a unit that ketch does not make.
fn no_other_kind(entry: &Entry, name: &str) -> Result<()> {
    match OTHER_KINDS.iter().find(|kind| name.ends_with(*kind)) {
        Some(kind) => Err(missing(entry, &format!("{kind} units"))),
        None => Ok(()),
    }
}

/// A list of units with `web.container` as `web.service`.
fn services(entry: &Entry) -> Result<String> {
    let service = |word: String| match word.strip_suffix(".container") {
        Some(stem) => format!("{stem}.service"),
        None => word,
    };
    Ok(words::join(split(entry)?.into_iter().map(service)))
}
