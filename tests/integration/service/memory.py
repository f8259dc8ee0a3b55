#!/usr/bin/env python3
"""One of n allocations of the service fails: at its start, in pushes, polls and exports (R-061); and
a feed that is larger than the memory it may have (R-075). For builds without sanitizers.

The clients speak HTTP without TLS: below GnuTLS stand libraries that end the process where they get
no memory (README, Limits)."""
import json
import os
import re
import resource
import struct
import subprocess
import tempfile
import time

from gateway import ISG, Instance, done, indicator, minds_sigterm, ok, same, skip_all, until

LIBRARY = os.environ.get("FAILING_MALLOC_LIBRARY", "")
EVERY = (10000, 3001, 1201, 701, 401, 211, 101, 29, 7)
STARTS = (4001, 997, 251, 61, 11, 2)
LEVELS = ("green", "clear", "amber", "amber+strict")
LIMIT = 256 << 20  # bytes of address space
FEED = 100 << 20


class Knob:
    """The file that says how many allocations fail."""

    def __init__(self, base):
        self.path = os.path.join(base, "every")
        self.set(0)

    def set(self, n):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as f:
            f.write(struct.pack("<Q", n))

    def env(self):
        return dict(os.environ, LD_PRELOAD=LIBRARY, FAILING_MALLOC=self.path)


def leave_out_tls(isg):
    """A start reads no certificate then: libtasn1, which GnuTLS does that with, ends the process."""
    path = os.path.join(isg.dir, "isg.yaml")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(re.sub("^tls:\n(  .*\n)+", "", text, flags=re.M))


def check_starts(isg, knob):
    """It starts, or says why not: no signal, no silence."""
    for n in STARTS:
        knob.set(n)
        run = subprocess.Popen([ISG, "serve", "-C", isg.dir], env=knob.env(), stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
        until(lambda: run.poll() is not None or isg.is_ready(), 20)
        knob.set(0)
        until(lambda: run.poll() is not None or minds_sigterm(run.pid))
        run.terminate()  # nothing when it has ended
        _, said = run.communicate(timeout=120)
        ok(run.returncode >= 0 and (run.returncode == 0 or said),
           "start with one of %d failing: exit %d, %s" % (n, run.returncode, said[-120:]))
    knob.set(0)


def use(isg, n, sure):
    """What members do, with whatever comes of it; what was acknowledged goes into sure."""
    writer, reader = (isg.client(name, "secret of " + name) for name in ("writer", "reader"))
    answered = set()
    base = "/api/collections/memory/"
    for i in range(12):
        objects = [indicator(n * 1000 + i * 20 + k, LEVELS[i % 4]) for k in range(20)]
        for step in (lambda: writer.push("memory", objects),
                     lambda: reader.get(base + "objects/?limit=%d" % (50 + i)),
                     lambda: reader.get(base + "manifest/?limit=%d" % (50 + i)),
                     lambda: reader.get(base + "objects/%s/versions/" % objects[0]["id"])):
            try:
                answer = step()
            except Exception:
                continue  # the connection was given up
            answered.add(answer.status)
            if answer.status == 202:
                sure |= {s["id"] for s in answer.json.get("successes", [])}
        time.sleep(0.02)
    return answered


def export(isg, n):
    path = os.path.join(isg.base, "feed-%d.json" % n)
    said = isg.run("export", "--collection", "memory", "--as", "reader", "-o", path, check=False)
    ok(said.returncode in (0, 69, 71, 74, 75) and os.path.exists(path) == (said.returncode == 0),
       "one of %d: an export is whole or not there: exit %d %s" % (
           n, said.returncode, said.stderr.strip()[:100]))
    if said.returncode == 0:
        with open(path) as f:
            json.load(f)


def everything(isg):
    """A full poll; the store may still be coming back."""
    for _ in range(600):
        try:
            return isg.client("reader", "secret of reader").pull("memory", limit=1000)[0]
        except RuntimeError:
            time.sleep(0.1)
    raise RuntimeError("the service did not come back")


def all_there(isg, sure, name):
    objects = everything(isg)
    ids = [o["id"] for o in objects]
    same(len(sure - set(ids)), 0, "%s: all %d acknowledged are there" % (name, len(sure)))
    same(len(ids), len(set(ids)), "%s: none twice" % name)
    same([o for o in objects if o != indicator(int(o["name"].split()[-1]),
                                               LEVELS[int(o["name"].split()[-1]) % 1000 // 20 % 4])],
         [], "%s: none half" % name)


def check_use(isg, knob):
    sure, statuses = set(), set()
    for n in EVERY:
        knob.set(n)
        statuses |= use(isg, n, sure)
        export(isg, n)
        knob.set(0)
        if not ok(isg.process.poll() is None, "one of %d: the service lives" % n):
            isg.process = None
            isg.start(env=knob.env())
        all_there(isg, sure, "one of %d" % n)
    ok(len(sure) > 500 and 503 in statuses, "some were taken, some refused: %s" % sorted(statuses))
    ok(statuses <= {200, 202, 401, 404, 500, 503}, "and nothing else was said")
    same(isg.stop(), 0, "it stops as it should")
    isg.start()
    all_there(isg, sure, "after a restart")


def large_feed(path):
    with open(path, "w") as f:
        f.write('{"type":"bundle","id":"bundle--%s","objects":[' % indicator(1)["id"][11:])
        n, size = 0, 0
        while size < FEED:
            n += 1
            size += f.write(("," if n > 1 else "") +
                            json.dumps(indicator(n, "green", description="x" * 20000)))
        f.write("]}")


def check_large_feed(isg):
    """R-075: a command with 256 MiB of address space reads 100 MiB; the service does not grow with it."""
    path = os.path.join(isg.base, "large.json")
    large_feed(path)
    said = subprocess.run([ISG, "import", "--format", "stix", "--collection", "large", "--json", path],
                          env=dict(os.environ, ISG_DIR=isg.dir), capture_output=True, text=True,
                          timeout=300, preexec_fn=lambda: resource.setrlimit(
                              resource.RLIMIT_AS, (LIMIT, LIMIT)))
    ok(said.returncode in (0, 65, 69, 71, 74, 75) and (said.returncode == 0 or said.stderr),
       "100 MiB with 256 MiB of memory: exit %d %s" % (said.returncode, said.stderr.strip()[:200]))
    with open("/proc/%d/status" % isg.process.pid) as f:
        most = next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) // 1024
    ok(most < 400, "the service took %d MiB at most" % most)


if "/asan/" in ISG or "/tsan/" in ISG or not os.path.exists(LIBRARY):
    skip_all("this build has a malloc that cannot be replaced")
with tempfile.TemporaryDirectory() as base:
    knob = Knob(base)
    isg = Instance(config="log:\n  level: warn\n", plain=True)
    leave_out_tls(isg)
    check_starts(isg, knob)
    isg.start(env=knob.env())
    try:
        for name in ("writer", "reader"):
            isg.member(name, "hospital")
        isg.collection("memory", write="writer")
        isg.collection("large")
        check_use(isg, knob)
        check_large_feed(isg)
    finally:
        isg.__exit__()
done()
