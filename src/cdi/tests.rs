//! Finding devices in files, and files that cannot be used.

use std::fs;

use super::*;

const CARD: &str = r#"
cdiVersion: "0.6.0"
kind: vendor.com/card
containerEdits:
  env: ["DRIVER=on"]
devices:
  - name: "0"
    containerEdits:
      deviceNodes:
        - {path: /dev/card0, hostPath: /dev/null}
      additionalGids: [0, 44]
  - name: all
    containerEdits:
      env: ["ALL=yes"]
"#;

fn directories() -> (tempfile::TempDir, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let both: Vec<PathBuf> = ["etc", "run"].map(|name| dir.path().join(name)).to_vec();
    both.iter().for_each(|path| fs::create_dir(path).unwrap());
    (dir, both)
}

fn ask(names: &[&str], directories: &[PathBuf]) -> Result<Edits> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    resolve(&names, directories)
}

#[test]
fn names_have_a_vendor_a_class_and_a_device() {
    for name in ["vendor.com/gpu=0", "a.b.c/x-y_z.w=GPU-1:2", "v/c=all"] {
        assert!(is_name(name), "{name}");
    }
    for name in [
        "",
        "/dev/fuse",
        "vendor.com/gpu",
        "gpu=0",
        "v/c=",
        "v/c=-a",
        "v/c/d=1",
        "-v/c=1",
        "v/=1",
    ] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn what_a_file_gives_every_device_comes_once() {
    let (_dir, places) = directories();
    fs::write(places[0].join("card.yaml"), CARD).unwrap();
    let edits = ask(&["vendor.com/card=0", "vendor.com/card=all"], &places).unwrap();
    assert_eq!(edits.env, ["DRIVER=on", "ALL=yes"]);
    assert_eq!(edits.additional_gids, [44]);
    assert_eq!(
        edits.device_nodes[0].host_path.as_deref(),
        Some("/dev/null")
    );
}

#[test]
fn a_later_directory_wins_and_two_files_of_one_do_not_agree() {
    let (_dir, places) = directories();
    fs::write(places[0].join("card.yaml"), CARD).unwrap();
    fs::write(places[1].join("card.json"), r#"{"cdiVersion":"1.0.0","kind":"vendor.com/card","devices":[{"name":"0","containerEdits":{"env":["NEW=1"]}}]}"#).unwrap();
    assert_eq!(ask(&["vendor.com/card=0"], &places).unwrap().env, ["NEW=1"]);
    assert_eq!(ask(&["vendor.com/card=all"], &places).unwrap().env.len(), 2);
    fs::write(places[0].join("other.yml"), CARD).unwrap();
    let error = ask(&["vendor.com/card=all"], &places).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
}

#[test]
fn any_vendors_processor_can_be_asked_for() {
    let (_dir, places) = directories();
    let of = |kind: &str| {
        CARD.replace("vendor.com/card", kind)
            .replace("DRIVER", &kind.replace(['.', '/'], "_"))
    };
    fs::write(places[0].join("a.yaml"), of("intel.com/gpu")).unwrap();
    assert_eq!(ask(&["gpu=0"], &places).unwrap().env, ["intel_com_gpu=on"]);
    fs::write(places[0].join("b.yaml"), of("amd.com/gpu")).unwrap();
    fs::write(places[0].join("c.yaml"), of("nvidia.com/gpu")).unwrap();
    assert_eq!(ask(&["gpu=0"], &places).unwrap().env, ["nvidia_com_gpu=on"]);
    assert!(ask(&["gpu=7"], &places).is_err());
}

#[test]
fn what_is_wrong_is_said_where_nothing_is_found() {
    let (_dir, places) = directories();
    for (text, says) in [
        ("kind: [", "use"),
        ("{}", "cdiVersion"),
        (&CARD.replace("0.6.0", "2.0.0"), "2.0.0"),
        (&CARD.replace("vendor.com/card", "card"), "vendor/class"),
        (&CARD.replace("ALL=yes", "=yes"), "environment variable"),
        (&CARD.replace("path: /dev/card0", "path: dev"), "no place"),
        (
            "cdiVersion: \"0.6.0\"\nkind: v.c/d\ndevices: []\n",
            "no device",
        ),
        ("a: &a [1,1]\nb: &b [*a,*a,*a,*a]\n", "use"),
    ] {
        fs::write(places[0].join("bad.yaml"), text).unwrap();
        let error = ask(&["vendor.com/card=all"], &places).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}
