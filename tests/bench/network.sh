#!/usr/bin/env bash
# Networks: starts, throughput and lookups, each beside what it is made of, interleaved in one run.
#
#   BENCH_USER=alice tests/bench/network.sh [start] [throughput] [names]
#
# Needs root, iperf3, pasta, dnsmasq and python3. Environment: KETCH, ROUNDS, GAP_MS, BENCH_USER, BENCH_DIR,
# SECONDS_EACH (of one transfer).
set -euo pipefail
. "$(dirname "$0")/common.sh"
private_namespace "$@"
build_tools
parts=${*:-start throughput names}
each=${SECONDS_EACH:-2}
root=$bench/network
rm -rf "$root/tree"
mkdir -p "$root"
chmod 755 "$root"

# A tree with the two programs and what they load.
tree=$root/tree
for name in proc sys dev etc tmp root; do mkdir -p "$tree/$name"; done
echo root:x:0:0:root:/root:/bin/sh >"$tree/etc/passwd"
echo root:x:0: >"$tree/etc/group"
cp "$bench/bin/true" "$tree/t"
iperf=$(command -v iperf3)
for file in "$iperf" $(ldd "$iperf" | grep -o '/[^ ]*'); do
  mkdir -p "$tree$(dirname "$file")"
  cp -L "$file" "$tree$file"
done
words="--tmpfs /tmp --rootfs $tree"

pids=()
export KETCH_ROOT=$root/ketch
home=$root/home-$user
# Ends a process of this script's and what it has started: pasta does not end its own.
end() {
  local child
  for child in $(pgrep -P "$1"); do end "$child"; done
  kill "$1" 2>/dev/null
}
clean() {
  set +e
  local pid
  for pid in "${pids[@]}"; do end "$pid"; done
  as_root rm -fa >/dev/null 2>&1
  as_root network rm bench >/dev/null 2>&1
  if [ -n "$user" ]; then
    rootless rm -fa >/dev/null 2>&1
    rootless network rm bench >/dev/null 2>&1
  fi
  [ ! -d "$root/podman" ] || podman network rm -f bench >/dev/null 2>&1
  local space
  for space in out one two hub three four; do ip netns delete ketch-$space 2>/dev/null; done
}
trap clean EXIT
as_root() { "$ketch" "$@"; }
environment=()
if [ -n "$user" ]; then
  mkdir -p "$home/run"
  chown -R "$user:" "$home"
  chmod 700 "$home/run"
  environment=(HOME="$home" XDG_RUNTIME_DIR="$home/run" KETCH_ROOT="$home/ketch" PATH="$PATH")
fi
rootless() { (cd "$home" && as_user env -i "${environment[@]}" "$ketch" "$@"); }
own() { (cd "$home" && as_user env -i "${environment[@]}" "$@"); }

# A world beyond the host's: what a container's traffic leaves to.
outside=10.99.77.2
ip netns add ketch-out
ip link add ketch-out type veth peer name eth0 netns ketch-out
ip address add 10.99.77.1/24 dev ketch-out
ip link set ketch-out up
ip -n ketch-out address add $outside/24 dev eth0
ip -n ketch-out link set eth0 up
ip -n ketch-out link set lo up

as_root network create bench >/dev/null 2>&1 || true
[ -z "$user" ] || rootless network create bench >/dev/null 2>&1 || true

start() {
  local rows=("ketch, none" "$ketch run --rm --network none --rootfs $tree /t"
    "ketch, default bridge" "$ketch run --rm --rootfs $tree /t"
    "ketch, named" "$ketch run --rm --network bench --rootfs $tree /t")
  as_root run -d --name stays --network bench $words "$iperf" -s >/dev/null
  title "start as root, $rounds rounds"
  "$bench/bin/interleave" "$rounds" "$gap" "${rows[@]}"
  if have podman; then
    export CONTAINERS_CONF=$root/podman/containers.conf CONTAINERS_STORAGE_CONF=$root/podman/storage.conf
    podman_settings "$root/podman"
    podman network exists bench 2>/dev/null || podman network create bench >/dev/null
    local podman="podman run --rm --pull never --cgroups=disabled --ulimit host --network"
    local rest="--rootfs $tree /t"
    title "start as root beside podman's, $((rounds / 3 + 1)) rounds"
    "$bench/bin/interleave" "$((rounds / 3 + 1))" "$gap" "ketch, named" "${rows[5]}" "podman, named" "$podman bench $rest" \
      "podman, none" "$podman none $rest" || true
  fi
  as_root rm -f stays >/dev/null
  if [ -n "$user" ]; then
    rootless run -d --name stays --network bench $words "$iperf" -s >/dev/null
    title "start as $user, $rounds rounds: private is to take none + pasta - true + 4 ms"
    own "$bench/bin/interleave" "$rounds" "$gap" \
      "ketch, none" "$ketch run --rm --network none --rootfs $tree /t" \
      "ketch, private" "$ketch run --rm --network private --rootfs $tree /t" \
      "ketch, named" "$ketch run --rm --network bench --rootfs $tree /t" \
      "pasta alone" "pasta -q --config-net -t none -u none -T none -U none -- $tree/t" \
      "true" "$tree/t"
    rootless rm -f stays >/dev/null
  fi
}

# Gbit/s that iperf3 with these words has sent in one transfer.
gbits() {
  "$@" -J -t "$each" | python3 -c 'import json,sys; print(json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e9)'
}
# Rows of name and words, in turn; the median of each and its ratio to the first.
rates() {
  local log=$root/rates round count=$(($# / 2)) i
  local -a all=("$@")
  : >"$log"
  for ((round = 0; round < rounds / 3 + 1; round++)); do
    for ((i = 0; i < count; i++)); do
      printf '%d %s\n' "$i" "$(gbits ${all[2 * i + 1]} 2>/dev/null || echo 0)" >>"$log"
    done
  done
  for ((i = 0; i < count; i++)); do
    awk -v i="$i" '$1 == i { print $2 }' "$log" | sort -g | awk -v name="${all[2 * i]}" '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1], v[NR], name }'
  done | awk '{ name = $4; for (i = 5; i <= NF; i++) name = name " " $i; if (NR == 1) first = $1
    printf "%-34s %8.2f Gbit/s (%.2f to %.2f) %6.2f\n", name, $1, $2, $3, (first > 0 ? $1 / first : 0) }'
}
listening() { curl -s --max-time 1 --retry 50 --retry-connrefused --retry-delay 1 -o /dev/null "http://$1" || true; }
pid_of() { "$1" inspect -f '{{.State.Pid}}' "$2"; }

throughput() {
  ip netns exec ketch-out "$iperf" -s >/dev/null 2>&1 &
  pids+=($!)
  # A bare pair of two namespaces.
  local side
  for side in one two; do ip netns add ketch-$side; done
  ip -n ketch-one link add eth0 type veth peer name eth0 netns ketch-two
  ip -n ketch-one address add 10.99.78.1/24 dev eth0
  ip -n ketch-two address add 10.99.78.2/24 dev eth0
  for side in one two; do
    ip -n ketch-$side link set eth0 up
    ip -n ketch-$side link set lo up
  done
  # A bridge without any rules between two more: what no rules can be faster than.
  local number=1
  for side in hub three four; do ip netns add ketch-$side; done
  ip -n ketch-hub link add hub type bridge mcast_snooping 0
  ip -n ketch-hub link set hub up
  for side in three four; do
    ip -n ketch-hub link add $side numtxqueues 1 numrxqueues 1 type veth peer name eth0 numtxqueues 1 numrxqueues 1 netns ketch-$side
    ip -n ketch-hub link set $side master hub up
    ip -n ketch-$side address add 10.99.79.$number/24 dev eth0
    ip -n ketch-$side link set eth0 up
    number=$((number + 1))
  done
  for side in two four; do
    ip netns exec ketch-$side "$iperf" -s >/dev/null 2>&1 &
    pids+=($!)
  done
  as_root run -d --name server --network bench -p 15201:5201 $words "$iperf" -s >/dev/null
  as_root run -d --name client --network bench $words "$iperf" -s >/dev/null
  local bridged
  bridged=$(as_root inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' server)
  listening 127.0.0.1:15201
  title "root, $((rounds / 3 + 1)) transfers of $each s each"
  rates "bare pair" "ip netns exec ketch-one $iperf -c 10.99.78.2" \
    "bare bridge" "ip netns exec ketch-three $iperf -c 10.99.79.2" \
    "container to container" "nsenter -t $(pid_of as_root client) -n $iperf -c $bridged" \
    "host to container" "$iperf -c $bridged" \
    "published, from beyond the host" "ip netns exec ketch-out $iperf -c 10.99.77.1 -p 15201" \
    "published, on loopback" "$iperf -c 127.0.0.1 -p 15201" \
    "out of a container" "nsenter -t $(pid_of as_root client) -n $iperf -c $outside" \
    "out of the host" "$iperf -c $outside"
  as_root rm -fa >/dev/null
  [ -n "$user" ] || return 0

  own pasta -f -q --config-net -t 15301:5201 -u none -T none -U none -- "$iperf" -s >/dev/null 2>&1 &
  pids+=($!)
  rootless run -d --name private --network private -p 15302:5201 $words "$iperf" -s >/dev/null
  rootless run -d --name server --network bench -p 15303:5201 $words "$iperf" -s >/dev/null
  rootless run -d --name client --network bench $words "$iperf" -s >/dev/null
  for side in 15301 15302 15303; do listening 127.0.0.1:$side; done
  bridged=$(rootless inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' server)
  title "published ports of $user"
  rates "pasta alone" "$iperf -c 127.0.0.1 -p 15301" "private" "$iperf -c 127.0.0.1 -p 15302" \
    "named" "$iperf -c 127.0.0.1 -p 15303"
  title "published ports of $user, from the container"
  rates "pasta alone" "$iperf -R -c 127.0.0.1 -p 15301" "private" "$iperf -R -c 127.0.0.1 -p 15302" \
    "named" "$iperf -R -c 127.0.0.1 -p 15303"
  local inside=(nsenter -n -t)
  title "out of a container of $user"
  rates "pasta alone" "own pasta -q --config-net -t none -u none -T none -U none -- $iperf -c $outside" \
    "private" "${inside[*]} $(pid_of rootless private) $iperf -c $outside" \
    "named" "${inside[*]} $(pid_of rootless client) $iperf -c $outside"
  title "between containers of $user"
  rates "bare pair" "ip netns exec ketch-one $iperf -c 10.99.78.2" \
    "container to container" "${inside[*]} $(pid_of rootless client) $iperf -c $bridged"
  rootless rm -fa >/dev/null
}

# Microseconds of a lookup, the median of many: $1 resolver, $2 name.
cat >"$root/ask.py" <<'PY'
import socket, struct, sys, time
server, name, count = sys.argv[1], sys.argv[2], 2000
port = int(sys.argv[3]) if len(sys.argv) > 3 else 53
question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0)
question += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\1\0\1"
times = []
for _ in range(count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        begin = time.perf_counter()
        s.sendto(question, (server, port))
        answer = s.recv(512)
        times.append(time.perf_counter() - begin)
        assert answer[3] & 15 == 0 and answer[6:8] != b"\0\0", (name, answer)
times.sort()
print(times[count // 2] * 1e6)
PY

names() {
  printf '192.0.2.7 far.example\n' >"$root/hosts"
  dnsmasq -k -C /dev/null --no-resolv --no-hosts --addn-hosts="$root/hosts" --port 53 --listen-address 127.0.0.9 \
    --bind-interfaces --user=root --pid-file= >/dev/null 2>&1 &
  pids+=($!)
  local who how pid round
  for who in as_root ${user:+rootless}; do
    "$who" run -d --name server --network bench $words "$iperf" -s >/dev/null
    "$who" run -d --name client --network bench --dns 127.0.0.9 $words "$iperf" -s >/dev/null
    pid=$(pid_of "$who" client)
    title "lookups, $who: median of $((rounds / 3 + 1)) times 2,000, in microseconds"
    : >"$root/asked"
    for ((round = 0; round < rounds / 3 + 1; round++)); do
      for how in "host 127.0.0.9 far.example" "member 127.0.0.11 server" "outside 127.0.0.11 far.example"; do
        set -- $how
        case $1 in
          host) set -- "$1" "$(python3 "$root/ask.py" "$2" "$3")" ;;
          *) set -- "$1" "$(nsenter -t "$pid" -n python3 "$root/ask.py" "$2" "$3")" ;;
        esac
        echo "$1 $2" >>"$root/asked"
      done
    done
    for how in host member outside; do
      awk -v n="$how" '$1 == n { print $2 }' "$root/asked" | sort -g | awk -v n="$how" '{ v[NR] = $1 } END { print n, v[int((NR + 1) / 2)] }'
    done | awk 'NR == 1 { first = $2 } { printf "%-28s %8.1f %6.2f\n", $1, $2, $2 / first }'
    "$who" rm -fa >/dev/null
  done
}

for part in $parts; do "$part"; done
