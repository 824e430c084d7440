//! What is mounted into a container.

/// Mounts and the root file system.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct MountArgs {
    /// Bind mount a volume: [SOURCE:]TARGET[:OPTIONS]
    #[arg(short, long, value_name = "VOLUME")]
    pub(crate) volume: Vec<String>,

    /// Attach a filesystem mount to the container: type=bind|volume|tmpfs|image,src=…,dst=…
    #[arg(long, value_name = "MOUNT")]
    pub(crate) mount: Vec<String>,

    /// Mount volumes from the specified container(s): CONTAINER[:ro|rw]
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) volumes_from: Vec<String>,

    /// What stands for the volumes of the image: bind, tmpfs or ignore
    #[arg(long, value_name = "KIND")]
    pub(crate) image_volume: Option<String>,

    /// Mount a tmpfs directory: TARGET[:OPTIONS]
    #[arg(long, value_name = "TMPFS")]
    pub(crate) tmpfs: Vec<String>,

    /// Mount the container's root filesystem as read only
    #[arg(long)]
    pub(crate) read_only: bool,

    /// With --read-only, keep /run, /tmp and /var/tmp writable
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = crate::cli::parse::boolean::parse)]
    pub(crate) read_only_tmpfs: Option<bool>,

    /// Size of /dev/shm
    #[arg(long, value_name = "BYTES")]
    pub(crate) shm_size: Option<String>,

    /// Options of the storage driver; there is none that ketch's storage has
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) storage_opt: Vec<String>,

    /// Run a plain directory: the IMAGE word names it
    #[arg(long)]
    pub(crate) rootfs: bool,
}
