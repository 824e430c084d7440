"""Writes a linker script that puts functions in the order of their first use.

order.py PROGRAM TRACE...: PROGRAM has its symbols; each TRACE has addresses of executed code, one a line.
"""
import bisect
import re
import subprocess
import sys

HEAD = """/* Functions of the way of a start, in the order of their first use: a page of code that is touched
 * brings the fifteen around it, and a start touches one here and one there in ten megabytes.
 * Made by tests/bench/order.sh. A name that is not there any more puts nothing out of order.
 */
SECTIONS
{
  .text.start :
  {
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""
HASH = re.compile(r"17h[0-9a-f]{16}E$")


def symbols(program):
    listing = subprocess.run(["nm", "-S", "--defined-only", program], check=True, capture_output=True, text=True)
    rows = (line.split() for line in listing.stdout.splitlines())
    found = (row for row in rows if len(row) == 4 and row[2] in "tT")
    return sorted((int(row[0], 16), int(row[1], 16), row[3]) for row in found)


def main():
    known = symbols(sys.argv[1])
    starts = [at for at, _, _ in known]
    names = {}
    for trace in sys.argv[2:]:
        for line in open(trace):
            if not re.fullmatch(r"[0-9a-f]+\n", line):
                continue
            address = int(line, 16)
            index = bisect.bisect_right(starts, address) - 1
            if index >= 0 and address < known[index][0] + known[index][1]:
                name = known[index][2]
                if HASH.search(name):
                    names[HASH.sub("17h*", name)] = None
    sys.stdout.write(HEAD)
    for name in names:
        sys.stdout.write(f"    *(.text.{name})\n")
    sys.stdout.write(TAIL)


main()
