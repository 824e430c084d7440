//! The program inside the test images: one static executable with many small commands, each of
//! which prints what a case asks about in lines that are easy to compare.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::exit)]

mod attack;
mod net;

use std::ffi::CString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let name = arguments[0].rsplit('/').next().unwrap_or_default();
    // Called through a link such as /bin/true, the name is the command.
    let words: Vec<&str> = if name == "payload" {
        arguments[1..].iter().map(String::as_str).collect()
    } else {
        std::iter::once(name)
            .chain(arguments[1..].iter().map(String::as_str))
            .collect()
    };
    let Some((command, rest)) = words.split_first() else {
        exit(64)
    };
    if let Err(error) = run(command, rest) {
        eprintln!("payload {command}: {error}");
        exit(1);
    }
}

fn run(command: &str, rest: &[&str]) -> io::Result<()> {
    match command {
        "true" => {}
        "false" => exit(1),
        "exit" => exit(number(rest, 0) as i32),
        "echo" => println!("{}", rest.join(" ")),
        "err" => eprintln!("{}", rest.join(" ")),
        "args" => rest.iter().for_each(|word| println!("[{word}]")),
        "env" => environment(),
        "pwd" => println!("{}", std::env::current_dir()?.display()),
        "id" => identity(),
        "stdin-count" => println!("{}", io::copy(&mut io::stdin(), &mut io::sink())?),
        "hostname" => print!("{}", fs::read_to_string("/proc/sys/kernel/hostname")?),
        "ppid" => println!(
            "pid={} ppid={}",
            std::process::id(),
            std::os::unix::process::parent_id()
        ),
        "also" => also(rest)?,
        "ctty" => controlling_terminal(rest)?,
        "shell" => shell(rest)?,
        _ => {
            return attack::attack(command, rest)
                .or_else(|| net::talk(command, rest))
                .unwrap_or_else(|| files(command, rest));
        }
    }
    io::stdout().flush()
}

fn number(rest: &[&str], at: usize) -> i64 {
    rest.get(at)
        .and_then(|word| word.parse().ok())
        .unwrap_or_else(|| exit(64))
}

fn environment() {
    for (key, value) in std::env::vars_os() {
        println!("{}={}", key.to_string_lossy(), value.to_string_lossy());
    }
}

fn identity() {
    let groups = nix::unistd::getgroups().unwrap_or_default();
    let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    println!(
        "uid={} gid={} groups={}",
        nix::unistd::getuid(),
        nix::unistd::getgid(),
        groups.join(",")
    );
}

/// Commands about files and mounts.
fn files(command: &str, rest: &[&str]) -> io::Result<()> {
    let path = rest.first().copied().unwrap_or("/");
    match command {
        "cat" if rest.is_empty() => drop(io::copy(&mut io::stdin(), &mut io::stdout())?),
        "cat" => {
            for path in rest {
                io::copy(&mut fs::File::open(path)?, &mut io::stdout())?;
            }
        }
        "read-some" => {
            let mut buffer = [0; 64];
            println!("{}", fs::File::open(path)?.read(&mut buffer)?);
        }
        "lines" => (0..number(rest, 0)).for_each(|line| println!("line {line}")),
        "flood" => loop {
            io::stdout().write_all(&[b'y'; 4096])?;
        },
        "append" => writeln!(
            fs::OpenOptions::new().append(true).open(rest[0])?,
            "{}",
            rest[1]
        )?,
        "write" => fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?
            .write_all(rest[1..].join(" ").as_bytes())?,
        "mkdir" => fs::create_dir(path)?,
        "chown" => std::os::unix::fs::chown(
            path,
            Some(number(rest, 1) as u32),
            Some(number(rest, 2) as u32),
        )?,
        "chmod" => {
            let mode = u32::from_str_radix(rest[1], 8).unwrap_or_else(|_| exit(64));
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        }
        "rm" => fs::remove_file(path)?,
        "link" => println!("{}", fs::read_link(path)?.display()),
        "stat" => rest.iter().try_for_each(|path| stat(path))?,
        "ls" => {
            let mut names: Vec<String> = fs::read_dir(path)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<_>>()?;
            names.sort();
            names.iter().for_each(|name| println!("{name}"));
        }
        "walk" => {
            let root = std::path::Path::new(path);
            describe(root, std::path::Path::new(""))?;
            walk(root, std::path::Path::new(""))?;
        }
        "mounts" => print!("{}", fs::read_to_string("/proc/self/mountinfo")?),
        "status" => print!("{}", fs::read_to_string("/proc/self/status")?),
        "caps" => {
            let status = fs::read_to_string("/proc/self/status")?;
            status
                .lines()
                .filter(|line| line.starts_with("Cap") || line.starts_with("NoNewPrivs"))
                .for_each(|line| println!("{}", line.replace(":\t", "=")));
        }
        "fds" => descriptors()?,
        "statfs" => {
            let found = nix::sys::statvfs::statvfs(path)?;
            println!("bytes={}", found.blocks() * found.fragment_size());
        }
        _ => return kernel(command, rest),
    }
    io::stdout().flush()
}

fn stat(path: &str) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    let kind = found.file_type();
    let kind = if kind.is_dir() {
        "dir"
    } else if kind.is_symlink() {
        "link"
    } else if kind.is_char_device() {
        "char"
    } else if kind.is_block_device() {
        "block"
    } else if kind.is_fifo() {
        "fifo"
    } else if kind.is_socket() {
        "socket"
    } else {
        "file"
    };
    println!(
        "{path} {kind} {:o} {}:{} size={} links={} rdev={}:{} mtime={}.{:09}",
        found.mode() & 0o7777,
        found.uid(),
        found.gid(),
        found.size(),
        found.nlink(),
        nix::sys::stat::major(found.rdev()),
        nix::sys::stat::minor(found.rdev()),
        found.mtime(),
        found.mtime_nsec()
    );
    Ok(())
}

/// Lists a tree with everything a layer can say about an entry, in order; what a runtime mounts
/// over the tree is left out.
fn walk(root: &std::path::Path, below: &std::path::Path) -> io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(root.join(below))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort();
    // Where a container has mounts, and docker's sign; a case may use /mnt for its own.
    let mounted = [
        ".dockerenv",
        "proc",
        "sys",
        "dev",
        "mnt",
        "etc/hosts",
        "etc/hostname",
        "etc/resolv.conf",
    ];
    for name in names {
        let path = below.join(name);
        if mounted.iter().any(|mounted| path.as_os_str() == *mounted) {
            continue;
        }
        describe(root, &path)?;
        if fs::symlink_metadata(root.join(&path))?.is_dir() {
            walk(root, &path)?;
        }
    }
    Ok(())
}

/// One line about a file, as it is meant to be: an intended owner and type that ketch recorded
/// count, where the real ones cannot be had.
fn describe(root: &std::path::Path, path: &std::path::Path) -> io::Result<()> {
    let full = root.join(path);
    let found = fs::symlink_metadata(&full)?;
    let target = fs::read_link(&full).unwrap_or_default();
    let (mut mode, mut device) = (found.mode(), found.rdev());
    let mut owner = format!("{}:{}", found.uid(), found.gid());
    let mut attributes = Vec::new();
    for (name, value) in xattrs(&full) {
        if name == "user.containers.override_stat" {
            let text = String::from_utf8_lossy(&value).into_owned();
            let parts: Vec<&str> = text.split(':').collect();
            owner = parts[..2].join(":");
            if let [kind @ ("char" | "block"), major, minor] =
                parts[3].split('-').collect::<Vec<_>>()[..]
            {
                let bits = if kind == "char" {
                    libc::S_IFCHR
                } else {
                    libc::S_IFBLK
                };
                mode = bits | u32::from_str_radix(parts[2], 8).unwrap();
                device = libc::makedev(major.parse().unwrap(), minor.parse().unwrap());
            }
        } else if name.starts_with("user.") || name == "security.capability" {
            attributes.push(format!("{name}={value:02x?}"));
        }
    }
    attributes.sort();
    let (size, links) = if mode & libc::S_IFMT == libc::S_IFREG {
        (found.size(), found.nlink())
    } else {
        (0, 0)
    };
    println!(
        "{path:?} {mode:o} {owner} {device:x} {size} {links} {}.{:09} {target:?} {}",
        found.mtime(),
        found.mtime_nsec(),
        attributes.join(" ")
    );
    Ok(())
}

/// Extended attributes of the file itself; none where there cannot be any.
fn xattrs(path: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
    let mut names = vec![0_u8; 65536];
    // SAFETY: the buffer is as long as said, the path ends with NUL.
    let length = unsafe { libc::llistxattr(path.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    names.truncate(usize::try_from(length).unwrap_or(0));
    let mut found = Vec::new();
    for name in names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let key = CString::new(name).unwrap();
        let mut value = vec![0_u8; 65536];
        // SAFETY: as above.
        let length = unsafe {
            libc::lgetxattr(
                path.as_ptr(),
                key.as_ptr(),
                value.as_mut_ptr().cast(),
                value.len(),
            )
        };
        value.truncate(usize::try_from(length).unwrap_or(0));
        found.push((String::from_utf8_lossy(name).into_owned(), value));
    }
    found
}

/// Lists the open descriptors, less the one that lists them.
fn descriptors() -> io::Result<()> {
    let mut found: Vec<(u32, String)> = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let path = entry?.path();
        let target = fs::read_link(&path)
            .unwrap_or_default()
            .display()
            .to_string();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !target.ends_with("/fd") {
            found.push((name.parse().unwrap_or(u32::MAX), target));
        }
    }
    found.sort();
    found
        .iter()
        .for_each(|(number, target)| println!("{number} {target}"));
    Ok(())
}

/// Commands that ask the kernel.
fn kernel(command: &str, rest: &[&str]) -> io::Result<()> {
    match command {
        "spin" => {
            println!("ready");
            io::stdout().flush()?;
            loop {
                std::hint::spin_loop();
            }
        }
        "sleep-forever" => loop {
            nix::unistd::pause();
        },
        "ready-then-wait" => {
            println!("ready");
            io::stdout().flush()?;
            loop {
                nix::unistd::pause();
            }
        }
        "wait-signal" => wait_signal(rest)?,
        "count" => count(rest)?,
        "signal-self" => {
            let signal = nix::sys::signal::Signal::try_from(number(rest, 0) as i32)?;
            // Process 1 of a namespace ignores what has no handler, so a child dies of it.
            nix::sys::signal::raise(signal)?;
        }
        "orphan" => orphan()?,
        "rlimits" => print!("{}", fs::read_to_string("/proc/self/limits")?),
        "tty" => {
            for descriptor in ["stdin", "stdout", "stderr"] {
                let yes = match descriptor {
                    "stdin" => nix::unistd::isatty(io::stdin()),
                    "stdout" => nix::unistd::isatty(io::stdout()),
                    _ => nix::unistd::isatty(io::stderr()),
                };
                println!("{descriptor}={}", yes.unwrap_or(false));
            }
            println!("name={}", fs::read_link("/proc/self/fd/0")?.display());
        }
        "winsize" => println!("{}", winsize()?),
        "resize" => resize(number(rest, 0) as u16, number(rest, 1) as u16)?,
        "wait-winsize" => wait_winsize(rest[0])?,
        "line" => {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            println!("got:{}", line.trim_end());
        }
        "syscall" => rest
            .iter()
            .for_each(|name| println!("{name}={}", attempt(name))),
        "alloc" => {
            let bytes = number(rest, 0) as usize;
            let block = vec![1u8; bytes];
            println!(
                "{}",
                block.iter().map(|byte| usize::from(*byte)).sum::<usize>()
            );
        }
        "sysctl" => print!(
            "{}",
            fs::read_to_string(format!("/proc/sys/{}", rest[0].replace('.', "/")))?
        ),
        "ns" => {
            for name in ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] {
                println!(
                    "{name}={}",
                    fs::read_link(format!("/proc/self/ns/{name}"))?.display()
                );
            }
        }
        _ => exit(64),
    }
    io::stdout().flush()
}

/// Says `ready`, waits for one of the named signals and prints its name.
fn wait_signal(rest: &[&str]) -> io::Result<()> {
    let mut set = nix::sys::signal::SigSet::empty();
    for name in rest {
        set.add(name.parse().map_err(io::Error::from)?);
    }
    set.thread_block()?;
    println!("ready");
    io::stdout().flush()?;
    println!("{}", set.wait()?);
    Ok(())
}

/// Says `ready` and counts for ever, in this process and in a child of it.
fn count(rest: &[&str]) -> io::Result<()> {
    if rest.is_empty() {
        println!("ready");
        let program = std::env::current_exe()?;
        Command::new(program).args(["count", "child"]).spawn()?;
    }
    for number in 0u64.. {
        println!("{}{number}", rest.concat());
        io::stdout().flush()?;
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Ok(())
}

/// Leaves a grandchild that ends after its parent, then lists the zombies below process 1.
fn orphan() -> io::Result<()> {
    let program = std::env::current_exe()?;
    // The child ends at once and leaves its own child, which ends when the pipe closes.
    let status = Command::new(&program).args(["also", "leave"]).status()?;
    if !status.success() {
        return Err(io::Error::other("child failed"));
    }
    // The grandchild ends and the reaper takes it as soon as they are scheduled: look until the
    // reaper and this process are all there is, bounded.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while processes()? > 2 && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    println!("zombies={}", zombies()?);
    Ok(())
}

fn processes() -> io::Result<usize> {
    let names = fs::read_dir("/proc")?.flatten();
    Ok(names
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .count())
}

fn zombies() -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path().join("stat");
        if let Ok(text) = fs::read_to_string(path) {
            let state = text
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .chars()
                .next();
            count += usize::from(state == Some('Z'));
        }
    }
    Ok(count)
}

/// `also leave`: starts a child that reads its empty input and ends, without waiting for it.
fn also(rest: &[&str]) -> io::Result<()> {
    let program = std::env::current_exe()?;
    if rest == ["leave"] {
        // The child is left for whoever reaps orphans: that is what the case is about.
        let child = Command::new(program).args(["true"]).spawn()?;
        println!("left={}", child.id());
        drop(child);
    }
    Ok(())
}

/// Commands of `-c LINE`, with `;` between them, or of each line that is typed.
fn shell(rest: &[&str]) -> io::Result<()> {
    let words = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        words
            .split_first()
            .map_or(Ok(()), |(first, rest)| run(first, rest))
    };
    if let ["-c", line] = rest {
        return line.split(';').try_for_each(words);
    }
    loop {
        print!("shell> ");
        io::stdout().flush()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Err(error) = words(&line) {
            println!("{error}");
        }
    }
}

/// Takes the terminal on standard input as the controlling one, then runs the program given.
fn controlling_terminal(rest: &[&str]) -> io::Result<()> {
    nix::unistd::setsid()?;
    // SAFETY: TIOCSCTTY takes an integer and touches no memory of this process.
    if unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Err(Command::new(rest[0]).args(&rest[1..]).exec())
}

fn winsize() -> io::Result<String> {
    // SAFETY: winsize is four integers, for which all bits zero is a value.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: TIOCGWINSZ fills the structure that the pointer names.
    if unsafe { libc::ioctl(0, libc::TIOCGWINSZ, &raw mut size) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(format!("{}x{}", size.ws_row, size.ws_col))
}

/// Sets the size of the terminal on standard input.
fn resize(rows: u16, columns: u16) -> io::Result<()> {
    let size = libc::winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCSWINSZ reads the structure that the pointer names.
    if unsafe { libc::ioctl(0, libc::TIOCSWINSZ, &raw const size) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Says `ready` and waits for window changes until the size is the one given.
fn wait_winsize(wanted: &str) -> io::Result<()> {
    let mut set = nix::sys::signal::SigSet::empty();
    set.add(nix::sys::signal::Signal::SIGWINCH);
    set.thread_block()?;
    println!("ready");
    io::stdout().flush()?;
    while winsize()? != wanted {
        set.wait()?;
    }
    println!("size={wanted}");
    Ok(())
}

/// Makes one system call that a filter judges, and says `ok` or the name of the error.
fn attempt(name: &str) -> String {
    let directory = CString::new("/tmp").unwrap_or_default();
    // SAFETY: each call takes integers, null pointers or the string above, which outlives it; none
    // makes the kernel write memory of this process.
    let result = unsafe {
        match name {
            "socket-alg" => libc::syscall(libc::SYS_socket, libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
            "socket-vsock" => libc::syscall(libc::SYS_socket, libc::AF_VSOCK, libc::SOCK_STREAM, 0),
            "socket-inet" => libc::syscall(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0),
            "clone3" => libc::syscall(libc::SYS_clone3, 0, 0),
            "unshare-user" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
            "unshare-mount" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWNS),
            "mount" => libc::syscall(
                libc::SYS_mount,
                0,
                directory.as_ptr(),
                0,
                libc::MS_REMOUNT,
                0,
            ),
            "umount" => libc::syscall(libc::SYS_umount2, directory.as_ptr(), 0),
            "keyctl" => libc::syscall(libc::SYS_keyctl, 0, 0, 0, 0, 0),
            "add_key" => libc::syscall(libc::SYS_add_key, 0, 0, 0, 0, 0),
            "bpf" => libc::syscall(libc::SYS_bpf, 0, 0, 0),
            "reboot" => libc::syscall(libc::SYS_reboot, 0, 0, 0, 0),
            "kexec" => libc::syscall(libc::SYS_kexec_load, 0, 0, 0, 0),
            "io_uring" => libc::syscall(libc::SYS_io_uring_setup, 0, 0),
            "userfaultfd" => libc::syscall(libc::SYS_userfaultfd, 0),
            "ptrace" => libc::syscall(libc::SYS_ptrace, libc::PTRACE_PEEKDATA, 0, 0, 0),
            "personality" => libc::syscall(libc::SYS_personality, 0x0040_0000),
            "unknown" => libc::syscall(4_000),
            "getpid" => libc::syscall(libc::SYS_getpid),
            _ => exit(64),
        }
    };
    if result >= 0 {
        "ok".to_owned()
    } else {
        format!("{:?}", nix::errno::Errno::last())
    }
}
