//! `--cap-add` and `--cap-drop` names.

use crate::common::Result;

use super::bad;

/// capabilities(7) up to Linux 5.9, in number order.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Normalises a comma-separated list of names in any case, with or without `CAP_`, to
/// `CAP_NAME` or `ALL`.
pub(crate) fn parse(flag: &str, text: &str) -> Result<Vec<String>> {
    text.split(',')
        .map(|name| one(flag, text, name.trim()))
        .collect()
}

fn one(flag: &str, text: &str, name: &str) -> Result<String> {
    let upper = name.to_ascii_uppercase();
    if upper == "ALL" || upper == "CAP_ALL" {
        return Ok("ALL".to_owned());
    }
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if NAMES.contains(&bare) {
        return Ok(format!("CAP_{bare}"));
    }
    Err(bad(flag, text, format!("no capability is called {name:?}"))
        .hint("names are those of capabilities(7), or ALL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_with_or_without_prefix() {
        for (text, want) in [
            ("net_admin", "CAP_NET_ADMIN"),
            ("CAP_CHOWN", "CAP_CHOWN"),
            ("cap_sys_admin", "CAP_SYS_ADMIN"),
            ("all", "ALL"),
        ] {
            assert_eq!(parse("--cap-add", text).unwrap(), [want]);
        }
        assert_eq!(parse("--cap-add", "KILL,MKNOD").unwrap().len(), 2);
        for text in ["", "NOPE", "CAP_", "CHOWN,"] {
            assert!(parse("--cap-add", text).is_err(), "{text}");
        }
    }
}
