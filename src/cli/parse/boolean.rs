//! Boolean flag values, as Go's `strconv.ParseBool` takes them.

/// Parses the value of `--flag=value`; clap prints the returned text after flag and value.
pub(crate) fn parse(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("use true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_follow_go() {
        for (text, value) in [("1", true), ("T", true), ("False", false), ("0", false)] {
            assert_eq!(parse(text), Ok(value));
        }
        for bad in ["", "yes", "tRUE", "on"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
