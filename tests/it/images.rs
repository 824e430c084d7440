//! `images`, `tag`, `rmi`, `image inspect`, `image history`, `image prune`.

use crate::harness::image::Built;
use crate::harness::{Env, Image, Layer, Registry};

fn small(text: &str) -> Built {
    Image::empty()
        .layer(Layer::new().file("text", 0o644, text.as_bytes()))
        .build()
}

/// A world with two images, `a:v1` and `b:v1`, and the registry's address.
fn world() -> (Env, String, Built) {
    let env = Env::any();
    let registry = Registry::start();
    let image = small("a");
    env.ketch(&["pull", "-q", &registry.push("a", "v1", &image)])
        .ok();
    env.ketch(&["pull", "-q", &registry.push("b", "v1", &small("b"))])
        .ok();
    (env, registry.address, image)
}

#[test]
fn images_are_listed_as_docker_lists_them() {
    let (env, address, image) = world();
    let table = env.ketch(&["images"]);
    let head: Vec<&str> = table
        .ok()
        .lines()
        .next()
        .unwrap()
        .split("  ")
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(head, ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
    assert_eq!(table.ok().lines().count(), 3, "{table}");
    table.says(&format!("{address}/a"));
    let id = crate::harness::image::digest(&image.config);
    let short = &id["sha256:".len()..][..12];
    table.says(short);
    let quiet = env.ketch(&["images", "-q", "--no-trunc"]);
    quiet.says(&id);
    let rows = env.ketch(&["images", "--format", "json"]).rows();
    let row = rows
        .iter()
        .find(|row| row["Repository"] == format!("{address}/a").as_str())
        .unwrap();
    assert_eq!(
        (&row["Tag"], &row["ID"]),
        (&"v1".into(), &short.into()),
        "{row}"
    );
    // One repository alone, and the other spelling of the command.
    assert_eq!(
        env.ketch(&["image", "ls", "-q", &format!("{address}/a")])
            .ok()
            .lines()
            .count(),
        1
    );
    env.ketch(&["images", "--digests"]).says(&image.digest());
}

#[test]
fn images_are_filtered_and_sorted() {
    let (env, address, _) = world();
    let b = format!("{address}/b:v1");
    env.ketch(&["run", "--name", "user", "--network", "none", &b, "/none"])
        .exits(127);
    let tags = |arguments: &[&str]| {
        let mut all = vec!["images", "--format", "{{.Repository}}"];
        all.extend(arguments);
        let names = env.ketch(&all).ok().replace(&format!("{address}/"), "");
        names.replace('\n', " ")
    };
    for (filter, want) in [
        ("containers=true", "b"),
        ("containers=false", "a"),
        ("intermediate=false", "a b"),
        ("intermediate=true", ""),
        ("readonly=true", ""),
        ("dangling=false", "a b"),
        ("reference=*/b:v1", "b"),
    ] {
        assert_eq!(
            tags(&["--sort", "repository", "--filter", filter]),
            want,
            "{filter}"
        );
    }
    let bare = env.ketch(&["images", "-n"]);
    assert!(!bare.ok().contains("REPOSITORY"), "{bare}");
    env.ketch(&["images", "--sort", "colour"])
        .fails(1, &["--sort"]);
    env.ketch(&["images", "--filter", "containers=some"])
        .fails(1, &["containers=some"]);
    env.ketch(&["rm", "user"]).ok();
}

#[test]
fn a_table_of_nothing_has_its_head() {
    let env = Env::any();
    assert_eq!(env.ketch(&["images"]).ok().lines().count(), 1);
    assert_eq!(env.ketch(&["ps", "-a"]).ok().lines().count(), 1);
    assert_eq!(env.ketch(&["images", "--format", "json"]).ok(), "");
}

#[test]
fn a_tag_is_another_name_of_the_same_image() {
    let (env, address, _) = world();
    let first = format!("{address}/a:v1");
    env.ketch(&["tag", &first, "own"]).ok();
    env.ketch(&["images"]).says("own ");
    let id = |name: &str| env.ketch(&["images", "-q", name]).ok().to_owned();
    assert_eq!(id("own:latest"), id(&first));
    let output = env.ketch(&["rmi", "own"]);
    output.says("Untagged: own:latest");
    assert!(!output.stdout.contains("Deleted:"), "{output}");
    env.ketch(&["rmi", &first])
        .says("Untagged: ")
        .says("Deleted: sha256:");
    env.ketch(&["tag", "nothing-here", "x"])
        .refused(&["nothing-here"]);
    env.ketch(&["tag", &format!("{address}/b:v1"), "UPPER"])
        .refused(&["UPPER"]);
}

#[test]
fn rmi_takes_ids_and_says_what_is_missing() {
    let (env, address, image) = world();
    env.ketch(&["rmi", "no-such-image"])
        .fails(1, &["no-such-image"]);
    let id = crate::harness::image::digest(&image.config);
    env.ketch(&["rmi", &id["sha256:".len()..][..12]])
        .says("Deleted:");
    assert_eq!(env.ketch(&["images", "-q"]).ok().lines().count(), 1);
    env.ketch(&["rmi", &format!("{address}/b:v1")]).ok();
    // What no name leads to is gone from the disk, too.
    env.ketch(&["system", "prune", "--all", "--force"]).ok();
    assert_eq!(env.stored("blobs/sha256"), [""; 0]);
    env.assert_clean();
}

#[test]
fn an_image_in_use_is_not_removed() {
    let env = Env::any();
    let name = env.base();
    env.ketch(&[
        "run",
        "--name",
        "user",
        "--network",
        "none",
        &name,
        "payload",
        "true",
    ])
    .ok();
    env.ketch(&["rmi", &name]).refused(&["use"]);
    env.ketch(&["rm", "user"]).ok();
    env.ketch(&["rmi", &name]).ok();
}

#[test]
fn a_run_takes_an_image_by_every_name_that_the_other_verbs_know() {
    let (env, address, image) = world();
    let id = crate::harness::image::digest(&image.config);
    let pinned = format!("{address}/a@{}", image.digest());
    for name in [
        &format!("{address}/a:v1"),
        &pinned,
        &id,
        &id["sha256:".len()..][..12].to_owned(),
    ] {
        // The image has no program: what it is refused for shows that it was found.
        let output = env.ketch(&[
            "run",
            "--rm",
            "--pull",
            "never",
            "--network",
            "none",
            name,
            "/none",
        ]);
        output.fails(127, &["/none"]);
    }
    env.ketch(&["run", "--rm", "--pull", "never", "UPPER", "/none"])
        .fails(125, &["UPPER"]);
    env.ketch(&[
        "run",
        "--rm",
        "--pull",
        "never",
        &format!("{address}/none"),
        "/none",
    ])
    .fails(125, &["--pull=never"]);
}

#[test]
fn inspect_shows_what_programs_read() {
    let (env, address, image) = world();
    let name = format!("{address}/a:v1");
    let found = env.ketch(&["image", "inspect", &name]).json();
    let one = &found[0];
    assert_eq!(
        one["Id"],
        crate::harness::image::digest(&image.config).as_str()
    );
    assert_eq!(one["RepoTags"], serde_json::json!([name]));
    assert_eq!(
        one["RepoDigests"],
        serde_json::json!([format!("{address}/a@{}", image.digest())])
    );
    assert_eq!(one["Os"], "linux");
    assert_eq!(one["Architecture"], crate::harness::image::architecture());
    assert_eq!(
        one["Config"]["Cmd"],
        serde_json::json!(["payload", "echo", "default"])
    );
    assert_eq!(one["Config"]["Labels"]["from"], "image");
    assert_eq!(one["RootFS"]["Type"], "layers");
    assert_eq!(one["RootFS"]["Layers"].as_array().unwrap().len(), 1);
    assert!(one["Size"].as_u64().unwrap() > 0);
    // `inspect` finds an image when no container has the name.
    assert_eq!(env.ketch(&["inspect", &name]).json()[0]["Id"], one["Id"]);
    let none = env.ketch(&["image", "inspect", "no-such-image"]);
    none.fails(1, &["no-such-image"]);
    assert_eq!(none.stdout.trim(), "[]");
}

#[test]
fn history_names_every_layer() {
    let (env, address, _) = world();
    let name = format!("{address}/a:v1");
    env.ketch(&["image", "history", &name])
        .says("CREATED BY")
        .says("layer 0");
    let rows = env.ketch(&["history", "--format", "json", &name]).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["CreatedBy"], "layer 0");
}

#[test]
fn image_prune_takes_what_has_no_name_or_no_user() {
    let (env, address, _) = world();
    let registry = Registry::start();
    env.ketch(&["pull", "-q", &registry.push("moving", "v1", &small("one"))])
        .ok();
    env.ketch(&["pull", "-q", &registry.push("moving", "v1", &small("two"))])
        .ok();
    env.ketch(&["image", "prune", "--force"]).ok();
    assert_eq!(env.ketch(&["images", "-q"]).ok().lines().count(), 3);
    env.ketch(&["run", "--rm", &format!("{address}/a:v1"), "/none"])
        .exits(127);
    env.ketch(&["image", "prune", "--all", "--force"]).ok();
    assert_eq!(env.ketch(&["images", "-q"]).ok(), "");
    env.assert_clean();
}
