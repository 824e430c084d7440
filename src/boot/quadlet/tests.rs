//! Whole files to whole units.

use super::*;

fn caller() -> Caller {
    Caller {
        words: vec!["/usr/bin/ketch".to_owned()],
        variables: Vec::new(),
    }
}

fn made(name: &str, text: &str, user: bool) -> std::result::Result<Generated, Vec<Error>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let found = Found {
        path,
        drop_ins: Vec::new(),
    };
    let place = format!("{}/", folder.path().display());
    make(&found, &caller(), "/var/lib/ketch", user).map(|mut unit| {
        unit.text = unit.text.replace(&place, "/u/");
        unit
    })
}

#[track_caller]
fn command(text: &str) -> String {
    let unit = made("web.container", text, true).unwrap();
    let line = unit
        .text
        .lines()
        .find(|line| line.starts_with("ExecStart="));
    let line = line.unwrap();
    let (_, flags) = line.split_once("PODMAN_SYSTEMD_UNIT=%n ").unwrap();
    flags.to_owned()
}

#[test]
fn a_whole_unit() {
    let unit = made(
        "web.container",
        "[Unit]\nDescription=The web\nAfter=db.container \"local fs.target\"\n\n\
         [Container]\nImage=docker.io/library/nginx:1\nExec=nginx -g 'daemon off;'\n\
         Volume=/srv/www:/www:ro\nStopTimeout=5\n\n\
         [Service]\nRestart=always\n\n[Install]\nWantedBy=multi-user.target other.target\nAlias=www.service\n",
        false,
    )
    .unwrap();
    assert_eq!(unit.name, "web.service");
    assert_eq!(
        unit.text,
        "[Unit]\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         SourcePath=/u/web.container\n\
         RequiresMountsFor=/srv/www\n\
         Description=The web\n\
         After=db.service \"local fs.target\"\n\
         RequiresMountsFor=/var/lib/ketch\n\
         \n\
         [X-Container]\n\
         Image=docker.io/library/nginx:1\n\
         Exec=nginx -g 'daemon off;'\n\
         Volume=/srv/www:/www:ro\n\
         StopTimeout=5\n\
         \n\
         [Service]\n\
         Restart=always\n\
         Type=exec\n\
         Delegate=yes\n\
         KillMode=mixed\n\
         TimeoutStopSec=65\n\
         SuccessExitStatus=143\n\
         ExecStartPre=/bin/rm -f %t/%n.ctr-id\n\
         ExecStart=/usr/bin/ketch run --cidfile=%t/%n.ctr-id --replace --rm --name=systemd-%N \
         --label=PODMAN_SYSTEMD_UNIT=%n --log-driver=passthrough --stop-timeout=5 \
         --volume=/srv/www:/www:ro docker.io/library/nginx:1 nginx -g \"daemon off;\"\n\
         ExecStop=/usr/bin/ketch stop --timeout=5 --ignore --cidfile=%t/%n.ctr-id\n\
         ExecStopPost=/usr/bin/ketch rm --force --ignore --cidfile=%t/%n.ctr-id\n\
         SyslogIdentifier=%N\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target other.target\n\
         Alias=www.service\n"
    );
    let links: Vec<(&str, &str)> = unit
        .links
        .iter()
        .map(|(link, target)| (link.to_str().unwrap(), target.to_str().unwrap()))
        .collect();
    assert_eq!(
        links,
        [
            ("www.service", "web.service"),
            ("multi-user.target.wants/web.service", "../web.service"),
            ("other.target.wants/web.service", "../web.service"),
        ]
    );
}

#[test]
fn keys_become_flags() {
    for (lines, flags) in [
        (
            "Environment=A=1 \"B=x y\"\nEnvironment=C=3",
            "--env=A=1 \"--env=B=x y\" --env=C=3",
        ),
        (
            "Environment=A=1\nEnvironment=\nEnvironment=B=2",
            "--env=B=2",
        ),
        ("EnvironmentFile=./e.env", "--env-file=/u/e.env"),
        ("EnvironmentFile=%h/e.env", "--env-file=%h/e.env"),
        ("EnvironmentHost=yes", "--env-host=true"),
        ("Volume=./data/../d:/d", "--volume=/u/d:/d"),
        ("Volume=/anonymous", "--volume=/anonymous"),
        (
            "AddCapability=NET_RAW SYS_PTRACE",
            "--cap-add=NET_RAW --cap-add=SYS_PTRACE",
        ),
        ("DropCapability=all", "--cap-drop=all"),
        (
            "AddDevice=-/no/such/device\nAddDevice=/dev/null:/dev/x:r",
            "--device=/dev/null:/dev/x:r",
        ),
        ("User=7\nGroup=8", "--user=7:8"),
        ("User=ann", "--user=ann"),
        (
            "NoNewPrivileges=true\nSeccompProfile=unconfined",
            "--security-opt=no-new-privileges --security-opt=seccomp=unconfined",
        ),
        ("NoNewPrivileges=false\nNotify=no\nAutoUpdate=registry", ""),
        ("ReadOnly=on\nRunInit=0", "--read-only=true --init=false"),
        ("Label=a=b \"c=d e\"", "--label=a=b \"--label=c=d e\""),
        ("Network=none\nHostName=h", "--hostname=h --network=none"),
        (
            "Network=a:ip=10.9.0.2\nNetwork=b\nPublishPort=8080:80\nNetworkAlias=web",
            "--network=a:ip=10.9.0.2 --network=b --network-alias=web --publish=8080:80",
        ),
        (
            "Tmpfs=/run:size=1m\nShmSize=64m\nUlimit=nofile=10:20",
            "--shm-size=64m --tmpfs=/run:size=1m --ulimit=nofile=10:20",
        ),
        ("PodmanArgs=--cpus 2 --strict", "--cpus 2 --strict"),
        (
            "Entrypoint=/bin/sh -c\nWorkingDir=/w",
            "\"--entrypoint=/bin/sh -c\" --workdir=/w",
        ),
        (
            "Sysctl=a.b=1 c.d=2\nMask=/a:/b\nUnmask=ALL",
            "--security-opt=mask=/a:/b --sysctl=a.b=1 --sysctl=c.d=2 --security-opt=unmask=ALL",
        ),
    ] {
        let found = command(&format!("[Container]\nImage=i\n{lines}\n"));
        let want = format!("--log-driver=passthrough {flags} i");
        assert_eq!(found, want.replace("  ", " "), "{lines}");
    }
    assert_eq!(
        command("[Container]\nImage=i\nHealthCmd=curl -f x\nLogOpt=tag=t\n"),
        "--log-opt=max-size=10m \"--health-cmd=curl -f x\" --log-opt=tag=t i"
    );
    assert_eq!(
        command("[Container]\nRootfs=./r\nLogDriver=none\nExec=a \\\n  ;x\n \";\" b\n"),
        "--log-driver=none --rootfs /u/r a \";\" b"
    );
}

#[test]
fn what_cannot_be_made_is_said_with_its_line() {
    for (lines, why) in [
        ("Image=i\nColour=red", "web.container:3"),
        ("Image=i\nSecret=s", "secrets"),
        ("Image=x.image", ".image units"),
        ("Image=i\nVolume=d.volume:/d", ".volume units"),
        ("Image=i\nNetwork=n.network", ".network units"),
        ("Image=i\nNetwork=n.network:ip=10.9.0.2", ".network units"),
        ("Image=i\nNotify=healthy", "readiness"),
        ("Image=i\nRootfs=/r", "Rootfs="),
        ("", "neither"),
        ("Image=i\nEnvironment='x", "not closed"),
        ("Image=i\nRunInit=perhaps", "yes or no"),
        ("Image=i\nGroup=g", "User="),
        ("Image=i\nStopTimeout=soon", "seconds"),
        ("Image=i\nServiceName=../x", "name of a unit"),
        ("Image=i\n[Service]\nType=forking", "oneshot"),
        ("Image=i\n[Service]\nKillMode=none", "mixed"),
        ("Image=i\n[Service]\nExecStart=/bin/true", "ketch makes"),
        ("Image=i\n[Install]\nWantedBy=../../x", "no paths"),
        ("Image=i\n[Install]\nAlias=a/b", "no paths"),
        ("Image=i\n[Quadlet]\nX=1", "[Quadlet]"),
    ] {
        let text = format!("[Container]\n{lines}\n");
        let errors = made("web.container", &text, true).unwrap_err();
        let error = errors[0].to_string();
        assert!(error.contains(why), "{lines}: {error}");
        assert!(
            error.contains("web.container") || why == "name of a unit",
            "{error}"
        );
    }
    for kind in ["volume", "network", "build", "kube", "pod", "image"] {
        let errors = made(&format!("x.{kind}"), "", true).unwrap_err();
        assert!(
            errors[0]
                .to_string()
                .contains(&format!("no .{kind} units yet"))
        );
    }
}

#[test]
fn a_template_is_wanted_by_its_default_instance() {
    let text = "[Container]\nImage=i\n[Install]\nWantedBy=default.target\n";
    let unit = made("job@.container", text, true).unwrap();
    assert_eq!(unit.name, "job@.service");
    assert!(unit.text.contains("--name=systemd-%p_%i "), "{}", unit.text);
    assert!(unit.links.is_empty());
    let unit = made(
        "job@.container",
        &format!("{text}DefaultInstance=one\n"),
        true,
    )
    .unwrap();
    let (link, target) = &unit.links[0];
    assert_eq!(link, Path::new("default.target.wants/job@one.service"));
    assert_eq!(target, Path::new("../job@.service"));
}
