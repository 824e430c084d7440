#!/usr/bin/env bash
# Pulls from a docker-registry on loopback into an empty store, interleaved: ketch, podman and
# `curl | igzip -d | tar -x`. Every round has fresh directories: ext4 is many times slower at making
# files where others were just deleted, so all that is old stays until the end.
# Environment: KETCH, ROUNDS (5), BENCH_DIR, IMAGE_TREE (a directory to make the images from), LAYOUT
# (the images of an earlier run), TAGS (one eight zstd small), BENCH_USERS (ordinary users whose peak
# memory is measured too).
set -euo pipefail
ROUNDS=${ROUNDS:-5}
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

root=$bench/pull.$$
tags=${TAGS:-one eight zstd small}
mkdir -p "$root"
chmod 755 "$root"
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null || true; rm -rf "$root"' EXIT

layout=${LAYOUT:-$root/layout}
if [ ! -f "$layout/index.json" ]; then
  tree=${IMAGE_TREE:-$bench/debian}
  if [ ! -d "$tree/usr" ]; then
    title "making a Debian tree with debootstrap"
    debootstrap --variant=minbase --include=python3,python3-numpy,perl,gcc bookworm "$tree" >/dev/null
  fi
  # One layout with four images: one gzip layer, eight of them, zstd, and 75,000 small files.
  title "making the images"
  python3 "$here/layout.py" "$layout" "$tree"
fi

port=5077
cat >"$root/registry.yml" <<YML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $root/registry}}
http: {addr: 127.0.0.1:$port}
YML
docker-registry serve "$root/registry.yml" >/dev/null 2>&1 &
registry=$!
curl -fsS --retry 50 --retry-connrefused --retry-delay 1 -o /dev/null "http://127.0.0.1:$port/v2/"
for tag in $tags; do
  skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$layout:$tag" "docker://127.0.0.1:$port/bench:$tag"
  # What the pipe is to fetch, so that no manifest has to be parsed while the clock runs.
  curl -fsS "http://127.0.0.1:$port/v2/bench/manifests/$tag" -H 'Accept: application/vnd.oci.image.manifest.v1+json' |
    python3 -c 'import json,sys; [print(l["digest"], l["mediaType"].rsplit("+",1)[-1]) for l in json.load(sys.stdin)["layers"]]' >"$root/layers-$tag"
done

export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_REGISTRIES_CONF=$root/podman/registries.conf
podman_settings "$root/podman"
# The same bytes through the fastest tools, without looking at a digest or keeping the blob.
cat >"$root/pipe" <<PIPE
#!/bin/bash
set -euo pipefail
mkdir -p "\$2"
while read -r digest kind; do
  unpack="igzip -d -c"; [ "\$kind" = gzip ] || unpack="zstd -q -d -c"
  curl -fsS "http://127.0.0.1:$port/v2/bench/blobs/\$digest" | \$unpack | tar -x -C "\$2" --numeric-owner
done <"$root/layers-\$1"
PIPE
chmod 755 "$root/pipe"
for tag in $tags; do
  name=127.0.0.1:$port/bench:$tag
  rows=("curl, inflate, tar" "$root/pipe $tag $root/out-$tag-%d")
  [ ! -x "${ketch:-}" ] || rows+=("ketch" "env KETCH_ROOT=$root/ketch-$tag-%d $ketch pull -q $name")
  have podman && [ -z "${NO_PODMAN:-}" ] && rows+=("podman" "podman --root $root/podman-$tag-%d --runroot $root/run-$tag-%d --storage-driver overlay pull -q --tls-verify=false --signature-policy $root/podman/policy.json $name")
  title "pull of the image '$tag', ratio to the pipe"
  "$bench/bin/interleave" "$rounds" "$gap" "${rows[@]}" || true
done
[ -x "${ketch:-}" ] || exit 0

title "an image that is here already"
KETCH_ROOT=$root/ketch-present "$ketch" pull -q "127.0.0.1:$port/bench:${tags%% *}" >/dev/null
"$bench/bin/interleave" "$rounds" "$gap" \
  "ketch pull, present" "env KETCH_ROOT=$root/ketch-present $ketch pull -q 127.0.0.1:$port/bench:${tags%% *}" || true

peak() {  # $1 who, $2 tag, $3... the command before ketch
  local who=$1 tag=$2 store=$root/memory-$1-$2
  shift 2
  mkdir -p "$store"
  [ "$who" = root ] || chown "$who:" "$store"
  printf '%-10s %-8s %6s KiB\n' "$who" "$tag" \
    "$(cd / && "$@" env -u XDG_RUNTIME_DIR HOME="$store" KETCH_ROOT="$store/ketch" env time -f %M "$ketch" pull -q "127.0.0.1:$port/bench:$tag" 2>&1 >/dev/null | tail -n 1)"
}
title "peak memory of ketch"
for tag in $tags; do
  peak root "$tag"
  for user in ${BENCH_USERS:-}; do peak "$user" "$tag" setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all; done
done
