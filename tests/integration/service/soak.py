#!/usr/bin/env python3
"""A mixed load for a while: pushes, pulls, deletes, bad requests, slow clients.

Nothing acknowledged is lost or doubled, nobody sees what is not his, the service stays up, its
descriptors do not grow, nor (in a build without sanitizers) its memory. ISG_SOAK_SECONDS (60).
"""
import http.client
import os
import random
import socket
import threading
import time

from gateway import Instance, done, indicator, ok, same

SECONDS = int(os.environ.get("ISG_SOAK_SECONDS", "60"))
SANITIZED = "asan" in os.environ.get("ISG", "") or "tsan" in os.environ.get("ISG", "")


class Worker(threading.Thread):
    """Runs step() until the time is over; a failure is kept and told at the end."""

    def __init__(self, isg, end):
        super().__init__()
        self.isg, self.end, self.steps, self.failure = isg, end, 0, None
        self.setup()

    def setup(self):
        pass

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
        self.client = self.isg.client(self.name, "secret of " + self.name)
        self.next, self.sure, self.gone, self.red = Pusher.number * 10000000, set(), set(), set()

    def step(self):
        objects = [indicator(self.next + i, "red" if i % 10 == 9 else "green") for i in range(20)]
        self.next += 20
        answer = self.client.push("soak", objects)
        if answer.status == 503:
            return time.sleep(0.2)
        if answer.status != 202 or answer.json["success_count"] != 20:
            raise RuntimeError("push: %d %s" % (answer.status, answer.body[:200]))
        self.sure |= {o["id"] for o in objects}
        self.red |= {o["id"] for o in objects[9::10]}
        if random.random() < 0.3:
            self.delete(objects[random.randrange(9)]["id"])

    def delete(self, id):
        answer = self.client.request("DELETE", "/api/collections/soak/objects/%s/" % id)
        if answer.status != 200:
            raise RuntimeError("delete: %d" % answer.status)
        self.sure.discard(id)
        self.gone.add(id)
        if self.client.get("/api/collections/soak/objects/%s/" % id).status != 404:
            raise RuntimeError("a deleted object is still there")


class Puller(Worker):
    """Follows the collection by its cursor, as a SIEM does; sees each object once and no RED."""

    def setup(self):
        self.client = self.isg.client("maker", "secret of maker")
        self.after, self.seen, self.doubled = "", set(), 0

    def step(self):
        query = "added_after=" + self.after if self.after else ""
        answer = self.client.get("/api/collections/soak/objects/?limit=200&" + query)
        if answer.status == 503:
            return time.sleep(0.2)
        objects = answer.json.get("objects", [])
        ids = [o["id"] for o in objects]
        self.doubled += len(set(ids) & self.seen) + len(ids) - len(set(ids))
        self.seen |= set(ids)
        if objects:
            self.after = answer.headers["X-TAXII-Date-Added-Last"]
        else:
            time.sleep(0.05)


class Abuser(Worker):
    """Everything that is refused."""

    def setup(self):
        self.client = self.isg.client("maker", "secret of maker")
        self.stranger = self.isg.client("maker", "not his secret")

    def step(self):
        c, rows = self.client, [
            (400, lambda: c.get("/api/collections/soak/objects/?limit=0")),
            (400, lambda: c.get("/api/collections/soak/objects/?next=nonsense")),
            (404, lambda: c.get("/api/collections/nowhere/objects/")),
            (403, lambda: c.push("soak", [indicator(1)])),
            (406, lambda: c.get("/taxii2/", Accept="text/html")),
            (422, lambda: self.isg.client("hospital-1", "secret of hospital-1").request(
                "POST", "/api/collections/soak/objects/", b'{"objects":[')),
        ]
        want, ask = random.choice(rows)
        status = ask().status
        if status not in (want, 503):
            raise RuntimeError("%d instead of %d" % (status, want))
        if random.random() < 0.02 and self.stranger.get("/taxii2/").status not in (401, 429):
            raise RuntimeError("a wrong password was taken")


class Sluggard(Worker):
    """Opens connections, sends a little, waits, goes away."""

    def step(self):
        with socket.create_connection(("127.0.0.1", self.isg.port), timeout=10) as s:
            s.sendall(random.choice([b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n"]))
            time.sleep(random.uniform(0.05, 0.5))


def facts(isg):
    """Descriptors and resident KiB of the gateway."""
    pid = isg.process.pid
    with open("/proc/%d/status" % pid) as f:
        rss = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    return len(os.listdir("/proc/%d/fd" % pid)), rss


random.seed(11)
with Instance(config="log:\n  level: error\n") as isg:
    for name in ("hospital-1", "hospital-2"):
        isg.member(name, "hospital")
    isg.member("maker", "mdm")
    isg.collection("soak", write="hospital-1,hospital-2")
    end = time.time() + SECONDS
    workers = [kind(isg, end) for kind in (Pusher, Pusher, Puller, Puller, Abuser, Abuser, Sluggard, Sluggard)]
    for w in workers:
        w.start()
    time.sleep(SECONDS * 0.3)
    fds_before, rss_before = facts(isg)
    for w in workers:
        w.join(SECONDS + 120)
    time.sleep(1)
    fds_after, rss_after = facts(isg)
    for w in workers:
        ok(w.failure is None and w.steps > 0, "%s: %d steps%s" % (
            type(w).__name__, w.steps, "; " + w.failure if w.failure else ""))
    pushers = [w for w in workers if isinstance(w, Pusher)]
    pullers = [w for w in workers if isinstance(w, Puller)]
    sure = set().union(*(w.sure for w in pushers))
    red = set().union(*(w.red for w in pushers))
    gone = set().union(*(w.gone for w in pushers))
    maker = isg.client("maker", "secret of maker")
    ids = [o["id"] for o in maker.pull("soak", limit=1000)[0]]
    same(len(ids), len(set(ids)), "a full poll: none twice")
    same(len((sure - red) - set(ids)), 0, "none of %d acknowledged is lost" % len(sure))
    same(len(set(ids) & (red | gone)), 0, "nothing RED, nothing deleted")
    for w in pullers:
        same(w.doubled, 0, "a poller got nothing twice")
        same(len(w.seen & red), 0, "and nothing RED")
    ok(fds_after <= fds_before + 8, "descriptors are flat: %d, then %d" % (fds_before, fds_after))
    if not SANITIZED:
        ok(rss_after < rss_before * 1.5 + 65536, "memory is flat: %d KiB, then %d" % (rss_before, rss_after))
    same(isg.stop(), 0, "and it stops as it should")
done()
