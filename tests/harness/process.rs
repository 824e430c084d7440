//! A program under watch: its output is gathered by threads, every wait has a deadline, and a
//! program that outlives its deadline is killed with its process group.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How long any one program may take before it counts as hung.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A value that another thread changes and that can be waited for.
struct Watched<T>(Arc<(Mutex<T>, Condvar)>);

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Watched(Arc::clone(&self.0))
    }
}

impl<T> Watched<T> {
    fn new(value: T) -> Self {
        Watched(Arc::new((Mutex::new(value), Condvar::new())))
    }

    fn change(&self, with: impl FnOnce(&mut T)) {
        with(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn read<R>(&self, with: impl FnOnce(&T) -> R) -> R {
        with(&self.0.0.lock().unwrap())
    }

    /// Whether `done` became true before the deadline.
    fn wait(&self, deadline: Instant, done: impl Fn(&T) -> bool) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let guard = self.0.0.lock().unwrap();
        let (guard, _) = self
            .0
            .1
            .wait_timeout_while(guard, left, |value| !done(value))
            .unwrap();
        done(&guard)
    }
}

/// What a program has written so far.
#[derive(Clone)]
pub(crate) struct Stream(Watched<(Vec<u8>, bool)>);

impl Stream {
    /// Gathers everything from `source` in a thread of its own, until its end or an error.
    pub(crate) fn gather(mut source: impl Read + Send + 'static) -> Stream {
        let stream = Stream(Watched::new((Vec::new(), false)));
        let shared = stream.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                match source.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => shared.0.change(|(data, _)| data.extend(&buffer[..count])),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    // EIO is how a terminal says that its last user is gone.
                    Err(_) => break,
                }
            }
            shared.0.change(|(_, ended)| *ended = true);
        });
        stream
    }

    fn empty() -> Stream {
        Stream(Watched::new((Vec::new(), true)))
    }

    pub(crate) fn text(&self) -> String {
        self.0
            .read(|(data, _)| String::from_utf8_lossy(data).into_owned())
    }

    /// Waits until the text so far contains `wanted`.
    pub(crate) fn wait_for(&self, wanted: &str) {
        let deadline = Instant::now() + LIMIT;
        let has = |data: &[u8]| String::from_utf8_lossy(data).contains(wanted);
        self.0.wait(deadline, |(data, ended)| *ended || has(data));
        let text = self.text();
        assert!(text.contains(wanted), "no {wanted:?} in {text:?}");
    }

    pub(crate) fn ended(&self, deadline: Instant) -> bool {
        self.0.wait(deadline, |(_, ended)| *ended)
    }
}

/// A started program.
pub(crate) struct Running {
    what: String,
    pub(crate) pid: i32,
    stdin: Option<ChildStdin>,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    status: Watched<Option<ExitStatus>>,
}

impl Running {
    /// Starts `command` in a process group of its own with its three streams piped.
    pub(crate) fn start(mut command: Command) -> Running {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.process_group(0);
        Running::watch(command)
    }

    /// Starts `command` with the streams and the group that it already names.
    pub(crate) fn watch(mut command: Command) -> Running {
        let what = format!("{command:?}");
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let status = Watched::new(None);
        let running = Running {
            what,
            pid: child.id().cast_signed(),
            stdin: child.stdin.take(),
            stdout: child
                .stdout
                .take()
                .map_or_else(Stream::empty, Stream::gather),
            stderr: child
                .stderr
                .take()
                .map_or_else(Stream::empty, Stream::gather),
            status: status.clone(),
        };
        thread::spawn(move || {
            let found = child.wait();
            status.change(|status| *status = found.ok());
        });
        running
    }

    pub(crate) fn write(&mut self, data: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        // A program that has ended refuses its input: the case looks at its status instead.
        let _ = stdin.write_all(data).and_then(|()| stdin.flush());
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the program itself.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid), signal).unwrap();
    }

    pub(crate) fn is_running(&self) -> bool {
        self.status.read(Option::is_none)
    }

    /// Waits for the program and everything that holds its output.
    pub(crate) fn finish(self) -> Output {
        self.finish_within(LIMIT)
    }

    /// The same for a program that has long work to do.
    pub(crate) fn finish_within(mut self, limit: Duration) -> Output {
        self.stdin = None;
        let deadline = Instant::now() + limit;
        let done = self.status.wait(deadline, Option::is_some)
            && self.stdout.ended(deadline)
            && self.stderr.ended(deadline);
        let output = Output {
            what: self.what.clone(),
            status: self.status.read(|status| *status),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        };
        assert!(
            done,
            "still running, or its output still open, after {limit:?}: {output}"
        );
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() {
            // Nothing to do when it ended meanwhile.
            let _ = killpg(Pid::from_raw(self.pid), Signal::SIGKILL);
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }
}

/// What a finished program left.
pub(crate) struct Output {
    what: String,
    status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Output {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Output {
            what,
            status,
            stdout,
            stderr,
        } = self;
        write!(
            out,
            "{what}\nstatus: {status:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        )
    }
}

impl Output {
    /// The exit code, or 128+n when signal n ended the program.
    pub(crate) fn code(&self) -> i32 {
        let status = self.status.expect("the program has ended");
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
    }

    /// Asserts success and returns the standard output without its last newline.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        self.exits(0).stdout.trim_end_matches('\n')
    }

    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code(), code, "{self}");
        self
    }

    /// Asserts one error with this code whose text contains `words`, in the form users rely on.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, words: &[&str]) -> &Self {
        self.exits(code);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {self}");
        }
        assert!(!self.stderr.contains("panicked"), "{self}");
        assert!(
            !self.stderr.trim().is_empty(),
            "a failure without a text: {self}"
        );
        self
    }

    /// Asserts a refusal, of whatever code that is neither success nor a crash.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) -> &Self {
        assert!(!matches!(self.code(), 0 | 101 | 134 | 139), "{self}");
        self.fails(self.code(), words)
    }

    /// The rows of a list, whether it came as an array or as one document a line.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<serde_json::Value> {
        if self.ok().is_empty() {
            return Vec::new();
        }
        match self.json() {
            serde_json::Value::Array(rows) => rows,
            row => vec![row],
        }
    }

    #[track_caller]
    pub(crate) fn says(&self, word: &str) -> &Self {
        assert!(self.stdout.contains(word), "no {word:?} in {self}");
        self
    }

    #[track_caller]
    pub(crate) fn warns(&self, word: &str) -> &Self {
        assert!(self.stderr.contains(word), "no {word:?} in {self}");
        self
    }

    /// The standard output as one JSON document, or as a list when it is one document a line.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        self.ok();
        let whole = serde_json::from_str(&self.stdout);
        whole.unwrap_or_else(|_| {
            let lines = self.stdout.lines().map(serde_json::from_str);
            let list: Result<Vec<serde_json::Value>, _> = lines.collect();
            list.unwrap_or_else(|error| panic!("not JSON: {error}: {self}"))
                .into()
        })
    }
}
