//! Where the cgroup hierarchies are mounted and where this process is in each; see cgroups(7).

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::env::HostEnv;
use crate::sys::file;
use crate::sys::file_system::file_system;

/// Where the hierarchies are mounted: file-hierarchy(7).
const TOP: &str = "/sys/fs/cgroup";

/// The first cgroup namespace, whose number never changes (`PROC_CGROUP_INIT_INO` of
/// linux/proc_ns.h).
const INITIAL_NAMESPACE: &str = "cgroup:[4026531835]";

/// Which hierarchies a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CgroupVersion {
    /// No hierarchy is mounted.
    None,
    /// Version 1 only.
    V1,
    /// Version 2 only.
    V2,
    /// Controllers on version 1, and a version 2 tree beside them.
    Hybrid,
}

/// The version 2 tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unified {
    /// Its mount point.
    pub(crate) mount: PathBuf,
    /// The folder of this process's cgroup.
    pub(crate) own: PathBuf,
}

/// One version 1 hierarchy with controllers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct V1Hierarchy {
    /// Its controllers: `["cpu", "cpuacct"]`.
    pub(crate) controllers: Vec<String>,
    /// Its mount point.
    pub(crate) mount: PathBuf,
    /// The folder of this process's cgroup.
    pub(crate) own: PathBuf,
}

/// All hierarchies this process can see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CgroupLayout {
    /// The version 2 tree, if mounted.
    pub(crate) unified: Option<Unified>,
    /// The version 1 hierarchies.
    pub(crate) v1: Vec<V1Hierarchy>,
    /// Name of the batch system whose job this process is in: its cgroup must not be left.
    pub(crate) job: Option<&'static str>,
    /// The bus of a systemd manager that can make scopes for this user.
    pub(crate) systemd_bus: Option<PathBuf>,
    /// Says whether this process is root.
    pub(crate) root: bool,
}

impl CgroupLayout {
    /// Reads the layout of this process from proc.
    pub(crate) fn read(env: &HostEnv, euid: u32) -> CgroupLayout {
        let text = |bytes: std::io::Result<Vec<u8>>| {
            String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
        };
        let own = text(file::read_kernel_piece("/proc/self/cgroup"));
        // The kernel writes a line for each mount, with all its layers: 200 containers of another
        // engine make 4 ms of it.
        let found = CgroupLayout::at_usual_places(&own).unwrap_or_else(|| {
            CgroupLayout::parse(&own, &text(file::read_kernel("/proc/self/mountinfo")))
        });
        CgroupLayout {
            job: env.job,
            systemd_bus: env.systemd_bus(euid),
            root: euid == 0,
            ..found
        }
    }

    /// The layout by the text of `/proc/self/cgroup`, where all that it names is mounted as
    /// systemd and everybody else does it (file-hierarchy(7)): where version 2 has the usual place
    /// to itself, hierarchies of version 1 are mounted nowhere. `None` when anything is otherwise:
    /// a controller elsewhere, a namespace or a mount that shows only a part.
    fn at_usual_places(own: &str) -> Option<CgroupLayout> {
        let namespace = std::fs::read_link("/proc/self/ns/cgroup").ok()?;
        if namespace != Path::new(INITIAL_NAMESPACE) {
            return None;
        }
        let mut layout = CgroupLayout::default();
        let top = Path::new(TOP);
        let alone = whole_hierarchy(top, "cgroup2");
        for line in own.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, Path::new(fields.next()?));
            if controllers.is_empty() {
                let beside = || whole_hierarchy(&top.join("unified"), "cgroup2");
                let mount = alone.clone().or_else(beside)?;
                let own = join(&mount, path);
                layout.unified = Some(Unified { mount, own });
            } else if alone.is_none() && !controllers.contains('=') {
                // Only the root of a hierarchy of version 1 has this file (cgroups(7)).
                let mount = top.join(controllers);
                std::fs::metadata(mount.join("release_agent")).ok()?;
                layout.v1.push(V1Hierarchy {
                    controllers: controllers.split(',').map(str::to_owned).collect(),
                    own: join(&mount, path),
                    mount,
                });
            }
        }
        Some(layout)
    }

    /// Parses the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`.
    pub(crate) fn parse(own: &str, mountinfo: &str) -> CgroupLayout {
        let mut layout = CgroupLayout::default();
        for mount in mountinfo.lines().filter_map(Mount::parse) {
            match &mount.controllers {
                None if layout.unified.is_none() => {
                    let path = own_path(own, None);
                    layout.unified = path.and_then(|path| mount.folder(path)).map(|own| Unified {
                        mount: mount.point,
                        own,
                    });
                }
                Some(controllers) if !controllers.is_empty() => {
                    let first = controllers.first().map(String::as_str);
                    let known = layout.v1.iter().any(|h| h.controllers == *controllers);
                    let path = own_path(own, first);
                    if let Some(own) = path.and_then(|path| mount.folder(path))
                        && !known
                    {
                        layout.v1.push(V1Hierarchy {
                            controllers: controllers.clone(),
                            mount: mount.point,
                            own,
                        });
                    }
                }
                _ => {}
            }
        }
        layout
    }

    /// Which versions are there.
    pub(crate) fn version(&self) -> CgroupVersion {
        match (self.unified.is_some(), !self.v1.is_empty()) {
            (false, false) => CgroupVersion::None,
            (false, true) => CgroupVersion::V1,
            (true, false) => CgroupVersion::V2,
            (true, true) => CgroupVersion::Hybrid,
        }
    }

    /// The version 1 hierarchy that has `controller`.
    pub(crate) fn v1_with(&self, controller: &str) -> Option<&V1Hierarchy> {
        let has = |h: &&V1Hierarchy| h.controllers.iter().any(|name| name == controller);
        self.v1.iter().find(has)
    }

    /// This process's path in the version 2 tree by the text of `/proc/self/cgroup`, resolved
    /// against the mount: for a process that was moved since the layout was read.
    pub(crate) fn unified_of(&self, own: &str) -> Option<PathBuf> {
        let unified = self.unified.as_ref()?;
        let path = own_path(own, None)?;
        Some(join(&unified.mount, Path::new(path)))
    }

    /// The folder in the version 1 hierarchy with `controller` of a process whose
    /// `/proc/PID/cgroup` is `text`.
    pub(crate) fn v1_of(&self, controller: &str, text: &str) -> Option<PathBuf> {
        let hierarchy = self.v1_with(controller)?;
        let path = own_path(text, Some(controller))?;
        Some(join(&hierarchy.mount, Path::new(path)))
    }
}

/// `point`, if all of a hierarchy of `kind` is mounted there: the first file of kernfs is its root.
fn whole_hierarchy(point: &Path, kind: &str) -> Option<PathBuf> {
    let metadata = std::fs::metadata(point).ok()?;
    let whole = metadata.ino() == 1 && file_system(point).ok()?.name() == kind;
    whole.then(|| point.to_owned())
}

/// A mounted hierarchy: `controllers` is `None` for version 2.
struct Mount {
    root: PathBuf,
    point: PathBuf,
    controllers: Option<Vec<String>>,
}

impl Mount {
    /// Parses a line of mountinfo; `None` for everything but cgroup file systems.
    fn parse(line: &str) -> Option<Mount> {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        let version2 = match right.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let options = right.nth(1).unwrap_or("");
        // What is neither an option of the mount nor `name=` is a controller.
        let generic = [
            "rw",
            "ro",
            "xattr",
            "noprefix",
            "clone_children",
            "cpuset_v2_mode",
        ];
        let controllers = options
            .split(',')
            .filter(|o| !o.is_empty() && !o.contains('=') && !generic.contains(o));
        Some(Mount {
            root: unescape(root),
            point: unescape(point),
            controllers: (!version2).then(|| controllers.map(str::to_owned).collect()),
        })
    }

    /// The folder of the cgroup `path` under this mount. A mount that shows only a part of the
    /// hierarchy (a container's) holds the cgroups below that part.
    fn folder(&self, path: &str) -> Option<PathBuf> {
        let below = Path::new(path).strip_prefix(&self.root).ok()?;
        // `/..` paths lead out of the cgroup namespace: not reachable through this mount.
        let plain = below
            .components()
            .all(|c| matches!(c, Component::Normal(_)));
        plain.then(|| join(&self.point, below))
    }
}

/// Joins without the trailing slash that joining an empty path leaves.
fn join(base: &Path, below: &Path) -> PathBuf {
    let below = below.strip_prefix("/").unwrap_or(below);
    if below.as_os_str().is_empty() {
        return base.to_owned();
    }
    base.join(below)
}

/// The path in `/proc/self/cgroup` of the hierarchy with `controller`, or of version 2.
fn own_path<'a>(text: &'a str, controller: Option<&str>) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let wanted = match controller {
            None => controllers.is_empty(),
            Some(name) => controllers.split(',').any(|one| one == name),
        };
        wanted.then_some(path)
    })
}

/// Undoes mountinfo's `\040` escapes.
fn unescape(text: &str) -> PathBuf {
    if !text.contains('\\') {
        return PathBuf::from(text);
    }
    let mut out = text.to_owned();
    for (escape, plain) in [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ] {
        out = out.replace(escape, plain);
    }
    PathBuf::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str =
        "25 30 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn version_two_alone() {
        let layout = CgroupLayout::parse("0::/user.slice/a.scope\n", V2);
        assert_eq!(layout.version(), CgroupVersion::V2);
        let unified = layout.unified.clone().unwrap();
        assert_eq!(unified.own, Path::new("/sys/fs/cgroup/user.slice/a.scope"));
        assert_eq!(
            layout.unified_of("0::/x\n").unwrap(),
            Path::new("/sys/fs/cgroup/x")
        );
    }

    #[test]
    fn hybrid_with_joined_controllers_and_a_part_of_a_hierarchy() {
        let own = "3:memory:/job/1\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n";
        let mounts = format!(
            "{V2}31 23 0:28 /job /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             32 23 0:29 / /sys/fs/cgroup/cpu\\040x rw - cgroup cgroup rw,cpu,cpuacct\n\
             33 23 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
             34 23 0:31 / /tmp rw - tmpfs tmpfs rw\nnonsense\n"
        );
        let layout = CgroupLayout::parse(own, &mounts);
        assert_eq!(layout.version(), CgroupVersion::Hybrid);
        assert_eq!(layout.v1.len(), 2);
        let memory = layout.v1_with("memory").unwrap();
        assert_eq!(memory.own, Path::new("/sys/fs/cgroup/memory/1"));
        let cpu = layout.v1_with("cpuacct").unwrap();
        assert_eq!(cpu.own, Path::new("/sys/fs/cgroup/cpu x"));
        assert!(layout.v1_with("pids").is_none());
    }

    #[test]
    fn a_cgroup_outside_the_mount_is_not_reachable() {
        let layout = CgroupLayout::parse("0::/../other\n", V2);
        assert_eq!(layout.version(), CgroupVersion::None);
        assert_eq!(CgroupLayout::parse("", "").version(), CgroupVersion::None);
    }

    #[test]
    fn the_usual_places_and_the_list_of_mounts_say_the_same() {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        // Where something is unusual there is nothing to compare.
        let Some(mut usual) = CgroupLayout::at_usual_places(&own) else {
            return;
        };
        let mut listed = CgroupLayout::parse(&own, &mounts);
        for layout in [&mut usual, &mut listed] {
            layout.v1.sort_by(|a, b| a.mount.cmp(&b.mount));
        }
        assert_eq!(usual, listed);
        assert!(whole_hierarchy(Path::new("/proc"), "cgroup2").is_none());
        assert!(whole_hierarchy(Path::new("/nowhere"), "cgroup").is_none());
        assert!(CgroupLayout::at_usual_places("3:nonsense:/\n0::/\n").is_none());
    }

    #[test]
    fn the_running_machines_own_folders_exist() {
        let layout = CgroupLayout::read(&HostEnv::default(), 0);
        for hierarchy in &layout.v1 {
            assert!(hierarchy.own.is_dir(), "{hierarchy:?}");
        }
        if let Some(unified) = &layout.unified {
            assert!(unified.own.is_dir(), "{unified:?}");
        }
    }
}
