#!/usr/bin/env bash
# Builds: twelve steps cached and cold, a context of many files cached and cold, four stages side by side
# against one after the other, and peak memory; podman's build beside them where it is installed.
# Environment: KETCH, ROUNDS, GAP_MS, FILES (of the large context), BENCH_DIR, NO_PODMAN.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

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
for ((i = 0; i < files; i += 100)); do
  mkdir -p "$root/large/d$((i / 100))"
  for ((j = 0; j < 100; j++)); do echo "$i $j" >"$root/large/d$((i / 100))/f$j"; done
done
{
  for ((i = 0; i < 4; i++)); do printf 'FROM localhost/base:1 AS s%d\nRUN ["/bin/busy", "%d"]\n' "$i" "$i"; done
  printf 'FROM scratch\n'
  for ((i = 0; i < 4; i++)); do printf 'COPY --from=s%d /bin/t /t%d\n' "$i" "$i"; done
} >"$root/stages/Dockerfile"

export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
export CONTAINERS_REGISTRIES_CONF=$root/podman/registries.conf KETCH_ROOT=$root/ketch
podman_settings "$root/podman"
build="$ketch build -q --network none"
rows_cached=("walk" "find $root/small -printf %s")
rows_cold=()
rows_large=("walk" "find $root/large -printf %s")
rows_large_cold=("walk" "find $root/large -printf %s")
"$ketch" import "$root/base.tar" localhost/base:1 >/dev/null
# What is cached has to be built once.
$build -t small "$root/small" >/dev/null
$build -t large "$root/large" >/dev/null
rows_cached+=("ketch" "$build -t small $root/small")
rows_cold+=("ketch" "$build --no-cache -t twelve -f $root/small/Twelve $root/small")
rows_large+=("ketch" "$build -t large $root/large")
rows_large_cold+=("ketch" "$build --no-cache -t large $root/large")
if have podman && [ -z "${NO_PODMAN:-}" ]; then
  podman import -q "$root/base.tar" localhost/base:1 >/dev/null
  podman="podman build -q --layers --isolation=chroot --network=host --signature-policy $root/podman/policy.json"
  $podman -t small "$root/small" >/dev/null
  $podman -t large "$root/large" >/dev/null
  rows_cached+=("podman" "$podman -t small $root/small")
  rows_cold+=("podman" "$podman --no-cache -t twelve -f $root/small/Twelve $root/small")
  rows_large+=("podman" "$podman -t large $root/large")
  rows_large_cold+=("podman" "$podman --no-cache -t large $root/large")
fi
title "twelve steps, cached"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_cached[@]}" || true
title "twelve trivial commands, cold"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_cold[@]}" || true
title "context of $files files, cached"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_large[@]}" || true
title "context of $files files, cold"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_large_cold[@]}" || true
title "four stages of plain computing, one after the other and side by side"
"$bench/bin/interleave" "$rounds" "$gap" \
  "--jobs 1" "$build --no-cache --jobs 1 $root/stages" \
  "as it is" "$build --no-cache $root/stages" || true
title "peak memory of one process, KiB"
for words in "--no-cache -t large $root/large" "-t large $root/large" "--no-cache -t twelve -f $root/small/Twelve $root/small"; do
  # shellcheck disable=SC2086
  python3 - $build $words <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, *sys.argv[5:-1])
PYTHON
done
