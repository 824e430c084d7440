//! Credential helpers: `docker-credential-<suffix> get`, the server's name on stdin, JSON on
//! stdout. No shell, no secret on a command line, bounded output and time.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;

use super::{Credential, Secret};
use crate::common::{Error, Kind, Result};
use crate::sys::process;

/// Most bytes read from a helper.
const MAX_OUTPUT: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks helper `suffix` for the login of `server`; none when it knows none.
pub(super) fn get(suffix: &str, server: &str, limit: Duration) -> Result<Option<Credential>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if suffix.is_empty() || !suffix.chars().all(plain) {
        return Err(Error::usage(
            "run credential helper",
            format!("{suffix:?}"),
            "a helper's name holds only letters, digits, dot, dash and underscore",
        ));
    }
    ask(&format!("docker-credential-{suffix}"), server, limit)
}

/// Runs `program get`. The protocol is one line, so a server name with a line end in it would
/// be two requests.
pub(super) fn ask(program: &str, server: &str, limit: Duration) -> Result<Option<Credential>> {
    let failed =
        |why: String| Error::new(Kind::Denied, "run credential helper", program).because(why);
    if server.contains(['\0', '\n', '\r']) {
        return Err(failed("the registry's name holds a line end".to_owned()));
    }
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Error::io("run credential helper", program, error))?;
    let deadline = Instant::now() + limit;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input has failed or answers anyway; its exit says so.
        let _ = stdin.write_all(format!("{server}\n").as_bytes());
    }
    let outcome = collect(&mut child, deadline);
    let (output, success) = match outcome {
        Ok(done) => done,
        Err(why) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(why));
        }
    };
    if !success {
        let text = String::from_utf8_lossy(&output);
        if text.contains("credentials not found") {
            return Ok(None);
        }
        // The text is not shown: a helper that fails half-way may have printed a secret.
        return Err(failed("it failed".to_owned()));
    }
    let answer: Answer =
        serde_json::from_slice(&output).map_err(|_| failed("its answer is not JSON".to_owned()))?;
    Ok(match (answer.username.as_str(), answer.secret) {
        (_, secret) if secret.is_empty() => None,
        ("<token>", secret) => Some(Credential::IdentityToken(Secret::new(secret))),
        (username, secret) => Some(Credential::Password {
            username: username.to_owned(),
            password: Secret::new(secret),
        }),
    })
}

/// Reads the output to its end and reaps the child, both before `deadline`.
fn collect(child: &mut Child, deadline: Instant) -> std::result::Result<(Vec<u8>, bool), String> {
    let late = || "it did not answer in time".to_owned();
    let remaining = || deadline.saturating_duration_since(Instant::now());
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        let mut buffer = [0u8; 4096];
        loop {
            let left = remaining();
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(0) => return Err(late()),
                Ok(_) => {}
                Err(nix::errno::Errno::EINTR) => continue,
                Err(errno) => return Err(errno.desc().to_lowercase()),
            }
            let count = stdout.read(&mut buffer).map_err(|e| e.to_string())?;
            if count == 0 {
                break;
            }
            output.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if output.len() > MAX_OUTPUT {
                return Err("its answer is too long".to_owned());
            }
        }
    }
    // Closing stdout is the last thing most helpers do; one that closes it and goes on is
    // waited for no longer than any other.
    if let Ok(pidfd) = process::pidfd_open(child.id() as i32) {
        let timeout = PollTimeout::try_from(remaining()).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, timeout) == Ok(0) {
            return Err(late());
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((output, status.success()))
}
