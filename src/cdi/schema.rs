//! The documents of the Container Device Interface (its SPEC.md, versions 0.3.0 to 1.1.0).

use serde::Deserialize;

/// One file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) cdi_version: String,
    /// `vendor/class`.
    pub(super) kind: String,
    pub(super) devices: Vec<Named>,
    /// For who asks for any of the devices.
    #[serde(default)]
    pub(super) container_edits: Edits,
}

/// One device.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub(super) name: String,
    #[serde(default)]
    pub(super) container_edits: Edits,
}

/// What a container is given.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Edits {
    /// `KEY=value`.
    pub(crate) env: Vec<String>,
    /// Devices by path.
    pub(crate) device_nodes: Vec<Node>,
    /// Mounts.
    pub(crate) mounts: Vec<Mount>,
    /// Programs of the host's at moments of the container's life.
    pub(crate) hooks: Vec<Hook>,
    /// Supplementary groups.
    #[serde(alias = "additionalGIDs")]
    pub(crate) additional_gids: Vec<u32>,
    /// Network devices to move; what they are is not looked at.
    pub(crate) net_devices: Vec<serde_json::Value>,
    /// Cache and memory bandwidth control, likewise.
    pub(crate) intel_rdt: Option<serde_json::Value>,
}

/// A device node. Its type, numbers, owner and mode are those of the host's node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Node {
    /// Path in the container.
    pub(crate) path: String,
    /// Path on the host; `None` for the same.
    pub(crate) host_path: Option<String>,
    /// Some of `rwm`, or `none`; all of them without.
    pub(crate) permissions: String,
}

/// A mount.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Mount {
    /// Path on the host.
    pub(crate) host_path: String,
    /// Path in the container.
    pub(crate) container_path: String,
    /// Options as in OCI's specification.
    pub(crate) options: Vec<String>,
    /// File system; a bind's is a dummy.
    pub(crate) r#type: String,
}

/// A hook.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Hook {
    /// When.
    pub(crate) hook_name: String,
    /// Program.
    pub(crate) path: String,
    /// Its arguments, its name first.
    pub(crate) args: Vec<String>,
}

impl Edits {
    /// Adds what another device brings.
    pub(super) fn extend(&mut self, more: &Edits) {
        self.env.extend_from_slice(&more.env);
        self.device_nodes.extend_from_slice(&more.device_nodes);
        self.mounts.extend_from_slice(&more.mounts);
        self.hooks.extend_from_slice(&more.hooks);
        let groups = more.additional_gids.iter().filter(|gid| **gid != 0);
        self.additional_gids.extend(groups);
        self.net_devices.extend_from_slice(&more.net_devices);
        self.intel_rdt = self.intel_rdt.take().or_else(|| more.intel_rdt.clone());
    }

    /// What is wrong with it, in words.
    pub(super) fn fault(&self) -> Option<String> {
        const MOMENTS: [&str; 6] = [
            "prestart",
            "createRuntime",
            "createContainer",
            "startContainer",
            "poststart",
            "poststop",
        ];
        let variable = |entry: &&String| entry.find('=').is_none_or(|at| at == 0);
        if let Some(entry) = self.env.iter().find(variable) {
            return Some(format!("{entry:?} is no environment variable"));
        }
        let nodes = self.device_nodes.iter().map(|node| &node.path);
        let mut places = nodes.chain(self.mounts.iter().map(|mount| &mount.container_path));
        if let Some(path) = places.find(|path| !path.starts_with('/') || path.len() == 1) {
            return Some(format!("{path:?} is no place in a container"));
        }
        let unknown = |hook: &&Hook| !MOMENTS.contains(&hook.hook_name.as_str());
        let hook = self.hooks.iter().find(unknown);
        hook.map(|hook| format!("{:?} is no moment for a hook", hook.hook_name))
    }
}

impl Document {
    /// What is wrong with it, in words.
    pub(super) fn fault(&self) -> Option<String> {
        let version: Vec<u32> = self
            .cdi_version
            .trim_start_matches('v')
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect();
        let known = match version.as_slice() {
            [0, minor, _] => *minor >= 3,
            [1, minor, _] => *minor <= 1,
            _ => false,
        };
        if !known {
            return Some(format!(
                "its cdiVersion {:?} is not known",
                self.cdi_version
            ));
        }
        if !super::is_kind(&self.kind) {
            return Some(format!("its kind {:?} is no vendor/class", self.kind));
        }
        if self.devices.is_empty() {
            return Some("it has no device".to_owned());
        }
        let bad = |device: &&Named| !super::is_label(&device.name);
        if let Some(device) = self.devices.iter().find(bad) {
            return Some(format!("{:?} is no device's name", device.name));
        }
        let edits = self.devices.iter().map(|device| &device.container_edits);
        edits.chain([&self.container_edits]).find_map(Edits::fault)
    }
}
