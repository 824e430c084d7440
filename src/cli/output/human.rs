//! Times and commands as docker's lists word them.

use std::time::Duration;

use crate::common::{ExitStatus, Timestamp};
use crate::engine::container::ContainerState;

/// docker/go-units `HumanDuration`, lower-cased exactly as there.
pub(crate) fn duration(passed: Duration) -> String {
    let seconds = passed.as_secs();
    // go-units rounds minutes down and hours to the nearest.
    let minutes = seconds / 60;
    let hours = (passed.as_secs_f64() / 3600.0).round() as u64;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 2..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, 2..48) => format!("{hours} hours"),
        (_, _, 48..336) => format!("{} days", hours / 24),
        (_, _, 336..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..17_520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// `3 minutes ago`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", duration(then.age(now)))
}

/// The Status column of `ps`.
pub(crate) fn status(
    state: ContainerState,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    exit: Option<ExitStatus>,
    now: Timestamp,
) -> String {
    match state {
        ContainerState::Created => "Created".to_owned(),
        ContainerState::Initialized => "Initialized".to_owned(),
        ContainerState::Running => match started {
            Some(started) => format!("Up {}", duration(started.age(now))),
            None => "Up".to_owned(),
        },
        ContainerState::Paused => match started {
            Some(started) => format!("Up {} (Paused)", duration(started.age(now))),
            None => "Up (Paused)".to_owned(),
        },
        ContainerState::Restarting => {
            let code = exit.map_or(0, ExitStatus::code);
            match finished {
                Some(finished) => format!("Restarting ({code}) {}", ago(finished, now)),
                None => format!("Restarting ({code})"),
            }
        }
        ContainerState::Exited => {
            let code = exit.map_or(0, ExitStatus::code);
            match finished {
                Some(finished) => format!("Exited ({code}) {}", ago(finished, now)),
                None => format!("Exited ({code})"),
            }
        }
        ContainerState::Dead => "Dead".to_owned(),
    }
}

/// Cuts to `width` characters, the last one an ellipsis, as docker's `Ellipsis` does.
pub(crate) fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// A moment as docker's `CreatedAt` shows it, in UTC: `2026-11-22 01:02:03 +0000 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = Timestamp(i128::from(time.seconds()) * 1_000_000_000).to_string();
    match text.trim_end_matches('Z').split_once('T') {
        Some((day, clock)) => format!("{day} {clock} +0000 UTC"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_go_units() {
        let hour = 3600;
        for (seconds, want) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (59 * 60, "59 minutes"),
            (hour, "About an hour"),
            (hour + 31 * 60, "2 hours"),
            (47 * hour, "47 hours"),
            (48 * hour, "2 days"),
            (24 * 14 * hour - 1801, "13 days"),
            (24 * 14 * hour, "2 weeks"),
            (24 * 60 * hour, "2 months"),
            (24 * 365 * 2 * hour, "2 years"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), want, "{seconds}");
        }
    }

    #[test]
    fn status_words_are_dockers() {
        let at = |seconds: i128| Timestamp(seconds * 1_000_000_000);
        let words = |state, exit| status(state, Some(at(0)), Some(at(120)), exit, at(420));
        assert_eq!(words(ContainerState::Running, None), "Up 7 minutes");
        assert_eq!(
            words(ContainerState::Exited, Some(ExitStatus::Signal(9))),
            "Exited (137) 5 minutes ago"
        );
        assert_eq!(words(ContainerState::Created, None), "Created");
    }

    #[test]
    fn texts_and_moments() {
        assert_eq!(
            ellipsis("\"sleep infinity-and-more\"", 20),
            "\"sleep infinity-and…"
        );
        assert_eq!(ellipsis("short", 20), "short");
        assert_eq!(
            moment(Timestamp(5_500_000_000)),
            "1970-01-01 00:00:05 +0000 UTC"
        );
    }
}
