//! Commands that try what a container must not be able to do.

use std::ffi::CString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Tries what `command` names; `None` when it names nothing here.
pub(crate) fn attack(command: &str, rest: &[&str]) -> Option<io::Result<()>> {
    let done = match (command, rest) {
        ("mknod", [path, major, minor]) => make_node(path, major, minor),
        ("as-user", [id, command, rest @ ..]) => {
            change_user(id).and_then(|()| super::run(command, rest))
        }
        ("writable", [top]) => {
            let mut count = 0;
            writable(Path::new(top), &mut count);
            say(&format!("writable={count}"))
        }
        ("push-input", []) => push_input(),
        ("write-exes", []) => write_exes(),
        ("other-abi", []) => other_abi(),
        _ => return None,
    };
    Some(done)
}

/// Says `ready` and tries to open the program of every process for writing, until it is killed.
fn write_exes() -> io::Result<()> {
    say("ready")?;
    io::stdout().flush()?;
    loop {
        for entry in fs::read_dir("/proc")?.flatten() {
            let path = entry.path().join("exe");
            if fs::OpenOptions::new().write(true).open(&path).is_ok() {
                say(&format!("opened {:?}", fs::read_link(&path)))?;
            }
        }
    }
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn number(text: &str) -> io::Result<u32> {
    text.parse().map_err(io::Error::other)
}

/// Makes a character device and opens it.
fn make_node(path: &str, major: &str, minor: &str) -> io::Result<()> {
    let name = CString::new(path)?;
    let device = libc::makedev(number(major)?, number(minor)?);
    // SAFETY: the name is a live C string.
    if unsafe { libc::mknod(name.as_ptr(), libc::S_IFCHR | 0o666, device) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // A seccomp filter may have made a plain file in its stead.
    let real = nix::sys::stat::stat(path)?.st_rdev == device;
    let opened = fs::OpenOptions::new().write(true).open(path);
    say(&format!("works={}", real && opened.is_ok()))
}

fn change_user(id: &str) -> io::Result<()> {
    let id = number(id)?;
    nix::unistd::setgid(id.into())?;
    nix::unistd::setuid(id.into())?;
    Ok(())
}

/// Counts plain files below `top` that open for writing.
fn writable(top: &Path, count: &mut usize) {
    for entry in fs::read_dir(top).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            writable(&entry.path(), count);
        } else if kind.is_file()
            && fs::OpenOptions::new()
                .write(true)
                .open(entry.path())
                .is_ok()
        {
            let _ = say(&entry.path().display().to_string());
            *count += 1;
        }
    }
}

/// Types a character into each standard stream's terminal.
fn push_input() -> io::Result<()> {
    for stream in 0..=2 {
        let byte = b'x';
        // SAFETY: TIOCSTI reads one byte from the pointer.
        let done = unsafe { libc::ioctl(stream, libc::TIOCSTI, &raw const byte) };
        say(&format!("stream{stream}={}", done == 0))?;
    }
    Ok(())
}

/// Calls through the tables of x32 and of 32-bit programs.
fn other_abi() -> io::Result<()> {
    let name = |result: i64| match result {
        0.. => "ok".to_owned(),
        errno => format!("{:?}", nix::errno::Errno::from_raw(-errno as i32)),
    };
    // SAFETY: getpid takes nothing.
    let x32 = unsafe { libc::syscall(0x4000_0000 + libc::SYS_getpid) };
    let x32 = if x32 < 0 {
        name(-i64::from(nix::errno::Errno::last_raw()))
    } else {
        name(x32)
    };
    say(&format!("x32-getpid={x32}"))?;
    #[cfg(target_arch = "x86_64")]
    {
        // getpid, as a sign that this kernel has the table, and socket(AF_ALG, SOCK_SEQPACKET, 0).
        say(&format!("i386-getpid={}", name(call_32(20, 0, 0))))?;
        let family = libc::AF_ALG as u32;
        say(&format!("i386-alg={}", name(call_32(359, family, 5))))?;
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
fn call_32(number: i32, first: u32, second: u32) -> i64 {
    let result: i32;
    // SAFETY: both calls made take integers; rbx, which the compiler keeps for itself, is put
    // back, and the registers that the gate spoils are named.
    unsafe {
        std::arch::asm!(
            "xchg {first:r}, rbx",
            "int 0x80",
            "xchg {first:r}, rbx",
            first = inout(reg) u64::from(first) => _,
            inlateout("eax") number => result,
            in("ecx") second,
            in("edx") 0,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    i64::from(result)
}
