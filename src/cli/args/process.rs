//! The process of a container: streams, user, directory, environment.

use std::path::PathBuf;

/// What runs and how it is connected.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct ProcessArgs {
    /// Keep STDIN open
    #[arg(short, long)]
    pub(crate) interactive: bool,

    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub(crate) tty: bool,

    /// Set environment variables: KEY=VALUE, KEY to pass the caller's, PREFIX* to pass many
    #[arg(short, long, value_name = "ENV")]
    pub(crate) env: Vec<String>,

    /// Read in a file of environment variables
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) env_file: Vec<PathBuf>,

    /// Pass the caller's whole environment
    #[arg(long)]
    pub(crate) env_host: bool,

    /// Unset an environment variable of the image
    #[arg(long, value_name = "KEY")]
    pub(crate) unsetenv: Vec<String>,

    /// Working directory inside the container
    #[arg(short, long, value_name = "DIR")]
    pub(crate) workdir: Option<String>,

    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Add additional groups to join; keep-groups keeps the caller's
    #[arg(long, value_name = "GROUP")]
    pub(crate) group_add: Vec<String>,

    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long, value_name = "COMMAND")]
    pub(crate) entrypoint: Option<String>,

    /// Container host name
    #[arg(short = 'h', long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,

    /// Do not give the container a file /etc/hostname of its own
    #[arg(long)]
    pub(crate) no_hostname: bool,

    /// Container NIS domain name
    #[arg(long, value_name = "NAME")]
    pub(crate) domainname: Option<String>,

    /// Complete the image's passwd and group files for a user that they lack
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(crate) passwd: Option<bool>,

    /// The line of such a user, with $USERNAME, $UID, $GID, $NAME and $HOME
    #[arg(long, value_name = "LINE")]
    pub(crate) passwd_entry: Option<String>,

    /// The line of such a group, with $GROUPNAME, $GID and $USERLIST
    #[arg(long, value_name = "LINE")]
    pub(crate) group_entry: Option<String>,

    /// Add the host's line of a user to the image's passwd and group files
    #[arg(long, value_name = "USER")]
    pub(crate) hostuser: Vec<String>,

    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    pub(crate) init: bool,

    /// Prepare the container for systemd as its first process: true when it is, always or false
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(crate) systemd: Option<String>,

    /// File mode creation mask, octal
    #[arg(long, value_name = "MASK")]
    pub(crate) umask: Option<String>,

    /// Give the container a secret: NAME[,type=mount|env,target=,uid=,gid=,mode=]
    #[arg(long, value_name = "SECRET")]
    pub(crate) secret: Vec<String>,

    /// Set timezone in container: an area such as Europe/Vienna, or local
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,

    /// Set proxy environment variables in the container based on the host proxy vars
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(crate) http_proxy: Option<bool>,
}
