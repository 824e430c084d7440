//! `inspect`: every key that programs read, of containers and images, in both personalities.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::events::called;
use crate::harness::{Env, Image};
use crate::ps::{ended, running};

/// The keys of `wanted` that `found` lacks.
fn lacks(found: &Value, wanted: &str) -> Vec<String> {
    let has = |key: &&str| found.get(*key).is_none();
    wanted.split(' ').filter(has).map(str::to_owned).collect()
}

fn one(env: &Env, program: &str, arguments: &[&str]) -> Value {
    let mut all = vec!["inspect"];
    all.extend(arguments);
    called(env, program, &all).json()[0].clone()
}

cases! {
    fn a_container_has_every_key(env) {
        let data = env.folder("work/data");
        ended(env, "web", &[
            "--rm=false", "-v", &format!("{data}:/srv:ro"), "--tmpfs", "/scratch:size=1m", "-l", "a=b", "-m", "64m",
            "--stop-signal", "INT", "-e", "K=V", "-w", "/tmp", "--restart", "on-failure:3", "--log-opt", "max-size=10k",
            "--stop-timeout", "3",
        ]);
        let found = one(env, "docker", &["-s", "web"]);
        for (part, keys) in [
            ("", "Id Created Path Args State Image ImageName ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform \
                MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings ImageDigest EffectiveCaps \
                BoundingCaps ConmonPidFile PidFile OCIRuntime SizeRw SizeRootFs"),
            ("/State", "Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt Health"),
            ("/HostConfig", "Binds NetworkMode PortBindings RestartPolicy AutoRemove CapAdd CapDrop Dns DnsOptions DnsSearch ExtraHosts GroupAdd \
                IpcMode PidMode UTSMode UsernsMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt Tmpfs ShmSize Runtime Memory MemorySwap \
                MemoryReservation NanoCpus CpuShares CpuPeriod CpuQuota CpusetCpus CpusetMems PidsLimit Ulimits Devices LogConfig CgroupParent Init"),
            ("/GraphDriver", "Name Data"),
            ("/Config", "Hostname Domainname User Env Cmd Image Volumes WorkingDir Entrypoint Labels StopSignal StopTimeout Tty OpenStdin \
                ExposedPorts Healthcheck AttachStdin AttachStdout AttachStderr OnBuild"),
            ("/NetworkSettings", "Ports IPAddress Gateway MacAddress Networks Bridge SandboxID"),
            ("/NetworkSettings/Networks/none", "NetworkID IPAddress Gateway Aliases MacAddress EndpointID"),
            ("/Mounts/0", "Type Source Destination Mode RW Propagation"),
        ] {
            let keys: Vec<&str> = keys.split_whitespace().collect();
            assert_eq!(lacks(found.pointer(part).unwrap(), &keys.join(" ")), [""; 0], "{part}");
        }
        assert_eq!(found["Name"], "/web");
        assert_eq!(found["HostConfig"]["RestartPolicy"], json!({"Name": "on-failure", "MaximumRetryCount": 3}));
        assert_eq!(found["HostConfig"]["LogConfig"]["Type"], "json-file");
        assert_eq!(found["HostConfig"]["LogConfig"]["Config"], json!({"max-size": "10240"}));
        assert_eq!(found["HostConfig"]["LogConfig"]["Path"], found["LogPath"]);
        assert!(found["HostConfig"]["Tmpfs"]["/scratch"].as_str().unwrap().contains("size=1048576"), "{found}");
        assert_eq!(found["HostConfig"]["Memory"], 64 << 20);
        assert_eq!((&found["Config"]["StopSignal"], &found["Config"]["StopTimeout"]), (&json!("INT"), &json!(3)));
        assert_eq!((&found["Mounts"][0]["RW"], &found["Mounts"][0]["Source"]), (&json!(false), &json!(data)));
        assert!(found["Mounts"][1].is_null(), "a tmpfs is no mount here: {found}");
        assert!(found["SizeRootFs"].as_u64() > found["SizeRw"].as_u64(), "{found}");
        assert!(found["LogPath"].as_str().unwrap().ends_with("container.log"));
        assert!(found["BoundingCaps"].as_array().unwrap().contains(&json!("CAP_CHOWN")), "{}", found["BoundingCaps"]);
        let podman = one(env, "podman", &["web"]);
        assert_eq!((&podman["Name"], podman["Id"].as_str().map(str::len)), (&json!("web"), Some(64)));
        assert_eq!(format!("sha256:{}", podman["Image"].as_str().unwrap()), found["Image"].as_str().unwrap());
        assert!(podman.get("SizeRw").is_none());
    }

    fn templates_and_several_objects(env) {
        let image = env.base();
        ended(env, "web", &[]);
        for (template, want) in [
            ("{{.State.Status}} {{.State.ExitCode}}", "exited 0"),
            ("{{if .State.Health}}{{.State.Health.Status}}{{end}}", ""),
            ("{{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}", ""),
            ("{{range $p, $conf := .NetworkSettings.Ports}}{{$p}}{{end}}", ""),
            ("{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.LogConfig.Type}}", "no json-file"),
            ("{{json .Config.Cmd}} {{.Config.StopSignal}}", "[\"payload\",\"true\"] SIGTERM"),
            ("{{index .Config.Labels \"from\"}}", "image"),
            (".", "."),
        ] {
            assert_eq!(env.ketch(&["inspect", "-f", template, "web"]).ok(), want, "{template}");
        }
        // One that is missing spoils nothing else.
        let output = env.ketch(&["inspect", "web", "nobody", &image]);
        output.fails(1, &["nobody"]);
        let rows: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 2);
        assert_eq!((&rows[0]["Name"], &rows[1]["Os"]), (&json!("/web"), &json!("linux")));
        for (arguments, what) in [
            (&["--type", "volume", "x"][..], "no such volume"),
            (&["--type", "network", "x"], "network x not found"),
            (&["--type", "image", "web"], "web"),
            (&["--type", "container", &image], "base"),
        ] {
            let mut all = vec!["inspect"];
            all.extend(arguments);
            let output = env.ketch(&all);
            assert_eq!(output.fails(1, &[what]).stdout, "[]\n", "{output}");
        }
        env.ketch(&["inspect", "--type", "nope", "x"]).fails(1, &["--type"]);
        env.ketch(&["inspect"]).refused(&["--latest"]);
        assert_eq!(env.ketch(&["inspect", "-l"]).json()[0]["Name"], "/web");
        assert_eq!(env.ketch(&["container", "inspect", "-l", "-s"]).json()[0]["Name"], "/web");
    }

    fn a_running_container_and_an_image(env) {
        let image = env.image(Image::base().set("ExposedPorts", json!({"80/tcp": {}})).set("StopSignal", "SIGQUIT")
            .set("Healthcheck", json!({"Test": ["CMD", "true"], "Retries": 2})));
        env.ketch(&["pull", "-q", &image]).ok();
        let busy = running(env, "busy", &[]);
        let state = one(env, "docker", &["busy"])["State"].clone();
        assert_eq!((&state["Running"], &state["Status"]), (&json!(true), &json!("running")));
        assert!(state["Pid"].as_i64().unwrap() > 0);
        busy.signal(Signal::SIGKILL);
        busy.finish();
        env.ketch(&["run", "--name", "from", "--network", "none", "--entrypoint", "payload", &image, "true"]).ok();
        let config = one(env, "docker", &["from"])["Config"].clone();
        assert_eq!((&config["StopSignal"], &config["ExposedPorts"]), (&json!("SIGQUIT"), &json!({"80/tcp": {}})));
        assert_eq!((&config["Healthcheck"]["Retries"], &config["Entrypoint"]), (&json!(2), &json!(["payload"])));
        let docker = one(env, "docker", &[&image]);
        let keys = "Id RepoTags RepoDigests Parent Comment Created Config Author Architecture Variant Os Size VirtualSize GraphDriver RootFS \
            Metadata Labels Annotations ManifestType User History Digest";
        let keys: Vec<&str> = keys.split_whitespace().collect();
        assert_eq!(lacks(&docker, &keys.join(" ")), [""; 0]);
        let podman = one(env, "podman", &[&image]);
        assert_eq!(format!("sha256:{}", podman["Id"].as_str().unwrap()), docker["Id"].as_str().unwrap());
        assert_eq!(env.ketch(&["image", "inspect", "-f", "{{ .Id }}", &image]).ok(), docker["Id"].as_str().unwrap());
    }
}
