//! `push`, and builds that push: against docker-registry, where it is installed.

use crate::harness::image::{Built, digest};
use crate::harness::registry::Auth;
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
