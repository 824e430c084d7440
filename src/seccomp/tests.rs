//! Compiled filters against a naive reading of their profiles.

use super::naive::Naive;
use super::*;

const CLONE_NEWUSER: u64 = 0x1000_0000;
const DOCKER_CAPS: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];
const KERNEL: (u32, u32) = (6, 12);

fn request<'a>(profile: ProfileChoice<'a>, caps: &'a [&'a str], identity: Identity) -> Request<'a> {
    Request {
        profile,
        caps,
        identity,
    }
}

fn number(arch: Arch, name: &str) -> u32 {
    arch.syscalls()
        .find(|(n, _)| *n == name)
        .unwrap_or_else(|| panic!("{name}"))
        .1
}

/// Arguments worth trying: each interesting value in each of the first places.
fn arguments(wide: bool) -> Vec<[u64; 6]> {
    let mut values = vec![
        0,
        1,
        2,
        5,
        8,
        37,
        38,
        39,
        40,
        41,
        42,
        43,
        44,
        45,
        47,
        48,
        63,
        64,
        131_072,
        131_080,
        0xffff_ffff,
        2_114_060_288,
        CLONE_NEWUSER,
        0x11,
        0x0100_0000,
    ];
    if wide {
        values.extend([
            u64::MAX,
            1 << 32,
            (1 << 32) + 38,
            (1 << 32) + 40,
            (1 << 32) + 8,
            u64::MAX << 32,
        ]);
    }
    let mut all = vec![[0; 6]];
    for place in 0..3 {
        all.extend(values.iter().map(|value| {
            let mut args = [0; 6];
            args[place] = *value;
            args
        }));
    }
    all
}

fn compare(text: &str, caps: &[&str], native: Arch) -> usize {
    let choice = if text == profile::DEFAULT {
        ProfileChoice::Default
    } else {
        ProfileChoice::Text(text)
    };
    let program = compile_for(&request(choice, caps, Identity::Real), native, KERNEL).unwrap();
    let code = bpf::unpack(&program);
    let naive = Naive::new(text, caps, native);
    let arches = Profile::parse(text).unwrap().arches(native);
    for arch in Arch::ALL {
        let mut names = std::collections::HashMap::new();
        names.extend(arch.syscalls().map(|(n, v)| (v, n)));
        let arguments = arguments(arch.is_64bit());
        let numbers = (0..=1024).chain([
            0xf0001,
            0xf0002,
            0xf0005,
            0x4000_0000,
            0x4000_0029,
            0x7fff_ffff,
            u32::MAX,
        ]);
        for number in numbers {
            let name = names.get(&number).copied();
            let conditional = naive.rules.iter().any(|r| {
                r["args"].is_array()
                    && r["names"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|n| Some(n.as_str().unwrap()) == name)
            });
            let some = if conditional {
                &arguments[..]
            } else {
                &arguments[..3]
            };
            for args in some {
                let want = if arches.contains(&arch) {
                    naive.verdict(arch, number, name, args)
                } else {
                    0
                };
                assert_eq!(
                    bpf::run(&code, number, arch.audit(), args),
                    want,
                    "{arch:?} {number} {name:?} {args:x?} caps {caps:?}"
                );
            }
        }
    }
    program.len()
}

#[test]
fn the_default_profile_compiles_to_what_it_says() {
    let caps: &[&[&str]] = &[
        &[],
        DOCKER_CAPS,
        &["CAP_SYS_ADMIN"],
        &["CAP_SYS_PTRACE", "CAP_SYSLOG", "CAP_BPF"],
        &["CAP_SYS_TIME", "CAP_SYS_NICE", "CAP_SYS_MODULE"],
    ];
    for native in [Arch::X86_64, Arch::Aarch64] {
        for caps in caps {
            let length = compare(profile::DEFAULT, caps, native);
            assert!(length <= 340, "{native:?} {caps:?}: {length} instructions");
        }
    }
}

/// Every comparison, on values with both halves.
const COMPARISONS: &str = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,
 "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[
 {"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967334,"op":"SCMP_CMP_LT"}]},
 {"names":["write"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":4294967334,"op":"SCMP_CMP_LE"}]},
 {"names":["open"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967334,"op":"SCMP_CMP_GT"}]},
 {"names":["close"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967334,"op":"SCMP_CMP_GE"}]},
 {"names":["stat"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967334,"op":"SCMP_CMP_NE"}]},
 {"names":["poll"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967334,"op":"SCMP_CMP_EQ"}]},
 {"names":["lseek"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":0,"op":"SCMP_CMP_EQ"}]},
 {"names":["mmap"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744069414584320,"valueTwo":4294967296,"op":"SCMP_CMP_MASKED_EQ"}]},
 {"names":["brk"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":0,"valueTwo":0,"op":"SCMP_CMP_GE"}]},
 {"names":["ioctl"],"action":"SCMP_ACT_ERRNO","errnoRet":22,"args":[{"index":0,"value":5,"op":"SCMP_CMP_EQ"}]},
 {"names":["ioctl"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":41,"op":"SCMP_CMP_LT"}]},
 {"names":["fork","fork"],"action":"SCMP_ACT_ALLOW","args":[]},
 {"names":["fork"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}"#;

#[test]
fn every_comparison_holds_on_64_and_32_bits() {
    compare(COMPARISONS, &[], Arch::X86_64);
}

#[test]
fn a_profile_that_allows_by_default_keeps_its_default_for_new_calls_but_not_for_x32() {
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO"}]}"#;
    compare(text, &[], Arch::X86_64);
}

/// Long argument chains push targets past the 255 instructions of a short jump.
#[test]
fn far_targets_are_reached() {
    let rules: Vec<String> = Arch::X86_64.syscalls().step_by(3).map(|(name, number)| {
        format!(r#"{{"names":["{name}"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":{},"op":"SCMP_CMP_GT"}},{{"index":1,"value":{number},"op":"SCMP_CMP_NE"}}]}}"#, number % 50)
    }).collect();
    let text = format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{}]}}"#,
        rules.join(",")
    );
    assert!(compare(&text, &[], Arch::X86_64) > 900);
}

#[test]
fn a_profile_past_the_kernels_limit_is_refused() {
    let args: Vec<String> = (0..4000).map(|v| format!(r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":{v},"op":"SCMP_CMP_EQ"}}]}}"#)).collect();
    let text = format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{}]}}"#,
        args.join(",")
    );
    let error = compile(&request(ProfileChoice::Text(&text), &[], Identity::Real)).unwrap_err();
    assert_eq!(error.kind(), crate::common::Kind::Usage);
}

/// The default profile for docker's default capabilities, to run.
fn docker_default(call: impl FnOnce(&dyn Fn(Arch, &str, [u64; 6]) -> u32)) {
    let request = request(ProfileChoice::Default, DOCKER_CAPS, Identity::Real);
    let code = bpf::unpack(&compile_for(&request, Arch::X86_64, KERNEL).unwrap());
    call(&|arch, name, args| {
        let number = name.parse().unwrap_or_else(|_| number(arch, name));
        bpf::run(&code, number, arch.audit(), &args)
    });
}

#[test]
fn address_families_that_peers_leak_are_refused_by_every_way() {
    docker_default(|call| {
        let first = |value| [value, 0, 0, 0, 0, 0];
        let eperm = action::errno(libc::EPERM);
        for family in [38, 40, (1 << 32) + 38, (1 << 40) + 40] {
            let got = call(Arch::X86_64, "socket", first(family));
            assert_eq!(got, eperm, "{family:#x}");
        }
        for family in [1, 2, 10, 16, 17, 39, 41, 44, 45] {
            let got = call(Arch::X86_64, "socket", first(family));
            assert_eq!(got, action::ALLOW, "{family}");
        }
        assert_eq!(call(Arch::I386, "socket", first(38)), eperm);
        let enosys = action::errno(libc::ENOSYS);
        assert_eq!(call(Arch::I386, "socketcall", first(1)), enosys);
        assert_eq!(call(Arch::I386, "socketcall", first(3)), action::ALLOW);
        let x32_socket = (0x4000_0000 + 41).to_string();
        assert_eq!(call(Arch::X86_64, &x32_socket, first(38)), eperm);
    });
}

#[test]
fn known_escapes_are_closed() {
    docker_default(|call| {
        let eperm = action::errno(libc::EPERM);
        let enosys = action::errno(libc::ENOSYS);
        for arch in [Arch::X86_64, Arch::I386] {
            let clone = |flags| call(arch, "clone", [flags, 0, 0, 0, 0, 0]);
            assert_eq!(clone(CLONE_NEWUSER | 17), eperm);
            assert_eq!(clone(17), action::ALLOW);
            assert_eq!(call(arch, "clone3", [0; 6]), enosys);
            assert_eq!(call(arch, "900", [0; 6]), enosys);
            for name in [
                "unshare",
                "mount",
                "setns",
                "bpf",
                "io_uring_setup",
                "keyctl",
                "add_key",
                "userfaultfd",
                "kexec_load",
                "open_by_handle_at",
                "perf_event_open",
            ] {
                assert_eq!(call(arch, name, [0; 6]), eperm, "{name}");
            }
        }
        // 32-bit Arm has no business here: the thread dies.
        assert_eq!(call(Arch::Arm, "0", [0; 6]), action::KILL_THREAD);
    });
}

#[test]
fn the_kernel_takes_the_filter_and_obeys_it() {
    use nix::errno::Errno;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    let request = request(ProfileChoice::Default, DOCKER_CAPS, Identity::Real);
    let program = compile(&request).unwrap();
    let open = |family, kind| socket(family, kind, SockFlag::empty(), None);
    // A filter of this thread only, which ends with it.
    let outcome = std::thread::spawn(move || {
        nix::sys::prctl::set_no_new_privs().unwrap();
        crate::sys::seccomp::load(program.as_bytes(), false).unwrap();
        (
            open(AddressFamily::Alg, SockType::SeqPacket).map(drop),
            open(AddressFamily::Unix, SockType::Stream).map(drop),
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS),
        )
    });
    let outcome = outcome.join().unwrap();
    assert_eq!(outcome, (Err(Errno::EPERM), Ok(()), Err(Errno::EPERM)));
}

#[test]
fn identity_calls_are_handed_over_and_nothing_else_changes() {
    for native in [Arch::X86_64, Arch::Aarch64] {
        let make = |identity| {
            bpf::unpack(
                &compile_for(
                    &request(ProfileChoice::Default, DOCKER_CAPS, identity),
                    native,
                    KERNEL,
                )
                .unwrap(),
            )
        };
        let (real, notify, pretend) = (
            make(Identity::Real),
            make(Identity::Notify),
            make(Identity::Pretend),
        );
        for arch in Profile::parse(profile::DEFAULT).unwrap().arches(native) {
            for (name, number) in arch.syscalls() {
                let run = |code: &[_], args: &[u64; 6]| bpf::run(code, number, arch.audit(), args);
                let trapped = emulate::calls::TRAPPED.iter().find(|t| t.name == name);
                let (plain, device) = ([0; 6], [0, 0o20666, 0o60666, 0, 0, 0]);
                use emulate::calls::Handling::*;
                let (notified, pretended) = match trapped.map(|t| t.handling) {
                    None => (false, false),
                    Some(Getter | Attribute) => (true, false),
                    Some(Setter) => (true, true),
                    Some(Node { .. }) => {
                        assert_eq!(run(&notify, &device), action::USER_NOTIF, "{name}");
                        assert_eq!(run(&pretend, &device), action::errno(0), "{name}");
                        (false, false)
                    }
                    Some(Watch { option }) => {
                        let watched = [u64::from(option), 1, 0, 0, 0, 0];
                        assert_eq!(run(&notify, &watched), action::USER_NOTIF, "{name}");
                        assert_eq!(run(&pretend, &watched), action::ALLOW, "{name}");
                        (false, false)
                    }
                };
                let before = run(&real, &plain);
                assert_eq!(
                    run(&notify, &plain),
                    if notified { action::USER_NOTIF } else { before },
                    "{name}"
                );
                assert_eq!(
                    run(&pretend, &plain),
                    if pretended { action::errno(0) } else { before },
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_call_the_profile_refuses_is_not_emulated() {
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["setuid"],"action":"SCMP_ACT_ERRNO"}]}"#;
    let code = bpf::unpack(
        &compile_for(
            &request(ProfileChoice::Text(text), &[], Identity::Notify),
            Arch::X86_64,
            KERNEL,
        )
        .unwrap(),
    );
    let run = |name| {
        bpf::run(
            &code,
            number(Arch::X86_64, name),
            Arch::X86_64.audit(),
            &[0; 6],
        )
    };
    assert_eq!(run("setuid"), action::errno(libc::EPERM));
    assert_eq!(run("setgid"), action::USER_NOTIF);
}
