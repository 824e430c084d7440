#!/usr/bin/env bash
# Builds: twelve steps cached and cold, a context of many files cached and cold, four stages side by side
# against one after the other, and peak memory; podman's build beside them where it is installed.
#
#   tests/bench/build.sh [small] [large] [cold] [stages] [memory]
#
# Environment: KETCH, ROUNDS, GAP_MS, FILES (of the large context), BENCH_DIR, NO_PODMAN.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools
parts=${*:-small large cold stages memory}
wanted() { case " $parts " in *" $1 "*) ;; *) return 1 ;; esac; }

files=${FILES:-50000}
root=$bench/build.$$
mkdir -p "$root/lower/bin" "$root/small" "$root/large" "$root/stages"
# podman keeps its store mounted upon itself.
trap 'umount -l "$root/podman/root/overlay" 2>/dev/null || true; find "$root/podman" -name merged -exec umount -l {} \; 2>/dev/null || true; rm -rf "$root"' EXIT
cp "$bench/bin/true" "$root/lower/bin/t"
printf 'int main(void) { volatile long i; for (i = 0; i < 400000000; i++) { } return 0; }\n' >"$root/busy.c"
gcc -O1 -static -o "$root/lower/bin/busy" "$root/busy.c"
tar -C "$root/lower" -cf "$root/base.tar" .

# Twelve steps after FROM, eight of them commands.
{
  printf 'FROM localhost/base:1\nENV A=1\nWORKDIR /w\nCOPY file /w/\nLABEL a=b\n'
  for ((i = 0; i < 8; i++)); do printf 'RUN ["/bin/t", "%d"]\n' "$i"; done
} >"$root/small/Dockerfile"
echo content >"$root/small/file"
# Twelve trivial commands.
{
  printf 'FROM localhost/base:1\n'
  for ((i = 0; i < 12; i++)); do printf 'RUN ["/bin/t", "%d"]\n' "$i"; done
} >"$root/small/Twelve"
printf 'FROM localhost/base:1\nCOPY . /all/\n' >"$root/large/Dockerfile"
if wanted large || wanted cold || wanted memory; then
  for ((i = 0; i < files; i += 100)); do
    mkdir -p "$root/large/d$((i / 100))"
    for ((j = 0; j < 100; j++)); do echo "$i $j" >"$root/large/d$((i / 100))/f$j"; done
  done
fi
{
  for ((i = 0; i < 4; i++)); do printf 'FROM localhost/base:1 AS s%d\nRUN ["/bin/busy", "%d"]\n' "$i" "$i"; done
  printf 'FROM scratch\n'
  for ((i = 0; i < 4; i++)); do printf 'COPY --from=s%d /bin/t /t%d\n' "$i" "$i"; done
} >"$root/stages/Dockerfile"

export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
export CONTAINERS_REGISTRIES_CONF=$root/podman/registries.conf KETCH_ROOT=$root/ketch
podman_settings "$root/podman"
build="$ketch build -q --network none"
"$ketch" import "$root/base.tar" localhost/base:1 >/dev/null
podman=
if have podman && [ -z "${NO_PODMAN:-}" ]; then
  podman import -q "$root/base.tar" localhost/base:1 >/dev/null
  podman="podman build -q --layers --isolation=chroot --network=host --signature-policy $root/podman/policy.json"
fi

# The same build by each: $1 is what is measured beside them, the rest the words of the build.
compare() {
  local floor=$1
  shift
  local rows=("ketch" "$build $*")
  if [ -n "$floor" ]; then rows=("walk" "$floor" "${rows[@]}"); fi
  if [ -n "$podman" ]; then rows+=("podman" "$podman $*"); fi
  "$bench/bin/interleave" "$rounds" "$gap" "${rows[@]}" || true
}
# What is cached has to be built once.
once() {
  $build "$@" >/dev/null
  if [ -n "$podman" ]; then $podman "$@" >/dev/null; fi
}

if wanted small; then
  once -t small "$root/small"
  title "twelve steps, cached"
  compare "find $root/small -printf %s" -t small "$root/small"
  title "twelve trivial commands, cold"
  compare "" --no-cache -t twelve -f "$root/small/Twelve" "$root/small"
fi
if wanted large; then
  once -t large "$root/large"
  title "context of $files files, cached"
  compare "find $root/large -printf %s" -t large "$root/large"
fi
if wanted cold; then
  title "context of $files files, cold"
  compare "find $root/large -printf %s" --no-cache -t large "$root/large"
fi
if wanted stages; then
  title "four stages of plain computing, one after the other and side by side"
  "$bench/bin/interleave" "$rounds" "$gap" \
    "--jobs 1" "$build --no-cache --jobs 1 $root/stages" \
    "as it is" "$build --no-cache $root/stages" || true
fi
if wanted memory; then
  title "peak memory of one process, KiB"
  for words in "--no-cache -t large $root/large" "-t large $root/large" "--no-cache -t twelve -f $root/small/Twelve $root/small"; do
    # shellcheck disable=SC2086
    python3 - $build $words <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, *sys.argv[5:-1])
PYTHON
  done
fi
