#!/usr/bin/env bash
# The start of a container against the floor and the peers, interleaved in one run: ratios to the
# floor of the same row's kind. Environment: KETCH, ROUNDS, GAP_MS, BENCH_USER, BENCH_DIR.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

root=$bench/start
lower=$root/lower
layers=${LAYERS:-4}
mkdir -p "$lower" "$root/state"
chmod 755 "$root"
for name in proc sys dev etc tmp root; do mkdir -p "$lower/$name"; done
cp "$bench/bin/true" "$lower/t"
echo root:x:0:0:root:/root:/bin/sh >"$lower/etc/passwd"
echo root:x:0: >"$lower/etc/group"
chmod 1777 "$root/state"
# As ketch does with its containers: ext4 places what is made there apart, else each new file looks
# past those that were removed a moment ago.
chattr +T "$root/state" 2>/dev/null || true

# One image of several layers for everyone: from a registry on loopback, so that ketch and podman
# have it in their stores as a user would. The floor mounts the layers that ketch unpacked.
port=${BENCH_PORT:-5076}
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null || true' EXIT
image=
if have docker-registry && have skopeo; then
  rm -rf "$root/layout" "$root/registry"
  python3 "$here/layers.py" "$root/layout" "$lower" "$layers"
  cat >"$root/registry.yml" <<YML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $root/registry}}
http: {addr: 127.0.0.1:$port}
YML
  docker-registry serve "$root/registry.yml" >/dev/null 2>&1 &
  registry=$!
  curl -fsS --retry 50 --retry-connrefused --retry-delay 1 -o /dev/null "http://127.0.0.1:$port/v2/"
  skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$root/layout:layers" "docker://127.0.0.1:$port/bench:layers"
  image=127.0.0.1:$port/bench:layers
fi

# Words of a ketch run of the image, or of the tree where there is no registry.
target=${image:---rootfs $lower}
# The unpacked layers of store $1 in mode $2 as the floor takes them.
lowers() {
  local found
  found=$(find "$1/layers/$2" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | paste -sd:)
  echo "${found:-$lower}"
}

export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
podman_settings "$root/podman"
podman="podman run --rm --pull never --network none --cgroups=disabled --ulimit host ${image:-bench/true} /t"
podman_image() {  # $@ how to run it
  if [ -n "$image" ]; then
    "$@" podman pull -q --tls-verify=false --signature-policy "$root/podman/policy.json" "$image" >/dev/null 2>&1
  else
    tar -C "$lower" -c . | "$@" podman import -q - bench/true >/dev/null 2>&1
  fi || true
}
have podman && podman_image env
chmod -R a+rX "$root/podman"/*.json "$root/podman" 2>/dev/null || true

# A bundle for crun with docker's default profile, from a peer's package when it is there.
profile=/usr/share/containers/seccomp.json
bundle() {
  mkdir -p "$1"
  ln -sfn "$lower" "$1/rootfs" 2>/dev/null || true
  python3 - "$1" "$2" "$profile" "$lower" <<'PY'
import json, os, subprocess, sys
folder, rootless, profile, lower = sys.argv[1:]
if os.path.exists(f"{folder}/config.json"):
    os.remove(f"{folder}/config.json")
subprocess.run(["crun", "spec"] + (["--rootless"] if rootless == "yes" else []), cwd=folder, check=True)
config = json.load(open(f"{folder}/config.json"))
config["process"].update(terminal=False, args=["/t"], rlimits=[])
config["root"] = {"path": lower, "readonly": True}
config["linux"].pop("resources", None)
config["mounts"] = [m for m in config["mounts"] if m["type"] not in ("cgroup", "cgroup2")]
if os.path.exists(profile):
    source = json.load(open(profile))
    calls = []
    for rule in source["syscalls"]:
        includes = rule.get("includes", {})
        if includes.get("caps") or "amd64" not in includes.get("arches", ["amd64"]):
            continue
        call = {k: rule[k] for k in ("names", "action") if k in rule}
        if rule.get("args"):
            call["args"] = [{k: v for k, v in a.items()} for a in rule["args"]]
        if "errnoRet" in rule:
            call["errnoRet"] = rule["errnoRet"]
        calls.append(call)
    config["linux"]["seccomp"] = {"defaultAction": source["defaultAction"], "defaultErrnoRet": source.get("defaultErrnoRet", 38),
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": calls}
json.dump(config, open(f"{folder}/config.json", "w"))
PY
}

export KETCH_ROOT=$root/ketch
if [ -x "${ketch:-}" ]; then
  [ -z "$image" ] || "$ketch" pull -q "$image" >/dev/null
else
  title "ketch is not built: cargo build --release (its rows are left out)"
  ketch=
fi
none="$ketch run --rm --network none $target /t"
host="$ketch run --rm --network host $target /t"

own=$(lowers "$KETCH_ROOT" root)
rows_root=("floor, own net" "$bench/bin/floor root none $own $root/state /t"
  "floor, host net" "$bench/bin/floor root host $own $root/state /t")
[ -z "$ketch" ] || rows_root+=("ketch, none" "$none" "ketch, host" "$host"
  "ketch, none, a directory" "$ketch run --rm --network none --rootfs $lower /t")
have bwrap && rows_root+=("bwrap" "bwrap --unshare-all --ro-bind $lower / --proc /proc --dev /dev /t")
if have crun; then
  bundle "$root/bundle" no
  rows_root+=("crun, same profile" "crun --cgroup-manager=disabled run --bundle $root/bundle bench-%d")
fi
have podman && rows_root+=("podman" "$podman")

title "start as root, $rounds rounds, ratio to the floor with its own network"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_root[@]}" || true

if [ -n "$ketch" ]; then
  # Beside a thousand stopped containers, and while the disk has 300 MB to write.
  if [ ! -d "$root/many/containers" ]; then
    title "making 1,000 containers"
    seq 1000 | xargs -P 2 -I{} env KETCH_ROOT="$root/many" "$ketch" run --network none --rootfs "$lower" /t
  fi
  [ -z "$image" ] || KETCH_ROOT=$root/many "$ketch" pull -q "$image" >/dev/null
  title "beside 1,000 containers, ratio to an empty store"
  "$bench/bin/interleave" "$rounds" "$gap" "none there" "$none" "1,000 there" "KETCH_ROOT=$root/many $none" || true
  title "with 300 MB of dirty pages on the disk, ratio to the floor with them"
  dd if=/dev/zero of="$root/dirty" bs=1M count=300 conv=notrunc status=none
  "$bench/bin/interleave" "$rounds" "$gap" "${rows_root[@]:0:8}" || true
  rm -f "$root/dirty"
fi

if [ -n "$user" ]; then
  home=$root/home-$user
  mkdir -p "$home/state" "$home/podman" "$home/run"
  podman_settings "$home/podman"
  have crun && bundle "$home/bundle" yes
  chattr +T "$home/state" 2>/dev/null || true
  chown -R "$user:" "$home"
  chmod 700 "$home/run"
  environment=(HOME="$home" XDG_RUNTIME_DIR="$home/run" KETCH_ROOT="$home/ketch" PATH="$PATH"
    CONTAINERS_CONF="$home/podman/containers.conf" CONTAINERS_STORAGE_CONF="$home/podman/storage.conf")
  cd "$home"
  modes=(single)
  grep -q "^$user:" /etc/subuid && modes=(subid single)
  rows=()
  for mode in "${modes[@]}"; do
    [ -z "$ketch" ] || [ -z "$image" ] || as_user env -i "${environment[@]}" KETCH_IDENTITY=$mode "$ketch" pull -q "$image" >/dev/null
    own=$(lowers "$home/ketch" "$mode")
    rows+=("floor, $mode" "$bench/bin/floor $mode none $own $home/state /t"
      "floor, $mode, host net" "$bench/bin/floor $mode host $own $home/state /t")
    [ -z "$ketch" ] || rows+=("ketch, $mode" "KETCH_IDENTITY=$mode $none" "ketch, $mode, host net" "KETCH_IDENTITY=$mode $host")
  done
  have bwrap && rows+=("bwrap" "bwrap --unshare-all --ro-bind $lower / --proc /proc --dev /dev /t")
  have crun && rows+=("crun, same profile" "crun --root $home/run/crun --cgroup-manager=disabled run --bundle $home/bundle bench-%d")
  if have podman; then
    podman_image as_user env -i "${environment[@]}"
    rows+=("podman" "$podman")
  fi
  title "start as $user, $rounds rounds, ratio to the first floor"
  as_user env -i "${environment[@]}" "$bench/bin/interleave" "$rounds" "$gap" "${rows[@]}" || true
fi

# System calls, fsyncs and memory of one start.
counts() {
  local name=$1 log=$root/strace.log
  shift
  strace -f -qq -o "$log" "$@" >/dev/null 2>&1 || true
  printf '%-28s %6d system calls, %d fsync, %s KiB peak\n' "$name" \
    "$(grep -cE '^[0-9]+ +[a-z_0-9]+\(' "$log")" "$(grep -cE '(fsync|fdatasync|syncfs)\(' "$log")" \
    "$(env time -f %M "$@" 2>&1 >/dev/null | tail -n 1)"
}
if have strace; then
  title "one start, all processes"
  for ((i = 0; i < ${#rows_root[@]}; i += 2)); do
    read -ra words <<<"${rows_root[i + 1]//%d/count}"
    counts "${rows_root[i]}" "${words[@]}"
  done
fi

# Four at once: starts a second.
four() {
  local name=$1 count=$2 begin end
  shift 2
  begin=$(date +%s%N)
  seq "$count" | xargs -P 4 -I{} "$@" >/dev/null 2>&1 || true
  end=$(date +%s%N)
  awk -v n="$count" -v ns=$((end - begin)) -v name="$name" 'BEGIN { printf "%-28s %8.1f starts a second\n", name, n / (ns / 1e9) }'
}
cd /
title "four at once"
for name in floor ketch podman; do
  for ((i = 0; i < ${#rows_root[@]}; i += 2)); do
    case "$name ${rows_root[i]}" in
      "floor floor, own net" | "ketch ketch, none" | "podman podman") ;;
      *) continue ;;
    esac
    read -ra words <<<"${rows_root[i + 1]}"
    [ "$name" = podman ] && count=24 || count=200
    four "$name" "$count" "${words[@]}"
  done
done
