//! `--sysctl KEY=VALUE`: only keys that belong to one of the container's own namespaces.

use crate::common::Result;
use crate::spec::config::{Network, Security};

use super::bad;

const FLAG: &str = "--sysctl";

const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Parses one value and checks that the namespace the key belongs to will be the container's.
pub(crate) fn parse(
    text: &str,
    security: &Security,
    network: &Network,
) -> Result<(String, String)> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| bad(FLAG, text, "use KEY=VALUE"))?;
    // sysctl(8) takes slashes for dots too; one spelling keeps the checks below whole.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if key.is_empty() || !key.chars().all(plain) || key.contains("..") || value.contains('\0') {
        return Err(bad(FLAG, text, "not a sysctl key"));
    }
    if IPC.contains(&key) || key.starts_with("fs.mqueue.") {
        if security.ipc.is_joined() {
            return Err(bad(FLAG, text, "not allowed with a shared ipc namespace"));
        }
    } else if key.starts_with("net.") {
        if network.mode.is_joined() {
            return Err(bad(FLAG, text, "not allowed with the host's network"));
        }
    } else {
        return Err(bad(FLAG, text, "not a sysctl of a container")
            .hint("allowed: net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm*"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::config::Ipc;
    use crate::spec::config::NetworkMode;

    #[test]
    fn only_keys_of_own_namespaces() {
        let (open, shared) = (
            Security::default(),
            Security {
                ipc: Ipc::Host,
                ..Security::default()
            },
        );
        let own = Network::default();
        let host = Network {
            mode: NetworkMode::Host,
            ..Network::default()
        };
        for text in [
            "net.ipv4.ip_forward=1",
            "kernel.msgmax=65536",
            "fs.mqueue.msg_max=5",
            "kernel.sem=1 2 3 4",
        ] {
            parse(text, &open, &own).unwrap();
        }
        for text in [
            "",
            "kernel.msgmax",
            "kernel.panic=1",
            "vm.swappiness=1",
            "net..x=1",
            "kernel.sem/../panic=1",
        ] {
            assert!(parse(text, &open, &own).is_err(), "{text}");
        }
        assert!(parse("net.core.somaxconn=1", &open, &host).is_err());
        assert!(parse("kernel.sem=1", &shared, &own).is_err());
    }
}
