#!/usr/bin/env bash
# Ends: how long `stop` takes for a payload that exits on the signal, against a command that does
# nothing, and `rm -f` of COUNT containers against podman's `rm -f` of as many that were never
# started (podman's easier case: nothing to kill). Environment: KETCH, ROUNDS, COUNT, BENCH_DIR.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

count=${COUNT:-200}
root=$bench/end.$$
mkdir -p "$root/lower"
export KETCH_ROOT=$root/ketch
trap '"$ketch" rm -fa >/dev/null 2>&1; rm -rf "$root"' EXIT
export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
podman_settings "$root/podman"
cat >"$bench/term.c" <<'C'
#include <signal.h>
#include <unistd.h>
static void end(int signal) { _exit(signal != SIGTERM); }
int main(void) { signal(SIGTERM, end); for (;;) pause(); }
C
gcc -O2 -static -o "$root/lower/t" "$bench/term.c"

start() { "$ketch" run -d --name "$1" --network none --rootfs "$root/lower" /t >/dev/null; }
# Milliseconds that a command takes.
took() {
  local begun=${EPOCHREALTIME/./}
  "$@" >/dev/null
  echo $(((${EPOCHREALTIME/./} - begun) / 10)) | sed 's/\(..\)$/.\1/; s/^\./0./'
}
middle() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

title "stop of a payload that exits on the signal, and a container that is stopped already: ms, middle of $rounds"
for ((i = 0; i < rounds; i++)); do
  start one
  took "$ketch" stop one >>"$root/stop"
  took "$ketch" stop one >>"$root/none"
  "$ketch" rm one >/dev/null
done
printf 'stop %s, nothing to stop %s\n' "$(middle "$rounds" <"$root/stop")" "$(middle "$rounds" <"$root/none")"

title "rm -f of $count: ms"
for ((i = 0; i < count; i++)); do start "c$i"; done
printf 'ketch, all running: %s\n' "$(took "$ketch" rm -fa)"
if have podman; then
  tar -C "$root/lower" -c . | podman import -q - bench/end >/dev/null
  for ((i = 0; i < count; i++)); do
    podman create -q --network none --cgroups=disabled --ulimit host bench/end /t >/dev/null
  done
  printf 'podman, none started: %s\n' "$(took podman rm -fa)"
fi
