//! The life of a container under its supervisor: run, end, perhaps another run, and the end.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::carrier::Carriers;
use super::clients::Client;
use super::gate::{Gate, Held};
use super::health::Health;
use super::payload::{Ends, Pipes};
use super::protocol::{Failure, FromSupervisor};
use super::restart::Restarts;
use super::watch::{self, Surroundings, Watch};
use crate::cgroup::{Cgroup, Freezer};
use crate::common::{ExitStatus, Timestamp};
use crate::engine::Engine;
use crate::engine::container::{self as engine_container, End, Prepared};
use crate::logs::{LogDriver, Origin, Target, Writer};
use crate::seccomp::IdentityEmulator;
use crate::store::{ContainerDir, ContainerLock, ContainerRecord};
use crate::sys::process::Child;
use crate::sys::watch::Watch as Inotify;
use crate::sys::{listener, signal};

/// Name of the socket in the container's directory.
pub(super) const SOCKET: &str = "attach";

/// docker's time between the stop signal and the kill.
const GRACE: Duration = Duration::from_secs(10);

/// A container under watch.
pub(super) struct Keeper<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) record: ContainerRecord,
    pub(super) dir: ContainerDir,
    pub(super) lock: ContainerLock,
    pub(super) restarts: Restarts,
    pub(super) remove: bool,
    pub(super) around: Surroundings,
}

/// What one run needs that is not the payload's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Setting {
    /// Where the log goes.
    pub(super) log: Option<Target>,
    timeout: Option<Duration>,
    stop_signal: i32,
    /// `None` is for ever.
    grace: Option<Duration>,
    interactive: bool,
    /// The payload has a terminal.
    pub(super) terminal: bool,
    /// The payload has the streams of the supervisor's caller.
    passthrough: bool,
}

impl Setting {
    fn of(prepared: &Prepared) -> Setting {
        let config = &prepared.asked.config;
        let stdio = config.process.stdio;
        let driver = config.lifecycle.log.driver.unwrap_or(LogDriver::JsonFile);
        let spec = &prepared.planned.spec;
        let env = spec
            .process()
            .as_ref()
            .and_then(|process| process.env().clone())
            .unwrap_or_default();
        let record = &prepared.record;
        let origin = Origin {
            id: record.id.as_str(),
            name: &record.name,
            image: &record.image,
            labels: &record.labels,
            env: &env,
        };
        let log = &config.lifecycle.log;
        Setting {
            log: (driver != LogDriver::None && driver != LogDriver::Passthrough)
                .then(|| log.target(driver, prepared.dir.path(), &origin)),
            timeout: config.timeout.map(Duration::from_secs),
            stop_signal: prepared.planned.stop_signal,
            grace: match config.lifecycle.stop_timeout {
                None => Some(GRACE),
                Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            },
            interactive: stdio.interactive,
            terminal: stdio.tty,
            passthrough: driver == LogDriver::Passthrough && !stdio.tty,
        }
    }
}

impl<'a> Keeper<'a> {
    /// Starts the container for the first time and tells the client that is there by then.
    ///
    /// # Errors
    /// Why the payload could not be started; the end is recorded.
    pub(super) fn begin(
        engine: &'a Engine<'a>,
        prepared: Prepared,
        client: Client,
    ) -> Result<(Keeper<'a>, Ongoing)> {
        let signals = signal::Signals::block()?;
        let mut keeper = Keeper {
            engine,
            record: prepared.record.clone(),
            dir: prepared.dir.clone(),
            restarts: Restarts::new(prepared.asked.config.lifecycle.restart),
            remove: prepared.asked.remove,
            around: Surroundings {
                clients: vec![client],
                listener: None,
                signals,
            },
            lock: prepared.lock.share()?,
        };
        // Not at a restart: who stops it in its pause means the next run as well.
        let started = keeper
            .dir
            .clear_stopped()
            .map_err(anyhow::Error::from)
            .and_then(|()| keeper.start(&prepared));
        drop(prepared);
        match started {
            Ok(ongoing) => {
                for client in &mut keeper.around.clients {
                    client.send(&FromSupervisor::Ready);
                }
                Ok((keeper, ongoing))
            }
            Err(error) => {
                keeper.settle(&End::failed(&error))?;
                Err(error)
            }
        }
    }

    fn start(&mut self, prepared: &Prepared) -> Result<Ongoing> {
        let setting = Setting::of(prepared);
        let log = setting.log.as_ref().map(Writer::open).transpose()?;
        self.dir.clear_kept()?;
        let held = prepared.planned.plan.held;
        if self.around.listener.is_none() && (held || !setting.passthrough) {
            self.around.listener = Some(listener::listen_at(self.dir.path(), SOCKET)?);
        }
        let pipes = match setting.terminal || setting.passthrough {
            true => None,
            false => Some(Pipes::new(setting.interactive)?),
        };
        let streams = pipes.as_ref().map_or([None; 3], Pipes::streams);
        let mut live =
            engine_container::launch(self.engine, prepared, streams, self.restarts.count)?;
        let event = if held { "init" } else { "start" };
        engine_container::note(self.engine, &self.record, event, &[]);
        let ends = match (pipes, live.running.console.take()) {
            (_, Some(console)) => Ends::new([Some(console), None], None, true),
            (Some(pipes), None) => pipes.into_ends(),
            (None, None) => Ends::default(),
        };
        let user = &live.running.user;
        let ids = (user.uid, user.gid);
        let emulated = live.running.listener.take();
        let (child, gate) = live.started.into_held();
        Ok(Ongoing {
            child,
            held: held.then_some(Held { gate, ids }),
            cgroup: live.cgroup,
            emulated: emulated.map(|listener| (listener, ids.0, ids.1)),
            began: live.began,
            running_since: Instant::now(),
            ends,
            log,
            setting,
        })
    }

    /// Stays with the container to its very end.
    pub(super) fn keep(mut self, first: Ongoing) -> Result<()> {
        let mut ongoing = first;
        loop {
            let Run { end, ran, fate } = self.one_run(ongoing)?;
            self.follow_changes();
            let pause = match fate {
                _ if self.dir.is_stopped() => None,
                Fate::Stopped => None,
                Fate::Renewed => Some(Duration::ZERO),
                Fate::Open => self.restarts.next(end.status, ran),
            };
            let Some(pause) = pause else {
                return self.finish(&end);
            };
            engine_container::record_end(
                self.engine,
                &self.record,
                &self.dir,
                &end,
                (self.restarts.count, true),
            )?;
            self.dismiss(end.status)?;
            ongoing = match self.again(pause) {
                Ok(Some(next)) => next,
                Ok(None) => return self.finish(&end),
                Err(error) => return self.finish(&End::failed(&error)),
            };
        }
    }

    /// Takes over what `rename` and `update` have changed in the record since the start. One that
    /// cannot be read any more ends as it began.
    fn follow_changes(&mut self) {
        let Ok(record) = self.dir.record() else {
            return;
        };
        if let Ok(asked) = engine_container::Asked::of(&record) {
            self.restarts.follow(asked.config.lifecycle.restart);
        }
        self.record = record;
    }

    fn one_run(&mut self, ongoing: Ongoing) -> Result<Run> {
        let emulator = ongoing
            .emulated
            .map(|(listener, uid, gid)| IdentityEmulator::new(listener, uid, gid));
        let (setting, child, held) = (ongoing.setting, ongoing.child, ongoing.held);
        let began = match held {
            Some(_) => None,
            None => Some((ongoing.began, ongoing.running_since)),
        };
        let mut watch = Watch {
            engine: self.engine,
            child: &child,
            dir: &self.dir,
            ends: ongoing.ends,
            log: ongoing.log,
            emulator,
            timeout: setting.timeout,
            deadline: began.and_then(|(_, since)| Some(since + setting.timeout?)),
            gate: held.map(|held| Gate::new(self.engine, &self.record, &self.dir, held)),
            began: began.map(Ok),
            stop_signal: setting.stop_signal,
            grace: setting.grace,
            health: Health::of(self.engine, &self.record, &self.dir),
            carriers: Carriers::of(self.engine, &self.record, &self.dir),
            asked_to_end: false,
            renewed: false,
            overdue: false,
            freezer: None,
        };
        if let Err(error) = watch.until_end(&mut self.around) {
            child.signal(libc::SIGKILL)?;
            child.wait()?;
            return Err(error.into());
        }
        let began = watch.began.take();
        let fate = match (watch.asked_to_end, watch.renewed) {
            (true, _) => Fate::Stopped,
            (false, true) => Fate::Renewed,
            // Nobody had started it, or that failed.
            (false, false) if !matches!(began, Some(Ok(_))) => Fate::Stopped,
            (false, false) => Fate::Open,
        };
        // A check that goes on ends with the run.
        watch.health = None;
        let overdue = watch.overdue;
        let freezer = watch.freezer.take();
        let status = child.wait()?.status;
        freezer.iter().for_each(Freezer::remove);
        let oom = status != ExitStatus::Code(0) && ongoing.cgroup.place().oom_killed();
        let (end, ran) = end_of(began, status, oom, overdue);
        Ok(Run { end, ran, fate })
    }

    /// Waits, and starts the container once more; `None` when it was stopped meanwhile.
    fn again(&mut self, pause: Duration) -> Result<Option<Ongoing>> {
        let due = Instant::now() + pause;
        let mut changes = Inotify::new();
        changes.add(self.dir.path())?;
        while Instant::now() < due {
            if self.dir.is_stopped() {
                return Ok(None);
            }
            changes.wait(&[], None, Some(due))?;
        }
        drop(changes);
        // The very last moment: after it a stop finds a process to signal.
        if self.dir.is_stopped() {
            return Ok(None);
        }
        // Somebody looked at the last run's root; the service counts for more.
        engine_container::release_mount(&self.dir)?;
        let prepared = engine_container::reopen(self.engine, self.dir.clone(), self.lock.share()?)?;
        self.restarts
            .follow(prepared.asked.config.lifecycle.restart);
        self.start(&prepared).map(Some)
    }

    /// Tells everybody attached that the run is over.
    fn dismiss(&mut self, status: ExitStatus) -> Result<()> {
        for client in &mut self.around.clients {
            client.end(status);
        }
        Ok(watch::see_off(&mut self.around.clients)?)
    }

    fn finish(mut self, end: &End) -> Result<()> {
        let end = &self.bring_back(end)?;
        self.settle(end)?;
        let Keeper {
            lock, mut around, ..
        } = self;
        // Whoever waits for the container does not have to wait for slow readers.
        drop(lock);
        for client in &mut around.clients {
            client.end(end.status);
        }
        Ok(watch::see_off(&mut around.clients)?)
    }

    /// Copies out what was asked for; a run whose results are not where they should be has
    /// failed.
    fn bring_back(&mut self, end: &End) -> Result<End> {
        let mut end = end.clone();
        if end.started.is_some()
            && let Err(error) =
                engine_container::copy_out(self.engine, &self.record, &self.dir, end.status)
        {
            let failure = serde_json::to_vec(&Failure::of(&error))?;
            for client in &mut self.around.clients {
                client.send(&FromSupervisor::Failed(&failure));
            }
            end.status = ExitStatus::ENGINE;
            end.error = format!("{error:#}");
        }
        Ok(end)
    }

    /// Records the end, or removes the container.
    fn settle(&mut self, end: &End) -> Result<()> {
        // From here on nobody is let in.
        self.around.listener = None;
        // `update` may have made cgroups of its own.
        engine_container::clean_cgroup(&self.dir);
        let _ = crate::sys::file::remove_file(&self.dir.path().join(SOCKET));
        if !self.remove || self.dir.is_kept() {
            let counts = (self.restarts.count, false);
            return engine_container::record_end(self.engine, &self.record, &self.dir, end, counts);
        }
        if end.started.is_some() {
            engine_container::note_end(self.engine, &self.record, end);
        }
        let lock = self.lock.share()?;
        engine_container::remove_ended(self.engine, &self.dir, lock, &self.record)?;
        engine_container::note(self.engine, &self.record, "destroy", &[]);
        engine_container::remove_image(self.engine, &self.record);
        Ok(())
    }
}

/// The end of a run, and how long it was. `began` is `None` for one that nobody had started.
fn end_of(
    began: Option<Result<(Timestamp, Instant)>>,
    status: ExitStatus,
    oom: bool,
    overdue: bool,
) -> (End, Duration) {
    let (started, ran) = match began {
        None => (None, Duration::ZERO),
        Some(Err(error)) => return (End::failed(&error), Duration::ZERO),
        Some(Ok((began, since))) => (Some(began), since.elapsed()),
    };
    let end = End {
        status: status.unless_overdue(overdue),
        started,
        oom,
        error: match overdue {
            true => "killed: it ran longer than its --timeout".to_owned(),
            false => String::new(),
        },
    };
    (end, ran)
}

/// A run that is over.
struct Run {
    end: End,
    ran: Duration,
    fate: Fate,
}

/// What the supervisor knows of what comes after a run.
enum Fate {
    /// Its policy says.
    Open,
    /// It stays ended.
    Stopped,
    /// It starts again: it was unhealthy.
    Renewed,
}

/// A run that goes on.
pub(super) struct Ongoing {
    /// The payload.
    pub(super) child: Child,
    /// Where it waits to become that.
    pub(super) held: Option<Held>,
    /// Its cgroup, which goes with it.
    pub(super) cgroup: Cgroup,
    /// Its streams.
    pub(super) ends: Ends,
    /// Its log.
    pub(super) log: Option<Writer>,
    /// Identity calls to answer, and the user and group that asks first.
    pub(super) emulated: Option<(OwnedFd, u32, u32)>,
    /// When it began.
    pub(super) began: Timestamp,
    /// The same on a clock that nobody sets.
    pub(super) running_since: Instant,
    /// What else it needs.
    pub(super) setting: Setting,
}
