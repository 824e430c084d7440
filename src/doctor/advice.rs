//! Commands in the words of the distribution at hand.

use crate::host::Host;

/// A program's package where its name is not the program's.
const PACKAGES: [(&str, &str, &str); 3] = [
    // program, Debian's name, everybody else's name
    ("newuidmap", "uidmap", "shadow-utils"),
    ("pasta", "passt", "passt"),
    ("slirp4netns", "slirp4netns", "slirp4netns"),
];

/// The command that installs the package with `program`, by the ids of os-release(5).
pub(super) fn install(distribution: &[String], program: &str) -> String {
    let is = |names: &[&str]| distribution.iter().any(|id| names.contains(&id.as_str()));
    let row = PACKAGES.iter().find(|(name, _, _)| *name == program);
    let debian = row.map_or(program, |(_, debian, _)| debian);
    let mut package = row.map_or(program, |(_, _, other)| other);
    if is(&["debian", "ubuntu"]) {
        return format!("apt-get install {debian}");
    }
    if is(&["alpine"]) {
        // Alpine cuts shadow into parts: the helpers are in one of their own.
        if package == "shadow-utils" {
            package = "shadow-subids";
        }
        return format!("apk add {package}");
    }
    let short = matches!(program, "newuidmap") && is(&["arch", "suse", "opensuse"]);
    let package = if short { "shadow" } else { package };
    if is(&["arch"]) {
        format!("pacman -S {package}")
    } else if is(&["suse", "opensuse"]) {
        format!("zypper install {package}")
    } else {
        format!("dnf install {package}")
    }
}

/// The caller's name in commands: the login name, or its number when it has none.
pub(super) fn user(host: &Host) -> String {
    match host.user_name() {
        Some(name) => name.to_owned(),
        None => host.euid().to_string(),
    }
}

/// The commands that set a sysctl now and at every boot.
pub(super) fn sysctl(key: &str, value: &str) -> String {
    format!("echo {key}={value} > /etc/sysctl.d/99-ketch.conf && sysctl -w {key}={value}")
}

/// The command that adds a kernel argument and boots with it.
pub(super) fn kernel_argument(distribution: &[String], argument: &str) -> String {
    if distribution
        .iter()
        .any(|id| id == "debian" || id == "ubuntu")
    {
        return format!(
            "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{argument} /' /etc/default/grub && update-grub && \
             reboot"
        );
    }
    format!("grubby --args={argument} --update-kernel=ALL && reboot")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_as_the_distribution_names_them() {
        let ids = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (distribution, program, command) in [
            ("debian", "newuidmap", "apt-get install uidmap"),
            ("linuxmint ubuntu debian", "pasta", "apt-get install passt"),
            (
                "rocky rhel centos fedora",
                "newuidmap",
                "dnf install shadow-utils",
            ),
            ("arch", "newuidmap", "pacman -S shadow"),
            ("alpine", "newuidmap", "apk add shadow-subids"),
            (
                "opensuse-leap suse opensuse",
                "fuse-overlayfs",
                "zypper install fuse-overlayfs",
            ),
        ] {
            assert_eq!(install(&ids(distribution), program), command);
        }
    }
}
