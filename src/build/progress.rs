//! What a build tells of itself while it goes on; `cli` shows it.

use crate::common::ExitStatus;

/// One step of a build: its number among all of this build's.
pub(crate) type Vertex = usize;

/// The step after all others: the image's documents and names, and outputs.
pub(crate) const EXPORT: Vertex = Vertex::MAX;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A step exists; `name` is `[stage 2/5] RUN make` as docker shows it.
    Named {
        /// The step.
        vertex: Vertex,
        /// How it is shown.
        name: &'a str,
    },
    /// It works.
    Started {
        /// The step.
        vertex: Vertex,
    },
    /// Its result was there already.
    Cached {
        /// The step.
        vertex: Vertex,
    },
    /// Its result was not there, because of these inputs: the names of those that are others than
    /// at its last time.
    Missed {
        /// How the step is shown; it has no number yet.
        text: &'a str,
        /// The inputs.
        inputs: &'a [String],
    },
    /// It wrote something.
    Output {
        /// The step.
        vertex: Vertex,
        /// To standard error.
        error: bool,
        /// What.
        bytes: &'a [u8],
    },
    /// A part of it is done.
    Part {
        /// The step.
        vertex: Vertex,
        /// Which.
        text: &'a str,
    },
    /// It ended well.
    Done {
        /// The step.
        vertex: Vertex,
    },
    /// It failed.
    Failed {
        /// The step.
        vertex: Vertex,
        /// Why.
        why: &'a str,
    },
    /// It was given up because another one failed.
    Canceled {
        /// The step.
        vertex: Vertex,
    },
}

/// Takes what a build tells.
pub(crate) trait Progress {
    /// Takes one event.
    fn event(&self, event: &Event<'_>);
}

/// The failure of a step.
#[derive(Debug)]
pub(crate) struct StepFailure {
    /// Its exit code.
    pub(crate) status: ExitStatus,
    /// docker's line: `process "/bin/sh -c false" did not complete successfully: exit code: 1`.
    pub(crate) text: String,
    /// The lines of the Dockerfile around it, marked.
    pub(crate) excerpt: String,
}

impl std::fmt::Display for StepFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for StepFailure {}
