#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# usage: formulas.py FILE.ll: for each promise in it a formula of bit vectors,
# which has a solution if and only if the promise can return false.
#
# In FILE.ll there are no loops and no memory any more: opt has unrolled the
# former and dissolved the latter. What this does not know ends it, with status
# 2: a promise that has not been understood must not look like a kept one.
import re
import sys


def die(why):
    print(f"cannot translate: {why}", file=sys.stderr)
    sys.exit(2)


def width(t):
    if not re.fullmatch(r"i\d+", t):
        die("type " + t)
    return int(t[1:])


unknown = []        # the widths of what has never been set


def value(t, v):
    w = width(t)
    if v.startswith("%"):
        return "|" + v + "|"
    if v in ("true", "false"):
        v = "1" if v == "true" else "0"
    if v in ("undef", "poison"):    # then it must hold whatever that is
        unknown.append(w)
        return f"|unknown {len(unknown)}|"
    if not re.fullmatch(r"-?\d+", v):
        die("value " + v)
    return f"(_ bv{int(v) % 2**w} {w})"


BINARY = dict(zip("and or xor add sub mul shl lshr ashr udiv urem".split(),
                  "bvand bvor bvxor bvadd bvsub bvmul bvshl bvlshr bvashr bvudiv bvurem".split()))
COMPARE = {"eq": "=", "ugt": "bvugt", "uge": "bvuge", "ult": "bvult", "ule": "bvule",
           "sgt": "bvsgt", "sge": "bvsge", "slt": "bvslt", "sle": "bvsle"}
PICK = {"umin": "bvult", "umax": "bvugt", "smin": "bvslt", "smax": "bvsgt"}


def expression(code):
    """The type and the term of what stands to the right of an equals sign."""
    code = re.sub(r"\b(nuw|nsw|exact|noundef|zeroext|signext|tail) ", "", code)
    code = re.sub(r", !.*| #\d+$", "", code)
    if m := re.fullmatch(r"(\w+) (i\d+) (\S+), (\S+)", code):
        op, t, a, b = m.groups()
        if op in BINARY:
            return t, f"({BINARY[op]} {value(t, a)} {value(t, b)})"
    if m := re.fullmatch(r"icmp (\w+) (i\d+) (\S+), (\S+)", code):
        op, t, a, b = m.groups()
        a, b = value(t, a), value(t, b)
        yes = f"(not (= {a} {b}))" if op == "ne" else f"({COMPARE[op]} {a} {b})"
        return "i1", f"(ite {yes} #b1 #b0)"
    if m := re.fullmatch(r"select i1 (\S+), (i\d+) (\S+), (i\d+) (\S+)", code):
        c, t, a, _, b = m.groups()
        return t, f"(ite (= {value('i1', c)} #b1) {value(t, a)} {value(t, b)})"
    if m := re.fullmatch(r"(zext|sext|trunc) (i\d+) (\S+) to (i\d+)", code):
        op, t, a, to = m.groups()
        a, by = value(t, a), width(to) - width(t)
        if op == "trunc":
            return to, f"((_ extract {width(to) - 1} 0) {a})"
        return to, f"((_ {'zero' if op == 'zext' else 'sign'}_extend {by}) {a})"
    if m := re.fullmatch(r"call (i\d+) @llvm\.(\w+)\.i\d+\(i\d+ (\S+), i\d+ (\S+)\)", code):
        t, op, a, b = m.groups()
        if op in PICK:
            a, b = value(t, a), value(t, b)
            return t, f"(ite ({PICK[op]} {a} {b}) {a} {b})"
    if m := re.fullmatch(r"freeze (i\d+) (\S+)", code):
        return m[1], value(*m.groups())
    die(code)


def blocks(arguments, text):
    """The arguments, and the lines of each block, in the order of the file."""
    args = [(a.split()[0], a.split()[-1]) for a in arguments.split(", ") if a]
    here = "%" + str(len(args))
    body = {here: []}
    for line in re.sub(r"\[\n(.*?)\n\s*\]", lambda s: "[" + s[1].replace("\n", "") + "]",
                       text, flags=re.S).split("\n"):
        line = line.split(";")[0].strip()
        if label := re.fullmatch(r"([\w.]+):", line):
            if not body[here]:      # the first block has a name after all
                del body[here]
            here = "%" + label[1]
            body[here] = []
        elif line:
            body[here].append(line)
    return args, body


def formula(args, body):
    """Is there a way to a `ret` of false?"""
    unknown.clear()
    out = []
    edges = {}      # (from, to): when it is gone
    ways = {}       # block: how many edges lead there that are still to come
    for name, lines in body.items():
        for to in re.findall(r"label (%[\w.]+)", lines[-1]):
            ways.setdefault(to, set()).add(name)
    done, wrong = set(), []

    def go(start, to, when):
        old = edges.get((start, to))
        edges[start, to] = f"(or {old} {when})" if old else when

    todo = list(body)
    while todo:
        name = next((b for b in todo if ways.get(b, set()) <= done), None)
        if name is None:
            die("a loop")
        todo.remove(name)
        done.add(name)
        came = [edges[b, name] for b in ways.get(name, ())]
        here = f"|at {name}|"
        out.append(f"(define-fun {here} () Bool {'(or ' + ' '.join(came) + ')' if came else 'true'})")
        for line in body[name]:
            if m := re.fullmatch(r"(%\S+) = phi (i\d+) (.*?)(, !.*)?", line):
                t, term = m[2], None
                for v, b in re.findall(r"\[ (\S+), (%[\w.]+) \]", m[3]):
                    v = value(t, v)
                    term = f"(ite {edges[b, name]} {v} {term})" if term else v
                out.append(f"(define-fun |{m[1]}| () (_ BitVec {width(t)}) {term})")
            elif m := re.fullmatch(r"(%\S+) = (.*)", line):
                t, term = expression(m[2])
                out.append(f"(define-fun |{m[1]}| () (_ BitVec {width(t)}) {term})")
            elif m := re.fullmatch(r"br label (%[\w.]+)(, !.*)?", line):
                go(name, m[1], here)
            elif m := re.fullmatch(r"br i1 (\S+), label (%[\w.]+), label (%[\w.]+)(, !.*)?", line):
                yes = f"(= {value('i1', m[1])} #b1)"
                go(name, m[2], f"(and {here} {yes})")
                go(name, m[3], f"(and {here} (not {yes}))")
            elif m := re.fullmatch(r"switch (i\d+) (\S+), label (%[\w.]+) \[(.*)\]", line):
                t, v, other, cases = m.groups()
                none = here
                for _, c, to in re.findall(r"(i\d+) (\S+), label (%[\w.]+)", cases):
                    yes = f"(= {value(t, v)} {value(t, c)})"
                    go(name, to, f"(and {here} {yes})")
                    none = f"(and {none} (not {yes}))"
                go(name, other, none)
            elif m := re.fullmatch(r"ret i1 (\S+)", line):
                wrong.append(f"(and {here} (= {value('i1', m[1])} #b0))")
            elif line == "unreachable":
                wrong.append(here)
            else:
                die(line)
    given = [(a, width(t)) for t, a in args]
    given += [(f"unknown {n + 1}", w) for n, w in enumerate(unknown)]
    declared = [f"(declare-const |{a}| (_ BitVec {w}))" for a, w in given]
    out += ["(assert (or false " + " ".join(wrong) + "))", "(check-sat)"]
    return "\n".join(declared + out)


for function in re.finditer(r"^define [^\n]*i1 @(\w+__\w+)\(([^\n]*)\)[^\n]*\{\n(.*?)^\}",
                            open(sys.argv[1]).read(), re.M | re.S):
    arguments, lines = blocks(function[2], function[3])
    print("(reset)\n(set-option :produce-models true)\n(set-logic QF_BV)")
    print(f'(echo "{function[1]}")')
    print(formula(arguments, lines))
    # without a solution there are no values either, and z3 says so
    print("(get-value (" + " ".join(f"|{a}|" for _, a in arguments) + "))")
