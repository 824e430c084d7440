//! A web application made of Debian's packages: nginx before a program in Python before PostgreSQL,
//! on a network with a name, built from Dockerfiles and used as its visitors do.

use std::sync::OnceLock;

use crate::debian;
use crate::harness::process::Running;
use crate::harness::{Env, eventually, require};
use crate::peers::LONG;
use crate::service;

/// The database: that of the other test, open to its neighbours.
const DATABASE: &str = r#"FROM BASE
RUN echo 'host all all samenet trust' >>/etc/postgresql/current/main/pg_hba.conf
CMD ["postgres", "-D", "/var/lib/postgresql/current/main", "-c", "config_file=/etc/postgresql/current/main/postgresql.conf", "-c", "ssl=off", "-c", "jit=off", "-c", "listen_addresses=*"]
VOLUME /var/lib/postgresql
EXPOSE 5432
"#;

/// The program: a visit adds a row, and all rows are shown.
const PROGRAM: &str = r#"
import http.server, os, psycopg2, urllib.parse

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        visitor = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query).get("visitor")
        base = psycopg2.connect(host=os.environ["DATABASE"], user="postgres", connect_timeout=5)
        with base, base.cursor() as rows:
            rows.execute("create table if not exists visits (number serial, visitor text)")
            if visitor:
                rows.execute("insert into visits (visitor) values (%s)", visitor)
            rows.execute("select number, visitor from visits order by number")
            lines = "".join(f"<li>{number}: {name}</li>" for number, name in rows)
        base.close()
        page = f"<html><body><ol>{lines}</ol><p id='said'></p><script>document.getElementById('said').textContent = 'visits: ' + document.querySelectorAll('li').length</script></body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

http.server.ThreadingHTTPServer(("", 8000), Page).serve_forever()
"#;

/// What comes first: it looks the program up each time, by the resolver that it is told.
const PROXY: &str = r#"
server {
    listen 80;
    resolver 127.0.0.11 valid=1s;
    location / {
        set $program app:8000;
        proxy_pass http://$program;
    }
}
"#;

/// Both servers before the database: one image, run with different words.
const SERVERS: &str = r#"FROM BASE
ENV DEBIAN_FRONTEND=noninteractive
RUN printf 'path-exclude /usr/share/%s/*\n' doc man locale i18n >/etc/dpkg/dpkg.cfg.d/small
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light python3 python3-psycopg2 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY proxy /etc/nginx/sites-enabled/default
COPY --chmod=644 program.py /srv/program.py
EXPOSE 80
CMD ["nginx", "-g", "daemon off;"]
"#;

/// The images, in the registry of the Debian.
struct Images {
    database: String,
    servers: String,
}

/// Builds an image from a Dockerfile and pushes it.
fn build(env: &Env, base: &str, text: &str, name: &str) {
    env.file("context/Dockerfile", &text.replace("BASE", base));
    let words = ["build", "-q", "-t", name, &env.text("context")];
    env.spawn(&words).finish_within(LONG).ok();
    env.spawn(&["push", "-q", "--tls-verify=false", name])
        .finish_within(LONG)
        .ok();
}

fn make() -> Option<Images> {
    let env = Env::any();
    let base = debian::pulled(&env)?;
    let service = service::service()?;
    let (registry, _) = base.name.split_once('/').unwrap();
    let images = Images {
        database: format!("{registry}/database:v1"),
        servers: format!("{registry}/servers:v1"),
    };
    env.folder("context");
    env.file("context/proxy", PROXY);
    env.file("context/program.py", PROGRAM);
    build(&env, service, DATABASE, &images.database);
    build(&env, &base.name, SERVERS, &images.servers);
    Some(images)
}

/// Made once for all modes.
fn images() -> Option<&'static Images> {
    static MADE: OnceLock<Option<Images>> = OnceLock::new();
    MADE.get_or_init(make).as_ref()
}

/// One application on a network of its own.
struct Application<'a> {
    env: &'a Env,
    images: &'static Images,
    name: &'static str,
}

impl Application<'_> {
    /// Starts a container that is called as its part of the application.
    fn start(&self, part: &str, flags: &[&str], words: &[&str]) {
        let name = format!("{}-{part}", self.name);
        let first = ["run", "-d", "--name", &name, "--network", self.name];
        let alias = ["--network-alias", part];
        let all = [&first[..], &alias, flags, words].concat();
        self.env.ketch(&all).ok();
    }

    fn start_database(&self) {
        let volume = format!("{}-rows:/var/lib/postgresql", self.name);
        let health = ["--health-cmd", "pg_isready -q", "--health-interval", "1h"];
        let flags = [&["-v", &volume][..], &health].concat();
        self.start("db", &flags, &[&self.images.database]);
        let name = format!("{}-db", self.name);
        eventually("the database answers", || {
            self.env.ketch(&["healthcheck", "run", &name]).code() == 0
        });
    }

    /// Starts all of it and gives the place where the host reaches it.
    fn run(&self) -> String {
        self.env.ketch(&["network", "create", self.name]).ok();
        self.start_database();
        let images = self.images;
        let program = [images.servers.as_str(), "python3", "/srv/program.py"];
        self.start("app", &["-e", "DATABASE=db"], &program);
        self.start("web", &["-p", "127.0.0.1::80"], &[&images.servers]);
        let port = self
            .env
            .ketch(&["port", &format!("{}-web", self.name), "80"]);
        let place = format!("http://{}", port.ok());
        eventually("the page is there", || {
            visit(self.env, &place).contains("<ol>")
        });
        place
    }

    fn end(&self) {
        let all = ["db", "app", "web"].map(|part| format!("{}-{part}", self.name));
        let words = ["rm", "-f", &all[0], &all[1], &all[2]];
        self.env.ketch(&words).ok();
        self.env.ketch(&["network", "rm", self.name]).ok();
        let volume = format!("{}-rows", self.name);
        self.env.ketch(&["volume", "rm", &volume]).ok();
    }
}

/// What curl shows of a page.
fn visit(env: &Env, page: &str) -> String {
    let mut curl = env.program("curl");
    curl.args(["-s", "--max-time", "30", page]);
    Running::start(curl).finish().stdout
}

/// What a browser makes of a page, where there is one.
fn browse(env: &Env, page: &str) -> Option<String> {
    if !require::program("chromium") {
        return None;
    }
    let mut browser = env.program("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    browser.args([
        &format!("--user-data-dir={}", env.folder("browser")),
        "--disable-dev-shm-usage",
        page,
    ]);
    Some(Running::start(browser).finish().ok().to_owned())
}

/// Whether a member of one network gets anything from a server of another.
fn sees(env: &Env, from: &str, place: &str) -> bool {
    let ask = format!(
        "import urllib.request; print(urllib.request.urlopen('http://{place}', timeout=3).status)"
    );
    let output = env.ketch(&["exec", from, "python3", "-c", &ask]);
    output.code() == 0
}

fn used_kept_and_apart(env: &Env) {
    let Some(images) = images() else { return };
    require!("curl", require::program("curl"));
    for image in [&images.database, &images.servers] {
        let pull = ["pull", "-q", image];
        env.spawn(&pull).finish_within(LONG).ok();
    }
    let one = Application {
        env,
        images,
        name: "one",
    };
    let place = one.run();
    visit(env, &format!("{place}/?visitor=ada"));
    let page = visit(env, &format!("{place}/?visitor=grace"));
    assert!(page.contains("<li>1: ada</li><li>2: grace</li>"), "{page}");
    if let Some(shown) = browse(env, &place) {
        assert!(shown.contains("visits: 2</p>"), "{shown}");
    }

    // The rows are the volume's, and the name is the new container's at once.
    env.ketch(&["rm", "-f", "one-db"]).ok();
    assert!(!visit(env, &place).contains("ada"));
    one.start_database();
    let page = visit(env, &place);
    assert!(page.contains("<li>2: grace</li>"), "{page}");

    // Another one beside it has its own names, rows and neighbours.
    let two = Application { name: "two", ..one };
    let other = two.run();
    let page = visit(env, &format!("{other}/?visitor=edsger"));
    assert!(page.contains("<li>1: edsger</li>"), "{page}");
    assert!(!visit(env, &place).contains("edsger"));
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = |name: &str| {
        let output = env.ketch(&["inspect", "-f", format, name]);
        output.ok().to_owned()
    };
    assert!(sees(env, "one-app", "web") && sees(env, "one-app", &address("one-web")));
    assert!(!sees(env, "one-app", "two-web") && !sees(env, "one-app", &address("two-web")));
    assert!(!sees(env, "two-app", "one-app:8000"));
    assert!(!sees(
        env,
        "two-app",
        &format!("{}:8000", address("one-app"))
    ));
    one.end();
    two.end();
    env.assert_clean();
}

cases! {
    fn an_application_is_used_keeps_its_rows_and_is_apart_from_another(env) {
        used_kept_and_apart(env);
    }
}
