#!/usr/bin/env python3
"""A mixed load on two gateways with one Redis for a while: pushes, pulls, deletes, bad requests,
slow clients.

Nothing acknowledged is lost or doubled, nobody sees a byte that is not his, both services stay up and
stop as they should, their descriptors do not grow, nor does their memory. ISG_SOAK_SECONDS (60).
"""
import contextlib
import os
import random
import re
import socket
import threading
import time

from gateway import Instance, Redis, done, indicator, ok, same, until

SECONDS = int(os.environ.get("ISG_SOAK_SECONDS", "60"))
SANITIZED = "asan" in os.environ.get("ISG", "") or "tsan" in os.environ.get("ISG", "")
PATH = "/api/collections/soak/objects/"


class Worker(threading.Thread):
    """Runs step() until the time is over; a failure is kept and told at the end."""

    def __init__(self, gateways, end):
        super().__init__()
        self.gateways, self.end, self.steps, self.failure = gateways, end, 0, None
        self.setup()

    def setup(self):
        pass

    def clients(self, name, password=None):
        """One client for each gateway."""
        return [g.client(name, password or "secret of " + name) for g in self.gateways]

    def run(self):
        while time.time() < self.end and self.failure is None:
            try:
                self.step()
                self.steps += 1
            except Exception as e:  # the reason is what the test reports
                self.failure = "%s: %r" % (type(self).__name__, e)


class Pusher(Worker):
    """Pushes, one in ten RED, and deletes one of its own now and then."""
    number = 0

    def setup(self):
        Pusher.number += 1
        self.name = "hospital-%d" % Pusher.number
        self.both = self.clients(self.name)
        self.next, self.sure, self.gone, self.red = Pusher.number * 10000000, set(), set(), set()

    def step(self):
        objects = [indicator(self.next + i, "red" if i % 10 == 9 else "green") for i in range(20)]
        self.next += 20
        client = random.choice(self.both)
        answer = client.push("soak", objects)
        if answer.status == 503:
            return time.sleep(0.2)
        if answer.status != 202 or answer.json["success_count"] != 20:
            raise RuntimeError("push: %d %s" % (answer.status, answer.body[:200]))
        self.sure |= {o["id"] for o in objects}
        self.red |= {o["id"] for o in objects[9::10]}
        if random.random() < 0.3:
            self.delete(random.choice(self.both), objects[random.randrange(9)]["id"])
        time.sleep(random.uniform(0, 0.05))

    def delete(self, client, id):
        answer = client.request("DELETE", PATH + id + "/")
        if answer.status != 200:
            raise RuntimeError("delete: %d" % answer.status)
        self.sure.discard(id)
        self.gone.add(id)
        if client.get(PATH + id + "/").status != 404:
            raise RuntimeError("a deleted object is still there")


class Puller(Worker):
    """Follows the collection by its cursor, as a SIEM does, at whichever gateway; sees each object
    once and nobody else's RED."""
    names = ["maker", "hospital-1", "maker", "hospital-2"]

    def setup(self):
        self.name = Puller.names.pop()
        self.both = self.clients(self.name)
        self.after, self.seen, self.doubled, self.red = "", set(), 0, set()

    def step(self):
        query = "added_after=" + self.after if self.after else ""
        answer = random.choice(self.both).get(PATH + "?limit=200&" + query)
        if answer.status == 503:
            return time.sleep(0.2)
        objects = answer.json.get("objects", [])
        ids = [o["id"] for o in objects]
        self.doubled += len(set(ids) & self.seen) + len(ids) - len(set(ids))
        self.seen |= set(ids)
        self.red |= {o["id"] for o in objects if "e828b379" in o["object_marking_refs"][0]}
        if objects:
            self.after = answer.headers["X-TAXII-Date-Added-Last"]
        else:
            time.sleep(0.05)


class Abuser(Worker):
    """Everything that is refused."""

    def setup(self):
        self.both = self.clients("maker")
        self.strangers = self.clients("maker", "not his secret")
        self.pushers = self.clients("hospital-1")

    def step(self):
        c, hospital = random.choice(self.both), random.choice(self.pushers)
        rows = [
            (400, lambda: c.get("/api/collections/soak/objects/?limit=0")),
            (400, lambda: c.get("/api/collections/soak/objects/?next=nonsense")),
            (404, lambda: c.get("/api/collections/nowhere/objects/")),
            (403, lambda: c.push("soak", [indicator(1)])),
            (406, lambda: c.get("/taxii2/", Accept="text/html")),
            (422, lambda: hospital.request("POST", PATH, b'{"objects":[')),
            (404, lambda: hospital.request("DELETE", PATH + "indicator--%s/" % ("0" * 36))),
        ]
        want, ask = random.choice(rows)
        status = ask().status
        if status not in (want, 503):
            raise RuntimeError("%d instead of %d" % (status, want))
        if random.random() < 0.02 and random.choice(self.strangers).get("/taxii2/").status not in (401, 429):
            raise RuntimeError("a wrong password was taken")


class Sluggard(Worker):
    """Opens connections, sends a little now and then, goes away in the middle."""
    starts = [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n"]

    def step(self):
        with contextlib.suppress(OSError):  # one so slow may be hung up on
            self.dawdle(random.choice(self.gateways))

    def dawdle(self, gateway):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as s:
            if random.random() < 0.5:
                s.sendall(random.choice(self.starts))
                return time.sleep(random.uniform(0.05, 0.5))
            with gateway.tls.wrap_socket(s, server_hostname="127.0.0.1") as tls:
                tls.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n" % PATH.encode())
                for _ in range(random.randrange(5)):
                    time.sleep(0.1)
                    tls.sendall(b"X-Slow: 1\r\n")


def facts(isg):
    """Descriptors and resident KiB of the gateway."""
    pid = isg.process.pid
    with open("/proc/%d/status" % pid) as f:
        rss = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    return len(os.listdir("/proc/%d/fd" % pid)), rss


def sanitizer_said(isg):
    with open(isg.log, errors="replace") as f:
        return re.findall(r"^.*(?:ERROR: \w+Sanitizer|runtime error:).*$", f.read(), re.M)


def flat(before, after):
    """Descriptors and memory of one gateway at a third of the time and at the end."""
    ok(after[0] <= before[0] + 8, "descriptors are flat: %d, then %d" % (before[0], after[0]))
    line = "memory is flat: %d KiB, then %d" % (before[1], after[1])
    if SANITIZED:
        print("# %s (freed memory is kept back by this build)" % line, flush=True)
    else:
        ok(after[1] < before[1] * 1.25 + 65536, line)


def check_what_is_there(gateways, workers):
    pushers = [w for w in workers if isinstance(w, Pusher)]
    sure = set().union(*(w.sure for w in pushers))
    red = set().union(*(w.red for w in pushers))
    gone = set().union(*(w.gone for w in pushers))
    for isg in gateways:
        ids = [o["id"] for o in isg.client("maker", "secret of maker").pull("soak", limit=1000)[0]]
        same(len(ids), len(set(ids)), "a full poll: none of %d twice" % len(ids))
        same(len((sure - red) - set(ids)), 0, "none of %d acknowledged is lost" % len(sure))
        same(len(set(ids) & (red | gone)), 0, "nothing RED, nothing deleted")
    for w in workers:
        if isinstance(w, Puller):
            own = next((p.red for p in pushers if p.name == w.name), set())
            same(w.doubled, 0, "%s got nothing twice" % w.name)
            same(len(w.red - own), 0, "and nothing RED of anybody else")


def load(gateways):
    end = time.time() + SECONDS
    kinds = [Pusher] * 2 + [Puller] * 4 + [Abuser] * 2 + [Sluggard] * 2
    workers = [kind(gateways, end) for kind in kinds]
    for w in workers:
        w.start()
    time.sleep(SECONDS * 0.4)
    before = [facts(g) for g in gateways]
    for w in workers:
        w.join(SECONDS + 120)
    time.sleep(1)  # so long a gateway may not know yet what was pushed through the other
    # connections that their clients have closed may still be in the midst of it
    until(lambda: all(facts(g)[0] <= b[0] + 8 for g, b in zip(gateways, before)))
    for w in workers:
        ok(w.failure is None and w.steps > 0, "%s: %d steps%s" % (
            type(w).__name__, w.steps, "; " + w.failure if w.failure else ""))
    for g, b in zip(gateways, before):
        flat(b, facts(g))
    check_what_is_there(gateways, workers)


random.seed(11)
with Redis() as redis:
    quiet = "log:\n  level: error\n"
    with Instance(redis=redis.url, config=quiet) as a:
        with Instance(redis=redis.url, config=quiet, like=a) as b:
            for name in ("hospital-1", "hospital-2"):
                a.member(name, "hospital")
            a.member("maker", "mdm")
            a.collection("soak", write="hospital-1,hospital-2")
            until(lambda: all(b.client(n, "secret of " + n).get(PATH).status == 200
                              for n in ("hospital-1", "hospital-2", "maker")))
            load([a, b])
            same([a.stop(), b.stop()], [0, 0], "and both stop as they should")
            same([sanitizer_said(i) for i in (a, b)], [[], []], "no sanitizer said anything")
done()
