# shellcheck shell=bash
# What the benches share: tools built from the C files beside this one, a private mount namespace in
# which podman runs on hybrid cgroups, and a directory on the disk that the numbers are about.
#
# podman on a hybrid host (v1 hierarchies and an empty v2 below them) refuses to start with "cgroups
# in hybrid mode not supported". What works: a private mount namespace whose /sys/fs/cgroup is one
# cgroup2 mount, the cgroupfs manager, crun (runc refuses --cgroups=disabled) and --ulimit host with
# an empty default_ulimits list where CAP_SYS_RESOURCE is missing. Its store is a directory of its own, so nothing of the user's is touched.

# An error that carries a backtrace costs a millisecond.
unset RUST_BACKTRACE RUST_LIB_BACKTRACE
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
ketch=${KETCH:-$(find "$repository/target" -path '*/release/ketch' -type f 2>/dev/null | head -n 1)}
rounds=${ROUNDS:-21}
gap=${GAP_MS:-100}        # the tail of one sample must not reach into the next
user=${BENCH_USER:-}      # an ordinary user with a range in /etc/subuid, for the rootless rows

bench=${BENCH_DIR:-/var/tmp/ketch-bench}

# Re-enters this script in a mount namespace of its own with cgroup2 alone in it.
private_namespace() {
  if [ "${KETCH_BENCH_INSIDE:-}" != 1 ] && [ "$(id -u)" = 0 ]; then
    exec env KETCH_BENCH_INSIDE=1 unshare -m --propagation private bash "$0" "$@"
  fi
  if [ "$(id -u)" = 0 ] && [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
  fi
}

build_tools() {
  mkdir -p "$bench/bin"
  chmod 755 "$bench" "$bench/bin"
  gcc -O2 -w -static -o "$bench/bin/floor" "$here/floor.c" 2>/dev/null
  gcc -O2 -o "$bench/bin/interleave" "$here/interleave.c"
  printf 'int main(void) { return 0; }\n' >"$bench/true.c"
  gcc -O2 -static -o "$bench/bin/true" "$bench/true.c"
  printf '#include <stdio.h>\nint main(void) { return puts("one line") < 0; }\n' >"$bench/line.c"
  gcc -O2 -static -o "$bench/bin/line" "$bench/line.c"
}

# podman's settings for one user: $1 is the folder that its store lies in.
podman_settings() {
  mkdir -p "$1"
  printf '[containers]\ndefault_ulimits=[]\n[engine]\ncgroup_manager="cgroupfs"\nevents_logger="none"\n' >"$1/containers.conf"
  printf '[storage]\ndriver="overlay"\ngraphroot="%s/root"\nrunroot="%s/run"\n' "$1" "$1" >"$1/storage.conf"
  printf 'unqualified-search-registries=[]\n' >"$1/registries.conf"
  printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$1/policy.json"
}

have() { command -v "$1" >/dev/null 2>&1; }
as_user() { setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all "$@"; }
title() { printf '\n== %s\n' "$*"; }
