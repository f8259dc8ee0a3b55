#!/usr/bin/env python3
"""SIGTERM under load: no new connections, what is in flight is finished, exit 0, and every push that
was answered is there at the next start (R-074)."""
import os
import signal
import socket
import threading
import time

from gateway import Instance, done, indicator, ok, same, until

PUSHERS = 8
STOP_MAX = 60.0  # seconds: in-flight requests have ten, the private Redis some of its own; a busy machine more


class Pusher(threading.Thread):
    """Pushes one envelope after the other on a connection of its own, until that is closed."""

    def __init__(self, isg, n):
        super().__init__()
        self.client, self.n = isg.client("st-mary", "secret of st-mary"), n * 1000000
        self.sure, self.sent, self.odd = set(), 0, []

    def run(self):
        while True:
            objects = [indicator(self.n + i, "green") for i in range(20)]
            self.n += 20
            self.sent += 1
            try:
                answer = self.client.push("observed", objects)
            except OSError:
                return  # the service closed the connection, or is gone
            except Exception as e:
                return self.odd.append(repr(e))
            if answer.status == 202:
                self.sure |= {s["id"] for s in answer.json["successes"]}
            elif answer.status != 503:
                self.odd.append(answer.status)
            if answer.headers.get("Connection") == "close":
                self.client.close()


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        return False
    except OSError:
        return True


def dribble(isg, stop):
    """A body that never ends must not hold the stop up beyond its grace."""
    with socket.create_connection(("127.0.0.1", isg.port), timeout=30) as s:
        with isg.tls.wrap_socket(s, server_hostname="127.0.0.1") as tls:
            try:
                tls.sendall(b"POST /api/collections/observed/objects/ HTTP/1.1\r\nHost: x\r\n")
                while not stop.is_set():
                    tls.sendall(b"X-A: b\r\n")
                    time.sleep(0.2)
            except OSError:
                pass


def stop_under_load(isg, name, how):
    first = int(time.time() * 10) % 1000000 * 100
    pushers = [Pusher(isg, first + n) for n in range(PUSHERS)]
    stop = threading.Event()
    slow = threading.Thread(target=dribble, args=(isg, stop))
    slow.start()
    for p in pushers:
        p.start()
    until(lambda: sum(p.sent for p in pushers) > 3 * PUSHERS)
    redis = isg.redis_pid()
    begun = time.monotonic()
    isg.process.send_signal(how)
    code = isg.process.wait(120)
    took = time.monotonic() - begun
    stop.set()
    isg.process = None
    for p in pushers:
        p.join(60)
    slow.join(60)
    same(code, 0, "%s: exit 0" % name)
    ok(took < STOP_MAX, "%s: within %.1f s" % (name, took))
    ok(refuses(isg.port), "%s: nobody listens" % name)
    ok(redis and not os.path.exists("/proc/%d" % redis), "%s: its Redis is gone too" % name)
    same([o for p in pushers for o in p.odd], [], "%s: only answers that mean something" % name)
    ok(sum(p.sent for p in pushers) > PUSHERS, "%s: %d pushes sent" % (name, sum(p.sent for p in pushers)))
    return set().union(*(p.sure for p in pushers))


with Instance(config="log:\n  level: warn\n") as isg:
    isg.member("st-mary", "hospital")
    isg.collection("observed", write="st-mary")
    sure = set()
    for name, how in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
        sure |= stop_under_load(isg, name, how)
        isg.start()
        ids = [o["id"] for o in isg.client("st-mary", "secret of st-mary").pull("observed", limit=1000)[0]]
        same(len(sure - set(ids)), 0, "%s: all %d answered are there" % (name, len(sure)))
        same(len(ids), len(set(ids)), "%s: none twice" % name)
done()
