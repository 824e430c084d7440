#!/usr/bin/env bash
# Pulls from a docker-registry on loopback into an empty store, interleaved: ketch, podman and
# `curl | igzip -d | tar -x`. Every round has fresh directories: ext4 is many times slower at making
# files where others were just deleted, so what is old is moved aside and removed at the end.
# Environment: KETCH, ROUNDS (5), BENCH_DIR, IMAGE_TREE (a directory to make the images from).
set -euo pipefail
ROUNDS=${ROUNDS:-5}
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

root=$bench/pull.$$
mkdir -p "$root"
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null || true; rm -rf "$root"' EXIT
tree=${IMAGE_TREE:-$bench/debian}
if [ ! -d "$tree/usr" ]; then
  title "making a Debian tree with debootstrap"
  debootstrap --variant=minbase --include=python3 bookworm "$tree" >/dev/null
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

# One layout with four images: one gzip layer, eight of them, zstd, and 75,000 small files.
python3 "$here/layout.py" "$root/layout" "$tree"
for tag in one eight zstd small; do
  skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$root/layout:$tag" "docker://127.0.0.1:$port/bench:$tag"
done

export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_REGISTRIES_CONF=$root/podman/registries.conf
podman_settings "$root/podman"
# The same bytes through the fastest tools, without looking at a digest.
cat >"$bench/bin/pipe" <<PIPE
#!/bin/bash
set -euo pipefail
mkdir -p "\$2"
curl -fsS "http://127.0.0.1:$port/v2/bench/manifests/\$1" -H 'Accept: application/vnd.oci.image.manifest.v1+json' |
  python3 -c 'import json,sys; [print(l["digest"], l["mediaType"].rsplit("+",1)[-1]) for l in json.load(sys.stdin)["layers"]]' |
  while read -r digest kind; do
    unpack="igzip -d -c"; [ "\$kind" = gzip ] || unpack="zstd -d -c"
    curl -fsS "http://127.0.0.1:$port/v2/bench/blobs/\$digest" | \$unpack | tar -x -C "\$2" --numeric-owner
  done
PIPE
chmod 755 "$bench/bin/pipe"
for tag in one eight zstd small; do
  name=127.0.0.1:$port/bench:$tag
  rows=("curl, inflate, tar" "$bench/bin/pipe $tag $root/out-$tag-%d")
  [ ! -x "${ketch:-}" ] || rows+=("ketch" "env KETCH_ROOT=$root/ketch-$tag-%d $ketch pull -q $name")
  have podman && rows+=("podman" "podman --root $root/podman-$tag-%d --runroot $root/run-$tag-%d --storage-driver overlay pull -q --tls-verify=false --signature-policy $root/podman/policy.json $name")
  title "pull of the image '$tag', ratio to the pipe"
  "$bench/bin/interleave" "$rounds" "$gap" "${rows[@]}" || true
  if [ -x "${ketch:-}" ]; then
    printf 'peak memory of ketch: %s KiB\n' \
      "$(env KETCH_ROOT="$root/ketch-$tag-memory" env time -f %M "$ketch" pull -q "$name" 2>&1 >/dev/null | tail -n 1)"
  fi
done
