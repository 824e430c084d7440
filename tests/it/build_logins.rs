//! Secrets that are logins at the servers of sources: sent to their server, and to no other.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::harness::{Env, require};

/// A web server that serves a folder to those who log in.
struct Guarded {
    address: String,
    /// What requests said.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Guarded {
    /// `wanted` is what `Authorization` has to say; `/away/…` leads to another server.
    fn start(folder: PathBuf, wanted: &'static str, away: &str) -> Guarded {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, away) = (Arc::clone(&seen), away.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (path, login) = request(&stream);
                let (status, extra, body) = match (path.strip_prefix("/away"), &login) {
                    (Some(rest), _) => {
                        let place = format!("Location: http://{away}{rest}\r\n");
                        ("302 Found", place, Vec::new())
                    }
                    (None, login) if login.as_deref().unwrap_or_default() != wanted => {
                        ("401 Unauthorized", String::new(), Vec::new())
                    }
                    (None, _) => {
                        let file = path.split('?').next().unwrap_or_default();
                        match fs::read(folder.join(file.trim_start_matches('/'))) {
                            Ok(body) => ("200 OK", String::new(), body),
                            Err(_) => ("404 Not Found", String::new(), Vec::new()),
                        }
                    }
                };
                log.lock().unwrap().extend(login);
                let head = format!(
                    "HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = (&stream).write_all(&[head.into_bytes(), body].concat());
            }
        });
        Guarded { address, seen }
    }

    fn logins(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// The path of a request, and what its `Authorization` says.
fn request(stream: &TcpStream) -> (String, Option<String>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut login = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            login = Some(value.trim().to_owned());
        }
    }
    (path, login)
}

/// Builds files that are fetched into a folder; `secrets` are given by variables.
fn build(env: &Env, text: &str, secrets: &[(&str, &str)]) -> crate::harness::process::Output {
    let context = env.folder("context");
    env.file("context/Dockerfile", text);
    let mut words = vec!["build".to_owned(), "-o".to_owned(), "out".to_owned()];
    for (id, value) in secrets {
        let file = env.file(&format!("secret-{}", id.len()), value);
        words.extend(["--secret".to_owned(), format!("id={id},src={file}")]);
    }
    words.push(context);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    env.ketch(&words)
}

#[test]
fn a_file_is_fetched_with_the_token_of_its_server_alone() {
    let env = Env::any();
    env.folder("web");
    env.file("web/file", "guarded");
    let other = Guarded::start(env.path("web"), "", "");
    let own = Guarded::start(env.path("web"), "Bearer whisper", &other.address);
    let text = |path: &str| format!("FROM scratch\nADD http://{}{path} /got\n", own.address);
    let token = format!("HTTP_AUTH_TOKEN_{}", own.address);
    build(&env, &text("/file"), &[]).fails(1, &["the server answered 401"]);
    build(
        &env,
        &text("/file"),
        &[("HTTP_AUTH_TOKEN_elsewhere", "whisper")],
    )
    .fails(1, &["401"]);
    build(&env, &text("/file"), &[(&token, "whisper\n")]).ok();
    let got = fs::read_to_string(env.path("work/out/got")).unwrap();
    assert_eq!(got, "guarded");
    // By the name of the host without the port, and as a whole header.
    let header = [("HTTP_AUTH_HEADER_127.0.0.1", "Bearer whisper")];
    build(&env, &text("/file?again"), &header).ok();
    // The other server answers those who say nothing.
    build(&env, &text("/away/file"), &[(&token, "whisper")]).ok();
    assert!(own.logins().len() >= 3);
    assert_eq!(other.logins(), [""; 0]);
    let bad = [(token.as_str(), "a\r\nX: y")];
    build(&env, &text("/file"), &bad).fails(1, &["not one line of ASCII"]);
    // The context itself.
    let secret = format!("id={token},src={}", env.file("token", "whisper"));
    env.file("web/context", "FROM scratch\nCOPY <<E /from\nafar\nE\n");
    let place = format!("http://{}/context", own.address);
    env.ketch(&["build", "-o", "out2", &place])
        .fails(1, &["401"]);
    env.ketch(&["build", "-o", "out2", "--secret", &secret, &place])
        .ok();
    // It is in no file of the store.
    let found = env
        .program("grep")
        .args(["-r", "whisper"])
        .arg(env.store())
        .output()
        .unwrap();
    assert!(found.stdout.is_empty());
}

#[test]
fn a_repository_is_fetched_with_the_token_of_its_server_alone() {
    let env = Env::any();
    require!("git", require::program("git"));
    let (web, tree) = (env.folder("web"), env.folder("tree"));
    env.file("tree/Dockerfile", "FROM scratch\nCOPY Dockerfile /got\n");
    let bare = format!("{web}/r.git");
    let git = |dir: &str, args: &[&str]| {
        let config = [
            "-C",
            dir,
            "-c",
            "user.name=n",
            "-c",
            "user.email=e",
            "-c",
            "safe.directory=*",
        ];
        let output = env.program("git").args(config).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&tree, &["init", "-q"]);
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "-qm", "one"]);
    git(&web, &["clone", "-q", "--bare", &tree, &bare]);
    git(&bare, &["update-server-info"]);
    let other = Guarded::start(env.path("web"), "", "");
    // x-access-token:whisper
    let own = Guarded::start(
        env.path("web"),
        "basic eC1hY2Nlc3MtdG9rZW46d2hpc3Blcg==",
        &other.address,
    );
    let text = |path: &str| format!("FROM scratch\nADD http://{}{path} /\n", own.address);
    build(&env, &text("/r.git"), &[]).refused(&["fetch repository"]);
    let token = format!("GIT_AUTH_TOKEN.{}", own.address);
    build(
        &env,
        &text("/r.git"),
        &[("GIT_AUTH_TOKEN.elsewhere", "whisper")],
    )
    .refused(&[]);
    build(&env, &text("/r.git"), &[(&token, "whisper\n")]).ok();
    assert!(env.path("work/out/got").exists() || env.path("work/out/Dockerfile").exists());
    build(&env, &text("/away/r.git"), &[("GIT_AUTH_TOKEN", "whisper")])
        .refused(&["fetch repository"]);
    assert_eq!(other.logins(), [""; 0]);
    // The context itself.
    let secret = format!("id=GIT_AUTH_TOKEN,src={}", env.file("token", "whisper"));
    let place = format!("http://{}/r.git", own.address);
    env.ketch(&["builder", "prune", "-a", "-f"]).ok();
    env.ketch(&["build", "-o", "out2", "--secret", &secret, &place])
        .ok();
    assert!(env.path("work/out2/got").exists());
}
