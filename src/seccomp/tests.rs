//! Compiled filters against a naive reading of their profiles.

use serde_json::Value;

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

/// What a profile says of one call, straight from its JSON and with nothing shared with the
/// compiler but the table of numbers.
struct Naive {
    rules: Vec<Value>,
    default: u32,
    native: Arch,
    last: [u32; 4],
}

impl Naive {
    fn new(text: &str, caps: &[&str], native: Arch) -> Naive {
        let profile: Value = serde_json::from_str(text).unwrap();
        let list = |v: &Value| -> Vec<String> {
            v.as_array()
                .map(|a| a.iter().map(|s| s.as_str().unwrap().to_owned()).collect())
                .unwrap_or_default()
        };
        let rules: Vec<Value> = profile["syscalls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|rule| {
                let has = |c: &String| caps.contains(&c.as_str());
                let arches = list(&rule["includes"]["arches"]);
                list(&rule["includes"]["caps"]).iter().all(has)
                    && !list(&rule["excludes"]["caps"]).iter().any(has)
                    && (arches.is_empty() || arches.iter().any(|a| a == native.go_name()))
            })
            .cloned()
            .collect();
        let last = Arch::ALL.map(|arch| {
            rules
                .iter()
                .flat_map(|r| list(&r["names"]))
                .filter_map(|name| arch.syscalls().find(|(n, _)| *n == name).map(|(_, v)| v))
                .filter(|v| *v < 0xf0000)
                .max()
                .unwrap_or(0)
        });
        Naive {
            rules,
            default: Self::action(&profile["defaultAction"], &profile["defaultErrnoRet"]),
            native,
            last,
        }
    }

    fn action(word: &Value, errno: &Value) -> u32 {
        match word.as_str().unwrap() {
            "SCMP_ACT_ALLOW" => 0x7fff_0000,
            "SCMP_ACT_ERRNO" => 0x0005_0000 + errno.as_u64().unwrap_or(1) as u32,
            other => panic!("{other}"),
        }
    }

    fn verdict(&self, arch: Arch, number: u32, name: Option<&str>, args: &[u64; 6]) -> u32 {
        if arch == Arch::X86_64 && number >= 0x4000_0000 {
            return 0x0005_0001;
        }
        let rules: Vec<&Value> = self
            .rules
            .iter()
            .filter(|rule| {
                name.is_some_and(|name| rule["names"].as_array().unwrap().iter().any(|n| n == name))
            })
            .filter(|rule| Self::action(&rule["action"], &rule["errnoRet"]) != self.default)
            .collect();
        if let Some(rule) = rules
            .iter()
            .find(|rule| rule["args"].as_array().is_none_or(Vec::is_empty))
        {
            return Self::action(&rule["action"], &rule["errnoRet"]);
        }
        for rule in &rules {
            let holds = |arg: &Value| {
                let (have, want) = (
                    args[arg["index"].as_u64().unwrap() as usize],
                    arg["value"].as_u64().unwrap(),
                );
                match arg["op"].as_str().unwrap() {
                    "SCMP_CMP_EQ" => have == want,
                    "SCMP_CMP_NE" => have != want,
                    "SCMP_CMP_LT" => have < want,
                    "SCMP_CMP_LE" => have <= want,
                    "SCMP_CMP_GT" => have > want,
                    "SCMP_CMP_GE" => have >= want,
                    _ => have & want == arg["valueTwo"].as_u64().unwrap_or(0),
                }
            };
            if rule["args"].as_array().unwrap().iter().all(holds) {
                return Self::action(&rule["action"], &rule["errnoRet"]);
            }
        }
        let column = Arch::ALL.iter().position(|a| *a == arch).unwrap();
        if rules.is_empty() && number > self.last[column] && self.default != 0x7fff_0000 {
            return 0x0005_0026;
        }
        self.default
    }
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
    assert_eq!(naive.native, native);
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

/// The holes that peers had, each by name.
#[test]
fn known_escapes_are_closed() {
    let program = compile_for(
        &request(ProfileChoice::Default, DOCKER_CAPS, Identity::Real),
        Arch::X86_64,
        KERNEL,
    )
    .unwrap();
    let code = bpf::unpack(&program);
    let call = |arch: Arch, name: &str, args: [u64; 6]| {
        bpf::run(&code, number(arch, name), arch.audit(), &args)
    };
    let eperm = action::errno(libc::EPERM);
    for family in [38, 40, (1 << 32) + 38, (1 << 40) + 40] {
        assert_eq!(
            call(Arch::X86_64, "socket", [family, 0, 0, 0, 0, 0]),
            eperm,
            "{family:#x}"
        );
    }
    for family in [1, 2, 10, 16, 17, 39, 44] {
        assert_eq!(
            call(Arch::X86_64, "socket", [family, 0, 0, 0, 0, 0]),
            action::ALLOW,
            "{family}"
        );
    }
    assert_eq!(call(Arch::I386, "socket", [38, 0, 0, 0, 0, 0]), eperm);
    assert_eq!(
        call(Arch::I386, "socketcall", [1, 0, 0, 0, 0, 0]),
        action::errno(libc::ENOSYS)
    );
    assert_eq!(
        call(Arch::I386, "socketcall", [3, 0, 0, 0, 0, 0]),
        action::ALLOW
    );
    assert_eq!(
        bpf::run(
            &code,
            0x4000_0000 + 41,
            Arch::X86_64.audit(),
            &[38, 0, 0, 0, 0, 0]
        ),
        eperm
    );
    for arch in [Arch::X86_64, Arch::I386] {
        assert_eq!(
            call(arch, "clone", [CLONE_NEWUSER | 17, 0, 0, 0, 0, 0]),
            eperm
        );
        assert_eq!(call(arch, "clone", [17, 0, 0, 0, 0, 0]), action::ALLOW);
        assert_eq!(call(arch, "clone3", [0; 6]), action::errno(libc::ENOSYS));
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
        ] {
            assert_eq!(call(arch, name, [0; 6]), eperm, "{name}");
        }
        assert_eq!(
            bpf::run(&code, 900, arch.audit(), &[0; 6]),
            action::errno(libc::ENOSYS)
        );
    }
    // Neither Arm nor MIPS has business here: the thread dies.
    assert_eq!(
        bpf::run(&code, 0, Arch::Arm.audit(), &[0; 6]),
        action::KILL_THREAD
    );
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
