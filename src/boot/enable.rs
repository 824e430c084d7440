//! `boot --enable`: a unit of systemd, or a line of cron where there is no systemd, that runs
//! `ketch boot` when the machine starts.

use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use super::unit_file::UnitFile;
use super::{Caller, words};
use crate::common::{Digest, Error, Kind};
use crate::engine::Engine;
use crate::engine::system::boot::{BootStarter, boot_starter, note_boot_starter};
use crate::settings::Environment;
use crate::sys::file;

/// What runs it at the start of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// A unit of the user's manager, or of the system's for root.
    Systemd,
    /// An `@reboot` line of the user's crontab.
    Cron,
}

/// What was found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Where it is: a unit file, or the crontab; `None` when nothing starts containers.
    pub(crate) place: Option<String>,
    /// What the user has to do before it works.
    pub(crate) advice: Option<String>,
}

/// Enables it; once more changes nothing.
///
/// # Errors
/// `Unsupported` where there is neither systemd nor crontab(1).
pub(crate) fn enable(
    engine: &Engine<'_>,
    environment: &Environment,
    means: Option<Means>,
) -> Result<Standing> {
    let caller = Caller::of(environment)?;
    let means = match means {
        Some(means) => means,
        None => find_means()?,
    };
    let stem = stem(environment);
    // One of the two is enough: both would start everything twice.
    remove(engine, environment)?;
    let starter = match means {
        Means::Systemd => BootStarter::Systemd(install_unit(engine, environment, &caller, &stem)?),
        Means::Cron => {
            change_crontab(&stem, Some(&cron_line(&caller, &stem)))?;
            BootStarter::Cron(stem)
        }
    };
    note_boot_starter(engine, Some(&starter))?;
    standing(engine)
}

/// Takes it back; nothing to take back is fine.
pub(crate) fn disable(engine: &Engine<'_>, environment: &Environment) -> Result<()> {
    remove(engine, environment)?;
    note_boot_starter(engine, None)?;
    Ok(())
}

/// What is enabled.
pub(crate) fn standing(engine: &Engine<'_>) -> Result<Standing> {
    Ok(match boot_starter(engine) {
        None => Standing {
            place: None,
            advice: None,
        },
        Some(BootStarter::Cron(_)) => Standing {
            place: Some("the user's crontab".to_owned()),
            advice: None,
        },
        Some(BootStarter::Systemd(link)) => {
            let unit = link.parent().and_then(Path::parent).unwrap_or(&link);
            let unit = unit.join(link.file_name().unwrap_or_default());
            Standing {
                place: Some(unit.display().to_string()),
                advice: needs_linger(engine),
            }
        }
    })
}

/// A user's manager starts at the first login, unless the user lingers (loginctl(1)).
fn needs_linger(engine: &Engine<'_>) -> Option<String> {
    if engine.host.euid() == 0 {
        return None;
    }
    let number = engine.host.euid().to_string();
    let user = engine.host.user_name().unwrap_or(&number);
    let lingers = Path::new("/var/lib/systemd/linger").join(user).exists();
    (!lingers).then(|| {
        format!("it runs at the first login of {user}; `loginctl enable-linger {user}` lets it run at boot")
    })
}

/// A name for the unit: that of a store in another place than the usual one has its own.
fn stem(environment: &Environment) -> String {
    match environment.absolute("KETCH_ROOT") {
        None => "ketch-boot".to_owned(),
        Some(root) => {
            let digest = Digest::of(root.as_os_str().as_encoded_bytes()).hex();
            format!("ketch-boot-{}", &digest[..12])
        }
    }
}

fn find_means() -> Result<Means> {
    // sd_booted(3).
    if Path::new("/run/systemd/system").is_dir() {
        return Ok(Means::Systemd);
    }
    match crontab(&["-l"]).stderr(Stdio::null()).output() {
        Ok(_) => Ok(Means::Cron),
        Err(_) => Err(Error::new(Kind::Unsupported, "enable", "ketch boot")
            .because("neither systemd runs here nor is crontab installed".to_owned())
            .hint("let your own start script run `ketch boot` as this user")
            .into()),
    }
}

/// Where the manager looks for units of an administrator or a user: systemd.unit(5).
fn unit_folder(engine: &Engine<'_>, environment: &Environment) -> Result<PathBuf> {
    let first = environment.get("SYSTEMD_UNIT_PATH").unwrap_or("");
    let first = first.split(':').next().unwrap_or("");
    if first.starts_with('/') {
        return Ok(first.into());
    }
    if engine.host.euid() == 0 {
        return Ok("/etc/systemd/system".into());
    }
    let config = environment.config_home().ok_or_else(|| {
        Error::new(Kind::NotFound, "find", "the folder of the user's units")
            .because("no home directory is known".to_owned())
            .hint("set HOME")
    })?;
    Ok(config.join("systemd/user"))
}

/// The target that a boot reaches: the user's manager knows no multi-user.target.
fn target(engine: &Engine<'_>) -> &'static str {
    match engine.host.euid() {
        0 => "multi-user.target",
        _ => "default.target",
    }
}

/// Writes the unit, enables it and returns the enabling link.
fn install_unit(
    engine: &Engine<'_>,
    environment: &Environment,
    caller: &Caller,
    stem: &str,
) -> Result<PathBuf> {
    let folder = unit_folder(engine, environment)?;
    let target = target(engine);
    let wants = folder.join(format!("{target}.wants"));
    let io_error = |what: &str, path: &Path, error| Error::io(what, path, error);
    std::fs::create_dir_all(&wants).map_err(|error| io_error("create directory", &wants, error))?;
    let name = format!("{stem}.service");
    let unit = folder.join(&name);
    let root = super::text(engine.store.root())?;
    file::write_atomic(
        &unit,
        boot_unit(caller, &root, engine.host.euid() == 0, target).as_bytes(),
    )?;
    let link = wants.join(&name);
    match symlink(Path::new("..").join(&name), &link) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(io_error("create link", &link, error).into())
        }
        _ => Ok(link),
    }
}

/// The unit that runs `ketch boot`. The supervisors of what it starts stay in its cgroup; at
/// shutdown systemd asks them to end, and each gives its container its own signal and grace.
fn boot_unit(caller: &Caller, root: &str, system: bool, target: &str) -> String {
    let mut unit = UnitFile::default();
    let description = "Start ketch containers whose restart policy asks for it";
    unit.add("Unit", "Description", description);
    unit.add("Unit", "Documentation", "man:ketch-boot(1)");
    if system {
        unit.add("Unit", "Wants", "network-online.target");
        unit.add("Unit", "After", "network-online.target");
    }
    unit.add(
        "Unit",
        "RequiresMountsFor",
        words::quote(&words::literal_path(root)),
    );
    unit.add("Service", "Type", "oneshot");
    unit.add("Service", "RemainAfterExit", "yes");
    unit.add("Service", "Delegate", "yes");
    for (key, value) in &caller.variables {
        let pair = format!("{key}={value}").replace('%', "%%");
        unit.add("Service", "Environment", words::quote(&pair));
    }
    let command = caller.words.iter().map(|word| words::literal(word));
    let command = words::join(command.chain(["boot".to_owned()]));
    unit.add("Service", "ExecStart", command);
    unit.add("Service", "TimeoutStartSec", "infinity");
    unit.add("Service", "TimeoutStopSec", "90");
    unit.add("Install", "WantedBy", target);
    unit.render()
}

/// Removes the unit and the line, whichever there is.
fn remove(engine: &Engine<'_>, environment: &Environment) -> Result<()> {
    let stem = stem(environment);
    let folder = unit_folder(engine, environment)?;
    let name = format!("{stem}.service");
    let known = boot_starter(engine);
    let mut links = vec![folder.join(format!("{}.wants", target(engine))).join(&name)];
    if let Some(BootStarter::Systemd(link)) = &known {
        links.push(link.clone());
    }
    for link in links {
        file::remove_file(&link)?;
        if let Some(folder) = link.parent().and_then(Path::parent) {
            file::remove_file(&folder.join(&name))?;
        }
    }
    match known {
        Some(BootStarter::Cron(stem)) => change_crontab(&stem, None),
        _ => Ok(()),
    }
}

/// The crontab's line; the comment at its end tells whose it is. In cron `%` is a line end.
fn cron_line(caller: &Caller, stem: &str) -> String {
    let shell = |word: &str| format!("'{}'", word.replace('\'', r"'\''").replace('%', r"\%"));
    let variables = caller.variables.iter();
    let mut command: Vec<String> = variables
        .map(|(key, value)| format!("{key}={}", shell(value)))
        .collect();
    command.extend(caller.words.iter().map(|word| shell(word)));
    format!("@reboot {} boot # {stem}", command.join(" "))
}

fn crontab(arguments: &[&str]) -> Command {
    let mut command = Command::new("crontab");
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Takes the line of `stem` out of the user's crontab and puts `line` in.
fn change_crontab(stem: &str, line: Option<&str>) -> Result<()> {
    let failed = |why: String| Error::new(Kind::System, "run", "crontab").because(why);
    let listed = crontab(&["-l"])
        .stderr(Stdio::null())
        .output()
        .map_err(|error| Error::io("run", "crontab", error))?;
    // A user without a crontab gets a failure and no output.
    let before = String::from_utf8(listed.stdout)
        .map_err(|_| failed("the crontab of this user is not UTF-8".to_owned()))?;
    let end = format!("# {stem}");
    let after = with_line(&before, &end, line);
    if after == before {
        return Ok(());
    }
    let mut child = crontab(&["-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Error::io("run", "crontab", error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read has failed, and its status says so.
        let _ = stdin.write_all(after.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| Error::io("wait for", "crontab", error))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into()),
    }
}

fn with_line(before: &str, end: &str, line: Option<&str>) -> String {
    let ours = |known: &&str| known.starts_with("@reboot ") && known.ends_with(end);
    let kept = before.lines().filter(|known| !ours(known));
    kept.chain(line).map(|one| format!("{one}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        let words = ["/opt/my ketch", "--root", "/data/100%/$x"];
        Caller {
            words: words.map(str::to_owned).to_vec(),
            variables: vec![("KETCH_IDENTITY".to_owned(), "single".to_owned())],
        }
    }

    #[test]
    fn the_unit_calls_this_ketch_with_its_store() {
        let text = boot_unit(&caller(), "/data/100%/$x", true, "multi-user.target");
        assert_eq!(
            text,
            "[Unit]\n\
             Description=Start ketch containers whose restart policy asks for it\n\
             Documentation=man:ketch-boot(1)\n\
             Wants=network-online.target\n\
             After=network-online.target\n\
             RequiresMountsFor=/data/100%%/$x\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             RemainAfterExit=yes\n\
             Delegate=yes\n\
             Environment=KETCH_IDENTITY=single\n\
             ExecStart=\"/opt/my ketch\" --root /data/100%%/$$x boot\n\
             TimeoutStartSec=infinity\n\
             TimeoutStopSec=90\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n"
        );
        assert!(!boot_unit(&caller(), "/", false, "default.target").contains("network"));
    }

    #[test]
    fn a_crontab_keeps_what_others_wrote() {
        let line = cron_line(&caller(), "ketch-boot-12");
        assert_eq!(
            line,
            "@reboot KETCH_IDENTITY='single' '/opt/my ketch' '--root' '/data/100\\%/$x' boot # ketch-boot-12"
        );
        let others = "# mine\n5 * * * * true\n@reboot x boot # ketch-boot\n";
        let with = with_line(others, "# ketch-boot-12", Some(&line));
        assert_eq!(with, format!("{others}{line}\n"));
        assert_eq!(with_line(&with, "# ketch-boot-12", Some(&line)), with);
        assert_eq!(with_line(&with, "# ketch-boot-12", None), others);
        assert_eq!(with_line("", "# ketch-boot", None), "");
    }
}
