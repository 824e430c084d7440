//! The names of the rules and what each says in general.

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A stage's name in capitals.
    StageNameCasing,
    /// `FROM x as y`.
    FromAsCasing,
    /// An empty line inside a continuation.
    NoEmptyContinuation,
    /// Keywords in both cases.
    ConsistentInstructionCasing,
    /// Two stages of one name.
    DuplicateStageName,
    /// A stage called `scratch` or `context`.
    ReservedStageName,
    /// `CMD` or `ENTRYPOINT` as a line for the shell.
    JsonArgsRecommended,
    /// `MAINTAINER`.
    MaintainerDeprecated,
    /// `FROM $x` where nothing declares x.
    UndefinedArgInFrom,
    /// `WORKDIR x` where nothing says from where.
    WorkdirRelativePath,
    /// `$x` where nothing sets x.
    UndefinedVar,
    /// Two `CMD` in one stage.
    MultipleInstructionsDisallowed,
    /// `ENV name value`.
    LegacyKeyValueFormat,
    /// `FROM --platform=$TARGETPLATFORM`.
    RedundantTargetPlatform,
    /// `ARG PASSWORD`.
    SecretsUsedInArgOrEnv,
    /// `FROM $x` where the default of x names no image.
    InvalidDefaultArgInFrom,
    /// `FROM --platform=linux/amd64`.
    FromPlatformFlagConstDisallowed,
    /// `COPY x` where the ignore file leaves x out.
    CopyIgnoredFile,
    /// A comment above `ARG` or `FROM` that describes something else.
    InvalidDefinitionDescription,
    /// `EXPOSE 80/TCP`.
    ExposeProtoCasing,
    /// `EXPOSE 127.0.0.1:80:80`.
    ExposeInvalidFormat,
}

impl Rule {
    /// Its name in reports and in `# check=skip=`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rule::StageNameCasing => "StageNameCasing",
            Rule::FromAsCasing => "FromAsCasing",
            Rule::NoEmptyContinuation => "NoEmptyContinuation",
            Rule::ConsistentInstructionCasing => "ConsistentInstructionCasing",
            Rule::DuplicateStageName => "DuplicateStageName",
            Rule::ReservedStageName => "ReservedStageName",
            Rule::JsonArgsRecommended => "JSONArgsRecommended",
            Rule::MaintainerDeprecated => "MaintainerDeprecated",
            Rule::UndefinedArgInFrom => "UndefinedArgInFrom",
            Rule::WorkdirRelativePath => "WorkdirRelativePath",
            Rule::UndefinedVar => "UndefinedVar",
            Rule::MultipleInstructionsDisallowed => "MultipleInstructionsDisallowed",
            Rule::LegacyKeyValueFormat => "LegacyKeyValueFormat",
            Rule::RedundantTargetPlatform => "RedundantTargetPlatform",
            Rule::SecretsUsedInArgOrEnv => "SecretsUsedInArgOrEnv",
            Rule::InvalidDefaultArgInFrom => "InvalidDefaultArgInFrom",
            Rule::FromPlatformFlagConstDisallowed => "FromPlatformFlagConstDisallowed",
            Rule::CopyIgnoredFile => "CopyIgnoredFile",
            Rule::InvalidDefinitionDescription => "InvalidDefinitionDescription",
            Rule::ExposeProtoCasing => "ExposeProtoCasing",
            Rule::ExposeInvalidFormat => "ExposeInvalidFormat",
        }
    }

    /// What it is about.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Rule::StageNameCasing => "Stage names should be lower case",
            Rule::FromAsCasing => "AS should be written in the case of its FROM",
            Rule::NoEmptyContinuation => "Empty lines inside a continuation may be refused one day",
            Rule::ConsistentInstructionCasing => {
                "All keywords of a file should be in one case, upper or lower"
            }
            Rule::DuplicateStageName => "Stage names should be unique",
            Rule::ReservedStageName => "Reserved words should not name a stage",
            Rule::JsonArgsRecommended => {
                "A JSON array for CMD and ENTRYPOINT lets signals reach the program"
            }
            Rule::MaintainerDeprecated => "MAINTAINER is deprecated, a label names the author",
            Rule::UndefinedArgInFrom => "FROM should use declared arguments only",
            Rule::WorkdirRelativePath => {
                "A relative working directory depends on the base image's own"
            }
            Rule::UndefinedVar => "Variables should be set before they are used",
            Rule::MultipleInstructionsDisallowed => {
                "Of several such instructions in one stage only the last one counts"
            }
            Rule::LegacyKeyValueFormat => "Names and values should be joined by =",
            Rule::RedundantTargetPlatform => "The target platform is the default of FROM",
            Rule::SecretsUsedInArgOrEnv => "ARG and ENV stay in the image and are no secrets",
            Rule::InvalidDefaultArgInFrom => {
                "The default of an argument should make a valid base image"
            }
            Rule::FromPlatformFlagConstDisallowed => {
                "The platform of FROM should not be a constant"
            }
            Rule::CopyIgnoredFile => "What is copied should not be left out by the ignore file",
            Rule::InvalidDefinitionDescription => {
                "A comment right above ARG or FROM should begin with the name it describes"
            }
            Rule::ExposeProtoCasing => "The protocol in EXPOSE should be lower case",
            Rule::ExposeInvalidFormat => "EXPOSE takes ports, no address and no port of the host",
        }
    }

    /// The page that explains it: docker's, since the rule is.
    pub(crate) fn url(self) -> String {
        let mut words = String::new();
        let name = self.name();
        for (at, letter) in name.char_indices() {
            // A word begins at a capital; capitals in a row are one word (JSONArgs).
            let after = name[at + 1..].chars().next();
            let before = name[..at].chars().next_back();
            let begins = letter.is_uppercase()
                && (before.is_some_and(char::is_lowercase)
                    || after.is_some_and(char::is_lowercase));
            if begins && at > 0 {
                words.push('-');
            }
            words.push(letter.to_ascii_lowercase());
        }
        format!("https://docs.docker.com/go/dockerfile/rule/{words}/")
    }

    /// Whether it speaks only when asked to.
    pub(crate) fn is_experimental(self) -> bool {
        self == Rule::InvalidDefinitionDescription
    }
}
