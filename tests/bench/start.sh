#!/usr/bin/env bash
# The start of a container against the floor and the peers, interleaved in one run: ratios to the
# floor of the same row's kind. Environment: KETCH, ROUNDS, GAP_MS, BENCH_USER, BENCH_DIR.
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools

root=$bench/start
lower=$root/lower
mkdir -p "$lower" "$root/state"
for name in proc sys dev etc tmp; do mkdir -p "$lower/$name"; done
cp "$bench/bin/true" "$lower/t"
chmod 1777 "$root/state"

# One image for everyone: podman imports the tree; ketch runs the same tree as a layer that it pulled.
export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
podman_settings "$root/podman"
podman="podman run --rm --network none --cgroups=disabled --ulimit host bench/true /t"
if have podman; then
  podman image exists bench/true || tar -C "$lower" -c . | podman import -q - bench/true >/dev/null
fi

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

ketch_rows=()
ketch_setup() {  # $1 store
  [ -x "${ketch:-}" ] || { title "ketch is not built: cargo build --release (its rows are left out)"; return 0; }
}

rows_root=("floor, own net" "$bench/bin/floor root none $lower $root/state /t")
have bwrap && rows_root+=("bwrap" "bwrap --unshare-all --ro-bind $lower / --proc /proc --dev /dev /t")
if have crun; then
  bundle "$root/bundle" no
  rows_root+=("crun, same profile" "crun --cgroup-manager=disabled run --bundle $root/bundle bench-%d")
fi
have podman && rows_root+=("podman" "$podman")
ketch_setup
if [ -x "${ketch:-}" ]; then
  export KETCH_ROOT=$root/ketch
  ketch_rows=("ketch, none" "$ketch run --rm --network none --rootfs $lower /t")
  rows_root+=("${ketch_rows[@]}" "ketch, host" "$ketch run --rm --network host --rootfs $lower /t")
fi
rows_root+=("floor, host net" "$bench/bin/floor root host $lower $root/state /t")

title "start as root, $rounds rounds, ratio to the floor with its own network"
"$bench/bin/interleave" "$rounds" "$gap" "${rows_root[@]}" || true

if [ -n "$user" ]; then
  home=$root/home-$user
  mkdir -p "$home/state" "$home/podman" "$home/run"
  podman_settings "$home/podman"
  have crun && bundle "$home/bundle" yes
  chown -R "$user:" "$home"
  chmod 700 "$home/run"
  environment=(HOME="$home" XDG_RUNTIME_DIR="$home/run" KETCH_ROOT="$home/ketch" PATH="$PATH"
    CONTAINERS_CONF="$home/podman/containers.conf" CONTAINERS_STORAGE_CONF="$home/podman/storage.conf")
  cd "$home"
  rows=("floor, subid" "$bench/bin/floor subid none $lower $home/state /t"
    "floor, single" "$bench/bin/floor single none $lower $home/state /t")
  have bwrap && rows+=("bwrap" "bwrap --unshare-all --ro-bind $lower / --proc /proc --dev /dev /t")
  have crun && rows+=("crun, same profile" "crun --root $home/run/crun --cgroup-manager=disabled run --bundle $home/bundle bench-%d")
  if have podman; then
    tar -C "$lower" -c . | as_user env -i "${environment[@]}" podman import -q - bench/true >/dev/null 2>&1 || true
    rows+=("podman" "$podman")
  fi
  if [ -x "${ketch:-}" ]; then
    rows+=("ketch, subid" "env KETCH_IDENTITY=subid $ketch run --rm --network none --rootfs $lower /t"
      "ketch, single" "env KETCH_IDENTITY=single $ketch run --rm --network none --rootfs $lower /t")
  fi
  title "start as $user, $rounds rounds, ratio to the floor with a range of ids"
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
title "four at once"
four floor 200 "$bench/bin/floor" root none "$lower" "$root/state" /t
have podman && read -ra words <<<"$podman" && four podman 24 "${words[@]}"
[ ! -x "${ketch:-}" ] || four ketch 200 "$ketch" run --rm --network none --rootfs "$lower" /t
