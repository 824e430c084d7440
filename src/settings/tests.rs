//! Tests of the settings files: registries.conf, auth files, helpers, ketch.toml.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::*;

struct Place {
    base: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            base: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.base.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn settings(&self, more: &[(&str, &Path)]) -> Settings {
        let home = self.base.path().join("home");
        let mut pairs = vec![("HOME", home.as_path())];
        pairs.extend(more);
        let etc = self.base.path().join("etc");
        Settings::with_system_dir(&Environment::from_pairs(pairs), &etc)
    }
}

fn places(settings: &Settings, reference: &str) -> Vec<String> {
    let sources = settings
        .sources(&Reference::parse(reference).unwrap())
        .unwrap();
    sources
        .iter()
        .map(|source| {
            let mark = if source.insecure { "!" } else { "" };
            format!("{mark}{}/{}", source.domain, source.path)
        })
        .collect()
}

const CONF: &str = r#"
unqualified-search-registries = ["quay.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.example:5000/hub"
insecure = true
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
[[registry]]
prefix = "docker.io/library/special"
location = "other.example/x"
[[registry]]
prefix = "*.corp.example"
insecure = true
[[registry]]
location = "bad.example"
blocked = true
[[registry]]
location = "pinned.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "fast.example"
"#;

#[test]
fn the_longest_prefix_chooses_mirrors_and_location() {
    let place = Place::new();
    place.write("etc/containers/registries.conf", CONF);
    let settings = place.settings(&[]);
    assert_eq!(
        places(&settings, "debian"),
        [
            "!mirror.example:5000/hub/library/debian",
            "tags.example/library/debian",
            "docker.io/library/debian"
        ]
    );
    assert_eq!(places(&settings, "special"), ["other.example/x"]);
    assert_eq!(
        places(&settings, "special2").len(),
        3,
        "a prefix ends at a component"
    );
    assert_eq!(
        places(&settings, "a.corp.example/app"),
        ["!a.corp.example/app"]
    );
    assert_eq!(places(&settings, "corp.example/app"), ["corp.example/app"]);
    assert_eq!(places(&settings, "pinned.example/a"), ["pinned.example/a"]);
    let digest = format!("sha256:{}", "a".repeat(64));
    assert_eq!(
        places(&settings, &format!("pinned.example/a@{digest}")),
        ["fast.example/a", "pinned.example/a"]
    );
    assert_eq!(places(&settings, &format!("debian@{digest}")).len(), 2);
    let blocked = settings.sources(&Reference::parse("bad.example/a").unwrap());
    assert_eq!(blocked.unwrap_err().kind(), Kind::Denied);
}

#[test]
fn the_users_file_replaces_the_systems_and_drop_ins_follow() {
    let place = Place::new();
    place.write("etc/containers/registries.conf", CONF);
    let drop_in = "[[registry]]\nlocation = \"drop.example\"\ninsecure = true\n";
    place.write("etc/containers/registries.conf.d/a.conf", drop_in);
    assert_eq!(
        places(&place.settings(&[]), "drop.example/a"),
        ["!drop.example/a"]
    );
    place.write("home/.config/containers/registries.conf", "");
    let own = place.settings(&[]);
    assert_eq!(places(&own, "drop.example/a"), ["drop.example/a"]);
    assert_eq!(places(&own, "debian"), ["docker.io/library/debian"]);
    let named = place.write(
        "named.conf",
        "[[registry]]\nlocation='named.example'\nblocked=true",
    );
    let settings = place.settings(&[("CONTAINERS_REGISTRIES_CONF", &named)]);
    let blocked = settings.sources(&Reference::parse("named.example/a").unwrap());
    assert_eq!(blocked.unwrap_err().kind(), Kind::Denied);
}

#[test]
fn ketch_toml_adds_mirrors_and_insecure_registries() {
    let place = Place::new();
    place.write(
        "etc/ketch/ketch.toml",
        "registry-mirrors = ['https://m.example/', 'http://plain.example:5000']\ninsecure-registries = ['never.example']\n",
    );
    place.write(
        "home/.config/ketch/ketch.toml",
        "keep_blobs = 'never'\ninsecure-registries = ['10.0.0.0/8', 'i.example:5000']\n",
    );
    let settings = place.settings(&[]);
    assert_eq!(settings.file().unwrap().keep_blobs, Some(KeepBlobs::Never));
    assert_eq!(
        places(&settings, "debian"),
        [
            "m.example/library/debian",
            "!plain.example:5000/library/debian",
            "docker.io/library/debian"
        ]
    );
    assert_eq!(places(&settings, "10.1.2.3:5000/a"), ["!10.1.2.3:5000/a"]);
    assert_eq!(places(&settings, "i.example:5000/a"), ["!i.example:5000/a"]);
    assert_eq!(places(&settings, "never.example/a"), ["never.example/a"]);
}

#[test]
fn broken_settings_name_their_file() {
    let place = Place::new();
    for (name, text) in [
        ("etc/ketch/ketch.toml", "keep_blob = 'never'"),
        (
            "etc/containers/registries.conf",
            "[[registry]]\nlocation = 7",
        ),
        (
            "etc/containers/registries.conf",
            "[[registry]]\ninsecure = true",
        ),
        ("etc/containers/registries.conf", "\u{0}"),
    ] {
        let path = place.write(name, text);
        let error = places_error(&place.settings(&[]));
        assert_eq!(error.kind(), Kind::Usage);
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        std::fs::remove_file(path).unwrap();
    }
    place.write(
        "etc/containers/registries.conf",
        "[[registry]]\nprefix='h.example'\nlocation='../x y'",
    );
    let settings = place.settings(&[]);
    assert!(
        settings
            .sources(&Reference::parse("h.example/a").unwrap())
            .is_err()
    );
}

fn places_error(settings: &Settings) -> Error {
    settings
        .sources(&Reference::parse("debian").unwrap())
        .unwrap_err()
}

fn login(keychain: &Keychain, domain: &str, path: &str) -> String {
    match keychain.lookup(domain, path).unwrap() {
        None => "none".to_owned(),
        Some(Credential::Password { username, password }) => {
            format!("{username}:{}", password.expose())
        }
        Some(Credential::IdentityToken(token)) => format!("identity {}", token.expose()),
        Some(Credential::RegistryToken(token)) => format!("registry {}", token.expose()),
    }
}

#[test]
fn the_longest_key_of_the_first_file_wins() {
    let place = Place::new();
    let run = place.base.path().join("run");
    // dTox = u:1, dToy = u:2, …; the second lacks its padding.
    place.write(
        "run/containers/auth.json",
        r#"{"auths":{"h.example":{"auth":"dTox"},"h.example/team":{"auth":"dToy"},"h.example/team/app":{"identitytoken":"t3"}}}"#,
    );
    place.write(
        "home/.docker/config.json",
        r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYTpzcw"},"h.example":{"auth":"dTo5"},"https://v.example/v1/":{"username":"a","password":"b"},"r.example":{"registrytoken":"rt"},"empty.example":{}}}"#,
    );
    place.write(
        "home/.dockercfg",
        r#"{"old.example":{"auth":"dTox","email":"x"}}"#,
    );
    let settings = place.settings(&[("XDG_RUNTIME_DIR", &run)]);
    let keychain = settings.keychain(None).unwrap();
    for (domain, path, expected) in [
        ("h.example", "x", "u:1"),
        ("h.example", "team/x", "u:2"),
        ("h.example", "team/app", "identity t3"),
        ("h.example", "team/app/sub", "identity t3"),
        ("h.example", "team2/x", "u:1"),
        ("docker.io", "library/debian", "user:pa:ss"),
        ("v.example", "x", "a:b"),
        ("r.example", "x", "registry rt"),
        ("old.example", "x", "u:1"),
        ("empty.example", "x", "none"),
        ("unknown.example", "x", "none"),
    ] {
        assert_eq!(login(&keychain, domain, path), expected, "{domain}/{path}");
    }
    let alone = place.write("own.json", r#"{"auths":{"h.example":{"auth":"dTo5"}}}"#);
    let own = settings.keychain(Some(&alone)).unwrap();
    assert_eq!(login(&own, "h.example", "team/x"), "u:9");
    assert_eq!(login(&own, "docker.io", "x"), "none");
    let missing = settings.keychain(Some(Path::new("/nonexistent/auth.json")));
    assert_eq!(missing.err().unwrap().kind(), Kind::NotFound);
}

#[test]
fn a_broken_login_file_does_not_show_its_secrets() {
    let place = Place::new();
    for text in [
        r#"{"auths":"CANARY"}"#,
        r#"{"auths":{"h.example":{"auth":"CANARY!!"}}}"#,
        r#"{"auths":{"h.example":{"auth":["CANARY"]}}}"#,
    ] {
        let path = place.write("auth.json", text);
        let settings = place.settings(&[]);
        let error = match settings.keychain(Some(&path)) {
            Ok(keychain) => keychain.lookup("h.example", "a").err().unwrap(),
            Err(error) => error,
        };
        assert!(!error.to_string().contains("CANARY"), "{error}");
        assert!(error.to_string().contains("auth.json"), "{error}");
    }
}

#[test]
fn helpers_answer_by_their_protocol() {
    let place = Place::new();
    let script = |name: &str, body: &str| -> String {
        let path = place.write(name, &format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let limit = Duration::from_secs(5);
    let good = script(
        "good",
        r#"read server; [ "$1" = get ] && echo "{\"ServerURL\":\"x\",\"Username\":\"u-$server\",\"Secret\":\"s\"}""#,
    );
    match ask_retrying(&good, "h.example", limit).unwrap() {
        Some(Credential::Password { username, password }) => {
            assert_eq!((username.as_str(), password.expose()), ("u-h.example", "s"));
        }
        _ => panic!("no password"),
    }
    let token = script("token", r#"echo '{"Username":"<token>","Secret":"t"}'"#);
    assert!(matches!(
        ask_retrying(&token, "h", limit),
        Ok(Some(Credential::IdentityToken(_)))
    ));
    let absent = script(
        "absent",
        "echo 'credentials not found in native keychain'; exit 1",
    );
    assert!(matches!(ask_retrying(&absent, "h", limit), Ok(None)));
    for body in ["echo CANARY; exit 1", "echo CANARY", "yes CANARY"] {
        let error = ask_retrying(&script("bad", body), "h", limit)
            .err()
            .unwrap();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
    assert!(credential_helper::ask(&good, "h\nother", limit).is_err());
    let begin = Instant::now();
    let hang = script("hang", "exec sleep 100");
    assert!(ask_retrying(&hang, "h", Duration::from_millis(100)).is_err());
    assert!(begin.elapsed() < Duration::from_secs(4));
    for name in ["", "a/b", "../x", "a b", "é"] {
        assert!(credential_helper::get(name, "h", limit).is_err(), "{name}");
    }
}

/// A script just written cannot be run while another test's fork still holds it open for
/// writing (ETXTBSY).
fn ask_retrying(program: &str, server: &str, limit: Duration) -> Result<Option<Credential>> {
    loop {
        match credential_helper::ask(program, server, limit) {
            Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) => {}
            other => return other,
        }
    }
}

#[test]
fn settings_open_nothing_until_asked() {
    let place = Place::new();
    place.write("etc/ketch/ketch.toml", "broken");
    place.write("etc/containers/registries.conf", "broken");
    let settings = place.settings(&[]);
    assert!(settings.file().is_err());
    assert!(Settings::load(settings.environment()).is_ok());
}
