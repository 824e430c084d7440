//! Processors that share the names of a directory.

use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::common::{Error, Result};

/// Names that a thread takes at once.
const BATCH: usize = 64;

/// Threads that work at the same time.
const THREADS: usize = 8;

/// The threads that one walk may have.
#[derive(Debug)]
pub(super) struct Crew {
    /// How many may still be started.
    spare: AtomicIsize,
}

impl Default for Crew {
    /// One thread for each processor, and not too many.
    fn default() -> Crew {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let spare = cores.min(THREADS) - 1;
        Crew {
            spare: AtomicIsize::new(isize::try_from(spare).unwrap_or(0)),
        }
    }
}

impl Crew {
    /// Does `work` for every number below `count`: with `own` in this thread, and with what
    /// `begin` makes in as many others as are free and worth it. Returns what those have made.
    ///
    /// # Errors
    /// One of those that `work` gave; the others stop soon after it.
    pub(super) fn share<S: Send>(
        &self,
        count: usize,
        own: &mut S,
        begin: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        let run = |state: &mut S| {
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                if from >= count {
                    return;
                }
                for at in from..count.min(from + BATCH) {
                    if let Err(error) = work(state, at) {
                        next.store(usize::MAX / 2, Ordering::Relaxed);
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(error);
                        return;
                    }
                }
            }
        };
        let helped = || {
            let mut state = begin();
            run(&mut state);
            state
        };
        let states = std::thread::scope(|scope| {
            let mut helpers = Vec::new();
            for _ in 0..(count / BATCH).min(THREADS) {
                if self.spare.fetch_sub(1, Ordering::Relaxed) <= 0 {
                    self.spare.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                match std::thread::Builder::new().spawn_scoped(scope, helped) {
                    Ok(helper) => helpers.push(helper),
                    Err(_) => {
                        self.spare.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                }
            }
            run(own);
            let taken = isize::try_from(helpers.len()).unwrap_or(0);
            let states: Vec<S> = helpers.into_iter().flat_map(|one| one.join()).collect();
            self.spare.fetch_add(taken, Ordering::Relaxed);
            states
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(states),
        }
    }
}
