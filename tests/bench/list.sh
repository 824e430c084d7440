#!/usr/bin/env bash
# Lists: `--version` against a static program that prints one line, `images` with 100 images and
# `ps -a` with 200 containers against podman's, interleaved. Environment: KETCH, ROUNDS, BENCH_DIR.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

root=$bench/list.$$
mkdir -p "$root/lower"
trap 'rm -rf "$root"' EXIT
cp "$bench/bin/true" "$root/lower/t"
export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf KETCH_ROOT=$root/ketch
podman_settings "$root/podman"

rows_version=("one line" "$bench/bin/line")
rows_images=()
rows_ps=()
if [ -x "${ketch:-}" ]; then
  title "ketch: 100 images, 200 containers"
  "$ketch" run --rm builtin:hello >/dev/null
  for ((i = 0; i < 100; i++)); do "$ketch" tag builtin:hello "bench/image$i"; done
  for ((i = 0; i < 200; i++)); do "$ketch" run --name "bench$i" --network none --rootfs "$root/lower" /t; done
  rows_version+=("ketch --version" "$ketch --version")
  rows_images+=("ketch images" "$ketch images")
  rows_ps+=("ketch ps -a" "$ketch ps -a")
fi
if have podman; then
  title "podman: 100 images, 200 containers"
  for ((i = 0; i < 100; i++)); do
    echo "$i" >"$root/lower/number"
    tar -C "$root/lower" -c . | podman import -q - "bench/image$i" >/dev/null
  done
  for ((i = 0; i < 200; i++)); do
    podman create -q --network none --cgroups=disabled --ulimit host "bench/image0" /t >/dev/null
  done
  rows_version+=("podman --version" "podman --version")
  rows_images+=("podman images" "podman images")
  rows_ps+=("podman ps -a" "podman ps -a")
fi
title "--version, ratio to a program that prints one line"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_version[@]}" || true
title "images, 100 present"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_images[@]}" || true
title "ps -a, 200 present"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_ps[@]}" || true
