//! N itself: made by a child, held by descriptors, and found again when its holder is gone.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use nix::sched::CloneFlags;

use super::{Place, State};
use crate::common::{Error, Kind, Mode, Result};
use crate::host::IdMaps;
use crate::network::space::Space;
use crate::sys::process::{Child, Cloned, clone, exit_now, start_time};
use crate::sys::{credentials, namespace, net, socket};

/// From the child that makes N.
const MADE: &[u8] = b"made";
/// To it: the id maps are written.
const MAPPED: &[u8] = b"mapped";

/// Switches of N that let packets pass between its interfaces.
const FORWARDING: [&str; 2] = [
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv6/conf/all/forwarding",
];

impl Space {
    /// That of a holder.
    ///
    /// # Errors
    /// That the holder is gone, or is not who it was, or is closed to this process.
    pub(super) fn of(state: &State) -> Result<Space> {
        let open = |number: i32, wanted: (u64, u64)| -> Result<OwnedFd> {
            let path = format!("/proc/{}/fd/{number}", state.pid);
            let found = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
            match namespace::identity(&found) {
                Ok(identity) if identity == wanted => Ok(found.into()),
                _ => Err(Error::new(Kind::NotFound, "find", &path).because("it is another")),
            }
        };
        let space = Space {
            user: open(state.descriptors.0, state.user)?,
            network: open(state.descriptors.1, state.network)?,
        };
        // Asked afterwards: a number that means the same now has meant it all the while.
        if start_time(state.pid) != Some(state.start_time) {
            return Err(Error::new(Kind::NotFound, "find", "holder").because("it has ended"));
        }
        Ok(space)
    }

    /// Makes N, with all ids of the mode.
    pub(super) fn make(place: &Place<'_>) -> Result<(Space, Option<String>)> {
        let maps = place.host.id_maps(place.mode)?;
        let (ours, theirs) = socket::message_pair()?;
        let spaces = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET;
        let child = match clone(spaces, None).map_err(explain)? {
            Cloned::Child => {
                drop(ours);
                let _ = credentials::die_with_parent();
                let made = set_up(place, &maps, &theirs).and_then(|warning| {
                    let text = warning.unwrap_or_default();
                    let [user, network] = ["user", "net"].map(own);
                    let told = [(MADE, user?), (text.as_bytes(), network?)];
                    told.into_iter().try_for_each(|(bytes, descriptor)| {
                        // An empty message would be the end of all.
                        let bytes = [b"+", bytes].concat();
                        socket::send(theirs.as_fd(), &bytes, Some(descriptor.as_fd()))
                            .map_err(|errno| Error::errno("hand over", "namespace", errno))
                    })
                });
                if let Err(error) = made {
                    let _ = socket::send(theirs.as_fd(), format!("-{error}").as_bytes(), None);
                    exit_now(1);
                }
                exit_now(0)
            }
            Cloned::Parent(child) => child,
        };
        drop(theirs);
        let made = write_maps(place, &maps, &child)
            .and_then(|()| {
                socket::send(ours.as_fd(), MAPPED, None)
                    .map_err(|errno| Error::errno("make", "shared network", errno))
            })
            .and_then(|()| {
                let (user, _) = hear(&ours)?;
                let (network, warning) = hear(&ours)?;
                let warning = (!warning.is_empty()).then_some(warning);
                Ok((Space { user, network }, warning))
            });
        if made.is_err() {
            let _ = child.signal(libc::SIGKILL);
        }
        let _ = child.wait();
        made
    }
}

/// One descriptor of the child that makes N, with its text.
fn hear(socket: &OwnedFd) -> Result<(OwnedFd, String)> {
    let failed = |why: String| Error::new(Kind::System, "make", "shared network").because(why);
    match socket::receive(socket.as_fd()) {
        Ok(Some((bytes, descriptor))) => {
            let text = String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()).into_owned();
            match descriptor {
                Some(descriptor) => Ok((descriptor, text)),
                None => Err(failed(text)),
            }
        }
        Ok(None) => Err(failed("the process that makes it has ended".to_owned())),
        Err(errno) => Err(failed(errno.desc().to_owned())),
    }
}

/// What the child in N does; gives a warning.
fn set_up(place: &Place<'_>, maps: &IdMaps, socket: &OwnedFd) -> Result<Option<String>> {
    if !matches!(socket::receive(socket.as_fd()), Ok(Some(_))) {
        // The parent failed to write the maps and says so itself.
        exit_now(1);
    }
    if place.mode == Mode::Single {
        namespace::write_maps("self", &maps.uids, &maps.gids, true)?;
    } else {
        credentials::set_ids(0, 0)?;
    }
    net::loopback_up()?;
    let closed = FORWARDING.into_iter().find_map(|path| {
        let error = std::fs::write(path, "1").err()?;
        // A kernel without IPv6 has nothing to forward.
        (error.kind() != std::io::ErrorKind::NotFound).then(|| format!("{path}: {error}"))
    });
    Ok(closed.map(|why| {
        format!("containers of named networks cannot reach beyond their network ({why})")
    }))
}

fn own(kind: &str) -> Result<OwnedFd> {
    let path = format!("/proc/self/ns/{kind}");
    let opened = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
    Ok(opened.into())
}

/// The maps of N, by who may write them.
fn write_maps(place: &Place<'_>, maps: &IdMaps, child: &Child) -> Result<()> {
    match place.mode {
        Mode::Single => Ok(()),
        Mode::Subid if !place.host.owns_ids() => {
            let (newuidmap, newgidmap) = place.host.map_helpers().ok_or_else(|| {
                Error::new(Kind::Unsupported, "find", "newuidmap").because("not installed")
            })?;
            namespace::run_map_helpers(child.pid, newuidmap, &maps.uids, newgidmap, &maps.gids)
        }
        Mode::Subid | Mode::Root => {
            namespace::write_maps(&child.pid.to_string(), &maps.uids, &maps.gids, false)
        }
    }
}

fn explain(error: Error) -> Error {
    match error.raw_os_error() {
        Some(libc::EPERM) => error.hint(
            "user namespaces are not allowed for ordinary users here; `ketch doctor` names the setting",
        ),
        _ => error,
    }
}

/// N of a holder that is gone, out of the hands of a process that still has it.
pub(super) fn rescue(state: &State) -> Option<Space> {
    let own = nix::unistd::geteuid().as_raw();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let ours = processes.filter(|entry| {
        let name = entry.file_name();
        let number = name
            .to_str()
            .is_some_and(|name| name.parse::<i32>().is_ok());
        number && entry.metadata().is_ok_and(|found| found.uid() == own)
    });
    let wanted = format!("net:[{}]", state.network.1);
    ours.into_iter().find_map(|process| {
        let descriptors = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        descriptors.into_iter().find_map(|entry| {
            let link = std::fs::read_link(entry.path()).ok()?;
            if link.to_str() != Some(&wanted) {
                return None;
            }
            let network = OwnedFd::from(File::open(entry.path()).ok()?);
            let user = namespace::owner(&network).ok()?;
            let same = namespace::identity(&network) == Ok(state.network)
                && namespace::identity(&user) == Ok(state.user);
            same.then_some(Space { user, network })
        })
    })
}
