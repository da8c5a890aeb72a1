#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What to run for which attack, and what came of it; see table.

plan FOLDER: read rows on standard input, and write to FOLDER for each Host what
ci/attacks/script runs there; ATTACKS="07 13" takes some.  report FOLDER: read what
the Hosts have said in FOLDER/said.1 and said.2, and say a line for each attack.  show: the table,
for a reader.
"""
import collections
import fnmatch
import os
import re
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))

Attack = collections.namedtuple("Attack", "number story proof defence mutants")
FAR = re.compile(r"0x[1-4]....$")	# of gates: what QEMU 7.2 cannot do under SMAP


def attacks():
    with open(os.path.join(HERE, "table")) as f:
        lines = [x.rstrip("\n") for x in f if x.strip() and not x.startswith("#")]
    for line in lines:
        n, story, proof, defence, mutants = line.split("\t")
        yield Attack(n, story, [] if proof == "-" else proof.split(), defence,
                     [] if mutants == "-" else mutants.split())


def is_here(a):
    """Is any of it tried by ci/attacks/script?"""
    return any(t[0] != "@" for t in a.proof)


def wanted():
    some = os.environ.get("ATTACKS", "").split()
    for a in attacks():
        if not some or a.number in some:
            yield a


def among(number, pattern):
    for part in pattern.split(","):
        ends = re.fullmatch(r"(\d+)-(\d+)", part)
        if ends and number.isdigit() and int(ends[1]) <= int(number) <= int(ends[2]):
            return True
        if fnmatch.fnmatch(number, part):
            return True
    return False


def chosen(token, rows):
    """The rows that a token of a proof means."""
    guest, _, pattern = token.partition("=")
    guest, _, every = guest.partition("/")
    ldt = guest.endswith("-ldt")
    if ldt:
        guest = guest[:-4]
    some = [r for r in rows if r[0] == guest and (not pattern or among(r[1], pattern))
            and (not ldt or r[2] == "--ldt")]
    return some[::int(every or 1)]


def plan(folder):
    rows = [x.rstrip("\n").split("\t") for x in sys.stdin]
    out = {n: open(os.path.join(folder, "plan." + n), "w") for n in "12"}
    bad = 0
    for a in wanted():
        work = {"1": ([], []), "2": ([], [])}
        for token in a.proof:
            host, _, token = token.rpartition(":")
            lines, cases = work[host or "1"]
            if token[0] == "@":
                continue
            if token[0] in "!~":
                cases.append(token)
                continue
            some = [r for r in chosen(token, rows)
                    if host or r[0] != "gates" or not FAR.match(r[1])]
            if not some:
                print("WRONG: attack-%s: no row is %s" % (a.number, token))
                bad = 1
            lines += [r for r in some if r not in lines]
        for n in "12":
            lines, cases = work[n]
            if lines or cases:
                with open(os.path.join(folder, "rows.%s.%s" % (n, a.number)), "w") as f:
                    f.writelines("\t".join(r) + "\n" for r in lines)
                print(a.number, " ".join(cases), file=out[n])
    return bad


def section(stop):
    """The lines of a stop of the tour, or nothing."""
    p = subprocess.run(["sed", "-n", "/^## %s /,/^## /p" % stop] +
                       sorted(os.path.join(TOP, "chapters", x) for x in os.listdir(TOP + "/chapters")),
                       stdout=subprocess.PIPE, text=True)
    return p.stdout


def checked(a, names):
    """What is wrong with a line of the table itself."""
    for token in a.proof + a.mutants:
        if token[0] == "@" and not os.access(os.path.join(TOP, "ci", "checks", token[1:]), os.X_OK):
            yield "there is no check " + token[1:]
    with open(os.path.join(TOP, "ci", "mutants", "seen")) as f:
        seen = f.read().split()
    for name in a.mutants:
        if name[0] != "@" and name not in (names if is_here(a) else seen):
            yield "there is no mutant " + name
    if a.proof:
        function, stop = a.defence.split()
        if not re.search(r"\b%s\b" % re.escape(function), section(stop)):
            yield "%s is not at %s" % (function, stop)


def mutants():
    sys.path[:0] = [HERE, os.path.join(TOP, "ci", "mutants")]
    sys.dont_write_bytecode = True
    import own
    import table
    return own.mutants(table.TABLE)


def report(folder):
    said = {"1": {}, "2": {}}
    for n in "12":
        try:
            with open(os.path.join(folder, "said." + n), errors="replace") as f:
                for line in f:
                    m = re.match(r"said (\d+) (ok|WRONG)", line)
                    if m:
                        said[n][m[1]] = m[2]
        except FileNotFoundError:
            pass
    count = collections.Counter()
    names = mutants()
    for a in wanted():
        wrong = list(checked(a, names))
        here = [n for n in "12" if os.path.exists(os.path.join(folder, "rows.%s.%s" % (n, a.number)))]
        for n in here:
            if said[n].get(a.number) != "ok":
                wrong.append("not on Host %s" % n if a.number in said[n] else "the Host did not answer")
        others = ", ".join(t[1:] for t in a.proof if t[0] == "@")
        if wrong:
            kind, word = "wrong", "WRONG (%s)" % "; ".join(wrong)
        elif here:
            kind, word = "here", "ok"
        elif others:
            kind, word = "elsewhere", "see " + others
        else:
            kind, word = "not", "no"
        count[kind] += 1
        print("attack-%s: %s: %s%s" % (a.number, word, a.story,
                                       "" if a.proof else ": " + a.defence))
    print("%d attacks: %d stopped here, %d by other checks, %d do not apply, %d wrong" % (
        sum(count.values()), count["here"], count["elsewhere"], count["not"], count["wrong"]))
    return count["wrong"] != 0


def show():
    for a in wanted():
        if not a.proof:
            continue
        columns = [textwrap.wrap(" ".join(x), width, break_on_hyphens=False) for x, width in (
            (a.proof, 42), ([a.defence.replace(" ", ", ")], 30), (a.mutants, 20))]
        for i in range(max(len(c) for c in columns)):
            part = [c[i] if i < len(c) else "" for c in columns]
            print(("%-3s %-42s  %-30s  %s" % ("" if i else a.number, *part)).rstrip())


if __name__ == "__main__":
    sys.exit({"plan": plan, "report": report, "show": show}[sys.argv[1]](*sys.argv[2:]))
