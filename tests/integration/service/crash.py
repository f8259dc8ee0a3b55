#!/usr/bin/env python3
"""kill -9 of the gateway, and of its Redis, in the middle of pushes: what was acknowledged is there.

R-064. Rounds by ISG_CRASH_ROUNDS (default 20, half of each kind).
"""
import os
import random
import signal
import subprocess
import threading
import time

from gateway import Instance, done, indicator, ok, same, until

ROUNDS = int(os.environ.get("ISG_CRASH_ROUNDS", "20"))
PUSHERS = 4
PER_PUSH = 20


class Pusher(threading.Thread):
    """Pushes envelopes until told to stop; remembers what was reported as success."""

    def __init__(self, isg, name, collection, first):
        super().__init__()
        self.client = isg.client(name, "secret of %s" % name)
        self.collection, self.n, self.sure, self.stopped = collection, first, set(), False

    def run(self):
        while not self.stopped:
            objects = [indicator(self.n + i, "green") for i in range(PER_PUSH)]
            self.n += PER_PUSH
            try:
                answer = self.client.push(self.collection, objects)
            except Exception:
                time.sleep(0.05)
                continue
            if answer.status == 202:
                self.sure |= {s["id"] for s in answer.json.get("successes", [])}
            else:
                time.sleep(0.05)


def redis_servers(isg):
    """Processes of any age that serve this instance's AOF."""
    out = subprocess.run(["pgrep", "-af", "redis-server"], capture_output=True, text=True).stdout
    pids = []
    for line in out.splitlines():
        pid = int(line.split()[0])
        try:
            if os.readlink("/proc/%d/cwd" % pid).startswith(os.path.realpath(isg.dir)):
                pids.append(pid)
        except OSError:
            pass
    return pids


def round_of(isg, kind, collection, first):
    pushers = [Pusher(isg, "st-mary", collection, first + k * 1000000) for k in range(PUSHERS)]
    most = 0
    for p in pushers:
        p.start()
    time.sleep(random.uniform(0.2, 0.8))
    if kind == "redis":
        pid = isg.redis_pid()
        os.kill(pid, signal.SIGKILL)
        deadline = time.time() + 120
        while time.time() < deadline and isg.redis_pid() in (None, pid):
            most = max(most, len(redis_servers(isg)))
            time.sleep(0.02)
        before = sum(len(p.sure) for p in pushers)
        while time.time() < deadline and sum(len(p.sure) for p in pushers) == before:
            most = max(most, len(redis_servers(isg)))
            time.sleep(0.05)
        ok(sum(len(p.sure) for p in pushers) > before, "pushes succeed again after redis died")
    else:
        isg.process.kill()
        isg.process.wait()
        isg.process = None
        before = sum(len(p.sure) for p in pushers)
        isg.start()
        ok(until(lambda: sum(len(p.sure) for p in pushers) > before), "pushes succeed again after a start")
    most = max(most, len(redis_servers(isg)))
    for p in pushers:
        p.stopped = True
    for p in pushers:
        p.join(60)
    same(most, 1, "never two redis-servers on one AOF")
    return set().union(*(p.sure for p in pushers))


def everything(isg, collection):
    """A full poll; the store may still be coming back."""
    for _ in range(600):
        try:
            return isg.client("st-mary", "secret of st-mary").pull(collection, limit=1000)[0]
        except RuntimeError:
            time.sleep(0.1)
    raise RuntimeError("the service did not come back")


random.seed(7)
with Instance(config="log:\n  level: warn\n") as isg:
    isg.member("st-mary", "hospital")
    collection = isg.collection("observed", write="st-mary")
    sure = set()
    for number in range(ROUNDS):
        kind = "redis" if number % 2 else "gateway"
        sure |= round_of(isg, kind, collection, (number + 1) * 10000000)
        objects = everything(isg, collection)
        ids = [o["id"] for o in objects]
        same(len(sure - set(ids)), 0, "round %d (%s): all %d acknowledged are there" %
             (number + 1, kind, len(sure)))
        same(len(ids), len(set(ids)), "round %d: none twice" % (number + 1))
        ok(all(o == indicator(int(o["name"].split()[-1]), "green") for o in objects[:200]),
           "round %d: none half" % (number + 1))
done()
