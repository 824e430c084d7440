"""Writes a linker script that puts functions in the order of their first use.

order.py PROGRAM ARCHIVE... TRACE...: PROGRAM has its symbols; each ARCHIVE (*.a) is one of the C library or
the C compiler that it was linked with; each TRACE has the addresses of functions that were called, one a line.

A name (RFC 2603) says all of a function but which build of its crate it is from, which is left open here: that
changes with the compiler and the version. So are references back into the name, which count its letters.
"""
import bisect
import os
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
OPEN = ((re.compile(r"Cs[0-9A-Za-z]+_"), "Cs*_"), (re.compile(r"B[0-9A-Za-z]{0,2}_"), "B*_"))


def listing(*words):
    return subprocess.run(["nm", *words], check=True, capture_output=True, text=True).stdout.splitlines()


def functions(program):
    rows = (line.split() for line in listing("-S", "--defined-only", program))
    return sorted({(int(row[0], 16), int(row[1], 16), row[3]) for row in rows if len(row) == 4 and row[2] in "tTWi"})


def members(archives):
    """Which member of which archive has a function."""
    found = {}
    for archive in archives:
        for line in listing("-A", "--defined-only", archive):
            row = line.split()
            if len(row) == 3 and row[1] in "tTWi":
                found.setdefault(row[2], f"{os.path.basename(archive)}:{row[0].split(':')[1]}")
    return found


def pattern(name):
    for part, star in OPEN:
        name = part.sub(star, name)
    return name


def used(known, traces):
    """What the traces have executed, in the order of its first use."""
    starts = [at for at, _, _ in known]
    names = {}
    for trace in traces:
        for line in open(trace):
            if not re.fullmatch(r"[0-9a-f]+\n", line):
                continue
            address = int(line, 16)
            index = bisect.bisect_right(starts, address) - 1
            if index >= 0 and address < known[index][0] + known[index][1]:
                names[known[index][2]] = None
    return names


def main():
    known = functions(sys.argv[1])
    archived = members(word for word in sys.argv[2:] if word.endswith(".a"))
    lines = {"*crt1.o(.text)": None}
    for name in used(known, [word for word in sys.argv[2:] if not word.endswith(".a")]):
        if name in archived:
            lines[f"*{archived[name]}(.text .text.*)"] = None
        else:
            # What seldom happens is a section of another kind.
            lines[f"*(.text.{pattern(name)} .text.unlikely.{pattern(name)})"] = None
    sys.stdout.write(HEAD)
    for line in lines:
        sys.stdout.write(f"    {line}\n")
    sys.stdout.write(TAIL)


main()
