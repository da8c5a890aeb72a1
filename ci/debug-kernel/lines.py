#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the module were executed, in all the runs of a debug kernel together?

usage: lines.py FOLDER [AT-LEAST]

FOLDER is the BENCH_DEBUG of ci/debug-kernel/boot.  The compiler has followed
the line marks, so the lines are those of the chapters.  Prints a line for
each chapter, then every line that nobody has come to; fails below AT-LEAST
percent.
"""
import collections
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def objects(folder):
    """Each object's counters, one run after the other: path of the object -> [path of the counters]"""
    found = collections.defaultdict(list)
    for run in sorted(glob.glob(os.path.join(folder, "*", "gcov"))):
        for where, _, names in os.walk(run):
            for name in names:
                if name.endswith(".gcda"):
                    path = os.path.join(where, name)
                    rest = path.split("/sys/kernel/debug/gcov", 1)[1]
                    if rest.startswith(os.path.join(TOP, "build", "host") + "/"):
                        found[rest[:-5]].append(path)
    return found


def count(folder):
    """chapter -> line -> how often"""
    lines = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as tmp:
        for obj, runs in sorted(objects(folder).items()):
            here = os.path.join(tmp, "o")
            shutil.copy(obj + ".gcno", here + ".gcno")
            for run in runs:
                shutil.copy(run, here + ".gcda")
                out = subprocess.run(["gcov", "-t", "--json-format", here + ".gcda"], cwd=tmp,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
                if b"stamp mismatch" in out.stderr:
                    print("not counted, of another build:", run)
                    continue
                for f in json.loads(out.stdout)["files"]:
                    if f["file"].startswith("chapters/"):
                        for line in f["lines"]:
                            lines[f["file"]][line["line_number"]] += line["count"]
    return lines


def main():
    lines = count(sys.argv[1])
    least = float(sys.argv[2]) if len(sys.argv) > 2 else 0
    if not lines:
        sys.exit("no lines at all in " + sys.argv[1])
    all_of_it = reached = 0
    missed = []
    for chapter in sorted(lines):
        n = len(lines[chapter])
        r = sum(1 for c in lines[chapter].values() if c)
        print("%-36s %5d of %5d lines  %5.1f %%" % (chapter, r, n, 100 * r / n))
        all_of_it += n
        reached += r
        with open(os.path.join(TOP, chapter), encoding="utf-8") as f:
            text = f.read().split("\n")
        missed += ["%s:%d: %s" % (chapter, at, text[at - 1].strip())
                   for at, c in sorted(lines[chapter].items()) if not c]
    share = 100 * reached / all_of_it
    print("%-36s %5d of %5d lines  %5.1f %%" % ("the module", reached, all_of_it, share))
    print("not reached:")
    for line in missed:
        print("  " + line)
    if share < least:
        print("WRONG: %.1f %% of the module's lines were executed, must be %g %%" % (share, least))
        sys.exit(1)


main()
