#!/usr/bin/env bash
# Makes .cargo/start.ld anew: the functions of a start, in the order of their first use. Needs
# root, binutils, gcc, python3 and busybox-static, and takes some ten minutes: `BENCH_USER='name other'` adds
# ordinary users' starts to root's: one with a range of ids and one without.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$(mktemp -d /var/tmp/ketch-order.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

gcc -O2 -o "$work/steps" "$here/steps.c"
(cd "$top" && CARGO_PROFILE_RELEASE_STRIP=none cargo build --release --target-dir target/order)
cp "$(find "$top/target/order" -path '*/release/ketch' -type f | head -n 1)" "$work/ketch"
mkdir -p "$work/tree/bin"
cp "$(command -v busybox)" "$work/tree/bin/true"
tar -C "$work/tree" -cf "$work/tree.tar" .

# Every instruction of two starts: one without a network and one on the host's.
trace() {
  local user=$1 store=$work/store-$1
  local as=()
  [ "$user" = root ] || as=(setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups --reset-env)
  install -d -o "$user" "$store"
  "${as[@]}" env KETCH_ROOT="$store" "$work/ketch" import "$work/tree.tar" order >/dev/null
  for network in none host; do
    "${as[@]}" env KETCH_ROOT="$store" "$work/steps" "$work/ketch" run --rm --network "$network" order true
  done
}
cd "$work"
for user in root ${BENCH_USER:-}; do
  trace "$user" >"$work/trace-$user"
done
python3 "$here/order.py" "$work/ketch" "$(gcc -print-file-name=libc.a)" "$work"/trace-* >"$work/start.ld"
cp "$work/start.ld" "$top/.cargo/start.ld"
