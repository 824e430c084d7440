//! `build -o`: forms of the image, and two builds that come to the same.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::process::Output;
use crate::harness::terminal::Terminal;
use crate::harness::{Env, require};
use crate::peers::{real_registry, registry_with, run as run_peer};

/// Builds `text` without a network; `BASE` is the base image.
fn build(env: &Env, text: &str, flags: &[&str]) -> Output {
    let context = env.folder("context");
    env.file("context/text", "content\n");
    env.file("context/Dockerfile", &text.replace("BASE", &env.base()));
    env.ketch(&[&["build", "--network", "none"], flags, &[&context]].concat())
}

fn inspect(env: &Env, image: &str) -> Value {
    env.ketch(&["image", "inspect", image]).json()[0].clone()
}

fn names(env: &Env) -> String {
    let format = "{{.Repository}}:{{.Tag}}";
    env.ketch(&["images", "-a", "--format", format])
        .ok()
        .to_owned()
}

/// A document of a layout in a directory.
fn blob(layout: &str, digest: &Value) -> Value {
    let hex = digest.as_str().unwrap().trim_start_matches("sha256:");
    let path = Path::new(layout).join("blobs/sha256").join(hex);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn index(layout: &str) -> Value {
    let path = Path::new(layout).join("index.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The manifest of a layout of one image.
fn manifest(layout: &str) -> Value {
    blob(layout, &index(layout)["manifests"][0]["digest"])
}

fn types(manifest: &Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().unwrap().iter();
    let kind = |layer: &Value| layer["mediaType"].as_str().unwrap().to_owned();
    layers
        .map(|layer| kind(layer).rsplit('.').next().unwrap().to_owned())
        .collect()
}

const TEXT: &str =
    "FROM BASE\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nWORKDIR /made/here\nCOPY text .\n";

cases! {
    fn two_builds_give_the_same_image(env) {
        let dated = ["--source-date-epoch", "1000000000", "--rewrite-timestamp", "--no-cache", "-t"];
        build(env, TEXT, &[&dated[..], &["a"]].concat()).ok();
        build(env, TEXT, &[&dated[..], &["b"]].concat()).ok();
        let (a, b) = (inspect(env, "a"), inspect(env, "b"));
        assert_eq!((&a["Id"], &a["RootFS"]), (&b["Id"], &b["RootFS"]));
        assert_eq!(a["Created"], "2001-09-09T01:46:40Z");
        let history = env.ketch(&["history", "--format", "{{.CreatedAt}}", "a"]);
        assert!(history.ok().lines().all(|line| line.starts_with("2001-09-09") || line < "2001"), "{history}");
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", "a", "payload", "cat", "/one", "text"]).ok(), "1content");
        // From the cache it is the same one.
        build(env, TEXT, &["--source-date-epoch", "1000000000", "--rewrite-timestamp", "-t", "c"]).ok();
        assert_eq!(inspect(env, "c")["Id"], a["Id"]);
        env.ketch(&["system", "check"]).ok();
        // The times of files alone.
        build(env, TEXT, &["--source-date-epoch", "1000000000", "--no-cache", "-t", "d"]).ok();
        assert_ne!(inspect(env, "d")["Id"], a["Id"]);
        build(env, TEXT, &["--rewrite-timestamp", "-t", "e"]).warns("set SOURCE_DATE_EPOCH");
        env.assert_clean();
    }

    fn a_build_is_verified_by_another_one(env) {
        let same = build(env, TEXT, &["--timestamp", "1000000000", "--verify", "-t", "a"]);
        same.ok();
        same.warns("verified: a second build gives sha256:");
        let other = build(env, TEXT, &["--verify", "-t", "other"]);
        other.fails(1, &["the second build gives sha256:", "RUN payload write /one 1", ": one: time ", "SOURCE_DATE_EPOCH"]);
        env.ketch(&["image", "inspect", "other"]).exits(1);
        assert_eq!(env.stored("build/work"), [""; 0]);
    }

    fn layers_are_compressed_as_asked(env) {
        let out = env.text("work/out");
        let make = |options: &str| {
            let _ = fs::remove_dir_all(&out);
            let output = format!("type=oci,tar=false,dest={out},{options}");
            build(env, TEXT, &["-o", &output]).ok();
            manifest(&out)
        };
        let usual = make("name=a/b:c");
        assert_eq!(types(&usual), ["tar+gzip"; 4]);
        assert_eq!(index(&out)["manifests"][0]["annotations"]["io.containerd.image.name"], "docker.io/a/b:c");
        let zstd = make("compression=zstd,annotation.some.key=value");
        assert_eq!(types(&zstd), ["tar+gzip", "tar+zstd", "tar+zstd", "tar+zstd"]);
        assert_eq!(zstd["layers"][0], usual["layers"][0]);
        assert_eq!(zstd["annotations"]["some.key"], "value");
        let all = make("compression=zstd,compression-level=9,force-compression=true");
        assert_eq!(types(&all), ["tar+zstd"; 4]);
        let plain = make("compression=uncompressed");
        assert_eq!(types(&plain), ["tar+gzip", "tar", "tar", "tar"]);
        let config = blob(&out, &plain["config"]["digest"]);
        assert_eq!(plain["layers"][1]["digest"], config["rootfs"]["diff_ids"][1]);
        assert_eq!(plain["config"], usual["config"], "only the layers' form is another");
        assert_eq!(make("compression=zstd,force-compression=true")["config"], usual["config"]);
        // None of this is an image of the store; this is, and it runs.
        assert_eq!(names(env), env.base());
        build(env, TEXT, &["-o", "type=image,name=z,compression=zstd,force-compression=true"]).ok();
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", "z", "payload", "cat", "/one"]).ok(), "1");
        build(env, TEXT, &["-o", "type=image,compression=estargz"]).refused(&["estargz", "gzip or compression=zstd"]);
        build(env, TEXT, &["--format", "docker", "-o", "type=image,compression=zstd"]).refused(&["oci-mediatypes=true"]);
        build(env, TEXT, &["-o", "type=image,unpack=true"]).warns("unpack=true has no effect");
        env.ketch(&["system", "check"]).ok();
    }

    fn files_alone_leave_no_image(env) {
        let out = env.text("work/files");
        let flags = ["--source-date-epoch", "1000000000", "-q", "-o", &out];
        assert_eq!(build(env, TEXT, &flags).ok(), "");
        assert_eq!(fs::read_to_string(Path::new(&out).join("made/here/text")).unwrap(), "content\n");
        let time = fs::metadata(Path::new(&out).join("one")).unwrap().modified().unwrap();
        assert_eq!(time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_000_000_000);
        assert_eq!(names(env), env.base());
        let id = env.text("work/id");
        build(env, TEXT, &["--iidfile", &id, "-o", &out]).warns("no image is made");
        assert!(!Path::new(&id).exists());
        // What was not sealed then is now.
        build(env, TEXT, &["-t", "made", "-o", &out]).ok();
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", "made", "payload", "cat", "/one"]).ok(), "1");
        assert_eq!(env.stored("build/steps"), [""; 0]);
    }

    fn a_result_is_pushed_without_being_kept(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("skopeo", require::program("skopeo"));
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/made:v1");
        let output = format!("type=registry,name={name},store=false,compression=zstd,force-compression=true");
        build(env, TEXT, &["-o", &output]).ok();
        assert_eq!(names(env), env.base());
        let place = format!("docker://{name}");
        let raw = run_peer(env, "skopeo", &["inspect", "--raw", "--tls-verify=false", &place]);
        assert_eq!(types(&serde_json::from_str(&raw).unwrap()), ["tar+zstd"; 4]);
        let output = format!("type=image,name={address}/digest,push-by-digest=true,push=true,store=false");
        let metadata = env.text("work/metadata");
        build(env, TEXT, &["-o", &output, "--metadata-file", &metadata]).ok();
        let metadata: Value = serde_json::from_slice(&fs::read(&metadata).unwrap()).unwrap();
        let digest = metadata["containerimage.digest"].as_str().unwrap();
        let place = format!("docker://{address}/digest@{digest}");
        run_peer(env, "skopeo", &["inspect", "--raw", "--tls-verify=false", &place]);
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "cat", "/one"]).ok(), "1");
    }

    fn a_shell_opens_in_a_failed_step(env) {
        let text = "FROM BASE\nRUN [\"payload\", \"mkdir\", \"/d\"]\nWORKDIR /d\nENV WORD=said\nSHELL [\"payload\", \"shell\", \"-c\"]\n\
            RUN --mount=type=secret,id=word --mount=type=cache,target=/c write left x ; exit 7\n";
        let context = env.folder("context");
        env.file("context/Dockerfile", &text.replace("BASE", &env.base()));
        let secret = format!("id=word,src={}", env.file("word", "whispered"));
        let words = ["build", "--network", "none", "--on-error=shell", "--secret", &secret, "-t", "made", &context];
        let mut terminal = Terminal::start(env, &words);
        terminal.screen.wait_for("shell> ");
        for line in ["pwd", "env", "cat /run/secrets/word", "cat left", "tty"] {
            terminal.types(&format!("{line}\n"));
        }
        terminal.types("exit 0\n");
        let (code, screen, restored) = terminal.finish();
        assert_eq!(code, 7, "{screen}");
        for wanted in ["/d\r\n", "WORD=said", "whispered", "x\r\n", "stdin=true", "exit code: 7", "in the failed step"] {
            assert!(screen.contains(wanted), "{wanted}: {screen}");
        }
        assert!(restored, "{screen}");
        assert_eq!(env.stored("build/work"), [""; 0]);
        let without = env.ketch(&words);
        without.exits(7).warns("--on-error=shell needs a terminal");
        env.ketch(&[&words[..3], &["--on-error=x", &context]].concat()).refused(&["stop or shell"]);
        env.assert_clean();
    }

    fn an_image_tells_how_it_was_made(env) {
        let out = env.text("work/out");
        let output = format!("type=oci,tar=false,dest={out}");
        let flags = ["--provenance=mode=max,builder-id=me", "--build-arg", "HIDDEN=word", "-t", "made:v1", "-o", &output];
        build(env, TEXT, &flags).ok();
        let listed = blob(&out, &index(&out)["manifests"][0]["digest"]);
        let (image, beside) = (&listed["manifests"][0], &listed["manifests"][1]);
        assert_eq!(beside["platform"]["architecture"], "unknown");
        assert_eq!(beside["annotations"]["vnd.docker.reference.type"], "attestation-manifest");
        assert_eq!(beside["annotations"]["vnd.docker.reference.digest"], image["digest"]);
        let layer = blob(&out, &beside["digest"])["layers"][0].clone();
        assert_eq!(layer["annotations"]["in-toto.io/predicate-type"], "https://slsa.dev/provenance/v0.2");
        let statement = blob(&out, &layer["digest"]);
        let subject = &statement["subject"][0];
        assert!(subject["name"].as_str().unwrap().starts_with("pkg:docker/made@v1?platform=linux%2F"), "{statement}");
        let hex = image["digest"].as_str().unwrap().trim_start_matches("sha256:");
        assert_eq!(subject["digest"]["sha256"], hex);
        let predicate = &statement["predicate"];
        assert_eq!(predicate["builder"]["id"], "me");
        assert_eq!(predicate["invocation"]["parameters"]["args"]["build-arg:HIDDEN"], "word");
        assert!(predicate["materials"][0]["uri"].as_str().unwrap().contains("base"), "{statement}");
        // The least of it holds no argument; the store keeps all of it, and the image runs.
        build(env, TEXT, &["--attest", "type=provenance", "--build-arg", "HIDDEN=word", "-t", "made:v2"]).ok();
        env.ketch(&["image", "prune", "-f"]).ok();
        env.ketch(&["system", "check"]).ok();
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", "made:v2", "payload", "cat", "/one"]).ok(), "1");
        // The newer form says the same in other places.
        let output = format!("type=oci,tar=false,dest={out}1");
        let flags = ["--provenance=mode=max,version=v1,builder-id=me", "--build-arg", "HIDDEN=word", "-t", "made:v1", "-o", &output];
        build(env, TEXT, &flags).ok();
        let out = format!("{out}1");
        let listed = blob(&out, &index(&out)["manifests"][0]["digest"]);
        let layer = blob(&out, &listed["manifests"][1]["digest"])["layers"][0].clone();
        assert_eq!(layer["annotations"]["in-toto.io/predicate-type"], "https://slsa.dev/provenance/v1");
        let statement = blob(&out, &layer["digest"]);
        let predicate = &statement["predicate"];
        assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
        assert_eq!(predicate["runDetails"]["builder"]["id"], "me");
        assert_eq!(predicate["runDetails"]["metadata"]["buildkit_completeness"]["request"], true);
        let definition = &predicate["buildDefinition"];
        assert_eq!(definition["externalParameters"]["request"]["args"]["build-arg:HIDDEN"], "word");
        assert_eq!(definition["externalParameters"]["configSource"]["path"], "Dockerfile");
        assert!(definition["resolvedDependencies"][0]["uri"].as_str().unwrap().contains("base"), "{statement}");
        build(env, TEXT, &["--provenance=mode=some"]).refused(&["mode=min|max"]);
        build(env, TEXT, &["--sbom", "-t", "made:v3"]).warns("--sbom has no effect: ketch has no scanner");
    }

    fn a_push_goes_to_no_server_with_another_authority(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("openssl", require::program("openssl"));
        let run = |words: &[&str]| run_peer(env, "openssl", words);
        let authority = |name: &str| {
            let (key, certificate) = (env.text(&format!("{name}.key")), env.text(&format!("{name}.crt")));
            run(&["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout", &key, "-out", &certificate]);
            (key, certificate)
        };
        let ((signs, own), (_, other)) = (authority("own"), authority("other"));
        let [key, asked, certificate] = ["key", "csr", "crt"].map(|kind| env.text(&format!("server.{kind}")));
        run(&["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", &key, "-out", &asked]);
        let names = env.file("names", "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
        run(&["x509", "-req", "-in", &asked, "-CA", &own, "-CAkey", &signs, "-CAcreateserial", "-days", "2", "-extfile", &names, "-out", &certificate]);
        let (registry, address) = registry_with(env, &format!(", tls: {{certificate: {certificate}, key: {key}}}"));
        let name = format!("{address}/made:v1");
        // The base is here then, from a server without certificates.
        build(env, "FROM BASE\n", &["-t", "here"]).ok();
        // docker trusts a registry of this machine unless it is told not to.
        let push = || build(env, TEXT, &["--push", "--tls-verify=true", "-t", &name]);
        let trust = |certificate: &str| {
            let folder = format!("config/containers/certs.d/{address}");
            env.folder(&folder);
            env.file(&format!("{folder}/ca.crt"), &fs::read_to_string(certificate).unwrap());
        };
        for certificate in [None, Some(&other)] {
            if let Some(certificate) = certificate {
                trust(certificate);
            }
            let output = push();
            assert_ne!(output.code(), 0, "{output}");
            output.warns("certificate").warns("certs.d");
        }
        assert!(!registry.stderr.text().contains("PUT"), "{}", registry.stderr.text());
        // Nothing is lost by it: what was built is used when it is right.
        trust(&own);
        let again = push();
        again.ok();
        assert!(again.stderr.contains("CACHED"), "{again}");
        env.ketch(&["rmi", "-f", &name]).ok();
        env.ketch(&["pull", "-q", "--tls-verify=true", &name]).ok();
    }

    fn a_certificate_of_ones_own_is_trusted_where_it_is_put(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("openssl", require::program("openssl"));
        build(env, "FROM BASE\n", &["-t", "here"]).ok();
        let serve = |name: &str, address: &str| {
            let (key, certificate) = (env.text(&format!("{name}.key")), env.text(&format!("{name}.crt")));
            // As docker's guide to registries makes it: the mark of an authority is openssl's default.
            run_peer(env, "openssl", &[
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry",
                "-addext", &format!("subjectAltName=IP:{address}"), "-keyout", &key, "-out", &certificate,
            ]);
            let (registry, address) = registry_with(env, &format!(", tls: {{certificate: {certificate}, key: {key}}}"));
            (registry, address, fs::read_to_string(certificate).unwrap())
        };
        let push = |address: &str| build(env, TEXT, &["--push", "--tls-verify=true", "-t", &format!("{address}/made:v1")]);
        let trust = |address: &str, text: &str| {
            let folder = format!("config/containers/certs.d/{address}");
            env.folder(&folder);
            env.file(&format!("{folder}/ca.crt"), text);
        };
        let (_registry, address, text) = serve("own", "127.0.0.1");
        let output = push(&address);
        assert_ne!(output.code(), 0, "{output}");
        output.warns("CaUsedAsEndEntity").warns("put the registry's certificate into certs.d");
        trust(&address, &text);
        push(&address).ok();
        // Another certificate of that kind is not it, and its name has to be right.
        let (_other, second, foreign) = serve("other", "127.0.0.2");
        trust(&second, &text);
        assert_ne!(push(&second).code(), 0);
        trust(&second, &foreign);
        push(&second).fails(1, &["127.0.0.2"]);
    }

    fn an_attestation_is_pushed_and_others_pull_the_image(env) {
        require!("docker-registry", require::program("docker-registry"));
        require!("skopeo", require::program("skopeo"));
        let (_registry, address) = real_registry(env);
        let name = format!("{address}/made:v1");
        build(env, TEXT, &["--provenance=true", "--push", "-t", &name]).ok();
        let place = format!("docker://{name}");
        let raw = run_peer(env, "skopeo", &["inspect", "--raw", "--tls-verify=false", &place]);
        let raw: Value = serde_json::from_str(&raw).unwrap();
        assert_eq!(raw["manifests"].as_array().unwrap().len(), 2, "{raw}");
        let copy = format!("dir:{}", env.text("work/copy"));
        run_peer(env, "skopeo", &["copy", "-q", "--src-tls-verify=false", &place, &copy]);
        env.ketch(&["rmi", "-f", &name]).ok();
        assert_eq!(env.ketch(&["run", "--rm", "--network", "none", &name, "payload", "cat", "/one"]).ok(), "1");
        let tools = env.ketch(&["buildx", "imagetools", "inspect", &name]);
        assert!(tools.ok().contains("unknown/unknown"), "{tools}");
    }

    fn files_that_change_while_they_are_copied_are_no_result(env) {
        let file = env.file("Dockerfile", "FROM scratch\nCOPY schedstat /\n");
        // The build's own process: what it has used changes all the while.
        let output = env.ketch(&["build", "--network", "none", "-t", "made", "-f", &file, "/proc/self"]);
        output.fails(1, &["Dockerfile:2", "changed while they were copied", ".dockerignore"]);
        assert_eq!(env.stored("build/work"), [""; 0]);
        assert_eq!(env.stored("build/cache"), [""; 0]);
    }

    fn what_is_kept_beside_results_is_shown_and_pruned(env) {
        let text = "FROM BASE AS one\nRUN [\"payload\", \"write\", \"/one\", \"1\"]\nFROM BASE\nCOPY --from=one /one /two\nRUN --mount=type=cache,target=/c [\"payload\", \"write\", \"/c/x\", \"kept\"]\n";
        build(env, text, &["-t", "made"]).ok();
        let kinds = || {
            let rows: Vec<Value> = env.ketch(&["buildx", "du", "--format", "json"]).rows();
            let mut kinds: Vec<String> = rows.iter().map(|row| row["Type"].as_str().unwrap().to_owned()).collect();
            kinds.sort();
            kinds
        };
        assert_eq!(kinds(), ["exec.cachemount", "regular", "regular", "regular", "source.local"]);
        let mounts = env.ketch(&["buildx", "du", "--format", "json", "--filter", "type=exec.cachemount"]);
        assert_eq!(mounts.rows()[0]["Size"], "4B", "{mounts}");
        env.ketch(&["builder", "prune", "-f", "--filter", "type=exec.cachemount"]).says("4B");
        assert_eq!(kinds(), ["regular", "regular", "regular", "source.local"]);
        env.ketch(&["system", "prune", "-f"]).ok();
        assert_eq!(kinds(), ["regular", "regular"], "an image has these as well");
        assert_eq!(env.stored("build/mounts"), [""; 0]);
        env.ketch(&["builder", "prune", "-af"]).ok();
        assert_eq!(kinds(), [""; 0]);
    }
}
