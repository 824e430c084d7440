//! Devices by the names of the Container Device Interface.

use crate::events::called;
use crate::harness::process::Output;
use crate::harness::{Env, Image, Layer};

/// Writes a file for `vendor.com/card` whose devices have a node, a mount, variables and a group.
fn describe(env: &Env) -> String {
    let dir = env.folder("cdi");
    let firmware = env.file("firmware", "of the card\n");
    env.file(
        "cdi/card.yaml",
        &format!(
            r#"
cdiVersion: "0.6.0"
kind: vendor.com/card
containerEdits:
  env: ["DRIVER=on"]
devices:
  - name: "0"
    containerEdits:
      env: ["CARD=0"]
      deviceNodes:
        - path: /dev/card0
          hostPath: /dev/zero
          permissions: rw
      additionalGids: [0, 1]
      mounts:
        - hostPath: {firmware}
          containerPath: /usr/lib/firmware
          options: [ro, nosuid, nodev, rbind, rprivate]
        - hostPath: tmpfs
          containerPath: /scratch
          type: tmpfs
  - name: hooked
    containerEdits:
      hooks:
        - hookName: createContainer
          path: /usr/bin/vendor-hook
          args: [vendor-hook, update-cache]
      netDevices: [{{hostInterfaceName: eth7, name: eth0}}]
  - name: gone
    containerEdits:
      deviceNodes: [{{path: /dev/not-there}}]
  - name: all
"#
        ),
    );
    env.file("cdi/gpu.json", r#"{"cdiVersion":"1.0.0","kind":"amd.com/gpu","devices":[{"name":"all","containerEdits":{"env":["GPU=all"]}},{"name":"1","containerEdits":{"env":["GPU=1"]}}]}"#);
    dir
}

fn run(env: &Env, dir: &str, flags: &[&str], words: &[&str]) -> Output {
    let image = env.base();
    let mut arguments = vec!["--cdi-spec-dir", dir, "run", "--rm", "--network", "none"];
    arguments.extend(flags);
    arguments.extend([image.as_str(), "payload"]);
    arguments.extend(words);
    env.ketch(&arguments)
}

cases! {
    fn a_named_device_brings_what_its_file_says(env) {
        let dir = describe(env);
        let card = ["--device", "vendor.com/card=0"];
        let seen = run(env, &dir, &card, &["stat", "/dev/card0"]);
        assert!(seen.ok().contains("char"), "{seen}");
        run(env, &dir, &card, &["read-some", "/dev/card0"]).ok();
        assert_eq!(run(env, &dir, &card, &["cat", "/usr/lib/firmware"]).ok(), "of the card");
        run(env, &dir, &card, &["write", "/usr/lib/firmware", "x"]).exits(1);
        run(env, &dir, &card, &["write", "/scratch/x", "x"]).ok();
        let variables = run(env, &dir, &["--device", "vendor.com/card=0", "--device", "vendor.com/card=all"], &["env"]);
        assert!(variables.ok().contains("DRIVER=on") && variables.stdout.contains("CARD=0"), "{variables}");
        assert!(!run(env, &dir, &[], &["env"]).stdout.contains("DRIVER"));
        env.assert_clean();
    }

    fn processors_of_any_vendor_are_found(env) {
        let dir = describe(env);
        for (asked, got) in [("all", "GPU=all"), ("device=1", "GPU=1")] {
            let variables = run(env, &dir, &["--gpus", asked], &["env"]);
            assert!(variables.ok().contains(got), "{variables}");
        }
        run(env, &dir, &["--gpus", "1"], &["true"]).fails(125, &["gpu=0", &dir]);
        run(env, &dir, &["--gpus", "some"], &["true"]).fails(125, &["--gpus"]);
        env.assert_clean();
    }

    fn what_is_not_there_or_not_done_is_said(env) {
        let dir = describe(env);
        run(env, &dir, &["--device", "vendor.com/card=9"], &["true"]).fails(125, &["vendor.com/card=9", &dir]);
        run(env, &dir, &["--device", "other.com/card=0"], &["true"]).fails(125, &["other.com/card=0"]);
        run(env, &dir, &["--device", "vendor.com/card=gone"], &["true"]).fails(125, &["/dev/not-there"]);
        let hooked = ["--device", "vendor.com/card=hooked"];
        run(env, &dir, &hooked, &["true"]).exits(0).warns("vendor-hook update-cache").warns("network interfaces");
        run(env, &dir, &["--strict", "--device", "vendor.com/card=hooked"], &["true"]).fails(125, &["hook"]);
        env.file("cdi/broken.yaml", "kind: [");
        run(env, &dir, &["--device", "vendor.com/card=9"], &["true"]).fails(125, &["broken.yaml"]);
        run(env, &dir, &["--device", "vendor.com/card=0"], &["true"]).ok();
        env.assert_clean();
    }

    fn a_container_keeps_where_its_devices_are_described(env) {
        let dir = describe(env);
        let image = env.base();
        let created = called(env, "podman", &["--cdi-spec-dir", &dir, "create", "--name", "kept", "--network", "none", "--device", "vendor.com/card=0", &image, "payload", "env"]);
        created.exits(0);
        assert!(env.ketch(&["start", "-a", "kept"]).ok().contains("CARD=0"));
        let shown = env.ketch(&["inspect", "kept", "--format", "{{json .HostConfig.DeviceRequests}}"]);
        assert!(shown.ok().contains(r#""DeviceIDs":["vendor.com/card=0"]"#), "{shown}");
        env.ketch(&["rm", "kept"]).ok();
        env.assert_clean();
    }

    fn commands_of_a_build_have_named_devices(env) {
        let dir = describe(env);
        let base = env.image(Image::base().layer(Layer::new()));
        env.folder("work/context");
        env.file("work/context/Dockerfile", &format!("FROM {base}\nRUN --device=vendor.com/card=0 [\"payload\", \"cat\", \"/usr/lib/firmware\"]\nRUN --device=vendor.com/card=9 [\"payload\", \"true\"]\n"));
        let build = |flags: &[&str]| {
            let mut arguments = vec!["--cdi-spec-dir", &dir, "build", "--progress", "plain", "--no-cache"];
            arguments.extend(flags);
            arguments.push("context");
            env.ketch(&arguments)
        };
        build(&[]).fails(1, &["device"]);
        build(&["--allow", "device"]).exits(0).warns("of the card").warns("vendor.com/card=9 is not here");
        build(&["--allow", "device", "--device", "vendor.com/card=0"]).exits(0);
    }
}
