//! `push`, and builds that push: against docker-registry, where it is installed.

use crate::harness::image::{Built, digest};
use crate::harness::registry::{Auth, Fault};
use crate::harness::{Env, Image, Layer, Registry, require};
use crate::peers::{real_registry, run};

fn small() -> Built {
    Image::base()
        .layer(Layer::new().file("text", 0o644, b"pushed"))
        .build()
}

/// What a registry serves under a name, by skopeo.
fn served(env: &Env, name: &str) -> String {
    let name = format!("docker://{name}");
    run(
        env,
        "skopeo",
        &["inspect", "--raw", "--tls-verify=false", &name],
    )
}

cases! {
    fn a_pushed_image_keeps_its_digest(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("skopeo", require::program("skopeo"));
        let (_registry, address) = real_registry(env);
        let image = small();
        let from = Registry::start().push("a", "v1", &image);
        env.ketch(&["pull", "-q", &from]).ok();
        let name = format!("{address}/some/image:v2");
        env.ketch(&["tag", &from, &name]).ok();
        let output = env.ketch(&["push", &name]);
        let size = image.manifest.len();
        let last = format!("v2: digest: {} size: {size}", image.digest());
        assert_eq!(output.ok(), last);
        output.warns(&format!("The push refers to repository [{address}/some/image]"));
        assert_eq!(output.stderr.matches(": Pushed").count(), 2, "{output}");
        assert_eq!(digest(served(env, &name).as_bytes()), image.digest());

        let again = env.ketch(&["push", &name]);
        assert_eq!(again.ok(), last);
        assert_eq!(again.stderr.matches(": Layer already exists").count(), 2, "{again}");

        // The same registry mounts the blobs into another repository.
        let other = format!("{address}/other:v1");
        let file = env.text("digest");
        let mounted = env.ketch(&["push", "--digestfile", &file, &name, &other]);
        mounted.ok();
        assert_eq!(mounted.stderr.matches(": Mounted from some/image").count(), 2, "{mounted}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), image.digest());
        assert_eq!(digest(served(env, &other).as_bytes()), image.digest());

        // Gone here, it comes back as it was, and runs.
        env.ketch(&["rmi", "-f", &name, &from]).ok();
        let run = env.ketch(&["run", "--rm", "--network", "none", &other, "payload", "cat", "/text"]);
        assert_eq!(run.ok(), "pushed");
        assert_eq!(env.ketch(&["push", "-q", &other]).ok(), other);
    }

    fn all_tags_of_a_repository_are_pushed(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("skopeo", require::program("skopeo"));
        let (_registry, address) = real_registry(env);
        let from = env.base();
        env.ketch(&["pull", "-q", &from]).ok();
        let repository = format!("{address}/all");
        for tag in ["one", "two"] {
            env.ketch(&["tag", &from, &format!("{repository}:{tag}")]).ok();
        }
        let output = env.ketch(&["push", "-a", &repository]);
        output.says("one: digest: sha256:").says("two: digest: sha256:");
        let [one, two] = ["one", "two"].map(|tag| served(env, &format!("{repository}:{tag}")));
        assert_eq!(one, two);
        env.ketch(&["push", "-a", &format!("{repository}:one")])
            .refused(&["tag can't be used with --all-tags/-a"]);
    }

    fn a_build_pushes_what_it_made(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("skopeo", require::program("skopeo"));
        let (_registry, address) = real_registry(env);
        let context = env.folder("context");
        env.file("context/text", "from a build");
        env.file("context/Dockerfile", &format!("FROM {}\nCOPY text /text\n", env.base()));
        let name = format!("{address}/built:v1");
        let words = ["build", "--network", "none", "--push", "-t", &name, &context];
        env.ketch(&words).ok();
        let here = env.ketch(&["image", "inspect", &name]).json();
        let pushed = digest(served(env, &name).as_bytes());
        assert_eq!(here[0]["RepoDigests"][0], format!("{address}/built@{pushed}"));
        let other = format!("{address}/named:v1");
        let output = format!("type=image,name={other},push=true");
        env.ketch(&["build", "--network", "none", "-o", &output, &context]).ok();
        assert_eq!(digest(served(env, &other).as_bytes()), pushed);
        env.ketch(&["build", "--network", "none", "--push", &context])
            .refused(&["tag is needed when pushing to registry"]);
    }
}

/// A world with an image under a name in the registry.
fn with_image(registry: &Registry, image: &Built) -> (Env, String) {
    let env = Env::any();
    let from = Registry::start().push("a", "v1", image);
    env.ketch(&["pull", "-q", &from]).ok();
    let name = format!("{}/mine:v1", registry.address);
    env.ketch(&["tag", &from, &name]).ok();
    (env, name)
}

/// Whether the registry has the image, and `blobs` its blobs.
#[track_caller]
fn holds(registry: &Registry, blobs: &Registry, image: &Built) {
    assert_eq!(
        registry.manifest("mine", "v1").as_deref(),
        Some(&image.manifest[..])
    );
    for (digest, _) in &image.blobs {
        assert!(blobs.has_blob(digest), "{digest}");
    }
}

#[test]
fn an_upload_that_breaks_is_begun_again() {
    let busy = || Fault::Status(503, vec![("Retry-After".to_owned(), "0".to_owned())]);
    for (part, fault) in [
        ("/upload-", busy()),
        ("/upload-", Fault::Reset),
        ("/upload-2", Fault::Status(404, Vec::new())),
        ("/blobs/uploads/?", Fault::Reset),
        ("/blobs/uploads/", busy()),
        ("/manifests/", busy()),
        ("/manifests/", Fault::Reset),
    ] {
        let registry = Registry::start();
        let (env, name) = with_image(&registry, &small());
        registry.fault(part, 2, fault);
        env.ketch(&["push", "-q", &name]).ok();
        holds(&registry, &registry, &small());
    }
    // One that never gets better is given up, and no name is set.
    let registry = Registry::start();
    let (env, name) = with_image(&registry, &small());
    registry.fault("/upload-", usize::MAX, Fault::Status(507, Vec::new()));
    env.ketch(&["push", &name]).fails(1, &["push blob", "507"]);
    assert_eq!(registry.manifest("mine", "v1"), None);
}

#[test]
fn an_upload_elsewhere_gets_the_blob_and_no_login() {
    let registry = Registry::with(Auth::Basic {
        user: "u".to_owned(),
        password: "p".to_owned(),
    });
    let other = Registry::start();
    registry.upload_to(&other);
    let (env, name) = with_image(&registry, &small());
    env.ketch(&["push", "-q", "--creds", "u:p", &name]).ok();
    holds(&registry, &other, &small());
    let asked = other.requests();
    assert!(asked.iter().any(|one| one.method == "PUT"), "{asked:?}");
    for one in asked {
        assert_eq!(one.headers.get("authorization"), None, "{one:?}");
    }
    // A redirect of the upload itself is followed in the same way.
    let registry = Registry::with(Auth::Basic {
        user: "u".to_owned(),
        password: "p".to_owned(),
    });
    let other = Registry::start();
    let (env, name) = with_image(&registry, &small());
    registry.fault(
        "/upload-",
        9,
        Fault::Redirect(format!("http://{}", other.address)),
    );
    env.ketch(&["push", "-q", "--creds", "u:p", &name]).ok();
    holds(&registry, &other, &small());
    for one in other.requests() {
        assert_eq!(one.headers.get("authorization"), None, "{one:?}");
    }
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed() {
    // One blob, so that no other thread shares a token.
    let image = Image::empty().build();
    for uses in [1, 2, 3] {
        let user = Some(("u".to_owned(), "p".to_owned()));
        let registry = Registry::with(Auth::Token { uses, user });
        let (env, name) = with_image(&registry, &image);
        env.ketch(&["push", "-q", "--creds", "u:p", &name]).ok();
        holds(&registry, &registry, &image);
        let asked = registry.requests();
        let tokens = asked.iter().filter(|one| one.path.starts_with("/token"));
        let scopes: Vec<&String> = tokens.clone().map(|one| &one.path).collect();
        assert!(tokens.count() > 1, "{scopes:?}");
        assert!(
            asked
                .iter()
                .any(|one| one.path.contains("push") || one.body.contains("push")),
            "{scopes:?}"
        );
        env.ketch(&["push", "-q", "--creds", "u:wrong", &name])
            .exits(1);
    }
}

#[test]
fn one_platform_of_an_index_is_pushed_alone() {
    let registry = Registry::start();
    let env = Env::any();
    let context = env.folder("context");
    env.file("context/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    let name = format!("{}/several:v1", registry.address);
    let platforms = ["--platform", "linux/amd64,linux/riscv64,linux/arm/v7"];
    env.ketch(&[&["build", "-t", &name], &platforms[..], &[&context]].concat())
        .ok();
    env.ketch(&["push", "-q", &name]).ok();
    let served = || {
        let bytes = registry.manifest("several", "v1").unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
    };
    let index = served();
    let listed = index["manifests"].as_array().unwrap();
    assert_eq!(listed.len(), 3, "{index}");
    for entry in listed {
        let digest = entry["digest"].as_str().unwrap();
        assert!(registry.manifest("several", digest).is_some(), "{digest}");
    }
    env.ketch(&["push", "-q", "--platform", "linux/riscv64", &name])
        .ok();
    let bytes = registry.manifest("several", "v1").unwrap();
    assert_eq!(digest(&bytes), listed[1]["digest"].as_str().unwrap());
    env.ketch(&["push", "--platform", "linux/s390x", &name])
        .fails(1, &["does not match the specified platform (linux/s390x)"]);
}

#[test]
fn what_cannot_be_pushed_is_refused() {
    let env = Env::any();
    env.ketch(&["push", "127.0.0.1:1/nothing:v1"]).fails(
        1,
        &["An image does not exist locally with the tag: 127.0.0.1:1/nothing"],
    );
    let locked = Registry::with(Auth::Basic {
        user: "u".to_owned(),
        password: "p".to_owned(),
    });
    let from = Registry::start().push("a", "v1", &small());
    env.ketch(&["pull", "-q", &from]).ok();
    let name = format!("{}/mine:v1", locked.address);
    env.ketch(&["tag", &from, &name]).ok();
    env.ketch(&["push", &name]).fails(1, &["access denied"]);
    env.ketch(&["push", &from, "oci:/tmp/x"])
        .refused(&["only registries are pushed to"]);
}
