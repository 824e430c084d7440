//! Naming what a case needs: a skip says what is missing, and `KETCH_TEST_STRICT=1` makes it fail.

/// Returns from the case, with one line that names the missing thing, unless the condition holds.
macro_rules! require {
    ($name:expr, $condition:expr) => {
        if !$condition {
            $crate::harness::require::missing(&$name);
            return Default::default();
        }
    };
}

/// Says that a case is skipped, or fails it under `KETCH_TEST_STRICT=1`.
pub(crate) fn missing(name: &dyn std::fmt::Display) {
    let strict = std::env::var_os("KETCH_TEST_STRICT").is_some_and(|value| value == "1");
    assert!(!strict, "needs {name}");
    eprintln!("skipped: needs {name}");
}

/// Whether a program of this name is installed where system programs live.
pub(crate) fn program(name: &str) -> bool {
    super::env::PATH
        .split(':')
        .any(|folder| std::path::Path::new(folder).join(name).exists())
}
