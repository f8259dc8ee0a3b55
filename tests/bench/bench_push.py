#!/usr/bin/env python3
"""Pushes over TLS beside what redis-server alone takes of the same canonical bytes in the same run.

    ISG=build/release/gateway/cli/isg PYTHONPATH=tests/support python3 tests/bench/bench_push.py

For each durability (`disk`: the AOF is synced before every reply; `second`: once a second) rounds
alternate between a gateway that gets envelopes of 100 objects on 8 kept-alive TLS connections, and a
bare redis-server that gets the canonical bytes of such objects as MULTI batches of 100 SETs, on one
connection and on 8. Prints one JSON object: objects a second, processor time an object, and the
median ratio to the bare server. Nothing fails by time; an answer that is no full success does.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench_taxii import cpu_seconds
from gateway import MEDIA, Instance, indicator

PER = 100  # objects of an envelope, and of a MULTI
SYNC = {"disk": "always", "second": "everysec"}


def made(n):
    return indicator(n, "green", description="Seen at a pump gateway; " * 14,
                     labels=["pump", "beacon"], confidence=70)


def canonical(thing):
    """RFC 8785 of what made() makes: ASCII names, integers, no escapes."""
    return json.dumps(thing, sort_keys=True, separators=(",", ":")).encode()


class Batches:
    """Hands out batches that nobody has sent before, each already written as bytes."""

    def __init__(self, write, first, seconds, rate):
        count = int(seconds * rate / PER) + 8
        self.ready = [write([made(first + i * PER + k) for k in range(PER)]) for i in range(count)]
        self.next, self.lock = 0, threading.Lock()

    def take(self):
        with self.lock:
            self.next += 1
            return self.ready[self.next - 1] if self.next <= len(self.ready) else None


class Redis:
    """A server of its own, with an AOF beside the gateway's."""

    paths = []  # of every server that may still write when another's turn comes

    def __init__(self, sync):
        self.dir = tempfile.mkdtemp(prefix="isg-bench-")
        self.path = os.path.join(self.dir, "s")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self.dir,
             "--save", "", "--appendonly", "yes", "--appendfsync", sync],
            stdout=subprocess.DEVNULL)
        while not os.path.exists(self.path):
            time.sleep(0.02)
        self.paths.append(self.path)

    def stop(self):
        self.paths.remove(self.path)
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def write(things):
        def command(*words):
            return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
        sets = [command(b"SET", b"o:" + thing["id"].encode(), canonical(thing)) for thing in things]
        return b"".join([command(b"MULTI"), *sets, command(b"EXEC")])

    def pusher(self, batches, until, counts):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.path)
            want = len(b"+OK\r\n") + PER * len(b"+QUEUED\r\n") + len(b"*100\r\n") + PER * len(b"+OK\r\n")
            while time.perf_counter() < until and (batch := batches.take()) is not None:
                s.sendall(batch)
                got = b""
                while len(got) < want:
                    got += s.recv(65536)
                if not got.endswith(b"+OK\r\n"):
                    sys.exit("redis: %r" % got[-80:])
                counts.append(PER)


class Gateway:
    def __init__(self, durability):
        server = "" if durability == "disk" else "redis:\n  durability: %s\n" % durability
        self.isg = Instance(config="log:\n  level: warn\n" + server)
        self.isg.start()
        self.process = self.isg.process
        self.client = self.isg.member("hospital", "hospital")
        self.collection = self.isg.collection("bench")
        self.path = os.path.join(self.isg.dir, "redis/redis.sock")
        Redis.paths.append(self.path)

    def stop(self):
        Redis.paths.remove(self.path)
        self.isg.stop()
        shutil.rmtree(self.isg.base, ignore_errors=True)

    def write(self, things):
        body = json.dumps({"objects": things}).encode()
        head = ("POST /api/collections/%s/objects/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: %s\r\n"
                "Content-Type: %s\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n" % (
                    self.collection, self.isg.port, MEDIA, MEDIA,
                    self.client.headers["Authorization"], len(body)))
        return head.encode() + body

    @staticmethod
    def answer(s):
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(65536) or sys.exit("the gateway hung up")
        head, body = got.split(b"\r\n\r\n", 1)
        size = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")][0]
        while len(body) < size:
            body += s.recv(65536) or sys.exit("the gateway hung up")
        if not head.startswith(b"HTTP/1.1 202") or b'"success_count":%d,' % PER not in body:
            sys.exit("push: %r" % (head + body)[:300])

    def pusher(self, batches, until, counts):
        with socket.create_connection(("127.0.0.1", self.isg.port)) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.isg.tls.wrap_socket(raw, server_hostname="127.0.0.1") as s:
                while time.perf_counter() < until and (batch := batches.take()) is not None:
                    s.sendall(batch)
                    self.answer(s)
                    counts.append(PER)


def settled(path):
    """Wait until no child of the server rewrites the AOF any more: it would run in another's turn."""
    while True:
        out = subprocess.run(["redis-cli", "-s", path, "info", "persistence"], capture_output=True,
                             text=True, check=True).stdout
        if "aof_rewrite_in_progress:0" in out and "aof_rewrite_scheduled:0" in out:
            return
        time.sleep(0.05)


def turn(side, first, seconds, connections, rate):
    """One turn: what was taken per second, and what it cost."""
    batches = Batches(side.write, first, seconds, rate)
    for path in Redis.paths:
        settled(path)
    cpu, began, counts = cpu_seconds(side.process.pid), time.perf_counter(), []
    threads = [threading.Thread(target=side.pusher, args=(batches, began + seconds, counts))
               for _ in range(connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took, n = time.perf_counter() - began, max(sum(counts), 1)
    return {"rate": n / took, "cpu_us": (cpu_seconds(side.process.pid) - cpu) * 1e6 / n}


def measure(durability, args):
    redis, isg = Redis(SYNC[durability]), Gateway(durability)
    cases = {"redis_c1": (redis, 1), "isg": (isg, args.connections), "redis": (redis, args.connections)}
    rounds, first = [], 1
    try:
        for _ in range(args.rounds + 1):
            results = {}
            for name, (side, connections) in cases.items():
                results[name] = turn(side, first, args.seconds, connections, args.most)
                first += 10000000
            rounds.append(results)
    finally:
        isg.stop()
        redis.stop()
    rounds = rounds[1:]  # the first one warms up
    out = {name: {key: round(statistics.median(r[name][key] for r in rounds))
                  for key in ("rate", "cpu_us")} for name in cases}
    for name in ("redis", "redis_c1"):
        out["ratio_to_" + name] = round(
            statistics.median(r["isg"]["rate"] / r[name]["rate"] for r in rounds), 3)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2, help="of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--most", type=int, default=60000, help="objects a second made in advance")
    parser.add_argument("--only", choices=list(SYNC), help="one durability")
    args = parser.parse_args()
    out = {"bytes": len(canonical(made(1))), "load": os.getloadavg()[0]}
    for durability in [args.only] if args.only else SYNC:
        out[durability] = measure(durability, args)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
