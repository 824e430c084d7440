//! When a container that ended is started again: docker's policies and back-off.

use std::time::Duration;

use crate::common::ExitStatus;
use crate::spec::config::RestartPolicy;

/// First pause (moby, restartmanager).
const FIRST: Duration = Duration::from_millis(100);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(60);
/// A run of this length was a good one: the next pause is the first again.
pub(super) const GOOD: Duration = Duration::from_secs(10);

/// What a policy remembers from run to run.
#[derive(Debug, Clone)]
pub(super) struct Restarts {
    policy: RestartPolicy,
    /// How often it has started the container again.
    pub(super) count: u32,
    pause: Duration,
}

impl Restarts {
    /// Before the first run.
    pub(super) fn new(policy: RestartPolicy) -> Restarts {
        Restarts {
            policy,
            count: 0,
            pause: Duration::ZERO,
        }
    }

    /// Follows a policy that was changed meanwhile (`update --restart`).
    pub(super) fn follow(&mut self, policy: RestartPolicy) {
        self.policy = policy;
    }

    /// The pause before the next start of a container that ran for `ran` and that nobody has
    /// stopped; `None` when it stays ended.
    pub(super) fn next(&mut self, status: ExitStatus, ran: Duration) -> Option<Duration> {
        let again = match self.policy {
            RestartPolicy::No => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            RestartPolicy::OnFailure { max } => {
                status != ExitStatus::Code(0) && (max == 0 || self.count < max)
            }
        };
        if !again {
            return None;
        }
        self.pause = if self.pause.is_zero() || ran >= GOOD {
            FIRST
        } else {
            (self.pause * 2).min(LONGEST)
        };
        self.count += 1;
        Some(self.pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_a_minute_and_a_good_run_starts_over() {
        let mut restarts = Restarts::new(RestartPolicy::Always);
        let pauses: Vec<u128> = (0..12)
            .map(|_| {
                restarts
                    .next(ExitStatus::Code(0), SHORT)
                    .unwrap()
                    .as_millis()
            })
            .collect();
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[10..], [60_000, 60_000]);
        assert_eq!(restarts.next(ExitStatus::Code(1), GOOD), Some(FIRST));
        assert_eq!(restarts.count, 13);
    }

    #[test]
    fn a_failure_is_what_is_not_zero_and_its_number_is_limited() {
        let mut restarts = Restarts::new(RestartPolicy::OnFailure { max: 2 });
        assert_eq!(restarts.next(ExitStatus::Code(0), SHORT), None);
        assert!(restarts.next(ExitStatus::Code(3), SHORT).is_some());
        assert!(restarts.next(ExitStatus::Signal(9), SHORT).is_some());
        assert_eq!(restarts.next(ExitStatus::Code(3), SHORT), None);
        let mut never = Restarts::new(RestartPolicy::No);
        assert_eq!(never.next(ExitStatus::Code(3), SHORT), None);
        let mut endless = Restarts::new(RestartPolicy::OnFailure { max: 0 });
        assert!((0..50).all(|_| endless.next(ExitStatus::Code(3), SHORT).is_some()));
    }
}
