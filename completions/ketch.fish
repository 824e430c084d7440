# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ketch_global_optspecs
    string join \n root= config= cdi-spec-dir= v/version h/help
end

function __fish_ketch_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ketch_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ketch_using_subcommand
    set -l cmd (__fish_ketch_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ketch -n "__fish_ketch_needs_command" -l root -d 'Directory of the store' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_needs_command" -l config -d 'Directory of docker\'s client configuration' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_needs_command" -l cdi-spec-dir -d 'Directory of CDI files, in place of /etc/cdi and /var/run/cdi' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_needs_command" -s v -l version -d 'Print version information and quit'
complete -c ketch -n "__fish_ketch_needs_command" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "run" -d 'Create and run a new container from an image'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "create" -d 'Create a new container'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "start" -d 'Start one or more stopped containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "exec" -d 'Execute a command in a running container'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "top" -d 'Display the running processes of a container'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "ps" -d 'List containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "rm" -d 'Remove one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "kill" -d 'Kill one or more running containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "stop" -d 'Stop one or more running containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "restart" -d 'Restart one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "update" -d 'Update configuration of one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "rename" -d 'Rename a container'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "init" -d 'Initialize one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "logs" -d 'Fetch the logs of one or more containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "stats" -d 'Display a live stream of container resource usage statistics'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem, or between containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "mount" -d 'Mount a container\'s root filesystem, or list those that are'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "unmount" -d 'Unmount a container\'s root filesystem'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "umount" -d 'Unmount a container\'s root filesystem'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "build" -d 'Build an image from a Dockerfile'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "pull" -d 'Download an image from a registry'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "push" -d 'Upload an image to a registry'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "save" -d 'Save one or more images to an archive'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "load" -d 'Load images from an archive or STDIN'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "images" -d 'List images'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "rmi" -d 'Remove one or more images'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "untag" -d 'Take names away from an image, which stays: the given ones, or all'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "history" -d 'Show the history of an image'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "inspect" -d 'Return low-level information on containers, images and networks'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "version" -d 'Show the version information'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "info" -d 'Display system-wide information'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "events" -d 'Get real time events'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "boot" -d 'Start the containers whose restart policy asks for it, as after a start of the machine'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "system-generator" -d 'Make systemd units of Quadlet\'s .container files'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "quadlet" -d 'Make systemd units of Quadlet\'s .container files'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "unshare" -d 'Run a command in a user namespace that has the ids of your containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "doctor" -d 'Show what this machine offers to containers, and the fix for each missing rung'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "completion" -d 'Generate the completion script of a shell'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "generate-docs" -d 'Write man pages and completions'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "builder" -d 'Manage builds'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "buildx" -d 'Build images and manage the build cache'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "container" -d 'Manage containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "generate" -d 'Generate files from containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "healthcheck" -d 'Manage health checks of containers'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "image" -d 'Manage images'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "network" -d 'Manage networks'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "secret" -d 'Manage secrets'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "volume" -d 'Manage volumes'
complete -c ketch -n "__fish_ketch_needs_command" -f -a "system" -d 'Manage ketch'
complete -c ketch -n "__fish_ketch_using_subcommand run" -s a -l attach -d 'Attach to STDIN, STDOUT or STDERR' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l detach-keys -d 'Override the key sequence for detaching a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l preserve-fds -d 'Pass a number of additional file descriptors into the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l preserve-fd -d 'Pass these file descriptors into the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l name -d 'Assign a name to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l requires -d 'Start these containers first, before each start' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l runtime -d 'Runtime of the container: ketch\'s own, under any usual name' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cidfile -d 'Write the container ID to the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand run" -s l -l label -d 'Set meta data on a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l label-file -d 'Read in a line delimited file of labels' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand run" -l annotation -d 'Add an annotation to the container (passed through to the OCI runtime specification)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l stop-signal -d 'Signal to stop the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l timeout -d 'Kill the container after this many seconds; 0 means never' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s e -l env -d 'Set environment variables: KEY=VALUE, KEY to pass the caller\'s, PREFIX* to pass many' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l env-file -d 'Read in a file of environment variables' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand run" -l unsetenv -d 'Unset an environment variable of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s w -l workdir -d 'Working directory inside the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l group-add -d 'Add additional groups to join; keep-groups keeps the caller\'s' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s h -l hostname -d 'Container host name' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l domainname -d 'Container NIS domain name' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l passwd -d 'Complete the image\'s passwd and group files for a user that they lack' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l passwd-entry -d 'The line of such a user, with $USERNAME, $UID, $GID, $NAME and $HOME' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l group-entry -d 'The line of such a group, with $GROUPNAME, $GID and $USERLIST' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l hostuser -d 'Add the host\'s line of a user to the image\'s passwd and group files' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l systemd -d 'Prepare the container for systemd as its first process: true when it is, always or false' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l umask -d 'File mode creation mask, octal' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l secret -d 'Give the container a secret: NAME[,type=mount|env,target=,uid=,gid=,mode=]' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l tz -d 'Set timezone in container: an area such as Europe/Vienna, or local' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l http-proxy -d 'Set proxy environment variables in the container based on the host proxy vars' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s v -l volume -d 'Bind mount a volume: [SOURCE:]TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l mount -d 'Attach a filesystem mount to the container: type=bind|volume|tmpfs|image,src=…,dst=…' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l volumes-from -d 'Mount volumes from the specified container(s): CONTAINER[:ro|rw]' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l image-volume -d 'What stands for the volumes of the image: bind, tmpfs or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l tmpfs -d 'Mount a tmpfs directory: TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l read-only-tmpfs -d 'With --read-only, keep /run, /tmp and /var/tmp writable' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l shm-size -d 'Size of /dev/shm' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l storage-opt -d 'Options of the storage driver; there is none that ketch\'s storage has' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l network -d 'Connect the container to a network: none, host, private, container:NAME, ns:PATH or a network\'s name with options' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l ip -d 'IPv4 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l ip6 -d 'IPv6 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l mac-address -d 'Container MAC address' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l expose -d 'Expose a port or a range of ports' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l hosts-file -d 'What /etc/hosts begins with: a file of the host, image or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l security-opt -d 'Security options: no-new-privileges, seccomp=, apparmor=, mask=, unmask=' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l device -d 'Add a host device to the container: SOURCE[:TARGET[:rwm]], or a CDI name' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l gpus -d 'GPU devices to add to the container: all, a number, or device=ID,…' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list: TYPE MAJOR:MINOR ACCESS' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l sysctl -d 'Sysctl options: KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l userns -d 'User namespace: host, keep-id[:uid=N,gid=N], auto[:size=N] or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l uidmap -d 'User ids of the container: CONTAINER:HOST[:COUNT], of an ordinary user as podman unshare has them' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l gidmap -d 'Group ids of the container, likewise' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l subuidname -d 'User ids of the container: those that /etc/subuid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l subgidname -d 'Group ids of the container: those that /etc/subgid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l pid -d 'PID namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l ipc -d 'IPC mode to use: private, shareable, none, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l uts -d 'UTS namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cgroupns -d 'Cgroup namespace to use: private or host' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l copy-in -d 'Copy a host path into the container\'s own layer before it starts' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l copy-out -d 'Copy a path of the container to the host when it has ended; all of it appears at once' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l copy-out-on -d 'When to copy out: always, also after a failure, or success' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l restart -d 'Restart policy when the container exits: no, on-failure[:MAX], always or unless-stopped' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l stop-timeout -d 'Timeout (in seconds) to stop the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l sdnotify -d 'Who notifies the manager of a service (NOTIFY_SOCKET): container, conmon, healthy or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l log-driver -d 'Logging driver: json-file, k8s-file, journald, passthrough or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l log-opt -d 'Log driver options: max-size, max-file, path, tag, labels, env' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l pidfile -d 'Write the host\'s process number of the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand run" -l conmon-pidfile -d 'Write the number of the process that keeps the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-cmd -d 'Command to run to check health' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-interval -d 'Time between running the check (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-retries -d 'Consecutive failures needed to report unhealthy (default 3)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-timeout -d 'Maximum time to allow one check to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-start-period -d 'Start period for the container to initialize before failures count (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-start-interval -d 'Time between running the check during the start period (ms|s|m|h) (default 5s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-on-failure -d 'Action when the container becomes unhealthy: none, kill, restart or stop' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-startup-cmd -d 'Command that has to succeed before the check begins' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-startup-interval -d 'Time between running it (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-startup-retries -d 'Failures in a row after which the container is restarted; 0 for never' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-startup-success -d 'Successes in a row needed (default 1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-startup-timeout -d 'Maximum time to allow it to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-log-destination -d 'Where results go as well: local, events_logger or a directory' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-max-log-count -d 'How many results are kept; 0 for as many as can be, 1000 (default 5)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l health-max-log-size -d 'How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand run" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand run" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l pull -d 'Pull image before running: missing, always, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -l kernel-memory -d 'No kernel has this limit any more' -r
complete -c ketch -n "__fish_ketch_using_subcommand run" -s d -l detach -d 'Run container in background and print container ID'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l timing -d 'Say on stderr how long each phase took'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l rm -d 'Automatically remove the container when it exits'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l rmi -d 'Remove the container and its image when it exits, unless another container has the image'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l replace -d 'Replace a container of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand run" -s i -l interactive -d 'Keep STDIN open'
complete -c ketch -n "__fish_ketch_using_subcommand run" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l env-host -d 'Pass the caller\'s whole environment'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l no-hostname -d 'Do not give the container a file /etc/hostname of its own'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l init -d 'Run an init inside the container that forwards signals and reaps processes'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l rootfs -d 'Run a plain directory: the IMAGE word names it'
complete -c ketch -n "__fish_ketch_using_subcommand run" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l no-hosts -d 'Do not create /etc/hosts within the container, instead use the version from the image'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l privileged -d 'Give extended privileges to this container'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c ketch -n "__fish_ketch_using_subcommand run" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l strict -d 'Fail when something asked for cannot be given'
complete -c ketch -n "__fish_ketch_using_subcommand run" -l help -d 'Print usage'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l name -d 'Assign a name to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l requires -d 'Start these containers first, before each start' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l runtime -d 'Runtime of the container: ketch\'s own, under any usual name' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cidfile -d 'Write the container ID to the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand create" -s l -l label -d 'Set meta data on a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l label-file -d 'Read in a line delimited file of labels' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand create" -l annotation -d 'Add an annotation to the container (passed through to the OCI runtime specification)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l stop-signal -d 'Signal to stop the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l timeout -d 'Kill the container after this many seconds; 0 means never' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s e -l env -d 'Set environment variables: KEY=VALUE, KEY to pass the caller\'s, PREFIX* to pass many' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l env-file -d 'Read in a file of environment variables' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand create" -l unsetenv -d 'Unset an environment variable of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s w -l workdir -d 'Working directory inside the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l group-add -d 'Add additional groups to join; keep-groups keeps the caller\'s' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s h -l hostname -d 'Container host name' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l domainname -d 'Container NIS domain name' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l passwd -d 'Complete the image\'s passwd and group files for a user that they lack' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l passwd-entry -d 'The line of such a user, with $USERNAME, $UID, $GID, $NAME and $HOME' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l group-entry -d 'The line of such a group, with $GROUPNAME, $GID and $USERLIST' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l hostuser -d 'Add the host\'s line of a user to the image\'s passwd and group files' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l systemd -d 'Prepare the container for systemd as its first process: true when it is, always or false' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l umask -d 'File mode creation mask, octal' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l secret -d 'Give the container a secret: NAME[,type=mount|env,target=,uid=,gid=,mode=]' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l tz -d 'Set timezone in container: an area such as Europe/Vienna, or local' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l http-proxy -d 'Set proxy environment variables in the container based on the host proxy vars' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s v -l volume -d 'Bind mount a volume: [SOURCE:]TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l mount -d 'Attach a filesystem mount to the container: type=bind|volume|tmpfs|image,src=…,dst=…' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l volumes-from -d 'Mount volumes from the specified container(s): CONTAINER[:ro|rw]' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l image-volume -d 'What stands for the volumes of the image: bind, tmpfs or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l tmpfs -d 'Mount a tmpfs directory: TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l read-only-tmpfs -d 'With --read-only, keep /run, /tmp and /var/tmp writable' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l shm-size -d 'Size of /dev/shm' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l storage-opt -d 'Options of the storage driver; there is none that ketch\'s storage has' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l network -d 'Connect the container to a network: none, host, private, container:NAME, ns:PATH or a network\'s name with options' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l ip -d 'IPv4 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l ip6 -d 'IPv6 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l mac-address -d 'Container MAC address' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l expose -d 'Expose a port or a range of ports' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l hosts-file -d 'What /etc/hosts begins with: a file of the host, image or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l security-opt -d 'Security options: no-new-privileges, seccomp=, apparmor=, mask=, unmask=' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l device -d 'Add a host device to the container: SOURCE[:TARGET[:rwm]], or a CDI name' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l gpus -d 'GPU devices to add to the container: all, a number, or device=ID,…' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list: TYPE MAJOR:MINOR ACCESS' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l sysctl -d 'Sysctl options: KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l userns -d 'User namespace: host, keep-id[:uid=N,gid=N], auto[:size=N] or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l uidmap -d 'User ids of the container: CONTAINER:HOST[:COUNT], of an ordinary user as podman unshare has them' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l gidmap -d 'Group ids of the container, likewise' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l subuidname -d 'User ids of the container: those that /etc/subuid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l subgidname -d 'Group ids of the container: those that /etc/subgid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l pid -d 'PID namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l ipc -d 'IPC mode to use: private, shareable, none, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l uts -d 'UTS namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cgroupns -d 'Cgroup namespace to use: private or host' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l copy-in -d 'Copy a host path into the container\'s own layer before it starts' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l copy-out -d 'Copy a path of the container to the host when it has ended; all of it appears at once' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l copy-out-on -d 'When to copy out: always, also after a failure, or success' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l restart -d 'Restart policy when the container exits: no, on-failure[:MAX], always or unless-stopped' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l stop-timeout -d 'Timeout (in seconds) to stop the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l sdnotify -d 'Who notifies the manager of a service (NOTIFY_SOCKET): container, conmon, healthy or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l log-driver -d 'Logging driver: json-file, k8s-file, journald, passthrough or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l log-opt -d 'Log driver options: max-size, max-file, path, tag, labels, env' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l pidfile -d 'Write the host\'s process number of the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand create" -l conmon-pidfile -d 'Write the number of the process that keeps the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-cmd -d 'Command to run to check health' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-interval -d 'Time between running the check (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-retries -d 'Consecutive failures needed to report unhealthy (default 3)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-timeout -d 'Maximum time to allow one check to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-start-period -d 'Start period for the container to initialize before failures count (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-start-interval -d 'Time between running the check during the start period (ms|s|m|h) (default 5s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-on-failure -d 'Action when the container becomes unhealthy: none, kill, restart or stop' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-startup-cmd -d 'Command that has to succeed before the check begins' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-startup-interval -d 'Time between running it (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-startup-retries -d 'Failures in a row after which the container is restarted; 0 for never' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-startup-success -d 'Successes in a row needed (default 1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-startup-timeout -d 'Maximum time to allow it to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-log-destination -d 'Where results go as well: local, events_logger or a directory' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-max-log-count -d 'How many results are kept; 0 for as many as can be, 1000 (default 5)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l health-max-log-size -d 'How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand create" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand create" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l pull -d 'Pull image before running: missing, always, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l kernel-memory -d 'No kernel has this limit any more' -r
complete -c ketch -n "__fish_ketch_using_subcommand create" -l rm -d 'Automatically remove the container when it exits'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l rmi -d 'Remove the container and its image when it exits, unless another container has the image'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l replace -d 'Replace a container of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand create" -s i -l interactive -d 'Keep STDIN open'
complete -c ketch -n "__fish_ketch_using_subcommand create" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l env-host -d 'Pass the caller\'s whole environment'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l no-hostname -d 'Do not give the container a file /etc/hostname of its own'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l init -d 'Run an init inside the container that forwards signals and reaps processes'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l rootfs -d 'Run a plain directory: the IMAGE word names it'
complete -c ketch -n "__fish_ketch_using_subcommand create" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l no-hosts -d 'Do not create /etc/hosts within the container, instead use the version from the image'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l privileged -d 'Give extended privileges to this container'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c ketch -n "__fish_ketch_using_subcommand create" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l strict -d 'Fail when something asked for cannot be given'
complete -c ketch -n "__fish_ketch_using_subcommand create" -l help -d 'Print usage'
complete -c ketch -n "__fish_ketch_using_subcommand start" -l detach-keys -d 'Override the key sequence for detaching a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand start" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand start" -s f -l filter -d 'Start the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand start" -s a -l attach -d 'Attach STDOUT/STDERR and forward signals'
complete -c ketch -n "__fish_ketch_using_subcommand start" -s i -l interactive -d 'Attach container\'s STDIN'
complete -c ketch -n "__fish_ketch_using_subcommand start" -l all -d 'Start all containers'
complete -c ketch -n "__fish_ketch_using_subcommand start" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand start" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand attach" -l detach-keys -d 'Override the key sequence for detaching a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand attach" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand attach" -l no-stdin -d 'Do not attach STDIN'
complete -c ketch -n "__fish_ketch_using_subcommand attach" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand attach" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand exec" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s e -l env -d 'Set environment variables: KEY=VALUE, KEY to pass the caller\'s, PREFIX* to pass many' -r
complete -c ketch -n "__fish_ketch_using_subcommand exec" -l env-file -d 'Read in a file of environment variables' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s w -l workdir -d 'Working directory inside the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand exec" -l preserve-fds -d 'Pass N additional file descriptors, from 3 on, to the command' -r
complete -c ketch -n "__fish_ketch_using_subcommand exec" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s d -l detach -d 'Detached mode: run command in the background'
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s i -l interactive -d 'Keep STDIN open'
complete -c ketch -n "__fish_ketch_using_subcommand exec" -l privileged -d 'Give extended privileges to the command'
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand exec" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand top" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand top" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s n -l last -d 'Show n last created containers (includes all states)' -r
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s w -l watch -d 'Show the list again every so many seconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s a -l all -d 'Show all containers (default shows just running)'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s q -l quiet -d 'Only display container IDs'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s l -l latest -d 'Show the latest created container (includes all states)'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s s -l size -d 'Display total file sizes'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s p -l pod -d 'Display the pods of the containers (ketch has none)'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l ns -l namespace -d 'Display the namespaces of the containers'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l external -d 'Containers of other programs in the store (ketch\'s store has none)'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -l sync -d 'Look at the state of each container afresh (ketch always does)'
complete -c ketch -n "__fish_ketch_using_subcommand ps" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s t -l time -l timeout -d 'With --force: seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand rm" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand rm" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s f -l force -d 'Force the removal of a running container (uses SIGKILL)'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s v -l volumes -d 'Remove anonymous volumes associated with the container'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s i -l ignore -d 'Do not fail when a container does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -l depend -d 'Remove the containers that depend on the container, too'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand kill" -s s -l signal -d 'Signal to send to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand kill" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand kill" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand kill" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand kill" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand kill" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s s -l signal -d 'Signal to send to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s t -l timeout -l time -d 'Seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand stop" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s i -l ignore -d 'Do not fail when a container does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand stop" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand restart" -s s -l signal -d 'Signal to send to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand restart" -s t -l timeout -l time -d 'Seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand restart" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand restart" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand restart" -l running -d 'Act on all containers that run'
complete -c ketch -n "__fish_ketch_using_subcommand restart" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand restart" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand restart" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand pause" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand pause" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand pause" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand pause" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand pause" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand unpause" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand unpause" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand unpause" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand unpause" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand unpause" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand wait" -l condition -d 'Condition to wait for: stopped, exited, running, paused, created, healthy, unhealthy or removing' -r
complete -c ketch -n "__fish_ketch_using_subcommand wait" -s i -l interval -d 'Time between two looks; there are none, the wait ends at once' -r
complete -c ketch -n "__fish_ketch_using_subcommand wait" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand wait" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand wait" -l ignore -d 'Do not fail when a container does not exist, its code is -1'
complete -c ketch -n "__fish_ketch_using_subcommand wait" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand wait" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand wait" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand update" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l restart -d 'Restart policy to apply when the container exits: no, on-failure[:MAX], always or unless-stopped' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-cmd -d 'Command to run to check health' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-interval -d 'Time between running the check (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-retries -d 'Consecutive failures needed to report unhealthy (default 3)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-timeout -d 'Maximum time to allow one check to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-start-period -d 'Start period for the container to initialize before failures count (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-start-interval -d 'Time between running the check during the start period (ms|s|m|h) (default 5s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-on-failure -d 'Action when the container becomes unhealthy: none, kill, restart or stop' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-startup-cmd -d 'Command that has to succeed before the check begins' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-startup-interval -d 'Time between running it (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-startup-retries -d 'Failures in a row after which the container is restarted; 0 for never' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-startup-success -d 'Successes in a row needed (default 1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-startup-timeout -d 'Maximum time to allow it to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-log-destination -d 'Where results go as well: local, events_logger or a directory' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-max-log-count -d 'How many results are kept; 0 for as many as can be, 1000 (default 5)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l health-max-log-size -d 'How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand update" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand update" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c ketch -n "__fish_ketch_using_subcommand update" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand update" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand update" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand rename" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand init" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand init" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand init" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand init" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -s n -l tail -l lines -d 'Number of lines to show from the end of the logs' -r
complete -c ketch -n "__fish_ketch_using_subcommand logs" -l since -d 'Show logs since a timestamp (2026-01-02T13:23:37Z) or relative (42m for 42 minutes)' -r
complete -c ketch -n "__fish_ketch_using_subcommand logs" -l until -d 'Show logs before a timestamp (2026-01-02T13:23:37Z) or relative (42m for 42 minutes)' -r
complete -c ketch -n "__fish_ketch_using_subcommand logs" -s f -l follow -d 'Follow log output'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -s t -l timestamps -d 'Show timestamps'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -l details -d 'Show extra details provided to logs'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -l names -d 'Output the container name in the log, with several containers'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -l color -d 'Output the containers with different colors in the log, with several containers'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand logs" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand port" -s a -l all -d 'Show the ports of all running containers'
complete -c ketch -n "__fish_ketch_using_subcommand port" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand port" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand stats" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand stats" -s i -l interval -d 'Seconds between two results' -r
complete -c ketch -n "__fish_ketch_using_subcommand stats" -s a -l all -d 'Show all containers (default shows just running)'
complete -c ketch -n "__fish_ketch_using_subcommand stats" -l no-stream -d 'Disable streaming stats and only pull the first result'
complete -c ketch -n "__fish_ketch_using_subcommand stats" -l no-trunc -d 'Do not truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand stats" -l no-reset -d 'Do not clear the screen between two results'
complete -c ketch -n "__fish_ketch_using_subcommand stats" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand stats" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand cp" -s a -l archive -d 'Archive mode (copy all uid/gid information)'
complete -c ketch -n "__fish_ketch_using_subcommand cp" -s L -l follow-link -d 'Always follow symbol link in SRC_PATH'
complete -c ketch -n "__fish_ketch_using_subcommand cp" -s q -l quiet -d 'Suppress progress output during copy'
complete -c ketch -n "__fish_ketch_using_subcommand cp" -l overwrite -d 'Allow to overwrite directories with non-directories and vice versa'
complete -c ketch -n "__fish_ketch_using_subcommand cp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand diff" -l format -d 'Change the output format (json)' -r
complete -c ketch -n "__fish_ketch_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand export" -s o -l output -d 'Write to a file, instead of STDOUT' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand export" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s a -l author -d 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' -r
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s m -l message -d 'Commit message' -r
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s p -l pause -d 'Pause container during commit' -r
complete -c ketch -n "__fish_ketch_using_subcommand commit" -l iidfile -d 'Write the image ID to the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s f -l format -d 'Format of the image manifest and metadata' -r -f -a "oci\t''
docker\t''"
complete -c ketch -n "__fish_ketch_using_subcommand commit" -l no-pause -d 'Do not pause the container during commit'
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s q -l quiet -d 'Suppress output'
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s s -l squash -d 'Make one layer of all the container\'s files'
complete -c ketch -n "__fish_ketch_using_subcommand commit" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand mount" -l format -d 'Print the mounted containers in this format (json)' -r
complete -c ketch -n "__fish_ketch_using_subcommand mount" -s a -l all -d 'Mount all containers'
complete -c ketch -n "__fish_ketch_using_subcommand mount" -l notruncate -l no-trunc -d 'Do not truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand mount" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand unmount" -s a -l all -d 'Unmount all containers'
complete -c ketch -n "__fish_ketch_using_subcommand unmount" -s f -l force -d 'Unmount whatever uses the mount'
complete -c ketch -n "__fish_ketch_using_subcommand unmount" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand umount" -s a -l all -d 'Unmount all containers'
complete -c ketch -n "__fish_ketch_using_subcommand umount" -s f -l force -d 'Unmount whatever uses the mount'
complete -c ketch -n "__fish_ketch_using_subcommand umount" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand build" -s t -l tag -d 'Name and optionally a tag of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -s f -l file -d 'Name of the Dockerfile; - is standard input' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand build" -l build-arg -d 'Set build-time variables' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l build-arg-file -d 'Read build-time variables from a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand build" -l build-context -d 'Additional build contexts, such as name=path, name=docker-image://IMAGE or name=oci-layout://PATH:TAG' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l target -d 'Set the target build stage to build' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l label -d 'Set metadata for an image' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l annotation -d 'Add annotation to the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l platform -d 'Set target platforms for the build' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l pull -d 'Ask for newer base images: always, missing, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l no-cache-filter -d 'Do not cache specified stages' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l secret -d 'Secret to expose to the build: id=ID[,src=PATH|env=NAME]' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l ssh -d 'SSH agent to expose to the build: default or ID[=SOCKET]' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l allow -d 'Allow a right: network.host or security.insecure' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -s o -l output -d 'Output destination: a directory, - or type=TYPE,dest=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l iidfile -d 'Write the image ID to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand build" -l metadata-file -d 'Write build result metadata to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand build" -l progress -d 'Set type of progress output: auto, plain, tty, rawjson or quiet' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l call -d 'Set method for evaluating the Dockerfile: build, check, outline or targets' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l network -d 'Set the networking mode for the RUN instructions' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l shm-size -d 'Shared memory size for build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l security-opt -d 'Security options' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l device -d 'Add a host device to the build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l jobs -d 'Number of steps that run at one time' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l on-error -d 'What happens when a command fails: stop, or shell, which opens one in its place' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l format -d 'Format of the image\'s manifest and configuration: oci or docker' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l source-date-epoch -d 'Set the time of everything that is made, in seconds since 1970' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l rewrite-timestamp -d 'Let no file in the new layers be younger than SOURCE_DATE_EPOCH' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l timestamp -d 'Set both: the time of everything, also of the files in the new layers' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l layers -d 'Cache intermediate layers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l rm -d 'Remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l force-rm -d 'Always remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cache-from -d 'Take results from another cache: a name, type=registry,ref=NAME or type=local,src=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l cache-to -d 'Give results to another cache: type=registry,ref=NAME, type=local,dest=PATH or type=inline' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l provenance -d 'Attest how the image was made: true, mode=min or mode=max (off unless asked)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l sbom -d 'Attest what is in the image (not there yet)' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l attest -d 'Attest how the image was made: type=provenance,mode=min|max' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l builder -d 'Name a builder; there is one' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand build" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand build" -l no-cache -d 'Do not use cache when building the image'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l load -d 'Keep the result in the store, which every build does'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l push -d 'Shorthand for --output=type=registry'
complete -c ketch -n "__fish_ketch_using_subcommand build" -s q -l quiet -d 'Suppress the build output and print image ID on success'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l why -d 'Say for each step that runs again which of its inputs changed'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l check -d 'Check the Dockerfile and build nothing'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l squash -d 'Squash newly built layers into a single new layer'
complete -c ketch -n "__fish_ketch_using_subcommand build" -l verify -d 'Build a second time without the cache, and fail when the result is another'
complete -c ketch -n "__fish_ketch_using_subcommand build" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand import" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c ketch -n "__fish_ketch_using_subcommand import" -s m -l message -d 'Set commit message for imported image' -r
complete -c ketch -n "__fish_ketch_using_subcommand import" -l platform -d 'Set platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand import" -l os -d 'Set the operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand import" -l arch -d 'Set the architecture' -r
complete -c ketch -n "__fish_ketch_using_subcommand import" -l variant -d 'Set the variant of the architecture' -r
complete -c ketch -n "__fish_ketch_using_subcommand import" -s q -l quiet -d 'Suppress output'
complete -c ketch -n "__fish_ketch_using_subcommand import" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand pull" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand pull" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand push" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand push" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand push" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand push" -l digestfile -d 'Write the digest of what was pushed to this file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand push" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand push" -s a -l all-tags -d 'Push all tags of the image that are here'
complete -c ketch -n "__fish_ketch_using_subcommand push" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand save" -s o -l output -d 'Write to a file, or a directory, instead of STDOUT' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand save" -l format -d 'Form of the archive; docker\'s, which docker-archive and oci-archive readers both take, unless called as podman, whose is docker-archive' -r
complete -c ketch -n "__fish_ketch_using_subcommand save" -l platform -d 'Save only this platform of an image for several, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand save" -s m -l multi-image-archive -d 'Take further arguments for images and not for names, as is usual unless called as podman'
complete -c ketch -n "__fish_ketch_using_subcommand save" -l compress -d 'Leave layers compressed in a docker-dir'
complete -c ketch -n "__fish_ketch_using_subcommand save" -l uncompressed -d 'Do not compress layers in an oci-archive or oci-dir'
complete -c ketch -n "__fish_ketch_using_subcommand save" -s q -l quiet -d 'Suppress output'
complete -c ketch -n "__fish_ketch_using_subcommand save" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand load" -s i -l input -d 'Read from this archive or directory, instead of STDIN' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand load" -l platform -d 'Load only this platform of an image for several, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand load" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand load" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand images" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand images" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand images" -l sort -d 'Sort by created, id, repository, size or tag' -r
complete -c ketch -n "__fish_ketch_using_subcommand images" -s a -l all -d 'Show all images (every image is shown anyway)'
complete -c ketch -n "__fish_ketch_using_subcommand images" -l digests -d 'Show digests'
complete -c ketch -n "__fish_ketch_using_subcommand images" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand images" -s n -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand images" -s q -l quiet -d 'Only show image IDs'
complete -c ketch -n "__fish_ketch_using_subcommand images" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand rmi" -s f -l force -d 'Force removal of the image'
complete -c ketch -n "__fish_ketch_using_subcommand rmi" -s a -l all -d 'Remove all images'
complete -c ketch -n "__fish_ketch_using_subcommand rmi" -l no-prune -d 'Do not delete untagged layers and blobs now'
complete -c ketch -n "__fish_ketch_using_subcommand rmi" -s i -l ignore -d 'Do not fail when an image does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand rmi" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand tag" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand untag" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand history" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand history" -s H -l human -d 'Print sizes and dates in human readable format' -r
complete -c ketch -n "__fish_ketch_using_subcommand history" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand history" -s q -l quiet -d 'Only show image IDs'
complete -c ketch -n "__fish_ketch_using_subcommand history" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand inspect" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand inspect" -l type -d 'Only inspect objects of this type: container, image, volume or network' -r
complete -c ketch -n "__fish_ketch_using_subcommand inspect" -s s -l size -d 'Display total file sizes'
complete -c ketch -n "__fish_ketch_using_subcommand inspect" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand version" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand version" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand info" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand info" -s D -l debug -d 'For podman\'s scripts: there is no more to say'
complete -c ketch -n "__fish_ketch_using_subcommand info" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand events" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand events" -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand events" -l since -d 'Show all events created since a timestamp or an age (42m)' -r
complete -c ketch -n "__fish_ketch_using_subcommand events" -l until -d 'Show events until a timestamp or an age, then end' -r
complete -c ketch -n "__fish_ketch_using_subcommand events" -l stream -d 'Wait for further events; false shows those of the past' -r
complete -c ketch -n "__fish_ketch_using_subcommand events" -l no-trunc -d 'Do not truncate IDs (podman\'s text; they are whole anyway)' -r
complete -c ketch -n "__fish_ketch_using_subcommand events" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand boot" -l with -d 'What does it: systemd or cron (default: systemd where it runs)' -r
complete -c ketch -n "__fish_ketch_using_subcommand boot" -l enable -d 'Let the machine do so whenever it starts'
complete -c ketch -n "__fish_ketch_using_subcommand boot" -l disable -d 'Let it no more'
complete -c ketch -n "__fish_ketch_using_subcommand boot" -l status -d 'Say whether it does'
complete -c ketch -n "__fish_ketch_using_subcommand boot" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system-generator" -l user -d 'For the manager of a user, not for that of the system'
complete -c ketch -n "__fish_ketch_using_subcommand system-generator" -l dry-run -d 'Print the units instead of writing them'
complete -c ketch -n "__fish_ketch_using_subcommand system-generator" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand quadlet" -l user -d 'For the manager of a user, not for that of the system'
complete -c ketch -n "__fish_ketch_using_subcommand quadlet" -l dry-run -d 'Print the units instead of writing them'
complete -c ketch -n "__fish_ketch_using_subcommand quadlet" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand unshare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand doctor" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand completion" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand generate-docs" -l man -d 'Directory for the man pages' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand generate-docs" -l completions -d 'Directory for the completions' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand generate-docs" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and not __fish_seen_subcommand_from build prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and not __fish_seen_subcommand_from build prune" -f -a "build" -d 'Build an image from a Dockerfile'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and not __fish_seen_subcommand_from build prune" -f -a "prune" -d 'Remove build cache'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s t -l tag -d 'Name and optionally a tag of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s f -l file -d 'Name of the Dockerfile; - is standard input' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l build-arg -d 'Set build-time variables' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l build-arg-file -d 'Read build-time variables from a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l build-context -d 'Additional build contexts, such as name=path, name=docker-image://IMAGE or name=oci-layout://PATH:TAG' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l target -d 'Set the target build stage to build' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l label -d 'Set metadata for an image' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l annotation -d 'Add annotation to the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l platform -d 'Set target platforms for the build' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l pull -d 'Ask for newer base images: always, missing, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l no-cache-filter -d 'Do not cache specified stages' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l secret -d 'Secret to expose to the build: id=ID[,src=PATH|env=NAME]' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l ssh -d 'SSH agent to expose to the build: default or ID[=SOCKET]' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l allow -d 'Allow a right: network.host or security.insecure' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s o -l output -d 'Output destination: a directory, - or type=TYPE,dest=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l iidfile -d 'Write the image ID to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l metadata-file -d 'Write build result metadata to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l progress -d 'Set type of progress output: auto, plain, tty, rawjson or quiet' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l call -d 'Set method for evaluating the Dockerfile: build, check, outline or targets' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l network -d 'Set the networking mode for the RUN instructions' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l shm-size -d 'Shared memory size for build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l security-opt -d 'Security options' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l device -d 'Add a host device to the build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l jobs -d 'Number of steps that run at one time' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l on-error -d 'What happens when a command fails: stop, or shell, which opens one in its place' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l format -d 'Format of the image\'s manifest and configuration: oci or docker' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l source-date-epoch -d 'Set the time of everything that is made, in seconds since 1970' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l rewrite-timestamp -d 'Let no file in the new layers be younger than SOURCE_DATE_EPOCH' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l timestamp -d 'Set both: the time of everything, also of the files in the new layers' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l layers -d 'Cache intermediate layers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l rm -d 'Remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l force-rm -d 'Always remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cache-from -d 'Take results from another cache: a name, type=registry,ref=NAME or type=local,src=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l cache-to -d 'Give results to another cache: type=registry,ref=NAME, type=local,dest=PATH or type=inline' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l provenance -d 'Attest how the image was made: true, mode=min or mode=max (off unless asked)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l sbom -d 'Attest what is in the image (not there yet)' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l attest -d 'Attest how the image was made: type=provenance,mode=min|max' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l builder -d 'Name a builder; there is one' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l no-cache -d 'Do not use cache when building the image'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l load -d 'Keep the result in the store, which every build does'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l push -d 'Shorthand for --output=type=registry'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s q -l quiet -d 'Suppress the build output and print image ID on success'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l why -d 'Say for each step that runs again which of its inputs changed'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l check -d 'Check the Dockerfile and build nothing'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l squash -d 'Squash newly built layers into a single new layer'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -l verify -d 'Build a second time without the cache, and fail when the result is another'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from prune" -l keep-storage -d 'Amount of disk space to keep for cache' -r
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all build cache, also what images have as well'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from prune" -l verbose -d 'Provide a more verbose output'
complete -c ketch -n "__fish_ketch_using_subcommand builder; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "build" -d 'Build an image from a Dockerfile'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "version" -d 'Show builder version information'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "ls" -d 'List builder instances'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "create" -d 'Create a new builder instance: a name, since ketch is every builder'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "use" -d 'Set the builder instance in use'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "rm" -d 'Remove builder instances; the build cache stays'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "stop" -d 'Stop a builder instance, which runs nothing between builds'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "inspect" -d 'Inspect current builder instance'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "du" -d 'Disk usage of the build cache'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "prune" -d 'Remove build cache'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and not __fish_seen_subcommand_from build version ls create use rm stop inspect du prune imagetools" -f -a "imagetools" -d 'Look at images in registries'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s t -l tag -d 'Name and optionally a tag of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s f -l file -d 'Name of the Dockerfile; - is standard input' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l build-arg -d 'Set build-time variables' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l build-arg-file -d 'Read build-time variables from a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l build-context -d 'Additional build contexts, such as name=path, name=docker-image://IMAGE or name=oci-layout://PATH:TAG' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l target -d 'Set the target build stage to build' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l label -d 'Set metadata for an image' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l annotation -d 'Add annotation to the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l platform -d 'Set target platforms for the build' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l pull -d 'Ask for newer base images: always, missing, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l no-cache-filter -d 'Do not cache specified stages' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l secret -d 'Secret to expose to the build: id=ID[,src=PATH|env=NAME]' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l ssh -d 'SSH agent to expose to the build: default or ID[=SOCKET]' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l allow -d 'Allow a right: network.host or security.insecure' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s o -l output -d 'Output destination: a directory, - or type=TYPE,dest=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l iidfile -d 'Write the image ID to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l metadata-file -d 'Write build result metadata to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l progress -d 'Set type of progress output: auto, plain, tty, rawjson or quiet' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l call -d 'Set method for evaluating the Dockerfile: build, check, outline or targets' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l network -d 'Set the networking mode for the RUN instructions' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l shm-size -d 'Shared memory size for build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l security-opt -d 'Security options' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l device -d 'Add a host device to the build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l jobs -d 'Number of steps that run at one time' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l on-error -d 'What happens when a command fails: stop, or shell, which opens one in its place' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l format -d 'Format of the image\'s manifest and configuration: oci or docker' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l source-date-epoch -d 'Set the time of everything that is made, in seconds since 1970' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l rewrite-timestamp -d 'Let no file in the new layers be younger than SOURCE_DATE_EPOCH' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l timestamp -d 'Set both: the time of everything, also of the files in the new layers' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l layers -d 'Cache intermediate layers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l rm -d 'Remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l force-rm -d 'Always remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cache-from -d 'Take results from another cache: a name, type=registry,ref=NAME or type=local,src=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l cache-to -d 'Give results to another cache: type=registry,ref=NAME, type=local,dest=PATH or type=inline' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l provenance -d 'Attest how the image was made: true, mode=min or mode=max (off unless asked)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l sbom -d 'Attest what is in the image (not there yet)' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l attest -d 'Attest how the image was made: type=provenance,mode=min|max' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l builder -d 'Name a builder; there is one' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l no-cache -d 'Do not use cache when building the image'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l load -d 'Keep the result in the store, which every build does'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l push -d 'Shorthand for --output=type=registry'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s q -l quiet -d 'Suppress the build output and print image ID on success'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l why -d 'Say for each step that runs again which of its inputs changed'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l check -d 'Check the Dockerfile and build nothing'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l squash -d 'Squash newly built layers into a single new layer'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -l verify -d 'Build a second time without the cache, and fail when the result is another'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from version" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from ls" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Show builder names only'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Do not truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l buildkitd-config -l config -d 'BuildKit daemon config file; there is no daemon' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l buildkitd-flags -d 'BuildKit daemon flags; there is no daemon' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l driver -d 'Driver to tell those who ask' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l driver-opt -d 'Options for the driver, told to those who ask' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l name -d 'Builder name' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l node -d 'Name of the node' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l platform -d 'Platforms of the node' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l append -d 'Append a node to a builder instead of making one'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l bootstrap -d 'Boot the builder, which needs no boot'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -l use -d 'Set the builder as the one in use'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from use" -l default -d 'Set it as the default of the current context; there is one'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from use" -l global -d 'Keep it when contexts change'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from rm" -l builder -d 'Name of a builder; the one in use without one' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from rm" -l all-inactive -d 'Remove all inactive builders; none is inactive'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from rm" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from rm" -l keep-daemon -d 'Keep the daemon running; there is none'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from rm" -l keep-state -d 'Keep the build cache, which is always kept'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from stop" -l builder -d 'Name of a builder; the one in use without one' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from inspect" -l builder -d 'Name of a builder; the one in use without one' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from inspect" -l bootstrap -d 'Ensure builder has booted before inspecting, which it always has'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from du" -l filter -d 'Provide filter values: id=ID, type=TYPE or until=DURATION' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from du" -l format -d 'Format output: table or json' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from du" -l verbose -d 'Provide a more verbose output'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from du" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from prune" -l keep-storage -d 'Amount of disk space to keep for cache' -r
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all build cache, also what images have as well'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from prune" -l verbose -d 'Provide a more verbose output'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from imagetools" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand buildx; and __fish_seen_subcommand_from imagetools" -f -a "inspect" -d 'Show details of an image in the registry'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "run" -d 'Create and run a new container from an image'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "create" -d 'Create a new container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "start" -d 'Start one or more stopped containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "exec" -d 'Execute a command in a running container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "top" -d 'Display the running processes of a container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "ls" -d 'List containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "list" -d 'List containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "ps" -d 'List containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "rm" -d 'Remove one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "remove" -d 'Remove one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "kill" -d 'Kill one or more running containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "stop" -d 'Stop one or more running containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "restart" -d 'Restart one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "update" -d 'Update configuration of one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "rename" -d 'Rename a container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "exists" -d 'Check whether a container exists: the exit code is 0 if it does, 1 if not'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "init" -d 'Initialize one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "inspect" -d 'Display detailed information on one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "logs" -d 'Fetch the logs of one or more containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "stats" -d 'Display a live stream of container resource usage statistics'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "prune" -d 'Remove all stopped containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem, or between containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "mount" -d 'Mount a container\'s root filesystem, or list those that are'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "unmount" -d 'Unmount a container\'s root filesystem'
complete -c ketch -n "__fish_ketch_using_subcommand container; and not __fish_seen_subcommand_from run create start attach exec top ls list ps rm remove kill stop restart pause unpause wait update rename exists init inspect logs port stats prune cp diff export commit mount unmount umount" -f -a "umount" -d 'Unmount a container\'s root filesystem'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s a -l attach -d 'Attach to STDIN, STDOUT or STDERR' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l detach-keys -d 'Override the key sequence for detaching a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l preserve-fds -d 'Pass a number of additional file descriptors into the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l preserve-fd -d 'Pass these file descriptors into the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l name -d 'Assign a name to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l requires -d 'Start these containers first, before each start' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l runtime -d 'Runtime of the container: ketch\'s own, under any usual name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cidfile -d 'Write the container ID to the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s l -l label -d 'Set meta data on a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l label-file -d 'Read in a line delimited file of labels' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l annotation -d 'Add an annotation to the container (passed through to the OCI runtime specification)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-signal -d 'Signal to stop the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l timeout -d 'Kill the container after this many seconds; 0 means never' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s e -l env -d 'Set environment variables: KEY=VALUE, KEY to pass the caller\'s, PREFIX* to pass many' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l env-file -d 'Read in a file of environment variables' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv -d 'Unset an environment variable of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s w -l workdir -d 'Working directory inside the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l group-add -d 'Add additional groups to join; keep-groups keeps the caller\'s' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s h -l hostname -d 'Container host name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l domainname -d 'Container NIS domain name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l passwd -d 'Complete the image\'s passwd and group files for a user that they lack' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l passwd-entry -d 'The line of such a user, with $USERNAME, $UID, $GID, $NAME and $HOME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l group-entry -d 'The line of such a group, with $GROUPNAME, $GID and $USERLIST' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l hostuser -d 'Add the host\'s line of a user to the image\'s passwd and group files' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l systemd -d 'Prepare the container for systemd as its first process: true when it is, always or false' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l umask -d 'File mode creation mask, octal' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l secret -d 'Give the container a secret: NAME[,type=mount|env,target=,uid=,gid=,mode=]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l tz -d 'Set timezone in container: an area such as Europe/Vienna, or local' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l http-proxy -d 'Set proxy environment variables in the container based on the host proxy vars' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s v -l volume -d 'Bind mount a volume: [SOURCE:]TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l mount -d 'Attach a filesystem mount to the container: type=bind|volume|tmpfs|image,src=…,dst=…' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l volumes-from -d 'Mount volumes from the specified container(s): CONTAINER[:ro|rw]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l image-volume -d 'What stands for the volumes of the image: bind, tmpfs or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l tmpfs -d 'Mount a tmpfs directory: TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only-tmpfs -d 'With --read-only, keep /run, /tmp and /var/tmp writable' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l shm-size -d 'Size of /dev/shm' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l storage-opt -d 'Options of the storage driver; there is none that ketch\'s storage has' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l network -d 'Connect the container to a network: none, host, private, container:NAME, ns:PATH or a network\'s name with options' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l ip -d 'IPv4 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l ip6 -d 'IPv6 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l mac-address -d 'Container MAC address' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l expose -d 'Expose a port or a range of ports' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l hosts-file -d 'What /etc/hosts begins with: a file of the host, image or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l security-opt -d 'Security options: no-new-privileges, seccomp=, apparmor=, mask=, unmask=' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l device -d 'Add a host device to the container: SOURCE[:TARGET[:rwm]], or a CDI name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l gpus -d 'GPU devices to add to the container: all, a number, or device=ID,…' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list: TYPE MAJOR:MINOR ACCESS' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l sysctl -d 'Sysctl options: KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l userns -d 'User namespace: host, keep-id[:uid=N,gid=N], auto[:size=N] or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l uidmap -d 'User ids of the container: CONTAINER:HOST[:COUNT], of an ordinary user as podman unshare has them' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l gidmap -d 'Group ids of the container, likewise' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l subuidname -d 'User ids of the container: those that /etc/subuid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l subgidname -d 'Group ids of the container: those that /etc/subgid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l pid -d 'PID namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l ipc -d 'IPC mode to use: private, shareable, none, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l uts -d 'UTS namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroupns -d 'Cgroup namespace to use: private or host' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l copy-in -d 'Copy a host path into the container\'s own layer before it starts' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l copy-out -d 'Copy a path of the container to the host when it has ended; all of it appears at once' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l copy-out-on -d 'When to copy out: always, also after a failure, or success' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l restart -d 'Restart policy when the container exits: no, on-failure[:MAX], always or unless-stopped' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-timeout -d 'Timeout (in seconds) to stop the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l sdnotify -d 'Who notifies the manager of a service (NOTIFY_SOCKET): container, conmon, healthy or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l log-driver -d 'Logging driver: json-file, k8s-file, journald, passthrough or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l log-opt -d 'Log driver options: max-size, max-file, path, tag, labels, env' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l pidfile -d 'Write the host\'s process number of the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l conmon-pidfile -d 'Write the number of the process that keeps the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-cmd -d 'Command to run to check health' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-interval -d 'Time between running the check (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-retries -d 'Consecutive failures needed to report unhealthy (default 3)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-timeout -d 'Maximum time to allow one check to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-start-period -d 'Start period for the container to initialize before failures count (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-start-interval -d 'Time between running the check during the start period (ms|s|m|h) (default 5s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-on-failure -d 'Action when the container becomes unhealthy: none, kill, restart or stop' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-cmd -d 'Command that has to succeed before the check begins' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-interval -d 'Time between running it (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-retries -d 'Failures in a row after which the container is restarted; 0 for never' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-success -d 'Successes in a row needed (default 1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-startup-timeout -d 'Maximum time to allow it to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-log-destination -d 'Where results go as well: local, events_logger or a directory' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-max-log-count -d 'How many results are kept; 0 for as many as can be, 1000 (default 5)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l health-max-log-size -d 'How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l pull -d 'Pull image before running: missing, always, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l kernel-memory -d 'No kernel has this limit any more' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s d -l detach -d 'Run container in background and print container ID'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l timing -d 'Say on stderr how long each phase took'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l rm -d 'Automatically remove the container when it exits'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l rmi -d 'Remove the container and its image when it exits, unless another container has the image'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l replace -d 'Replace a container of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s i -l interactive -d 'Keep STDIN open'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l env-host -d 'Pass the caller\'s whole environment'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hostname -d 'Do not give the container a file /etc/hostname of its own'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l init -d 'Run an init inside the container that forwards signals and reaps processes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l rootfs -d 'Run a plain directory: the IMAGE word names it'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hosts -d 'Do not create /etc/hosts within the container, instead use the version from the image'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l privileged -d 'Give extended privileges to this container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l strict -d 'Fail when something asked for cannot be given'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from run" -l help -d 'Print usage'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l name -d 'Assign a name to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l requires -d 'Start these containers first, before each start' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l runtime -d 'Runtime of the container: ketch\'s own, under any usual name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cidfile -d 'Write the container ID to the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s l -l label -d 'Set meta data on a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l label-file -d 'Read in a line delimited file of labels' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l annotation -d 'Add an annotation to the container (passed through to the OCI runtime specification)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-signal -d 'Signal to stop the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l timeout -d 'Kill the container after this many seconds; 0 means never' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s e -l env -d 'Set environment variables: KEY=VALUE, KEY to pass the caller\'s, PREFIX* to pass many' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l env-file -d 'Read in a file of environment variables' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv -d 'Unset an environment variable of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s w -l workdir -d 'Working directory inside the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l group-add -d 'Add additional groups to join; keep-groups keeps the caller\'s' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s h -l hostname -d 'Container host name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l domainname -d 'Container NIS domain name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l passwd -d 'Complete the image\'s passwd and group files for a user that they lack' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l passwd-entry -d 'The line of such a user, with $USERNAME, $UID, $GID, $NAME and $HOME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l group-entry -d 'The line of such a group, with $GROUPNAME, $GID and $USERLIST' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l hostuser -d 'Add the host\'s line of a user to the image\'s passwd and group files' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l systemd -d 'Prepare the container for systemd as its first process: true when it is, always or false' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l umask -d 'File mode creation mask, octal' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l secret -d 'Give the container a secret: NAME[,type=mount|env,target=,uid=,gid=,mode=]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l tz -d 'Set timezone in container: an area such as Europe/Vienna, or local' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l http-proxy -d 'Set proxy environment variables in the container based on the host proxy vars' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s v -l volume -d 'Bind mount a volume: [SOURCE:]TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l mount -d 'Attach a filesystem mount to the container: type=bind|volume|tmpfs|image,src=…,dst=…' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l volumes-from -d 'Mount volumes from the specified container(s): CONTAINER[:ro|rw]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l image-volume -d 'What stands for the volumes of the image: bind, tmpfs or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l tmpfs -d 'Mount a tmpfs directory: TARGET[:OPTIONS]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only-tmpfs -d 'With --read-only, keep /run, /tmp and /var/tmp writable' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l shm-size -d 'Size of /dev/shm' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l storage-opt -d 'Options of the storage driver; there is none that ketch\'s storage has' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l network -d 'Connect the container to a network: none, host, private, container:NAME, ns:PATH or a network\'s name with options' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l ip -d 'IPv4 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l ip6 -d 'IPv6 address of the container on its network' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l mac-address -d 'Container MAC address' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l expose -d 'Expose a port or a range of ports' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l hosts-file -d 'What /etc/hosts begins with: a file of the host, image or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l security-opt -d 'Security options: no-new-privileges, seccomp=, apparmor=, mask=, unmask=' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l device -d 'Add a host device to the container: SOURCE[:TARGET[:rwm]], or a CDI name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l gpus -d 'GPU devices to add to the container: all, a number, or device=ID,…' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list: TYPE MAJOR:MINOR ACCESS' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l sysctl -d 'Sysctl options: KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l userns -d 'User namespace: host, keep-id[:uid=N,gid=N], auto[:size=N] or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l uidmap -d 'User ids of the container: CONTAINER:HOST[:COUNT], of an ordinary user as podman unshare has them' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l gidmap -d 'Group ids of the container, likewise' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l subuidname -d 'User ids of the container: those that /etc/subuid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l subgidname -d 'Group ids of the container: those that /etc/subgid gives this name' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l pid -d 'PID namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l ipc -d 'IPC mode to use: private, shareable, none, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l uts -d 'UTS namespace to use: private, host or container:NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroupns -d 'Cgroup namespace to use: private or host' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l copy-in -d 'Copy a host path into the container\'s own layer before it starts' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l copy-out -d 'Copy a path of the container to the host when it has ended; all of it appears at once' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l copy-out-on -d 'When to copy out: always, also after a failure, or success' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l restart -d 'Restart policy when the container exits: no, on-failure[:MAX], always or unless-stopped' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-timeout -d 'Timeout (in seconds) to stop the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l sdnotify -d 'Who notifies the manager of a service (NOTIFY_SOCKET): container, conmon, healthy or ignore' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l log-driver -d 'Logging driver: json-file, k8s-file, journald, passthrough or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l log-opt -d 'Log driver options: max-size, max-file, path, tag, labels, env' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l pidfile -d 'Write the host\'s process number of the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l conmon-pidfile -d 'Write the number of the process that keeps the container to the file at each start' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-cmd -d 'Command to run to check health' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-interval -d 'Time between running the check (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-retries -d 'Consecutive failures needed to report unhealthy (default 3)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-timeout -d 'Maximum time to allow one check to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-start-period -d 'Start period for the container to initialize before failures count (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-start-interval -d 'Time between running the check during the start period (ms|s|m|h) (default 5s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-on-failure -d 'Action when the container becomes unhealthy: none, kill, restart or stop' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-cmd -d 'Command that has to succeed before the check begins' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-interval -d 'Time between running it (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-retries -d 'Failures in a row after which the container is restarted; 0 for never' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-success -d 'Successes in a row needed (default 1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-startup-timeout -d 'Maximum time to allow it to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-log-destination -d 'Where results go as well: local, events_logger or a directory' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-max-log-count -d 'How many results are kept; 0 for as many as can be, 1000 (default 5)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l health-max-log-size -d 'How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l pull -d 'Pull image before running: missing, always, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l kernel-memory -d 'No kernel has this limit any more' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l rm -d 'Automatically remove the container when it exits'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l rmi -d 'Remove the container and its image when it exits, unless another container has the image'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l replace -d 'Replace a container of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s i -l interactive -d 'Keep STDIN open'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l env-host -d 'Pass the caller\'s whole environment'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hostname -d 'Do not give the container a file /etc/hostname of its own'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l init -d 'Run an init inside the container that forwards signals and reaps processes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l rootfs -d 'Run a plain directory: the IMAGE word names it'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hosts -d 'Do not create /etc/hosts within the container, instead use the version from the image'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l privileged -d 'Give extended privileges to this container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l strict -d 'Fail when something asked for cannot be given'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from create" -l help -d 'Print usage'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -l detach-keys -d 'Override the key sequence for detaching a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -s f -l filter -d 'Start the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -s a -l attach -d 'Attach STDOUT/STDERR and forward signals'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -s i -l interactive -d 'Attach container\'s STDIN'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -l all -d 'Start all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from attach" -l detach-keys -d 'Override the key sequence for detaching a container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from attach" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from attach" -l no-stdin -d 'Do not attach STDIN'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from attach" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from attach" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s e -l env -d 'Set environment variables: KEY=VALUE, KEY to pass the caller\'s, PREFIX* to pass many' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -l env-file -d 'Read in a file of environment variables' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s w -l workdir -d 'Working directory inside the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -l preserve-fds -d 'Pass N additional file descriptors, from 3 on, to the command' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s d -l detach -d 'Detached mode: run command in the background'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s i -l interactive -d 'Keep STDIN open'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -l privileged -d 'Give extended privileges to the command'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from top" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from top" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s n -l last -d 'Show n last created containers (includes all states)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Show the list again every so many seconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show all containers (default shows just running)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only display container IDs'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s l -l latest -d 'Show the latest created container (includes all states)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s s -l size -d 'Display total file sizes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s p -l pod -d 'Display the pods of the containers (ketch has none)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l ns -l namespace -d 'Display the namespaces of the containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l external -d 'Containers of other programs in the store (ketch\'s store has none)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -l sync -d 'Look at the state of each container afresh (ketch always does)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s n -l last -d 'Show n last created containers (includes all states)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s w -l watch -d 'Show the list again every so many seconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s a -l all -d 'Show all containers (default shows just running)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only display container IDs'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s l -l latest -d 'Show the latest created container (includes all states)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s s -l size -d 'Display total file sizes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s p -l pod -d 'Display the pods of the containers (ketch has none)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l ns -l namespace -d 'Display the namespaces of the containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l external -d 'Containers of other programs in the store (ketch\'s store has none)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -l sync -d 'Look at the state of each container afresh (ketch always does)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s n -l last -d 'Show n last created containers (includes all states)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s w -l watch -d 'Show the list again every so many seconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s a -l all -d 'Show all containers (default shows just running)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s q -l quiet -d 'Only display container IDs'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s l -l latest -d 'Show the latest created container (includes all states)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s s -l size -d 'Display total file sizes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s p -l pod -d 'Display the pods of the containers (ketch has none)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l ns -l namespace -d 'Display the namespaces of the containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l external -d 'Containers of other programs in the store (ketch\'s store has none)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -l sync -d 'Look at the state of each container afresh (ketch always does)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from ps" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s t -l time -l timeout -d 'With --force: seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s f -l force -d 'Force the removal of a running container (uses SIGKILL)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s v -l volumes -d 'Remove anonymous volumes associated with the container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Do not fail when a container does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -l depend -d 'Remove the containers that depend on the container, too'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s t -l time -l timeout -d 'With --force: seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s f -l force -d 'Force the removal of a running container (uses SIGKILL)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s v -l volumes -d 'Remove anonymous volumes associated with the container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s i -l ignore -d 'Do not fail when a container does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -l depend -d 'Remove the containers that depend on the container, too'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from kill" -s s -l signal -d 'Signal to send to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from kill" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from kill" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from kill" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from kill" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from kill" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s s -l signal -d 'Signal to send to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s t -l timeout -l time -d 'Seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s i -l ignore -d 'Do not fail when a container does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -s s -l signal -d 'Signal to send to the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -s t -l timeout -l time -d 'Seconds to wait before killing the container; -1 waits for ever' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -l running -d 'Act on all containers that run'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from pause" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from pause" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from pause" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from pause" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unpause" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unpause" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unpause" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unpause" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unpause" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -l condition -d 'Condition to wait for: stopped, exited, running, paused, created, healthy, unhealthy or removing' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -s i -l interval -d 'Time between two looks; there are none, the wait ends at once' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -s f -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -l ignore -d 'Do not fail when a container does not exist, its code is -1'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l restart -d 'Restart policy to apply when the container exits: no, on-failure[:MAX], always or unless-stopped' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-cmd -d 'Command to run to check health' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-interval -d 'Time between running the check (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-retries -d 'Consecutive failures needed to report unhealthy (default 3)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-timeout -d 'Maximum time to allow one check to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-start-period -d 'Start period for the container to initialize before failures count (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-start-interval -d 'Time between running the check during the start period (ms|s|m|h) (default 5s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-on-failure -d 'Action when the container becomes unhealthy: none, kill, restart or stop' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-cmd -d 'Command that has to succeed before the check begins' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-interval -d 'Time between running it (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-retries -d 'Failures in a row after which the container is restarted; 0 for never' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-success -d 'Successes in a row needed (default 1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-startup-timeout -d 'Maximum time to allow it to run (ms|s|m|h) (default 30s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-log-destination -d 'Where results go as well: local, events_logger or a directory' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-max-log-count -d 'How many results are kept; 0 for as many as can be, 1000 (default 5)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l health-max-log-size -d 'How much of what a check writes is kept; 0 for as much as can be, 64 KiB (default 4096)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exists" -s e -l external -d 'Look at containers of other tools in the same storage, too; there never are any'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from init" -l cidfile -d 'Read the container ID from the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from init" -l filter -d 'Act on the containers that fit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from init" -s a -l all -d 'Act on all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from init" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from inspect" -s s -l size -d 'Display total file sizes'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from inspect" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -s n -l tail -l lines -d 'Number of lines to show from the end of the logs' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -l since -d 'Show logs since a timestamp (2026-01-02T13:23:37Z) or relative (42m for 42 minutes)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -l until -d 'Show logs before a timestamp (2026-01-02T13:23:37Z) or relative (42m for 42 minutes)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Follow log output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -s t -l timestamps -d 'Show timestamps'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -l details -d 'Show extra details provided to logs'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -l names -d 'Output the container name in the log, with several containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -l color -d 'Output the containers with different colors in the log, with several containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from port" -s a -l all -d 'Show the ports of all running containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from port" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from port" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -s i -l interval -d 'Seconds between two results' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -s a -l all -d 'Show all containers (default shows just running)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-stream -d 'Disable streaming stats and only pull the first result'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-trunc -d 'Do not truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-reset -d 'Do not clear the screen between two results'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -s l -l latest -d 'Act on the latest container'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from prune" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from cp" -s a -l archive -d 'Archive mode (copy all uid/gid information)'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from cp" -s L -l follow-link -d 'Always follow symbol link in SRC_PATH'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from cp" -s q -l quiet -d 'Suppress progress output during copy'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from cp" -l overwrite -d 'Allow to overwrite directories with non-directories and vice versa'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from cp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from diff" -l format -d 'Change the output format (json)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from export" -s o -l output -d 'Write to a file, instead of STDOUT' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s a -l author -d 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s m -l message -d 'Commit message' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s p -l pause -d 'Pause container during commit' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -l iidfile -d 'Write the image ID to the file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s f -l format -d 'Format of the image manifest and metadata' -r -f -a "oci\t''
docker\t''"
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -l no-pause -d 'Do not pause the container during commit'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s q -l quiet -d 'Suppress output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s s -l squash -d 'Make one layer of all the container\'s files'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from commit" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from mount" -l format -d 'Print the mounted containers in this format (json)' -r
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from mount" -s a -l all -d 'Mount all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from mount" -l notruncate -l no-trunc -d 'Do not truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from mount" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unmount" -s a -l all -d 'Unmount all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unmount" -s f -l force -d 'Unmount whatever uses the mount'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from unmount" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from umount" -s a -l all -d 'Unmount all containers'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from umount" -s f -l force -d 'Unmount whatever uses the mount'
complete -c ketch -n "__fish_ketch_using_subcommand container; and __fish_seen_subcommand_from umount" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and not __fish_seen_subcommand_from systemd" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and not __fish_seen_subcommand_from systemd" -f -a "systemd" -d 'Generate a systemd unit file for a container'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l restart-policy -d 'systemd\'s restart policy (default: the container\'s own, else on-failure)' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l restart-sec -d 'Seconds to wait before a restart' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l start-timeout -d 'Seconds until a start has failed' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s t -l stop-timeout -d 'Seconds between the stop signal and the kill (default: the container\'s own, else 10)' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l container-prefix -d 'Prefix of the unit\'s name' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l separator -d 'What stands between the prefix and the name' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s e -l env -d 'Set environment variables of the service' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l wants -d 'Add a weak dependency on other units' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l after -d 'Start after other units' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l requires -d 'Add a strong dependency on other units' -r
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s n -l name -d 'Use the container\'s name instead of its ID'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l new -d 'Make a new container at each start, instead of starting the one that is there'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s f -l files -d 'Write the unit file into the current directory and print its path'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l no-header -d 'Leave the comment with name and version out'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -l template -d 'Make a template for several instances (with --new)'
complete -c ketch -n "__fish_ketch_using_subcommand generate; and __fish_seen_subcommand_from systemd" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand healthcheck; and not __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand healthcheck; and not __fish_seen_subcommand_from run" -f -a "run" -d 'Run the health check of a container'
complete -c ketch -n "__fish_ketch_using_subcommand healthcheck; and __fish_seen_subcommand_from run" -l ignore-result -d 'Succeed whatever the result of the check'
complete -c ketch -n "__fish_ketch_using_subcommand healthcheck; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "build" -d 'Build an image from a Dockerfile'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "diff" -d 'Inspect changes that the last layer of an image makes to those below it'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "pull" -d 'Download an image from a registry'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "push" -d 'Upload an image to a registry'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "save" -d 'Save one or more images to an archive'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "load" -d 'Load images from an archive or STDIN'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "ls" -d 'List images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "list" -d 'List images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "rm" -d 'Remove one or more images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "remove" -d 'Remove one or more images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "exists" -d 'Check whether an image is here: the exit code is 0 if it is, 1 if not'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "untag" -d 'Take names away from an image, which stays: the given ones, or all'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "history" -d 'Show the history of an image'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and not __fish_seen_subcommand_from build import diff pull push save load ls list rm remove exists tag untag history inspect prune" -f -a "prune" -d 'Remove unused images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s t -l tag -d 'Name and optionally a tag of the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s f -l file -d 'Name of the Dockerfile; - is standard input' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l build-arg -d 'Set build-time variables' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l build-arg-file -d 'Read build-time variables from a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l build-context -d 'Additional build contexts, such as name=path, name=docker-image://IMAGE or name=oci-layout://PATH:TAG' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l target -d 'Set the target build stage to build' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l label -d 'Set metadata for an image' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l annotation -d 'Add annotation to the image' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l platform -d 'Set target platforms for the build' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l pull -d 'Ask for newer base images: always, missing, never or newer' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l no-cache-filter -d 'Do not cache specified stages' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l secret -d 'Secret to expose to the build: id=ID[,src=PATH|env=NAME]' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l ssh -d 'SSH agent to expose to the build: default or ID[=SOCKET]' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l allow -d 'Allow a right: network.host or security.insecure' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s o -l output -d 'Output destination: a directory, - or type=TYPE,dest=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l iidfile -d 'Write the image ID to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l metadata-file -d 'Write build result metadata to a file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l progress -d 'Set type of progress output: auto, plain, tty, rawjson or quiet' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l call -d 'Set method for evaluating the Dockerfile: build, check, outline or targets' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l network -d 'Set the networking mode for the RUN instructions' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l add-host -d 'Add a custom host-to-IP mapping' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l dns -d 'Set custom DNS servers' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l dns-search -d 'Set custom DNS search domains' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l dns-option -d 'Set DNS options' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l shm-size -d 'Shared memory size for build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s m -l memory -d 'Memory limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l memory-swap -d 'Swap limit equal to memory plus swap: -1 to enable unlimited swap' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l memory-reservation -d 'Memory soft limit' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cpus -d 'Number of CPUs' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota, in microseconds' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l pids-limit -d 'Tune container pids limit (set -1 for unlimited)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l oom-score-adj -d 'Tune host\'s OOM preferences (-1000 to 1000)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100, -1 for the system\'s)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l ulimit -d 'Ulimit options: NAME=SOFT[:HARD]' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cap-add -d 'Add Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l security-opt -d 'Security options' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l device -d 'Add a host device to the build containers' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l jobs -d 'Number of steps that run at one time' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l on-error -d 'What happens when a command fails: stop, or shell, which opens one in its place' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l format -d 'Format of the image\'s manifest and configuration: oci or docker' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l source-date-epoch -d 'Set the time of everything that is made, in seconds since 1970' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l rewrite-timestamp -d 'Let no file in the new layers be younger than SOURCE_DATE_EPOCH' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l timestamp -d 'Set both: the time of everything, also of the files in the new layers' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l layers -d 'Cache intermediate layers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l rm -d 'Remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l force-rm -d 'Always remove intermediate containers, which every build does' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cache-from -d 'Take results from another cache: a name, type=registry,ref=NAME or type=local,src=PATH' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l cache-to -d 'Give results to another cache: type=registry,ref=NAME, type=local,dest=PATH or type=inline' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l provenance -d 'Attest how the image was made: true, mode=min or mode=max (off unless asked)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l sbom -d 'Attest what is in the image (not there yet)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l attest -d 'Attest how the image was made: type=provenance,mode=min|max' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l builder -d 'Name a builder; there is one' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l no-cache -d 'Do not use cache when building the image'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l load -d 'Keep the result in the store, which every build does'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l push -d 'Shorthand for --output=type=registry'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s q -l quiet -d 'Suppress the build output and print image ID on success'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l why -d 'Say for each step that runs again which of its inputs changed'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l check -d 'Check the Dockerfile and build nothing'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l squash -d 'Squash newly built layers into a single new layer'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -l verify -d 'Build a second time without the cache, and fail when the result is another'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -s m -l message -d 'Set commit message for imported image' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -l platform -d 'Set platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -l os -d 'Set the operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -l arch -d 'Set the architecture' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -l variant -d 'Set the variant of the architecture' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Suppress output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from diff" -l format -d 'Change the output format (json)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l platform -d 'Choose the image for this platform, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l arch -d 'Choose the image for this architecture, such as arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l os -d 'Choose the image for this operating system' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l variant -d 'Choose the image for this variant of the architecture, such as v7' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l tls-verify -d 'Require HTTPS and check certificates' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l authfile -d 'File of registry credentials' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l creds -d 'Credentials for the registry' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l cert-dir -d 'Directory of certificates and keys for the registry' -r -f -a "(__fish_complete_directories)"
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l retry -d 'How often a failed request to the registry is tried again (default 4)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l retry-delay -d 'Time between two tries, in place of one that grows (ms|s|m|h)' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -l digestfile -d 'Write the digest of what was pushed to this file' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -s a -l all-tags -d 'Push all tags of the image that are here'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -s o -l output -d 'Write to a file, or a directory, instead of STDOUT' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -l format -d 'Form of the archive; docker\'s, which docker-archive and oci-archive readers both take, unless called as podman, whose is docker-archive' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -l platform -d 'Save only this platform of an image for several, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -s m -l multi-image-archive -d 'Take further arguments for images and not for names, as is usual unless called as podman'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -l compress -d 'Leave layers compressed in a docker-dir'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -l uncompressed -d 'Do not compress layers in an oci-archive or oci-dir'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -s q -l quiet -d 'Suppress output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from save" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'Read from this archive or directory, instead of STDIN' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from load" -l platform -d 'Load only this platform of an image for several, such as linux/arm64' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Suppress progress output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from load" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by created, id, repository, size or tag' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show all images (every image is shown anyway)'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show digests'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only show image IDs'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -l sort -d 'Sort by created, id, repository, size or tag' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Show all images (every image is shown anyway)'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show digests'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Do not print the header row'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only show image IDs'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Force removal of the image'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from rm" -l no-prune -d 'Do not delete untagged layers and blobs now'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Do not fail when an image does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from remove" -s f -l force -d 'Force removal of the image'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from remove" -s a -l all -d 'Remove all images'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from remove" -l no-prune -d 'Do not delete untagged layers and blobs now'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from remove" -s i -l ignore -d 'Do not fail when an image does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from tag" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from untag" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from history" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from history" -s H -l human -d 'Print sizes and dates in human readable format' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from history" -l no-trunc -d 'Don\'t truncate output'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Only show image IDs'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from prune" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all unused images, not just dangling ones'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand image; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "create" -d 'Create a network'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "ls" -d 'List networks'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "list" -d 'List networks'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "inspect" -d 'Display detailed information on one or more networks'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "rm" -d 'Remove one or more networks'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "remove" -d 'Remove one or more networks'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "prune" -d 'Remove all networks that no container asks for'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "exists" -d 'Check whether a network exists: the exit code is 0 if it does, 1 if not'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "connect" -d 'Connect a container to a network'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "disconnect" -d 'Disconnect a container from a network'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "reload" -d 'Add the firewall\'s rules of running containers again, after a reload of the firewall'
complete -c ketch -n "__fish_ketch_using_subcommand network; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists connect disconnect reload update" -f -a "update" -d 'Change the name servers of a network; its running containers use them at once'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -s d -l driver -d 'What connects the containers: bridge, macvlan, ipvlan or none' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l subnet -d 'Subnet in CIDR format that represents a network segment' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l gateway -d 'IPv4 or IPv6 gateway for the subnet' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l ip-range -d 'Allocate container ip from a sub-range' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l aux-address -d 'Addresses that no container is given' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l dns -d 'Server that containers ask for names outside, instead of the host\'s' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l label -d 'Set metadata on a network' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -s o -l opt -d 'Set driver specific options, such as mtu=1400' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l interface-name -d 'Name of the bridge, or of the host\'s device for macvlan and ipvlan' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l internal -d 'Restrict external access to the network'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l ipv6 -d 'Give containers IPv6 addresses'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l disable-dns -d 'Do not let containers find each other by name'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l attachable -d 'Let containers be attached by hand (they always can)'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -l ignore -d 'Do not fail if there is a network of this name'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from ls" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Provide filter values: driver, id, label, name, scope, type, dangling or until' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Do not truncate the output'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only display network IDs, with podman\'s habits names'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Do not print headers'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from list" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from list" -s f -l filter -d 'Provide filter values: driver, id, label, name, scope, type, dangling or until' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from list" -l no-trunc -d 'Do not truncate the output'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only display network IDs, with podman\'s habits names'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Do not print headers'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from inspect" -s v -l verbose -d 'Verbose output for diagnostics'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from rm" -s t -l time -d 'With --force under podman\'s name: seconds before what is on a network is killed' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from rm" -s f -l force -d 'Do not fail if a network does not exist; with podman\'s habits, remove its containers too'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from remove" -s t -l time -d 'With --force under podman\'s name: seconds before what is on a network is killed' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from remove" -s f -l force -d 'Do not fail if a network does not exist; with podman\'s habits, remove its containers too'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from prune" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from connect" -l alias -d 'Add network-scoped alias for the container' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from connect" -l ip -d 'IPv4 address' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from connect" -l ip6 -d 'IPv6 address' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from connect" -l mac-address -d 'MAC address' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from connect" -l driver-opt -d 'Driver options for the network, such as com.docker.network.endpoint.ifname=NAME' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from connect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from disconnect" -s f -l force -d 'Succeed for a container that is gone or not on the network'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from disconnect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from reload" -s a -l all -d 'Reload the networks of all running containers'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from update" -l dns-add -d 'Add a server that containers ask for names outside' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from update" -l dns-drop -d 'Remove such a server' -r
complete -c ketch -n "__fish_ketch_using_subcommand network; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "create" -d 'Create a secret from a file, from standard input (-) or from an environment variable'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "ls" -d 'List secrets'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "list" -d 'List secrets'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "inspect" -d 'Display detailed information on one or more secrets'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "rm" -d 'Remove one or more secrets; containers that have them keep their copies'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "remove" -d 'Remove one or more secrets; containers that have them keep their copies'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and not __fish_seen_subcommand_from create ls list inspect rm remove exists" -f -a "exists" -d 'Check whether a secret exists: the exit code is 0 if it does, 1 if not'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from create" -s d -l driver -d 'Where secrets are kept: file' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from create" -s l -l label -d 'Set meta data on the secret' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from create" -l env -d 'Take the content from the environment variable of this name'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from create" -l replace -d 'Replace a secret of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from create" -l ignore -d 'Succeed without a change when there is a secret of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from ls" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Provide filter values: name=TEXT or id=PREFIX' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only display IDs'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Do not print headers'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from list" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from list" -s f -l filter -d 'Provide filter values: name=TEXT or id=PREFIX' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only display IDs'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Do not print headers'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from inspect" -l showsecret -d 'Display the content as well'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all secrets'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Do not fail when a secret does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from remove" -s a -l all -d 'Remove all secrets'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from remove" -s i -l ignore -d 'Do not fail when a secret does not exist'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand secret; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "create" -d 'Create a volume'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "ls" -d 'List volumes'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "list" -d 'List volumes'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "inspect" -d 'Display detailed information on one or more volumes'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "rm" -d 'Remove one or more volumes that no container has'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "remove" -d 'Remove one or more volumes that no container has'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "prune" -d 'Remove anonymous volumes that no container has'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "exists" -d 'Check whether a volume exists: the exit code is 0 if it does, 1 if not'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "export" -d 'Export the content of a volume as a tar archive'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and not __fish_seen_subcommand_from create ls list inspect rm remove prune exists export import" -f -a "import" -d 'Import the content of a tar archive into a volume'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from create" -s d -l driver -d 'Volume driver: local, or tmpfs for one that each container gets fresh' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from create" -s l -l label -d 'Set metadata for a volume' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from create" -s o -l opt -d 'Driver options: type=none, o=bind and device=/PATH, or type=tmpfs and o=size=…' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from create" -l ignore -d 'Succeed when there is a volume of the same name'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from ls" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Provide filter values, such as dangling=true, driver=, label=, name=, anonymous=, until=' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only display volume names'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Do not print headers'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from list" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from list" -s f -l filter -d 'Provide filter values, such as dangling=true, driver=, label=, name=, anonymous=, until=' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only display volume names'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Do not print headers'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s a -l all -d 'Inspect all volumes'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from rm" -s t -l time -d 'With --force under podman\'s name: seconds before what uses a volume is killed' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all volumes'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from rm" -s f -l force -d 'Do not fail when a volume does not exist; podman\'s habit: remove its containers first'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from remove" -s t -l time -d 'With --force under podman\'s name: seconds before what uses a volume is killed' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from remove" -s a -l all -d 'Remove all volumes'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from remove" -s f -l force -d 'Do not fail when a volume does not exist; podman\'s habit: remove its containers first'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from prune" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all unused volumes, not just anonymous ones'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from export" -s o -l output -d 'Write to a file, instead of STDOUT' -r -F
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand volume; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system; and not __fish_seen_subcommand_from info events df check prune" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system; and not __fish_seen_subcommand_from info events df check prune" -f -a "info" -d 'Display system-wide information'
complete -c ketch -n "__fish_ketch_using_subcommand system; and not __fish_seen_subcommand_from info events df check prune" -f -a "events" -d 'Get real time events'
complete -c ketch -n "__fish_ketch_using_subcommand system; and not __fish_seen_subcommand_from info events df check prune" -f -a "df" -d 'Show disk usage'
complete -c ketch -n "__fish_ketch_using_subcommand system; and not __fish_seen_subcommand_from info events df check prune" -f -a "check" -d 'Check that the store is whole; with --repair, put it right'
complete -c ketch -n "__fish_ketch_using_subcommand system; and not __fish_seen_subcommand_from info events df check prune" -f -a "prune" -d 'Remove unused data'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from info" -s D -l debug -d 'For podman\'s scripts: there is no more to say'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -l format -d 'Format output: json, or a Go template' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -l since -d 'Show all events created since a timestamp or an age (42m)' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -l until -d 'Show events until a timestamp or an age, then end' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -l stream -d 'Wait for further events; false shows those of the past' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -l no-trunc -d 'Do not truncate IDs (podman\'s text; they are whole anyway)' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from events" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from df" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from df" -s v -l verbose -d 'Show detailed information on space usage'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from df" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from check" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from check" -s r -l repair -d 'Remove what is damaged, so that the next pull fetches it again'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Only say whether there are problems, by the exit code'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values, such as until=24h or label=KEY=VALUE' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from prune" -l format -d 'Format output: json, table, a Go template, or "table TEMPLATE"' -r
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all unused images, not just dangling ones'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from prune" -l volumes -d 'Prune anonymous volumes, too'
complete -c ketch -n "__fish_ketch_using_subcommand system; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help'
