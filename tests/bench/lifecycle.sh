#!/usr/bin/env bash
# Containers that live on: `run -d` against `run --rm`, `exec` against nsenter (exec.sh) and podman's,
# `ps` with COUNT running, memory of their supervisors, a start beside ALIVE running ones. Ends are
# in end.sh. Environment: KETCH, ROUNDS, COUNT, ALIVE, BENCH_DIR, PODMAN_ROUNDS.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

count=${COUNT:-200}
alive=${ALIVE:-300}
few=${PODMAN_ROUNDS:-5}
root=$bench/lifecycle.$$
mkdir -p "$root/lower"
empty=$root/empty many=$root/many
export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
podman_settings "$root/podman"
cleanup() {
  for store in "$empty" "$many"; do KETCH_ROOT=$store "$ketch" rm -fa >/dev/null 2>&1 || true; done
  if have podman; then podman rm -fa -t 0 >/dev/null 2>&1 || true; fi
  rm -rf "$root"
}
trap cleanup EXIT
cat >"$bench/wait.c" <<'C'
#include <signal.h>
#include <unistd.h>
static void end(int signal) { _exit(signal != SIGTERM); }
int main(int count, char **words) {
  if (count < 2) return 0;
  signal(SIGTERM, end);
  for (;;) pause();
}
C
gcc -O2 -static -o "$root/lower/t" "$bench/wait.c"
make() { KETCH_ROOT=$1 "$ketch" run -d --name "$2" --network none --rootfs "$root/lower" /t wait >/dev/null; }
rootfs="--network none --rootfs $root/lower /t"

# Proportional memory of all supervisors of the store $1, KiB: least, middle, most.
supervisors() {
  for process in $(pgrep -f '^ketch @supervise'); do
    if tr '\0' '\n' <"/proc/$process/environ" | grep -qx "KETCH_ROOT=$1"; then
      awk '/^Pss:/ { print $2 }' "/proc/$process/smaps_rollup"
    fi
  done | sort -n | awk '{ all[NR] = $1 } END { print all[1], all[int((NR + 1) / 2)], all[NR], "of", NR }'
}

title "run -d until the id is printed, against run --rm in the foreground"
"$bench/bin/interleave" "$rounds" "$gap" \
  "run --rm" "KETCH_ROOT=$empty $ketch run --rm $rootfs" \
  "run -d --rm" "KETCH_ROOT=$empty $ketch run -d --rm $rootfs"

title "memory of one supervisor, KiB: least, middle, most"
make "$empty" one
sleep 3 # it gives memory back when half a second was quiet
supervisors "$empty"

title "exec of a program that does nothing"
pid=$(KETCH_ROOT=$empty "$ketch" container inspect one --format '{{.State.Pid}}')
"$bench/bin/interleave" "$rounds" "$gap" \
  nsenter "nsenter --target $pid --mount --pid --ipc --uts --net --cgroup /t" \
  "ketch exec" "KETCH_ROOT=$empty $ketch exec one /t"
if have podman; then
  tar -C "$root/lower" -c . | podman import -q - bench/wait >/dev/null
  podman run -d --name one --network none --cgroups=disabled --ulimit host bench/wait /t wait >/dev/null
  "$bench/bin/interleave" "$few" "$gap" \
    "ketch exec" "KETCH_ROOT=$empty $ketch exec one /t" \
    "podman exec" "podman exec one /t" || true
fi

title "ps with $count running"
for ((i = 0; i < count; i++)); do make "$many" "c$i"; done
rows=("ketch ps" "KETCH_ROOT=$many $ketch ps")
if have podman; then
  for ((i = 1; i < count; i++)); do
    podman run -d --name "c$i" --network none --cgroups=disabled --ulimit host bench/wait /t wait >/dev/null
  done
  rows+=("podman ps" "podman ps")
fi
"$bench/bin/interleave" "$few" "$gap" "${rows[@]}"

title "memory of the supervisors, KiB: least, middle, most"
supervisors "$many"

title "rm -f of $count running: ms"
took() {
  local begun=${EPOCHREALTIME/./}
  "$@" >/dev/null
  echo $(((${EPOCHREALTIME/./} - begun) / 1000))
}
export KETCH_ROOT=$many
printf 'ketch %s\n' "$(took "$ketch" rm -fa)"
if have podman; then printf 'podman %s\n' "$(took podman rm -fa -t 0)"; fi

title "a start beside $alive that run"
for ((i = 0; i < alive; i++)); do make "$many" "c$i"; done
KETCH_ROOT=$empty "$ketch" rm -fa >/dev/null
"$bench/bin/interleave" "$rounds" "$gap" \
  "none alive" "KETCH_ROOT=$empty $ketch run --rm $rootfs" \
  "$alive alive" "KETCH_ROOT=$many $ketch run --rm $rootfs"
