#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Remove each defence that the table names, and see that its attack succeeds.

Each mutant is built in a tree of its own, and only its attack is run on it; it is
noticed if the attack is not stopped.  One that does not build, or whose text is not
where it was, has shown nothing.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "ci", "mutants")]
import plan
from mutants import build


def attack(number, module, kver):
    """None if it was stopped, else by what one sees that it was not."""
    env = dict(os.environ, ATTACKS=number, LIMIT="300")
    p = subprocess.run([os.path.join(TOP, "ci", "checks", "attacks"), "--module", module, "--kver", kver],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=env)
    if not re.search(r"^attack-%s: WRONG .*(not on Host|did not answer)" % number, p.stdout, re.M):
        return None
    # its own words, not those of the summary
    said = [x for x in p.stdout.splitlines() if re.search("WRONG|Host died|BUG|Oops|panic|trap .* in the Switcher", x)]
    return said[0].strip()[:150]


def mutate(tree, changes):
    """Make them; what is wrong with them, or nothing."""
    for file, old, new in changes:
        path = os.path.join(tree, file)
        with open(path) as f:
            text = f.read()
        if text.count(old) != 1:
            return "its text stands %d times in %s" % (text.count(old), file)
        with open(path, "w") as f:
            f.write(text.replace(old, new))
    return ""


def restore(tree, changes):
    for file in {c[0] for c in changes}:
        shutil.copyfile(os.path.join(TOP, file), os.path.join(tree, file))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--kver", required=True)
    p.add_argument("--sample", type=int, help="so many pairs of attack and mutant, by the seed")
    p.add_argument("--seed", type=int, default=int(time.time()) // 3600)
    p.add_argument("--only", action="append", help="this mutant, or this attack")
    p.add_argument("--once", action="store_true", help="each mutant with one attack only")
    opts = p.parse_args()
    headers = "/usr/src/linux-headers-" + opts.kver
    tree = os.path.join(TOP, "build", "attack-mutants")
    for d in ("kmod", "switcher"):
        shutil.copytree(os.path.join(TOP, d), os.path.join(tree, d), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.ko", "*.o", ".*"))
    names = plan.mutants()
    pairs = [(a.number, m) for a in plan.attacks() for m in a.mutants
             if plan.is_here(a) and m[0] != "@"]
    if opts.only:
        pairs = [x for x in pairs if x[0] in opts.only or x[1] in opts.only]
    if opts.once:
        pairs = [(next(n for n, x in pairs if x == m), m) for m in dict.fromkeys(m for _, m in pairs)]
    if opts.sample:	# of the pairs that a run of all has seen succeed
        with open(os.path.join(TOP, "ci/attacks/seen")) as f:
            seen = {tuple(line.split()) for line in f}
        print("seed %d; a sample of %d pairs of %d" % (opts.seed, len(seen), len(pairs)))
        pairs = [x for x in pairs if x in seen]
        pairs = random.Random(opts.seed).sample(pairs, opts.sample)
    for name in {c[0] for m in names.values() for c in m}:	# a run that was cut short may have left an object
        os.utime(os.path.join(tree, name))
    asleep = []
    for number, name in pairs:
        wrong = mutate(tree, names[name])
        why = None
        if not wrong:
            rc, out = build(tree, headers)
            if rc:
                wrong = "it does not build: " + "".join(re.findall(r"error: .*|Error: .*", out)[:1])
            else:
                why = attack(number, os.path.join(tree, "kmod", "lg.ko"), opts.kver)
        restore(tree, names[name])
        if why is None:
            asleep.append("%s/%s" % (number, name))
        print("attack-%s %-20s %s" % (number, name, "NOTHING  " + wrong if wrong else
                                      "succeeds: " + why if why else "STOPPED all the same"), flush=True)
    print("%d defences removed, %d attacks succeed%s" % (
        len(pairs), len(pairs) - len(asleep), "; not: " + " ".join(asleep) if asleep else ""))
    return 1 if asleep or not pairs else 0


if __name__ == "__main__":
    sys.exit(main())
