#!/usr/bin/env bash
# Makes .cargo/start.ld anew: the functions of a start, in the order of their first use. Needs
# root, binutils, gcc, python3 and busybox-static, and takes as long as the link of a release, whose
# executable has its symbols then: `BENCH_USER='name other'` adds ordinary users' starts to root's,
# one with a range of ids and one without.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$(mktemp -d /var/tmp/ketch-order.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

gcc -O2 -o "$work/steps" "$here/steps.c"
(cd "$top" && cargo rustc --release --bin ketch -- -Cstrip=none)
cp "$(find "$top/target" -path '*/release/ketch' -type f | head -n 1)" "$work/ketch"
nm --defined-only "$work/ketch" | awk '$2 ~ /[tTWi]/ { print $1 }' | sort -u >"$work/functions"
mkdir -p "$work/tree/bin"
cp "$(command -v busybox)" "$work/tree/bin/true"
ln -s true "$work/tree/bin/sleep"
tar -C "$work/tree" -cf "$work/tree.tar" .

# Functions of commands of user $1, of those in the file $2. A payload that runs is there for exec.
trace() {
  local user=$1 store=$work/store-$1 words
  local as=()
  [ "$user" = root ] || as=(setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups --reset-env)
  as+=(env KETCH_ROOT="$store")
  if [ ! -d "$store" ]; then
    install -d -o "$user" "$store"
    "${as[@]}" "$work/ketch" import "$work/tree.tar" order >/dev/null
    "${as[@]}" "$work/ketch" run -d --name there --network none order sleep 600 >/dev/null
  fi
  while read -ra words; do
    "$work/steps" "$work/functions" "$work/ketch" "${as[@]}" "$work/ketch" "${words[@]}"
  done <"$2"
}
cd "$work"
# What is in the way of every start comes before what is in the way of some.
printf 'run --rm --network %s order true\n' none host >first
printf '%s\n' 'run --rm order true' 'run -d --rm order true' 'exec there true' >second
for commands in first second; do
  for user in root ${BENCH_USER:-}; do
    trace "$user" "$commands" >"trace-$commands-$user" </dev/null
  done
done
for user in root ${BENCH_USER:-}; do
  trace "$user" /dev/stdin >/dev/null <<<'rm -f there'
done
libc=$(gcc -print-file-name=libc.a)
python3 "$here/order.py" "$work/ketch" "$libc" "$(dirname "$libc")"/libm-*.a "$(gcc -print-libgcc-file-name)" "$work"/trace-* >"$work/start.ld"
cp "$work/start.ld" "$top/.cargo/start.ld"
