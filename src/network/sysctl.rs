//! Kernel parameters of the network namespace that this thread is in.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::common::{Error, Result};
use crate::sys::file;

/// Where the kernel shows the parameters of the reader's network namespace.
const ROOT: &str = "/proc/sys/net";

/// Sets the parameter `name`, with slashes; one that the kernel lacks is passed over, since the
/// protocol it is about is not there either. One that cannot be written but has the value is as
/// good: in a container /proc/sys may be read-only.
pub(super) fn set(name: &str, value: &str) -> Result<()> {
    let path = Path::new(ROOT).join(name);
    let opened = OpenOptions::new().write(true).open(&path);
    match opened.and_then(|mut file| file.write_all(value.as_bytes())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if !matches!(read(&path), Ok(now) if now == value) => {
            Err(Error::io("set kernel parameter", &path, error))
        }
        _ => Ok(()),
    }
}

/// Lets packets of `family` ("ipv4", "ipv6") pass through this namespace.
pub(super) fn forward(six: bool) -> Result<()> {
    if !six {
        return set("ipv4/ip_forward", "1");
    }
    let all = Path::new(ROOT).join("ipv6/conf/all/forwarding");
    if !matches!(read(&all).as_deref(), Ok("0")) {
        return Ok(());
    }
    // A machine that forwards no longer listens to the routers around it, unless it is told to
    // (`accept_ra`, ip-sysctl): it would lose its own way out in half an hour.
    for interface in interfaces() {
        let accept = interface.join("accept_ra");
        if matches!(read(&accept).as_deref(), Ok("1")) {
            let _ = std::fs::write(&accept, "2");
        }
    }
    set("ipv6/conf/all/forwarding", "1")
}

/// The folders of the interfaces' IPv6 parameters, `default` among them.
fn interfaces() -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join("ipv6/conf");
    let names = file::names(&folder).unwrap_or_default();
    names.iter().map(|name| folder.join(name)).collect()
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = file::read_kernel(path)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}
