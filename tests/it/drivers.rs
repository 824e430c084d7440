//! The command lines of programs that drive docker's and podman's command line, replayed under
//! those names, their output read as the programs read it.

use serde_json::Value;

use crate::events::{called, spawned};
use crate::harness::Env;
use crate::ps::ended;

fn docker(env: &Env, arguments: &[&str]) -> String {
    called(env, "docker", arguments).ok().to_owned()
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `^\D+\d+\.\d+\.\d+`, as the Jenkins plugin reads `docker -v`.
fn version_of(text: &str) -> Vec<u64> {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
    assert!(start > 0, "{text}");
    let number = |part: &str| {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..end].parse().unwrap()
    };
    text[start..].split('.').take(3).map(number).collect()
}

cases! {
    fn github_actions_runner(env) {
        let image = env.base();
        let folder = env.folder("work/a");
        for half in ["Server", "Client"] {
            let version = docker(env, &["version", "--format", &format!("{{{{.{half}.APIVersion}}}}")]);
            let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
            assert!(parts >= vec![1, 35], "{version}");
        }
        docker(env, &["--config", &folder, "pull", &image]);
        assert_eq!(docker(env, &["ps", "--all", "--quiet", "--no-trunc", "--filter", "label=0a1b2c"]), "");
        let volume = format!("{folder}:/b:ro");
        let made = docker(env, &[
            "create", "--name", "job_1", "--label", "0a1b2c", "--workdir", "/b", "--network", "none", "-e", "HOME", "-e", "GITHUB_ACTIONS=true",
            "-v", &volume, "--entrypoint", "payload", &image, "ready-then-wait",
        ]);
        assert!(is_id(&made), "{made}");
        assert_eq!(docker(env, &["start", &made]), made);
        let running = docker(env, &[
            "ps", "--all", "--filter", &format!("id={made}"), "--filter", "status=running", "--no-trunc", "--format", "{{.ID}} {{.Status}}",
        ]);
        assert!(running.starts_with(&format!("{made} Up")), "{running}");
        assert_eq!(docker(env, &["port", &made]), "");
        let variables = docker(env, &["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", &made]);
        assert!(variables.lines().any(|line| line == "GITHUB_ACTIONS=true"), "{variables}");
        assert!(variables.lines().any(|line| line.starts_with("HOME=")), "{variables}");
        let health = "{{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}";
        assert_eq!(docker(env, &["inspect", &format!("--format={health}"), &made]), "");
        crate::harness::eventually("the payload has written", || {
            docker(env, &["logs", "--details", &made]).contains("ready")
        });
        assert_eq!(docker(env, &["ps", "--all", "--quiet", "--no-trunc", "--filter", "label=0a1b2c"]), made);
        assert_eq!(docker(env, &["rm", "--force", &made]), made);
        env.assert_clean();
    }

    fn devcontainers(env) {
        let image = env.base();
        assert!(!docker(env, &["-v"]).to_lowercase().contains("podman"));
        called(env, "podman", &["-v"]).says("podman");
        let label = "devcontainer.local_folder=/home/me/project";
        assert_eq!(docker(env, &["ps", "-q", "-a", "--filter", &format!("label={label}")]), "");
        let events = spawned(env, "docker", &["events", "--format", "{{json .}}", "--filter", "event=start"]);
        let folder = env.folder("work/project");
        let mount = format!("type=bind,source={folder},target=/project,consistency=cached");
        let container = spawned(env, "docker", &[
            "run", "--sig-proxy=false", "-a", "STDOUT", "-a", "STDERR", "--network", "none", "--mount", &mount, "-l", label,
            "--entrypoint", "payload", &image, "ready-then-wait",
        ]);
        container.stdout.wait_for("ready");
        let id = docker(env, &["ps", "-q", "-a", "--filter", &format!("label={label}")]);
        // The watcher may have looked too late for the first start; the next one it sees.
        crate::harness::eventually("an event is seen", || {
            ended(env, "other", &[]);
            docker(env, &["rm", "other"]);
            events.stdout.text().contains('\n')
        });
        let text = events.stdout.text();
        let event: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&event["status"], &event["Action"]), (&"start".into(), &"start".into()));
        assert!(is_id(event["id"].as_str().unwrap()), "{event}");
        let found: Value = serde_json::from_str(&docker(env, &["inspect", "--type", "container", &id])).unwrap();
        let found = &found[0];
        for pointer in ["/Id", "/Created", "/Name", "/State/Status", "/State/StartedAt", "/State/FinishedAt", "/Config/Image"] {
            assert!(found.pointer(pointer).is_some_and(Value::is_string), "{pointer}");
        }
        assert!(found["Config"]["User"].is_string() && found["Config"]["Env"].is_array() && found["NetworkSettings"]["Ports"].is_object());
        assert_eq!(found["Config"]["Labels"]["devcontainer.local_folder"], "/home/me/project");
        let mounted = &found["Mounts"][0];
        assert_eq!((&mounted["Type"], &mounted["Source"], &mounted["Destination"]), (&"bind".into(), &folder.as_str().into(), &"/project".into()));
        let shown: Value = serde_json::from_str(&docker(env, &["inspect", "--type", "image", &image])).unwrap();
        assert!(shown[0]["Id"].as_str().unwrap().starts_with("sha256:"));
        let volume = called(env, "docker", &["inspect", "--type", "volume", "none"]);
        assert_eq!(volume.fails(1, &["none"]).stdout, "[]\n");
        docker(env, &["rm", "-f", &id]);
        container.finish();
    }

    fn kind(env) {
        let key = "io.x-k8s.kind.cluster";
        ended(env, "kind-control-plane", &["-l", &format!("{key}=kind")]);
        let label = format!("label={key}");
        assert_eq!(docker(env, &["ps", "-a", "--filter", &label, "--format", &format!("{{{{.Label \"{key}\"}}}}")]), "kind");
        let one = format!("label={key}=kind");
        assert_eq!(docker(env, &["ps", "-a", "--filter", &one, "--format", "{{.Names}}"]), "kind-control-plane");
        let label = docker(env, &["inspect", "--format", &format!("{{{{ index .Config.Labels \"{key}\" }}}}"), "kind-control-plane"]);
        assert_eq!(label, "kind");
        for program in ["docker", "podman"] {
            let info = called(env, program, &["info", "--format", "{{json .}}"]);
            let info: Value = serde_json::from_str(info.ok()).unwrap();
            assert!(info["CgroupDriver"].is_string() && info["CgroupVersion"].is_string());
            assert!(info["MemoryLimit"].is_boolean() && info["PidsLimit"].is_boolean() && info["CPUShares"].is_boolean());
            let options = info["SecurityOptions"].as_array().unwrap();
            let rootless = options.contains(&"name=rootless".into());
            assert_eq!(rootless, env.uid != 0, "{options:?}");
            for (key, kind) in [("host", "object"), ("store", "object"), ("registries", "object"), ("plugins", "object"), ("version", "object")] {
                assert!(info[key].is_object(), "{key} is no {kind}");
            }
        }
        let id = docker(env, &["image", "inspect", "-f", "{{ .Id }}", &env.base()]);
        assert!(id.starts_with("sha256:") && is_id(&id["sha256:".len()..]), "{id}");
        // kind reads its log until a line says that the node is up.
        called(env, "docker", &["logs", "-f", "kind-control-plane"]).ok();
        assert_eq!(docker(env, &["rm", "-f", "-v", "kind-control-plane"]), "kind-control-plane");
        env.assert_clean();
    }

    fn jenkins(env) {
        let image = env.base();
        for program in ["docker", "podman"] {
            assert_eq!(version_of(called(env, program, &["-v"]).ok()).len(), 3);
        }
        assert_eq!(docker(env, &["pull", "-q", &image]), image);
        assert_eq!(docker(env, &["inspect", "-f", ".", &image]), ".");
        called(env, "docker", &["inspect", "-f", ".", "no-such-image"]).exits(1);
        let folder = env.folder("work/jenkins");
        let volume = format!("{folder}:{folder}:rw,z");
        let id = docker(env, &[
            "run", "-t", "-d", "-u", "0:0", "-w", &folder, "-v", &volume, "--network", "none", "-e", "BUILD_ID=7", &image, "payload", "sleep-forever",
        ]);
        assert!(is_id(&id), "{id}");
        let created = docker(env, &["inspect", "-f", "{{json .Created}}", &id]);
        assert!(created.starts_with("\"20") && created.ends_with("Z\""), "{created}");
        let own = docker(env, &["inspect", "-f", "{{.HostnamePath}}", &id]);
        assert!(own.contains(&format!("/containers/{id}/")) && own.ends_with("/hostname"), "{own}");
        assert_eq!(docker(env, &["stop", "--time=1", &id]), id);
        docker(env, &["rm", "-f", "--volumes", &id]);
        env.assert_clean();
    }

    fn nextflow_cwltool_and_precommit(env) {
        let image = env.base();
        let folder = env.folder("work/task");
        let volume = format!("{folder}:{folder}");
        let nextflow = called(env, "docker", &[
            "run", "-i", "--cpus", "1.0", "--memory", "64m", "-e", "NXF_TASK=1", "-v", &volume, "-w", &folder, "-u", "0", "--network", "none",
            "--entrypoint", "payload", "--name", "nxf-x1", &image, "pwd",
        ]);
        assert_eq!(nextflow.ok(), folder);
        assert_eq!(docker(env, &["rm", "nxf-x1"]), "nxf-x1");
        // A task that is cancelled.
        let task = spawned(env, "docker", &[
            "run", "-i", "-v", &volume, "-w", &folder, "--network", "none", "--entrypoint", "payload", "--name", "nxf-x2", &image, "ready-then-wait",
        ]);
        task.stdout.wait_for("ready");
        assert_eq!(docker(env, &["kill", "-s", "KILL", "nxf-x2"]), "nxf-x2");
        task.finish().exits(137);
        assert_eq!(docker(env, &["rm", "nxf-x2"]), "nxf-x2");
        // cwltool: three columns of the plain list.
        let list = docker(env, &["images", "--no-trunc", "--all"]);
        let row: Vec<&str> = list.lines().nth(1).unwrap().split_whitespace().take(3).collect();
        assert_eq!(format!("{}:{}", row[0], row[1]), image);
        assert!(is_id(row[2].trim_start_matches("sha256:")), "{list}");
        let cid = env.text("work/cid");
        let mount = format!("--volume={folder}:/out:rw");
        let cwl = called(env, "docker", &[
            "run", "-i", &mount, "--workdir=/out", "--read-only=true", "--net=none", "--log-driver=none", "--user=0:0", "--rm", "--env=K=V",
            &format!("--cidfile={cid}"), &image, "payload", "write", "/out/result", "done",
        ]);
        cwl.ok();
        assert_eq!(std::fs::read_to_string(env.path("work/task/result")).unwrap().trim(), "done");
        assert!(is_id(&std::fs::read_to_string(&cid).unwrap()));
        let source = format!("{folder}:/src:rw,Z");
        let hook = called(env, "docker", &[
            "run", "--rm", "-u", "0:0", "-v", &source, "--workdir", "/src", "--network", "none", "--entrypoint", "payload", &image, "exit", "1",
        ]);
        hook.exits(1);
        env.assert_clean();
    }
}
