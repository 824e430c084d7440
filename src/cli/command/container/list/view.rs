//! One row of `ps` in docker's words and in podman's.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::cli::command::image::whole;
use crate::cli::output::{Columns, human, json as form};
use crate::cli::personality::Personality;
use crate::common::{Digest, ExitStatus, Timestamp, human_size};
use crate::engine::container::{ContainerState, ContainerSummary, namespaces};
use crate::spec::config::Port;
use crate::store::HealthStatus;

/// How rows are shown.
pub(super) struct View {
    pub(super) personality: Personality,
    pub(super) no_trunc: bool,
    pub(super) size: bool,
    pub(super) pod: bool,
    pub(super) ns: bool,
    pub(super) heading: bool,
    /// Bytes of images, when sizes are shown.
    pub(super) sizes: HashMap<Digest, u64>,
    pub(super) now: Timestamp,
}

impl View {
    pub(super) fn id(&self, row: &ContainerSummary) -> String {
        match self.no_trunc {
            true => row.id.to_string(),
            false => row.id.short().to_owned(),
        }
    }

    /// docker quotes the command and cuts the quoted text to twenty characters; podman cuts
    /// without quoting.
    fn command(&self, row: &ContainerSummary) -> String {
        let line = row.command.join(" ");
        if self.personality == Personality::Podman {
            let cut = line.chars().count() > 20 && !self.no_trunc;
            return match cut {
                true => line.chars().take(17).chain("...".chars()).collect(),
                false => line,
            };
        }
        let line = match self.no_trunc {
            true => line,
            false => human::ellipsis(&line, 20),
        };
        format!("\"{line}\"")
    }

    fn status(&self, row: &ContainerSummary) -> String {
        let status = human::status(row.state, row.started, row.finished, row.exit, self.now);
        match (row.state, row.health) {
            // docker tells since when it is up, too.
            (ContainerState::Paused, _) if self.personality == Personality::Podman => {
                "Paused".to_owned()
            }
            (ContainerState::Running, Some(HealthStatus::Starting)) => {
                format!("{status} (health: starting)")
            }
            (ContainerState::Running, Some(health)) => format!("{status} ({})", health.word()),
            _ => status,
        }
    }

    fn image_size(&self, row: &ContainerSummary) -> u64 {
        let size = row.image_id.and_then(|image| self.sizes.get(&image));
        size.copied().unwrap_or(0)
    }

    /// docker: what was written, and all that the container sees.
    fn size(&self, row: &ContainerSummary) -> String {
        let Some(size) = row.size else {
            return human_size(0);
        };
        let whole = size + self.image_size(row);
        format!("{} (virtual {})", human_size(size), human_size(whole))
    }

    fn mounts(&self, row: &ContainerSummary) -> String {
        let cut = |mount: &String| match self.no_trunc {
            true => mount.clone(),
            false => human::ellipsis(mount, 15),
        };
        row.mounts.iter().map(cut).collect::<Vec<_>>().join(",")
    }

    pub(super) fn columns(&self) -> Columns<'static> {
        const NAMESPACES: &[&str] = &[
            "ID", "Names", "Pid", "CGROUPNS", "IPC", "MNT", "NET", "PIDNS", "USERNS", "UTS",
        ];
        const ALL: &[&str] = &[
            "ID",
            "Image",
            "Command",
            "RunningFor",
            "Status",
            "Ports",
            "Names",
            "Size",
        ];
        const WITH_POD: &[&str] = &[
            "ID",
            "Image",
            "Command",
            "RunningFor",
            "Status",
            "Ports",
            "Names",
            "Pod",
            "PodName",
        ];
        Columns {
            of: "container",
            shown: match (self.ns, self.pod, self.size) {
                (true, ..) => NAMESPACES,
                (_, true, _) => WITH_POD,
                (.., true) => ALL,
                (.., false) => &ALL[..7],
            },
            headers: &[
                ("ID", "CONTAINER ID"),
                ("RunningFor", "CREATED"),
                ("Pod", "POD ID"),
                ("PodName", "PODNAME"),
            ],
            heading: self.heading,
        }
    }

    /// docker's formatter context: every value a string.
    pub(super) fn docker(&self, row: &ContainerSummary) -> Value {
        let mut fields = self.shown(row);
        let rest = json!({
            "CreatedAt": human::moment(row.created),
            "HealthStatus": row.health.map_or("none", HealthStatus::word),
            "Labels": form::joined(&row.labels),
            "LocalVolumes": row.volumes.to_string(),
            "Mounts": self.mounts(row),
            "Networks": self.networks(row).join(","),
            "Platform": Value::Null,
            "State": row.state.word(),
        });
        if let (Value::Object(fields), Value::Object(rest)) = (&mut fields, rest) {
            fields.extend(rest);
        }
        fields
    }

    /// The part of docker's row that a plain table shows.
    pub(super) fn shown(&self, row: &ContainerSummary) -> Value {
        let mut fields = json!({
            "Command": self.command(row),
            "ID": self.id(row),
            "Image": whole(self.personality, &row.image),
            "Names": row.name,
            "Ports": ports(&row.ports),
            "RunningFor": human::ago(row.created, self.now),
            "Size": self.size(row),
            "StartsAtBoot": row.will_start_at_boot.to_string(),
            "Status": self.status(row),
        });
        if self.ns {
            let found = row.pid.map(namespaces).unwrap_or_default();
            for (key, column) in NAMESPACES {
                fields[column] = json!(found.get(key).map_or("", String::as_str));
            }
            fields["Pid"] = json!(row.pid.unwrap_or(0).to_string());
        }
        if self.pod {
            fields["Pod"] = json!("");
            fields["PodName"] = json!("");
        }
        fields
    }

    /// The networks by name; podman has one of its own for the default network.
    fn networks<'r>(&self, row: &'r ContainerSummary) -> Vec<&'r str> {
        let shown = |name: &'r String| match (self.personality, name.as_str()) {
            (Personality::Podman, "bridge") => "podman",
            (_, name) => name,
        };
        row.networks.iter().map(shown).collect()
    }

    /// The part of podman's row that docker's templates look at.
    pub(super) fn labels(&self, row: &ContainerSummary) -> Value {
        json!({"Labels": row.labels})
    }

    pub(super) fn podman(&self, row: &ContainerSummary, exposed: &[String]) -> Value {
        let exited = row.state == ContainerState::Exited;
        let namespaces = match (self.ns, row.pid) {
            (true, Some(pid)) => namespaces(pid),
            _ => BTreeMap::new(),
        };
        json!({
            "AutoRemove": row.auto_remove,
            "CIDFile": "",
            "Command": row.command,
            "Created": row.created.seconds(),
            "CreatedAt": human::ago(row.created, self.now),
            "CreatedHuman": human::ago(row.created, self.now),
            "ExposedPorts": by_protocol(exposed),
            "Exited": exited,
            "ExitedAt": row.finished.map_or(-62_135_596_800, Timestamp::seconds),
            "ExitCode": row.exit.map_or(0, ExitStatus::code),
            "Id": row.id,
            "Image": whole(self.personality, &row.image),
            "ImageID": row.image_id.map(|id| id.hex()).unwrap_or_default(),
            "IsInfra": false,
            "Labels": row.labels,
            "Mounts": row.mounts,
            "Names": [row.name],
            "Namespaces": namespaces,
            "Networks": self.networks(row),
            "Pid": row.pid.unwrap_or(0),
            "Pod": "",
            "PodName": "",
            "Ports": row.ports.iter().map(podman_port).collect::<Vec<_>>(),
            "Restarts": row.restarts,
            "Size": row.size.map(|size| json!({
                "rwSize": size,
                "rootFsSize": size + self.image_size(row),
            })),
            "StartsAtBoot": row.will_start_at_boot,
            "StartedAt": row.started.map_or(0, Timestamp::seconds),
            "State": row.state.word(),
            "Status": self.status(row),
        })
    }
}

/// podman's keys of namespaces and its columns.
const NAMESPACES: [(&str, &str); 7] = [
    ("cgroup", "CGROUPNS"),
    ("ipc", "IPC"),
    ("mnt", "MNT"),
    ("net", "NET"),
    ("pidns", "PIDNS"),
    ("userns", "USERNS"),
    ("uts", "UTS"),
];

/// docker's list of ports: `0.0.0.0:8080->80/tcp`.
fn ports(ports: &[Port]) -> String {
    let one = |port: &Port| {
        let Port {
            container,
            protocol,
            host_ip,
            ..
        } = port;
        let host = port.host_words();
        match host_ip.contains(':') {
            true => format!("[{host_ip}]:{host}->{container}/{protocol}"),
            false => format!("{host_ip}:{host}->{container}/{protocol}"),
        }
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn podman_port(port: &Port) -> Value {
    json!({
        "host_ip": if port.host_ip == "0.0.0.0" { "" } else { &port.host_ip },
        "container_port": port.container,
        "host_port": port.host,
        "range": 1,
        "protocol": port.protocol,
    })
}

/// podman: the protocols of each port.
fn by_protocol(exposed: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut ports: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for port in exposed {
        let (port, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        ports.entry(port).or_default().push(protocol);
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::container::filter::tests::row;
    use crate::cli::output::{Format, listing};

    #[test]
    fn columns_are_dockers() {
        let view = View {
            personality: Personality::Docker,
            no_trunc: false,
            size: false,
            pod: false,
            ns: false,
            heading: true,
            sizes: HashMap::new(),
            now: Timestamp(420_000_000_000),
        };
        let one = row("web", ContainerState::Running);
        let rows = [(view.docker(&one), view.podman(&one, &[]))];
        let text =
            listing::list(Personality::Docker, &Format::Text, &view.columns(), &rows).unwrap();
        assert_eq!(
            text,
            "CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS         PORTS                  NAMES\n\
             abababababab   debian    \"sleep infinity-and-…\"   7 minutes ago   Up 7 minutes   0.0.0.0:8080->80/tcp   web\n"
        );
        let json = view.docker(&row("web", ContainerState::Running));
        assert_eq!(json["State"], "running");
        assert_eq!(json["Labels"], "tier=front");
        assert!(
            json.as_object()
                .unwrap()
                .values()
                .all(|v| v.is_string() || v.is_null())
        );
        assert_eq!(
            view.podman(&row("web", ContainerState::Running), &[])["Names"][0],
            "web"
        );
    }
}
