//! The document of `info`: docker's keys and podman's, for both kinds of scripts.

use serde_json::{Map, Value, json};

use super::Facts;
use crate::common::{Mode, Timestamp};
use crate::engine::container::ContainerState;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Both key sets in one document; they share no name.
pub(super) fn document(facts: &Facts) -> Value {
    let mut whole = Map::new();
    for part in [counts(facts), machine(facts), program(facts), podman(facts)] {
        if let Value::Object(part) = part {
            whole.extend(part);
        }
    }
    Value::Object(whole)
}

fn counts(facts: &Facts) -> Value {
    let limits = facts.host.cgroup_driver != "none";
    json!({
        "Containers": facts.containers.len(),
        "ContainersRunning": facts.count(ContainerState::Running),
        "ContainersPaused": facts.count(ContainerState::Paused),
        "ContainersStopped": facts.stopped(),
        "Images": facts.images,
        "MemoryLimit": limits,
        "SwapLimit": limits,
        "CpuCfsPeriod": limits,
        "CpuCfsQuota": limits,
        "CPUShares": limits,
        "CPUSet": limits,
        "PidsLimit": limits,
        "OomKillDisable": false,
        "NFd": 0,
        "NGoroutines": 0,
        "NEventsListener": 0,
    })
}

fn machine(facts: &Facts) -> Value {
    let host = &facts.host;
    json!({
        "ID": host.hostname,
        "Name": host.hostname,
        "CgroupDriver": host.cgroup_driver,
        "CgroupVersion": host.cgroup_version,
        "KernelVersion": host.kernel,
        "OperatingSystem": host.operating_system,
        "OSType": "linux",
        "OSVersion": "",
        "Architecture": host.architecture,
        "NCPU": host.cpus,
        "MemTotal": host.memory,
        "SystemTime": Timestamp::now(),
        "SecurityOptions": host.security_options,
        "Labels": [],
        "GenericResources": Value::Null,
        "Isolation": "",
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "IPv4Forwarding": true,
    })
}

fn program(facts: &Facts) -> Value {
    json!({
        "Driver": "overlay",
        "DriverStatus": [["Backing Filesystem", "overlay"]],
        "DockerRootDir": facts.root,
        "ServerVersion": facts.release,
        "LoggingDriver": "json-file",
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "macvlan", "null"],
            "Authorization": Value::Null,
            "Log": ["json-file", "k8s-file", "journald", "none", "passthrough"],
        },
        "Runtimes": {"ketch": {"path": "ketch"}},
        "DefaultRuntime": "ketch",
        "InitBinary": "ketch",
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {"IndexConfigs": {}, "InsecureRegistryCIDRs": [], "Mirrors": []},
        "Swarm": {"LocalNodeState": "inactive", "NodeID": "", "ControlAvailable": false},
        "LiveRestoreEnabled": true,
        "ExperimentalBuild": false,
        "Debug": false,
        "Warnings": Value::Null,
        "IdentityMode": facts.mode,
        "ClientInfo": {
            "Debug": false,
            "Version": facts.release,
            "Context": "default",
            "Plugins": [],
            "Warnings": Value::Null,
        },
    })
}

fn podman(facts: &Facts) -> Value {
    let host = &facts.host;
    let secured = |word: &str| {
        host.security_options
            .iter()
            .any(|found| found.contains(word))
    };
    json!({
        "host": {
            "arch": crate::oci::Platform::host().architecture,
            "cgroupManager": host.cgroup_driver,
            "cgroupVersion": format!("v{}", host.cgroup_version),
            "cpus": host.cpus,
            "distribution": {
                "distribution": facts.distribution.first().cloned().unwrap_or_default(),
                "version": "",
            },
            "eventLogger": "file",
            "hostname": host.hostname,
            "idMappings": {"gidmap": Value::Null, "uidmap": Value::Null},
            "kernel": host.kernel,
            "linkmode": if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" },
            "logDriver": "json-file",
            "memTotal": host.memory,
            "networkBackend": "",
            "ociRuntime": {"name": "ketch", "package": "", "path": "ketch", "version": VERSION},
            "os": "linux",
            "remoteSocket": {"path": "", "exists": false},
            "security": {
                "apparmorEnabled": secured("name=apparmor"),
                "rootless": facts.mode != Mode::Root,
                "seccompEnabled": secured("name=seccomp"),
                "seccompProfilePath": "",
                "selinuxEnabled": secured("name=selinux"),
            },
            "serviceIsRemote": false,
            "swapTotal": host.swap,
        },
        "store": {
            "configFile": "",
            "graphDriverName": "overlay",
            "graphOptions": {},
            "graphRoot": facts.root,
            "graphStatus": {},
            "runRoot": facts.root,
            "volumePath": format!("{}/volumes", facts.root),
            "containerStore": {
                "number": facts.containers.len(),
                "paused": facts.count(ContainerState::Paused),
                "running": facts.count(ContainerState::Running),
                "stopped": facts.stopped(),
            },
            "imageStore": {"number": facts.images},
        },
        "registries": {},
        "plugins": {
            "volume": ["local"],
            "network": ["bridge", "macvlan"],
            "log": ["json-file", "k8s-file", "journald", "none", "passthrough"],
            "authorization": Value::Null,
        },
        "version": {
            "APIVersion": facts.release,
            "Version": facts.release,
            "OsArch": crate::oci::Platform::host().to_string(),
            "Os": "linux",
        },
    })
}
