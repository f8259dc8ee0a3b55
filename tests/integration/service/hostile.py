#!/usr/bin/env python3
"""Hostile content: member names that flood a hash table (R-028), and malware and inner URLs that
nobody may fetch, decode or write to a disk (R-039)."""
import base64
import itertools
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from gateway import Instance, done, indicator, is_traced, ok, same, until, uuid4

NAMES = 20000
ROUNDS = 40  # at most: others on the machine only ever make a push slower, so the best one counts
FACTOR = 3  # how much longer a flood may take
CANARY = b"X5O!P%@AP[4\\PZX54(P^)7CC)7} a file that must not be written"
INNER = "http://127.0.0.1:%d/latest/meta-data/"


# ---- names that collide ----

def colliding(n):
    """Names of one perl-like hash, h = 33 * h + c: "ab" and "bA" weigh the same, and so do rows of them."""
    return list(itertools.islice(("x" + "".join(word) for word in itertools.product(
        ("ab", "bA"), repeat=n.bit_length())), n))


def ordinary(n):
    """As many names of the same letters and length."""
    return ["x%0*d" % (2 * n.bit_length(), i) for i in range(n)]


def pushed_in(member, n, names):
    """Seconds of a push of one object with these members in an extension of its own."""
    extension = {"extension_type": "property-extension", "words": dict.fromkeys(names, 1)}
    o = indicator(n, "green", extensions={"extension-definition--" + uuid4(9): extension})
    body = json.dumps({"objects": [o]}).encode()
    begun = time.perf_counter()
    answer = member.request("POST", "/api/collections/flood/objects/", body)
    took = time.perf_counter() - begun
    same(answer.json.get("success_count"), 1, "%d names are taken" % len(names))
    return took


def flood(isg):
    member = isg.member("flooder", "hospital")
    isg.collection("flood")
    assert len(set(colliding(NAMES))) == NAMES
    times = {make: [] for make in (ordinary, colliding)}
    for i in range(ROUNDS):
        for k, make in enumerate(times):
            times[make].append(pushed_in(member, 2 * i + k + 1, make(NAMES)))
        usual, hostile = (min(times[make]) for make in (ordinary, colliding))
        if i >= 2 and hostile <= FACTOR * usual + 0.05:
            break
    ok(hostile <= FACTOR * usual + 0.05,
       "R-028: %d colliding names take %.3f s, others %.3f s" % (NAMES, hostile, usual))


# ---- content that is only stored ----

class Trap(threading.Thread):
    """A server that must never be asked."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        try:
            while True:
                self.socket.accept()[0].close()
                self.asked += 1
        except OSError:
            pass


def lures(port):
    """Objects that invite to fetch, open or unpack something."""
    url = INNER % port
    refs = [{"source_name": "inner", "url": url}, {"source_name": "local", "url": "file:///etc/passwd"}]
    head = {"spec_version": "2.1"}
    return [
        dict(head, type="artifact", id="artifact--" + uuid4(1), mime_type="application/octet-stream",
             payload_bin=base64.b64encode(CANARY).decode()),
        dict(head, type="artifact", id="artifact--" + uuid4(2), url=url, hashes={"SHA-256": "ab" * 32}),
        dict(head, type="url", id="url--" + uuid4(3), value=url),
        indicator(4, "green", external_references=refs)]


def calls(trace):
    """Connections and opened files of a trace, as lines; Redis' socket is our own."""
    with open(trace, errors="replace") as f:
        return [line for line in f if "redis.sock" not in line]


def only_stored(isg):
    member = isg.member("artist", "hospital")
    isg.collection("lures")
    trap = Trap()
    trace = os.path.join(isg.base, "trace")
    tracer = None
    if shutil.which("strace"):
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=openat,open,creat,connect", "-o",
                                   trace, "-p", str(isg.process.pid)], stderr=subprocess.DEVNULL)
        until(lambda: tracer.poll() is not None or is_traced(isg.process.pid))
        if tracer.poll() is not None:
            tracer = None
    wanted = lures(trap.port)
    answer = member.push("lures", wanted)
    same(answer.json.get("success_count"), len(wanted), "R-039: artifacts and URLs are taken as data")
    by_id = {o["id"]: o for o in wanted}
    same({o["id"]: o for o in member.pull("lures")[0]}, by_id, "R-039: and come back as they were")
    time.sleep(1)
    same(trap.asked, 0, "R-039: nobody fetched what a URL names")
    if tracer is None:
        print("# no strace here: system calls were not looked at")
    else:
        tracer.terminate()
        tracer.wait(60)
        seen = calls(trace)
        same([line for line in seen if "AF_INET" in line], [], "R-039: no connection was made")
        same([line for line in seen if "passwd" in line or "O_CREAT" in line or "O_WRONLY" in line], [],
             "R-039: no file was opened for it")
    held = subprocess.run(["grep", "-rlaF", CANARY.decode(), isg.base], capture_output=True, text=True)
    same(held.stdout, "", "R-039: no file holds what was encoded")
    trap.socket.close()


with Instance() as isg:
    flood(isg)
    only_stored(isg)
done()
