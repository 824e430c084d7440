//! A pseudo-terminal with a program on it, for the cases about `-t`.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

use super::env::{Env, payload};
use super::process::{LIMIT, Output, Running, Stream};

/// A terminal of 24 rows and 80 columns whose controlling program is ketch.
pub(crate) struct Terminal {
    master: File,
    /// Held open so that the settings can still be read when the program has ended.
    slave: OwnedFd,
    before: Termios,
    pub(crate) screen: Stream,
    running: Running,
}

impl Terminal {
    pub(crate) fn start(env: &Env, arguments: &[&str]) -> Terminal {
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None).unwrap();
        let before = tcgetattr(&pair.slave).unwrap();
        // The payload takes the terminal as its controlling one, then becomes ketch.
        let mut command = env.program(payload());
        command
            .arg("ctty")
            .arg(super::env::executable())
            .args(arguments)
            .env("TERM", "xterm");
        command.stdin(pair.slave.try_clone().unwrap());
        command.stdout(pair.slave.try_clone().unwrap());
        command.stderr(pair.slave.try_clone().unwrap());
        let running = Running::watch(command);
        let master = File::from(pair.master);
        let screen = Stream::gather(master.try_clone().unwrap());
        Terminal {
            master,
            slave: pair.slave,
            before,
            screen,
            running,
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let done = Command::new(payload())
            .args(["resize", &rows.to_string(), &columns.to_string()])
            .stdin(Stdio::from(self.master.try_clone().unwrap()))
            .status()
            .unwrap();
        assert!(done.success());
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        self.running.signal(signal);
    }

    /// Waits for the program and returns its code, what was on the screen, and whether the
    /// terminal's settings are as they were before.
    pub(crate) fn finish(self) -> (i32, String, bool) {
        let output: Output = self.running.finish();
        let restored = tcgetattr(&self.slave).unwrap() == self.before;
        drop(self.slave);
        assert!(
            self.screen.ended(Instant::now() + LIMIT),
            "a process still holds the terminal"
        );
        (output.code(), self.screen.text(), restored)
    }
}
