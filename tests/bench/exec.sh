#!/bin/sh
# exec of a program that does nothing, against nsenter(1) of the same namespaces, interleaved.
#   tests/bench/exec.sh [KETCH] [ROUNDS]
# As root or as an ordinary user; the container's root is a directory with one static program.
set -eu
unset RUST_BACKTRACE RUST_LIB_BACKTRACE
here=$(cd "$(dirname "$0")/../.." && pwd)
ketch=${1:-$(ls -t "$here"/target/*/release/ketch | head -n 1)}
rounds=${2:-200}
work=$(mktemp -d)
export KETCH_ROOT="$work/store"
trap '"$ketch" rm -f bench >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/etc" "$work/root/proc" "$work/root/sys" "$work/root/dev"
cc -O2 -static -o "$work/root/bin/wait" -x c - <<'END'
#include <unistd.h>
int main(int n, char **v) { if (n > 1) { write(1, "ready\n", 6); for (;;) pause(); } return 0; }
END
mkfifo "$work/said"
"$ketch" run --name bench --network none --rootfs "$work/root" /bin/wait forever >"$work/said" &
read -r _ <"$work/said"
pid=$("$ketch" container inspect bench --format '{{.State.Pid}}')
user=
[ "$(id -u)" = 0 ] || user="--user --preserve-credentials"
# One round of both in turn, so that whatever else the machine does meets both.
cat >"$work/round.c" <<'END'
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
extern char **environ;
static double one(char **v) {
    struct timespec a, b; pid_t p; int s;
    clock_gettime(CLOCK_MONOTONIC, &a);
    if (posix_spawnp(&p, v[0], 0, 0, v, environ) || waitpid(p, &s, 0) < 0 || s) { fprintf(stderr, "%s failed\n", v[0]); exit(1); }
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;
}
static int order(const void *x, const void *y) { double a = *(double *)x, b = *(double *)y; return (a > b) - (a < b); }
int main(int n, char **v) {
    int rounds = atoi(v[1]), split = 2;
    while (strcmp(v[split], "::")) split++;
    v[split] = 0;
    double *a = malloc(rounds * sizeof *a), *b = malloc(rounds * sizeof *b);
    for (int i = 0; i < rounds; i++) { a[i] = one(v + 2); b[i] = one(v + split + 1); }
    qsort(a, rounds, sizeof *a, order); qsort(b, rounds, sizeof *b, order);
    printf("nsenter %.3f ms  ketch exec %.3f ms  ratio %.2f  (medians of %d; least %.3f and %.3f)\n",
        a[rounds / 2], b[rounds / 2], b[rounds / 2] / a[rounds / 2], rounds, a[0], b[0]);
    return 0;
}
END
cc -O2 -o "$work/round" "$work/round.c"
# shellcheck disable=SC2086
"$work/round" "$rounds" nsenter --target "$pid" $user --mount --pid --ipc --uts --net --cgroup /bin/wait \
    :: "$ketch" exec bench /bin/wait
