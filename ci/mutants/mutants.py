#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Break the Switcher on purpose, in one place, and see that the checks notice.

Each mutant of table.py is built in a tree of its own and given to the quick
battery of ci/nmi/drive.py, one of the small decisions first to the units, and
one that lives is followed by single instructions, as switch-order does;
red is what we want.  One that does not build, or at which the battery runs out
of time, has shown nothing.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time

from table import TABLE, H

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT = 400			# seconds for one QEMU; ten are enough on an idle machine
LATE, NOSTART = "out of time", "the Host of the test did not start"


def build(tree, headers):
    p = subprocess.run(["make", "-s", "-C", headers, "M=" + os.path.join(tree, "kmod"),
                        "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return p.returncode, p.stdout


def battery(tree, opts, seed):
    cmd = [sys.executable, "-B", os.path.join(TOP, "ci", "nmi", "drive.py"), "--module",
           os.path.join(tree, "kmod", "lg.ko"), "--kver", opts.kver, "--out", opts.out,
           "--only", "quick", "--failures", "1", "--seed", str(seed),
           "--limit", str(LIMIT), "--patience", "15",
           "--listing", os.path.join(tree, "listing")]
    begin = time.time()
    try:
        p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           errors="replace", timeout=LIMIT + 60)
    except subprocess.TimeoutExpired:
        return 1, LATE
    if p.returncode and time.time() - begin > LIMIT:	# QEMU was ended, which looks like a death
        return 1, LATE
    if p.returncode == 2:
        return 1, NOSTART
    lines = p.stdout.splitlines()
    why = [x for x in lines if x.startswith("FAILED")] or [x for x in lines if x.strip()][-1:]
    return p.returncode, why[0] if why else "?"


def units(tree):
    """The small decisions, without a machine: milliseconds."""
    program = os.path.join(tree, "units")
    subprocess.check_call(["gcc", "-O1", "-I" + os.path.join(tree, "kmod"), "-I" + os.path.join(TOP, "ci", "units"),
                           "-o", program, os.path.join(TOP, "ci", "units", "units.c")])
    p = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return p.returncode, "units: " + p.stdout.split("\n")[0]


def order(tree, opts):
    """Instruction by instruction, for what the battery lets pass."""
    p = subprocess.run([sys.executable, "-B", os.path.join(TOP, "ci", "follow", "follow.py"), "check",
                        "--kver", opts.kver, "--module", os.path.join(tree, "kmod", "lg.ko")],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    wrong = [x for x in p.stdout.splitlines() if x.startswith("WRONG")]
    return bool(wrong), "switch-order: " + (wrong[0] if wrong else "")


def short_way(tree):
    """Its Guests, for what is wrong without any NMI."""
    p = subprocess.run([os.path.join(TOP, "ci", "checks", "short-way"), "--module",
                        os.path.join(tree, "kmod", "lg.ko")],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=1800)
    lines = [x for x in p.stdout.splitlines() if x.strip()]
    wrong = [x for x in lines if x.startswith("WRONG")] or lines[-1:]
    return p.returncode, "short-way: " + (wrong[0] if wrong else "?")


def verdict(name, tree, file, opts):
    """"killed" and by what, "asleep" and why, or "lives"."""
    rc, out = build(tree, opts.headers)
    if rc:
        err = re.search(r"error: .*|Error: .*", out)
        return "asleep", "it does not build, mend table.py: " + (err.group(0) if err else out[-80:])
    if file == H:
        rc, why = units(tree)
        if rc:
            return "killed", why
    if name.startswith("short-"):
        rc, why = short_way(tree)
        if rc:
            return "killed", why
    rc, why = battery(tree, opts, opts.seed)
    if rc and why in (LATE, NOSTART):
        return "asleep", why
    if not rc:
        rc, why = order(tree, opts)
    return ("killed", why) if rc else ("lives", "")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sample", type=int, help="so many of them, by the seed")
    p.add_argument("--seed", type=int, default=int(time.time()) // 3600)
    p.add_argument("--part", help="I/N: every Nth, from the Ith on")
    p.add_argument("--only", action="append", help="this mutant")
    p.add_argument("--out", help="of ci/nmi/build.sh")
    p.add_argument("--kver", required=True)
    p.add_argument("--tree", default=os.path.join(TOP, "build", "mutants"))
    p.add_argument("--report", help="append a line for each to this file")
    opts = p.parse_args()
    opts.out = opts.out or os.path.join(TOP, "build", "nmi", opts.kver)
    opts.headers = "/usr/src/linux-headers-" + opts.kver
    os.makedirs(opts.tree, exist_ok=True)
    for d in ("kmod", "switcher"):
        shutil.copytree(os.path.join(TOP, d), os.path.join(opts.tree, d), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.ko", "*.o", ".*"))
    for name in {m[1] for m in TABLE}:	# a run that was cut short may have left a mutant's object
        os.utime(os.path.join(opts.tree, name))
    table = [m for m in TABLE if not opts.only or m[0] in opts.only]
    if opts.sample:
        some = random.Random(opts.seed).sample([m for m in table if not m[4]], opts.sample)
        table = some
        print("seed %d" % opts.seed)
    if opts.part:
        part, parts = map(int, opts.part.split("/"))
        table = sorted(table, key=lambda m: bool(m[4]))[part::parts]
    rc, out = build(opts.tree, opts.headers)
    if rc:
        print(out)
        return 1
    rc, why = battery(opts.tree, opts, opts.seed)
    print("%-24s %s" % ("the original", why), flush=True)
    if rc:
        print("the battery is red without any mutant")
        return 1
    killed, asleep = 0, []
    for name, file, old, new, equal in table:
        path = os.path.join(opts.tree, file)
        with open(os.path.join(TOP, file)) as f:
            text = f.read()
        if text.count(old) != 1:
            line = "NO PLACE  its text stands %d times in %s: mend table.py" % (text.count(old), file)
            asleep.append(name)
        else:
            with open(path, "w") as f:
                f.write(text.replace(old, new))
            how, why = verdict(name, opts.tree, file, opts)
            with open(path, "w") as f:
                f.write(text)
            if how == "killed":
                line = "killed    " + why
                killed += 1
            elif how == "asleep":
                line = "NOTHING   " + why
                asleep.append(name)
            elif equal:
                line = "equal     " + equal
            else:
                line = "SURVIVED"
                asleep.append(name)
        print("%-24s %s" % (name, line), flush=True)
        if opts.report:
            with open(opts.report, "a") as f:
                f.write("%-24s %s\n" % (name, line))
    print("%d mutants: %d killed, %d equal, %d asleep%s" % (
        len(table), killed, len(table) - killed - len(asleep), len(asleep),
        ": " + " ".join(asleep) if asleep else ""))
    return 1 if asleep else 0


if __name__ == "__main__":
    sys.exit(main())
