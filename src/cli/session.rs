//! What every command is given: whose habits, which environment, where talk goes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::args::GlobalArgs;
use crate::cli::error_report;
use crate::cli::parse::{Place, env::Caller};
use crate::cli::personality::Personality;
use crate::cli::voice::Voice;
use crate::common::Result;
use crate::settings::Environment;

/// One invocation of ketch.
pub(crate) struct Session {
    /// Whose habits.
    pub(crate) personality: Personality,
    /// When the process began its work.
    pub(crate) began: Instant,
    /// The environment, with the global flags that stand for variables applied.
    pub(crate) environment: Environment,
    /// Whether errors are printed as JSON.
    pub(crate) json: bool,
    /// The command line, program first; what is not UTF-8 in it is replaced.
    pub(crate) words: Vec<String>,
    cwd: PathBuf,
    home: Option<PathBuf>,
}

impl Session {
    /// Gathers the surroundings; asks the kernel for the working directory only.
    pub(crate) fn new(
        words: &[OsString],
        began: Instant,
        global: &GlobalArgs,
        json: bool,
    ) -> Session {
        let program = words.first().map(OsString::as_os_str).unwrap_or_default();
        let environment = apply(Environment::capture(), global);
        Session {
            personality: Personality::of(program),
            words: words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            began,
            home: environment.absolute("HOME"),
            environment,
            json,
            // A removed or unreadable working directory matters only to relative paths, whose
            // grammar then says so.
            cwd: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// Whose words are spoken.
    pub(crate) fn voice(&self) -> Voice {
        Voice::of(OsStr::new(
            self.words.first().map(String::as_str).unwrap_or_default(),
        ))
    }

    /// What the path grammars need.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            cwd: &self.cwd,
            home: self.home.as_deref(),
            create_sources: self.personality == Personality::Docker,
            copy_up: self.personality == Personality::Podman,
        }
    }

    /// Whether ketch is called by this name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let program = self.words.first().map(Path::new);
        program
            .and_then(Path::file_name)
            .is_some_and(|file| file == name)
    }

    /// `path` as an absolute one.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }

    /// Prints an error that does not end the command.
    pub(crate) fn report(&self, error: &anyhow::Error) {
        error_report::report(error, self.json);
    }

    /// Writes a command's data to stdout.
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        crate::cli::output::data(text)
    }

    /// `$DOCKER_DEFAULT_PLATFORM`.
    pub(crate) fn default_platform(&self) -> Option<&str> {
        self.environment.get("DOCKER_DEFAULT_PLATFORM")
    }

    /// Reads `--platform` with docker's default.
    pub(crate) fn platform(&self, flag: Option<&str>) -> Result<Option<crate::oci::Platform>> {
        crate::cli::convert::platform(flag, self.default_platform())
    }
}

/// Global flags are spelled as the variables they override, so that one place decides.
fn apply(environment: Environment, global: &GlobalArgs) -> Environment {
    let cdi = global.cdi_spec_dir.iter();
    let cdi = std::env::join_paths(cdi.filter_map(|dir| std::path::absolute(dir).ok()));
    let cdi = cdi.ok().filter(|all| !all.is_empty()).map(PathBuf::from);
    let overrides = [
        ("KETCH_ROOT", &global.root),
        ("DOCKER_CONFIG", &global.config),
        ("KETCH_CDI_SPEC_DIRS", &cdi),
    ];
    if overrides.iter().all(|(_, value)| value.is_none()) {
        return environment;
    }
    let given = |name: &OsStr| {
        overrides
            .iter()
            .any(|(key, value)| value.is_some() && name == *key)
    };
    let kept = environment
        .all()
        .filter(|(name, _)| !given(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let added = overrides.iter().filter_map(|(key, value)| {
        let value = std::path::absolute(value.as_ref()?).ok()?;
        Some(((*key).into(), value.into_os_string()))
    });
    Environment::from_pairs(kept.chain(added).collect::<Vec<_>>())
}

impl Caller for Environment {
    fn get(&self, key: &str) -> Option<String> {
        Environment::get(self, key).map(str::to_owned)
    }

    fn all(&self) -> Vec<(String, String)> {
        Environment::all(self)
            .filter_map(|(key, value)| Some((key.to_str()?.to_owned(), value.to_str()?.to_owned())))
            .collect()
    }
}
